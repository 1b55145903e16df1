"""The commands as people call them: what they print, and with which status they end."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from expressivity import load_certificate
from expressivity.cli import main

ROOT = Path(__file__).parent.parent
XOR = str(ROOT / "examples" / "xor.task")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_check_prints_the_ladder_of_the_four_strings() -> None:
    result = run("check", XOR)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines() if line.strip()]
    assert lines[0] == "task xor · 4 contexts · destination Q · answers F, T · positions absolute"
    assert lines[2:7] == [
        "bigram no 2 contexts cancel (1:1) exact ✓",
        "skip-trigram no 4 contexts cancel (1:1:1:1) exact ✓",
        "skip-4-gram yes margin 1, 3 features exact ✓",
        "attention, 1 head no skip-trigram refuted (T1) exact ✓",
        "attention, 2 heads yes construction two_head_xor exact ✓ float32 agrees on 4/4",
    ]
    assert "cross-entropy floor of skip-trigrams: ln 2 = 0.6931471806… nats" in result.output
    assert "minimal order 4 · heads exactly 2" in result.output
    assert "each occur once with T and once with F" in result.output


def test_the_readme_shows_what_is_printed() -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- ladder -->")[1].split("<!-- /ladder -->")[0]
    assert shown.strip().strip("`").strip() == run("check", XOR).output.strip()


def test_probabilities_are_decided_as_such() -> None:
    """By hand: in noisy XOR the log-odds ±ln 9 have the signs of XOR, so only the pair of sources carries them."""
    found = json.loads(run("check", str(ROOT / "examples" / "noisy_xor.task"), "--json").output)
    assert [order["expressible"] for order in found["orders"]] == [False, False, True]
    assert (found["minimal_order"], found["level"], found["heads"]) == (4, "logits", None)
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    last = found["cross_entropy"][-1]
    assert last["lower"] <= entropy <= last["upper"] <= last["lower"] + 1e-6
    keep = json.loads(run("check", str(ROOT / "examples" / "keep.jsonl"), "--json").output)
    assert keep["orders"][-1]["in_the_limit"] is True


def test_check_json_has_the_documented_keys() -> None:
    found = json.loads(run("check", XOR, "--json").output)
    assert {"task", "contexts", "positions", "embedding", "orders", "minimal_order", "heads", "cross_entropy"} <= set(
        found
    )
    assert (found["task"], found["contexts"], found["positions"], found["embedding"]) == ("xor", 4, "absolute", "joint")
    keys = {"order", "expressible", "support", "features", "margin", "certificate"}
    assert [set(order) for order in found["orders"]] == [keys] * 3
    assert [order["expressible"] for order in found["orders"]] == [False, False, True]
    assert [order["support"] for order in found["orders"]] == [2, 4, None]
    assert found["minimal_order"] == 4
    assert (found["heads"]["lower"], found["heads"]["upper"]) == (2, 2)
    floor = {bound["order"]: bound for bound in found["cross_entropy"]}[3]
    assert floor["lower"] <= math.log(2) <= floor["upper"] <= floor["lower"] + 1e-6


def test_saved_certificates_verify_one_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "certificates"
    found = json.loads(run("check", "parity:3", "--json", "--save", str(folder)).output)
    files = sorted(folder.iterdir())
    assert {order["certificate"]["file"] for order in found["orders"]} <= {str(file) for file in files}
    for file in files:
        assert load_certificate(file).verify()
    result = run("verify", *map(str, files))
    assert result.exit_code == 0
    assert result.output.count("proved: ") == len(files) >= 6


def test_a_search_that_is_stopped_is_undecided() -> None:
    result = run("check", "parity:4", "--max-order", "4", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 3
    assert (found["minimal_order"], found["stopped_at"]) == (None, 4)
    assert found["heads"]["lower"] == 3  # order 4 refuted: two heads cannot


def test_what_no_order_does_is_proved(tmp_path: Path) -> None:
    task = tmp_path / "counts.task"
    task.write_text("A A Q -> X\nA Q -> Y\n")
    result = run("check", str(task), "--positions", "anywhere", "--json")
    found = json.loads(result.output)
    assert (found["minimal_order"], found["never"]) == (None, True)
    same = tmp_path / "order.task"
    same.write_text("A B Q -> X\nB A Q -> Y\n")
    result = run("check", str(same), "--embedding", "tokens", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 0
    assert found["minimal_order"] == 3
    assert (found["heads"]["lower"], found["heads"]["upper"]) == (None, None)
    assert "counts" in found["heads"]["impossible"]


def test_the_direct_path_alone_is_no_head(tmp_path: Path) -> None:
    task = tmp_path / "bigrams.task"
    task.write_text("A Q -> X\nB Q -> X\nA R -> Y\n")
    found = json.loads(run("check", str(task), "--json").output)
    assert (found["minimal_order"], found["heads"]["lower"], found["heads"]["upper"]) == (2, 0, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A Q -> T\nA Q -> F\n", "contradict"),
        ("", "no context"),
        ("A Q -> T:0.5 F:0.4\n", "sum"),
        ("A Q -> T = T\n", "twice"),
    ],
)
def test_bad_task_files_are_one_line_and_status_2(tmp_path: Path, text: str, message: str) -> None:
    task = tmp_path / "bad.task"
    task.write_text(text)
    result = run("check", str(task), "--save", str(tmp_path / "certificates"))
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert str(task) in result.output
    assert message in result.output
    assert not (tmp_path / "certificates").exists()


def test_verify_says_which_step_fails(tmp_path: Path) -> None:
    run("check", XOR, "--save", str(tmp_path))
    file = tmp_path / "order-3.json"
    text = file.read_text()
    assert '"order":3' in text
    file.write_text(text.replace('"order":3', '"order":4'))
    result = run("verify", str(file), str(tmp_path / "order-2.json"))
    assert result.exit_code == 1
    assert "at the step “hash”" in result.output
    assert "proved: " in result.output
    missing = run("verify", str(tmp_path / "missing.json"))
    assert missing.exit_code == 2
    assert "expected a certificate file" in missing.output


def test_the_trusted_base_runs_alone(tmp_path: Path) -> None:
    run("check", XOR, "--save", str(tmp_path))
    command = [sys.executable, "-m", "expressivity.verify", str(tmp_path / "order-3.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0
    assert "no skip-trigram ensemble" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", XOR, "--positions", "everywhere"], ["nonsense"], ["verify"]]
)
def test_usage_errors_have_status_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_build_shows_the_posts_scores() -> None:
    result = run("build", "two_head_xor")
    assert result.exit_code == 0, result.output
    for words in ("d_head", "4 of 4", "float32"):
        assert words in result.output


def test_gallery_and_tasks_list_what_there_is() -> None:
    assert "two_head_xor" in run("gallery").output
    listed = run("tasks").output
    assert all(name in listed for name in ("xor", "parity:", "bits:"))


def test_limits_that_make_no_sense_are_refused() -> None:
    for option, value in (("--max-heads", "-1"), ("--time-limit", "nan"), ("--time-limit", "0"), ("--max-order", "1")):
        result = run("check", XOR, option, value)
        assert result.exit_code == 2
        assert "expected" in result.output


def test_a_construction_that_was_asked_for_must_decide_the_task() -> None:
    result = run("check", XOR, "--construction", "parity:3")
    assert result.exit_code == 2
    assert "construction parity:3 does not decide task xor" in result.output
    assert run("check", XOR, "--construction", "two_head_xor").exit_code == 0


def test_tables_beyond_max_heads_are_not_considered() -> None:
    result = run("check", XOR, "--max-heads", "1", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 3
    assert (found["heads"]["lower"], found["heads"]["upper"]) == (2, None)
    assert found["heads"]["upper_reason"] == "no tables of at most 1 heads are known"


def test_the_convention_that_was_refuted_is_named_where_it_is_another(tmp_path: Path) -> None:
    """A at most twice: 0, 1, 2 ask T, F, T, which no affine function of the count decides, but each length does."""
    task = tmp_path / "counts.task"
    task.write_text("Q -> T\nA Q -> F\nA A Q -> T\n")
    found = json.loads(run("check", str(task), "--embedding", "tokens", "--json").output)
    assert found["minimal_order"] == 2
    assert found["heads"]["lower"] == 2
    assert found["heads"]["lower_reason"] == "skip-trigram (count) refuted (T1)"


def test_nothing_is_saved_where_a_file_cannot_stand_and_the_answer_is_shown(tmp_path: Path) -> None:
    (tmp_path / "order-3.json").mkdir()
    result = run("check", XOR, "--save", str(tmp_path))
    assert result.exit_code == 2
    assert "heads exactly 2" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["order-3.json"]


def test_a_score_beyond_enclosing_is_an_error_of_one_line(tmp_path: Path) -> None:
    file = tmp_path / "huge.py"
    file.write_text(
        "from expressivity import Construction, Task\n"
        "task = Task.from_strings(['AQT', 'BQF'])\n"
        "huge = Construction('huge', task=task).head('h', at='Q', scores={'A': 10**30}, writes={'A': 'T', 'B': 'F'})\n"
    )
    result = run("build", str(file))
    assert result.exit_code == 2
    assert "a score of about 10^30; expected at most 10^25" in result.output
