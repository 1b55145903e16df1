"""Ranks and solutions against SymPy's exact ones."""

from __future__ import annotations

import random

import pytest
import sympy

from expressivity.separability import IntegerRows
from expressivity.separability.linear import null_vector, pivot_columns, pivot_rows, rank_at_least, solve, transpose


def table_of_rank(rng: random.Random, m: int, n: int, rank: int, size: int) -> list[list[int]]:
    left = [[rng.randint(-size, size) for _ in range(rank)] for _ in range(m)]
    right = [[rng.randint(-size, size) for _ in range(n)] for _ in range(rank)]
    columns = list(zip(*right, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left]


@pytest.mark.parametrize("seed", range(40))
def test_rank_and_pivots(seed: int) -> None:
    rng = random.Random(seed)
    m, n = rng.randint(1, 7), rng.randint(1, 7)
    table = table_of_rank(rng, m, n, rng.randint(1, 4), rng.choice([1, 3, 10**10]))
    rows = IntegerRows.from_dense(table)
    rank = sympy.Matrix(table).rank()
    assert rank_at_least(rows, rank)
    assert not rank_at_least(rows, rank + 1)
    assert len(pivot_columns(rows)) == rank
    chosen = pivot_rows(rows)
    assert sympy.Matrix([table[i] for i in chosen]).rank() == rank if chosen else rank == 0
    assert transpose(rows).dense() == [list(column) for column in zip(*table, strict=True)]


@pytest.mark.parametrize(("n", "size"), [(60, 1), (60, 10**6), (90, 3)])
def test_rank_of_larger_rows(n: int, size: int) -> None:
    rng = random.Random(n)
    full = [[rng.randint(-size, size) for _ in range(n)] for _ in range(n)]
    assert rank_at_least(IntegerRows.from_dense(full), n)
    deficient = [*full[:-1], [sum(column) for column in zip(*full[:-1], strict=True)]]
    rows = IntegerRows.from_dense(deficient)
    assert rank_at_least(rows, n - 1)
    assert not rank_at_least(rows, n)


@pytest.mark.parametrize("seed", range(30))
def test_solutions_of_square_systems(seed: int) -> None:
    rng = random.Random(seed)
    n = rng.randint(1, 6)
    size = rng.choice([1, 5, 10**25])
    table = [[rng.randint(-size, size) for _ in range(n)] for _ in range(n)]
    right = [rng.randint(-size, size) for _ in range(n)]
    found = solve(IntegerRows.from_dense(table), right)
    if sympy.Matrix(table).det() == 0:
        assert found is None
    else:
        assert found is not None
        expected = sympy.Matrix(table).LUsolve(sympy.Matrix(right))
        assert [sympy.Rational(x, found[1]) for x in found[0]] == list(expected)


@pytest.mark.parametrize(("n", "size"), [(50, 1), (64, 10), (120, 1), (60, 10**12)])
def test_larger_systems_by_refinement(n: int, size: int) -> None:
    rng = random.Random(n)
    table = [[rng.randint(-size, size) if rng.random() < 0.3 else 0 for _ in range(n)] for _ in range(n)]
    for i in range(n):
        table[i][i] += 1 + size
    right = [rng.randint(-9, 9) for _ in range(n)]
    system = IntegerRows.from_dense(table)
    found = solve(system, right)
    assert found is not None
    assert system.times(found[0]) == [found[1] * value for value in right]
    assert found[1] > 0


def test_a_hilbert_like_system_is_too_ill_conditioned_for_floats_and_still_solved() -> None:
    n = 50
    common = int(sympy.ilcm(*range(1, 2 * n)))
    system = IntegerRows.from_dense([[common // (i + j + 1) for j in range(n)] for i in range(n)])
    found = solve(system, [1] * n)
    assert found is not None
    assert system.times(found[0]) == [found[1]] * n


def test_null_vectors() -> None:
    assert null_vector(IntegerRows.from_dense([[2, -4], [-3, 6]])) == [3, 2]
    assert null_vector(IntegerRows.from_dense([[1, 0], [0, 1]])) is None
    assert null_vector(IntegerRows.from_dense([[0, 0]])) == [1]
    assert null_vector(IntegerRows.from_dense([[1, 1], [1, 1], [1, 1]])) is None
    rng = random.Random(0)
    rows = [[rng.randint(-2, 2) for _ in range(70)] for _ in range(70)]
    rows.append([-sum(column) for column in zip(*rows, strict=True)])
    assert null_vector(IntegerRows.from_dense(rows), 5) == [1] * 71
