"""The largest margin in the box, against scipy in floats, and against duality and numbers found by hand exactly."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from scipy.optimize import linprog

from expressivity.errors import InputError, Refuted
from expressivity.separability import IntegerRows, Separator, Widest, largest_margin, separate, widest
from tests.separability.exhaustive import questions
from tests.separability.families import Instance, Row, instances


def confirmed(rows: list[Row], equal: list[bool], found: Widest) -> None:
    """Both sides of the result by this file's own arithmetic in fractions."""
    assert all(abs(weight) <= 1 for weight in found.weights)
    values = [sum(a * w for a, w in zip(row, found.weights, strict=True)) for row in rows]
    assert not any(value for value, tied in zip(values, equal, strict=True) if tied)
    assert found.margin == min(value for value, tied in zip(values, equal, strict=True) if not tied)
    strict = [value for i, value in found.multipliers.items() if not equal[i]]
    assert min(strict) > 0
    columns = range(len(rows[0]))
    left = [sum(value * rows[i][j] for i, value in found.multipliers.items()) for j in columns]
    assert found.bound == Fraction(sum(map(abs, left)), sum(strict))
    assert 0 < found.margin <= found.bound


def by_scipy(rows: list[Row], equal: list[bool]) -> float:
    table, tied = np.array(rows, dtype=float), np.array(equal)
    n = table.shape[1]
    short = np.column_stack((-table[~tied], np.ones(int((~tied).sum()))))
    even = np.column_stack((table[tied], np.zeros(int(tied.sum()))))
    found = linprog(
        [0.0] * n + [-1.0],
        A_ub=short,
        b_ub=np.zeros(len(short)),
        A_eq=even if len(even) else None,
        b_eq=np.zeros(len(even)) if len(even) else None,
        bounds=[(-1, 1)] * n + [(None, None)],
    )
    return -float(found.fun)


def solved(rows: list[Row], equal: list[bool] | None = None, time_limit: float | None = None) -> Widest:
    table = IntegerRows.from_dense(rows)
    start = separate(table, equal)
    assert isinstance(start, Separator)
    found = largest_margin(table, equal, start, time_limit=time_limit)
    confirmed(rows, equal or [False] * len(rows), found)
    return found


@pytest.mark.parametrize("basis", [True, False], ids=["from the float basis", "by exact pivots alone"])
@pytest.mark.parametrize("seed", range(5))
def test_the_margin_is_that_of_scipy_and_proved(seed: int, basis: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not basis:
        monkeypatch.setattr(widest._Search, "_from_basis", lambda *_: None)
        monkeypatch.setattr(widest._Search, "_from_floats", lambda *_: None)
    for question in questions(40, seed + 200):
        if all(question.equal) or not isinstance(
            separate(IntegerRows.from_dense(question.rows), question.equal), Separator
        ):
            continue
        found = solved(question.rows, question.equal)
        assert found.optimal
        assert float(found.margin) == pytest.approx(by_scipy(question.rows, question.equal), rel=1e-6)


def test_margins_found_by_hand() -> None:
    # One row: all weights at their bounds.
    assert solved([[3, 0, -4]]).margin == 7
    # Twice the first and once the second leave (3, 0), so 3/3; weights (1, 0) reach it.
    assert solved([[1, 1], [1, -2]]).margin == 1
    # w_0 = 2 w_1 leaves w_1 ≤ 1/2.
    found = solved([[1, 1], [1, -2]], [False, True])
    assert found.weights == (1, Fraction(1, 2))
    assert found.margin == Fraction(3, 2)
    # Large entries cancel, what is left of them does not.
    assert solved([[2**60, 1], [-(2**60), 1]]).margin == 1
    # 10^20 w_0 + w_1 = 10^20 w_0 − w_1 − 1, at most when w_0 = 1.
    assert solved([[10**20, 1], [10**20, -1]]).margin == 10**20


def test_margins_of_functions_over_all_characters() -> None:
    """The mean of f(x) Σ w_S χ_S(x) over all points is Σ w_S f^(S), at most the sum of the coefficients' sizes. For
    parity that is 1. For AND of two bits, f = (1 + a + b − ab)/2 up to sign, it is 2, and 2 f has weights ±1."""
    points = list(itertools.product((1, -1), repeat=2))
    table = [[1, a, b, a * b] for a, b in points]
    parity = [[prod(p) * entry for entry in row] for p, row in zip(points, table, strict=True)]
    assert solved(parity).margin == 1
    conjunction = [
        [(-1 if p == (-1, -1) else 1) * entry for entry in row] for p, row in zip(points, table, strict=True)
    ]
    assert solved(conjunction).margin == 2


@pytest.mark.parametrize("instance", [i for i in instances() if i.separable and len(i.rows) < 90], ids=str)
def test_weights_of_all_sizes(instance: Instance) -> None:
    found = solved(instance.rows, time_limit=60)
    assert found.optimal


def test_without_time_the_given_weights_are_kept_with_a_true_bound() -> None:
    rows = [[1, 1], [1, -2], [3, 1]]
    found = largest_margin(IntegerRows.from_dense(rows), None, Separator((3, 1)), time_limit=0)
    confirmed(rows, [False] * 3, found)
    assert found.weights == (1, Fraction(1, 3))
    assert found.margin == Fraction(1, 3)
    assert not found.optimal


def test_wrong_questions_are_refused() -> None:
    rows = IntegerRows.from_dense([[1, 1], [1, -2]])
    with pytest.raises(InputError, match="no strict row"):
        largest_margin(rows, [True, True], Separator((0, 0)))
    with pytest.raises(Refuted):
        largest_margin(rows, None, Separator((0, 1)))
