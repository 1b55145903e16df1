"""Settling rows a layer at a time.

If ``u`` gives no strict row less than 0, and every equal row 0, then no cancellation uses a strict row with ``a · u
> 0``, for ``Σ λ_i (a_i · u) = 0`` has no negative terms. Such rows can be set aside: a cancellation of the others
is one of all rows, and a separator ``w`` of the others becomes ``K u + w`` for a large enough integer K. (The
facial reduction of linear programming, Borwein and Wolkowicz 1981, in integers.)

This is what rows with weights of very different size ask for: where the latest write decides, each layer is a few
positions, and weights like 2^80 arise from small ones by exact arithmetic instead of being asked of floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows

_STAGE = "layers"
_COARSEST, _FINEST = 1, 24  # bits to which float weights are cut in search of a layer


@dataclass
class Layer:
    """Integer weights that separate some rows and are at worst indifferent to the others.

    Attributes:
        weights: ``u``.
        settled: the strict rows with ``a · u > 0``.
        left: the numbers of the other rows.
        values: ``a · u`` on the settled rows.
    """

    weights: list[int]
    settled: IntegerRows
    left: Array
    values: list[int]

    def lift(self, outcome: Separator | Cancellation) -> Separator | Cancellation:
        """From an answer for the rows left to an answer for all."""
        if isinstance(outcome, Cancellation):
            return Cancellation({int(self.left[i]): value for i, value in outcome.multipliers.items()}, outcome.stage)
        others = self.settled.times(outcome.weights)
        factor = max(-((other - 1) // value) for other, value in zip(others, self.values, strict=True))
        if factor <= 0:
            return Separator(outcome.weights, _STAGE)
        weights = [factor * u + w for u, w in zip(self.weights, outcome.weights, strict=True)]
        divisor = gcd(*weights)
        return Separator(tuple(weight // divisor for weight in weights), _STAGE)


def layer(rows: IntegerRows, equal: Mask, weights: list[int]) -> Layer | None:
    """The layer settled by ``weights``, or None if they settle no row or are wrong about one. Exact."""
    signs = rows.signs(weights)
    if np.any(np.where(equal, signs != 0, signs < 0)) or not np.any(signs > 0):
        return None
    settled = rows.take(np.flatnonzero(signs > 0))
    return Layer(weights, settled, np.flatnonzero(signs <= 0), settled.times(weights))


def one_sided_columns(rows: IntegerRows, equal: Mask) -> Layer | None:
    """The layer of all columns whose entries have one sign throughout and occur in strict rows only."""
    sign = np.sign(rows.data).astype(np.int64)
    owners = np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr))
    count = np.bincount(rows.indices, minlength=rows.n_columns)
    total = np.zeros(rows.n_columns, dtype=np.int64)
    np.add.at(total, rows.indices, sign)
    tied = np.zeros(rows.n_columns, dtype=bool)
    tied[rows.indices[equal[owners]]] = True
    pure = (count > 0) & (np.abs(total) == count) & ~tied
    if not pure.any():
        return None
    return layer(rows, equal, np.where(pure, np.sign(total), 0).tolist())


def cut(rows: IntegerRows, equal: Mask, weights: Array) -> Layer | None:
    """The layer that settles most rows among the weights cut (towards zero, or rounded) to a few bits."""
    largest = np.abs(weights).max(initial=0.0)
    if not np.isfinite(largest) or largest == 0.0:
        return None
    best: Layer | None = None
    unit = np.ldexp(weights, -np.frexp(largest)[1])
    for bits in range(_COARSEST, _FINEST + 1):
        for rounding in (np.trunc, np.rint):
            found = layer(rows, equal, [int(weight) for weight in rounding(np.ldexp(unit, bits)).tolist()])
            if found is not None and (best is None or len(found.left) < len(best.left)):
                best = found
    return best
