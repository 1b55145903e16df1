"""An attention-only transformer in torch, with TransformerLens's weight names and shapes.

No layer norm, no biases, no MLP: ``x ← x + Σ_h pattern_h(x) x W_V^h W_O^h`` for each layer, then ``x W_U``.
The attention scale is explicit; hand-set models use 1.
"""

# ruff: noqa: F722  (shapes in annotations are strings of their own)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from expressivity.attention.models.model_class import Embedding, check_embedding
from expressivity.errors import InputError

default_dtype = torch.float32


class AttentionLayer(nn.Module):
    r"""Causal self-attention of several heads, without biases.

    .. math::
        \mathrm{out}_i = \sum_h \sum_{j \le i}
        \mathrm{softmax}_j\bigl(x_i W_Q^h (x_j W_K^h)^\top / c\bigr)\, x_j W_V^h W_O^h

    Shapes: ``W_Q``, ``W_K``, ``W_V`` are ``[n_heads, d_model, d_head]``, ``W_O`` is
    ``[n_heads, d_head, d_model]``; ``c`` is ``attn_scale``.
    """

    def __init__(self, n_heads: int, d_model: int, d_head: int, attn_scale: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.attn_scale = attn_scale
        self.W_Q = nn.Parameter(torch.zeros(n_heads, d_model, d_head, dtype=dtype))
        self.W_K = nn.Parameter(torch.zeros(n_heads, d_model, d_head, dtype=dtype))
        self.W_V = nn.Parameter(torch.zeros(n_heads, d_model, d_head, dtype=dtype))
        self.W_O = nn.Parameter(torch.zeros(n_heads, d_head, d_model, dtype=dtype))

    def pattern(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch n_heads pos pos"]:
        """The attention pattern: each destination's weights over the sources up to and including itself."""
        q = torch.einsum("bpm,hmd->bhpd", x, self.W_Q)
        k = torch.einsum("bpm,hmd->bhpd", x, self.W_K)
        scores = q @ k.transpose(-1, -2) / self.attn_scale
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        return scores.masked_fill(future, -torch.inf).softmax(-1)

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        """What the heads together add to the residual stream."""
        v = torch.einsum("bpm,hmd->bhpd", x, self.W_V)
        return torch.einsum("bhpd,hdm->bpm", self.pattern(x) @ v, self.W_O)


class AttentionOnlyTransformer(nn.Module):
    """Embedding, layers of attention that add to a residual stream, unembedding.

    Weights: ``W_E`` ``[d_vocab, d_model]``, ``W_pos`` ``[n_ctx, d_model]``, in each of ``blocks`` ``W_Q``,
        ``W_K``, ``W_V`` ``[n_heads, d_model, d_head]`` and ``W_O`` ``[n_heads, d_head, d_model]``, ``W_U``
        ``[d_model, d_vocab_out]``. In the ``joint`` embedding ``W_E`` has ``n_ctx · d_vocab`` rows, row
        ``position · d_vocab + token``, and ``W_pos`` is 0.

    Args:
        tokens: the vocabulary; a token's index is its place here.
        outputs: the names of the logits, in order.
        n_ctx: the longest context, destination included.
        n_heads: heads per layer.
        d_model: width of the residual stream.
        d_head: width of every head.
        n_layers: layers of attention.
        embedding: ``joint``, ``additive`` or ``tokens`` (``W_pos`` is 0).
        attn_scale: scores are divided by it.
        basis: names of the residual directions, for hand-set models.
        dtype: of the weights, which start at 0.

    Raises:
        InputError: a size below what is possible, or names that occur twice.

    >>> model = AttentionOnlyTransformer(["A", "Q"], ["F", "T"], n_ctx=2, n_heads=1, d_model=4, d_head=1)
    >>> model(model.encode([("A", "Q")])).shape
    torch.Size([1, 2, 2])
    """

    def __init__(
        self,
        tokens: Iterable[str],
        outputs: Iterable[str],
        *,
        n_ctx: int,
        n_heads: int,
        d_model: int,
        d_head: int,
        n_layers: int = 1,
        embedding: Embedding = "tokens",
        attn_scale: float = 1.0,
        basis: Iterable[str] = (),
        dtype: torch.dtype = default_dtype,
    ) -> None:
        super().__init__()
        self.tokens, self.outputs, self.basis = tuple(tokens), tuple(outputs), tuple(basis)
        self.embedding = check_embedding(embedding)
        self.n_ctx, self.n_heads, self.d_model, self.d_head = n_ctx, n_heads, d_model, d_head
        self.attn_scale = attn_scale
        for name, found in (("tokens", self.tokens), ("outputs", self.outputs)):
            if not found or len(set(found)) < len(found):
                raise InputError(f"{name} are {found!r}; expected distinct names, at least one")
        for name, size in (("n_ctx", n_ctx), ("d_model", d_model), ("d_head", d_head), ("n_layers", n_layers)):
            if size < 1:
                raise InputError(f"{name} is {size}; expected at least 1")
        if n_heads < 0:
            raise InputError(f"n_heads is {n_heads}; expected at least 0")
        if self.basis and len(self.basis) != d_model:
            raise InputError(f"{len(self.basis)} names for {d_model} residual directions")
        self._index = {token: i for i, token in enumerate(self.tokens)}
        rows = len(self.tokens) * (n_ctx if embedding == "joint" else 1)
        self.W_E = nn.Parameter(torch.zeros(rows, d_model, dtype=dtype))
        self.W_pos = nn.Parameter(torch.zeros(n_ctx, d_model, dtype=dtype))
        layers = (AttentionLayer(n_heads, d_model, d_head, attn_scale, dtype) for _ in range(n_layers))
        self.blocks = nn.ModuleList(layers)
        self.W_U = nn.Parameter(torch.zeros(d_model, len(self.outputs), dtype=dtype))

    def encode(self, contexts: Sequence[Sequence[str]]) -> Int[Tensor, "batch pos"]:
        """Token indices of contexts of one length.

        Raises:
            InputError: contexts of several lengths, longer than ``n_ctx``, or with an unknown token.
        """
        lengths = sorted({len(context) for context in contexts})
        if len(lengths) != 1 or not 1 <= lengths[0] <= self.n_ctx:
            raise InputError(f"contexts of {lengths} tokens; expected one length from 1 to {self.n_ctx}")
        unknown = sorted({token for context in contexts for token in context} - set(self._index))
        if unknown:
            raise InputError(f"the model has no token {unknown[0]!r}; it has {', '.join(self.tokens)}")
        return torch.tensor([[self._index[token] for token in context] for context in contexts])

    def embed(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        """The residual stream before the first layer."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        rows = tokens + places * len(self.tokens) if self.embedding == "joint" else tokens
        return self.W_E[rows] + self.W_pos[places]

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab_out"]:
        """Logits of the next token at every position."""
        x = self.embed(tokens)
        for block in self.blocks:
            x = x + block(x)
        return x @ self.W_U

    def __getattr__(self, name: str) -> Any:
        """``W_Q``, ``W_K``, ``W_V``, ``W_O`` of a one-layer model, without naming its block."""
        if name in ("W_Q", "W_K", "W_V", "W_O"):
            if len(self.blocks) == 1:
                return getattr(self.blocks[0], name)
            raise AttributeError(f"{name} of which layer? Take model.blocks[layer].{name}")
        return super().__getattr__(name)
