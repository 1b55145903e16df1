"""TransformerLens's models and ours, into each other: what is computed by both is the same."""

from __future__ import annotations

import math
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from expressivity.attention import (
    AttentionOnlyTransformer,
    from_transformer_lens,
    lens_config,
    lens_state_dict,
    lens_tokens,
    load_model,
    save_model,
    to_transformer_lens,
)
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction

EMBEDDINGS = ["tokens", "additive", "joint"]
CONFIG = {"n_heads": 2, "d_head": 3, "attn_only": True, "normalization_type": None}


def a_model(embedding: str = "additive", dtype: torch.dtype = torch.float64, **sizes: Any) -> AttentionOnlyTransformer:
    torch.manual_seed(0)
    shape: dict[str, Any] = {"n_ctx": 4, "n_heads": 2, "d_model": 7, "d_head": 3, "n_layers": 2} | sizes
    model = AttentionOnlyTransformer("ABQ", "FT", embedding=embedding, dtype=dtype, **shape)  # type: ignore[arg-type]
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    if embedding != "additive":
        torch.nn.init.zeros_(model.W_pos)
    return model


def lens_logits(weights: dict[str, torch.Tensor], scale: float, tokens: torch.Tensor) -> torch.Tensor:
    """TransformerLens's forward pass of an attention-only model, biases included, written out."""
    x = weights["embed.W_E"][tokens] + weights["pos_embed.W_pos"][: tokens.shape[1]]
    future = torch.ones(tokens.shape[1], tokens.shape[1]).triu(1).bool()
    for layer in range(sum(key.endswith("W_Q") for key in weights)):
        w = {key.rpartition(".")[2]: weight for key, weight in weights.items() if key.startswith(f"blocks.{layer}.")}
        q, k, v = (torch.einsum("bpm,hmd->bhpd", x, w[f"W_{name}"]) + w[f"b_{name}"][None, :, None] for name in "QKV")
        pattern = (q @ k.mT / scale).masked_fill(future, -torch.inf).softmax(-1)
        x = x + torch.einsum("bhpd,hdm->bpm", pattern @ v, w["W_O"]) + w["b_O"]
    return x @ weights["unembed.W_U"] + weights["unembed.b_U"]


# ------------------------------------------------------------------------------------------------ out


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("sizes", [{}, {"n_layers": 1, "d_head": 1}, {"n_heads": 0}, {"attn_scale": 1.7}], ids=str)
def test_exported_weights_compute_the_same(embedding: str, sizes: dict[str, Any]) -> None:
    model = a_model(embedding, **sizes)
    contexts = ["ABQ", "QQA", "BAB"]
    config = lens_config(model)
    found = lens_logits(lens_state_dict(model), config["attn_scale"], lens_tokens(model, contexts))
    assert torch.allclose(found, model(model.encode(contexts)), atol=1e-12)


def test_a_joint_embedding_becomes_a_vocabulary_of_places() -> None:
    model = a_model("joint")
    assert lens_config(model)["d_vocab"] == 12  # 4 positions of 3 tokens
    assert lens_tokens(model, ["ABQ"]).tolist() == [[0, 3 + 1, 6 + 2]]
    assert lens_tokens(a_model("tokens"), ["ABQ"]).tolist() == [[0, 1, 2]]


def test_a_scale_that_transformer_lens_refuses_is_doubled_without_rounding() -> None:
    model = a_model(dtype=torch.bfloat16)
    assert lens_config(model)["attn_scale"] == 2.0
    assert torch.equal(lens_state_dict(model)["blocks.1.attn.W_Q"], 2 * model.blocks[1].W_Q)  # type: ignore[operator]
    narrow = a_model(d_head=1)
    assert lens_config(narrow)["attn_scale"] == 1.0
    assert torch.equal(lens_state_dict(narrow)["blocks.1.attn.W_Q"], narrow.blocks[1].W_Q)  # type: ignore[arg-type]


