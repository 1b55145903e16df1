from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from expressivity.attention import (
    Direction,
    LayeredHead,
    LayeredTables,
)
from expressivity.attention.layered.tables import directions_of
from expressivity.errors import InputError
from tests.attention.random_layered import PREV_A, TO_A, A, B, one


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (Direction("token", "A:B@3"), "token:A:B@3"),
        (Direction("position", 12), "position:12"),
        (Direction("place", (3, "x@y")), "place:x@y@3"),
        (Direction("prev", "3"), "prev:3"),
        (Direction("→", "→:"), "→→:"),
    ],
)
def test_names_of_directions(found: Direction, name: str) -> None:
    assert str(found) == name
    assert Direction.parse(name) == found


@pytest.mark.parametrize("name", ["A", ":A", "position:x", "place:A", ""])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(InputError) as error:
        Direction.parse(name)
    assert str(error.value) == f"the residual direction {name!r} has no name such as token:A, position:3 or →T"


def test_what_the_embedding_writes() -> None:
    assert directions_of("tokens", (2, "A")) == (A,)
    assert directions_of("additive", (2, "A")) == (A, Direction("position", 2))
    assert directions_of("joint", (2, "A")) == (Direction("place", (2, "A")),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the tables have no layer; expected at least one"),
        (
            (LayeredHead({(Direction("position", 0), TO_A): one}, name="x"),),
            "head 'x': the tokens embedding has no 'position:0'",
        ),
        (
            (LayeredHead({(TO_A, PREV_A): one}, name="x"),),
            "head 'x' reads '→A'; heads read tokens, positions and subspaces",
        ),
        (
            (LayeredHead({}, scores={(A, TO_A): one}, name="x"),),
            "head 'x' reads '→A'; heads read tokens, positions and subspaces",
        ),
        ((LayeredHead({(A, B): one}, name="x"),), "head 'x' writes into 'token:B', which the embedding writes"),
    ],
)
def test_tables_that_cannot_be(arguments: tuple[LayeredHead, ...], message: str) -> None:
    with pytest.raises(InputError) as error:
        LayeredTables("tokens", (arguments,) if arguments else ())
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scores": {}, "odds": {}}, "head 'x' has odds and scores; expected one of the two"),
        ({"base": Fraction(0)}, "head 'x' has the base 0; expected 'e' or a positive number"),
        (
            {"odds": {(A, B): Fraction(0)}},
            "head 'x' has the odds 0 at destination 'token:A', source 'token:B'; expected a positive number",
        ),
    ],
)
def test_heads_that_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        LayeredHead(name="x", **fields)
    assert str(error.value) == message
