"""One linear program, asked many times: how negative can a coordinate get on a cone?

For rows ``a_i`` that some vector makes all positive, and one target ``b`` after another, the program minimises
``b · t`` where ``a_i · t ≥ 0`` and ``|t_j| ≤ 1``. HiGHS starts each time from the last basis, with only those rows
that have mattered so far; rows that its answer violates are added. A negative minimum gives a vector, moved towards the
inner one until it satisfies every row exactly. A minimum of 0 gives the rows that meet there, of which the target is a
combination with positive multipliers, solved for exactly. Floats only propose: what comes back is exact, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np

from . import highs
from .clock import Clock
from .exactify import rounded
from .linear import null_vector
from .rows import Array, IntegerRows
from .scaling import equilibrated

_BITS = 44  # kept of each coordinate
_ROUNDS = 30
_VIOLATED = -1e-9
_NEGATIVE = -1e-7


class ConeProgram:
    """The cone ``{t : a_i · t ≥ 0}``.

    Args:
        rows: the ``a_i``.
        inner: integers ``t`` with ``a_i · t > 0`` for every i.
        clock: the time left.
    """

    def __init__(self, rows: IntegerRows, inner: Sequence[int], clock: Clock) -> None:
        self.rows = rows
        self.inner = inner
        self.clock = clock
        self.room = rows.times(inner)
        self.matrix, _, down = equilibrated(rows.floats())
        self.down = down.tolist()
        norms = np.sqrt(np.asarray(self.matrix.multiply(self.matrix).sum(axis=1)).ravel())
        margins = (self.matrix @ _floats(inner, self.down)) / norms
        self.pool = np.sort(np.argsort(margins, kind="stable")[: 2 * rows.n_columns + 32])
        self.solver = self._load()

    def below(self, target: Sequence[int]) -> list[int] | dict[int, int] | None:
        """A vector of the cone with ``target · t < 0``; or that there is none, or neither.

        Returns:
            The vector; or positive multipliers of rows, and under the key −1 the positive factor by which the target is
            to be multiplied to be their combination; or None when floats did not lead to either.
        """
        cost = _floats(target, [-shift for shift in self.down])
        cost /= np.abs(cost).max()
        point = self._solve(cost)
        if point is None:
            return None
        if float(cost @ point) < _NEGATIVE:
            return self._vector(point, target)
        return self._combination(target)

    # ------------------------------------------------------------------ exact

    def _vector(self, point: Array, target: Sequence[int]) -> list[int] | None:
        most = max(self.down, default=0)
        vector = [rounded(value, _BITS + most - shift) for value, shift in zip(point.tolist(), self.down, strict=True)]
        values = self.rows.times(vector)
        steps = max([0, *(-(value // room) for value, room in zip(values, self.room, strict=True) if value < 0)])
        vector = [value + steps * step for value, step in zip(vector, self.inner, strict=True)]
        return vector if sum(a * b for a, b in zip(target, vector, strict=True)) < 0 else None

    def _combination(self, target: Sequence[int]) -> dict[int, int] | None:
        duals = np.array(self.solver.getSolution().row_dual)
        support = self.pool[np.flatnonzero(duals > 1e-9 * duals.max(initial=0.0))]
        first = {k: -value for k, value in enumerate(target) if value}
        rows = [first, *(self.rows.row(int(i)) for i in support)]
        vector = null_vector(IntegerRows.from_dicts(rows, self.rows.n_columns), 0)
        if vector is None or min(vector) < 0:
            return None
        return {-1: vector[0], **{int(i): value for i, value in zip(support, vector[1:], strict=True) if value}}

    # ------------------------------------------------------------------ float

    def _load(self) -> Any:
        box = np.ones(self.rows.n_columns)
        part = self.matrix[self.pool]
        many = np.full(len(self.pool), np.inf)
        solver = highs.load(highs.Program(part, np.zeros(len(self.pool)), many, np.zeros(len(box)), -box, box))
        solver.setOptionValue("presolve", "off")
        solver.setOptionValue("solver", "simplex")
        return solver

    def _solve(self, cost: Array) -> Array | None:
        self.solver.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        for _ in range(_ROUNDS):
            self.clock.tick()
            self.solver.setOptionValue("time_limit", min(self.clock.left, 1e20) + self.solver.getRunTime())
            self.solver.run()
            if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return None
            point = np.array(self.solver.getSolution().col_value)
            slack = self.matrix @ point
            slack[self.pool] = 0.0
            worst = np.argsort(slack, kind="stable")[: self.rows.n_columns + 32]
            added = np.sort(worst[slack[worst] < _VIOLATED])
            if not len(added):
                return point
            self._extend(added)
        return None

    def _extend(self, added: Array) -> None:
        part = self.matrix[added]
        zeros, many = np.zeros(len(added)), np.full(len(added), np.inf)
        starts = part.indptr[:-1].astype(np.int32)
        self.solver.addRows(len(added), zeros, many, part.nnz, starts, part.indices.astype(np.int32), part.data)
        self.pool = np.concatenate((self.pool, added))


def _floats(vector: Sequence[int], shifts: Sequence[int]) -> Array:
    """``vector_j · 2**shifts_j`` as floats, all times one power of two that brings the largest near 1."""
    tops = [abs(value).bit_length() + shift for value, shift in zip(vector, shifts, strict=True) if value]
    top = max(tops, default=0)
    return np.array([_float(value, shift - top) for value, shift in zip(vector, shifts, strict=True)])


def _float(value: int, shift: int) -> float:
    drop = max(0, abs(value).bit_length() - 60)
    return float(np.ldexp(float(value >> drop), max(-1100, shift + drop)))
