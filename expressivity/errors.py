"""The three ways in which the program says no.

Floor 0: standard library only. Each message says what failed, the value seen, where it was seen, and what was
expected, so that the command line can print it as it stands.
"""

from __future__ import annotations


class ExpressivityError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(ExpressivityError, ValueError):
    """A user's input is not what was asked for: one line of explanation, exit status 2."""


class Refuted(ExpressivityError):
    """A certificate does not prove its claim: exit status 1.

    Attributes:
        step: the step of the argument that fails, for example ``"cancellation"``; ``docs/certificate-format.md`` lists
            them.
        reason: what was found there, cut short where a hostile file would make it long.
    """

    def __init__(self, step: str, reason: str) -> None:
        self.step = step
        self.reason = reason if len(reason) < 300 else reason[:299] + "…"
        super().__init__(self.step, self.reason)

    def __str__(self) -> str:
        return f"{self.step}: {self.reason}"
