"""Why our trigram model and the published one differ: ``python docs/studies/trigram_variants.py [NAME …] [--out DIR]``.

The published model was trained otherwise than ours: with biases, a lower rate that does not fall to 0, next to no
weight decay, on 100,000 sequences again and again, and in a world without chains. Here each of these is changed alone,
and all at once. Weights are kept in DIR; what is there is not trained again. ``--published trigram_model.pt`` measures
the published weights too (a file of the ARENA_3.0 repository; its world is drawn here as it was there).

Everything is measured on 4,000 new sequences of the model's own world. All of it is floats; nothing is proved.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import sqrt
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from trigram_model import PLANS

from expressivity.attention.models import parameters_of
from expressivity.report.progress import Counted
from expressivity.training.feeds import TrigramFeed, next_token_loss, token_losses
from expressivity.training.forced import forced_predictions
from expressivity.training.plan import make_model, planned
from expressivity.training.run import train
from expressivity.training.trigrams import Array, Trigrams

SEQUENCES, SEED = 4000, 1 << 33
RULE = 0.2  # of attention to the token before: the published rule
SCREENED = 6000  # steps of a variant, where nothing else is said
PUBLISHED_SEED, ANALYSED = 40, 2500  # of the published training and analysis, and its sequences
PUBLISHED_FILE = "aebf6d0f52b38c9470f798613a02466842bdc103f75611a65fcc3f5727ae2757"


@dataclass(frozen=True)
class Unchained(Trigrams):
    """The published world: no pair's second token and successor are a pair themselves.

    Triples are drawn evenly one by one; one that contradicts an earlier one or makes a chain with it is left out.
    """

    seed: int = PUBLISHED_SEED

    @cached_property
    def drawn(self) -> tuple[Array, Tensor]:
        """The rules, and the generator's state after them."""
        random = torch.Generator().manual_seed(self.seed)
        table = np.full((self.vocabulary, self.vocabulary), -1, dtype=np.int64)
        while (table >= 0).sum() < self.pairs:
            a, b, c = torch.randint(0, self.vocabulary, (3,), generator=random).tolist()
            chained = table[b, c] >= 0 or (table[:, a] == b).any()
            if table[a, b] < 0 and not chained:
                table[a, b] = c
        return table, random.get_state()

    @cached_property
    def successor(self) -> Array:
        """As in :class:`Trigrams`."""
        return self.drawn[0]

    def first_rows(self, many: int) -> Tensor:
        """The sequences that the published seed draws first: those of the published analysis."""
        random = torch.Generator()
        random.set_state(self.drawn[1])
        even = torch.randint(0, self.vocabulary, (many, self.length), generator=random)
        return torch.from_numpy(self.fill(even.numpy()))


@dataclass(frozen=True)
class Variant:
    """A model and how it is trained; what is left out is as in ``expressivity train trigrams``, but shorter.

    Attributes:
        d_head, d_mlp: widths; no MLP where it is 0.
        steps, batch, lr, weight_decay, seed: of AdamW.
        lr_end: what the rate falls to, linearly.
        biases: of attention and of the unembedding.
        std: of all first weights; 0 for the plan's own.
        fixed: so many sequences, in one order again and again; 0 for new ones at every step.
        unchained: the published world.
    """

    d_head: int = 16
    d_mlp: int = 20
    steps: int = SCREENED
    batch: int = 128
    lr: float = 0.01
    lr_end: float = 0.0
    weight_decay: float = 0.1
    seed: int = 0
    biases: bool = False
    std: float = 0.0
    fixed: int = 0
    unchained: bool = False

    @property
    def world(self) -> Trigrams:
        """The rules."""
        return Unchained() if self.unchained else Trigrams()


