"""Contexts as integers: tokens by number, contexts with as many sources side by side, nothing done per context.

A token's number is its place among all tokens in the order of text, so that order among numbers is order among
tokens; −1 stands for a token that is not known. Integers are tokens too, and stand for their decimal digits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError

Ints: TypeAlias = npt.NDArray[np.signedinteger[Any]]

_PART = 1 << 20  # texts that are taken out of an array at a time


@dataclass(frozen=True)
class Block:
    """Contexts with the same number of sources.

    Attributes:
        rows: which contexts they are, ``[n]``.
        destinations: numbers of tokens, ``[n]``.
        sources: numbers of tokens, ``[n, T]``, often a view of a larger array; in a bag the distinct ones, ascending.
        length: the number T of sources (of the contexts, not of their bags).
        counts: in a bag, how often each source occurs, shaped as ``sources``.
    """

    rows: Ints
    destinations: Ints
    sources: Ints
    length: int
    counts: Ints | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice | Ints) -> Block:
        counts = None if self.counts is None else self.counts[part]
        return Block(self.rows[part], self.destinations[part], self.sources[part], self.length, counts)

    def split(self, width: int, entries: int = 1 << 21) -> Iterator[Block]:
        """Parts of as many contexts as make up some ``entries`` numbers when each of them takes ``width``."""
        step = max(1, entries // max(1, width))
        return (self[start : start + step] for start in range(0, len(self), step))

    def bag(self) -> Block:
        """The same contexts with their known sources as distinct tokens and numbers of occurrences, −1 and 0 after.

        >>> block = encode([("B", "A", "B", "Q"), ("A", "A", "A", "Q")]).blocks[0].bag()
        >>> block.sources.tolist(), block.counts.tolist()
        ([[0, 1], [0, -1]], [[1, 2], [3, 0]])
        """
        sources = np.sort(self.sources, axis=1)
        size = self.length
        new = np.ones_like(sources, dtype=bool)
        np.not_equal(sources[:, 1:], sources[:, :-1], out=new[:, 1:])
        run = np.ones_like(sources)
        for i in range(size - 2, -1, -1):
            run[:, i] += np.where(new[:, i + 1], 0, run[:, i + 1])
        # A token and its number of occurrences in one integer, to bring the distinct ones to the front together.
        bits, end = size.bit_length(), np.iinfo(np.int64).max
        pairs = np.where(new & (sources >= 0), sources.astype(np.int64) << bits | run, end)
        pairs.sort(axis=1)
        pairs = pairs[:, : int((pairs < end).sum(axis=1).max(initial=0))]
        absent = pairs == end
        tokens, counts = (pairs >> bits).astype(sources.dtype), (pairs & ((1 << bits) - 1)).astype(sources.dtype)
        tokens[absent], counts[absent] = -1, 0
        return Block(self.rows, self.destinations, tokens, size, counts)

    def without_commonest(self) -> Block:
        """The same contexts, all tokens known, without the commonest source (the first of several) of each position.

        It is the commonest among contexts with the same destination. Its indicator is the sum of all sources there
        less the others, so that in absolute positions the same logits can be expressed.

        >>> encode([("A", "C", "Q"), ("B", "C", "Q"), ("B", "C", "R")]).blocks[0].without_commonest().sources.tolist()
        [[-1, -1], [1, -1], [-1, -1]]
        """
        sources, rows = self.sources.copy(), np.arange(len(self))
        ends, end = np.unique(self.destinations, return_inverse=True)
        for position in range(self.length):
            tokens = sources[:, position].copy()
            known = 1 + int(tokens.max(initial=0))
            keys = end * known + tokens  # a key is a destination and a token
            if len(ends) * known < 4 * len(self) + 1024:
                owner = np.arange(len(ends) * known) // known
            else:  # too many keys for a table of all: number those that occur
                kinds, keys = np.unique(keys, return_inverse=True)
                owner = kinds // known
            counts, first = np.bincount(keys, minlength=len(owner)), np.full(len(owner), len(self))
            first[keys[::-1]] = rows[::-1]
            most, earliest = np.zeros(len(ends), dtype=np.int64), np.full(len(ends), len(self))
            np.maximum.at(most, owner, counts)
            commonest = counts == most[owner]
            np.minimum.at(earliest, owner[commonest], first[commonest])
            sources[tokens == tokens[earliest[end]], position] = -1
        return Block(self.rows, self.destinations, sources, self.length)


@dataclass(frozen=True)
class Encoded:
    """Contexts as integers: one block for each number of sources, ``size`` contexts in all."""

    tokens: list[str]
    blocks: list[Block]
    size: int

    def fibres(self) -> Iterator[Block]:
        """The contexts by number of sources and destination; those that end in an unknown token together.

        >>> [fibre.rows.tolist() for fibre in encode([("A", "Q"), ("A", "R"), ("B", "Q"), ("Q",)]).fibres()]
        [[3], [0, 2], [1]]
        """
        for block in self.blocks:
            order = np.argsort(block.destinations, kind="stable")
            cuts = np.flatnonzero(np.diff(block.destinations[order])) + 1
            yield from (block[part] for part in np.split(order, cuts) if len(part))


def encode(contexts: Any, tokens: Sequence[str] | None = None, *, window: int | None = None) -> Encoded:
    """Number the tokens of contexts, or of a corpus in which every token is the destination of a context.

    Args:
        contexts: sequences of tokens with the destination last, or an array with such rows; or a corpus, which is a
            sequence or a one-dimensional array of tokens. Tokens are texts or integers.
        tokens: the known tokens in the order of text; ``None`` to take all that occur.
        window: at most so many sources are kept, those next to the destination. A corpus needs it; its first tokens
            have fewer.

    Returns:
        int32 numbers. For a corpus and for arrays the blocks are views: no number is stored twice.

    Raises:
        InputError: no contexts at all, an empty one, a token that is neither text nor integer, texts without a window.

    >>> encode([("A", "C", "Q"), ("B", "C", "Q")]).blocks[0].sources.tolist()
    [[0, 2], [1, 2]]
    >>> [block.sources.tolist() for block in encode([7, 7, 9, 7], window=2).blocks]
    [[[]], [[0]], [[0, 0], [0, 1]]]
    """
    if isinstance(contexts, str | bytes):
        raise InputError(f"contexts is the text {contexts[:40]!r}; expected contexts or a corpus: sequences of tokens")
    if hasattr(contexts, "__array__"):
        array = np.asarray(contexts)
        if array.dtype.kind not in "iuUO" or array.ndim not in (1, 2):
            raise InputError(
                f"contexts is an array of {array.dtype} with {array.ndim} dimensions; expected texts or integers in "
                "one dimension (a corpus) or in two (a context in each row, its destination last)"
            )
        if array.ndim == 2:
            lengths = np.full(len(array), array.shape[1])
            numbers, tokens = _numbered(_Stream(array.reshape(-1)), tokens)
            return Encoded(tokens, _blocks(numbers, lengths, window), len(lengths))
        items: Any = array if array.dtype.kind != "O" else array.tolist()
    else:
        items = contexts if isinstance(contexts, list | tuple) else _listed(contexts)
    if _is_corpus(items):
        if window is None:
            raise InputError(
                f"contexts is a corpus, which begins {_shown(items[0])}, and window is None; expected the number of "
                "sources before each destination (or contexts, each of them a sequence of tokens)"
            )
        numbers, tokens = _numbered(_Stream(items), tokens)
        return Encoded(tokens, _windows(numbers, window), len(numbers))
    lengths = _lengths(items)
    numbers, tokens = _numbered(_Stream(items, nested=True), tokens)
    return Encoded(tokens, _blocks(numbers, lengths, window), len(lengths))


@dataclass(frozen=True)
class _Stream:
    """All tokens, as often as they are asked for."""

    items: Any
    nested: bool = False

    def __iter__(self) -> Iterator[Any]:
        if self.nested:
            return chain.from_iterable(self.items)
        if isinstance(self.items, np.ndarray):
            starts = range(0, len(self.items), _PART)
            return chain.from_iterable(self.items[i : i + _PART].tolist() for i in starts)
        return iter(self.items)

    def where(self, wanted: Callable[[Any], bool]) -> str:
        """The place of the first token that is wanted, for a message."""
        if self.nested:
            return next(f"context {i}" for i, context in enumerate(self.items) if any(map(wanted, context)))
        return f"place {next(i for i, token in enumerate(self) if wanted(token))}"


def _listed(contexts: Any) -> list[Any]:
    if not isinstance(contexts, Iterable):
        raise InputError(f"contexts is {contexts!r}; expected contexts or a corpus: sequences of tokens")
    return list(contexts)


def _is_corpus(items: Any) -> bool:
    """Whether the items are tokens rather than contexts."""
    if isinstance(items, np.ndarray):
        return len(items) > 0
    kinds = set(map(type, items))
    flat = {kind for kind in kinds if issubclass(kind, str | bytes | Integral)}
    if flat and flat != kinds:
        i = next(i for i, item in enumerate(items) if type(item) is not type(items[0]))
        raise InputError(
            f"context {i} is {_shown(items[i])} where context 0 is {_shown(items[0])}; expected contexts throughout "
            "(sequences of tokens), or tokens throughout (a corpus)"
        )
    return bool(flat)


def _lengths(items: Sequence[Any]) -> Ints:
    """The number of tokens of each context."""
    for kind in set(map(type, items)):
        if not all(hasattr(kind, name) for name in ("__len__", "__iter__", "__getitem__")) or issubclass(kind, Mapping):
            i = next(i for i, item in enumerate(items) if type(item) is kind)
            raise InputError(f"context {i} is {_shown(items[i])}; expected a sequence of tokens, its destination last")
    return np.fromiter(map(len, items), np.int64, len(items))


def _numbered(stream: _Stream, known: Sequence[str] | None) -> tuple[Ints, list[str]]:
    """The number of each token, int32, and the tokens in the order of text."""
    items = stream.items
    if isinstance(items, np.ndarray) and items.dtype.kind in "iu":
        kinds, places = np.unique(items, return_inverse=True)
        texts = [str(kind) for kind in kinds.tolist()]
        tokens = sorted(texts) if known is None else list(known)
        number = {token: i for i, token in enumerate(tokens)}
        return np.array([number.get(text, -1) for text in texts], dtype=np.int32)[places.reshape(-1)], tokens
    met: defaultdict[Any, int] = defaultdict()
    met.default_factory = met.__len__  # a token is numbered as it is met
    try:
        numbers = np.fromiter(map(met.__getitem__, stream), np.int32)
    except TypeError:
        met[None] = -1  # a list, say, where a token should be: no key of a dictionary
    if any(not isinstance(kind, str | Integral) for kind in met):
        place = stream.where(lambda token: not isinstance(token, str | Integral))
        raise InputError(f"{place} has a token that is neither a text nor an integer; expected tokens such as 'A' or 7")
    tokens = sorted({*map(str, met)}) if known is None else list(known)
    number = {token: i for i, token in enumerate(tokens)}
    return np.array([number.get(str(kind), -1) for kind in met], dtype=np.int32)[numbers], tokens


def _blocks(numbers: Ints, lengths: Ints, window: int | None) -> list[Block]:
    """The blocks of contexts that lie one after the other, shorter ones first."""
    if not lengths.all():
        i = int(np.flatnonzero(lengths == 0)[0])
        raise InputError(f"context {i} is empty; expected at least one token, the destination")
    kept = lengths if window is None else np.minimum(lengths, window + 1)
    ends = np.cumsum(lengths)
    even = len(lengths) > 0 and bool((lengths == lengths[0]).all())
    order = np.argsort(kept, kind="stable")
    blocks = []
    for rows in np.split(order, np.flatnonzero(np.diff(kept[order])) + 1) if len(order) else []:
        size = int(kept[rows[0]])
        if even:
            table = numbers.reshape(len(rows), -1)[:, -size:]
        else:
            table = numbers[(ends[rows] - size)[:, None] + np.arange(size)]
        blocks.append(Block(rows, table[:, -1], table[:, :-1], size - 1))
    return blocks


def _windows(numbers: Ints, window: int) -> list[Block]:
    """The blocks of a corpus: one for each of the first ``window`` tokens, which have fewer sources, and the rest."""
    blocks = [Block(np.array([i]), numbers[i : i + 1], numbers[None, :i], i) for i in range(min(window, len(numbers)))]
    if len(numbers) > window:
        table = np.lib.stride_tricks.sliding_window_view(numbers, window + 1)
        blocks.append(Block(np.arange(window, len(numbers)), table[:, -1], table[:, :-1], window))
    return blocks


def _shown(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 60 else text[:57] + "…"
