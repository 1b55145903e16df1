"""Numbers and names as they stand in a cell: short, and never claiming to be more exact than they are."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

from expressivity.certificate import rational_text

LONGEST = 7  # characters of an exact number in a cell
MOST_LETTERS = 14  # of a name on an axis


def number_text(value: Fraction | float, longest: int = LONGEST) -> str:
    """A number for people: a fraction as it is where that is short, anything else in three digits.

    What is rounded to a whole number is marked with ``≈``, lest it look exact; a float always stands for a number close
    by.

    Args:
        value: what is shown.
        longest: how many characters a fraction may take.

    >>> [number_text(Fraction(n)) for n in (3, -10_000, "1/3", "-123456/789", "12345/1000000")]
    ['3', '−10000', '1/3', '≈ −156', '0.012']
    >>> number_text(0.99999), number_text(0.25), number_text(1e-9)
    ('≈ 1', '0.25', '≈ 0')
    """
    text = rational_text(value).replace("-", "−") if isinstance(value, Fraction) else ""
    if text and len(text) <= longest:
        return text
    digits = _digits(value)
    return digits if "." in digits else f"≈ {digits}"


def _digits(value: Fraction | float) -> str:
    """Three significant digits, below 1 no more than three behind the point; whole numbers up to a million."""
    try:
        number = float(value)
    except OverflowError:
        top, bottom = abs(Fraction(value).numerator), abs(Fraction(value).denominator)
        power = round((top.bit_length() - bottom.bit_length()) * 0.30103)
        return f"{'−' if value < 0 else ''}10^{power}"
    if not isfinite(number):
        return str(number).replace("-", "−")
    if abs(number) < 1:
        text = f"{number:.3f}".rstrip("0").rstrip(".")
    else:
        text = f"{number:.0f}" if 100 <= abs(number) < 1e6 else f"{number:.3g}"
    return ("0" if text in ("-0", "") else text).replace("-", "−").replace("e+0", "e").replace("e+", "e")


def visible(name: str, most: int = MOST_LETTERS) -> str:
    r"""A name on one line: what cannot be seen is escaped, what is long is cut.

    >>> visible("A"), visible("a\tb"), visible(" "), visible("x" * 30)
    ('A', 'a\\tb', "' '", 'xxxxxxxxxxxxx…')
    """
    text = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
    if text != text.strip() or not text:
        text = repr(text)
    return text if len(text) <= most else text[: most - 1] + "…"
