"""Powers of two that bring the entries of a matrix close together. Exact, and only ever used for hints."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .rows import Array

_NARROW = 12  # entries within this many powers of two of each other are left alone
_PASSES = 4


def equilibrated(matrix: sp.csr_array) -> tuple[sp.csr_array, Array, Array]:
    """Scale rows and columns geometrically: the middle of the exponents of each row, then of each column, moves to 0.

    Where that does not halve the range of the exponents, nothing is scaled.

    Returns:
        ``(scaled, row_exponents, column_exponents)`` with ``scaled_ij = matrix_ij / 2**(row_i + column_j)``. So
        weights ``w`` of the scaled columns are ``w / 2**column_exponents`` of the given ones.

    Example:
        >>> scaled, rows, columns = equilibrated(sp.csr_array(np.array([[1.0, 2.0**40], [3.0, 2.0**40]])))
        >>> scaled.toarray().tolist(), (columns[1] - columns[0]).item()
        ([[0.5, 0.5], [0.75, 0.25]], 40)
    """
    rows = np.zeros(matrix.shape[0], dtype=np.int64)
    columns = np.zeros(matrix.shape[1], dtype=np.int64)
    if not matrix.nnz:
        return matrix, rows, columns
    size = np.frexp(np.abs(matrix.data))[1].astype(np.float64)
    if size.max() - size.min() <= _NARROW:
        return matrix, rows, columns
    owners = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    across, down = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1])
    for _ in range(_PASSES):
        across += _middle(size - across[owners] - down[matrix.indices], owners, len(across))
        down += _middle(size - across[owners] - down[matrix.indices], matrix.indices, len(down))
    left = size - across[owners] - down[matrix.indices]
    if left.max() - left.min() > (size.max() - size.min()) / 2:
        return matrix, rows, columns  # large and small entries side by side: there is no scale to be found
    rows, columns = np.rint(across).astype(np.int64), np.rint(down).astype(np.int64)
    data = np.ldexp(matrix.data, -(rows[owners] + columns[matrix.indices]))
    return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape), rows, columns


def _middle(values: Array, groups: Array, count: int) -> Array:
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    return np.where(np.isfinite(low), (low + high) / 2, 0.0)
