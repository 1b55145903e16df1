"""The command as people call it, and its page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from expressivity.attention import save_model
from expressivity.cli import main
from tests.audit.cases import random_model

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", *arguments])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model(random_model(5, 4, scores=2.0), tmp_path_factory.mktemp("models") / "five"))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("texts") / "tokens.npy"
    np.save(path, np.random.default_rng(0).integers(5, size=4000))
    return str(path)


def test_a_table_for_each_text_and_a_conclusion(model: str, text: str, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join(" ".join(np.random.default_rng(k).choice(list("abcde"), 9)) for k in range(80)))
    folder = tmp_path / "certificates"
    arguments = [model, "--data", text, "--data", str(words), "--orders", "2,3", "--certified", "8"]
    shown = run(*arguments, "--save", str(folder))
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("fitted on") == 7  # each text, each pair, and the conclusion's
    assert "skip-trigrams describe five" in shown.output
    assert "head 0: denominators frozen" in shown.output
    files = sorted(folder.iterdir())
    assert files
    assert CliRunner().invoke(main, ["verify", *map(str, files)]).exit_code == 0
    found = json.loads(run(*arguments, "--json").output)
    assert len(found["judgements"]) == 4
    rows = {row["name"]: row for row in found["judgements"][0]["rows"]}
    assert {"order 2", "order 3", "QK·OV + direct path", "deciding table (T2)"} <= set(rows)
    for name in ("gap", "cross_entropy_model", "cross_entropy_data", "agreement", "share"):
        estimate = rows["order 3"][name]
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    entropy = found["judgements"][0]["entropy"]
    for row in rows.values():
        assert row["cross_entropy_model"]["value"] == pytest.approx(entropy + row["gap"]["value"])
    assert rows["deciding table (T2)"]["agreement"]["value"] == 1  # theorem T2, at every position
    assert rows["order 2"]["certified"]["contexts"] <= 8
    again = json.loads(run(*arguments, "--json").output)
    assert again == found  # the same seed


def test_numbers_are_those_of_a_direct_computation(model: str, text: str) -> None:
    """The model's entropy and cross-entropy with the text, window by window, without this room."""
    found = json.loads(run(model, "--data", text, "--orders", "2", "--certified", "0", "--json").output)
    (judgement,) = found["judgements"]
    own = random_model(5, 4, scores=2.0)
    rows = torch.from_numpy(np.load(text)[-400:])
    with torch.no_grad():
        logits = torch.cat([own(part[None])[0] for part in rows.split(4)]).log_softmax(-1)
    assert judgement["contexts"] == 400
    assert judgement["entropy"] == pytest.approx(float(-(logits.exp() * logits).sum(-1).mean()), abs=1e-9)
    data = -logits[:-1].gather(1, rows[1:, None]).mean()
    assert judgement["cross_entropy_data"] == pytest.approx(float(data), abs=1e-9)


def test_every_option_is_on_the_page() -> None:
    names = {name for option in main.commands["audit"].params for name in option.opts if name.startswith("--")}
    assert all(f"`{name}" in PAGE or f" {name} " in PAGE for name in names), names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MODEL", "--data", "missing.txt"], "missing.txt: No such file or directory"),
        (["MODEL", "--data", "code"], "code needs the model's tokenizer"),
        (["MODEL", "--data", "bad.npy"], "bad.npy: "),
        (["MODEL", "--data", "large.npy"], "large.npy: holds 7; expected token numbers from 0 to 4"),
        (["MODEL", "--data", "floats.npy"], "expected whole numbers"),
        (["MODEL", "--data", "words.txt"], "words.txt, line 2: the model has no token 'zebra'"),
        (["MODEL", "--data", "TEXT", "--orders", "2,x"], "orders are '2,x'; expected numbers"),
        (["MODEL", "--data", "TEXT", "--orders", "1"], "expected integers of at least 2"),
        (["MODEL", "--data", "TEXT", "--window", "9"], "the window is 9 tokens; expected 2 to 4"),
        (["MODEL", "--data", "TEXT", "--window", "0"], "the window is 0 tokens"),
        (["MODEL", "--data", "TEXT", "--time-limit", "-1"], "time limit is -1.0; expected a positive number"),
        (["nowhere", "--data", "TEXT"], "nowhere"),
        (["MODEL", "--data", "TEXT", "--device", "tpu9"], "device 'tpu9'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, model: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.npy").write_bytes(b"no array")
    np.save("large.npy", np.array([1, 7, 2]))
    np.save("floats.npy", np.ones(9))
    Path("words.txt").write_text("a b\na zebra\n")
    result = run(*({"MODEL": model, "TEXT": text}.get(word, word) for word in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
