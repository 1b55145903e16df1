"""What a model does on repeated random tokens and along a text: induction, looking back, learning in context."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from expressivity.circuits.data import Data, losses
from expressivity.circuits.model import Circuits, HeadName
from expressivity.circuits.tables import rows_among
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
        interval: half the width of a 95% interval of the score over sequences, by the normal distribution; ``None``
            of a single sequence.
        over: how many positions each loss is the mean of, from ``early`` on and up to ``late``.
    """

    early: int
    late: int
    early_loss: float
    late_loss: float
    interval: float | None = None
    over: int = 1

    @property
    def score(self) -> float:
        """The late loss less the early one; below 0 where more context helps."""
        return self.late_loss - self.early_loss


def repeated_tokens(
    circuits: Circuits,
    length: int | None = None,
    *,
    seed: int = 0,
    sequences: int = SEQUENCES,
    among: Iterable[int] | None = None,
) -> Tensor:
    """Random tokens, distinct within a copy, twice in a row; shape ``[sequences, 2 · length]``.

    The length is by default the least of 50, half the longest context and the number of tokens. ``among`` are the
    numbers of those to draw from, by default all: of a tokenizer of bytes, many never occur in text.

    Raises:
        InputError: there is no room for such a length, it is below 2, or ``among`` has a number of no token.
    """
    every = len(circuits.model.tokens)
    drawn = torch.arange(every) if among is None else torch.tensor(rows_among(among, every))
    many, n_ctx = len(drawn), circuits.model.n_ctx
    most = min(n_ctx // 2, many)
    length = min(LONGEST, most) if length is None else length
    if not 2 <= length <= most:
        raise InputError(f"{many} tokens in contexts of at most {n_ctx} leave no room for a repeated sequence")
    random = torch.Generator().manual_seed(seed)
    once = torch.stack([drawn[torch.randperm(many, generator=random)[:length]] for _ in range(sequences)])
    return torch.cat([once, once], dim=1)


def looks(
    circuits: Circuits, *, seed: int = 0, sequences: int = SEQUENCES, among: Iterable[int] | None = None
) -> list[Looks]:
    """Induction and previous-token scores of every head, each in [0, 1]; of tokens ``among`` these, by default all.

    Copies are of up to eight lengths, from half the longest to the longest. With one length alone, a head that always
    looks as far back, whatever is there, would pass for an induction head.

    Raises:
        InputError: no room for a repeated sequence.

    >>> from expressivity.heads.gallery import load_construction
    >>> [(str(each.head), round(each.induction, 3), round(each.previous, 3))
    ...  for each in looks(Circuits.of(load_construction("induction:20")))]
    [('0.0', 0.0, 1.0), ('1.0', 1.0, 0.076)]
    """
    among = None if among is None else list(among)
    longest = repeated_tokens(circuits, seed=seed, sequences=1, among=among).shape[1] // 2
    shortest = max(2, longest // 2)
    many = min(LENGTHS, longest - shortest + 1, sequences)
    lengths = [longest - k * (longest - shortest) // max(1, many - 1) for k in range(many)]
    sums = torch.zeros(len(circuits.heads), 2, dtype=torch.float64)
    for length in lengths:
        tokens = repeated_tokens(circuits, length, seed=seed, sequences=sequences // many, among=among)
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


def in_context(
    circuits: Circuits, data: Any, *, early: int | None = None, late: int | None = None, over: int = 1
) -> InContext:
    """The in-context learning score on text: the loss late in a sequence less the loss early in it.

    Args:
        circuits: of a model.
        data: sequences, as :meth:`Data.of` reads them.
        early, late: positions of the destination, counted from 0. By default 49 and 499, the published 50th and 500th
            token; in shorter sequences the last position and a tenth of it.
        over: the means of so many positions, from ``early`` on and up to ``late``.

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
    if not 1 <= over <= last - first:
        raise InputError(f"means over {over} positions; expected 1 to {last - first}, from {first} on and up to {last}")
    places = slice(first, first + over), slice(last - over + 1, last + 1)
    lost: list[Tensor] = []  # by sequence: the loss at early and at late positions, the weight there
    for batch in given.chunks(circuits):
        found = losses(circuits.logits(batch.tokens), batch)
        asked = (batch.targets >= 0) * batch.weights[:, None]
        parts = [each[:, place].sum(dim=1) for each in (found * asked, asked) for place in places]
        lost.append(torch.stack(parts, dim=1).cpu())
    joined = torch.cat(lost)
    sums, weights = joined[:, :2], joined[:, 2:]
    total = weights.sum(dim=0)
    if not bool((total > 0).all()):
        raise InputError(f"at position {first} or {last} no token that the model predicts ever follows")
    mean = sums.sum(dim=0) / total
    many = len(sums)
    apart = ((sums - mean * weights) / total).diff(dim=1)[:, 0]  # each sequence's part in the score's deviation
    interval = None if many < 2 else 1.96 * float((apart.square().sum() * many / (many - 1)).sqrt())
    early_loss, late_loss = mean.tolist()
    return InContext(first, last, early_loss, late_loss, interval, over)
