"""An exact simplex method that always ends: the last resort of the engine.

The linear program, over multipliers ``λ ≥ 0`` on the rows ``a_i`` and slacks ``p, q ≥ 0`` on the columns, is

    minimise  Σ_j c_j (p_j + q_j)   subject to   Σ_i λ_i a_i + p − q = 0,   Σ_{i strict} r_i λ_i = 1,

where an equal row enters once with each sign and without weight in the last equation; the weights ``c`` and ``r`` are
powers of two that even out the scales of columns and rows. A value of 0 is a cancellation, and a basic one, hence
irreducible. Otherwise the dual solution ``|w_j| ≤ c_j`` gives every strict row at least ``r_i`` times the optimal value
and every equal row 0: a separator. A start is feasible by construction, from one row or from several that nearly
cancel.

All arithmetic is on integers: a line of the basis inverse is an integer vector over a denominator of its own, so lines
that a pivot does not touch cost nothing. The lexicographic ratio test (Dantzig, Orden and Wolfe 1955) makes the method
finite under every rule for the entering column, however degenerate the rows; so that column may be picked by float
estimates, provided that the sign of its reduced cost is exact. Rows are priced as they are needed: those given as a
hint first, others when they are violated.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm
from typing import Any

import flint
import numpy as np
import scipy.sparse as sp

from .clock import Clock
from .linear import pivot_columns
from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows, float_of
from .scaling import equilibrated

_BATCH = 64  # violated rows taken up at a time
_DENSE = 100_000  # entries up to which the rows in use are kept as a dense matrix of floats as well
_REFRESH = 64  # pivots after which float estimates are computed afresh


def simplex(
    rows: IntegerRows, equal: Mask, clock: Clock, hint: Sequence[int] = (), starts: Sequence[Sequence[int]] = ()
) -> Separator | Cancellation:
    """Decide the rows by exact pivoting; at least one of them must be strict.

    Args:
        rows: the rows.
        equal: which of them are equal rows.
        clock: the time limit.
        hint: numbers of rows that are likely to matter.
        starts: sets of rows that nearly cancel; the first that makes a feasible basis is where the method begins.

    The answer is exact but, like every proposal, checked by the caller.

    Raises:
        OutOfTime: the clock runs out.
    """
    tableau = Tableau(rows, equal, hint, starts)
    while True:
        clock.tick(f"exact simplex: {tableau.pivots} pivots" if tableau.pivots % 100 == 0 else None)
        if tableau.objective == 0:
            return tableau.cancellation()
        entering = tableau.price()
        if entering is None:
            return tableau.separator()
        tableau.pivot(*entering)


class Tableau:
    """A basis, its inverse line by line, and the dual values.

    ``starts`` are sets of rows for the first basis, the first that makes a feasible one is taken; ``order`` says which
    columns are to vanish in it, if they can. With ``even`` the weights c and r are 1.

    Columns of the program are pairs ``(kind, number)``: ``("+", i)`` is row i, ``("-", i)`` the negative of an equal
    row i, ``("p", j)`` and ``("q", j)`` are the slacks of column j. FLINT's integer polynomials serve as integer
    vectors: ``lines[k] / denominators[k]`` is line k of the basis inverse, and its entry ``n`` the value of the k-th
    basic variable.
    """

    def __init__(
        self,
        rows: IntegerRows,
        equal: Mask,
        hint: Sequence[int],
        starts: Sequence[Sequence[int]],
        order: Sequence[int] = (),
        even: bool = False,
    ) -> None:
        self.rows = rows
        self.equal = equal
        self.n = rows.n_columns
        self.order = [*order, *sorted(set(range(self.n)) - set(order))]
        self.pivots = 0
        self.row_weight = [0 if tied else 1 for tied in equal]
        self.column_weight = [1] * self.n
        if not even:
            _, across, down = equilibrated(rows.floats())
            across = across + rows.exponents()
            self.row_weight = [0 if tied else 1 << int(e) for e, tied in zip(across - across.min(), equal, strict=True)]
            self.column_weight = [1 << int(e) for e in down.max(initial=0) - down]
        self.basis: list[tuple[str, int]] = []
        self.lines: list[Any] = []
        self.denominators: list[int] = []
        strict = [int(i) for i in hint if not equal[i]] or np.flatnonzero(~equal)[:1].tolist()
        first = min(strict, key=lambda i: int(rows.indptr[i + 1] - rows.indptr[i]))
        chosen: Sequence[int] = [first]
        for chosen in (*starts, [first]):
            if self._begin([int(i) for i in chosen]):
                break
        few = rows.n_rows <= _BATCH
        self.set_pool(np.arange(rows.n_rows) if few else np.unique(np.array([*hint, *chosen], dtype=np.int64)))
        self._refresh()

    def _begin(self, chosen: list[int]) -> bool:
        """Make the basis of the chosen rows and of slacks, if it gives strict rows positive multipliers.

        With the norm equation and as many columns J as are needed the chosen rows make a square matrix M, and
        ``M λ = e_norm``. Line j of the inverse, for a slack outside J, is ``±(e_j − Σ_k a_kj (M⁻¹)_k)``, with the sign
        that makes its value nonnegative, and the line lexicographically positive if that value is 0.
        """
        n, size = self.n, len(chosen)
        part = self.rows.take(chosen)
        weights = [self.row_weight[i] for i in chosen]
        place = {j: k + 1 for k, j in enumerate(self.order)}
        normed = [{0: weight, **{place[j]: a for j, a in part.row(k).items()}} for k, weight in enumerate(weights)]
        places = pivot_columns(IntegerRows.from_dicts(normed, n + 1))
        if len(places) < size or places[0] != 0:
            return False
        inside = [self.order[k - 1] for k in places[1:]]
        square = [[row.get(k, 0) for row in normed] for k in (*places[1:], 0)]
        quotient: Any = flint.fmpz_mat(square).inv()
        inverse, common = quotient.numer_denom()
        common = int(common)
        value = [int(inverse[k, size - 1]) for k in range(size)]
        if any(value[k] <= 0 and not self.equal[i] for k, i in enumerate(chosen)):
            return False
        positions = [*inside, n]
        self.basis, self.lines, self.denominators = [], [], []
        for k, i in enumerate(chosen):
            sign = -1 if value[k] < 0 else 1
            line = {p: sign * int(inverse[k, c]) for c, p in enumerate(positions)}
            self._add(("+" if sign > 0 else "-", i), line, common)
        outside = sorted(set(range(n)) - set(inside))
        if outside:
            across = flint.fmpz_mat([[row.get(place[j], 0) for row in normed] for j in outside]) * inverse
            for k, j in enumerate(outside):
                line = {p: -int(across[k, c]) for c, p in enumerate(positions)}
                line[j] = common
                sign = 1 if (line[n] or next(line[p] for p in sorted(line) if line[p])) > 0 else -1
                self._add(("p" if sign > 0 else "q", j), {p: sign * entry for p, entry in line.items()}, common)
        # The dual values are the costs of the basis, c_j on slacks, times its inverse.
        self.dual, self.dual_denominator = flint.fmpz_poly([]), 1
        for (kind, j), line, denominator in zip(self.basis, self.lines, self.denominators, strict=True):
            if kind in "pq":
                mixed = self.dual * denominator + line * (self.column_weight[j] * self.dual_denominator)
                self.dual, self.dual_denominator = _lowest(mixed, self.dual_denominator * denominator)
        return True

    def _add(self, name: tuple[str, int], line: dict[int, int], denominator: int) -> None:
        entries = [line.get(p, 0) for p in range(self.n + 1)]
        lowest, denominator = _lowest(flint.fmpz_poly(entries), denominator)
        self.basis.append(name)
        self.lines.append(lowest)
        self.denominators.append(denominator)

    @property
    def objective(self) -> Any:
        """The numerator of the value reached."""
        return self.dual[self.n]

    # ------------------------------------------------------------------ answers

    def cancellation(self) -> Cancellation:
        """The multipliers of the basis, once the value is 0 and hence every slack."""
        return Cancellation(self.multipliers(), "exact simplex")

    def multipliers(self) -> dict[int, int]:
        """The multipliers of the basis, scaled to integers without a common factor."""
        used = [
            (kind, i, int(line[self.n]), denominator)
            for (kind, i), line, denominator in zip(self.basis, self.lines, self.denominators, strict=True)
            if kind in "+-" and line[self.n] != 0
        ]
        common = lcm(*(denominator for *_, denominator in used))
        total = {i: (1 if kind == "+" else -1) * value * (common // den) for kind, i, value, den in used}
        divisor = gcd(*total.values())
        return {i: total[i] // divisor for i in sorted(total)}

    def separator(self) -> Separator:
        """The dual weights, once no row is violated."""
        weights = self.weights()
        divisor = gcd(*weights)
        return Separator(tuple(weight // divisor for weight in weights), "exact simplex")

    def weights(self) -> list[int]:
        """Numerators of ``w``, the negative of the duals of the columns."""
        values = [-int(value) for value in self.dual.coeffs()[: self.n]]
        return values + [0] * (self.n - len(values))

    # ------------------------------------------------------------------ pricing

    def price(self) -> tuple[tuple[str, int], int] | None:
        """An entering column with the numerator of its negative reduced cost; None when all rows are separated.

        Over the dual denominator D the reduced costs are ``a_i · w − r_i · value`` for a strict row, ``± a_i · w`` for
        an equal one, ``c_j D + w_j`` and ``c_j D − w_j`` for the slacks.
        """
        weights, level = self.weights(), int(self.objective)
        while True:
            values = self.pool_rows.times(weights)
            violated = any(
                value != 0 if flag else value <= 0 for value, flag in zip(values, self.pool_equal, strict=True)
            )
            if violated:
                return self.steepest(weights, values, level)
            if len(self.pool) == self.rows.n_rows or not self._extend_pool(weights):
                return None

    def steepest(self, weights: list[int], values: list[int], level: int) -> tuple[tuple[str, int], int] | None:
        """The column of steepest descent among slacks and rows in the pool; None when no reduced cost is negative."""
        costs = [
            -abs(value) if flag else value - weight * level
            for value, flag, weight in zip(values, self.pool_equal, self.pool_weight, strict=True)
        ]
        limits = [c * self.dual_denominator for c in self.column_weight]
        excesses = [limit - abs(weight) for limit, weight in zip(limits, weights, strict=True)]
        top = max(abs(cost).bit_length() for cost in (*costs, *excesses))
        # The steepest edge (Goldfarb and Reid 1977): cost over the length of the change that a unit of it makes.
        with np.errstate(all="ignore"):
            changes = np.asarray(self.pool_table @ self.inverse.T)
            scores = np.ldexp([float_of(cost, top) for cost in costs], -self.pool_exponents)
            scores = np.nan_to_num(scores / np.sqrt(1.0 + (changes * changes).sum(axis=1)))
            slopes = np.array([float_of(excess, top) for excess in excesses])
            slopes = np.nan_to_num(slopes / np.sqrt(1.0 + (self.inverse[:, : self.n] ** 2).sum(axis=0)))
        k, j = int(np.argmin(scores)), int(np.argmin(slopes))
        if excesses[j] < 0 and slopes[j] < scores[k]:
            return ("p" if weights[j] < 0 else "q", j), excesses[j]
        if costs[k] >= 0:  # scores too close to zero to tell: take any
            k = next((k for k, cost in enumerate(costs) if cost < 0), -1)
            j = next((j for j, excess in enumerate(excesses) if excess < 0), -1)
            if k < 0:
                return None if j < 0 else (("p" if weights[j] < 0 else "q", j), excesses[j])
        return ("-" if self.pool_equal[k] and values[k] > 0 else "+", int(self.pool[k])), costs[k]

    def set_pool(self, pool: Array) -> None:
        """Let the rows ``pool``, those of the basis among them or not, be the ones to price."""
        self.pool_table: Any
        self.pool = pool
        self.pool_rows = self.rows.take(pool)
        self.pool_equal = self.equal[pool].tolist()
        self.pool_weight = [self.row_weight[i] for i in pool.tolist()]
        self.pool_exponents = self.pool_rows.exponents()
        norm = [float_of(weight, int(e)) for weight, e in zip(self.pool_weight, self.pool_exponents, strict=True)]
        table: Any = self.pool_rows.floats()
        if table.shape[0] * table.shape[1] <= _DENSE:
            self.pool_table = np.column_stack((table.toarray(), norm))
        else:
            self.pool_table = sp.csr_array(sp.hstack([table, sp.csr_array(np.array(norm)[:, None])]))

    def _extend_pool(self, weights: list[int]) -> bool:
        """Take up some rows that the weights violate; False when there are none."""
        signs = self.rows.signs(weights)
        violated = np.flatnonzero(np.where(self.equal, signs != 0, signs <= 0))
        if not len(violated):
            return False
        order = np.argsort(signs[violated], kind="stable")
        self.set_pool(np.union1d(self.pool, violated[order[: _BATCH + self.n]]))
        return True

    # ------------------------------------------------------------------ pivoting

    def pivot(self, entering: tuple[str, int], cost: int) -> None:
        """Exchange the entering column for the basic one that the lexicographic ratio test picks."""
        direction = self._direction(entering)
        leaving = -1
        for k, value in enumerate(direction):
            if value > 0 and (leaving < 0 or self._earlier(k, leaving, direction)):
                leaving = k
        self._change_inverse(direction, leaving)
        line, denominator = _lowest(self.lines[leaving], direction[leaving])
        self.lines[leaving], self.denominators[leaving] = line, denominator
        self.basis[leaving] = entering
        for k, value in enumerate(direction):
            if value and k != leaving:
                mixed = self.lines[k] * denominator - line * value
                self.lines[k], self.denominators[k] = _lowest(mixed, self.denominators[k] * denominator)
        mixed = self.dual * denominator + line * cost
        self.dual, self.dual_denominator = _lowest(mixed, self.dual_denominator * denominator)
        self.pivots += 1
        if self.pivots % _REFRESH == 0:
            self._refresh()

    def _change_inverse(self, direction: list[int], leaving: int) -> None:
        with np.errstate(all="ignore"):
            step = np.array([_ratio(value, den) for value, den in zip(direction, self.denominators, strict=True)])
            line = self.inverse[leaving] / step[leaving]
            self.inverse -= step[:, None] * line[None, :]
            self.inverse[leaving] = line

    def _refresh(self) -> None:
        """The basis inverse in floats, for the estimates of pricing."""
        self.inverse = np.zeros((self.n + 1, self.n + 1))
        for k, (line, denominator) in enumerate(zip(self.lines, self.denominators, strict=True)):
            entries = [_ratio(int(value), denominator) for value in line.coeffs()]
            self.inverse[k, : len(entries)] = entries

    def _direction(self, entering: tuple[str, int]) -> list[int]:
        """Numerators of the basis inverse times the entering column, over the denominators of the lines."""
        kind, number = entering
        if kind in "pq":
            sign = 1 if kind == "p" else -1
            return [sign * int(line[number]) for line in self.lines]
        sign = 1 if kind == "+" else -1
        column = [(j, sign * entry) for j, entry in self.rows.row(number).items()]
        if not self.equal[number]:
            column.append((self.n, self.row_weight[number]))
        return [int(sum(line[j] * entry for j, entry in column)) for line in self.lines]

    def _earlier(self, k: int, best: int, direction: list[int]) -> bool:
        """Whether line k over its direction is lexicographically below line ``best`` over its own, values first."""
        mine, other = self.lines[k], self.lines[best]
        for j in (self.n, *range(self.n)):
            difference = mine[j] * direction[best] - other[j] * direction[k]
            if difference != 0:
                return bool(difference < 0)
        return False


def _ratio(value: int, denominator: int) -> float:
    try:
        return value / denominator
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _lowest(line: Any, denominator: int) -> tuple[Any, int]:
    """``line / denominator`` without a common factor."""
    divisor = gcd(int(line.content()), denominator)
    return (line / divisor, denominator // divisor) if divisor > 1 else (line, denominator)
