"""Factored tables against NumPy's dense ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from expressivity.circuits import Factored, tables
from expressivity.errors import InputError


def random_table(rows: int, columns: int, rank: int, seed: int = 0) -> tuple[Factored, np.ndarray]:
    random = np.random.default_rng(seed)
    left, right = random.normal(size=(rows, rank)), random.normal(size=(rank, columns))
    left *= random.exponential(size=(rows, 1)) ** 2  # some rows far shorter than others
    names = [f"r{i}" for i in range(rows)], [f"c{j}" for j in range(columns)]
    return Factored(torch.tensor(left), torch.tensor(right), *names), left @ right


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
@pytest.mark.parametrize("lowest", [False, True])
def test_the_top_is_that_of_the_dense_table(monkeypatch: pytest.MonkeyPatch, block: int, lowest: bool) -> None:
    monkeypatch.setattr(tables, "BLOCK", block)
    table, dense = random_table(23, 17, 4)
    order = np.argsort(dense if lowest else -dense, axis=None)[:9]
    expected = [(int(i) // 17, int(i) % 17) for i in order]
    found = table.top(9, lowest=lowest)
    assert [(i, j) for i, j, _ in found] == expected
    assert [value for _, _, value in found] == pytest.approx([dense[cell] for cell in expected], rel=1e-12)


def test_rows_that_cannot_be_on_top_are_never_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BLOCK", 1)
    left = torch.tensor([[1e-3]] * 500 + [[1.0]], dtype=torch.float64)
    seen = []
    real = torch.Tensor.topk
    monkeypatch.setattr(torch.Tensor, "topk", lambda self, *a, **k: seen.append(len(self)) or real(self, *a, **k))
    table = Factored(left, torch.ones(1, 3, dtype=torch.float64), list(map(str, range(501))), list("xyz"))
    assert [i for i, _, _ in table.top(3)] == [500] * 3
    assert len(seen) < 10


def test_masked_cells_do_not_count() -> None:
    table, dense = random_table(6, 6, 3)
    below = table.top(100, mask=lambda start, stop: torch.ones(6, 6, dtype=torch.bool).tril(-1)[start:stop])
    assert {(i, j) for i, j, _ in below} == {(i, j) for i in range(6) for j in range(i)}
    assert below[0][2] == pytest.approx(max(dense[i, j] for i in range(6) for j in range(i)))


def test_entries_blocks_and_means() -> None:
    table, dense = random_table(5, 8, 2)
    assert table.at("r3", "c7") == pytest.approx(dense[3, 7])
    assert np.allclose(torch.cat([block for _, block in table.blocks()]), dense)
    assert np.allclose(table.less_row_means().dense(), dense - dense.mean(1, keepdims=True))
    assert np.allclose(table.less_column_means().dense(), dense - dense.mean(0, keepdims=True))
    with pytest.raises(InputError, match="the table has no 'c7'"):
        table.at("c7", "r3")


def test_the_eigenvalues_are_those_of_the_dense_table_that_are_not_0() -> None:
    table, dense = random_table(30, 30, 5)
    expected = sorted(np.linalg.eigvals(dense), key=lambda z: -abs(z))[:5]
    found = table.eigenvalues().numpy()
    assert np.allclose(np.sort_complex(np.array(expected)), np.sort_complex(found), rtol=1e-8)
    with pytest.raises(InputError, match="expected a square"):
        random_table(3, 4, 2)[0].eigenvalues()


def test_the_square_part_is_found_by_name() -> None:
    left = torch.arange(6.0).reshape(3, 2).double()
    table = Factored(left, torch.eye(2).double(), ("a", "b", "c"), ("c", "a"))
    square = table.square()
    assert square.rows == square.columns == ["a", "c"]
    assert square.dense().tolist() == [[1.0, 0.0], [5.0, 4.0]]


def test_too_large_a_table_is_not_written_out() -> None:
    names = [str(i) for i in range(10_000)]
    table = Factored(torch.zeros(10_000, 1), torch.zeros(1, 10_000), names, names)
    with pytest.raises(InputError, match="10,000 × 10,000 cells"):
        table.dense()
