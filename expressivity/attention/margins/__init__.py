"""What tables make of contexts: margins, exact or enclosed, each set of contexts with equal logits looked at once."""

from __future__ import annotations

from expressivity.attention.margins.enclosed import Interval, describe_margin, enclosed_margins, least_margin
from expressivity.attention.margins.exact import exact_margins, failures
from expressivity.attention.margins.orbits import Alike, Counted, Orbits, counted_contexts, orbits_of
from expressivity.attention.margins.rational import rational_for, rational_odds
from expressivity.attention.margins.symmetry import by_symmetry, covering

__all__ = [
    "Alike",
    "Counted",
    "Interval",
    "Orbits",
    "by_symmetry",
    "counted_contexts",
    "covering",
    "describe_margin",
    "enclosed_margins",
    "exact_margins",
    "failures",
    "least_margin",
    "orbits_of",
    "rational_for",
    "rational_odds",
]
