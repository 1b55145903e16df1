from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.attention import factor_additive
from expressivity.attention.tables import spanning
from expressivity.errors import InputError
from tests.attention.random_tables import odds, small


@given(st.lists(small, min_size=3, max_size=3), st.lists(small, min_size=3, max_size=3), st.sets(st.integers(0, 8)))
def test_sums_split_into_sums(rows: list[Fraction], columns: list[Fraction], missing: set[int]) -> None:
    cells = {
        (i, "ABC"[j]): rows[i] + columns[j] for k, (i, j) in enumerate(product(range(3), repeat=2)) if k not in missing
    }
    by_position, by_token = factor_additive(cells)
    assert all(by_position[i] + by_token[x] == value for (i, x), value in cells.items())


@given(st.lists(odds, min_size=3, max_size=3), st.lists(odds, min_size=3, max_size=3))
def test_products_split_into_products(rows: list[Fraction], columns: list[Fraction]) -> None:
    cells = {(i, "ABC"[j]): rows[i] * columns[j] for i, j in product(range(3), repeat=2)}
    by_position, by_token = factor_additive(cells, times=True)
    assert by_position[0] == 1
    assert all(by_position[i] * by_token[x] == value for (i, x), value in cells.items())


def test_the_offending_two_by_two_is_named() -> None:
    # 1 + 7 ≠ 2 + 4 at positions 0, 1 and tokens B, C; the rest is additive.
    cells = dict.fromkeys(product(range(2), "ABC"), Fraction(0))
    cells |= {(0, "B"): Fraction(1), (0, "C"): Fraction(2), (1, "B"): Fraction(4), (1, "C"): Fraction(7)}
    del cells[0, "A"], cells[1, "A"]
    with pytest.raises(InputError) as error:
        factor_additive(cells, "the score table")
    assert str(error.value) == (
        "the score table is not a position part plus a token part: at positions 0, 1 and tokens 'B', 'C' it has "
        "[1 2; 4 7], and 1 + 7 is not 2 + 4; use the joint embedding"
    )


def test_the_same_for_odds() -> None:
    cells = {(0, "A"): Fraction(1), (0, "B"): Fraction(2), (1, "A"): Fraction(3), (1, "B"): Fraction(5)}
    with pytest.raises(InputError) as error:
        factor_additive(cells, times=True)
    assert str(error.value) == (
        "the table is not a position part times a token part: at positions 0, 1 and tokens 'A', 'B' it has "
        "[1 2; 3 5], and 1 · 5 is not 2 · 3; use the joint embedding"
    )


def test_a_longer_cycle_of_cells_is_told_by_its_last_cell() -> None:
    # Six cells in a ring and no full square: 1 − 0 + 0 − 0 + 0 − 0 ≠ 0.
    ring = [(0, "A"), (0, "B"), (1, "B"), (1, "C"), (2, "C"), (2, "A")]
    cells = dict.fromkeys(ring, Fraction(0)) | {(0, "A"): Fraction(1)}
    with pytest.raises(InputError) as error:
        factor_additive(cells)
    assert str(error.value).startswith("the table is not a position part plus a token part: at position ")
    assert str(error.value).endswith("use the joint embedding")


@given(st.sets(st.tuples(st.integers(0, 4), st.sampled_from("ABCDE")), min_size=1))
def test_spanning_places_span_all(places: set[tuple[int, str]]) -> None:
    """Affinely: with a column of ones, the rows of the incidence matrix keep their rank, and none can be spared."""

    def rank(chosen: list[tuple[int, str]]) -> int:
        rows = [[1, *(i == p for p in range(5)), *(x == t for t in "ABCDE")] for i, x in chosen]
        return int(np.linalg.matrix_rank(np.array(rows, dtype=float)))

    listed = sorted(places)
    kept = spanning(listed)
    assert rank(kept) == rank(listed) == len(kept)
    assert [place for place in listed if place in kept] == kept
