"""What TransformerLens calls things: settings that an attention-only model may have, and the keys of its weights.

Two spellings of a state dict are read: TransformerLens's own (``blocks.0.attn.W_Q``, a tensor for each head) and
that of its bridge to other libraries (``blocks.0.attn.q.weight``, as ``torch.nn.Linear`` stores it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from expressivity.attention.models.files import DTYPES
from expressivity.task.tokens import cut, describe

_NORM = "normalising is not linear"
# The values that fit, and why no other does; the first is the one to name.
_FITTING: dict[str, tuple[tuple[Any, ...], str]] = {
    "normalization_type": ((None,), _NORM),
    "attn_only": ((True,), "an MLP is no attention"),
    "final_rms": ((False, None), _NORM),
    "post_embedding_ln": ((False, None), _NORM),
    "use_qk_norm": ((False, None), _NORM),
    "use_normalization_before_and_after": ((False, None), _NORM),
    "positional_embedding_type": (("standard",), "positions are read from W_pos alone"),
    "attention_dir": (("causal",), "no token sees a later one"),
    "use_local_attn": ((False, None), "every earlier token is seen"),
    "scale_attn_by_inverse_layer_idx": ((False, None), "all layers have one scale"),
    "scale_embedding": ((False, None), "embeddings are taken as they are"),
}
_CAPS = ("attn_scores_soft_cap", "output_logits_soft_cap")
_REQUIRED = ("n_heads", "d_head", "normalization_type", "attn_only")
_READ = {*_FITTING, *_CAPS, *_REQUIRED, "n_layers", "n_key_value_heads", "use_attn_scale", "attn_scale"}

_LAYER = r"blocks\.(0|[1-9]\d{0,5})\.attn\."
_BUFFER = re.compile(_LAYER + "(mask|IGNORE)")
_OWN = re.compile(_LAYER + "[Wb]_[QKVO]|embed.W_E|pos_embed.W_pos|unembed.[Wb]_U")
_BRIDGED = re.compile(_LAYER + r"([qkvo])\.(weight|bias)")
_RENAMED = {
    "embed.weight": "embed.W_E",
    "pos_embed.weight": "pos_embed.W_pos",
    "unembed.weight": "unembed.W_U",
    "unembed.bias": "unembed.b_U",
}
_PARTS = {"ln": "part of a layer norm", "mlp": "part of an MLP", "rotary": "part of a rotation"}
_MOST_KEYS = 100  # named for one reason


def settings_of(config: Any) -> dict[str, Any]:
    """The settings that matter, from a configuration object or a mapping."""
    if isinstance(config, Mapping):
        return {name: config[name] for name in _READ if name in config}
    return {name: getattr(config, name) for name in _READ if hasattr(config, name)}


def unfit_settings(settings: Mapping[str, Any]) -> list[str]:
    """Why the settings are not those of attention over embeddings and nothing else, a sentence for each.

    >>> unfit_settings({"n_heads": 1, "d_head": 2, "normalization_type": "LN", "attn_only": True})
    ['normalization_type is "LN"; expected null: normalising is not linear']
    """
    problems = [f"{name} is missing" for name in _REQUIRED if name not in settings]
    for name in ("n_heads", "d_head"):
        if name in settings and (type(settings[name]) is not int or settings[name] < 1):
            problems.append(f"{name} is {describe(settings[name])}; expected a whole number of at least 1")
    for name, (fitting, reason) in _FITTING.items():
        if name in settings and settings[name] not in fitting:
            problems.append(f"{name} is {describe(settings[name])}; expected {describe(fitting[0])}: {reason}")
    groups = settings.get("n_key_value_heads")
    if groups is not None and groups != settings.get("n_heads"):
        problems.append(f"n_key_value_heads is {describe(groups)}; expected null: every head has keys of its own")
    for name in _CAPS:
        if isinstance(settings.get(name), int | float) and settings[name] > 0:
            problems.append(f"{name} is {describe(settings[name])}; expected none: capping is not linear")
    return problems


def named_weights(state: Mapping[Any, Any], n_heads: int, d_head: int) -> tuple[dict[str, Tensor], list[str]]:
    """The weights under TransformerLens's names and in its shapes, and what cannot be one, a sentence for each."""
    weights: dict[str, Tensor] = {}
    problems: list[str] = []
    strange: dict[str, list[str]] = {}
    for key, found in state.items():
        if not isinstance(key, str) or not isinstance(found, Tensor):
            problems.append(f"{cut(repr(key))} is {describe(found)}; expected a name and a tensor")
        elif match := _BRIDGED.fullmatch(key):
            layer, part, kind = match.groups()
            name = f"blocks.{layer}.attn.{'W' if kind == 'weight' else 'b'}_{part.upper()}"
            tensor = _per_head(found.detach(), name[-3:], n_heads, d_head)
            if tensor is None:
                problems.append(f"{key} has the shape {list(found.shape)}; expected {n_heads} heads of width {d_head}")
            elif name in weights:
                problems.append(f"{name} is there under two names")
            else:
                weights[name] = tensor
        elif key in _RENAMED or _OWN.fullmatch(key):
            name = _RENAMED.get(key, key)
            if name in weights:
                problems.append(f"{name} is there under two names")
            weights[name] = found.detach().T if key == "unembed.weight" else found.detach()
        elif not _BUFFER.fullmatch(key):
            part = next((part for mark, part in _PARTS.items() if mark in key), "no weight of an attention layer")
            strange.setdefault(part, []).append(cut(key))
    problems += [f"{some(keys)}: {part}" for part, keys in strange.items()]
    types = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in weights.values()})
    if not problems and not (len(types) == 1 and types[0] in DTYPES.values()):
        problems.append(f"its types are {', '.join(types) or 'none'}; expected one of {', '.join(DTYPES.values())}")
    return weights, problems


def some(keys: Sequence[str]) -> str:
    """The keys in a row, but for those beyond a hundred."""
    more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
    return ", ".join(keys[:_MOST_KEYS]) + more


def _per_head(found: Tensor, name: str, n_heads: int, d_head: int) -> Tensor | None:
    """The weight or bias of a ``Linear`` as TransformerLens has it; ``None`` where its size does not allow that."""
    if name == "b_O":
        return found
    axis = 1 if name == "W_O" else 0
    if found.ndim != (2 if name[0] == "W" else 1) or found.shape[axis] != n_heads * d_head:
        return None
    if name[0] == "b":
        return found.reshape(n_heads, d_head)
    if name == "W_O":
        return found.reshape(-1, n_heads, d_head).permute(1, 2, 0)
    return found.reshape(n_heads, d_head, -1).transpose(1, 2)
