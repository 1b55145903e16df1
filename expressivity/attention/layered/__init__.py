"""Several layers: their tables, margins, widths and weights, as the rooms below have them for one layer."""

from __future__ import annotations

from expressivity.attention.layered.margins import (
    describe_layered_margin,
    layered_enclosed_margins,
    layered_exact_margins,
)
from expressivity.attention.layered.tables import EMBEDDED, OUTPUT, Direction, LayeredHead, LayeredTables, embedded
from expressivity.attention.layered.weights import LayeredHeadWeights, LayeredWeights, layered_weights, read_layered

__all__ = [
    "EMBEDDED",
    "OUTPUT",
    "Direction",
    "LayeredHead",
    "LayeredHeadWeights",
    "LayeredTables",
    "LayeredWeights",
    "describe_layered_margin",
    "embedded",
    "layered_enclosed_margins",
    "layered_exact_margins",
    "layered_weights",
    "read_layered",
]