def test_a_weight_too_large_to_be_doubled() -> None:
    model = a_model(dtype=torch.float16)
    model.blocks[0].W_Q.data[0, 0, 0] = 60_000  # type: ignore[union-attr, index, operator]
    with pytest.raises(InputError, match=r"in TransformerLens: blocks\.0\.attn\.W_Q has a weight that is not a finite"):
        lens_state_dict(model)


# ------------------------------------------------------------------------------------------------ in


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_there_and_back(embedding: str) -> None:
    model = a_model(embedding, attn_scale=1.7)
    again = from_transformer_lens(
        lens_state_dict(model),
        lens_config(model),
        tokens=model.tokens,
        outputs=model.outputs,
        embedding="joint" if embedding == "joint" else None,
    )
    assert (again.embedding, again.tokens, again.outputs) == (embedding, model.tokens, model.outputs)
    for key, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], weight)


def biased(n_layers: int = 2) -> dict[str, torch.Tensor]:
    weights = lens_state_dict(a_model(n_layers=n_layers, d_head=3))
    torch.manual_seed(1)
    return {key: torch.randn_like(weight) for key, weight in weights.items()}


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_biases_move_into_the_weights(n_layers: int) -> None:
    weights = biased(n_layers)
    model = from_transformer_lens(weights, CONFIG, absorb_biases=True)
    assert model.d_model == 8
    tokens = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]])
    expected = lens_logits(weights, math.sqrt(3), tokens)
    assert torch.allclose(model(tokens), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["unembed.b_U", *(f"blocks.1.attn.b_{name}" for name in "QVO")])
def test_each_bias_is_refused_by_name(name: str) -> None:
    weights = {key: w * (".b_" not in key or key == name) for key, w in biased().items()}
    with pytest.raises(InputError) as refusal:
        from_transformer_lens(weights, CONFIG)
    assert str(refusal.value) == (
        f"the state dict: {name}: not 0, and our models have no biases; absorb_biases=True moves them into the weights"
    )


def test_key_biases_change_nothing() -> None:
    weights = {key: w * (".b_" not in key or key.endswith("b_K")) for key, w in biased().items()}
    tokens = torch.tensor([[0, 1, 2, 0]])
    model = from_transformer_lens(weights, CONFIG)
    assert torch.allclose(model(tokens), lens_logits(weights, math.sqrt(3), tokens), atol=1e-9)


def test_buffers_of_old_checkpoints_are_passed_over() -> None:
    weights = biased() | {"blocks.0.attn.mask": torch.ones(4, 4), "blocks.0.attn.IGNORE": torch.tensor(-torch.inf)}
    assert from_transformer_lens(weights, CONFIG, absorb_biases=True).n_heads == 2


@pytest.mark.parametrize(
    ("settings", "scale"),
    [({}, math.sqrt(3)), ({"attn_scale": -1.0}, math.sqrt(3)), ({"attn_scale": 2.5, "use_attn_scale": True}, 2.5)],
)
def test_the_scale_is_the_configurations(settings: dict[str, Any], scale: float) -> None:
    config = SimpleNamespace(**CONFIG, **settings)
    assert from_transformer_lens(lens_state_dict(a_model()), config).attn_scale == scale


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1.7, 1.7)])
def test_an_older_model_is_asked_for_the_scale_in_use(scales: tuple[float, float]) -> None:
    found = from_transformer_lens(hooked(scales))
    tokens = torch.tensor([[0, 1, 2, 0]])
    assert found.attn_scale == scales[0]
    assert torch.allclose(found(tokens), lens_logits(lens_state_dict(a_model()), scales[0], tokens), atol=1e-12)


def test_layers_of_different_scales_are_refused() -> None:
    with pytest.raises(InputError, match=r"the layers divide their scores by 1\.0 and 2\.0; expected one scale"):
        from_transformer_lens(hooked((1.0, 2.0)))


