"""The sparsest separators, and the proofs that none is sparser, against exhaustive search and known numbers."""

from __future__ import annotations

import itertools
from math import prod

import pytest

from expressivity.errors import InputError, Refuted
from expressivity.separability import IntegerRows, Separator, Sparsest, separate, sparsest
from tests.separability.exhaustive import Question, fewest_column_groups, least_meeting, left_over, questions
from tests.separability.families import dot, odd_max_bit


def confirmed(question: Question, found: Sparsest) -> None:
    """The result re-proved by this file's own arithmetic, as far as its bound."""
    for row, tied in zip(question.rows, question.equal, strict=True):
        value = dot(row, list(found.weights))
        assert value == 0 if tied else value >= 1
    used = {group for group, weight in zip(question.column_groups, found.weights, strict=True) if weight}
    assert found.groups == tuple(sorted(used - {-1}))
    assert 0 <= found.bound <= len(found.groups)
    assert found.optimal == (found.bound == len(found.groups))
    if found.bound == 0:
        assert found.combinations == ()
    else:
        assert least_meeting([left_over(question, each) for each in found.combinations]) >= found.bound


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_sparser(seed: int) -> None:
    for question in questions(40, seed + 100):
        rows = IntegerRows.from_dense(question.rows)
        least = fewest_column_groups(question)
        found = sparsest(rows, question.equal, groups=question.column_groups, time_limit=None)
        assert (found is None) == (least is None)
        if found is not None:
            confirmed(question, found)
            assert found.bound == len(found.groups) == least


def characters(bits: tuple[int, ...]) -> list[int]:
    """All products of bits ±1, the empty one first."""
    return [prod(chosen) for size in range(len(bits) + 1) for chosen in itertools.combinations(bits, size)]


def test_parity_is_one_product_of_signs() -> None:
    points = list(itertools.product((1, -1), repeat=4))
    rows = IntegerRows.from_dense([[prod(bits) * a for a in characters(bits)] for bits in points])
    found = sparsest(rows, time_limit=None)
    assert found is not None
    assert found.groups == (15,)
    assert found.optimal


@pytest.mark.parametrize("n", [2, 3, 4])
def test_and_takes_a_constant_and_the_full_product(n: int) -> None:
    """Over bits 0 and 1, all products but the constant vanish at 0, so the constant is needed; it does not do alone."""
    points = list(itertools.product((0, 1), repeat=n))
    rows = IntegerRows.from_dense([[(1 if all(p) else -1) * a for a in characters(p)] for p in points])
    found = sparsest(rows, time_limit=None)
    assert found is not None
    assert len(found.groups) == 2
    assert 0 in found.groups
    assert found.optimal
    free = sparsest(rows, groups=[-1, *range(1, 2**n)], time_limit=None)
    assert free is not None
    assert len(free.groups) == 1
    assert free.optimal


@pytest.mark.parametrize("factor", [1, 2**60])
def test_odd_max_bit_needs_every_bit(factor: int) -> None:
    """The string whose only 1 is bit i gives 0 unless bit i has a weight."""
    table = [[a * factor for a in row] for row in odd_max_bit(10, 40, 1)]
    rows = IntegerRows.from_dense([[row[0] * 10**15, *row[1:]] for row in table])
    found = sparsest(rows, time_limit=None)
    assert found is not None
    assert found.groups == tuple(range(10))
    assert found.optimal


def test_groups_and_columns_free_of_charge() -> None:
    rows = IntegerRows.from_dense([[1, 1, 0, 1, 0], [1, 0, 1, 0, 1], [1, -1, -1, 0, 0]])
    together = sparsest(rows, groups=[0, 1, 1, 2, 2])
    assert together is not None
    assert together.groups == (0,)
    free = sparsest(rows, groups=[-1, 1, 1, 2, 2])
    assert free is not None
    assert free.groups == ()
    assert free.bound == 0
    assert free.combinations == ()
    assert free.optimal


def test_names_of_groups_are_kept() -> None:
    rows = IntegerRows.from_dense([[1, 1, 0], [1, 0, 1]])
    found = sparsest(rows, groups=[40, 7, 7])
    assert found is not None
    assert found.groups in ((7,), (40,))
    assert found.optimal


def test_equal_rows_are_kept() -> None:
    """Rows 0 and 1 alone take columns 0 and 1, or 2 and 3; row 2 ties columns 0 and 1, which is no hindrance."""
    rows = IntegerRows.from_dense([[1, 0, 1, 0], [0, 1, 0, 1], [1, -1, 0, 0]])
    equal = [False, False, True]
    found = sparsest(rows, equal)
    assert found is not None
    found.separator.check(rows, equal)
    assert len(found.groups) == 2
    assert found.optimal


def test_inseparable_rows_have_no_sparsest_separator() -> None:
    assert sparsest(IntegerRows.from_dense([[1], [-1]])) is None


def test_nothing_to_separate_takes_nothing() -> None:
    found = sparsest(IntegerRows.from_dense([[1, 2], [3, 4]]), [True, True])
    assert found is not None
    assert found.groups == ()
    assert found.optimal


def test_without_time_the_given_separator_is_kept() -> None:
    rows = IntegerRows.from_dense([[1, 1, 1], [1, -1, 2], [1, 0, -1]])
    given = Separator((3, 1, 1))
    found = sparsest(rows, None, given, time_limit=0)
    assert found is not None
    assert found.separator is given
    assert found.bound == 0
    assert not found.optimal


def test_a_limit_leaves_a_gap_that_is_true() -> None:
    """Parity of six bits among all 64 monomials over 0 and 1, with one dear column more than needed or not."""
    points = list(itertools.product((0, 1), repeat=6))
    rows = IntegerRows.from_dense([[(-1) ** sum(p) * a for a in characters(p)] for p in points])
    start = separate(rows)
    assert isinstance(start, Separator)
    for limit in (0.0, 0.02, 0.1):
        found = sparsest(rows, None, start, time_limit=limit)
        assert found is not None
        found.separator.check(rows)
        assert found.bound <= len(found.groups) <= 64


def test_wrong_questions_are_refused() -> None:
    rows = IntegerRows.from_dense([[1, 1, 1], [1, -1, 2]])
    with pytest.raises(InputError, match="expected one number for each of 3 columns"):
        sparsest(rows, groups=[0, 1])
    with pytest.raises(Refuted):
        sparsest(rows, None, Separator((0, 1, 0)))
