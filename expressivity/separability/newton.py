"""Logistic regression by Newton's method, as a proposer of proofs.

The loss is ``Σ log(1 + exp(−m_i))`` over the margins ``m = X w`` of the strict rows. On separable rows its iterates
soon have margins that are all positive. On inseparable rows its residuals ``λ = σ(−m)`` tend to a combination of
the rows that cancels, and each Newton step ``d`` already names one: ``λ − Λ X d`` with ``Λ = diag(λ(1 − λ))``
cancels the rows up to rounding, because ``XᵀΛX d = Xᵀλ``; once none of its entries is negative it is a proof in all
but exactness.

Equal rows ``E w = 0`` are met by a Schur complement, and their multipliers come with it. Everything here is float and
proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .rows import Array


@dataclass
class Step:
    """The state after a Newton step.

    Attributes:
        weights: ``w``, shape ``[n_columns]``.
        margins: ``X w`` over the strict rows.
        residuals: a combination of the strict rows that cancels, up to rounding and to the signs of its entries.
        equal_residuals: the multipliers of the equal rows that go with it.
    """

    weights: Array
    margins: Array
    residuals: Array
    equal_residuals: Array


class Logistic:
    """The matrices of one fit, reused in every step; iterate over it for the steps."""

    def __init__(self, strict: sp.csr_array, equal: sp.csr_array, weights: Array | None = None) -> None:
        self.m, self.n = strict.shape
        self.strict = strict
        self.equal = equal
        # Seconds for XᵀΛX, roughly: sparse products cost 10 ns for each term, dense ones 0.04 ns.
        terms = float((np.diff(strict.indptr).astype(np.float64) ** 2).sum())
        self.is_dense = 2 * self.m * self.n**2 * 4e-11 < terms * 1e-8 + self.n**2 * 2e-9 + 1e-4
        self.table: Any = strict.toarray() if self.is_dense else strict
        self.start = np.zeros(self.n) if weights is None else weights

    def __iter__(self) -> Iterator[Step]:
        weights = self.start
        margins = self.table @ weights
        loss = _loss(margins)
        while True:
            probability = _sigmoid(-margins)
            curvature = np.maximum(probability * (1.0 - probability), 1e-18)
            direction, dual = self._direction(probability, curvature)
            if not np.isfinite(direction).all():
                return
            change = self.table @ direction
            residuals = probability - curvature * change
            step, slope = 1.0, float(probability @ change)
            for _ in range(30):
                trial = margins + step * change
                after = _loss(trial)
                if after <= loss - 1e-4 * step * slope or (after <= loss and slope < 1e-9 * loss):
                    break
                step *= 0.5
            else:
                yield Step(weights, margins, residuals, dual)
                return
            weights = weights + step * direction
            margins, loss = trial, after
            yield Step(weights, margins, residuals, dual)

    def _direction(self, probability: Array, curvature: Array) -> tuple[Array, Array]:
        gradient = np.asarray(self.table.T @ probability)
        root = np.sqrt(curvature)
        hessian: Array
        if self.is_dense:
            half = self.table * root[:, None]
            hessian = np.asarray(half.T @ half)
        else:
            sparse = sp.csr_array(sp.diags_array(root, dtype=np.float64) @ self.strict)
            hessian = sp.csr_array(sparse.T @ sparse).toarray()
        ridge = 1e-12 * float(np.trace(hessian)) / max(1, self.n) + 1e-300
        hessian[np.diag_indices(self.n)] += ridge
        try:
            factors = cho_factor(hessian, lower=True, check_finite=False)
        except LinAlgError:
            hessian[np.diag_indices(self.n)] += 1e4 * ridge
            try:
                factors = cho_factor(hessian, lower=True, check_finite=False)
            except LinAlgError:
                return np.full(self.n, np.nan), np.zeros(self.equal.shape[0])
        direction = np.asarray(cho_solve(factors, gradient, check_finite=False))
        if not self.equal.shape[0]:
            return direction, np.zeros(0)
        across = np.asarray(cho_solve(factors, self.equal.T.toarray(), check_finite=False))
        complement = self.equal @ across
        dual = np.linalg.lstsq(complement, self.equal @ direction, rcond=1e-12)[0]
        return np.asarray(direction - across @ dual), np.asarray(-dual, dtype=np.float64)


def _sigmoid(values: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-values, -700, 700))))


def _loss(margins: Array) -> float:
    return float(np.logaddexp(0.0, -margins).sum())
