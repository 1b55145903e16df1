"""Skip-n-grams of windows as 64-bit codes, and which of them an ensemble has: a lexicon of bounded size.

Three conventions, all of them with the destination, the current token, in every feature:

- ``anywhere``: that tokens occur among the sources, at whatever distance (no feature twice);
- ``count``: as often as they occur, once for each way to choose the sources;
- ``offset``: tokens at stated distances from the destination. In contexts of one length that is ``absolute``.

A code is a hash of what the feature says (that two of a million distinct ones coincide has a chance of 10⁻⁷).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.audit.text import Windows
from expressivity.errors import InputError

Array = npt.NDArray[Any]
CONVENTIONS = ("anywhere", "count", "offset")
MOST_CONJUNCTIONS = 64  # of two or more sources, for each context and number of sources
_BUFFER = 1 << 22  # codes that are counted at a time


@dataclass(frozen=True)
class Grams:
    """The features of contexts in a window.

    Attributes:
        order: the highest n of skip-n-grams; level k has conjunctions of k sources, up to n − 2.
        convention: one of :data:`CONVENTIONS`.
        width: tokens in a window.
        reach: features see so many sources at most, those next to the destination; ``None`` for all.
    """

    order: int
    convention: str
    width: int
    reach: int | None = None

    def __post_init__(self) -> None:
        if self.convention not in CONVENTIONS:
            raise InputError(f"convention is {self.convention!r}; expected one of {', '.join(CONVENTIONS)}")

    @property
    def levels(self) -> int:
        """How many numbers of sources there are, 0 included."""
        return self.order - 1

    def sees(self, level: int) -> int:
        """How many sources, those next to the destination, the conjunctions of so many are formed from.

        One source is taken from all of the window. Of two or more there would be too many: the farthest reach with at
        most 64 conjunctions in each context.

        >>> grams = Grams(5, "anywhere", 64)
        >>> [grams.sees(level) for level in range(4)]
        [0, 63, 11, 8]
        """
        most = self.width - 1 if self.reach is None else min(self.reach, self.width - 1)
        if level < 2:
            return most if level else 0
        near = level
        while near < most and len(_chosen(near + 1, level)) <= MOST_CONJUNCTIONS:
            near += 1
        return min(near, most)

    def codes(self, windows: Windows) -> list[Array]:
        """For each level the codes of every context's features, uint64 ``[contexts, features]``, 0 for none."""
        rows, places = np.nonzero(windows.graded)
        far = max(self.sees(level) for level in range(self.levels))
        padded = np.pad(windows.tokens, ((0, 0), (far, 0)), constant_values=-1).astype(np.int64)
        destination = padded[rows, places + far]
        near = padded[rows[:, None], places[:, None] + far - 1 - np.arange(far)]  # [contexts, distance − 1]
        return [self._level(level, destination, near) for level in range(self.levels)]

    def _level(self, level: int, destination: Array, near: Array) -> Array:
        head = _mixed(destination.astype(np.uint64) + np.uint64((level + 1) << 32))[:, None]
        if not level:
            return head
        chosen = _chosen(self.sees(level), level)
        if not len(chosen):
            return np.zeros((len(near), 0), dtype=np.uint64)
        picked = near[:, chosen]  # [contexts, features, level]
        absent = (picked < 0).any(axis=2)
        if self.convention == "offset":
            letters = picked + ((chosen + 1) << 32)
        else:
            letters = np.sort(picked, axis=2)
        codes = np.broadcast_to(head, absent.shape)
        for k in range(level):
            codes = _mixed(codes ^ (letters[:, :, k].astype(np.uint64) + np.uint64(1)))
        codes[absent] = 0
        if self.convention == "anywhere":
            codes[(letters[:, :, 1:] == letters[:, :, :-1]).any(axis=2)] = 0
            codes.sort(axis=1)
            codes[:, 1:][codes[:, 1:] == codes[:, :-1]] = 0
        return codes


@lru_cache(maxsize=256)
def _chosen(near: int, level: int) -> Array:
    """Which distances (less 1) each conjunction takes, ``[features, level]``."""
    return np.array(list(combinations(range(near), level)), dtype=np.int64).reshape(-1, level)


