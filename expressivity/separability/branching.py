"""Branch and bound over sets to be hit: do so many elements hit all of them?

Elements are the bits of Python integers, and so a set is an integer and every step is exact. Branches go over the
elements of a smallest set not yet hit, an element once tried being forbidden in the branches after it. Three bounds
end a branch early: disjoint sets need an element each; k elements hit no more sets than the k that hit most, one by
one, add up to; and each set may ask for a share of an element, as long as no element is asked for more than once in
all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from .masks import mask_of, members_of

_ONE = 1 << 32
_DEEP = 500  # elements beyond which no search is begun
_LOOK = 256  # steps between two looks at the clock


class OutOfSteps(Exception):
    """The limit on steps or time is reached before the question is settled."""


@dataclass
class Budget:
    """Steps, or seconds, that a search may still spend; one step is one set or element looked at, roughly."""

    deadline: float = float("inf")
    steps: float = float("inf")
    _since: int = field(default=0, repr=False)

    def spend(self, steps: int) -> None:
        """Take ``steps`` off.

        Raises:
            OutOfSteps: none are left, or the deadline has passed.
        """
        self.steps -= steps
        self._since += 1
        if self.steps < 0:
            raise OutOfSteps
        if self._since >= _LOOK:
            self._since = 0
            if monotonic() > self.deadline:
                raise OutOfSteps


def hit(sets: list[int], size: int, budget: Budget) -> int | None:
    """The mask of at most ``size`` elements that hit all the sets (masks); None when there are none. Exact.

    Raises:
        OutOfSteps: the budget is spent, or ``size`` is too large to begin.

    Example:
        >>> hit([0b011, 0b110, 0b101], 1, Budget()), hit([0b011, 0b110, 0b101], 2, Budget())
        (None, 3)
    """
    if not sets:
        return 0
    if size <= 0 or not all(sets):
        return None
    if size > _DEEP:
        raise OutOfSteps
    return _Search(sets, budget).run(sets, (1 << len(sets)) - 1, size)


def disjoint(sets: list[int], enough: int) -> int:
    """How many sets, taken greedily in their order, are disjoint (or more than ``enough``): each needs an element."""
    covered, count = 0, 0
    for mask in sets:
        if not mask & covered:
            covered |= mask
            count += 1
            if count > enough:
                break
    return count


class _Search:
    """Branch and bound over one list of sets. ``hits[e]`` is the mask of the sets that element e hits."""

    def __init__(self, sets: list[int], budget: Budget) -> None:
        self.budget = budget
        self.hits: dict[int, int] = {}
        for number, mask in enumerate(sets):
            for element in members_of(mask):
                self.hits[element] = self.hits.get(element, 0) | 1 << number
        self.allowed = mask_of(self.hits)

    def run(self, sets: list[int], unhit: int, left: int) -> int | None:
        """At most ``left`` allowed elements that hit the ``sets``, whose numbers are the bits of ``unhit``."""
        self.budget.spend(len(sets))
        if left == 1:
            common = self.allowed
            for mask in sets:
                common &= mask
                if not common:
                    return None
            return common & -common
        sets = sorted((mask & self.allowed for mask in sets), key=int.bit_count)
        if not sets[0] or disjoint(sets, left) > left:
            return None
        before = self.allowed
        try:
            for element in self._candidates(sets[0], unhit, left):
                bit = 1 << element
                rest = [mask for mask in sets if not mask & bit]
                if not rest:
                    return bit
                found = self.run(rest, unhit & ~self.hits[element], left - 1)
                if found is not None:
                    return found | bit
                self.allowed &= ~bit
            return None
        finally:
            self.allowed = before

    def _candidates(self, among: int, unhit: int, left: int) -> list[int]:
        """The elements ``among`` which one must be chosen, the most useful first; none where counting forbids it."""
        counts = {element: (self.hits[element] & unhit).bit_count() for element in members_of(self.allowed)}
        self.budget.spend(len(counts))
        order = sorted(counts, key=lambda element: -counts[element])
        enough = unhit.bit_count() - sum(counts[element] for element in order[: left - 1])
        if counts[order[0]] < enough or self._shares(order, counts, unhit) > left * _ONE:
            return []
        return [element for element in order if among >> element & 1 and counts[element] >= enough]

    def _shares(self, order: list[int], counts: dict[int, int], unhit: int) -> int:
        """A bound from below on how many elements hit the sets ``unhit``, in units of ``1 / _ONE``.

        Each set asks 1/n of an element where n is the most sets that one of its elements hits. An element is asked for
        no more than 1 altogether, so that all sets together are hit by no fewer than they ask for.
        """
        total = 0
        for element in order:
            new = self.hits[element] & unhit
            if new:
                total += new.bit_count() * _ONE // counts[element]
                unhit &= ~new
                if not unhit:
                    break
        return total
