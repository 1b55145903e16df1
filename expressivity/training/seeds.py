"""A finite task learnt from many seeds side by side, and each outcome checked exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch
from torch import Tensor

from expressivity.attention.models import parameters_of
from expressivity.errors import InputError
from expressivity.training.exact import Decided, decided
from expressivity.training.feeds import FiniteFeed
from expressivity.training.plan import Model, Plan, feed_of, first_weights, make_model, trained_parameters
from expressivity.training.run import BETAS, EPSILON, device_of, heard_interrupts

Z = 1.959963984540054
"""The normal quantile of a two-sided interval at 95%."""
SIDE_BY_SIDE = 4096
"""Models in one batch."""


@dataclass(frozen=True, eq=False)
class Seeds:
    """What came of training from many seeds.

    Attributes:
        plan: of each, but for its seed; the plan's own seed is the first.
        feed: the task.
        losses: of each at the end; ``[seeds]``.
        outcomes: what each model's weights decide, ``right`` among it.
        weights: by TransformerLens's names, ``[seeds, …]``; on the CPU.
        seconds: for training, and for the exact checks.
    """

    plan: Plan
    feed: FiniteFeed
    losses: Tensor
    outcomes: tuple[Decided, ...]
    weights: Mapping[str, Tensor]
    seconds: tuple[float, float]

    @property
    def right(self) -> int:
        """How many models decide the task."""
        return sum(outcome.right for outcome in self.outcomes)

    @property
    def certified(self) -> int:
        """How many of them have a certificate that the trusted base verified."""
        return sum(outcome.certificate is not None for outcome in self.outcomes)

    @property
    def proved(self) -> bool:
        """Whether each outcome is proved for the exact weights."""
        return all(outcome.proved for outcome in self.outcomes)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval of the fraction."""
        return wilson(self.right, len(self.outcomes))

    def model(self, number: int) -> Model:
        """The model of one seed, counted from the first."""
        model = make_model(self.plan, self.feed)
        for name, parameter in parameters_of(model).items():
            if name in self.weights:
                parameter.data.copy_(self.weights[name][number])
        return model


def wilson(successes: int, trials: int, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a fraction (Wilson 1927).

    >>> [round(end, 4) for end in wilson(0, 1000)]
    [0.0, 0.0038]
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise InputError(f"found {successes} of {trials}; expected a number of successes among at least one trial")
    share, square = successes / trials, z * z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return low, 1.0 if successes == trials else min(1.0, middle + half)


def train_seeds(
    plan: Plan,
    seeds: int,
    *,
    device: str | None = None,
    threads: int = 1,
    progress: Callable[[int, int, str], None] = lambda done, total, said: None,
) -> Seeds:
    """Train so many models of a finite task at once, from the plan's seed on, and check each.

    Every model has its own first weights, the ones that :func:`.run.train` gives that seed, and its own AdamW, whose
    arithmetic is elementwise: the models do not touch each other.

    Args:
        plan: what and how.
        seeds: how many.
        device: by default the accelerator if there is one.
        threads: of the CPU.
        progress: called with steps done, in all batches, steps in all, and words.

    Raises:
        InputError: no finite task, or numbers out of range.
        KeyboardInterrupt: Ctrl-C.

    >>> from expressivity.training.plan import planned
    >>> train_seeds(planned("xor", heads=1, steps=200), 20, device="cpu").right  # theorem T2
    0
    """
    if seeds < 1 or threads < 1:
        raise InputError(f"seeds is {seeds}, threads {threads}; expected at least 1 of each")
    where = device_of(device)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        feed = feed_of(plan)
        if not isinstance(feed, FiniteFeed):
            raise InputError(f"{plan.task}: many seeds are trained side by side on finite tasks only")
        begun = time.monotonic()
        parts = []
        with heard_interrupts() as interrupted:
            for first in range(0, seeds, SIDE_BY_SIDE):
                numbers = range(plan.seed + first, plan.seed + min(first + SIDE_BY_SIDE, seeds))

                def told(step: int, said: str, first: int = first) -> None:
                    batches = -(-seeds // SIDE_BY_SIDE)
                    progress(first // SIDE_BY_SIDE * plan.steps + step, batches * plan.steps, said)
                    if interrupted():
                        raise KeyboardInterrupt

                parts.append(_side_by_side(plan, feed, numbers, where, told))
        trained = time.monotonic()
        weights = {name: torch.cat([found[name] for found, _ in parts]) for name in parts[0][0]}
        found = Seeds(plan, feed, torch.cat([losses for _, losses in parts]), (), weights, (0.0, 0.0))
        outcomes = tuple(decided(found.model(k), feed.task) for k in range(seeds))
        seconds = (trained - begun, time.monotonic() - trained)
        return Seeds(plan, feed, found.losses, outcomes, weights, seconds)
    finally:
        torch.set_num_threads(before)


def _side_by_side(
    plan: Plan, feed: FiniteFeed, numbers: range, where: torch.device, told: Callable[[int, str], None]
) -> tuple[dict[str, Tensor], Tensor]:
    """The weights of each seed, and its loss, at the end."""
    model = make_model(plan, feed).to(where)
    trained = trained_parameters(model)
    own = {id(parameter): name for name, parameter in model.named_parameters()}
    inner = {name: own[id(parameter)] for name, parameter in trained.items()}
    every = parameters_of(model)
    firsts = [first_weights(plan, every, seed) for seed in numbers]
    weights = {name: torch.stack([first[name] for first in firsts]).to(where).requires_grad_() for name in trained}
    optimiser = torch.optim.AdamW(
        weights.values(), lr=plan.lr, betas=BETAS, eps=EPSILON, weight_decay=plan.weight_decay
    )
    parts = feed.parts(where)

    def loss_of(one: Mapping[str, Tensor]) -> Tensor:
        total = torch.zeros((), device=where)
        for ids, wanted, shares in parts:
            logits: Any = torch.func.functional_call(model, {inner[n]: w for n, w in one.items()}, (ids,))
            total = total - (shares * (wanted * logits[:, -1].log_softmax(-1)).sum(-1)).sum()
        return total

    losses_of = torch.vmap(loss_of)
    for step in range(plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.lr * (1 - step / plan.steps)
        losses = losses_of(weights)
        optimiser.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        told(step + 1, f"median loss {float(losses.detach().median()):.4f}" if step % 20 == 0 else "")
    with torch.no_grad():
        final = losses_of(weights).cpu()
    return {name: weight.detach().cpu() for name, weight in weights.items()}, final
