"""What was read off a model's weights, as text, as JSON and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from expressivity.circuits.analysis import Analysis
from expressivity.circuits.behaviour import Looks
from expressivity.circuits.bugs import Bug
from expressivity.circuits.model import Circuits, path_name
from expressivity.circuits.model import Path as HeadPath
from expressivity.circuits.scores import EigenScore
from expressivity.circuits.skipgrams import SkipTrigram, SkipTrigrams, product_text
from expressivity.pictures import visible

TITLES = {"sum": "QK + OV", "product": "e^QK · OV", "deciding": "e^QK · (OV + direct)"}
MOST_TERMS = 12


def circuits_text(found: Analysis) -> str:
    """Tables in the order in which a model is read: direct path, heads, what they do together, what that is worth."""
    lines = [_title(found.circuits), ""]
    raised = [b for b in found.bigrams if b.value > 0]
    lines += _table(
        ("direct path", "after", "raises", "by"),
        [("", visible(b.destination, 20), visible(b.output, 20), _number(b.value)) for b in raised],
    )
    lines += [] if raised else ["    nothing"]
    by_head = {head: [each for each in found.skip_trigrams if each.head == head] for head in found.heads}
    for head, tables in by_head.items():
        lines += ["", f"  head {head}: source … destination → output"]
        lines += _side_by_side(tables)
    if found.heads:
        lines += ["", *_scores(found)]
    if found.compositions and found.baseline is not None:
        base = found.baseline
        lines.append("")
        lines += _table(
            ("composition", "Q", "K", "V"),
            [
                (f"{c.first} → {c.second}", *("—" if x is None else f"{x:+.4f}" for x in (c.q, c.k, c.v)))
                for c in found.compositions
            ],
        )
        lines += [
            f"  ‖AB‖/(‖A‖·‖B‖) less {base.mean:.4f} ± {base.deviation:.4f}, the mean of {base.draws} pairs of Gaussian "
            f"heads of these shapes (seed {base.seed})"
        ]
    if found.loss is not None:
        lines += ["", *_worth(found)]
    if found.left_out:
        lines += ["", *(f"  left out: {reason}" for reason in found.left_out)]
    return "\n".join(lines)


def circuits_json(found: Analysis) -> dict[str, Any]:
    """The same as plain values; heads are written ``layer.head``, paths as lists of them."""
    model = found.circuits.model
    return {
        "layers": len(model.blocks),
        "heads_per_layer": model.n_heads,
        "tokens": len(model.tokens),
        "outputs": len(model.outputs),
        "embedding": model.embedding,
        "heads": [str(head) for head in found.heads],
        "bigrams": [asdict(each) for each in found.bigrams],
        "skip_trigrams": [
            {"head": str(t.head), "ranking": t.ranking, "exact": t.is_exact, "entries": [asdict(e) for e in t.entries]}
            for t in found.skip_trigrams
        ],
        "copying": [_score_json(score) for score in found.copying],
        "matching": [_score_json(score) for score in found.matching],
        "composition": None if found.baseline is None else {
            "baseline": asdict(found.baseline),
            "pairs": [
                {"first": str(c.first), "second": str(c.second), "q": c.q, "k": c.k, "v": c.v}
                for c in found.compositions
            ],
        },
        "repeated_tokens": [
            {"head": str(each.head), "induction": each.induction, "previous": each.previous} for each in found.looks
        ],
        "loss": found.loss,
        "predictions": found.predictions,
        "importance": None if found.importance is None else {
            "losses_by_order": list(found.importance.losses),
            "chance": found.importance.chance,
            "paths": [
                {"path": [str(head) for head in path], "worth": worth}
                for path, worth in found.importance.paths.items()
            ],
        },
        "bugs": [asdict(bug) | {"head": str(bug.head), "excess": bug.excess} for bug in found.bugs],
        "in_context": None if found.in_context is None else asdict(found.in_context) | {
            "score": found.in_context.score
        },
        "left_out": found.left_out,
    }  # fmt: skip


def save_plot(found: Analysis, path: Path) -> None:
    """Draw the scores into a file, of the kind that its ending names.

    Raises:
        InputError: a file that cannot be written, no heads, or matplotlib is missing.
    """
    from io import BytesIO

    from expressivity.circuits.drawing import plot_analysis
    from expressivity.writing import write_bytes

    axes, data = plot_analysis(found), BytesIO()
    axes.get_figure(root=True).savefig(data, format=path.suffix[1:].lower())  # type: ignore[union-attr]
    write_bytes(data.getvalue(), path)


def _title(circuits: Circuits) -> str:
    model = circuits.model
    layers = len(model.blocks)
    mlps = " · with MLPs" if circuits.obstacle else ""
    return (
        f"{layers} layer{'s' * (layers != 1)} · {model.n_heads} head{'s' * (model.n_heads != 1)} each · d_head "
        f"{model.d_head} · {len(model.tokens):,} tokens · {len(model.outputs):,} outputs · embedding "
        f"{model.embedding}{mlps}"
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    every = [header, *rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(header))]
    return ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in every]


def _side_by_side(tables: Sequence[SkipTrigrams]) -> list[str]:
    """The rankings as columns."""
    columns = []
    for table in tables:
        cells = [(_triple(e), _key(table, e)) for e in table.entries]
        columns.append([(TITLES[table.ranking] + ("" if table.is_exact else " (some may be missing)"), ""), *cells])
    height = max((len(column) for column in columns), default=0)
    parts = []
    for column in columns:
        head, *rest = column
        width = max((len(a) for a, _ in rest), default=0)
        texts = [head[0], *(f"{a.ljust(width)}  {b}" for a, b in rest)]
        widest = max(map(len, texts))
        parts.append([text.ljust(widest) for text in [*texts, *[""] * (height - len(texts))]])
    return [("    " + "   ".join(row)).rstrip() for row in zip(*parts, strict=True)]


def _triple(e: SkipTrigram) -> str:
    return f"{visible(e.source, 16)} … {visible(e.destination, 16)} → {visible(e.output, 16)}"


def _key(table: SkipTrigrams, e: SkipTrigram) -> str:
    return _number(e.key) if table.ranking == "sum" else product_text(e.key)


def _scores(found: Analysis) -> list[str]:
    seen: dict[HeadPath, Looks] = {(each.head,): each for each in found.looks}
    matching = {score.path: score for score in found.matching}
    rows = []
    for score in found.copying:
        look = seen.get(score.path)
        places = ("", "") if look is None else (f"{look.induction:.3f}", f"{look.previous:.3f}")
        rows.append((path_name(score.path), _score(score), _score(matching[score.path]), *places))
    lines = _table(("head", "copying (OV)", "matching (QK)", "induction", "previous token"), rows)
    none = dict.fromkeys(s.reason for s in [*found.copying, *found.matching] if s.value is None)
    return lines + [f"  —: {reason}" for reason in none]


def _score(score: EigenScore) -> str:
    return "—" if score.value is None else f"{score.value:+.3f} ({score.positive} of {score.eigenvalues} up)"


def _score_json(score: EigenScore) -> dict[str, Any]:
    return asdict(score) | {"path": [str(head) for head in score.path]}


def _worth(found: Analysis) -> list[str]:
    lines = [f"  loss {found.loss:.4f} nats over {found.predictions:,} predictions"]
    if found.importance is not None:
        orders = found.importance.losses
        shown = " · ".join(
            f"{'direct path' if k == 0 else f'up to {k} head' + 's' * (k > 1)} {loss:.4f}"
            for k, loss in enumerate(orders)
        )
        lines += [f"  patterns frozen: chance {found.importance.chance:.4f} · {shown}"]
        worth = sorted(found.importance.paths.items(), key=lambda item: (-item[1], item[0]))
        lines += _table(
            ("path", "loss without it, less the model's"),
            [(path_name(path), f"{value:+.4f}") for path, value in worth[:MOST_TERMS]],
        )
    if found.in_context is not None:
        c = found.in_context
        interval = "" if c.interval is None else f" ± {c.interval:.4f}"
        lines += [
            f"  in context: {c.score:+.4f}{interval} nats (loss {c.late_loss:.4f} at position {c.late}, "
            f"{c.early_loss:.4f} at {c.early}, counted from 0)"
        ]
    if found.bugs:
        rows = [_bug(bug) for bug in found.bugs]
        header = ("bug", "head", "seen", "model", "data", "nats each", "nats in all", "excess", "because of")
        lines += ["", *_table(header, rows)]
    return lines


def _bug(bug: Bug) -> tuple[str, ...]:
    because = "" if bug.because is None else f"… {visible(bug.because, 16)} ({bug.because_frequency:.2f})"
    return (
        f"{visible(bug.source, 16)} … {visible(bug.destination, 16)} → {visible(bug.output, 16)}",
        str(bug.head),
        f"{bug.occurrences:.4g}",
        f"{bug.probability:.3f}",
        f"{bug.frequency:.3f}",
        f"{bug.cost:.4f}",
        f"{bug.total:.2g}",
        f"{bug.excess:.3f}",
        because,
    )


def _number(value: float) -> str:
    return f"{value:.4g}" if isfinite(value) else str(value)
