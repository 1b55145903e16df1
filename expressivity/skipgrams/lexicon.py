"""Skip-gram features by number: an exact dictionary of those that occur, and contexts looked up in it.

A feature is a *head*, the destination (with the number of sources where positions are absolute), and *letters* in
ascending order, its sources (a position and a token in one where positions are absolute). Its code is

    column of the feature without its last letter · number of letters + last letter

so that every order has codes of the same size, exact in 64 bits, which sort as the features do: no hashing, and no
product of vocabularies that could overflow. Columns are given by number of sources, then in the order of the codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expressivity.errors import InputError
from expressivity.skipgrams.encode import Block, Encoded, Ints
from expressivity.skipgrams.features import Feature
from expressivity.skipgrams.model import SkipGrams

_LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Looked:
    """A block and its features: ``columns`` (``[n, F]``) ascend in each row, −1 where the lexicon has none."""

    block: Block
    columns: Ints


@dataclass
class Lexicon:
    """The features that occur in contexts, numbered.

    Attributes:
        model: a finite order, and the position convention.
        tokens: the known tokens, in the order of text.
        longest: the largest number of sources.
        levels: for each number of sources the codes of the features, ascending int64.
    """

    model: SkipGrams
    tokens: list[str]
    longest: int
    levels: list[npt.NDArray[np.int64]] = field(default_factory=list)

    @classmethod
    def learn(cls, encoded: Encoded, model: SkipGrams, *, min_df: int = 1) -> tuple[Lexicon, list[Looked]]:
        """The features of the contexts, and the contexts looked up.

        A feature in fewer than ``min_df`` contexts is left out. None that contains it is in more, so such features
        are not even formed.

        Time and memory: a sort of each number of sources, some 16 bytes for each nonzero value.

        >>> from expressivity.skipgrams.encode import encode
        >>> encoded = encode([("A", "C", "Q"), ("B", "C", "Q")])
        >>> lexicon, looked = Lexicon.learn(encoded, SkipGrams(3))
        >>> [str(feature) for feature in lexicon.features()], looked[0].columns.tolist()
        (['Q', 'A@0… Q', 'B@0… Q', 'C@1… Q'], [[0, 1, 3], [0, 2, 3]])
        """
        if model.order is None:
            raise InputError("order is None; expected an integer of at least 2 (features of every order have no list)")
        longest = max((block.length for block in encoded.blocks), default=0)
        lexicon = cls(model, encoded.tokens, longest)
        blocks = list(lexicon._parts(encoded.blocks))
        kind = _index_type(sum(len(block) * lexicon._width(block) for block in blocks))
        columns = [np.empty((len(block), lexicon._width(block)), kind) for block in blocks]
        for size in range(model.order - 1):
            found, counts, start = [], [], len(lexicon)
            for block, row in zip(blocks, columns, strict=True):
                here = lexicon._part(block, size)
                kinds, row[:, here], count = _distinct(lexicon._codes(block, size, row))
                found.append(kinds)
                counts.append(count)
            level, renumberings = _merge(found, counts, min_df)
            lexicon.levels.append(level)
            for block, row, renumbering in zip(blocks, columns, renumberings, strict=True):
                here = lexicon._part(block, size)
                row[:, here] = np.append(np.where(renumbering < 0, -1, renumbering + start), -1)[row[:, here]]
        return lexicon, [Looked(block, row) for block, row in zip(blocks, columns, strict=True)]

    def look_up(self, encoded: Encoded) -> list[Looked]:
        """The features of other contexts, numbered with the same tokens; those that the lexicon lacks are dropped."""
        return [Looked(block, self.columns(block)) for block in self._parts(encoded.blocks)]

    def columns(self, block: Block) -> Ints:
        """The columns of a block's features, ``[n, F]``, −1 where there is none; each context has its own F features.

        With weights ``w`` and 0 appended, ``w[columns].sum(axis=1)`` are the logits where all values are 1.
        """
        block = self._ready(block)
        columns = np.empty((len(block), self._width(block)), _index_type(len(self)))
        start = 0
        for size, level in enumerate(self.levels):
            kinds, places, _ = _distinct(self._codes(block, size, columns))
            at = np.minimum(np.searchsorted(level, kinds), max(0, len(level) - 1))
            found = level[at] == kinds if len(level) else np.zeros(len(kinds), dtype=bool)
            columns[:, self._part(block, size)] = np.append(np.where(found, at + start, -1), -1)[places]
            start += len(level)
        return columns

    def values(self, block: Block) -> Ints | None:
        """The values of a block's features, int64, shaped as its columns; ``None`` where all are 1."""
        if self.model.positions != "count":
            return None
        block = self._ready(block)
        most, power = int(np.max(np.asarray(block.counts), initial=0)), len(self.levels) - 1
        if most**power > _LARGEST:
            raise InputError(f"a value of {most}^{power}, one token occurring {most} times; expected values below 2^63")
        parts = [np.ones((len(block), 1), dtype=np.int64)]
        for size in range(1, len(self.levels)):
            without, last = _conjunctions(block.sources.shape[1], size, True)
            parts.append(parts[-1][:, without] * np.asarray(block.counts)[:, last])
        return np.hstack(parts)

    def matrix(self, looked: Sequence[Looked], size: int, *, dtype: Any = np.int64, binary: bool = False) -> Any:
        """The values of the features on ``size`` contexts, ``[size, features]``: a CSR array, indices in order.

        With ``binary`` every nonzero value is 1. Indices are int32 unless there are 2³¹ of them.
        """
        held = np.zeros(size, dtype=np.int64)
        for item in looked:
            held[item.block.rows] = (item.columns >= 0).sum(axis=1)
        total = int(held.sum())
        kind = _index_type(max(total, len(self)))
        indptr = np.zeros(size + 1, dtype=kind)
        np.cumsum(held, out=indptr[1:])
        indices, data = np.empty(total, dtype=kind), np.ones(total, dtype=dtype)
        for block, columns in ((item.block, item.columns) for item in looked):
            present = columns >= 0
            where = _places(block.rows, indptr, held)
            indices[where] = columns[present]
            values = None if binary else self.values(block)
            if values is not None:
                data[where] = values[present]
        array = sp.csr_array((data, indices, indptr), shape=(size, len(self)))
        array.has_canonical_format = True
        return array

    def features(self, columns: Ints | None = None) -> list[Feature]:
        """What stands in the columns, ascending; all of them by default."""
        wanted: Ints = np.arange(len(self)) if columns is None else np.asarray(columns)
        starts = np.cumsum([0, *map(len, self.levels)])
        return [
            feature
            for size in range(len(self.levels))
            for feature in self._decoded(size, wanted[(wanted >= starts[size]) & (wanted < starts[size + 1])], starts)
        ]

    def __len__(self) -> int:
        return sum(map(len, self.levels))

    def _decoded(self, size: int, columns: Ints, starts: Ints) -> Iterator[Feature]:
        known = max(1, len(self.tokens))
        sources: list[list[Any]] = []
        for level in range(size, 0, -1):
            columns, letters = np.divmod(self.levels[level][columns - starts[level]], self._letters)
            texts = [self.tokens[i] for i in (letters % known).tolist()]
            absolute = self.model.positions == "absolute"
            sources.insert(0, list(zip((letters // known).tolist(), texts, strict=True)) if absolute else texts)
        heads = self.levels[0][columns]
        lengths = (heads // known).tolist() if self.model.positions == "absolute" else [None] * len(heads)
        ends = [self.tokens[i] for i in (heads % known).tolist()]
        chosen: Iterable[tuple[Any, ...]] = zip(*sources, strict=True) if sources else [()] * len(heads)
        return map(Feature, ends, chosen, lengths)

    @property
    def _letters(self) -> int:
        """How many different sources there can be."""
        return max(1, len(self.tokens) * (max(1, self.longest) if self.model.positions == "absolute" else 1))

    def _ready(self, block: Block) -> Block:
        """The block as its features are formed: as bags where positions do not matter."""
        return block if self.model.positions == "absolute" or block.counts is not None else block.bag()

    def _parts(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks in parts of bounded size, ready for their features to be formed."""
        for block in blocks:
            for part in block.split(block.length + 1):
                ready = self._ready(part)
                yield from ready.split(self._width(ready))

    def _codes(self, block: Block, size: int, columns: Ints) -> Ints:
        """The codes of the features of some number of sources, −1 for none, given the columns of those with fewer."""
        known, absolute = len(self.tokens), self.model.positions == "absolute"
        if size == 0:
            heads = block.destinations.astype(np.int64)[:, None]
            return np.where(heads < 0, -1, heads + block.length * known) if absolute else heads
        if len(self) * self._letters > _LARGEST:
            raise InputError(f"{len(self)} features of {self._letters} letters; expected codes below 2^63")
        without, last = _conjunctions(block.sources.shape[1], size, self.model.positions == "count")
        before = columns[:, self._part(block, size - 1)]
        letters = block.sources[:, last].astype(np.int64)
        absent = letters < 0
        if absolute:
            letters += last * known
        codes = before[:, without].astype(np.int64) if size > 1 else np.repeat(before.astype(np.int64), len(last), 1)
        absent |= codes < 0
        codes *= self._letters
        codes += letters
        codes[absent] = -1
        return codes

    def _width(self, block: Block) -> int:
        """How many features of all sizes each context of a block has, none left out."""
        last = (self.model.order or 2) - 2
        return int(self._part(block, last).stop)

    def _part(self, block: Block, size: int) -> slice:
        """Where the features of one number of sources stand in a row."""
        powers = self.model.positions == "count"
        sizes = [len(_conjunctions(block.sources.shape[1], k, powers)[0]) for k in range(size + 1)]
        return slice(sum(sizes[:-1]), sum(sizes))


@lru_cache(maxsize=1024)
def _conjunctions(width: int, size: int, powers: bool) -> tuple[Ints, Ints]:
    """The conjunctions of ``size`` of ``width`` sources in lexicographic order (each as often as one likes, if powers).

    Of each the place of the conjunction without its last source among those of ``size − 1``, and that last source.

    >>> [part.tolist() for part in _conjunctions(3, 2, False)], [part.tolist() for part in _conjunctions(2, 2, True)]
    ([[0, 0, 1], [1, 2, 2]], [[0, 0, 1], [0, 1, 1]])
    """
    if size == 0:
        return np.zeros(1, dtype=np.int64), np.full(1, 0 if powers else -1)
    _, last = _conjunctions(width, size - 1, powers)
    first = last if powers else last + 1
    many = np.maximum(width - first, 0)
    starts = np.cumsum(many) - many
    return np.repeat(np.arange(len(many)), many), np.arange(many.sum()) + np.repeat(first - starts, many)


def _distinct(codes: Ints) -> tuple[Ints, Ints, Ints]:
    """The codes without repetition, ascending; for each code its place among them (−1 for −1); how often they occur.

    >>> [part.tolist() for part in _distinct(np.array([[7, -1], [5, 7]]))]
    [[5, 7], [[1, -1], [0, 1]], [1, 2]]
    """
    flat = codes.reshape(-1)
    order = np.argsort(flat)
    ranked = flat[order]
    new = np.ones(len(flat), dtype=bool)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    firsts = np.flatnonzero(new)
    kinds, counts = ranked[firsts], np.diff(firsts, append=len(flat))
    absent = int(len(kinds) > 0 and kinds[0] < 0)
    places = np.empty(len(flat), dtype=np.int64)
    places[order] = np.cumsum(new) - (1 + absent)
    return kinds[absent:], places.reshape(codes.shape), counts[absent:]


def _merge(found: Sequence[Ints], counts: Sequence[Ints], min_df: int) -> tuple[npt.NDArray[np.int64], list[Ints]]:
    """All codes that occur ``min_df`` times, ascending; for each part its codes' places there, −1 if left out."""
    level = np.concatenate([np.empty(0, dtype=np.int64), *found])
    level.sort()
    new = np.ones(len(level), dtype=bool)
    np.not_equal(level[1:], level[:-1], out=new[1:])
    level = level[new]
    places = [np.searchsorted(level, kinds) for kinds in found]
    if min_df <= 1:
        return level, list(places)
    total = np.zeros(len(level), dtype=np.int64)
    for place, count in zip(places, counts, strict=True):
        total[place] += count
    kept = total >= min_df
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    return level[kept], [number[place] for place in places]


def _places(rows: Ints, indptr: Ints, held: Ints) -> slice | Ints:
    """Where the entries of some rows stand in a CSR matrix: a slice if the rows follow each other."""
    if len(rows) == rows[-1] - rows[0] + 1:
        return slice(int(indptr[rows[0]]), int(indptr[rows[-1] + 1]))
    many = held[rows]
    starts = np.cumsum(many) - many
    where: Ints = np.arange(many.sum()) + np.repeat(indptr[rows] - starts, many)
    return where


def _index_type(largest: int) -> type[np.int32] | type[np.int64]:
    return np.int32 if largest < 2**31 else np.int64
