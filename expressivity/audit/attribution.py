"""What skip-trigrams miss, by head and by context: gates, the tokens that close them, the contexts missed most.

A head's *gate* in a context is its average denominator over the one it has there: below 1, what it would have written
is damped by something that drew its attention. With the gate fixed at 1 the head is a sum of skip-trigrams; what the
model's distribution changes by then is what the gate does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from expressivity.audit.forward import Audited
from expressivity.audit.grams import Array
from expressivity.audit.tables import Denominators, Inside, frozen, look_inside
from expressivity.audit.text import Windows

NAMED = 5  # tokens listed for each head
OFTEN = 50  # contexts that a token has to be in
QUIET = 0.5  # what it may write, beside what the head writes on average
DRAWS = 2.0  # attention that it has to draw, beside an even share


@dataclass(frozen=True)
class Switch:
    """A token that damps what else a head writes.

    Attributes:
        token: the token.
        gate: the geometric mean of the head's gate in contexts where it occurs.
        attention: the head's attention to each occurrence, on average over the contexts it is in.
        writes: the size of what the head writes from it, beside its average over attention.
        contexts: how many it occurs in.
    """

    token: str
    gate: float
    attention: float
    writes: float
    contexts: int


@dataclass
class HeadFindings:
    """One head.

    Attributes:
        gap: for each context the divergence of the model with this head's denominators frozen, ``[contexts]``.
        switches: the tokens that damp it most, while they write little.
    """

    gap: Array
    switches: list[Switch]


def by_head(model: Audited, windows: Windows, average: Denominators) -> list[HeadFindings]:
    """The gates of every head on a text."""
    heads, many = average.keys.shape[0], len(model.tokens)
    gaps: list[list[Array]] = [[] for _ in range(heads)]
    none = torch.zeros(heads, many, dtype=torch.float64, device=model.device)
    closed, drawn = none.clone(), none.clone()
    within, pairs, even = none[0].clone(), none[0].clone(), none[0].clone()
    for some, inside in look_inside(model, windows, average.keys):
        graded = torch.from_numpy(np.ascontiguousarray(some.graded)).to(model.device)
        own = ((inside.direct + inside.out.sum(1))[graded] @ model.into @ model.basis).log_softmax(-1)
        for h, x in enumerate(frozen(inside, average)):
            theirs = (x[graded] @ model.into @ model.basis).log_softmax(-1)
            gaps[h].append((own.exp() * (own - theirs)).sum(-1).double().cpu().numpy())
        _add_tokens(inside, graded, average, closed, drawn, within, pairs, even)
    sizes = _written(model)
    found = []
    for h in range(heads):
        share = drawn[h] / drawn[h].sum().clamp(min=1e-300)
        writes = sizes[h] / (share * sizes[h]).sum().clamp(min=1e-300)
        gate = (-(closed[h] / within.clamp(min=1))).exp()
        attention = drawn[h] / pairs.clamp(min=1)
        quiet = (within >= OFTEN) & (writes <= QUIET) & (drawn[h] >= DRAWS * even) & (gate < 1)
        listed = [k for k in torch.argsort(gate).tolist() if quiet[k]][:NAMED]
        switches = [
            Switch(model.tokens[k], float(gate[k]), float(attention[k]), float(writes[k]), int(within[k]))
            for k in listed
        ]
        found.append(HeadFindings(np.concatenate(gaps[h]), switches))
    return found


def _add_tokens(
    inside: Inside, graded: Tensor, average: Denominators, closed: Tensor, drawn: Tensor, within: Tensor,
    pairs: Tensor, even: Tensor,
) -> None:  # fmt: skip
    """Sums over contexts, for every token among their sources: of log (D/c), of attention, of the contexts."""
    tokens, width = inside.inputs, inside.inputs.shape[1]
    log_ratio = (inside.log_mass - average.at(inside)).double()
    sees = graded[:, :, None] & torch.ones(width, width, dtype=torch.bool, device=tokens.device).tril(-1)
    # [windows, destination, source]; a token is counted at its first place in the context.
    same = tokens[:, :, None] == tokens[:, None, :]
    first = ~(same & torch.ones(width, width, dtype=torch.bool, device=tokens.device).tril(-1)).any(2)
    counted = (sees & first[:, None, :]).double()
    flat = tokens.reshape(-1)
    within.index_add_(0, flat, counted.sum(1).reshape(-1))
    pairs.index_add_(0, flat, sees.double().sum(1).reshape(-1))
    share = 1 / torch.arange(1, width + 1, device=tokens.device, dtype=torch.float64)
    even.index_add_(0, flat, (sees * share[None, :, None]).sum(1).reshape(-1))
    closed.index_add_(1, flat, torch.einsum("wht,wts->hws", log_ratio, counted).reshape(len(closed), -1))
    seen = (inside.pattern.double() * sees[:, None]).sum(2).movedim(1, 0)
    drawn.index_add_(1, flat, seen.reshape(len(drawn), -1))


def _written(model: Audited) -> Tensor:
    """How much each head writes from each token, in centred logits, ``[heads, tokens]``; positions left out."""
    layer = model.model
    with torch.no_grad():
        rows = layer.W_E.reshape(-1, len(model.tokens), layer.d_model).mean(0)  # joint: the mean over positions
        if layer.embedding == "additive":
            rows = rows + layer.W_pos.mean(0)
        return torch.stack(
            [(rows @ v @ o @ model.into).norm(dim=1) for v, o in zip(layer.W_V, layer.W_O, strict=True)]
        ).double()
