"""Two other ways through the forward pass: in balls of 1200 bits, and on a machine that rounds as badly as it may.

The machine keeps every number in its format. It adds in a random order, flushes subnormal numbers, divides by way of
the reciprocal when it likes, and its exponential errs. What it computes in float64 and rounds once is rounded
correctly: float64 has more than twice the digits of both formats and two more.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import exp, frexp, ldexp

import torch
from flint import arb, arb_mat, ctx
from torch import Tensor

from expressivity.attention import AttentionOnlyTransformer

BITS = 1200


def rows_read(model: AttentionOnlyTransformer, context: Sequence[str]) -> list[int]:
    """The rows of ``W_E``."""
    step = len(model.tokens) if model.embedding == "joint" else 0
    return [model.tokens.index(token) + i * step for i, token in enumerate(context)]


def true_logits(model: AttentionOnlyTransformer, context: Sequence[str]) -> list[arb]:
    """The real logits of the stored weights at the destination."""

    def exactly(weights: Tensor) -> arb_mat:
        return arb_mat([[arb(x) for x in row] for row in weights.detach().double().tolist()])

    with ctx.workprec(BITS):
        x = exactly(model.W_E[rows_read(model, context)]) + exactly(model.W_pos[: len(context)])
        for block in model.blocks:
            added = arb_mat(len(context), model.d_model)
            for h in range(model.n_heads):
                q, k, v, o = (exactly(w[h]) for w in (block.W_Q, block.W_K, block.W_V, block.W_O))
                scores = (x * q) * (x * k).transpose()
                odds = arb_mat(len(context), len(context))
                for i in range(len(context)):
                    each = [(scores[i, j] / arb(block.attn_scale)).exp() for j in range(i + 1)]
                    for j, a in enumerate(each):
                        odds[i, j] = a / sum(each, arb(0))
                added += odds * (x * v) * o
            x = x + added
        last = x * exactly(model.W_U)
        return [last[len(context) - 1, y] for y in range(last.ncols())]


@dataclass
class Machine:
    """float32 or bfloat16, at its worst."""

    dtype: torch.dtype
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    def round(self, number: float) -> float:
        """To the nearest number with 24 or 8 digits."""
        if abs(number) < 2.0**-126:
            return 0.0
        mantissa, exponent = frexp(number)
        digits = 24 if self.dtype == torch.float32 else 8
        return ldexp(round(ldexp(mantissa, digits)), exponent - digits)

    def sum(self, terms: Iterable[float]) -> float:
        parts = list(terms) or [0.0]
        order = self.dice.choice(["left", "sorted", "tree"])
        if order == "sorted":
            parts.sort(key=abs)
        while len(parts) > 1:
            if order == "tree":
                self.dice.shuffle(parts)
            a, b = parts.pop(0), parts.pop(0)
            parts.insert(0, self.round(a + b))
        return parts[0]

    def inner(self, a: Iterable[float], b: Iterable[float]) -> float:
        return self.sum(self.round(x * y) for x, y in zip(a, b, strict=True))

    def product(self, a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
        columns = [list(column) for column in zip(*b, strict=True)]
        return [[self.inner(row, column) for column in columns] for row in a]

    def exp(self, x: float) -> float:
        wrong = 7 * 2.0**-24 if self.dtype == torch.float32 else 0.0
        return 1.0 if x == 0 else self.round(exp(x) * (1 + self.dice.choice([-wrong, wrong])))

    def softmax(self, scores: list[float]) -> list[float]:
        best = max(scores)
        odds = [self.exp(self.round(s - best)) for s in scores]
        mass = self.sum(odds)
        if self.dice.random() < 0.5:
            return [self.round(a / mass) for a in odds]
        return [self.round(a * self.round(1 / mass)) for a in odds]

    def logits(self, model: AttentionOnlyTransformer, context: Sequence[str]) -> list[float]:
        """The logits at the destination, by a model whose weights are of this type."""

        def read(weights: Tensor) -> list[list[float]]:
            return [[self.round(x) for x in row] for row in weights.detach().double().tolist()]

        pairs = zip(read(model.W_E[rows_read(model, context)]), read(model.W_pos[: len(context)]), strict=True)
        x = [[self.round(a + b) for a, b in zip(*pair, strict=True)] for pair in pairs]
        for block in model.blocks:
            met: list[list[float]] = [[] for _ in x]
            for h in range(model.n_heads):
                q, k, v = (self.product(x, read(w[h])) for w in (block.W_Q, block.W_K, block.W_V))
                for i, row in enumerate(met):
                    scores = [self.round(self.inner(q[i], k[j]) / self.round(block.attn_scale)) for j in range(i + 1)]
                    row += [self.inner(self.softmax(scores), column) for column in zip(*v[: i + 1], strict=True)]
            if model.n_heads:
                o = self.product(met, [row for h in range(model.n_heads) for row in read(block.W_O[h])])
                x = [[self.round(a + b) for a, b in zip(*pair, strict=True)] for pair in zip(x, o, strict=True)]
        return self.product(x[-1:], read(model.W_U))[0]
