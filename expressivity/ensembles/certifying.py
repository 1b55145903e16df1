"""From what the engine found to a verdict with a verified certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from expressivity.certificate import rational_text, seal
from expressivity.ensembles.parts import Part
from expressivity.skipgrams import Feature, SkipGrams
from expressivity.task import Comparison, Task
from expressivity.verdict import EXPRESSIBLE, INEXPRESSIBLE, Obstruction, SeparatingWeights, Verdict, short

RANKED = 300  # comparisons up to which a certificate claims irreducibility too: the trusted base needs n³ steps for it
MOST_RANKED = 2_000
Weights = dict[Feature, dict[str, Fraction]]


def weights_json(weights: Mapping[Feature, Mapping[str, Fraction]]) -> list[dict[str, Any]]:
    """Weights as a certificate lists them: features of few sources first."""
    return [
        feature.to_json({y: rational_text(value) for y, value in logits.items()})
        for feature, logits in sorted(weights.items(), key=lambda item: (len(item[0].sources), item[0]))
    ]


def multipliers_json(multipliers: Iterable[tuple[Comparison, int | Fraction]]) -> list[dict[str, Any]]:
    """Multipliers as a certificate lists them; the contexts of the comparisons are those that it states."""
    return [
        {"context": c.context, "pair": [c.above, c.below], "multiplier": rational_text(multiplier)}
        for c, multiplier in multipliers
    ]


def separating_weights(task: Task, model: SkipGrams, weights: Mapping[Feature, Mapping[str, Fraction]]) -> Verdict:
    """The verdict yes for given weights, verified.

    Raises:
        Refuted: the weights do not decide the task.
    """
    entries = weights_json(weights)
    certificate = SeparatingWeights(seal("separating_weights", model.to_json(), task.to_json(), {"weights": entries}))
    statement = certificate.verify()
    many = f"{len(entries)} feature{'s' if len(entries) != 1 else ''}"
    reason = many if statement.margin is None else f"margin {short(statement.margin)}, {many}"
    return Verdict(model, EXPRESSIBLE, certificate, reason, statement.margin)


def obstruction(task: Task, model: SkipGrams, part: Part, multipliers: Mapping[int, int]) -> Verdict:
    """The verdict no for given multipliers of a part's comparisons, verified; it states the contexts that it uses.

    That no proper part of the comparisons cancels is claimed too, where checking it takes less than a second.
    """
    rows = np.array(sorted(multipliers), dtype=np.int64)
    factors = [multipliers[row] for row in rows.tolist()]
    used = list(zip(part.comparisons(task, rows), factors, strict=True))
    chosen = sorted({part.contexts[c.context] for c, _ in used})
    place = {i: n for n, i in enumerate(chosen)}
    stated = [(replace(c, context=place[part.contexts[c.context]]), multiplier) for c, multiplier in used]
    proof = {"multipliers": multipliers_json(stated), "irreducible": len(used) <= RANKED}
    certificate = Obstruction(seal("obstruction", model.to_json(), task.restrict(chosen).to_json(), proof))
    certificate.verify()
    ratio = f" ({certificate.ratio})" if len(certificate.ratio) < 40 else ""
    many = f"{len(chosen)} context{'s cancel' if len(chosen) != 1 else ' cancels'}"
    return Verdict(model, INEXPRESSIBLE, certificate, f"{many}{ratio}")
