"""The floating half of the search for narrow heads: gradient descent from many starts at once.

What it returns are guesses. They prove nothing; :mod:`.narrow_exact` rounds attention and values to short numbers and
solves for the rest exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from expressivity.heads.narrow_exact import Setting

STARTS = 16
STEPS = 500
ENOUGH = 3  # starts that meet every comparison by a margin of 1, at which descent ends
LARGEST = 8.0  # nats beyond which scores start to cost
MOST_COMPARISONS = 3000  # in one step of descent; more are drawn from
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Guess:
    """Floating scores ``[heads, ends, groups]`` and left factors ``[heads, groups, d_head]``, the best first.

    Attributes:
        wrong: on how many of the comparisons that were looked at it is wrong; a tie counts if it is off by a tenth of
            the least margin.
    """

    scores: Array
    carried: Array
    wrong: int


def fit(
    setting: Setting,
    d_head: int,
    seed: int,
    *,
    scores: Array | None,
    shared: bool,
    near: bool,
    stop: Callable[[], bool],
) -> list[Guess]:
    """Guesses at narrow heads, from ``STARTS`` starts.

    Args:
        setting: the task.
        d_head: the width.
        seed: of everything random.
        scores: keep attention at these, ``[heads, ends, groups]``; ``None`` lets it move too.
        shared: whether all heads carry the same (and write different things).
        near: start half of them at truncations of the construction's own tables.
        stop: asked now and then whether time is up.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the tensors are small
    try:
        return _fit(setting, d_head, seed, scores, shared, near, stop)
    finally:
        torch.set_num_threads(threads)


def _fit(
    setting: Setting, d_head: int, seed: int, scores: Array | None, shared: bool, near: bool, stop: Callable[[], bool]
) -> list[Guess]:
    made = _Tensors(setting, seed)
    draw = torch.Generator().manual_seed(seed)
    heads, ends, groups, outputs = made.sizes
    own_scores, own_values = floating(setting)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(STARTS, *shape, generator=draw, dtype=torch.float64)

    query, key = normal(heads, ends, d_head), normal(heads, groups, d_head)
    carried, written = normal(1 if shared else heads, groups, d_head), normal(heads, d_head, outputs)
    if near:
        half = STARTS // 2
        left, right = _truncated(own_scores, d_head)
        query[:half] = torch.tensor(left) + 0.3 * query[:half]
        key[:half] = torch.tensor(right) + 0.3 * key[:half]
        if not shared:
            left, right = _truncated(own_values, d_head)
            carried[:half] = torch.tensor(left) + 0.3 * carried[:half]
            written[:half] = torch.tensor(right).mT + 0.3 * written[:half]
    direct = 0.1 * normal(ends, outputs)
    moving = [carried, written, direct] + ([query, key] if scores is None else [])
    for tensor in moving:
        tensor.requires_grad_(True)
    fixed = None if scores is None else torch.tensor(scores).expand(STARTS, -1, -1, -1)
    optimiser = torch.optim.Adam(moving, lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS, eta_min=0.005)
    for step in range(STEPS):
        optimiser.zero_grad()
        table = query @ key.mT if fixed is None else fixed
        margins = made.margins(table, carried, written, direct)
        strict, ties = margins[:, ~made.equal], margins[:, made.equal]
        # Softplus asks everybody for margin 1, the sum of exponentials dwells on the worst.
        loss = torch.nn.functional.softplus(2 - strict).mean(1) + 0.1 * (-strict).logsumexp(1)
        if made.equal.any():
            loss = loss + 10 * ties.square().mean(1)
        if fixed is None:
            loss = loss + 0.01 * (table.abs() - LARGEST).clamp(min=0).square().mean((1, 2, 3))
        loss.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 25 == 24 and (stop() or _enough(strict, ties)):
            break
    with torch.no_grad():
        table = query @ key.mT if fixed is None else fixed
        margins = made.margins(table, carried, written, direct)
        least = margins[:, ~made.equal].clamp(min=0).amin(1, keepdim=True)
        bad = torch.where(made.equal, margins.abs() > 0.1 * least, margins <= 1e-9).sum(1)
        order = torch.argsort(bad, stable=True).tolist()
    spread = carried.detach().expand(-1, heads, -1, -1)
    return [Guess(table[i].numpy(), spread[i].numpy(), int(bad[i])) for i in order]


def _enough(strict: torch.Tensor, ties: torch.Tensor) -> bool:
    """Whether some starts have arrived."""
    good = (strict.amin(1) > 1) if strict.shape[1] else torch.ones(len(strict), dtype=torch.bool)
    if ties.shape[1]:
        good = good & (ties.abs().amax(1) < 0.05)
    return int(good.sum()) >= ENOUGH