def _mixed(codes: Array) -> Array:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014), made odd: 63 bits, and 0 is left for "none"."""
    found = codes + np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(found ^ (found >> np.uint64(31)) | np.uint64(1))


class Frequent:
    """The most frequent of a stream of codes, in bounded memory.

    Counts of codes that were dropped on the way are lost: what is kept was counted exactly, or too low by at most
    ``lost`` (lossy counting, Manku & Motwani 2002).

    Memory: ``8 · 2²² · 4`` bytes to sort a buffer, and 96 for each code of the capacity.

    >>> frequent = Frequent(2)
    >>> frequent.add(np.array([5, 7, 5, 9, 7, 5], dtype=np.uint64))
    >>> [each.tolist() for each in frequent.most()]
    [[5, 7], [3, 2]]
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.lost = capacity, 0
        self._codes, self._counts = np.empty(0, np.uint64), np.empty(0, np.int64)
        self._waiting: list[Array] = []
        self._size = 0

    def add(self, codes: Array) -> None:
        """Count some more; 0 is none."""
        flat = codes.reshape(-1)
        for start in range(0, len(flat), _BUFFER):
            part = flat[start : start + _BUFFER]
            part = part[part > 0]
            self._waiting.append(part)
            self._size += len(part)
            if self._size >= _BUFFER:
                self._merge()

    def most(self, least: int = 1) -> tuple[Array, Array]:
        """The codes, ascending, and their counts; at most so many as the capacity, each in ``least`` places or more."""
        self._merge()
        kept = np.argsort(-self._counts, kind="stable")[: self.capacity]
        kept = np.sort(kept[self._counts[kept] >= least])
        return self._codes[kept], self._counts[kept]

    def _merge(self) -> None:
        codes, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *self._waiting]), return_counts=True)
        self._waiting, self._size = [], 0
        codes, counts = np.concatenate([self._codes, codes]), np.concatenate([self._counts, counts])
        order = np.argsort(codes, kind="stable")
        codes, counts = codes[order], counts[order]
        first = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])) if len(codes) else np.empty(0, np.int64)
        self._codes, self._counts = codes[first], np.add.reduceat(counts, first) if len(first) else counts
        if len(self._codes) > 4 * self.capacity:
            kept = np.argsort(-self._counts, kind="stable")
            self.lost += int(self._counts[kept[2 * self.capacity]])
            kept = np.sort(kept[: 2 * self.capacity])
            self._codes, self._counts = self._codes[kept], self._counts[kept]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The features that an ensemble has.

    Attributes:
        grams: what they are.
        levels: for each number of sources the codes, ascending.
        lost: how much too low the counts may be from which they were chosen.
    """

    grams: Grams
    levels: list[Array]
    lost: list[int]

    @classmethod
    def learn(cls, windows: Windows, grams: Grams, *, capacity: int, least: int, step: int) -> Lexicon:
        """The most frequent features of windows, ``capacity`` of each number of sources at most.

        Args:
            windows: the text.
            grams: the features.
            capacity: how many of each level; of level 0 all.
            least: those in fewer contexts are left out.
            step: windows that are read at a time.
        """
        counted = [Frequent(max(capacity, 1 << 16 if level == 0 else 1)) for level in range(grams.levels)]
        for start in range(0, len(windows), step):
            for each, codes in zip(counted, grams.codes(windows[start : start + step]), strict=True):
                each.add(codes)
        found = [each.most(1 if level == 0 else least)[0] for level, each in enumerate(counted)]
        return cls(grams, found, [each.lost for each in counted])

    @property
    def starts(self) -> list[int]:
        """Where the columns of each level begin, and where the last one ends."""
        return [0, *np.cumsum([len(level) for level in self.levels]).tolist()]

    def columns(self, windows: Windows) -> list[tuple[Array, Array]]:
        """For each level the columns of features, one context after the other, and where each context starts."""
        found = []
        for codes, level, start in zip(self.grams.codes(windows), self.levels, self.starts[:-1], strict=True):
            if not len(level) or not codes.size:
                found.append((np.empty(0, np.int64), np.zeros(len(codes), np.int64)))
                continue
            at = np.minimum(np.searchsorted(level, codes), len(level) - 1)
            known = level[at] == codes
            many = known.sum(axis=1)
            found.append((at[known] + start, np.cumsum(many) - many))
        return found


def joined(levels: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Several levels as one: columns of each context together.

    >>> [part.tolist() for part in joined([(np.array([0, 1]), np.array([0, 1])), (np.array([7]), np.array([0, 0]))])]
    [[0, 1, 7], [0, 1]]
    """
    contexts = len(levels[0][1])
    owners = [
        np.repeat(np.arange(contexts), np.diff(np.append(offsets, len(columns)))) for columns, offsets in levels
    ]
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    many = np.bincount(owner, minlength=contexts)
    return np.concatenate([columns for columns, _ in levels])[order], np.cumsum(many) - many
