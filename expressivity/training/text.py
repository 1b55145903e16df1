"""Text as token numbers: what a model is trained on, and what is kept for evaluation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError
from expressivity.training.corpus import HELD_OUT, KINDS, SOURCES, Text, balanced, file_texts, library_texts
from expressivity.training.tokenizer import VOCABULARY, BytePairs, learn

Numbers = npt.NDArray[np.int32]
_MOST_TOKENS = 1 << 20  # distinct ones in an array


@dataclass(frozen=True, eq=False)
class Corpus:
    """Token numbers in two parts.

    Attributes:
        name: ``code``, ``prose``, ``mixture``, or the files.
        vocabulary: the text of every token, or its number where only numbers were given.
        train: one document after the other, each begun by token 0; shape ``[tokens]``.
        held_out: other documents, which no model is trained on, or the ends of files; shape ``[tokens]``.
        tokenizer: what made the numbers; ``None`` where they were given.
    """

    name: str
    vocabulary: tuple[str, ...]
    train: Numbers
    held_out: Numbers
    tokenizer: BytePairs | None

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all token numbers: two corpora with one fingerprint are the same."""
        found = hashlib.sha256(str(len(self.train)).encode())
        for part in (self.train, self.held_out):
            found.update(np.ascontiguousarray(part, dtype="<i4").tobytes())
        return found.hexdigest()

    def windows(self, length: int, many: int | None = None, *, train: bool = False) -> Numbers:
        """Stretches of the held-out part, or of the other, one after the other; shape ``[windows, length]``.

        Args:
            length: tokens in each; what is left over at the end is dropped.
            many: at most so many, spread evenly over the part; ``None`` for all.

        Raises:
            InputError: the part is shorter than one window.
        """
        part = self.train if train else self.held_out
        total = len(part) // length
        if not total:
            raise InputError(f"{self.name}: has {len(part)} tokens; expected at least {length}, one window")
        rows = part[: total * length].reshape(total, length)
        return rows if many is None or many >= total else rows[np.arange(many) * total // many]


def read_corpus(
    source: str | Path | Sequence[str | Path], *, vocabulary: int = VOCABULARY, tokenizer: BytePairs | None = None
) -> Corpus:
    """Token numbers of Python's library, of text files, or of an array.

    Args:
        source: ``code``, ``prose`` or ``mixture`` (half of each, in whole documents) of the library, or both ``code``
            and ``prose`` for all there is; they all have one tokenizer, learnt from as much code as prose. Or a text
            file or several, or a file ``.npy`` of token numbers. Of files the last tenth is held out.
        vocabulary: how many tokens the tokenizer has that is learnt.
        tokenizer: one to use in its place.

    Raises:
        InputError: a file that cannot be read, or the extra ``text`` is missing.
    """
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not given:
        raise InputError(f"found no text; expected {', '.join(SOURCES)}, or files")
    named = [str(each) for each in given if str(each) in SOURCES]
    if named:
        if len(named) < len(given) or len(set(named)) < len(given) or (len(given) > 1 and "mixture" in named):
            told = ", ".join(map(str, given))
            raise InputError(f"{told}: expected one of {', '.join(SOURCES)}, both {' and '.join(KINDS)}, or files")
        return _library(named, vocabulary, tokenizer)
    paths = [Path(each) for each in given]
    if any(path.suffix == ".npy" for path in paths):
        if len(paths) > 1:
            raise InputError(f"{', '.join(map(str, paths))}: expected one array, or text files")
        return _array(paths[0])
    texts = file_texts(paths)
    pairs = tokenizer or learn((text.text for text in texts if not text.held_out), vocabulary)
    documents = pairs.encode_all([text.text for text in texts])
    train, held_out = (
        _joined([d for text, d in zip(texts, documents, strict=True) if text.held_out is kept])
        for kept in (False, True)
    )
    return Corpus(", ".join(map(str, paths)), pairs.vocabulary, train, held_out, pairs)


def _library(names: Sequence[str], vocabulary: int, tokenizer: BytePairs | None) -> Corpus:
    pairs = tokenizer or _learnt(vocabulary)
    kinds = [kind for kind in KINDS if kind in names or "mixture" in names]
    parts = []
    for held_out in (False, True):
        documents = [pairs.encode_all([t.text for t in _texts(kind, held_out)]) for kind in kinds]
        if "mixture" in names:
            starts = [[[0, *document] for document in each] for each in documents]
            parts.append(_joined([documents[kind][k] for kind, k in balanced(starts)]))
        else:
            parts.append(_joined([document for each in documents for document in each]))
    return Corpus(", ".join(names), pairs.vocabulary, parts[0], parts[1], pairs)


@cache
def _learnt(vocabulary: int) -> BytePairs:
    """From the training part, as many characters of code as of prose."""
    parts = {kind: [text.text for text in _texts(kind, False)] for kind in KINDS}
    least = min(sum(map(len, part)) for part in parts.values())
    kept = [
        text for part in parts.values() for text, end in zip(part, accumulate(map(len, part)), strict=True)
        if end <= least
    ]  # fmt: skip
    return learn(kept, vocabulary)


def _texts(kind: str, held_out: bool) -> list[Text]:
    return [text for text in library_texts() if text.kind == kind and text.held_out is held_out]


def _joined(documents: Sequence[Sequence[int]]) -> Numbers:
    return np.array([number for document in documents for number in (0, *document)], dtype=np.int32)


def _array(path: Path) -> Corpus:
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: {error}; expected a NumPy array of token numbers") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iu" or found.ndim not in (1, 2) or found.size < 2:
        said = f"{found.dtype} of shape {list(found.shape)}" if isinstance(found, np.ndarray) else "several arrays"
        raise InputError(f"{path}: holds {said}; expected whole numbers in one dimension, or in two, a row each")
    low, high = int(found.min()), int(found.max())
    if low < 0 or high >= _MOST_TOKENS:
        raise InputError(f"{path}: holds {low if low < 0 else high}; expected token numbers from 0 to {_MOST_TOKENS}")
    numbers = np.ascontiguousarray(found.ravel(), dtype=np.int32)
    end = len(numbers) - max(1, round(len(numbers) * HELD_OUT))
    return Corpus(str(path), tuple(map(str, range(high + 1))), numbers[:end], numbers[end:], None)
