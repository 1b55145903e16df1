"""Strict complementarity and the courses of coordinates, on rows whose truth is known by construction."""

from __future__ import annotations

import dataclasses
import random

import pytest

from expressivity.errors import Refuted
from expressivity.separability import IntegerRows, Undecided
from expressivity.separability.face import face
from expressivity.separability.recession import Loose, Running, Still, Unsettled, courses
from expressivity.separability.tucker import Complementary, complementary


def planted(seed: int, r: int, s: int, m: int, size: int) -> tuple[list[list[int]], list[bool], list[str]]:
    """Rows over r + s coordinates, sheared and shuffled, and their truth.

    Rows with b = 0 hold ±a in pairs for a spanning set of a, so every vector of the cone is 0 on the first r
    coordinates. All others have b ≥ 0, b ≠ 0, so they can all be positive. Among the b are the unit vectors of all but
    the last two coordinates, which only occur as (2, 1) and (1, 2): the cone in them is spanned by (2, −1) and (−1, 2).
    """
    rng = random.Random(seed)

    def vector(length: int) -> list[int]:
        return [rng.randint(-size, size) for _ in range(length)]

    closed = [[rng.randint(1, size) * int(i == j) for j in range(r)] for i in range(r)] + [vector(r) for _ in range(m)]
    rows = [[sign * entry for entry in a] + [0] * s for a in closed for sign in (1, -1)]
    truth = [False] * len(rows)
    units = [[int(j == k) for j in range(s)] for k in range(s - 2)]
    last = [[0] * (s - 2) + pair for pair in ([2, 1], [1, 2])]
    for _ in range(m):
        factors = [rng.randint(0, 3) for _ in range(s)]
        b = [sum(f * e[j] for f, e in zip(factors, units + last, strict=True)) for j in range(s)]
        rows.append(vector(r) + (b if any(b) else last[0]))
        truth.append(True)
    for b in units + last:
        rows.append(vector(r) + b)
        truth.append(True)
    shear = [vector(r) for _ in range(s)]  # a takes up multiples of b; nothing changes, since u_a = 0 on the cone
    rows = [[row[j] + sum(row[r + k] * shear[k][j] for k in range(s)) for j in range(r)] + row[r:] for row in rows]
    order = rng.sample(range(len(rows)), len(rows))
    fates = ["Still"] * r + ["Running"] * (s - 2) + ["Loose"] * 2
    return [rows[i] for i in order], [truth[i] for i in order], fates


CASES = [(3, 2, 5, 3), (2, 5, 10, 9), (10, 3, 40, 9), (6, 12, 60, 99), (12, 6, 80, 10**12), (20, 20, 200, 5)]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_planted_rows(case: tuple[int, int, int, int], seed: int) -> None:
    dense, truth, fates = planted(seed, *case)
    rows = IntegerRows.from_dense(dense)
    found = complementary(rows)
    assert isinstance(found, Complementary)
    assert [i not in found.multipliers for i in range(rows.n_rows)] == truth
    assert all(value > 0 for value in found.multipliers.values())
    assert not rows.combine(found.multipliers)
    assert [value > 0 for value in rows.times(found.weights)] == truth
    answers = courses(rows, found)
    assert [type(answer).__name__ for answer in answers] == fates
    for j, answer in enumerate(answers):
        if isinstance(answer, Running):
            assert answer.sign == 1
            assert all(value > 0 for value in answer.multipliers.values())
            total = rows.combine(answer.multipliers)
            for u in found.face.basis:  # equal on the face
                assert sum(value * u[k] for k, value in total.items()) == answer.factor * u[j]
        elif isinstance(answer, Loose):
            assert answer.up[j] > 0 > answer.down[j]
            assert min(rows.times(answer.up)) >= 0
            assert min(rows.times(answer.down)) >= 0
        else:
            assert isinstance(answer, Still)


