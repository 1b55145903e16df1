"""What is to be trained, on what, and how: everything that decides the weights at the end."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import torch

from expressivity.attention.models import Embedding, check_embedding, parameters_of
from expressivity.attention.models.mlp import MLPTransformer
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError
from expressivity.task import Task
from expressivity.training.feeds import Feed, FiniteFeed, RepeatedFeed, TextFeed, TrigramFeed, check_sizes
from expressivity.training.text import read_corpus
from expressivity.training.tokenizer import VOCABULARY, BytePairs
from expressivity.training.trigrams import Trigrams

if TYPE_CHECKING:
    from torch import Tensor

Model = AttentionOnlyTransformer | MLPTransformer
SMALL: dict[str, Any] = {"d_model": 16, "d_head": 8, "steps": 2000, "batch": 0, "lr": 0.01, "weight_decay": 0.0}
DEFAULTS: dict[str, dict[str, Any]] = {
    # The sizes of the published model; steps, batch and rate are our own.
    "trigrams": {"d_model": 32, "d_head": 16, "d_mlp": 20, "steps": 30_000, "batch": 128, "lr": 0.01,
                 "weight_decay": 0.1, "length": 50, "vocabulary": 75},
    "repeated": {"layers": 2, "heads": 4, "d_model": 64, "d_head": 16, "steps": 4000, "batch": 64, "lr": 0.002,
                 "weight_decay": 0.01, "length": 48, "vocabulary": 50},
    "text": {"heads": 8, "d_model": 128, "d_head": 16, "steps": 10_000, "batch": 32, "lr": 0.002,
             "weight_decay": 0.01, "length": 128, "vocabulary": VOCABULARY},
}  # fmt: skip
"""What a task takes where nothing else is asked for; finite tasks take ``SMALL``."""


@dataclass(frozen=True)
class Plan:
    """A training run: the same plan gives the same weights, bit for bit, on one machine's CPU.

    Attributes:
        task: ``trigrams``, ``repeated``, ``text``, or a finite task's file or family.
        layers: of attention; 0 is embedding and unembedding alone, kept as a layer without heads.
        heads: of each layer.
        d_model, d_head: widths.
        d_mlp: width of the MLP after each layer's heads; 0 for none.
        embedding: ``additive``, ``joint`` or ``tokens``.
        steps: in all; the rate falls linearly to 0 over them.
        batch: sequences of a step; of finite tasks all contexts are taken.
        lr, weight_decay: of AdamW.
        seed: of the first weights and of the batches.
        text: what ``text`` reads.
        vocabulary: how many tokens ``text``'s tokenizer, ``repeated`` or ``trigrams`` has.
        length: the longest context of ``text``, the sequences of ``repeated`` and of ``trigrams``.

    Raises:
        InputError: a number out of range.
    """

    task: str
    layers: int = 1
    heads: int = 1
    d_model: int = 16
    d_head: int = 8
    d_mlp: int = 0
    embedding: Embedding = "additive"
    steps: int = 2000
    batch: int = 0
    lr: float = 0.01
    weight_decay: float = 0.0
    seed: int = 0
    text: tuple[str, ...] = ("mixture",)
    vocabulary: int = 0
    length: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", tuple(self.text))
        check_embedding(self.embedding)
        least = {"layers": 0, "heads": 0, "d_model": 1, "d_head": 1, "d_mlp": 0, "steps": 1, "batch": 0, "seed": 0}
        check_sizes([(name, getattr(self, name), low) for name, low in least.items()])
        if self.task in DEFAULTS:
            check_sizes([("batch", self.batch, 1), ("length", self.length, 2), ("vocabulary", self.vocabulary, 2)])
        for name, value, low in (("lr", self.lr, "above 0"), ("weight_decay", self.weight_decay, "of at least 0")):
            if not math.isfinite(value) or value < 0 or (value == 0 and name == "lr"):
                raise InputError(f"{name} is {value}; expected a number {low}")
        if self.d_mlp and not self.layers:
            raise InputError(f"d_mlp is {self.d_mlp} with 0 layers; expected an MLP in a layer (--layers 1 --heads 0)")

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {**asdict(self), "text": list(self.text)}

    def hash(self, feed: Feed) -> str:
        """Of the plan and of everything that is fed: two runs with one hash do the same."""
        stated = json.dumps([self.to_json(), feed.fingerprint], sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()


def planned(task: str, **asked: Any) -> Plan:
    """A plan with what is asked for, and with a task's own sizes where ``None`` or nothing is.

    >>> planned("trigrams", d_mlp=0, d_head=24).d_model, planned("xor").d_model
    (32, 16)
    """
    known = {field.name for field in fields(Plan)}
    given = {name: value for name, value in asked.items() if value is not None}
    if set(given) - known:
        raise InputError(f"found {', '.join(sorted(set(given) - known))}; expected {', '.join(sorted(known))}")
    return Plan(task, **{**DEFAULTS.get(task, SMALL), **given})


def feed_of(plan: Plan, tokenizer: BytePairs | None = None) -> Feed:
    """What a plan trains on.

    Args:
        plan: the plan.
        tokenizer: of its text, where there is one already.

    Raises:
        InputError: a file that is not there or not right, or sizes that the task cannot have.
    """
    if plan.task == "trigrams":
        pairs = round(277 / 5625 * plan.vocabulary**2)
        return TrigramFeed(Trigrams(plan.vocabulary, pairs, plan.length))
    if plan.task == "repeated":
        return RepeatedFeed(plan.vocabulary, plan.length)
    if plan.task == "text":
        return TextFeed(read_corpus(plan.text, vocabulary=plan.vocabulary, tokenizer=tokenizer), plan.length)
    task = Task.load(plan.task)
    if len(task.outputs) < 2:
        raise InputError(f"{task.name}: has one output; expected two at least, or there is nothing to learn")
    return FiniteFeed(task)


def make_model(plan: Plan, feed: Feed) -> Model:
    """A model with the plan's first weights: normal, of variance 1 over the number of inputs; biases 0.

    The embedding's rows have about length 1, the positions' too. Without layers there is no use for positions, and
    they are left out.
    """
    flat = plan.layers == 0
    bare = AttentionOnlyTransformer(
        feed.tokens,
        feed.outputs,
        n_ctx=feed.n_ctx,
        n_heads=0 if flat else plan.heads,
        d_model=plan.d_model,
        d_head=plan.d_head,
        n_layers=max(1, plan.layers),
        embedding="tokens" if flat else plan.embedding,
        attn_scale=math.sqrt(plan.d_head),
    )
    model = MLPTransformer(bare, plan.d_mlp) if plan.d_mlp else bare
    for name, values in first_weights(plan, parameters_of(model)).items():
        parameters_of(model)[name].data.copy_(values)
    return model


def trained_parameters(model: Model) -> dict[str, torch.nn.Parameter]:
    """The weights that training changes, by TransformerLens's names: all, but positions where there are none."""
    bare = model.attention if isinstance(model, MLPTransformer) else model
    found = parameters_of(model)
    if bare.embedding != "additive":
        del found["pos_embed.W_pos"]
    return {name: weight for name, weight in found.items() if weight.numel()}


def first_weights(plan: Plan, parameters: Mapping[str, Tensor], seed: int | None = None) -> dict[str, Tensor]:
    """The weights before the first step, drawn from the plan's seed or another."""
    random = torch.Generator().manual_seed(plan.seed if seed is None else seed)
    found = {}
    for name, weight in parameters.items():
        inputs = weight.shape[-2] if weight.dim() > 1 else 0
        if name.startswith(("embed.", "pos_embed.")):
            inputs = weight.shape[-1]
        elif name.endswith("W_O"):
            inputs = weight.shape[0] * weight.shape[1]
        blank = inputs == 0 or (name == "pos_embed.W_pos" and (plan.layers == 0 or plan.embedding != "additive"))
        drawn = torch.zeros(weight.shape) if blank else torch.randn(weight.shape, generator=random) * inputs**-0.5
        found[name] = drawn.to(weight.dtype)
    return found
