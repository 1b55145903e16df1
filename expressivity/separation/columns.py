"""From whatever holds a table to columns of exact numbers.

A table is a NumPy array, a pandas data frame, a SciPy sparse matrix or a list of rows. A column of text is numeric when
every value is a number, and otherwise a *factor*: it becomes one column of 0 and 1 for each level but the first
(treatment coding), named ``column[level]``. Levels are sorted, or taken in the order of a pandas categorical; those
that do not occur are left out. Without an intercept the first factor keeps its first level too, as in R.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np
import scipy.sparse as sp

from expressivity.errors import InputError
from expressivity.separation.numbers import (
    Unreadable,
    exact_number,
    is_missing,
    number_text,
    shown,
    whole_multiples,
    whole_multiples_of_floats,
)

Place = Callable[[int, str], str]
"""Says where the value in a row (from 0) and a column stands, for messages."""


def place_in(table: str) -> Place:
    """Places by number of row and name of column, as in ``X, row 3, column 'NV'``."""
    return lambda row, name: f"{table}, row {row}, column {name!r}"


@dataclass
class Source:
    """A column as it came.

    Attributes:
        name: what it is called.
        values: one value for each row: a one-dimensional array or a list.
        levels: the order of its categories if it says so itself.
    """

    name: str
    values: Any
    levels: tuple[Any, ...] | None = None


@dataclass
class Column:
    """A column of the design: in row ``rows[k]`` it is ``entries[k] · unit``, elsewhere 0.

    Attributes:
        name: what it is called.
        rows: numbers of the rows where it is not 0, increasing.
        entries: integers without a common factor.
        unit: a positive fraction.
    """

    name: str
    rows: list[int]
    entries: list[int]
    unit: Fraction


def sources(table: Any, names: Sequence[str] | None, title: str = "X") -> tuple[list[Source], int]:
    """The columns of a table and its number of rows.

    Raises:
        InputError: it is not a table, or the names do not fit it.
    """
    if sp.issparse(table):
        matrix = sp.csc_array(table)
        matrix.sum_duplicates()
        found = _named(names, matrix.shape[1], title)
        return [Source(name, (matrix, j)) for j, name in enumerate(found)], matrix.shape[0]
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        labels = [str(label) for label in table.columns] if names is None else names
        found = _named(labels, len(table.columns), title)
        return [_from_series(name, table.iloc[:, j]) for j, name in enumerate(found)], len(table)
    if not isinstance(table, np.ndarray):
        table = _from_rows(table, title)
    if table.ndim == 1:
        raise InputError(
            f"{title}: one-dimensional, of length {len(table)}; expected rows and columns "
            "(reshape(-1, 1) makes one column of it)"
        )
    if table.ndim != 2:
        raise InputError(f"{title}: an array of {table.ndim} dimensions, expected 2: rows and columns")
    return [Source(name, table[:, j]) for j, name in enumerate(_named(names, table.shape[1], title))], len(table)


def numeric_or_dummies(
    source: Source, is_factor: bool, keep_first: bool, exact_floats: bool, place: Place
) -> tuple[list[Column], bool]:
    """The columns of the design that a source stands for, and whether it is a factor.

    Raises:
        InputError: a value is missing or is neither, where numbers or levels are expected; the message says where.
    """
    if isinstance(source.values, tuple) and not is_factor:
        matrix, j = source.values
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        return [_numbers(source.name, matrix.data[part], matrix.indices[part], exact_floats, place)], False
    if not is_factor and source.levels is None:
        if _is_text(source.values):
            is_factor = _is_factor(source, place)
        if not is_factor:
            return [_numbers(source.name, source.values, None, exact_floats, place)], False
    return _dummies(source, keep_first, place), True


# ---------------------------------------------------------------------- tables


def _named(names: Sequence[str] | None, width: int, title: str) -> list[str]:
    found = [f"x{j + 1}" for j in range(width)] if names is None else [str(name) for name in names]
    if len(found) != width:
        raise InputError(f"names: {len(found)} names for the {width} columns of {title}")
    repeated = next((name for j, name in enumerate(found) if name in found[:j]), None)
    if repeated is not None:
        raise InputError(f"{title}: two columns are called {repeated!r}; expected different names")
    return found


def _from_series(name: str, series: Any) -> Source:
    categories = getattr(getattr(series, "cat", None), "categories", None)
    if categories is not None:
        return Source(name, series.tolist(), tuple(categories.tolist()))
    return Source(name, series.to_numpy() if series.dtype.kind in "iufb" and not series.hasnans else series.tolist())


def _from_rows(table: Any, title: str) -> np.ndarray[Any, Any]:
    """A list of rows as an object array: NumPy must not make floats of what is given exactly."""
    if hasattr(table, "__array__"):
        return np.asarray(table)
    try:
        rows = [list(row) for row in table]
    except TypeError:
        raise InputError(
            f"{title}: {shown(table)}; expected a table: rows of numbers, an array, a data frame or a sparse matrix"
        ) from None
    width = len(rows[0]) if rows else 0
    for i, row in enumerate(rows):
        if len(row) != width:
            raise InputError(f"{title}, row {i}: {len(row)} values, expected {width} as in row 0")
    array = np.empty((len(rows), width), dtype=object)
    for i, row in enumerate(rows):
        array[i, :] = row
    return array


# ---------------------------------------------------------------------- columns


def _numbers(name: str, values: Any, where: Any, exact_floats: bool, place: Place) -> Column:
    array = values if isinstance(values, np.ndarray) else None
    found: tuple[list[int], Fraction] | None = None
    if array is not None and array.dtype == np.float64 and not exact_floats:
        found = whole_multiples_of_floats(array)
    elif array is not None and array.dtype.kind in "iub":
        whole = array.astype(object).tolist()
        divisor = gcd(*map(int, whole)) or 1
        found = [int(entry) // divisor for entry in whole], Fraction(divisor)
    if found is None:
        known: dict[Any, Fraction] = {}
        fractions = []
        for k, value in enumerate(values if array is None or array.dtype.kind == "f" else array.tolist()):
            key = (type(value), value)
            try:
                if key not in known:
                    known[key] = exact_number(value, exact_floats=exact_floats)
                fractions.append(known[key])
            except (Unreadable, TypeError) as reason:
                row = k if where is None else int(where[k])
                problem = str(reason) if isinstance(reason, Unreadable) else f"{shown(value)}, which is not a number"
                raise InputError(f"{place(row, name)}: found {problem}; expected a number") from None
        found = whole_multiples(fractions)
    entries, unit = found
    rows = range(len(entries)) if where is None else where.tolist()
    filled = [(row, entry) for row, entry in zip(rows, entries, strict=True) if entry]
    return Column(name, [row for row, _ in filled], [entry for _, entry in filled], unit)


def _is_text(values: Any) -> bool:
    if isinstance(values, np.ndarray):
        if values.dtype.kind != "O":
            return values.dtype.kind in "US"
    return any(isinstance(value, str) for value in values)


def _is_factor(source: Source, place: Place) -> bool:
    """Whether a column with text in it holds levels rather than numbers.

    Raises:
        InputError: it holds both.
    """
    number = level = None
    for i, value in enumerate(_listed(source.values)):
        if is_missing(value):
            where = place(i, source.name)
            raise InputError(f"{where}: found a missing value ({shown(value)}); expected a number or a level")
        try:
            exact_number(value)
            number = i if number is None else number
        except Unreadable:
            level = i if level is None else level
        if number is not None and level is not None:
            found = shown(_listed(source.values)[level])
            raise InputError(
                f"{place(level, source.name)}: found {found}; expected a number, as in the rest of the column "
                "(or declare the column a factor)"
            )
    return level is not None


def _dummies(source: Source, keep_first: bool, place: Place) -> list[Column]:
    if isinstance(source.values, tuple):
        raise InputError(f"factors: column {source.name!r} is sparse; expected a dense column of levels")
    levels, codes = level_codes(source.values, source.levels, lambda row: place(row, source.name))
    members: list[list[int]] = [[] for _ in levels]
    for row, code in enumerate(codes):
        members[code].append(row)
    start = 0 if keep_first else 1
    return [
        Column(f"{source.name}[{level}]", rows, [1] * len(rows), Fraction(1))
        for level, rows in zip(levels[start:], members[start:], strict=True)
    ]


def level_codes(values: Any, order: Sequence[Any] | None, place: Callable[[int], str]) -> tuple[list[str], list[int]]:
    """The levels that occur, sorted or in the order given, and the number of its level for each value.

    Numbers are sorted by size and one level however they are written (1 and 1.0); everything else by its text.

    Raises:
        InputError: a value is missing.
    """
    listed = _listed(values)
    for row, value in enumerate(listed):
        if is_missing(value):
            raise InputError(f"{place(row)}: found a missing value ({shown(value)}); expected a level")
    keys = [_level(value) for value in [*listed, *(order or ())]]
    if not all(isinstance(key, Fraction) for key in keys):
        keys = [str(value).strip() for value in [*listed, *(order or ())]]
    present = set(keys[: len(listed)])
    ranked = list(dict.fromkeys(keys[len(listed) :])) if order is not None else sorted(present)
    levels = [key for key in ranked if key in present]
    codes = {key: code for code, key in enumerate(levels)}
    texts = [number_text(level) if isinstance(level, Fraction) else level for level in levels]
    return texts, [codes[key] for key in keys[: len(listed)]]


def _level(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return str(value)
    try:
        return exact_number(value)
    except Unreadable:
        return str(value).strip()


def _listed(values: Any) -> list[Any]:
    # tolist() would widen single-precision floats, and show digits that were never there.
    return values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind != "f" else list(values)
