from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, exact_margins
from expressivity.dsl import Construction, ConstructionError
from expressivity.errors import InputError
from expressivity.task import Task, xor

ORDER = Task([("A", "B", "Q"), ("B", "A", "Q"), ("B", "A", "R")], ["T", "F", "F"], name="order")
"""Two destinations; who comes first matters."""

A, B, C, D, Q, R = ((None, token) for token in "ABCDQR")
one = Fraction(1)


def construction(task: Task = ORDER, **fields: Any) -> Construction:
    return Construction("c", task=task, **fields)


def test_the_tables_of_the_post() -> None:
    made = (
        Construction("two_head_xor", task=xor())
        .head(
            "first is A",
            at="Q",
            scores={"A": -10_000, "B": 10_000, "C": 0, "D": 0, "Q": -10_000},
            writes={"C": "T", "D": "F"},
        )
        .tables()
    )
    big = Fraction(10_000)
    expected = Head({(C, "T"): one, (D, "F"): one}, scores={(Q, A): -big, (Q, B): big, (Q, Q): -big}, name="first is A")
    assert made == HeadTables("tokens", {}, (expected,))


def test_each_call_returns_a_new_construction() -> None:
    empty = construction()
    larger = empty.head("x", writes={"A": "T"}).direct({"Q": "F"})
    assert empty.tables() == HeadTables("tokens")
    assert (len(larger.tables().heads), dict(larger.tables().direct)) == (1, {(Q, "F"): one})
    assert empty.problems() == larger.problems() == ()


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (2, Fraction(2)),
        (Fraction(1, 3), Fraction(1, 3)),
        ("1/3", Fraction(1, 3)),
        ("0.1", Fraction(1, 10)),
        (0.1, Fraction(1, 10)),
        (1e-3, Fraction(1, 1000)),
        (Decimal("0.25"), Fraction(1, 4)),
        ("-2.5e1", Fraction(-25)),
    ],
)
def test_numbers_are_read_exactly(number: Any, value: Fraction) -> None:
    assert construction().direct({"Q": {"T": number}}).tables().direct == {(Q, "T"): value}


@pytest.mark.parametrize(
    ("writes", "embedding"),
    [({"A": "T"}, "tokens"), ({0: "T"}, "additive"), ({"A": "T", 0: "T"}, "additive"), ({(0, "A"): "T"}, "joint")],
)
def test_the_embedding_is_the_narrowest_that_fits(writes: Any, embedding: str) -> None:
    assert construction().head("x", writes=writes).tables().embedding == embedding


def test_a_wider_embedding_may_be_stated() -> None:
    text = {"at": "Q", "odds": {"A": 2}, "writes": {"A": "T"}}
    narrow = construction().head("x", **text).tables()
    for embedding in ("additive", "joint"):
        wide = construction(embedding=embedding).head("x", **text).tables()
        assert wide.embedding == embedding
        assert exact_margins(wide, ORDER) == exact_margins(narrow, ORDER)


def test_keys_that_fit_add_up_and_odds_multiply() -> None:
    # A at 0: scores 1 + 2 + 4, odds 2·3·5; it writes 1 + 1 + 1.
    keys = ("A", 0, (0, "A"))
    scores = construction().head("x", at="Q", base=2, scores=dict(zip(keys, (1, 2, 4), strict=True)))
    assert scores.tables().heads[0].score([(2, "Q")], [(0, "A")]) == 7
    odds = construction().head("x", at="Q", odds=dict(zip(keys, (2, 3, 5), strict=True)))
    assert odds.tables().heads[0].weight([(2, "Q")], [(0, "A")]) == 30
    writes = construction().head("x", writes=dict.fromkeys(keys, "T"))
    assert writes.tables().heads[0].values == {((0, "A"), "T"): 3, ((0, "B"), "T"): 1, ((1, "A"), "T"): 1}


def test_destinations_by_token_position_place_and_several() -> None:
    def met(at: Any) -> set[Any]:
        found = construction(embedding="joint").head("x", at=at, odds={"A": 2}).tables().heads[0].odds or {}
        return {q for q, _ in found}

    assert met("Q") == {(2, "Q")}
    assert met(2) == met(None) == met(["Q", "R"]) == met(("Q", "R")) == met(["Q", 2]) == {(2, "Q"), (2, "R")}
    assert met((2, "R")) == {(2, "R")}


