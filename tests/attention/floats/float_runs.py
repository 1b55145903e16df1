"""Runs of models whose errors are known: real margins in balls, logits by torch and by the hostile machine."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import torch
from flint import arb, ctx, fmpq

from expressivity.attention import (
    AttentionOnlyTransformer,
    ExactWeights,
    FloatErrors,
    Interval,
    LayeredWeights,
    float_errors,
)
from expressivity.errors import InputError
from expressivity.task import Task
from tests.attention.floats.hostile_machine import BITS, Machine, true_logits

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
Contexts = Sequence[Sequence[str]]
Run = Callable[[AttentionOnlyTransformer, Contexts], list[list[float]]]


def forward(model: AttentionOnlyTransformer, contexts: Contexts) -> list[list[float]]:
    """The logits by torch, contexts of one length together."""
    found: dict[int, list[float]] = {}
    for length in {len(context) for context in contexts}:
        batch = [i for i, context in enumerate(contexts) if len(context) == length]
        with torch.no_grad():
            tokens = model.encode([contexts[i] for i in batch]).to(model.W_E.device)
            found.update(zip(batch, model(tokens)[:, -1].double().tolist(), strict=True))
    return [found[i] for i in range(len(contexts))]


def machine(seed: int) -> Run:
    dice = random.Random(seed)
    return lambda model, contexts: [Machine(model.W_E.dtype, dice).logits(model, context) for context in contexts]


def ratios(
    model: AttentionOnlyTransformer, task: Task, errors: FloatErrors, true: Sequence[arb], run: Run = forward
) -> Iterator[float]:
    """Each comparison's error over its bound, from below; ``true`` are the margins. Above 1 the bound is refuted."""
    column = {output: k for k, output in enumerate(model.outputs)}
    bounds = errors.bounds[str(model.W_E.dtype).removeprefix("torch.")]
    logits = run(model, task.contexts)
    for comparison, bound, exact in zip(errors.comparisons, bounds, true, strict=True):
        above, below = (logits[comparison.context][column[y]] for y in (comparison.above, comparison.below))
        with ctx.workprec(BITS):
            if not np.isfinite([above, below]).all():
                yield 0.0 if np.isinf(bound) else np.inf
            else:
                error = abs(arb(above) - arb(below) - exact)
                yield (float((error / arb(float(bound))).lower()) if bound else np.inf) if error > 0 else 0.0


def ball(interval: Interval) -> arb:
    with ctx.workprec(BITS):
        ends = (arb(fmpq(x.numerator, x.denominator)) for x in (interval.lower, interval.upper))
        return next(ends).union(next(ends))


def compiled(weights: ExactWeights | LayeredWeights) -> Iterator[AttentionOnlyTransformer]:
    """The model in every format that holds its weights."""
    for dtype in DTYPES.values():
        try:
            yield weights.to_model(dtype)
        except InputError:
            continue


def dense(seed: int) -> tuple[AttentionOnlyTransformer, Task]:
    """A model with random weights of any size, up to three layers and 40 directions, and contexts for it."""
    dice = np.random.default_rng(seed)
    length, layers, heads = int(dice.integers(0, 5)), int(dice.integers(1, 4)), int(dice.integers(0, 4))
    model = AttentionOnlyTransformer(
        "ABQ",
        "FTU",
        n_ctx=length + 1,
        n_heads=heads,
        d_model=int(dice.choice([1, 2, 5, 12, 40])),
        d_head=int(dice.integers(1, 5)),
        n_layers=layers,
        embedding=str(dice.choice(["joint", "additive", "tokens"])),  # type: ignore[arg-type]
        attn_scale=float(dice.choice([1, 2, 3**0.5, 3.3])),
        dtype=torch.float64,
    )
    size, share = float(dice.choice([0.1, 1, 1, 4, 30, 1000, 1e-20])), float(dice.choice([0.2, 0.6, 1]))
    whole = dice.random() < 0.3
    for name, weight in model.named_parameters():
        if name != "W_pos" or model.embedding == "additive":
            drawn = size * dice.normal(size=weight.shape) * (dice.random(weight.shape) < share)
            weight.data = torch.tensor(np.rint(3 * drawn) if whole else drawn)
    if dice.random() < 0.3:  # logits that nearly cancel
        model.W_U.data[:, 1] = model.W_U.data[:, 0] * (1 + 1e-3 * float(dice.normal()))
    contexts = sorted({tuple(dice.choice(list("ABQ"), size=int(dice.integers(1, length + 2)))) for _ in range(4)})
    return model, Task([[str(t) for t in c] for c in contexts], ["F"] * len(contexts), outputs=["F", "T", "U"])


def true_margins(model: AttentionOnlyTransformer, task: Task) -> list[arb]:
    logits = [true_logits(model, context) for context in task.contexts]
    column = {output: k for k, output in enumerate(model.outputs)}
    with ctx.workprec(BITS):
        found = [logits[c.context][column[c.above]] - logits[c.context][column[c.below]] for c in task.comparisons()]
        assert all(margin.rad() < arb(2) ** -100 * (1 + abs(margin.mid())) for margin in found)
        return found


@cache
def observed(seed: int) -> tuple[list[arb], list[tuple[AttentionOnlyTransformer, list[list[float]]]]]:
    """The true margins of a random model, and the logits of every run."""
    model, task = dense(seed)
    found = []
    for dtype in DTYPES.values():
        own = copy.deepcopy(model).to(dtype)
        for run in [forward] if dtype == torch.float64 else [forward, machine(seed)]:
            found.append((own, run(own, task.contexts)))
    return true_margins(model, task), found


def all_ratios(seed: int) -> dict[str, list[float]]:
    model, task = dense(seed)
    errors, (true, runs) = float_errors(model, task), observed(seed)
    found: dict[str, list[float]] = {name: [] for name in DTYPES}
    for own, logits in runs:
        name = str(own.W_E.dtype).removeprefix("torch.")
        found[name] += ratios(own, task, errors, true, lambda *_, logits=logits: logits)  # type: ignore[misc]
    return found
