"""Exact linear algebra on integer rows: rank, pivots, and the solution of square systems.

Floating point and modular arithmetic find the answers, integers confirm them:

- ranks are bounded below modulo a prime (a minor that is nonzero modulo p is nonzero), or by a float inverse whose
  distance from the true one is bounded rigorously (Rump 1999: ``‖I − R·M‖ < 1`` makes M nonsingular);
- square systems are solved by float elimination whose integer residual is scaled up and solved again, until the
  rational solution can be read off by continued fractions (Wan 2006), and by Dixon's p-adic lifting in FLINT where
  the matrix is too ill-conditioned for that. Either solution is substituted before it is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flint
import numpy as np
from scipy.linalg import LinAlgError, get_lapack_funcs, lu_factor, lu_solve

from .rows import Array, IntegerRows

_PRIMES = ((1 << 31) - 1, (1 << 61) - 1, (1 << 62) - 57)
_SMALL = 48  # systems up to this size go to FLINT at once
_EXACT_FLOAT = 1 << 53


# ---------------------------------------------------------------------- rank and pivots


def rank_at_least(rows: IntegerRows, target: int) -> bool:
    """Whether the rank of ``rows`` over the rationals is at least ``target``. Exact."""
    if target <= 0:
        return True
    if target > min(rows.n_rows, len(np.unique(rows.indices))):
        return False
    if target > _SMALL and _float_rank_proof(rows, target):
        return True
    for prime in _PRIMES:
        if modular(rows, prime).rank() >= target:
            return True
    return bool(flint.fmpz_mat(_used(rows)).rank() >= target)


def modular(rows: IntegerRows, prime: int = _PRIMES[0]) -> Any:
    """The rows modulo ``prime`` as a FLINT matrix."""
    if not (rows.n_rows and rows.n_columns):
        return flint.nmod_mat(rows.n_rows, rows.n_columns, prime)
    if rows.fits_words:
        entries = rows.data % prime
    else:
        entries = np.array([entry % prime for entry in rows.data.tolist()], dtype=np.int64)
    table = np.zeros((rows.n_rows, rows.n_columns), dtype=np.int64)
    table[np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr)), rows.indices] = entries
    return flint.nmod_mat(rows.n_rows, rows.n_columns, table.ravel().tolist(), prime)


def pivot_columns(rows: IntegerRows, prime: int = _PRIMES[0]) -> list[int]:
    """Columns that are independent over the rationals: the first that are so modulo ``prime``.

    They are as many as the rank modulo the prime, which is the rank itself but for unlucky primes, and never more.
    """
    reduced, found = modular(rows, prime).rref()
    pivots: list[int] = []
    column = 0
    for i in range(found):
        while int(reduced[i, column]) == 0:
            column += 1
        pivots.append(column)
        column += 1
    return pivots


def pivot_rows(rows: IntegerRows, prime: int = _PRIMES[0]) -> list[int]:
    """Rows that are independent over the rationals, the first that are so modulo ``prime``."""
    return pivot_columns(transpose(rows), prime)


def transpose(rows: IntegerRows) -> IntegerRows:
    """The rows' transpose."""
    owners = np.repeat(np.arange(rows.n_rows, dtype=np.int64), np.diff(rows.indptr))
    order = np.argsort(rows.indices, kind="stable")
    counts = np.bincount(rows.indices, minlength=rows.n_columns)
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return IntegerRows(indptr, owners[order], rows.data[order], rows.n_rows)


def _used(rows: IntegerRows) -> list[list[int]]:
    return rows.keep_columns(np.unique(rows.indices)).dense()


