"""The space on which some rows vanish, and the other rows seen from there.

Rows that cancel with positive multipliers vanish on every ``w`` that makes none of them negative, so whatever remains
to be asked is asked of the space where they vanish. A :class:`Face` describes that space twice, so that it can be
checked: rows that are independent and span the cancelling ones, and a basis of the vectors on which these vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import flint
import numpy as np

from .linear import pivot_rows
from .rows import Array, IntegerRows

_PRIMES = ((1 << 31) - 1, (1 << 61) - 1)


@dataclass(frozen=True)
class Face:
    """``{u : row_i · u = 0 for every i in independent}``.

    Attributes:
        independent: numbers of linearly independent rows.
        basis: integer vectors without common factors, as many as columns less ``independent``, that span the space.
        width: how many columns there are.
    """

    independent: tuple[int, ...]
    basis: tuple[tuple[int, ...], ...]
    width: int

    @property
    def dimension(self) -> int:
        """The dimension of the space."""
        return len(self.basis)

    def project(self, rows: IntegerRows) -> IntegerRows:
        """The rows as functions on the space, in the coordinates of the basis: shape ``[n_rows, dimension]``. Exact."""
        if not self.independent:  # the whole space, in its own coordinates
            return rows
        values = [rows.times(vector) for vector in self.basis]
        return IntegerRows.from_dicts(
            ({k: column[i] for k, column in enumerate(values) if column[i]} for i in range(rows.n_rows)), self.dimension
        )

    def lift(self, coordinates: Sequence[int]) -> tuple[int, ...]:
        """The vector with these coordinates, divided by the common factor of its entries."""
        total = [0] * self.width
        for factor, vector in zip(coordinates, self.basis, strict=True):
            if factor:
                total = [value + factor * entry for value, entry in zip(total, vector, strict=True)]
        return primitive(total)


def face(rows: IntegerRows, numbers: Sequence[int] | Array) -> Face:
    """The space on which the rows ``numbers`` vanish. Exact.

    Example:
        >>> face(IntegerRows.from_dense([[1, 0, -1], [2, 0, -2], [0, 1, 1]]), [0, 1])
        Face(independent=(0,), basis=((0, 1, 0), (1, 0, 1)), width=3)
    """
    chosen = np.asarray(numbers, dtype=np.int64)
    part = rows.take(chosen)
    for prime in _PRIMES:
        # Independent modulo a prime is independent; the prime was a bad one if these do not span the others.
        independent = chosen[pivot_rows(part, prime)]
        found = Face(tuple(independent.tolist()), _null_basis(rows.take(independent)), rows.n_columns)
        if not any(any(part.times(vector)) for vector in found.basis):
            return found
    independent = chosen[_exact_pivot_rows(part)]
    return Face(tuple(independent.tolist()), _null_basis(rows.take(independent)), rows.n_columns)


def primitive(vector: Sequence[int]) -> tuple[int, ...]:
    """The vector divided by the greatest common factor of its entries."""
    divisor = gcd(*vector) or 1
    return tuple(entry // divisor for entry in vector)


def _null_basis(rows: IntegerRows) -> tuple[tuple[int, ...], ...]:
    width = rows.n_columns
    if not rows.n_rows or not width:
        return tuple(tuple(int(i == k) for i in range(width)) for k in range(width))
    table, nullity = flint.fmpz_mat(rows.dense()).nullspace()
    entries = [int(value) for value in table.entries()]
    stride = table.ncols()
    vectors = (primitive(entries[k::stride]) for k in range(nullity))
    return tuple(v if next(filter(None, v)) > 0 else tuple(-entry for entry in v) for v in vectors)


def _exact_pivot_rows(rows: IntegerRows) -> list[int]:
    reduced, _, rank = flint.fmpz_mat(rows.dense()).transpose().rref()
    pivots: list[int] = []
    for i in range(rank):
        start = pivots[-1] + 1 if pivots else 0
        pivots.append(next(k for k in range(start, rows.n_rows) if reduced[i, k] != 0))
    return pivots
