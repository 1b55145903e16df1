"""Exact numbers of bounded size.

A probability written `0.9` means 9/10 and nothing else, so no number passes through binary floating point.
And `1e999999999` is eleven characters that would fill the memory, so a number has at most `DIGITS` digits
above and below the line.
"""

from __future__ import annotations

import re
from fractions import Fraction
from numbers import Rational

from expressivity.errors import InputError
from expressivity.task.tokens import cut, describe, excerpt

Exact = Fraction | int | str
"""How a number may be given in Python: a string holds its digits."""

DIGITS = 4000
"""Digits allowed in a numerator or a denominator: fewer than the 4300 that Python itself turns into text."""

_TOO_LONG = 10**DIGITS
_NUMBER = re.compile(r"[+-]?(?:\d+/\d+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)


def exact(text: str) -> Fraction:
    """The number that `text` writes: a whole number, a decimal (with an exponent or not) or a fraction.

    Raises:
        InputError: `text` is no number, divides by zero, or needs more than `DIGITS` digits.

    >>> exact("0.9"), exact("9/10"), exact("1e-3")
    (Fraction(9, 10), Fraction(9, 10), Fraction(1, 1000))
    """
    if not _NUMBER.fullmatch(text):
        raise InputError(f"found {excerpt(text)}; expected a number such as 3, 0.9 or 9/10")
    # The size is judged on the text, before any large integer is made.
    digits, _, exponent = text.lower().partition("e")
    if max(map(len, digits.split("/"))) > DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > DIGITS:
        raise _too_long(excerpt(text))
    try:
        return bounded(Fraction(text), excerpt(text))
    except ZeroDivisionError:
        raise InputError(f"found {excerpt(text)}, a division by zero; expected a number") from None


def rational(value: object) -> Fraction:
    """A whole number, a fraction, or the text of a number, as a `Fraction`; a float is refused.

    >>> rational("0.1"), rational(3)
    (Fraction(1, 10), Fraction(3, 1))
    """
    if isinstance(value, str):
        return exact(value)
    if isinstance(value, bool) or not isinstance(value, Rational):
        kind = "the float " if isinstance(value, float) else ""
        raise InputError(f'found {kind}{describe(value)}; expected an exact number such as 3 or "0.9"')
    return bounded(Fraction(int(value.numerator), int(value.denominator)), "a number")


def bounded(value: Fraction, name: str) -> Fraction:
    """`value` itself, or an `InputError` if it has outgrown `DIGITS` digits, as sums of fractions may."""
    if value.denominator >= _TOO_LONG or abs(value.numerator) >= _TOO_LONG:
        raise _too_long(name)
    return value


def positive(weight: Fraction) -> Fraction:
    """`weight` itself, or an `InputError`: what has no weight is better left out."""
    if weight <= 0:
        raise InputError(f"found the weight {cut(str(weight))}; expected a positive number")
    return weight


def _too_long(name: str) -> InputError:
    return InputError(f"found {name}, too long in full; expected at most {DIGITS} digits above and below the line")
