"""Many rows, decided by the few that matter.

A cancellation of some of the rows is one of all, and a separator of some is one of all as soon as no other row objects.
So a sample is decided first; the rows that its separator gets most wrong join it, and so on until one of the two
happens, which it does, because the sample grows and the rows are finite.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .clock import Clock
from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows

Decide = Callable[[IntegerRows, Mask, Clock, Array | None], Separator | Cancellation]

_LARGE = 30_000  # rows up to which all of them are taken at once
_SHARE = 12  # and this many times the number of columns
_SAMPLE = 5  # rows for each column to begin with
_GROWTH = 2_000  # rows that may join the sample in one round


def is_large(rows: IntegerRows) -> bool:
    """Whether a sample of the rows is worth deciding first."""
    return rows.n_rows > max(_LARGE, _SHARE * rows.n_columns)


def decide_by_parts(rows: IntegerRows, equal: Mask, clock: Clock, decide: Decide) -> Separator | Cancellation:
    """Decide the rows by deciding growing parts of them with ``decide``. Exact if ``decide`` is."""
    rng = np.random.default_rng(0)  # the same question has the same answer
    strict, ties = np.flatnonzero(~equal), np.flatnonzero(equal)
    size = min(len(strict), _SAMPLE * rows.n_columns + 100)
    part = np.sort(np.concatenate((ties, rng.choice(strict, size, replace=False))))
    floats = rows.floats()
    lengths = np.sqrt(np.asarray(floats.multiply(floats).sum(axis=1)).ravel())
    weights: Array | None = None
    for number in range(1, rows.n_rows + 1):
        clock.tick(f"round {number}: {len(part)} of {rows.n_rows} rows")
        found = decide(rows.take(part), equal[part], clock, weights)
        if isinstance(found, Cancellation):
            return Cancellation({int(part[i]): value for i, value in found.multipliers.items()}, found.stage)
        signs = rows.signs(found.weights)
        wrong = np.flatnonzero(np.where(equal, signs != 0, signs <= 0))
        if not len(wrong):
            return found
        largest = max(abs(weight) for weight in found.weights)
        weights = np.array([weight / largest for weight in found.weights])
        # Rows that are nearly wrong will be wrong next.
        margins = np.asarray(floats @ weights) / lengths
        weights *= 4.0 / np.median(np.abs(margins))
        nearest = np.argpartition(margins, _GROWTH)[:_GROWTH] if len(margins) > _GROWTH else np.arange(len(margins))
        part = np.unique(np.concatenate((part, nearest, wrong[np.argsort(margins[wrong], kind="stable")[:_GROWTH]])))
    raise ArithmeticError("a separator of all rows does not separate them")
