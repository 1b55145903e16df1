"""No certificate is accepted, however it is changed, unless what it then states is true."""

from __future__ import annotations

import json
from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from expressivity.certificate import parse
from expressivity.errors import Refuted
from expressivity.verify import Statement, verify
from tests.verify.breaks import place
from tests.verify.by_hand import CERTIFICATES, EVERY, XOR, Json, sealed
from tests.verify.oracle import is_true

NAMES = sorted(CERTIFICATES)
EVERYWHERE = [{"positions": [0, 1], "kinds": [["A"], ["B"]]}]
ALL_A = {"tokens": [*"AAAABAAAQ"], "requirements": [{"tie": ["F", "T"]}], "weight": "1"}
KEYS = ["format", "kind", "model", "task", "proof", "tokens", "weight", "order", "positions", "logits", "odds", "base"]
WORDS = [*"ABCDEFGQRT", "", "e", "absolute", "anywhere", "count", "joint", "additive", *KEYS]
NUMBERS = ["0", "1", "-1", "2", "-2", "3", "1/2", "-1/2", "1/3", "3/2", "-10000", "2/4", "-0", "1/1000000007", "1e3"]
LEAVES = st.sampled_from([*WORDS, *NUMBERS, *range(7), True, False, None]) | st.builds(list) | st.builds(dict)
JSON = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(WORDS), below, max_size=4)
)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything inside a document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in pairs for found in [(*path, key), *nodes(item, (*path, key))]]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@st.composite
def mutated(draw: st.DrawFn, names: list[str]) -> Json:
    """A valid certificate with one to three changes at random places, hashed anew."""
    document = deepcopy(CERTIFICATES[draw(st.sampled_from(names))])
    del document["hash"]
    for _ in range(draw(st.integers(1, 3))):
        *above, key = draw(st.sampled_from(nodes(document)))
        parent, value = at(document, tuple(above)), at(document, (*above, key))
        match draw(st.sampled_from([*["alike"] * 6, "replace", "delete", "double", "swap", "copy", "cross"])):
            case "alike" if isinstance(value, bool | int):
                parent[key] = draw(st.sampled_from([not value, 0, 1, 2, 3, 4, None]))
            case "alike" if isinstance(value, str) and value.lstrip("-").replace("/", "").isdecimal():
                factor = draw(st.fractions(-2, 2, max_denominator=3) | st.just(1 + Fraction(1, 10**9)))
                parent[key] = str(Fraction(value) * factor)
            case "alike" if isinstance(value, str):
                parent[key] = draw(st.sampled_from(WORDS[:16]))
            case "alike" if isinstance(value, list) and value:
                parent[key] = draw(st.permutations(value))
            case "replace":
                parent[key] = draw(LEAVES)
            case "delete":
                del parent[key]
            case "double" if isinstance(parent, list):
                parent.insert(key, deepcopy(value))
            case "double":
                parent[draw(st.sampled_from(WORDS))] = deepcopy(value)
            case "swap" if isinstance(parent, list):
                other = draw(st.integers(0, len(parent) - 1))
                parent[key], parent[other] = parent[other], parent[key]
            case "copy":
                parent[key] = deepcopy(at(document, draw(st.sampled_from(nodes(document)))))
            case _:
                other_one = CERTIFICATES[draw(st.sampled_from(names))]
                parent[key] = deepcopy(at(other_one, draw(st.sampled_from(nodes(other_one)))))
    return sealed(document)


def judged(document: Json) -> Statement | None:
    """The statement if it is accepted; nothing but ``Refuted`` may be raised."""
    try:
        return verify(document)
    except Refuted as refusal:
        event(refusal.step)
        return None


