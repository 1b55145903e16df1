"""Files made to be slow, large or odd are refused, and soon."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from math import comb
from typing import Any

import pytest

from expressivity.certificate import content_hash, parse, rational_text
from expressivity.errors import Refuted
from expressivity.verify import verify
from tests.verify.breaks import place
from tests.verify.by_hand import (
    CERTIFICATES,
    Q2,
    Json,
    alike,
    cancels,
    certificate,
    chances,
    grams,
    heads,
    sealed,
    symmetric,
    tables,
    task,
    weight,
)

SOON = 2.0  # seconds of this process


@contextmanager
def soon() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SOON


def changed(name: str, **changes: Any) -> Json:
    document = deepcopy(CERTIFICATES[name])
    for path, value in changes.items():
        place(document, path.replace("__", "."), value)
    return sealed(document)


def long_number(digits: int, seed: int) -> str:
    """Odd and random: two of them have next to no common factor."""
    return rational_text(random.Random(seed).randrange(10 ** (digits - 1), 10**digits) | 1)


LONG = "1" + "0" * 1_000_000
HEAD = '{"format": "expressivity certificate", "version": 1, "proof": '

FILES = {
    "empty": b"",
    "blank": b" \n" * 100_000,
    "zeros": b"\0" * 1_000_000,
    "noise": random.Random(0).randbytes(1_000_000),
    "null": b"null",
    "number": b"1",
    "string": b'"expressivity certificate"',
    "million-digit-integer": (HEAD + LONG + "}").encode(),
    "million-digit-float": (HEAD + LONG + ".5}").encode(),
    "exponent": (HEAD + "1e999999999}").encode(),
    "lists-in-lists": (HEAD + "[" * 100_000 + "]" * 100_000 + "}").encode(),
    "objects-in-objects": (HEAD + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}").encode(),
    "lists-never-closed": b"[" * 1_000_000,
    "surrogate": (HEAD + r'"\ud800"}').encode(),
    "surrogate-as-key": (HEAD + r'{"\udfff": 1}}').encode(),
    "surrogate-in-utf-8": HEAD.encode() + b'"\xed\xa0\x80"}',
    "overlong-utf-8": HEAD.encode() + b'"\xc0\xaf"}',
    "key-twice-among-many": (HEAD + "{" + ", ".join(f'"k{i}": 1' for i in range(100_000)) + ', "k99999": 2}}').encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_is_refused_on_reading(name: str) -> None:
    with soon(), pytest.raises(Refuted) as refusal:
        parse(FILES[name])
    assert refusal.value.step == "reading"
    assert len(str(refusal.value)) < 400


HUGE = 999_999_999  # the largest integer of the format
SQUARES = task({"".join(bits) + "Q": "T" for bits in ["A" * n + "B" * (30 - n) for n in range(30)]})
OUTPUTS = [f"y{i}" for i in range(20_000)]
MANY = {
    "outputs": OUTPUTS,
    "contexts": [
        {"tokens": ["A", "Q"], "requirements": [{"top": OUTPUTS[:10_000]}], "weight": "1"},
        {"tokens": ["B", "Q"], "requirements": [{"tie": OUTPUTS[:10_000]}], "weight": "1"},
    ],
}
ONE_OF_EACH = [{"context": i, "pair": ["T", "F"], "multiplier": "1"} for i in range(4000)]
EITHER = [{"tokens": ["A", f"q{i}"], "requirements": [{"tie": ["F", "T"]}], "weight": "1"} for i in range(4000)]

SLOW = {
    "multiplier-of-a-million-digits": (
        "rational",
        lambda: changed("obstruction/xor", proof__multipliers__0__multiplier=LONG),
    ),
    "denominator-of-a-million-digits": (
        "rational",
        lambda: changed("weights/xor", task__contexts__0__weight="1/" + LONG),
    ),
    "order-of-an-obstruction": ("cancellation", lambda: changed("obstruction/xor", model__order=HUGE)),
    "order-of-counts": ("size", lambda: changed("obstruction/count-lengths", model__order=HUGE)),
    "order-of-counts-less": ("size", lambda: changed("obstruction/count-lengths", model__order=1_000_000)),
    "order-of-presence": ("cancellation", lambda: changed("obstruction/xor-anywhere", model__order=HUGE)),
    "order-of-an-entropy": ("moments", lambda: changed("entropy/xor", model__order=HUGE)),
    "heads-of-an-obstruction": ("cancellation", lambda: changed("obstruction/one-head", model__heads=HUGE)),
    "heads-of-counts": ("size", lambda: changed("obstruction/one-head-tokens", model__heads=HUGE)),
    "subsets-of-long-contexts": (
        "size",
        lambda: certificate("obstruction", grams(15), SQUARES, cancels(*((n, "TF", "1") for n in range(30)))),
    ),
    "pairs-in-one-long-context": (
        "size",
        lambda: certificate(
            "obstruction",
            grams(4),
            task({"A" * 100_000: [{"top": ["F"]}, {"tie": ["F", "T"]}]}),
            cancels((0, "FT", "1"), (0, "TF", "1")),
        ),
    ),
    "powers-of-a-count": (
        "size",
        lambda: changed(
            "weights/count",
            model__order=HUGE,
            proof__weights__0__sources=["A"] * 300_000,
            task__contexts__0__tokens=["A"] * 1000 + ["Q"],
        ),
    ),
    "thousands-above-thousands": ("margin", lambda: certificate("separating_weights", grams(3), MANY, {"weights": []})),
    "power-of-2": ("size", lambda: changed("heads/base-2", proof__heads__0__scores__0__2=str(-(10**9)))),
    "power-out-of-this-world": (
        "size",
        lambda: changed("heads/base-2", proof__heads__0__scores__0__2="1" + "0" * 19_999),
    ),
    "power-of-a-long-base": (
        "size",
        lambda: changed(
            "heads/base-2",
            proof__heads__0__base=f"{long_number(9000, 1)}/{long_number(9001, 2)}",
            proof__heads__0__scores__0__2="-300",
        ),
    ),
    "power-of-nearly-1": (
        "size",
        lambda: changed(
            "heads/base-2",
            proof__heads__0__base="1000001/1000000",
            proof__heads__0__scores__0__2="1000000",
        ),
    ),
    "long-denominators": (
        "size",
        lambda: changed(
            "weights/xor",
            proof__weights=[
                {
                    "destination": "Q",
                    "length": 2,
                    "sources": [[0, f"x{i}"]],
                    "logits": {"T": f"1/{long_number(9000, i)}"},
                }
                for i in range(100)
            ],
        ),
    ),
    "many-denominators": (
        "size",
        lambda: changed(
            "weights/xor",
            task__contexts=[
                {"tokens": [f"x{i}"], "requirements": [{"top": ["T"]}], "weight": f"1/{i}"} for i in range(3, 60_000, 2)
            ],
        ),
    ),
    "denominators-of-chances": (
        "size",
        lambda: certificate(
            "cross_entropy_bound",
            grams(2),
            task({"AQ": chances(**{f"y{i}": f"1/{long_number(50, i)}" for i in range(5000)})}),
            {"lower": "0", "conditional": [{}], "upper": None, "weights": None},
        ),
    ),
    "odds-without-end": (
        "size",
        lambda: changed(
            "heads/odds",
            proof__heads=[
                {"odds": [[Q2, [0, "A"], long_number(18_000, i)], [Q2, Q2, long_number(18_001, i)]], "values": []}
                for i in range(20)
            ],
            model__heads=20,
        ),
    ),
    "width-of-a-dense-table": (
        "width",
        lambda: certificate(
            "head_tables",
            heads(1, d_head=19),
            task({"AQ": "T"}),
            tables(
                {
                    "scores": [[[i, "Q"], [j, "A"], long_number(99, 20 * i + j)] for i in range(20) for j in range(20)],
                    "base": "e",
                    "values": [],
                }
            ),
        ),
    ),
    "places-by-the-million": (
        "size",
        lambda: changed(
            "symmetry/majority",
            proof__symmetries__0__blocks__0={
                "positions": list(range(10_000)),
                "kinds": [[f"t{i}" for i in range(10_000)]],
            },
        ),
    ),
    "places-of-long-numbers": (
        "size",
        lambda: changed(
            "symmetry/majority",
            model__d_head=None,
            proof__heads__0__values__8=[[None, "t0"], "T", long_number(18_000, 1)],
            proof__symmetries__1=alike("R", 3000, (range(3000), [[f"t{i}" for i in range(100)]])),
        ),
    ),
    "symmetry-of-a-billion": (
        "symmetry",
        lambda: changed("symmetry/majority", proof__symmetries__1=alike("R", HUGE, ([0], "A"))),
    ),
    "irreducible-of-thousands": (
        "size",
        lambda: certificate(
            "obstruction",
            grams(2),
            {
                "outputs": ["F", "T"],
                "contexts": [*EITHER[:-1], {**EITHER[-1], "requirements": [{"top": ["T"]}, {"tie": ["F", "T"]}]}],
            },
            {
                "multipliers": [
                    *({**entry, "multiplier": "1"} for entry in ONE_OF_EACH[:3999]),
                    *({**entry, "pair": ["F", "T"]} for entry in ONE_OF_EACH[:3999]),
                    ONE_OF_EACH[3999],
                    {**ONE_OF_EACH[3999], "pair": ["F", "T"]},
                ],
                "irreducible": True,
            },
        ),
    ),
    "contexts-fewer-than-a-billion": ("least", lambda: changed("contexts/xor", proof__least=HUGE)),
    "features-fewer-than-a-billion": ("least", lambda: changed("features/xor", proof__least=HUGE)),
    "separators-by-the-thousand": ("least", lambda: changed("contexts/xor", proof__separators=[[]] * 20_000)),
    "combinations-of-long-contexts": (
        "size",
        lambda: certificate(
            "fewest_features",
            grams(15),
            SQUARES,
            {"least": 1, "combinations": [cancels((0, "TF", "1"))["multipliers"]] * 100},
        ),
    ),
    "left-of-a-million-digits": ("rational", lambda: changed("block/selector", proof__statements__0__left__0=LONG)),
    "matrix-entry-of-twenty-thousand-digits": (
        "block",
        lambda: changed("block/selector", proof__matrix__0__0="1" + "0" * 19_999),
    ),
    "block-of-many": (
        "block",
        lambda: changed("block/selector", proof__rows=[*range(5000)], proof__columns=[*range(5000, 10_000)]),
    ),
    "row-out-of-this-world": ("block", lambda: changed("block/selector", proof__rows__0=HUGE)),
    "multipliers-of-many-denominators": (
        "cancellation",
        lambda: changed(
            "block/selector",
            **{f"proof__statements__0__multipliers__0__{k}__multiplier": f"1/{long_number(9000, k)}" for k in (0, 1)},
        ),
    ),
    "one-statement-of-every-left-vector": (
        "chambers",
        lambda: changed(
            "block/selector",
            proof__statements=[
                {**CERTIFICATES["block/selector"]["proof"]["statements"][0], "point": ["0", "0", "0", "1"]}
                for _ in range(3000)
            ],
        ),
    ),
    "bits-by-the-thousand": (
        "size",
        lambda: certificate(
            "block_obstruction",
            heads(2),
            task({"A" * 20_000 + "Q": "T", "B" * 20_000 + "Q": "F"}),
            {
                **CERTIFICATES["block/selector"]["proof"],
                "tokens": [["A", "B"]] * 20_000,
                "statements": [
                    {
                        "left": ["1"] * 4,
                        "point": ["1"] * 4,
                        "multipliers": [[{"context": 0, "pair": ["T", "F"], "multiplier": "1"}]] * 4,
                    }
                ],
            },
        ),
    ),
    "margin-of-a-million-digits": ("rational", lambda: changed("margin/xor", proof__margin=LONG)),
    "order-of-a-margin": ("margin", lambda: changed("margin/tie", model__order=HUGE, proof__margin="1")),
    "order-of-a-margin-of-counts": ("size", lambda: changed("margin/count", model__order=HUGE)),
    "version-of-a-million-digits": ("version", lambda: changed("obstruction/xor", version=LONG)),
    "kind-of-a-million-items": ("kind", lambda: changed("obstruction/xor", kind=["kind"] * 1_000_000)),
    "sum-that-cannot-be-printed": (
        "cancellation",
        lambda: changed("obstruction/xor", proof__multipliers__0__multiplier="1" + "0" * 10_000),
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_what_would_take_long_is_refused(name: str) -> None:
    step, made = SLOW[name]
    document = made()
    with soon(), pytest.raises(Refuted) as refusal:
        verify(document)
    assert refusal.value.step == step, refusal.value.reason
    assert len(refusal.value.reason) <= 300


def test_large_numbers_that_are_no_trouble_are_welcome() -> None:
    large, larger = "1" + "0" * 19_999, "3" + "0" * 19_999
    with soon():
        verify(
            changed(
                "weights/xor",
                proof__weights__0__logits__T="-" + large,
                proof__weights__1__logits__T=larger,
                proof__weights__2__logits__T=larger,
                model__order=HUGE,
            )
        )
        verify(changed("heads/post", proof__heads__0__scores__1__2=large))
        verify(changed("weights/xor", proof__weights__3=weight({"T": "1"}, length=HUGE)))
        verify(changed("heads/post", proof__heads__0__values__2=[[HUGE, "C"], "T", large]))
        verify(changed("obstruction/xor", **{f"proof__multipliers__{i}__multiplier": large for i in range(4)}))


def test_a_context_may_stand_for_very_many() -> None:
    """Ten thousand of each of two tokens: C(20000, 10000) arrangements, a number of 6020 digits."""
    asked = {"tokens": [*"AB" * 10_000, "Q"], "requirements": [{"tie": ["F", "T"]}], "weight": "1"}
    stated = {"outputs": ["F", "T"], "contexts": [asked]}
    proof = symmetric(alike("Q", 20_000, (range(20_000), "AB")))
    with soon():
        statement = verify(certificate("head_tables_by_symmetry", heads(0, "tokens"), stated, proof))
    assert statement.text.split("decides ")[1].split(" ")[0] == rational_text(comb(20_000, 10_000))


def test_many_contexts_and_many_weights_are_not_multiplied() -> None:
    """Ten thousand contexts of sixteen sources, 1600 weights: matched one by one, that would be 16 million pairs."""
    numbers = random.Random(0)
    tokens = [f"t{i}" for i in range(100)]
    worth = {(i, token): numbers.randint(-50, 50) for i in range(16) for token in tokens}
    contexts = {(*numbers.choices(tokens, k=16), "Q") for _ in range(10_000)}
    stated = {
        "outputs": ["F", "T"],
        "contexts": [
            {
                "tokens": list(context),
                "requirements": [{"top": ["T" if 2 * sum(worth[x] for x in enumerate(context[:-1])) + 1 > 0 else "F"]}],
                "weight": "1",
            }
            for context in sorted(contexts)
        ],
    }
    weights = [weight({"T": str(2 * value)}, sources=[list(source)], length=16) for source, value in worth.items()]
    proof = {"weights": [weight({"T": "1"}, length=16), *weights]}
    document = certificate("separating_weights", grams(3), stated, proof)
    with soon():
        assert verify(document).margin == 1


@pytest.mark.parametrize(
    "document",
    [None, 1, "text", [], {}, {1: 2}, {"a": {1, 2}}, {"a": b""}, {"a": 0.5}, {"a": float("nan")}, {1: 2, "a": 3}],
    ids=repr,
)
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(Refuted) as refusal:
        verify(document)
    assert refusal.value.step == "reading"


def test_a_document_that_holds_itself_is_refused() -> None:
    document: Json = deepcopy(CERTIFICATES["weights/xor"])
    document["proof"]["weights"].append(document)
    with pytest.raises(Refuted, match="reading"):
        verify(document)


def test_the_hash_is_that_of_the_specification() -> None:
    for document in CERTIFICATES.values():
        assert content_hash(document) == document["hash"]
