"""Which forced tokens a model of the trigram world predicts, occurrence by occurrence and pair by pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from expressivity.training.trigrams import Trigrams

Pairs = frozenset[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Forced:
    """Every occurrence of a forcing pair in some sequences.

    Attributes:
        pair: its two tokens, ``[occurrences, 2]``.
        position: where its second token stands, ``[occurrences]``.
        row: in which sequence.
        right: whether the most probable next token is the forced one.
    """

    pair: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]

    @property
    def share_right(self) -> float:
        """Of the occurrences."""
        return float(self.right.mean()) if len(self.right) else 0.0

    @property
    def shares(self) -> dict[tuple[int, int], float]:
        """For each pair the share of its occurrences that are right."""
        met: dict[tuple[int, int], list[bool]] = {}
        for (a, b), right in zip(self.pair.tolist(), self.right.tolist(), strict=True):
            met.setdefault((a, b), []).append(right)
        return {pair: sum(found) / len(found) for pair, found in sorted(met.items())}

    @property
    def pairs_right(self) -> Pairs:
        """The pairs that are right in more than half of their occurrences."""
        return frozenset(pair for pair, share in self.shares.items() if share > 0.5)


def forced_predictions(world: Trigrams, model: Callable[[Tensor], Tensor], rows: Tensor) -> Forced:
    """What a model predicts wherever a token is forced.

    Args:
        world: the rules.
        model: token numbers to logits.
        rows: sequences, ``[sequences, length]``.
    """
    best = []
    with torch.no_grad():
        for part in torch.split(rows, 256):
            best.append(model(part[:, :-1]).argmax(-1).cpu())
    predicted, tokens = torch.cat(best).numpy(), rows.cpu().numpy()
    forced = world.successor[tokens[:, :-2], tokens[:, 1:-1]]  # by the position of the pair's second token, less 1
    row, before = np.nonzero(forced >= 0)
    pair = np.stack([tokens[row, before], tokens[row, before + 1]], axis=1)
    return Forced(pair, before + 1, row, predicted[row, before + 1] == forced[row, before])
