"""Models on disk: ``model.safetensors`` for the weights, ``model.json`` for what they mean (``docs/weights.md``).

The weights have TransformerLens's names and shapes, so that torch reads them with safetensors alone. No pickle, no
code. A file may come from a stranger: sizes are compared before anything is allocated, and all that does not fit is
named at once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expressivity.attention.models.model_class import EMBEDDINGS
from expressivity.errors import InputError
from expressivity.task.tokens import cut, describe
from expressivity.writing import write_bytes

if TYPE_CHECKING:
    import torch

    from expressivity.attention.models.mlp import MLPTransformer
    from expressivity.attention.models.transformer import AttentionOnlyTransformer

FORMAT = "expressivity model"
VERSION = 1
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
SIZES = {"n_layers": 1, "n_heads": 0, "d_model": 1, "d_head": 1, "n_ctx": 1}  # each with its least value
NAMES = ("tokens", "outputs", "basis")
KEYS = {"format", "version", *SIZES, "embedding", "attn_scale", *NAMES, "dtype", "weights"}
OPTIONAL = {"sha256", "d_mlp"}
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}  # as safetensors names them
MOST_JSON = 1 << 26  # bytes
MOST_HEADER = 1 << 24  # bytes that safetensors' own header may add to those of the weights
SHOWN = 40  # problems in one message

Shape = tuple[int, ...]


def own_name(key: str) -> str:
    """The name that a weight has in our module: ``embed.W_E`` is ``W_E``, ``blocks.0.attn.W_Q`` ``blocks.0.W_Q``.

    In a model with MLPs ``blocks.0.mlp.W_in`` is ``mlps.0.W_in``; the others are those of its ``attention``.
    """
    if ".mlp." in key:
        return key.replace(".mlp.", ".").replace("blocks.", "mlps.")
    return key.replace(".attn.", ".") if key.startswith("blocks.") else key.partition(".")[2]


def weight_shapes(
    *, n_layers: int, n_heads: int, d_model: int, d_head: int, n_ctx: int, rows: int, d_vocab_out: int, d_mlp: int = 0
) -> dict[str, Shape]:
    """TransformerLens's name and the shape of every weight; ``rows`` are those of ``W_E``, ``d_mlp`` 0 is no MLP.

    >>> shapes = weight_shapes(n_layers=1, n_heads=2, d_model=8, d_head=1, n_ctx=3, rows=5, d_vocab_out=2)
    >>> shapes["blocks.0.attn.W_Q"], shapes["unembed.W_U"]
    ((2, 8, 1), (8, 2))
    """
    shapes: dict[str, Shape] = {"embed.W_E": (rows, d_model), "pos_embed.W_pos": (n_ctx, d_model)}
    for layer in range(n_layers):
        for name in ("W_Q", "W_K", "W_V"):
            shapes[f"blocks.{layer}.attn.{name}"] = (n_heads, d_model, d_head)
        shapes[f"blocks.{layer}.attn.W_O"] = (n_heads, d_head, d_model)
        if d_mlp:
            inner = {"W_in": (d_model, d_mlp), "b_in": (d_mlp,), "W_out": (d_mlp, d_model), "b_out": (d_model,)}
            shapes |= {f"blocks.{layer}.mlp.{name}": shape for name, shape in inner.items()}
    return shapes | {"unembed.W_U": (d_model, d_vocab_out)}


def parameters_of(model: AttentionOnlyTransformer | MLPTransformer) -> dict[str, torch.nn.Parameter]:
    """The weights of a model themselves, by TransformerLens's names, in the order of its file."""
    bare, d_mlp = parts_of(model)
    sizes = {name: getattr(bare, name) for name in SIZES if name != "n_layers"}
    rows = len(bare.tokens) * (bare.n_ctx if bare.embedding == "joint" else 1)
    shapes = weight_shapes(n_layers=len(bare.blocks), rows=rows, d_vocab_out=len(bare.outputs), d_mlp=d_mlp, **sizes)
    found = {key: (model if ".mlp." in key else bare).get_parameter(own_name(key)) for key in shapes}
    refuse("this model", misfits({key: tuple(weight.shape) for key, weight in found.items()}, shapes))
    return found


def parts_of(model: AttentionOnlyTransformer | MLPTransformer) -> tuple[AttentionOnlyTransformer, int]:
    """Its attention, and the width of its MLPs, 0 if it has none."""
    from expressivity.attention.models.mlp import MLPTransformer

    return (model.attention, model.d_mlp) if isinstance(model, MLPTransformer) else (model, 0)


