"""One instance: rows, the truth about them, and how it is known."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

Row = Sequence[int]
Number = int | Fraction


@dataclass(frozen=True)
class Instance:
    """Rows to be separated, and the truth.

    Whoever makes an instance knows the truth beforehand and hands over its proof, which is substituted in Python
    integers on the spot: an instance whose proof fails cannot be made.

    Attributes:
        name: family and variant.
        rows: integers, one row for each comparison.
        equal: for each row whether it is to be exactly 0 rather than at least 1.
        separable: the truth.
        why: how it is known, in words.
        proof: weights, one for each column, if ``separable``; otherwise multipliers, one for each row, under which the
            rows add up to zero: nonnegative on strict rows, not all 0 there.

    Raises:
        ValueError: the proof does not prove it.
    """

    name: str
    rows: tuple[tuple[int, ...], ...]
    equal: tuple[bool, ...]
    separable: bool
    why: str
    proof: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.separable:
            values = [dot(row, self.proof) for row in self.rows]
            holds = all(value == 0 if tie else value >= 1 for value, tie in zip(values, self.equal, strict=True))
        else:
            strict = [value for value, tie in zip(self.proof, self.equal, strict=True) if not tie]
            holds = min(strict) >= 0 and max(strict) > 0 and not any(combination(self.rows, self.proof))
        if not holds:
            raise ValueError(f"{self.name}: the proof handed over does not hold")

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self.rows), len(self.rows[0]) if self.rows else 0

    @property
    def bits(self) -> int:
        """The length of the largest entry."""
        return max((abs(entry).bit_length() for row in self.rows for entry in row), default=0)


def dot(row: Row, weights: Sequence[Number]) -> Number:
    """``row · weights``."""
    return sum(a * b for a, b in zip(row, weights, strict=True))


def combination(rows: Sequence[Row], multipliers: Sequence[Number]) -> list[Number]:
    """``Σ multiplier_i · row_i``."""
    used = [(factor, row) for factor, row in zip(multipliers, rows, strict=True) if factor]
    return [sum(factor * row[j] for factor, row in used) for j in range(len(rows[0]))]


def whole(numbers: Sequence[Number]) -> list[int]:
    """The primitive integer vector on the ray of ``numbers``."""
    fractions = [Fraction(number) for number in numbers]
    common = lcm(*(number.denominator for number in fractions))
    scaled = [int(number * common) for number in fractions]
    divisor = gcd(*scaled) or 1
    return [number // divisor for number in scaled]


def separable(
    name: str, rows: Sequence[Row], weights: Sequence[Number], why: str, equal: Sequence[bool] | None = None
) -> Instance:
    """An instance with a known separator; its rows and columns are shuffled. Values need only be positive."""
    return _shuffled(name, rows, equal, True, why, whole(weights))


def inseparable(
    name: str,
    rows: Sequence[Row],
    multipliers: Sequence[Number] | Mapping[int, Number],
    why: str,
    equal: Sequence[bool] | None = None,
) -> Instance:
    """An instance with a known cancellation, by row number where it is a mapping; its rows and columns are shuffled."""
    if isinstance(multipliers, Mapping):
        multipliers = [multipliers.get(i, 0) for i in range(len(rows))]
    return _shuffled(name, rows, equal, False, why, whole(multipliers))


def _shuffled(
    name: str, rows: Sequence[Row], equal: Sequence[bool] | None, truth: bool, why: str, proof: list[int]
) -> Instance:
    rng = random.Random(name)
    equal = [False] * len(rows) if equal is None else equal
    down = rng.sample(range(len(rows)), len(rows))
    across = rng.sample(range(len(rows[0])), len(rows[0]))
    return Instance(
        name,
        tuple(tuple(int(rows[i][j]) for j in across) for i in down),
        tuple(bool(equal[i]) for i in down),
        truth,
        why,
        tuple(proof[k] for k in (across if truth else down)),
    )
