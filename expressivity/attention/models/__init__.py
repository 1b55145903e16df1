"""Transformers: the class that a claim is about, models of it in torch, and their files.

This room knows no tables. TransformerLens's models, both ways, are in :mod:`.models.lens`.
"""

from __future__ import annotations

from expressivity.attention.models.files import (
    load_any_model,
    load_model,
    own_name,
    parameters_of,
    parts_of,
    save_model,
    weight_shapes,
)
from expressivity.attention.models.model_class import EMBEDDINGS, Attention, Embedding, check_embedding

__all__ = [
    "EMBEDDINGS",
    "Attention",
    "Embedding",
    "check_embedding",
    "load_any_model",
    "load_model",
    "own_name",
    "parameters_of",
    "parts_of",
    "save_model",
    "weight_shapes",
]
