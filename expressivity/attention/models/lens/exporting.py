"""Our models for TransformerLens 4: its configuration, its state dict, its token ids.

Logits are equal to ours to rounding. Three things differ between the two programs:

- TransformerLens has one vocabulary in which a token means the same at all positions. In the ``joint``
  embedding every (position, token) is a token of its own there, the row of ``W_E`` that it reads.
- It refuses ``attn_scale`` 1 at head widths above 1, and takes ``use_attn_scale=False`` for ``√d_head``. There
  the scale becomes 2 and ``W_Q`` is doubled, which rounds nothing.
- It has no layer without heads. Such a layer gets one head with weights 0.
"""

# ruff: noqa: F722  (shapes in annotations are strings of their own)

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from expressivity.attention.models import own_name, weight_shapes
from expressivity.attention.models.files import not_finite, refuse
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


def lens_config(model: AttentionOnlyTransformer) -> dict[str, Any]:
    """The arguments of ``TransformerBridgeConfig`` for this model.

    >>> model = AttentionOnlyTransformer("AQ", "FT", n_ctx=2, n_heads=1, d_model=4, d_head=2)
    >>> config = lens_config(model)
    >>> config["d_vocab"], config["d_vocab_out"], config["attn_scale"]
    (2, 2, 2.0)
    """
    return {
        "n_layers": len(model.blocks),
        "n_heads": max(1, model.n_heads),
        "d_model": model.d_model,
        "d_head": model.d_head,
        "n_ctx": model.n_ctx,
        "d_vocab": len(model.W_E),
        "d_vocab_out": len(model.outputs),
        "attn_only": True,
        "normalization_type": None,
        "positional_embedding_type": "standard",
        "attention_dir": "causal",
        "use_attn_scale": True,
        "attn_scale": _lens_scale(model),
        "dtype": model.W_E.dtype,
        "seed": 0,  # all initial weights are replaced; with a seed the caller's random numbers are left alone
    }


def lens_state_dict(model: AttentionOnlyTransformer) -> dict[str, Tensor]:
    """The weights under TransformerLens's names, with biases of 0: what ``convert_tl_checkpoint`` takes.

    ``W_Q`` fits the ``attn_scale`` of :func:`lens_config`.

    Raises:
        InputError: a weight is too large to be doubled, or not finite.
    """
    sizes: dict[str, int] = {"d_model": model.d_model, "d_head": model.d_head, "n_ctx": model.n_ctx}
    n_layers, n_heads = len(model.blocks), max(1, model.n_heads)
    shapes = weight_shapes(
        n_layers=n_layers, n_heads=n_heads, rows=len(model.W_E), d_vocab_out=len(model.outputs), **sizes
    )
    factor = _lens_scale(model) / float(model.attn_scale)
    weights: dict[str, Tensor] = {}
    for key, shape in shapes.items():
        found = model.get_parameter(own_name(key)).detach()
        found = found.new_zeros(shape) if model.n_heads == 0 and ".attn." in key else found.clone()
        weights[key] = found * factor if key.endswith("W_Q") and factor != 1 else found
    refuse("in TransformerLens", not_finite(weights))
    zeros = model.W_E.detach().new_zeros
    for layer in range(n_layers):
        for name in ("b_Q", "b_K", "b_V"):
            weights[f"blocks.{layer}.attn.{name}"] = zeros(n_heads, model.d_head)
        weights[f"blocks.{layer}.attn.b_O"] = zeros(model.d_model)
    return weights | {"unembed.b_U": zeros(len(model.outputs))}


def lens_tokens(model: AttentionOnlyTransformer, contexts: Sequence[Sequence[str]]) -> Int[Tensor, "batch pos"]:
    """The token ids with which TransformerLens reads contexts of one length.

    They are ours but in the ``joint`` embedding, where they are ``position · d_vocab + token``.

    Raises:
        InputError: as :meth:`AttentionOnlyTransformer.encode`.
    """
    tokens = model.encode(contexts)
    return tokens + torch.arange(tokens.shape[1]) * len(model.tokens) if model.embedding == "joint" else tokens


def to_transformer_lens(model: AttentionOnlyTransformer) -> TransformerBridge:
    """The model as a ``TransformerBridge``, on the same device and in the same type.

    Call it with :func:`lens_tokens`; column k of its logits is ``model.outputs[k]``.

    Raises:
        InputError: TransformerLens 4 is not installed (the extra ``lens``), or a weight is not finite.
    """
    try:
        from transformer_lens.config import TransformerBridgeConfig
        from transformer_lens.conversion_utils import convert_tl_checkpoint
        from transformer_lens.model_bridge.sources import boot_native
    except ImportError as error:
        raise InputError(
            f"TransformerLens 4 cannot be imported ({error}); install it with: pip install 'expressivity[lens]'"
        ) from None
    config = TransformerBridgeConfig(**lens_config(model))
    bridge = boot_native(config, device=model.W_E.device, dtype=model.W_E.dtype)
    bridge.load_state_dict(convert_tl_checkpoint(lens_state_dict(model), config), strict=True)
    return bridge


def _lens_scale(model: AttentionOnlyTransformer) -> float:
    scale = float(model.attn_scale)
    return 2 * scale if model.d_head > 1 and isclose(scale, 1, abs_tol=1e-8) else scale
