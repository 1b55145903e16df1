"""The decision against Z3, against enumeration, and on rows that float solvers get wrong."""

from __future__ import annotations

import importlib
import itertools
import random
from collections.abc import Sequence

import flint
import numpy as np
import pytest
import sympy
import z3

from expressivity.separability import Cancellation, IntegerRows, Outcome, Separator, Undecided, separate
from expressivity.separability.clock import Clock
from expressivity.separability.refine import Refinement
from expressivity.separability.simplex import simplex
from tests.separability.families import Instance, dot, doubling, doubling_weights, hair, instances

module = importlib.import_module("expressivity.separability.separate")


def checked(table: list[list[int]], equal: Sequence[bool] | None = None, columns: int | None = None) -> Outcome:
    """The outcome, re-proved with plain Python integers and SymPy's rank."""
    rows = IntegerRows.from_dense(table, columns)
    outcome = separate(rows, equal)
    flags = equal if equal is not None else [False] * len(table)
    if isinstance(outcome, Separator):
        values = [dot(row, list(outcome.weights)) for row in table]
        assert all(value == 0 if flag else value >= 1 for value, flag in zip(values, flags, strict=True))
    else:
        assert isinstance(outcome, Cancellation)
        used = outcome.multipliers
        assert all(flags[i] or value > 0 for i, value in used.items())
        assert any(not flags[i] for i in used)
        assert all(sum(value * table[i][j] for i, value in used.items()) == 0 for j in range(len(table[0])))
        assert sympy.gcd(list(used.values())) == 1
        if len(used) <= 12:
            assert sympy.Matrix([table[i] for i in used]).rank() == len(used) - 1
    return outcome


def z3_separable(table: list[list[int]], equal: Sequence[bool]) -> bool:
    weights = [z3.Real(f"w{j}") for j in range(len(table[0]))]
    solver = z3.Solver()
    for row, flag in zip(table, equal, strict=True):
        value = z3.Sum([a * w for a, w in zip(row, weights, strict=True)])
        solver.add(value == 0 if flag else value >= 1)
    return bool(solver.check() == z3.sat)


def random_question(rng: random.Random, largest: int) -> tuple[list[list[int]], list[bool]]:
    n, m = rng.randint(1, largest), rng.randint(1, 2 * largest)
    size = rng.choice([1, 1, 2, 5, 10**6, 10**20])
    share = rng.choice([0.3, 0.6, 1.0])
    table = [[rng.randint(-size, size) if rng.random() < share else 0 for _ in range(n)] for _ in range(m)]
    if rng.random() < 0.5:  # mostly separable
        weights = [rng.choice([-3, -1, 0, 1, 2, 10**9]) for _ in range(n)]
        table = [[-a for a in row] if dot(row, weights) < 0 else row for row in table]
    if rng.random() < 0.3:
        total = [0] * n
        for row in rng.sample(table, rng.randint(1, len(table))):
            total = [t - rng.randint(1, 3) * a for t, a in zip(total, row, strict=True)]
        table.append(total)
    if rng.random() < 0.3:
        factor = rng.choice([1, 2, -3])
        table.append([factor * a for a in rng.choice(table)])
    ties = rng.choice([0, 0, 0.2, 0.5])
    return table, [rng.random() < ties for _ in table]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("direct", [True, False], ids=["simplex", "pipeline"])
