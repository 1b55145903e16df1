from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity.attention import (
    LayeredHead,
    LayeredTables,
    describe_layered_margin,
    enclosed_margins,
    exact_margins,
    float_margins,
    layered_enclosed_margins,
    layered_exact_margins,
    layered_weights,
)
from expressivity.errors import InputError
from expressivity.task import Task, Tie
from tests.attention.random_layered import COPY, OUT, PREV_A, PREV_B, TO_A, TO_B, A, B, as_layered, layered, one
from tests.attention.random_tables import small_tasks, tables


def test_two_uniform_layers_by_hand() -> None:
    # Position 0 of "AB" carries A; position 1 half of each; their mean is 3/4 of A and 1/4 of B.
    found = LayeredTables("tokens", ((LayeredHead(COPY),), (LayeredHead(OUT),)))
    task = Task([("A", "B")], ["A"], outputs=["A", "B"])
    assert found.is_exact
    assert layered_exact_margins(found, task) == (Fraction(1, 2),)
    assert describe_layered_margin(found, task, task.comparisons()[0]) == "1/2"
    (interval,) = layered_enclosed_margins(found, task)
    assert Fraction(1, 2) in interval


def test_key_composition_by_hand() -> None:
    # Position 1 carries A and B in halves. At the destination B the score of position 0 is 0, of itself 2·1/2 = 1.
    second = LayeredHead({(A, TO_A): one, (B, TO_B): one}, scores={(B, PREV_B): Fraction(2)})
    found = LayeredTables("tokens", ((LayeredHead(COPY),), (second,)))
    task = Task([("A", "B")], ["B"], outputs=["A", "B"])
    (interval,) = layered_enclosed_margins(found, task)  # (e − 1)/(e + 1) = 0.46211715726…
    assert not found.is_exact
    assert abs(interval.lower - Fraction("0.46211715726000976")) < Fraction(1, 10**16)
    with pytest.raises(InputError, match="head '' has the odds e to the power 1, which are irrational; enclose them"):
        layered_exact_margins(found, task)


def test_odds_of_what_is_carried_by_halves() -> None:
    # Position 1 carries B to the degree 1/2: the odds 4 count as 2, the odds 2 as no rational.
    def odds_of(value: int) -> LayeredTables:
        second = LayeredHead({(A, TO_A): one, (B, TO_B): one}, odds={(B, PREV_B): Fraction(value)})
        return LayeredTables("tokens", ((LayeredHead(COPY),), (second,)))

    task = Task([("A", "B")], ["B"], outputs=["A", "B"])
    (interval,) = layered_enclosed_margins(odds_of(4), task)
    assert Fraction(1, 3) in interval
    assert interval.upper - interval.lower < Fraction(1, 10**12)
    with pytest.raises(InputError, match="head '' has the odds 2 to the power 1/2, which are irrational"):
        layered_exact_margins(odds_of(2), task)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_one_layer_is_one_layer(data: st.DataObject) -> None:
    task = data.draw(small_tasks(ties=True))
    found = data.draw(tables(task))
    if found.is_exact:
        assert layered_exact_margins(as_layered(found), task) == exact_margins(found, task)
    pairs = zip(layered_enclosed_margins(as_layered(found), task, 256), enclosed_margins(found, task), strict=True)
    for here, there in pairs:
        assert here.lower <= there.upper
        assert there.lower <= here.upper


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_enclosures_contain_what_float64_computes(data: st.DataObject) -> None:
    """The weights, run by torch, against the tables, evaluated in balls: two ways that share no arithmetic."""
    task = data.draw(small_tasks())
    found = data.draw(layered(task))
    run = float_margins(layered_weights(found, task).to_model(torch.float64), task, device="cpu")
    for margin, interval in zip(run.margins, layered_enclosed_margins(found, task, 128), strict=True):
        assert margin == pytest.approx(float((interval.lower + interval.upper) / 2), abs=1e-8, rel=1e-8)


def test_outputs_that_are_treated_alike_tie_exactly() -> None:
    second = LayeredHead({(PREV_A, TO_A): one, (PREV_A, TO_B): one}, scores={(A, PREV_A): one})
    found = LayeredTables("tokens", ((LayeredHead(COPY),), (second,)))
    task = Task([("A", "B", "A")], [Tie(["A", "B"])])
    (interval,) = layered_enclosed_margins(found, task)
    assert interval.sign == 0


def test_a_score_too_large_to_be_enclosed() -> None:
    found = LayeredTables("tokens", ((LayeredHead(scores={(A, B): Fraction(10**26)}, name="x"),),))
    with pytest.raises(InputError) as error:
        layered_enclosed_margins(found, Task([("A", "B")], ["A"], outputs=["A", "B"]))
    assert str(error.value) == "head 'x' has a score of about 10^26; expected at most 10^25 in size"
