"""The study of trained superposition: its measures on hand-set tables, whose values are known by hand."""

from __future__ import annotations

import math
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from docs.studies.trained_superposition import (
    Run,
    Shared,
    Signals,
    along,
    by_chance,
    multisets,
    percent,
    shared,
    signals,
    tables_of,
    tau_rows,
)
from expressivity.attention import Head, HeadTables
from expressivity.heads.gallery import load_construction

PAGE = (Path(__file__).parents[2] / "docs" / "trained-superposition.md").read_text("utf-8")


def hand_set(name: str) -> HeadTables:
    found = load_construction(name).tables()
    assert isinstance(found, HeadTables)
    return found


# ------------------------------------------------------------------------------------------------ one source


def test_the_printed_table_is_the_code_of_subsets() -> None:
    found = shared(hand_set("ov_incoherent_printed"), 3)
    assert found.shares == pytest.approx(np.array([[1, 0, 1], [0, 1, 1]]))
    assert found.sets == ({0}, {1}, {0, 1})
    assert (found.by_attention, found.is_sharp, found.by_moves) == ("subsets", True, "one way, sets")
    # (2, −2, 1) less its mean 1/3 is (5, −7, 2)/3, of length √78/3.
    assert found.moves == pytest.approx(np.array([[1, 0, 1], [0, 1, 1]]) * math.sqrt(78) / 3)
    assert (found.to_subsets, found.cancelling, found.rounded) == (pytest.approx(0), pytest.approx(0), True)
    assert (found.margin, found.is_flat_and_graded) == (pytest.approx(1), False)
    e = math.e
    assert found.probability == pytest.approx(e**2 / (e**2 + e**-2 + e))
    among_all = shared(hand_set("ov_incoherent_printed"), 3, [str(n) for n in range(8)])
    assert among_all.probability == pytest.approx(e**2 / (e**2 + e**-2 + 2 * e + 4))


@pytest.mark.parametrize(("heads", "k"), [(2, 3), (3, 7)])
def test_so_are_those_of_more_heads(heads: int, k: int) -> None:
    found = shared(hand_set(f"ov_incoherent_subsets:{heads}"), k)
    assert found.sets == tuple({h for h in range(heads) if i >> h & 1} for i in range(1, k + 1))
    assert (found.by_attention, found.by_moves) == ("subsets", "one way, sets")
    assert found.to_subsets == pytest.approx(0, abs=1e-5)  # odds of 2^20


def test_two_heads_for_any_number_are_graded() -> None:
    found = shared(hand_set("ov_incoherent_width_one:3"), 3)
    delta = 1 / (256 * 9)
    assert found.shares[0] == pytest.approx([i * delta / (1 + i * delta) for i in (1, 2, 3)])
    assert found.shares[1] == pytest.approx([delta / (1 + delta)] * 3)
    assert (found.by_attention, found.by_moves, found.is_flat_and_graded) == ("shared", "one way, graded", True)
    assert not found.rounded  # no share is near 1: nothing is left
    assert found.to_subsets == pytest.approx(2 / 3, abs=1e-3)  # of shares 0 from 10, 01, 11: (1/2 + 1/2 + 1)/3


def test_the_pair_of_july_cancels() -> None:
    found = shared(hand_set("ov_incoherent_literal:3"), 3)
    assert found.drawn() == Counter({"itself": 1, "source": 1})
    # Absent: shares 1024/1025 of the destination, with both signs; present: (1024 − 1)/1025 of it remain.
    assert found.cancelling == pytest.approx(1024 / 1023)
    assert found.margin == pytest.approx(1023 / 1025)
    assert not found.moves.any()  # values of rank 2, which have no one direction


def test_a_head_that_moves_two_destinations_both_ways() -> None:
    """Attention 3/4 to the source and 1/2 to what stands in its place, else to destinations of opposite values."""
    rows = {token: (None, token) for token in "0125"}
    head = Head(
        values={(rows["1"], "3"): Fraction(1), (rows["2"], "3"): Fraction(-1)},
        odds={(rows[end], rows["0"]): Fraction(3) for end in "12"},
    )
    found = shared(HeadTables("tokens", {}, (head,)), 2)
    assert found.shares.tolist() == [[0.75, 0.75]]
    # A quarter of (1, 0) less its mean (1/2, 1/2) is lost: 1/4 · 1/√2.
    assert np.abs(found.moves) == pytest.approx(np.array([[0.25 / math.sqrt(2)] * 2]))
    assert found.moves[0, 0] == pytest.approx(-found.moves[0, 1])
    assert (found.by_moves, found.by_attention) == ("both ways", "shared")