def save_model(model: AttentionOnlyTransformer | MLPTransformer, folder: str | os.PathLike[str]) -> Path:
    """Write a model into a folder, which is made if need be; each file whole or not at all.

    Args:
        model: of any number of layers, with or without MLPs, on any device.
        folder: what stands there under the names ``model.safetensors`` and ``model.json`` is replaced.

    Raises:
        InputError: a weight that is not finite, weights of several or of unusual types, a name that UTF-8 cannot
            write, or a folder that cannot be written to.
    """
    from safetensors.torch import save

    place, (bare, d_mlp) = Path(folder), parts_of(model)
    weights = {key: weight.detach().cpu().clone().contiguous() for key, weight in parameters_of(model).items()}
    types = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in weights.values()})
    if len(types) != 1 or types[0] not in DTYPES.values():
        raise InputError(f"the weights are {', '.join(types)}; expected one of {', '.join(DTYPES.values())} for all")
    refuse(place, not_finite(weights))
    scale = float(bare.attn_scale)
    if not (isfinite(scale) and scale > 0):
        raise InputError(f"attn_scale is {scale}; expected a positive number")
    described = {
        "format": FORMAT,
        "version": VERSION,
        **{name: len(bare.blocks) if name == "n_layers" else getattr(bare, name) for name in SIZES},
        **({"d_mlp": d_mlp} if d_mlp else {}),
        "embedding": bare.embedding,
        "attn_scale": scale,
        **{name: list(getattr(bare, name)) for name in NAMES},
        "dtype": types[0],
        "weights": {key: list(tensor.shape) for key, tensor in weights.items()},
    }
    data = save(weights)
    described["sha256"] = hashlib.sha256(data).hexdigest()
    try:
        text = _layout(described).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"the name {error.object[error.start :][:1]!a}… has no UTF-8 form; rename it") from None
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place}: no folder can be made there: {error.strerror or error}") from None
    write_bytes(data, place / WEIGHTS)
    write_bytes(text, place / DESCRIPTION)  # last: with its hash it vouches for the other
    return place


def load_model(folder: str | os.PathLike[str]) -> AttentionOnlyTransformer:
    """Read an attention-only model that :func:`save_model` wrote; on the CPU, in the type it was saved in.

    Raises:
        InputError: a file is missing, truncated or not what it should be; every weight that does not fit is named,
            with the shape found and the shape expected. Or the model has MLPs.
    """
    found, d_mlp = parts_of(load_any_model(folder))
    if d_mlp:
        raise InputError(
            f"{folder}: has MLPs (d_mlp {d_mlp}), and this is about attention alone; load_any_model reads it, and its "
            "attribute attention is the model without them"
        )
    return found


def load_any_model(folder: str | os.PathLike[str]) -> AttentionOnlyTransformer | MLPTransformer:
    """The same for a model that may have MLPs.

    Raises:
        InputError: as for :func:`load_model`.
    """
    from safetensors import SafetensorError, deserialize
    from safetensors.torch import load

    from expressivity.attention.models.mlp import MLPTransformer
    from expressivity.attention.models.transformer import AttentionOnlyTransformer

    place = Path(folder)
    described = _description(place / DESCRIPTION)
    sizes = {name: described[name] for name in SIZES}
    rows = len(described["tokens"]) * (sizes["n_ctx"] if described["embedding"] == "joint" else 1)
    path = place / WEIGHTS
    listed = described["weights"]
    d_mlp = described.get("d_mlp", 0)
    many = (8 if d_mlp else 4) * sizes["n_layers"] + 3
    if len(listed) != many:  # before a hostile number of layers is written out
        raise InputError(
            f"{place / DESCRIPTION}: weights lists {len(listed)}; expected {many} for "
            f"{sizes['n_layers']} layer{'s' * (sizes['n_layers'] != 1)}"
        )
    expected = weight_shapes(**sizes, rows=rows, d_vocab_out=len(described["outputs"]), d_mlp=d_mlp)
    refuse(place / DESCRIPTION, misfits({key: tuple(shape) for key, shape in listed.items()}, expected))
    data = _read(path, sum(8 * prod(shape) for shape in expected.values()) + MOST_HEADER)
    try:
        found = dict(deserialize(data))  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError) as error:
        reason = cut(str(error).partition("\n")[0], 120)
        raise InputError(f"{path}: is no safetensors file (truncated?): {reason}") from None
    refuse(path, misfits({key: tuple(view["shape"]) for key, view in found.items()}, expected))
    types = {key: DTYPES.get(view["dtype"], view["dtype"]) for key, view in found.items()}
    asked = described["dtype"]
    refuse(path, [f"{key} is {kind}; expected {asked}" for key, kind in types.items() if kind != asked])
    weights = load(data)
    refuse(path, not_finite(weights))
    if "sha256" in described and described["sha256"] != hashlib.sha256(data).hexdigest():
        raise InputError(
            f"{path}: its SHA-256 is not the one in {DESCRIPTION}: the two files do not belong together, or one was "
            "changed (without the key sha256 they are not compared)"
        )
    bare = AttentionOnlyTransformer(
        described["tokens"],
        described["outputs"],
        **sizes,
        embedding=described["embedding"],
        attn_scale=float(described["attn_scale"]),
        basis=described["basis"],
        dtype=next(iter(weights.values())).dtype,
    )
    model = MLPTransformer(bare, d_mlp) if d_mlp else bare
    for key, parameter in parameters_of(model).items():
        parameter.data.copy_(weights[key])
    return model


