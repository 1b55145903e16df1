"""Offsets, match and copy, in one layer."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from expressivity.attention import Embedding, Head, HeadTables, exact_margins
from expressivity.dsl import Construction, ConstructionError, copy, match, offset, previous
from expressivity.task import Task

WORDS = Task([("A", "B"), ("B", "A", "B"), ("A", "A", "A")], ["A", "A", "A"], outputs=["B"], name="words")
A, B = (None, "A"), (None, "B")
one = Fraction(1)


def head(**fields: Any) -> Head:
    embedding = fields.pop("embedding", None)
    return Construction("c", task=WORDS, embedding=embedding).head("x", **fields).tables().heads[0]


def at(position: int) -> tuple[int, None]:
    return position, None


def test_an_offset_is_a_table_over_positions() -> None:
    # Destinations stand at 1 and 2, sources at 0, 1 and 2.
    assert head(scores={previous: 3}).scores == {(at(1), at(0)): 3, (at(2), at(1)): 3}
    assert head(scores={offset(0): 3}).scores == {(at(1), at(1)): 3, (at(2), at(2)): 3}
    assert head(odds={offset(-2): "1/3"}).odds == {(at(2), at(0)): Fraction(1, 3)}
    assert head(scores={previous: 3, offset(-2): 1, 1: 5}, at=2).scores == {
        (at(2), at(1)): 8,
        (at(2), at(0)): 1,
    }


def test_an_offset_makes_the_embedding_additive() -> None:
    made = Construction("c", task=WORDS).head("x", scores={previous: 3}).tables()
    assert made.embedding == "additive"
    with pytest.raises(ConstructionError, match="names a position, which the embedding 'tokens' does not have"):
        head(scores={previous: 3}, embedding="tokens")


@pytest.mark.parametrize("embedding", ["additive", "joint"])
def test_the_previous_token_is_attended_to(embedding: Embedding) -> None:
    made = Construction("c", task=WORDS, embedding=embedding).head("x", odds={previous: 7}, writes=copy).tables()
    # A B: 7 of 8 for A; B A B: 7 of 9 for A, 2 for B; A A A: all for A.
    assert exact_margins(made, WORDS) == (Fraction(6, 8), Fraction(5, 9), Fraction(1))


def test_match_is_a_table_over_tokens() -> None:
    assert head(scores={match: 2}).scores == {(A, A): 2, (B, B): 2}
    assert head(scores={match: 2, "A": 1}, at="A").scores == {(A, A): 3}
    assert head(odds={match: 2, "A": 3}, at=["A", "B"]).odds == {(A, A): 6, (B, B): 2, (B, A): 3}


def test_match_at_a_position_needs_both() -> None:
    found = head(scores={match: 2}, at=1, embedding="joint").scores
    assert found == {((1, "B"), (1, "B")): 2}  # of its sources only the destination itself is B
    both = head(scores={match: 2}, at=2, embedding="joint").scores or {}
    assert both == {(end, source): 2 for end, source in product([(2, "A"), (2, "B")], [(0, "A"), (0, "B"), (1, "A")])
                    if end[1] == source[1] and (end, source) != ((2, "B"), (1, "B"))} | {
        ((2, "A"), (2, "A")): 2, ((2, "B"), (2, "B")): 2}  # fmt: skip


def test_copy_is_a_table_of_outputs() -> None:
    assert head(writes=copy).values == {(A, "A"): 1, (B, "B"): 1}
    assert head(writes={copy: -2, "A": {"A": 1, "B": 5}}).values == {(A, "A"): -1, (A, "B"): 5, (B, "B"): -2}


def test_copy_leaves_out_what_is_no_output() -> None:
    task = Task([("A", "=")], ["A"], outputs=["B"])
    made = Construction("c", task=task).head("x", writes=copy).direct({"=": "B"})
    assert made.tables() == HeadTables("tokens", {((None, "="), "B"): one}, (Head({(A, "A"): one}, name="x"),))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"scores": {offset(1): 1}}, "head 'x', scores: offset(1) looks ahead; expected 0, −1, −2, …"),
        ({"scores": {offset(-3): 1}}, "head 'x', scores: no source of the task stands 3 before a destination"),
        ({"scores": {copy: 1}}, "head 'x', scores: copy is for what a head writes; expected match"),
        ({"writes": match}, "head 'x', writes: match is for what a head attends to; expected copy"),
        ({"writes": {copy: "much"}},
         "head 'x', writes of copy: found \"much\"; expected a number such as 3, 0.9 or 9/10"),
        ({"scores": {previous: {"A": 1}, "A": 1}},
         "head 'x', scores: a table for each destination stands alone, without "
         "`at` and without plain numbers"),
    ],
)  # fmt: skip
def test_what_is_wrong(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConstructionError) as error:
        head(**fields)
    assert error.value.reasons == (reason,)


def test_nothing_to_match_or_to_copy() -> None:
    task = Task([("A", "=")], ["T"])
    with pytest.raises(ConstructionError) as error:
        Construction("c", task=task).head("x", writes=copy).tables()
    assert error.value.reasons == ("head 'x', writes: copy finds no source that is an output of the task",)


def test_an_offset_from_one_token_alone_does_not_factor() -> None:
    # Of the destinations A and B, at 1 and at 2, only A looks back.
    task = Task([(*sources, end) for sources in ("A", "BA") for end in "AB"], ["A"] * 4, outputs=["B"])
    text = {"at": "A", "scores": {previous: 1}}
    assert Construction("c", task=task, embedding="joint").head("x", **text).problems() == ()
    with pytest.raises(ConstructionError) as error:
        Construction("c", task=task, embedding="additive").head("x", **text).tables()
    assert error.value.reasons[0] == (
        "head 'x': its table of scores to A is not a position part plus a token part: at positions 1, 2 and tokens "
        "'A', 'B' it has [1 0; 0 0], and 1 + 0 is not 0 + 0; use the joint embedding"
    )
