"""The previous token, and the one before it: their exact proofs against every context of small vocabularies."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import product

import pytest
import torch

from expressivity.attention import exact_margins, float_margins, layered_exact_margins, read_layered
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.task import Task

K = 2**16


def share(t: int) -> Fraction:
    """What the place t − 2 receives at t by two steps: each of 65,536 to the one before and of 1 to all others."""

    def step(end: int) -> list[Fraction]:
        odds = [K if place == end - 1 else 1 for place in range(end + 1)]
        return [Fraction(a, sum(odds)) for a in odds]

    return sum((step(t)[s] * step(s)[t - 2] for s in range(t - 2, t + 1)), Fraction(0))


BOUNDS = {
    ("previous_token", 1): {t: Fraction(K - t, K + t) for t in range(1, 65)},
    ("virtual_head", 2): {t: 2 * share(t) - 1 for t in range(2, 65)},
}


@pytest.mark.parametrize(("name", "back"), BOUNDS)
@pytest.mark.parametrize(("v", "most"), [(2, 6), (3, 4)])
def test_the_bounds_are_the_least_of_every_small_context(name: str, back: int, v: int, most: int) -> None:
    tokens = list(map(str, range(v)))
    contexts = [c for t in range(back, most + 1) for c in product(tokens, repeat=t + 1)]
    task = Task(contexts, [context[-1 - back] for context in contexts], outputs=tokens)
    construction = load_construction(f"{name}:{v}")
    if construction.is_layered:
        margins = layered_exact_margins(construction.layered(), task)
    else:
        margins = exact_margins(construction.tables(), task)
    least: dict[int, Fraction] = defaultdict(lambda: Fraction(2))
    for comparison, margin in zip(task.comparisons(), margins, strict=True):
        length = len(task.contexts[comparison.context]) - 1
        least[length] = min(least[length], margin)
    assert least == {t: BOUNDS[name, back][t] for t in range(back, most + 1)}


@pytest.mark.parametrize(("name", "back"), BOUNDS)
def test_the_proof(name: str, back: int) -> None:
    construction = load_construction(f"{name}:50")
    proof = construction.proof()
    assert proof is not None
    least = min(BOUNDS[name, back].values())
    assert least == BOUNDS[name, back][64]
    assert proof.least.lower == proof.least.upper == least > Fraction(99, 100)
    assert proof.contexts == sum(50 ** (t + 1) for t in range(back, 65))
    assert proof.cases == 65 - back
    task = Task([proof.witness], [proof.witness[-1 - back]], outputs=construction.task.outputs)
    if construction.is_layered:
        margins = layered_exact_margins(construction.layered(), task)
    else:
        margins = exact_margins(construction.tables(), task)
    assert min(margins) == least


@pytest.mark.parametrize("name", [name for name, _ in BOUNDS])
def test_float32_and_the_width(name: str) -> None:
    construction = load_construction(f"{name}:50")
    weights = construction.layered_weights() if construction.is_layered else construction.weights()
    assert (weights.d_head, weights.is_least) == (64, True)
    run = float_margins(weights.to_model(), construction.task, device="cpu")
    assert run.contexts_right == len(construction.task.contexts)


def test_a_virtual_head_in_the_weights() -> None:
    """V-composition: the second head's values read what the first has written, and nothing else."""
    construction = load_construction("virtual_head:5")
    assert construction.layered_weights().to_tables() == construction.layered()
    (first,), (second,) = read_layered(construction.to_model(dtype=torch.float64)).layers
    assert {(source.space, target.space) for source, target in first.values} == {("token", "prev")}
    assert {(source.space, target.space) for source, target in second.values} == {("prev", "→")}


@pytest.mark.parametrize("name", [name for name, _ in BOUNDS])
@pytest.mark.parametrize("v", [1, 65])
def test_vocabularies_that_are_refused(name: str, v: int) -> None:
    with pytest.raises(InputError, match=f"{name}:{v}: found {v} tokens; expected 2 to 64"):
        load_construction(f"{name}:{v}")
