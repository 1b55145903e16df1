"""What ``build`` found, as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from math import isfinite
from typing import Any

from expressivity.attention.floats import safety_text
from expressivity.certificate import rational_text
from expressivity.heads.validate import BuildReport
from expressivity.task import Domain, quoted
from expressivity.task.domain import shown_number
from expressivity.verdict import Certificate, Verdict

SHOWN = 12  # contexts listed one by one
SHORT = 12  # tokens of a context that is shown in full


def build_text(report: BuildReport, proof: Verdict | None, reason: str) -> str:
    """The construction, its size, its margins exact, enclosed and in floating point, and how far these agree.

    Args:
        report: the construction validated on its whole task.
        proof: the verified certificate that the tables, factored to ``d_head``, decide the task; or ``None``.
        reason: why there is none.
    """
    lines = [f"construction {report.name} · task {report.task.name} · {_many(report.n_contexts)}{_classes(report)}", ""]
    if report.description:
        lines += [f"  {report.description}", ""]
    lines += ["  " + " · ".join(_sizes(report)), "", *_margin_table(report), "", *_agreement_lines(report)]
    if report.least:
        where = "" if report.least_context is None else f", at {shown_context(report.least_context)}"
        lines.append(f"  least margin of the tables as written: {report.least}{where}")
    if report.smallest_exact is not None and report.smallest_exact_context is not None:
        where = shown_context(report.smallest_exact_context)
        lines.append(f"  least margin with rational odds: {_shown(rational_text(report.smallest_exact))}, at {where}")
    elif report.rational_reason:
        lines.append(f"  no rational odds: {report.rational_reason}")
    if report.proof is not None:
        proved = report.proof
        many = f"{_many(proved.contexts)} in {_count(proved.cases, 'case')}"
        lines += [f"  proved beyond the task: {proved.claim}", f"    {many}; the least margin is in {proved.least}"]
    if proof is not None and proof.certificate is not None:
        text = statement_text(proof.certificate)
        lines.append(f"  certificate: {text}: exact ✓")
    else:
        lines.append(f"  no certificate: {reason}")
    return "\n".join(lines)


def _sizes(report: BuildReport) -> list[str]:
    least = "the least for these tables" if report.weights.is_least else "an upper bound for these tables"
    layers = [_count(report.n_layers, "layer")] if report.n_layers > 1 else []
    return [
        *layers,
        _count(report.n_heads, "head"),
        f"d_head {report.d_head} ({least})",
        f"d_model {report.model.d_model}",
        f"embedding {report.embedding}",
    ]


def _agreement_lines(report: BuildReport) -> list[str]:
    """What is proved of all contexts, what floats make of those that were run, and how near they come."""
    three, total = report.agreement, shown_number(report.n_contexts)
    by = "by enclosure"
    if isinstance(report.task, Domain) and report.orbits is not None:
        by = f"by enclosure of {_count(len(report.orbits.orbits), 'context')}, one of each class with equal logits"
    lines = [f"  right on {shown_number(three.contexts_right)} of {total} contexts, proved {by}"]
    run = three.floating
    which = "" if run.contexts == report.n_contexts else ", one of each class"
    agree = " · ".join(f"{each.dtype} {each.contexts_right}" for each in report.floats)
    near = f"{run.dtype} margins within {three.largest_difference:.2g} of the enclosed ones"
    lines.append(f"  floating point on {run.device}, right of {_many(run.contexts)}{which}: {agree}; {near}")
    if report.safety:
        lines.append(f"  proved of rounding, on all contexts: {safety_text(report.safety)}")
    for every in report.enumerations:
        least = "" if every.least is None else f", least margin {every.least:.9g}"
        lines.append(
            f"  {every.dtype} on {every.device}: right on {every.contexts_right} of all {total} contexts{least}"
        )
    return lines


def _margin_table(report: BuildReport) -> list[str]:
    stands = isinstance(report.task, Domain)
    rows = [
        (
            "context",
            "contexts",
            "margin with rational odds",
            "as written, enclosed",
            report.agreement.floating.dtype,
            "",
        )
    ]
    for entry in report.margins[:SHOWN]:
        rows.append(
            (
                shown_context(entry.context),
                shown_number(entry.n_contexts),
                "—" if entry.exact is None else _shown(rational_text(entry.exact)),
                "—" if entry.enclosed is None else str(entry.enclosed),
                "—" if entry.floating is None else f"{entry.floating:.9g}",
                "✓" if entry.right else "✗",
            )
        )
    columns = [i for i in range(6) if i != 1 or stands]
    widths = {i: max(len(row[i]) for row in rows) for i in columns}
    table = ["  " + "  ".join(row[i].ljust(widths[i]) for i in columns).rstrip() for row in rows]
    more = len(report.margins) - SHOWN
    return [*table, f"  … and {more} more"] if more > 0 else table


def shown_context(context: Sequence[str]) -> str:
    """A context for people; in a long one, how often a token is repeated.

    >>> shown_context(["A", "Q"]), shown_context(["1"] * 2 + ["5"] * 62 + ["0"])
    ('A Q', '1 ×2 5 ×62 0')
    """
    if len(context) <= SHORT:
        return " ".join(map(quoted, context))
    runs = [(quoted(token), len(list(run))) for token, run in groupby(context)]
    parts = [token if n == 1 else f"{token} ×{n}" for token, n in runs]
    return " ".join(parts if len(parts) <= 2 * SHORT else [*parts[:SHORT], "…", *parts[-SHORT // 2 :]])


def _many(contexts: int) -> str:
    return f"{shown_number(contexts)} context{'s' if contexts != 1 else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _classes(report: BuildReport) -> str:
    """How many classes of equal logits they make, where that says something."""
    if report.orbits is None or len(report.orbits.orbits) == report.n_contexts:
        return ""
    return f" in {len(report.orbits.orbits)} class{'es' if len(report.orbits.orbits) != 1 else ''} with equal logits"


def statement_text(certificate: Certificate) -> str:
    """What a certificate proves, verified now; of numbers too long to be read the first digits."""

    def short(match: re.Match[str]) -> str:
        return f"{match[0][0]}.{match[0][1:3]}·10^{len(match[0]) - 1}"

    return re.sub(r"\d{20,}", short, certificate.verify().text)


def _shown(number: str) -> str:
    """A rational of many digits in short, by its value."""
    if len(number) <= 24:
        return number
    top, _, bottom = number.partition("/")
    return f"≈ {int(top) / int(bottom or 1):.12g}" if max(len(top), len(bottom)) < 300 else f"{number[:20]}…"


def build_json(report: BuildReport, proof: Verdict | None, file: str | None) -> dict[str, Any]:
    """The same as plain values; margins exact as strings."""
    certificate = proof.certificate if proof is not None else None
    proved = report.proof
    return {
        "construction": report.name,
        "task": report.task.name,
        "contexts": report.n_contexts,
        "classes": None if report.orbits is None else len(report.orbits.orbits),
        "embedding": report.embedding,
        "layers": report.n_layers,
        "heads": report.n_heads,
        "d_head": report.d_head,
        "d_head_is_least": report.weights.is_least,
        "d_model": report.model.d_model,
        "right": report.agreement.contexts_right,
        "margin": None if report.smallest_exact is None else rational_text(report.smallest_exact),
        "margin_context": _listed(report.smallest_exact_context),
        "margin_as_written": report.least or None,
        "margin_as_written_context": _listed(report.least_context),
        "float": {
            "dtype": report.agreement.floating.dtype,
            "device": report.agreement.floating.device,
            "contexts": report.agreement.floating.contexts,
            "right": report.agreement.contexts_right_in_float,
            "smallest_margin": report.agreement.smallest_float,
            "largest_difference": report.agreement.largest_difference,
        },
        "floats": [{"dtype": r.dtype, "contexts": r.contexts, "right": r.contexts_right} for r in report.floats],
        "safety": [
            {"dtype": s.dtype, "proved": s.is_proved, "factor": s.factor if isfinite(s.factor) else None}
            for s in report.safety
        ],
        "every_context": [
            {
                "dtype": run.dtype,
                "device": run.device,
                "contexts": run.n_contexts,
                "right": run.contexts_right,
                "smallest_margin": run.least,
                "context": _listed(run.context),
            }
            for run in report.enumerations
        ],
        "proof": None if proved is None else {
            "claim": proved.claim,
            "contexts": proved.contexts,
            "cases": proved.cases,
            "least": [rational_text(proved.least.lower), rational_text(proved.least.upper)],
            "witness": _listed(proved.witness),
        },
        "certificate": None if certificate is None else {"hash": certificate.hash, "verified": True, "file": file},
    }  # fmt: skip


def _listed(context: Sequence[str] | None) -> list[str] | None:
    return None if context is None else list(context)
