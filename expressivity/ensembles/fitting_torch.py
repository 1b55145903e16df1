"""The steps of :mod:`expressivity.ensembles.fitting` in torch, for a device that multiplies faster than the CPU.

The same objective, line search and equations in 64-bit floats; sums are added up in another order, so that weights
agree up to rounding. This module alone imports torch, and is imported only where there is a device to use it on.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from expressivity.ensembles.fitting import DENSE, ITERATIONS, TOLERANCE, Floats, Step

_PAIRS = 1 << 23  # pairs of entries of a row whose products are formed at a time


def newton(
    rows: sp.csr_array, equal: npt.NDArray[np.bool_], weights: Floats, device: str | torch.device
) -> Iterator[Step]:
    """The steps of Newton's method with a line search, from given weights; ends when no step helps. Float.

    Args:
        rows: comparisons as rows, ``[m, n]``.
        equal: which of them ask for equality, ``[m]``; the others ask for a margin above 0.
        weights: where to start, ``[n]``.
        device: as torch names it.

    Raises:
        RuntimeError: there is no such device, or it has not enough memory.
    """
    table = _Table(rows, device)
    tied, point = torch.from_numpy(equal).to(device), torch.from_numpy(weights).to(device)
    margins = table.times(point)
    loss = _loss(margins, tied)
    while True:
        residuals = torch.where(tied, -margins, torch.sigmoid(-margins))
        curvature = torch.where(tied, 1.0, torch.clamp(residuals * (1.0 - residuals), min=1e-18))
        direction = table.direction(curvature, table.combine(residuals))
        change = table.times(direction)
        slope, step = float(residuals @ change), 1.0
        if not np.isfinite(slope):
            return
        while (after := _loss(margins + step * change, tied)) > loss - 1e-4 * step * slope:
            step /= 2
            if step < 1e-8:
                return
        point, margins, loss = point + step * direction, margins + step * change, after
        shown = torch.where(tied, 0.0, torch.sigmoid(-margins))
        yield Step(*(each.cpu().numpy() for each in (point, margins, shown)))


class _Table:
    """The rows ``X`` on the device."""

    def __init__(self, rows: sp.csr_array, device: str | torch.device) -> None:
        rows = rows.copy()
        rows.sum_duplicates()  # puts them in order, which torch checks
        across = sp.csr_array(rows.T)
        across.sum_duplicates()
        self.n_rows, self.n_columns = rows.shape
        self.device, self.starts = device, rows.indptr.astype(np.int64)
        self.rows, self.across, self.squares = (_on(device, each) for each in (rows, across, across.power(2)))

    def times(self, weights: torch.Tensor) -> torch.Tensor:
        """``X w``."""
        return self.rows @ weights

    def combine(self, factors: torch.Tensor) -> torch.Tensor:
        """``Xᵀ λ``."""
        return self.across @ factors

    def direction(self, curvature: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The solution of ``(Xᵀ C X + ridge) d = gradient``, NaN if there is none in floats."""
        diagonal = self.squares @ curvature
        ridge = 1e-10 * float(diagonal.sum()) / max(1, self.n_columns) + 1e-300
        if self.n_columns > DENSE:
            return self._iterated(curvature, gradient, ridge, 1.0 / (diagonal + ridge))
        table = self._gram(curvature)
        for more in (1.0, 1e4):
            table.diagonal().add_(more * ridge)
            factor, failed = torch.linalg.cholesky_ex(table)
            if not int(failed):
                return torch.cholesky_solve(gradient[:, None], factor)[:, 0]
        return torch.full_like(gradient, torch.nan)

    def _gram(self, curvature: torch.Tensor) -> torch.Tensor:
        """``Xᵀ C X``, dense: for each row the products of all pairs of its entries, where they belong."""
        size = self.n_columns
        table = torch.zeros(size * size, dtype=torch.float64, device=self.device)
        starts, columns, values = self.rows.crow_indices(), self.rows.col_indices(), self.rows.values()
        pairs = np.concatenate([[0], np.cumsum(np.diff(self.starts) ** 2)])
        first = 0
        while first < self.n_rows:
            last = max(first + 1, int(np.searchsorted(pairs, pairs[first] + _PAIRS, side="right")) - 1)
            held = starts[first + 1 : last + 1] - starts[first:last]
            row = torch.repeat_interleave(torch.arange(first, last, device=self.device), held)
            many = held[row - first]  # each entry of a row stands left as often as the row has entries
            entry = torch.arange(int(self.starts[first]), int(self.starts[last]), device=self.device)
            left, owner = torch.repeat_interleave(entry, many), torch.repeat_interleave(row, many)
            before = torch.repeat_interleave(torch.cumsum(many, 0) - many, many)
            right = starts[owner] + torch.arange(len(left), device=self.device) - before
            products = values[left] * values[right] * curvature[owner]
            table.index_add_(0, columns[left] * size + columns[right], products)
            first = last
        return table.view(size, size)

    def _iterated(
        self, curvature: torch.Tensor, gradient: torch.Tensor, ridge: float, inverse: torch.Tensor
    ) -> torch.Tensor:
        """Conjugate gradients with a diagonal preconditioner, stopped as SciPy's are."""
        found, rest = torch.zeros_like(gradient), gradient.clone()
        enough = TOLERANCE * float(torch.linalg.vector_norm(gradient))
        search, before = torch.zeros_like(gradient), 1.0
        for number in range(ITERATIONS):
            if float(torch.linalg.vector_norm(rest)) < enough:
                break
            scaled = inverse * rest
            now = float(rest @ scaled)
            search = scaled + (now / before) * search if number else scaled
            image = self.combine(curvature * self.times(search)) + ridge * search
            step = now / float(search @ image)
            found, rest, before = found + step * search, rest - step * image, now
        return found


def _on(device: str | torch.device, matrix: sp.csr_array) -> torch.Tensor:
    indptr, indices = (torch.from_numpy(each.astype(np.int64)).to(device) for each in (matrix.indptr, matrix.indices))
    values = torch.from_numpy(matrix.data.astype(np.float64)).to(device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Bb]eta state")  # torch warns that CSR is young; products are not
        return torch.sparse_csr_tensor(indptr, indices, values, size=matrix.shape, check_invariants=True)


def _loss(margins: torch.Tensor, equal: torch.Tensor) -> float:
    nothing = torch.zeros_like(margins)
    return float(torch.where(equal, margins * margins / 2, torch.logaddexp(nothing, -margins)).sum())
