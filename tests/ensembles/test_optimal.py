"""Best certificates of their kind: fewest contexts, fewest features, largest margin; each with a verified bound."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from expressivity import SkipGrams, Task, decide
from expressivity.cli import main
from expressivity.errors import InputError
from expressivity.verdict import EXPRESSIBLE, INEXPRESSIBLE, Obstruction, SeparatingWeights

XOR = ["ACQT", "ADQF", "BCQF", "BDQT"]
PARITY_3 = [f"{a}{b}{c}R{'FT'[(a + b + c) % 2]}" for a in (0, 1) for b in (0, 1) for c in (0, 1)]


def contexts_of(verdict: Any) -> int:
    assert isinstance(verdict.certificate, Obstruction)
    return verdict.certificate.n_contexts


@pytest.mark.parametrize(
    ("strings", "order", "fewest"),
    [
        (XOR, 2, 2),  # two contexts with one destination and different answers
        (XOR, 3, 4),  # any three of the four are decided: each has a feature of its own or a majority
        (PARITY_3, 3, 4),  # a face of the cube is an exclusive or
        (PARITY_3, 4, 8),  # Minsky and Papert: all multipliers are needed
        (XOR + PARITY_3, 3, 4),
        (XOR + PARITY_3, 4, 8),  # the exclusive or is decided at order 4
    ],
)
def test_fewest_contexts(strings: list[str], order: int, fewest: int) -> None:
    verdict = decide(Task.from_strings(strings), SkipGrams(order), smallest=True)
    assert verdict.answer is INEXPRESSIBLE
    assert contexts_of(verdict) == fewest
    assert verdict.is_best
    assert verdict.bound is not None
    assert f"decides any {fewest - 1} of the {len(strings)} contexts" in verdict.bound.verify().text


def test_a_smaller_obstruction_is_found_among_many() -> None:
    # 16 contexts of four bits; the answers are an exclusive or of the first two: each face has an obstruction of four
    strings = [f"{a}{b}{c}{d}={a ^ b}" for a in (0, 1) for b in (0, 1) for c in (0, 1) for d in (0, 1)]
    verdict = decide(Task.from_strings(strings), SkipGrams(3), smallest=True)
    assert contexts_of(verdict) == 4
    assert verdict.is_best


@pytest.mark.parametrize(
    ("strings", "order", "fewest"),
    [
        (XOR, 4, 2),  # A C and B D with a constant; one feature and a constant split the four in two sets, wrongly
        ([*XOR, *(s.replace("Q", "R") for s in XOR)], 4, 4),  # nothing is shared between destinations
        (["AQT", "BQF"], 3, 1),
        (["AQT", "BQT"], 3, 0),  # the constant alone
    ],
)
def test_fewest_features(strings: list[str], order: int, fewest: int) -> None:
    verdict = decide(Task.from_strings(strings), SkipGrams(order), sparse=True)
    assert verdict.answer is EXPRESSIBLE
    assert isinstance(verdict.certificate, SeparatingWeights)
    listed = verdict.certificate.document["proof"]["weights"]
    assert sum(1 for entry in listed if entry["sources"]) == fewest
    assert "no fewer do" in verdict.reason
    if fewest:
        assert verdict.is_best
        assert verdict.bound is not None
        assert f"at least {fewest} feature" in verdict.bound.verify().text


def test_largest_margin_by_hand() -> None:
    # The task is its own mirror image under every exchange of tokens that it allows, so averaging leaves weights on the
    # four pairs alone: ±1 on two outputs, margin 2. The even combination has 8 coefficients of 1/4: no more than 2.
    verdict = decide(Task.from_strings(XOR), SkipGrams(4), margin=True)
    assert verdict.margin == 2
    assert verdict.is_best
    assert verdict.reason == "margin 2 with weights up to 1, the largest"
    # one source: constant and source, two outputs each; the constant cancels: 2 · 1 between A and B for each of them
    assert decide(Task.from_strings(["AQT", "BQF"]), SkipGrams(3), margin=True).margin == 2
    # a single context: (constant + source) · 2 outputs = 4; beside the four strings the worse of the two parts counts
    assert decide(Task.from_text("outputs: F T\nA S -> T\n"), SkipGrams(3), margin=True).margin == 4
    assert decide(Task.from_strings([*XOR, "AST"]), SkipGrams(4), margin=True).margin == 2


def test_ties_stay_ties_under_the_largest_margin() -> None:
    # Say that T and F differ by d in the constant. Then they differ by −d in A, where they are to be equal, so that
    # both exceed G there by 4 − d at most; and at B, T exceeds F by 2 + d at most. The worse is largest at d = 1.
    task = Task.from_text("outputs: F T G\nA Q -> T = F\nB Q -> T\n")
    verdict = decide(task, SkipGrams(3), margin=True)
    assert verdict.answer is EXPRESSIBLE
    assert verdict.is_best
    assert verdict.margin == 3


def test_searches_are_refused_where_they_do_not_apply() -> None:
    task = Task.from_strings(XOR)
    with pytest.raises(InputError, match="one of the two"):
        decide(task, SkipGrams(4), sparse=True, margin=True)
    with pytest.raises(InputError, match="level argmax"):
        decide(task, SkipGrams(4), sparse=True, level="logits")


def test_no_answer_is_dressed_up() -> None:
    constant = decide(Task.from_strings(["AQT", "BQT"]), SkipGrams(2), sparse=True)  # one context or two, one answer
    assert constant.is_best
    tie = decide(Task.from_text("A Q -> T = F\n"), SkipGrams(3), margin=True)
    assert "no margin" in tie.reason
    never = decide(Task.from_strings(["AABQT", "ABBQF"]), SkipGrams(None, "anywhere"), smallest=True)
    assert "stated order only" in never.reason
    for limit in (float("nan"), 0, -1, "3", True):
        with pytest.raises(InputError, match="positive number of seconds"):
            decide(Task.from_strings(XOR), SkipGrams(3), time_limit=limit)  # type: ignore[arg-type]


def test_many_parts_and_little_time_are_no_worse_than_without_the_option() -> None:
    strings = [(s[0], s[1], f"Q{k}", s[3]) for k in range(12) for s in XOR]
    task = Task([s[:3] for s in strings], [s[3] for s in strings])
    plain = decide(task, SkipGrams(4))
    found = decide(task, SkipGrams(4), sparse=True, time_limit=0.05)
    for verdict in (plain, found):
        assert isinstance(verdict.certificate, SeparatingWeights)
    assert found.certificate.n_features <= plain.certificate.n_features


def test_no_time_leaves_a_gap_that_is_said() -> None:
    verdict = decide(Task.from_strings(PARITY_3), SkipGrams(4), smallest=True, time_limit=1e-9)
    assert verdict.answer.value in ("inexpressible", "undecided")
    if verdict.certificate is not None:
        assert "no fewer" in verdict.reason or "needed" in verdict.reason or "not proved" in verdict.reason


def test_the_command_line_says_and_saves_it(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = tmp_path / "proofs"
    result = runner.invoke(main, ["check", "xor", "--smallest", "--sparse", "--json", "--save", str(folder)])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    bounds = [tuple(order["bound"][key] for key in ("kind", "found", "value", "reached")) for order in found["orders"]]
    assert bounds == [("fewest_contexts", 2, 2, True), ("fewest_contexts", 4, 4, True), ("fewest_features", 2, 2, True)]
    files = sorted(path.name for path in folder.glob("*fewest*"))
    assert files == ["order-2-fewest-contexts.json", "order-3-fewest-contexts.json", "order-4-fewest-features.json"]
    checked = runner.invoke(main, ["verify", *map(str, folder.glob("*.json"))])
    assert checked.exit_code == 0, checked.output
    margin = runner.invoke(main, ["check", "xor", "--margin", "--json"])
    last = json.loads(margin.output)["orders"][-1]
    assert Fraction(last["margin"]) == Fraction(last["bound"]["value"]) == 2


def test_the_command_line_refuses_both() -> None:
    result = CliRunner().invoke(main, ["check", "xor", "--sparse", "--margin"])
    assert result.exit_code == 2
    assert "one of the two" in result.output
