"""The number of heads between two proofs."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given

from expressivity import (
    EXPRESSIBLE,
    INEXPRESSIBLE,
    UNDECIDED,
    Attention,
    InputError,
    SkipGrams,
    Task,
    Tie,
    climb,
    decide,
)
from expressivity.ensembles import decide_ensemble
from expressivity.heads.constructive import one_head, one_head_one_source, one_head_two_outputs
from expressivity.heads.gallery import load_construction
from expressivity.heads.gates import head_per_gram
from expressivity.heads.sandwich import certify_built, certify_tables, decide_heads, weights_of
from expressivity.heads.validate import build_report
from expressivity.strategies import tasks

XOR = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"], name="xor")


@pytest.mark.parametrize("embedding", ["joint", "additive", "tokens"])
def test_xor_needs_exactly_two_heads(embedding: str) -> None:
    """No single head by T1, two by the post's construction."""
    no = decide(XOR, Attention(heads=1, embedding=embedding))
    yes = decide(XOR, Attention(heads=2, embedding=embedding))
    assert (no.answer, yes.answer) == (INEXPRESSIBLE, EXPRESSIBLE)
    assert no.certificate.verify().answer == "inexpressible"
    assert yes.certificate.verify().contexts == 4
    assert decide(XOR, Attention(heads=0, embedding=embedding)).answer is INEXPRESSIBLE


def test_more_heads_and_width_one_are_classes_that_contain_it() -> None:
    assert decide(XOR, Attention(heads=5)).certificate.verify().answer == "expressible"
    narrow = decide(XOR, Attention(heads=2, d_head=1, embedding="tokens"))
    assert narrow.answer is EXPRESSIBLE
    assert narrow.certificate.document["model"]["d_head"] == 1
    assert narrow.certificate.to_model().W_Q.shape == (2, 7, 1)


def test_the_order_of_sources_is_beyond_attention_without_positions() -> None:
    task = Task.from_strings(["ABQX", "BAQY"])
    verdict = decide(task, Attention(heads=None, embedding="tokens"))
    assert verdict.answer is INEXPRESSIBLE
    assert "any number of heads" in verdict.certificate.verify().text
    assert "each token equally often" in verdict.certificate.sentence()
    assert decide(task, Attention(heads=1)).answer is EXPRESSIBLE


@given(tasks(soft=False))
def test_what_is_claimed_of_heads_is_proved(task: Task) -> None:
    ladder = climb(task, max_order=5)
    heads = ladder.heads
    if heads.lower is not None and heads.upper is not None:
        assert heads.lower <= heads.upper
    for side, answer in ((heads.below, "inexpressible"), (heads.above, "expressible")):
        if side is not None:
            assert side.certificate.verify().answer == answer
    if ladder.minimal_order is not None:
        assert heads.lower == ladder.minimal_order - 2


@given(tasks(soft=False))
def test_t2_and_t3_make_tables_that_decide(task: Task) -> None:
    """Strict tasks: a head a gram. Skip-trigrams, ties included: one head on a fibre, or for two outputs."""
    for order in (3, 4):
        verdict = decide_ensemble(task, SkipGrams(order))
        if verdict.answer is not EXPRESSIBLE:
            continue
        weights = weights_of(verdict)
        if order == 3 and len(task.fibres()) == 1:
            certify_tables(task, one_head(task, "joint", weights), "T2")
        lengths = {context.length for context in task.contexts}
        if order == 3 and len(task.outputs) == 2 and len(lengths) == 1 and lengths != {0}:
            certify_tables(task, one_head_two_outputs(task, weights), "T2 for two outputs")
        if not any(c.equal for c in task.comparisons()):
            certify_tables(task, head_per_gram(task, weights), "T3")


def test_any_map_of_one_source_is_one_head() -> None:
    """Every map from two destinations × three sources to three outputs that uses them all: 540 = 3! · S(6, 3)."""
    count = 0
    for labels in product("XYZ", repeat=6):
        if set(labels) == set("XYZ"):
            strings = [a + q + y for (a, q), y in zip(product("ABC", "QR"), labels, strict=True)]
            task = Task.from_strings(strings)
            certify_tables(task, one_head_one_source(task), "T2")
            count += 1
    assert count == 540


def test_two_destinations_share_one_head_when_there_are_two_outputs() -> None:
    """XNOR-like bookkeeping across destinations: Q wants the first source, R the second."""
    strings = [a + b + q + (a if q == "Q" else b).upper() for a in "xy" for b in "xy" for q in "QR"]
    ladder = climb(Task.from_strings(strings))
    assert (ladder.minimal_order, ladder.heads.lower, ladder.heads.upper) == (3, 1, 1)


SHARED = Task(
    [("0", "1", "Q"), ("0", "2", "Q"), ("7", "1", "Q"), ("0", "1", "R"), ("0", "2", "R"), ("7", "1", "R")],
    ["X", "Y", Tie(["X", "Y", "Z"]), "Y", "Z", Tie(["X", "Y", "Z"])],
)


def test_ties_over_several_fibres_take_exact_heads() -> None:
    heads = climb(SHARED, search=False).heads
    assert heads.upper is not None
    assert heads.upper_reason == "heads with exactly the logits of the weights (T3)"


def test_constructions_leave_them_open_where_a_destination_is_a_source_and_the_search_does_not() -> None:
    task = Task([*SHARED.contexts, ("0", "1", "Q", "S")], [*SHARED.requirements, [Tie(["X", "Y"])]])
    verdict = decide_heads(task, Attention(heads=1))
    assert verdict.answer is UNDECIDED
    assert verdict.certificate is None
    assert decide(task, Attention(heads=1)).certificate.verify().contexts == 7


@pytest.mark.parametrize(
    "arguments", [{"heads": -1}, {"heads": 1, "d_head": 0}, {"embedding": "rotary"}, {"layers": 2}]
)
def test_classes_that_make_no_sense_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        Attention(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [2, 4])
def test_ties_are_certified_at_the_width_of_the_tables(k: int) -> None:
    """The literal form writes a unit vector for each of K destinations: rank K − 1 up to a shift of all logits (T8)."""
    report = build_report(load_construction(f"ov_incoherent_literal:{k}"), device="cpu")
    assert (report.d_head, report.weights.is_least) == (k - 1, True)
    proof, reason = certify_built(report)
    assert proof is not None, reason
    assert proof.certificate is not None
    assert proof.certificate.document["model"]["d_head"] == k - 1
    assert {head["base"] for head in proof.certificate.document["proof"]["heads"]} == {"2"}
