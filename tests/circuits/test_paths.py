"""The path expansion is the forward pass; terms and losses against a run with frozen patterns."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from expressivity.circuits import Circuits, Data, expand, importance, mean_loss, path_name, paths_of
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from tests.circuits.random_models import random_model

TOKENS = torch.tensor([[3, 1, 4, 1, 0], [2, 2, 0, 4, 3]])


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
def test_the_paths_add_up_to_the_logits(layers: int, embedding: str) -> None:
    model = random_model(layers=layers, embedding=embedding)
    terms = expand(Circuits.of(model), TOKENS)
    assert len(terms) == 3**layers
    assert torch.allclose(sum(terms.values()), model(TOKENS), atol=1e-9, rtol=0)  # type: ignore[arg-type]


def test_constructions_in_float64_to_a_millionth() -> None:
    for name in ("induction:20", "virtual_head:4", "two_head_xor"):
        circuits = Circuits.of(load_construction(name))
        tokens = torch.randint(0, len(circuits.model.tokens), (4, min(circuits.model.n_ctx, 40)))
        total = sum(expand(circuits, tokens).values())
        assert torch.allclose(total, circuits.model(tokens), atol=1e-6, rtol=0)  # type: ignore[arg-type]


def test_a_virtual_head_is_the_product_of_patterns_and_of_values() -> None:
    model = random_model(layers=2)
    circuits = Circuits.of(model)
    stream = model.embed(TOKENS)
    first = model.blocks[0].pattern(stream)[:, 1]
    second = model.blocks[1].pattern(stream + model.blocks[0](stream))[:, 0]
    *_, v, o = circuits.weights(circuits.head("0.1"))
    *_, v2, o2 = circuits.weights(circuits.head("1.0"))
    expected = (second @ first) @ stream @ (v @ o @ v2 @ o2) @ model.W_U
    found = expand(circuits, TOKENS)[circuits.path("0.1 → 1.0")]
    assert torch.allclose(found, expected, atol=1e-10)


def test_losses_by_order_are_those_of_the_ablation_in_order() -> None:
    """Elhage et al.'s way: in each round heads read the embedding plus what was written in the round before."""
    model = random_model(layers=2)
    circuits = Circuits.of(model)
    inputs, targets = TOKENS[:, :-1], TOKENS[:, 1:].reshape(-1)
    stream = model.embed(inputs)
    patterns = [model.blocks[0].pattern(stream), model.blocks[1].pattern(stream + model.blocks[0](stream))]
    written = [torch.zeros_like(stream)] * 2
    expected = []
    for _ in range(3):
        final = (stream + written[0] + written[1]).detach()
        expected.append(float(cross_entropy((final @ model.W_U.detach()).reshape(-1, 5), targets)))
        seen = [stream, stream + written[0]]
        written = [
            torch.einsum("bhqk,bkm,hmd,hde->bqe", p, x, layer.W_V, layer.W_O)
            for p, x, layer in zip(patterns, seen, model.blocks, strict=True)
        ]
    found = importance(circuits, TOKENS)
    assert found.losses == pytest.approx(expected, abs=1e-10)
    assert found.losses[-1] == pytest.approx(mean_loss(circuits, Data.of(TOKENS, circuits)), abs=1e-10)
    assert found.chance == pytest.approx(math.log(5))
    without = model(inputs) - expand(circuits, inputs)[circuits.path("1.1")]
    less = float(cross_entropy(without.reshape(-1, 5), targets)) - expected[-1]
    assert found.paths[circuits.path("1.1")] == pytest.approx(less, abs=1e-10)


def test_induction_is_a_term_of_order_1_whose_pattern_is_made_by_composition() -> None:
    """Frozen patterns keep what K-composition chose: the head that copies is worth all, the virtual head nothing."""
    circuits = Circuits.of(load_construction("induction:10"))
    from expressivity.circuits import repeated_tokens

    worth = importance(circuits, repeated_tokens(circuits)).paths
    assert worth[circuits.path("1.0")] > 0.1
    assert worth[circuits.path("0.0 → 1.0")] == pytest.approx(0, abs=1e-6)


def test_names_and_limits() -> None:
    circuits = Circuits.of(random_model(layers=2))
    assert [path_name(path) for path in paths_of(circuits)] == [
        "direct", "0.0", "0.1", "1.0", "1.1", "0.0 → 1.0", "0.0 → 1.1", "0.1 → 1.0", "0.1 → 1.1",
    ]  # fmt: skip
    with pytest.raises(InputError, match="more than 1,024 paths"):
        paths_of(Circuits.of(random_model(layers=3, heads=12, d_head=1)))
