"""A process for each solver, so that a crash or an endless run costs it one question and nobody else anything."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from .catalogue import Peer
from .question import Answer, Question, Result, holds

START = 120.0  # seconds for imports


class Worker:
    """Asks one solver, question by question; started at the first one, and again after it died."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._process: Any = None
        self._line: Connection | None = None

    def ask(self, question: Question, limit: float) -> Result:
        """The judged answer; no answer within ``limit`` seconds is none."""
        try:
            line = self._started()
            line.send(question)
            if line.poll(limit + 0.5 + self._sending(question)):
                result: Result = line.recv()
                if result.seconds > limit:
                    return Result(None, None, False, limit, "time")
                return result
            note, seconds = "time", limit
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join(5)
            note, seconds = f"crashed, exit status {self._process.exitcode}", 0.0
        self.stop()
        return Result(None, None, False, seconds, note)

    def stop(self) -> None:
        """End the process, and whatever programs it runs."""
        if self._process is not None and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.join()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None

    def _started(self) -> Connection:
        if self._line is None:
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(self.peer, theirs), daemon=True)
            self._process.start()
            theirs.close()
            if not self._line.poll(START):
                raise EOFError
            self._line.recv()
        return self._line

    @staticmethod
    def _sending(question: Question) -> float:
        """Seconds allowed for unpacking a question before its time is taken."""
        return 2e-6 * sum(map(len, question.rows))


def _serve(peer: Peer, line: Connection) -> None:
    os.setsid()
    solve = peer.solve()
    warm_up = Question("", [{0: 1}, {0: 1, 1: 2}], [False, False], 2, True)
    with suppress(Exception):  # an error will be met again, and reported, at the first question
        solve(warm_up)
    line.send("ready")
    while True:
        question: Question = line.recv()
        question.prepare()
        start = time.perf_counter()
        try:
            answer = solve(question)
        except Exception as error:
            answer = Answer(None, note=f"{type(error).__name__}: {error}"[:200])
        line.send(_judged(answer, question, time.perf_counter() - start))


def _judged(answer: Answer, question: Question, seconds: float) -> Result:
    right = None if answer.separable is None else bool(answer.separable) == question.separable
    verdict = None if answer.separable is None else bool(answer.separable)
    return Result(verdict, right, holds(question, answer), seconds, answer.note)
