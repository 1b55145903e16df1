"""Linear programming beyond the precision of floats, in rounds.

The program is the largest margin in a box: maximise ``t`` with ``a · w ≥ t`` on strict rows, ``a · w = 0`` on equal
ones and ``|w_j| ≤ 1``. Its dual values ``y ≥ 0``, adding up to 1 on the strict rows, make a combination of the rows
as near to cancelling as possible. HiGHS solves it in floats. What its solution leaves of the constraints is
computed exactly, blown up by a power of two and solved for again, and so on (Gleixner, Steffy and Wolter 2012).
Every round adds some 20 to 40 bits, so margins of 2^−80 and multipliers of 80 bits come within reach of a float
solver.

After each round the weights are tried as a separator, and the rows at their bounds as a cancellation, both exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from . import highs
from .clock import Clock
from .exactify import Separating, cancelling, rounded, settled_by
from .layers import Layer, cut, layer
from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows, float_of
from .scaling import equilibrated

_STAGE = "linear programming"
_ROUNDS = 40
_GAIN = 20  # bits by which a correction may be blown up more than the one before
_DUAL_GAIN = 40  # the same for the dual values, which have no box to outgrow
_KEPT = 40  # bits kept of a correction
_FAR = 1e18  # slack beyond this counts as unlimited
_IDLE = 3  # rounds in a row that may leave the dual values as they are
_FIRST, _PATIENCE = 120.0, 1.0  # seconds for the first program, and at least for each later one


class Refinement:
    """Rounds of float programs whose data are exact residuals.

    Row i and column j of the program are those of the question divided by ``2**across[i]`` and ``2**down[j]``.
    """

    def __init__(self, rows: IntegerRows, equal: Mask, clock: Clock) -> None:
        self.rows = rows
        self.equal = equal
        self.clock = clock
        self.matrix, across, down = equilibrated(rows.floats())
        self.across = (across + rows.exponents()).tolist()
        self.down = down.tolist()
        self.largest = 1.0 + float(np.abs(self.matrix).sum(axis=1).max(initial=0.0))  # of the margins in the box
        self.separating = Separating(rows, equal)
        self.weights = _Fixed([0] * (rows.n_columns + 1))  # w, then t
        self.duals = _Fixed([0] * rows.n_rows)
        self.active = np.flatnonzero(equal)

    def run(self) -> Separator | Cancellation | Layer | None:
        """A certificate; or a layer of rows; or None when the rounds no longer help."""
        solver = self._first()
        zoom, dual_zoom = 0, 0
        patience, idle = _FIRST, 0
        for number in range(1, _ROUNDS + 1):
            self.clock.tick(f"linear programming: round {number}, {zoom} bits")
            before = solver.getRunTime()
            solver.setOptionValue("time_limit", before + min(self.clock.left, patience))
            solver.run()
            patience = max(_PATIENCE, 3 * (solver.getRunTime() - before))
            if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                self.clock.tick()
                return None
            solution, basis = solver.getSolution(), solver.getBasis()
            self.weights.add(solution.col_value, zoom)
            self.duals.add(solution.row_dual, dual_zoom)
            self.active = np.flatnonzero([status != highspy.HighsBasisStatus.kBasic for status in basis.row_status])
            found = self._attempt()
            if found is not None:
                return found
            gaps, reduced = self._gaps(), self._reduced_costs()
            further = _zoom(self._violation(gaps), zoom + _GAIN)
            dual_further = _zoom(self._dual_violation(reduced, basis.col_status), dual_zoom + _DUAL_GAIN)
            idle = idle + 1 if dual_further < dual_zoom + 4 else 0
            if idle > _IDLE or (idle and further < zoom + 4):
                return None
            zoom, dual_zoom = max(zoom, further), max(dual_zoom, dual_further)
            self._pose(solver, gaps, zoom, reduced, dual_zoom)
        return None

    def starts(self) -> list[list[int]]:
        """Sets of rows that nearly cancel, larger ones first: those with multipliers above one threshold or another."""
        values = np.where(self.equal, np.abs(self.duals.floats()), self.duals.floats())
        found: list[list[int]] = []
        for threshold in (0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-2):
            chosen = np.flatnonzero(values > threshold * values.max(initial=0.0)).tolist()
            if chosen and chosen not in found and len(chosen) <= self.rows.n_columns + 1:
                found.append(chosen)
        return found

    # ------------------------------------------------------------------ answers

    def _attempt(self) -> Separator | Cancellation | Layer | None:
        found: Separator | Cancellation | None
        margin = float_of(self.weights.values[-1], self.weights.bits)
        if margin > 0:
            found = self.separating.exactly(self._integers(), _STAGE)
            if found is not None:
                return found
        if margin < 1e-6:
            values = self.duals.floats()[self.active]
            found = cancelling(self.rows, self.equal, self.active, values, _STAGE)
            found = found or settled_by(self.rows, self.equal, self.active, _STAGE)
            if found is not None:
                return found
            found_layer = layer(self.rows, self.equal, self._integers())
            return found_layer or cut(self.rows, self.equal, np.ldexp(self.weights.floats()[:-1], -np.array(self.down)))
        return None

    def _integers(self) -> list[int]:
        """The weights of the original columns, times a power of two."""
        most = max(self.down, default=0)
        return [value << (most - shift) for value, shift in zip(self.weights.values, self.down, strict=False)]

    # ------------------------------------------------------------------ residuals, exact

    def _gaps(self) -> list[tuple[int, int]]:
        """``a · w − t`` for strict rows, ``a · w`` for equal ones, as ``(value, bits)``: ``value / 2**bits``."""
        most = max(max(self.down, default=0), -min(self.across, default=0))
        weights = [value << (most - shift) for value, shift in zip(self.weights.values, self.down, strict=False)]
        margin = self.weights.values[-1]
        products = self.rows.times(weights)
        return [
            (product if tied else product - (margin << (most + shift)), self.weights.bits + most + shift)
            for product, shift, tied in zip(products, self.across, self.equal.tolist(), strict=True)
        ]

    def _reduced_costs(self) -> list[tuple[int, int]]:
        """``−Σ_i y_i a_ij`` for each column, and for t ``Σ y_i − 1`` over strict rows, as ``(value, bits)``."""
        most = max(self.across, default=0)
        used = {i: value << (most - self.across[i]) for i, value in enumerate(self.duals.values) if value}
        total = self.rows.combine(used)
        bits = self.duals.bits
        costs = [(-total.get(j, 0), bits + most + shift) for j, shift in enumerate(self.down)]
        strict = sum(value for value, tied in zip(self.duals.values, self.equal.tolist(), strict=True) if not tied)
        return [*costs, (strict - (1 << bits), bits)]

    def _violation(self, gaps: list[tuple[int, int]]) -> int | None:
        """The bits after the point of the largest violated constraint; None when none is violated."""
        found = [
            bits - abs(value).bit_length()
            for (value, bits), tied in zip(gaps, self.equal.tolist(), strict=True)
            if value < 0 or (tied and value)
        ]
        one = 1 << self.weights.bits
        found += [self.weights.bits - (abs(v) - one).bit_length() for v in self.weights.values[:-1] if abs(v) > one]
        return min(found, default=None)

    def _dual_violation(self, reduced: list[tuple[int, int]], statuses: list[highspy.HighsBasisStatus]) -> int | None:
        found = [
            self.duals.bits - abs(value).bit_length()
            for value, tied in zip(self.duals.values, self.equal.tolist(), strict=True)
            if value < 0 and not tied
        ]
        lower, upper = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kUpper
        for (value, bits), status in zip(reduced, statuses, strict=True):
            if value and not ((status == lower and value > 0) or (status == upper and value < 0)):
                found.append(bits - abs(value).bit_length())
        return min(found, default=None)

    # ------------------------------------------------------------------ programs, float

    def _first(self) -> Any:
        program = highs.margin_program(self.matrix, self.equal)
        program.lower[-1], program.upper[-1] = -self.largest, self.largest
        solver = highs.load(program)
        solver.setOptionValue("solver", "simplex")
        solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
        solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
        return solver

    def _pose(
        self,
        solver: Any,
        gaps: list[tuple[int, int]],
        zoom: int,
        reduced: list[tuple[int, int]],
        dual_zoom: int,
    ) -> None:
        """Replace right-hand sides, bounds and costs by the residuals, magnified."""
        m, n = self.rows.n_rows, self.rows.n_columns
        right = -np.array([float_of(value, bits - zoom) for value, bits in gaps])
        lower = np.where(right < -_FAR, -np.inf, right)
        one = 1 << self.weights.bits
        down = np.array([float_of(-one - v, self.weights.bits - zoom) for v in self.weights.values[:-1]])
        up = np.array([float_of(one - v, self.weights.bits - zoom) for v in self.weights.values[:-1]])
        costs = np.array([float_of(value, bits - dual_zoom) for value, bits in reduced])
        solver.changeRowsBounds(m, np.arange(m, dtype=np.int32), lower, np.where(self.equal, right, np.inf))
        solver.changeColsBounds(
            n, np.arange(n, dtype=np.int32), np.where(down < -_FAR, -np.inf, down), np.where(up > _FAR, np.inf, up)
        )
        most = float(np.ldexp(self.largest, zoom))
        solver.changeColBounds(n, -most, most)
        solver.changeColsCost(n + 1, np.arange(n + 1, dtype=np.int32), costs)


@dataclass
class _Fixed:
    """Numbers ``values / 2**bits``."""

    values: list[int]
    bits: int = 0

    def add(self, corrections: list[float], zoom: int) -> None:
        """Add ``corrections / 2**zoom``."""
        bits = zoom + _KEPT
        if bits > self.bits:
            self.values = [value << (bits - self.bits) for value in self.values]
            self.bits = bits
        step = self.bits - zoom
        self.values = [value + rounded(change, step) for value, change in zip(self.values, corrections, strict=True)]

    def floats(self) -> Array:
        return np.array([float_of(value, self.bits) for value in self.values])


def _zoom(violation: int | None, most: int) -> int:
    return most if violation is None else min(violation, most)
