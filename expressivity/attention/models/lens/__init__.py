"""Models for TransformerLens, and models from it."""

from __future__ import annotations

from expressivity.attention.models.lens.exporting import lens_config, lens_state_dict, lens_tokens, to_transformer_lens
from expressivity.attention.models.lens.importing import from_transformer_lens

__all__ = [
    "from_transformer_lens",
    "lens_config",
    "lens_state_dict",
    "lens_tokens",
    "to_transformer_lens",
]
