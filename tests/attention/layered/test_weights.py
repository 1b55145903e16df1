from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from expressivity.attention import (
    Direction,
    Head,
    LayeredHead,
    LayeredTables,
    agreement,
    exact_weights,
    layered_enclosed_margins,
    layered_exact_margins,
    layered_weights,
    read_layered,
)
from expressivity.attention.layered.factors import Stream
from expressivity.errors import InputError
from expressivity.task import Task
from tests.attention.random_layered import COPY, OUT, TO_A, TO_B, A, B, as_layered, layered, one
from tests.attention.random_tables import small_tasks, tables


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_tables_survive_their_exact_weights(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(layered(task))
    least = layered_weights(found, task)
    wide = layered_weights(found, task, least.d_head + 40)
    assert wide.to_tables() == found
    try:
        narrow = least.to_tables()
    except InputError:  # see the next test
        reject()
    margins = layered_enclosed_margins(found, task, 128)
    for before, after in zip(margins, layered_enclosed_margins(narrow, task, 128), strict=True):
        assert abs(before.lower - after.lower) < Fraction(1, 10**9)


def test_odds_that_are_rational_only_as_they_stand() -> None:
    # What is carried in halves counts by halves: the narrower table has the odds 2^(1/2).
    t, u = Direction("t", "k"), Direction("u", "k")
    writing = LayeredHead({(A, t): one, (A, u): Fraction(1, 2)})
    reading = LayeredHead({}, odds={(A, B): Fraction(1, 2), (u, A): Fraction(1, 2)}, name="x")
    task = Task([("A", "B")], ["A"], outputs=["B"])
    found = LayeredTables("additive", ((writing,), (reading,)))
    weights = layered_weights(found, task)
    assert weights.d_head == 1
    with pytest.raises(InputError, match="head 'x': its odds, changed to fit the width, are not rational any more"):
        weights.to_tables()
    assert layered_weights(found, task, 2).to_tables() == found


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_whole_tables_survive_float32(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(layered(task, whole=True))
    weights = layered_weights(found, task, 60)  # every table as it stands
    read = read_layered(weights.to_model(torch.float64))
    entries = [value for head in weights.layers for h in head for row in h.entries("W_K") for value in row]
    entries += [value for head in weights.layers for h in head for row in h.entries("W_O") for value in row]
    if all(value.denominator & (value.denominator - 1) == 0 for value in entries):  # the factors are floats
        assert read.direct == found.direct
        for before, after in zip(found.layers, read.layers, strict=True):
            kept = list(before)
            while kept and kept[-1].is_empty:
                kept.pop()
            assert tuple(kept) == after


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_the_least_width_of_one_layer_is_that_of_theorem_t8(data: st.DataObject) -> None:
    # Every token is a destination and a source: the two computations have the same pairs of places.
    task = Task([(x, y) for x in "ABC" for y in "ABC"], ["A"] * 9, outputs=["A", "B"])
    found = data.draw(tables(task, "tokens"))
    one_layer, several = exact_weights(found, task), layered_weights(as_layered(found), task)
    assert several.d_head == one_layer.d_head


def test_the_least_width_uses_what_no_difference_of_logits_sees() -> None:
    # Scores that are equal for all sources have rank 1, but none is needed; the values need 1 of their rank 2.
    scores = {(q, s): Fraction(3) for q in (A, B) for s in (A, B)}
    head = LayeredHead({(A, TO_A): one, (B, TO_B): one}, scores=scores, base=Fraction(2))
    found = LayeredTables("tokens", ((head,),))
    task = Task([("A", "B", "B"), ("B", "A")], ["A", "B"], outputs=["A", "B"])
    weights = layered_weights(found, task)
    assert (weights.d_head, weights.is_least) == (1, True)
    read = weights.to_tables()
    assert read.heads[0].scores == scores  # fits as it stands
    assert read.heads[0].values != head.values
    assert layered_exact_margins(read, task) == layered_exact_margins(found, task) == (Fraction(-1, 3), Fraction(0))


def test_a_match_needs_one_less_than_the_tokens_that_it_tells_apart() -> None:
    # What is copied sums to 1, so a match of three symbols is a table of rank 2 up to a constant per destination.
    tokens, carried = ([Direction(space, x) for x in "ABC"] for space in ("token", "prev"))
    copying = LayeredHead(dict.fromkeys(zip(tokens, carried, strict=True), one))
    matching = LayeredHead({}, scores={(x, y): Fraction(20) for x, y in zip(tokens, carried, strict=True)})
    stream = Stream(LayeredTables("tokens", ((copying,), (matching,))), [(0, x) for x in "ABC"], ("A", "B"))
    assert [stream.forms(0, copying).least, stream.forms(1, matching).least] == [3, 2]


def test_a_width_that_is_too_small() -> None:
    head = LayeredHead(COPY, name="copy")
    found = LayeredTables("tokens", ((head,),))
    task = Task([("A", "B")], ["A"], outputs=["A", "B"])
    for d_head, message in (
        (0, "d_head is 0; expected at least 1"),
        (1, "d_head 1 is too small: head 'copy' in layer 0 needs 2, the rank of its table of values (token × prev)"),
    ):
        with pytest.raises(InputError) as error:
            layered_weights(found, task, d_head)
        assert str(error.value) == message


def test_a_token_that_no_context_has() -> None:
    found = LayeredTables("tokens", ((LayeredHead({(Direction("token", "C"), TO_A): one}),),))
    with pytest.raises(InputError) as error:
        layered_weights(found, Task([("A", "B")], ["A"], outputs=["A", "B"]))
    assert str(error.value) == "the tables name 'token:C', which no context of the task has"


def test_names_and_shapes_of_the_weights() -> None:
    found = LayeredTables("additive", ((LayeredHead(COPY), LayeredHead()), (LayeredHead(OUT),)))
    weights = layered_weights(found, Task([("A", "B")], ["A"], outputs=["A", "B"]))
    names = ("token:A", "token:B", "position:0", "position:1", "prev:A", "prev:B", "→A", "→B")
    assert weights.basis == names
    model = weights.to_model()
    assert model.basis == names
    assert [tuple(block.W_Q.shape) for block in model.blocks] == [(2, 8, 2)] * 2  # type: ignore[union-attr]
    assert read_layered(model) == LayeredTables("additive", ((LayeredHead(COPY),), (LayeredHead(OUT),)))


def test_agreement_of_the_three_evaluations() -> None:
    found = LayeredTables("tokens", ((LayeredHead(COPY),), (LayeredHead(OUT),)))
    task = Task([("A", "B"), ("B", "A", "A")], ["A", "A"], outputs=["A", "B"])
    three = agreement(found, task, layered_weights(found, task).to_model(), device="cpu")
    assert three.exact == layered_exact_margins(found, task)
    assert three.largest_difference < 1e-6
    assert three.contexts_right == three.contexts_right_in_float == 1  # B A A: A has 1 + 1/2 + 2/3 less than … of B


def test_models_that_cannot_be_read() -> None:
    found = LayeredTables("tokens", ((LayeredHead(COPY),), (LayeredHead(OUT),)))
    weights = layered_weights(found, Task([("A", "B")], ["A"], outputs=["A", "B"]))

    def message(name: str, at: tuple[int, ...], value: float) -> str:
        model = weights.to_model()
        model.get_parameter(name).data[at] = value
        with pytest.raises(InputError) as error:
            read_layered(model)
        return str(error.value)

    assert message("W_E", (0, 3), 1.0) == "W_E: its rows are not the directions that are named for them in the basis"
    assert message("W_pos", (1, 3), 1.0).startswith("W_pos: its rows are not")
    assert message("W_U", (4, 1), 1.0) == "W_U: the direction →A does not lead to the output 'A' alone"
    assert message("blocks.1.W_V", (0, 0, 0), float("nan")) == (
        "W_V of layer 1 has a weight that is not a finite number"
    )
    model = weights.to_model()
    model.basis = ()
    with pytest.raises(InputError, match="the model's residual directions have no names"):
        read_layered(model)


def test_head_is_for_one_layer() -> None:
    assert Head().scores == LayeredHead().scores == {}
