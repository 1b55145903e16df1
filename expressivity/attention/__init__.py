"""One layer of attention: exact tables, their widths, their weights, and three evaluations that must agree.

Nothing here imports torch until a model is built or run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expressivity.attention.additive import factor_additive
from expressivity.attention.compile import ExactWeights, compile_tables, exact_weights, read_tables
from expressivity.attention.enclose import Interval, describe_margin, enclosed_margins
from expressivity.attention.evaluate import Agreement, FloatRun, agreement, float_margins
from expressivity.attention.margins import exact_margins, failures
from expressivity.attention.model_class import EMBEDDINGS, Attention, Embedding
from expressivity.attention.rationalise import rational_for, rational_odds
from expressivity.attention.tables import Head, HeadTables, Place, Row

if TYPE_CHECKING:
    from expressivity.attention.model import AttentionOnlyTransformer

__all__ = [
    "EMBEDDINGS",
    "Agreement",
    "Attention",
    "AttentionOnlyTransformer",
    "Embedding",
    "ExactWeights",
    "FloatRun",
    "Head",
    "HeadTables",
    "Interval",
    "Place",
    "Row",
    "agreement",
    "compile_tables",
    "describe_margin",
    "enclosed_margins",
    "exact_margins",
    "exact_weights",
    "factor_additive",
    "failures",
    "float_margins",
    "rational_for",
    "rational_odds",
    "read_tables",
]


def __getattr__(name: str) -> Any:
    """``AttentionOnlyTransformer``, loaded when first asked for, because it needs torch."""
    if name == "AttentionOnlyTransformer":
        from expressivity.attention.model import AttentionOnlyTransformer

        return AttentionOnlyTransformer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
