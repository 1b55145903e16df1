"""The ladder as the one JSON object of ``check --json``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from expressivity.beside import ENTROPY, LOGISTIC
from expressivity.certificate import rational_text
from expressivity.heads.sandwich import Sandwich
from expressivity.ladder import Ladder
from expressivity.verdict import (
    EXPRESSIBLE,
    INEXPRESSIBLE,
    UNDECIDED,
    Certificate,
    CrossEntropyBound,
    LogitWeights,
    Obstruction,
    SeparatingWeights,
    Verdict,
)


def ladder_json(ladder: Ladder, paths: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The profile of a task as plain values.

    ``certificate`` is ``{"hash", "verified", "file"}`` (``file`` is null unless certificates were saved); margins are
    exact, as strings; ``cross_entropy`` bounds are floats rounded outward. What was left out of a large task is null,
    with the reason as ``left_out``.

    Args:
        ladder: what was found.
        paths: the file of each saved certificate by its hash.
    """
    files = paths or {}
    result: dict[str, Any] = {
        "task": ladder.task.name,
        "contexts": len(ladder.task.contexts),
        "positions": ladder.positions,
        "embedding": ladder.embedding,
        "orders": [_order(verdict, files) for verdict in ladder.orders],
        "minimal_order": ladder.minimal_order,
    }
    if ladder.never is not None:
        result |= {"never": True, "never_certificate": _certificate(ladder.never.certificate, files)}
    if ladder.stopped_at is not None:
        result["stopped_at"] = ladder.stopped_at
    result["level"] = ladder.level
    result["heads"] = None if ladder.heads is None else sandwich_json(ladder.heads, files)
    bounds = [_bound(bound) for bound in ladder.cross_entropy]
    bounds += [{"order": n, "lower": None, "upper": None, "left_out": why} for n, why in _left_out(ladder, ENTROPY)]
    result["cross_entropy"] = bounds or None
    result["logistic_regression"] = [
        {"order": _model_order(v), "right": fit.right, "contexts": fit.contexts, "converged": fit.converged}
        for v, fit in zip(ladder.orders, ladder.logistic, strict=False)
    ]
    result["logistic_regression"] += [
        {"order": n, "right": None, "contexts": len(ladder.task.contexts), "converged": None, "left_out": why}
        for n, why in _left_out(ladder, LOGISTIC)
    ]
    return result


def _left_out(ladder: Ladder, what: str) -> list[tuple[int, str]]:
    return [(left.order, left.reason) for left in ladder.left_out if left.what == what]


def _order(verdict: Verdict, files: Mapping[str, str]) -> dict[str, Any]:
    certificate = verdict.certificate
    weights = certificate if isinstance(certificate, SeparatingWeights | LogitWeights) else None
    margin = verdict.margin
    found = {
        "order": _model_order(verdict),
        "expressible": {EXPRESSIBLE: True, INEXPRESSIBLE: False, UNDECIDED: None}[verdict.answer],
        "support": certificate.n_contexts if isinstance(certificate, Obstruction) else None,
        "features": weights.n_features if weights is not None else None,
        "margin": rational_text(margin) if margin is not None else None,
        "certificate": _certificate(certificate, files),
    }
    if verdict.bound is not None:
        proof = verdict.bound.document["proof"]
        reached: Any = found["margin"] if "margin" in proof else found["support"]
        if isinstance(certificate, SeparatingWeights) and "margin" not in proof:
            reached = certificate.n_features - certificate.n_constants
        found["bound"] = {
            "kind": verdict.bound.kind,
            "found": reached,
            "value": proof["margin"] if "margin" in proof else proof["least"],
            "reached": verdict.is_best,
            "certificate": _certificate(verdict.bound, files),
        }
    if isinstance(certificate, LogitWeights) and certificate.document["proof"]["direction"]:
        found["in_the_limit"] = True
    return found


def _model_order(verdict: Verdict) -> Any:
    return getattr(verdict.model, "order", None)


def _certificate(certificate: Certificate | None, files: Mapping[str, str]) -> dict[str, Any] | None:
    if certificate is None:
        return None
    return {"hash": certificate.hash, "verified": True, "file": files.get(certificate.hash)}


def sandwich_json(heads: Sandwich, files: Mapping[str, str]) -> dict[str, Any]:
    """The bounds on heads with their reasons and certificates."""
    found: dict[str, Any] = {
        "lower": heads.lower,
        "upper": heads.upper,
        "lower_reason": heads.lower_reason or None,
        "upper_reason": heads.upper_reason or None,
        "lower_certificate": _certificate(heads.below.certificate if heads.below else None, files),
        "upper_certificate": _certificate(heads.above.certificate if heads.above else None, files),
    }
    return found if heads.impossible is None else {**found, "impossible": heads.impossible}


def _bound(bound: CrossEntropyBound) -> dict[str, Any]:
    return {
        "order": getattr(bound.model, "order", None),
        "lower": _rounded(bound.lower, down=True),
        "upper": _rounded(bound.upper, down=False),
    }


def _rounded(value: Fraction | None, *, down: bool) -> float | None:
    """The float next to a rational on the given side."""
    if value is None:
        return None
    near = float(value)
    if down and Fraction(near) > value:
        return math.nextafter(near, -math.inf)
    return math.nextafter(near, math.inf) if not down and Fraction(near) < value else near
