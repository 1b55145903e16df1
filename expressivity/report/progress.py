"""The step at hand on standard error, where that is a terminal; gone when the work is done.

Rounds of constraint generation come with a bar of the comparisons that the weights of the last round met: it fills up
on the way to a yes. The time since the start goes on while a step takes its time.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import Any

TICK = 1.0  # seconds
ROUND = re.compile(r"(.*)round (\d+): (\d+) of (\d+) comparisons active(?:, (\d+) violated)?")
STEP_FORMAT = "{elapsed}  {desc} …"
ROUND_FORMAT = "{elapsed}  {desc} |{bar}|"


class Progress(AbstractContextManager[Callable[[str], None]]):
    """A context manager whose value shows a line of text, in place of the one before.

    >>> with Progress() as progress:  # where standard error is no terminal, nothing is shown
    ...     progress("round 2: 30 of 900 comparisons active, 12 violated")
    """

    def __enter__(self) -> Callable[[str], None]:
        self._bar: Any = None
        if not sys.stderr.isatty():
            return lambda _: None
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # the thread below takes the place of tqdm's
        # Of a terminal that tells no size tqdm believes that it has no lines.
        self._bar = tqdm(file=sys.stderr, leave=False, ncols=_columns(), nrows=24, bar_format=STEP_FORMAT)
        self._done = Event()
        self._clock = Thread(target=self._tick, daemon=True)
        self._clock.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._done.set()
            self._clock.join()
            self._bar.close()

    def _tick(self) -> None:
        while not self._done.wait(TICK):
            self._bar.refresh()

    def _show(self, step: str) -> None:
        found, self._bar.ncols = ROUND.fullmatch(step), _columns()
        if found is None:
            self._bar.bar_format, self._bar.total = STEP_FORMAT, None
            self._bar.set_description_str(step)
            return
        where, number, active, total, violated = found.groups()
        self._bar.bar_format, self._bar.total = ROUND_FORMAT, int(total)
        self._bar.n = 0 if violated is None else int(total) - int(violated)
        said = "" if violated is None else f", {int(violated):,} violated"
        self._bar.set_description_str(f"{where}round {number}: {int(active):,} of {int(total):,} active{said}")


class Counted(AbstractContextManager[Callable[..., None]]):
    """A bar of things done, with the time left, on standard error where that is a terminal; words may follow.

    >>> with Counted("functions") as progress:
    ...     progress(3, 10)
    ...     progress(4, 10, "all of them odd")
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._bar: Any = None

    def __enter__(self) -> Callable[..., None]:
        return self._show if sys.stderr.isatty() else lambda done, total, said="": None

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _show(self, done: int, total: int, said: str = "") -> None:
        if self._bar is None:
            from tqdm import tqdm

            # What was done before does not count for the pace.
            where: dict[str, Any] = {"file": sys.stderr, "leave": False, "ncols": _columns(), "nrows": 24}
            self._bar = tqdm(total=total, initial=done, unit=f" {self.unit}", **where)
        if said:
            self._bar.set_postfix_str(said, refresh=False)
        self._bar.update(done - self._bar.n)


def _columns() -> int:
    """The width of the terminal, which some do not tell."""
    try:
        told = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        told = 0
    return told or shutil.get_terminal_size().columns
