"""What is left out of tasks that are too large for it, and what is said of that."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

import expressivity.beside
from expressivity import Task, climb
from expressivity.beside import ENTROPY, LOGISTIC, LeftOut, beside
from expressivity.cli import main
from expressivity.errors import Refuted
from expressivity.skipgrams import SkipGrams

ROOT = Path(__file__).parent.parent
XOR = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
ORDERS = [SkipGrams(2), SkipGrams(3), SkipGrams(4)]
# By hand, for XOR: 4, 12 and 16 entries of features, 4 × 2 of outputs; 1, 3 and 4 columns for one of two outputs.


def test_nothing_is_left_out_of_a_small_task() -> None:
    found = beside(XOR, ORDERS, fit=True)
    assert (len(found.fits), len(found.bounds), found.left_out) == (3, 3, [])
    assert float(found.bounds[1].upper or 0) == pytest.approx(math.log(2))
    assert beside(XOR, ORDERS, fit=False).fits == []


@pytest.mark.parametrize(
    ("limit", "most", "what", "fitted", "bounded", "reason"),
    [
        ("FITTED", 12, LOGISTIC, 1, 3, "20 entries, over 12"),
        ("COEFFICIENTS", 3, LOGISTIC, 2, 3, "4 coefficients, over 3"),
        ("BOUNDED", 20, ENTROPY, 3, 2, "24 entries, over 20"),
        ("DENSE", 4, ENTROPY, 3, 1, "12 entries with all zeros, over 4"),
    ],
)
def test_each_limit_leaves_out_what_it_limits(
    limit: str, most: int, what: str, fitted: int, bounded: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expressivity.beside, limit, most)
    found = beside(XOR, ORDERS, fit=True)
    assert (len(found.fits), len(found.bounds)) == (fitted, bounded)
    assert {left.what for left in found.left_out} == {what}
    assert [left.order for left in found.left_out] == [2, 3, 4][min(fitted, bounded) :]
    assert found.left_out[0].reason == reason


def test_the_largest_part_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: destinations share no feature; Q has 4 contexts, the constant, one of A and B, and one of C and D."""
    task = Task.from_text("A C Q -> X\nA D Q -> Y\nB C Q -> Y\nB D Q -> X\nA R -> X\nB R -> X\nC R -> Z\n")
    monkeypatch.setattr(expressivity.beside, "DENSE", 40)  # rows and columns for two of three outputs: 8 · 6
    assert beside(task, [SkipGrams(3)], fit=False).left_out == [
        LeftOut(ENTROPY, 3, "48 entries with all zeros, over 40")
    ]


def test_a_proof_that_the_trusted_base_finds_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Refuted("size", "over 1000000000 steps would be needed")

    monkeypatch.setattr(expressivity.beside, "bound_cross_entropy", refuse)
    found = beside(XOR, ORDERS[:1], fit=True)
    assert (len(found.fits), found.bounds) == (1, [])
    assert "over 1000000000 steps would be needed" in found.left_out[0].reason


def test_other_refusals_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Refuted("moments", "they differ")

    monkeypatch.setattr(expressivity.beside, "bound_cross_entropy", refuse)
    with pytest.raises(Refuted):
        beside(XOR, ORDERS, fit=True)


def test_check_says_what_it_left_out_and_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = climb(XOR)
    monkeypatch.setattr(expressivity.beside, "FITTED", 20)
    monkeypatch.setattr(expressivity.beside, "BOUNDED", 12)
    ladder = climb(XOR)
    assert ladder.is_settled
    assert [v.answer for v in ladder.orders] == [v.answer for v in whole.orders]
    task = str(ROOT / "examples" / "xor.task")
    result = CliRunner().invoke(main, ["check", task])
    assert result.exit_code == 0
    assert "cross-entropy floor of bigrams: ln 2" in result.output
    assert "cross-entropy floor of skip-trigrams: not bounded (20 entries, over 12)" in result.output
    assert "order 2 0/4 · order 3 0/4 · order 4 not fitted (24 entries, over 20)" in result.output
    found = json.loads(CliRunner().invoke(main, ["check", task, "--json"]).output)
    assert found["minimal_order"] == 4
    assert [bound["lower"] is None for bound in found["cross_entropy"]] == [False, True, True]
    left = {"order": 3, "lower": None, "upper": None, "left_out": "20 entries, over 12"}
    assert found["cross_entropy"][1] == left
    assert [fit["right"] for fit in found["logistic_regression"]] == [0, 0, None]
    assert found["logistic_regression"][2]["left_out"] == "24 entries, over 20"