def test_a_small_move_beside_a_large_one_counts_as_none() -> None:
    def kind(moves: list[list[float]]) -> str:
        blank = np.zeros((2, 2))
        return Shared(blank, blank, np.array(moves), 0.0, True, 1.0, 1.0).by_moves

    assert kind([[1, -0.09], [0, 1]]) == "one way, sets"
    assert kind([[1, -0.11], [0, 1]]) == "both ways"
    assert kind([[1, 0.5], [0.5, 1]]) == "one way, graded"


def test_sets_that_are_distinct_by_chance() -> None:
    assert by_chance(2, 3) == 6 / 64
    assert by_chance(2, 4) == 0
    assert by_chance(3, 4) == 7 * 6 * 5 * 4 / 8**4


def test_a_line_has_one_number_for_each_vector() -> None:
    assert along(np.array([[0.6, 0.8], [-3.0, -4.0]])).tolist() == pytest.approx([-1, 5])


def test_the_margins_of_trained_models_are_those_that_are_proved() -> None:
    trained = Run("ov-incoherent:3", 2, settings=(("steps", 300),)).train(3, 0)
    right = [outcome for outcome in trained.outcomes if outcome.right]
    assert right
    for outcome, tables in zip(right, tables_of(trained), strict=True):
        assert shared(tables, 3).margin == pytest.approx(outcome.least_margin, rel=1e-6)
    assert len(tables_of(trained, first=True)) == 3


# ------------------------------------------------------------------------------------------------ two signals


@pytest.mark.parametrize("ratio", [3, 10])
def test_the_hand_set_heads_are_inverted(ratio: int) -> None:
    found = signals(hand_set(f"ov_coherent_inverted:{ratio}"), 3)
    assert found.orders == ((1, 2, 3, 4), (4, 3, 2, 1))
    assert (found.tau, found.value_taus, found.mechanism) == (-1, (1, 1), "as published")
    assert found.steps == pytest.approx(np.full((2, 3), ratio))
    # The proof of the construction, with a noise token and the destination of odds 10^−6 beside the signals.
    assert found.margins.min() == pytest.approx(ratio / (ratio + 1 + 2e-6) - 0.5)
    # With the same odds for all both averages are one, and only pairs of equal signals are told.
    assert (found.flat > 1e-3).mean() == pytest.approx(0.4)


def test_without_a_preference_it_is_a_sum() -> None:
    found = signals(hand_set("ov_coherent_two_narrow:3"), 3)
    assert (found.tau, found.mechanism) == (0, "sum")
    assert found.flat == pytest.approx(found.margins)
    alone = signals(hand_set("ov_coherent_width_one:3"), 3)
    assert alone.margins.min() == pytest.approx(1)
    values = alone.values[0] / alone.values[0][1]
    assert values == pytest.approx([0, 1, 4, 6])


def test_the_mechanisms_are_told_apart() -> None:
    def kind(other: list[float], values: list[float], flat: float = -1.0) -> str:
        scores = np.array([[4.0, 3, 2, 1], other])
        graded = np.array([[0.0, 1, 2, 3], values])
        return Signals(scores, graded, np.ones(1), np.array([flat])).mechanism

    assert kind([1, 2, 3, 4], [0, 1, 2, 3]) == "as published"
    assert kind([1, 2, 3, 4], [3, 2, 1, 0]) == "as published"  # the sign is the head's own affair
    assert kind([1, 2, 3, 4], [0, 2, 1, 3]) == "inverted"
    assert kind([1, 2, 4, 3], [0, 1, 2, 3]) == "partly"
    assert kind([4, 3, 2, 1], [0, 1, 2, 3]) == "not"
    assert kind([1, 2, 3, 4], [0, 1, 2, 3], flat=1.0) == "sum"


def test_contexts_are_counted_by_what_is_in_them() -> None:
    counts, right = multisets(3)
    assert counts.shape == (10 * 7, 12)
    assert (counts.sum(1) == 4).all()
    assert (counts[:, 11] == 1).all()
    assert Counter(right.tolist()) == dict.fromkeys(range(10), 7)


def test_rows_of_kendalls_tau() -> None:
    rows = tau_rows([("a", [-1, -1, 1 / 3])], [1 / 24] * 7)
    assert rows[0] == "a | 2 | 0 | 0 | 0 | 1 | 0 | 0"
    assert tau_rows([("b", [0, 1, 1])], [1 / 4] * 4)[0] == "b | 1 | 0 | 0 | 2"
    assert percent(0, 10) == "0 of 10 (0.0% to 27.8%)"


# ------------------------------------------------------------------------------------------------ the page


def test_every_table_has_its_place_on_the_page() -> None:
    places = re.findall(r"<!-- python docs/studies/trained_superposition.py ([a-z]+) -->\n\n\|", PAGE)
    assert set(places) == {
        "attention", "moves", "distances", "wide", "shared",
        "orders", "taus", "mechanisms", "odds", "values", "signals",
    }  # fmt: skip
    assert PAGE.count("<!-- end -->") == len(places)
