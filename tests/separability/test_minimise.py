"""Shorter proofs: checked exactly, and compared with exhaustive search."""

from __future__ import annotations

import itertools
import random

import pytest

from expressivity.errors import InputError, Refuted
from expressivity.separability import (
    Cancellation,
    IntegerRows,
    Separator,
    irreducible,
    separate,
    smallest,
    sparsest,
)
from tests.separability.families import dot


def inseparable(table: list[list[int]], equal: list[bool]) -> bool:
    return isinstance(separate(IntegerRows.from_dense(table, len(table[0]) if table else 2), equal), Cancellation)


def test_irreducible_keeps_part_of_the_rows() -> None:
    rows = IntegerRows.from_dense([[1, 0, 0], [-1, 0, 0], [0, 1, 1], [0, -2, -2], [1, 1, 1]])
    mixed = Cancellation({0: 3, 1: 3, 2: 2, 3: 1})
    found = irreducible(rows, None, mixed)
    found.check(rows)
    assert set(found.multipliers) < set(mixed.multipliers)
    assert irreducible(rows, None, found) is found
    with pytest.raises(Refuted):
        irreducible(rows, None, Cancellation({0: 1}))


@pytest.mark.parametrize("seed", range(8))
def test_smallest_is_as_small_as_exhaustive_search_says(seed: int) -> None:
    rng = random.Random(seed)
    n = 3
    table = [[rng.randint(-2, 2) for _ in range(n)] for _ in range(8)]
    table = [row for row in table if any(row)]
    equal = [rng.random() < 0.2 for _ in table]
    rows = IntegerRows.from_dense(table)
    start = separate(rows, equal)
    if not isinstance(start, Cancellation):
        return
    found = smallest(rows, equal, start)
    found.cancellation.check(rows, equal)
    size = next(
        size
        for size in range(1, 9)
        if any(
            inseparable([table[i] for i in part], [equal[i] for i in part])
            for part in itertools.combinations(range(len(table)), size)
        )
    )
    assert len(found.cancellation.multipliers) == size
    assert found.claimed
    assert found.bound == size


def test_smallest_improves_on_a_long_cancellation() -> None:
    """Rows 0–4 cancel in a ring; rows 5–7 cancel among themselves."""
    ring = [[int(j == i) - int(j == (i + 1) % 5) for j in range(7)] for i in range(5)]
    triangle = [[0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, -1, -1]]
    rows = IntegerRows.from_dense(ring + triangle)
    found = smallest(rows, None, Cancellation(dict.fromkeys(range(5), 1)))
    assert found.cancellation.multipliers == {5: 1, 6: 1, 7: 1}
    assert found.claimed


@pytest.mark.parametrize("seed", range(8))
def test_sparsest_is_as_sparse_as_exhaustive_search_says(seed: int) -> None:
    rng = random.Random(seed)
    n = 6
    weights = [0] * n
    for j in rng.sample(range(n), rng.randint(1, 3)):
        weights[j] = rng.choice([-2, -1, 1, 3])
    table = []
    while len(table) < 12:
        row = [rng.randint(-2, 2) for _ in range(n)]
        if value := dot(row, weights):
            table.append(row if value > 0 else [-a for a in row])
    rows = IntegerRows.from_dense(table)
    found = sparsest(rows, time_limit=5)
    assert found is not None
    found.separator.check(rows)
    assert found.groups == tuple(j for j, weight in enumerate(found.weights) if weight)
    size = next(
        size
        for size in range(n + 1)
        if any(
            isinstance(separate(rows.keep_columns(columns)), Separator)
            for columns in itertools.combinations(range(n), size)
        )
    )
    assert len(found.groups) == size
    assert found.claimed


def test_groups_and_columns_free_of_charge() -> None:
    rows = IntegerRows.from_dense([[1, 1, 0, 1, 0], [1, 0, 1, 0, 1], [1, -1, -1, 0, 0]])
    together = sparsest(rows, groups=[0, 1, 1, 2, 2])
    assert together is not None
    assert together.groups == (0,)
    free = sparsest(rows, groups=[-1, 1, 1, 2, 2])
    assert free is not None
    assert free.groups == ()
    assert free.claimed
    with pytest.raises(InputError, match="expected one number for each of 5 columns"):
        sparsest(rows, groups=[0, 1])


def test_sparsest_with_ties_keeps_them() -> None:
    table = [[1, 0, 1, 0], [0, 1, 0, 1], [1, -1, 0, 0]]
    rows = IntegerRows.from_dense(table)
    equal = [False, False, True]
    found = sparsest(rows, equal)
    assert found is not None
    found.separator.check(rows, equal)
    assert len(found.groups) == 2


def test_inseparable_rows_have_no_sparsest_separator() -> None:
    assert sparsest(IntegerRows.from_dense([[1], [-1]])) is None


def test_without_time_the_given_separator_is_kept() -> None:
    rows = IntegerRows.from_dense([[1, 1, 1], [1, -1, 2], [1, 0, -1]])
    given = Separator((3, 1, 1))
    found = sparsest(rows, None, given, time_limit=0)
    assert found is not None
    assert found.separator is given
    assert not found.claimed
