"""Blocks: runs of positions whose tokens are gathered into kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, product
from math import comb, prod
from types import MappingProxyType
from typing import Any

from expressivity.errors import InputError
from expressivity.task.tokens import check_token, describe, quoted

Counts = tuple[int, ...]
"""How many sources are of each kind, in the order of the kinds."""


@dataclass(frozen=True, init=False)
class Block:
    """A run of neighbouring positions.

    Nothing is checked before a domain is made of it.

    Args:
        kinds: kind to its tokens (a string is one token); or tokens alone, each a kind of its own.
        length: how many positions it has, or several such numbers.
        limits: kind to its least and largest count, for kinds that do not take every number of places.

    >>> Block({"signal": ("1", "2"), "noise": "5"}, 3, limits={"signal": (0, 1)}).kinds["noise"]
    ('5',)
    """

    kinds: Mapping[str, tuple[str, ...]]
    lengths: tuple[int, ...]
    limits: Mapping[str, tuple[int, int]]

    def __init__(
        self,
        kinds: Mapping[str, str | Iterable[str]] | Iterable[str],
        length: int | Iterable[int] = 1,
        *,
        limits: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        named: dict[str, Any] = dict(kinds) if isinstance(kinds, Mapping) else {token: (token,) for token in kinds}
        each = {kind: (tokens,) if isinstance(tokens, str) else tuple(tokens) for kind, tokens in named.items()}
        several = tuple(length) if isinstance(length, Iterable) else (length,)
        object.__setattr__(self, "kinds", MappingProxyType(each))
        object.__setattr__(self, "lengths", several)
        object.__setattr__(self, "limits", MappingProxyType(dict(limits or {})))

    def problems(self) -> Iterator[str]:
        """Everything that is wrong with it, one sentence each."""
        if not self.kinds:
            yield "found a block without kinds; expected at least one"
        homes: dict[str, str] = {}
        for kind, tokens in self.kinds.items():
            if not isinstance(kind, str) or not kind:
                yield f"found {describe(kind)} as the name of a kind; expected a string"
            if not tokens:
                yield f"kind {kind!r} has no tokens"
            for token in tokens:
                try:
                    check_token(token)
                except InputError as error:
                    yield f"kind {kind!r}: {error}"
                    continue
                if token in homes:
                    yield f"token {quoted(token)} is in kind {homes[token]!r} and in kind {kind!r} of one block"
                homes.setdefault(token, kind)
        if not self.lengths or len(set(self.lengths)) < len(self.lengths):
            yield f"found {len(self.lengths)} lengths, {len(set(self.lengths))} of them distinct; expected one or more"
        for length in self.lengths:
            if not _is_count(length):
                yield f"found the length {describe(length)}; expected a whole number of at least 0"
        for kind, limit in self.limits.items():
            if kind not in self.kinds:
                yield f"found limits of {kind!r}; expected one of the kinds {', '.join(map(repr, self.kinds))}"
            elif not (isinstance(limit, tuple) and len(limit) == 2 and all(map(_is_count, limit))):
                yield f"kind {kind!r} has the limits {limit!r}; expected two whole numbers, least and largest"
            elif limit[0] > limit[1]:
                yield f"kind {kind!r} has the limits {limit!r}; expected the least first"

    def counts(self, length: int) -> Iterator[Counts]:
        """The counts of kinds that fill so many positions within the limits, in rising order.

        >>> list(Block({"a": ("A", "a"), "b": "B"}, 2).counts(2))
        [(0, 2), (1, 1), (2, 0)]
        """
        yield from _fill(length, self._ranges(length))

    def n_counts(self, length: int) -> int:
        """How many of them there are, by multiplying polynomials."""
        ways = [1] + [0] * length
        for low, high in self._ranges(length):
            below = list(accumulate(ways, initial=0))
            ways = [below[max(n - low + 1, 0)] - below[max(n - high, 0)] for n in range(length + 1)]
        return ways[length]

    def n_arrangements(self, counts: Counts) -> int:
        """How many sequences have these counts: `L!/Π c! · Π size^c`, L being their sum.

        >>> Block({"a": ("A", "a"), "b": "B"}, 2).n_arrangements((1, 1))
        4
        """
        choices = [len(tokens) ** n for tokens, n in zip(self.kinds.values(), counts, strict=True)]
        return prod([*map(comb, accumulate(counts), counts), *choices])

    def arrangements(self, counts: Counts) -> Iterator[tuple[str, ...]]:
        """These sequences, every one."""
        tokens = tuple(self.kinds.values())
        for order in _orders(list(counts)):
            yield from product(*(tokens[kind] for kind in order))

    def _ranges(self, length: int) -> list[tuple[int, int]]:
        bounds = (self.limits.get(kind, (0, length)) for kind in self.kinds)
        return [(low, min(high, length)) for low, high in bounds]


def check_blocks(blocks: tuple[Block, ...]) -> list[str]:
    """What is wrong with the blocks of a domain, one by one and beside each other."""
    found = [problem for block in blocks for problem in block.problems()]
    names = [kind for block in blocks for kind in block.kinds]
    found += [
        f"kind {kind!r} is in two blocks; expected names that tell them apart"
        for kind in dict.fromkeys(names)
        if names.count(kind) > 1
    ]
    if sum(len(block.lengths) > 1 for block in blocks) > 1:
        found.append("two blocks have several lengths; expected one at most, or positions would be ambiguous")
    return found


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _fill(rest: int, ranges: list[tuple[int, int]]) -> Iterator[Counts]:
    if not ranges:
        if rest == 0:
            yield ()
        return
    (low, high), *others = ranges
    least, most = sum(a for a, _ in others), sum(b for _, b in others)
    for n in range(max(low, rest - most), min(high, rest - least) + 1):
        for more in _fill(rest - n, others):
            yield (n, *more)


def _orders(left: list[int]) -> Iterator[tuple[int, ...]]:
    """The distinct sequences with so many of each kind, in rising order."""
    if not any(left):
        yield ()
    for kind, n in enumerate(left):
        if n:
            left[kind] -= 1
            for more in _orders(left):
                yield (kind, *more)
            left[kind] += 1
