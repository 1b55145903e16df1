"""Universality: any finite task, with the wanted logits met exactly."""

from __future__ import annotations

import pytest
from hypothesis import given

from constructions.any_task import exact_heads
from expressivity import InputError, Task
from expressivity.attention import exact_margins
from expressivity.strategies import tasks


@given(tasks(soft=False))
def test_every_comparison_is_met_by_a_whole_number(task: Task) -> None:
    """The logits wanted count the sets that contain an output, so margins are whole and ties exact."""
    if task.fibres().keys() & {place for context in task.contexts for place in enumerate(context.sources)}:
        with pytest.raises(InputError, match="is a destination and a source"):
            exact_heads(task, "any")
        return
    tables = exact_heads(task, "any").tables()
    assert len(tables.heads) == max(map(len, task.fibres().values())) - 1
    for comparison, margin in zip(task.comparisons(), exact_margins(tables, task), strict=True):
        assert margin == 0 if comparison.equal else margin >= 1
        assert margin.denominator == 1


def test_one_destination_needs_width_one() -> None:
    task = Task.load("parity:3")
    assert exact_heads(task, "parity").weights().d_head == 1
