"""What the search of ``build --narrow`` found, as text and as JSON."""

from __future__ import annotations

from typing import Any

from expressivity.heads.narrow import Narrow
from expressivity.report.build_text import statement_text
from expressivity.task.domain import shown_number


def narrow_text(found: Narrow) -> str:
    """The narrowest model found, that it is another than the construction, its proof, and what is known of less.

    Args:
        found: by :func:`~expressivity.heads.narrow.narrow`.
    """
    least = "the least" if found.least_is_proved else "an upper bound"
    if found.d_head is None or found.proof is None or found.proof.certificate is None or found.agreement is None:
        return f"  narrower: {found.reason}"
    three = found.agreement
    total = shown_number(three.contexts)
    run = three.floating
    return "\n".join(
        [
            f"  narrower: d_head {found.least} is {least} for these tables; d_head {found.d_head}, found by search, "
            "decides the task too,",
            f"    with other tables: a different model; {found.reason}",
            f"    right on {shown_number(three.contexts_right)} of {total} contexts, proved by enclosure; {run.dtype} "
            f"on {run.device} right on {run.contexts_right} of {run.contexts}, margins within "
            f"{three.largest_difference:.2g} of the enclosed ones",
            f"    certificate: {statement_text(found.proof.certificate)}: exact ✓",
        ]
    )


def narrow_json(found: Narrow, file: str | None) -> dict[str, Any]:
    """The same as plain values.

    Args:
        found: by :func:`~expressivity.heads.narrow.narrow`.
        file: where its certificate was saved.
    """
    proof, three = found.proof, found.agreement
    certificate = None if proof is None else proof.certificate
    return {
        "found_by": "search",
        "d_head_of_tables": found.least,
        "d_head_of_tables_is_least": found.least_is_proved,
        "d_head": found.d_head,
        "d_head_is_least": found.d_head == 1,
        "different_model": found.d_head is not None,
        "nothing_found_at": found.failed_at,
        "starts": found.starts,
        "time_limit_reached": found.stopped,
        "reason": found.reason,
        "contexts": None if three is None else three.contexts,
        "right": None if three is None else three.contexts_right,
        "float": None if three is None else {
            "dtype": three.floating.dtype,
            "device": three.floating.device,
            "contexts": three.floating.contexts,
            "right": three.floating.contexts_right,
            "largest_difference": three.largest_difference,
        },
        "certificate": None if certificate is None else {"hash": certificate.hash, "verified": True, "file": file},
    }  # fmt: skip
