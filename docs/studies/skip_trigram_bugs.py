"""What skip-trigram "bugs" cost in nats: ``python docs/studies/skip_trigram_bugs.py``, a minute or two.

Elhage et al. (2021): ``keep … in → mind`` and ``keep … at → bay`` share one OV circuit, so a head that learns the two
also raises ``keep … in → bay``. How much loss do such bugs cost? Here is one soft task, six skip-trigrams of three
sources, in which the answer is a number: the least divergence from the task's probabilities over free skip-trigrams,
certified, beside that of one head of a given width, found by descent. What is found is rounded to rationals and
evaluated in exact arithmetic, so it is an upper bound that is proved; that no head does better is not.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil, floor

import click
import torch

from expressivity import Distribution, Head, HeadTables, SkipGrams, Task, bound_cross_entropy
from expressivity.verify.enclosure import exp_bounds, log_bounds

COMPLETIONS = {
    "keep": {"in": "mind", "at": "bay"},
    "Lloyd": {"L": "loyd", "C": "atherine"},
    "Pixmap": {"P": "ixmap", "Q": "Canvas"},
}
SUCCESSORS = {"in": "the", "at": "all", "L": "td", "C": "hapter", "P": "art", "Q": "uarter"}
OWN = {end: (source, output) for source, found in COMPLETIONS.items() for end, output in found.items()}
SOURCES = (*COMPLETIONS, "of")
OUTPUTS = sorted([*SUCCESSORS.values(), *(output for _, output in OWN.values())])
BITS = 30
Bounds = tuple[Fraction, Fraction]


def soft_task(length: int) -> Task:
    """All contexts of so many sources: 7/10 for the completion where its source occurs, else 8/10 for the successor."""
    contexts, asked = [], []
    for *sources, end in product(*[SOURCES] * length, SUCCESSORS):
        source, output = OWN[end]
        chances = dict.fromkeys(OUTPUTS, Fraction(1, 100))
        chances |= {output: Fraction(7 if source in sources else 1, 10)}
        chances |= {SUCCESSORS[end]: Fraction(2 if source in sources else 8, 10)}
        contexts.append((*sources, end))
        asked.append(Distribution(chances))
    return Task(contexts, asked, name=f"six skip-trigrams, {length} sources")


def fit(task: Task, width: int, seed: int, steps: int) -> HeadTables:
    """One head by L-BFGS on the cross-entropy: direct path, scores and values of rank ``width`` over tokens."""
    tokens = sorted({token for context in task.contexts for token in context})
    reads = torch.tensor([[tokens.index(token) for token in context] for context in task.contexts])
    chances = torch.tensor([[float(p) for _, p in asked.probabilities] for (asked,) in task.requirements]).double()
    random = torch.Generator().manual_seed(seed)
    shapes = [(len(tokens), width)] * 3 + [(width, len(OUTPUTS))]
    weights = [torch.randn(shape, generator=random).double().requires_grad_() for shape in shapes]
    query, key, value, output = weights
    direct = torch.zeros(len(tokens), len(OUTPUTS)).double().requires_grad_()
    descent = torch.optim.LBFGS([*weights, direct], max_iter=steps, history_size=50, line_search_fn="strong_wolfe",
                                tolerance_change=1e-13, tolerance_grad=1e-9)  # fmt: skip

    def closure() -> torch.Tensor:
        descent.zero_grad()
        share = torch.softmax(torch.einsum("cd,csd->cs", query[reads[:, -1]], key[reads]), 1)
        logits = direct[reads[:, -1]] + torch.einsum("cs,csd,dy->cy", share, value[reads], output)
        loss = -(chances * torch.log_softmax(logits, 1)).sum(1).mean()
        loss.backward()
        return loss

    descent.step(closure)
    rows = [(None, token) for token in tokens]
    q, k, v, o, b = ([[_rounded(x) for x in row] for row in table.tolist()] for table in (*weights, direct))
    scores = {(r, s): _dot(q[i], k[j]) for i, r in enumerate(rows) for j, s in enumerate(rows)}
    columns = list(zip(*o, strict=True))
    values = {(s, y): _dot(v[j], columns[n]) for j, s in enumerate(rows) for n, y in enumerate(OUTPUTS)}
    table = {(r, y): b[i][n] for i, r in enumerate(rows) for n, y in enumerate(OUTPUTS)}
    return HeadTables("tokens", table, (Head(values, scores=scores),))


def cross_entropy(tables: HeadTables, task: Task) -> Bounds:
    """Bounds of the mean cross-entropy of one head with real scores, by rational arithmetic."""
    (head,), total = tables.heads, (Fraction(0), Fraction(0))
    for context, (asked,) in zip(task.contexts, task.requirements, strict=True):
        rows = [(None, token) for token in context]
        scores = [head.score(rows[-1:], [row]) for row in rows]
        odds = [exp_bounds(score - max(scores)) for score in scores]
        low, high = (sum(side) for side in zip(*odds, strict=True))
        logits: dict[str, Bounds] = {}
        for y in OUTPUTS:
            terms = [(head.values.get((row, y), Fraction(0)), a, c) for row, (a, c) in zip(rows, odds, strict=True)]
            start = tables.direct.get((rows[-1], y), Fraction(0))
            least = start + sum(w * (a / high if w > 0 else c / low) for w, a, c in terms)
            most = start + sum(w * (c / low if w > 0 else a / high) for w, a, c in terms)
            logits[y] = least, most
        top = max(most for _, most in logits.values())
        sums = [sum(exp_bounds(_short(bound[side] - top, side))[side] for bound in logits.values()) for side in (0, 1)]
        norm = log_bounds(sums[0])[0], log_bounds(sums[1])[1]
        expected = [sum(p * (logits[y][side] - top) for y, p in asked.probabilities) for side in (0, 1)]
        total = total[0] + norm[0] - expected[1], total[1] + norm[1] - expected[0]
    return total[0] / len(task.contexts), total[1] / len(task.contexts)


def entropy(task: Task) -> Bounds:
    """Bounds of the mean entropy of the task's own probabilities."""
    terms = [(p, log_bounds(p)) for (asked,) in task.requirements for _, p in asked.probabilities]
    low, high = -sum(p * most for p, (_, most) in terms), -sum(p * least for p, (least, _) in terms)
    return low / len(task.contexts), high / len(task.contexts)


