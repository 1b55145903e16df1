"""Models on disk: what is written is read back bit for bit, and whatever else a file holds is refused by name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from expressivity.attention import AttentionOnlyTransformer, load_model, read_tables, save_model
from expressivity.attention.models.files import DESCRIPTION, WEIGHTS
from expressivity.cli import main
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction


def a_model(embedding: str = "additive", dtype: torch.dtype = torch.float32, **sizes: Any) -> AttentionOnlyTransformer:
    torch.manual_seed(0)
    shape: dict[str, Any] = {"n_ctx": 3, "n_heads": 2, "d_model": 5, "d_head": 2, "n_layers": 2} | sizes
    model = AttentionOnlyTransformer(["A", "é ", "\n"], "FT", embedding=embedding, dtype=dtype, **shape)  # type: ignore[arg-type]
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_model_comes_back_bit_for_bit(embedding: str, dtype: torch.dtype, tmp_path: Path) -> None:
    model = a_model(embedding, dtype, attn_scale=1.7, basis="abcde")
    save_model(model, tmp_path / "a" / "b")
    again = load_model(tmp_path / "a" / "b")
    for name in ("tokens", "outputs", "basis", "embedding", "n_ctx", "n_heads", "d_model", "d_head", "attn_scale"):
        assert getattr(again, name) == getattr(model, name)
    assert list(again.state_dict()) == list(model.state_dict())
    for key, weight in model.state_dict().items():
        assert again.state_dict()[key].dtype == dtype
        assert torch.equal(again.state_dict()[key], weight)


@pytest.mark.parametrize("sizes", [{"n_heads": 0}, {"n_layers": 1, "n_heads": 0}, {"n_ctx": 1}])
def test_empty_tensors(sizes: dict[str, int], tmp_path: Path) -> None:
    model = a_model(**sizes)
    assert torch.equal(load_model(save_model(model, tmp_path)).W_U, model.W_U)


def test_exported_constructions_have_the_same_tables(tmp_path: Path) -> None:
    model = load_construction("two_head_xor").to_model()
    assert read_tables(load_model(save_model(model, tmp_path))).to_proof() == read_tables(model).to_proof()


def test_plain_torch_reads_it(tmp_path: Path) -> None:
    # The forward pass is written out here, from TransformerLens's shapes alone.
    model = a_model("additive", torch.float64, n_layers=1, attn_scale=3.0)
    save_model(model, tmp_path)
    told = json.loads((tmp_path / DESCRIPTION).read_text("utf-8"))
    w = load_file(tmp_path / WEIGHTS)
    ids = torch.tensor([told["tokens"].index(token) for token in ("A", "\n", "A")])
    x = w["embed.W_E"][ids] + w["pos_embed.W_pos"]
    q, k, v = (torch.einsum("pm,hmd->hpd", x, w[f"blocks.0.attn.W_{name}"]) for name in "QKV")
    scores = (q @ k.mT / told["attn_scale"]).masked_fill(torch.ones(3, 3).triu(1).bool(), -torch.inf)
    logits = (x + torch.einsum("hpd,hdm->pm", scores.softmax(-1) @ v, w["blocks.0.attn.W_O"])) @ w["unembed.W_U"]
    assert torch.allclose(logits, model(ids[None])[0], atol=1e-12)


def test_the_description_is_for_people(tmp_path: Path) -> None:
    save_model(load_construction("two_head_xor").to_model(), tmp_path)
    told = json.loads((tmp_path / DESCRIPTION).read_text("utf-8"))
    assert told["tokens"] == ["A", "B", "C", "D", "Q"]
    assert told["basis"] == ["A", "B", "C", "D", "Q", "→F", "→T"]
    assert told["weights"]["blocks.0.attn.W_Q"] == [2, 7, 1]


def test_what_stood_there_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    save_model(a_model(), tmp_path)
    second = a_model(n_layers=1)
    save_model(second, tmp_path)
    assert sorted(os.listdir(tmp_path)) == [DESCRIPTION, WEIGHTS]
    assert torch.equal(load_model(tmp_path).W_E, second.W_E)


# ------------------------------------------------------------------------------------------------ refusals


def described(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        told = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        change(told)
        (folder / DESCRIPTION).write_text(json.dumps(told), "utf-8")

    return spoil


def weighed(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        change(weights)
        save_file(weights, folder / WEIGHTS)

    return spoil


def written(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(data) and None


def cut_short(name: str, by: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-by]) and None


Q = "blocks.0.attn.W_Q"
CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no description": (
        lambda f: (f / DESCRIPTION).unlink(),
        "model.json: No such file or directory; expected a folder",
    ),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), "model.safetensors: No such file or directory; expected a folder"),
    "truncated description": (cut_short(DESCRIPTION, 9), "model.json: is not JSON in UTF-8 (truncated?)"),
    "truncated weights": (cut_short(WEIGHTS, 9), "model.safetensors: is no safetensors file (truncated?)"),
    "empty weights": (written(WEIGHTS, b""), "model.safetensors: is no safetensors file (truncated?)"),
    "a pickle": (written(WEIGHTS, b"\x80\x04\x95" * 99), "model.safetensors: is no safetensors file (truncated?)"),
    "another format": (written(DESCRIPTION, b"{}"), 'expected an object with "format": "expressivity model"'),
    "no object": (written(DESCRIPTION, b"[1]"), 'is a list of 1; expected an object with "format"'),
    "not UTF-8": (written(DESCRIPTION, b'{"format": "\xff"}'), "is not JSON in UTF-8"),
    "deep": (written(DESCRIPTION, b"[" * 200_000), "is nested too deeply"),
    "twice": (
        written(DESCRIPTION, b'{"format": 1, "format": 2}'),
        "a key occurs twice in one object, which begins 'format'",
    ),
    "NaN": (written(DESCRIPTION, b'{"attn_scale": NaN}'), "NaN is no JSON"),
    "version": (described(lambda d: d.update(version=2)), "version is 2; this program reads version 1"),
    "version true": (described(lambda d: d.update(version=True)), "version is true; this program reads version 1"),
    "missing key": (described(lambda d: d.pop("n_ctx")), "n_ctx is missing"),
    "unknown key": (described(lambda d: d.update(ln=1)), "'ln' is no key of this format"),
    "size": (described(lambda d: d.update(d_head="2")), 'd_head is "2"; expected a whole number of at least 1'),
    "size true": (
        described(lambda d: d.update(n_heads=True)),
        "n_heads is true; expected a whole number of at least 0",
    ),
    "size 0": (described(lambda d: d.update(n_layers=0)), "n_layers is 0; expected a whole number of at least 1"),
    "size huge": (described(lambda d: d.update(n_ctx=10**30)), "n_ctx is 1000000000000000000000000000000; expected a"),
    "layers huge": (
        described(lambda d: d.update(n_layers=10**9)),
        "weights lists 11; expected 4000000003 for 1000000000 layers",
    ),
    "embedding": (
        described(lambda d: d.update(embedding="sum")),
        'embedding is "sum"; expected one of joint, additive, tokens',
    ),
    "scale": (described(lambda d: d.update(attn_scale=0)), "attn_scale is 0; expected a positive number"),
    "scale inf": (
        described(lambda d: d.update(attn_scale=10**400)),
        "attn_scale is a value of type int; expected a positive",
    ),
    "tokens": (described(lambda d: d.update(tokens="ABC")), 'tokens is "ABC"; expected a list of strings'),
    "tokens twice": (
        described(lambda d: d.update(tokens=["A", "A", "B"])),
        "tokens is a list of 3; expected distinct names",
    ),
    "no outputs": (described(lambda d: d.update(outputs=[])), "outputs is an empty list; expected at least one name"),
    "surrogate": (
        described(lambda d: d.update(tokens=["A", "B", "\ud800"])),
        "tokens is a list of 3; expected a list of strings",
    ),
    "basis": (described(lambda d: d.update(basis=["x"])), "basis is a list of 1; expected no names, or one for each"),
    "dtype": (described(lambda d: d.update(dtype="int8")), 'dtype is "int8"; expected one of float64, float32'),
    "listed shape": (
        described(lambda d: d["weights"].update({Q: [2, 9, 2]})),
        f"model.json: {Q} has the shape [2, 9, 2]; expected [2, 5, 2]",
    ),
    "listed shape no list": (
        described(lambda d: d["weights"].update({Q: 2})),
        "expected an object of names and shapes",
    ),
    "a size that does not fit": (
        described(lambda d: d.update(d_model=6)),
        f"{Q} has the shape [2, 5, 2]; expected [2, 6, 2]",
    ),
    "a token more": (described(lambda d: d["tokens"].append("X")), "embed.W_E has the shape [3, 5]; expected [4, 5]"),
    "a weight missing": (weighed(lambda w: w.pop(Q)), f"safetensors: {Q} is missing; expected the shape [2, 5, 2]"),
    "a weight too many": (
        weighed(lambda w: w.update(b_U=torch.zeros(2))),
        "model.safetensors: 'b_U' is no weight of this model",
    ),
    "a shape": (
        weighed(lambda w: w.update({Q: torch.zeros(2, 2, 5)})),
        f"model.safetensors: {Q} has the shape [2, 2, 5]; expected [2, 5, 2]",
    ),
    "a type": (
        weighed(lambda w: w.update({Q: torch.zeros(2, 5, 2, dtype=torch.int32)})),
        f"model.safetensors: {Q} is I32; expected float32",
    ),
    "no number": (
        weighed(lambda w: w.update({Q: torch.full((2, 5, 2), torch.nan)})),
        f"model.safetensors: {Q} has a weight that is not a finite number",
    ),
    "another model's weights": (
        weighed(lambda w: w.update({Q: w[Q] + 1})),
        "model.safetensors: its SHA-256 is not the one in model.json",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_is_named(name: str, tmp_path: Path) -> None:
    spoil, message = CASES[name]
    save_model(a_model(), tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError) as refusal:
        load_model(tmp_path)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    save_model(a_model(), tmp_path)
    weighed(lambda w: (w.pop(Q), w.update(x=torch.zeros(1)), w.update({"embed.W_E": torch.zeros(1, 5)})))(tmp_path)
    with pytest.raises(InputError) as refusal:
        load_model(tmp_path)
    assert str(refusal.value).partition(": ")[2] == (
        f"{Q} is missing; expected the shape [2, 5, 2]; 'x' is no weight of this model; "
        "embed.W_E has the shape [1, 5]; expected [3, 5]"
    )


def test_weights_edited_on_purpose_are_read_without_the_hash(tmp_path: Path) -> None:
    save_model(a_model(), tmp_path)
    weighed(lambda w: w.update({Q: w[Q] + 1}))(tmp_path)
    described(lambda d: d.pop("sha256"))(tmp_path)
    assert torch.equal(load_model(tmp_path).blocks[0].W_Q, a_model().blocks[0].W_Q + 1)  # type: ignore[operator]


@given(st.data())
@settings(max_examples=60)
def test_no_change_of_bytes_gives_anything_but_a_model_or_a_refusal(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        save_model(a_model(), folder)
        path = Path(folder) / data.draw(st.sampled_from([DESCRIPTION, WEIGHTS]))
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, min(len(content) - 1, 900)))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            load_model(folder)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: mixed(),
            "the weights are float32, float64; expected one of float64, float32, float16, bfloat16 for all",
        ),
        (lambda: spoilt("W_U", torch.inf), "unembed.W_U has a weight that is not a finite number"),
        (lambda: a_model(attn_scale=-1.0), "attn_scale is -1.0; expected a positive number"),
        (
            lambda: AttentionOnlyTransformer(["\ud800"], "T", n_ctx=1, n_heads=1, d_model=1, d_head=1),
            r"the name '\ud800'… has no UTF-8 form; rename it",
        ),
    ],
)
def test_what_could_not_be_read_back_is_not_written(make: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        save_model(make(), tmp_path / "new")
    assert message in str(refusal.value)
    assert not (tmp_path / "new").exists()


def mixed() -> AttentionOnlyTransformer:
    model = a_model()
    model.W_U.data = model.W_U.data.double()
    return model


def spoilt(name: str, value: float) -> AttentionOnlyTransformer:
    model = a_model()
    model.get_parameter(name).data[0, 0] = value
    return model


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="no folder can be made there: File exists"):
        save_model(a_model(), tmp_path / "file")
    with pytest.raises(InputError, match=r"Not a directory; expected a folder that save_model wrote"):
        load_model(tmp_path / "file")


# ------------------------------------------------------------------------------------------------ command line


def test_build_exports(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["build", "two_head_xor", "--export", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == f"  weights: {tmp_path / 'out'}"
    expected = load_construction("two_head_xor").to_model()
    assert torch.equal(load_model(tmp_path / "out").W_E, expected.W_E)


def test_build_names_the_folder_in_json(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["build", "two_head_xor", "--export", str(tmp_path / "out"), "--json"])
    assert json.loads(done.output)["weights"] == str(tmp_path / "out")


def test_build_cannot_write_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = CliRunner().invoke(main, ["build", "two_head_xor", "--export", str(tmp_path / "file")])
    assert done.exit_code == 2
    assert "no folder can be made there" in done.output