def hooked(scales: tuple[float, float]) -> SimpleNamespace:
    """The attributes of a HookedTransformer that matter; its configuration alone would not tell the scale."""
    blocks = [SimpleNamespace(attn=SimpleNamespace(attn_scale=scale)) for scale in scales]
    config = SimpleNamespace(**CONFIG, use_attn_scale=False)
    return SimpleNamespace(cfg=config, blocks=blocks, state_dict=lambda: lens_state_dict(a_model()))


def test_names_are_numbers_if_none_are_given() -> None:
    model = from_transformer_lens(lens_state_dict(a_model()), CONFIG)
    assert (model.tokens, model.outputs) == (("0", "1", "2"), ("0", "1"))


def changed(**weights: Any) -> dict[str, Any]:
    found: dict[str, Any] = lens_state_dict(a_model())
    for key, weight in weights.items():
        name = key.replace("__", ".")
        if weight is None:
            del found[name]
        else:
            found[name] = weight
    return found


W = torch.zeros(7, dtype=torch.float64)
Q = "blocks.0.attn.W_Q"
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "layer norm": (
        changed(ln_final__w=W, blocks__0__ln1__w=W),
        {},
        "the state dict: ln_final.w, blocks.0.ln1.w: part of a layer norm",
    ),
    "MLP": (changed(blocks__0__mlp__W_in=W), {}, "the state dict: blocks.0.mlp.W_in: part of an MLP"),
    "grouped": (changed(blocks__0__attn___W_K=W), {}, "blocks.0.attn._W_K: no weight of an attention layer"),
    "missing": (
        changed(blocks__0__attn__W_Q=None),
        {},
        f"the state dict: {Q} is missing; expected the shape [2, 7, 3]",
    ),
    "no positions": (changed(pos_embed__W_pos=None), {}, "the state dict: pos_embed.W_pos is missing"),
    "shape": (changed(blocks__0__attn__W_Q=W[None, None]), {}, f"{Q} has the shape [1, 1, 7]; expected [2, 7, 3]"),
    "one axis": (changed(unembed__W_U=W), {}, "the state dict: unembed.W_U has the shape [7]; expected two axes"),
    "no number": (
        changed(unembed__W_U=torch.full((7, 2), torch.nan, dtype=torch.float64)),
        {},
        "the state dict: unembed.W_U has a weight that is not a finite number",
    ),
    "types": (changed(unembed__W_U=torch.zeros(7, 2)), {}, "its types are float32, float64; expected one of float64"),
    "not a tensor": (changed(x=3), {}, "'x' is 3; expected a name and a tensor"),
    "two names": (
        changed(embed__weight=torch.zeros(3, 7, dtype=torch.float64)),
        {},
        "the state dict: embed.W_E is there under two names",
    ),
    "a linear layer of another size": (
        {"blocks.0.attn.q.weight": torch.zeros(5, 7)},
        {},
        "blocks.0.attn.q.weight has the shape [5, 7]; expected 2 heads of width 3",
    ),
    "layers": (
        changed(),
        {"n_layers": 3},
        "has weights of the layers 0, 1; expected layers from 0 on, at least one, 3 as",
    ),
    "a layer left out": (
        {key.replace("blocks.1", "blocks.7"): w for key, w in changed().items()},
        {},
        "has weights of the layers 0, 7; expected layers from 0 on",
    ),
    "normalised": (changed(), {"normalization_type": "LNPre"}, 'normalization_type is "LNPre"; expected null'),
    "with MLPs": (changed(), {"attn_only": False}, "attn_only is false; expected true: an MLP is no attention"),
    "rotary": (
        changed(),
        {"positional_embedding_type": "rotary"},
        'positional_embedding_type is "rotary"; expected "standard"',
    ),
    "final norm": (changed(), {"final_rms": True}, "final_rms is true; expected false"),
    "grouped queries": (changed(), {"n_key_value_heads": 1}, "n_key_value_heads is 1; expected null"),
    "capped": (changed(), {"output_logits_soft_cap": 30.0}, "output_logits_soft_cap is 30.0; expected none"),
    "both ways": (changed(), {"attention_dir": "bidirectional"}, 'attention_dir is "bidirectional"; expected "causal"'),
    "no scale": (changed(), {"use_attn_scale": False}, "use_attn_scale is false, by which TransformerLens before 4"),
    "heads": (changed(), {"n_heads": 0}, "n_heads is 0; expected a whole number of at least 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_named_with_its_reason(name: str) -> None:
    weights, settings, message = REFUSED[name]
    with pytest.raises(InputError) as refusal:
        from_transformer_lens(weights, CONFIG | settings)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"config": {"n_heads": 2, "d_head": 3}},
            "the configuration: normalization_type is missing; attn_only is missing",
        ),
        ({"config": None}, "found an object with the fields"),
        ({"tokens": "AB"}, "embed.W_E has 3 rows, but there are 2 tokens"),
        ({"tokens": "AB", "embedding": "joint"}, "embed.W_E has 3 rows, but there are 2 tokens at each of 4 positions"),
        ({"outputs": "F"}, "unembed.W_U has 2 columns, but there are 1 outputs"),
        ({"attn_scale": 0.0}, "attn_scale is 0.0; expected a positive number"),
        ({"embedding": "sum"}, "embedding is 'sum'; expected one of joint, additive, tokens"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        from_transformer_lens(lens_state_dict(a_model()), **({"config": CONFIG} | arguments))
    assert message in str(refusal.value)


# ------------------------------------------------------------------------------------------------ the extra


@pytest.mark.lens
class TestWithTransformerLens:
    """Both programs run; without the extra each test says so and is skipped."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("transformer_lens", reason="the extra `lens` is not installed")

    @pytest.mark.parametrize("embedding", EMBEDDINGS)
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
    @pytest.mark.parametrize("sizes", [{}, {"n_layers": 1, "d_head": 1}, {"n_heads": 0}, {"attn_scale": 1.7}], ids=str)
    def test_logits_and_patterns_agree(self, embedding: str, dtype: torch.dtype, sizes: dict[str, Any]) -> None:
        model = a_model(embedding, dtype, **sizes)
        bridge = to_transformer_lens(model)
        contexts = ["ABQ", "QQA", "BAB"]
        with torch.no_grad():
            ours = model(model.encode(contexts))
            theirs, cache = bridge.run_with_cache(lens_tokens(model, contexts))
            patterns = model.blocks[0].pattern(model.embed(model.encode(contexts)))  # type: ignore[operator]
        near = 64 * torch.finfo(dtype).eps * max(1.0, ours.abs().max().item())
        assert theirs.dtype == dtype
        assert torch.allclose(theirs, ours, rtol=0, atol=near)
        if model.n_heads:
            assert torch.allclose(cache["blocks.0.attn.hook_pattern"], patterns, rtol=0, atol=near)

    @pytest.mark.parametrize("spec", ["two_head_xor", "parity:4"])
    @pytest.mark.parametrize("d_head", [None, 2, 4])
    def test_constructions_agree(self, spec: str, d_head: int | None) -> None:
        construction = load_construction(spec)
        model = construction.to_model(d_head)
        contexts = construction.task.contexts
        with torch.no_grad():
            ours = model(model.encode(contexts))
            theirs = to_transformer_lens(model)(lens_tokens(model, contexts))
            largest = float(model.W_V.abs().max() * model.W_O.abs().max())
        assert torch.allclose(theirs, ours, rtol=0, atol=1e-6 * max(1.0, largest))

    def test_the_callers_random_numbers_are_left_alone(self) -> None:
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        model = AttentionOnlyTransformer("AB", "FT", n_ctx=2, n_heads=1, d_model=2, d_head=1)
        to_transformer_lens(model)
        assert torch.equal(torch.rand(1), expected)

    @pytest.mark.parametrize("n_layers", [1, 2])
    @pytest.mark.parametrize("scale", [-1.0, 2.5])
    def test_their_models_are_read(self, n_layers: int, scale: float) -> None:
        bridge = self.bridge(n_layers, scale)
        tokens = torch.randint(0, 11, (20, 5))
        model = from_transformer_lens(bridge)
        assert model.attn_scale == (math.sqrt(2) if scale < 0 else scale)
        assert torch.allclose(model(tokens), bridge(tokens), atol=1e-12)
        bridge.load_state_dict({key: torch.randn_like(weight) for key, weight in bridge.state_dict().items()})
        with pytest.raises(InputError, match=r"blocks\.0\.attn\.b_Q, .*: not 0, and our models have no biases"):
            from_transformer_lens(bridge)
        model = from_transformer_lens(bridge, absorb_biases=True)
        assert torch.allclose(model(tokens), bridge(tokens), rtol=1e-9, atol=1e-9)
        from_state = from_transformer_lens(bridge.state_dict(), bridge.cfg, absorb_biases=True)
        assert torch.equal(from_state(tokens), model(tokens))

    def test_their_scale_is_read_from_the_layers(self) -> None:
        # boot_native divides by √d_head whatever use_attn_scale says; the state dict alone could not tell.
        bridge = self.bridge(1, -1.0, use_attn_scale=False)
        tokens = torch.randint(0, 11, (20, 5))
        assert torch.allclose(from_transformer_lens(bridge)(tokens), bridge(tokens), atol=1e-12)

    def test_models_with_layer_norm_and_mlps_are_refused(self) -> None:
        bridge = self.bridge(1, -1.0, normalization_type="LN", attn_only=False)
        with pytest.raises(InputError, match=r'normalization_type is "LN"; .*; attn_only is false'):
            from_transformer_lens(bridge)
        with pytest.raises(
            InputError, match=r"blocks\.0\.ln1\.weight, .* part of a layer norm; blocks\.0\.mlp\.in\.weight"
        ):
            from_transformer_lens(bridge.state_dict(), CONFIG)

    def test_the_files_are_read_without_this_library(self, tmp_path: Any) -> None:
        import json

        from safetensors.torch import load_file
        from transformer_lens.config import TransformerBridgeConfig
        from transformer_lens.conversion_utils import convert_tl_checkpoint
        from transformer_lens.model_bridge import TransformerBridge

        model = a_model(attn_scale=1.7)
        save_model(model, tmp_path)
        told = json.loads((tmp_path / "model.json").read_text("utf-8"))
        sizes = {name: told[name] for name in ("n_layers", "n_heads", "d_model", "d_head", "n_ctx", "attn_scale")}
        vocabulary = {"d_vocab": told["weights"]["embed.W_E"][0], "d_vocab_out": len(told["outputs"])}
        config = TransformerBridgeConfig(**sizes, **vocabulary, attn_only=True, normalization_type=None)
        bridge = TransformerBridge.boot_native(config, dtype=torch.float64)
        bridge.load_state_dict(convert_tl_checkpoint(load_file(tmp_path / "model.safetensors"), config), strict=False)
        tokens = load_model(tmp_path).encode(["ABQ"])
        assert torch.allclose(bridge(tokens), model(tokens), atol=1e-12)

    @staticmethod
    def bridge(n_layers: int, scale: float, **settings: Any) -> Any:
        from transformer_lens.config import TransformerBridgeConfig
        from transformer_lens.model_bridge import TransformerBridge

        torch.manual_seed(2)
        sizes = {"d_model": 7, "d_head": 2, "n_heads": 3, "n_ctx": 5, "d_vocab": 11, "d_vocab_out": 4}
        kind = {"attn_only": True, "normalization_type": None, "attn_scale": scale} | settings
        config = TransformerBridgeConfig(**sizes, n_layers=n_layers, **kind)
        return TransformerBridge.boot_native(config, dtype=torch.float64)


@pytest.mark.skipif(find_spec("transformer_lens") is not None, reason="the extra `lens` is installed")
def test_without_the_extra_the_message_says_what_to_install() -> None:
    with pytest.raises(InputError, match=r"install it with: pip install 'expressivity\[lens\]'"):
        to_transformer_lens(a_model())
