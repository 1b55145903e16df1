"""The design matrix in integers, its aliased columns known.

Column j of the data is an integer column times a positive unit. Units change no verdict: multiplying a column by a
positive number divides its coefficient by it. So all work is done on the integer columns, and directions are
translated back.

A column is *aliased* if it is a combination of columns before it. Its coefficient cannot be told from theirs; as in R,
the model is taken without it, and nothing else is said about it (``NA`` there).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from expressivity.errors import InputError
from expressivity.separability.linear import pivot_columns, pivot_rows, solve
from expressivity.separability.rows import IntegerRows
from expressivity.separation.columns import Column, Place, Source, numeric_or_dummies

INTERCEPT = "(Intercept)"
_PRIMES = ((1 << 31) - 1, (1 << 61) - 1)
_WORD = 1 << 62


@dataclass(frozen=True)
class Design:
    """The columns of a regression.

    Attributes:
        names: what they are called, shape ``[p]``.
        units: value in the data = unit · entry of ``rows``, shape ``[p]``, positive.
        rows: the entries, ``[n, p]``.
        numbers: which rows of the data these are, shape ``[n]``.
    """

    names: tuple[str, ...]
    units: tuple[Fraction, ...]
    rows: IntegerRows
    numbers: tuple[int, ...]

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """The columns that are independent of those before them."""
        return self._ranks[0]

    @cached_property
    def witness(self) -> tuple[int, ...]:
        """As many rows, in which the kept columns are independent already."""
        return self._ranks[1]

    @cached_property
    def aliases(self) -> dict[int, dict[int, Fraction]]:
        """Every other column of ``rows`` in the kept ones: ``column_j = Σ_k aliases[j][k] · column_k``."""
        return self._ranks[2]

    @cached_property
    def _ranks(self) -> tuple[tuple[int, ...], tuple[int, ...], dict[int, dict[int, Fraction]]]:
        # Independence modulo a prime is independence; a bad prime shows in a column that is no combination after all.
        for prime in _PRIMES:
            kept = pivot_columns(self.rows, prime)
            independent = self.rows.keep_columns(kept)
            witness = pivot_rows(independent, prime)
            aliases = self._combinations(kept, witness)
            if aliases is not None:
                return tuple(kept), tuple(witness), aliases
        raise ArithmeticError("the rank of the design could not be found modulo two primes")

    def _combinations(self, kept: list[int], witness: list[int]) -> dict[int, dict[int, Fraction]] | None:
        system = self.rows.take(witness).keep_columns(kept)
        found: dict[int, dict[int, Fraction]] = {}
        for j in sorted(set(range(len(self.names))).difference(kept)):
            column = [0] * len(self.names)
            column[j] = 1
            entries = self.rows.times(column)
            solution = solve(system, [entries[i] for i in witness])
            if solution is None:
                return None
            numerators, denominator = solution
            column = [0] * len(self.names)
            for k, value in zip(kept, numerators, strict=True):
                column[k] = value
            if self.rows.times(column) != [denominator * entry for entry in entries]:
                return None
            found[j] = {k: Fraction(value, denominator) for k, value in zip(kept, numerators, strict=True) if value}
        return found

    @cached_property
    def in_units(self) -> dict[int, dict[int, Fraction]]:
        """``aliases`` for the columns of the data: ``x_j = Σ_k in_units[j][k] · x_k``."""
        return {
            j: {k: value * self.units[j] / self.units[k] for k, value in combination.items()}
            for j, combination in self.aliases.items()
        }


def design(
    columns: list[Source],
    n_rows: int,
    used: Sequence[int],
    *,
    intercept: bool,
    factors: Collection[str],
    exact_floats: bool,
    place: Place,
) -> Design:
    """The design matrix of some columns: factors coded, an intercept put first, rows without observations left out.

    Raises:
        InputError: an entry is no number, a factor is not among the columns, or there are no columns at all.
    """
    names = [source.name for source in columns]
    missing = next((name for name in factors if name not in names), None)
    if missing is not None:
        raise InputError(f"factors: there is no column {missing!r}; the columns are {', '.join(names)}")
    ones = Column(INTERCEPT, list(range(n_rows)), [1] * n_rows, Fraction(1))
    found = [ones] if intercept else []
    keep_first = not intercept
    for source in columns:
        made, is_factor = numeric_or_dummies(source, source.name in factors, keep_first, exact_floats, place)
        keep_first = keep_first and not is_factor
        found += made
    if not found:
        raise InputError("X: no columns and no intercept; expected at least one of them")
    rows = _assembled(found, n_rows)
    return Design(tuple(c.name for c in found), tuple(c.unit for c in found), rows.take(used), tuple(used))


def _assembled(columns: list[Column], n_rows: int) -> IntegerRows:
    entries = [entry for column in columns for entry in column.entries]
    rows = np.array([row for column in columns for row in column.rows], dtype=np.int64)
    places = np.repeat(np.arange(len(columns)), [len(column.rows) for column in columns])
    order = np.lexsort((places, rows))
    small = all(-_WORD < entry < _WORD for entry in entries)
    data: Any = np.array(entries, dtype=np.int64) if small else np.empty(len(entries), dtype=object)
    if not small:
        data[:] = entries
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_rows))))
    return IntegerRows(indptr.astype(np.int64), places[order].astype(np.int64), data[order], len(columns))