def test_another_table_for_each_destination() -> None:
    made = construction().head("x", odds={"Q": {"A": 2}, "R": {"A": 3, "B": 5}}, writes={"A": "T"}).tables()
    assert made.heads[0].odds == {(Q, A): 2, (R, A): 3, (R, B): 5}


def test_all_destinations_by_default_and_uniform_attention_without_scores() -> None:
    made = construction().head("x", odds={"A": 2}).head("y", writes={"A": "T"}).tables()
    assert made.heads[0].odds == {(Q, A): 2, (R, A): 2}
    assert (made.heads[1].scores, made.heads[1].odds) == ({}, None)


def test_additive_rows_stay_as_written() -> None:
    made = construction().head("x", at="Q", odds={"A": 2, 0: 3}, writes={"A": "T", 1: {"F": 5}}).tables()
    assert made.heads[0].odds == {(Q, A): 2, (Q, (0, None)): 3}
    assert made.heads[0].values == {(A, "T"): 1, ((1, None), "F"): 5}


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_tables_by_place_are_split_in_the_additive_embedding(parts: list[int]) -> None:
    # Scores u(i) + w(x) written out for every place; destinations (2, Q) and (2, R) doubled and tripled for R.
    u, w = dict(zip(range(3), parts[:3], strict=True)), dict(zip("ABQR", [*parts[3:], 0], strict=True))
    table = {
        end: {(i, x): factor * (u[i] + w[x]) for i, x in [(0, "A"), (0, "B"), (1, "A"), (1, "B"), (2, "Q"), (2, "R")]}
        for end, factor in (("Q", 1), ("R", 3))
    }
    made = construction(embedding="additive").head("x", scores=table, writes={"A": "T"}, base=2).tables()
    for end, factor in (("Q", 1), ("R", 3)):
        for i, x in [(0, "A"), (1, "B"), (2, end)]:
            found = made.heads[0].score([(None, end), (2, None)], [(None, x), (i, None)])
            assert found == factor * (u[i] + w[x])


def test_to_model() -> None:
    made = construction().head("x", odds={"A": 2}, writes={"A": "T"})
    assert tuple(made.to_model().W_Q.shape) == (1, made.to_model().d_model, 1)
    assert tuple(made.to_model(d_head=2).W_Q.shape) == (1, made.to_model().d_model, 2)


def reasons(text: Construction) -> tuple[str, ...]:
    with pytest.raises(ConstructionError) as error:
        text.tables()
    assert error.value.reasons == text.problems()
    return error.value.reasons


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"scores": {"a": 1}}, "head 'x', scores: 'a' is no source of the task; did you mean 'A'?"),
        ({"scores": {"Z": 1}}, "head 'x', scores: 'Z' is no source of the task; expected one of A, B, Q, R"),
        ({"scores": {3: 1}}, "head 'x', scores: no source of the task is at position 3"),
        ({"scores": {(2, "A"): 1}}, "head 'x', scores: no source of the task is 'A' at position 2"),
        (
            {"scores": {1.5: 1}},
            "head 'x', scores: 1.5 names no source; expected a token, a position or a (position, token)",
        ),
        ({"scores": {"A": "x"}}, "head 'x', scores of 'A': found \"x\"; expected a number such as 3, 0.9 or 9/10"),
        ({"scores": ["A"]}, "head 'x', scores: found ['A']; expected a table of sources and numbers"),
        (
            {"scores": {"Q": {"A": 1}}, "at": "Q"},
            "head 'x', scores: a table for each destination stands alone, without `at` and without plain numbers",
        ),
        (
            {"at": "A", "scores": {"A": 1}},
            "head 'x', scores, at: 'A' is no destination of the task; expected one of Q, R",
        ),
        ({"at": 1, "scores": {"A": 1}}, "head 'x', scores, at: no destination of the task is at position 1"),
        ({"at": "Q"}, "head 'x', scores: there are none, yet `at` names destinations"),
        ({"scores": {}, "odds": {}}, "head 'x': it has scores and odds; expected one of the two"),
        ({"odds": {"A": 0}}, "head 'x', odds: found 0; expected a positive number"),
        ({"odds": {"A": "-1/2"}}, "head 'x', odds: found -1/2; expected a positive number"),
        ({"odds": {"A": 1}, "base": 2}, "head 'x': odds have no base; leave it out"),
        ({"scores": {"A": 1}, "base": 0}, "head 'x': the base is 0; expected 'e' or a positive number"),
        (
            {"scores": {"A": "1/2"}, "base": 2},
            "head 'x': base 2 needs whole scores, found 1/2; base 'e' takes any",
        ),
        ({"writes": {"C": "T"}}, "head 'x', writes: 'C' is no source of the task; expected one of A, B, Q, R"),
        (
            {"writes": {"A": "t"}},
            "head 'x', writes: 'A' writes 't', which is no output of the task; did you mean 'T'?",
        ),
        ({"writes": {"A": 1}}, "head 'x', writes: 'A' writes 1; expected an output or {output: number}"),
        ({"writes": "T"}, "head 'x', writes: found 'T'; expected a table of sources and outputs"),
    ],
)
def test_one_thing_wrong_with_a_head(head: dict[str, Any], reason: str) -> None:
    found = reasons(construction().head("x", **head))
    assert found == (reason,)
    with pytest.raises(InputError) as error:
        construction().head("x", **head).tables()
    assert str(error.value) == f"construction 'c': {reason}"