BASE = Variant()
BARE = Variant(d_mlp=0, d_head=24)
LENS = 0.8 / sqrt(32)  # TransformerLens's first weights at this width
SLOW: dict[str, Any] = {"lr": 0.001, "lr_end": 0.0001, "weight_decay": 0.001}
RECIPE = Variant(**SLOW, steps=19_600, batch=512, biases=True, std=LENS, fixed=100_000, unchained=True)
VARIANTS: Mapping[str, Variant] = {
    "ours, short": BASE,
    "weight decay 1": dataclasses.replace(BASE, weight_decay=1.0),
    "weight decay 0.3": dataclasses.replace(BASE, weight_decay=0.3),
    "weight decay 0.01": dataclasses.replace(BASE, weight_decay=0.01),
    "weight decay 0.001": dataclasses.replace(BASE, weight_decay=0.001),
    "rate 0.001 to 0.0001": dataclasses.replace(BASE, lr=0.001, lr_end=0.0001),
    "rate and weight decay": dataclasses.replace(BASE, **SLOW),
    "biases": dataclasses.replace(BASE, biases=True),
    "first weights of TransformerLens": dataclasses.replace(BASE, std=LENS),
    "first weights 0.02": dataclasses.replace(BASE, std=0.02),
    "100,000 sequences": dataclasses.replace(BASE, fixed=100_000),
    "no chains": dataclasses.replace(BASE, unchained=True),
    "all but size": dataclasses.replace(RECIPE, steps=SCREENED, batch=128),
    "published recipe": RECIPE,
    "attention only, short": BARE,
    "attention only, biases": dataclasses.replace(BARE, biases=True),
    "attention only, weight decay 0.3": dataclasses.replace(BARE, weight_decay=0.3),
    "attention only, weight decay 0.001": dataclasses.replace(BARE, weight_decay=0.001),
    "attention only, all but size": dataclasses.replace(RECIPE, steps=SCREENED, batch=128, d_mlp=0, d_head=24),
    "attention only, published recipe": dataclasses.replace(RECIPE, d_mlp=0, d_head=24),
}


OF_HEADS = ("W_Q", "W_K", "W_V", "W_O")
WEIGHTS = ("W_E", "W_pos", *OF_HEADS, "b_Q", "b_K", "b_V", "b_O", "W_in", "b_in", "W_out", "b_out", "W_U", "b_U")


class OneLayer(nn.Module):
    """One head, an MLP if there is one, and every bias that TransformerLens has.

    Args:
        weights: by TransformerLens's names; of its biases those that are missing are 0.
        biases: whether those of attention and of the unembedding are trained.
    """

    W_E: Tensor
    W_pos: Tensor
    W_Q: Tensor
    W_K: Tensor
    W_V: Tensor
    W_O: Tensor
    b_Q: Tensor
    b_K: Tensor
    b_V: Tensor
    b_O: Tensor
    W_in: Tensor
    b_in: Tensor
    W_out: Tensor
    b_out: Tensor
    W_U: Tensor
    b_U: Tensor

    def __init__(self, weights: Mapping[str, Tensor], biases: bool = False) -> None:
        super().__init__()
        found = {name.split(".")[-1]: weight.detach() for name, weight in weights.items()}
        width, vocabulary = found["W_U"].shape
        d_head = found["W_Q"].shape[-1]
        sizes = {"b_Q": d_head, "b_K": d_head, "b_V": d_head, "b_O": width, "b_U": vocabulary}
        found = {name: torch.zeros(size) for name, size in sizes.items()} | found
        for name in WEIGHTS:
            if name in found:
                weight = found[name][0] if name in OF_HEADS and found[name].dim() == 3 else found[name]
                weight = weight.reshape(-1) if name in sizes else weight
                self.register_parameter(name, nn.Parameter(weight.clone(), biases or name not in sizes))
        self.has_mlp = "W_in" in found

    def embed(self, tokens: Tensor) -> Tensor:
        """The residual stream before the head."""
        return self.W_E[tokens] + self.W_pos[: tokens.shape[1]]

    def pattern(self, x: Tensor) -> Tensor:
        """Attention, ``[batch, destination, source]``."""
        q, k = x @ self.W_Q + self.b_Q, x @ self.W_K + self.b_K
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return (q @ k.transpose(1, 2) / sqrt(q.shape[-1])).masked_fill(future, -torch.inf).softmax(-1)

    def logits(self, tokens: Tensor, *, head: bool = True, mlp: bool = True) -> Tensor:
        """With parts at 0, if asked."""
        x = self.embed(tokens)
        if head:
            x = x + self.pattern(x) @ (x @ self.W_V + self.b_V) @ self.W_O + self.b_O
        if mlp and self.has_mlp:
            x = x + torch.relu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out
        return x @ self.W_U + self.b_U

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of the next token at every position."""
        return self.logits(tokens)


def first_model(variant: Variant) -> OneLayer:
    """The plan's first weights, or normal ones of one width; biases 0."""
    plan = planned("trigrams", d_head=variant.d_head, d_mlp=variant.d_mlp, seed=variant.seed)
    found: dict[str, Tensor] = dict(parameters_of(make_model(plan, TrigramFeed(variant.world))))
    if variant.std:
        random = torch.Generator().manual_seed(variant.seed)
        for name in [name for name in found if ".W_" in name]:
            found[name] = torch.randn(found[name].shape, generator=random) * variant.std
    return OneLayer(found, variant.biases)


