"""The number of heads that a task needs, from both sides, with a search where constructions end.

Below: theorem T1, and what :func:`~expressivity.heads.sandwich.sandwich` knows beyond it. Above:
the gallery, theorems T2 and T3, then tables found by search with ``lower``, ``lower + 1``, … heads. Each side is
verified by the trusted base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from expressivity.attention import Attention, Embedding
from expressivity.dsl import Construction
from expressivity.ensembles import decide_ensemble, refute_every_order
from expressivity.heads.precision import Precision, precision_bound
from expressivity.heads.sandwich import (
    Sandwich,
    candidates,
    grams_for,
    sandwich,
)
from expressivity.heads.search import CHEAP, RESTARTS, SearchReport, check_search, search_heads
from expressivity.heads.search.checkpoint import Checkpoint
from expressivity.heads.search.width import within_width
from expressivity.separability import check_time_limit
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task
from expressivity.verdict import INEXPRESSIBLE, UNDECIDED, Verdict

MOST_MORE = 4
"""Heads beyond the lower bound with which tables are searched for, unless a largest number is given."""
QUICK_SECONDS = 2.0
QUICK_COMPARISONS = 5_000
"""``check`` and ``decide`` search for so long at most, and only where there are so few comparisons."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class HeadBounds:
    """``lower ≤ heads ≤ upper``, each side with its reason and its verified verdict.

    Attributes:
        task: what is asked.
        sandwich: the two sides.
        d_head: the bound on the width of the heads, or ``None``: any width.
        searches: what was tried at each number of heads, in order.
        precision: how many bits a model must carry across a cut of the sources (theorem T9); ``None`` where no cut
            says anything.
    """

    task: Task
    sandwich: Sandwich
    d_head: int | None
    searches: tuple[SearchReport, ...]
    precision: Precision | None

    @property
    def lower(self) -> int | None:
        """Fewer cannot, which is proved; ``None`` if no number of heads can."""
        return self.sandwich.lower

    @property
    def upper(self) -> int | None:
        """So many can, which is proved; ``None`` if no tables were found."""
        return self.sandwich.upper

    @property
    def is_closed(self) -> bool:
        """Whether the number is known, or it is known that there is none."""
        return self.sandwich.impossible is not None or self.lower == self.upper

    def verdicts(self) -> Iterator[tuple[str, Verdict]]:
        """Both sides, under the names of their files."""
        for name, side in (("heads-below", self.sandwich.below), ("heads-above", self.sandwich.above)):
            if side is not None:
                yield name, side


def bound_heads(
    task: Task,
    *,
    embedding: Embedding = "joint",
    d_head: int | None = None,
    max_heads: int | None = None,
    restarts: int = RESTARTS,
    time_limit: float | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: str | Path | None = None,
    given: Iterable[Construction] = (),
    progress: Say = lambda _: None,
) -> HeadBounds:
    """Bound the number of heads that a task needs from both sides.

    Args:
        task: labels, allowed outputs, ties.
        embedding: how attention reads a token at a position.
        d_head: a bound on the width of the heads. What is proved below holds for any width.
        max_heads: no tables with more heads are considered; by default up to ``MOST_MORE`` beyond the lower bound are
            searched for.
        restarts: starts of the search at each number of heads.
        time_limit: seconds for everything.
        seed, device, checkpoint: of the search, see :func:`~expressivity.heads.search.search_heads`.
        given: constructions to try; the gallery's are found by :func:`~expressivity.heads.gallery.proposals_for`.
        progress: called with a few words before each step.

    Raises:
        InputError: a task with distributions, numbers out of range, an unknown device, a file that is no checkpoint.

    >>> from expressivity.task import bits
    >>> found = bound_heads(bits("0110100110010111"))
    >>> found.lower, found.upper, found.sandwich.upper_reason
    (3, 3, 'found by search: random odds, seed 0')
    """
    Attention(heads=max_heads, d_head=d_head, embedding=embedding)  # refuses what is out of range
    check_time_limit(time_limit)
    check_search(restarts, seed, device)
    file = None if checkpoint is None else Checkpoint(checkpoint)  # refused before the work if it is none
    until = None if time_limit is None else monotonic() + time_limit

    def left() -> float | None:
        return None if until is None else max(0.01, until - monotonic())

    orders, never = _orders(task, grams_for(embedding), left, progress)
    listed = list(given)
    progress("heads")
    found = sandwich(
        task,
        embedding,
        orders,
        never=never,
        given=listed,
        most=max_heads,
        time_limit=left(),
        progress=progress,
    )
    if d_head is not None and found.impossible is None:
        found = _narrowed(task, found, d_head, orders, listed, max_heads)
    searches: tuple[SearchReport, ...] = ()
    if found.impossible is None and not task.is_soft:
        found, searches = searched(
            task,
            found,
            d_head=d_head,
            max_heads=max_heads,
            restarts=restarts,
            left=left,
            seed=seed,
            device=device,
            checkpoint=file,
            progress=progress,
        )
    return HeadBounds(task, found, d_head, searches, precision_bound(task))


