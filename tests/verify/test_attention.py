"""Attention evaluated on a context, against the definition."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import iv

from expressivity.verify.attention import attended
from expressivity.verify.claim import Claim
from tests.verify.by_hand import Json, heads, task
from tests.verify.oracle import logits

PLACES = {
    "joint": [[i, x] for i in range(3) for x in "ABQ"],
    "additive": [*([i, None] for i in range(3)), *([None, x] for x in "ABQ")],
    "tokens": [[None, x] for x in "ABQ"],
}
NUMBERS = st.fractions(-2, 2, max_denominator=4).map(str)


@st.composite
def layers(draw: st.DrawFn, real: bool) -> tuple[str, Json]:
    """An embedding and tables for it; unlisted entries are left to their defaults."""
    embedding = draw(st.sampled_from(sorted(PLACES)))
    row = st.sampled_from(PLACES[embedding])

    def table(right: st.SearchStrategy[Any], numbers: st.SearchStrategy[str]) -> list[Any]:
        entries = st.tuples(row, right, numbers).map(list)
        return draw(st.lists(entries, max_size=6, unique_by=lambda entry: str(entry[:2])))

    values = st.sampled_from("FT")
    made: list[Json] = []
    for _ in range(draw(st.integers(0, 3))):
        if real:
            attention: Json = {"scores": table(row, NUMBERS), "base": "e"}
        elif draw(st.booleans()):
            attention = {"odds": table(row, st.sampled_from(["1/3", "2", "5/2"]))}
        else:
            attention = {"scores": table(row, st.integers(-2, 2).map(str)), "base": draw(st.sampled_from(["2", "1/3"]))}
        made.append({**attention, "values": table(values, NUMBERS)})
    return embedding, {"direct": table(values, NUMBERS), "heads": made}


CONTEXTS = st.text("AB", max_size=2).map(lambda sources: (*sources, "Q"))


def enclosed(embedding: str, proof: Json, tokens: tuple[str, ...]) -> tuple[Fraction, Fraction]:
    claim = Claim(heads(len(proof["heads"]), embedding), task({"Q": "T"}))
    return attended(claim, proof)(tokens)("T", "F")


@given(layers(real=False), CONTEXTS)
def test_rational_odds_are_evaluated_exactly(layer: tuple[str, Json], tokens: tuple[str, ...]) -> None:
    embedding, proof = layer
    exact = logits(embedding, list(tokens), proof, "T") - logits(embedding, list(tokens), proof, "F")
    assert enclosed(embedding, proof, tokens) == (exact, exact)


@given(layers(real=True), CONTEXTS)
def test_real_scores_are_enclosed(layer: tuple[str, Json], tokens: tuple[str, ...]) -> None:
    embedding, proof = layer
    iv.dps = 100
    low, high = enclosed(embedding, proof, tokens)
    value = logits(embedding, list(tokens), proof, "T") - logits(embedding, list(tokens), proof, "F")
    assert 0 <= high - low < Fraction(1, 2**220)
    if isinstance(value, Fraction):  # no head
        assert low == high == value
    else:
        assert value.b >= iv.mpf(low.numerator) / low.denominator
        assert value.a <= iv.mpf(high.numerator) / high.denominator


def test_the_destination_attends_to_itself() -> None:
    proof = {"direct": [], "heads": [{"odds": [], "values": [[[None, "Q"], "T", "1"]]}]}
    assert enclosed("tokens", proof, ("A", "A", "Q")) == (Fraction(1, 3),) * 2


def test_a_destination_among_the_sources_counts_there_too() -> None:
    proof = {"direct": [], "heads": [{"odds": [], "values": [[[None, "Q"], "T", "1"]]}]}
    assert enclosed("tokens", proof, ("Q", "A", "Q")) == (Fraction(2, 3),) * 2


def test_score_bases_below_1_turn_attention_round() -> None:
    scores = [[[None, "Q"], [None, "A"], "3"]]
    for base, odds in (("1/2", Fraction(1, 8)), ("2", Fraction(8))):
        head = {"scores": scores, "base": base, "values": [[[None, "A"], "T", "1"]]}
        found = enclosed("tokens", {"direct": [], "heads": [head]}, ("A", "Q"))
        assert found == (odds / (odds + 1),) * 2


@pytest.mark.parametrize("scores", [[], [["Q", "A", "1"]]])
def test_one_width_is_enough_for_one_row(scores: list[Any]) -> None:
    entries = [[[None, q], [None, s], v] for q, s, v in scores]
    head = {"scores": entries, "base": "e", "values": []}
    claim = Claim(heads(1, "tokens", d_head=1), task({"AQ": "T"}))
    attended(claim, {"direct": [], "heads": [head]})