def main(widths: tuple[int, ...] = (1, 2, 3, 6), seeds: int = 4, steps: int = 600) -> None:
    """Print the table: divergence from the task's probabilities, in nats."""
    torch.set_num_threads(1)  # the tensors are small
    click.echo("| | one source | two sources |\n|---|---|---|")
    tasks = [soft_task(length) for length in (1, 2)]
    floors = [entropy(task) for task in tasks]
    free = [bound_cross_entropy(task, SkipGrams(3, "count")) for task in tasks]
    bounds = [
        (float((b.lower or 0) - most), float((b.upper or 0) - least))
        for b, (least, most) in zip(free, floors, strict=True)
    ]
    click.echo("| free skip-trigrams, certified | " + " | ".join(f"{most:.4f}" for _, most in bounds) + " |")
    for width in widths:
        cells = []
        for task, (least, _), (_, rival) in zip(tasks, floors, bounds, strict=True):
            found = min(cross_entropy(fit(task, width, seed, steps), task)[1] for seed in range(seeds)) - least
            cells.append(f"at most {ceil(found * 10**4) / 10**4:.4f} ({float(found) - rival:+.4f})")
        click.echo(f"| one head, d_head {width} | " + " | ".join(cells) + " |")


def _rounded(x: float) -> Fraction:
    return Fraction(round(x * 2**BITS), 2**BITS)


def _short(x: Fraction, up: int) -> Fraction:
    """In fewer digits, rounded down or up."""
    return Fraction((ceil if up else floor)(x * 2**200), 2**200)


def _dot(left: list[Fraction], right: tuple[Fraction, ...] | list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


if __name__ == "__main__":
    main()
