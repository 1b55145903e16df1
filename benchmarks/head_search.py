"""How fast heads are found, beside training the same models one at a time in plain PyTorch, in one run.

    python benchmarks/head_search.py                 prints the tables
    python benchmarks/head_search.py --device cuda   descent, and the peer, on another device
    python benchmarks/head_search.py --record        also writes them to benchmarks/results/head_search.md

The peer is what one would write first: an ``nn.Module`` with one layer of attention, trained with Adam on the logistic
loss, one model after the other. Its shapes, its number of parameters, its steps and its loss are those of the descent
in the search. On the CPU it runs on one thread, which is best for models so small. First steps alone are timed, models
times steps per second. Then both look for heads for random functions of five bits: the search until its tables are
proved, the peer until one of its models is right on every context in floats.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch

from expressivity import EXPRESSIBLE, SkipGrams, Task, decide
from expressivity.attention.evaluation.three_ways import device_name, device_of
from expressivity.heads.search import search_tasks
from expressivity.heads.search.gradient import RATE, STEPS, descend
from expressivity.heads.search.layout import Layout, layout_of
from expressivity.task import bits

RESULTS = Path(__file__).parent / "results" / "head_search.md"
TASKS, HEADS, BITS = 16, 3, 5
PEER_RESTARTS = 8


class Plain(torch.nn.Module):
    """One layer of attention over places, one destination, two outputs: free scores and values for each place."""

    def __init__(self, heads: int, places: int) -> None:
        super().__init__()
        self.scores = torch.nn.Parameter(1.5 * torch.randn(heads, places))
        self.values = torch.nn.Parameter(torch.randn(heads, places))
        self.direct = torch.nn.Parameter(torch.zeros(()))

    def forward(self, read: torch.Tensor) -> torch.Tensor:
        """The difference of the two logits, ``[contexts]``, from the places of each context ``[contexts, length]``."""
        attention = self.scores[:, read].softmax(-1)
        return (attention * self.values[:, read]).sum((0, 2)) + self.direct


def places_of(layout: Layout) -> torch.Tensor:
    """The numbers of the places of each context, ``[contexts, length]``."""
    return torch.tensor(np.array([np.flatnonzero(line) for line in layout.counts]))


def train(layout: Layout, device: torch.device, steps: int, *, until_right: bool) -> bool:
    """One model of the peer: whether it is right everywhere in the end."""
    read, sign = places_of(layout).to(device), torch.tensor(layout.signs[:, 0], dtype=torch.float32, device=device)
    model = Plain(HEADS, layout.n_pairs).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    for step in range(steps):
        optimiser.zero_grad()
        margins = sign * model(read)
        loss = torch.nn.functional.softplus(1 - margins).mean() + 0.1 * (-margins).logsumexp(-1)
        loss.backward()
        optimiser.step()
        if until_right and step % 25 == 24 and bool((margins > 0).all()):
            return True
    return bool((sign * model(read) > 0).all())


def functions(seed: int) -> list[Task]:
    """Random functions of five bits whose degree is the number of heads, so that fewer cannot."""
    draw, found = np.random.default_rng(seed), []
    while len(found) < TASKS:
        task = bits("".join(map(str, draw.integers(0, 2, 2**BITS))))
        orders = (decide(task, SkipGrams(HEADS + 1)), decide(task, SkipGrams(HEADS + 2)))
        if [verdict.answer is EXPRESSIBLE for verdict in orders] == [False, True]:
            found.append(task)
    return found


def seconds(action: object, device: torch.device) -> float:
    """The wall clock of a call, the device's work included."""
    begun = time.perf_counter()
    action()  # type: ignore[operator]
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begun


def report(name: str | None) -> str:
    """Both tables in Markdown."""
    device = device_of(name)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    tasks = functions(0)
    layouts = [layout_of(task, "joint") for task in tasks]
    train(layouts[0], device, 10, until_right=False)
    descend(layouts[:1], HEADS, 1, 0, device=device, steps=10)

    steps = 200
    plain = seconds(lambda: [train(layout, device, steps, until_right=False) for layout in layouts[:4]], device)
    alone = 4 * steps / plain
    lines = [
        "# The search for heads",
        "",
        f"{TASKS} random functions of {BITS} bits of degree {HEADS}, {HEADS} heads, embedding `joint`. Python "
        f"{platform.python_version()}, PyTorch {torch.__version__}, {platform.system()} on {platform.machine()}, "
        f"{os.cpu_count()} cores; device {device_name(device)}. All of it in one run.",
        "",
        "## Steps of descent",
        "",
        "Models times steps per second; the ratio is against one model after the other.",
        "",
        "| | models | per second | ratio |",
        "|---|---:|---:|---:|",
        f"| plain PyTorch, one at a time | 1 | {alone:,.0f} | 1× |",
    ]
    sizes = (1, 4, 16, 64) if device.type == "cpu" else (1, 16, 256, 4096)
    for starts in sizes:
        took = seconds(lambda s=starts: descend(layouts, HEADS, s, 0, device=device, steps=steps), device)
        rate = TASKS * starts * steps / took
        label = f"{TASKS} tasks × {starts} starts at once"
        lines.append(f"| {label} | {TASKS * starts} | {rate:,.0f} | {rate / alone:.0f}× |")

    begun = time.perf_counter()
    right, models = 0, 0
    for layout in layouts:
        for _ in range(PEER_RESTARTS):
            models += 1
            if train(layout, device, STEPS, until_right=True):
                right += 1
                break
    peer = time.perf_counter() - begun
    rows = [(f"plain PyTorch, up to {PEER_RESTARTS} models of {STEPS} steps each", f"{right}, in floats", peer)]
    begun = time.perf_counter()
    found = search_tasks(tasks, HEADS, device=None if name is None else name)
    took = time.perf_counter() - begun
    rows.append(("`search_tasks`, all at once", f"{sum(each.found for each in found)}, proved", took))
    lines += [
        "",
        "## Heads found",
        "",
        f"Of {TASKS} functions. The peer's models are right on all contexts in floats; those of the search are exact "
        "tables with verified certificates, its proofs included in the time.",
        "",
        "| | found | seconds | ratio |",
        "|---|---:|---:|---:|",
        *(f"| {label} | {many} | {each:.1f} | {peer / each:.1f}× |" for label, many, each in rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the search for heads.")
    parser.add_argument("--device", help="as torch names it; by default the accelerator if there is one")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/head_search.md")
    arguments = parser.parse_args()
    tables = report(arguments.device)
    print(tables, end="")
    if arguments.record:
        RESULTS.write_text(tables, "utf-8")


if __name__ == "__main__":
    main()
