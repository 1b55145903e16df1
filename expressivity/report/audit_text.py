"""An audit as a person reads it, and as the one JSON object of ``audit --json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from expressivity.audit import Audit, Estimate
from expressivity.audit.run import Fitted, HeadRow, Judgement, Row
from expressivity.errors import InputError

WORDS = ((0.999, "almost exactly"), (0.95, "very well"), (0.85, "well"), (0.6, "somewhat"), (0.3, "poorly"))
"""How well, by the smaller of the share of the logits' variance and top-1 agreement."""


def audit_text(found: Audit, paths: Mapping[str, str] | None = None) -> str:
    """What was fitted, a table for each text judged on, the heads, the contexts missed most, and the conclusion."""
    lines = [_title(found), *_settings(found)]
    for judgement in found.judgements:
        lines += ["", *_judgement(judgement, found)]
    lines += ["", *(f"  {line}" for line in conclusion(found))]
    if paths:
        folder = Path(next(iter(paths.values()))).parent
        lines += ["", f"  {len(paths)} certificate{'s' * (len(paths) != 1)} in {folder}"]
    return "\n".join(lines)


def conclusion(found: Audit) -> list[str]:
    """One sentence on how well, from the numbers, and one on what another text changes."""
    own = next((j for j in found.judgements if j.fitted_on == j.judged_on), found.judgements[0])
    order = 3 if 3 in found.settings.orders else max(found.settings.orders)
    row, last = own.row(order), own.row(max(found.settings.orders))
    text = (
        f"{_class(order)} describe {found.name} {how_well(row)} on held-out {own.judged_on}: "
        f"{_number(row.measures['gap'].value)} nats from its distribution, its top choice "
        f"{_percent(row, 'agreement')} of the time, {_percent(row, 'share')} of the variance of its logits"
    )
    if last.order != order:
        nats = _number(last.measures["gap"].value)
        text += f"; order {last.order} {how_well(last)} ({nats} nats, {_percent(last, 'share')})"
    lines = [text]
    others = [j for j in found.judgements if j.fitted_on == own.fitted_on and j is not own]
    if others:
        worst = max(others, key=lambda j: j.row(order).measures["gap"].value)
        there = worst.row(order)
        lines.append(
            f"fitted on {own.fitted_on} and judged on {worst.judged_on}: {_number(there.measures['gap'].value)} nats, "
            f"top choice {_percent(there, 'agreement')}, variance {_percent(there, 'share')}"
        )
    return lines


def how_well(row: Row) -> str:
    """A word for the smaller of share and agreement: see :data:`WORDS`; below all of them ``hardly``."""
    least = min(row.measures["share"].value, row.measures["agreement"].value)
    return next((word for limit, word in WORDS if least >= limit), "hardly")


