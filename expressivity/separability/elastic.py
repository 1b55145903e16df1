"""Linear constraints that may give: as many groups of them as possible are to hold at once.

The program, in floats, is

    minimise  Σ_g s_g   subject to   lower_i − s_g ≤ (matrix · x)_i ≤ upper_i + s_g  for i in group g,   s ≥ 0,

and constraints of no group hold as they stand. The slack of a group that is to hold is fixed at 0. Groups are made to
hold one after another, the nearest first, as long as the program stays feasible (the elastic filter of Chinneck 1996).
What comes out is a hint for exact methods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp

from . import highs
from .clock import Clock
from .rows import Array

_PATIENCE = 60.0  # seconds for one program, whatever the clock says
_ZERO = 1e-9  # violations up to this count as rounding
_TRIES = 8  # groups that may turn out not to fit before the search for more of them ends


@dataclass
class Constraints:
    """``lower ≤ matrix · x ≤ upper`` with ``x ≥ least``; ``owners`` holds the group of each row, −1 for none.

    A constraint counts as met, where its group is not asked to hold, from ``enough`` on instead of ``lower``.
    """

    matrix: sp.csr_array
    lower: Array
    upper: Array
    owners: Array
    count: int
    least: Array
    enough: Array


class Elastic:
    """The program, kept warm from one question to the next."""

    def __init__(self, constraints: Constraints, clock: Clock) -> None:
        self.constraints = constraints
        self.clock = clock
        self.n = constraints.matrix.shape[1]
        count, owners = constraints.count, constraints.owners
        soft = np.flatnonzero(owners >= 0)
        place = sp.csr_array((np.ones(len(soft)), (soft, owners[soft])), shape=(len(owners), count))
        blocks, lower, upper = [], [], []
        for sign, side in ((1.0, constraints.lower), (-1.0, constraints.upper)):
            part = np.flatnonzero(np.isfinite(side))
            blocks.append(sp.hstack([constraints.matrix[part], sign * place[part]]))
            lower.append(side[part] if sign > 0 else np.full(len(part), -np.inf))
            upper.append(side[part] if sign < 0 else np.full(len(part), np.inf))
        self.solver = highs.load(
            highs.Program(
                sp.csr_array(sp.vstack(blocks)),
                np.concatenate(lower),
                np.concatenate(upper),
                np.concatenate((np.zeros(self.n), np.ones(count))),
                np.concatenate((constraints.least, np.zeros(count))),
                np.full(self.n + count, np.inf),
            )
        )
        self.solver.setOptionValue("solver", "simplex")
        self.solver.setOptionValue("presolve", "off")
        self._slacks = np.arange(self.n, self.n + count, dtype=np.int32)

    def grow(self, hard: Iterable[int]) -> tuple[Array, Array] | None:
        """A point at which the groups ``hard`` and as many others as are easily found hold, and which those are.

        Args:
            hard: groups that must hold.

        Returns:
            ``(x, met)``, ``met`` Boolean of shape ``[count]``; None when no point is found.
        """
        count = self.constraints.count
        most = np.full(count, np.inf)
        most[list(hard)] = 0.0
        self.solver.changeColsBounds(count, self._slacks, np.zeros(count), most)
        self.solver.changeColsCost(count, self._slacks, np.ones(count))
        point = self._solve()
        if point is None:
            return None
        met, distance = self._met(point)
        hopeless = np.zeros(count, dtype=bool)
        tries = _TRIES
        while tries:
            for group in np.flatnonzero(met & (most > 0)).tolist():
                self.solver.changeColBounds(self.n + group, 0.0, 0.0)
            most[met] = 0.0
            candidates = np.flatnonzero(~met & ~hopeless)
            if not len(candidates):
                break
            nearest = int(candidates[np.argmin(distance[candidates])])
            self.solver.changeColBounds(self.n + nearest, 0.0, 0.0)
            further = self._solve()
            if further is None:
                self.solver.changeColBounds(self.n + nearest, 0.0, np.inf)
                self.solver.changeColCost(self.n + nearest, 0.0)
                hopeless[nearest] = True
                tries -= 1
                continue
            now, distance = self._met(further)
            if np.any(met & ~now) or not now[nearest]:
                break  # beyond the precision of floats
            point, met = further, now
        return point, met

    def _solve(self) -> Array | None:
        self.clock.tick()
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + min(self.clock.left, _PATIENCE))
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self.solver.getSolution().col_value[: self.n])

    def _met(self, point: Array) -> tuple[Array, Array]:
        """Which groups hold, and how far each is from it."""
        parts = self.constraints
        values = np.asarray(parts.matrix @ point)
        above = values - parts.upper
        far = np.maximum(np.maximum(parts.lower - values, above), 0.0)
        missed = (np.maximum(parts.enough - values, above) > _ZERO) & (parts.owners >= 0)
        distance = np.zeros(parts.count)
        soft = parts.owners >= 0
        np.maximum.at(distance, parts.owners[soft], far[soft])
        met = np.ones(parts.count, dtype=bool)
        met[parts.owners[missed]] = False
        return met, distance