def test_agrees_with_z3(seed: int, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 10**9 if direct else 0)
    monkeypatch.setattr(module, "_NARROW", 0)
    rng = random.Random(seed)
    for _ in range(100):
        table, equal = random_question(rng, 5)
        assert isinstance(checked(table, equal), Separator) == z3_separable(table, equal), (table, equal)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_agrees_with_z3_on_many_more(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    for _ in range(1000):
        monkeypatch.setattr(module, "_SMALL", rng.choice([0, 60, 10**9]))
        table, equal = random_question(rng, 7)
        assert isinstance(checked(table, equal), Separator) == z3_separable(table, equal), (table, equal)


def test_all_triples_of_tiny_rows() -> None:
    """Every choice of three rows with entries −1, 0, 1: separable iff weights in −4 … 4 do it.

    (Where two rows are met exactly, the weights have numerators and a denominator of size at most 2; doubled they are
    on the grid, and still separate.)
    """
    vectors = list(itertools.product((-1, 0, 1), repeat=2))
    grid = list(itertools.product(range(-4, 5), repeat=2))
    for table in itertools.combinations_with_replacement(vectors, 3):
        for equal in itertools.product((False, True), repeat=3):
            expected = any(
                all(
                    (a * x + b * y == 0) if flag else (a * x + b * y >= 1)
                    for (a, b), flag in zip(table, equal, strict=True)
                )
                for x, y in grid
            )
            assert isinstance(checked([list(row) for row in table], equal), Separator) == expected, (table, equal)


@pytest.mark.parametrize("instance", list(instances()), ids=str)
def test_rows_whose_truth_is_known(instance: Instance) -> None:
    rows = IntegerRows.from_dense(instance.rows)
    outcome = separate(rows)
    assert not isinstance(outcome, Undecided)
    assert isinstance(outcome, Separator) == instance.separable, instance.why
    outcome.check(rows)


def test_the_families_are_what_they_say() -> None:
    for n in (3, 6):
        assert sympy.Matrix(hair(n, n, separable=True)).det() != 0
    for n in (3, 10, 64):
        assert all(dot(row, doubling_weights(n)) >= 1 for row in doubling(n, 2 ** (n - 1) + 1))


def test_multipliers_of_many_bits_are_found() -> None:
    outcome = checked(doubling(64, 2**63))
    assert isinstance(outcome, Cancellation)
    assert max(outcome.multipliers.values()).bit_length() == 63


def test_nothing_to_decide() -> None:
    assert separate(IntegerRows.from_dense([], 3)) == Separator((0, 0, 0), "nothing to separate")
    assert isinstance(separate(IntegerRows.from_dense([], 0)), Separator)
    assert isinstance(separate(IntegerRows.from_dense([[0, 0], [1, 2]]), [True, True]), Separator)


def test_rows_without_columns_cannot_be_separated() -> None:
    outcome = separate(IntegerRows.from_dicts([{}, {}], 0))
    assert isinstance(outcome, Cancellation)
    assert outcome.multipliers == {0: 1}


def test_an_empty_row_is_a_contradiction_if_strict_and_nothing_if_equal() -> None:
    table = [[1, 2], [0, 0]]
    strict = checked(table)
    assert isinstance(strict, Cancellation)
    assert strict.multipliers == {1: 1}
    assert isinstance(checked(table, [False, True]), Separator)


@pytest.mark.parametrize(
    ("table", "equal", "multipliers"),
    [
        ([[2, -4], [1, 1], [-3, 6]], [False, False, False], {0: 3, 2: 2}),
        ([[2, -4], [3, -6]], [False, True], {0: 3, 1: -2}),
        ([[3, -6], [-2, 4]], [True, False], {0: 2, 1: 3}),
        ([[10**30, 1], [-(10**31), -10]], [False, False], {0: 10, 1: 1}),
    ],
)
def test_two_rows_that_contradict_each_other(
    table: list[list[int]], equal: list[bool], multipliers: dict[int, int]
) -> None:
    outcome = checked(table, equal)
    assert isinstance(outcome, Cancellation)
    assert outcome.multipliers == multipliers


def test_answers_do_not_depend_on_repetition() -> None:
    table = [[1, 2, 0], [-1, 1, 3], [0, -1, 1]]
    assert isinstance(checked(table), Separator)
    assert isinstance(checked([*table, *table, [2 * a for a in table[0]]]), Separator)
    assert isinstance(checked([[a for a in row for _ in range(3)] for row in table]), Separator)


def random_rows(m: int, n: int, *, separable: bool, seed: int = 0) -> IntegerRows:
    rng = np.random.default_rng(seed)
    table = np.zeros((m, n), dtype=np.int64)
    for i in range(m):
        table[i, rng.choice(n, 8, replace=False)] = 1
    signs = np.sign(table @ rng.standard_normal(n)) if separable else rng.choice([-1, 1], m)
    return IntegerRows.from_dense((table * signs[:, None]).astype(np.int64))


@pytest.mark.parametrize("separable", [True, False])
def test_medium_rows_without_the_simplex_method(separable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the fast methods were expected to suffice")

    monkeypatch.setattr(module, "simplex", fail)
    rows = random_rows(600, 150, separable=separable)
    outcome = separate(rows)
    assert isinstance(outcome, Separator if separable else Cancellation)
    if isinstance(outcome, Cancellation):  # FLINT's rank is the independent one here
        used = sorted(outcome.multipliers)
        assert flint.fmpz_mat(rows.take(used).dense()).rank() == len(used) - 1


@pytest.mark.parametrize("separable", [True, False])
def test_more_rows_than_are_taken_at_once(separable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    active = importlib.import_module("expressivity.separability.active")
    monkeypatch.setattr(active, "_LARGE", 100)
    monkeypatch.setattr(active, "_GROWTH", 50)
    rows = random_rows(3000, 60, separable=True)
    if not separable:
        table = rows.dense()
        rows = IntegerRows.from_dense([*table, [-sum(column) for column in zip(*table[:7], strict=True)]])
    outcome = separate(rows)
    assert isinstance(outcome, Separator if separable else Cancellation)
    outcome.check(rows)


@pytest.mark.parametrize("separable", [True, False])
def test_more_columns_than_rows(separable: bool) -> None:
    """Each row shares its two blocks of columns with others, so that no column has one sign throughout."""
    rng = np.random.default_rng(3)
    low = rng.integers(-3, 4, (60, 12))
    if separable:
        low = low[np.flatnonzero(low @ np.arange(1, 13))]
        low = low * np.sign(low @ np.arange(1, 13))[:, None]
    rows = IntegerRows.from_dense(low @ rng.integers(-2, 3, (12, 150)))
    outcome = separate(rows)
    assert isinstance(outcome, Separator if separable else Cancellation)
    outcome.check(rows)


def test_a_few_rows_that_cancel_among_many_that_do_not() -> None:
    rows = random_rows(600, 150, separable=True).dense()
    pattern = [[int(j in (3 * i, 3 * i + 1, 3 * i + 2)) for j in range(150)] for i in range(5)]
    rows += [[a - b for a, b in zip(pattern[i], pattern[(i + 1) % 5], strict=True)] for i in range(5)]
    outcome = checked(rows)
    assert isinstance(outcome, Cancellation)
    assert outcome.multipliers == dict.fromkeys(range(600, 605), 1)


@pytest.mark.parametrize("separable", [True, False])
def test_medium_rows_with_ties(separable: bool) -> None:
    rng = random.Random(5)
    n = 40
    weights = [rng.randint(-9, 9) for _ in range(n)]
    table, equal = [], []
    while len(table) < 150:
        row = [rng.choice([0, 0, 0, -1, 1]) for _ in range(n)]
        value = dot(row, weights)
        equal.append(value == 0)
        table.append([-a for a in row] if value < 0 else row)
    assert any(equal)
    if not separable:
        table.append([-sum(column) for column in zip(*table[:30], strict=True)])
        equal.append(False)
    assert isinstance(checked(table, equal), Separator) == separable


def test_the_simplex_method_alone_decides_with_any_hint_and_start() -> None:
    rng = random.Random(2)
    for _ in range(300):
        table, equal = random_question(rng, 4)
        rows = IntegerRows.from_dense(table)
        if all(equal) or any(not any(row) for row in table):
            continue
        hint = [i for i in range(len(table)) if rng.random() < 0.5]
        starts = [rng.sample(range(len(table)), rng.randint(1, len(table))) for _ in range(3)]
        found = simplex(rows, np.array(equal), Clock(), hint, starts)
        found.check(rows, equal)
        assert isinstance(found, Separator) == isinstance(separate(rows, equal), Separator)


def test_linear_programming_decides_where_margins_are_far_below_float_tolerances() -> None:
    """Weights 1, 3, 9, … 3^59 are needed up to factors: the best margin in the box is about 2^-60."""
    rows = IntegerRows.from_dense(doubling(60, None))
    found = Refinement(rows, np.zeros(rows.n_rows, dtype=bool), Clock()).run()
    assert isinstance(found, Separator)
    found.check(rows)


def test_a_time_limit_leaves_the_question_open_and_says_so() -> None:
    rows = random_rows(600, 150, separable=False)
    outcome = separate(rows, time_limit=0.0)
    assert isinstance(outcome, Undecided)
    assert "time limit of 0.0 s" in outcome.reason


def test_progress_is_reported() -> None:
    lines: list[str] = []
    separate(random_rows(600, 150, separable=True), progress=lines.append)
    assert lines
    assert lines[0].startswith("logistic regression: step 1")


def test_the_same_question_has_the_same_answer() -> None:
    rows = random_rows(300, 80, separable=False)
    assert separate(rows) == separate(rows)


def test_agrees_with_the_count_of_linear_threshold_functions() -> None:
    """104 of the 256 Boolean functions of 3 bits are linear threshold functions (OEIS A000609)."""
    points = list(itertools.product((0, 1), repeat=3))
    count = 0
    for values in itertools.product((-1, 1), repeat=8):
        rows = [[s, *(s * bit for bit in bits)] for bits, s in zip(points, values, strict=True)]
        count += isinstance(separate(IntegerRows.from_dense(rows)), Separator)
    assert count == 104


@pytest.mark.slow
def test_agrees_with_the_count_of_threshold_functions_of_four_bits() -> None:
    points = list(itertools.product((0, 1), repeat=4))
    count = 0
    for values in itertools.product((-1, 1), repeat=16):
        rows = [[s, *(s * bit for bit in bits)] for bits, s in zip(points, values, strict=True)]
        count += isinstance(separate(IntegerRows.from_dense(rows)), Separator)
    assert count == 1882


@pytest.mark.slow
@pytest.mark.parametrize("separable", [True, False])
def test_twenty_thousand_rows(separable: bool) -> None:
    rng = np.random.default_rng(1)
    m, n = 20_000, 2_000
    active = np.argsort(rng.random((m, n)), axis=1)[:, :10]
    table = np.zeros((m, n), dtype=np.int8)
    np.put_along_axis(table, active, 1, axis=1)
    signs = np.sign(table @ rng.standard_normal(n)) if separable else rng.choice([-1, 1], m)
    rows = IntegerRows.from_dense((table * signs[:, None]).astype(np.int8))
    assert isinstance(separate(rows), Separator if separable else Cancellation)
