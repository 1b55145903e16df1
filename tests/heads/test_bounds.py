"""Bounds on heads from both sides, in Python and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given

from expressivity import EXPRESSIBLE, UNDECIDED, Attention, InputError, Task, climb, decide, load_certificate
from expressivity.cli import main
from expressivity.heads.bounds import bound_heads, quickly_searched
from expressivity.heads.search.layout import layout_of
from expressivity.heads.search.width import is_always_narrow
from expressivity.strategies import tasks
from expressivity.task import bits, ov_coherent, ov_incoherent, parity, xor

EMBEDDINGS = ("joint", "additive", "tokens")
HARD = bits("0110100110010111")  # of degree 3; the gallery's symmetric functions are not offered here


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("d_head", [None, 1])
def test_xor_takes_two_heads_of_any_width(embedding: str, d_head: int | None) -> None:
    found = bound_heads(xor(), embedding=embedding, d_head=d_head)  # type: ignore[arg-type]
    assert (found.lower, found.upper, found.is_closed) == (2, 2, True)
    for name, verdict in found.verdicts():
        assert verdict.certificate is not None
        assert verdict.certificate.verify().contexts == 4, name
    if d_head is not None:
        assert found.sandwich.above is not None
        assert found.sandwich.above.model == Attention(2, d_head=1, embedding=embedding)


@given(tasks(soft=False, max_contexts=5, max_length=2))
def test_every_side_is_proved_and_the_sides_are_in_order(task: Task) -> None:
    found = bound_heads(task, restarts=8, max_heads=3)
    if found.lower is not None and found.upper is not None:
        assert found.lower <= found.upper <= 3
    answers = {"heads-below": "inexpressible", "heads-above": "expressible"}
    for name, verdict in found.verdicts():
        assert verdict.certificate is not None
        assert verdict.certificate.verify().answer == answers[name]


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_completions_that_share_their_source_take_one_head_of_width_two(embedding: str) -> None:
    """One head of width 1 is not found; whether there is one is open."""
    found = bound_heads(ov_incoherent(3), embedding=embedding, d_head=2)  # type: ignore[arg-type]
    assert (found.lower, found.upper) == (1, 1)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_two_signals_take_one_head_of_width_one(embedding: str) -> None:
    """As the gallery's ``ov_coherent_width_one`` does, found here without it."""
    found = bound_heads(ov_coherent(2), embedding=embedding, d_head=1)  # type: ignore[arg-type]
    assert (found.lower, found.upper) == (1, 1)
    assert found.sandwich.upper_reason == "found by search: narrow factors, seed 0"


def test_boolean_tasks_of_one_fibre_are_always_narrow() -> None:
    assert is_always_narrow(layout_of(parity(3), "joint"), 1)
    assert not is_always_narrow(layout_of(ov_incoherent(3), "joint"), 1)


def test_what_is_impossible_is_said_to_be() -> None:
    found = bound_heads(Task.from_strings(["ABQX", "BAQY"]), embedding="tokens")
    assert (found.lower, found.upper, found.is_closed, found.searches) == (None, None, True, ())


def test_an_open_side_stays_open() -> None:
    found = bound_heads(parity(3), max_heads=2, restarts=20)
    assert (found.lower, found.upper, found.is_closed) == (3, None, False)
    found = bound_heads(parity(5), max_heads=5, restarts=1)
    assert found.lower == 5
    assert [report.starts for report in found.searches] == ([] if found.upper == 5 else [1])


def test_check_and_decide_close_what_constructions_leave_open() -> None:
    """T3 has a head for each gram of the weights; there are tables of three heads."""
    assert climb(HARD, search=False).heads.upper > 3
    heads = climb(HARD).heads
    assert (heads.lower, heads.upper) == (3, 3)
    assert quickly_searched(HARD, heads) is heads
    verdict = decide(HARD, Attention(heads=3, d_head=1, embedding="additive"))
    assert verdict.answer is EXPRESSIBLE
    assert verdict.certificate is not None
    assert verdict.certificate.verify().contexts == 16


