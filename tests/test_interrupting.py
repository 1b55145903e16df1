"""Ctrl-C at a terminal: one line, status 130, and no file that was not there."""

from __future__ import annotations

import os
import pty
import random
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest


def large_task() -> str:
    """Signs of sums of random weights, for so many contexts that they are decided in rounds."""
    rng = random.Random(0)
    worth = [{token: rng.randint(-9, 9) for token in "abcdefg"} for _ in range(5)]
    contexts = list(product("abcdefg", repeat=5))
    sums = [sum(values[token] for values, token in zip(worth, context, strict=True)) for context in contexts]
    return "".join(f"{' '.join(c)} Q -> {'X' if s > 0 else 'Y'}\n" for c, s in zip(contexts, sums, strict=True) if s)


def _hear_interrupts() -> None:
    """A shell's background jobs ignore interrupts, and so would all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(folder: Path, *arguments: str, at: bytes) -> tuple[int, bytes, bytes]:
    """Run a command with a terminal as its standard error, and press Ctrl-C when that shows a text.

    Returns:
        The exit status, what the terminal showed, and standard output.
    """
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "expressivity", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=end,
        preexec_fn=_hear_interrupts,
    )
    os.close(end)
    shown, pressed = b"", False
    with suppress(OSError):  # until the other end is closed
        while more := os.read(terminal, 1024):
            shown += more
            if at in shown and not pressed:
                process.send_signal(signal.SIGINT)
                pressed = True
    os.close(terminal)
    output, _ = process.communicate()
    return process.returncode, shown, output


@pytest.mark.parametrize("at", [b"skip-trigrams (absolute)", b"round 1", b"heads", b"cross-entropy"])
def test_ctrl_c_says_so_in_one_line_and_leaves_no_file(at: bytes, tmp_path: Path) -> None:
    (tmp_path / "large.task").write_text(large_task())
    status, shown, output = interrupted(tmp_path, "check", "large.task", "--save", "new/proofs", at=at)
    assert status == 130
    assert shown.replace(b"\r\n", b"\n").endswith(b"\rinterrupted; no file is left half-written\n")
    assert b"Traceback" not in shown
    assert output == b""
    assert [path.name for path in tmp_path.iterdir()] == ["large.task"]
