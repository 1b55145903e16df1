"""What a model is measured on: sequences of token numbers, or the contexts of a task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from expressivity.circuits.model import Circuits
from expressivity.errors import InputError
from expressivity.task import Domain, Task

CELLS = 1 << 24
"""Logits and attention that are in memory at a time."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences of one length.

    Attributes:
        tokens: shape ``[n, length]``.
        targets: the output that follows at each position, −1 where none is asked for; the same shape.
        weights: of each sequence; shape ``[n]``.
    """

    tokens: Tensor
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True, eq=False)
class Data:
    """Predictions that are asked for, with weights.

    Attributes:
        batches: one for each length.
        is_text: whether every position of a sequence asks for the next token, as in text; contexts ask at their end.
        left_out: token numbers that follow somewhere and are no output of the model, so that nothing is asked there.
    """

    batches: tuple[Batch, ...]
    is_text: bool
    left_out: int = 0

    @classmethod
    def of(cls, data: Any, circuits: Circuits, *, most: int | None = None) -> Data:
        """Read data for a model.

        Args:
            data: whole numbers in one dimension, which are cut into windows, or in two, a sequence in each row; or a
                task, whose labels and ties count as probabilities.
            circuits: of the model.
            most: sequences at most, spread evenly.

        Raises:
            InputError: numbers that are no tokens, sequences too short or too long, tokens or outputs that the model
                has not, top sets, which say nothing of probabilities.
        """
        if isinstance(data, Data):
            return data
        if isinstance(data, Task):
            return _contexts(data, circuits)
        if isinstance(data, Domain):
            raise InputError(f"{data.name}: has too many contexts to run; give some of them")
        return _sequences(data, circuits, most)

    @property
    def weight(self) -> float:
        """Of all predictions together."""
        return float(sum(((b.targets >= 0) * b.weights[:, None]).sum() for b in self.batches))

    @property
    def predictions(self) -> int:
        """How many are asked for."""
        return int(sum((b.targets >= 0).sum() for b in self.batches))

    def chunks(self, circuits: Circuits, *, terms: int = 1) -> Iterator[Batch]:
        """The batches in parts that fit in memory, with ``terms`` sets of logits at a time."""
        heads, outputs = len(circuits.heads), len(circuits.outputs)
        device = circuits.model.W_E.device
        for batch in self.batches:
            length = batch.tokens.shape[1]
            step = max(1, CELLS // (length * (terms * outputs + heads * length)))
            for start in range(0, len(batch.tokens), step):
                part = (batch.tokens, batch.targets, batch.weights)
                yield Batch(*(each[start : start + step].to(device) for each in part))


def mean_loss(circuits: Circuits, data: Data) -> float:
    """The cross-entropy of the model on the data, in nats."""
    total = 0.0
    for batch in data.chunks(circuits):
        total += float(weighted_loss(circuits.logits(batch.tokens), batch))
    return total / data.weight


def weighted_loss(logits: Tensor, batch: Batch) -> Tensor:
    """The sum of −log p(target) over predictions, each times its weight."""
    return (losses(logits, batch) * batch.weights[:, None]).sum()


def losses(logits: Tensor, batch: Batch) -> Tensor:
    """−log p(target) at each position, 0 where nothing is asked; shape ``[n, length]``."""
    asked = batch.targets >= 0
    chosen = logits.gather(-1, batch.targets.clamp(min=0)[..., None])[..., 0]
    return (logits.logsumexp(-1) - chosen).where(asked, torch.zeros_like(chosen))


def _sequences(data: Any, circuits: Circuits, most: int | None) -> Data:
    model = circuits.model
    try:
        found = np.asarray(data.cpu() if isinstance(data, Tensor) else data)
    except ValueError as error:
        raise InputError(f"the data are no array: {error}") from None
    if found.dtype.kind not in "iu" or found.ndim not in (1, 2) or not found.size:
        raise InputError(
            f"the data are {found.dtype} of shape {list(found.shape)}; expected whole numbers in one dimension, or in "
            "two, a sequence in each row"
        )
    low, high = int(found.min()), int(found.max())
    if low < 0 or high >= len(model.tokens):
        odd = low if low < 0 else high
        raise InputError(f"the data have the token {odd}; the model has tokens 0 to {len(model.tokens) - 1}")
    if found.ndim == 1:
        length = min(model.n_ctx + 1, len(found))
        found = found[: len(found) // length * length].reshape(-1, length)
    if not 2 <= found.shape[1] <= model.n_ctx + 1:
        raise InputError(
            f"the sequences have {found.shape[1]} tokens; expected 2 to {model.n_ctx + 1}, one more than the longest "
            "context"
        )
    if most is not None and most < len(found):
        found = found[np.arange(most) * len(found) // most]
    number = {name: k for k, name in enumerate(model.outputs)}
    output_of = torch.tensor([number.get(name, -1) for name in model.tokens])
    tokens = torch.from_numpy(np.ascontiguousarray(found, dtype=np.int64))
    targets = output_of[tokens[:, 1:]]
    if not bool((targets >= 0).any()):
        raise InputError("no token that follows another is an output of the model; give the contexts of a task")
    batch = Batch(tokens[:, :-1], targets, torch.ones(len(tokens), dtype=torch.float64))
    return Data((batch,), True, len(torch.unique(tokens[:, 1:][targets < 0])))


def _contexts(task: Task, circuits: Circuits) -> Data:
    number = {name: k for k, name in enumerate(circuits.outputs)}
    rows: dict[int, list[tuple[tuple[str, ...], int, float]]] = defaultdict(list)
    for context, asked, weight in zip(task.contexts, task.requirements, task.weights, strict=True):
        found = next((d for d in (each.as_distribution() for each in asked) if d is not None), None)
        if found is None:
            raise InputError(f"{task.name}: asks for several outputs at once in {context}, which says nothing "
                             "of probabilities")  # fmt: skip
        for output, share in found.probabilities:
            if output not in number:
                raise InputError(f"{task.name}: the model has no output {output!r}")
            if share:
                rows[len(context)].append((context, number[output], float(share * weight)))
    batches = []
    for _, members in sorted(rows.items()):
        tokens = circuits.model.encode([context for context, _, _ in members])
        targets = torch.full_like(tokens, -1)
        targets[:, -1] = torch.tensor([target for _, target, _ in members])
        weights = torch.tensor([weight for _, _, weight in members], dtype=torch.float64)
        batches.append(Batch(tokens, targets, weights))
    return Data(tuple(batches), False)
