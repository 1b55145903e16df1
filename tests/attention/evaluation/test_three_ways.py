"""Exact, enclosed and floating evaluation agree, with each other and with a direct computation in decimals."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import exp

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from expressivity.attention import (
    Head,
    HeadTables,
    Interval,
    agreement,
    compile_tables,
    describe_margin,
    enclosed_margins,
    exact_margins,
    failures,
    float_margins,
    rational_for,
)
from expressivity.attention.tables import rows_of
from expressivity.errors import InputError
from expressivity.task import Task, Tie, Top, xor
from tests.attention.random_tables import small_tasks, tables

A, B, C, D, Q = ((None, token) for token in "ABCDQ")
one = Fraction(1)


def two_heads(score: int | Fraction) -> HeadTables:
    """The two heads of the post, with another score in place of its 10,000."""
    s = Fraction(score)
    first = Head({(C, "T"): one, (D, "F"): one}, scores={(Q, A): -s, (Q, B): s, (Q, Q): -s}, name="first")
    second = Head({(C, "F"): one, (D, "T"): one}, scores={(Q, A): s, (Q, B): -s, (Q, Q): -s}, name="second")
    return HeadTables("tokens", {}, (first, second))


def decimal_margins(tables: HeadTables, task: Task) -> list[Decimal]:
    """The formula itself, in 60-digit decimals, with nothing of the library but the tables' dictionaries."""

    def number(value: Fraction) -> Decimal:
        return Decimal(value.numerator) / Decimal(value.denominator)

    result = []
    with localcontext() as context:
        context.prec = 60
        for comparison in task.comparisons():
            places = list(enumerate(task.contexts[comparison.context]))
            last = rows_of(tables.embedding, places[-1])
            logit = {
                y: sum(number(tables.direct.get((r, y), Fraction(0))) for r in last) + Decimal(0)
                for y in (comparison.above, comparison.below)
            }
            for head in tables.heads:
                weights = []
                for place in places:
                    pairs = [(q, s) for q in last for s in rows_of(tables.embedding, place)]
                    if head.odds is not None:
                        weight = Decimal(1)
                        for pair in pairs:
                            weight *= number(head.odds.get(pair, one))
                    else:
                        score = number(sum((head.scores or {}).get(pair, Fraction(0)) for pair in pairs))  # type: ignore[arg-type]
                        weight = score.exp() if head.base == "e" else number(head.base) ** int(score)
                    weights.append(weight)
                for y in logit:
                    for weight, place in zip(weights, places, strict=True):
                        for row in rows_of(tables.embedding, place):
                            logit[y] += weight / sum(weights) * number(head.values.get((row, y), Fraction(0)))
            result.append(logit[comparison.above] - logit[comparison.below])
    return result


@given(st.data())
def test_the_three_evaluations_agree(data: st.DataObject) -> None:
    task = data.draw(small_tasks(ties=True))
    found = data.draw(tables(task))
    three = agreement(found, task, compile_tables(found, task, dtype=torch.float64), device="cpu")
    for expected, interval in zip(decimal_margins(found, task), three.enclosed, strict=True):
        assert interval.lower - Fraction(1, 10**50) <= Fraction(expected) <= interval.upper + Fraction(1, 10**50)
        assert interval.upper - interval.lower < Fraction(1, 10**12)
    if found.is_exact:
        assert all(m in i for m, i in zip(three.exact or (), three.enclosed, strict=True))
    assert three.undecided == 0
    assert three.largest_difference < 1e-10
    assert three.floating.dtype == "float64"


@given(st.data())
def test_float32_agrees_as_well(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task))
    run = float_margins(compile_tables(found, task), task)
    for margin, interval in zip(run.margins, enclosed_margins(found, task), strict=True):
        assert margin == pytest.approx(float(interval.lower), abs=2e-4)


def test_xor_by_hand() -> None:
    # Scores ±1: head 1 gives C in A C Q the share 1/(1 + 2/e), head 2 gives it 1/(e + 1 + 1/e).
    expected = 1 / (1 + 2 / exp(1)) - 1 / (exp(1) + 1 + exp(-1))
    for interval in enclosed_margins(two_heads(1), xor()):
        assert float(interval.lower) == pytest.approx(expected, rel=1e-14)
        assert interval.upper - interval.lower < Fraction(1, 10**15)


