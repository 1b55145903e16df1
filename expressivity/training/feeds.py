"""What a model is trained on, one step after the other, and how it is measured.

A batch depends on the seed and the number of the step alone, so a run that goes on where another stopped sees what that
one would have seen, and no state of a generator is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from expressivity.errors import InputError
from expressivity.task import Task
from expressivity.task.requirement import Distribution
from expressivity.training.text import Corpus
from expressivity.training.trigrams import Trigrams

Logits = Callable[[Tensor], Tensor]
"""Token numbers ``[batch, positions]`` to logits ``[batch, positions, outputs]``."""
EVALUATED = 64  # rows at a time
HELD_OUT_WINDOWS = 512


class Feed(Protocol):
    """A source of batches.

    Attributes:
        name: for people.
        tokens, outputs: the vocabularies of a model for it.
        n_ctx: its longest context.
        whole: whether every step sees all there is.
        fingerprint: of everything that a model sees; two feeds with one fingerprint give the same batches.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def tokens(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def outputs(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def n_ctx(self) -> int: ...  # noqa: D102
    @property
    def whole(self) -> bool: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102

    def loss(self, model: Logits, seed: int, step: int, batch: int, device: torch.device) -> Tensor:
        """The mean cross-entropy of a step, in nats."""

    def measures(self, model: Logits, device: torch.device) -> dict[str, float]:
        """What is measured once a model is trained: cross-entropies in nats, and shares."""


def numbers_of(seed: int, step: int, high: int, shape: tuple[int, ...]) -> Tensor:
    """Whole numbers from 0 up to ``high``, drawn from the seed and the step alone."""
    return torch.from_numpy(np.random.default_rng([seed, step]).integers(0, high, shape))


def next_token_loss(model: Logits, rows: Tensor) -> Tensor:
    """The mean cross-entropy of every token but the first, given those before it; rows ``[batch, length]``."""
    logits = model(rows[:, :-1])
    return cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


def token_losses(model: Logits, rows: Tensor) -> Tensor:
    """The same, token by token, ``[batch, length − 1]``; without gradients, some rows at a time."""
    found = []
    with torch.no_grad():
        for part in torch.split(rows, EVALUATED):
            logits = model(part[:, :-1]).float()
            found.append(cross_entropy(logits.transpose(1, 2), part[:, 1:], reduction="none").cpu())
    return torch.cat(found)


class FiniteFeed:
    """All contexts of a finite task at every step, by their weights; ties and allowed sets count as even distributions.

    >>> from expressivity.task import xor
    >>> feed = FiniteFeed(xor())
    >>> feed.n_ctx, feed.outputs, round(feed.entropy, 3)
    (3, ('F', 'T'), 0.0)
    """

    whole = True

    def __init__(self, task: Task) -> None:
        self.task = task
        self.name, self.outputs = task.name, task.outputs
        self.tokens = tuple(sorted({token for context in task.contexts for token in context}))
        self.n_ctx = max(map(len, task.contexts))
        index = {token: k for k, token in enumerate(self.tokens)}
        total = sum(task.weights)
        groups: dict[int, list[int]] = defaultdict(list)
        for k, context in enumerate(task.contexts):
            groups[len(context)].append(k)
        self._parts = []
        for _, members in sorted(groups.items()):
            ids = torch.tensor([[index[token] for token in task.contexts[k]] for k in members])
            wanted = torch.tensor([self._wanted(k) for k in members])
            shares = torch.tensor([float(task.weights[k] / total) for k in members])
            self._parts.append((ids, wanted, shares))

    def _wanted(self, number: int) -> list[float]:
        """The distribution that a context asks for, by output."""
        asked = self.task.requirements[number]
        for each in asked:
            if isinstance(each, Distribution):
                given = dict(each.probabilities)
                return [float(given.get(y, 0)) for y in self.outputs]
        kept = set(self.outputs)
        for each in asked:
            kept &= set(each.outputs)
        return [float(y in kept) / len(kept) for y in self.outputs]

    @cached_property
    def fingerprint(self) -> str:
        """The hash of the task."""
        from hashlib import sha256

        from expressivity.certificate import canonical

        return sha256(canonical(self.task.to_json())).hexdigest()

    @cached_property
    def entropy(self) -> float:
        """The least mean cross-entropy of any model, in nats."""
        return float(sum((s * torch.special.entr(w).sum(1)).sum() for _, w, s in self._parts))

    def parts(self, device: torch.device) -> list[tuple[Tensor, Tensor, Tensor]]:
        """For each length the contexts' token numbers, their distributions, and their shares of the whole."""
        return [(ids.to(device), wanted.to(device), shares.to(device)) for ids, wanted, shares in self._parts]

    def loss(self, model: Logits, seed: int, step: int, batch: int, device: torch.device) -> Tensor:
        """Of all contexts; seed, step and batch play no part."""
        total = torch.zeros((), device=device)
        for ids, wanted, shares in self.parts(device):
            logits = model(ids)[:, -1]
            total = total - (shares * (wanted * logits.log_softmax(-1)).sum(-1)).sum()
        return total

    def measures(self, model: Logits, device: torch.device) -> dict[str, float]:
        """The cross-entropy, and the least one that there is."""
        with torch.no_grad():
            found = float(self.loss(model, 0, 0, 0, device))
        return {"cross_entropy": found, "least_cross_entropy": self.entropy}


class TrigramFeed:
    """Sequences of the trigram world, new ones at every step."""

    whole = False

    def __init__(self, world: Trigrams) -> None:
        self.world = world
        self.name = "trigrams"
        self.tokens = self.outputs = tuple(map(str, range(world.vocabulary)))
        self.n_ctx = world.length
        self.fingerprint = repr(world)

    def rows(self, seed: int, step: int, batch: int) -> Tensor:
        """The sequences of a step; ``[batch, length]``."""
        uniform = numbers_of(seed, step, self.world.vocabulary, (batch, self.world.length))
        return torch.from_numpy(self.world.fill(uniform.numpy()))

    def loss(self, model: Logits, seed: int, step: int, batch: int, device: torch.device) -> Tensor:
        """Of every next token."""
        return next_token_loss(model, self.rows(seed, step, batch).to(device))

    def measures(self, model: Logits, device: torch.device) -> dict[str, float]:
        """The cross-entropy, its floor, and which forced tokens are predicted: occurrences, and pairs as a rule."""
        from expressivity.training.forced import forced_predictions

        rows = torch.from_numpy(self.world.sequences(2000, 1 << 32)).to(device)
        found = forced_predictions(self.world, model, rows)
        return {
            "cross_entropy": float(token_losses(model, rows).mean()),
            "floor": self.world.floor,
            "occurrences_right": found.share_right,
            "pairs_right": float(len(found.pairs_right)),
        }


class RepeatedFeed:
    """Even random tokens, then the same again and again: only what finds the token's last occurrence predicts them.

    After how many tokens a sequence repeats itself is drawn too, from a quarter of its length to a half: were it always
    the same, attention to one position back would do.

    Args:
        vocabulary: how many tokens.
        length: of a sequence.
    """

    whole = False

    def __init__(self, vocabulary: int, length: int) -> None:
        if length < 8:
            raise InputError(f"length is {length}; expected at least 8")
        self.vocabulary, self.n_ctx = vocabulary, length
        self.name = "repeated"
        self.tokens = self.outputs = tuple(map(str, range(vocabulary)))
        self.fingerprint = f"repeated {vocabulary} {length}"

    def drawn(self, seed: int, step: int, batch: int) -> tuple[Tensor, Tensor]:
        """The sequences of a step, ``[batch, length]``, and after how many tokens each repeats itself, ``[batch]``."""
        even = numbers_of(seed, step, self.vocabulary, (batch, self.n_ctx))
        low, high = self.n_ctx // 4, self.n_ctx // 2
        periods = torch.from_numpy(np.random.default_rng([seed, step, 1]).integers(low, high + 1, batch))
        return even.gather(1, torch.arange(self.n_ctx)[None, :] % periods[:, None]), periods

    def loss(self, model: Logits, seed: int, step: int, batch: int, device: torch.device) -> Tensor:
        """Of every next token."""
        return next_token_loss(model, self.drawn(seed, step, batch)[0].to(device))

    def measures(self, model: Logits, device: torch.device) -> dict[str, float]:
        """The cross-entropy of new and of repeated tokens, and how often the most probable one is right of these."""
        rows, periods = self.drawn(1 << 32, 0, 512)
        losses = token_losses(model, rows.to(device))
        parts = torch.split(rows.to(device), EVALUATED)
        with torch.no_grad():
            right = torch.cat([(model(part[:, :-1]).argmax(-1) == part[:, 1:]).cpu() for part in parts])
        # The first repeated token counts as new: nothing says that the sequence begins again there.
        repeated = torch.arange(1, self.n_ctx)[None, :] > periods[:, None]
        return {
            "cross_entropy_new": float(losses[~repeated].mean()),
            "cross_entropy_repeated": float(losses[repeated].mean()),
            "repeated_right": float(right[repeated].float().mean()),
        }


class TextFeed:
    """Stretches of a text that begin anywhere, drawn anew at every step; measured on what was held out."""

    whole = False

    def __init__(self, corpus: Corpus, length: int) -> None:
        if len(corpus.train) <= length or len(corpus.held_out) <= length:
            least = min(len(corpus.train), len(corpus.held_out))
            raise InputError(f"{corpus.name}: a part has {least} tokens; expected more than the context's {length}")
        self.corpus, self.n_ctx = corpus, length
        self.name = f"text: {corpus.name}"
        self.tokens = self.outputs = corpus.vocabulary
        self.fingerprint = corpus.fingerprint

    def rows(self, seed: int, step: int, batch: int) -> Tensor:
        """The stretches of a step; ``[batch, length + 1]``."""
        starts = numbers_of(seed, step, len(self.corpus.train) - self.n_ctx, (batch,)).numpy()
        return torch.from_numpy(self.corpus.train[starts[:, None] + np.arange(self.n_ctx + 1)].astype(np.int64))

    def loss(self, model: Logits, seed: int, step: int, batch: int, device: torch.device) -> Tensor:
        """Of every next token."""
        return next_token_loss(model, self.rows(seed, step, batch).to(device))

    def measures(self, model: Logits, device: torch.device) -> dict[str, float]:
        """The cross-entropy on held-out text; how much less it is at late positions than at early ones."""
        windows = self.corpus.windows(self.n_ctx + 1, HELD_OUT_WINDOWS).astype(np.int64)
        losses = token_losses(model, torch.from_numpy(windows).to(device))
        early, late = losses[:, self.n_ctx // 10], losses[:, -1]
        return {
            "held_out_cross_entropy": float(losses.mean()),
            "last_less_tenth_position": float(late.mean() - early.mean()),
        }


def check_sizes(sizes: Sequence[tuple[str, int, int]]) -> None:
    """Each size with its least value.

    Raises:
        InputError: one is below it.
    """
    for name, value, least in sizes:
        if value < least:
            raise InputError(f"{name} is {value}; expected at least {least}")
