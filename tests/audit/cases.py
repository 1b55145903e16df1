"""Models whose order is known, and texts of every context they can meet."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from expressivity.attention import AttentionOnlyTransformer
from expressivity.audit import Part, Text


def random_model(
    vocabulary: int = 5, n_ctx: int = 4, *, heads: int = 1, values: float = 1.0, scores: float = 1.0, seed: int = 0
) -> AttentionOnlyTransformer:
    """One layer of random weights; values of 0 make a bigram model, scores of 0 uniform attention."""
    names = [chr(ord("a") + k) for k in range(vocabulary)]
    model = AttentionOnlyTransformer(
        names, names, n_ctx=n_ctx, n_heads=heads, d_model=vocabulary, d_head=vocabulary, dtype=torch.float64
    )
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if name != "W_pos":
            weight.data.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64))
    model.W_V.data.mul_(values)
    model.W_Q.data.mul_(scores)
    return model


def every_context(vocabulary: int, length: int, times: int = 1) -> Text:
    """All sequences of one length, to fit on and to judge on."""
    rows = Part.of(np.array(list(product(range(vocabulary), repeat=length)) * times))
    return Text("every context", rows, rows)


def random_text(vocabulary: int, tokens: int, seed: int = 0) -> Text:
    """Independent tokens, none likelier than another."""
    drawn = np.random.default_rng(seed).integers(vocabulary, size=(2, tokens))
    return Text("random", Part.of([drawn[0]]), Part.of([drawn[1][: tokens // 4]]))
