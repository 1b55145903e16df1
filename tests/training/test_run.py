"""Training: the same weights every time, after a kill as well; what is refused; Ctrl-C leaves a checkpoint."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from expressivity.archive import verify_archive
from expressivity.attention.models import load_model, parameters_of
from expressivity.cli import main
from expressivity.errors import InputError, Refuted
from expressivity.training.checkpoint import CHECKPOINT, PLAN, RESULT, TOKENIZER
from expressivity.training.plan import Plan, planned
from expressivity.training.run import train
from expressivity.training.tokenizer import BytePairs

WEIGHTS = "model.safetensors"
TINY = {"d_model": 8, "d_head": 4, "steps": 40, "batch": 4}


def tiny(task: str = "trigrams", **more: Any) -> Plan:
    return planned(task, **{**TINY, "vocabulary": 10, "length": 8, "d_mlp": 0, **more})


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


class Stopped(Exception):
    """As sudden as a kill, for what is in memory."""


@pytest.mark.parametrize("task", ["trigrams", "repeated", "xor"])
@pytest.mark.parametrize("mlp", [0, 3])
def test_a_run_that_was_broken_off_ends_with_the_same_weights(task: str, mlp: int, tmp_path: Path) -> None:
    plan = tiny(task, d_mlp=mlp, weight_decay=0.1)
    whole = train(plan, tmp_path / "whole", device="cpu")

    def stop(done: int, total: int, said: str) -> None:
        if done == 23:
            raise Stopped

    with pytest.raises(Stopped):  # the checkpoint is that of step 22
        train(plan, tmp_path / "broken", device="cpu", every=0, progress=stop)
    assert not (tmp_path / "broken" / WEIGHTS).exists()
    again = train(plan, tmp_path / "broken", device="cpu")
    assert (tmp_path / "broken" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
    assert torch.equal(again.losses, whole.losses)
    assert again.measures == whole.measures


def program(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "expressivity", "train", *arguments, "--out", "run", "--device", "cpu"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


LONG = ["trigrams", "--d-model", "8", "--d-head", "4", "--mlp", "3", "--batch", "8", "--vocabulary", "10",
        "--length", "8", "--steps", "400"]  # fmt: skip


def test_kill_9_and_then_the_same_weights(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = program(tmp_path, *LONG, "--every", "0")
    wait_for(folder / CHECKPOINT, process)
    process.kill()
    process.communicate()
    if (folder / RESULT).exists():
        pytest.skip("it was faster than the kill")
    assert program(tmp_path, *LONG).communicate()[1] == b""
    arguments = [*LONG, "--out", str(tmp_path / "whole"), "--device", "cpu"]
    assert CliRunner().invoke(main, ["train", *arguments]).exit_code == 0
    assert (folder / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_ctrl_c_leaves_a_checkpoint(tmp_path: Path) -> None:
    process = program(tmp_path, *LONG[:-1], "1000000", "--every", "0.2")
    wait_for(tmp_path / "run" / CHECKPOINT, process)
    before = (tmp_path / "run" / CHECKPOINT).stat().st_mtime_ns
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    output, said = process.communicate()
    assert (process.returncode, output) == (130, b"")
    assert said == b"interrupted; no file is left half-written\n"
    assert (tmp_path / "run" / CHECKPOINT).stat().st_mtime_ns > before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [CHECKPOINT, PLAN]


def test_minutes_end_it_and_the_same_command_goes_on(tmp_path: Path) -> None:
    arguments = ["train", *LONG[:-1], "30", "--out", str(tmp_path / "a"), "--device", "cpu"]
    first = CliRunner().invoke(main, [*arguments, "--minutes", "0"])
    assert first.exit_code == 3
    assert "stopped after 1 of 30 steps" in first.output
    second = CliRunner().invoke(main, [*arguments, "--json"])
    assert second.exit_code == 0
    told = json.loads(second.output)
    assert told["finished"]
    assert told["steps"] == 30
    assert {"cross_entropy", "floor", "occurrences_right", "pairs_right"} == set(told["measures"])


def test_another_seed_is_another_model_and_the_same_is_the_same() -> None:
    one, same, other = (weights(train(tiny(seed=seed), device="cpu").model) for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["W_E"], other["W_E"])


def test_no_layers_is_a_bigram_model_without_positions(tmp_path: Path) -> None:
    plan = tiny(layers=0, steps=10)
    model = train(plan, tmp_path / "a", device="cpu").model
    loaded = load_model(tmp_path / "a")
    assert (loaded.n_heads, loaded.embedding) == (0, "tokens")
    ids = torch.tensor([[3, 1, 3]])
    logits = loaded(ids)[0]
    assert torch.equal(logits[0], logits[2])  # the same token, wherever it stands
    assert torch.equal(logits, model(ids)[0])
    assert torch.allclose(logits[1], loaded.W_E[1] @ loaded.W_U)


def test_the_rate_falls_linearly_and_the_scale_is_the_root_of_the_width() -> None:
    plan = tiny("xor", steps=4, d_head=9, lr=0.1)
    trained = train(plan, device="cpu")
    assert trained.model.attn_scale == 3.0
    # AdamW's own first step is the rate itself for every weight with a gradient, less what weight decay takes.
    one = train(Plan(**{**plan.to_json(), "steps": 1}), device="cpu").model
    start = train(Plan(**{**plan.to_json(), "steps": 1, "lr": 1e-12}), device="cpu").model
    moved = (one.W_U - start.W_U).abs()
    assert torch.allclose(moved, torch.full_like(moved, 0.1), rtol=1e-3)


def test_a_positions_table_stays_empty_where_there_are_no_positions() -> None:
    for embedding in ("tokens", "joint"):
        model = train(tiny("xor", embedding=embedding), device="cpu").model
        assert not model.W_pos.any()
        assert parameters_of(model)["embed.W_E"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0; expected at least 1"),
        ({"lr": 0.0}, "lr is 0.0; expected a number above 0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"layers": 0, "d_mlp": 3}, "d_mlp is 3 with 0 layers"),
        ({"batch": 0}, "batch is 0; expected at least 1"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0"),
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        tiny(**change)
    assert message in str(refusal.value)


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"has files but no training\.json"):
        train(tiny(), tmp_path, device="cpu")
    train(tiny(), tmp_path / "a", device="cpu")
    with pytest.raises(InputError, match=r"another training is in this folder \(seed is 0, asked for 1\)"):
        train(tiny(seed=1), tmp_path / "a", device="cpu")


def test_a_task_file_that_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.task"
    file.write_text("A Q -> T\nB Q -> F\n")
    train(tiny(str(file)), tmp_path / "a", device="cpu")
    file.write_text("A Q -> F\nB Q -> T\n")
    with pytest.raises(InputError, match="has changed since"):
        train(tiny(str(file)), tmp_path / "a", device="cpu")


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    train(tiny(), tmp_path / "a", device="cpu")
    path = tmp_path / "a" / CHECKPOINT
    data = path.read_bytes()
    for damaged in (data[:100], data[:-8], b"", b"{}" * 50):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="is no checkpoint"):
            train(tiny(), tmp_path / "a", device="cpu")
    train(tiny(seed=1), tmp_path / "b", device="cpu")
    path.write_bytes((tmp_path / "b" / CHECKPOINT).read_bytes())
    with pytest.raises(InputError, match="is of another training"):
        train(tiny(), tmp_path / "a", device="cpu")


def test_a_loss_that_is_no_number_ends_it() -> None:
    with pytest.raises(InputError, match="try a lower --lr"):
        train(tiny("xor", lr=1e30, steps=30), device="cpu")


@pytest.mark.parametrize("arguments", [["xor"], ["xor", "--out", "a", "--text", "code"], ["nothing", "--out", "a"]])
def test_bad_usage_leaves_nothing(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["train", *arguments])
    assert done.exit_code == 2
    assert done.output.startswith("error: ")
    assert not list(tmp_path.iterdir())


def test_many_seeds_by_command(tmp_path: Path) -> None:
    arguments = ["train", "xor", "--heads", "2", "--steps", "200", "--seeds", "12", "--device", "cpu"]
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "a"), "--json"])
    assert done.exit_code == 0
    told = json.loads(done.output)
    assert told["right"] == sum(each["right"] for each in told["outcomes"]) == told["certified"] > 0
    members = list(verify_archive(tmp_path / "a" / "certificates.zip"))
    assert len(members) == told["right"]
    assert not any(isinstance(found, Refuted) for _, _, found in members)
    assert "decide the task" in CliRunner().invoke(main, arguments).output


def test_text_is_learnt_and_its_tokenizer_kept_beside_the_model(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    file = tmp_path / "a.txt"
    file.write_text("the cat sat on the mat and the dog sat on the log. " * 200, "utf-8")
    plan = planned("text", text=(str(file),), vocabulary=270, length=16, d_model=16, heads=2, d_head=8, steps=150,
                   batch=8, lr=0.01)  # fmt: skip
    whole = train(plan, tmp_path / "a", device="cpu")
    assert whole.measures["held_out_cross_entropy"] < math.log(270) / 4
    tokenizer = BytePairs.load(tmp_path / "a" / TOKENIZER)
    model = load_model(tmp_path / "a")
    assert model.tokens == tokenizer.vocabulary
    best = model(torch.tensor([tokenizer.encode(" sat on")]))[0, -1].argmax()
    assert tokenizer.decode([int(best)]).startswith(" t")

    def stop(done: int, total: int, said: str) -> None:
        if done == 60:
            raise Stopped

    with pytest.raises(Stopped):
        train(plan, tmp_path / "b", device="cpu", every=0, progress=stop)
    train(plan, tmp_path / "b", device="cpu")
    assert (tmp_path / "b" / WEIGHTS).read_bytes() == (tmp_path / "a" / WEIGHTS).read_bytes()
    (tmp_path / "b" / TOKENIZER).write_text("{}")
    with pytest.raises(InputError, match="is no tokenizer"):
        train(plan, tmp_path / "b", device="cpu")


@pytest.mark.slow
def test_two_layers_copy_repeated_tokens_and_one_does_not() -> None:
    # A previous-token head and one that composes with it: Elhage et al. 2021, induction heads.
    one, two = (train(planned("repeated", layers=layers), device="cpu").measures for layers in (1, 2))
    assert two["repeated_right"] > 0.8
    assert one["repeated_right"] < 0.5
    for found in (one, two):  # nobody predicts even tokens
        assert found["cross_entropy_new"] > math.log(50) - 0.05


@pytest.mark.slow
def test_forced_trigrams_are_learnt() -> None:
    found = train(planned("trigrams", steps=4000), device="cpu").measures
    assert found["pairs_right"] > 200
    assert found["floor"] < found["cross_entropy"] < 4.21
