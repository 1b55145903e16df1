"""Narrower heads found by search, their certificates, and what is said where none are found."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from expressivity.attention import Head, HeadTables, load_model
from expressivity.certificate import seal
from expressivity.cli import main
from expressivity.dsl import Construction, previous
from expressivity.errors import InputError, Refuted
from expressivity.heads import narrow as searching
from expressivity.heads.gallery import load_construction
from expressivity.heads.narrow import Narrow, narrow
from expressivity.heads.narrow_exact import Pattern, complete, features, setting_of
from expressivity.heads.validate import build_report
from expressivity.report.narrow_text import narrow_json, narrow_text
from expressivity.task import Task, Tie
from expressivity.verify import verify

THREE = Task.from_strings(["AQX", "BQY", "CQZ"], name="three")
COPIES = Construction("copies", task=THREE).head("h", writes={"A": "X", "B": "Y", "C": "Z"})
XOR_OF_THREE = Task([*map(tuple, ("ACQ", "ADQ", "BCQ", "BDQ"))], [*"TFFT"], outputs=[*"FTU"], name="xor")


def found_for(construction: Construction) -> Narrow:
    return narrow(build_report(construction, device="cpu"), device="cpu")


def wide_xor() -> Construction:
    """The post's two heads; one writes on the idle output too, so that its values have rank 2."""
    first = {"A": -9, "B": 9, "Q": -9}
    second = {"A": 9, "B": -9, "Q": -9}
    writes = {"C": "T", "D": {"F": 1, "U": "1/3"}}
    return (
        Construction("wide xor", task=XOR_OF_THREE)
        .head("first is A", at="Q", scores=first, writes=writes)
        .head("first is B", at="Q", scores=second, writes={"C": "F", "D": "T"})
    )


def test_two_heads_made_wide_are_narrow_again() -> None:
    """Two heads are needed (T4), and the post's have width 1."""
    found = found_for(wide_xor())
    assert (found.least, found.least_is_proved, found.d_head, found.failed_at) == (2, True, 1, None)
    assert found.tables is not None
    assert len(found.tables.heads) == 2
    assert found.tables.embedding == "tokens"
    assert found.reason == "d_head 1 is the least there is"


def test_two_signals_need_no_width() -> None:
    """The printed rows have rank 4; with a bias one head of width 1 does it (ov_coherent_width_one)."""
    found = found_for(load_construction("ov_coherent_printed:6"))
    assert (found.least, found.d_head) == (4, 1)
    assert found.proof is not None
    assert found.proof.certificate is not None
    assert found.weights is not None
    assert found.agreement is not None
    document = found.proof.certificate.document
    assert (document["model"]["heads"], document["model"]["d_head"]) == (1, 1)
    assert "decides 576240 contexts" in found.proof.certificate.verify().text
    assert found.weights.to_model().W_V.shape[-1] == 1
    assert found.agreement.contexts_right == 576240
    assert found.agreement.contexts_right_in_float == 10


def test_ties_hold_exactly_in_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four skip-trigrams in two heads: rank 3 as written; (i, 1) · (2j, −j²) has rank 2 for every number of them."""
    monkeypatch.setattr(searching, "ROUNDS", 1)
    found = found_for(load_construction("ov_incoherent_literal:4"))
    assert found.least == 3
    assert found.d_head is not None
    assert found.d_head <= 2
    assert found.agreement is not None
    ties = [m for c, m in zip(found.agreement.comparisons, found.agreement.enclosed, strict=True) if c.equal]
    assert ties
    assert all(margin.lower == margin.upper == 0 for margin in ties)


def test_nothing_is_found_where_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One head of width 1 cannot be ``noun_head``.

    At a destination its logits are b_y + t·o_y, with one number t of each context. ``court`` and ``hospital`` do not
    always tie, so that their o differ and they tie at one t₀ only: in prose with as many judges as doctors t = t₀, and
    the bigram is below. Take t₀ from all values. Then odds times values of the two nouns add up to 0, those of each
    word are 0 and those of the destination, as their numbers vary freely. So t = t₀ without any noun too, where the
    bigram must be on top.
    """
    monkeypatch.setattr(searching, "ROUNDS", 1)
    found = found_for(load_construction("noun_head"))
    assert (found.least, found.d_head, found.tables, found.proof) == (2, None, None, None)
    assert (found.failed_at, found.starts, found.stopped) == (1, 16, False)
    said = "nothing was found at d_head 1 (16 starts), which proves nothing"
    assert found.reason == said
    assert narrow_text(found) == f"  narrower: {said}"
    told = narrow_json(found, None)
    assert (told["d_head"], told["different_model"], told["certificate"]) == (None, False, None)
    assert (told["nothing_found_at"], told["d_head_is_least"]) == (1, False)


