"""Widths against rank formulas computed elsewhere (sympy), factors against the tables they came from."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import log

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, exact_margins, exact_weights
from expressivity.attention.tables import Place, Row, occurring, rows_of
from expressivity.attention.weights.factorise import Incidence, factor_scores, factor_values
from expressivity.attention.weights.logs import LogMatrix, coprime_base, exponents
from expressivity.attention.weights.rational_matrix import nonzero_minor, rank_factors, solve, to_fraction
from expressivity.errors import InputError
from expressivity.task import Task, xor
from tests.attention.random_tables import odds, small, small_tasks, tables

OUTPUTS = ("F", "T", "U")


def centred_rank(table: list[list[Fraction]], both: bool) -> int:
    """The rank after the mean of each row is removed, and (``both``) that of each column."""
    m = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) for v in row] for row in table])
    right = sympy.eye(m.cols) - sympy.ones(m.cols) / m.cols
    left = sympy.eye(m.rows) - sympy.ones(m.rows) / m.rows if both else sympy.eye(m.rows)
    return int((left * m * right).rank())


tokens_only: list[Place] = [(0, "A"), (0, "B"), (0, "C"), (0, "D")]
every_cell: list[Place] = list(product(range(3), "ABC"))


@given(st.lists(st.lists(small, min_size=4, max_size=4), min_size=3, max_size=3))
def test_the_width_of_scores_is_the_rank_after_centring_each_destination(table: list[list[Fraction]]) -> None:
    ends, sources = Incidence.of(tokens_only[:3], "tokens"), Incidence.of(tokens_only, "tokens")
    scores = {(q, s): table[i][j] for i, q in enumerate(ends.rows) for j, s in enumerate(sources.rows)}
    factors = factor_scores(Head(scores=scores), ends, sources)
    assert factors.width == centred_rank(table, both=False)
    assert factors.is_least


@given(st.lists(st.lists(small, min_size=3, max_size=3), min_size=4, max_size=4))
def test_the_width_of_values_is_the_rank_after_centring_twice(table: list[list[Fraction]]) -> None:
    sources = Incidence.of(tokens_only, "tokens")
    values = {(s, y): table[i][j] for i, s in enumerate(sources.rows) for j, y in enumerate(OUTPUTS)}
    factors = factor_values(Head(values), sources, OUTPUTS)
    assert factors.width == centred_rank(table, both=True)
    made = factors.value * factors.output
    for i, j in product(range(4), range(3)):  # differences of outputs, after what moved to the direct path
        kept = to_fraction(made[i, j] - made[i, 0]) + factors.moved[j] - factors.moved[0]
        assert kept == table[i][j] - table[i][0]


@given(st.lists(small, min_size=36, max_size=36))
def test_additive_scores_need_the_least_rank_over_all_tables_that_do_the_same(entries: list[Fraction]) -> None:
    # Over rows (3 tokens, 3 positions) the tables that give every destination the same attention are
    # M + u a' + v b' + d g', a and b the indicators of token and position columns, d = (1,1,1,−1,−1,−1), with u, v, g
    # free. The least rank of M + X·[a b]' + d·g' is rank [[M, d], [[a b]', 0]] − rank d − rank [a b]
    # (Marsaglia and Styan 1974, on the rank of a bordered matrix).
    rows: list[Row] = [*((None, token) for token in "ABC"), *((i, None) for i in range(3))]
    scores = {(q, s): entries[6 * i + j] for i, q in enumerate(rows) for j, s in enumerate(rows)}
    cells = Incidence.of(every_cell, "additive")
    width = factor_scores(Head(scores=scores), cells, cells).width
    m = sympy.Matrix(6, 6, [sympy.Rational(v.numerator, v.denominator) for v in entries])
    d = sympy.Matrix([1, 1, 1, -1, -1, -1])
    blocks = sympy.Matrix([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]])
    bordered = sympy.Matrix(sympy.BlockMatrix([[m, d], [blocks, sympy.zeros(2, 1)]]))
    assert width == int(bordered.rank()) - 1 - 2


def test_a_destination_that_sits_at_one_position_needs_one_query() -> None:
    # Scores from the token Q and from its position 2 differ, but only their sum is ever read: width 1, not 2.
    scores = {((None, "Q"), (None, "A")): Fraction(1), ((2, None), (0, None)): Fraction(5)}
    ends = Incidence.of([(2, "Q")], "additive")
    sources = Incidence.of([(0, "A"), (0, "B"), (1, "A"), (1, "B"), (2, "Q")], "additive")
    assert factor_scores(Head(scores=scores), ends, sources).width == 1


def test_odds_of_one_destination_have_width_one_whatever_their_primes() -> None:
    odds = {((None, "A"), (None, token)): Fraction(n, 11) for token, n in zip("BCD", (2, 3, 5), strict=True)}
    ends, sources = Incidence.of(tokens_only[:1], "tokens"), Incidence.of(tokens_only, "tokens")
    factors = factor_scores(Head(odds=odds), ends, sources)
    assert (factors.width, factors.is_least) == (1, True)


def test_a_width_of_odds_that_is_only_a_bound_says_so() -> None:
    # [log 2, log 3; 2 log 2, 2 log 3] has rank 1, which is found; [log 2, log 3; log 3, log 2] has rank 2, which the
    # balls prove (its determinant is log² 2 − log² 3).
    def width(table: list[list[int]]) -> tuple[int, bool]:
        ends, sources = Incidence.of(tokens_only[:2], "tokens"), Incidence.of(tokens_only[:3], "tokens")
        odds = {(q, s): Fraction(table[i][j]) for i, q in enumerate(ends.rows) for j, s in enumerate(sources.rows[1:])}
        factors = factor_scores(Head(odds=odds), ends, sources)
        return factors.width, factors.is_least

    assert width([[2, 3], [4, 9]]) == (1, True)
    assert width([[2, 3], [3, 2]]) == (2, True)
    # One prime: the exponents [1, 2; 3, 6] have rank 1, and [1, 2; 3, 4] rank 2.
    assert width([[2, 4], [8, 64]]) == (1, True)
    assert width([[2, 4], [8, 16]]) == (2, True)


@given(st.data())
def test_weights_read_back_are_the_same_model(data: st.DataObject) -> None:
    """Tables to exact weights to tables: all margins equal, all ranks within the width, before any rounding."""
    task = data.draw(small_tasks())
    found = data.draw(tables(task, kind=data.draw(st.sampled_from(["odds", "base"]))))
    weights = exact_weights(found, task)
    back = weights.to_tables()
    assert back.is_exact
    assert exact_margins(back, task) == exact_margins(found, task)
    ends, _, _ = occurring(task.contexts)
    for head, read in zip(found.heads, back.heads, strict=True):
        for end in ends:  # odds are the same up to a factor for each destination
            rows = rows_of(found.embedding, end)
            places = [place for q, place in occurring(task.contexts)[2] if q == end]
            ratios = {
                head.weight(rows, rows_of(found.embedding, s)) / read.weight(rows, rows_of(found.embedding, s))
                for s in places
            }
            assert len(ratios) == 1


@given(st.data())
def test_rounded_weights_have_tables_within_the_width(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task))
    weights = exact_weights(found, task)
    for head in weights.rounded().heads:
        for table in (head.scores or {}, head.values):
            rows, columns = sorted({r for r, _ in table}, key=str), sorted({c for _, c in table}, key=str)
            if table:
                grid = sympy.Matrix([[sympy.Rational(str(table.get((r, c), 0))) for c in columns] for r in rows])
                assert grid.rank() <= weights.d_head


def test_the_width_of_the_printed_xor_is_one() -> None:
    # Raw, each head's values have rank 2 (C writes T, D writes F); as a difference of logits, rank 1.
    head = Head(
        {((None, "C"), "T"): Fraction(1), ((None, "D"), "F"): Fraction(1)},
        scores={((None, "Q"), (None, "A")): Fraction(-10_000), ((None, "Q"), (None, "B")): Fraction(10_000)},
    )
    weights = exact_weights(HeadTables("tokens", {}, (head,)), xor())
    assert (weights.d_head, weights.is_least) == (1, True)
    assert weights.basis == ("A", "B", "C", "D", "Q", "→F", "→T")


def test_padding_to_a_larger_width() -> None:
    task = xor()
    weights = exact_weights(HeadTables("tokens", {}, (Head(),)), task, d_head=3)
    assert tuple(weights.to_model().W_Q.shape) == (1, 7, 3)
    assert not weights.is_least


def three_sources() -> Task:
    return Task([("A", "Q"), ("B", "Q"), ("C", "Q"), ("A", "R"), ("B", "R"), ("C", "R")], ["F"] * 5 + ["T"])


def test_too_narrow_for_the_scores() -> None:
    # From Q the sources A, B, C have scores 0, 1, 0; from R 0, 0, 2. Less the first column that is [1 0; 0 2].
    q, r = (None, "Q"), (None, "R")
    head = Head(scores={(q, (None, "B")): Fraction(1), (r, (None, "C")): Fraction(2)}, name="x")
    with pytest.raises(InputError) as error:
        exact_weights(HeadTables("tokens", {}, (head,)), three_sources(), d_head=1)
    assert str(error.value) == (
        "d_head 1 is too small: the score table of head 'x' needs 2: less the first source, its minor of columns "
        "B C [Q: 1 0; R: 0 2] is not 0"
    )


def test_too_narrow_for_the_values() -> None:
    # Outputs F, T, U; A writes T, B writes U. Less the last source (R, nothing) and the output F (nothing) that stays.
    task = Task([("A", "Q"), ("B", "Q"), ("C", "R")], ["F", "T", "U"])
    head = Head({((None, "A"), "T"): Fraction(1), ((None, "B"), "U"): Fraction(1)}, name="x")
    with pytest.raises(InputError) as error:
        exact_weights(HeadTables("tokens", {}, (head,)), task, d_head=1)
    assert str(error.value) == (
        "d_head 1 is too small: the value table of head 'x' needs 2: less the last source and the first output, its "
        "minor of columns T U [A: 1 0; B: 0 1] is not 0"
    )


def test_too_narrow_for_odds_over_several_primes() -> None:
    q, r = (None, "Q"), (None, "R")
    b, c = (None, "B"), (None, "C")
    odds = {(q, b): Fraction(2), (q, c): Fraction(3), (r, b): Fraction(3), (r, c): Fraction(2)}
    with pytest.raises(InputError) as error:
        exact_weights(HeadTables("tokens", {}, (Head(odds=odds, name="x"),)), three_sources(), d_head=1)
    assert str(error.value) == (
        "d_head 1 is too small: the score table of head 'x' needs 2: its odds have that many independent logarithms"
    )


def test_a_width_below_one() -> None:
    with pytest.raises(InputError, match="d_head is 0; expected at least 1"):
        exact_weights(HeadTables("tokens"), xor(), d_head=0)


# ------------------------------------------------------------------------------------------------ the tools


@given(st.lists(st.integers(1, 10**6), max_size=6))
def test_a_coprime_base_generates_its_numbers(numbers: list[int]) -> None:
    base = coprime_base(numbers)
    assert all(b > 1 for b in base)
    assert all(sympy.gcd(a, b) == 1 for i, a in enumerate(base) for b in base[:i])
    for number in numbers:
        made = 1
        for b, power in exponents(Fraction(number), base).items():
            assert power > 0
            made *= b**power
        assert made == number


@given(odds, odds)
def test_entries_of_a_log_matrix_in_decimals(x: Fraction, y: Fraction) -> None:
    from flint import fmpq_mat

    base = coprime_base([x.numerator, x.denominator, y.numerator, y.denominator])
    terms = {b: fmpq_mat([[exponents(x / y, base).get(b, 0)]]) for b in base}
    if terms:
        assert float(LogMatrix(terms).rounded()[0][0]) == pytest.approx(log(x / y), abs=1e-14)  # type: ignore[arg-type]


def test_nearly_equal_odds_keep_their_digits() -> None:
    # log(1 + 10^-30) = 10^-30 to thirty digits, though it is a difference of logarithms near 69.
    from flint import fmpq_mat

    base = coprime_base([10**30 + 1, 10**30])
    powers = exponents(1 + Fraction(1, 10**30), base)
    table = LogMatrix({b: fmpq_mat([[powers.get(b, 0)]]) for b in base})
    assert float(table.rounded()[0][0]) == pytest.approx(1e-30, rel=1e-15)


def test_matrix_tools() -> None:
    from flint import fmpq_mat

    whole = fmpq_mat([[0, 1, 2], [0, 2, 4], [1, 1, 1]])
    left, right = rank_factors(whole)
    assert left * right == whole
    assert left.ncols() == 2
    assert nonzero_minor(whole, 2) == ([0, 2], [0, 1])
    with pytest.raises(ValueError, match="the rank is below 3"):
        nonzero_minor(whole, 3)
    assert whole * solve(whole, fmpq_mat([[3], [6], [1]])) == fmpq_mat([[3], [6], [1]])
    with pytest.raises(ValueError, match="the system has no solution"):
        solve(whole, fmpq_mat([[3], [7], [1]]))
