"""``expressivity circuits``: the text, the JSON, the picture, and one line for what is no input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from expressivity.attention import save_model
from expressivity.cli import main
from expressivity.heads.gallery import load_construction
from tests.circuits.random_models import random_model


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["circuits", *map(str, arguments)])


def test_a_model_on_disk_with_tokens(tmp_path: Path) -> None:
    model = save_model(random_model(layers=2), tmp_path / "model")
    np.save(tmp_path / "tokens.npy", np.random.default_rng(0).integers(0, 5, (30, 7)))
    result = run(model, "--data", tmp_path / "tokens.npy", "--top", 3)
    assert result.exit_code == 0, result.output
    for words in (
        "2 layers · 2 heads each · d_head 3 · 5 tokens · 5 outputs · embedding additive",
        "head 1.1: source … destination → output",
        "e^QK · (OV + direct)",
        "0.1 → 1.0",
        "the mean of 20 pairs of Gaussian heads",
        "nats over 180 predictions",
        "direct path",
        "up to 2 heads",
        "in context",
        "because of",
    ):
        assert words in result.output
    found = json.loads(run(model, "--data", tmp_path / "tokens.npy", "--top", 3, "--head", "1.0", "--json").output)
    assert found["heads"] == ["1.0"]
    assert [t["ranking"] for t in found["skip_trigrams"]] == ["sum", "product", "deciding"]
    assert len(found["importance"]["paths"]) == 9
    assert found["loss"] == pytest.approx(found["importance"]["losses_by_order"][-1])
    assert {score["what"] for score in found["copying"] + found["matching"]} == {"OV", "QK"}
    assert found["in_context"]["late"] == 5
    assert all(bug["head"] == "1.0" and bug["cost"] > 0 for bug in found["bugs"])
    assert len(found["composition"]["pairs"]) == 2


def test_a_construction_on_its_task() -> None:
    found = json.loads(run("two_head_xor", "--data", "xor", "--json").output)
    assert found["predictions"] == 4
    # Each head alone reads one of the four strings wrongly and two not at all; both together are right.
    assert found["importance"]["losses_by_order"][0] == pytest.approx(np.log(2))
    assert found["importance"]["losses_by_order"][1] == pytest.approx(np.log(1 + np.exp(-1)))
    assert any("no room for a repeated sequence" in reason for reason in found["left_out"])


def test_a_picture(tmp_path: Path) -> None:
    assert run("virtual_head:4", "--plot", tmp_path / "heads.svg").exit_code == 0
    text = (tmp_path / "heads.svg").read_text()
    for words in ("scores of heads", "composition, less random", "0.0 → 1.0"):
        assert words in text


def test_direct_path_alone() -> None:
    result = run("bigrams:a b a c a b", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["heads"], found["skip_trigrams"], found["composition"]) == ([], [], None)
    assert found["bigrams"]


def test_text_with_the_tokenizer_of_the_model(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    from expressivity.training.tokenizer import learn

    pairs = learn(["keep it in mind, keep them at bay. "] * 20, 262)
    pairs.save(tmp_path / "pairs.json")
    (tmp_path / "text.txt").write_text("keep them in mind, keep it at bay. " * 60)
    model = random_model(tokens=list(pairs.vocabulary), outputs=list(pairs.vocabulary))  # type: ignore[arg-type]
    folder = save_model(model, tmp_path / "model")
    result = run(folder, "--data", tmp_path / "text.txt", "--tokenizer", tmp_path / "pairs.json", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["predictions"] > 100
    other = save_model(random_model(), tmp_path / "other")
    result = run(other, "--data", tmp_path / "text.txt", "--tokenizer", tmp_path / "pairs.json")
    assert result.exit_code == 2
    assert "other tokens than the model" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "is no folder with a model, nor a construction"),
        (["/no/such/folder"], "expected a folder that save_model wrote"),
        (["two_head_xor", "--head", "1.0"], "there is no head 1.0"),
        (["two_head_xor", "--top", "0"], "--top is 0; expected at least 1"),
        (["two_head_xor", "--destination", "Z"], "the model has no destination 'Z'"),
        (["two_head_xor", "--plot", "picture.txt"], "expected a name that ends in .svg"),
        (["two_head_xor", "--data", "none.npy"], "expected a NumPy array of token numbers"),
        (["two_head_xor", "--data", "parity:3"], "the model has no output '0'"),
        (["two_head_xor", "--tokenizer", "x.json"], "--tokenizer is about the text of --data"),
        (["two_head_xor", "--device", "abacus"], "device 'abacus'"),
    ],
)
def test_what_is_no_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert message in result.output


def test_a_broken_array_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    result = run("two_head_xor", "--data", tmp_path / "bad.npy")
    assert result.exit_code == 2
    assert result.output.count("\n") == 1


def test_nothing_is_drawn_without_heads(tmp_path: Path) -> None:
    result = run("bigrams:a b a", "--plot", tmp_path / "x.svg")
    assert result.exit_code == 2
    assert "no heads to draw" in result.output
    assert not list(tmp_path.iterdir())


def test_a_construction_is_read_like_its_exported_weights(tmp_path: Path) -> None:
    folder = save_model(load_construction("noun_head").to_model(), tmp_path)
    assert run(folder, "--json").output == run("noun_head", "--json").output