def batches(variant: Variant) -> Iterator[Tensor]:
    """The sequences of every step."""
    feed = TrigramFeed(variant.world)
    if not variant.fixed:
        for step in range(variant.steps):
            yield feed.rows(variant.seed, step, variant.batch)
        return
    rows = torch.from_numpy(variant.world.sequences(variant.fixed, variant.seed))
    done = 0
    while True:
        for part in torch.split(rows, variant.batch):
            yield part
            done += 1
            if done == variant.steps:
                return


def trained(variant: Variant, file: Path) -> OneLayer:
    """The model in a file, trained if it is not there."""
    model = first_model(variant)
    stated = json.dumps(dataclasses.asdict(variant), sort_keys=True)
    if file.exists():
        with safe_open(file, framework="pt") as kept:
            if kept.metadata()["variant"] != stated:
                raise click.ClickException(f"{file}: another variant; expected {stated}")
            model.load_state_dict({name: kept.get_tensor(name) for name in model.state_dict()})
        return model
    learnt = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=variant.lr, weight_decay=variant.weight_decay)
    with Counted("steps") as progress:
        for step, rows in enumerate(batches(variant)):
            optimiser.param_groups[0]["lr"] = variant.lr + (variant.lr_end - variant.lr) * step / variant.steps
            loss = next_token_loss(model, rows)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if step % 100 == 99:
                progress(step + 1, variant.steps, f"loss {float(loss.detach()):.4f}")
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(model.state_dict()), file, metadata={"variant": stated})
    return model


@torch.no_grad()
def alone(model: OneLayer, world: Trigrams) -> int:
    """How many pairs are right where nothing stands before them: the published count of pairs."""
    before, last = np.nonzero(world.successor >= 0)
    best = model(torch.from_numpy(np.stack([before, last], axis=1)))[:, 1].argmax(-1)
    return int((best.numpy() == world.successor[before, last]).sum())


def guessable(world: Trigrams) -> float:
    """The share of pairs that can be on top for a model that sees the last token alone: one successor of each."""
    most = [np.bincount(column[column >= 0]).max() for column in world.successor.T if (column >= 0).any()]
    return float(sum(most) / world.pairs)


