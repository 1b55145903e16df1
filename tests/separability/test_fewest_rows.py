"""The smallest contradictions, and the proofs that none is smaller, against exhaustive search and known numbers."""

from __future__ import annotations

import itertools
import random

import pytest

from expressivity.errors import InputError, Refuted
from expressivity.separability import Cancellation, IntegerRows, Smallest, separate, smallest
from tests.separability.exhaustive import Question, fewest_row_groups, least_meeting, missed, questions
from tests.separability.families import doubling, parity

TRIANGLE = [[1, 0], [-2, 1], [0, -1], [1, -3], [-1, 3]]  # rows 0, 1, 2 cancel, and so do rows 3, 4


def cancellation(rows: IntegerRows, equal: list[bool] | None = None) -> Cancellation:
    found = separate(rows, equal)
    assert isinstance(found, Cancellation)
    return found


def confirmed(question: Question, found: Smallest) -> None:
    """The result re-proved by this file's own arithmetic, as far as its bound."""
    columns = range(len(question.rows[0]))
    multipliers = found.cancellation.multipliers
    assert not any(sum(value * question.rows[i][j] for i, value in multipliers.items()) for j in columns)
    strict = [value for i, value in multipliers.items() if not question.equal[i]]
    assert strict
    assert min(strict) > 0
    assert found.groups == tuple(sorted({question.row_groups[i] for i in multipliers}))
    assert 1 <= found.bound <= len(found.groups)
    assert found.optimal == (found.bound == len(found.groups))
    assert least_meeting([missed(question, weights) for weights in found.separators]) >= found.bound


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_smaller(seed: int) -> None:
    for question in questions(40, seed):
        rows = IntegerRows.from_dense(question.rows)
        least = fewest_row_groups(question)
        start = separate(rows, question.equal)
        assert isinstance(start, Cancellation) == (least is not None)
        if isinstance(start, Cancellation):
            found = smallest(rows, question.equal, start, groups=question.row_groups, time_limit=None)
            confirmed(question, found)
            assert found.bound == len(found.groups) == least


@pytest.mark.parametrize("k", [2, 3, 4])
def test_parity_takes_all_contexts(k: int) -> None:
    """With monomials of degree below k the only combination of the 2^k points that vanishes is parity itself: a
    polynomial of degree below k is orthogonal to it, and there are only 2^k − 1 such monomials, which are independent.
    For k = 2 these are skip-trigrams and exclusive or, which takes 4 contexts."""
    rows = IntegerRows.from_dense(parity(k, k - 1))
    found = smallest(rows, None, cancellation(rows), time_limit=None)
    assert found.groups == tuple(range(2**k))
    assert found.optimal
    assert len(found.separators) == 2**k  # each context has to be left out once


def test_a_copy_of_exclusive_or_among_others_is_found() -> None:
    """Majority of three bits is linear, so the first seven rows alone are separable; four more are exclusive or of the
    last two of five bits, and only together do they contradict each other."""
    points = [(*bits, 0, 0) for bits in itertools.product((0, 1), repeat=3) if any(bits)]
    rows = [[(1 if sum(p) >= 2 else -1) * a for a in (1, *p)] for p in points]
    square = [((0, 0, 0, a, b), 1 if a != b else -1) for a, b in itertools.product((0, 1), repeat=2)]
    rows += [[sign * a for a in (1, *p)] for p, sign in square]
    table = IntegerRows.from_dense(rows)
    found = smallest(table, None, cancellation(table), time_limit=None)
    assert found.groups == (7, 8, 9, 10)
    assert found.cancellation.multipliers == {7: 1, 8: 1, 9: 1, 10: 1}
    assert found.optimal


def test_it_improves_on_a_long_cancellation() -> None:
    """Rows 0–4 cancel in a ring; rows 5–7 cancel among themselves."""
    ring = [[int(j == i) - int(j == (i + 1) % 5) for j in range(7)] for i in range(5)]
    triangle = [[0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, -1, -1]]
    rows = IntegerRows.from_dense(ring + triangle)
    found = smallest(rows, None, Cancellation(dict.fromkeys(range(5), 1)))
    assert found.cancellation.multipliers == {5: 1, 6: 1, 7: 1}
    assert found.optimal


@pytest.mark.parametrize("factor", [1, 2**60, 10**40])
def test_a_chain_of_doublings_breaks_without_any_link(factor: int) -> None:
    """``w_{i+1} > 2 w_i`` for nine i and ``2^9 w_0 > w_9`` contradict each other, and no nine of these ten do; the last
    of all rows, ``w_0 > 0``, is not needed. A factor on a row or a column changes nothing."""
    chain = doubling(10, 2**9)
    chain[3] = [a * factor for a in chain[3]]
    chain = [[row[0] * factor, *row[1:]] for row in chain]
    rows = IntegerRows.from_dense(chain)
    found = smallest(rows, None, cancellation(rows), time_limit=None)
    assert found.groups == (0, 1, 2, 3, 4, 5, 6, 7, 8, 10)
    assert found.optimal


def test_groups_count_and_not_rows() -> None:
    """Rows 3 and 4 are in two groups; rows 0 to 2 are more, but all in one."""
    rows = IntegerRows.from_dense(TRIANGLE)
    found = smallest(rows, None, Cancellation({3: 1, 4: 1}), groups=[7, 7, 7, 2, 3])
    assert found.groups == (7,)
    assert found.cancellation.multipliers == {0: 2, 1: 1, 2: 1}
    assert found.bound == 1
    assert found.optimal


def test_a_single_row_without_entries() -> None:
    rows = IntegerRows.from_dense([[1, 0], [-1, 0], [0, 0]])
    found = smallest(rows, None, Cancellation({0: 1, 1: 1}))
    assert found.groups == (2,)
    assert found.optimal


def test_without_time_the_given_cancellation_is_kept() -> None:
    rows = IntegerRows.from_dense(TRIANGLE)
    given = Cancellation({0: 2, 1: 1, 2: 1})
    found = smallest(rows, None, given, time_limit=0)
    assert found.cancellation is given
    assert found.bound == 1
    assert found.separators == ((0, 0),)
    assert not found.optimal


def test_a_limit_leaves_a_gap_that_is_true() -> None:
    """However early the search ends, what it says is right."""
    rng = random.Random(3)
    for limit in (0.0, 0.005, 0.02):
        table = [[rng.randint(-3, 3) for _ in range(4)] for _ in range(40)]
        question = Question(table, [False] * 40, list(range(40)), list(range(4)))
        rows = IntegerRows.from_dense(table)
        confirmed(question, smallest(rows, None, cancellation(rows), time_limit=limit))


def test_the_bounds_are_told_as_they_close_in() -> None:
    rows = IntegerRows.from_dense(parity(3, 2))
    said: list[str] = []
    smallest(rows, None, cancellation(rows), time_limit=None, progress=said.append)
    assert said[-1] == "at least 8, at most 8"
    assert all(line.startswith("at least ") and ", at most 8" in line for line in said)
    assert len(set(said)) == len(said)


def test_wrong_questions_are_refused() -> None:
    rows = IntegerRows.from_dense(TRIANGLE)
    with pytest.raises(Refuted):
        smallest(rows, None, Cancellation({0: 1}))
    with pytest.raises(InputError, match="expected one number for each of 5 rows"):
        smallest(rows, None, Cancellation({3: 1, 4: 1}), groups=[0, 1])
    with pytest.raises(InputError, match="negative number for row 1"):
        smallest(rows, None, Cancellation({3: 1, 4: 1}), groups=[0, -1, 2, 3, 4])
