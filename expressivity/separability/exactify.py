"""From floats to integers: proposals become proofs, or nothing.

A separator is rounded with more and more bits, where equal rows ask for it with the weights of some columns solved for
exactly. A cancellation is read off the rows of its support, which determine it. Whatever is returned has been
substituted.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from .elimination import eliminate
from .linear import null_vector, pivot_columns, solve
from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows

_BITS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 22, 30, 40, 52)  # beyond the bits that the least margin needs
_SUPPORT = 1e-9  # relative size below which a float multiplier is first taken for zero


class Separating:
    """Rounds float weights to exact separators of the given rows; the equal rows must be independent."""

    def __init__(self, rows: IntegerRows, equal: Mask) -> None:
        self.rows = rows
        self.equal = equal
        self.ties = rows.take(np.flatnonzero(equal))
        self._pivots: Array | None = None

    def __call__(self, weights: Array, stage: str) -> Separator | None:
        """A separator near ``weights``, or None."""
        values = np.asarray(self.rows.floats() @ weights)
        margins = np.ldexp(values, self.rows.exponents().clip(-1000, 1000))[~self.equal]
        if not np.isfinite(weights).all() or not len(margins) or not margins.min() > 0:
            return None
        least = -int(np.frexp(margins.min())[1]) - int(self.rows.exponents().max(initial=0) > 60)
        for bits in _BITS:
            found = self.exactly([rounded(weight, least + bits) for weight in weights.tolist()], stage)
            if found is not None:
                return found
        return None

    def exactly(self, weights: list[int], stage: str) -> Separator | None:
        """The separator that these integers are, once some of them are changed to meet the equal rows."""
        if self.ties.n_rows:
            met = self._meet_ties(weights)
            if met is None:
                return None
            weights = met
        signs = self.rows.signs(weights)
        if np.any(np.where(self.equal, signs != 0, signs <= 0)):
            return None
        divisor = gcd(*weights)
        return Separator(tuple(weight // divisor for weight in weights), stage)

    def _meet_ties(self, weights: list[int]) -> list[int] | None:
        """The weights of the pivot columns solved for, everything multiplied by the common denominator."""
        if not any(self.ties.times(weights)):
            return weights
        if self._pivots is None:
            self._pivots = np.array(pivot_columns(self.ties), dtype=np.int64)
        if len(self._pivots) < self.ties.n_rows:
            return None
        others = list(weights)
        for column in self._pivots.tolist():
            others[column] = 0
        right = [-value for value in self.ties.times(others)]
        solution = solve(self.ties.keep_columns(self._pivots), right)
        if solution is None:
            return None
        numerators, denominator = solution
        scaled = [weight * denominator for weight in others]
        for column, value in zip(self._pivots.tolist(), numerators, strict=True):
            scaled[column] = value
        return scaled


def cancelling(rows: IntegerRows, equal: Mask, basis: Array, values: Array, stage: str) -> Cancellation | None:
    """The cancellation whose support is among the rows ``basis``, with ``values`` as float hints, or None.

    The rows with sizeable multipliers are tried first. If they do not cancel all of ``basis`` is, because true
    multipliers may be smaller than any tolerance.
    """
    strict = ~equal[basis]
    if not len(basis) or not np.any(strict):
        return None
    sizes = np.abs(values)
    support = np.flatnonzero(sizes > _SUPPORT * sizes.max())
    for chosen in (support, np.arange(len(basis))):
        if not len(chosen) or (len(chosen) == len(basis) and chosen is support and len(support) < len(basis)):
            continue
        numbers = basis[chosen]
        anchors = np.flatnonzero(strict[chosen])
        if not len(anchors):
            continue
        anchor = int(anchors[np.argmax(sizes[chosen][anchors])])
        vector = null_vector(rows.take(numbers), anchor)
        if vector is not None:
            multipliers = {int(i): value for i, value in zip(numbers, vector, strict=True) if value}
            if all(value > 0 or equal[i] for i, value in multipliers.items()):
                divisor = gcd(*multipliers.values())
                return Cancellation({i: multipliers[i] // divisor for i in sorted(multipliers)}, stage)
        if len(support) == len(basis):
            return None
    return None


def settled_by(rows: IntegerRows, equal: Mask, part: Array, stage: str) -> Separator | Cancellation | None:
    """What elimination on a few rows says, where it says something about all of them.

    For rows that a float solver takes for cancelling although they are independent, by a hair: weights that give all of
    them the value 1 exactly.
    """
    numbers = np.union1d(part, np.flatnonzero(equal))
    found = eliminate(rows.take(numbers), equal[numbers])
    if isinstance(found, Cancellation):
        return Cancellation({int(numbers[i]): value for i, value in found.multipliers.items()}, stage)
    if found is not None:
        signs = rows.signs(found.weights)
        if not np.any(np.where(equal, signs != 0, signs <= 0)):
            return Separator(found.weights, stage)
    return None


def rounded(weight: float, bits: int) -> int:
    """``weight · 2**bits`` to the nearest integer, exactly computed for any exponent."""
    numerator, denominator = weight.as_integer_ratio()
    if bits >= 0:
        numerator <<= bits
    else:
        denominator <<= -bits
    return (2 * numerator + denominator) // (2 * denominator)
