"""The trigram model (ARENA, November 2024) and what is in it: ``python docs/studies/trigram_model.py [--out DIR]``.

Trains the model with an MLP and the attention-only one, each as ``expressivity train trigrams`` does, unless they are
in DIR already. Then, on 4,000 sequences that no model saw: which forced tokens each predicts, whole and with parts
taken out; whether attention to the token before marks the pairs that are learnt; which terms of QK mark them; and what
the MLP adds. Everything here is measured in floats; nothing is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import click
import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from expressivity.attention.models.mlp import MLPTransformer
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.report.progress import Counted
from expressivity.training.feeds import TrigramFeed, token_losses
from expressivity.training.forced import Forced, forced_predictions
from expressivity.training.plan import Model, Plan, planned
from expressivity.training.run import train
from expressivity.training.trigrams import Trigrams

PLANS: Mapping[str, Plan] = {
    "with an MLP": planned("trigrams"),
    "attention only": planned("trigrams", d_mlp=0, d_head=24),
}
SEQUENCES, SEED = 4000, 1 << 33
RULE = 0.2  # of attention to the token before: the published rule
TERMS = ("token to token", "token to position", "position to token", "position to position")


@dataclass(frozen=True)
class Ablated:
    """A way to run a model without a part of it: the most probable token, share and pairs right."""

    name: str
    found: Forced


def split(model: Model) -> tuple[AttentionOnlyTransformer, Callable[[Tensor], Tensor]]:
    """Attention alone, and the MLP as a function of the residual stream; of no MLP, zero."""
    if isinstance(model, MLPTransformer):
        return model.attention, model.mlps[0]
    return model, torch.zeros_like


def batches(rows: Tensor) -> tuple[Tensor, ...]:
    """Some sequences at a time, without their last tokens, which nothing follows."""
    return torch.split(rows[:, :-1], 256)


@torch.no_grad()
def linear_mlp(model: Model, rows: Tensor) -> Callable[[Tensor], Tensor]:
    """The affine map nearest to the MLP on the inputs that it gets."""
    bare, mlp = split(model)
    inputs = torch.cat([(x := bare.embed(part)) + bare.blocks[0](x) for part in batches(rows)]).flatten(0, 1).double()
    ones = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=torch.float64)], dim=1)
    fitted = torch.linalg.lstsq(ones, mlp(inputs.float()).double()).solution.float()
    return lambda x: x @ fitted[:-1] + fitted[-1]


@torch.no_grad()
def mean_mlp(model: Model, rows: Tensor) -> Callable[[Tensor], Tensor]:
    """What the MLP writes on average."""
    bare, mlp = split(model)
    written = torch.cat([mlp((x := bare.embed(part)) + bare.blocks[0](x)) for part in batches(rows)])
    mean = written.mean((0, 1))
    return lambda x: mean.expand_as(x)


def ablations(model: Model, world: Trigrams, rows: Tensor) -> list[Ablated]:
    """The model whole, and with parts taken out."""
    bare, mlp = split(model)

    def run(attention: bool, after: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def logits(tokens: Tensor) -> Tensor:
            x = bare.embed(tokens)
            x = x + bare.blocks[0](x) if attention else x
            return (x + after(x)) @ bare.W_U

        return logits

    ways = {"whole": run(True, mlp)}
    if isinstance(model, MLPTransformer):
        ways |= {
            "MLP set to 0": run(True, torch.zeros_like),
            "MLP set to its mean": run(True, mean_mlp(model, rows)),
            "MLP replaced by the nearest affine map": run(True, linear_mlp(model, rows)),
            "attention set to 0": run(False, mlp),
        }
    ways["direct path alone"] = run(False, torch.zeros_like)
    return [Ablated(name, forced_predictions(world, way, rows)) for name, way in ways.items()]


@torch.no_grad()
def attention_before(model: Model, rows: Tensor, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """Every ordered pair's mean attention from the second token to the first, and how often the pair occurs."""
    bare, _ = split(model)
    total, times = np.zeros((vocabulary, vocabulary)), np.zeros((vocabulary, vocabulary))
    for part in batches(rows):
        pattern = bare.blocks[0].pattern(bare.embed(part))[:, 0]
        before = pattern.diagonal(offset=-1, dim1=1, dim2=2).numpy()
        where = (part[:, :-1].numpy(), part[:, 1:].numpy())
        np.add.at(total, where, before)
        np.add.at(times, where, 1)
    return total / np.maximum(times, 1), times


@torch.no_grad()
def score_terms(model: Model) -> dict[str, np.ndarray]:
    """The four parts of the score of (destination, source): ``(E_b + P_i) W_Q W_K^T (E_a + P_j)^T / scale``."""
    bare, _ = split(model)
    q, k = bare.W_Q[0], bare.W_K[0]
    parts = {"token": bare.W_E, "position": bare.W_pos}
    return {
        f"{left} to {right}": ((parts[left] @ q) @ (parts[right] @ k).T / bare.attn_scale).numpy()
        for left in parts
        for right in parts
    }


