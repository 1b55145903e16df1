"""The ladder as a person reads it in a terminal. Every number and word of the proofs comes from the certificates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from expressivity.beside import ENTROPY, LOGISTIC
from expressivity.ladder import Ladder
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task, quoted
from expressivity.verdict import (
    EXPRESSIBLE,
    INEXPRESSIBLE,
    UNDECIDED,
    CrossEntropyBound,
    HeadTablesCertificate,
    Obstruction,
    Verdict,
)
from expressivity.verify.enclosure import log_bounds

ANSWERS = {EXPRESSIBLE: "yes", INEXPRESSIBLE: "no", UNDECIDED: "open"}
SHOWN_NAMES = 6
STREAMED = 1 << 28  # numbers in the residual stream, of all contexts together, up to which all are run in floats


def ladder_text(ladder: Ladder, paths: Mapping[str, str] | None = None, *, run_floats: bool = True) -> str:
    """The whole picture: task, one line for each model, cross-entropy, conclusion and the reason in words.

    Args:
        ladder: what was found.
        paths: files of saved certificates by hash, named at the end.
        run_floats: run the compiled heads in float32 as well and say how often that agrees (this imports torch).
    """
    rows = [_row(_model(verdict), verdict) for verdict in ladder.orders]
    if ladder.never is not None:
        rows.append(_row("any order", ladder.never))
    rows += _head_rows(ladder, run_floats)
    widths = [max(len(row[i]) for row in [("model", "decides it?", "proof", "", ""), *rows]) for i in range(4)]
    header = ("model", "decides it?", "proof", "", "")
    table = [
        "  " + "  ".join(cell.ljust(w) for cell, w in zip(row[:4], widths, strict=True)) for row in [header, *rows]
    ]
    table = [f"{line}  {row[4]}".rstrip() for line, row in zip(table, [header, *rows], strict=True)]
    lines = [
        _title(ladder),
        "",
        *table,
        *_entropy_lines(ladder),
        *_logistic_lines(ladder),
        "",
        f"  {_conclusion(ladder)}",
    ]
    reason = _reason(ladder)
    if reason:
        lines.append(f"  {reason}")
    if paths:
        lines += ["", f"  {saved_text(paths)}"]
    return "\n".join(lines)


def _title(ladder: Ladder) -> str:
    task = ladder.task
    ends = sorted({context.destination for context in task.contexts})
    many = f"{len(task.contexts)} context{'s' if len(task.contexts) != 1 else ''}"
    destinations = f"destination{'s' if len(ends) != 1 else ''} {names(ends)}"
    name = task.name if task.name.isprintable() else quoted(task.name)
    return f"task {name} · {many} · {destinations} · answers {names(task.outputs)} · positions {ladder.positions}"


def names(tokens: Iterable[str]) -> str:
    """Tokens as messages list them: the first few, and how many there are."""
    listed = [quoted(token) for token in tokens]
    more = f", … ({len(listed)})" if len(listed) > SHOWN_NAMES else ""
    return ", ".join(listed[:SHOWN_NAMES]) + more


def _model(verdict: Verdict) -> str:
    model = verdict.model
    if isinstance(model, SkipGrams):
        return model.name
    count = "any number of heads" if model.heads is None else f"{model.heads} head{'s' if model.heads != 1 else ''}"
    return f"attention, {count}"


def _row(name: str, verdict: Verdict, note: str = "") -> tuple[str, str, str, str, str]:
    proved = "exact ✓" if verdict.certificate is not None else ""
    return name, ANSWERS[verdict.answer], verdict.reason, proved, note


def _head_rows(ladder: Ladder, run_floats: bool) -> list[tuple[str, str, str, str, str]]:
    heads = ladder.heads
    if heads is None:
        return []
    rows = [] if heads.below is None else [_row(_model(heads.below), heads.below)]
    if heads.above is not None:
        rows.append(_row(_model(heads.above), heads.above, float_note(ladder.task, heads.above) if run_floats else ""))
    elif heads.impossible is None:
        least = heads.lower or 0
        rows.append((f"attention, {least} head{'s' if least != 1 else ''} or more", "open", heads.upper_reason, "", ""))
    return rows


def float_note(task: Task, above: Verdict) -> str:
    """How the compiled weights fare in float32 on the device at hand; of a large task on every so manyth context."""
    from expressivity.attention import compile_tables
    from expressivity.attention.evaluation import float_margins

    if not isinstance(above.certificate, HeadTablesCertificate):
        return ""
    model = compile_tables(above.certificate.tables, task)
    step = 1 + sum(map(len, task.contexts)) * model.d_model // STREAMED
    total = len(range(0, len(task.contexts), step))
    run = float_margins(model, task if step == 1 else task.restrict(range(0, len(task.contexts), step)))
    verb = "agrees" if run.contexts_right == total else "differs: right"
    sample = "" if step == 1 else f" (1 context in {step})"
    return f"{run.dtype} {verb} on {run.contexts_right}/{total}{sample}"


def _entropy_lines(ladder: Ladder) -> list[str]:
    shown = []
    for bound in ladder.cross_entropy:
        model = bound.model
        if isinstance(model, SkipGrams):
            shown.append(f"  cross-entropy floor of {model.name}s: {_nats(bound)} (certified)")
    for left in ladder.left_out:
        if left.what == ENTROPY:
            shown.append(f"  cross-entropy floor of {SkipGrams(left.order).name}s: not bounded ({left.reason})")
    return shown


def _nats(bound: CrossEntropyBound) -> str:
    """The interval in as many digits as it fixes, and its closed form where that is ln n."""
    low, high = bound.lower or Fraction(0), bound.upper
    if high is None:
        return f"at least {float(low):.6f} nats"
    if low == 0 and high <= Fraction(1, 10**6):
        return "0 nats" if high == 0 else f"0 nats (below {_power(high)})"
    for n in range(2, 21):
        below, above = log_bounds(Fraction(n))
        if high - low < Fraction(1, 10**9) and low <= above and below <= high:
            return f"ln {n} = {float(low):.10f}… nats, to within {_power(high - low)}"
    if high - low < Fraction(1, 10**9):
        return f"{float(low):.9f}… nats, to within {_power(high - low)}"
    return f"{float(low):.6f} to {float(high):.6f} nats"


def _power(value: Fraction) -> str:
    return f"10^{math.ceil(math.log10(value))}" if value else "0"


def _logistic_lines(ladder: Ladder) -> list[str]:
    parts = []
    for verdict, fit in zip(ladder.orders, ladder.logistic, strict=False):
        state = "" if fit.converged else ", not converged"
        order = verdict.model.order if isinstance(verdict.model, SkipGrams) else ""
        parts.append(f"order {order} {fit.right}/{fit.contexts}{state}")
    parts += [f"order {left.order} not fitted ({left.reason})" for left in ladder.left_out if left.what == LOGISTIC]
    return [f"  logistic regression gets right (which proves nothing): {' · '.join(parts)}"] if parts else []


def _conclusion(ladder: Ladder) -> str:
    heads = ladder.heads
    if ladder.minimal_order is not None:
        order = f"minimal order {ladder.minimal_order}"
    elif ladder.never is not None:
        order = "no order decides it"
    else:
        order = f"minimal order above {ladder.stopped_at}" if _refuted_last(ladder) else "minimal order open"
    if heads is None:
        return order
    if heads.impossible is not None:
        return f"{order} · no number of heads decides it: {heads.impossible}"
    if heads.lower == heads.upper:
        return f"{order} · heads exactly {heads.lower}"
    upper = "?" if heads.upper is None else heads.upper
    return f"{order} · heads between {heads.lower} and {upper} ({ladder.embedding} embedding)"


def _refuted_last(ladder: Ladder) -> bool:
    return bool(ladder.orders) and ladder.orders[-1].answer is INEXPRESSIBLE


def _reason(ladder: Ladder) -> str:
    """What coincides in the last obstruction, in words."""
    refuted = [v for v in [*ladder.orders, *([ladder.never] if ladder.never else [])] if v.answer is INEXPRESSIBLE]
    certificate = refuted[-1].certificate if refuted else None
    return certificate.sentence() if isinstance(certificate, Obstruction) else ""


def saved_text(paths: Mapping[str, str]) -> str:
    """How to check the certificates that were saved."""
    many = f"{len(paths)} certificate{'s' if len(paths) != 1 else ''}"
    return f"{many} saved; check {'them' if len(paths) != 1 else 'it'} with: expressivity verify {_files(paths)}"


def _files(paths: Mapping[str, str]) -> str:
    """All files of the folder if it holds no others, else each by its name."""
    folder = Path(next(iter(paths.values()))).parent
    alone = len(list(folder.glob("*.json"))) == len(paths)
    return f"{folder}/*.json" if alone else " ".join(sorted(paths.values()))
