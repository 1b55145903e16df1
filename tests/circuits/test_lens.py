"""Circuits of TransformerLens's own models: each table and sum is the one that TransformerLens computes itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from expressivity.circuits import (
    Circuits,
    HeadName,
    analyse,
    compositions,
    copying_score,
    expand,
    find_bugs,
    importance,
    looks,
    raw_scores,
)
from expressivity.errors import InputError

pytestmark = pytest.mark.lens
HEADS = [HeadName(layer, head) for layer in range(2) for head in range(3)]
KINDS = pytest.mark.parametrize("biases", [False, True], ids=["no biases", "biases"])


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("transformer_lens", reason="the extra `lens` is not installed")


def boot(dtype: torch.dtype = torch.float64, **settings: Any) -> Any:
    """A model of TransformerLens with its own first weights, biases of 0."""
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    torch.manual_seed(2)
    sizes = {"n_layers": 2, "d_model": 7, "d_head": 2, "n_heads": 3, "n_ctx": 5, "d_vocab": 11, "d_vocab_out": 11}
    kind = {"attn_only": True, "normalization_type": None}
    return TransformerBridge.boot_native(TransformerBridgeConfig(**(sizes | kind | settings)), dtype=dtype)


def checkpoint(tmp_path: Any, biases: bool, dtype: torch.dtype = torch.float64, **settings: Any) -> Any:
    """A model that was written to a file of weights and read from it again."""
    from safetensors.torch import load_file, save_file

    bridge = boot(dtype, **settings)
    torch.manual_seed(3)
    kept = {k: torch.randn_like(w) * (biases or "bias" not in k) for k, w in bridge.state_dict().items()}
    save_file(kept, tmp_path / "checkpoint.safetensors")
    bridge.load_state_dict(load_file(tmp_path / "checkpoint.safetensors"))
    return bridge


def some_tokens() -> torch.Tensor:
    return torch.randint(0, 11, (6, 5), generator=torch.Generator().manual_seed(4))


def near(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return torch.allclose(ours, theirs.detach(), rtol=1e-9, atol=1e-9)


@KINDS
@pytest.mark.parametrize("scale", [-1.0, 2.5])
def test_logits_and_patterns_are_theirs(tmp_path: Any, biases: bool, scale: float) -> None:
    bridge, tokens = checkpoint(tmp_path, biases, attn_scale=scale), some_tokens()
    logits, cache = bridge.run_with_cache(tokens)
    circuits = Circuits.of(bridge)
    assert not circuits.obstacle
    assert circuits.model.attn_scale == (math.sqrt(2) if scale < 0 else scale)
    assert near(circuits.logits(tokens), logits)
    for layer, pattern in enumerate(circuits.patterns(tokens)):
        assert near(pattern, cache[f"blocks.{layer}.attn.hook_pattern"])


@KINDS
def test_ov_is_their_factored_matrix(tmp_path: Any, biases: bool) -> None:
    bridge = checkpoint(tmp_path, biases)
    circuits = Circuits.of(bridge)
    for head in HEADS:
        theirs = (bridge.W_E @ bridge.OV[head.layer, head.head] @ bridge.W_U).AB
        assert near(circuits.ov(head).dense(), theirs)
        positions = circuits.ov_positions(head)
        assert positions is not None
        assert near(positions.dense(), (bridge.W_pos @ bridge.OV[head.layer, head.head] @ bridge.W_U).AB)
    virtual = bridge.W_E @ bridge.OV[0, 1] @ bridge.OV[1, 2] @ bridge.W_U
    assert near(circuits.ov("0.1 → 1.2").dense(), virtual.AB)


def test_qk_is_their_factored_matrix(tmp_path: Any) -> None:
    bridge = checkpoint(tmp_path, biases=False, attn_scale=2.5)
    circuits = Circuits.of(bridge)
    for head in HEADS:
        theirs = (bridge.W_E @ bridge.QK[head.layer, head.head] @ bridge.W_E.T).AB / 2.5
        assert near(circuits.qk(head).dense(), theirs)
    earlier = bridge.W_E @ bridge.OV[0, 1].AB
    through_keys = bridge.W_E @ bridge.QK[1, 2] @ earlier.T
    through_queries = earlier @ bridge.QK[1, 2] @ bridge.W_E.T
    assert near(circuits.qk("1.2", key="0.1").dense(), through_keys.AB / 2.5)
    assert near(circuits.qk("1.2", query="0.1").dense(), through_queries.AB / 2.5)


@KINDS
def test_the_four_tables_of_scores_add_up_to_theirs(tmp_path: Any, biases: bool) -> None:
    """Of the first layer, whose scores are all in the weights; a key bias adds the same to a destination's scores."""
    bridge, tokens = checkpoint(tmp_path, biases), some_tokens()
    cache = bridge.run_with_cache(tokens)[1]  # whose hook_attn_scores has the pattern once more in 4.3
    queries, keys = (cache[f"blocks.0.attn.hook_{name}"].reshape(6, 5, 3, 2).transpose(1, 2) for name in "qk")
    scores = queries @ keys.mT / math.sqrt(2)
    circuits = Circuits.of(bridge)
    for head in range(3):
        qk, parts = circuits.qk((0, head)).dense(), circuits.qk_positions((0, head))
        for row, theirs in zip(tokens, scores[:, head], strict=True):
            ours = qk[row][:, row] + parts["position × position"].dense()
            ours = ours + parts["token × position"].dense()[row] + parts["position × token"].dense()[:, row]
            for end in range(5):
                difference = (theirs[end] - ours[end])[: end + 1].detach()
                assert near(difference, difference[0].expand(end + 1))
                assert biases or abs(float(difference[0])) < 1e-9


