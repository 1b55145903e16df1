"""Repeated rows, against a dictionary of all of them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from expressivity.separability import distinct
from expressivity.separability.distinct import distinct_rows


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_rows_are_told_apart_as_by_a_dictionary(kind: type) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        rows, columns, largest = rng.integers(0, 60), rng.integers(1, 6), rng.integers(1, 4)
        dense = rng.integers(-largest, largest + 1, size=(rows, columns)).astype(kind)
        first, place = distinct_rows(sp.csr_array(dense))
        met: dict[tuple[object, ...], int] = {}
        expected = [met.setdefault(tuple(line), len(met)) for line in dense.tolist()]
        assert place.tolist() == expected
        assert first.tolist() == [expected.index(k) for k in range(len(met))]


def test_rows_that_seem_equal_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first attempt at scrambling that makes all entries equal must not make all rows equal."""
    real, calls = distinct._scrambled, []

    def weak(words: np.ndarray) -> np.ndarray:
        calls.append(len(words))
        return np.zeros_like(words) if len(calls) == 1 else real(words)

    monkeypatch.setattr(distinct, "_scrambled", weak)
    first, place = distinct_rows(sp.csr_array(np.array([[1, 0], [0, 1], [1, 0], [1, 1]])))
    assert (first.tolist(), place.tolist()) == ([0, 1, 3], [0, 1, 0, 2])
    assert len(calls) == 2


def test_large_tables_of_ones() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(0, 2, size=(5_000, 12))
    first, place = distinct_rows(sp.csr_array(table.astype(np.float64)))
    assert len(first) == len(np.unique(table, axis=0))
    assert (table[first][place] == table).all()
