"""Wrong answers are refused, each with the step that fails."""

from __future__ import annotations

import numpy as np
import pytest

from expressivity.errors import InputError, Refuted
from expressivity.separability import Cancellation, IntegerRows, Separator, separate

# Two strict rows, an equal one, and a strict one that is minus the others: 1·r0 + 2·r1 − 3·r2 + 1·r3 = 0.
ROWS = IntegerRows.from_dense([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -2, 3]])
EQUAL = [False, False, True, False]
RIGHT = {0: 1, 1: 2, 2: -3, 3: 1}


def test_the_right_cancellation_is_accepted() -> None:
    Cancellation(RIGHT).check(ROWS, EQUAL)
    Cancellation(RIGHT).check(ROWS, np.array(EQUAL))
    assert Cancellation(RIGHT).is_irreducible(ROWS)
    assert not Cancellation({0: 1, 1: 2, 2: -3}).is_irreducible(ROWS)


@pytest.mark.parametrize(
    ("multipliers", "step"),
    [
        ({0: 1, 1: 2, 2: -3, 3: 2}, "sum of multipliers"),
        ({0: 1, 1: 2, 2: 3, 3: 1}, "sum of multipliers"),
        ({0: 2, 1: 4, 2: -6, 3: 2}, "multipliers: all divisible by 2"),
        ({0: -1, 1: -2, 2: 3, 3: -1}, "multiplier of row 0: -1 on a strict row"),
        ({0: 1, 1: 2, 3: 1}, "sum of multipliers"),
        ({}, "multipliers: none on a strict row"),
        ({2: 1}, "multipliers: none on a strict row"),
        ({0: 1, 1: 2, 2: -3, 3: 1, 4: 1}, "row 4 is not one of"),
        ({0: 1, 1: 2, 2: -3, -1: 1}, "row -1 is not one of"),
        ({0: 1, 1: 2, 2: -3, 3: 0}, "multiplier of row 3: 0"),
        ({0: 1.0, 1: 2, 2: -3, 3: 1}, "multiplier of row 0: 1.0"),
        ({0: True, 1: 2, 2: -3, 3: 1}, "multiplier of row 0: True"),
    ],
)
def test_corrupted_cancellations_are_refused(multipliers: dict[int, int], step: str) -> None:
    with pytest.raises(Refuted, match=step):
        Cancellation(multipliers).check(ROWS, EQUAL)


def test_a_reducible_cancellation_is_refused_unless_that_is_allowed() -> None:
    rows = IntegerRows.from_dense([[1, 0], [-1, 0], [0, 1], [0, -1]])
    both = Cancellation({0: 1, 1: 1, 2: 1, 3: 1})
    both.check(rows, irreducible=False)
    with pytest.raises(Refuted, match="irreducibility: a proper part of the 4 rows"):
        both.check(rows)


def test_strict_rows_marked_equal_change_the_claim() -> None:
    with pytest.raises(Refuted, match="multiplier of row 2: -3 on a strict row"):
        Cancellation(RIGHT).check(ROWS)


@pytest.mark.parametrize(
    ("weights", "step"),
    [
        ((1, 1, 2), "equal row 2: row · weights = 2, expected 0"),
        ((0, 1, 0), "strict row 0: row · weights = 0, expected at least 1"),
        ((1, -1, 0), "strict row 1: row · weights = -1"),
        ((1, 1), "weights: 2 numbers for 3 columns"),
        ((1.0, 1, 0), "weights: not all of them are integers"),
    ],
)
def test_corrupted_separators_are_refused(weights: tuple[int, ...], step: str) -> None:
    rows, equal = ROWS.take([0, 1, 2]), EQUAL[:3]
    Separator((1, 1, 0)).check(rows, equal)
    with pytest.raises(Refuted, match=step):
        Separator(weights).check(rows, equal)


def test_flags_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(InputError, match="expected one Boolean for each of 4 rows"):
        separate(ROWS, [True])
    with pytest.raises(InputError, match="int64"):
        separate(ROWS, np.zeros(4, dtype=np.int64))  # type: ignore[arg-type]
