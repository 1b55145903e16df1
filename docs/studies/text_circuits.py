"""One and two layers of attention, on text and on repeated random tokens, taken apart.

``python docs/studies/text_circuits.py [--out DIR]`` trains the four models that are not in DIR yet, each as
``expressivity train`` does, and goes on where it was stopped. Then it prints, as tables: which heads copy and match;
composition; where heads look on random tokens that repeat themselves; how much more context helps; what the terms of
the path expansion are worth; and for one layer on text the first skip-trigrams and the costliest bugs. Everything here
is measured in floats; nothing is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click
import numpy as np
import torch

from expressivity.attention import AttentionOnlyTransformer
from expressivity.circuits import (
    Circuits,
    Composition,
    Data,
    compositions,
    copying_score,
    find_bugs,
    importance,
    in_context,
    looks,
    matching_score,
    path_name,
    skip_trigrams,
)
from expressivity.circuits.model import HeadName
from expressivity.circuits.skipgrams import RANKINGS
from expressivity.pictures import visible
from expressivity.report.progress import Counted
from expressivity.training.feeds import RepeatedFeed, TextFeed, token_losses
from expressivity.training.plan import Plan, planned
from expressivity.training.run import Trained, train

TEXT = {"text": ("code",), "heads": 4, "d_model": 64, "vocabulary": 1024, "length": 64, "batch": 32, "lr": 0.01,
        "steps": 30_000}  # fmt: skip
PLANS: Mapping[str, Plan] = {
    f"{task}-{layers}": planned(task, layers=layers, **(TEXT if task == "text" else {}))
    for task in ("text", "repeated")
    for layers in (1, 2)
}
WINDOWS, ROWS, SEED = 512, 512, 1 << 32
EARLY, OVER = 10, 10
"""Losses are compared at positions 10 to 19 and at the last ten."""
OFTEN = 100
"""Occurrences in the training text of a token that is drawn at random: many bytes never occur."""
COPIES = 0.5
"""A head copies whose score is above; the published count states no bound."""
TOP = 8


def held_out(trained: Trained, windows: int | None = WINDOWS) -> tuple[torch.Tensor, list[int] | None]:
    """Sequences that no model saw (of text at most so many), and the tokens that random sequences are drawn from."""
    feed = trained.feed
    if isinstance(feed, TextFeed):
        counts = np.bincount(feed.corpus.train, minlength=len(feed.tokens))
        rows = feed.corpus.windows(feed.n_ctx + 1, windows).astype(np.int64)
        return torch.from_numpy(rows), np.flatnonzero(counts >= OFTEN).tolist()
    if not isinstance(feed, RepeatedFeed):
        raise TypeError(f"found a feed of {feed.name}")
    return feed.drawn(SEED, 0, ROWS)[0], None


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table in Markdown."""
    names = list(header)
    click.echo(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        click.echo(f"| {' | '.join(map(str, row))} |")
    click.echo()


def number(value: float | None, digits: int = 2) -> str:
    """With a sign, or a dash."""
    return "—" if value is None else f"{value:+.{digits}f}".replace("-", "−")


def shown(name: str) -> str:
    """A token as code in a cell of a table."""
    text = visible(name, 16).replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def scores(circuits: Circuits, among: list[int] | None) -> None:
    """A row for each head."""
    copying = [copying_score(circuits, head) for head in circuits.heads]
    for layer in range(len(circuits.model.blocks)):
        found = [score.value for score in copying if score.path[0].layer == layer]
        many = sum(value is not None and value > COPIES for value in found)
        above = sum(value is not None and value > 0 for value in found)
        click.echo(f"layer {layer}: {many} of {len(found)} heads copy (score above {COPIES}), {above} above 0\n")
    rows = []
    for score, look in zip(copying, looks(circuits, sequences=64, among=among), strict=True):
        head = look.head
        through = [(matching_score(circuits, head, key=(e,)), e) for e in circuits.heads if e.layer < head.layer]
        best = max(through, key=lambda pair: pair[0].value or -1, default=None)
        via = "" if best is None else f"{number(best[0].value)} ({best[1]})"
        rows.append((head, number(score.value), number(matching_score(circuits, head).value), via,
                     f"{look.induction:.3f}", f"{look.previous:.3f}"))  # fmt: skip
    table(("head", "copying", "matching", "matching, best through", "induction", "previous token"), rows)


def composed(circuits: Circuits) -> None:
    """A row for each pair of heads."""
    found, baseline = compositions(circuits)
    if baseline is None:
        return

    def strength(pair: Composition) -> float:
        return max(x for x in (pair.q, pair.k, pair.v) if x is not None)

    pairs = sorted(found, key=strength, reverse=True)
    click.echo(f"composition, less {baseline.mean:.3f} ± {baseline.deviation:.3f} of random heads\n")
    table(
        ("pair", "Q", "K", "V"),
        ((f"{p.first} → {p.second}", number(p.q, 3), number(p.k, 3), number(p.v, 3)) for p in pairs[:TOP]),
    )


def worth(circuits: Circuits, data: Data) -> None:
    """Terms by order, paths left out."""
    terms = importance(circuits, data)
    orders = ["chance", "direct path", "up to 1 head", "up to 2 heads"][: len(terms.losses) + 1]
    table(["terms", *orders], [["loss", f"{terms.chance:.3f}", *(f"{loss:.3f}" for loss in terms.losses)]])
    paths = sorted(terms.paths.items(), key=lambda item: -item[1])[:TOP]
    table(("path", "loss without it, less the model's"), ((path_name(path), number(x, 3)) for path, x in paths))


def only_among(circuits: Circuits, among: list[int]) -> Circuits:
    """The model with these tokens alone, as sources, destinations and outputs; of one layer, without positions."""
    model = circuits.model
    names = [model.tokens[k] for k in among]
    kept = AttentionOnlyTransformer(
        names, names, n_ctx=model.n_ctx, n_heads=model.n_heads, d_model=model.d_model, d_head=model.d_head,
        attn_scale=model.attn_scale,
    )  # fmt: skip
    kept.W_E.data, kept.W_U.data = model.W_E[among], model.W_U[:, among]
    kept.blocks[0].load_state_dict(model.blocks[0].state_dict())
    return Circuits.of(kept)


def skipped(circuits: Circuits, data: Data, among: list[int]) -> None:
    """The first skip-trigrams of every head, of tokens that occur often, and the costliest bugs."""
    rows, often = [], only_among(circuits, among)
    for head in circuits.heads:
        entries = [skip_trigrams(often, head, 3, ranking=ranking, centred=True).entries for ranking in RANKINGS]
        rows += [
            (head, *(f"{shown(e.source)} … {shown(e.destination)} → {shown(e.output)}" for e in row))
            for row in zip(*entries, strict=True)
        ]
    table(("head", "QK + OV", "e^QK · OV", "e^QK · (OV + direct)"), rows)
    bugs = []
    for bug in find_bugs(circuits, data, TOP):
        because = "" if bug.because is None else f"… {shown(bug.because)} ({bug.because_frequency:.2f})"
        bugs.append(
            (f"{shown(bug.source)} … {shown(bug.destination)} → {shown(bug.output)}", bug.head,
             f"{bug.occurrences:.0f}", f"{bug.probability:.3f}", f"{bug.frequency:.3f}", f"{bug.cost:.4f}",
             f"{bug.total:.1e}", because)
        )  # fmt: skip
    table(("bug", "head", "seen", "model", "data", "nats each", "nats in all", "because of"), bugs)


def describe(name: str, trained: Trained) -> None:
    """Print all tables of one model."""
    circuits = Circuits.of(trained.model)
    sequences, among = held_out(trained)
    data = Data.of(sequences, circuits)
    measures = ", ".join(f"{key.replace('_', ' ')} {value:.4f}" for key, value in trained.measures.items())
    click.echo(f"## {name}\n\n{measures}\n")
    scores(circuits, among)
    composed(circuits)
    worth(circuits, data)
    if among is not None and circuits.heads[-1] < HeadName(1, 0):
        skipped(circuits, data, among)


def learnt_in_context(task: str, models: Mapping[int, Trained]) -> None:
    """The score of models by their layers, and what a layer adds to it, over all held-out windows."""
    rows, _ = held_out(next(iter(models.values())), None)
    last = rows.shape[1] - 2
    lines, before = [], None
    for layers, trained in sorted(models.items()):
        found = in_context(Circuits.of(trained.model), rows, early=EARLY, late=last, over=OVER)
        losses = token_losses(trained.model, rows)
        apart = losses[:, -OVER:].mean(1) - losses[:, EARLY : EARLY + OVER].mean(1)
        gain = "" if before is None else within(apart - before)
        score = f"{number(found.score, 3)} ± {found.interval or 0:.3f}"
        lines.append((layers, f"{found.early_loss:.3f}", f"{found.late_loss:.3f}", score, gain))
        before = apart
    click.echo(f"## {task}: learning in context\n\n{len(rows):,} sequences; early is positions {EARLY} to "
               f"{EARLY + OVER - 1}, late {last - OVER + 1} to {last}\n")  # fmt: skip
    table(("layers", "early", "late", "late less early", "less that of the model above"), lines)


def within(values: torch.Tensor) -> str:
    """A mean with its 95% interval."""
    return f"{number(float(values.mean()), 3)} ± {1.96 * float(values.std()) / len(values) ** 0.5:.3f}"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/text-circuits"), show_default=True)
@click.option("--only", type=click.Choice(list(PLANS)), multiple=True, help="These models alone.")
def main(out: Path, only: tuple[str, ...]) -> None:
    """Train what is not there, and print."""
    found = {}
    for name in only or PLANS:
        with Counted("steps") as progress:
            found[name] = train(PLANS[name], out / name, device="cpu", progress=progress)
        describe(name, found[name])
    for task in dict.fromkeys(each.plan.task for each in found.values()):
        models = {each.plan.layers: each for each in found.values() if each.plan.task == task}
        learnt_in_context(task, models)


if __name__ == "__main__":
    main()