def rank_share(marked: np.ndarray, others: np.ndarray) -> float:
    """How often one of the marked is above one of the others (the area under the curve): 1/2 tells nothing, 1 all."""
    values = np.concatenate([marked, others])
    ranks = rankdata(values)
    return float((ranks[: len(marked)].sum() - len(marked) * (len(marked) + 1) / 2) / (len(marked) * len(others)))


@torch.no_grad()
def contributions(model: Model, world: Trigrams, rows: Tensor, found: Forced) -> dict[str, float]:
    """The mean, over right occurrences, of what each path adds to the forced token's logit above the mean logit."""
    bare, mlp = split(model)
    total = {"direct path": 0.0, "head": 0.0, "MLP": 0.0}
    right = np.flatnonzero(found.right)
    for start in range(0, len(right), 4096):
        chosen = right[start : start + 4096]
        tokens = rows[found.row[chosen], :-1]
        at = torch.from_numpy(found.position[chosen])
        forced = torch.from_numpy(world.successor[found.pair[chosen, 0], found.pair[chosen, 1]])
        x = bare.embed(tokens)
        head = bare.blocks[0](x)
        for name, written in zip(total, (x, head, mlp(x + head)), strict=True):
            logits = written[torch.arange(len(at)), at] @ bare.W_U
            above = logits.gather(1, forced[:, None])[:, 0] - logits.mean(1)
            total[name] += float(above.sum())
    return {name: value / max(1, len(right)) for name, value in total.items()}


def describe(name: str, model: Model, feed: TrigramFeed) -> None:
    """Print all tables of one model."""
    world = feed.world
    rows = torch.from_numpy(world.sequences(SEQUENCES, SEED))
    ways = ablations(model, world, rows)
    whole = ways[0].found
    loss = token_losses(model, rows)
    click.echo(f"## {name}\n")
    click.echo(f"cross-entropy {float(loss.mean()):.4f} ± {1.96 * float(loss.mean(1).std()) / sqrt(len(loss)):.4f}, "
               f"floor {world.floor:.4f}\n")  # fmt: skip
    click.echo(f"| model | occurrences right | pairs right of {len(whole.shares)} |\n|---|---|---|")
    for way in ways:
        click.echo(f"| {way.name} | {way.found.share_right:.2%} | {len(way.found.pairs_right)} |")
    seen, times = attention_before(model, rows, world.vocabulary)
    forcing = world.successor >= 0
    learnt = np.zeros_like(forcing)
    for pair in whole.pairs_right:
        learnt[pair] = True
    attended = seen > RULE
    click.echo(f"\n| attention to the token before | above {RULE} | not |\n|---|---|---|")
    for title, pairs in (("forcing, learnt", learnt), ("forcing, not learnt", forcing & ~learnt), ("free", ~forcing)):
        pairs = pairs & (times > 0)
        click.echo(f"| {title} | {int((pairs & attended).sum())} | {int((pairs & ~attended).sum())} |")
    terms = score_terms(model)
    click.echo("\n| term of the score | learnt pairs | other pairs | a learnt pair above another |\n|---|---|---|---|")
    i = np.arange(1, feed.n_ctx - 1)
    for term in TERMS:
        table = terms[term]
        if term == "token to token":  # [second token, first token]
            of_pair = table.T
        elif term == "token to position":
            of_pair = np.repeat(table[:, i - 1].mean(1)[None, :], world.vocabulary, axis=0)
        elif term == "position to token":
            of_pair = np.repeat(table[i].mean(0)[:, None], world.vocabulary, axis=1)
        else:
            of_pair = np.full((world.vocabulary, world.vocabulary), table[i, i - 1].mean())
        marked, others = of_pair[learnt], of_pair[~learnt]
        ranked = "—" if term == "position to position" else f"{rank_share(marked, others):.3f}"
        click.echo(f"| {term} | {marked.mean():.2f} | {others.mean():.2f} | {ranked} |")
    table = terms["position to position"]
    click.echo("\n| position to position, by how far back | mean |\n|---|---|")
    late = np.arange(10, feed.n_ctx - 1)
    for back in (0, 1, 2, 3, 5, 10):
        click.echo(f"| {back} | {table[late, late - back].mean():.2f} |")
    click.echo("\n| path | raises the forced token's logit above the mean by |\n|---|---|")
    for path, value in contributions(model, world, rows, whole).items():
        click.echo(f"| {path} | {value:.2f} |")
    click.echo()


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/trigrams"), show_default=True)
def main(out: Path) -> None:
    """Train what is not there, and print."""
    for name, plan in PLANS.items():
        with Counted("steps") as progress:
            trained = train(plan, out / name.replace(" ", "-"), device="cpu", progress=progress)
        assert isinstance(trained.feed, TrigramFeed)  # noqa: S101 (what the plan says)
        describe(name, trained.model, trained.feed)


if __name__ == "__main__":
    main()
