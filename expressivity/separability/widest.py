"""The largest margin: weights between −1 and 1 that give every strict row as much as possible, and how much that is.

    maximise t   subject to   a_i · w ≥ t (strict rows),   a_i · w = 0 (equal rows),   |w_j| ≤ 1.

By duality of linear programs the largest margin is the least value of ``Σ_j |Σ_i λ_i a_ij|`` over multipliers
``λ_i``, at least 0 on strict rows, where they add up to 1, of any sign on equal rows. Multipliers of that kind prove a
bound whatever they are: ``t ≤ Σ_i λ_i a_i · w ≤ Σ_j |Σ_i λ_i a_ij|``.

HiGHS solves the program in floats. Its basis is solved again exactly, and if the solution is feasible on both sides it
is optimal. If not, the exact simplex method goes on from there, until time is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp

from expressivity.errors import InputError

from . import highs
from .clock import Clock, OutOfTime, Progress, single_threaded
from .exactify import Separating, rounded
from .linear import pivot_rows, solve, transpose
from .optimum import Optimum
from .outcome import Flags, Mask, Separator, equal_mask
from .rows import Array, IntegerRows

_BITS = 50  # kept of a float where it is rounded
_WIDE = 1000  # columns beyond which the exact simplex method takes too long to begin


@dataclass(frozen=True)
class Widest:
    """Weights between −1 and 1 with a large margin, and a proof of how much larger another could be. All exact.

    Attributes:
        weights: one number for each column, at most 1 in size; every equal row gives 0.
        margin: the least that a strict row gives, above 0.
        bound: no weights between −1 and 1 have a larger margin: proved.
        multipliers: what proves it, ``{row: multiplier}``: integers without a common factor, positive on strict rows.
            ``bound`` is the sum over the columns of ``|Σ_i λ_i a_ij|``, divided by the sum of ``λ_i`` over strict rows.
    """

    weights: tuple[Fraction, ...]
    margin: Fraction
    bound: Fraction
    multipliers: dict[int, int]

    @property
    def optimal(self) -> bool:
        """Whether no weights between −1 and 1 have a larger margin: proved."""
        return self.margin == self.bound


def largest_margin(
    rows: IntegerRows,
    equal: Flags | None,
    separator: Separator,
    *,
    time_limit: float | None = 10.0,
    progress: Progress | None = None,
) -> Widest:
    """Weights between −1 and 1 with the largest margin, exactly, and multipliers that prove it.

    Args:
        rows, equal: the question; at least one row must be strict.
        separator: a valid answer to it.
        time_limit: seconds, after which the best weights so far and a bound are returned; ``None``: no limit.
            Solving one system of equations exactly comes on top.
        progress: called with a line of text now and then.

    Raises:
        Refuted: ``separator`` does not separate the rows.
        InputError: no row is strict, so that the margin has no limit.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 1], [1, -2]])
        >>> found = largest_margin(rows, None, Separator((1, 0)))
        >>> [str(weight) for weight in found.weights], str(found.margin), found.optimal, found.multipliers
        (['1', '0'], '1', True, {0: 2, 1: 1})
    """
    mask = equal_mask(rows, equal)
    if mask.all():
        raise InputError("largest margin: no strict row, expected at least one; without any the margin has no limit")
    separator.check(rows, mask)
    search = _Search(rows, mask, separator)
    clock = Clock(time_limit, progress)
    try:
        with single_threaded(rows.n_columns):
            search.run(clock)
    except OutOfTime:
        pass
    return search.best()


class _Search:
    """The best weights and multipliers so far; candidates are measured exactly."""

    def __init__(self, rows: IntegerRows, equal: Mask, separator: Separator) -> None:
        self.rows = rows
        self.equal = equal
        self.margin = Fraction(0)
        self.weights: tuple[Fraction, ...] = ()
        self.offer_weights(list(separator.weights))
        sizes = [(sum(abs(entry) for entry in rows.row(i).values()), i) for i in np.flatnonzero(~equal).tolist()]
        self.bound = Fraction(min(sizes)[0])
        self.multipliers = {min(sizes)[1]: 1}

    def best(self) -> Widest:
        """The result, both parts of it exact."""
        return Widest(self.weights, self.margin, self.bound, self.multipliers)

    def offer_weights(self, weights: list[int]) -> None:
        """Integers on the ray of the weights: kept if they separate with a larger margin once they fit the box."""
        values = self.rows.times(weights)
        largest = max((abs(weight) for weight in weights), default=0)
        if not largest or any(value for value, tied in zip(values, self.equal.tolist(), strict=True) if tied):
            return
        least = min(value for value, tied in zip(values, self.equal.tolist(), strict=True) if not tied)
        margin = Fraction(least, largest)
        if margin > self.margin:
            self.margin = margin
            self.weights = tuple(Fraction(weight, largest) for weight in weights)

    def offer_multipliers(self, values: dict[int, int]) -> None:
        """Integers on the ray of the multipliers, negative ones on strict rows left out: kept if the bound is lower."""
        multipliers = {i: value for i, value in sorted(values.items()) if value > 0 or (value and self.equal[i])}
        total = sum(value for i, value in multipliers.items() if not self.equal[i])
        if not total:
            return
        bound = Fraction(sum(abs(value) for value in self.rows.combine(multipliers).values()), total)
        if bound < self.bound:
            divisor = gcd(*multipliers.values())
            self.bound = bound
            self.multipliers = {i: value // divisor for i, value in multipliers.items()}

    # ------------------------------------------------------------------ the three ways to candidates

    def run(self, clock: Clock) -> None:
        """Floats, the exact solution of their basis, and the exact simplex method."""
        clock.tick("largest margin: linear programming")
        solver = highs.load(self._program())
        solver.setOptionValue("time_limit", min(clock.left, 1e20))
        solver.run()
        numbers = []
        if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            solution, basis = solver.getSolution(), solver.getBasis()
            clock.tick("largest margin: solving exactly")
            duals = np.ldexp(np.array(solution.row_dual), -self.rows.exponents())
            self._from_floats(np.array(solution.col_value[:-1]), duals)
            basic = highspy.HighsBasisStatus.kBasic
            active = np.array([status != basic for status in basis.row_status])
            inside = np.array([status == basic for status in basis.col_status])
            self._from_basis(active, inside, np.sign(solution.col_value[:-1]))
            numbers = np.flatnonzero(active).tolist()
        if self.margin < self.bound and self.rows.n_columns <= _WIDE:
            self._from_simplex(numbers, clock)

    def _from_simplex(self, active: list[int], clock: Clock) -> None:
        """The exact method, begun where the best multipliers known are."""
        start = sorted(self.multipliers)
        left = self.rows.combine(self.multipliers)
        vanishing = [j for j in range(self.rows.n_columns) if j not in left]
        tied = np.flatnonzero(self.equal).tolist()
        optimum = Optimum(self.rows, self.equal, sorted({*active, *tied, *start}), start, vanishing)
        try:
            self.offer_weights(optimum.run(clock))
        finally:
            self.offer_multipliers(optimum.multipliers())

    def _program(self) -> highs.Program:
        """The program with row i divided by ``2**exponents[i]``."""
        program = highs.margin_program(self.rows.floats(), self.equal)
        units = np.where(self.equal, 0.0, -np.ldexp(1.0, -self.rows.exponents()))
        matrix: Any = sp.hstack([self.rows.floats(), sp.csr_array(units[:, None])])
        program.matrix = sp.csr_array(matrix)
        return program

    def _from_floats(self, weights: Array, duals: Array) -> None:
        """Rounded to so many bits: the best there is if nothing exact comes of it."""
        whole = [rounded(weight, _BITS) for weight in weights.tolist()]
        ties = self.rows.take(np.flatnonzero(self.equal))
        if any(ties.times(whole)):
            free = ties.take(pivot_rows(ties))
            met = Separating(free, np.ones(free.n_rows, dtype=bool)).exactly(whole, "rounding")
            whole = [] if met is None else list(met.weights)
        if whole:
            self.offer_weights(whole)
        self.offer_multipliers({i: rounded(value, _BITS) for i, value in enumerate(duals.tolist())})

    def _from_basis(self, active: Array, inside: Array, signs: Array) -> None:
        """The exact solution of a basis: active rows give t or 0, weights outside it are 1 or −1."""
        numbers, chosen = np.flatnonzero(active), np.flatnonzero(inside[:-1])
        if len(numbers) != len(chosen) + 1 or not inside[-1]:
            return
        part = self.rows.take(numbers)
        strict = (~self.equal[numbers]).tolist()
        width = len(chosen)
        inner = part.keep_columns(chosen)
        system = IntegerRows.from_dicts(
            [{**inner.row(k), **({width: -1} if strict[k] else {})} for k in range(len(numbers))], width + 1
        )
        fixed = [0 if inside[j] else int(sign) for j, sign in enumerate(signs.tolist())]
        answer = solve(system, [-value for value in part.times(fixed)])
        if answer is not None:
            numerators, denominator = answer
            weights = [value * denominator for value in fixed]
            for j, value in zip(chosen.tolist(), numerators, strict=False):
                weights[j] = value
            self.offer_weights(weights if denominator > 0 else [-weight for weight in weights])
        dual = solve(transpose(system), [0] * width + [-1])
        if dual is not None:
            numerators, denominator = dual
            sign = 1 if denominator > 0 else -1
            self.offer_multipliers({int(i): sign * v for i, v in zip(numbers, numerators, strict=True)})
