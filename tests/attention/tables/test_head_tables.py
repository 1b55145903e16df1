from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, exact_margins
from expressivity.attention.tables import occurring
from expressivity.errors import InputError, Refuted
from expressivity.task import Task, xor
from tests.attention.random_tables import small_tasks, tables

A, B, Q = (None, "A"), (None, "B"), (None, "Q")
half = Fraction(1, 2)


def test_logits_by_hand() -> None:
    # Odds 3 : 1 : 2 on A, B, Q; A writes 6 and B −6 on T, Q writes 3 on F, the direct path 1/2 on T.
    # T: (3·6 − 1·6)/6 + 1/2 = 5/2.  F: 2·3/6 = 1.
    head = Head({(A, "T"): 6, (B, "T"): -6, (Q, "F"): 3}, odds={(Q, A): 3, (Q, Q): 2})  # type: ignore[dict-item]
    found = HeadTables("tokens", {(Q, "T"): half}, (head,)).logits(("A", "B", "Q"))
    assert found == {"F": 1, "T": Fraction(5, 2)}


def test_powers_of_a_base_and_additive_rows_by_hand() -> None:
    # additive, base 2: score of A at 0 from Q at 1 is 1 + 2 = 3, of Q at 1 is 0, so weights 8 : 1;
    # A writes 9, position 0 writes 9, together 18·8/9 = 16.
    scores = {(Q, A): Fraction(1), ((1, None), (0, None)): Fraction(2)}
    values = {(A, "T"): Fraction(9), ((0, None), "T"): Fraction(9)}
    found = HeadTables("additive", {}, (Head(values, scores=scores, base=Fraction(2)),))
    assert found.logits(("A", "Q")) == {"T": 16}
    # The same model in the joint embedding.
    task = Task([("A", "Q")], ["T"], outputs=["F"])
    joint = found.in_embedding("joint", task)
    assert joint.logits(("A", "Q")) == {"T": 16}
    assert dict(joint.heads[0].scores or {}) == {((1, "Q"), (0, "A")): 3}


@given(st.data())
def test_wider_embeddings_and_restriction_keep_every_logit(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task, kind=data.draw(st.sampled_from(["odds", "base"]))))
    logits = [found.logits(context) for context in task.contexts]
    wider = [found.restricted(task), found.in_embedding("joint", task)]
    if found.embedding == "tokens":
        wider.append(found.in_embedding("additive", task))
    for other in wider:
        for context, expected in zip(task.contexts, logits, strict=True):
            known = other.logits(context)
            assert {y: v for y, v in known.items() if v} == {y: v for y, v in expected.items() if v}


@given(st.data())
def test_proofs_read_back(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task))
    proof = json.loads(json.dumps(found.to_proof()))
    assert HeadTables.from_proof(proof, found.embedding) == found
    assert HeadTables.from_proof(proof, found.embedding).to_proof() == proof


def test_defaults_are_left_out_of_a_proof() -> None:
    head = Head({(A, "T"): Fraction(0), (B, "T"): half}, odds={(Q, A): Fraction(1), (Q, B): Fraction(2)})
    assert HeadTables("tokens", {(Q, "T"): Fraction(0)}, (head,)).to_proof() == {
        "direct": [],
        "heads": [{"odds": [[[None, "Q"], [None, "B"], "2"]], "values": [[[None, "B"], "T", "1/2"]]}],
    }


def test_places_of_a_task() -> None:
    ends, places, pairs = occurring(xor().contexts)
    assert ends == [(2, "Q")]
    assert places == [(0, "A"), (0, "B"), (1, "C"), (1, "D"), (2, "Q")]
    assert pairs == [((2, "Q"), place) for place in places]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Head(scores={}, odds={}, name="x"), "head 'x' has odds and scores; expected one of the two"),
        (
            lambda: Head(odds={(Q, A): Fraction(0)}, name="x"),
            "head 'x' has the odds 0 at destination 'Q', source 'A'; expected a positive number",
        ),
        (
            lambda: Head(scores={}, base=Fraction(-2), name="x"),
            "head 'x' has the base -2; expected 'e' or a positive number",
        ),
        (
            lambda: Head(scores={(Q, A): half}, base=Fraction(2), name="x"),
            "head 'x' has the score 1/2 at destination 'Q', source 'A'; "
            "base 2 needs whole numbers (base 'e' takes any)",
        ),
        (
            lambda: HeadTables("tokens", {((0, "Q"), "T"): half}),
            "the row (0, 'Q') is none of the tokens embedding; expected (None, token)",
        ),
        (
            lambda: HeadTables("joint", {}, (Head({(A, "T"): half}),)),
            "the row (None, 'A') is none of the joint embedding; expected (position, token)",
        ),
        (
            lambda: HeadTables("additive", {}, (Head(odds={((0, "Q"), A): half}),)),
            "the row (0, 'Q') is none of the additive embedding; expected (position, None) or (None, token)",
        ),
        (lambda: HeadTables("sum"), "embedding is 'sum'; expected one of joint, additive, tokens"),  # type: ignore[arg-type]
        (
            lambda: HeadTables("joint").in_embedding("tokens", xor()),
            "tables of the joint embedding cannot be put into tokens, which is narrower; "
            "state the construction in that embedding instead",
        ),
        (
            lambda: exact_margins(HeadTables("tokens", {}, (Head(scores={(Q, A): half}, name="x"),)), xor()),
            "head 'x' has the real score 1/2: its odds are irrational; enclose them (enclosed_margins) or "
            "replace them (.rational())",
        ),
    ],
)
def test_bad_tables(make: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"direct": []},
        {"direct": [], "heads": [{"scores": [], "values": []}]},
        {"direct": [[[None, "Q"], "T"]], "heads": []},
        {"direct": [[[None, "Q"], "T", "1"], [[None, "Q"], "T", "2"]], "heads": []},
        {"direct": [[[None, "Q"], "T", "2/4"]], "heads": []},
        {"direct": [[[0, "Q"], "T", "1"]], "heads": []},
        {"direct": [], "heads": [{"odds": [[[None, "Q"], [None, "A"], "0"]], "values": []}]},
        {"direct": [], "heads": 3},
    ],
)
def test_proofs_of_another_shape(proof: Any) -> None:
    with pytest.raises(Refuted):
        HeadTables.from_proof(proof, "tokens")
