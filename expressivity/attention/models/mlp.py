"""A transformer whose layers have an MLP after attention: for questions about what an MLP adds to heads.

What is decided and proved in this package is about attention alone, so this is no
:class:`~expressivity.attention.models.transformer.AttentionOnlyTransformer`; it has one.
"""

# ruff: noqa: F722  (shapes in annotations are strings of their own)

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError


class MLP(nn.Module):
    r"""One hidden layer: ``relu(x W_in + b_in) W_out + b_out``.

    Shapes: ``W_in`` is ``[d_model, d_mlp]``, ``b_in`` ``[d_mlp]``, ``W_out`` ``[d_mlp, d_model]``, ``b_out``
    ``[d_model]``.
    """

    def __init__(self, d_model: int, d_mlp: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.W_in = nn.Parameter(torch.zeros(d_model, d_mlp, dtype=dtype))
        self.b_in = nn.Parameter(torch.zeros(d_mlp, dtype=dtype))
        self.W_out = nn.Parameter(torch.zeros(d_mlp, d_model, dtype=dtype))
        self.b_out = nn.Parameter(torch.zeros(d_model, dtype=dtype))

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        """What the MLP adds to the residual stream."""
        return torch.relu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


class MLPTransformer(nn.Module):
    """Embedding, layers of attention and then an MLP, unembedding; no layer norm.

    Attributes:
        attention: the same weights without the MLPs, a model of its own: the one whose MLPs are ablated to 0.
        mlps: of each layer, after its heads.
        d_mlp: their width.

    Args:
        attention: what the MLPs are added to; it is kept, not copied.
        d_mlp: width of the hidden layers, whose weights start at 0.

    Raises:
        InputError: a width below 1.

    >>> bare = AttentionOnlyTransformer(["A", "Q"], ["F", "T"], n_ctx=2, n_heads=1, d_model=4, d_head=1)
    >>> model = MLPTransformer(bare, 3)
    >>> model(model.attention.encode([("A", "Q")])).shape
    torch.Size([1, 2, 2])
    """

    def __init__(self, attention: AttentionOnlyTransformer, d_mlp: int) -> None:
        super().__init__()
        if d_mlp < 1:
            raise InputError(f"d_mlp is {d_mlp}; expected at least 1 (without MLPs it is an AttentionOnlyTransformer)")
        self.attention, self.d_mlp = attention, d_mlp
        self.mlps = nn.ModuleList(MLP(attention.d_model, d_mlp, attention.W_E.dtype) for _ in attention.blocks)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab_out"]:
        """Logits of the next token at every position."""
        x = self.attention.embed(tokens)
        for block, mlp in zip(self.attention.blocks, self.mlps, strict=True):
            x = x + block(x)
            x = x + mlp(x)
        return x @ self.attention.W_U
