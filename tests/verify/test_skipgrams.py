"""Features, weighted sums of them and ranks, against the definitions and against FLINT."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from typing import Any

import flint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.verify.claim import Claim
from expressivity.verify.skipgrams import ensemble, features, rank_at_least
from tests.verify.by_hand import Json, grams, task, weight
from tests.verify.oracle import phi

CONTEXTS = st.text("AB", max_size=4).map(lambda sources: [*sources, "Q"])
CONTEXTS |= st.text("ABQ", min_size=1, max_size=3).map(list)
POSITIONS = st.sampled_from(["absolute", "anywhere", "count"])
ORDERS = st.none() | st.integers(2, 7)


def product(left: dict[Any, int], right: dict[Any, int]) -> int:
    return sum(value * right.get(feature, 0) for feature, value in left.items())


@given(CONTEXTS, CONTEXTS, ORDERS, POSITIONS)
def test_features_are_those_of_the_definition_whatever_they_are_called(
    one: list[str], other: list[str], order: int | None, positions: str
) -> None:
    ours = product(features(one, order, positions), features(other, order, positions))
    assert ours == product(phi(one, order, positions), phi(other, order, positions))


def test_features_of_an_enormous_order_are_those_that_there_are() -> None:
    assert len(features("ABCDQ", 10**9, "absolute")) == 2**4
    assert len(features("AABBQ", 10**9, "anywhere")) == 2**2
    assert features("Q", 10**9, "count") == {("Q", ()): 1}


@st.composite
def weighted(draw: st.DrawFn) -> tuple[str, list[Json]]:
    """Weights on features of order 4, some of which no context has."""
    positions = draw(POSITIONS)
    entries: dict[str, Json] = {}
    for _ in range(draw(st.integers(0, 6))):
        size, length = draw(st.integers(0, 2)), draw(st.integers(0, 4))
        if positions == "absolute":
            places = draw(st.sampled_from(list(combinations(range(4), size))))
            sources: list[Any] = [[place, draw(st.sampled_from("AB"))] for place in places]
        elif positions == "anywhere":
            sources = list(draw(st.sampled_from(list(combinations("AB", size)))))
        else:
            sources = list(draw(st.sampled_from(list(combinations_with_replacement("AB", size)))))
        logits = draw(st.dictionaries(st.sampled_from("FT"), st.fractions(-2, 2, max_denominator=6).map(str)))
        entry = weight(logits, draw(st.sampled_from("AQ")), sources, length if positions == "absolute" else None)
        entries[str({**entry, "logits": None})] = entry
    return positions, list(entries.values())


@given(CONTEXTS, weighted())
def test_logits_are_the_sum_over_the_features_that_hold(tokens: list[str], made: tuple[str, list[Json]]) -> None:
    positions, entries = made
    *sources, end = tokens
    wanted = {"F": Fraction(0), "T": Fraction(0)}
    for entry in entries:
        if entry["destination"] != end or entry.get("length", len(sources)) != len(sources):
            continue
        value = 1
        for source in entry["sources"]:
            if positions == "absolute":
                value *= source[0] < len(sources) and sources[source[0]] == source[1]
            else:
                value *= sources.count(source) if positions == "count" else source in sources
        for y, number in entry["logits"].items():
            wanted[y] += value * Fraction(number)
    logits_of, common = ensemble(Claim(grams(4, positions), task({"Q": "T"})), entries)
    assert {y: Fraction(value, common) for y, value in logits_of(tuple(tokens)).items()} == wanted


ROWS = st.lists(st.dictionaries(st.integers(0, 8), st.integers(-3, 3), max_size=5), min_size=1, max_size=9)


@given(ROWS)
def test_the_rank_is_never_overstated_and_as_a_rule_found(rows: list[dict[int, int]]) -> None:
    exact = flint.fmpz_mat([[row.get(column, 0) for column in range(9)] for row in rows]).rank()
    assert rank_at_least(Claim(grams(3), task({"Q": "T"})), rows) == exact


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
def test_columns_of_their_own_keep_their_rows_apart(n: int) -> None:
    assert rank_at_least(Claim(grams(3), task({"Q": "T"})), [{i: 1} for i in range(n)]) == n


def test_a_rank_that_the_prime_hides_is_understated() -> None:
    assert rank_at_least(Claim(grams(3), task({"Q": "T"})), [{0: (1 << 30) - 35}]) == 0
