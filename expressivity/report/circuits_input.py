"""The model and the data that ``expressivity circuits`` is given by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from expressivity.circuits import Circuits
from expressivity.circuits.analysis import MOST_SEQUENCES
from expressivity.errors import InputError
from expressivity.task.tokens import quoted

TOKENIZER = "tokenizer.json"  # beside a model that was trained on text
CORPORA = ("code", "prose", "mixture")


def read_model(name: str, device: str | None = None) -> Circuits:
    """A folder of weights, or else a construction by its name.

    Raises:
        InputError: neither, or files that are not a model's.
    """
    if Path(name).is_dir() or "/" in name.removesuffix(".py"):
        from expressivity.attention.models import load_any_model

        return Circuits.of(load_any_model(name), device=device)
    from expressivity.heads.gallery import load_construction

    try:
        return Circuits.of(load_construction(name), device=device)
    except InputError as error:
        raise InputError(f"{name}: is no folder with a model, nor a construction: {error}") from None


def read_data(name: str, circuits: Circuits, *, model: str, tokenizer: Path | None = None) -> Any:
    """What ``--data`` names: token numbers (``.npy``), text (with a tokenizer), or a task.

    Text is cut into windows as long as the model sees, of its held-out part: of a file the last tenth.

    Args:
        name: a file, ``code``, ``prose`` or ``mixture`` of Python's library, or a family of tasks.
        circuits: of the model.
        model: its folder, where its tokenizer is.
        tokenizer: another one.

    Raises:
        InputError: a file that cannot be read, or a tokenizer with other tokens than the model's.
    """
    if name.endswith(".npy"):
        return _array(Path(name))
    beside = Path(model) / TOKENIZER
    given = tokenizer or (beside if beside.exists() else None)
    if given is None and name not in CORPORA:
        from expressivity.task import Task

        return Task.load(name)
    from expressivity.training import BytePairs, read_corpus

    pairs = None if given is None else BytePairs.load(given)
    corpus = read_corpus(name, vocabulary=len(circuits.model.tokens), tokenizer=pairs)
    if corpus.vocabulary != circuits.model.tokens:
        differ = [(a, b) for a, b in zip(corpus.vocabulary, circuits.model.tokens, strict=False) if a != b]
        said = f"{quoted(differ[0][0])} where it has {quoted(differ[0][1])}" if differ else "another number of them"
        raise InputError(f"the tokenizer has other tokens than the model: {said}; give its own with --tokenizer")
    return corpus.windows(circuits.model.n_ctx + 1, MOST_SEQUENCES)


def check_plot(path: Path) -> None:
    """Refuse a file that no figure can be drawn into, before anything is computed.

    Raises:
        InputError: another ending than those of figures, or matplotlib is missing.
    """
    if path.suffix.lower() not in (".svg", ".pdf", ".png"):
        raise InputError(f"{path}: expected a name that ends in .svg, .pdf or .png")
    from expressivity.pictures.canvas import pyplot

    pyplot()


def _array(path: Path) -> Any:
    import numpy as np

    try:
        found = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a NumPy array of token numbers") from None
    except (ValueError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: {reason}; expected a NumPy array of token numbers") from None
    if not isinstance(found, np.ndarray):
        raise InputError(f"{path}: holds several arrays; expected one of token numbers")
    return found