@KINDS
def test_the_direct_path_is_theirs_and_takes_up_the_constant_biases(tmp_path: Any, biases: bool) -> None:
    bridge = checkpoint(tmp_path, biases)
    circuits = Circuits.of(bridge)
    constant = bridge.b_O.sum(0) + torch.einsum("lhd,lhdm->m", bridge.b_V, bridge.W_O)
    for_second = torch.einsum("m,hmd,hdn->n", bridge.b_O[0] + torch.einsum("hd,hdm->m", bridge.b_V[0], bridge.W_O[0]),
                              bridge.W_V[1], bridge.W_O[1])  # fmt: skip
    theirs = (bridge.W_E + constant + for_second) @ bridge.W_U + bridge.b_U
    assert near(circuits.direct.dense(), theirs)
    assert biases or near(circuits.direct.dense(), bridge.W_E @ bridge.W_U)
    assert circuits.direct_positions is not None
    assert near(circuits.direct_positions.dense(), bridge.W_pos @ bridge.W_U)


@KINDS
def test_the_path_expansion_adds_up_to_their_logits_head_by_head(tmp_path: Any, biases: bool) -> None:
    bridge, tokens = checkpoint(tmp_path, biases), some_tokens()
    logits, cache = bridge.run_with_cache(tokens)
    terms = expand(Circuits.of(bridge), tokens)
    assert len(terms) == 16
    assert near(torch.stack(list(terms.values())).sum(0), logits)
    if biases:  # parts that are constant are in the direct path here, and in the heads there
        return
    for layer, head in HEADS:
        ours = torch.stack([term for path, term in terms.items() if path and path[-1] == (layer, head)]).sum(0)
        z = cache[f"blocks.{layer}.attn.hook_z"].reshape(6, 5, 3, 2)[:, :, head]
        assert near(ours, z @ bridge.W_O[layer, head] @ bridge.W_U)
    assert near(terms[()], (cache["hook_embed"] + cache["hook_pos_embed"]) @ bridge.W_U)


@KINDS
def test_composition_is_theirs(tmp_path: Any, biases: bool) -> None:
    bridge = checkpoint(tmp_path, biases)
    circuits = Circuits.of(bridge)
    theirs = [bridge.all_composition_scores(mode) for mode in "QKV"]
    pairs = {(a, b): raw_scores(circuits.weights(a), circuits.weights(b)) for a in HEADS[:3] for b in HEADS[3:]}
    for (a, b), ours in pairs.items():
        assert ours == pytest.approx(
            [float(mode[a.layer, a.head, b.layer, b.head].detach()) for mode in theirs], abs=1e-9
        )
    found, baseline = compositions(circuits)
    assert baseline is not None
    for each in found:
        q, k, v = pairs[each.first, each.second]
        less = [q, k, v] if None in (q, k, v) else [x - baseline.mean for x in (q, k, v)]  # type: ignore[operator]
        assert [each.q, each.k, each.v] == pytest.approx(less)


