"""Multinomial logistic regression on a support by Newton's method. Float: guidance, and no proof of anything.

The loss is ``Σ_x w(x) (log Σ_y exp η(x,y) − Σ_y p(y|x) η(x,y))`` with the sums over the support alone. With ``Δ`` the
rows of :class:`~expressivity.cross_entropy.problem.Pairs` and ``Δ̄(x)`` their mean under the model, the Hessian is the
Gram matrix of the rows ``√(w r(y)) (Δ(x,y) − Δ̄(x))``, the head's row ``−√(w r(head)) Δ̄(x)`` among them: a sum of
squares, so that nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from expressivity.cross_entropy.problem import Array, Pairs

_STEPS = 200
_TINY = 1e-14  # a decrement below which slow progress is rounding error, or chances on their way to 0
_RIDGE = 1e-14  # of the scaled Hessian's diagonal, which is 1: logits that nothing determines stay where they are


@dataclass(frozen=True)
class Fit:
    """The last iterate.

    Attributes:
        theta: the logits of each column, shape ``[columns]``.
        chance: the model's probability of each pair, shape ``[pairs]``.
        head_chance: and of each head, shape ``[classes]``.
    """

    theta: Array
    chance: Array
    head_chance: Array


def fit(rows: Pairs, weights: Array, chances: Array, deadline: float) -> Fit:
    """Newton's method from 0 until the decrement is lost in rounding, no step helps, or the deadline has passed.

    It ends early on labels that the iterate separates.

    Args:
        rows: the support.
        weights: ``w(x)``, floats of sum 1, shape ``[classes]``.
        chances: ``p(y|x)`` of each pair, shape ``[pairs]``.
        deadline: on the clock ``time.monotonic``.
    """
    n_classes, n_columns = len(rows.head), rows.matrix.shape[1]
    share = weights[rows.owner]
    scale = np.sqrt(np.asarray(rows.matrix.power(2).T @ share)) if len(share) else np.ones(n_columns)
    scale[scale == 0] = 1.0
    sparse = rows.matrix.astype(np.float64) @ sp.diags_array(1.0 / scale)
    table = sparse.toarray() if sparse.nnz > 0.2 * np.prod(sparse.shape) else sparse.tocsr()
    theta = np.zeros(n_columns)
    loss, chance, head = _evaluate(table @ theta, rows, weights, chances)
    before = np.inf
    for _ in range(_STEPS):
        gradient = table.T @ (share * (chance - chances))
        direction = _newton(table, rows.owner, n_classes, share * chance, weights * head, chance, gradient)
        slope = -float(gradient @ direction)
        if not np.isfinite(slope) or slope <= 0 or (slope < _TINY and slope > before / 10) or monotonic() > deadline:
            break
        before = slope
        change = table @ direction
        logits = table @ theta
        step = 1.0
        while step > 1e-6:
            after = _evaluate(logits + step * change, rows, weights, chances)
            if after[0] <= loss - 1e-4 * step * slope or (slope < 1e-11 and after[0] <= loss + 1e-15):
                break
            step *= 0.5
        else:
            break
        theta = theta + step * direction
        loss, chance, head = after
        if not chances.any() and (step * change + logits < 0).all():
            break
    return Fit(theta / scale, chance, head)


def separates(fitted: Fit, rows: Pairs, seen: Array) -> bool:
    """Whether the task asks for one output at each context, the head, and the fit has it above all others."""
    return not seen.any() and bool((fitted.chance < fitted.head_chance[rows.owner]).all())


def _evaluate(logits: Array, rows: Pairs, weights: Array, chances: Array) -> tuple[float, Array, Array]:
    """The loss, the chance of each pair, and of each head (whose logit is 0)."""
    top = np.zeros(len(weights))
    np.maximum.at(top, rows.owner, logits)
    mass = np.exp(logits - top[rows.owner])
    head = np.exp(-top)
    total = head + np.bincount(rows.owner, mass, len(top))
    loss = weights @ (top + np.log(total)) - (weights[rows.owner] * chances) @ logits
    return float(loss), mass / total[rows.owner], head / total


def _newton(
    table: Array | sp.csr_array,
    owner: Array,
    n_classes: int,
    mass: Array,
    head_mass: Array,
    chance: Array,
    gradient: Array,
) -> Array:
    """The step ``−H⁻¹ g``, with a ridge on the scaled Hessian."""
    n, n_rows = len(gradient), len(owner)
    if n == 0:
        return np.zeros(0)
    if len(np.unique(owner)) == n_rows:  # where a class has one pair, Δ̄ is a multiple of Δ, and so are both of its rows
        single = sp.diags_array(np.sqrt(mass * (1.0 - chance) ** 2 + head_mass[owner] * chance**2)) @ table
        hessian = single.T @ single
    else:
        mixing = sp.csr_array((chance, (owner, np.arange(n_rows))), shape=(n_classes, n_rows))
        mean = mixing @ table
        spread = sp.diags_array(np.sqrt(mass)) @ (table - mean[owner])
        heads = sp.diags_array(np.sqrt(head_mass)) @ mean
        hessian = spread.T @ spread + heads.T @ heads
    dense = hessian if isinstance(hessian, np.ndarray) else hessian.toarray()
    size = np.sqrt(np.diagonal(dense))
    size[size == 0] = 1.0
    dense = dense / size[:, None] / size[None, :]
    for ridge in (_RIDGE, 1e-12, 1e-9, 1e-6):
        dense[np.diag_indices(n)] = 1.0 + ridge
        try:
            with threadpool_limits(1 if n < 2000 else None, "blas"):  # threads that wait for each other cost more
                factors = cho_factor(dense, lower=True, check_finite=False)
        except LinAlgError:
            continue
        step: Array = -cho_solve(factors, gradient / size, check_finite=False) / size
        return step
    return np.full(n, np.nan)
