"""Rows that occur several times, found without comparing each with each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Numbers = npt.NDArray[np.int64]


def distinct_rows(matrix: sp.csr_array) -> tuple[Numbers, Numbers]:
    """The rows without repetition, in order of first appearance. Exact.

    Rows are told apart by the sum, modulo 2⁶⁴, of scrambled entries; those that agree in it are compared, and where
    they are not equal the entries are scrambled anew.

    Args:
        matrix: a CSR array ``[n, columns]``, its indices sorted and no zero stored, entries of 8 bytes each.

    Returns:
        For each distinct row its first occurrence, ``[k]``, ascending; for each row which of them it is, ``[n]``.

    >>> found = distinct_rows(sp.csr_array(np.array([[1, 2], [0, 3], [1, 2]])))
    >>> [part.tolist() for part in found]
    [[0, 1], [0, 1, 0]]
    """
    n_rows, n_columns = matrix.shape
    rng = np.random.default_rng(0)
    while True:
        sums = np.zeros(1 + matrix.nnz, dtype=np.uint64)
        salt = rng.integers(1 << 64, size=n_columns, dtype=np.uint64)
        np.cumsum(_scrambled(matrix.data.view(np.uint64) + salt[matrix.indices]), out=sums[1:])
        _, first, place = np.unique(np.diff(sums[matrix.indptr]), return_index=True, return_inverse=True)
        again = np.flatnonzero(first[place] != np.arange(n_rows))
        if _equal(matrix[again], matrix[first[place[again]]]):
            order = np.argsort(first)
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            return first[order], rank[place]


def _scrambled(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Each word mapped to another one-to-one, so that every bit depends on every bit (as in splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _equal(left: Any, right: Any) -> bool:
    parts = ((left.indptr, right.indptr), (left.indices, right.indices), (left.data, right.data))
    return all(np.array_equal(*pair) for pair in parts)
