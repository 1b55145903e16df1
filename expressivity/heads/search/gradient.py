"""Attention by gradient descent: many starts, and many tasks of one shape, in one batch of products. Floats.

A guess is no proof: its odds are rounded (:mod:`.snapping`) and its values found again exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from expressivity.heads.search.layout import Layout
from expressivity.heads.search.snapping import Guess

STEPS = 1000
RATE = 0.1
LOOK = 25  # steps between looks at which starts are done
LARGEST = 12.0  # log-odds beyond which they start to cost
MOST_COMPARISONS = 60_000
SMALL = 1 << 24  # products in one step


def descend(
    layouts: Sequence[Layout],
    heads: int,
    starts: int,
    seed: int,
    *,
    device: str | torch.device | None = None,
    accept: Callable[[int, Guess], bool] = lambda task, guess: False,
    stop: Callable[[], bool] = lambda: False,
    steps: int = STEPS,
) -> list[list[Guess]]:
    """Adam on log-odds, values and direct path from random starts, for tasks of one shape at once.

    The loss of a start is the mean of ``softplus(1 − margin)`` over the strict comparisons, a soft maximum of their
    negatives, and the squares of ties. The same code runs on every device; the starts are drawn on the CPU.

    Args:
        layouts: tasks with one ``shape``.
        heads: how many heads.
        starts: for each task.
        seed: of the starts.
        device: as torch names it; by default the CPU.
        accept: shown every start that meets all comparisons in floats; true ends the work on its task.
        stop: asked now and then whether to give up.
        steps: of descent.

    Returns:
        For each task its guesses, the best first; no guesses for tasks that were accepted.
    """
    made = _Batch(layouts, torch.device(device or "cpu"))
    products = made.counts.numel() * len(layouts) * starts * heads * len(layouts[0].outputs)
    threads = torch.get_num_threads()
    if made.device.type == "cpu" and products < SMALL:
        torch.set_num_threads(1)  # threads that wait for each other cost more than they give
    try:
        return _descend(made, layouts, heads, starts, seed, accept, stop, steps)
    finally:
        torch.set_num_threads(threads)


def _descend(
    made: _Batch,
    layouts: Sequence[Layout],
    heads: int,
    starts: int,
    seed: int,
    accept: Callable[[int, Guess], bool],
    stop: Callable[[], bool],
    steps: int,
) -> list[list[Guess]]:
    draw = torch.Generator().manual_seed(seed)
    first = layouts[0]
    width = len(first.outputs)
    shapes = ((heads, len(first.factors)), (heads, len(first.value_rows), width), (len(first.direct_rows), width))
    scales = (1.5, 1.0, 0.1)
    moving = [
        (scale * torch.randn(len(layouts), starts, *shape, generator=draw)).to(made.device)
        for shape, scale in zip(shapes, scales, strict=True)
    ]
    left = list(range(len(layouts)))
    open_tasks = torch.arange(len(layouts), device=made.device)
    moments: list[tuple[torch.Tensor, torch.Tensor]] = [(torch.zeros_like(x), torch.zeros_like(x)) for x in moving]
    shown: set[tuple[int, int]] = set()
    for step in range(1, steps + 1):
        for tensor in moving:
            tensor.requires_grad_(True)
        margins = made.margins(moving, open_tasks)
        loss = made.loss(margins, open_tasks) + 0.01 * (moving[0].abs() - LARGEST).clamp(min=0).square().sum()
        gradients = torch.autograd.grad(loss, moving)
        rate = RATE * (1.0 - 0.9 * step / steps)
        with torch.no_grad():
            moving = [x.detach() for x in moving]
            _adam(moving, gradients, moments, step, rate)
            if step % LOOK and step != steps:
                continue
            quality = made.quality(made.margins(moving, open_tasks), open_tasks)
            done = []
            for k, line in enumerate(quality.cpu().tolist()):
                best = max(range(starts), key=line.__getitem__)
                if line[best] > 0 and (left[k], best) not in shown:
                    shown.add((left[k], best))
                    if accept(left[k], Guess(moving[0][k, best].double().cpu().numpy(), line[best])):
                        done.append(k)
            if done:
                kept = [k for k in range(len(left)) if k not in done]
                chosen = torch.tensor(kept, dtype=torch.long, device=made.device)
                moving = [x[chosen] for x in moving]
                moments = [(m[chosen], v[chosen]) for m, v in moments]
                open_tasks, left = open_tasks[chosen], [left[k] for k in kept]
            if not left or stop():
                break
    found: list[list[Guess]] = [[] for _ in layouts]
    if left:
        with torch.no_grad():
            ends = made.quality(made.margins(moving, open_tasks), open_tasks).cpu().tolist()
        odds = moving[0].double().cpu().numpy()
        for k, task in enumerate(left):
            order = sorted(range(starts), key=lambda b: -ends[k][b])
            found[task] = [Guess(np.array(odds[k, b]), ends[k][b]) for b in order]
    return found


def _adam(
    moving: list[torch.Tensor],
    gradients: Sequence[torch.Tensor],
    moments: list[tuple[torch.Tensor, torch.Tensor]],
    step: int,
    rate: float,
) -> None:
    """One step of Adam (Kingma & Ba 2015), in place."""
    for x, g, (mean, square) in zip(moving, gradients, moments, strict=True):
        mean.mul_(0.9).add_(g, alpha=0.1)
        square.mul_(0.99).addcmul_(g, g, value=0.01)
        size = (square / (1 - 0.99**step)).sqrt_().add_(1e-8)
        x.addcdiv_(mean, size, value=-rate / (1 - 0.9**step))


class _Batch:
    """The tasks as tensors, and the margins of all starts at once."""

    def __init__(self, layouts: Sequence[Layout], device: torch.device) -> None:
        if len({layout.shape for layout in layouts}) != 1:
            raise ValueError("tasks of different shapes in one batch")
        self.device = device
        first = layouts[0]
        self.counts = torch.tensor(first.counts, dtype=torch.float32, device=device)
        self.spread = torch.tensor(first.spread, dtype=torch.float32, device=device)
        self.reads = torch.tensor(first.reads, dtype=torch.float32, device=device)
        self.direct_reads = torch.tensor(first.direct_reads, dtype=torch.float32, device=device)
        width = len(first.outputs) + 1
        most = min(MOST_COMPARISONS, max(len(layout.context) for layout in layouts))
        above, below, equal = [], [], []
        for layout in layouts:
            index = np.resize(np.arange(len(layout.context)), most)  # shorter lists repeat themselves
            if len(layout.context) > most:
                index = np.sort(np.random.default_rng(0).choice(len(layout.context), most, replace=False))
            where = layout.context[index] * width
            above.append(where + layout.above[index] % width)  # −1, the first output, is the last column
            below.append(where + layout.below[index] % width)
            equal.append(layout.equal[index])
        self.above = torch.tensor(np.array(above), device=device)
        self.below = torch.tensor(np.array(below), device=device)
        self.equal = torch.tensor(np.array(equal), device=device)
        self.has_ties = bool(self.equal.any())

    def margins(self, moving: Sequence[torch.Tensor], tasks: torch.Tensor) -> torch.Tensor:
        """``[tasks, starts, comparisons]`` of the tasks with these numbers."""
        log_odds, values, direct = moving
        pair = log_odds @ self.spread.T  # tasks, starts, heads, pairs
        odds = (pair - pair.amax(-1, keepdim=True).detach()).clamp(min=-60).exp()
        mass = odds @ self.counts.T + 1e-30  # tasks, starts, heads, contexts
        written = odds[..., None] * torch.einsum("pr,tbhry->tbhpy", self.reads, values)
        given = torch.einsum("np,tbhpy->tbhny", self.counts, written)
        logits = (given / mass[..., None]).sum(2) + torch.einsum("nq,tbqy->tbny", self.direct_reads, direct)
        flat = torch.nn.functional.pad(logits, (0, 1)).flatten(2)
        shape = (-1, flat.shape[1], -1)
        above, below = (side[tasks][:, None, :].expand(*shape) for side in (self.above, self.below))
        return flat.gather(2, above) - flat.gather(2, below)

    def loss(self, margins: torch.Tensor, tasks: torch.Tensor) -> torch.Tensor:
        """The sum over all starts: each has its own parameters, so that they do not disturb each other."""
        strict = margins
        tied = torch.zeros((), device=self.device)
        if self.has_ties:
            equal = self.equal[tasks][:, None, :]
            tied = 10.0 * torch.where(equal, margins.square(), 0.0).mean(-1)
            strict = torch.where(equal, 2.0, margins)
        each = torch.nn.functional.softplus(1.0 - strict).mean(-1) + 0.1 * (-strict).logsumexp(-1) + tied
        return each.sum()

    def quality(self, margins: torch.Tensor, tasks: torch.Tensor) -> torch.Tensor:
        """The least margin in proportion to the mean size, ``[tasks, starts]``; above 0 where everything holds."""
        size = margins.abs().mean(-1) + 1e-30
        if not self.has_ties:
            return margins.amin(-1) / size
        equal = self.equal[tasks][:, None, :]
        least = torch.where(equal, torch.inf, margins).amin(-1)
        off = torch.where(equal, margins.abs(), 0.0).amax(-1)
        least = torch.where(torch.isinf(least), size, least)
        return torch.where(off < 0.05 * least, least, torch.minimum(least, -off)) / size
