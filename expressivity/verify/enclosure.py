"""Rational enclosures of exp and log by integer arithmetic: the only reals that a certificate needs.

Floor 0, standard library only. Fixed point with ``PRECISION`` bits; an *ulp* is ``2**-PRECISION``. Every rounding goes
down and the bound on what was lost is stated where it is added, so that the pair returned encloses the true value.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

PRECISION = 256
ONE = 1 << PRECISION
HALVINGS = 8
EXP_STEPS = 500  # what one enclosure takes, in steps of about 0.1 µs


def exp_bounds(t: Fraction) -> tuple[Fraction, Fraction]:
    """Enclose ``exp(t)`` for rational ``t ≤ 0``; ``exp(0)`` is exactly 1.

    With ``x = −t / 2**8 ≤ 1`` the Taylor terms of ``exp(x)`` are summed downwards: a term's error obeys
    ``e_i ≤ (e_{i−1} + 2)/i + 1 ≤ 4`` ulp and the tail beyond the last term is below 8 ulp. Squaring 8 times and
    inverting gives ``exp(t)``, rounded outwards to whole ulp so that sums stay short. Below ``−2**8`` the enclosure is
    ``[0, 2**-256]``, as ``e > 2``.

    >>> low, high = exp_bounds(Fraction(-1))
    >>> float(low), high - low < Fraction(1, 2**230)
    (0.36787944117144233, True)
    """
    if t == 0:
        return Fraction(1), Fraction(1)
    if t < -(1 << HALVINGS):
        return Fraction(0), Fraction(1, ONE)
    x = -t.numerator * ONE // (t.denominator << HALVINGS)
    low, term, i = ONE, ONE, 0
    while term:
        i += 1
        term = (term * x >> PRECISION) // i
        low += term
    high = low + 4 * i + 8
    for _ in range(HALVINGS):
        low, high = low * low >> PRECISION, (high * high >> PRECISION) + 1
    return Fraction(ONE * ONE // high, ONE), Fraction(-(-ONE * ONE // low), ONE)


def log_bounds(x: Fraction) -> tuple[Fraction, Fraction]:
    """Enclose the natural logarithm of a positive rational; ``log(1)`` is exactly 0.

    >>> low, high = log_bounds(Fraction(2))
    >>> float(low), high - low < Fraction(1, 2**240)
    (0.6931471805599453, True)
    """
    if x == 1:
        return Fraction(0), Fraction(0)
    shift = x.numerator.bit_length() - x.denominator.bit_length()
    scaled = x / Fraction(2) ** shift  # in (1/2, 2)
    low, high = _log_fixed(scaled) if scaled >= 1 else tuple(-b for b in reversed(_log_fixed(1 / scaled)))
    two_low, two_high = _log_two()
    low += shift * (two_low if shift >= 0 else two_high)
    high += shift * (two_high if shift >= 0 else two_low)
    return Fraction(low, ONE), Fraction(high, ONE)


@lru_cache(maxsize=1)
def _log_two() -> tuple[int, int]:
    return _log_fixed(Fraction(2))


def _log_fixed(x: Fraction) -> tuple[int, int]:
    """``log x = 2 atanh z`` with ``z = (x−1)/(x+1)`` in [0, 1/3] for ``x`` in [1, 2].

    ``z``, its powers, and each term ``z^i / i`` are rounded down: a power's error stays below 2 ulp, a term's below 3,
    the tail below 3, so that N terms lose less than ``3N + 3`` ulp.
    """
    z = (x.numerator - x.denominator) * ONE // (x.numerator + x.denominator)
    square, power, total, terms = z * z >> PRECISION, z, 0, 0
    while power:
        total += power // (2 * terms + 1)
        power = power * square >> PRECISION
        terms += 1
    return 2 * total, 2 * total + 6 * terms + 6