@pytest.mark.parametrize(
    "kind", ["obstruction", "weights", "heads", "symmetry", "entropy", "logits", "contexts", "features", "margin"]
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_accepted_is_true(kind: str, data: st.DataObject) -> None:
    document = data.draw(mutated([name for name in NAMES if name.startswith(kind)]))
    if judged(document):
        event("accepted")
        assert is_true(document)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(mutated([name for name in NAMES if name.startswith("block")]))
def test_what_is_accepted_of_large_ones_is_true(document: Json) -> None:
    if judged(document):
        assert is_true(document)


@settings(max_examples=400)
@given(mutated(NAMES))
def test_kinds_may_be_mixed(document: Json) -> None:
    if judged(document):
        assert is_true(document)


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_agrees_with_every_certificate(name: str) -> None:
    assert is_true(CERTIFICATES[name])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("obstruction/xor", {"task.contexts.0.weight": "7/2"}),
        ("obstruction/xor", {"model.order": 2, "proof.irreducible": False}),
        ("obstruction/xor", {f"proof.multipliers.{i}.multiplier": "1/3" for i in range(4)}),
        ("obstruction/xor-bigram", {"task.contexts": XOR["contexts"]}),
        ("obstruction/one-head", {"model.heads": 0, "proof.irreducible": False}),
        ("obstruction/one-head", {"model.d_head": 4}),
        ("weights/xor", {"model.order": 999_999_999}),
        ("weights/xor", {"proof.weights.1.logits.T": "1000000001/1000000000"}),
        ("heads/base-2", {"proof.heads.0.scores.0.2": "-2"}),
        ("symmetry/majority", {"proof.symmetries.0.blocks.0.kinds.2": ["C"]}),
        ("symmetry/majority", {"proof.symmetries.0.blocks.0.kinds": [["A", "a"], ["B"], ["b"]]}),
        ("symmetry/positions", {"proof.symmetries.0.blocks.2": {"positions": [], "kinds": [["E"]]}}),
        ("symmetry/none", {"proof.symmetries.3": {"destination": "Q", "length": 2, "blocks": EVERYWHERE}}),
        ("entropy/xor", {"proof.lower": "0"}),
        ("entropy/xor", {"proof.upper": "1"}),
        ("contexts/xor", {"proof.least": 3}),
        ("contexts/xor", {"proof.separators.4": []}),
        ("contexts/groups", {"task.contexts.5.tokens.0": "C"}),
        ("features/xor", {"proof.least": 1, "proof.combinations": [EVERY["multipliers"]]}),
        ("features/tie", {"proof.combinations.0.1.multiplier": "1"}),
        ("margin/xor", {"proof.margin": "1000000000"}),
        ("margin/xor", {"model.order": 3, "proof.margin": "0"}),
        ("block/selector", {"model.heads": 1}),
        ("block/selector", {"model.embedding": "tokens", "model.d_head": 3}),
        ("block/selector", {"task.contexts.5.weight": "2"}),
        ("block/selector", {"task.contexts.0.requirements.1": {"top": ["F", "T"]}}),
        ("block/selector", {"task.contexts.128": ALL_A}),
        ("block/nine-bits", {"model.embedding": "joint"}),
    ],
)
def test_changes_that_leave_it_true_are_accepted(name: str, changes: dict[str, Any]) -> None:
    document = deepcopy(CERTIFICATES[name])
    for path, value in changes.items():
        place(document, path, value)
    assert is_true(document)
    verify(sealed(document))


@settings(max_examples=300)
@given(st.sampled_from(NAMES), st.sampled_from(["model", "task", "proof"]), JSON)
def test_any_json_in_place_of_a_part_is_refused_or_harmless(name: str, part: str, value: Any) -> None:
    document = sealed({**CERTIFICATES[name], part: value})
    if judged(document):
        assert is_true(document)


@settings(max_examples=300)
@given(st.sampled_from(NAMES), st.data())
def test_damaged_bytes_are_refused_or_say_the_same(name: str, data: st.DataObject) -> None:
    original = json.dumps(CERTIFICATES[name], ensure_ascii=False).encode()
    start = data.draw(st.integers(0, len(original)))
    stop = data.draw(st.integers(start, min(start + 6, len(original))))
    damaged = original[:start] + data.draw(st.binary(max_size=4)) + original[stop:]
    try:
        assert parse(damaged) == CERTIFICATES[name]
    except Refuted:
        event("refused")
