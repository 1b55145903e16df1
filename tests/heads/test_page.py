"""The page on heads: its example is what is printed, its table is found again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from docs.studies import superposition_heads
from expressivity.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "heads.md").read_text("utf-8")


def table() -> str:
    found = re.search(r"<!-- python docs/studies/superposition_heads.py -->\n\n(.*?)\n\n<!-- end -->", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_printed() -> None:
    shown = re.search(r"```text\n\$ expressivity (.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert CliRunner().invoke(main, shown[1].split()).output.strip() == shown[2].strip()


def test_every_option_is_on_the_page() -> None:
    names = {name for option in main.commands["heads"].params for name in option.opts if name.startswith("--")}
    assert all(f"`{name}" in PAGE for name in names), names


@pytest.mark.slow
def test_its_table_is_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    superposition_heads.main()
    assert capsys.readouterr().out.strip() == table()


def test_two_rows_of_the_table_are_found_again() -> None:
    for name, embedding, d_head in (("ov-incoherent:3", "tokens", 2), ("ov-coherent:3", "joint", 1)):
        found = superposition_heads.bounds(name, embedding, d_head)
        (row,) = (line for line in table().splitlines() if f"`{name}` | `{embedding}`" in line)
        assert row.split(" | ")[3 if d_head == 1 else 4].strip(" |") == superposition_heads.cell(found)
