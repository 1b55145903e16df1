"""The page on the gallery: every construction is on it, and its tables are what the scripts print."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.studies import noun_head, ov_coherent, skip_trigram_bugs
from expressivity.heads.gallery import entries

PAGE = (Path(__file__).parents[2] / "docs" / "gallery.md").read_text("utf-8")


def shown(script: str) -> str:
    found = re.search(rf"<!-- python docs/studies/{script} -->\n\n(.*?)\n\n<!-- end -->", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_every_construction_is_on_the_page() -> None:
    forms = {form for code in re.findall(r"\[(`[^\]]*`)\]", PAGE) for form in re.findall(r"`([^`]+)`", code)}
    assert {entry.form for entry in entries()} <= forms


@pytest.mark.parametrize(("script", "main"), [("noun_head.py", noun_head.main), ("ov_coherent.py", ov_coherent.main)])
def test_its_tables_are_printed(script: str, main: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out.strip() == shown(script)


@pytest.mark.slow
def test_its_table_of_bugs_is_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Descent may end a little elsewhere on another machine; the certified line is the same to the last digit."""
    skip_trigram_bugs.main()
    printed, expected = capsys.readouterr().out.strip().splitlines(), shown("skip_trigram_bugs.py").splitlines()
    assert printed[:3] == expected[:3]
    for line, wanted in zip(printed[3:], expected[3:], strict=True):
        found, recorded = (
            [float(number) for number in re.findall(r"at most ([\d.]+)", text)] for text in (line, wanted)
        )
        assert found == pytest.approx(recorded, rel=0.1, abs=2e-4)
