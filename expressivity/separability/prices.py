"""Solutions with few groups of variables in use: a linear program under random prices, in floats.

Two moves take turns. A *draw* lets prices, most of them far apart, decide: the cheapest basic solution avoids dear
groups, and every now and then nearly all of them. A *thinning* allows the best groups known and some others, and shuts
one group after another, the dear ones first, as long as the program stays feasible. Each step of either is one warm
start of the simplex method.
"""

from __future__ import annotations

from collections.abc import Collection

import highspy
import numpy as np

from . import highs
from .clock import Clock
from .rows import Array

_TURN = 8  # moves from one thinning to the next
_FAR, _NEAR = 3.0, 1.0  # spread of the logarithms of prices in draws and thinnings
_OTHERS = 0.2  # the share of other groups allowed in a thinning
_PATIENCE = 60.0  # seconds for one program, whatever the clock says
_ZERO = 1e-9  # relative size below which a value is taken for 0


class Prices:
    """``program`` with variables from 0 up; ``owners`` holds the group of each, −1 for those free of charge."""

    def __init__(self, program: highs.Program, owners: Array, count: int, clock: Clock) -> None:
        self.owners = owners
        self.count = count
        self.clock = clock
        self.moves = 0
        self.random = np.random.default_rng(0)
        self.places = [np.flatnonzero(owners == group).astype(np.int32) for group in range(count)]
        self.solver = highs.load(program)
        self.solver.setOptionValue("solver", "simplex")
        self.solver.setOptionValue("presolve", "off")

    def move(self, best: Collection[int]) -> set[int] | None:
        """The groups in use in a solution, to be compared with the ``best`` ones known; None when none is found.

        The first move is a thinning that starts from all groups at nearly the same price.
        """
        number, self.moves = self.moves, self.moves + 1
        if number % _TURN:
            return self._cheapest(np.exp(_FAR * self.random.normal(size=self.count)))
        allowed = np.ones(self.count, dtype=bool)
        prices = 1.0 + 0.1 * self.random.random(self.count)
        if number:
            allowed = self.random.random(self.count) < _OTHERS
            allowed[list(best)] = True
            prices = np.exp(_NEAR * self.random.normal(size=self.count))
        found = self._thinned(allowed, prices)
        for group in range(self.count):
            self._shut(group, False)
        return found

    def _thinned(self, allowed: Array, prices: Array) -> set[int] | None:
        for group in np.flatnonzero(~allowed).tolist():
            self._shut(group)
        used = self._cheapest(prices)
        if used is None:
            return None
        needed: set[int] = set()
        open_ones = set(np.flatnonzero(allowed).tolist())
        while self.clock.left > 0:
            for group in open_ones - used:
                self._shut(group)
            open_ones = set(used)
            if used == needed:
                break
            dearest = max(used - needed, key=lambda group: prices[group])
            self._shut(dearest)
            fewer = self._solve()
            if fewer is None:
                needed.add(dearest)
                self._shut(dearest, False)
            else:
                used = (fewer & open_ones | needed) - {dearest}
        return used

    def _shut(self, group: int, shut: bool = True) -> None:
        columns = self.places[group]
        size = len(columns)
        self.solver.changeColsBounds(size, columns, np.zeros(size), np.full(size, 0.0 if shut else np.inf))

    def _cheapest(self, prices: Array) -> set[int] | None:
        costs = np.where(self.owners < 0, 0.0, prices[self.owners]) if self.count else np.zeros(len(self.owners))
        self.solver.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
        return self._solve()

    def _solve(self) -> set[int] | None:
        self.clock.tick()
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + min(self.clock.left, _PATIENCE))
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        values = np.abs(np.array(self.solver.getSolution().col_value))
        used = np.unique(self.owners[values > _ZERO * values.max(initial=0.0)])
        return {int(group) for group in used if group >= 0}
