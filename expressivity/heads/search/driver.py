"""The search itself: rounds of starts of three kinds, cheap ones first, until tables are found or limits are met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from time import monotonic

import numpy as np

from expressivity.attention import Attention, Embedding, HeadTables
from expressivity.errors import InputError, Refuted
from expressivity.heads.sandwich import certify_tables
from expressivity.heads.search.alternating import alternate, is_small
from expressivity.heads.search.checkpoint import Checkpoint, question_of
from expressivity.heads.search.exact import cleared
from expressivity.heads.search.layout import Layout, layout_of
from expressivity.heads.search.report import Round, SearchReport
from expressivity.heads.search.snapping import BITS, Guess, snap
from expressivity.heads.search.width import is_always_narrow, narrow_round, within_width
from expressivity.separability import check_time_limit
from expressivity.task import Task
from expressivity.verdict import Verdict

RESTARTS = 256
CHEAP = 48
"""Starts of the stages that need no torch: what ``check`` spends on a sandwich that is open."""
LARGEST_ODDS = 16
POWERS = 6  # random odds of narrow heads are 1, 2, … 2^5
NARROW_STARTS = 16
LARGE = 20_000  # comparisons from which on exact steps are made for few roundings only
Say = Callable[[str], None]


def schedule() -> Iterator[tuple[str, int]]:
    """Stages and their starts: random odds, then programs and descent in turn, ever more of them.

    >>> from itertools import islice
    >>> list(islice(schedule(), 5))
    [('random', 16), ('programs', 32), ('gradient', 32), ('programs', 64), ('gradient', 64)]
    """
    yield "random", 16
    for doubled in count():
        yield "programs", 32 << doubled
        yield "gradient", 32 << doubled


def search_heads(
    task: Task,
    heads: int,
    *,
    embedding: Embedding = "joint",
    d_head: int | None = None,
    seed: int = 0,
    restarts: int = RESTARTS,
    time_limit: float | None = None,
    device: str | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    progress: Say | None = None,
) -> SearchReport:
    """Search for exact tables of so many heads that decide a task.

    Only attention is searched: with the odds fixed the values are found, or refuted for these odds, by the exact engine
    (theorem T7). Random whole odds come first, then linear programs in turn (:mod:`.alternating`) and gradient descent
    (:mod:`.gradient`), whose odds are rounded to few digits (:mod:`.snapping`). What is found is proved by the trusted
    base. Deterministic for a seed and a device, unless the time limit ends it. To find nothing proves nothing.

    Args:
        task: labels, allowed outputs, ties.
        heads: how many heads.
        embedding: how attention reads a token at a position.
        d_head: a bound on the width of the heads; by default any width.
        seed: of everything random.
        restarts: how many starts are made at most.
        time_limit: seconds for all of it.
        device: where descent runs, as torch names it; by default the accelerator if there is one.
        checkpoint: a file that every round is written to, and from which a search goes on.
        progress: told what is at hand.

    Raises:
        InputError: numbers out of range, a task with distributions, an unknown device, a file that is no checkpoint.

    >>> from expressivity.task import xor
    >>> report = search_heads(xor(), 2)
    >>> report.found, report.verdict.certificate.verify().contexts
    (True, 4)
    >>> search_heads(xor(), 1, restarts=20).reason
    'nothing found at 1 head: random 16 starts, programs 4 starts (best margin ...); which proves nothing'
    """
    return search_tasks(
        [task],
        heads,
        embedding=embedding,
        d_head=d_head,
        seed=seed,
        restarts=restarts,
        time_limit=time_limit,
        device=device,
        checkpoint=checkpoint,
        progress=progress,
    )[0]


def search_tasks(
    tasks: Sequence[Task],
    heads: int,
    *,
    embedding: Embedding = "joint",
    d_head: int | None = None,
    seed: int = 0,
    restarts: int = RESTARTS,
    time_limit: float | None = None,
    device: str | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    progress: Say | None = None,
) -> list[SearchReport]:
    """The same for several tasks on the same contexts with the same outputs: odds are tried on all of them at once.

    Returns:
        A report for each task; the rounds are those of all of them together, until that task was done.

    Raises:
        InputError: as :func:`search_heads`; or tasks with different contexts or outputs.
    """
    model = Attention(heads=heads, d_head=d_head, embedding=embedding)
    if heads is None:
        raise InputError("heads is None; expected how many heads to search for")
    check_search(restarts, seed, device)
    check_time_limit(time_limit)
    if not tasks:
        return []
    layouts = [layout_of(task, embedding) for task in tasks]
    if len({layout.shape for layout in layouts}) != 1:
        raise InputError("the tasks have different contexts or outputs; expected one set of contexts for all of them")
    file = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)
    search = _Search(tasks, layouts, model, seed, time_limit, device, file, progress or (lambda _: None))
    search.run(restarts)
    return search.reports()


def check_search(restarts: int, seed: int, device: str | None) -> None:
    """Refuse what no search can be run with, before anything is done.

    Raises:
        InputError: no positive number of restarts, a seed out of range, an unknown device.
    """
    if isinstance(restarts, bool) or not isinstance(restarts, int) or restarts < 1:
        raise InputError(f"restarts is {restarts!r}; expected a whole number of at least 1")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed!r}; expected a whole number from 0 to 2^63 − 1")
    if device is not None:
        from expressivity.attention.evaluation.three_ways import device_of

        device_of(device)


class _Search:
    """The state of a search for several tasks of one shape."""

    def __init__(
        self,
        tasks: Sequence[Task],
        layouts: Sequence[Layout],
        model: Attention,
        seed: int,
        time_limit: float | None,
        device: str | None,
        checkpoint: Checkpoint,
        progress: Say,
    ) -> None:
        self.tasks, self.layouts, self.model, self.seed = tasks, layouts, model, seed
        self.heads = model.heads or 0
        self.until = None if time_limit is None else monotonic() + time_limit
        self.device, self.checkpoint, self.progress = device, checkpoint, progress
        self.question = question_of(tasks, model, seed) if checkpoint.path is not None else ""
        self.rounds: list[Round] = []
        self.found: dict[int, Verdict] = {}
        self.done_after: dict[int, int] = {}
        self.stopped = False
        self._resume()

    # ------------------------------------------------------------------ limits

    @property
    def left(self) -> float | None:
        """Seconds left, or ``None`` without a limit."""
        return None if self.until is None else max(0.01, self.until - monotonic())

    def out_of_time(self) -> bool:
        """Whether the time limit is reached."""
        return self.until is not None and monotonic() >= self.until

    @property
    def open(self) -> list[int]:
        """The tasks without tables yet."""
        return [k for k in range(len(self.tasks)) if k not in self.found]

    # ------------------------------------------------------------------ rounds

    def run(self, restarts: int) -> None:
        """Rounds until all tasks are done, or the limits are met."""
        for number, (stage, most) in enumerate(self._stages()):
            starts = min(most, restarts - sum(each.starts for each in self.rounds))
            if number < len(self.rounds):
                continue
            if not self.open or starts <= 0:
                break
            if self.out_of_time():
                self.stopped = True
                break
            many = f"{len(self.open)} of {len(self.tasks)} tasks open, " if len(self.tasks) > 1 else ""
            self.progress(f"{self.model}: {many}{stage}, {starts} starts")
            begun, before = monotonic(), set(self.found)
            made, best = getattr(self, f"_{stage}")(number, starts)
            self.rounds.append(Round(stage, made, best, monotonic() - begun))
            self.done_after |= dict.fromkeys(set(self.found) - before, len(self.rounds))
            self.stopped = bool(self.open) and self.out_of_time()
            self._record(len(self.rounds) - self.stopped)  # a round that was cut short is made again
            if self.stopped:
                break

    def _stages(self) -> Iterator[tuple[str, int]]:
        if self.heads == 0:
            yield "random", 1  # nothing is drawn: the direct path alone is decided
            return
        d_head = self.model.d_head
        if d_head is not None and not is_always_narrow(self.layouts[0], d_head):
            while True:
                yield "narrow", NARROW_STARTS
        small = is_small(self.layouts[0])
        for stage, starts in schedule():
            if stage != "programs" or small:
                yield stage, starts

    def _random(self, number: int, starts: int) -> tuple[int, float | None]:
        """Small whole odds drawn at random, one exact step each."""
        draw = np.random.default_rng([self.seed, number])
        n_factors = len(self.layouts[0].factors)
        for start in range(starts):
            odds = draw.integers(1, LARGEST_ODDS, (self.heads, n_factors), endpoint=True).tolist()
            if self.model.d_head is not None:  # whole scores to one base, which have a rank
                odds = [[2 ** (a % POWERS) for a in head] for head in odds]
            made = cleared(self.layouts[0], odds)
            for k in self.open:
                tables = made.solve(self.layouts[k], time_limit=self.left)
                if tables is not None:
                    self._accept(k, tables, "random odds")
                if self.out_of_time():
                    return start + 1, None
            if not self.open:
                return start + 1, None
        return starts, None

    def _programs(self, number: int, starts: int) -> tuple[int, float | None]:
        best: float | None = None
        most = 0
        for k in self.open:
            for start in range(starts):
                guess = alternate(
                    self.layouts[k],
                    self.heads,
                    _seed(self.seed, number, start),
                    accept=lambda guess, k=k: self._snap(k, guess, "linear programs"),  # type: ignore[misc]
                    stop=self.out_of_time,
                    time_limit=self.left or 60.0,
                )
                best = guess.margin if best is None else max(best, guess.margin)
                most = max(most, start + 1)
                if k in self.found or self.out_of_time():
                    break
        return most, best

    def _gradient(self, number: int, starts: int) -> tuple[int, float | None]:
        from expressivity.attention.evaluation.three_ways import device_of
        from expressivity.heads.search.gradient import descend

        tasks = self.open
        tried: list[float] = []

        def accept(which: int, guess: Guess) -> bool:
            tried.append(guess.margin)
            return self._snap(tasks[which], guess, "gradient descent")

        guesses = descend(
            [self.layouts[k] for k in tasks],
            self.heads,
            starts,
            _seed(self.seed, number, 0),
            device=device_of(self.device),
            accept=accept,
            stop=self.out_of_time,
        )
        return starts, max([*tried, *(found[0].margin for found in guesses if found)], default=None)

    def _narrow(self, number: int, starts: int) -> tuple[int, float | None]:
        """Starts with narrow factors, always so many; ``best`` is the share of comparisons that are right, less 1."""
        best = None
        for k in self.open:
            verdict, starts, right = narrow_round(
                self.layouts[k],
                self.heads,
                self.model.d_head or 1,
                number,
                _seed(self.seed, number, 0),
                reason=f"found by search: narrow factors, seed {self.seed}",
                left=lambda: 60.0 if self.until is None else self.until - monotonic(),
            )
            best = right - 1 if best is None else max(best, right - 1)
            if verdict is not None:
                self.found[k] = verdict
            if self.out_of_time():
                break
        return starts, best

    # ------------------------------------------------------------------ what is found

    def _snap(self, k: int, guess: Guess, how: str) -> bool:
        layout = self.layouts[k]
        bits = BITS if len(layout.context) < LARGE else BITS[2::2]
        tables = snap(layout, guess.log_odds, bits=bits, time_limit=self.left, stop=self.out_of_time)
        return tables is not None and self._accept(k, tables, how)

    def _accept(self, k: int, tables: HeadTables, how: str) -> bool:
        reason = f"found by search: {how}, seed {self.seed}"
        try:
            if self.model.d_head is None:
                verdict: Verdict | None = certify_tables(self.tasks[k], tables, reason)
            else:
                verdict = within_width(self.tasks[k], tables, self.model.d_head, reason)
        except Refuted:  # the exact step and the trusted base disagree: nothing is claimed
            return False
        if verdict is not None:
            self.found[k] = verdict
        return verdict is not None

    def reports(self) -> list[SearchReport]:
        """What came of each task."""
        made = []
        for k in range(len(self.tasks)):
            rounds = self.rounds[: self.done_after.get(k, len(self.rounds))]
            verdict = self.found.get(k)
            made.append(SearchReport(self.model, self.seed, verdict, tuple(rounds), self.stopped and verdict is None))
        return made

    # ------------------------------------------------------------------ checkpoints

    def _record(self, whole: int) -> None:
        documents = {k: v.certificate.document for k, v in self.found.items() if v.certificate is not None}
        found = {k: {"proof": d["proof"], "reason": self.found[k].reason, "after": self.done_after[k]}
                 for k, d in documents.items()}  # fmt: skip
        self.checkpoint.record(self.question, self.rounds[:whole], found)

    def _resume(self) -> None:
        self.rounds, known = self.checkpoint.rounds(self.question)
        for k, entry in known.items():
            where = f"{self.checkpoint.path}: the tables found of task {k}"
            try:
                tables = HeadTables.from_proof(entry["proof"], self.model.embedding)
                after, reason = int(entry["after"]), str(entry["reason"])
                verdict = certify_tables(self.tasks[k], tables, reason, d_head=self.model.d_head)
            except (Refuted, InputError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                raise InputError(f"{where} do not decide it: {error}") from None
            if len(tables.heads) != self.heads:
                raise InputError(f"{where} have {len(tables.heads)} heads; expected {self.heads}")
            self.found[k], self.done_after[k] = verdict, after


def _seed(seed: int, number: int, start: int) -> int:
    """A seed for one start of one round."""
    return int(np.random.SeedSequence([seed, number, start]).generate_state(1)[0])
