"""What ``build`` prints of a domain, from a file of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from expressivity import load_certificate
from expressivity.cli import main

OWN = """
'''A majority.'''
from expressivity import Construction, Domain
from expressivity.task import Tie

def votes(length: int) -> Construction:
    '''The majority of A and B, the latter in two spellings.'''
    domain = Domain(
        f"majority:{length}", kinds={"A": "A", "B": ("B", "b")}, length=length, destinations="=",
        ask=lambda _, n: Tie(["F", "T"]) if n["A"] == n["B"] else "FT"[n["A"] > n["B"]],
    )
    return Construction(f"votes:{length}", task=domain).head("all", writes={"A": "T", "B": "F", "b": "F"})
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.py"
    path.write_text(OWN, "utf-8")
    return str(path)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_a_domain_beyond_counting_is_proved_and_certified(own: str, tmp_path: Path) -> None:
    file = tmp_path / "votes.json"
    status, output = run("build", f"{own}:votes:64", "--device", "cpu", "--save", str(file))
    assert status == 0, output
    lines = [" ".join(line.split()) for line in output.splitlines()]
    # 3^64 = 3.43·10^30; 33 of 64 against 31, in 65 places: 2/65.
    assert lines[0] == "construction votes:64 · task majority:64 · 3.43·10^30 contexts in 65 classes with equal logits"
    assert "context contexts margin with rational odds as written, enclosed float32" in lines
    (first,) = (line for line in lines if line.startswith("B ×64"))
    assert first.startswith('B ×64 "=" 1.84·10^19 64/65 0.984615384615 0.98461')
    assert first.endswith(" ✓")
    assert "… and 53 more" in lines
    assert (
        "right on 3.43·10^30 of 3.43·10^30 contexts, proved by enclosure of 65 contexts, "
        "one of each class with equal logits" in lines
    )
    assert "proved of rounding, on all contexts: float64 safe by 10^" in output
    assert 'least margin with rational odds: 2/65, at A ×31 B ×33 "="' in lines
    assert (
        "certificate: one layer of attention with 1 head (embedding tokens, d_head 1) decides 3.43·10^30 contexts, "
        "for which the 65 contexts stand: exact ✓" in lines
    )
    assert str(3**64) in load_certificate(file).verify().text


def test_json_has_the_same(own: str) -> None:
    status, output = run("build", f"{own}:votes:6", "--device", "cpu", "--json")
    assert status == 0
    found = json.loads(output)
    assert (found["contexts"], found["classes"], found["right"], found["layers"]) == (729, 7, 729, 1)
    assert (found["margin"], found["margin_context"]) == ("2/7", [*"AABBBB", "="])
    assert found["float"]["contexts"] == 7
    assert [(run["dtype"], run["contexts"], run["right"]) for run in found["floats"]] == [
        ("float64", 7, 7),
        ("float32", 7, 7),
        ("bfloat16", 7, 7),
    ]
    assert [(run["dtype"], run["contexts"], run["right"]) for run in found["every_context"]] == [
        ("float64", 729, 729),
        ("float32", 729, 729),
    ]
    assert found["every_context"][0]["smallest_margin"] == pytest.approx(2 / 7)
    assert [entry["dtype"] for entry in found["safety"]] == ["float64", "float32", "bfloat16"]
    assert found["safety"][1]["proved"]
    assert found["proof"] is None


def test_every_context_can_be_asked_for(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from expressivity.heads import validate

    monkeypatch.setattr(validate, "MOST_ENUMERATED", 100)
    assert json.loads(run("build", f"{own}:votes:5", "--json")[1])["every_context"] == []
    assert len(json.loads(run("build", f"{own}:votes:5", "--json", "--every")[1])["every_context"]) == 2
