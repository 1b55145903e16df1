"""Attention as exact tables: their widths, their weights, and three evaluations that must agree.

The rooms, each resting on those before it: ``models`` (torch, files, TransformerLens), ``tables`` (one layer),
``margins`` and ``weights`` (what tables make of contexts; a transformer that carries them out), ``layered`` (several
layers), then ``evaluation`` (models run), ``floats`` (bounds on rounding) and ``drawing`` (figures).

Nothing here imports torch until a model is built or run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from expressivity.attention.drawing import (
    attention_shares,
    path_to_logit,
    plot_ov,
    plot_path,
    plot_pattern,
    plot_qk,
    plot_tables,
)
from expressivity.attention.evaluation import Agreement, FloatRun, agreement, float_margins
from expressivity.attention.layered import (
    Direction,
    LayeredHead,
    LayeredTables,
    LayeredWeights,
    describe_layered_margin,
    layered_enclosed_margins,
    layered_exact_margins,
    layered_weights,
    read_layered,
)
from expressivity.attention.margins import (
    Interval,
    Orbits,
    describe_margin,
    enclosed_margins,
    exact_margins,
    failures,
    orbits_of,
    rational_for,
    rational_odds,
)
from expressivity.attention.models import EMBEDDINGS, Attention, Embedding, load_model, save_model
from expressivity.attention.tables import Head, HeadTables, Place, Row, factor_additive
from expressivity.attention.weights import ExactWeights, compile_tables, exact_weights, read_tables

if TYPE_CHECKING:
    from expressivity.attention.evaluation.enumeration import enumerate_contexts
    from expressivity.attention.floats import FloatErrors, FloatSafety, float_errors, float_safety, safety_text
    from expressivity.attention.models.lens import (
        from_transformer_lens,
        lens_config,
        lens_state_dict,
        lens_tokens,
        to_transformer_lens,
    )
    from expressivity.attention.models.transformer import AttentionOnlyTransformer

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
    "AttentionOnlyTransformer": "models.transformer",
    "enumerate_contexts": "evaluation.enumeration",
    "FloatErrors": "floats",
    "FloatSafety": "floats",
    "float_errors": "floats",
    "float_safety": "floats",
    "from_transformer_lens": "models.lens",
    "lens_config": "models.lens",
    "lens_state_dict": "models.lens",
    "lens_tokens": "models.lens",
    "safety_text": "floats",
    "to_transformer_lens": "models.lens",
}


def __getattr__(name: str) -> Any:
    """What needs torch or NumPy is loaded when it is first asked for."""
    if name in _NEED_MORE:
        return getattr(import_module(f"expressivity.attention.{_NEED_MORE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
