"""Rows that linear algebra alone decides: as many as their rank, or one more."""

from __future__ import annotations

from math import gcd

import numpy as np

from .linear import null_vector, pivot_columns, pivot_rows, solve
from .outcome import Cancellation, Mask, Separator
from .rows import IntegerRows

_STAGE = "elimination"


def eliminate(rows: IntegerRows, equal: Mask) -> Separator | Cancellation | None:
    """Decide rows that are independent, or dependent in one way only; None for all others, and without strict rows.

    Independent rows take any values, so ``w`` with value 1 on strict rows and 0 on equal ones exists. If the only
    dependence is ``Σ λ_i a_i = 0``, it is a cancellation when λ has one sign on the strict rows; otherwise positive
    values ``b`` with ``λ · b = 0`` can be prescribed. Exact; ``equal`` rows must be independent.
    """
    if rows.n_rows > rows.n_columns + 1 or equal.all():
        return None
    kept = pivot_rows(rows)
    if len(kept) < rows.n_rows - 1:
        return None
    values = [0 if tied else 1 for tied in equal.tolist()]
    if len(kept) == rows.n_rows - 1:
        (last,) = set(range(rows.n_rows)) - set(kept)
        vector = null_vector(rows, last)
        if vector is None:
            return None
        strict = [(i, value) for i, value in enumerate(vector) if value and not equal[i]]
        above, below = (sum(max(0, sign * value) for _, value in strict) for sign in (1, -1))
        if not strict:
            return None
        if not above or not below:
            sign = 1 if above else -1
            divisor = gcd(*vector)
            return Cancellation({i: sign * value // divisor for i, value in enumerate(vector) if value}, _STAGE)
        for i, value in strict:
            values[i] = below if value > 0 else above
    independent = rows.take(kept)
    columns = pivot_columns(independent)
    if len(columns) < len(kept):
        return None
    solution = solve(independent.keep_columns(columns), [values[i] for i in kept])
    if solution is None:
        return None
    weights = [0] * rows.n_columns
    for column, value in zip(columns, solution[0], strict=True):
        weights[column] = value
    divisor = gcd(*weights)
    found = Separator(tuple(weight // divisor for weight in weights), _STAGE)
    signs = rows.signs(found.weights)
    return None if np.any(np.where(equal, signs != 0, signs <= 0)) else found
