"""From odds in floats to odds that people can read: few digits first, more until the linear step succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import frexp
from typing import Any

import numpy as np

from expressivity.attention import HeadTables
from expressivity.heads.search.exact import cleared
from expressivity.heads.search.layout import Floats, Layout

BITS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Digits that odds keep, the first try being powers of 2."""
WIDEST = 20.0  # binary orders of magnitude between odds of one head, beyond which they are cut


@dataclass(frozen=True)
class Guess:
    """Where one start of a search in floats ended.

    Attributes:
        log_odds: ``[heads, factors]``.
        margin: the least margin of the comparisons, in proportion to their mean size; below 0 where one fails, a tie
            failing by its size.
    """

    log_odds: Floats
    margin: float


def snapped(log_odds: Floats, bits: int) -> list[list[Fraction]]:
    """Odds ``e**x`` rounded to so many binary digits, ``[heads][factors]``.

    >>> import numpy as np
    >>> [[str(a) for a in head] for head in snapped(np.log([[1.0, 2.9, 0.3]]), 2)]
    [['1', '3', '1/4']]
    """
    clipped = np.clip(log_odds / np.log(2.0), -WIDEST, WIDEST)
    return [[_rounded(float(2.0**x), bits) for x in head] for head in clipped]


def centred(layout: Layout, log_odds: Floats) -> Floats:
    """The same attention with odds near 1: a destination's odds are known up to a factor, for each kind of row."""
    result = np.array(log_odds, dtype=float)
    for group in groups(layout):
        result[:, group] -= np.median(result[:, group], axis=1, keepdims=True)
    return result


def groups(layout: Layout) -> list[list[int]]:
    """The factors that belong to one destination row and one kind of source row: a common factor is free."""
    found: dict[Any, list[int]] = {}
    for f, (end, source) in enumerate(layout.factors):
        found.setdefault((end, source[0] is None, source[1] is None), []).append(f)
    return list(found.values())


def tries(layout: Layout, log_odds: Floats, bits: Sequence[int] = BITS) -> Iterator[list[list[Fraction]]]:
    """Roundings of the odds, coarse to fine, each once."""
    shifted = centred(layout, log_odds)
    seen = None
    for number in bits:
        odds = snapped(shifted, number)
        if odds != seen:
            yield odds
        seen = odds


def snap(
    layout: Layout,
    log_odds: Floats,
    *,
    bits: Sequence[int] = BITS,
    time_limit: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> HeadTables | None:
    """Tables with odds near the given ones that decide the task: exact; ``None`` if no rounding has any."""
    for odds in tries(layout, log_odds, bits):
        found = cleared(layout, odds).solve(time_limit=time_limit)
        if found is not None or stop():
            return found
    return None


def _rounded(value: float, bits: int) -> Fraction:
    mantissa, exponent = frexp(value)  # in [1/2, 1)
    return Fraction(round(mantissa * 2**bits)) * Fraction(2) ** (exponent - bits)
