"""Logistic regression on the active comparisons of a large part: a proposer in floats, which proves nothing.

It minimises ``Σ log(1 + exp(−m))`` over the margins ``m = X w`` of strict comparisons and ``Σ m²/2`` over those of
equal ones, by Newton's method. Where the comparisons can be met its weights turn towards the largest margin; where
they cannot, the residuals ``σ(−m)`` stay large on those that contradict each other.

Where there is a CUDA device, large fits take the same steps on it (:mod:`.fitting_torch`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]

DENSE = 4_000  # columns up to which the equations of a step are solved by a factorisation, beyond by iteration
ITERATIONS = 200
TOLERANCE = 5e-2  # of the iteration, relative
WORTH = 1e10  # multiplications in a step, a second or so of them, that outweigh the seconds in which torch starts


class Step(NamedTuple):
    """Weights, the margins ``X w`` of all rows, and the residuals ``σ(−m)`` of strict ones (0 on equal ones)."""

    weights: Floats
    margins: Floats
    residuals: Floats


def steps(rows: sp.csr_array, equal: npt.NDArray[np.bool_], weights: Floats) -> Iterator[Step]:
    """The steps of :func:`newton`, taken on a CUDA device if there is one and they are large enough to be worth it."""
    if work(rows) >= WORTH and has_cuda():
        from expressivity.ensembles import fitting_torch

        try:
            for step in fitting_torch.newton(rows, equal, weights, "cuda"):
                weights = step.weights
                yield step
            return
        except (RuntimeError, MemoryError):  # torch was built without CUDA, or the device is full: the CPU goes on
            pass
    yield from newton(rows, equal, weights)


def work(rows: sp.csr_array) -> float:
    """About how many multiplications a step takes."""
    many = rows.shape[1]
    return float(many**3 / 3 if many <= DENSE else 4 * rows.nnz * ITERATIONS)


def has_cuda() -> bool:
    """Whether a CUDA device seems to be there, which is asked of the system: to ask torch takes seconds to import it.

    Linux shows each device as a file, its subsystem in Windows shows one for all, and elsewhere the driver comes with
    the program ``nvidia-smi``. ``CUDA_VISIBLE_DEVICES`` can hide them.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return False
    shown = any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()
    return shown or shutil.which("nvidia-smi") is not None


def newton(rows: sp.csr_array, equal: npt.NDArray[np.bool_], weights: Floats) -> Iterator[Step]:
    """The steps of Newton's method with a line search, from given weights; ends when no step helps."""
    margins = rows @ weights
    loss = _loss(margins, equal)
    while True:
        residuals = np.where(equal, -margins, _sigmoid(-margins))
        curvature = np.where(equal, 1.0, np.maximum(residuals * (1.0 - residuals), 1e-18))
        direction = _direction(rows, curvature, rows.T @ residuals)
        change = rows @ direction
        slope, step = float(residuals @ change), 1.0
        if not np.isfinite(slope):
            return
        while (after := _loss(margins + step * change, equal)) > loss - 1e-4 * step * slope:
            step /= 2
            if step < 1e-8:
                return
        weights, margins, loss = weights + step * direction, margins + step * change, after
        yield Step(weights, margins, np.where(equal, 0.0, _sigmoid(-margins)))


def _direction(rows: sp.csr_array, curvature: Floats, gradient: Floats) -> Floats:
    """The solution of ``(Xᵀ C X + ridge) d = gradient``, NaN if there is none in floats."""
    many = rows.shape[1]
    diagonal = np.asarray(rows.multiply(rows).T @ curvature)
    ridge = 1e-10 * float(diagonal.sum()) / max(1, many) + 1e-300
    if many > DENSE:
        shape = (many, many)
        hessian: Any = LinearOperator(shape, matvec=lambda v: rows.T @ (curvature * (rows @ v)) + ridge * v)
        inverse = LinearOperator(shape, lambda v: v / (diagonal + ridge))
        found = cg(hessian, gradient, rtol=TOLERANCE, maxiter=ITERATIONS, M=inverse)
        return np.asarray(found[0])
    halves = sp.csr_array(sp.diags_array(np.sqrt(curvature)) @ rows)
    table = (halves.T @ halves).toarray()
    for more in (1.0, 1e4):
        table[np.diag_indices(many)] += more * ridge
        try:
            with threadpool_limits(1 if many < 2000 else None, "blas"):  # threads that wait for each other cost more
                factors = cho_factor(table, lower=True, check_finite=False)
            return np.asarray(cho_solve(factors, gradient))
        except LinAlgError:
            continue
    return np.full(many, np.nan)


def _loss(margins: Floats, equal: npt.NDArray[np.bool_]) -> float:
    return float(np.where(equal, margins * margins / 2, np.logaddexp(0.0, -margins)).sum())


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(-values, -700, 700))))