def test_the_printed_scores_miss_1_by_three_epsilon() -> None:
    # 1/(1 + 2ε) − ε/(1 + ε + ε²) = 1 − 3ε + …, and 3·e^(−10000) = 3 · 1.13548…e-4343 = 3.406…e-4343.
    (first, *_) = xor().comparisons()
    assert describe_margin(two_heads(10_000), xor(), first) == "1 − 3.406e-4343"


def test_a_margin_far_from_a_whole_number_is_printed_in_decimals() -> None:
    # 1/(1 + 2/e) − 1/(e + 1 + 1/e) = 0.57611688… − 0.24472847…
    (first, *_) = xor().comparisons()
    assert describe_margin(two_heads(1), xor(), first) == "0.331388413711"


def test_an_interval_that_is_not_narrow_shows_its_radius() -> None:
    assert str(Interval(Fraction(-1, 4), Fraction(1, 2))) == "[+/- 0.501]"
    assert str(Interval(Fraction(1, 3), Fraction(1, 3))) == "1/3"


def test_a_whole_margin_is_called_exact() -> None:
    tables = HeadTables("tokens", {(Q, "T"): Fraction(3)})
    task = Task([("A", "Q")], ["T"], outputs=["F"])
    assert describe_margin(tables, task, task.comparisons()[0]) == "3 exactly"


def test_ties_between_real_scores_are_decided() -> None:
    # A and B share e^1 : e^1 of the attention and write opposite amounts: exactly 0, though no precision shows it
    # (the terms of T and of F differ, so they do not cancel one by one).
    scores = {(Q, A): one, (Q, B): one, (Q, Q): Fraction(1, 3)}
    head = Head({(A, "T"): one, (B, "T"): -one}, scores=scores)
    task = Task([("A", "B", "Q")], [Tie(["F", "T"])])
    assert enclosed_margins(HeadTables("tokens", {}, (head,)), task) == (Interval(Fraction(0), Fraction(0)),)
    # e^(1/3) against e^(1/3 + 10^-30): not a tie, and 64 bits do not show it.
    near = Head(head.values, scores={**scores, (Q, B): 1 + Fraction(1, 10**30)})
    (interval,) = enclosed_margins(HeadTables("tokens", {}, (near,)), task)
    assert interval.sign == (1 if task.comparisons()[0].above == "F" else -1)


def test_ties_across_heads_are_decided() -> None:
    # Two heads with different attention whose contributions cancel: a share p of +1 and the same share of −1.
    up = Head({(A, "T"): one}, scores={(Q, A): Fraction(2)})
    down = Head({(A, "T"): -one}, scores={(Q, A): Fraction(3), (Q, Q): one})
    task = Task([("A", "Q")], [Tie(["F", "T"])])
    assert enclosed_margins(HeadTables("tokens", {}, (up, down)), task)[0].sign == 0


def test_huge_scores_leave_tiny_margins_undecided_rather_than_wrong() -> None:
    head = Head({(A, "T"): one}, scores={(Q, A): Fraction(-(10**12))})
    task = Task([("A", "Q")], ["T"], outputs=["F"])
    (interval,) = enclosed_margins(HeadTables("tokens", {}, (head,)), task)
    assert interval.sign is None
    assert Fraction(0) in interval


def test_failures_name_the_comparisons() -> None:
    tables = HeadTables("tokens", {(Q, "T"): one})
    wrong = failures(xor(), exact_margins(tables, xor()))
    assert [xor().contexts[c.context].sources for c in wrong] == [("A", "D"), ("B", "C")]


def test_a_report_of_tables_that_are_half_right() -> None:
    tables = HeadTables("tokens", {(Q, "T"): one})
    three = agreement(tables, xor(), compile_tables(tables, xor()), device="cpu")
    assert (three.contexts_right, three.floating.contexts_right, three.contexts) == (2, 2, 4)
    assert three.smallest_exact == -1
    assert three.smallest_enclosed == Interval(-one, -one)
    assert three.smallest_float == -1.0
    assert three.largest_difference == 0
    assert three.floating.device == "cpu"


def test_contexts_with_nothing_to_compare() -> None:
    task = Task([("A", "Q")], [Top(["T"])])
    three = agreement(HeadTables("tokens"), task, compile_tables(HeadTables("tokens"), task))
    assert (three.contexts_right, three.floating.contexts_right) == (1, 1)
    assert three.smallest_exact is three.smallest_enclosed is three.smallest_float is None


