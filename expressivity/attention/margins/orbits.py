r"""Contexts with the same logits, found from the tables, so that one of them is evaluated for all.

*Claim.* Seen from a destination, call two source places (a token at a position) *alike* if every head gives them equal
odds and equal values. Then the logits of a context depend on its destination and on how many of its sources are in each
class of alike places, and on nothing else.

*Proof.* By the formula of :mod:`.tables` a logit is ``b(q, y)`` plus, for each head, the quotient of
:math:`\sum_s a(q,s)\,v(s,y)` and :math:`\sum_s a(q,s)`. Both sums run over the sources and the destination, their
terms are the same for sources that are alike, and a sum does not depend on the order of its terms. ∎

An *orbit* is a set of contexts with one destination place, one requirement and one number of sources in every class;
its contexts stand or fall together, with equal margins. The orbits of a domain are made without listing its contexts.
Take a block of positions and the numbers of sources of each kind in it. Positions at which every token has the same
class are treated as one; of the p positions of such a group, n₁, n₂, … are given to each kind and class, in p!/Πn!
ways, and a class with m tokens fills its n positions in mⁿ ways. All ways for all groups and blocks together give every
context once. That their number is the domain's, which is counted by another formula, is checked each time. So a
statement about every orbit is one about every context, be there 12^64 of them.

Where no two positions or tokens are alike, each context is an orbit of its own, and nothing is lost but time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import NoReturn, TypeVar

from expressivity.attention.margins.filling import shapes
from expressivity.attention.tables import ZERO, HeadTables, Place, places_of, rows_of
from expressivity.errors import InputError
from expressivity.task import Comparison, Context, Domain, Requirement, Task

MOST_ORBITS = 200_000
Number = TypeVar("Number")
Counted = tuple[tuple[Place, int], ...]
"""Places with how often each stands in a sum: sources, of each class one, and last the destination, once."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """Contexts with the same logits and the same requirements.

    Attributes:
        context: one of them.
        n_contexts: how many they are.
        requirements: what is asked of each.
        counted: a place of each class and the number of sources in it; the destination last.
    """

    context: Context
    n_contexts: int
    requirements: tuple[Requirement, ...]
    counted: Counted


@dataclass(frozen=True)
class Orbits:
    """All contexts of a task, gathered into orbits.

    Attributes:
        orbits: each of them.
        outputs: the task's.
    """

    orbits: tuple[Orbit, ...]
    outputs: tuple[str, ...]

    @property
    def n_contexts(self) -> int:
        """How many contexts they hold."""
        return sum(orbit.n_contexts for orbit in self.orbits)

    @property
    def contexts(self) -> tuple[Context, ...]:
        """One context of each."""
        return tuple(orbit.context for orbit in self.orbits)

    def comparisons(self) -> list[Comparison]:
        """What is asked, orbit by orbit; a comparison's context is the number of its orbit."""
        known: dict[tuple[Requirement, ...], list[tuple[str, str, bool]]] = {}
        found = []
        for index, orbit in enumerate(self.orbits):
            asked = orbit.requirements
            if asked not in known:
                known[asked] = list(dict.fromkeys(pair for each in asked for pair in each.pairs(self.outputs)))
            found += [Comparison(index, *pair) for pair in known[asked]]
        return found


def orbits_of(tables: HeadTables, task: Task | Domain, limit: int = MOST_ORBITS) -> Orbits:
    """The contexts of a task gathered by what the tables tell apart. Exact.

    Raises:
        InputError: there are more orbits than ``limit``.

    >>> from expressivity.task import parity_domain
    >>> [orbit.n_contexts for orbit in orbits_of(HeadTables("tokens"), parity_domain(4)).orbits]
    [8, 8]
    """
    alike, budget = Alike(tables, task.outputs), Budget(task.name, limit)
    each = _of_domain(alike, task, budget) if isinstance(task, Domain) else _of_task(alike, task)
    orbits = Orbits(tuple(_gather(each, budget)[0]), task.outputs)
    expected = task.n_contexts if isinstance(task, Domain) else len(task.contexts)
    if orbits.n_contexts != expected:
        raise RuntimeError(f"{task.name}: {orbits.n_contexts} of {expected} contexts were gathered: please report this")
    return orbits


