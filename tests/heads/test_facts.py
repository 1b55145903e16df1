"""The gallery's table of facts: read without running anything, proved by building everything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from expressivity.cli import main
from expressivity.errors import InputError
from expressivity.heads import folder as place
from expressivity.heads.facts import Fact, Row, chosen, prove_fact, prove_facts, read_facts, recorded, write_facts
from expressivity.heads.gallery import entries
from expressivity.report.gallery_text import finding_text, gallery_json, gallery_text

XOR = Fact("two_head_xor", "xor", 1, 2, 1, "argmax", "4", 4, "1 − 3.406e-4343", "head_tables")

OWN = """
'''One bigram.'''
from expressivity.dsl import Construction
from expressivity.task import Domain, Task

task = Task([("A", "Q")], ["T"], outputs=["F"])
plain = Construction("plain", task=task).direct({"Q": {"T": "3/2"}})

def louder(k: int) -> Construction:
    '''A margin of k.'''
    kinds = {"A": ("A", "B")}
    everything = Domain("everything", kinds=kinds, length=k, destinations="Q", ask=lambda *_: "T", outputs="F")
    return Construction(f"louder:{k}", task=everything).direct({"Q": {"T": k}})
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery of one's own."""
    package = tmp_path / "expressivity"
    (package / "heads").mkdir(parents=True)
    (tmp_path / "constructions").mkdir()
    (tmp_path / "constructions" / "own.py").write_text(OWN, "utf-8")
    monkeypatch.setattr(place, "__file__", str(package / "heads" / "folder.py"))
    return tmp_path / "constructions" / "facts.json"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_the_table_speaks_of_the_whole_gallery() -> None:
    rows = {row.form: row for row in read_facts()}
    for entry in entries():
        assert rows[entry.form].description == entry.description
        assert rows[entry.form].facts
    assert set(rows) == {entry.form for entry in entries()}


def test_a_line_is_what_building_finds() -> None:
    assert prove_fact("two_head_xor").fact == XOR
    assert not prove_fact(XOR).problem
    wrong = replace(XOR, heads=1, contexts="5")
    assert prove_fact(wrong).problem == "the table states heads 1, found 2; the table states contexts 5, found 4"
    assert "the gallery has no construction 'nothing'" in prove_fact("nothing").problem
    assert finding_text(prove_fact(XOR)) == "✓ two_head_xor: 4 contexts, margin 1 − 3.406e-4343"


def test_a_table_is_recorded_listed_and_proved(own: Path) -> None:
    assert run("gallery")[0] == 2  # no table yet
    status, output = run("gallery", "--record", "louder:70")
    assert status == 0, output
    assert read_facts() == (
        Row(
            "louder:K",
            "A margin of k.",
            (Fact("louder:70", "everything", 1, 0, 1, "argmax", str(2**70), 1, "70", KIND),),
        ),
        Row("plain", "One bigram.", (Fact("plain", "task", 1, 0, 1, "argmax", "1", 1, "3/2", "head_tables"),)),
    )
    assert "louder:70     everything       1      0       1  argmax  1.18·10^21 (1)      70" in run("gallery")[1]
    assert run("gallery", "--prove") == (
        0,
        "✓ louder:70: 1.18·10^21 (1) contexts, margin 70\n✓ plain: 1 contexts, margin 3/2\n2 of 2 hold\n",
    )
    # Recorded again, the same names.
    assert recorded(["louder:3"])[0].facts[0] == read_facts()[0].facts[0]
    assert [fact.name for fact in recorded(["louder:3"])[0].facts] == ["louder:70", "louder:3"]
    listed = [json.loads(line) for line in run("gallery", "--json")[1].splitlines()]
    assert [row["name"] for row in listed] == ["louder:K", "plain"]
    assert listed[0]["facts"][0]["contexts"] == str(2**70)


KIND = "head_tables_by_symmetry"


def test_a_table_that_is_wrong_is_found_out(own: Path) -> None:
    write_facts(recorded([]))
    rows = read_facts()
    write_facts(
        [
            replace(rows[1], description="Two bigrams.", facts=(replace(rows[1].facts[0], margin="2"),)),
            Row("gone", "", ()),
        ]
    )
    status, output = run("gallery", "--prove")
    assert status == 1
    assert output.splitlines() == [
        "✗ plain: the table describes it as 'Two bigrams.', not 'One bigram.'",
        "✗ plain: the table states margin 2, found 3/2",
        "✗ gone: the table has it, the gallery has not",
        "✗ louder:K: the table says nothing of it; expressivity gallery --record louder:K adds it",
        "0 of 4 hold",
    ]
    status, output = run("gallery", "plain", "--prove", "--json")
    assert status == 1
    assert [json.loads(line)["holds"] for line in output.splitlines()] == [False, False]
    # What does not do its task is not recorded.
    broken = own.parent / "own.py"
    broken.write_text(OWN.replace('{"T": "3/2"}', '{"F": 1}'), "utf-8")
    assert next(iter(prove_facts(rows[1:], whole=False))).problem == "right on 0 of 1 contexts"
    with pytest.raises(InputError, match="plain: right on 0 of 1 contexts"):
        recorded([])


def test_what_is_no_table(own: Path) -> None:
    with pytest.raises(InputError, match=r"facts\.json: No such file or directory; expected the gallery's table"):
        read_facts()
    for text in ("", "{}", '[{"form": "a"}]', '[{"form": "a", "description": "", "facts": [{}]}]', "[1]"):
        own.write_text(text, "utf-8")
        if text == "{}":
            assert read_facts() == ()
            continue
        with pytest.raises(InputError, match=r"facts\.json: it is no table of facts: "):
            read_facts()


def test_a_choice() -> None:
    rows = (Row("parity:K", "", (XOR, replace(XOR, name="parity:4"))), Row("two", "", ()))
    assert chosen(rows, []) == rows
    assert chosen(rows, ["two", "parity"]) == rows
    assert chosen(rows, ["parity:4"]) == (replace(rows[0], facts=rows[0].facts[1:]),)
    with pytest.raises(InputError, match="the gallery's table has no 'parity:5'; did you mean parity:4 or parity"):
        chosen(rows, ["parity:5"])


def test_columns() -> None:
    long = replace(XOR, name="n" * 40, margin="1" * 40 + "/" + "3" * 40)
    text = gallery_text([Row("two_head_xor", "XOR.", (XOR, long))])
    assert text.splitlines()[3:] == [
        "    XOR.",
        "    two_head_xor                     xor        1      2       1  argmax  4                   1 − 3.406e-4343",
        f"    {'n' * 30}…  xor        1      2       1  argmax  4                   ≈ 0.3333333333",
    ]
    assert json.loads(gallery_json([Row("a", "b", ())])) == {"name": "a", "description": "b", "facts": []}


@pytest.mark.slow
def test_every_line_of_the_gallery_holds() -> None:
    assert [finding for finding in prove_facts(read_facts()) if finding.problem] == []