def audit_json(found: Audit, paths: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The audit as plain values; every measure with its interval."""
    return {
        "model": found.name,
        **found.sizes,
        "settings": asdict(found.settings) | {"orders": list(found.settings.orders)},
        "memory_bytes": found.memory,
        "fits": {
            name: {"contexts": found.fitted_contexts[name], "orders": [asdict(fit) for fit in fits]}
            for name, fits in found.fits.items()
        },
        "judgements": [_judgement_json(j, paths or {}) for j in found.judgements],
        "conclusion": conclusion(found),
    }


def certificates_of(found: Audit) -> dict[str, Any]:
    """Every certified bound under a name for its file."""
    named = {}
    for k, bounds in enumerate(found.bounds.values()):
        for order, bound in bounds.items():
            for n, proof in enumerate(bound.proofs):
                named[f"text-{k + 1}-order-{order}-{n + 1}"] = proof
    return named


def _title(found: Audit) -> str:
    sizes = found.sizes
    layers = f"{sizes['layers']} layer{'s' * (sizes['layers'] != 1)}, " if sizes["layers"] else ""
    heads = f"{sizes['heads']} head{'s' * (sizes['heads'] != 1)} each, " if sizes["heads"] is not None else ""
    width = f"d_model {sizes['d_model']} · " if sizes["d_model"] else ""
    return f"audit of {found.name} · {layers}{heads}{width}{sizes['tokens']:,} tokens"


def _settings(found: Audit) -> list[str]:
    asked = found.settings
    contexts = "the last position" if asked.last else "every position"
    lines = [f"windows of {asked.window} tokens, {contexts} · features {asked.convention}"]
    for name, fits in found.fits.items():
        free = "every weight free" if all(fit.free for fit in fits) else "weights of the rank of the unembedding"
        lines.append(f"fitted on {found.fitted_contexts[name]:,} contexts of {name} · {free}{_ended(fits)}")
        lines.append("  gap there: " + ", ".join(f"order {fit.order} {_number(fit.gap_fit)}" for fit in fits))
    return lines


def _ended(fits: Sequence[Fitted]) -> str:
    late = [str(fit.order) for fit in fits if fit.stopped == "time"]
    return f" · time ran out at order {', '.join(late)}" if late else ""


def _judgement(judgement: Judgement, found: Audit) -> list[str]:
    data = "" if judgement.data is None else f", cross-entropy with the text {judgement.data:.4f}"
    lines = [
        f"  fitted on {judgement.fitted_on}, judged on {judgement.contexts:,} held-out contexts of "
        f"{judgement.judged_on} ({judgement.units:,} {judgement.unit})",
        f"  the model: entropy {judgement.entropy:.4f}{data}",
        "",
    ]
    names = ["", "features", "gap, nats", "(95%)", "vs model", "vs text", "top-1", "", "variance", "", "certified gap"]
    if judgement.data is None:
        names[5] = ""
    if all(row.bound is None for row in judgement.rows):
        names[10] = ""
    rows = [names] + [_cells(row) for row in judgement.rows]
    widths = [max(len(row[k]) for row in rows) for k in range(len(names))]
    for row in rows:
        cells = [
            cell.rjust(width) if k in (1, 2, 4, 5, 6, 8) else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + " ".join(cell for cell, width in zip(cells, widths, strict=True) if width).rstrip())
    for head in judgement.heads:
        lines.append(_head(head))
    if judgement.missed:
        lines.append(f"  missed most by order {judgement.missed[0].order}:")
    for each in judgement.missed:
        by = "" if each.head is None or not each.head_gap else f" · head {each.head} frozen: {_number(each.head_gap)}"
        lines.append(
            f"    {each.divergence:6.3f}  {each.context} → “{each.model[0]}” {each.model[1]:.2f}, "
            f"ensemble “{each.ensemble[0]}” {each.ensemble[1]:.2f}{by}"
        )
    return lines


def _cells(row: Row) -> list[str]:
    of = row.measures
    proved = row.bound
    bound = "" if proved is None else f"≥ {_number(proved.gap)} on {proved.contexts} of {proved.tokens} tokens"
    data = of.get("cross_entropy_data")
    return [
        row.name,
        "" if row.features is None else f"{row.features:,}",
        _number(of["gap"].value),
        _interval(of["gap"], _number),
        _number(of["cross_entropy_model"].value),
        "" if data is None else _number(data.value),
        f"{of['agreement'].value:.1%}",
        _interval(of["agreement"], lambda value: f"{value:.1%}"),
        _share(of["share"].value),
        _interval(of["share"], _share),
        bound,
    ]


def _number(value: float) -> str:
    return f"{max(value, 0.0):.4f}" if value < 1e4 else f"{value:.1e}"


def _share(value: float) -> str:
    return f"{value:.1%}" if value >= 0 else "below 0"


def _interval(estimate: Estimate, show: Any) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = show(estimate.low), show(estimate.high)
    return f"({low}–{high})" if low != high else ""


def _head(row: HeadRow) -> str:
    interval = _interval(row.gap, _number)
    text = f"  head {row.head}: denominators frozen, {_number(row.gap.value)} nats {interval}".rstrip()
    named = [f"{s.token!r} ×{s.gate:.2f}" for s in row.findings.switches]
    return text + (f" · switched off by {', '.join(named)}" if named else "")


def _class(order: int) -> str:
    return {2: "bigrams", 3: "skip-trigrams"}.get(order, f"skip-{order}-grams")


def _percent(row: Row, name: str) -> str:
    value = row.measures[name].value
    return f"{value:.1%}" if name == "agreement" else _share(value)


def _judgement_json(judgement: Judgement, paths: Mapping[str, str]) -> dict[str, Any]:
    return {
        "fitted_on": judgement.fitted_on,
        "judged_on": judgement.judged_on,
        "contexts": judgement.contexts,
        "units": judgement.units,
        "unit": judgement.unit,
        "entropy": judgement.entropy,
        "cross_entropy_data": judgement.data,
        "rows": [_row_json(row, paths) for row in judgement.rows],
        "heads": [
            {
                "head": head.head,
                "gap": asdict(head.gap),
                "switched_off_by": [asdict(switch) for switch in head.findings.switches],
            }
            for head in judgement.heads
        ],
        "missed": [asdict(each) for each in judgement.missed],
    }


def _row_json(row: Row, paths: Mapping[str, str]) -> dict[str, Any]:
    bound = row.bound
    return {
        "name": row.name,
        "order": row.order,
        "features": row.features,
        **{name: asdict(estimate) for name, estimate in row.measures.items()},
        "certified": None
        if bound is None
        else {
            "gap": bound.gap,
            "contexts": bound.contexts,
            "tokens": bound.tokens,
            "share_of_text": bound.share,
            "files": [paths[proof.hash] for proof in bound.proofs if proof.hash in paths],
        },
    }


def orders_of(text: str) -> tuple[int, ...]:
    """Orders as people give them: ``2,3,4``.

    Raises:
        InputError: something else.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and part.isascii() for part in parts):
        raise InputError(f"orders are {text!r}; expected numbers with commas between them, as 2,3,4,5")
    return tuple(map(int, parts))
