"""What a decision hands back, and how it is checked.

For integer rows ``a_i``, some *strict* and some *equal*, exactly one of two things exists (Motzkin 1936):

- a **separator**: ``w`` with ``a_i · w ≥ 1`` on strict rows and ``a_i · w = 0`` on equal rows;
- a **cancellation**: integers ``λ_i``, at least 0 and not all 0 on strict rows, of any sign on equal rows, with
  ``Σ λ_i a_i = 0``.

Both check themselves in integers, whoever made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError, Refuted

from .linear import rank_at_least
from .rows import IntegerRows

Mask = npt.NDArray[np.bool_]
Flags = Sequence[bool] | Mask  # which rows are equal ones, as callers give it


def equal_mask(rows: IntegerRows, equal: Flags | None = None) -> Mask:
    """``equal`` as a Boolean array of shape ``[n_rows]``; ``None`` means that every row is strict.

    Raises:
        InputError: the wrong number of flags, or flags that are not Boolean.
    """
    if equal is None:
        return np.zeros(rows.n_rows, dtype=bool)
    mask = np.asarray(equal)
    if mask.size == 0:
        mask = mask.astype(bool)
    if mask.shape != (rows.n_rows,) or mask.dtype != bool:
        raise InputError(
            f"equal: {mask.dtype} of shape {mask.shape}, expected one Boolean for each of {rows.n_rows} rows"
        )
    return mask


@dataclass(frozen=True)
class Separator:
    """Integer weights without a common factor that give every strict row at least 1 and every equal row exactly 0.

    Attributes:
        weights: one integer for each column.
        stage: which part of the engine proposed it (no part of the proof).

    Example:
        >>> rows = IntegerRows.from_dense([[1, 0], [-1, 2]])
        >>> Separator((1, 1)).check(rows)
        >>> Separator((2, 1)).check(rows)
        Traceback (most recent call last):
            ...
        expressivity.errors.Refuted: strict row 1: row · weights = 0, expected at least 1
    """

    weights: tuple[int, ...]
    stage: str = ""

    def check(self, rows: IntegerRows, equal: Flags | None = None) -> None:
        """Re-prove the claim in exact integers.

        Raises:
            Refuted: the weights do not separate the rows; the message names the first row that fails.
        """
        mask = equal_mask(rows, equal)
        if len(self.weights) != rows.n_columns:
            raise Refuted("weights", f"{len(self.weights)} numbers for {rows.n_columns} columns")
        if not all(type(weight) is int for weight in self.weights):
            raise Refuted("weights", "not all of them are integers")
        signs = rows.signs(self.weights)
        wrong = np.flatnonzero(np.where(mask, signs != 0, signs <= 0))
        if len(wrong):
            i = int(wrong[0])
            value = sum(entry * self.weights[column] for column, entry in rows.row(i).items())
            kind, expected = ("equal", "0") if mask[i] else ("strict", "at least 1")
            raise Refuted(f"{kind} row {i}", f"row · weights = {_short(value)}, expected {expected}")


@dataclass(frozen=True)
class Cancellation:
    """Integer multipliers without a common factor under which the rows add up to zero: nothing separates them.

    Attributes:
        multipliers: ``{row: multiplier}``, no zeros; positive on strict rows, of any sign on equal rows.
        stage: which part of the engine proposed it (no part of the proof).

    Example:
        >>> rows = IntegerRows.from_dense([[1, -1], [-2, 2]])
        >>> Cancellation({0: 2, 1: 1}).check(rows)
        >>> Cancellation({0: 1, 1: 1}).check(rows)
        Traceback (most recent call last):
            ...
        expressivity.errors.Refuted: sum of multipliers × rows: column 0 adds up to -1, expected 0
    """

    multipliers: Mapping[int, int]
    stage: str = ""

    def check(self, rows: IntegerRows, equal: Flags | None = None, *, irreducible: bool = True) -> None:
        """Re-prove the claim in exact integers, irreducibility included unless ``irreducible=False``.

        Raises:
            Refuted: the multipliers do not cancel the rows, or not irreducibly; the message says which step fails.
        """
        mask = equal_mask(rows, equal)
        positive = False
        for i, multiplier in self.multipliers.items():
            if type(i) is not int or not 0 <= i < rows.n_rows:
                raise Refuted("multipliers", f"row {i!r} is not one of 0 … {rows.n_rows - 1}")
            if type(multiplier) is not int or multiplier == 0:
                raise Refuted(f"multiplier of row {i}", f"{multiplier!r}, expected a nonzero integer")
            if not mask[i]:
                if multiplier < 0:
                    raise Refuted(f"multiplier of row {i}", f"{_short(multiplier)} on a strict row, expected above 0")
                positive = True
        if not positive:
            raise Refuted("multipliers", "none on a strict row")
        total = rows.combine(self.multipliers)
        if total:
            column, value = next(iter(total.items()))
            raise Refuted("sum of multipliers × rows", f"column {column} adds up to {_short(value)}, expected 0")
        common = gcd(*self.multipliers.values())
        if common != 1:
            raise Refuted("multipliers", f"all divisible by {_short(common)}, expected no common factor")
        if irreducible and not self._others_independent(rows):
            raise Refuted("irreducibility", f"a proper part of the {len(self.multipliers)} rows is dependent already")

    def is_irreducible(self, rows: IntegerRows) -> bool:
        """Whether the rows used cancel in this one way only: their rank is their number less one. Exact."""
        return not rows.combine(self.multipliers) and self._others_independent(rows)

    def _others_independent(self, rows: IntegerRows) -> bool:
        """Whether the rows used are independent once the one with the largest multiplier is left out."""
        left_out = max(self.multipliers, key=lambda i: abs(self.multipliers[i]))
        others = sorted(set(self.multipliers) - {left_out})
        return rank_at_least(rows.take(others), len(others))


@dataclass(frozen=True)
class Undecided:
    """No answer within the limit that the caller set; ``reason`` names the limit and how far the work had come."""

    reason: str


Outcome = Separator | Cancellation | Undecided


def _short(value: int) -> str:
    bits = abs(value).bit_length()
    return str(value) if bits <= 200 else f"{'-' if value < 0 else ''}(a number of {bits} bits)"