def _float_rank_proof(rows: IntegerRows, target: int) -> bool:
    """A minor of size ``target`` found by elimination in floats and proved nonsingular; False proves nothing."""
    if not rows.fits_words or int(np.abs(rows.data).max(initial=0)) >= _EXACT_FLOAT:
        return False
    table = rows.keep_columns(np.unique(rows.indices)).floats().toarray().T  # a power of two per row keeps this exact
    factors, order = row_pivots(np.asfortranarray(table))
    size = np.abs(np.diagonal(factors))
    good = np.flatnonzero(size > 1e-10 * size.max(initial=1.0))
    if len(good) < target:
        return False
    if len(good) < len(size):  # a dependent row has spoilt the order: eliminate again without it
        table = table[:, good[:target]]
        factors, order = row_pivots(np.asfortranarray(table))
    matrix = table[order[:target], :target]
    getri: Any = get_lapack_funcs("getri", (factors,))
    inverse, failed = getri(factors[:target, :target], np.arange(target), lwork=64 * target)
    if failed:
        return False
    # |fl(R M) − R M| ≤ γ |R||M| entry by entry in any order of summation (Higham 2002, 3.13); the factor 4 covers the
    # subtraction of I and the roundings of this bound itself.
    unit = 4 * (target + 4) * 2.0**-53
    residual = np.abs(inverse @ matrix - np.eye(target)).sum(axis=1)
    bound = np.abs(inverse) @ np.abs(matrix).sum(axis=1)
    return bool(np.all(residual * (1 + unit) + unit * (bound + 1) < 0.5))


def row_pivots(matrix: Array) -> tuple[Array, Array]:
    """LU factors of a tall (or wide) matrix and the order in which partial pivoting takes its rows."""
    getrf: Any = get_lapack_funcs("getrf", (matrix,))
    factors, swaps, _ = getrf(matrix)
    order = np.arange(matrix.shape[0])
    for i, j in enumerate(swaps.tolist()):
        if i != j:
            order[i], order[j] = order[j], order[i]
    return factors, order


# ---------------------------------------------------------------------- square systems and null vectors


def null_vector(rows: IntegerRows, anchor: int = 0) -> list[int] | None:
    """Integers ``λ`` with ``Σ λ_i row_i = 0`` and ``λ_anchor > 0``, when the other rows are independent.

    Exact: the vector is substituted before it is returned. None when the other rows are dependent or the anchor is
    independent of them.
    """
    others = [i for i in range(rows.n_rows) if i != anchor]
    if not others:
        return [1] if not rows.nnz else None
    rows = rows.keep_columns(np.unique(rows.indices))
    if len(others) > rows.n_columns:
        return None
    rest = rows.take(others)
    columns: Sequence[int] | Array | None = None
    if len(others) > _SMALL and rest.fits_words:
        table = np.asfortranarray(rest.floats().toarray().T)
        factors, order = row_pivots(table)
        size = np.abs(np.diagonal(factors))
        if size.min() > 1e-11 * size.max():
            columns = np.sort(order[: len(others)])
    if columns is None:
        columns = pivot_columns(rest)
        if len(columns) < len(others):
            columns = pivot_columns(rest, _PRIMES[1])
        if len(columns) < len(others):
            return None
    system = transpose(rest.keep_columns(columns))
    target = rows.take([anchor]).keep_columns(columns)
    right = [0] * len(others)
    for column, entry in target.row(0).items():
        right[column] = -entry
    solution = solve(system, right)
    if solution is None:
        return None
    numerators, denominator = solution
    numerators.insert(anchor, denominator)
    return numerators if not rows.combine(dict(enumerate(numerators))) else None


def solve(system: IntegerRows, right: Sequence[int]) -> tuple[list[int], int] | None:
    """``x = numerators / denominator`` with ``system · x = right``, for a nonsingular square system. Exact.

    None when the system is singular.
    """
    size = system.n_rows
    if size == 0:
        return [], 1
    if size > _SMALL and system.fits_words and max(map(abs, right)) < 1 << 50:
        found = _refine(system, right)
        if found is not None:
            return found
    try:
        matrix = flint.fmpz_mat(system.dense())
        answer: Any = matrix.solve(flint.fmpz_mat(size, 1, [int(value) for value in right]))
    except ZeroDivisionError:
        return None
    numerators, denominator = answer.numer_denom()
    return [int(value) for value in numerators.entries()], int(denominator)


