"""The least-squares projection of a model's logits onto ensembles of an order, by conjugate gradients.

The normal equations ``ΦᵀΦ E = ΦᵀY`` are solved with every feature scaled by the root of how often it holds (Jacobi's
preconditioner), all coordinates of ``Y`` at once, each with step lengths of its own. An iteration is one pass over the
text. It stops when the squared error on the text set apart for that no longer falls, so that features that are rarely
seen are not taken at their word; higher orders begin where the order below them ended.

Memory: four tables ``[features, rank]``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import torch
from torch import Tensor

from expressivity.audit.stream import Stream

MOST_STEPS = 60
_PATIENCE = 4  # passes without improvement
_SMALL = 1e-13  # of a squared residual, relative to that at the start


@dataclass
class Projection:
    """An ensemble found by least squares.

    Attributes:
        weights: ``[features, rank]``, in the model's coordinates.
        steps: passes over the text.
        stopped: ``optimal``, ``validation``, ``steps`` or ``time``.
    """

    weights: Tensor
    steps: int
    stopped: str


def project(
    stream: Stream,
    validation: Stream | None,
    level: int,
    start: Tensor,
    *,
    deadline: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> Projection:
    """The projection on features of at most ``level`` sources.

    Args:
        stream: what is fitted on.
        validation: what tells when to stop; ``None`` to go on to the optimum.
        level: the highest number of sources.
        start: weights to begin with, ``[features, rank]``; those of higher levels are not touched.
        deadline: a time of :func:`time.monotonic`.
        progress: is told the step.
    """
    columns, tiny = stream.lexicon.starts[level + 1], torch.finfo(start.dtype).tiny
    weights = start.clone()
    best, least = weights.clone(), squared_error(validation, level, weights) if validation else float("inf")
    often = weights.new_zeros(columns)
    gradient = torch.zeros_like(weights[:columns])
    for part in stream:
        here = part.incidence[level]
        ones = here.of_features(weights.new_ones(part.contexts, 1))[:, 0]
        off = part.batch.y - here.of_contexts(weights[here.columns])
        often.index_add_(0, here.columns, ones)
        gradient.index_add_(0, here.columns, here.of_features(off))
    scale = often.clamp(min=1).rsqrt()[:, None]
    residual = gradient * scale
    direction = residual.clone()
    size = residual.square().sum(0)
    first, waited, stopped = size.clone().clamp(min=tiny), 0, "steps"
    step = 0
    for step in range(1, MOST_STEPS + 1):
        open_ = size > _SMALL * first
        if not open_.any():
            stopped = "optimal"
            break
        if monotonic() > deadline:
            stopped = "time"
            break
        progress(f"least squares: pass {step}")
        product = torch.zeros_like(direction)
        scaled = direction * scale
        for part in stream:
            here = part.incidence[level]
            product.index_add_(0, here.columns, here.of_features(here.of_contexts(scaled[here.columns])))
        product *= scale
        curvature = (direction * product).sum(0)
        length = torch.where(open_ & (curvature > 0), size / curvature.clamp(min=tiny), 0.0)
        weights[:columns] += scaled * length
        residual -= product * length
        after = residual.square().sum(0)
        direction = residual + direction * torch.where(open_, after / size.clamp(min=tiny), 0.0)
        size = after
        if validation is not None:
            error = squared_error(validation, level, weights)
            if error < least * (1 - 1e-5):
                waited = 0
            else:
                waited += 1
            if error < least:
                best, least = weights.clone(), error
            if waited >= _PATIENCE:
                stopped = "validation"
                break
    return Projection(best if validation is not None else weights, step, stopped)


def squared_error(stream: Stream, level: int, weights: Tensor) -> float:
    """The mean squared error of centred logits, summed over outputs."""
    total, many = 0.0, 0
    for part in stream:
        here = part.incidence[level]
        total += float((part.batch.y - here.of_contexts(weights[here.columns])).square().sum(dtype=torch.float64))
        many += part.contexts
    return total / max(1, many)
