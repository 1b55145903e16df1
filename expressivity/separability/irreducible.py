"""From a cancellation to one that is irreducible, and the questions that the search for smaller ones asks."""

from __future__ import annotations

import numpy as np

from .clock import Clock, OutOfTime
from .outcome import Cancellation, Flags, Mask, Separator, Undecided, equal_mask
from .rows import Array, IntegerRows
from .separate import separate


def irreducible(rows: IntegerRows, equal: Flags | None, cancellation: Cancellation) -> Cancellation:
    """A cancellation of some of the same rows that cancel in one way only. Exact; the given one must be valid.

    Raises:
        Refuted: ``cancellation`` does not cancel the rows.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 0], [-1, 0], [0, 2], [0, -1]])
        >>> irreducible(rows, None, Cancellation({0: 1, 1: 1, 2: 1, 3: 2})).multipliers
        {0: 1, 1: 1}
    """
    mask = equal_mask(rows, equal)
    cancellation.check(rows, equal, irreducible=False)
    if cancellation.is_irreducible(rows):
        return cancellation
    found = on_rows(rows, mask, np.array(sorted(cancellation.multipliers)), Clock())
    return found if isinstance(found, Cancellation) else cancellation


def on_rows(rows: IntegerRows, equal: Mask, numbers: Array, clock: Clock) -> Separator | Cancellation:
    """What ``separate`` says of the rows ``numbers`` alone, in terms of all rows.

    Raises:
        OutOfTime: the clock runs out.
    """
    found = separate(rows.take(numbers), equal[numbers], time_limit=_left(clock))
    if isinstance(found, Undecided):
        raise OutOfTime(clock.last)
    if isinstance(found, Separator):
        return found
    return Cancellation({int(numbers[i]): value for i, value in found.multipliers.items()}, found.stage)


def on_columns(rows: IntegerRows, equal: Mask, columns: Array, clock: Clock) -> Separator | Cancellation:
    """What ``separate`` says of the rows when only ``columns`` (in increasing order) may be used.

    The multipliers of a cancellation cancel the rows in these columns; the separator is one of the whole rows.

    Raises:
        OutOfTime: the clock runs out.
    """
    found = separate(rows.keep_columns(columns), equal, time_limit=_left(clock))
    if isinstance(found, Undecided):
        raise OutOfTime(clock.last)
    if isinstance(found, Cancellation):
        return found
    weights = [0] * rows.n_columns
    for column, weight in zip(columns.tolist(), found.weights, strict=True):
        weights[column] = weight
    return Separator(tuple(weights), found.stage)


def _left(clock: Clock) -> float | None:
    return None if clock.time_limit is None else clock.left
