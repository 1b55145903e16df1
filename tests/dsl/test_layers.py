"""Heads in several layers: subspaces, compositions, and everything that can be wrong with them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch

from expressivity.attention import (
    Direction,
    LayeredHead,
    LayeredTables,
    layered_enclosed_margins,
    layered_exact_margins,
    read_layered,
)
from expressivity.dsl import Construction, ConstructionError, Proof, copy, match, offset, previous
from expressivity.errors import InputError
from expressivity.task import Task

TASK = Task([("A", "B", "A"), ("B", "A")], ["B", "A"], name="words")
A, B = Direction("token", "A"), Direction("token", "B")
FIRST = {"scores": {previous: 9}, "writes_to": "prev"}
one = Fraction(1)


def construction(**fields: Any) -> Construction:
    return Construction("c", task=TASK, **fields)


def direction(space: str, *symbols: Any) -> list[Direction]:
    return [Direction(space, symbol) for symbol in symbols]


def test_the_induction_head_as_tables() -> None:
    made = construction().head("first", **FIRST)
    made = made.head("second", layer=1, reads_keys="prev", scores={match: 5, 0: -3}, writes=copy)
    prev, out, at = direction("prev", "A", "B"), direction("→", "A", "B"), direction("position", 0, 1, 2)
    first = LayeredHead(
        {(A, prev[0]): one, (B, prev[1]): one}, scores=dict.fromkeys([(at[1], at[0]), (at[2], at[1])], 9)
    )
    scores = {(A, prev[0]): 5, (B, prev[1]): 5, (A, at[0]): -3, (B, at[0]): -3}
    second = LayeredHead({(A, out[0]): one, (B, out[1]): one}, scores=scores)
    assert made.layered() == LayeredTables("additive", ((first,), (second,)))
    assert (made.n_layers, made.is_layered, made.problems()) == (2, True, ())


def test_query_and_value_composition_as_tables() -> None:
    made = (
        construction(embedding="tokens")
        .head("kinds", writes={"A": "vowel", "B": {"consonant": 2}}, writes_to="kind")
        .head(
            "second",
            layer=1,
            reads_queries="kind",
            reads_values="kind",
            odds={"vowel": {"A": 3}, "consonant": {"A": 2, "B": 5}},
            writes={"vowel": "A"},
        )
    )
    vowel, consonant = direction("kind", "vowel", "consonant")
    kinds = LayeredHead({(A, vowel): one, (B, consonant): Fraction(2)})
    second = LayeredHead(
        {(vowel, Direction("→", "A")): one}, odds={(vowel, A): 3, (consonant, A): 2, (consonant, B): 5}
    )
    assert made.layered() == LayeredTables("tokens", ((kinds,), (second,)))


def test_symbols_are_copied_from_subspace_to_subspace() -> None:
    made = (
        construction().head("x", **FIRST).head("y", layer=1, reads_values="prev", scores={previous: 9}, writes_to="two")
    )
    made = made.head("z", layer=2, reads_values="two", writes=copy)
    values = [head.values for head in made.layered().heads]
    prev, two, out = (direction(space, "A", "B") for space in ("prev", "two", "→"))
    assert values[1] == {(prev[0], two[0]): 1, (prev[1], two[1]): 1}
    assert values[2] == {(two[0], out[0]): 1, (two[1], out[1]): 1}


def test_the_joint_embedding_has_a_direction_for_each_place() -> None:
    made = construction(embedding="joint").head("x", scores={previous: 9}, at="A", writes={"A": "s"}, writes_to="u")
    made = made.head("y", layer=1, reads_keys="u", scores={"s": 2, (0, "B"): 1}, at=2, writes={1: "A"}).direct(
        {"A": "B"}
    )
    tables = made.layered()
    places = {(i, x): Direction("place", (i, x)) for i, x in [(0, "A"), (0, "B"), (1, "A"), (1, "B"), (2, "A")]}
    symbol = Direction("u", "s")
    first, second = tables.heads
    assert first.values == {(places[i, "A"], symbol): 1 for i in (0, 1, 2)}
    assert first.scores == {
        (places[1, "A"], places[0, "A"]): 9,
        (places[1, "A"], places[0, "B"]): 9,
        (places[2, "A"], places[1, "A"]): 9,
        (places[2, "A"], places[1, "B"]): 9,
    }
    assert second.scores == {(places[2, "A"], symbol): 2, (places[2, "A"], places[0, "B"]): 1}
    assert second.values == {(places[1, x], Direction("→", "A")): 1 for x in "AB"}
    assert tables.direct == {(places[i, "A"], "B"): 1 for i in (1, 2, 0)}


def test_a_table_by_places_is_split_in_the_additive_embedding() -> None:
    # 2 for A plus 10 at position 1, written out for every place.
    table = {(i, x): 10 * (i == 1) + 2 * (x == "A") for i, x in [(0, "A"), (0, "B"), (1, "A"), (1, "B"), (2, "A")]}
    written = {(i, x): {"A": value} for (i, x), value in table.items()}
    made = (
        construction(embedding="additive").head("x", scores=table, writes_to="prev").head("y", layer=1, writes=written)
    )
    first, second = made.layered().heads
    for (i, x), value in table.items():
        carried = Direction("token", x), Direction("position", i)
        for end in (A, B):
            assert sum((first.scores or {}).get((end, s), 0) for s in carried) == value
        assert sum(second.values.get((s, Direction("→", "A")), 0) for s in carried) == value


def test_a_single_layer_can_be_had_over_directions_too() -> None:
    made = construction().head("x", odds={"A": 2}, writes=copy).direct({"A": "B"})
    assert made.is_layered is False
    assert made.tables().heads[0].odds == {((None, "A"), (None, "A")): 2}
    assert made.layered() == LayeredTables(
        "tokens",
        ((LayeredHead({(A, Direction("→", "A")): 1, (B, Direction("→", "B")): 1}, odds={(A, A): 2, (B, A): 2}),),),
        {(A, "B"): one},
    )


def test_weights_and_back() -> None:
    made = construction().head("x", **FIRST)
    made = made.head("y", layer=1, reads_keys="prev", scores={match: 5, 0: -3}, writes=copy)
    assert read_layered(made.to_model()) == made.layered_weights().to_tables() == made.layered()
    assert made.to_model(dtype=torch.float64, d_head=7).W_E.dtype == torch.float64
    with pytest.raises(InputError) as error:
        made.to_model(d_head=1)
    assert str(error.value) == (
        "d_head 1 is too small: head 'x' in layer 0 needs 2, the rank of its table of values (token × prev)"
    )


def test_what_is_exact() -> None:
    # Two steps back by odds 4 and 4 on A B A: the destination reads 1 with 4/6, 0 and 2 with 1/6 each.
    made = construction().head("x", odds={previous: 4}, writes_to="prev")
    made = made.head("y", layer=1, odds={previous: 4}, reads_values="prev", writes=copy)
    # prev at 0: A; at 1: 4/5 A, 1/5 B; at 2: 4/6 B, 2/6 A.  A: 1/6 + 4/6·4/5 + 1/6·2/6 = 34/45, B: 11/45.
    # B A: prev at 0: B; at 1: 4/5 B, 1/5 A.  A: 1/5·1/5 = 1/25.
    assert layered_exact_margins(made.layered(), TASK) == (Fraction(-23, 45), Fraction(-23, 25))


def test_a_layered_construction_has_no_tables_of_one_layer() -> None:
    one_layer = construction().head("x", **FIRST)
    for made, found in ((one_layer, "it uses subspaces"), (one_layer.head("y", layer=1), "it has 2 layers")):
        for asked in (made.tables, made.weights):
            with pytest.raises(ConstructionError) as error:
                asked()
            assert error.value.reasons == (f"{found}; expected one layer without subspaces (see layered())",)


def test_a_proof_is_carried_along() -> None:
    (interval, *_) = layered_enclosed_margins(construction().head("x", writes=copy).layered(), TASK)
    proof = Proof("does it", 2, 1, interval, "everywhere", TASK.contexts[0])
    made = construction().proved_by(lambda: proof)
    assert made.head("x", writes=copy).proof() is proof
    assert construction().proof() is None
    assert made == construction()


# ------------------------------------------------------------------------------------------------ what is wrong


def reasons(text: Construction) -> tuple[str, ...]:
    with pytest.raises(ConstructionError) as error:
        text.layered()
    assert error.value.reasons == text.problems()
    return error.value.reasons


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (
            {"layer": 1, "reads_keys": "prv", "scores": {"A": 1}},
            "head 'x' in layer 1, reads_keys: no head writes into 'prv'; did you mean 'prev'?",
        ),
        (
            {"layer": 1, "reads_values": "kind", "writes": copy},
            "head 'x' in layer 1, reads_values: no head writes into 'kind'; the subspaces are: prev",
        ),
        (
            {"reads_keys": "prev", "scores": {"A": 1}},
            "head 'x' in layer 0, reads_keys: 'prev' is written by head 'first' in layer 0; expected the reader "
            "in layer 1 "
            "or above",
        ),
        (
            {"layer": 1, "writes_to": "prev", "writes": {"A": "A"}},
            "head 'x' in layer 1 writes 'A' into 'prev', as head 'first' in layer 0 does; choose another "
            "subspace, or say "
            "adds=True if the two are to be summed",
        ),
        (
            {"layer": 1, "writes_to": "prev"},
            "head 'x' in layer 1 writes 'A' and 1 more into 'prev', as head 'first' in layer 0 does; choose another "
            "subspace, or say adds=True if the two are to be summed",
        ),
        (
            {"layer": 1, "reads_keys": "prev", "scores": {"a": 1}},
            "head 'x' in layer 1, scores: 'a' is no symbol of 'prev'; did you mean 'A'?",
        ),
        (
            {"layer": 1, "reads_queries": "prev", "at": "C", "scores": {"A": 1}},
            "head 'x' in layer 1, scores, at: 'C' is no symbol of 'prev'; expected one of A, B",
        ),
        (
            {"layer": 1, "scores": {"C": 1}},
            "head 'x' in layer 1, scores: 'C' is no source of the task; expected one of A, B",
        ),
        ({"layer": 2}, "no head is in layer 1, but head 'x' in layer 2"),
        ({"layer": -1}, "head 'x': the layer is -1; expected 0, 1, 2, …"),
        ({"layer": "1"}, "head 'x': the layer is '1'; expected 0, 1, 2, …"),
        ({"adds": True}, "head 'x' in layer 0: adds is for a subspace, with writes_to; outputs add up as they are"),
        (
            {"writes_to": "token"},
            "head 'x' in layer 0, writes_to: 'token' is written by the embedding; choose another name",
        ),
        (
            {"writes_to": "a:b"},
            "head 'x' in layer 0, writes_to: found 'a:b'; expected a name without ':', such as 'prev'",
        ),
        (
            {"writes_to": "u", "writes": {"A": 1}},
            "head 'x' in layer 0, writes: 'A' writes 1; expected a symbol or {symbol: number}",
        ),
        (
            {"writes_to": "u", "writes": {"A": {1: 1}}},
            "head 'x' in layer 0, writes: 'A' writes 1 into 'u'; expected a symbol, a text",
        ),
        (
            {"layer": 1, "writes": {"A": "C"}},
            "head 'x' in layer 1, writes: 'A' writes 'C', which is no output of the task; expected one of A, B",
        ),
        (
            {"layer": 1, "at": ["A", 2], "scores": {"A": 1}},
            "head 'x' in layer 1: its table of scores: `at` mixes tokens, positions and places; expected one "
            "kind in the "
            "additive embedding",
        ),
        (
            {"layer": 1, "scores": {previous: 1}, "at": "A", "embedding": "additive"},
            "head 'x' in layer 1: its table of scores to 'position:0' is not a position part plus a token part: "
            "at positions "
            "0, 1 and tokens 'A', 'B' it has [0 0; 1 0], and 0 + 0 is not 0 + 1; use the joint embedding",
        ),
    ],
)
def test_one_thing_wrong(head: dict[str, Any], reason: str) -> None:
    text = construction(embedding=head.pop("embedding", None)).head("first", **FIRST).head("x", **head)
    assert reasons(text) == (reason,)


def test_two_heads_may_be_said_to_add() -> None:
    made = construction().head("x", **FIRST).head("y", writes_to="prev", adds=True)
    assert made.problems() == ()
    assert made.head("z", layer=1, reads_keys="prev", scores={match: 1}).problems() == ()


def test_a_subspace_is_read_only_above_all_that_write_it() -> None:
    made = construction().head("x", **FIRST).head("y", layer=1, writes_to="prev", adds=True)
    assert reasons(made.head("z", layer=1, reads_keys="prev", scores={match: 1})) == (
        "head 'z' in layer 1, reads_keys: 'prev' is written by head 'y' in layer 1; expected the reader in "
        "layer 2 or above",
    )


def test_nothing_in_common() -> None:
    made = construction().head("x", writes={"A": "vowel"}, writes_to="kind")
    assert reasons(made.head("y", layer=1, reads_keys="kind", scores={match: 1})) == (
        "head 'y' in layer 1, scores: match finds no symbol that destinations and sources have in common",
    )
    assert reasons(made.head("y", layer=1, reads_values="kind", writes=copy)) == (
        "head 'y' in layer 1, writes: copy finds no source that is an output of the task",
    )


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = (
        construction()
        .head("x", scores={offset(-5): 1, "C": 2}, writes_to="prev")
        .head("x", layer=2, reads_keys="next", scores={"A": "much"}, writes={"A": "C"})
        .head("y", layer=2, writes_to="prev", reads_values="prev")
        .direct({"C": "A"})
    )
    found = reasons(text)
    assert found == (
        "no head is in layer 1, but head 'x' in layer 2",
        "head 'x' in layer 0, scores: no source of the task stands 5 before a destination",
        "head 'x' in layer 0, scores: 'C' is no source of the task; expected one of A, B",
        "head 'x' in layer 2: two heads have this name",
        "head 'x' in layer 2, reads_keys: no head writes into 'next'; the subspaces are: prev",
        "head 'x' in layer 2, scores of 'A': found \"much\"; expected a number such as 3, 0.9 or 9/10",
        "head 'x' in layer 2, writes: 'A' writes 'C', which is no output of the task; expected one of A, B",
        "head 'y' in layer 2, reads_values: 'prev' is written by head 'y' in layer 2; expected the reader in "
        "layer 3 or above",
        "head 'y' in layer 2 writes 'A' and 1 more into 'prev', as head 'x' in layer 0 does; choose another "
        "subspace, or "
        "say adds=True if the two are to be summed",
        "the direct path: 'C' is no destination of the task; expected one of A",
    )
    with pytest.raises(InputError, match=r"^construction 'c': 10 problems: \(1\) no head is in layer 1"):
        text.to_model()
