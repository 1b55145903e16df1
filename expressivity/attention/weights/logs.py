"""Real matrices that are exact: ``Σ_b log(b) · E_b`` with rational ``E_b`` over a coprime base.

The logarithm of a table of rational odds is such a matrix with whole-number exponents: write every odds as
a product of powers of pairwise coprime whole numbers. Scores to the base e are the one term ``E_e`` with
``log e = 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Literal, TypeVar

from flint import arb, ctx, fmpq, fmpq_mat

from expressivity.attention.weights.rational_matrix import matrix, to_fraction

Base = int | Literal["e"]
Name = TypeVar("Name")
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

    @staticmethod
    def of_scores(scores: fmpq_mat, base: Fraction | Literal["e"]) -> LogMatrix:
        """The logarithms of ``base ** score``."""
        if base == "e":
            return LogMatrix({"e": scores})
        found = coprime_base([base.numerator, base.denominator])
        powers = exponents(base, found)
        return LogMatrix({b: scores * powers[b] for b in found} or {"e": scores * 0})

    @staticmethod
    def of_odds(odds: Sequence[Sequence[Fraction]], width: int) -> LogMatrix:
        """The logarithms of positive rationals; ``width`` is the number of columns."""
        base = coprime_base({n for row in odds for a in row for n in (a.numerator, a.denominator)})
        split = [[exponents(a, base) for a in row] for row in odds]
        terms: dict[Base, fmpq_mat] = {}
        for b in base:
            terms[b] = matrix([[Fraction(found.get(b, 0)) for found in row] for row in split], width)
        return LogMatrix(terms or {"e": fmpq_mat(len(odds), width)})

    def times_transposed(self, right: LogMatrix) -> LogMatrix:
        """``self · rightᵀ``, where one of the two is rational."""
        terms: dict[Base, fmpq_mat] = {  # the rational one has no base but e, and log e = 1
            (b if a == "e" else a): left * other.transpose()
            for a, left in self.terms.items()
            for b, other in right.terms.items()
        }
        return LogMatrix(terms)

    def named(
        self, rows: Sequence[Name], columns: Sequence[Name]
    ) -> tuple[dict[tuple[Name, Name], Fraction] | None, dict[tuple[Name, Name], Fraction] | None]:
        """The table as scores to the base e if it is rational, else as odds; the other is ``None``. Exact.

        Scores of 0 and odds of 1 are left out.

        Raises:
            ValueError: the odds are not rational.
        """
        found: dict[tuple[Name, Name], dict[Base, fmpq]] = {}
        for base, term in self.terms.items():
            for i, row in enumerate(rows):
                for j, column in enumerate(columns):
                    if term[i, j] != 0:
                        found.setdefault((row, column), {})[base] = term[i, j]
        if set(self.terms) == {"e"}:
            return {pair: to_fraction(entry["e"]) for pair, entry in found.items()}, None
        return None, {pair: from_logs(entry) for pair, entry in found.items()}

    def whole(self) -> tuple[Fraction, fmpq_mat] | None:
        """The table as ``log(base) · scores``, with a rational base and whole scores; ``None`` if it is no such table.

        >>> LogMatrix.of_scores(fmpq_mat([[2, -3]]), Fraction(3, 2)).whole()
        (Fraction(2, 3), [-2,  3])
        """
        (first, scores), *others = self.terms.items()
        if first == "e" or any(entry.q != 1 for entry in scores.entries()):
            return None
        place = next((k for k, entry in enumerate(scores.entries()) if entry != 0), None)
        base = Fraction(first)
        for other, term in others:
            power = fmpq(0) if place is None else term.entries()[place] / scores.entries()[place]
            if other == "e" or power.q != 1 or term != scores * power:
                return None
            base *= Fraction(other) ** int(power.p)
        return base, scores

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
