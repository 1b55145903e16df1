"""What training came to, as text and as JSON."""

from __future__ import annotations

from typing import Any

from expressivity.training.exact import Decided
from expressivity.training.plan import Plan
from expressivity.training.run import Trained, result_json
from expressivity.training.seeds import Seeds

LABELS = {
    "cross_entropy": "cross-entropy",
    "least_cross_entropy": "least possible",
    "floor": "floor",
    "occurrences_right": "forced tokens predicted",
    "pairs_right": "forcing pairs learnt",
    "cross_entropy_new": "cross-entropy, new tokens",
    "cross_entropy_repeated": "cross-entropy, repeated",
    "repeated_right": "repeated tokens predicted",
    "held_out_cross_entropy": "held-out cross-entropy",
    "last_less_tenth_position": "late less early positions",
}
SHARES = {"occurrences_right", "repeated_right"}
COUNTS = {"pairs_right"}


def training_text(trained: Trained, folder: str | None) -> str:
    """Sizes, the loss, what was measured, and where it is."""
    plan = trained.plan
    lines = [f"{trained.feed.name} · {_model(plan)} · seed {plan.seed}", ""]
    if not trained.finished:
        lines += [f"  stopped after {trained.step:,} of {plan.steps:,} steps; the same command goes on", ""]
    if trained.step:
        lines.append(f"  {'loss at the end'.ljust(27)} {trained.curve[-1][1]:.4f} nats")
    for name, value in trained.measures.items():
        if name in SHARES:
            shown = f"{value:.2%}"
        elif name in COUNTS:
            shown = f"{value:.0f}"
        else:
            shown = f"{value:.4f} nats"
        lines.append(f"  {LABELS.get(name, name).ljust(27)} {shown}")
    if trained.decides is not None:
        lines.append(f"  {'decides the task'.ljust(27)} {_decides(trained.decides)}")
    lines.append(f"  {'time'.ljust(27)} {trained.seconds:.0f} s for {trained.step:,} steps")
    if folder is not None:
        lines.append(f"  {'folder'.ljust(27)} {folder}")
    return "\n".join(lines)


def training_json(trained: Trained, folder: str | None) -> dict[str, Any]:
    """The same, with the loss curve."""
    return {**result_json(trained), "folder": folder}


def seeds_text(found: Seeds, folder: str | None) -> str:
    """How many seeds decide the task, with an interval, and how that is known."""
    plan, total = found.plan, len(found.outcomes)
    low, high = found.interval
    last = plan.seed + total - 1
    known = "every sign proved for the exact weights" if found.proved else "in float64"
    lines = [
        f"{found.feed.name} · {_model(plan)} · seeds {plan.seed} to {last} · {plan.steps:,} steps",
        "",
        f"  decide the task    {found.right:,} of {total:,} ({found.right / total:.1%}; 95% interval {low:.2%} to "
        f"{high:.2%}), {known}",
    ]
    if found.certified:
        lines.append(f"  certificates       {found.certified:,}, of close rational tables, verified")
    ordered = found.losses.double().sort().values.tolist()
    quartiles = (ordered[round(q * (total - 1))] for q in (0, 0.25, 0.5, 0.75, 1))
    lines.append(f"  loss at the end    {' · '.join(f'{value:.4g}' for value in quartiles)}  (least, quartiles, most)")
    lines.append(f"  time               {found.seconds[0]:.0f} s to train, {found.seconds[1]:.0f} s to check")
    if folder is not None:
        lines.append(f"  folder             {folder}")
    return "\n".join(lines)


def seeds_json(found: Seeds, folder: str | None) -> dict[str, Any]:
    """The same, with the loss and the outcome of every seed."""
    return {
        "plan": found.plan.to_json(),
        "seeds": len(found.outcomes),
        "right": found.right,
        "interval": list(found.interval),
        "proved": found.proved,
        "certified": found.certified,
        "outcomes": [
            {"seed": found.plan.seed + k, "loss": loss, **outcome.to_json()}
            for k, (loss, outcome) in enumerate(zip(found.losses.tolist(), found.outcomes, strict=True))
        ],
        "seconds": list(found.seconds),
        "folder": folder,
    }


def _model(plan: Plan) -> str:
    if not plan.layers:
        return f"no layers, d_model {plan.d_model}"
    parts = [
        f"{plan.layers} layer{'s' * (plan.layers != 1)}",
        f"{plan.heads} head{'s' * (plan.heads != 1)}",
        f"d_model {plan.d_model}",
        f"d_head {plan.d_head}",
        *([f"MLP {plan.d_mlp}"] if plan.d_mlp else []),
    ]
    return ", ".join(parts)


def _decides(found: Decided) -> str:
    known = "exact" if found.proved else "in float64"
    said = f"{'yes' if found.right else 'no'}: {found.strict_right} of {found.strict} comparisons hold ({known})"
    if found.ties:
        said += f", ties within {found.largest_tie:.2g} of 0 (least margin {found.least_margin:.2g})"
    elif found.right:
        said += f", least margin {found.least_margin:.4g}"
    return said + (", certified" if found.certificate is not None else "")