def floating(setting: Setting) -> tuple[Array, Array]:
    """The construction's own scores in nats, less each destination's mean, and its values: ``[heads, …, groups]`` and
    ``[heads, groups, outputs]``, for starts.
    """
    scores = np.zeros((setting.n_heads, len(setting.ends), len(setting.groups)))
    values = np.zeros((setting.n_heads, len(setting.groups), len(setting.outputs)))
    for h, head in enumerate(setting.tables.heads):
        unit = 1.0 if head.base == "e" else log(head.base)
        for g, (row, *_) in enumerate(setting.groups):
            for e, end in enumerate(setting.ends):
                if head.odds is None:
                    scores[h, e, g] = max(min(float((head.scores or {}).get((end, row), 0)) * unit, 1e6), -1e6)
                else:
                    odds = head.odds.get((end, row), 1)
                    scores[h, e, g] = log(odds.numerator) - log(odds.denominator)
            for k, y in enumerate(setting.outputs):
                values[h, g, k] = float(head.values.get((row, y), 0))
    scores -= scores.mean(2, keepdims=True)
    size = np.abs(values).max(initial=0)
    return np.clip(scores, -LARGEST, LARGEST), values / size if size else values


def _truncated(tables: Array, d_head: int) -> tuple[Array, Array]:
    """The best approximations of that rank, as two balanced factors ``[…, rows, d_head]``, ``[…, columns, d_head]``."""
    left, sizes, right = np.linalg.svd(tables, full_matrices=False)
    kept = min(d_head, sizes.shape[-1])
    root = np.sqrt(sizes[..., None, :kept])
    pad = [(0, 0)] * (tables.ndim - 1) + [(0, d_head - kept)]
    return (np.pad(left[..., :kept] * root, pad), np.pad(np.swapaxes(right, -1, -2)[..., :kept] * root, pad))


class _Tensors:
    """A setting as tensors, with the margins of many models at once."""

    def __init__(self, setting: Setting, seed: int) -> None:
        reads = sorted({read for _, counts in setting.counted for read in counts})
        last = sorted({end for end, _ in setting.counted})
        comparisons: Sequence[Any] = setting.orbits.comparisons()
        if len(comparisons) > MOST_COMPARISONS:
            chosen = np.random.default_rng(seed).choice(len(comparisons), MOST_COMPARISONS, replace=False)
            comparisons = [comparisons[i] for i in sorted(chosen)]
        used = {c: k for k, c in enumerate(sorted({comparison.context for comparison in comparisons}))}
        self.sizes = (setting.n_heads, len(setting.ends), len(setting.groups), len(setting.outputs))
        self.reads = _incidence(reads, len(setting.groups))
        self.last = _incidence(last, len(setting.ends))
        self.end = torch.tensor([last.index(setting.counted[c][0]) for c in used])
        self.counts = torch.zeros(len(used), len(reads), dtype=torch.float64)
        where = {read: p for p, read in enumerate(reads)}
        for c, k in used.items():
            for read, number in setting.counted[c][1].items():
                self.counts[k, where[read]] = number
        place = {y: k for k, y in enumerate(setting.outputs)}
        self.context = torch.tensor([used[comparison.context] for comparison in comparisons])
        self.above = torch.tensor([place[comparison.above] for comparison in comparisons])
        self.below = torch.tensor([place[comparison.below] for comparison in comparisons])
        self.equal = torch.tensor([comparison.equal for comparison in comparisons])

    def margins(
        self, scores: torch.Tensor, carried: torch.Tensor, written: torch.Tensor, direct: torch.Tensor
    ) -> torch.Tensor:
        """``[starts, comparisons]`` from ``[starts, heads, ends, groups]`` and the other factors."""
        seen = (self.last @ scores @ self.reads.mT)[:, :, self.end]  # starts, heads, contexts, reads
        odds = self.counts * (seen - seen.amax(-1, keepdim=True).detach()).exp()
        shares = odds / odds.sum(-1, keepdim=True)
        heads = shares @ (self.reads @ carried)  # starts, heads, contexts, d_head
        logits = (heads @ written).sum(1) + (self.last @ direct)[:, self.end]
        picked = logits[:, self.context]
        above, below = (side.expand(len(picked), -1)[..., None] for side in (self.above, self.below))
        return (picked.gather(2, above) - picked.gather(2, below))[..., 0]


def _incidence(lists: Sequence[tuple[int, ...]], width: int) -> torch.Tensor:
    found = torch.zeros(len(lists), width, dtype=torch.float64)
    for line, entries in zip(found, lists, strict=True):
        for entry in entries:
            line[entry] += 1
    return found
