"""What a terminal shows while a command runs."""

from __future__ import annotations

import io
import re
import time
from types import SimpleNamespace

import pytest

from expressivity.report import progress as module
from expressivity.report.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """The texts that stood in the line, one after the other."""
        return [text.strip() for text in re.split(r"[\r\n]", self.getvalue()) if text.strip()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    found = Terminal()
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=found))  # pytest puts its own into the real one
    monkeypatch.setenv("COLUMNS", "100")
    return found


def test_a_round_is_shown_with_a_bar_and_its_numbers(terminal: Terminal) -> None:
    with Progress() as progress:
        progress("skip-trigrams (absolute)")
        progress("round 1: 5741 of 1000000 comparisons active")
        progress("skip-trigrams, part 3 of 7: round 2: 6741 of 1000000 comparisons active, 250000 violated")
        progress("round 2: exact engine on 6741 comparisons")
    steps = terminal.shown()
    assert any(re.fullmatch(r"\d\d:\d\d  skip-trigrams \(absolute\) …", text) for text in steps)
    assert any(re.match(r"\d\d:\d\d  round 1: 5,741 of 1,000,000 active \|", text) for text in steps)
    third = next(text for text in steps if "round 2: 6,741" in text)
    assert "  skip-trigrams, part 3 of 7: round 2: 6,741 of 1,000,000 active, 250,000 violated |" in third
    bar = third.split("|")[1]
    assert len(third) == 100
    assert len(bar.rstrip()) == pytest.approx(0.75 * len(bar), abs=1)  # three quarters are met
    assert steps[-1].endswith("round 2: exact engine on 6741 comparisons …")
    assert terminal.getvalue().endswith("\r")  # the line is cleared


def test_time_goes_on_while_a_step_takes_its_time(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK", 0.01)
    with Progress() as progress:
        progress("heads")
        before = terminal.getvalue().count("heads")
        while terminal.getvalue().count("heads") < before + 3:  # drawn anew, with nothing said
            time.sleep(0.01)


def test_a_line_stays_within_the_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with Progress() as progress:
        progress("x" * 200)
        progress("round 12: 6741 of 1000000 comparisons active, 250000 violated")
    assert max(map(len, terminal.shown())) <= 40


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress("round 1: 5741 of 1000000 comparisons active")
    assert capsys.readouterr() == ("", "")


def test_what_is_raised_passes_through(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), Progress():
        raise KeyboardInterrupt
    assert terminal.getvalue().endswith("\r")
