"""Numbers out of text: exact, and never larger than promised."""

from decimal import Decimal
from fractions import Fraction

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.errors import InputError
from expressivity.task.rationals import exact, rational


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", Fraction(3)),
        ("-3", Fraction(-3)),
        ("+3", Fraction(3)),
        ("0.9", Fraction(9, 10)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1E3", Fraction(1000)),
        ("2.5e-1", Fraction(1, 4)),
        ("-6/4", Fraction(-3, 2)),
        ("007", Fraction(7)),
    ],
)
def test_numbers_are_read_exactly(text, value):
    assert exact(text) == value


@given(st.fractions() | st.decimals(allow_nan=False, allow_infinity=False, places=5))
def test_what_python_writes_reads_back(value):
    assert exact(str(value)) == Fraction(value)


@pytest.mark.parametrize(
    "text", ["", ".", "1e", "e1", "1/", "/1", "1/2/3", "1/-2", "0x1", "1_0", "٣", "inf", "NaN", "1 2", "1/2e3"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError, match=r"expected a number such as 3, 0\.9 or 9/10"):
        exact(text)


@pytest.mark.parametrize("text", ["1e4001", "1e-4001", "1e" + "9" * 10_000, "9" * 4001, "1/" + "9" * 4001, "10e3999"])
def test_what_is_too_long_is_refused_before_it_is_computed(text):
    with pytest.raises(InputError, match="too long in full; expected at most 4000 digits above and below the line"):
        exact(text)


def test_numbers_of_python_are_taken_when_exact():
    assert rational(Fraction(1, 3)) == Fraction(1, 3)
    assert rational("1/3") == Fraction(1, 3)
    # NumPy's integers wrap around; the result must not.
    assert type(rational(numpy.int64(2**62)).numerator) is int
    for value in (0.5, numpy.float64(0.5), True, None, Decimal("0.5"), 1j):
        with pytest.raises(InputError, match="expected an exact number"):
            rational(value)
