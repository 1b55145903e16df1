"""The skip-n-gram ensemble that comes nearest to a model's probabilities: multinomial logistic regression, streamed.

What is fitted, by least ``KL(model ‖ ensemble)``: logits ``Σ_f E[f] · U`` over the features f of a context. Where
``features × outputs`` numbers fit (:data:`MOST_FREE`) ``U`` is the identity, and every weight is free. Else ``U``
has the rank of the model's own unembedding, where it starts; both factors are fitted. That is an upper bound of the gap
of all ensembles with these features, as every fit is.

Small problems are solved to the optimum by L-BFGS. Others are fitted by minibatches with step sizes of each weight's
own (Adagrad, Duchi, Hazan & Singer 2011). Whenever the divergence on the text set apart for that falls no longer, the
best weights so far are taken up again at a quarter of the rate. Same seed, same weights, on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
import torch
from torch import Tensor

from expressivity.audit.stream import Part, Stream

MOST_FREE = 1 << 24  # weights
SOLVED = 1 << 22  # contexts × outputs of problems that are solved to the optimum
EPOCHS, STEPS = 12, 1000  # passes over the text, at least so many minibatches
RATE = 0.1
_CHECKS = 2  # looks at the validation text in each pass
_ENOUGH = 1e-3  # of the divergence: by so much it is to fall from look to look
_FINEST = 1e-3  # of the first rate


@dataclass
class Ensemble:
    """Weights.

    Attributes:
        level: the highest number of sources.
        weights: ``E``, ``[features, r]``.
        readout: ``U``, ``[r, outputs]``; ``None`` for the identity.
        stopped: ``optimal``, ``validation``, ``passes`` or ``time``.
    """

    level: int
    weights: Tensor
    readout: Tensor | None
    stopped: str = ""

    def logits(self, part: Part) -> Tensor:
        """``[contexts, outputs]``."""
        here = part.incidence[self.level]
        found = here.of_contexts(self.weights[here.columns])
        return found if self.readout is None else found @ self.readout

    def copy(self) -> Ensemble:
        """Weights of its own."""
        readout = None if self.readout is None else self.readout.clone()
        return Ensemble(self.level, self.weights.clone(), readout, self.stopped)


def from_coordinates(weights: Tensor, basis: Tensor, level: int) -> Ensemble:
    """The ensemble with weights in the model's coordinates, ready to be fitted."""
    if len(weights) * basis.shape[1] <= MOST_FREE:
        return Ensemble(level, weights @ basis, None)
    return Ensemble(level, weights.clone(), basis.clone())


def divergence(stream: Stream, ensemble: Ensemble) -> float:
    """The mean ``KL(model ‖ ensemble)``, in nats."""
    total, many = 0.0, 0
    for part in stream:
        own = (part.batch.y @ stream.model.basis).log_softmax(-1)
        theirs = ensemble.logits(part).log_softmax(-1)
        total += float((own.exp() * (own - theirs)).sum(dtype=torch.float64))
        many += part.contexts
    return total / max(1, many)