def test_float_ties_count_up_to_the_tolerance() -> None:
    # Thirds do not tie bit for bit in floating point.
    values = {(A, "T"): Fraction(1, 3), (B, "T"): Fraction(-1, 3)}
    tables = HeadTables("tokens", {}, (Head(values, scores={(Q, Q): Fraction(1, 7)}),))
    task = Task([("A", "B", "A", "B", "Q")], [Tie(["F", "T"])])
    run = float_margins(compile_tables(tables, task), task)
    assert run.contexts_right == 1
    assert 0 < run.tolerance < 1e-3


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(InputError, match="device 'abacus': "):
        float_margins(compile_tables(HeadTables("tokens"), xor()), xor(), device="abacus")


def test_scores_that_overflow_are_wrong_rather_than_fatal() -> None:
    head = Head({(A, "T"): one, (B, "T"): one}, scores={(Q, A): Fraction(10**50), (Q, B): Fraction(-(10**50))})
    model = compile_tables(HeadTables("tokens", {}, (head,)), xor(), dtype=torch.float64).float()
    model.W_Q.data.fill_(1e38)
    model.W_K.data.fill_(1e38)
    three = agreement(HeadTables("tokens", {}, (Head(),)), xor(), model)
    assert three.floating.contexts_right == 0
    assert three.largest_difference == float("inf")


def test_a_model_of_other_outputs_is_refused() -> None:
    task = Task([("A", "C", "Q")], ["U"], outputs=["T"])
    with pytest.raises(InputError) as error:
        float_margins(compile_tables(HeadTables("tokens"), xor()), task)
    assert str(error.value) == "the model has no output 'U'; it has F, T"


@given(st.data())
def test_rational_odds_decide_what_the_real_scores_decide(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task, kind="real"))
    signs = [interval.sign for interval in enclosed_margins(found, task)]
    if all(sign == (0 if c.equal else 1) for sign, c in zip(signs, task.comparisons(), strict=True)):
        exact = rational_for(found, task)
        assert exact.is_exact
        assert not failures(task, exact_margins(exact, task))


def test_the_rational_replacement_of_the_printed_scores_is_short() -> None:
    tables = two_heads(10_000).rational(bits=16)
    assert [sorted(map(str, (head.odds or {}).values())) for head in tables.heads] == [
        ["1/65536", "1/65536", "65536"]
    ] * 2
    # A C Q, with r = 2^-16: 1/(1 + 2r) − 1/(1/r + 1 + r).
    r = Fraction(1, 2**16)
    assert exact_margins(tables, xor()) == (1 / (1 + 2 * r) - 1 / (1 / r + 1 + r),) * 4


@pytest.mark.parametrize("bits", [1, 8, 53, 200])
def test_rounded_odds_are_within_their_bits(bits: int) -> None:
    scores = {(Q, A): Fraction(1, 3), (Q, B): Fraction(-1, 7)}
    odds = HeadTables("tokens", {}, (Head(scores=scores),)).rational(bits).heads[0].odds or {}
    with localcontext() as context:
        context.prec = 100
        for pair, score in scores.items():
            true = Fraction((Decimal(score.numerator) / Decimal(score.denominator)).exp())
            if bits > 1:  # with one bit the gap 1/3 < ln 2 is kept, and exp(1/3) rounds to 1
                assert abs(odds.get(pair, one) / true - 1) <= Fraction(1, 2 ** (bits - 1))


def test_tables_that_do_not_decide_have_no_rational_replacement() -> None:
    flipped = HeadTables("tokens", {}, two_heads(1).heads[:1])
    with pytest.raises(InputError) as error:
        rational_for(flipped, xor())
    message = str(error.value)
    assert "contexts fail, such as '" in message
    with pytest.raises(InputError, match="bits is 0; expected at least 1"):
        flipped.rational(0)


def test_exact_tables_that_fail_say_which_comparison() -> None:
    with pytest.raises(InputError) as error:
        rational_for(HeadTables("tokens", {(Q, "T"): one}), xor())
    assert str(error.value) == ("2 of 4 contexts fail, such as 'A D Q': expected the logit of 'F' above that of 'T'")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_the_accelerator_agrees() -> None:
    tables = two_heads(10_000)
    run = float_margins(compile_tables(tables, xor()), xor(), device="cuda")
    assert run.contexts_right == 4
    assert run.device.startswith("cuda")
