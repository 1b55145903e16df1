"""Models with an MLP: the forward pass written out, the files, and that attention's own loader refuses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from expressivity.attention.models import load_any_model, load_model, parameters_of, save_model
from expressivity.attention.models.mlp import MLPTransformer
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError


def a_model(layers: int = 1) -> MLPTransformer:
    torch.manual_seed(0)
    bare = AttentionOnlyTransformer("ABQ", "FT", n_ctx=4, n_heads=2, d_model=6, d_head=3, n_layers=layers,
                                    embedding="additive", attn_scale=3**0.5, dtype=torch.float64)  # fmt: skip
    model = MLPTransformer(bare, 5)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


def test_the_files_are_enough_to_run_it(tmp_path: Path) -> None:
    model = a_model()
    save_model(model, tmp_path)
    told, w = json.loads((tmp_path / "model.json").read_text()), load_file(tmp_path / "model.safetensors")
    assert told["d_mlp"] == 5
    ids = torch.tensor([0, 2, 1])
    x = w["embed.W_E"][ids] + w["pos_embed.W_pos"][:3]
    q, k, v = (torch.einsum("pm,hmd->hpd", x, w[f"blocks.0.attn.W_{name}"]) for name in "QKV")
    scores = (q @ k.mT / told["attn_scale"]).masked_fill(torch.ones(3, 3).triu(1).bool(), -torch.inf)
    x = x + torch.einsum("hpd,hdm->pm", scores.softmax(-1) @ v, w["blocks.0.attn.W_O"])
    hidden = (x @ w["blocks.0.mlp.W_in"] + w["blocks.0.mlp.b_in"]).clamp(min=0)
    x = x + hidden @ w["blocks.0.mlp.W_out"] + w["blocks.0.mlp.b_out"]
    assert torch.allclose(model(ids[None])[0], x @ w["unembed.W_U"])


@pytest.mark.parametrize("layers", [1, 2])
def test_what_is_loaded_is_what_was_saved(layers: int, tmp_path: Path) -> None:
    model = a_model(layers)
    loaded = load_any_model(save_model(model, tmp_path))
    assert isinstance(loaded, MLPTransformer)
    for name, weight in parameters_of(model).items():
        assert torch.equal(parameters_of(loaded)[name], weight), name
    assert len(parameters_of(model)) == len(list(model.parameters()))


def test_without_its_mlp_it_is_the_model_with_that_at_0() -> None:
    model, ids = a_model(), torch.tensor([[0, 2, 1]])
    bare = model.attention(ids)
    for name in ("W_out", "b_out"):
        model.mlps[0].get_parameter(name).data.zero_()
    assert torch.equal(model(ids), bare)


def test_the_loader_of_attention_alone_refuses_it(tmp_path: Path) -> None:
    save_model(a_model(), tmp_path)
    with pytest.raises(InputError, match=r"has MLPs \(d_mlp 5\).*load_any_model"):
        load_model(tmp_path)


@pytest.mark.parametrize("d_mlp", [0, -1, True, 2.0, "5", None, 1 << 41], ids=repr)
def test_a_width_that_is_none_is_refused(d_mlp: object, tmp_path: Path) -> None:
    save_model(a_model(), tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"d_mlp": d_mlp}))
    with pytest.raises(InputError, match=r"d_mlp is .*expected a whole number of at least 1, or no such key"):
        load_any_model(tmp_path)


def test_another_width_than_that_of_the_weights_is_refused(tmp_path: Path) -> None:
    save_model(a_model(), tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"d_mlp": 4}))
    with pytest.raises(InputError, match=r"blocks.0.mlp.W_in has the shape \[6, 5\]; expected \[6, 4\]"):
        load_any_model(tmp_path)


def test_no_width_is_no_mlp() -> None:
    with pytest.raises(InputError, match="d_mlp is 0; expected at least 1"):
        MLPTransformer(a_model().attention, 0)
