"""The contexts of a domain in classes of equal logits, without listing them: the counting behind :mod:`.orbits`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, product
from math import comb, prod
from typing import NamedTuple

from expressivity.attention.tables import Place
from expressivity.task import Case, Context, Domain

Counts = tuple[int, ...]
Cell = tuple[int, int, Place]
"""A group of positions, a kind, and the first place of a class: tokens of that kind which are alike there."""


class Way(NamedTuple):
    """Fillings of positions that put the same number of sources into each cell: how many they are, and one."""

    members: tuple[tuple[Cell, int], ...]
    number: int
    sources: tuple[Place, ...]


class Filling:
    """The ways to fill a run of positions with given numbers of its kinds.

    Args:
        alike: from a place to the first place that is like it.
        positions: which they are.
        kinds: kind to tokens.
        spend: called for each way that is made; it may raise.
    """

    def __init__(
        self,
        alike: Callable[[Place], Place],
        positions: Iterable[int],
        kinds: Mapping[str, Sequence[str]],
        spend: Callable[[], None],
    ) -> None:
        self.spend = spend
        groups: dict[object, list[int]] = defaultdict(list)
        for i in positions:
            groups[tuple(alike((i, token)) for tokens in kinds.values() for token in tokens)].append(i)
        self.groups = list(groups.values())
        self.cells: list[list[dict[Cell, list[str]]]] = []  # for each group and kind
        for number, group in enumerate(self.groups):
            self.cells.append([])
            for kind, tokens in enumerate(kinds.values()):
                cells: dict[Cell, list[str]] = defaultdict(list)
                for token in tokens:
                    cells[number, kind, alike((group[0], token))].append(token)
                self.cells[-1].append(cells)
        self.known: dict[tuple[int, Counts], list[Way]] = {}

    def ways(self, counts: Counts, start: int = 0) -> list[Way]:
        """The ways to fill the groups from number ``start`` on."""
        if start == len(self.groups):
            return [] if any(counts) else [Way((), 1, ())]
        if (start, counts) not in self.known:
            found = self.known[start, counts] = []
            for here in _below(counts, len(self.groups[start])):
                rest = self.ways(tuple(n - m for n, m in zip(counts, here, strict=True)), start + 1)
                for one, other in product(self._group(start, here), rest) if rest else ():
                    self.spend()
                    members, number = one.members + other.members, one.number * other.number
                    found.append(Way(members, number, one.sources + other.sources))
        return self.known[start, counts]

    def _group(self, index: int, counts: Counts) -> Iterator[Way]:
        """The ways to fill one group of positions that tell no tokens apart."""
        cells = [each for of_kind in self.cells[index] for each in of_kind.items()]
        sizes = [len(of_kind) for of_kind in self.cells[index]]
        for parts in product(*(_below((n,) * size, n) for n, size in zip(counts, sizes, strict=True))):
            numbers = [n for part in parts for n in part]
            members = tuple((cell, n) for (cell, _), n in zip(cells, numbers, strict=True) if n)
            tokens = [known[0] for (_, known), n in zip(cells, numbers, strict=True) for _ in range(n)]
            choices = [len(known) ** n for (_, known), n in zip(cells, numbers, strict=True)]
            number = prod([*map(comb, accumulate(numbers), numbers), *choices])
            yield Way(members, number, tuple(zip(self.groups[index], tokens, strict=True)))


@dataclass(frozen=True)
class Shape:
    """The contexts of a domain with one destination place.

    Attributes:
        end: the place.
        fillings: of each block.
        cases: the domain's cases with that destination and these lengths.
    """

    end: Place
    fillings: tuple[tuple[tuple[str, ...], Filling], ...]
    cases: tuple[Case, ...]

    def classes(self) -> Iterator[tuple[Case, Context, tuple[Way, ...]]]:
        """Classes of contexts with equal logits and requirements: a case, a context, and a way for each block."""
        for case in self.cases:
            ways = (filling.ways(tuple(case.counts[kind] for kind in kinds)) for kinds, filling in self.fillings)
            for parts in product(*ways):
                sources = sorted(place for way in parts for place in way.sources)
                yield case, Context([*(token for _, token in sources), self.end[1]]), parts


def shapes(
    domain: Domain, alike: Callable[[Place, Place], Place], spend: Callable[[], None] = lambda: None
) -> Iterator[Shape]:
    """The contexts of a domain, one destination place after the other; ``alike`` takes that place first."""
    groups: dict[tuple[str, tuple[int, ...]], list[Case]] = defaultdict(list)
    for case in domain.cases():
        groups[case.destination, case.lengths].append(case)
    for (token, lengths), cases in groups.items():
        end, start, fillings = (sum(lengths), token), 0, []
        for block, length in zip(domain.blocks, lengths, strict=True):
            present = {kind: block.kinds[kind] for kind in block.kinds if any(case.counts[kind] for case in cases)}
            positions = range(start, start + length)
            fillings.append((tuple(present), Filling(partial(alike, end), positions, present, spend)))
            start += length
        yield Shape(end, tuple(fillings), tuple(cases))


def _below(counts: Counts, total: int) -> Iterator[Counts]:
    """The numbers at most ``counts``, one by one, that sum to ``total``."""
    if not counts:
        if total == 0:
            yield ()
        return
    for n in range(max(0, total - sum(counts[1:])), min(counts[0], total) + 1):
        for more in _below(counts[1:], total - n):
            yield (n, *more)
