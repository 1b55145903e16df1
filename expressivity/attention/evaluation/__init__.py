"""Models run: on the contexts of a task, beside the exact margins, or on every context of a domain."""

from __future__ import annotations

from expressivity.attention.evaluation.three_ways import Agreement, FloatRun, agreement, float_margins

__all__ = [
    "Agreement",
    "FloatRun",
    "agreement",
    "float_margins",
]
