"""Models with random weights, in float64."""

from __future__ import annotations

import torch

from expressivity.attention import AttentionOnlyTransformer


def random_model(
    *, layers: int = 1, heads: int = 2, tokens: str = "abcde", outputs: str = "abcde", n_ctx: int = 6, d_model: int = 7,
    d_head: int = 3, embedding: str = "additive", scale: float = 1.5, seed: int = 0,
) -> AttentionOnlyTransformer:  # fmt: skip
    model = AttentionOnlyTransformer(
        tokens, outputs, n_ctx=n_ctx, n_heads=heads, d_model=d_model, d_head=d_head, n_layers=layers,
        embedding=embedding, attn_scale=scale, dtype=torch.float64,
    )  # fmt: skip
    random = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if name != "W_pos" or embedding == "additive":
            weight.data.copy_(torch.randn(weight.shape, generator=random, dtype=torch.float64) * 0.7)
    return model
