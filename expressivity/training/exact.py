"""What the weights of a trained model decide, exactly: stored floats are rational numbers.

The tables are read off the weights without rounding and every margin is enclosed, so that its sign is proved. Where all
comparisons hold, close tables with rational odds are proved by the trusted base besides: a certificate that anyone can
check. A float never meets a tie exactly, so ties count as met where the difference is small beside the least margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch

from expressivity.attention import enclosed_margins, rational_for, read_tables
from expressivity.attention.models.mlp import MLPTransformer
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError, Refuted
from expressivity.heads.sandwich import certify_tables
from expressivity.task import Task
from expressivity.verdict import Certificate

TIE = Fraction(1, 10)
"""Of the least margin: a tie whose difference is less counts as met."""


@dataclass(frozen=True, eq=False)
class Decided:
    """What a model does on a task.

    Attributes:
        strict: how many comparisons of one logit above another.
        strict_right: how many of them hold.
        least_margin: the least margin of these (a lower bound where it is enclosed); below 0 where one fails.
        ties: how many comparisons of equal logits.
        largest_tie: the largest difference among them (an upper bound).
        proved: whether signs are proved, of the exact weights; else they are those of a run in float64.
        certificate: of close rational tables, verified; ``None`` where there are none, or ties.
    """

    strict: int
    strict_right: int
    least_margin: float
    ties: int
    largest_tie: float
    proved: bool
    certificate: Certificate | None

    @property
    def right(self) -> bool:
        """Whether all strict comparisons hold, and all ties within a tenth of the least margin."""
        return self.strict_right == self.strict and (not self.ties or self.largest_tie < TIE * self.least_margin)

    def to_json(self) -> dict[str, Any]:
        """All but the certificate itself."""
        return {
            "right": self.right,
            "strict": self.strict,
            "strict_right": self.strict_right,
            "least_margin": self.least_margin,
            "ties": self.ties,
            "largest_tie": self.largest_tie,
            "proved": self.proved,
            "certified": self.certificate is not None,
        }


def decided(model: AttentionOnlyTransformer | MLPTransformer, task: Task, *, certify: bool = True) -> Decided:
    """What a model decides, proved for one layer of attention alone.

    Args:
        model: trained for the task.
        task: all its contexts.
        certify: whether a certificate is made where everything holds.
    """
    comparisons = task.comparisons()
    exact = isinstance(model, AttentionOnlyTransformer) and len(model.blocks) == 1
    tables = None
    if exact and isinstance(model, AttentionOnlyTransformer):
        tables = read_tables(model)
        found = enclosed_margins(tables, task)
        lows = [interval.lower for interval in found]
        highs = [interval.upper for interval in found]
    else:
        lows = highs = [Fraction(value) for value in _float_margins(model, task)]
    strict = [low for low, comparison in zip(lows, comparisons, strict=True) if not comparison.equal]
    differences = [
        max(abs(low), abs(high)) for low, high, c in zip(lows, highs, comparisons, strict=True) if c.equal
    ]
    result = Decided(
        len(strict),
        sum(low > 0 for low in strict),
        float(min(strict, default=Fraction(0))),
        len(differences),
        float(max(differences, default=Fraction(0))),
        exact,
        None,
    )
    if certify and tables is not None and result.right and not result.ties:
        return Decided(**{**vars(result), "certificate": _certificate(tables, task)})
    return result


def _certificate(tables: Any, task: Task) -> Certificate | None:
    try:
        rational = rational_for(tables, task)
        return certify_tables(task, rational, "trained weights, their odds rounded to rationals").certificate
    except (InputError, Refuted):  # margins too narrow for rational odds of reasonable size
        return None


def _float_margins(model: AttentionOnlyTransformer | MLPTransformer, task: Task) -> list[float]:
    bare = model.attention if isinstance(model, MLPTransformer) else model
    kind = bare.W_E.dtype
    model.double()
    outputs = {output: k for k, output in enumerate(bare.outputs)}
    with torch.no_grad():
        logits = [model(bare.encode([context]))[0, -1].tolist() for context in task.contexts]
    model.to(kind)
    return [logits[c.context][outputs[c.above]] - logits[c.context][outputs[c.below]] for c in task.comparisons()]