def searched(
    task: Task,
    found: Sandwich,
    *,
    d_head: int | None = None,
    max_heads: int | None = None,
    restarts: int = RESTARTS,
    left: Callable[[], float | None] = lambda: None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Say = lambda _: None,
) -> tuple[Sandwich, tuple[SearchReport, ...]]:
    """A sandwich with tables searched for between its sides, fewest heads first."""
    lower = found.lower or 0
    most = found.upper - 1 if found.upper is not None else lower + MOST_MORE if max_heads is None else max_heads
    most = most if max_heads is None else min(most, max_heads)
    reports = []
    for heads in range(lower, most + 1):
        seconds = left()
        if seconds is not None and seconds <= 0.01:
            break
        report = search_heads(
            task,
            heads,
            embedding=found.embedding,  # type: ignore[arg-type]
            d_head=d_head,
            seed=seed,
            restarts=restarts,
            time_limit=seconds,
            device=device,
            checkpoint=checkpoint,
            progress=progress,
        )
        reports.append(report)
        if report.verdict is not None:
            found = replace(found, upper=heads, upper_reason=report.verdict.reason, above=report.verdict)
            break
    return found, tuple(reports)


def quickly_searched(
    task: Task, found: Sandwich, *, max_heads: int | None = None, progress: Say = lambda _: None
) -> Sandwich:
    """A sandwich that is open, after a few seconds of the cheap stages of the search; others as they are.

    >>> from expressivity import climb
    >>> climb(Task.load("bits:0110100110010111")).heads.upper
    3
    """
    if found.impossible is not None or found.lower == found.upper or not _is_quick(task):
        return found
    until = monotonic() + QUICK_SECONDS
    result, _ = searched(
        task,
        found,
        max_heads=max_heads,
        restarts=CHEAP,
        left=lambda: max(0.01, until - monotonic()),
        progress=progress,
    )
    return result


def decide_by_search(
    task: Task, model: Attention, verdict: Verdict, *, time_limit: float | None = None, progress: Say = lambda _: None
) -> Verdict:
    """An undecided verdict about heads, after a short search for tables; others as they are."""
    if verdict.answer is not UNDECIDED or model.heads is None or task.is_soft or not _is_quick(task):
        return verdict
    report = search_heads(
        task,
        model.heads,
        embedding=model.embedding,
        d_head=model.d_head,
        restarts=CHEAP,
        time_limit=min(QUICK_SECONDS, time_limit or QUICK_SECONDS),
        progress=progress,
    )
    return verdict if report.verdict is None else report.verdict


def _is_quick(task: Task) -> bool:
    return len(task.contexts) * (len(task.outputs) - 1) <= QUICK_COMPARISONS


def _orders(
    task: Task, positions: str, left: Callable[[], float | None], progress: Say
) -> tuple[list[Verdict], Verdict | None]:
    """Verdicts for the orders 2, 3, … up to the minimal one, and the proof that there is none."""
    found: list[Verdict] = []
    while True:
        model = SkipGrams(2 + len(found), positions)
        progress(f"{model.name}s ({positions})")
        found.append(decide_ensemble(task, model, tidy=True, time_limit=left(), progress=progress))
        if found[-1].answer is not INEXPRESSIBLE:
            return found, None
        if len(found) == 1:
            never = refute_every_order(task, positions)
            if never is not None:
                return found, never


def _narrowed(
    task: Task,
    found: Sandwich,
    d_head: int,
    orders: Sequence[Verdict],
    given: Sequence[Construction],
    most: int | None,
) -> Sandwich:
    """The upper side by tables of bounded width: the narrowest form of each candidate."""
    usable = list(orders)
    if found.embedding == "additive":
        usable = [decide_ensemble(task, SkipGrams(n, "count")) for n in (2, 3)]
    offered = sorted(candidates(task, found.embedding, usable, given), key=lambda c: len(c[0].heads))
    for tables, reason in offered:
        if most is not None and len(tables.heads) > most:
            break
        above = within_width(task, tables, d_head, reason)
        if above is not None:
            return replace(found, upper=len(tables.heads), upper_reason=reason, above=above)
    unknown = f"no tables of width {d_head} are known"
    return replace(found, upper=None, upper_reason=unknown, above=None)

