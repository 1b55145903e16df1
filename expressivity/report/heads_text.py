"""The bounds on heads as a person reads them, and as the one JSON object of ``heads --json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from expressivity.heads.bounds import HeadBounds
from expressivity.heads.search import SearchReport
from expressivity.report.ladder_json import sandwich_json
from expressivity.report.ladder_text import float_note, names, saved_text
from expressivity.task import Task, quoted
from expressivity.verdict import Verdict


def heads_text(bounds: HeadBounds, paths: Mapping[str, str] | None = None, *, run_floats: bool = True) -> str:
    """Both sides with their reasons, what was searched, the precision that a cut needs, and the conclusion.

    Args:
        bounds: what was found.
        paths: files of saved certificates by hash.
        run_floats: run the compiled heads in float32 as well (this imports torch).
    """
    sides = bounds.sandwich
    rows = [("heads", "enough?", "proof", "", "")]
    if sides.below is not None:
        fewer = "any number" if sides.lower is None else f"{sides.lower - 1}"
        rows.append((fewer, "no", sides.below.reason, "exact ✓", where(sides.below, bounds.task)))
    if sides.above is not None:
        note = float_note(bounds.task, sides.above) if run_floats else ""
        rows.append((f"{sides.upper}", "yes", sides.upper_reason, "exact ✓", note))
    elif sides.impossible is None:
        rows.append((f"{sides.lower} or more", "open", sides.upper_reason, "", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [_title(bounds), ""]
    for row in rows:
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True))
        lines.append(f"  {cells}  {row[4]}".rstrip())
    lines += [f"  searched: {search.reason}" for search in bounds.searches]
    precise = precision_text(bounds)
    lines += [f"  {precise}"] if precise else []
    lines += ["", f"  {conclusion(bounds)}"]
    if paths:
        lines += ["", f"  {saved_text(paths)}"]
    return "\n".join(lines)


def where(verdict: Verdict, task: Task) -> str:
    """The sub-task and the fibre that an obstruction lives on."""
    if verdict.certificate is None:
        return ""
    part = verdict.certificate.task
    used, all_of_them = len(part.contexts), len(task.contexts)
    lengths = sorted({context.length for context in part.contexts})
    ends = sorted({context.destination for context in part.contexts})
    many = "all" if used == all_of_them else f"{used} of {all_of_them}"
    sources = f"{lengths[0]} source{'s' * (lengths[0] != 1)}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    sources += "" if len(lengths) == 1 else " sources"
    return f"on {many} context{'s' * (all_of_them != 1)}, {sources} before {names(ends)}"


def precision_text(bounds: HeadBounds) -> str:
    """Theorem T9 in a line; empty where it says nothing."""
    found = bounds.precision
    if found is None or bounds.sandwich.impossible is not None:
        return ""
    first = ", ".join(map(str, found.cut)) if len(found.cut) <= 8 else f"{len(found.cut)} positions"
    needs = f"what is at {{{first}}} needs {found.rows} values"
    text = f"precision (T9): heads · (d_head + 1) · bits ≥ {found.bits}, as {needs}"
    if bounds.d_head is not None and bounds.upper:
        least = found.least_bits(bounds.upper, bounds.d_head)
        text += f": {bounds.upper} heads of width {bounds.d_head} need {least} bit{'s' * (least != 1)} each"
    return text


def conclusion(bounds: HeadBounds) -> str:
    """Between what the number of heads lies."""
    sides = bounds.sandwich
    if sides.impossible is not None:
        return f"no number of heads decides it: {sides.impossible}"
    kind = f"{sides.embedding} embedding" + (f", d_head {bounds.d_head}" if bounds.d_head is not None else "")
    if sides.lower == sides.upper:
        return f"heads exactly {sides.lower} ({kind})"
    return f"heads between {sides.lower} and {'?' if sides.upper is None else sides.upper} ({kind})"


def heads_json(bounds: HeadBounds, paths: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The bounds as plain values: ``heads`` as in ``check --json``, with the sub-task that the lower bound lives on.

    ``searches`` has an entry for each number of heads, with what each round tried; ``precision`` is T9's cut.
    """
    precision = bounds.precision
    below = bounds.sandwich.below
    return {
        "task": bounds.task.name,
        "contexts": len(bounds.task.contexts),
        "embedding": bounds.sandwich.embedding,
        "d_head": bounds.d_head,
        "heads": sandwich_json(bounds.sandwich, paths or {}),
        "lower_contexts": None if below is None or below.certificate is None else len(below.certificate.task.contexts),
        "searches": [_search(search) for search in bounds.searches],
        "precision": None
        if precision is None
        else {
            "length": precision.length,
            "destination": precision.destination,
            "cut": list(precision.cut),
            "rows": precision.rows,
            "bits": precision.bits,
            "all_cuts": precision.whole,
        },
    }


def _search(search: SearchReport) -> dict[str, Any]:
    return {
        "heads": search.model.heads,
        "found": search.found,
        "stopped": search.stopped,
        "seed": search.seed,
        "rounds": [asdict(each) | {"seconds": round(each.seconds, 3)} for each in search.rounds],
    }


def _title(bounds: HeadBounds) -> str:
    task = bounds.task
    ends = sorted({context.destination for context in task.contexts})
    many = f"{len(task.contexts)} context{'s' * (len(task.contexts) != 1)}"
    name = task.name if task.name.isprintable() else quoted(task.name)
    width = "" if bounds.d_head is None else f" · d_head {bounds.d_head}"
    destinations = f"destination{'s' * (len(ends) != 1)} {names(ends)}"
    answers = f"answers {names(task.outputs)}"
    return f"task {name} · {many} · {destinations} · {answers} · embedding {bounds.sandwich.embedding}{width}"
