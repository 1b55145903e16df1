"""Thousands of small data sets against the definitions themselves, decided by an independent exact solver."""

from __future__ import annotations

import random

import pytest

from expressivity.separation import Separation, separation
from tests.separation.oracle import Cone, difference_rows


def small_data(rng: random.Random) -> tuple[list[list[int]], list[int], int, bool]:
    """Few rows of few small numbers, so that all kinds of separation and much degeneracy occur."""
    n_classes = rng.choice([2, 2, 2, 3, 4])
    n, p, size = rng.randint(n_classes, 9), rng.randint(1, 3), rng.choice([1, 2, 3, 9])
    X = [[rng.randint(-size, size) for _ in range(p)] for _ in range(n)]
    hidden = [[rng.randint(-2, 2) for _ in range(p)] for _ in range(n_classes)]
    noise = rng.choice([0, 1, 8])
    y = []
    for row in X:
        scores = [sum(a * b for a, b in zip(row, h, strict=True)) + rng.randint(-noise, noise) for h in hidden]
        y.append(max(range(n_classes), key=lambda k: scores[k]))
    y[:n_classes] = range(n_classes)  # every class occurs
    return X, y, n_classes, rng.random() < 0.6


def agree(found: Separation, X: list[list[int]], y: list[int], n_classes: int, intercept: bool) -> None:
    names = [c.name for c in found.coefficients[: len(found.coefficients) // (n_classes - 1)]]
    kept = [j for j, c in enumerate(found.coefficients[: len(names)]) if c.estimate != "aliased"]
    full = [[1, *row] if intercept else row for row in X]
    reported = [c.estimate for c in found.coefficients if c.estimate != "aliased"]
    found.verify()
    if not kept:  # every Δ is 0
        assert (found.kind, found.separated, reported) == ("overlap", (), [])
        return
    cone = Cone(difference_rows([[row[j] for j in kept] for row in full], y, n_classes))
    assert found.kind == cone.kind()
    assert [c in found.separated for c in found.comparisons] == cone.separated()
    assert reported == [cone.fate(j) for j in range(cone.width)]


def run(seeds: range) -> dict[str, int]:
    seen: dict[str, int] = {}
    for seed in seeds:
        X, y, n_classes, intercept = small_data(random.Random(seed))
        found = separation(X, y, intercept=intercept)
        try:
            agree(found, X, y, n_classes, intercept)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: X={X}, y={y}, intercept={intercept}") from error
        for key in {found.kind, *(c.estimate for c in found.coefficients)}:
            seen[key] = seen.get(key, 0) + 1
    return seen


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_kind_rows_and_coefficients_agree_with_the_definitions(start: int) -> None:
    seen = run(range(start, start + 100))
    assert set(seen) == {
        "complete", "quasi-complete", "overlap", "finite", "+inf", "-inf", "undetermined", "aliased",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 9000, 500))
def test_kind_rows_and_coefficients_agree_with_the_definitions_many_times(start: int) -> None:
    run(range(start, start + 500))
