"""The linear step of theorem T7 against the definition of attention."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity import Task
from expressivity.heads.sandwich import certify_tables
from expressivity.heads.search.exact import Cleared, cleared
from expressivity.heads.search.layout import layout_of
from expressivity.heads.search.snapping import snapped
from expressivity.strategies import tasks
from expressivity.task import Tie, bits, xor


def masses(made: Cleared, context: int) -> Fraction:
    """The product of the denominators, pair by pair."""
    total = []
    for head in made.odds:
        pairs = [prod((a for a, used in zip(head, line, strict=True) if used), start=Fraction(1))
                 for line in made.layout.spread.tolist()]  # fmt: skip
        total.append(sum(c * a for c, a in zip(made.layout.counts[context].tolist(), pairs, strict=True)))
    return prod(total, start=Fraction(1))


@pytest.mark.parametrize("embedding", ["joint", "additive", "tokens"])
@given(task=tasks(soft=False), data=st.data())
def test_rows_times_values_are_logits_times_denominators(embedding: str, task: Task, data: st.DataObject) -> None:
    """Up to a positive factor for each destination and head, by which its odds are made whole."""
    layout = layout_of(task, embedding)
    numbers = st.fractions(min_value=Fraction(1, 9), max_value=9, max_denominator=9)
    heads = data.draw(st.integers(0, 2))
    made = cleared(layout, [[data.draw(numbers) for _ in layout.factors] for _ in range(heads)])
    rows = made.rows()
    weights = [data.draw(st.integers(-5, 5)) for _ in range(rows.n_columns)]
    tables = made.tables(weights)
    factor: dict[tuple[int, str], Fraction] = {}
    for value, comparison in zip(rows.times(weights), task.comparisons(), strict=True):
        context = task.contexts[comparison.context]
        logits = tables.logits(context)
        difference = logits.get(comparison.above, 0) - logits.get(comparison.below, 0)
        assert (value > 0, value < 0) == (difference > 0, difference < 0)
        if difference:
            end = (context.length if embedding != "tokens" else 0, context.destination)
            ratio = value / (difference * masses(made, comparison.context))
            assert factor.setdefault(end, ratio) == ratio


@given(task=tasks(soft=False, max_contexts=5))
def test_what_the_linear_step_finds_the_trusted_base_accepts(task: Task) -> None:
    layout = layout_of(task, "joint")
    tables = cleared(layout, [[1 + i % 5 for i in range(len(layout.factors))], [1] * len(layout.factors)]).solve()
    if tables is not None:
        certify_tables(task, tables, "linear step")


def test_one_head_with_any_odds_is_a_linear_threshold_function_and_every_one() -> None:
    """T2 read backwards: of the 256 functions of three bits exactly 104 (OEIS A000609), whatever the odds."""
    odds = [[3, 1, 4, 1, 5, 9, 2]]
    layouts = [layout_of(bits("".join(table)), "joint") for table in product("01", repeat=8)]
    made = cleared(layouts[0], odds)
    assert sum(made.solve(layout) is not None for layout in layouts) == 104


def test_odds_with_huge_denominators_do_not_wrap() -> None:
    layout = layout_of(xor(), "joint")
    big = [[Fraction(10**30 + i, 10**29 + 7) for i in range(5)], [Fraction(1, 3**i) for i in range(5)]]
    tables = cleared(layout, big).solve()
    assert tables is not None
    certify_tables(xor(), tables, "big")


def test_ties_are_met_exactly() -> None:
    task = Task([("A", "Q"), ("B", "Q"), ("C", "Q")], ["T", "F", Tie(["T", "F"])])
    tables = cleared(layout_of(task, "joint"), [[1, 2, 3, 1]]).solve()
    assert tables is not None
    logits = tables.logits(("C", "Q"))
    assert logits.get("T", 0) == logits.get("F", 0)


def test_rounded_odds_stay_positive_and_within_half_a_digit() -> None:
    import numpy as np

    given_odds = np.exp(np.linspace(-9, 9, 37))[None, :]
    for digits in (1, 2, 3, 8):
        for rounded, value in zip(snapped(np.log(given_odds), digits)[0], given_odds[0], strict=True):
            assert rounded > 0
            assert abs(float(rounded) / value - 1) <= 2.0**-digits * 1.0001
