"""Real matrices that are exact: ``Σ_b log(b) · E_b`` with rational ``E_b`` over a coprime base.

The logarithm of a table of rational odds is such a matrix with whole-number exponents: write every odds as
a product of powers of pairwise coprime whole numbers. Scores to the base e are the one term ``E_e`` with
``log e = 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Literal

from flint import arb, ctx, fmpq, fmpq_mat

from expressivity.attention.rational_matrix import to_fraction

Base = int | Literal["e"]
FLOAT_BITS = 80


@dataclass(frozen=True)
class LogMatrix:
    """``Σ_b log(b) · terms[b]``: exact, real.

    Attributes:
        terms: base element (a whole number above 1, or ``"e"``) to a rational matrix; at least one, all of
            one shape.
    """

    terms: Mapping[Base, fmpq_mat]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        first = next(iter(self.terms.values()))
        return first.nrows(), first.ncols()

    def map(self, change: Callable[[fmpq_mat], fmpq_mat]) -> LogMatrix:
        """Apply a linear map to every term."""
        return LogMatrix({base: change(term) for base, term in self.terms.items()})

    def ball(self, i: int, j: int, bits: int) -> arb:
        """An enclosure of one entry, at that precision."""
        with ctx.workprec(bits):
            parts = (term[i, j] * _log(base) for base, term in self.terms.items() if term[i, j] != 0)
            return sum(parts, start=arb(0))

    def rounded(self, bits: int = FLOAT_BITS) -> list[list[Fraction]]:
        """Every entry with a relative error below ``2^−bits``; a rational matrix as it is."""
        rows, columns = self.shape
        if set(self.terms) == {"e"}:
            return [[to_fraction(value) for value in row] for row in self.terms["e"].tolist()]
        return [[self._rounded(i, j, bits) for j in range(columns)] for i in range(rows)]

    def _rounded(self, i: int, j: int, bits: int) -> Fraction:
        precision = bits + 16
        if all(term[i, j] == 0 for term in self.terms.values()):
            return Fraction(0)
        # This ends: 1 and the logarithms of a coprime base are linearly independent, so the entry is not 0.
        while True:
            ball = self.ball(i, j, precision)
            if ball.rel_accuracy_bits() >= bits:
                mantissa, exponent = ball.mid().man_exp()
                return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
            precision *= 2


def _log(base: Base) -> arb:
    return arb(1) if base == "e" else arb(base).log()


def coprime_base(numbers: Iterable[int]) -> list[int]:
    """Pairwise coprime whole numbers above 1 of which every given number is a product of powers, sorted.

    Only greatest common divisors are taken, so large numbers need not be factored. The logarithms of the
    result are linearly independent over the rationals.

    >>> coprime_base([12, 18, 35])
    [2, 3, 35]
    """
    base: list[int] = []
    pending = list(set(numbers))
    while pending:
        number = pending.pop()
        if number == 1:
            continue
        for i, known in enumerate(base):
            common = gcd(number, known)
            if common > 1:
                del base[i]
                pending += [common, number // common, known // common]
                break
        else:
            base.append(number)
    return sorted(base)


def exponents(value: Fraction, base: Iterable[int]) -> dict[int, int]:
    """The powers of a coprime base whose product is ``value``, without those that are 0.

    >>> exponents(Fraction(4, 3), [2, 3, 35])
    {2: 2, 3: -1}
    """
    found = {}
    for element in base:
        power, (top, bottom) = 0, (value.numerator, value.denominator)
        while top % element == 0:
            top, power = top // element, power + 1
        while bottom % element == 0:
            bottom, power = bottom // element, power - 1
        if power:
            found[element] = power
    return found


def from_logs(terms: Mapping[Base, fmpq]) -> Fraction:
    """``Π b^{e_b}`` for whole exponents and no ``e``, exactly.

    Raises:
        ValueError: the product is not rational in this form.
    """
    result = Fraction(1)
    for base, power in terms.items():
        if base == "e" or power.q != 1:
            if power != 0:
                raise ValueError(f"{base} to the power {power} is not rational")
            continue
        result *= Fraction(base) ** int(power.p)
    return result
