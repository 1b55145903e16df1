"""The limits of a decision: its time, and the processors it may keep busy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from time import monotonic
from typing import Any

from threadpoolctl import ThreadpoolController

from expressivity.errors import InputError

Progress = Callable[[str], None]


def check_time_limit(seconds: float | None) -> None:
    """Refuse what is no time limit.

    Raises:
        InputError: neither ``None`` nor a positive, finite number of seconds.
    """
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (number and 0 < seconds < float("inf")):
        raise InputError(f"the time limit is {seconds!r}; expected a positive number of seconds")


class OutOfTime(Exception):
    """The caller's time limit is reached. Caught inside this package and turned into ``Undecided``."""


class Clock:
    """Counts down ``time_limit`` seconds (None: no limit) and passes messages on to ``progress``."""

    def __init__(self, time_limit: float | None = None, progress: Progress | None = None) -> None:
        self._start = monotonic()
        self.time_limit = time_limit
        self._progress = progress
        self.last = "the start"

    @property
    def left(self) -> float:
        """Seconds left; infinity without a limit."""
        return float("inf") if self.time_limit is None else self.time_limit - (monotonic() - self._start)

    def tick(self, message: str | None = None) -> None:
        """Report ``message``, if any, and remember it as ``last``.

        Raises:
            OutOfTime: no time is left.
        """
        if message is not None:
            self.last = message
            if self._progress is not None:
                self._progress(message)
        if self.left <= 0:
            raise OutOfTime(self.last)


def single_threaded(n_columns: int) -> AbstractContextManager[Any]:
    """One BLAS thread while matrices are small: threads that wait for each other then cost more than they give."""
    return _controller().limit(limits=1, user_api="blas") if n_columns < 2_500 else nullcontext()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
