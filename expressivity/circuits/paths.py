"""The path expansion: logits as a sum over ways through the heads, with attention patterns frozen.

With the patterns as the model has them, everything else is linear: the logits are the sum over all paths, of heads of
rising layers, of what goes along them (Elhage et al. 2021): the direct path, single heads, and *virtual heads*, which
are heads in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import torch
from torch import Tensor

from expressivity.circuits.data import Data, losses
from expressivity.circuits.model import Circuits, HeadName, Path
from expressivity.errors import InputError

MOST_PATHS = 1024


@dataclass(frozen=True)
class Importance:
    """What the terms of the path expansion are worth on data, in nats.

    Attributes:
        losses: with the terms of order 0 alone (the direct path), up to order 1, and so on; the last is the model's.
        paths: the loss without that one path, less the model's: what it is worth where all others are kept.
        chance: the loss of equal probabilities, ln of the number of outputs.
    """

    losses: tuple[float, ...]
    paths: dict[Path, float]
    chance: float


def paths_of(circuits: Circuits) -> list[Path]:
    """The direct path, single heads, virtual heads.

    Raises:
        InputError: more than 1,024 of them.
    """
    layers = [[head for head in circuits.heads if head.layer == layer] for layer in range(len(circuits.model.blocks))]
    if (1 + circuits.model.n_heads) ** len(layers) > MOST_PATHS:
        raise InputError(
            f"{len(layers)} layers of {circuits.model.n_heads} heads have more than {MOST_PATHS:,} paths; their "
            "importance is measured by order alone"
        )
    return [path for order in range(len(layers) + 1) for some in combinations(layers, order) for path in product(*some)]


@torch.no_grad()
def expand(circuits: Circuits, tokens: Tensor) -> dict[Path, Tensor]:
    """The logits that come along each path; their sum is the model's.

    Args:
        circuits: of attention alone.
        tokens: token numbers, shape ``[batch, pos]``.

    Returns:
        For each path, shape ``[batch, pos, outputs]``.

    Raises:
        InputError: there is an MLP, or there are too many paths.

    >>> from expressivity.heads.gallery import load_construction
    >>> circuits = Circuits.of(load_construction("virtual_head:4"))
    >>> terms = expand(circuits, torch.tensor([[0, 1, 2, 3]]))
    >>> torch.allclose(sum(terms.values()), circuits.logits(torch.tensor([[0, 1, 2, 3]])))
    True
    """
    circuits.needs_attention_alone("the path expansion")
    paths_of(circuits)
    return {path: stream @ circuits.model.W_U for path, stream in _streams(circuits, tokens).items()}


def importance(circuits: Circuits, data: Any, *, by_path: bool = True) -> Importance:
    """The loss as terms of higher order are added, and without each path in turn; patterns frozen throughout.

    Order by order this is the ablation of Elhage et al. 2021: heads read what was written up to one order before.

    Args:
        circuits: of attention alone.
        data: as :meth:`Data.of` reads them.
        by_path: whether to leave out each path in turn, as well.

    Raises:
        InputError: there is an MLP, or there are too many paths.
    """
    circuits.needs_attention_alone("the importance of terms")
    given = Data.of(data, circuits)
    paths = paths_of(circuits) if by_path else []
    orders = len(circuits.model.blocks) + 1
    by_order = torch.zeros(orders, dtype=torch.float64)
    without = torch.zeros(len(paths), dtype=torch.float64)
    for batch in given.chunks(circuits, terms=3):
        weights = batch.weights[:, None]
        logits: Tensor | None = None
        for order, stream in enumerate(_by_order(circuits, batch.tokens)):
            more = stream @ circuits.model.W_U
            logits = more if logits is None else logits + more
            by_order[order] += float((losses(logits, batch) * weights).sum())
        if logits is None:
            continue
        streams = _streams(circuits, batch.tokens) if paths else {}
        for k, path in enumerate(paths):
            without[k] += float((losses(logits - streams[path] @ circuits.model.W_U, batch) * weights).sum())
    total = given.weight
    losses_ = tuple((by_order / total).tolist())
    worth = dict(zip(paths, (without / total - losses_[-1]).tolist(), strict=True))
    return Importance(losses_, worth, float(torch.tensor(len(circuits.outputs)).double().log()))


def _streams(circuits: Circuits, tokens: Tensor) -> dict[Path, Tensor]:
    """What is in the residual stream at the end, by the path it came."""
    found: dict[Path, Tensor] = {(): circuits.model.embed(tokens)}
    for layer, pattern in enumerate(circuits.patterns(tokens)):
        before = list(found.items())
        for head in range(circuits.model.n_heads):
            name = HeadName(layer, head)
            for path, stream in before:
                found[(*path, name)] = _carried(circuits, name, pattern[:, head], stream)
    return {path: found[path] for path in sorted(found, key=lambda path: (len(path), path))}


@torch.no_grad()
def _by_order(circuits: Circuits, tokens: Tensor) -> Iterator[Tensor]:
    """What is in the residual stream at the end, by the number of heads it came through."""
    patterns = circuits.patterns(tokens)
    found = [circuits.model.embed(tokens)] + [torch.zeros(())] * len(patterns)
    for layer, pattern in enumerate(patterns):
        for order in range(layer, -1, -1):
            for head in range(circuits.model.n_heads):
                name = HeadName(layer, head)
                found[order + 1] = found[order + 1] + _carried(circuits, name, pattern[:, head], found[order])
    yield from (stream.broadcast_to(found[0].shape) for stream in found)


def _carried(circuits: Circuits, head: HeadName, pattern: Tensor, stream: Tensor) -> Tensor:
    *_, value, output = circuits.weights(head)
    return pattern @ (stream @ value) @ output
