"""``python -m expressivity.verify``: a line for each file, and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from expressivity.verify import main
from tests.verify.breaks import BROKEN
from tests.verify.by_hand import CERTIFICATES, sealed


@pytest.fixture
def xor(tmp_path: Path) -> str:
    path = tmp_path / "xor.json"
    path.write_text(json.dumps(CERTIFICATES["obstruction/xor"], indent=2), "utf-8")
    return str(path)


REFUTED = str(BROKEN / "obstruction-multiplier.json")


def test_all_hold(xor: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([xor, xor]) == 0
    line = f"{xor}: proved: no skip-trigram ensemble (positions absolute) decides the 4 contexts\n"
    assert capsys.readouterr() == (line * 2, "")


def test_one_is_refuted(xor: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([REFUTED, xor]) == 1
    out, error = capsys.readouterr()
    assert out.count("\n") == 1
    assert error.startswith(f"{REFUTED}: refuted at cancellation: for output ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_one_is_missing(xor: str, tmp_path: Path, order: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "nowhere.json")
    paths = [xor, REFUTED, missing]
    assert main([paths[i] for i in order]) == 2
    assert f"{missing}: No such file or directory; expected a certificate file\n" in capsys.readouterr().err


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 2


@pytest.mark.parametrize("digits", ["640", "0", None])
def test_no_setting_of_the_interpreter_changes_the_answer(xor: str, digits: str | None) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    if digits is not None:
        environment["PYTHONINTMAXSTRDIGITS"] = digits
    document = json.loads(Path(xor).read_text("utf-8"))
    for entry in document["proof"]["multipliers"]:
        entry["multiplier"] = "1" + "0" * 5000
    Path(xor).write_text(json.dumps(sealed(document)), "utf-8")
    command = [sys.executable, "-m", "expressivity.verify", xor]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
