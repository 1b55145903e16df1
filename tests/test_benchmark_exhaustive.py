"""The benchmark of exhaustive validation does what it says it times."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def exhaustive() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "exhaustive.py"))


def test_every_sequence_is_asked_for_what_exact_arithmetic_puts_on_top(exhaustive: dict[str, Any]) -> None:
    domain = exhaustive["every_sequence"](2)
    assert domain.n_contexts == 12**2
    # Signals 0, 1, 4, 6 with readout 2s·x − s², times a positive number: the label is the sum that is nearest to x.
    assert str(domain.requirements_of(("2", "3", "0"))[0]) == "23"
    assert str(domain.requirements_of(("4", "4", "0"))[0]) == "44"
    assert str(domain.requirements_of(("7", "0", "0"))[0]) == "11"


def test_it_prints_a_table(exhaustive: dict[str, Any]) -> None:
    text, ratio = exhaustive["report"](2, 0, 8, "cpu")
    assert ratio > 0
    assert "All 144 sequences of 2 sources" in text
    rows = re.findall(r"^\| ([a-z].*?) \| ([\d,.]+) \|", text, re.MULTILINE)
    assert [name.partition(",")[0] for name, _ in rows] == ["forward pass", "enumeration", "enumeration", "orbits"]
    assert "C(8, 2)·4²·7^6 contexts, a number of 8 digits, in 10 classes" in text  # 28·16·117649 = 52,706,752


def test_what_is_recorded_met_its_aim() -> None:
    text = (ROOT / "benchmarks" / "results" / "exhaustive.md").read_text("utf-8")
    ratio = re.search(r"\| enumeration, float32 \|.*\| ([\d,]+)× \|", text)
    assert ratio is not None
    assert int(ratio[1].replace(",", "")) >= 200
