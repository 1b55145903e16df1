"""Attention as exact tables: their widths, their weights, and three evaluations that must agree.

Nothing here imports torch until a model is built or run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from expressivity.attention.additive import factor_additive
from expressivity.attention.compile import ExactWeights, compile_tables, exact_weights, read_tables
from expressivity.attention.enclose import Interval, describe_margin, enclosed_margins
from expressivity.attention.evaluate import Agreement, FloatRun, agreement, float_margins
from expressivity.attention.layered import Direction, LayeredHead, LayeredTables
from expressivity.attention.layered_margins import (
    describe_layered_margin,
    layered_enclosed_margins,
    layered_exact_margins,
)
from expressivity.attention.layered_weights import LayeredWeights, layered_weights, read_layered
from expressivity.attention.margins import exact_margins, failures
from expressivity.attention.model_class import EMBEDDINGS, Attention, Embedding
from expressivity.attention.orbits import Orbits, orbits_of
from expressivity.attention.path_plot import plot_path
from expressivity.attention.plots import plot_ov, plot_pattern, plot_qk, plot_tables
from expressivity.attention.rationalise import rational_for, rational_odds
from expressivity.attention.shares import attention_shares, path_to_logit
from expressivity.attention.tables import Head, HeadTables, Place, Row
from expressivity.attention.weights_file import load_model, save_model

if TYPE_CHECKING:
    from expressivity.attention.enumeration import enumerate_contexts
    from expressivity.attention.float_error import FloatErrors, float_errors
    from expressivity.attention.lens_export import lens_config, lens_state_dict, lens_tokens, to_transformer_lens
    from expressivity.attention.lens_import import from_transformer_lens
    from expressivity.attention.model import AttentionOnlyTransformer
    from expressivity.attention.safety import FloatSafety, float_safety, safety_text

__all__ = [
    "EMBEDDINGS",
    "Agreement",
    "Attention",
    "AttentionOnlyTransformer",
    "Direction",
    "Embedding",
    "ExactWeights",
    "FloatErrors",
    "FloatRun",
    "FloatSafety",
    "Head",
    "HeadTables",
    "Interval",
    "LayeredHead",
    "LayeredTables",
    "LayeredWeights",
    "Orbits",
    "Place",
    "Row",
    "agreement",
    "attention_shares",
    "compile_tables",
    "describe_layered_margin",
    "describe_margin",
    "enclosed_margins",
    "enumerate_contexts",
    "exact_margins",
    "exact_weights",
    "factor_additive",
    "failures",
    "float_errors",
    "float_margins",
    "float_safety",
    "from_transformer_lens",
    "layered_enclosed_margins",
    "layered_exact_margins",
    "layered_weights",
    "lens_config",
    "lens_state_dict",
    "lens_tokens",
    "load_model",
    "orbits_of",
    "path_to_logit",
    "plot_ov",
    "plot_path",
    "plot_pattern",
    "plot_qk",
    "plot_tables",
    "rational_for",
    "rational_odds",
    "read_layered",
    "read_tables",
    "safety_text",
    "save_model",
    "to_transformer_lens",
]

_NEED_MORE = {
    "AttentionOnlyTransformer": "model",
    "enumerate_contexts": "enumeration",
    "FloatErrors": "float_error",
    "FloatSafety": "safety",
    "float_errors": "float_error",
    "float_safety": "safety",
    "from_transformer_lens": "lens_import",
    "lens_config": "lens_export",
    "lens_state_dict": "lens_export",
    "lens_tokens": "lens_export",
    "safety_text": "safety",
    "to_transformer_lens": "lens_export",
}


def __getattr__(name: str) -> Any:
    """What needs torch or NumPy is loaded when it is first asked for."""
    if name in _NEED_MORE:
        return getattr(import_module(f"expressivity.attention.{_NEED_MORE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
