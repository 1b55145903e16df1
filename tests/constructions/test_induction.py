"""The induction head: its proof against every context of small vocabularies and against random ones of 50 tokens."""

from __future__ import annotations

import random
import runpy
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import pytest
import torch

from expressivity.attention import (
    AttentionOnlyTransformer,
    float_margins,
    layered_enclosed_margins,
    read_layered,
)
from expressivity.dsl import Construction, copy, match, previous
from expressivity.errors import InputError
from expressivity.heads.gallery import folder, load_construction
from expressivity.task import Task

MODULE = runpy.run_path(str(folder() / "induction.py"))


def claimed(context: tuple[str, ...]) -> str | None:
    """What followed the last token each time, if that is one token: the claim, said anew."""
    end = context[-1]
    followers = {after for before, after in pairwise(context) if before == end}
    return followers.pop() if len(followers) == 1 else None


def contexts_of(v: int, most: int) -> Iterator[tuple[tuple[str, ...], str]]:
    for length in range(1, most + 1):
        for context in product(map(str, range(v)), repeat=length + 1):
            label = claimed(context)
            if label is not None:
                yield context, label


def everything(v: int, most: int) -> Task:
    contexts, labels = zip(*contexts_of(v, most), strict=True)
    return Task(contexts, labels, outputs=list(map(str, range(v))))


def bound_for(context: tuple[str, ...], label: str, rival: str, v: int) -> Fraction:
    """The proved bound for the case of this context and this rival."""
    length, m = len(context) - 1, context[:-1].count(context[-1])
    if label == context[-1]:
        case = "the last token itself followed it"
    else:
        case = "it is the rival" if rival == context[-1] else "the rival is a third token"
    ((r, n),) = [(r, n) for matched, r, n, name in MODULE["cases"](length, v) if (matched, name) == (m, case)]
    found: Fraction = MODULE["bound"](length, m, r, n).lower
    return found


@pytest.mark.parametrize(("v", "most"), [(2, 6), (3, 5)])
def test_the_proof_bounds_every_small_context(v: int, most: int) -> None:
    """By enclosure, comparison by comparison: no margin is below the bound of its case."""
    construction, task = load_construction(f"induction:{v}"), everything(v, most)
    for comparison, margin in zip(
        task.comparisons(), layered_enclosed_margins(construction.layered(), task), strict=True
    ):
        bound = bound_for(task.contexts[comparison.context], comparison.above, comparison.below, v)
        assert margin.lower + Fraction(1, 2**50) > bound > 1 - Fraction(26, 10**8)  # enclosures have 64 bits


@pytest.mark.parametrize(("v", "most"), [(2, 6), (3, 6)])
def test_float64_agrees_on_every_small_context(v: int, most: int) -> None:
    task = everything(v, most)
    run = float_margins(load_construction(f"induction:{v}").to_model(dtype=torch.float64), task, device="cpu")
    assert run.contexts_right == len(task.contexts)
    for comparison, margin in zip(task.comparisons(), run.margins, strict=True):
        bound = bound_for(task.contexts[comparison.context], comparison.above, comparison.below, v)
        assert margin > float(bound) - 1e-12


@pytest.mark.parametrize(("v", "most"), [(2, 9), (3, 7), (4, 6)])
def test_contexts_are_counted_right(v: int, most: int) -> None:
    assert MODULE["n_contexts"](v, most) == sum(1 for _ in contexts_of(v, most))


@pytest.mark.parametrize("v", [2, 3, 50])
def test_the_proof(v: int) -> None:
    construction = load_construction(f"induction:{v}")
    proof = construction.proof()
    assert proof is not None
    assert 1 - Fraction(26, 10**8) < proof.least.lower <= proof.least.upper
    assert proof.least.upper - proof.least.lower < Fraction(1, 10**12)
    # The nearest that it comes to a wrong answer: 63 (for two tokens: 62) rivals of the weight e^−20, twice.
    rivals = 63 if v > 2 else 62
    assert float(1 - proof.least.lower) == pytest.approx(2 * rivals * 2.061153622438558e-9, rel=1e-6)
    assert proof.contexts == MODULE["n_contexts"](v, 64)
    witness = Task([proof.witness], [str(claimed(proof.witness))], outputs=construction.task.outputs)
    margins = layered_enclosed_margins(construction.layered(), witness)
    assert min(margin.lower for margin in margins) >= proof.least.lower
    assert min(margin.upper for margin in margins) <= proof.least.upper


