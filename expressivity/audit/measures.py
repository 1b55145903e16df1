"""What is measured of an ensemble or a table on a text, context by context and in sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from expressivity.audit.bootstrap import Array, Estimate, bootstrap
from expressivity.audit.ensemble import Ensemble
from expressivity.audit.forward import Audited
from expressivity.audit.projection import Projection
from expressivity.audit.stream import Stream
from expressivity.audit.tables import Denominators, look_inside, read_off
from expressivity.audit.text import Windows

_TIED = 1e-5  # below the largest logit, of the size of the logits: as good as on top


@dataclass
class Contexts:
    """Numbers for each context, gathered part by part; ``unit`` is what intervals resample."""

    parts: list[dict[str, Array]] = field(default_factory=list)

    def add(self, numbers: Mapping[str, Tensor]) -> None:
        """Some more contexts."""
        self.parts.append({name: value.detach().double().cpu().numpy() for name, value in numbers.items()})

    def __getitem__(self, name: str) -> Array:
        return np.concatenate([part[name] for part in self.parts])

    @property
    def names(self) -> list[str]:
        """What there is."""
        return list(self.parts[0]) if self.parts else []


def own_numbers(y: Tensor, basis: Tensor, target: Tensor, centre: Tensor) -> dict[str, Tensor]:
    """Of the model itself: its entropy, its cross-entropy with the text, the variance of its centred logits."""
    own = (y @ basis).log_softmax(-1)
    known = target >= 0
    chosen = own.gather(1, target.clamp(min=0)[:, None])[:, 0]
    return {
        "contexts": torch.ones_like(chosen),
        "entropy": -(own.exp() * own).sum(-1),
        "known": known.to(own.dtype),
        "own_data": torch.where(known, -chosen, 0.0),
        "variance": (y - centre).square().sum(-1),
    }


def compared(y: Tensor, basis: Tensor, target: Tensor, logits: Tensor) -> dict[str, Tensor]:
    """Of some logits beside the model's: divergence, cross-entropy with the text, agreement, squared error."""
    mine = y @ basis
    own, theirs = mine.log_softmax(-1), logits.log_softmax(-1)
    chosen = theirs.gather(1, target.clamp(min=0)[:, None])[:, 0]
    top = mine.gather(1, logits.argmax(-1)[:, None])[:, 0]
    near = _TIED * (mine.max(-1).values - mine.min(-1).values)
    return {
        "divergence": (own.exp() * (own - theirs)).sum(-1),
        "data": torch.where(target >= 0, -chosen, 0.0),
        "agrees": (top >= mine.max(-1).values - near).to(own.dtype),
        "error": (mine - (logits - logits.mean(-1, keepdim=True))).square().sum(-1),
    }


def mean_coordinates(stream: Stream) -> Tensor:
    """The mean of the model's coordinates, ``[rank]``."""
    total, many = torch.zeros(stream.model.rank, dtype=torch.float64, device=stream.model.device), 0
    for part in stream:
        total += part.batch.y.sum(0, dtype=torch.float64)
        many += part.contexts
    return (total / max(1, many)).to(stream.model.dtype)


def of_ensemble(stream: Stream, ensemble: Ensemble, projection: Projection) -> Contexts:
    """An order on a text: the fit's probabilities, and the projection's squared error."""
    found, basis, centre = Contexts(), stream.model.basis, mean_coordinates(stream)
    for part in stream:
        y, target = part.batch.y, part.batch.target
        numbers = own_numbers(y, basis, target, centre) | compared(y, basis, target, ensemble.logits(part))
        here = part.incidence[ensemble.level]
        off = y - here.of_contexts(projection.weights[here.columns])
        found.add(numbers | {"error": off.square().sum(-1), "unit": part.batch.unit})
    return found


def of_tables(model: Audited, windows: Windows, average: Denominators, centre: Tensor) -> dict[str, Contexts]:
    """The tables read off the weights on a text."""
    found: dict[str, Contexts] = {}
    for y, target, unit, tables in _read(model, windows, average):
        for name, x in tables.items():
            logits = (x @ model.into) @ model.basis
            numbers = own_numbers(y, model.basis, target, centre) | compared(y, model.basis, target, logits)
            found.setdefault(name, Contexts()).add(numbers | {"unit": unit})
    return found


def _read(
    model: Audited, windows: Windows, average: Denominators
) -> Iterator[tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]]:
    for some, inside in look_inside(model, windows, average.keys):
        graded = torch.from_numpy(np.ascontiguousarray(some.graded)).to(model.device)
        y = (inside.direct + inside.out.sum(1))[graded] @ model.into
        tables = {name: x[graded] for name, x in read_off(inside, average).items()}
        yield y, *model.known(some), tables


def _ratio(above: str, below: str) -> Any:
    return lambda of: of[above] / of[below]


MEASURES: dict[str, Any] = {
    "gap": _ratio("divergence", "contexts"),
    "cross_entropy_model": lambda of: (of["entropy"] + of["divergence"]) / of["contexts"],
    "cross_entropy_data": _ratio("data", "known"),
    "gap_data": lambda of: (of["data"] - of["own_data"]) / of["known"],
    "agreement": _ratio("agrees", "contexts"),
    "share": lambda of: np.where(of["variance"] > 0, 1 - of["error"] / of["variance"], 1.0),
}
"""Each as a function of sums."""


def estimates(contexts: Contexts, *, seed: int) -> dict[str, Estimate]:
    """The measures with their intervals."""
    sums = {name: contexts[name] for name in contexts.names if name != "unit"}
    measures = dict(MEASURES)
    if not sums["known"].any():
        del measures["cross_entropy_data"], measures["gap_data"]
    return bootstrap(sums, contexts["unit"], measures, seed=seed)
