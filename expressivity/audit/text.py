"""What a model is audited on: text as token numbers, in two parts, cut into windows.

A *window* is a stretch of a document, as long as the model's context. Every position of it is a context, the tokens up
to and including that position; or the last position alone (``last``), so that all contexts have one length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError

Numbers = npt.NDArray[np.int32]
Array = npt.NDArray[Any]

HELD_OUT = 0.1
FEW_UNITS, MOST_UNITS = 40, 1000  # documents; with fewer or more, intervals resample stretches of text
TOKENIZER = "tokenizer.json"
LIBRARY = ("code", "prose", "mixture")


@dataclass(frozen=True, eq=False)
class Part:
    """Documents one after the other.

    Attributes:
        tokens: their token numbers, ``[tokens]``.
        starts: where each document begins, ascending, the first at 0.
    """

    tokens: Numbers
    starts: Array

    @staticmethod
    def of(documents: Sequence[Sequence[int] | Array] | Array) -> Part:
        """Documents given apart.

        >>> Part.of([[1, 2], [3]]).starts.tolist()
        [0, 2]
        """
        rows = [np.asarray(document, dtype=np.int32) for document in documents if len(document)]
        sizes = np.array([len(row) for row in rows], dtype=np.int64)
        return Part(np.concatenate([np.empty(0, np.int32), *rows]), np.cumsum(sizes) - sizes)


@dataclass(frozen=True, eq=False)
class Text:
    """A text with a name: what ensembles are fitted on, and what they are judged on."""

    name: str
    fit: Part
    held_out: Part


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one width.

    Attributes:
        tokens: ``[windows, width]``, −1 after the end of a document.
        following: the token after each, −1 where it is not known; shaped as ``tokens``.
        graded: which positions are contexts, shaped as ``tokens``.
        units: what intervals resample: the number of the document or of the stretch of text, ``[windows]``.
        unit: ``documents`` or ``stretches``.
    """

    tokens: Numbers
    following: Numbers
    graded: npt.NDArray[np.bool_]
    units: Array
    unit: str

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, which: Any) -> Windows:
        tokens, following, graded = self.tokens[which], self.following[which], self.graded[which]
        return Windows(tokens, following, graded, self.units[which], self.unit)

    @property
    def contexts(self) -> int:
        """How many there are."""
        return int(self.graded.sum())


