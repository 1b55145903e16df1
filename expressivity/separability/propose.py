"""The fast way to a proof: logistic regression proposes, exact arithmetic disposes.

Certificates are attempted inside the Newton loop. All margins positive: the weights are rounded to a separator. A step
whose residuals cancel without a negative sign: rows are dropped from the combination, first by refitting to the
rows that weigh most, then by a walk to a vertex, whose few rows determine the multipliers exactly. When only some
rows keep a sizeable residual while the others drift away, they are tried by themselves.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .clock import Clock
from .exactify import Separating, cancelling, settled_by
from .layers import Layer, cut
from .newton import Logistic, Step
from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows
from .scaling import equilibrated
from .vertex import walk_to_vertex

_STAGE = "logistic regression"
_STEPS = 60
_CUTS = (10, 20, 40)  # steps after which a layer of rows is worth looking for
_SHRINK = 0.6
_FLOOR = 2.0  # a refit to fewer than this many rows for each column is not worth trying


class Proposer:
    """One question in floats: its rows, split into strict and equal ones, and what was learnt on the way."""

    def __init__(self, rows: IntegerRows, equal: Mask, clock: Clock, start: Array | None = None) -> None:
        self.rows = rows
        self.equal = equal
        self.clock = clock
        self.strict_numbers = np.flatnonzero(~equal)
        self.equal_numbers = np.flatnonzero(equal)
        floats, _, self.scale = equilibrated(rows.floats())
        # With fewer rows than columns the weights are looked for among the combinations of rows, w = Σ u_i a_i.
        self.span = floats.T if rows.n_rows < rows.n_columns else None
        if self.span is not None:
            floats = sp.csr_array(floats @ self.span)
        self.width = floats.shape[1]
        self.start = None if start is None or self.span is not None else np.ldexp(start, self.scale)
        self.strict = floats[self.strict_numbers] if len(self.equal_numbers) else floats
        self.ties = floats[self.equal_numbers] if len(self.equal_numbers) else sp.csr_array((0, self.width))
        self.separating = Separating(rows, equal)
        self.residuals = np.ones(len(self.strict_numbers))

    def run(self) -> Separator | Cancellation | Layer | None:
        """A certificate; or a layer, which makes the question smaller; or None when neither is found."""
        tried = len(self.strict_numbers) + 1
        weights = np.zeros(0)
        wait = 0  # a failed attempt costs more than a step: the next one waits until there are twice as many steps
        for count, step in enumerate(Logistic(self.strict, self.ties, self.start), start=1):
            wrong = int((step.margins <= 0).sum())
            self.clock.tick(f"logistic regression: step {count}, {wrong} rows on the wrong side")
            self.residuals, weights = step.residuals, self._weights(step)
            if not wrong:
                found = self.separating(weights, _STAGE)
                if found is not None:
                    return found
            elif count >= wait and step.residuals.min() >= -1e-9 * step.residuals.max():
                answer = self._cancel(np.arange(len(self.strict_numbers)), step)
                if answer is not None:
                    return answer
                wait = 2 * count
            if count > 4 and count % 3 == 2:
                heavy = np.flatnonzero(step.residuals > 1e-2 * step.residuals.max())
                if len(heavy) < 0.9 * tried:
                    tried = len(heavy)
                    answer = self._fit_part(heavy, step.weights)
                    if answer is not None:
                        return answer
            if count in _CUTS:
                layer = cut(self.rows, self.equal, weights)
                if layer is not None and len(layer.left) < 0.9 * self.rows.n_rows:
                    return layer
            if count >= _STEPS:
                break
        return cut(self.rows, self.equal, weights)

    def hint(self) -> Array:
        """Rows that seem to matter most, for a method that needs them."""
        order = np.argsort(-self.residuals, kind="stable")[: self.rows.n_columns + 1]
        return np.sort(np.concatenate((self.strict_numbers[order], self.equal_numbers)))

    def _weights(self, step: Step) -> Array:
        """The weights of the original columns."""
        weights = step.weights if self.span is None else np.asarray(self.span @ step.weights)
        return np.asarray(np.ldexp(weights, -self.scale))

    def _fit_part(self, part: Array, weights: Array) -> Separator | Cancellation | None:
        fitted = self._refit(part, weights)
        return None if fitted is None else self._cancel(part, fitted)

    def _refit(self, part: Array, weights: Array, steps: int = 12) -> Step | None:
        """The step at which the rows ``part`` alone cancel with positive residuals, if that comes soon."""
        for count, step in enumerate(Logistic(self.strict[part], self.ties, weights)):
            self.clock.tick()
            if step.residuals.min() >= 0 and step.margins.min() <= 0:
                return step
            if step.margins.min() > 0 or count >= steps:
                return None
        return None

    def _cancel(self, part: Array, step: Step) -> Separator | Cancellation | None:
        """Fewer and fewer of the rows ``part``, as long as they cancel; then a vertex, then integers."""
        width = max(1, self.width - len(self.equal_numbers))
        while len(part) > 1.1 * _FLOOR * width:
            size = max(int(_FLOOR * width), int(_SHRINK * len(part)))
            top = np.sort(np.argsort(-step.residuals, kind="stable")[:size])
            fitted = self._refit(part[top], step.weights, 8)
            if fitted is None:
                break
            part, step = part[top], fitted
        residuals = np.maximum(step.residuals, 0.0)
        heavy = residuals > 1e-13 * residuals.max()
        part, residuals = part[heavy], residuals[heavy]
        self.clock.tick(f"cancelling {len(part)} rows")
        numbers = np.concatenate((self.strict_numbers[part], self.equal_numbers))
        floats = sp.csr_array(sp.vstack([self.strict[part], self.ties]))
        multipliers = np.concatenate((residuals, step.equal_residuals))
        chosen, values = walk_to_vertex(floats, multipliers, self.equal[numbers])
        found = cancelling(self.rows, self.equal, numbers[chosen], values, _STAGE)
        return found or settled_by(self.rows, self.equal, numbers[chosen], _STAGE)
