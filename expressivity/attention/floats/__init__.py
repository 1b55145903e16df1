"""Floating point without surprises: proved bounds on what rounding does to a model's logits, next to its margins."""

from __future__ import annotations

from expressivity.attention.floats.errors import FloatErrors, float_errors
from expressivity.attention.floats.safety import FloatSafety, float_safety, safety_text

__all__ = [
    "FloatErrors",
    "FloatSafety",
    "float_errors",
    "float_safety",
    "safety_text",
]
