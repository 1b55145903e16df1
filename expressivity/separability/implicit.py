"""How few groups are enough? Implicit hitting sets.

A choice of groups is *enough* or it is not, and more groups do no harm. Whenever a choice is not enough there is a
proof of it that extends to a set of groups outside the choice, one of which is needed: every choice that is enough
meets that set. So a smallest set that meets all the sets known so far is no larger than a smallest choice that is
enough; and if it is enough itself it is one. Otherwise it yields a new set, and the bound rises sooner or later
(Moreno-Centeno and Karp 2013; Ignatiev and others 2015 for smallest unsatisfiable parts).

From above, cheap draws look for smaller choices, until the two bounds meet or time is up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from time import monotonic
from typing import Any

import numpy as np

from expressivity.errors import InputError

from .branching import Budget, OutOfSteps
from .clock import Clock, OutOfTime
from .hitting import HittingSets, few
from .rows import Array

_SHARE, _PATIENT_SHARE = 0.5, 0.2  # of the time, for draws: at first, and after so many without success
_PATIENCE = 100
_FIRST_DRAWS = 4
_TRIES = 8  # groups that may turn out to be too many before an exact choice stops growing
_SLICE = 0.3  # of the time so far, and no less than this many seconds, for one exact search for a hitting set
_TIDY = 0.1  # of the time spent, and no less than this many seconds, to leave out proofs that are not needed


class Search(ABC):
    """The two bounds, and what proves the lower one.

    Attributes:
        count: the number of groups, numbered from 0.
        used: the fewest groups known to be enough.
        bound: fewer are not: proved by ``proofs``.
        proofs: for each set in ``hitting``, why one of its groups is needed.
    """

    def __init__(self, count: int, used: set[int], clock: Clock) -> None:
        self.count = count
        self.used = used
        self.clock = clock
        self.hitting = HittingSets()
        self.proofs: list[Any] = []
        self._often = [0] * count  # in how many sets each group is
        self._said = ""
        self._drawing = 0.0
        self._in_vain = 0  # draws since the last that was of use
        self._start = monotonic()

    @property
    def bound(self) -> int:
        """Fewer groups are not enough."""
        return min(self.hitting.bound, len(self.used))

    @property
    def open(self) -> bool:
        """Whether the two bounds differ."""
        return self.bound < len(self.used)

    @abstractmethod
    def exactly(self, chosen: set[int]) -> tuple[set[int], Any] | None:
        """Groups outside ``chosen`` one of which is needed, with the proof; None when ``chosen`` is enough.

        In the latter case the answer is kept if it is better than the one known.

        Raises:
            OutOfTime: before that is settled.
        """

    @abstractmethod
    def grown(self, chosen: set[int]) -> tuple[set[int], Any] | None:
        """The same with few groups, if floats find the way to it; the proof is exact all the same."""

    @abstractmethod
    def draw(self) -> bool:
        """Look for fewer groups that are enough; False when that is of no use."""

    def run(self) -> None:
        """Bring the bounds together as far as time allows."""
        try:
            self._draw(_FIRST_DRAWS)
            self._disjoint()
            while self.open:
                self._extend(self._least())
            self._say()
        except OutOfTime:
            pass

    def learn(self, members: set[int], proof: Any) -> None:
        """One of the groups ``members`` is needed."""
        self.hitting.add(members)
        self.proofs.append(proof)
        for group in members:
            self._often[group] += 1

    def few_proofs(self) -> list[Any]:
        """Proofs that suffice for the bound, not many more than needed."""
        patience = max(_TIDY, _TIDY * (monotonic() - self._start))
        return [self.proofs[k] for k in few(self.hitting.sets, self.bound, Budget(monotonic() + patience))]

    # ------------------------------------------------------------------ from below

    def _missing(self, chosen: set[int]) -> tuple[set[int], Any] | None:
        """Few groups outside ``chosen`` one of which is needed, with the proof; None when ``chosen`` is enough."""
        found = self.grown(chosen) or self._grown_exactly(chosen)
        if found is not None and found[0] & chosen:
            raise RuntimeError(f"groups {sorted(found[0] & chosen)} are chosen, yet said to be missing")
        return found

    def _grown_exactly(self, chosen: set[int]) -> tuple[set[int], Any] | None:
        """Without floats: other groups are added one by one as long as the choice is not enough."""
        found = self.exactly(chosen)
        if found is None:
            return None
        hopeless = set[int]()
        while len(hopeless) < _TRIES and (rest := found[0] - hopeless):
            group = max(rest, key=lambda group: self._often[group])
            further = self.exactly(set(range(self.count)) - found[0] | {group})
            if further is None:
                hopeless.add(group)
            else:
                found = further
        return found

    def _disjoint(self) -> None:
        """Sets without a common group, each of which adds 1 to the bound."""
        chosen: set[int] = set()
        count = 0
        while self.open and (found := self._missing(chosen)) is not None:
            self.learn(*found)
            chosen = chosen | found[0]
            count += 1
            self.hitting.bound = max(self.hitting.bound, count)
            self._draw()

    def _least(self) -> set[int]:
        """A smallest hitting set, or a small one where the search for it takes too long."""
        spent = monotonic() - self._start
        patience = min(self.clock.left, max(_SLICE, _SLICE * spent))
        try:
            chosen = self.hitting.least(Budget(monotonic() + patience))
        except OutOfSteps:
            self.clock.tick()
            chosen = self.hitting.small(min(self.clock.left, patience))
        self._say()
        return chosen

    def _extend(self, chosen: set[int]) -> None:
        """Sets missed by a smallest hitting set and by larger ones, until one of these is enough.

        The groups added are those in most sets, twice as many each time: the new sets are to avoid them.
        """
        step = 1
        while self.open and (found := self._missing(chosen)) is not None:
            self.learn(*found)
            often = sorted(found[0], key=lambda group: -self._often[group])
            chosen = chosen | set(often[:step])
            step *= 2
            self._draw()

    # ------------------------------------------------------------------ from above

    def _draw(self, count: int = 0) -> None:
        """So many draws; or as many as there is time for."""
        start = monotonic()
        number = 0
        while self.open and (number < count or (not count and self._due(start))):
            number += 1
            before = len(self.used)
            if not self.draw():
                break
            self._in_vain = 0 if len(self.used) < before else self._in_vain + 1
        self._drawing += monotonic() - start
        self._say()

    def _due(self, start: float) -> bool:
        now = monotonic()
        share = _SHARE if self._in_vain < _PATIENCE else _PATIENT_SHARE
        return self._drawing + (now - start) < share * (now - self._start)

    def _say(self) -> None:
        text = f"at least {self.bound}, at most {len(self.used)}"
        if text != self._said:
            self._said = text
            self.clock.tick(text)


def group_numbers(groups: Sequence[int] | Array | None, size: int, kind: str) -> tuple[Array, Array]:
    """The distinct groups in increasing order, and for each of ``size`` rows or columns where its group is among them.

    A negative group stands for none: those get the number −1. By default each row or column is a group.

    Raises:
        InputError: not one integer for each of them.

    Example:
        >>> group_numbers([7, 3, -1, 7], 4, "columns")
        (array([3, 7]), array([ 1,  0, -1,  1]))
    """
    given = np.arange(size) if groups is None else np.asarray(groups)
    if given.size == 0:
        given = given.astype(np.int64)
    if given.shape != (size,) or given.dtype.kind not in "iu":
        raise InputError(f"groups: {given.dtype} of shape {given.shape}, expected one number for each of {size} {kind}")
    names = np.unique(given[given >= 0])
    return names, np.where(given < 0, -1, np.searchsorted(names, given))
