"""All p of degree 2 with given signs on given points: points inside the cone, and what is positive all over it.

p has a coefficient for the constant and one for each pair of the coordinates 1, X_1 … X_n of a point. Floats propose;
what is said to be positive is proved by multipliers in exact rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations

import highspy
import numpy as np
import scipy.sparse as sp
from flint import fmpq_mat

from expressivity.separability.highs import Program, load
from expressivity.separability.rows import Array

NONZERO = 1e-9
NEWTON_STEPS = 50


class Cone:
    """The cone of all p with ``signs[c] · p(points[c]) ≥ 0``.

    Attributes:
        rows: ``signs[c]`` times the monomials of point c: the constant, then the products of the coordinates in pairs.
        index: the column of each pair i < j of coordinates, 0 being the constant 1.
        centre: a p in the interior, or ``None`` where floats find none.
    """

    def __init__(self, points: Array, signs: Array) -> None:
        many, n = points.shape
        whole = np.hstack([np.ones((many, 1), dtype=np.int64), points])
        pairs = [*combinations(range(n + 1), 2)]
        self.index = {pair: column for column, pair in enumerate(pairs, 1)}
        columns = [np.ones(many, dtype=np.int64), *(whole[:, i] * whole[:, j] for i, j in pairs)]
        self.rows: Array = signs[:, None] * np.stack(columns, axis=1)
        self.centre = self._centre()
        self._solver = load(
            Program(
                sp.csr_array(self.rows.T.astype(float)),
                *(np.zeros(self.rows.shape[1]),) * 2,
                np.ones(many),
                np.zeros(many),
                np.full(many, np.inf),
            )
        )
        self._known: dict[tuple[int, ...], dict[int, Fraction] | None] = {}

    def _centre(self) -> Array | None:
        """The analytic centre: the least of Σ (s − ln s) over the values s on the points, where all are positive."""
        many, size = self.rows.shape
        widest = Program(
            sp.csr_array(np.hstack([self.rows, -np.ones((many, 1))])),
            np.zeros(many),
            np.full(many, np.inf),
            np.append(np.zeros(size), -1.0),
            np.full(size + 1, -1.0),
            np.ones(size + 1),
        )
        found = _optimum(widest)
        if found is None or found[-1] < NONZERO:
            return None
        p: Array = found[:-1] / found[-1]
        for _ in range(NEWTON_STEPS):
            values = self.rows @ p
            gradient = self.rows.T @ (1 - 1 / values)
            step = -np.linalg.lstsq((self.rows / values[:, None] ** 2).T @ self.rows, gradient, rcond=None)[0]
            change = self.rows @ step
            most = np.max(-change / values, initial=0.0)
            p = p + step * min(1.0, 0.9 / most if most > 0 else 1.0)
            if np.abs(change).max() < 1e-9:
                break
        return p

    def samples(self, number: int, rng: np.random.Generator, tick: Callable[[], None] = lambda: None) -> Array:
        """The centre and points near the boundary in random directions; the values of each sum to 1 on the points.

        ``tick`` is called before each.
        """
        many, size = self.rows.shape
        if self.centre is None:
            raise ValueError("the cone has no interior that floats can find")
        program = Program(
            sp.csr_array(np.vstack([self.rows, self.rows.sum(axis=0)])),
            np.append(np.zeros(many), 1.0),
            np.append(np.full(many, np.inf), 1.0),
            np.zeros(size),
            np.full(size, -np.inf),
            np.full(size, np.inf),
        )
        found = [self.centre / (self.rows @ self.centre).sum()]
        for _ in range(number):
            tick()
            program.cost = self.rows.T @ rng.exponential(size=many) + rng.normal(size=size) / 10
            corner = _optimum(program)
            if corner is not None:
                found.append(0.05 * found[0] + 0.95 * corner)
        return np.array(found)

    def multipliers(self, form: Sequence[int]) -> dict[int, Fraction] | None:
        """Multipliers ≥ 0 under which the rows add up to a form, which is therefore positive inside; exact."""
        key = tuple(form)
        if key not in self._known:
            self._known[key] = self._solve(key)
        return self._known[key]

    def _solve(self, form: tuple[int, ...]) -> dict[int, Fraction] | None:
        for row, value in enumerate(form):
            self._solver.changeRowBounds(row, float(value), float(value))
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = np.array(self._solver.getSolution().col_value)
        basic = [status == highspy.HighsBasisStatus.kBasic for status in self._solver.getBasis().col_status]
        for chosen in (np.flatnonzero(solution > NONZERO), np.flatnonzero(basic)):
            exact = self._exactly([int(c) for c in chosen], form)
            if exact is not None:
                return exact
        return None

    def _exactly(self, chosen: list[int], form: tuple[int, ...]) -> dict[int, Fraction] | None:
        """The combination of some rows that is the form, if there is just one and it has no negative multiplier."""
        if not chosen:
            return None
        size = len(chosen)
        table = np.column_stack([self.rows[chosen].T, np.array(form)])
        reduced, rank = fmpq_mat(len(form), size + 1, [int(v) for v in table.ravel()]).rref()
        if rank != size or reduced[size - 1, size - 1] != 1:
            return None
        found = [Fraction(int(v.p), int(v.q)) for v in (reduced[i, size] for i in range(size))]
        return {c: v for c, v in zip(chosen, found, strict=True) if v} if min(found) >= 0 else None


def _optimum(program: Program) -> Array | None:
    solver = load(program)
    solver.run()
    optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return np.array(solver.getSolution().col_value) if optimal else None
