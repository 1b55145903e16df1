r"""Attention-only models from TransformerLens: their state dict and configuration, nothing assumed.

A model fits if it is attention over token and learned position embeddings, and nothing else: no layer norm, no
MLP, no rotation, no soft cap. Its biases must be 0, up to ``b_K``, which adds the same to all scores of a
destination, so that no softmax sees it.

On request the other biases move into the weights. They shift the residual stream by a vector :math:`c` that is
the same at every position and in every context. The model keeps :math:`x`, the stream without it, beside one
new direction that is always 1; there :math:`W_Q` has the row :math:`b_Q + c W_Q` and :math:`W_U` the row
:math:`b_U + c W_U`. Attention sums to one, so a layer adds :math:`(b_V + c W_V) W_O + b_O` to :math:`c`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, sqrt
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from expressivity.attention.models import Embedding, check_embedding, own_name, weight_shapes
from expressivity.attention.models.files import misfits, not_finite, refuse
from expressivity.attention.models.lens.names import named_weights, settings_of, some, unfit_settings
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError
from expressivity.task.tokens import describe

CONFIG, STATE = "the configuration", "the state dict"


def from_transformer_lens(
    source: Any,
    config: Any = None,
    *,
    tokens: Iterable[str] | None = None,
    outputs: Iterable[str] | None = None,
    embedding: Embedding | None = None,
    attn_scale: float | None = None,
    absorb_biases: bool = False,
) -> AttentionOnlyTransformer:
    """An attention-only model of TransformerLens as ours; the logits are the same to rounding.

    Args:
        source: a ``TransformerBridge`` or an older ``HookedTransformer``; or a state dict, in the names of the one
            (``blocks.0.attn.q.weight``) or of the other (``blocks.0.attn.W_Q``).
        config: what belongs to a state dict, as an object or a mapping.
        tokens: names of the token ids; ``0``, ``1``, … if left out.
        outputs: names of the logits; those of the tokens if there are as many, else ``0``, ``1``, …
        embedding: ``joint`` if the rows of ``W_E`` are (position, token) pairs, position by position. Otherwise it
            is ``tokens`` if ``W_pos`` is 0, else ``additive``.
        attn_scale: what scores are divided by; by default what the source says.
        absorb_biases: move biases into the weights, which widens the residual stream by 1, instead of refusing them.

    Raises:
        InputError: naming every key and every setting that does not fit, and why.

    >>> from expressivity.attention import lens_config, lens_state_dict
    >>> model = AttentionOnlyTransformer("AQ", "FT", n_ctx=2, n_heads=1, d_model=4, d_head=1)
    >>> same = from_transformer_lens(lens_state_dict(model), lens_config(model), tokens="AQ", outputs="FT")
    >>> same.tokens, same.outputs, same.d_head
    (('A', 'Q'), ('F', 'T'), 1)
    """
    if config is None and hasattr(source, "state_dict") and hasattr(source, "cfg"):
        attn_scale = _scale_in_use(source) if attn_scale is None else attn_scale
        source, config = source.state_dict(), source.cfg
    if not isinstance(source, Mapping) or config is None:
        raise InputError(f"found {describe(source)}; expected a TransformerLens model, or a state dict with its config")
    settings = settings_of(config)
    refuse(CONFIG, unfit_settings(settings))
    weights, problems = named_weights(source, settings["n_heads"], settings["d_head"])
    refuse(STATE, problems)
    sizes = _sizes(weights, settings)
    weights, biases = _checked(weights, sizes)
    if biases and not absorb_biases:
        raise InputError(
            f"{STATE}: {some(list(biases))}: not 0, and our models have no biases; absorb_biases=True moves them into "
            "the weights"
        )
    if biases:
        weights = _absorbed(weights, biases, sizes["n_layers"])
        sizes["d_model"] += 1
    if embedding is None:
        embedding = "additive" if bool(weights["pos_embed.W_pos"].any()) else "tokens"
    scale = _scale(settings) if attn_scale is None else float(attn_scale)
    if not 0 < scale < inf:
        raise InputError(f"attn_scale is {scale}; expected a positive number")
    positions = sizes["n_ctx"] if check_embedding(embedding) == "joint" else 1
    names = _token_names(tokens, sizes["rows"], positions)
    columns = _output_names(outputs, names, sizes["d_vocab_out"])
    model = AttentionOnlyTransformer(
        names,
        columns,
        n_layers=sizes["n_layers"],
        n_heads=sizes["n_heads"],
        d_model=sizes["d_model"],
        d_head=sizes["d_head"],
        n_ctx=sizes["n_ctx"],
        embedding=embedding,
        attn_scale=scale,
        dtype=weights["embed.W_E"].dtype,
    )
    for key, tensor in weights.items():
        model.get_parameter(own_name(key)).data.copy_(tensor)
    return model.to(weights["embed.W_E"].device)


def _sizes(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> dict[str, int]:
    """The sizes that the weights show, as :func:`weight_shapes` takes them."""
    ends = ("embed.W_E", "pos_embed.W_pos", "unembed.W_U")
    refuse(STATE, [f"{key} is missing" for key in ends if key not in weights])
    shapes = {key: list(weights[key].shape) for key in ends}
    refuse(STATE, [f"{key} has the shape {s}; expected two axes" for key, s in shapes.items() if len(s) != 2 or 0 in s])
    layers = {int(key.split(".")[1]) for key in weights if key.startswith("blocks.")}
    stated = settings.get("n_layers", len(layers))
    if not layers or layers != set(range(len(layers))) or stated != len(layers):
        raise InputError(
            f"{STATE}: has weights of the layers {', '.join(map(str, sorted(layers))) or 'none'}; expected layers from "
            f"0 on, at least one{'' if stated == len(layers) else f', {stated} as the configuration says'}"
        )
    return {
        "n_layers": len(layers),
        "n_heads": settings["n_heads"],
        "d_model": shapes["embed.W_E"][1],
        "d_head": settings["d_head"],
        "n_ctx": shapes["pos_embed.W_pos"][0],
        "rows": shapes["embed.W_E"][0],
        "d_vocab_out": shapes["unembed.W_U"][1],
    }


def _checked(weights: Mapping[str, Tensor], sizes: dict[str, int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The weights, and apart from them the biases that are not 0, all of the right shapes and finite."""
    needed = weight_shapes(**sizes)
    biases: dict[str, tuple[int, ...]] = {"unembed.b_U": (sizes["d_vocab_out"],)}
    for layer in range(sizes["n_layers"]):
        for name in "QKV":
            biases[f"blocks.{layer}.attn.b_{name}"] = (sizes["n_heads"], sizes["d_head"])
        biases[f"blocks.{layer}.attn.b_O"] = (sizes["d_model"],)
    given = {key: shape for key, shape in biases.items() if key in weights}
    refuse(STATE, misfits({key: tuple(tensor.shape) for key, tensor in weights.items()}, needed | given))
    refuse(STATE, not_finite(weights))
    felt = {key: weights[key] for key in given if not key.endswith("b_K") and bool(weights[key].any())}
    return {key: weights[key] for key in needed}, felt


