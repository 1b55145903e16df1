"""Sums over the units of a text, and intervals from units drawn again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
RESAMPLES = 1000
LEVEL = 0.95
_PART = 1 << 22  # numbers of the table of resamples that are formed at a time


@dataclass(frozen=True)
class Estimate:
    """A number, and the interval in which it lies for nineteen in twenty resamples; ``None`` with fewer than two units.

    Attributes:
        value: on the text itself.
        low: the 2.5th percentile; high: the 97.5th.
    """

    value: float
    low: float | None
    high: float | None


def bootstrap(
    sums: Mapping[str, Array],
    units: Array,
    measures: Mapping[str, Callable[[Mapping[str, Array]], Array]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Percentile intervals (Efron 1979) of functions of sums: whole units are drawn with replacement.

    Args:
        sums: for each name a number for each item, ``[items]``.
        units: the unit of each item, ``[items]``; items of one unit stay together.
        measures: each makes of the totals, ``[resamples]`` for each name, the values ``[resamples]``.
        seed: of the draws.
        resamples: how many.

    >>> sums = {"n": np.ones(4), "right": np.array([1.0, 0.0, 1.0, 1.0])}
    >>> bootstrap(sums, np.arange(4), {"share": lambda of: of["right"] / of["n"]})["share"]
    Estimate(value=0.75, low=0.25, high=1.0)
    """
    kinds, place = np.unique(units, return_inverse=True)
    names = list(sums)
    table = np.stack([np.bincount(place, weights=sums[name], minlength=len(kinds)) for name in names], axis=1)
    totals = table.sum(axis=0)
    rng, drawn = np.random.default_rng(seed), []
    step = max(1, _PART // max(1, len(kinds)))
    for start in range(0, resamples, step):
        many = min(step, resamples - start)
        drawn.append(rng.multinomial(len(kinds), np.full(len(kinds), 1 / len(kinds)), size=many) @ table)
    again = np.concatenate(drawn)
    found = {}
    for name, measure in measures.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(measure({key: totals[None, k] for k, key in enumerate(names)})[0])
            values = measure({key: again[:, k] for k, key in enumerate(names)})
        if len(kinds) < 2 or not np.isfinite(values).all():
            found[name] = Estimate(value, None, None)
            continue
        low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
        found[name] = Estimate(value, float(low), float(high))
    return found