@KINDS
def test_copying_is_told_by_their_eigenvalues(tmp_path: Any, biases: bool) -> None:
    bridge = checkpoint(tmp_path, biases)
    circuits = Circuits.of(bridge)
    for head in HEADS:
        found = (bridge.W_E @ bridge.OV[head.layer, head.head] @ bridge.W_U).eigenvalues
        expected = float((found.sum() / found.abs().sum()).real.detach())
        assert copying_score(circuits, head).value == pytest.approx(expected, abs=1e-9)


def test_weights_in_float32_are_multiplied_in_float64(tmp_path: Any) -> None:
    bridge, tokens = checkpoint(tmp_path, True, torch.float32), some_tokens()
    circuits = Circuits.of(bridge)
    assert circuits.logits(tokens).dtype == torch.float64
    assert torch.allclose(circuits.logits(tokens), bridge(tokens).double().detach(), atol=1e-3, rtol=1e-4)
    theirs = bridge.W_E.double() @ bridge.W_V.double()[0, 0, :, 0]
    assert torch.allclose(circuits.ov("0.0").left[:, 0], theirs.detach(), rtol=0, atol=1e-13)


def test_names_are_asked_for(tmp_path: Any) -> None:
    bridge = checkpoint(tmp_path, biases=False)
    circuits = Circuits.of(bridge, tokens="abcdefghijk", outputs="ABCDEFGHIJK")
    expected = (bridge.W_E @ bridge.OV[1, 0] @ bridge.W_U).AB[2, 4]
    assert circuits.ov("1.0").at("c", "E") == pytest.approx(float(expected))
    with pytest.raises(InputError, match=r"embed\.W_E has 11 rows, but there are 2 tokens"):
        Circuits.of(bridge, tokens="ab")


@KINDS
def test_the_whole_analysis_runs_on_it(tmp_path: Any, biases: bool) -> None:
    bridge, tokens = checkpoint(tmp_path, biases), some_tokens()
    found = analyse(bridge, tokens)
    assert found is not None
    wanted = torch.nn.functional.cross_entropy(bridge(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
    assert importance(Circuits.of(bridge), tokens).losses[-1] == pytest.approx(float(wanted), abs=1e-9)


@pytest.mark.parametrize("name", ["LN", "LNPre", "RMS", "RMSPre"])
@pytest.mark.parametrize("attn_only", [True, False])
def test_layer_norms_are_refused_with_the_reason(name: str, attn_only: bool) -> None:
    with pytest.raises(InputError) as refusal:
        Circuits.of(boot(normalization_type=name, **({} if attn_only else MLP)))
    assert f'the model normalises ("{name}"): every position is divided by a length' in str(refusal.value)


MLP: dict[str, Any] = {"attn_only": False, "d_mlp": 9, "act_fn": "relu"}


@KINDS
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_of_a_model_with_mlps_the_rest_is_read(tmp_path: Any, biases: bool, dtype: torch.dtype) -> None:
    bridge, tokens = checkpoint(tmp_path, biases, dtype, **MLP), some_tokens()
    logits, cache = bridge.run_with_cache(tokens)
    circuits = Circuits.of(bridge)
    assert "has an MLP, which is not linear" in circuits.obstacle
    for head in HEADS:
        assert near(
            circuits.ov(head).dense(), (bridge.W_E @ bridge.OV[head.layer, head.head] @ bridge.W_U).AB.double()
        ) or (dtype == torch.float32)
    close: dict[str, float] = {"rtol": 1e-9, "atol": 1e-9} if dtype == torch.float64 else {"rtol": 1e-3, "atol": 1e-3}
    assert circuits.logits(tokens).dtype == torch.float64
    assert torch.allclose(circuits.logits(tokens), logits.double(), **close)
    for layer, pattern in enumerate(circuits.patterns(tokens)):
        assert pattern.dtype == torch.float64
        assert torch.allclose(pattern, cache[f"blocks.{layer}.attn.hook_pattern"].double(), **close)
    assert len(looks(circuits)) == 6
    for refused in (importance, find_bugs):
        with pytest.raises(InputError, match="has an MLP, which is not linear"):
            refused(circuits, tokens)
    with pytest.raises(InputError, match="the path expansion: the model has an MLP"):
        expand(circuits, tokens)
    assert analyse(bridge, tokens) is not None
