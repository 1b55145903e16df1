"""What ``build`` found, as text and as JSON."""

from __future__ import annotations

from typing import Any

from expressivity.certificate import rational_text
from expressivity.heads.validate import BuildReport
from expressivity.verdict import Verdict

SHOWN = 12  # contexts listed one by one


def build_text(report: BuildReport, proof: Verdict | None, reason: str) -> str:
    """The construction, its size, its margins exact, enclosed and in float32, and how far these agree.

    Args:
        report: the construction validated on its whole task.
        proof: the verified certificate that the tables, factored to ``d_head``, decide the task; or ``None``.
        reason: why there is none.
    """
    many = f"{report.n_contexts} context{'s' if report.n_contexts != 1 else ''}"
    heads = f"{report.n_heads} head{'s' if report.n_heads != 1 else ''}"
    least = "the least for these tables" if report.weights.is_least else "an upper bound for these tables"
    lines = [f"construction {report.name} · task {report.task.name} · {many}", ""]
    if report.description:
        lines += [f"  {report.description}", ""]
    lines += [
        f"  {heads} · d_head {report.d_head} ({least}) · d_model {report.model.d_model} · embedding {report.embedding}",
        "",
        *_margin_table(report),
        "",
        f"  right on {report.agreement.contexts_right} of {report.n_contexts} contexts, proved by enclosure",
        f"  {report.agreement.floating.dtype} on {report.agreement.floating.device}: right on "
        f"{report.agreement.contexts_right_in_float} of {report.n_contexts} contexts, "
        f"margins within {report.agreement.largest_difference:.2g} of the enclosed ones",
    ]
    if report.least:
        lines.append(f"  least margin of the tables as written: {report.least}")
    if report.smallest_exact is not None:
        lines.append(f"  least margin with rational odds: {_shown(rational_text(report.smallest_exact))}")
    elif report.rational_reason:
        lines.append(f"  no rational odds: {report.rational_reason}")
    if proof is not None and proof.certificate is not None:
        lines.append(f"  certificate: {proof.certificate.verify().text}: exact ✓")
    else:
        lines.append(f"  no certificate: {reason}")
    return "\n".join(lines)


def _margin_table(report: BuildReport) -> list[str]:
    rows = [("context", "margin with rational odds", "as written, enclosed", report.agreement.floating.dtype, "")]
    for entry in report.margins[:SHOWN]:
        rows.append(
            (
                str(entry.context),
                "—" if entry.exact is None else _shown(rational_text(entry.exact)),
                "—" if entry.enclosed is None else str(entry.enclosed),
                "—" if entry.floating is None else f"{entry.floating:.9g}",
                "✓" if entry.right else "✗",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    table = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    more = len(report.margins) - SHOWN
    return [*table, f"  … and {more} more"] if more > 0 else table


def _shown(number: str) -> str:
    """A rational of many digits in short, by its value."""
    if len(number) <= 24:
        return number
    top, _, bottom = number.partition("/")
    return f"≈ {int(top) / int(bottom or 1):.12g}" if max(len(top), len(bottom)) < 300 else f"{number[:20]}…"


def build_json(report: BuildReport, proof: Verdict | None, file: str | None) -> dict[str, Any]:
    """The same as plain values; margins exact as strings, enclosures as pairs of strings."""
    certificate = proof.certificate if proof is not None else None
    return {
        "construction": report.name,
        "task": report.task.name,
        "contexts": report.n_contexts,
        "embedding": report.embedding,
        "heads": report.n_heads,
        "d_head": report.d_head,
        "d_head_is_least": report.weights.is_least,
        "d_model": report.model.d_model,
        "right": report.agreement.contexts_right,
        "margin": None if report.smallest_exact is None else rational_text(report.smallest_exact),
        "margin_as_written": report.least or None,
        "float": {
            "dtype": report.agreement.floating.dtype,
            "device": report.agreement.floating.device,
            "right": report.agreement.contexts_right_in_float,
            "smallest_margin": report.agreement.smallest_float,
            "largest_difference": report.agreement.largest_difference,
        },
        "certificate": None if certificate is None else {"hash": certificate.hash, "verified": True, "file": file},
    }
