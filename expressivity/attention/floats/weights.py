"""The weights of a model as numbers with errors: what the exact ones lose when they are rounded to each format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from expressivity.attention.floats.arithmetic import UP, Floats, per_format, rounded
from expressivity.attention.floats.numbers import Numbers, add
from expressivity.attention.layered import LayeredHeadWeights, LayeredWeights
from expressivity.attention.models import Embedding, own_name, weight_shapes
from expressivity.attention.tables import Place
from expressivity.attention.weights import ExactWeights, HeadWeights
from expressivity.attention.weights.compile import WEIGHT_BITS, Entries
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.attention.models.transformer import AttentionOnlyTransformer


@dataclass(frozen=True)
class RoundedWeights:
    """A model's weights with their errors in each format.

    Attributes:
        embedding: how tokens and positions are read.
        tokens, outputs: their names, in the order of the weights.
        n_ctx: the longest context, destination included.
        n_layers: how many layers there are.
        attn_scale: scores are divided by it.
        numbers: every weight, by the name of its parameter.
    """

    embedding: Embedding
    tokens: tuple[str, ...]
    outputs: tuple[str, ...]
    n_ctx: int
    n_layers: int
    attn_scale: float
    numbers: Mapping[str, Numbers]

    def of_layer(self, layer: int, name: str) -> Numbers:
        """``W_Q``, ``W_K``, ``W_V`` as ``[n_heads, d_model, d_head]``, ``W_O`` as ``[n_heads · d_head, d_model]``."""
        found = self.numbers[f"blocks.{layer}.{name}"]
        return found.reshape(-1, found.value.shape[-1]) if name == "W_O" else found

    def embedded(self, places: Sequence[Place]) -> Numbers:
        """The residual stream at these places before the first layer, ``[place, d_model]``.

        Raises:
            InputError: the model does not know a token or reaches no such position.
        """
        index = {token: i for i, token in enumerate(self.tokens)}
        for position, token in places:
            if token not in index:
                raise InputError(f"the model has no token {token!r}; it has {', '.join(self.tokens)}")
            if position >= self.n_ctx:
                raise InputError(f"a context has a position {position}; the model's last one is {self.n_ctx - 1}")
        positions = np.array([position for position, _ in places], dtype=np.intp)
        rows = np.array([index[token] for _, token in places], dtype=np.intp)
        rows = rows + positions * len(self.tokens) if self.embedding == "joint" else rows
        return add(self.numbers["W_E"][rows], self.numbers["W_pos"][positions])


def rounded_weights(weights: ExactWeights | LayeredWeights | AttentionOnlyTransformer) -> RoundedWeights:
    """The weights rounded as ``to_model`` rounds them; those of a model are exact as they are stored.

    Raises:
        InputError: a weight of the model is not finite.
    """
    if not isinstance(weights, ExactWeights | LayeredWeights):
        return _of_model(weights)
    if isinstance(weights, ExactWeights):
        heads, layers, width = [len(weights.heads)], 1, len(weights.rows) + len(weights.outputs)
    else:
        heads, layers, width = [len(found) for found in weights.layers], len(weights.layers), len(weights.directions)
    shapes = weight_shapes(
        n_layers=layers,
        n_heads=max(heads),
        d_model=width,
        d_head=weights.d_head,
        n_ctx=weights.n_ctx,
        rows=len(weights.tokens) * (weights.n_ctx if weights.embedding == "joint" else 1),
        d_vocab_out=len(weights.outputs),
    )
    entries, logs = weights.entries(), _with_logs(weights)
    numbers = {}
    for key, shape in shapes.items():
        name = own_name(key)
        value, error = _filled(entries, name, shape)
        for h in logs.get(name, ()):
            error[h] += 2.0 ** (1 - WEIGHT_BITS) * np.abs(value[h])
        numbers[name] = _in_formats(value, error)
    return RoundedWeights(weights.embedding, weights.tokens, weights.outputs, weights.n_ctx, layers, 1.0, numbers)


def _of_model(model: AttentionOnlyTransformer) -> RoundedWeights:
    numbers = {}
    for name, tensor in model.named_parameters():
        value = tensor.detach().cpu().double().numpy()
        if not np.isfinite(value).all():
            raise InputError(f"{name} has a weight that is not a finite number")
        numbers[name] = _in_formats(value, np.zeros(value.shape))
    scale = float(model.attn_scale)
    return RoundedWeights(model.embedding, model.tokens, model.outputs, model.n_ctx, len(model.blocks), scale, numbers)


def _in_formats(value: Floats, error: Floats) -> Numbers:
    """Rounded to each format, where subnormal numbers may be lost and too large ones are not known."""
    stored = rounded(value)
    least = per_format("least", value.ndim)
    lost = UP * (np.abs(stored - value) + error) + np.where((value != 0) & (np.abs(stored) < least), least, 0.0)
    return Numbers(value, np.where(np.isfinite(stored), lost, np.inf))


def _filled(entries: Entries, name: str, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    value, error = np.zeros(shape), np.zeros(shape)
    for index, exact in entries.get(name, ()):
        try:
            near = float(exact)
        except OverflowError:
            near = np.inf
        if not isfinite(near):
            raise InputError(f"{name} has a weight too large for float64")
        value[index] = near
        off = abs(Fraction(near) - exact)
        error[index] = float(off) * UP + (2.0**-1022 if off else 0.0)
    return value, error


def _with_logs(weights: ExactWeights | LayeredWeights) -> dict[str, list[int]]:
    """The heads whose queries or keys are logarithms, by the name of the parameter."""
    layers: Sequence[Sequence[HeadWeights | LayeredHeadWeights]]
    layers = [weights.heads] if isinstance(weights, ExactWeights) else weights.layers
    found: dict[str, list[int]] = {}
    for layer, heads in enumerate(layers):
        for h, head in enumerate(heads):
            for name, factor in (("W_Q", head.scores.query), ("W_K", head.scores.key)):
                if set(factor.terms) != {"e"}:
                    found.setdefault(f"blocks.{layer}.{name}", []).append(h)
    return found
