"""Numbers as they are written, read without rounding.

A decision about separation can hang on the last digit of one number, so nothing passes through binary floating point
on the way in. Whole numbers, fractions, decimals and texts such as ``"0.1"`` or ``"2/3"`` are taken as they stand. A
binary float is taken for the decimal that Python prints for it, ``0.1`` for one tenth, because that is what was once
typed; ``exact_floats=True`` takes its binary value instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from numbers import Rational
from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError
from expressivity.task.rationals import exact
from expressivity.task.tokens import cut, excerpt

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})
"""Texts that stand for a missing value."""

_SAFE = 10.0**15  # decimals of at most 15 digits are told apart by binary floats, and are printed as they were typed


class Unreadable(ValueError):
    """A value that is no number; the message says what it is, and the caller knows where it stands."""


def is_missing(value: object) -> bool:
    """Whether ``value`` is a usual sign for a missing one: None, NaN, pandas' NA and NaT, or a text for them."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, str):
        return value.strip() in MISSING
    return isinstance(value, float | np.floating | Decimal) and value != value


def exact_number(value: object, *, exact_floats: bool = False) -> Fraction:
    """``value`` as a fraction.

    Raises:
        Unreadable: it is missing, infinite, no number, or too long to be written out (more than 4000 digits).

    Example:
        >>> exact_number(0.1), exact_number("2/3"), exact_number(True)
        (Fraction(1, 10), Fraction(2, 3), Fraction(1, 1))
        >>> exact_number(0.1, exact_floats=True)
        Fraction(3602879701896397, 36028797018963968)
    """
    if is_missing(value):
        raise Unreadable(f"a missing value ({shown(value)})")
    try:
        if isinstance(value, str):
            return exact(value.strip())
        if isinstance(value, bool | np.bool_ | Rational):
            return Fraction(int(value)) if isinstance(value, bool | np.bool_) else Fraction(value)
        if isinstance(value, float | np.floating):
            if not np.isfinite(value):
                raise Unreadable(f"{value}, which is not finite")
            return Fraction(*value.as_integer_ratio()) if exact_floats else exact(str(value))
        if isinstance(value, Decimal):
            if not value.is_finite():
                raise Unreadable(f"{value}, which is not finite")
            return exact(str(value))
    except InputError:
        raise Unreadable(f"{shown(value)}, which is not a number that can be written out") from None
    raise Unreadable(f"{shown(value)}, which is not a number")


def shown(value: object) -> str:
    """``value`` on one line and not too long, for a message."""
    if isinstance(value, str):
        return excerpt(value)
    if value is None or isinstance(value, float | int | Fraction | Decimal | np.generic):
        return cut(str(value))
    return f"{cut(repr(value))} of type {type(value).__name__}"


def number_text(value: Fraction) -> str:
    """A number as people write it: a decimal where it has finitely many digits, else a fraction.

    Example:
        >>> number_text(Fraction(3)), number_text(Fraction(-5, 4)), number_text(Fraction(1, 3))
        ('3', '-1.25', '1/3')
    """
    rest, places = value.denominator, 0
    for factor in (2, 5):
        count = 0
        while rest % factor == 0:
            rest, count = rest // factor, count + 1
        places = max(places, count)
    if rest != 1:
        return str(value)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def whole_multiples(values: Sequence[Fraction]) -> tuple[list[int], Fraction]:
    """Integers without a common factor, and the positive unit of which the values are that many.

    Example:
        >>> whole_multiples([Fraction(1, 2), Fraction(-3, 4), Fraction(0)])
        ([2, -3, 0], Fraction(1, 4))
    """
    common = lcm(*(value.denominator for value in values)) if values else 1
    numerators = [value.numerator * (common // value.denominator) for value in values]
    divisor = gcd(*numerators) or 1
    return [entry // divisor for entry in numerators], Fraction(divisor, common)


def whole_multiples_of_floats(values: npt.NDArray[Any]) -> tuple[list[int], Fraction] | None:
    """The same for 64-bit floats read as decimals, quickly; None when some number has too many digits for that.

    Each ``v`` is written as ``m / 10**k`` with ``|m| < 10**15`` and tested by one division, which IEEE 754 rounds
    correctly: if it gives ``v`` back, ``m / 10**k`` is the only decimal of 15 digits or fewer that does, and is what
    Python prints.
    """
    if not len(values) or not np.isfinite(values).all():
        return None
    for places in range(16):
        power = 10.0**places
        with np.errstate(over="ignore"):
            numerators = np.rint(values * power)
        if np.abs(numerators).max() >= _SAFE:
            return None
        if np.array_equal(numerators / power, values):
            whole = numerators.astype(np.int64)
            divisor = int(np.gcd.reduce(whole)) or 1
            return (whole // divisor).tolist(), Fraction(divisor, 10**places)
    return None
