"""Products of integer rows against Python's own integers, and the ways to make rows."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from expressivity.errors import InputError
from expressivity.separability import IntegerRows, integer_row, integer_rows


def random_table(rng: random.Random, rows: int, columns: int, bits: int) -> list[list[int]]:
    return [[rng.choice([0, 1, rng.getrandbits(bits) - (1 << bits) // 2]) for _ in range(columns)] for _ in range(rows)]


@pytest.mark.parametrize("bits", [1, 20, 40, 61, 62, 63, 64, 200])
@pytest.mark.parametrize("weight_bits", [1, 30, 62, 64, 500])
def test_products_are_those_of_python_integers(bits: int, weight_bits: int) -> None:
    rng = random.Random(1000 * bits + weight_bits)
    for _ in range(5):
        m, n = rng.randint(0, 7), rng.randint(1, 7)
        table = random_table(rng, m, n, bits)
        rows = IntegerRows.from_dense(table, n)
        weights = [rng.getrandbits(weight_bits) * rng.choice([-1, 0, 1]) for _ in range(n)]
        expected = [sum(a * w for a, w in zip(row, weights, strict=True)) for row in table]
        assert rows.times(weights) == expected
        assert rows.signs(weights).tolist() == [(value > 0) - (value < 0) for value in expected]
        multipliers = {i: rng.getrandbits(weight_bits) - 5 for i in range(m) if rng.random() < 0.8}
        total = [sum(multipliers.get(i, 0) * table[i][j] for i in range(m)) for j in range(n)]
        assert rows.combine(multipliers) == {j: value for j, value in enumerate(total) if value}
        assert rows.dense() == table
        assert rows.n_rows == m


def test_products_at_the_edge_of_words() -> None:
    edge = 2**62 - 1
    rows = IntegerRows.from_dense([[edge, edge], [-edge, edge], [edge, -1]])
    assert rows.fits_words
    assert rows.times([1, 1]) == [2 * edge, 0, edge - 1]
    assert rows.times([2**63, -(2**63)]) == [0, -(2**64) * edge, 2**63 * (edge + 1)]
    assert not IntegerRows.from_dense([[2**62]]).fits_words
    assert not IntegerRows.from_dense([[-(2**63)]]).fits_words


def test_rows_from_scipy_dense_and_dicts_agree() -> None:
    table = [[0, 2, 0], [0, 0, 0], [-1, 0, 5]]
    made = [
        IntegerRows.from_dense(table),
        IntegerRows.from_dense(np.array(table)),
        IntegerRows.from_dense(np.array(table, dtype=object)),
        IntegerRows.from_scipy(sp.csr_matrix(np.array(table, dtype=np.int8))),
        IntegerRows.from_scipy(sp.csc_array(np.array(table, dtype=np.float64))),
        IntegerRows.from_dicts([{1: 2}, {}, {2: 5, 0: -1, 1: 0}], 3),
    ]
    for rows in made:
        assert rows.dense() == table
        assert rows.nnz == 3


def test_repeated_entries_add_up_and_stored_zeros_vanish() -> None:
    matrix = sp.coo_array(([1, 2, 3, -3], ([0, 0, 1, 1], [1, 1, 0, 0])), shape=(2, 2))
    rows = IntegerRows.from_scipy(matrix)
    assert rows.dense() == [[0, 3], [0, 0]]
    assert rows.nnz == 1


def test_large_unsigned_and_object_entries() -> None:
    rows = IntegerRows.from_scipy(sp.csr_array(np.array([[2**64 - 1, 0]], dtype=np.uint64)))
    assert rows.dense() == [[2**64 - 1, 0]]
    assert IntegerRows.from_dense([[10**40, -1]]).times([1, 10**40]) == [0]


def test_taking_rows_and_columns() -> None:
    table = random_table(random.Random(3), 6, 5, 8)
    rows = IntegerRows.from_dense(table)
    assert rows.take([4, 0, 4]).dense() == [table[4], table[0], table[4]]
    assert rows.take([]).dense() == []
    assert rows.keep_columns([3, 1]).dense() == [[row[1], row[3]] for row in table]
    assert rows.keep_columns([]).n_columns == 0


@pytest.mark.parametrize("entry", [10**400, -(10**400), 3, 2**62], ids=["huge", "-huge", "3", "2^62"])
def test_floats_are_scaled_into_range(entry: int) -> None:
    floats = IntegerRows.from_dense([[entry, 1]]).floats().toarray()
    assert 0.5 <= abs(floats[0, 0]) <= 1
    assert (floats[0, 0] > 0) == (entry > 0)


def test_rational_rows_keep_their_rays() -> None:
    row, factor = integer_row({0: Fraction(3, 4), 2: Fraction(-9, 2)})
    assert row == {0: 1, 2: -6}
    assert factor == Fraction(4, 3)
    rows, factors = integer_rows([{0: Fraction(1, 3)}, {}, {1: 5}], 2)
    assert rows.dense() == [[1, 0], [0, 0], [0, 1]]
    assert factors == [3, 1, Fraction(1, 5)]


def test_bad_rows_are_refused() -> None:
    with pytest.raises(InputError, match=r"row 1, column 0: 0\.5 is not an integer"):
        IntegerRows.from_scipy(sp.csr_array(np.array([[1.0], [0.5]])))
    with pytest.raises(InputError, match="is not an integer"):
        IntegerRows.from_dicts([{0: 1.5}], 1)  # type: ignore[dict-item]
    with pytest.raises(InputError, match="column 2 is outside"):
        IntegerRows.from_dicts([{2: 1}], 2)
    with pytest.raises(InputError, match="row 1: 1 entries, expected 2"):
        IntegerRows.from_dense([[1, 2], [3]])
    with pytest.raises(InputError, match="3 numbers, expected one for each of 2 columns"):
        IntegerRows.from_dense([[1, 2]]).times([1, 2, 3])
