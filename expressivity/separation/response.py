"""What was observed: a class in each row, or counts of classes.

Labels are sorted (numbers by size, anything else by its text, a pandas categorical in its own order) and the first is
the *reference*: the coefficients of every other class describe its log odds against the reference. A table of counts
has one column for each class, and the last is the reference, so that two columns are successes and failures, as in R's
``cbind(successes, failures)``. ``reference`` names another class. How often a class was observed in a row does not
matter to separation, only whether it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from expressivity.errors import InputError
from expressivity.separation.columns import level_codes
from expressivity.separation.numbers import Unreadable, exact_number, shown


@dataclass(frozen=True)
class Response:
    """The observations of a regression.

    Attributes:
        classes: their names, the reference first.
        observed: for each row of the data the classes observed there, by number, increasing; empty without weight.
    """

    classes: tuple[str, ...]
    observed: tuple[tuple[int, ...], ...]

    @property
    def used(self) -> list[int]:
        """The rows with an observation."""
        return [row for row, found in enumerate(self.observed) if found]


def response(y: Any, weights: Any, reference: Any, n_rows: int) -> Response:
    """Labels or counts as a :class:`Response`.

    Args:
        y: one label for each row, or a table of counts with a column for each of two or more classes.
        weights: one nonnegative number for each row; rows of weight 0 are left out.
        reference: the class that the others are compared with.
        n_rows: how many rows the design has.

    Raises:
        InputError: the lengths differ, a value is missing, a count or weight is negative, fewer than two classes occur.
    """
    try:
        shape = np.shape(y)
    except ValueError:
        raise InputError("y: rows of different lengths; expected a label for each row, or columns of counts") from None
    if len(shape) not in (1, 2):
        raise InputError(f"y: {len(shape)} dimensions; expected one label for each row, or columns of counts")
    if shape[0] != n_rows:
        raise InputError(f"y: {shape[0]} rows, but X has {n_rows}")
    if len(shape) == 2 and shape[1] == 1:
        y, shape = (y.iloc[:, 0] if hasattr(y, "iloc") else [row[0] for row in y]), shape[:1]
    if len(shape) == 2:
        names = list(map(str, y.columns)) if hasattr(y, "columns") else [f"y{k + 1}" for k in range(shape[1])]
        table = y.to_numpy().tolist() if hasattr(y, "to_numpy") else [list(row) for row in y]
        columns = list(zip(*table, strict=True)) if table else [()] * len(names)
        return counted(names, columns, reference, lambda row, name: f"y, row {row}, column {name!r}", weights=weights)
    categories = getattr(getattr(y, "cat", y), "categories", None)
    order = None if categories is None else categories.tolist()
    values = y.tolist() if hasattr(y, "tolist") else list(y)
    return labelled(values, reference, lambda row: f"y, row {row}", order=order, weights=weights)


def labelled(
    values: Sequence[Any],
    reference: Any,
    place: Callable[[int], str],
    *,
    order: Sequence[Any] | None = None,
    weights: Any = None,
    title: str = "y",
) -> Response:
    """A class for each row. ``place`` says where the label of a row stands, ``title`` where all of them do.

    Raises:
        InputError: as :func:`response`.
    """
    names, codes = level_codes(values, order, place)
    numbers = [_number(value) for value in values] if order is None else [None]
    row = next((row for row, number in enumerate(numbers) if number is not None and number.denominator != 1), None)
    if row is not None and None not in numbers:
        raise InputError(
            f"{place(row)}: found {shown(values[row])}; expected a class (for a proportion give the counts behind it)"
        )
    return _ordered(names, _weighted([(code,) for code in codes], weights), reference, title)


def counted(
    names: Sequence[str],
    columns: Sequence[Sequence[Any]],
    reference: Any,
    place: Callable[[int, str], str],
    *,
    weights: Any = None,
    title: str = "y",
) -> Response:
    """Counts of classes, a column for each; the last is the reference unless another is named.

    Raises:
        InputError: as :func:`response`.
    """
    order = [len(names) - 1, *range(len(names) - 1)]
    positive = [
        [bool(_nonnegative(value, place(row, names[k]))) for row, value in enumerate(columns[k])] for k in order
    ]
    observed = [tuple(np.flatnonzero(found).tolist()) for found in zip(*positive, strict=True)]
    return _ordered([names[k] for k in order], _weighted(observed, weights), reference, title)


def _number(value: Any) -> Fraction | None:
    try:
        return exact_number(value)
    except Unreadable:
        return None


def _weighted(observed: Sequence[tuple[int, ...]], weights: Any) -> Sequence[tuple[int, ...]]:
    if weights is None:
        return observed
    if np.ndim(weights) != 1 or len(weights) != len(observed):
        raise InputError(f"weights: shape {np.shape(weights)}, expected one number for each of {len(observed)} rows")
    listed = weights.tolist() if hasattr(weights, "tolist") else list(weights)
    return [
        found if _nonnegative(weight, f"weights, row {row}") else ()
        for row, (found, weight) in enumerate(zip(observed, listed, strict=True))
    ]


def _nonnegative(value: Any, where: str) -> Fraction:
    try:
        number = exact_number(value)
    except Unreadable as reason:
        raise InputError(f"{where}: found {reason}; expected a number, at least 0") from None
    if number < 0:
        raise InputError(f"{where}: found {shown(value)}; expected a number, at least 0")
    return number


def _ordered(names: Sequence[str], observed: Sequence[tuple[int, ...]], reference: Any, title: str) -> Response:
    """Classes that never occur left out, the reference moved to the front."""
    present = sorted({k for found in observed for k in found})
    if len(present) < 2:
        seen = "none" if not present else f"only {shown(names[present[0]])}"
        raise InputError(f"{title}: found {seen}; expected two or more classes")
    if reference is not None:
        wanted = level_codes([reference], None, lambda _: "reference")[0][0]
        if wanted not in [names[k] for k in present]:
            listed = ", ".join(names[k] for k in present[:8]) + (", …" if len(present) > 8 else "")
            raise InputError(f"reference: found {shown(reference)}; expected a class of {title}: {listed}")
        present.sort(key=lambda k: names[k] != wanted)
    number = {k: i for i, k in enumerate(present)}
    return Response(
        tuple(names[k] for k in present), tuple(tuple(sorted(number[k] for k in found)) for found in observed)
    )
