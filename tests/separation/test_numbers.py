"""Numbers are read as they are written."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.separation.numbers import (
    Unreadable,
    exact_number,
    is_missing,
    whole_multiples,
    whole_multiples_of_floats,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, Fraction(3)),
        (10**40, Fraction(10**40)),
        (True, Fraction(1)),
        (np.bool_(False), Fraction(0)),
        (np.int8(-5), Fraction(-5)),
        (np.uint64(2**64 - 1), Fraction(2**64 - 1)),
        (Fraction(2, 3), Fraction(2, 3)),
        (Decimal("0.10"), Fraction(1, 10)),
        (0.1, Fraction(1, 10)),
        (np.float64(0.1), Fraction(1, 10)),
        (np.float32(0.1), Fraction(1, 10)),
        (np.float16(0.1), Fraction(1, 10)),
        (1e-300, Fraction(1, 10**300)),
        (0.1 + 0.2, Fraction(30000000000000004, 10**17)),
        (" 0.1 ", Fraction(1, 10)),
        ("2/3", Fraction(2, 3)),
        ("1e3", Fraction(1000)),
        ("-.5", Fraction(-1, 2)),
    ],
)
def test_values(value: object, expected: Fraction) -> None:
    assert exact_number(value) == expected


@pytest.mark.parametrize("value", [0.1, np.float32(0.1), np.float16(0.1), 1e-300, -2.5])
def test_the_binary_value_on_request(value: float) -> None:
    assert exact_number(value, exact_floats=True) == Fraction(*value.as_integer_ratio())


@pytest.mark.parametrize(
    "value", [None, "", "NA", "nan", float("nan"), np.float32("nan"), Decimal("NaN"), float("inf"), "abc", "1,5", "1/0"]
)
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(Unreadable):
        exact_number(value)


def test_pandas_signs_for_missing_values() -> None:
    pandas = pytest.importorskip("pandas")
    assert is_missing(pandas.NA)
    assert is_missing(pandas.NaT)
    assert not is_missing("none")


@given(st.lists(st.fractions()))
def test_whole_multiples(values: list[Fraction]) -> None:
    entries, unit = whole_multiples(values)
    assert unit > 0
    assert [entry * unit for entry in entries] == values


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-9999, 9999, places=3).map(float)))
def test_the_quick_way_reads_what_is_printed(values: list[float]) -> None:
    found = whole_multiples_of_floats(np.array(values, dtype=np.float64))
    if found is not None:
        entries, unit = found
        assert [entry * unit for entry in entries] == [Fraction(str(value)) for value in values]


def test_the_quick_way_is_taken_for_ordinary_decimals() -> None:
    assert whole_multiples_of_floats(np.array([0.1, 2.25, -3.0])) == ([2, 45, -60], Fraction(1, 20))
    assert whole_multiples_of_floats(np.array([0.1 + 0.2])) is None  # 17 digits
