"""What a model does on repeated random tokens and along a text: induction, looking back, learning in context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from expressivity.circuits.data import Data, losses
from expressivity.circuits.model import Circuits, HeadName
from expressivity.errors import InputError

SEQUENCES, LONGEST, LENGTHS = 16, 50, 8


@dataclass(frozen=True)
class Looks:
    """Where a head looks, on random tokens that are repeated.

    Attributes:
        head: its name.
        induction: the mean attention from a token of the second copy to what followed it in the first.
        previous: the mean attention to the token just before.
    """

    head: HeadName
    induction: float
    previous: float


@dataclass(frozen=True)
class InContext:
    """How much the loss falls along a sequence.

    Attributes:
        early, late: positions of the destination, counted from 0.
        early_loss, late_loss: the mean loss there, in nats.
    """

    early: int
    late: int
    early_loss: float
    late_loss: float

    @property
    def score(self) -> float:
        """The late loss less the early one; below 0 where more context helps."""
        return self.late_loss - self.early_loss


def repeated_tokens(
    circuits: Circuits, length: int | None = None, *, seed: int = 0, sequences: int = SEQUENCES
) -> Tensor:
    """Random tokens, distinct within a copy, twice in a row; shape ``[sequences, 2 · length]``.

    The length is by default the least of 50, half the longest context and the number of tokens.

    Raises:
        InputError: there is no room for such a length, or it is below 2.
    """
    many, n_ctx = len(circuits.model.tokens), circuits.model.n_ctx
    most = min(n_ctx // 2, many)
    length = min(LONGEST, most) if length is None else length
    if not 2 <= length <= most:
        raise InputError(f"{many} tokens in contexts of at most {n_ctx} leave no room for a repeated sequence")
    random = torch.Generator().manual_seed(seed)
    once = torch.stack([torch.randperm(many, generator=random)[:length] for _ in range(sequences)])
    return torch.cat([once, once], dim=1)


def looks(circuits: Circuits, *, seed: int = 0, sequences: int = SEQUENCES) -> list[Looks]:
    """Induction and previous-token scores of every head, each in [0, 1].

    Copies are of up to eight lengths, from half the longest to the longest. With one length alone, a head that always
    looks as far back, whatever is there, would pass for an induction head.

    Raises:
        InputError: no room for a repeated sequence.

    >>> from expressivity.heads.gallery import load_construction
    >>> [(str(each.head), round(each.induction, 3), round(each.previous, 3))
    ...  for each in looks(Circuits.of(load_construction("induction:20")))]
    [('0.0', 0.0, 1.0), ('1.0', 1.0, 0.076)]
    """
    longest = repeated_tokens(circuits, seed=seed, sequences=1).shape[1] // 2
    shortest = max(2, longest // 2)
    many = min(LENGTHS, longest - shortest + 1, sequences)
    lengths = [longest - k * (longest - shortest) // max(1, many - 1) for k in range(many)]
    sums = torch.zeros(len(circuits.heads), 2, dtype=torch.float64)
    for length in lengths:
        tokens = repeated_tokens(circuits, length, seed=seed, sequences=sequences // many)
        induction = torch.arange(length, 2 * length), torch.arange(1, length + 1)
        before = torch.arange(1, 2 * length), torch.arange(2 * length - 1)
        for layer, pattern in enumerate(circuits.patterns(tokens.to(circuits.model.W_E.device))):
            for head in range(circuits.model.n_heads):
                for k, (i, j) in enumerate((induction, before)):
                    shares = pattern[:, head, i, j].mean(0)
                    sums[layer * circuits.model.n_heads + head, k] += float(shares.sum())
    totals = sum(lengths), sum(2 * length - 1 for length in lengths)
    return [
        Looks(head, a / totals[0], b / totals[1]) for head, (a, b) in zip(circuits.heads, sums.tolist(), strict=True)
    ]


def in_context(circuits: Circuits, data: Any, *, early: int | None = None, late: int | None = None) -> InContext:
    """The in-context learning score on text: the loss late in a sequence less the loss early in it.

    Args:
        circuits: of a model.
        data: sequences, as :meth:`Data.of` reads them.
        early, late: positions of the destination, counted from 0. By default 49 and 499, the published 50th and 500th
            token; in shorter sequences the last position and a tenth of it.

    Raises:
        InputError: contexts of a task, or positions that are not there.
    """
    given = Data.of(data, circuits)
    if not given.is_text:
        raise InputError("learning in context is measured along sequences; these are the contexts of a task")
    length = given.batches[0].tokens.shape[1]
    last = min(499, length - 1) if late is None else late
    first = last // 10 if early is None else early
    if not 0 <= first < last < length:
        raise InputError(f"positions {first} and {last}; expected two in order, from 0 to {length - 1}")
    sums, weights = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for batch in given.chunks(circuits):
        found = losses(circuits.logits(batch.tokens), batch)
        asked = (batch.targets >= 0) * batch.weights[:, None]
        for k, place in enumerate((first, last)):
            sums[k] += float((found[:, place] * asked[:, place]).sum())
            weights[k] += float(asked[:, place].sum())
    if not bool((weights > 0).all()):
        raise InputError(f"at position {first} or {last} no token that the model predicts ever follows")
    early_loss, late_loss = (sums / weights).tolist()
    return InContext(first, last, early_loss, late_loss)
