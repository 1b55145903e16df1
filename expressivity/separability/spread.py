"""A cancellation of as many rows as possible, in one step.

Where logistic regression has a maximum, its residuals ``λ_i = σ(−a_i · w)`` are all positive and cancel the rows, every
one of them. Where it has none, the residuals of some rows tend to 0, and the others are fitted by themselves. The
residuals are rounded to integers on all rows but some independent ones, whose multipliers are then solved for exactly.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .clock import Clock
from .linear import pivot_columns, pivot_rows, solve, transpose
from .newton import Logistic
from .rows import Array, IntegerRows
from .scaling import equilibrated

_STEPS = 30
_REFITS = 4
_LIGHT = 1e-3  # residuals below this part of the largest are taken to tend to 0
_BITS = (10, 20, 36)


def spread(rows: IntegerRows, clock: Clock) -> dict[int, int] | None:
    """Positive multipliers of many rows under which these cancel, exact; or None when the floats do not lead there.

    Example:
        >>> rows = IntegerRows.from_dense([[1], [2], [-1], [-2]])
        >>> found = spread(rows, Clock())
        >>> sorted(found), rows.combine(found)
        ([0, 1, 2, 3], {})
    """
    floats, across, _ = equilibrated(rows.floats())
    across = across + rows.exponents()  # the float rows are the given ones divided by powers of two
    part = np.arange(rows.n_rows)
    for _ in range(_REFITS):
        residuals = _residuals(floats[part], clock)
        if residuals is None:
            return None
        heavy = residuals > _LIGHT * residuals.max()
        if heavy.all():
            return _exactly(rows, part, np.ldexp(residuals, across[part].min() - across[part]))
        part = part[heavy]
    return None


def _residuals(matrix: sp.csr_array, clock: Clock) -> Array | None:
    """The residuals once they are all sizeable, or after some steps; None if all rows can be made positive."""
    nothing = sp.csr_array((0, matrix.shape[1]))
    residuals = None
    for count, step in enumerate(Logistic(matrix, nothing)):
        clock.tick()
        residuals = step.residuals
        if step.margins.min() > 0 or not np.isfinite(residuals).all() or residuals.max() <= 0:
            return None
        if count >= _STEPS or (count >= 3 and residuals.min() > _LIGHT * residuals.max()):
            break
    return residuals


def _exactly(rows: IntegerRows, part: Array, residuals: Array) -> dict[int, int] | None:
    order = part[np.argsort(-residuals, kind="stable")]
    size = dict(zip(part.tolist(), (residuals / residuals.max()).tolist(), strict=True))
    independent = order[pivot_rows(rows.take(order))]
    spanning = rows.take(independent)
    columns = pivot_columns(spanning)
    system = transpose(spanning.keep_columns(columns))
    others = sorted(set(part.tolist()).difference(independent.tolist()))
    for bits in _BITS:
        fixed = {i: max(1, round(size[i] * 2**bits)) for i in others}
        value = rows.combine(fixed)
        solution = solve(system, [-value.get(column, 0) for column in columns])
        if solution is None:
            return None
        numerators, denominator = solution
        if min(numerators, default=0) > 0:
            found = {i: denominator * multiplier for i, multiplier in fixed.items()}
            found.update(zip(independent.tolist(), numerators, strict=True))
            return found if not rows.combine(found) else None
    return None