@torch.no_grad()
def line(model: OneLayer, world: Trigrams, rows: Tensor | None = None) -> str:
    """A row of the table, of new sequences unless some are given."""
    rows = torch.from_numpy(world.sequences(SEQUENCES, SEED)) if rows is None else rows
    losses = token_losses(model, rows)
    found = forced_predictions(world, model, rows)
    without = forced_predictions(world, lambda tokens: model.logits(tokens, mlp=False), rows)
    direct = forced_predictions(world, lambda tokens: model.logits(tokens, head=False, mlp=False), rows)
    # Of every token but the first, and not of the last, which nothing follows; ``[sequences, length - 2]``.
    parts = torch.split(rows[:, :-1], 256)
    before = torch.cat([model.pattern(model.embed(part)).diagonal(-1, 1, 2) for part in parts])
    probability = (-losses[:, 1:]).exp()
    likely, attended = probability > RULE, before > RULE
    published = [int(which.sum()) for which in (likely & attended, likely & ~attended, ~likely & attended)]

    def by_pair(values: Tensor) -> np.ndarray:
        total = np.zeros((world.vocabulary, world.vocabulary))
        np.add.at(total, (rows[:, :-2].numpy(), rows[:, 1:-1].numpy()), values.double().numpy())
        return total

    times, forcing = by_pair(torch.ones_like(before)), world.successor >= 0
    above, sure = by_pair(before) > RULE * times, by_pair(likely) > 0.5 * times
    guesses = forcing & ~sure
    guessed = by_pair(probability)[guesses].sum() / max(1.0, times[guesses].sum())
    learnt = np.zeros_like(forcing)
    for pair in found.pairs_right:
        learnt[pair] = True
    rule = [int(which.sum()) for which in (learnt & above, learnt & ~above, ~forcing & above)]
    cells = [
        f"{float(losses.mean()):.3f} ± {1.96 * float(losses.mean(1).std()) / sqrt(len(losses)):.3f}",
        f"{world.floor:.3f}",
        *map(str, (len(found.pairs_right), alone(model, world), int((sure & forcing).sum()))),
        f"{guessed:.1%}",
        *(f"{each.share_right:.1%}" for each in (found, without, direct)),
        " / ".join(map(str, rule)),
        " / ".join(map(str, published)),
    ]
    return " | ".join(cells)


COLUMNS = (
    "variant", "cross-entropy", "floor", "pairs of 277", "at the start", "likely", "else",
    "occurrences", "MLP set to 0", "direct path", "rule, pairs", "rule, tokens",
)  # fmt: skip
LEGEND = f"""
pairs: the forced token is on top in more than half of a pair's occurrences; at the start: it is on top where nothing
stands before the pair; likely: it is more probable than {RULE} in more than half of the occurrences;
else: its mean probability after the other forcing pairs (even: {1 / 75:.1%}).
rule, pairs: learnt ones that are attended to above {RULE}, learnt ones that are not, free ones that are.
rule, tokens: next tokens more probable than {RULE} after such attention, the others that are, the others after such
attention."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/trigram-variants"), show_default=True)
@click.option("--models", type=click.Path(path_type=Path), default=Path("build/trigrams"), show_default=True)
@click.option("--published", type=click.Path(exists=True, path_type=Path), help="The published trigram_model.pt.")
def main(names: tuple[str, ...], out: Path, models: Path, published: Path | None) -> None:
    """Train what is not there, and print; all variants if none is named."""
    torch.set_num_threads(1)
    unknown = sorted(set(names) - set(VARIANTS))
    if unknown:
        raise click.ClickException(f"no variant {unknown[0]!r}; there are {', '.join(VARIANTS)}")
    click.echo(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    if published is not None:
        if sha256(published.read_bytes()).hexdigest() != PUBLISHED_FILE:  # a pickle: no other one is opened
            raise click.ClickException(f"{published}: is not the published file, of SHA-256 {PUBLISHED_FILE}")
        weights = torch.load(published, weights_only=True, map_location="cpu")
        world, model = Unchained(), OneLayer(weights)
        click.echo(f"| published weights | {line(model, world)} |")
        click.echo(f"| published weights, {ANALYSED:,} sequences | {line(model, world, world.first_rows(ANALYSED))} |")
    for name, plan in PLANS.items():
        own = train(plan, models / name.replace(" ", "-"), device="cpu").model
        click.echo(f"| ours, {name} | {line(OneLayer(parameters_of(own)), Trigrams())} |")
    for name, variant in VARIANTS.items():
        if not names or name in names:
            model = trained(variant, out / f"{name.replace(' ', '-').replace(',', '')}.safetensors")
            click.echo(f"| {name} | {line(model, variant.world)} |")
    click.echo(LEGEND)
    ours, theirs = guessable(Trigrams()), guessable(Unchained())
    click.echo(
        f"On top from the last token alone, at most: {ours:.1%} of our pairs, {theirs:.1%} of the published ones."
    )


if __name__ == "__main__":
    main()