def test_any_task_of_two_destinations(tmp_path: Path) -> None:
    """Its heads are as wide as there are destinations; one source is one head of width 1 (T2), more so two."""
    file = tmp_path / "turned.task"
    file.write_text("A Q -> X\nB Q -> Y\nC Q -> Z\nA R -> Y\nB R -> Z\nC R -> X\n")
    found = found_for(load_construction(f"any_task:{file}"))
    assert (found.least, found.d_head) == (2, 1)
    assert found.tables is not None
    assert (found.tables.embedding, len(found.tables.heads)) == ("joint", 2)


@pytest.mark.slow
def test_the_bugs_in_one_head_of_width_one() -> None:
    assert found_for(load_construction("skip_trigram_bugs")).d_head == 1


def test_the_search_is_the_same_each_time() -> None:
    assert found_for(COPIES).tables == found_for(COPIES).tables


def test_width_one_leaves_nothing_to_search_for() -> None:
    found = found_for(load_construction("two_head_xor"))
    assert (found.least, found.d_head, found.failed_at, found.starts) == (1, None, None, 0)
    assert narrow_text(found) == "  narrower: d_head 1 is the least there is: nothing to search for"


def test_time_ends_the_search() -> None:
    found = narrow(build_report(load_construction("noun_head"), device="cpu"), time_limit=0.001)
    assert (found.d_head, found.stopped) == (None, True)
    assert found.reason == "nothing was found at d_head 1 (16 starts; the time limit was reached), which proves nothing"


def test_a_construction_that_does_not_do_its_task_is_not_narrowed() -> None:
    found = found_for(Construction("nothing", task=THREE).head("h", writes={"A": "X", "B": "X", "C": {"Z": 2, "X": 1}}))
    assert found.reason == "no width was searched, as the construction does not decide its task"


def test_what_cannot_be_searched_is_refused() -> None:
    layered = Construction("looking back", task=Task.from_strings(["ABCB", "BACA", "CBAB"])).head(
        "previous", scores={previous: 20}, writes_to="prev"
    )
    with pytest.raises(InputError, match="'looking back' has several layers; a narrower width is searched for in one"):
        searching.check_search(layered)
    with pytest.raises(InputError, match="the time limit is 0; expected a positive number of seconds"):
        searching.check_search(COPIES, 0)


# ------------------------------------------------------------------------------------------ the exact half


def test_the_linear_step_by_hand() -> None:
    """Uniform attention over source and destination: A carries 0 and B 1, so 1/2 arrives after B.

    F = T after A leaves no difference on the direct path; then any positive difference of the right factor will do.
    Where A carries 1 too, what A has tied cannot be told apart after B.
    """
    task = Task([("A", "Q"), ("B", "Q")], [Tie(["F", "T"]), "T"])
    setting = setting_of(Construction("tie", task=task).head("h", writes={"B": "T"}).tables(), task)
    assert setting.groups == (((None, "A"), (None, "Q")), ((None, "B"),))
    zero, one = Fraction(0), Fraction(1)
    told = [Pattern([[zero, zero]], "e", [[zero], [one]])]
    assert features(setting, told) == [[zero], [Fraction(1, 2)]]
    tables = complete(setting, told, 10)
    assert tables is not None
    after_a, after_b = (tables.logits(context) for context in ("AQ", "BQ"))
    assert after_a.get("T", 0) == after_a.get("F", 0)
    assert after_b.get("T", 0) >= after_b.get("F", 0) + 1
    assert complete(setting, [Pattern([[zero, zero]], "e", [[one], [one]])], 10) is None