def fit(
    stream: Stream,
    validation: Stream | None,
    starts: list[Ensemble],
    *,
    deadline: float = float("inf"),
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Ensemble:
    """Fit an ensemble to the model's probabilities.

    Args:
        stream: what is fitted on.
        validation: what tells which weights to keep; ``None`` to keep the last.
        starts: weights to begin with: the best of these.
        deadline: a time of :func:`time.monotonic`.
        seed: of the order of the minibatches.
        progress: is told the step.
    """
    judge = validation or stream
    losses = [divergence(judge, each) for each in starts]
    best, least = starts[int(np.argmin(losses))], min(losses)
    if best.readout is None and stream.windows.contexts * best.weights.shape[1] <= SOLVED:
        found = _solve(stream, best.copy(), deadline, progress)
    else:
        found = _descend(stream, validation, best.copy(), deadline, seed, progress)
    if validation is None or divergence(validation, found) <= least:
        return found
    kept = best.copy()
    kept.stopped = "validation"
    return kept


def _solve(stream: Stream, ensemble: Ensemble, deadline: float, progress: Callable[[str], None]) -> Ensemble:
    parts, basis = list(stream), stream.model.basis
    own = [(part.batch.y @ basis).softmax(-1) for part in parts]
    many = sum(part.contexts for part in parts)
    # A feature that always holds with another has no weight of its own; the rest are scaled as in least squares.
    often = torch.zeros(len(ensemble.weights), dtype=basis.dtype, device=basis.device)
    for part in parts:
        here = part.incidence[ensemble.level]
        often.index_add_(0, here.columns, here.of_features(often.new_ones(part.contexts, 1))[:, 0])
    scale = (often.clamp(min=1) / many).rsqrt()[:, None]
    point = (ensemble.weights / scale).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [point], max_iter=50, history_size=30, line_search_fn="strong_wolfe", tolerance_grad=1e-10,
        tolerance_change=1e-14,
    )  # fmt: skip

    def closure() -> float:
        optimiser.zero_grad()
        gradient, total = torch.zeros_like(point), 0.0
        with torch.no_grad():
            weights = point * scale
            for part, p in zip(parts, own, strict=True):
                here = part.incidence[ensemble.level]
                q = here.of_contexts(weights[here.columns]).log_softmax(-1)
                total += float((torch.xlogy(p, p) - p * q).sum(dtype=torch.float64))
                gradient.index_add_(0, here.columns, here.of_features((q.exp() - p) / many))
        point.grad = gradient * scale
        return total / many

    before, stopped = float("inf"), "passes"
    for round_ in range(20):
        progress(f"fit: round {round_ + 1} of L-BFGS")
        loss = float(optimiser.step(closure))  # type: ignore[no-untyped-call]
        if monotonic() > deadline:
            stopped = "time"
            break
        if before - loss < 1e-9:
            stopped = "optimal"
            break
        before = loss
    return Ensemble(ensemble.level, (point * scale).detach(), None, stopped)


def _descend(
    stream: Stream,
    validation: Stream | None,
    ensemble: Ensemble,
    deadline: float,
    seed: int,
    progress: Callable[[str], None],
) -> Ensemble:
    basis, rng = stream.model.basis, np.random.default_rng(seed)
    weights, readout = ensemble.weights, ensemble.readout
    # A weight's first step is as long as the rate times the size of the logits' coordinates.
    spread = float(stream[0].batch.y.square().mean().sqrt()) or 1.0
    if readout is None:
        spread *= float(basis.square().sum(0).mean().sqrt())
    seen = torch.full_like(weights, 1e-12)
    seen_readout = None if readout is None else torch.full_like(readout, 1e-12)
    passes = max(EPOCHS, -(-STEPS // len(stream)))
    check, total, done = max(len(stream) // _CHECKS, 25), passes * len(stream), 0
    best, least, stopped = ensemble.copy(), divergence(validation, ensemble) if validation else float("inf"), "passes"
    rate, before = RATE, least
    for epoch in range(passes):
        for k in rng.permutation(len(stream)).tolist():
            step = spread * (rate if validation is not None else rate * (1 - done / total))
            part = stream[k]
            here = part.incidence[ensemble.level]
            p = (part.batch.y @ basis).softmax(-1)
            rows = weights[here.columns]
            hidden = here.of_contexts(rows)
            error = ((hidden if readout is None else hidden @ readout).softmax(-1) - p) / part.contexts
            back = here.of_features(error if readout is None else error @ readout.T)
            square = seen[here.columns] + back.square()
            seen[here.columns] = square
            weights[here.columns] = rows - step * back * square.rsqrt()
            if readout is not None and seen_readout is not None:
                slope = hidden.T @ error
                seen_readout += slope.square()
                readout -= 0.01 * step / spread * slope * seen_readout.rsqrt()
            done += 1
            if validation is not None and done % check == 0:
                loss = divergence(validation, ensemble)
                progress(f"fit: pass {epoch + 1} of {passes}, {loss:.4f} nats")
                if loss < least:
                    best, least = ensemble.copy(), loss
                if loss > before - _ENOUGH * before:  # no better for this rate: back to the best, and more carefully
                    weights.copy_(best.weights)
                    if readout is not None and best.readout is not None:
                        readout.copy_(best.readout)
                    rate /= 4
                before = least
            if monotonic() > deadline:
                stopped = "time"
            elif rate < RATE * _FINEST:
                stopped = "validation"
            if stopped != "passes":
                break
        if stopped != "passes":
            break
    found = ensemble if validation is None else best
    found.stopped = stopped
    return found
