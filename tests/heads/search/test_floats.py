"""The two proposers in floats compute what attention computes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity import Head, HeadTables, Task
from expressivity.heads.search import search_heads
from expressivity.heads.search.alternating import _State, alternate, is_small
from expressivity.heads.search.gradient import _Batch, descend
from expressivity.heads.search.layout import Layout, layout_of
from expressivity.strategies import tasks
from expressivity.task import bits, ov_coherent, parity, xor

EMBEDDINGS = ("joint", "additive", "tokens")


def exact_margins(layout: Layout, tables: HeadTables) -> list[float]:
    found = []
    for comparison in layout.task.comparisons():
        logits = tables.logits(layout.task.contexts[comparison.context])
        found.append(float(logits.get(comparison.above, 0) - logits.get(comparison.below, 0)))
    return found


def random_tables(layout: Layout, heads: int, seed: int) -> tuple[HeadTables, np.ndarray, np.ndarray, np.ndarray]:
    """Tables of small whole numbers, and the same as arrays."""
    draw = np.random.default_rng(seed)
    odds = draw.integers(1, 9, (heads, len(layout.factors)))
    values = draw.integers(-4, 5, (heads, len(layout.value_rows), len(layout.outputs)))
    direct = draw.integers(-4, 5, (len(layout.direct_rows), len(layout.outputs)))

    def table(rows: tuple[object, ...], entries: np.ndarray) -> dict[object, Fraction]:
        return {(r, y): Fraction(int(entries[i, j])) for i, r in enumerate(rows) for j, y in enumerate(layout.outputs)}

    made = tuple(
        Head(
            table(layout.value_rows, values[h]),
            odds={pair: Fraction(int(a)) for pair, a in zip(layout.factors, odds[h], strict=True)},
        )
        for h in range(heads)
    )
    return HeadTables(layout.embedding, table(layout.direct_rows, direct), made), np.log(odds), values, direct


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@settings(max_examples=30)
@given(task=tasks(soft=False), heads=st.integers(1, 3), seed=st.integers(0, 999))
def test_margins_in_floats_are_those_of_the_tables(embedding: str, task: Task, heads: int, seed: int) -> None:
    layout = layout_of(task, embedding)  # type: ignore[arg-type]
    if not len(layout.context):
        return
    tables, log_odds, values, direct = random_tables(layout, heads, seed)
    expected = exact_margins(layout, tables)
    moving = [torch.tensor(x, dtype=torch.float32)[None, None] for x in (log_odds, values, direct)]
    batch = _Batch([layout], torch.device("cpu"))
    assert batch.margins(moving, torch.tensor([0]))[0, 0].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-4)
    state = _State(layout, heads, 10.0)
    state.set(log_odds)
    state.values, state.direct = values.astype(float), direct.astype(float)
    got = sum((state.of_head(h) for h in range(heads)), state.path())
    assert got.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_a_program_never_makes_the_least_comparison_smaller(embedding: str) -> None:
    """Comparisons times the denominator of the head that moves, the least in proportion to the mean."""
    layout = layout_of(parity(3), embedding)  # type: ignore[arg-type]
    state = _State(layout, 2, 10.0)
    state.set(np.random.default_rng(1).standard_normal((2, len(layout.factors))))
    state.solve_values()

    def least(h: int) -> float | None:
        rest = state.of_head(1 - h) + state.path()
        cleared = (state.counts * state.pair_odds(h) * (rest[:, None] + state.written(h))).sum(1)
        mean = float(cleared.mean())
        return float(cleared.min()) / mean if mean > 1e-3 * np.abs(cleared).max() else None

    for h in (0, 1, 0, 1):
        state.solve_values()
        for kind in range(len(state.kinds)):
            before = least(h)
            if before is None:
                continue
            assert state.move(h, kind)
            after = least(h)
            assert after is not None
            assert after >= before - 1e-6


def test_several_tasks_at_once_are_each_shown_as_they_are_right() -> None:
    layouts = [layout_of(bits(table), "joint") for table in ("0110", "1001", "0001", "0000")]
    shown: list[int] = []

    def accept(task: int, guess: object) -> bool:
        shown.append(task)
        return True

    left = descend(layouts, 2, 8, 0, accept=accept)
    assert sorted(shown) == [0, 1, 2, 3]
    assert left == [[], [], [], []]


def test_descent_restores_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    descend([layout_of(xor(), "joint")], 1, 2, 0, steps=3)
    assert torch.get_num_threads() == before


def test_a_start_that_is_given_is_where_programs_begin() -> None:
    layout = layout_of(xor(), "joint")
    good = np.log(np.array([[9.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 9.0, 1.0, 1.0]]))
    assert alternate(layout, 2, 0, start=good).margin > 0


def test_large_tasks_are_left_to_descent() -> None:
    assert is_small(layout_of(parity(6), "joint"))
    assert not is_small(layout_of(ov_coherent(4), "joint"))


@pytest.mark.gpu
def test_an_accelerator_finds_the_same_heads() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no accelerator")
    layout = layout_of(bits("0110100110010110"), "joint")
    guesses = descend([layout], 4, 64, 0, device="cuda")[0]
    assert len(guesses) == 64
    assert search_heads(parity(3), 3, device="cuda").found