def test_decide_leaves_open_what_is_not_found() -> None:
    verdict = decide(ov_incoherent(3), Attention(heads=1, d_head=1, embedding="additive"))
    assert verdict.answer is UNDECIDED
    assert verdict.certificate is None


def test_a_file_that_is_no_checkpoint_is_refused_even_where_nothing_is_searched(tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    file.write_text("{}")
    with pytest.raises(InputError, match="no checkpoint of a search"):
        bound_heads(xor(), checkpoint=file)


# ---------------------------------------------------------------------------------------------- the command


def test_the_command_prints_both_sides() -> None:
    result = run("heads", "xor")
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines() if line.strip()]
    assert lines == [
        "task xor · 4 contexts · destination Q · answers F, T · embedding joint",
        "heads enough? proof",
        "1 no skip-trigram refuted (T1) exact ✓ on all contexts, 2 sources before Q",
        "2 yes construction two_head_xor exact ✓ float32 agrees on 4/4",
        "precision (T9): heads · (d_head + 1) · bits ≥ 1, as what is at {0} needs 2 values",
        "heads exactly 2 (joint embedding)",
    ]


def test_the_command_names_the_sub_task_that_the_obstruction_lives_on() -> None:
    found = run("heads", "ov-incoherent:3").output
    assert "on 2 of 6 contexts, 1 source before 1" in found


def test_the_command_searches_and_says_what_it_tried(tmp_path: Path) -> None:
    saved, file = tmp_path / "proofs", tmp_path / "search.json"
    arguments = ["heads", "bits:0001011001111011", "--embedding", "additive", "--checkpoint", str(file)]
    result = run(*arguments, "--save", str(saved))
    assert result.exit_code == 0, result.output
    assert "found by search: " in result.output
    assert "searched: found at" in result.output
    assert "2 certificates saved" in result.output
    for path in saved.iterdir():
        load_certificate(path).verify()
    again = run(*arguments, "--json")
    found = json.loads(again.output)
    assert set(found) == {"task", "contexts", "embedding", "d_head", "heads", "lower_contexts", "searches", "precision"}
    assert found["heads"]["lower"] == found["heads"]["upper"]
    assert found["searches"][-1]["found"] is True
    assert set(found["searches"][-1]["rounds"][0]) == {"stage", "starts", "best", "seconds"}


def test_an_open_question_has_status_3() -> None:
    result = run("heads", "parity:3", "--max-heads", "2")
    assert result.exit_code == 3
    assert "heads between 3 and ? (joint embedding)" in result.output
    result = run("heads", "ov-incoherent:3", "--d-head", "1", "--embedding", "additive", "--restarts", "16")
    assert result.exit_code == 3
    assert "nothing found at 1 head of width 1: narrow 16 starts" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--restarts", "0"], "restarts is 0"),
        (["--seed", "-1"], "seed is -1"),
        (["--d-head", "0"], "d_head is 0"),
        (["--max-heads", "-1"], "heads is -1"),
        (["--time-limit", "0"], "time limit is 0"),
        (["--time-limit", "nan"], "time limit is nan"),
        (["--device", "nowhere"], "device 'nowhere'"),
        (["--construction", "no_such"], "no construction 'no_such'"),
        (["--construction", "parity:3"], "does not decide"),
        (["--checkpoint", "/nowhere/search.json"], "cannot be written"),
        (["--embedding", "rotary"], "Invalid value"),
    ],
)
def test_bad_options_are_one_line_and_status_2(arguments: list[str], said: str) -> None:
    result = run("heads", "xor", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_distributions_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "soft.task"
    file.write_text("A Q -> T:1/2 F:1/2\n")
    result = run("heads", str(file))
    assert result.exit_code == 2
    assert "asks for distributions" in result.output
