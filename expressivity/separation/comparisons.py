"""Comparisons: what it would take to give every observation probability one.

In a row with features φ where class y was observed, every other class z gives the comparison

    Δ = φ ⊗ (e_y − e_z),

and β · Δ is the log odds of y against z there. The coefficients of the reference class are 0, so its block is left out;
with two classes Δ is φ or −φ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from expressivity.separability.rows import IntegerRows
from expressivity.separation.response import Response


class Comparison(NamedTuple):
    """In row ``row`` of the data the class ``observed`` was seen and ``other`` might have been."""

    row: int
    observed: int
    other: int


def comparisons(response: Response) -> list[Comparison]:
    """All comparisons of a response, row by row."""
    classes = range(len(response.classes))
    return [
        Comparison(row, y, z) for row, found in enumerate(response.observed) for y in found for z in classes if z != y
    ]


def comparison_rows(features: IntegerRows, numbers: tuple[int, ...], listed: list[Comparison]) -> IntegerRows:
    """The vectors Δ, one row each: the block of class k ≥ 1 begins at column ``(k − 1) · n_features``.

    Args:
        features: φ for the rows of the data called ``numbers``.
        numbers: increasing.
        listed: the comparisons.
    """
    width = features.n_columns
    blocks = max(max(c.observed, c.other) for c in listed)
    position = {row: i for i, row in enumerate(numbers)}
    parts: list[tuple[int, int, int]] = []  # which φ, where its block begins, its sign
    ends = [0]
    for c in listed:
        pair = sorted((k, sign) for k, sign in ((c.observed, 1), (c.other, -1)) if k)
        parts += [(position[c.row], (k - 1) * width, sign) for k, sign in pair]
        ends.append(len(parts))
    where, offsets, signs = np.array(parts, dtype=np.int64).T
    taken = features.take(where)
    lengths = np.diff(taken.indptr)
    indices = taken.indices + np.repeat(offsets, lengths)
    data = taken.data * np.repeat(signs, lengths).astype(taken.data.dtype)
    return IntegerRows(taken.indptr[ends], indices, data, blocks * width)
