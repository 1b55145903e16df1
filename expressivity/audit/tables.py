"""Two tables of skip-trigrams read off the weights of one layer, and what each head's denominators do.

A head writes ``N/D``: values weighted by odds, divided by the sum of the odds. With every ``D`` in its place the model
is itself; with ``D`` replaced by a number ``c`` that depends on the destination alone, it is a sum of skip-trigrams.
With ``g = D/c``, heads h and the direct path b:

- ``QK·OV`` and direct path: ``b + Σ_h g_h out_h``;
- the deciding table: ``Σ_h g_h (out_h + b) − (H − 1) b``, odds times *writes plus direct path*. For one head that is
  the model's logits times g, so that it decides as the model does (theorem T2); for several it is so to first order
  in ``g − 1``, terms of two sources left out.

``c`` is the odds of the destination itself (the table *as it stands*, where scores are read without context), or the
head's average denominator on the text fitted on: a factor of the position times one of the destination.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.audit.forward import Audited
from expressivity.audit.text import Windows
from expressivity.errors import InputError

PRIOR = 10  # contexts
_STEP = 1 << 22  # numbers of the scores that are held at a time
_LARGEST = 60.0  # exponents are cut here: e^60 drowns everything else all the same


@dataclass
class Inside:
    """One layer on some windows.

    Attributes:
        inputs: token numbers, ``[windows, width]``.
        direct: the residual stream before the heads, ``[windows, width, d]``.
        out: what each head adds, ``[windows, heads, width, d]``.
        pattern: attention, ``[windows, heads, width, width]``.
        log_mass: the logarithm of each head's denominator, less the destination's score with the mean key,
            ``[windows, heads, width]``.
        own: the same of the odds of the destination itself.
    """

    inputs: Tensor
    direct: Tensor
    out: Tensor
    pattern: Tensor
    log_mass: Tensor
    own: Tensor


@dataclass
class Denominators:
    """The logarithm of each head's average denominator: ``by_place[h, t] + by_token[h, q]``.

    The ratio of denominators to it is 1 on average, over all contexts of a position before destinations are told apart,
    and then over all of a destination with :data:`PRIOR` contexts of ratio 1 besides: denominators have long tails, and
    the average of a token that was seen twice is no guide to the third time.

    Scores are taken less that of the destination with the mean key, so that destinations that were never seen have a
    denominator too.
    """

    keys: Tensor
    by_place: Tensor
    by_token: Tensor

    def at(self, inside: Inside) -> Tensor:
        """For the destinations of some windows, ``[windows, heads, width]``."""
        places = self.by_place[:, : inside.inputs.shape[1]]
        return places[None] + self.by_token[:, inside.inputs].movedim(0, 1)


def one_layer(model: Audited) -> AttentionOnlyTransformer:
    """The layer itself.

    Raises:
        InputError: the model has several, or is none of attention alone.
    """
    found = model.one_layer
    if found is None:
        raise InputError("the model is not one layer of attention alone; tables are read off such models only")
    return found


def look_inside(model: Audited, windows: Windows, keys: Tensor | None = None) -> Iterator[tuple[Windows, Inside]]:
    """One layer on windows, a few at a time."""
    layer = one_layer(model)
    width = windows.tokens.shape[1]
    step = max(1, _STEP // max(1, layer.n_heads * width * max(width, layer.d_model)))
    for start in range(0, len(windows), step):
        some = windows[start : start + step]
        with torch.no_grad():
            yield some, _inside(layer, model.inputs(some), keys)


def _inside(layer: AttentionOnlyTransformer, inputs: Tensor, keys: Tensor | None) -> Inside:
    x = layer.embed(inputs)
    q = torch.einsum("bpm,hmd->bhpd", x, layer.W_Q)
    k = torch.einsum("bpm,hmd->bhpd", x, layer.W_K)
    v = torch.einsum("bpm,hmd->bhpd", x, layer.W_V)
    if keys is not None:
        k = k - keys[None, :, None]
    scores = q @ k.transpose(-1, -2) / layer.attn_scale
    own = scores.diagonal(dim1=-2, dim2=-1)
    future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
    scores = scores.masked_fill(future, -torch.inf)
    pattern = scores.softmax(-1)
    out = torch.einsum("bhpd,hdm->bhpm", pattern @ v, layer.W_O)
    return Inside(inputs, x, out, pattern, scores.logsumexp(-1), own)


def average_denominators(model: Audited, windows: Windows) -> Denominators:
    """The mean key, then the mean over positions, then what is left to each token: three passes."""
    layer = one_layer(model)
    heads, width = layer.n_heads, windows.tokens.shape[1]
    none = torch.zeros(0, dtype=model.dtype, device=model.device)
    keys, seen = none.new_zeros(heads, layer.d_head), 0.0
    for some in (windows[k : k + 256] for k in range(0, len(windows), 256)):
        with torch.no_grad():
            there = torch.from_numpy(some.tokens >= 0).to(model.device)
            x = layer.embed(model.inputs(some))[there]
            keys += torch.einsum("pm,hmd->hd", x, layer.W_K)
            seen += len(x)
    found = Denominators(keys / max(1.0, seen), none.new_zeros(heads, width), none.new_zeros(heads, len(model.tokens)))
    by_place, counted = torch.zeros_like(found.by_place), none.new_zeros(width)
    for some, inside in look_inside(model, windows, found.keys):
        graded = torch.from_numpy(np.ascontiguousarray(some.graded)).to(model.device)
        by_place += torch.where(graded[:, None], inside.log_mass.clamp(max=_LARGEST).exp(), 0.0).sum(0)
        counted += graded.sum(0)
    found.by_place = torch.where(counted > 0, (by_place / counted.clamp(min=1)).log(), 0.0)
    by_token, often = torch.zeros_like(found.by_token), none.new_zeros(len(model.tokens))
    for some, inside in look_inside(model, windows, found.keys):
        graded = torch.from_numpy(np.ascontiguousarray(some.graded)).to(model.device)
        left = (inside.log_mass - found.by_place[None]).clamp(max=_LARGEST).exp().movedim(1, 0)[:, graded]
        by_token.index_add_(1, inside.inputs[graded], left)
        often.index_add_(0, inside.inputs[graded], none.new_ones(left.shape[1]))
    found.by_token = ((by_token + PRIOR) / (often + PRIOR)).log()
    return found


AS_IT_STANDS = "QK·OV + direct path"
AVERAGED = "QK·OV, average denominators"
DECIDING = "deciding table (T2)"
DECIDING_AVERAGED = "deciding, average denominators"


def read_off(inside: Inside, average: Denominators) -> dict[str, Tensor]:
    """The residual streams of the tables, ``[windows, width, d]`` each.

    The deciding table as it stands is left out with several heads: it is exact for one alone.
    """
    heads = inside.out.shape[1]
    raw = (inside.log_mass - inside.own).clamp(max=_LARGEST).exp()
    mean = (inside.log_mass - average.at(inside)).clamp(max=_LARGEST).exp()
    found = {}
    for gate, table, deciding in ((raw, AS_IT_STANDS, DECIDING), (mean, AVERAGED, DECIDING_AVERAGED)):
        written = (gate[..., None] * inside.out).sum(1)
        found[table] = inside.direct + written
        if gate is mean or heads == 1:
            found[deciding] = written + (gate.sum(1) - (heads - 1))[..., None] * inside.direct
    return found


def frozen(inside: Inside, average: Denominators) -> Tensor:
    """The residual stream with one head's denominators at a time at their average, ``[heads, windows, width, d]``."""
    gate = (inside.log_mass - average.at(inside)).clamp(max=_LARGEST).exp()
    whole = inside.direct + inside.out.sum(1)
    return whole[None] + ((gate - 1)[..., None] * inside.out).movedim(1, 0)