def test_the_figure() -> None:
    """Every repeated bigram, at every length up to 64, with vocabulary 50."""
    proof = load_construction("induction:50").proof()
    assert proof is not None
    assert proof.contexts > 10**110
    assert proof.least.lower > Fraction(9_999_997, 10_000_000)


def drawn(rng: random.Random, tokens: list[str], length: int) -> tuple[tuple[str, ...], str]:
    """A context of the claim: a b at some places, anything but a elsewhere; now and then few other tokens."""
    a, b = rng.choice(tokens), rng.choice(tokens)
    others = [x for x in (tokens if rng.random() < 0.5 else rng.sample(tokens, 3)) if x != a]
    if a == b:
        first = rng.randrange(length)
        return (*rng.choices(others, k=first), *[a] * (length + 1 - first)), b
    matches = rng.choice([1, 1, rng.randint(1, length // 2)])
    parts = [(x,) for x in rng.choices(others, k=length - 2 * matches)] + [(a, b)] * matches
    rng.shuffle(parts)
    return (*(x for part in parts for x in part), a), b


@pytest.fixture(scope="module")
def fifty() -> Construction:
    return load_construction("induction:50")


@pytest.mark.parametrize(("dtype", "slack"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_random_contexts_of_fifty_tokens(fifty: Construction, dtype: torch.dtype, slack: float) -> None:
    rng = random.Random(0)
    tokens = list(fifty.task.outputs)
    found = dict(drawn(rng, tokens, length) for length in [64] * 300 + list(range(2, 64)))
    assert all(claimed(context) == label for context, label in found.items())
    model: AttentionOnlyTransformer = fifty.to_model(dtype=dtype)
    run = float_margins(model, Task(found, list(found.values()), outputs=tokens), device="cpu")
    assert run.contexts_right == len(found)
    assert min(run.margins) > 1 - 2.6e-7 - slack


def test_the_round_trip_is_exact(fifty: Construction) -> None:
    tables = fifty.layered()
    weights = fifty.layered_weights()
    assert weights.to_tables() == tables
    assert read_layered(weights.to_model()) == tables
    assert (weights.d_head, weights.is_least, len(weights.basis)) == (64, True, 215)


def test_q_k_and_o_v_are_positive_on_tokens(fifty: Construction) -> None:
    """K-composition: what the second head matches and copies is the identity on tokens, times 20 and 1."""
    model = fifty.to_model(dtype=torch.float64)
    first, second = ({name: getattr(block, name)[0] for name in ("W_Q", "W_K", "W_V", "W_O")} for block in model.blocks)
    embedded = model.W_E
    carried = embedded @ first["W_V"] @ first["W_O"]
    matched = embedded @ second["W_Q"] @ (carried @ second["W_K"]).T
    assert torch.equal(matched, 20 * torch.eye(50, dtype=torch.float64))
    assert torch.equal(embedded @ second["W_V"] @ second["W_O"] @ model.W_U, torch.eye(50, dtype=torch.float64))


@pytest.mark.parametrize("v", [1, 101])
def test_vocabularies_that_are_refused(v: int) -> None:
    with pytest.raises(InputError, match=f"induction:{v}: found {v} tokens; expected 2 to 100"):
        load_construction(f"induction:{v}")


def test_without_the_score_of_position_0_it_fails() -> None:
    """Why position 0 is taken out: in a b … a it would count as a match that holds a."""
    task = Task([("A", "B", "C", "A")], ["B"], outputs=["A", "C"])
    fields: dict[str, Any] = {"layer": 1, "reads_keys": "prev", "writes": copy}
    first = Construction("c", task=task).head("first", scores={previous: 20}, writes_to="prev")
    with_it, without = ({match: 20, 0: -20}, {match: 20})
    for scores, signs in ((with_it, {1}), (without, {1, -1})):
        made = first.head("second", scores=scores, **fields).layered()
        assert {margin.sign for margin in layered_enclosed_margins(made, task)} == signs
