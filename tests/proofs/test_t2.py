"""Attacks on T2, one head decides exactly what skip-trigrams decide: proofs/T2.md."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proofs.by_hand import (
    Context,
    Head,
    Logits,
    Row,
    comparisons,
    contexts,
    heads,
    logits,
    numbers,
    rank,
    sign,
)


class SkipTrigrams(NamedTuple):
    """Order 3 on one fibre: a constant and a weight for each source, per output."""

    constant: Logits
    sources: dict[Row, Logits]

    def scores(self, context: Context) -> Logits:
        rows = [self.sources[row] for row in enumerate(context[:-1])]
        return tuple(w + sum(row[y] for row in rows) for y, w in enumerate(self.constant))


class Fibre(NamedTuple):
    contexts: list[Context]
    sources: list[Row]
    destination: Row


@st.composite
def fibres(draw: st.DrawFn, least: int) -> Fibre:
    length = draw(st.integers(least, 3))
    vocabulary = "ABC"[: draw(st.integers(1, 3))]
    q = draw(st.sampled_from([vocabulary[0], "Q"]))
    return Fibre(contexts([vocabulary] * length, q), [*product(range(length), vocabulary)], (length, q))


@pytest.mark.parametrize("itself", [True, False])
@pytest.mark.parametrize("direct_path", [True, False])
@given(data=st.data())
def test_skip_trigrams_are_one_head_logit_for_logit(
    itself: bool, direct_path: bool, data: st.DataObject
) -> None:
    fibre = data.draw(fibres(0 if itself else 1))
    outputs = data.draw(st.integers(1, 3))

    def draw() -> Logits:
        return tuple(data.draw(numbers) for _ in range(outputs))

    ensemble = SkipTrigrams(draw(), {row: draw() for row in fibre.sources})
    length = fibre.destination[0]
    share = length + 1 if itself else length
    zero = (Fraction(0),) * outputs
    constant = zero if direct_path else ensemble.constant  # what the head has to say for the direct path
    values = {row: tuple(share * w for w in written) for row, written in ensemble.sources.items()}
    values[fibre.destination] = zero
    if itself:
        values[fibre.destination] = tuple(share * w for w in constant)
    else:
        values |= {
            row: tuple(v + w for v, w in zip(values[row], constant, strict=True)) for row in fibre.sources
        }
    head = Head(dict.fromkeys([*fibre.sources, fibre.destination], Fraction(1)), values)
    direct = ensemble.constant if direct_path else zero
    for context in fibre.contexts:
        assert logits(context, direct, [head], attends_to_itself=itself) == ensemble.scores(context)


def deciding_table(head: Head, direct: Logits, fibre: Fibre) -> SkipTrigrams:
    """Odds times what is written and what the direct path says."""

    def entry(row: Row) -> Logits:
        return tuple(head.odds[row] * (v + b) for v, b in zip(head.values[row], direct, strict=True))

    return SkipTrigrams(entry(fibre.destination), {row: entry(row) for row in fibre.sources})


@pytest.mark.parametrize("embedding", ["joint", "additive", "tokens"])
@pytest.mark.parametrize("tied", [True, False])
@given(data=st.data())
def test_the_deciding_table_decides_as_the_head_does(embedding: str, tied: bool, data: st.DataObject) -> None:
    fibre = data.draw(fibres(0))
    outputs = data.draw(st.integers(2, 3))
    head = data.draw(heads([*fibre.sources, fibre.destination], outputs, embedding))
    direct = tuple(data.draw(numbers) for _ in range(outputs))
    if tied:
        first, second, *_ = logits(data.draw(st.sampled_from(fibre.contexts)), direct, [head])
        direct = (direct[0], direct[1] + first - second, *direct[2:])
    table = deciding_table(head, direct, fibre)
    decisions = [comparisons(logits(context, direct, [head])) for context in fibre.contexts]
    assert decisions == [comparisons(table.scores(context)) for context in fibre.contexts]
    if tied:
        assert any(ties[1] == 0 for ties in decisions)  # entry 1 compares the first output with the second


def test_attention_times_writing_is_not_the_deciding_table() -> None:
    """The page's head that a keyword switches off: outputs T and F, the direct path for T."""
    fibre = Fibre([("noun", "keyword", "Q")], [(0, "noun"), (1, "keyword")], (2, "Q"))
    one, nothing = Fraction(1), (Fraction(0), Fraction(0))
    head = Head(
        {(0, "noun"): one, (1, "keyword"): Fraction(9), (2, "Q"): one},
        {(0, "noun"): (Fraction(0), Fraction(4)), (1, "keyword"): nothing, (2, "Q"): nothing},
    )
    direct = (one, Fraction(0))
    (context,) = fibre.contexts
    assert logits(context, direct, [head]) == (one, Fraction(4, 11))
    assert deciding_table(head, direct, fibre).scores(context) == (Fraction(11), Fraction(4))
    assert deciding_table(head, nothing, fibre).scores(context) == (
        Fraction(0),
        Fraction(4),
    )  # odds × writing: F


@given(data=st.data())
def test_two_outputs_and_one_length_share_values_between_destinations(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 3))
    sources = [*product(range(length), "AB")]
    one, other = (Fraction(1),), (Fraction(-1),)
    values = dict.fromkeys(sources, one) | {
        (length, q): other for q in "AQR"
    }  # one table for all destinations
    for q in "AQR":
        fibre = Fibre(contexts(["AB"] * length, q), sources, (length, q))
        ensemble = SkipTrigrams((data.draw(numbers),), {row: (data.draw(numbers),) for row in sources})
        if data.draw(st.booleans()):  # a tie somewhere
            (excess,) = ensemble.scores(data.draw(st.sampled_from(fibre.contexts)))
            ensemble = SkipTrigrams((ensemble.constant[0] - excess,), ensemble.sources)
        shift = 1 + max(abs(w) for (w,) in [ensemble.constant, *ensemble.sources.values()])
        odds = {row: w + shift for row, (w,) in ensemble.sources.items()}
        odds[length, q] = length * shift - ensemble.constant[0]
        assert min(odds.values()) > 0
        for context in fibre.contexts:
            (difference,) = logits(context, (Fraction(0),), [Head(odds, values)])
            assert sign(difference) == sign(ensemble.scores(context)[0])


@given(st.integers(1, 5), st.data())
def test_one_source_and_any_labels_need_one_head_of_rank_one(outputs: int, data: st.DataObject) -> None:
    places = [Fraction(y + 1, outputs + 1) for y in range(outputs)]
    direct = tuple(-(k**2) for k in places)
    write, zero = tuple(2 * k for k in places), (Fraction(0),) * outputs
    assert rank([write, write, zero]) == 1
    for q, token in product("ABQ", "AB"):
        wanted = data.draw(st.integers(0, outputs - 1))
        share = places[wanted]
        head = Head({(0, token): share / (1 - share), (1, q): Fraction(1)}, {(0, token): write, (1, q): zero})
        scores = logits((token, q), direct, [head])
        assert [y for y in range(outputs) if scores[y] == max(scores)] == [wanted]