def by_orbits(tables: HeadTables, task: Task, evaluate: Callable[[Orbits], Sequence[Number]]) -> list[Number]:
    """What an evaluation gives for each of ``task.comparisons()``, made once for each orbit."""
    found, numbers = _gather(_of_task(Alike(tables, task.outputs), task), Budget(task.name, len(task.contexts)))
    orbits = Orbits(tuple(found), task.outputs)
    results: dict[int, list[Number]] = defaultdict(list)
    for comparison, result in zip(orbits.comparisons(), evaluate(orbits), strict=True):
        results[comparison.context].append(result)
    return [result for index in numbers for result in results[index]]


def counted_contexts(task: Task | Orbits) -> list[Counted]:
    """The places of each context of a task, once each; or those of each orbit, with their numbers.

    >>> counted_contexts(Task([("A", "Q")], ["T"]))
    [(((0, 'A'), 1), ((1, 'Q'), 1))]
    """
    if isinstance(task, Orbits):
        return [orbit.counted for orbit in task.orbits]
    return [tuple((place, 1) for place in places_of(context)) for context in task.contexts]


class Alike:
    """Stands in for places by one place of their class."""

    def __init__(self, tables: HeadTables, outputs: Sequence[str]) -> None:
        self.tables, self.outputs = tables, outputs
        self.first: dict[object, Place] = {}
        self.known: dict[tuple[Place, Place], Place] = {}
        self.values: dict[Place, tuple[tuple[Fraction, ...], ...]] = {}

    def __call__(self, end: Place, place: Place) -> Place:
        """The first place met that is like this one, seen from a destination."""
        found = self.known.get((end, place))
        if found is None:
            rows, last = (rows_of(self.tables.embedding, each) for each in (place, end))
            if place not in self.values:
                self.values[place] = tuple(
                    tuple(sum((head.values.get((row, y), ZERO) for row in rows), ZERO) for y in self.outputs)
                    for head in self.tables.heads
                )
            odds = tuple(
                head.score(last, rows) if head.odds is None and head.base == "e" else head.weight(last, rows)
                for head in self.tables.heads
            )
            found = self.first.setdefault((end, odds, self.values[place]), place)
            self.known[end, place] = found
        return found


def _of_task(alike: Alike, task: Task) -> Iterator[Orbit]:
    for context, asked in zip(task.contexts, task.requirements, strict=True):
        *sources, end = places_of(context)
        yield Orbit(context, 1, asked, _counted(Counter(alike(end, source) for source in sources), end))


def _gather(orbits: Iterable[Orbit], budget: Budget) -> tuple[list[Orbit], list[int]]:
    """The different ones, and the place of each among these."""
    found: list[Orbit] = []
    sizes: list[int] = []
    numbers = []
    places: dict[tuple[Counted, tuple[Requirement, ...]], int] = {}
    for orbit in orbits:
        place = places.setdefault((orbit.counted, orbit.requirements), len(found))
        numbers.append(place)
        if place == len(found):
            found.append(orbit)
            sizes.append(0)
            if len(found) > budget.limit:
                budget.exceeded()
        sizes[place] += orbit.n_contexts
    return [replace(orbit, n_contexts=size) for orbit, size in zip(found, sizes, strict=True)], numbers


@dataclass
class Budget:
    """Stops what would take too long: at most twice as many ways to fill parts of blocks as orbits are wanted."""

    name: str
    limit: int
    spent: int = 0

    def spend(self) -> None:
        """Called for each way."""
        self.spent += 1
        if self.spent > 2 * self.limit:
            self.exceeded()

    def exceeded(self) -> NoReturn:
        """Raise the error."""
        hint = "the tables tell too many tokens or positions apart"
        raise InputError(f"{self.name}: found over {self.limit} classes of contexts with different logits: {hint}")


def _of_domain(alike: Alike, domain: Domain, budget: Budget) -> Iterator[Orbit]:
    for shape in shapes(domain, alike, budget.spend):
        for case, context, ways in shape.classes():
            members: Counter[Place] = Counter()
            for way in ways:
                for (*_, place), n in way.members:
                    members[place] += n
            number = prod(way.number for way in ways)
            yield Orbit(context, number, case.requirements, _counted(members, shape.end))


def _counted(members: Counter[Place], end: Place) -> Counted:
    return (*sorted(members.items()), (end, 1))
