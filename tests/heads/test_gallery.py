from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from expressivity.errors import InputError
from expressivity.heads import folder as place
from expressivity.heads.folder import folder
from expressivity.heads.gallery import entries, load_construction, proposals_for
from expressivity.task import Task, bits, parity, xor

OWN = """
'''My own.'''
from expressivity.dsl import Construction
from expressivity.task import Task

task = Task([("A", "Q")], ["T"], outputs=["F"])
plain = Construction("plain", task=task).direct({"Q": "T"})

def louder(k: int) -> Construction:
    '''A margin of k.'''
    return Construction(f"louder:{k}", task=task).direct({"Q": {"T": k}})

def spelled(word: str) -> "Construction":
    return plain

def helper(k: int):
    return k

def two(a: int, b: int) -> Construction:
    return plain
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my.py"
    path.write_text(OWN, encoding="utf-8")
    return path


def message(spec: str) -> str:
    with pytest.raises(InputError) as error:
        load_construction(spec)
    return str(error.value)


def test_the_gallery_has_a_line_for_each() -> None:
    found = {entry.form: entry.description for entry in entries()}
    assert {"two_head_xor", "parity:K", "symmetric:VALUES"} <= set(found)
    assert all(found.values())


def test_by_name() -> None:
    assert load_construction("two_head_xor").task == xor()
    assert load_construction("parity:3").task == parity(3)
    assert load_construction("symmetric:0110").name == "symmetric:0110"


def test_names_that_are_not_there() -> None:
    assert message("two_head_xr") == "the gallery has no construction 'two_head_xr'; did you mean two_head_xor?"
    assert message("zzz").startswith("the gallery has no construction 'zzz'; it has ")
    assert message("two_head_xor:3") == "two_head_xor:3: two_head_xor is one construction; leave out ':3'"
    assert message("parity") == "parity is a family; ask for a member, parity:K"
    assert message("parity:x") == "parity:x: found 'x'; expected a whole number, parity:K"
    assert message("parity:0") == "parity:0: found K = 0; expected 1 to 20"
    assert message("symmetric:2") == (
        "symmetric:2: found '2'; expected the values for 0, 1, 2, … ones, for example 0110"
    )


def test_a_file_of_ones_own(own: Path) -> None:
    assert load_construction(f"{own}:plain").name == "plain"
    assert load_construction(f"{own}:louder:7").name == "louder:7"
    assert load_construction(f"{own}:spelled:word").name == "plain"


def test_names_in_a_file(own: Path) -> None:
    assert message(str(own)) == f"{own}: it offers plain, louder:K, spelled:WORD; add ':' and one of these names"
    assert message(f"{own}:plian") == f"{own} has no construction 'plian'; did you mean plain?"
    assert message(f"{own}:helper:3").startswith(f"{own} has no construction 'helper'; ")


def test_a_file_with_one_construction_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(OWN.partition("def ")[0], encoding="utf-8")
    assert load_construction(str(path)).name == "plain"


def test_a_changed_file_is_read_again(own: Path) -> None:
    load_construction(f"{own}:plain")
    own.write_text(OWN.replace('"plain"', '"changed"'), encoding="utf-8")
    os.utime(own, (1, 1))
    assert load_construction(f"{own}:plain").name == "changed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\ny = x +\n", "line 2: SyntaxError: invalid syntax"),
        ("x = 1\n\nunknown\n", "line 3: NameError: name 'unknown' is not defined"),
        ("import nothing_of_this_name\n", "line 1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("import sys\nsys.exit('enough')\n", "line 2: SystemExit: enough"),
        ("x = 1\n", "it offers no Construction and no function annotated '-> Construction'"),
        ("def f():\n    return f()\nf()\n", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_files_that_do_not_run(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text, encoding="utf-8")
    found = message(str(path))
    assert found.startswith(f"{path}: ")
    assert reason in found
    assert "\n" not in found
    assert "expressivity_construction_bad" not in sys.modules


def test_no_file(tmp_path: Path) -> None:
    path = tmp_path / "none.py"
    assert message(str(path)) == f"{path}: No such file or directory; expected a construction file"
    assert message(str(path) + ":x:1") == f"{path}: No such file or directory; expected a construction file"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "bytes.py"
    path.write_bytes(b"x = '\xff'\n")
    assert message(str(path)).startswith(f"{path}: ")


def test_functions_that_fail(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    head = "from expressivity.dsl import Construction\ndef f(k: int) -> Construction:\n    return "
    path.write_text(head + "1 / k\n", encoding="utf-8")
    assert message(f"{path}:f:0") == f"f:0: {path}: line 3: ZeroDivisionError: division by zero"
    assert message(f"{path}:f:2") == f"{path}: f(2) is 0.5; expected a Construction"


def test_proposals_for_the_same_task_under_another_name() -> None:
    renamed = Task.from_strings(["BDQT", "ACQT", "ADQF", "BCQF"], name="mine")
    assert [found.name for found in proposals_for(renamed)] == ["two_head_xor"]


def test_proposals_for_a_part_of_a_task() -> None:
    assert [found.name for found in proposals_for(xor().restrict([0, 1]))] == ["two_head_xor"]


def test_proposals_by_recognition() -> None:
    # AND of two bits changes once (at 2 ones), NOT ALL EQUAL of three twice.
    assert [found.name for found in proposals_for(parity(4))] == ["parity:4"]
    assert [(f.name, len(f.heads)) for f in proposals_for(bits("0001"))] == [("symmetric:001", 1)]
    assert [(f.name, len(f.heads)) for f in proposals_for(bits("01111110"))] == [("symmetric:0110", 2)]
    assert proposals_for(bits("0010")) == []  # not symmetric
    assert proposals_for(Task.from_strings(["AQT", "BQF"])) == []


def test_the_gallery_inside_an_installed_package_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "expressivity"
    (package / "heads").mkdir(parents=True)
    monkeypatch.setattr(place, "__file__", str(package / "heads" / "folder.py"))
    with pytest.raises(InputError, match="the gallery is missing"):
        folder()
    (tmp_path / "constructions").mkdir()
    assert folder() == tmp_path / "constructions"
    (package / "_gallery").mkdir()
    assert folder() == package / "_gallery"
    assert entries() == []
