"""Minimum hitting sets, exactly: how few elements meet every one of some sets?

The number is found from below: is there a hitting set of one element, of two, and so on? Sets that share no element,
not even through others, are separate questions whose numbers add up.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import highs
from .branching import Budget, OutOfSteps, disjoint, hit
from .masks import components, mask_of, members_of, minimal, union


class HittingSets:
    """Sets to be hit, more of them as time goes on, and the best bound proved so far on how few elements hit them all.

    Attributes:
        sets: masks of the sets, in the order given.
        minimal: those that contain no other.
        bound: fewer elements than this do not hit all of them: proved.

    Example:
        >>> question = HittingSets()
        >>> for members in ([0, 1], [1, 2], [2, 0], [3]):
        ...     question.add(members)
        >>> sorted(question.least()), question.bound
        ([0, 1, 3], 3)
    """

    def __init__(self) -> None:
        self.sets: list[int] = []
        self.bound = 0
        self.minimal: list[int] = []
        self._known: dict[frozenset[int], int] = {}  # components and the numbers proved for them

    def add(self, members: Iterable[int]) -> None:
        """One more set to hit; its elements are numbers from 0 on, at least one."""
        mask = mask_of(members)
        self.sets.append(mask)
        if not any(known & mask == known for known in self.minimal):
            self.minimal = [*(known for known in self.minimal if known & mask != mask), mask]

    def least(self, budget: Budget | None = None) -> set[int]:
        """A hitting set of ``bound`` elements, after raising ``bound`` as far as it goes: it is a smallest one.

        Raises:
            OutOfSteps: the budget is spent. What ``bound`` has reached by then stays proved.
        """
        budget = budget or Budget()
        chosen = 0
        parts = components(self.minimal)
        numbers = [max(self._lower(part), disjoint(sorted(part, key=int.bit_count), len(part))) for part in parts]
        self.bound = max(self.bound, sum(numbers))
        if len(parts) == 1:
            numbers = [self.bound]
        for k, part in enumerate(parts):
            while (found := hit(part, numbers[k], budget)) is None:
                numbers[k] += 1
                self.bound = max(self.bound, sum(numbers))
            chosen |= found
            self._remember(part, numbers[k])
        return set(members_of(chosen))

    def small(self, time_limit: float) -> set[int]:
        """A small hitting set: what a mixed-integer program finds in floats, mended where it misses a set."""
        names = members_of(union(self.minimal))
        column = {name: j for j, name in enumerate(names)}
        members = [[column[name] for name in members_of(mask)] for mask in self.minimal]
        chosen = highs.cover(members, len(names), time_limit)
        mask = mask_of(names[j] for j in chosen)
        while left := [other for other in self.minimal if not other & mask]:
            mask |= 1 << max(members_of(left[0]), key=lambda e: sum(other >> e & 1 for other in left))
        return set(members_of(mask))

    def _lower(self, part: list[int]) -> int:
        """What is known of a component from times when it had fewer sets."""
        inside = frozenset(part)
        return max((number for known, number in self._known.items() if known <= inside), default=1)

    def _remember(self, part: list[int], number: int) -> None:
        inside = frozenset(part)
        self._known = {known: old for known, old in self._known.items() if not known <= inside}
        self._known[inside] = number


def needs(sets: Iterable[int], number: int, budget: Budget | None = None) -> bool:
    """Whether fewer than ``number`` elements never hit all the ``sets`` (masks). Exact.

    Raises:
        OutOfSteps: the budget is spent.

    Example:
        >>> needs([0b011, 0b110, 0b101], 2), needs([0b011, 0b110, 0b101], 3)
        (True, False)
    """
    return hitting(sets, number - 1, budget) is None


def hitting(sets: Iterable[int], size: int, budget: Budget | None = None) -> int | None:
    """The mask of a hitting set of at most ``size`` elements; None when there is none. Exact.

    Raises:
        OutOfSteps: the budget is spent.
    """
    if size < 0:
        return None
    budget = budget or Budget()
    parts = components(minimal(sets))
    numbers = [disjoint(sorted(part, key=int.bit_count), len(part)) for part in parts]
    chosen = 0
    for k, part in enumerate(parts):
        while sum(numbers) <= size and (found := hit(part, numbers[k], budget)) is None:
            numbers[k] += 1
        if sum(numbers) > size:
            return None
        chosen |= found or 0
    return chosen


def few(sets: list[int], number: int, budget: Budget) -> list[int]:
    """Which of the ``sets`` suffice to prove that fewer than ``number`` elements do not hit all of them.

    Sets are taken in as long as those taken are hit by fewer elements, the smallest that is missed each time; then
    one after another is left out if the others suffice. When the budget is spent the result is longer than need be.
    """
    least = set(minimal(sets))
    order = sorted((k for k, mask in enumerate(sets) if mask in least), key=lambda k: sets[k].bit_count())
    chosen: list[int] = []
    try:
        while (found := hitting((sets[k] for k in chosen), number - 1, budget)) is not None:
            chosen.append(next(k for k in order if not sets[k] & found))
    except OutOfSteps:
        return sorted(order)
    try:
        for k in sorted(chosen, key=lambda k: -sets[k].bit_count()):
            others = [j for j in chosen if j != k]
            if needs((sets[j] for j in others), number, budget):
                chosen = others
    except OutOfSteps:
        pass
    return sorted(chosen)
