"""By what factor floating point is safe, and that it is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity.attention import (
    FloatErrors,
    FloatSafety,
    Interval,
    enclosed_margins,
    exact_weights,
    float_errors,
    float_safety,
    safety_text,
)
from expressivity.task import Task, Tie
from tests.attention.floats.float_runs import compiled, forward
from tests.attention.random_tables import small_tasks, tables

one = Fraction(1)


def test_safety_is_the_least_quotient() -> None:
    task = Task([tuple("AQ"), tuple("BQ")], ["T", "F"], outputs=["F", "T"])
    errors = FloatErrors(
        {"float32": np.array([1e-6, 1e-4]), "bfloat16": np.array([0.02, 0.5])}, tuple(task.comparisons())
    )
    single, half = float_safety(errors, [Interval(Fraction(1, 2), one), Fraction(-1, 4)])
    assert (single.comparison, single.margin, single.bound, single.is_proved) == (1, 0.25, 1e-4, True)
    assert 2499 < single.factor <= 2500
    assert (half.comparison, half.bound, half.is_proved) == (1, 0.5, False)
    assert safety_text([single, half]) == "float32 safe by 10^3, bfloat16 not proved (margin 0.25, error up to 0.5)"


def test_a_margin_of_unknown_sign_is_not_safe() -> None:
    task = Task([tuple("AQ")], ["T"], outputs=["F", "T"])
    errors = FloatErrors({"float64": np.array([1e-16])}, tuple(task.comparisons()))
    for margin in (Interval(Fraction(-1), one), Fraction(0)):
        (found,) = float_safety(errors, [margin])
        assert (found.factor, found.margin, found.is_proved) == (0, 0, False)


def test_ties_are_told_by_themselves() -> None:
    task = Task([tuple("AQ")], [Tie(["F", "T"])], outputs=["F", "T"])
    errors = FloatErrors({"float64": np.array([3e-16])}, tuple(task.comparisons()))
    assert float_safety(errors, [Fraction(0)]) == (
        FloatSafety("float64", float("inf"), None, float("inf"), 0.0, 3e-16),
    )
    assert safety_text(float_safety(errors, [Fraction(0)])) == "float64 nothing to decide (ties within 3e-16)"


@settings(max_examples=40)
@given(st.data())
def test_what_is_safe_comes_out_right(data: st.DataObject) -> None:
    task = data.draw(small_tasks(ties=True))
    found = data.draw(tables(task))
    weights = exact_weights(found, task)
    errors, margins = float_errors(weights, task), enclosed_margins(found, task)
    for model, safety in zip(compiled(weights), float_safety(errors, margins), strict=True):
        logits = [dict(zip(model.outputs, row, strict=True)) for row in forward(model, task.contexts)]
        for comparison, margin in zip(errors.comparisons, margins, strict=True):
            above, below = (logits[comparison.context][y] for y in (comparison.above, comparison.below))
            if comparison.equal:
                assert margin.sign != 0 or abs(above - below) <= safety.tie_bound
            elif safety.is_proved:
                assert (above > below) == (margin.sign == 1)