def _refine(system: IntegerRows, right: Sequence[int]) -> tuple[list[int], int] | None:
    """Wan's method: each round adds the bits that a float solve of the scaled integer residual gets right."""
    size = system.n_rows
    words = system._words()
    # Powers of two on both sides bring the matrix near norm 1 without rounding it.
    floats = system.floats().toarray()
    row_scale = system.exponents()
    column_scale = np.frexp(np.maximum(np.abs(floats).max(axis=0), 1e-300))[1]
    floats = np.ldexp(floats, -column_scale[None, :])
    try:
        factors = lu_factor(floats, check_finite=False)
    except (LinAlgError, ValueError):
        return None
    pivots = np.abs(np.diagonal(factors[0]))
    if not pivots.min() > 1e-13 * pivots.max():
        return None
    column_sums = system._bound("row")
    residual = np.array(right, dtype=np.int64)
    digits = np.zeros(size, dtype=object)
    total, step, checkpoint = 0, 45, 96
    limit = 2 * _hadamard_bits(system, right) + 128
    while total <= limit:
        scaled = np.ldexp(residual.astype(np.float64), -row_scale)
        rough = np.ldexp(lu_solve(factors, scaled, check_finite=False), -column_scale)
        largest = float(np.abs(rough).max())
        if not np.isfinite(largest):
            return None
        if largest == 0.0:  # the residual vanished: the solution is a dyadic number
            return _confirmed(system, right, digits, total, 1.0)
        while True:
            room = 61 - int(np.frexp(largest)[1])
            step = min(step, room)
            if step < 6:
                return None
            part = np.rint(np.ldexp(rough, step)).astype(np.int64)
            # The shift and the product may wrap: what counts is that the small difference is right modulo 2^64.
            with np.errstate(over="ignore"):
                after = (residual << step) - words @ part
            if int(np.abs(after).max()) <= 4 * column_sums:
                break
            step -= 4
        residual = after
        digits = (digits << step) + part.astype(object)
        total += step
        if total >= checkpoint:
            found = _confirmed(system, right, digits, total, max(1.0, 8 * size * largest))
            if found is not None:
                return found
            checkpoint = int(1.5 * checkpoint)
    return None


def _confirmed(
    system: IntegerRows, right: Sequence[int], digits: Array, bits: int, error: float
) -> tuple[list[int], int] | None:
    """Read rationals off ``digits / 2**bits`` (each within ``error / 2**bits``) and substitute them."""
    slack = int(np.ceil(np.log2(error))) + 4
    one = 1 << bits
    half = one >> 1
    denominator = 1
    for value in digits.tolist():
        scaled = denominator * value
        if abs((scaled + half) % one - half) <= denominator << slack:
            continue
        factor = _small_denominator(scaled % one, one, 1 << max(1, (bits - slack) // 2))
        denominator *= factor
        if denominator.bit_length() + slack >= bits // 2 + 8:
            return None
    numerators = [(denominator * value + half) >> bits for value in digits.tolist()]
    if system.times(numerators) != [denominator * value for value in right]:
        return None
    return numerators, denominator


def _small_denominator(numerator: int, denominator: int, most: int) -> int:
    """The denominator of the last convergent of ``numerator / denominator`` whose denominator is at most ``most``."""
    a, b, before, now = denominator, numerator, 0, 1
    while b:
        quotient, rest = divmod(a, b)
        after = before + quotient * now
        if after > most:
            break
        a, b, before, now = b, rest, now, after
    return now


def _hadamard_bits(system: IntegerRows, right: Sequence[int]) -> int:
    """Bits that suffice for every numerator and denominator (Hadamard 1893, Cramer's rule)."""
    squares = np.zeros(system.n_rows)
    owners = np.repeat(np.arange(system.n_rows), np.diff(system.indptr))
    np.add.at(squares, owners, system.data.astype(np.float64) ** 2)
    squares += np.array([float(value) for value in right]) ** 2
    return int(np.log2(np.maximum(squares, 1.0)).sum() / 2) + 8