def test_nothing_is_no_number() -> None:
    (reason,) = reasons(construction().head("x", writes={"A": {"T": None}}))
    assert reason.startswith("head 'x', writes, 'T' from 'A': found ")


def test_infinite_scores_are_no_numbers() -> None:
    (reason,) = reasons(construction().head("x", scores={"A": float("-inf")}))
    assert reason.startswith("head 'x', scores of 'A': found \"-inf\"")


def test_names_of_heads() -> None:
    assert reasons(construction().head("x").head("x")) == ("head 'x': two heads have this name",)
    assert reasons(construction().head("")) == ("head '': the name is no text",)


def test_the_direct_path_starts_at_destinations() -> None:
    assert reasons(construction().direct({"A": "T"})) == (
        "the direct path: 'A' is no destination of the task; expected one of Q, R",
    )


def test_embeddings_that_cannot_carry_the_keys() -> None:
    assert reasons(construction(embedding="tokens").head("x", writes={0: "T"})) == (
        "the key 0 names a position, which the embedding 'tokens' does not have",
    )
    assert reasons(construction(embedding="sum").head("x")) == (
        "embedding is 'sum'; expected one of joint, additive, tokens",
    )


def test_a_table_that_does_not_add_up_names_two_positions_and_two_tokens() -> None:
    only = {(0, "A"): 1}  # and 0 at (0, B), (1, A), (1, B)
    assert reasons(construction(embedding="additive").head("x", at="Q", scores=only)) == (
        "head 'x': its table of scores from Q@2 is not a position part plus a token part: at positions 0, 1 and tokens "
        "'A', 'B' it has [1 0; 0 0], and 1 + 0 is not 0 + 0; use the joint embedding",
    )
    assert reasons(construction(embedding="additive").head("x", writes={(0, "A"): "T"})) == (
        "head 'x': its table of values, output 'T', is not a position part plus a token part: at positions 0, 1 and "
        "tokens 'A', 'B' it has [1 0; 0 0], and 1 + 0 is not 0 + 0; use the joint embedding",
    )


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = (
        construction()
        .head("x", at="Z", scores={"a": 1, "B": "much"}, odds={"A": -1}, writes={"C": "T", "A": "t"})
        .head("x", base=-1)
        .direct({"A": {"Y": 1}})
    )
    found = reasons(text)
    assert len(found) == 9
    with pytest.raises(InputError) as error:
        text.tables()
    message = str(error.value)
    assert message.startswith("construction 'c': 9 problems: (1) head 'x': it has scores and odds")
    assert "\n" not in message
    assert message.endswith(f"(9) {found[-1]}")


def test_a_construction_needs_a_task() -> None:
    with pytest.raises(InputError) as error:
        Construction("c", task="xor")  # type: ignore[arg-type]
    assert str(error.value) == "construction 'c': the task is 'xor'; expected a Task or a Domain"
