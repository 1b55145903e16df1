"""From the tables of one layer to a transformer's weights and back, exactly, at the least width of each head."""

from __future__ import annotations

from expressivity.attention.weights.compile import ExactWeights, HeadWeights, compile_tables, exact_weights, read_tables
from expressivity.attention.weights.factorise import ScoreFactors, ValueFactors

__all__ = [
    "ExactWeights",
    "HeadWeights",
    "ScoreFactors",
    "ValueFactors",
    "compile_tables",
    "exact_weights",
    "read_tables",
]
