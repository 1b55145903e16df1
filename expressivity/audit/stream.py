"""Contexts with their features and what the model makes of them, part by part: kept if they fit, else made again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from expressivity.audit.forward import Audited, Batch
from expressivity.audit.grams import Array, Lexicon, joined
from expressivity.audit.text import Windows

PART = 2048  # contexts, about, that are held at a time
KEPT = 1 << 30  # bytes of parts that are kept


@dataclass
class Incidence:
    """Which features hold in which contexts of a part, both ways; a feature that occurs twice is listed twice.

    Attributes:
        columns: the distinct features, ``[u]``.
        entries: for each context its features, as places among ``columns``; ``offsets`` where each context begins.
        owners: for each of these features its contexts; ``starts`` where each begins.
    """

    columns: Tensor
    entries: Tensor
    offsets: Tensor
    owners: Tensor
    starts: Tensor

    @staticmethod
    def of(columns: Array, offsets: Array, device: torch.device) -> Incidence:
        """From columns, one context after the other."""
        kinds, entries = np.unique(columns, return_inverse=True)
        owner = np.repeat(np.arange(len(offsets)), np.diff(np.append(offsets, len(columns))))
        order = np.argsort(entries, kind="stable")
        many = np.bincount(entries, minlength=len(kinds))
        arrays = (kinds, entries.astype(np.int64), offsets, owner[order], np.cumsum(many) - many)
        return Incidence(*(torch.from_numpy(np.ascontiguousarray(a, dtype=np.int64)).to(device) for a in arrays))

    def of_contexts(self, weights: Tensor) -> Tensor:
        """``Φ w``: for each context the sum of its features' weights, ``[u, r]`` to ``[contexts, r]``."""
        if not len(self.entries):
            return weights.new_zeros(len(self.offsets), weights.shape[1])
        return functional.embedding_bag(self.entries, weights, self.offsets, mode="sum")

    def of_features(self, values: Tensor) -> Tensor:
        """``Φᵀ v``: for each feature the sum over its contexts, ``[contexts, r]`` to ``[u, r]``."""
        if not len(self.owners):
            return values.new_zeros(len(self.columns), values.shape[1])
        return functional.embedding_bag(self.owners, values, self.starts, mode="sum")

    @property
    def bytes(self) -> int:
        """What it takes."""
        return 8 * sum(len(t) for t in (self.columns, self.entries, self.offsets, self.owners, self.starts))


@dataclass
class Part:
    """Some contexts: for each number of levels of features their incidence, and what the model makes of them."""

    incidence: list[Incidence]
    batch: Batch

    @property
    def contexts(self) -> int:
        """How many."""
        return len(self.batch.y)

    @property
    def bytes(self) -> int:
        """What it takes."""
        return sum(i.bytes for i in self.incidence) + self.batch.y.numel() * self.batch.y.element_size()


class Stream:
    """Windows as parts, one after the other.

    Args:
        windows: the text.
        model: what is run on it.
        lexicon: the features.
        shuffled: the seed of an order of the windows at random; ``None`` for that of the text.
    """

    def __init__(self, windows: Windows, model: Audited, lexicon: Lexicon, *, shuffled: int | None = None) -> None:
        order = np.arange(len(windows))
        if shuffled is not None:
            order = np.random.default_rng(shuffled).permutation(order)
        self.windows, self.model, self.lexicon = windows[order], model, lexicon
        each = max(1, windows.contexts // max(1, len(windows)))
        self._step = max(1, PART // each)
        self._kept: dict[int, Part] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return -(-len(self.windows) // self._step)

    def __iter__(self) -> Iterator[Part]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, k: int) -> Part:
        if k in self._kept:
            return self._kept[k]
        windows = self.windows[k * self._step : (k + 1) * self._step]
        levels, device = self.lexicon.columns(windows), self.model.device
        incidence = [Incidence.of(*joined(levels[: many + 1]), device) for many in range(len(levels))]
        part = Part(incidence, self.model.batch(windows))
        if self._bytes + part.bytes <= KEPT:
            self._kept[k] = part
            self._bytes += part.bytes
        return part