def _layout(described: Mapping[str, Any]) -> str:
    """JSON with one line for each key, and one for each weight."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    def lines(entries: Mapping[str, Any], indent: str) -> str:
        shown = (f"{indent}{line(key)}: {line(value)}" for key, value in entries.items())
        return "{\n" + ",\n".join(shown) + f"\n{indent[:-2]}}}"

    head = {key: value for key, value in described.items() if key not in ("weights", "sha256")}
    parts = [lines(head, "  ").removesuffix("\n}"), f'  "weights": {lines(described["weights"], "    ")}']
    return ",\n".join([*parts, f'  "sha256": {line(described["sha256"])}\n}}\n'])


def _description(path: Path) -> dict[str, Any]:
    """The contents of ``model.json``, checked key by key."""
    data = _read(path, MOST_JSON)
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{path}: is not JSON in UTF-8 (truncated?): {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f'{path}: is {describe(found)}; expected an object with "format": "{FORMAT}"')
    version = found.get("version")
    if type(version) is not int or version != VERSION:
        raise InputError(f"{path}: version is {describe(version)}; this program reads version {VERSION}")
    missing, unknown = KEYS - set(found), set(found) - KEYS - OPTIONAL
    problems = [f"{key} is missing" for key in sorted(missing)]
    problems += [f"{cut(repr(key))} is no key of this format" for key in sorted(unknown)]
    refuse(path, problems)
    refuse(path, [f"{key} is {describe(found[key])}; expected {asked}" for key, asked in _expected(found)])
    return found


def _expected(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The keys whose values are not what they should be, with what that is."""
    for key, least in SIZES.items():
        if type(found[key]) is not int or not least <= found[key] < 1 << 40:
            yield key, f"a whole number of at least {least}"
    if found["embedding"] not in EMBEDDINGS:
        yield "embedding", f"one of {', '.join(EMBEDDINGS)}"
    scale = found["attn_scale"]
    if type(scale) not in (int, float) or not 0 < scale < 1e300:
        yield "attn_scale", "a positive number"
    for key in NAMES:
        names = found[key]
        if not isinstance(names, list) or not all(isinstance(name, str) and _is_text(name) for name in names):
            yield key, "a list of strings"
        elif len(set(names)) < len(names) and key != "basis":
            yield key, "distinct names"
        elif not names and key != "basis":
            yield key, "at least one name"
    if isinstance(found["basis"], list) and len(found["basis"]) not in (0, found["d_model"]):
        yield "basis", "no names, or one for each of the d_model directions"
    if found["dtype"] not in DTYPES.values():
        yield "dtype", f"one of {', '.join(DTYPES.values())}"
    weights = found["weights"]
    if not isinstance(weights, dict) or not all(map(_is_shape, weights.values())):
        yield "weights", "an object of names and shapes"
    d_mlp = found.get("d_mlp", 1)
    if type(d_mlp) is not int or not 1 <= d_mlp < 1 << 40:
        yield "d_mlp", "a whole number of at least 1, or no such key"
    if not isinstance(found.get("sha256", ""), str):
        yield "sha256", "a string"


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 62 for size in value)


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError(f"a key occurs twice in one object, which begins {cut(repr(pairs[0][0]))}")
    return result


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, most) + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a folder that save_model wrote") from None
    if len(data) > most:
        raise InputError(f"{path}: has {size} bytes; expected at most {most}")
    return data


def misfits(found: Mapping[str, Shape], expected: Mapping[str, Shape]) -> list[str]:
    """What is missing, what is not known, and what has another shape."""
    problems = [f"{key} is missing; expected the shape {list(s)}" for key, s in expected.items() if key not in found]
    problems += [f"{cut(repr(key))} is no weight of this model" for key in found if key not in expected]
    for key, shape in expected.items():
        if key in found and found[key] != shape:
            problems.append(f"{key} has the shape {list(found[key])}; expected {list(shape)}")
    return problems


def not_finite(weights: Mapping[str, torch.Tensor]) -> list[str]:
    """What to say of weights that are infinite or no numbers."""
    return [f"{key} has a weight that is not a finite number" for key, w in weights.items() if not w.isfinite().all()]


def refuse(where: object, problems: Iterable[str]) -> None:
    """One message that names every problem, or the first few and how many more.

    Raises:
        InputError: there is a problem.
    """
    listed = list(problems)
    if listed:
        more = f"; and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
        raise InputError(f"{where}: {'; '.join(listed[:SHOWN])}{more}")
