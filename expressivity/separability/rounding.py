"""Integers near multiples of a float vector: vertices of small integer programs are found this way."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

import numpy as np

from .exactify import rounded
from .rows import Array

_FACTORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 24, 30, 60)
_BITS = (12, 20, 28, 36, 44)


def multiples(point: Array) -> Iterator[tuple[int, ...]]:
    """Integer vectors near the ray of ``point``, small ones first, each divided by its common factor.

    Example:
        >>> next(multiples(np.array([0.5, -1.5, 1e-13])))
        (1, -3, 0)
    """
    sizes = np.abs(point)
    largest = float(sizes.max(initial=0.0))
    if not np.isfinite(largest) or not largest:
        return
    least = float(sizes[sizes > 1e-9 * largest].min())
    seen: set[tuple[int, ...]] = set()
    for unit in (1.0 / least, 1.0):
        for factor in _FACTORS:
            whole = np.rint(point * (factor * unit))
            if np.abs(whole).max() >= 2.0**53:
                break
            yield from _fresh([int(value) for value in whole.tolist()], seen)
    shift = -int(np.frexp(largest)[1])
    for bits in _BITS:
        yield from _fresh([rounded(value, shift + bits) for value in point.tolist()], seen)


def _fresh(vector: list[int], seen: set[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    divisor = gcd(*vector)
    if divisor:
        reduced = tuple(value // divisor for value in vector)
        if reduced not in seen:
            seen.add(reduced)
            yield reduced