def cut(part: Part, width: int, *, last: bool = False, contexts: int | None = None) -> Windows:
    """Windows of ``width`` tokens, spread evenly over the text if they are to hold no more than so many contexts.

    Without ``last`` they lie side by side, shorter at the end of a document; with it they overlap, and all are whole.

    >>> found = cut(Part.of([[1, 2, 3], [4]]), 2)
    >>> found.tokens.tolist(), found.following.tolist()
    ([[1, 2], [3, -1], [4, -1]], [[2, 3], [-1, -1], [-1, -1]])
    >>> cut(Part.of([[1, 2, 3], [4]]), 2, last=True).following.tolist()
    [[2, 3], [3, -1]]
    """
    ends = np.append(part.starts[1:], len(part.tokens))
    lengths = ends - part.starts
    many = np.maximum(lengths - width + 1, 0) if last else -(-lengths // width)
    total = int(many.sum())
    kept = total if contexts is None else min(total, max(1, contexts if last else contexts // width))
    places = np.arange(kept) * total // max(1, kept)
    document = np.repeat(np.arange(len(many)), many)[places]
    inside = places - (np.cumsum(many) - many)[document]
    first = part.starts[document] + inside * (1 if last else width)
    where = first[:, None] + np.arange(width + 1)
    known = np.append(part.tokens, np.int32(-1))[np.where(where < ends[document][:, None], where, len(part.tokens))]
    tokens, following = known[:, :-1], known[:, 1:]
    graded = tokens >= 0
    if last:
        graded[:, :-1] = False
    names, number = np.unique(document, return_inverse=True)
    if FEW_UNITS <= len(names) <= MOST_UNITS:
        return Windows(tokens, following, graded, number, "documents")
    # Neighbours stay together: windows that overlap are no independent witnesses.
    many_units = min(len(names) if len(names) > MOST_UNITS else kept, 200 if last else MOST_UNITS)
    groups = np.arange(kept) * many_units // max(1, kept)
    if len(names) > MOST_UNITS:  # a document is not cut in two
        groups = number * MOST_UNITS // len(names)
    return Windows(tokens, following, graded, groups, "stretches")


def read_text(source: str, tokens: Sequence[str], folder: Path | None = None) -> Text:
    """A text by name: a file ``.npy`` of token numbers, a text file, or ``code``, ``prose``, ``mixture``.

    Of a file the last tenth is held out, of rows of an array a tenth drawn at random; the library's parts are those of
    :mod:`expressivity.training.corpus`. Words are made into numbers by the tokenizer in ``folder``. Without one, words
    parted by blanks are tokens themselves, and each line is a document.

    Args:
        source: the name.
        tokens: the model's vocabulary.
        folder: where the model is.

    Raises:
        InputError: no such file, a token that the model does not have, or no tokenizer where one is needed.
    """
    if source.endswith(".npy"):
        return _array(source, len(tokens))
    tokenizer = None if folder is None else folder / TOKENIZER
    if tokenizer is not None and tokenizer.exists():
        from expressivity.training.text import read_corpus
        from expressivity.training.tokenizer import BytePairs

        corpus = read_corpus(source, tokenizer=BytePairs.load(tokenizer))
        if corpus.vocabulary != tuple(tokens):
            raise InputError(
                f"{tokenizer}: has {len(corpus.vocabulary)} tokens, the model {len(tokens)}, and not the same ones; "
                "expected the tokenizer that the model was trained with"
            )
        return Text(source, *(Part(part, _starts(part)) for part in (corpus.train, corpus.held_out)))
    if source in LIBRARY:
        raise InputError(f"{source} needs the model's tokenizer; expected a file {tokenizer or TOKENIZER}")
    return _words(source, tokens)


def _starts(part: Numbers) -> Array:
    """Token 0 begins every document of a corpus."""
    return np.union1d([0], np.flatnonzero(part == 0))


def _array(source: str, vocabulary: int) -> Text:
    try:
        found = np.load(source, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError(f"{source}: {reason}; expected a NumPy array of token numbers") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iu" or found.ndim not in (1, 2) or found.size < 2:
        said = f"{found.dtype} of shape {list(found.shape)}" if isinstance(found, np.ndarray) else "several arrays"
        raise InputError(f"{source}: holds {said}; expected whole numbers in one dimension, or in two, a row each")
    low, high = int(found.min()), int(found.max())
    if low < 0 or high >= vocabulary:
        seen = low if low < 0 else high
        raise InputError(f"{source}: holds {seen}; expected token numbers from 0 to {vocabulary - 1}")
    return Text(source, *split(found))


def split(found: Array) -> tuple[Part, Part]:
    """What is fitted on and what is held out: the last tenth of a sequence, or a tenth of the rows drawn at random."""
    if found.ndim == 1:
        end = len(found) - max(1, round(len(found) * HELD_OUT))
        return Part.of([found[:end]]), Part.of([found[end:]])
    if len(found) < 2:
        raise InputError("the array has one row; expected at least two, one of them to be held out, or no rows at all")
    order = np.random.default_rng(0).permutation(len(found))
    kept = max(1, round(len(found) * HELD_OUT))
    return Part.of(found[np.sort(order[kept:])]), Part.of(found[np.sort(order[:kept])])


def _words(source: str, tokens: Sequence[str]) -> Text:
    try:
        lines = Path(source).read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(
            f"{source}: {error.strerror or error}; expected {', '.join(LIBRARY)}, a text file or token numbers (.npy)"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: byte {error.start} is not UTF-8; expected a text file") from None
    number: Mapping[str, int] = {token: i for i, token in enumerate(tokens)}
    documents = []
    for i, line in enumerate(lines, 1):
        words = line.split()
        for word in words:
            if word not in number:
                raise InputError(
                    f"{source}, line {i}: the model has no token {word[:40]!r} and no {TOKENIZER} is beside it; "
                    "expected its tokens with blanks between them, or token numbers (.npy)"
                )
        if words:
            documents.append([number[word] for word in words])
    if len(documents) > 1:
        end = len(documents) - max(1, round(len(documents) * HELD_OUT))
        return Text(source, Part.of(documents[:end]), Part.of(documents[end:]))
    if not documents or len(documents[0]) < 2:
        raise InputError(f"{source}: has no two words; expected text")
    return Text(source, *split(np.array(documents[0], dtype=np.int32)))
