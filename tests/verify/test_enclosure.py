"""The enclosures of exp and log hold what mpmath finds with four times the precision, and are as narrow as promised."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from expressivity.verify.enclosure import exp_bounds, log_bounds

TINY = Fraction(1, 2**900)  # what mpmath may err by, of numbers below 2**10


@pytest.fixture(autouse=True, scope="module")
def precision() -> Iterator[None]:
    with mp.workprec(1024):
        yield


def exact(value: mpf) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * int(mantissa) * Fraction(2) ** exponent


def rational(value: Fraction) -> mpf:
    return mpf(value.numerator) / value.denominator


def holds(bounds: tuple[Fraction, Fraction], value: mpf, width: Fraction) -> bool:
    low, high = bounds
    return low - TINY <= exact(value) <= high + TINY and 0 <= high - low <= width


NEGATIVE = st.fractions(-300, 0) | st.fractions(-1, 0) | st.floats(-300, 0).map(Fraction)
POSITIVE = (
    st.fractions(0, 1).filter(bool)
    | st.integers(1, 10**30).map(Fraction)
    | st.builds(Fraction, st.integers(1, 10**40), st.integers(1, 10**40))
    | st.floats(1e-300, 1e300).map(Fraction)
)


@settings(max_examples=400)
@given(NEGATIVE)
def test_exp_is_enclosed(t: Fraction) -> None:
    assert holds(exp_bounds(t), mp.exp(rational(t)), Fraction(1, 2**235))


@settings(max_examples=400)
@given(POSITIVE)
def test_log_is_enclosed(x: Fraction) -> None:
    assert holds(log_bounds(x), mp.log(rational(x)), Fraction(1, 2**235))


@pytest.mark.parametrize(
    "t", [Fraction(0), Fraction(-256), -256 - Fraction(1, 10**9), -256 + Fraction(1, 10**9), Fraction(-1, 10**300)]
)
def test_exp_at_the_edges(t: Fraction) -> None:
    assert holds(exp_bounds(t), mp.exp(rational(t)), Fraction(1, 2**235))


@pytest.mark.parametrize("t", [Fraction(-257), Fraction(-(10**5000)), Fraction(-(10**5000), 10**4990 + 1)])
def test_exp_far_below_is_next_to_nothing(t: Fraction) -> None:
    assert exp_bounds(t) == (0, Fraction(1, 2**256))


def test_exp_of_0_is_1() -> None:
    assert exp_bounds(Fraction(0)) == (1, 1)


@pytest.mark.parametrize("x", [Fraction(1), Fraction(2), Fraction(1, 2), Fraction(2**64), 1 - Fraction(1, 10**70)])
@pytest.mark.parametrize("off", [Fraction(0), Fraction(1, 10**60), Fraction(-1, 10**60)])
def test_log_beside_powers_of_2(x: Fraction, off: Fraction) -> None:
    assert holds(log_bounds(x + off), mp.log(rational(x + off)), Fraction(1, 2**235))


@pytest.mark.parametrize(("t", "off"), [(Fraction(-n, 7), n) for n in range(1, 60, 9)])
def test_sums_of_enclosures_stay_short(t: Fraction, off: int) -> None:
    for bound in (*exp_bounds(t), *log_bounds(1 - t), *log_bounds(Fraction(off, 1009))):
        assert 2**256 % bound.denominator == 0


def test_ln_2_to_60_digits() -> None:
    low, high = log_bounds(Fraction(2))
    digits = Fraction(693147180559945309417232121458176568075500134360255254120680, 10**60)  # OEIS A002162
    assert digits - Fraction(1, 10**60) < low < high < digits + Fraction(1, 10**60)