def _absorbed(weights: Mapping[str, Tensor], biases: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """The weights with one more residual direction, always 1, that carries the biases; summed in float64."""
    exact = {key: tensor.double() for key, tensor in [*weights.items(), *biases.items()]}
    zero = exact["embed.W_E"].new_zeros(())
    result = dict(weights)
    result["embed.W_E"] = pad(weights["embed.W_E"], (0, 1), value=1.0)
    result["pos_embed.W_pos"] = pad(weights["pos_embed.W_pos"], (0, 1))
    shift = torch.zeros_like(exact["embed.W_E"][0])
    for layer in range(n_layers):
        at = f"blocks.{layer}.attn."
        query = exact.get(f"{at}b_Q", zero) + shift @ exact[f"{at}W_Q"]
        written = exact.get(f"{at}b_V", zero) + shift @ exact[f"{at}W_V"]
        shift = shift + torch.einsum("hd,hdm->m", written, exact[f"{at}W_O"]) + exact.get(f"{at}b_O", zero)
        result[f"{at}W_Q"] = _with_row(weights[f"{at}W_Q"], query)
        for name in ("W_K", "W_V"):
            result[at + name] = _with_row(weights[at + name], torch.zeros_like(query))
        result[f"{at}W_O"] = pad(weights[f"{at}W_O"], (0, 1))
    result["unembed.W_U"] = _with_row(
        weights["unembed.W_U"], exact.get("unembed.b_U", zero) + shift @ exact["unembed.W_U"]
    )
    return result


def _with_row(weight: Tensor, row: Tensor) -> Tensor:
    """A last row for what the new direction is mapped to, one for each head where there are heads."""
    return torch.cat([weight, row.to(weight.dtype).unsqueeze(-2)], dim=-2)


def _scale_in_use(model: Any) -> float | None:
    """What the layers of a live model divide by, where they say so; their configuration may say something else."""
    found: set[float | None] = set()
    for block in getattr(model, "blocks", ()):
        layer = getattr(block.attn, "original_component", block.attn)
        scale = getattr(layer, "scale", getattr(layer, "attn_scale", None))
        found.add(float(scale) if isinstance(scale, int | float) else None)
    if len(found) > 1:
        raise InputError(
            f"the layers divide their scores by {' and '.join(sorted(map(str, found)))}; expected one scale"
        )
    return found.pop() if found else None


def _scale(settings: Mapping[str, Any]) -> float:
    if settings.get("use_attn_scale", True) is False:
        raise InputError(
            f"{CONFIG}: use_attn_scale is false, by which TransformerLens before 4 divides scores by 1 and its native "
            "models since then by √d_head; say which with attn_scale="
        )
    stated = settings.get("attn_scale")
    return float(stated) if isinstance(stated, int | float) and stated > 0 else sqrt(settings["d_head"])


def _token_names(given: Iterable[str] | None, rows: int, positions: int) -> tuple[str, ...]:
    names = tuple(map(str, range(rows // positions))) if given is None else tuple(given)
    if len(names) * positions != rows:
        each = f" at each of {positions} positions" if positions > 1 else ""
        raise InputError(f"embed.W_E has {rows} rows, but there are {len(names)} tokens{each}")
    return names


def _output_names(given: Iterable[str] | None, tokens: tuple[str, ...], columns: int) -> tuple[str, ...]:
    if given is None:
        return tokens if len(tokens) == columns else tuple(map(str, range(columns)))
    names = tuple(given)
    if len(names) != columns:
        raise InputError(f"unembed.W_U has {columns} columns, but there are {len(names)} outputs")
    return names
