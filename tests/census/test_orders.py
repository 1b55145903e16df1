"""Threshold degrees: known numbers, another engine, and proofs that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from expressivity import EXPRESSIBLE, SkipGrams, decide
from expressivity.census.classes import classes
from expressivity.census.functions import points, signs, task_of
from expressivity.census.orders import Degrees, check, degrees
from expressivity.census.polynomials import design, fit, monomials, rounded


@pytest.mark.parametrize(
    ("n", "by_degree"), [(1, [2, 2]), (2, [2, 12, 2]), (3, [2, 102, 150, 2]), (4, [2, 1880, 55692, 7960, 2])]
)
def test_known_numbers_of_functions(n: int, by_degree: list[int]) -> None:
    """Linear threshold functions: OEIS A000609, less the 2 constants. n = 4: enumerated three times, independently."""
    every = classes(n)
    found = degrees(every.words, n)
    assert [int(every.sizes[found.degree == d].sum()) for d in range(n + 1)] == by_degree


def test_every_function_and_not_only_the_least_of_its_class() -> None:
    found = degrees(np.arange(256, dtype=np.uint64), 3)
    assert np.bincount(found.degree).tolist() == [2, 102, 150, 2]


@pytest.mark.parametrize("n", [4, 5, 6])
def test_the_engine_for_one_task_agrees(n: int) -> None:
    random = np.random.default_rng(n)
    words = random.integers(0, 2 ** (2**n) - 1, 6, dtype=np.uint64, endpoint=True)
    found = degrees(words, n)
    for word, degree in zip(words.tolist(), found.degree.tolist(), strict=True):
        task = task_of(word, n)
        assert decide(task, SkipGrams(degree + 2)).answer is EXPRESSIBLE
        assert decide(task, SkipGrams(degree + 1)).answer is not EXPRESSIBLE


def test_parity_and_its_neighbour() -> None:
    """Parity of five inputs has degree 5; with one value changed 4: parity times (1 − a multiple of that point)."""
    parity = sum(1 << x for x in range(32) if x.bit_count() % 2)
    found = degrees(np.array([parity, parity ^ 1], dtype=np.uint64), 5)
    assert found.degree.tolist() == [5, 4]
    assert found.multipliers[0].tolist() == [1] * 32


def some() -> tuple[np.ndarray, Degrees]:
    words = np.array([0b0110, 0b1000, 0b1111], dtype=np.uint64)
    return words, degrees(words, 2)


def test_a_proof_that_is_none_is_noticed() -> None:
    words, found = some()
    check(words, found)
    wrong = [
        replace(found, weights=(found.weights[0] * 0, *found.weights[1:])),
        replace(found, weights=(-found.weights[0], *found.weights[1:])),
        replace(found, multipliers=found.multipliers * 0),
        replace(found, multipliers=-found.multipliers),
        replace(found, multipliers=found.multipliers + np.eye(3, 4, dtype=np.int64)),
    ]
    for each in wrong:
        with pytest.raises(ArithmeticError, match="is not proved"):
            check(words, each)


def test_monomials_by_hand() -> None:
    assert monomials(3, 2) == ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
    assert points(2)[1].tolist() == [-1, 1]
    assert design(2, 2)[1].tolist() == [1, -1, 1, -1]


def test_rounding_proves_or_says_no() -> None:
    """Two inputs: a majority-like separator is kept, one for another function is not."""
    wanted = signs(np.array([0b1000, 0b0110], dtype=np.uint64), 2)
    proposed = np.array([[-1.0, 1.01, 0.99], [0.2, 0.3, 0.4]])
    weights, found = rounded(proposed, wanted, design(2, 1))
    assert found.tolist() == [True, False]
    assert weights[0].tolist() == [-1, 1, 1]
    assert fit(wanted[:1], design(2, 1))[0] @ design(2, 1)[3] > 0
    with pytest.raises(ValueError, match="do not fit into words"):
        rounded(proposed, wanted, design(2, 1), bits=62)