def test_odds_of_a_rational_base_are_exact_and_real_ones_rounded() -> None:
    task = Task.from_strings(["AQX", "BQY"])
    setting = setting_of(HeadTables("tokens", {}, (Head({((None, "A"), "X"): Fraction(1)}),)), task)
    carried = [[Fraction(1)], [Fraction(0)]]
    # The groups are A; B and Q. Odds 3^2 for A against 1: 9/10.
    exact = features(setting, [Pattern([[Fraction(2), Fraction(0)]], Fraction(3), carried)])
    assert exact == [[Fraction(9, 10)], [Fraction(0)]]
    ((real,), _) = features(setting, [Pattern([[Fraction(2), Fraction(0)]], "e", carried)])
    assert float(real) == pytest.approx(0.8807970779778823)  # 1 / (1 + exp(−2))


# ------------------------------------------------------------------------------------------ certificates


def test_a_corrupted_narrow_certificate_is_rejected() -> None:
    proof = found_for(COPIES).proof
    assert proof is not None
    assert proof.certificate is not None
    document = proof.certificate.document
    assert document["model"]["d_head"] == 1

    wider = copy.deepcopy(document["proof"])
    values = wider["heads"][0]["values"]
    rows = {json.dumps(row) for row, _, _ in values}
    assert len(rows) > 1
    values[0][2] = str(Fraction(values[0][2]) + 1)
    with pytest.raises(Refuted, match="a table of scores or values has rank above d_head 1"):
        verify(seal(document["kind"], document["model"], document["task"], wider))

    emptied = copy.deepcopy(document["proof"])
    emptied["heads"][0]["values"] = []
    with pytest.raises(Refuted):
        verify(seal(document["kind"], document["model"], document["task"], emptied))


# ------------------------------------------------------------------------------------------ the command line


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["build", *arguments])


@pytest.fixture
def copies(tmp_path: Path) -> str:
    file = tmp_path / "copies.py"
    file.write_text(
        "from expressivity import Construction, Task\n"
        "task = Task.from_strings(['AQX', 'BQY', 'CQZ'])\n"
        "copies = Construction('copies', task=task).head('h', writes={'A': 'X', 'B': 'Y', 'C': 'Z'})\n"
    )
    return str(file)


def test_the_command_saves_what_it_found(copies: str, tmp_path: Path) -> None:
    saved, exported = tmp_path / "narrow.json", tmp_path / "exported"
    result = run(copies, "--narrow", "--save", str(saved), "--export", str(exported), "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "d_head 2 (the least for these tables)" in result.output
    assert (
        "narrower: d_head 2 is the least for these tables; d_head 1, found by search, decides the task too,\n"
        "    with other tables: a different model; d_head 1 is the least there is\n"
        "    right on 3 of 3 contexts, proved by enclosure; float32 on cpu right on 3 of 3" in result.output
    )
    assert json.loads(saved.read_text())["model"]["d_head"] == 1
    assert CliRunner().invoke(main, ["verify", str(saved)]).exit_code == 0
    assert load_model(exported).d_head == 1


def test_the_json_has_the_same_facts(copies: str) -> None:
    told = json.loads(run(copies, "--narrow", "--json", "--device", "cpu").output)
    assert (told["d_head"], told["d_head_is_least"]) == (2, True)
    narrowed = told["narrow"]
    assert (narrowed["found_by"], narrowed["d_head"], narrowed["d_head_is_least"]) == ("search", 1, True)
    assert (narrowed["d_head_of_tables"], narrowed["different_model"], narrowed["right"]) == (2, True, 3)
    assert narrowed["certificate"]["verified"] is True


def test_where_nothing_was_found_nothing_is_written(tmp_path: Path) -> None:
    saved = tmp_path / "narrow.json"
    result = run("two_head_xor", "--narrow", "--save", str(saved))
    assert result.exit_code == 2
    assert "narrower: d_head 1 is the least there is: nothing to search for" in result.output
    assert f"error: {saved}: nothing is written: d_head 1 is the least there is" in result.output
    assert not saved.exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--narrow", "--d-head", "2"], "--narrow looks for a smaller width than the least of the tables; leave out"),
        (["--time-limit", "5"], "--time-limit is about the search of --narrow; expected both or neither"),
        (["--narrow", "--time-limit", "-1"], "the time limit is -1.0; expected a positive number of seconds"),
    ],
)
def test_options_that_contradict_each_other(options: list[str], line: str) -> None:
    result = run("two_head_xor", *options)
    assert result.exit_code == 2
    assert result.output.startswith(f"error: {line}")
    assert result.output.count("\n") == 1


def test_several_layers_are_refused_in_one_line() -> None:
    result = run("induction:3", "--narrow")
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "has several layers; a narrower width is searched for in one only" in result.output