@pytest.mark.parametrize(
    ("dense", "weights", "cancelling"),
    [
        ([[1, 0], [0, 1]], (1, 1), []),
        ([[1], [-1]], (0,), [0, 1]),
        ([[0, 0], [1, 2]], None, [0]),  # an empty row cancels alone
        ([[0, 0]], (0, 0), [0]),
        ([[1, -1], [-2, 2], [0, 1]], (1, 1), [0, 1]),
        # Three rounds: ±(1,0,0); then (5,1,0) and (7,−1,0) cancel up to the first; then (9,9,1) is left.
        ([[1, 0, 0], [-1, 0, 0], [5, 1, 0], [7, -1, 0], [9, 9, 1]], (0, 0, 1), [0, 1, 2, 3]),
    ],
)
def test_small_rows_by_hand(dense: list[list[int]], weights: tuple[int, ...] | None, cancelling: list[int]) -> None:
    rows = IntegerRows.from_dense(dense)
    found = complementary(rows)
    assert isinstance(found, Complementary)
    assert sorted(found.multipliers) == cancelling
    if weights is not None:
        assert found.weights == weights


def test_many_small_cancellations_are_taken_together() -> None:
    rng = random.Random(5)
    # Two factors of 12 levels, three outcomes: every cycle of levels is a cancellation of a few rows.
    dense = []
    for _ in range(400):
        a, b, seen = rng.randrange(12), rng.randrange(12), rng.randrange(3)
        phi = [10**6] + [int(a == k) for k in range(1, 12)] + [int(b == k) for k in range(1, 12)]
        for other in {0, 1, 2} - {seen}:
            dense.append([((k == seen) - (k == other)) * entry for k in (1, 2) for entry in phi])
    rows = IntegerRows.from_dense(dense)
    rounds: list[str] = []
    found = complementary(rows, progress=rounds.append)
    assert isinstance(found, Complementary)
    found.check(rows)
    assert 1 <= sum(text.startswith("separation:") for text in rounds) <= 6


def test_no_rows_and_no_columns() -> None:
    empty = complementary(IntegerRows.from_dense([], 2))
    assert isinstance(empty, Complementary)
    assert not empty.multipliers
    flat = complementary(IntegerRows.from_dense([[], []], 0))
    assert isinstance(flat, Complementary)
    assert sorted(flat.multipliers) == [0, 1]


def test_a_corrupted_answer_is_refused() -> None:
    rows = IntegerRows.from_dense([[1, 0], [-1, 0], [3, 1], [2, 0]])
    found = complementary(rows)
    assert isinstance(found, Complementary)
    found.check(rows)
    for change in (
        {"weights": (0, -1)},
        {"weights": (1, 1)},
        {"weights": (0, 1, 0)},
        {"multipliers": {0: 1, 1: 2, 3: 1}},
        {"multipliers": {0: 1, 1: 1}},
        {"multipliers": {0: 1, 1: 3, 3: 1, 2: 1}},
        {"multipliers": {0: -1, 1: -3, 3: -1}},
        {"multipliers": {7: 1}},
    ):
        with pytest.raises(Refuted):
            dataclasses.replace(found, **change).check(rows)


def test_the_time_limit_is_kept() -> None:
    dense, _, _ = planted(0, 6, 12, 60, 99)
    rows = IntegerRows.from_dense(dense)
    undecided = complementary(rows, time_limit=0)
    assert isinstance(undecided, Undecided)
    assert "time limit of 0 s" in undecided.reason
    found = complementary(rows)
    assert isinstance(found, Complementary)
    late = courses(rows, found, time_limit=0)
    assert {type(answer) for answer in late} <= {Still, Loose, Unsettled}
    assert any(isinstance(answer, Unsettled) for answer in late)


def test_a_prime_that_divides_every_minor_is_noticed() -> None:
    prime = (1 << 31) - 1
    found = face(IntegerRows.from_dense([[prime, 0, 0], [0, 1, 0]]), [0, 1])
    assert found.independent == (0, 1)
    assert found.basis == ((0, 0, 1),)
    both = prime * ((1 << 61) - 1)
    assert face(IntegerRows.from_dense([[both, 0, 0], [0, 1, 0]]), [0, 1]).independent == (0, 1)
