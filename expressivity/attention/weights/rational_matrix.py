"""Exact linear algebra on small tables: rank factorisations, solving and witnesses of rank, over FLINT's
``fmpq_mat``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat


def matrix(rows: Sequence[Sequence[Fraction]], columns: int) -> fmpq_mat:
    """A matrix from its rows; ``columns`` gives the width when there are none."""
    return fmpq_mat(len(rows), columns, [to_fmpq(value) for row in rows for value in row])


def to_fmpq(value: Fraction | int) -> fmpq:
    """A fraction as FLINT's."""
    return fmpq(value.numerator, value.denominator)


def to_fraction(value: fmpq) -> Fraction:
    """FLINT's fraction as Python's."""
    return Fraction(int(value.p), int(value.q))


def hstack(parts: Sequence[fmpq_mat]) -> fmpq_mat:
    """Matrices of equal height side by side."""
    tables = [part.tolist() for part in parts]
    rows = [[value for table in tables for value in table[i]] for i in range(parts[0].nrows())]
    return fmpq_mat(len(rows), sum(part.ncols() for part in parts), [value for row in rows for value in row])


def vstack(parts: Sequence[fmpq_mat]) -> fmpq_mat:
    """Matrices of equal width one above the other."""
    return fmpq_mat(sum(p.nrows() for p in parts), parts[0].ncols(), [value for p in parts for value in p.entries()])


def submatrix(whole: fmpq_mat, rows: Sequence[int], columns: Sequence[int]) -> fmpq_mat:
    """The chosen rows and columns, in the order given."""
    return fmpq_mat(len(rows), len(columns), [whole[i, j] for i in rows for j in columns])


def pivots(whole: fmpq_mat) -> list[int]:
    """The columns that are independent of those to their left."""
    reduced, rank = whole.rref()
    return [next(j for j in range(whole.ncols()) if reduced[i, j] != 0) for i in range(rank)]


def rank_factors(whole: fmpq_mat) -> tuple[fmpq_mat, fmpq_mat]:
    """``whole = left · right`` with as many columns in ``left`` as the rank: pivot columns, reduced rows.

    >>> left, right = rank_factors(fmpq_mat([[2, 4], [3, 6]]))
    >>> left.tolist(), right.tolist()
    ([[2], [3]], [[1, 2]])
    """
    reduced, rank = whole.rref()
    left = submatrix(whole, range(whole.nrows()), pivots(whole))
    return left, submatrix(reduced, range(rank), range(whole.ncols()))


def solve(left: fmpq_mat, right: fmpq_mat) -> fmpq_mat:
    """Some ``x`` with ``left · x = right``; unknowns that are free are 0.

    Raises:
        ValueError: there is none.
    """
    width = left.ncols()
    reduced, rank = hstack([left, right]).rref()
    found = fmpq_mat(width, right.ncols())
    for i in range(rank):
        pivot = next(j for j in range(reduced.ncols()) if reduced[i, j] != 0)
        if pivot >= width:
            raise ValueError("the system has no solution")
        for j in range(right.ncols()):
            found[pivot, j] = reduced[i, width + j]
    return found


def nonzero_minor(whole: fmpq_mat, size: int) -> tuple[list[int], list[int]]:
    """Rows and columns of a nonzero minor of that size, which shows that the rank is at least ``size``.

    Raises:
        ValueError: the rank is smaller.
    """
    rows = pivots(whole.transpose())[:size]
    columns = pivots(submatrix(whole, rows, range(whole.ncols())))[:size]
    if len(columns) < size:
        raise ValueError(f"the rank is below {size}")
    return rows, columns
