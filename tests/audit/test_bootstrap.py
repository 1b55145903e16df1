"""Intervals from resampled units."""

from __future__ import annotations

import numpy as np
import pytest

from expressivity.audit import bootstrap


def mean(of: dict[str, np.ndarray]) -> np.ndarray:
    return of["x"] / of["n"]


def test_intervals_cover_the_mean_about_as_often_as_they_say() -> None:
    """300 texts of 60 documents, whose contexts have a document's own mean: 95% nominal, within 4 standard errors."""
    rng, hits, naive = np.random.default_rng(0), 0, 0
    units = np.repeat(np.arange(60), 10)
    for trial in range(300):
        x = rng.exponential(size=60)[units] + rng.normal(size=600)
        sums = {"x": x, "n": np.ones(600)}
        found = bootstrap(sums, units, {"mean": mean}, seed=trial, resamples=400)["mean"]
        alone = bootstrap(sums, np.arange(600), {"mean": mean}, seed=trial, resamples=400)["mean"]
        assert found.low is not None
        assert found.high is not None
        assert alone.low is not None
        assert alone.high is not None
        hits += found.low <= 1 <= found.high
        naive += alone.low <= 1 <= alone.high
    assert 0.88 <= hits / 300 <= 0.98
    assert naive / 300 < 0.8  # contexts of one document are no independent witnesses


def test_the_same_seed_gives_the_same_interval() -> None:
    sums = {"x": np.arange(50.0), "n": np.ones(50)}
    one, two, three = (bootstrap(sums, np.arange(50), {"mean": mean}, seed=seed)["mean"] for seed in (1, 1, 2))
    assert one == two != three
    assert one.value == pytest.approx(24.5)


def test_one_unit_has_no_interval() -> None:
    found = bootstrap({"x": np.ones(3), "n": np.ones(3)}, np.zeros(3), {"mean": mean})["mean"]
    assert (found.value, found.low, found.high) == (1, None, None)
