"""A task's whole profile: which orders decide it, between how many heads, and how low the cross-entropy gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from expressivity.beside import LeftOut, beside
from expressivity.cross_entropy import decide_cross_entropy
from expressivity.dsl import Construction
from expressivity.ensembles import decide_ensemble, refute_every_order
from expressivity.errors import InputError
from expressivity.heads.bounds import quickly_searched
from expressivity.heads.sandwich import Sandwich, grams_for, sandwich
from expressivity.log_odds import decide_logits, refute_every_log_odds
from expressivity.pictures import ladder_html
from expressivity.separability import LogisticFit, check_time_limit
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task
from expressivity.verdict import EXPRESSIBLE, INEXPRESSIBLE, UNDECIDED, CrossEntropyBound, Verdict

WIDTH = Fraction(1, 10**6)  # nats: how narrow a settled cross-entropy is


@dataclass(frozen=True)
class Ladder:
    """Everything that ``check`` found, each line with its verified certificate.

    Attributes:
        task, positions, embedding: what was asked.
        orders: verdicts for the orders 2, 3, … up to the minimal one, or as far as the search went.
        never: the verdict that no order does it, or ``None``.
        stopped_at: the order at which ``max_order`` or a time limit ended the search, or ``None``.
        heads: the sandwich on the number of heads; ``None`` but at the argmax level.
        level: what counts as doing the task: ``argmax``, ``logits`` or ``cross_entropy``.
        cross_entropy: certified bounds for the orders listed; empty where it is not defined (top sets).
        logistic: what logistic regression made of each order; no proof of anything.
        left_out: what of these two was left out for the later orders, since the task is too large.
    """

    task: Task
    positions: str
    embedding: str
    orders: list[Verdict]
    never: Verdict | None
    stopped_at: int | None
    heads: Sandwich | None
    level: str = "argmax"
    cross_entropy: list[CrossEntropyBound] = field(default_factory=list)
    logistic: list[LogisticFit] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def minimal_order(self) -> int | None:
        """The least order that decides the task."""
        last = self.orders[-1] if self.orders else None
        done = last is not None and last.answer is EXPRESSIBLE and isinstance(last.model, SkipGrams)
        return last.model.order if done and last is not None and isinstance(last.model, SkipGrams) else None

    @property
    def is_settled(self) -> bool:
        """Whether every question got its answer."""
        heads = self.heads is None or self.heads.impossible is not None or self.heads.lower == self.heads.upper
        narrow = all(b.upper is not None and b.upper - (b.lower or 0) <= WIDTH for b in self.cross_entropy)
        return heads and narrow and (self.minimal_order is not None or self.never is not None)

    def verdicts(self) -> Iterable[tuple[str, Verdict]]:
        """Every verdict with a certificate, under the name of its file."""
        for verdict in [*self.orders, *([self.never] if self.never else [])]:
            order = verdict.model.order if isinstance(verdict.model, SkipGrams) else None
            yield f"order-{'any' if order is None else order}", verdict
        if self.heads is not None:
            for name, side in (("heads-below", self.heads.below), ("heads-above", self.heads.above)):
                if side is not None:
                    yield name, side

    def _repr_html_(self) -> str:
        return ladder_html(self)


def climb(
    task: Task,
    *,
    positions: str = "absolute",
    embedding: Any = "joint",
    level: str | None = None,
    max_order: int | None = None,
    max_heads: int | None = None,
    smallest: bool = False,
    sparse: bool = False,
    margin: bool = False,
    time_limit: float | None = None,
    given: Iterable[Construction] = (),
    search: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Ladder:
    """Decide order after order until one does the task, then bound the heads and the cross-entropy.

    Args:
        task: what is asked.
        positions: the convention of the skip-grams.
        embedding: the convention of attention; its lower bound uses ``count`` for ``tokens``, else ``absolute``.
        level: ``argmax``, ``logits`` or ``cross_entropy``, as in :func:`~expressivity.decide`; by default ``logits``
            for tasks with distributions and ``argmax`` for others.
        max_order: the last order to try; by default the search goes on until the answer is known.
        max_heads: tables with more heads than this are not considered.
        smallest, sparse, margin: as in :func:`~expressivity.decide`, for each order.
        time_limit: seconds for each decision, and for each of these searches.
        given: constructions to try for the upper bound on heads.
        search: where the bounds on heads differ, search for tables between them for two seconds at most
            (:func:`~expressivity.heads.bounds.bound_heads` searches longer).
        progress: called with a few words before each step.

    Raises:
        InputError: a level that does not fit the task, or a limit that makes no sense.
    """
    if max_heads is not None and max_heads < 0:
        raise InputError(f"max-heads is {max_heads}; expected at least 0")
    check_time_limit(time_limit)
    if max_order is not None and max_order < 2:
        raise InputError(f"max-order is {max_order}; expected at least 2 (2 is a bigram)")
    asked = level or ("logits" if task.is_soft else "argmax")
    if asked not in DECIDERS:
        raise InputError(f"level is {asked!r}; expected one of {', '.join(DECIDERS)}")
    if (smallest or sparse or margin) and asked != "argmax":
        raise InputError(f"smallest, sparse and margin are searched at the level argmax; the level is {asked}")
    decider = partial(DECIDERS[asked], task)
    if asked == "argmax":
        decider = partial(decider, smallest=smallest, sparse=sparse, margin=margin)
    decider = partial(decider, time_limit=time_limit, progress=progress)
    climbed = partial(_orders, task, decider, REFUTERS[asked], max_order=max_order, progress=progress)
    orders, never, stopped = climbed(positions)
    heads = None
    if asked == "argmax":
        matching = (orders, never) if grams_for(embedding) == positions else climbed(grams_for(embedding))[:2]
        progress("heads")
        named = grams_for(embedding) != positions
        heads = sandwich(
            task,
            embedding,
            matching[0],
            never=matching[1],
            given=given,
            most=max_heads,
            named=named,
            time_limit=time_limit,
            progress=progress,
        )
        if search:
            heads = quickly_searched(task, heads, max_heads=max_heads, progress=progress)
    decided = [v.certificate for v in orders if isinstance(v.certificate, CrossEntropyBound)]
    models = [v.model for v in orders if isinstance(v.model, SkipGrams) and v.model.order is not None]
    aside = models if asked != "cross_entropy" else []
    found = beside(task, aside, fit=asked == "argmax", time_limit=time_limit, progress=progress)
    bounds = [*decided, *found.bounds]
    return Ladder(task, positions, embedding, orders, never, stopped, heads, asked, bounds, found.fits, found.left_out)


def _decide_argmax(
    task: Task, model: SkipGrams, *, progress: Callable[[str], None], time_limit: float | None, **wanted: bool
) -> Verdict:
    return decide_ensemble(task, model, tidy=True, time_limit=time_limit, progress=progress, **wanted)


def _decide_logits(
    task: Task, model: SkipGrams, *, progress: Callable[[str], None], time_limit: float | None
) -> Verdict:
    return decide_logits(task, model, time_limit=time_limit)


def _decide_cross_entropy(
    task: Task, model: SkipGrams, *, progress: Callable[[str], None], time_limit: float | None
) -> Verdict:
    return decide_cross_entropy(task, model, time_limit=time_limit)


def _refute_every_cross_entropy(task: Task, positions: str) -> Verdict | None:
    """The verdict for the order from which on no feature is new, if it is no."""
    if positions == "absolute":
        return None
    last = SkipGrams(None, positions).saturates_at(task.contexts)
    verdict = decide_cross_entropy(task, SkipGrams(last, positions))
    return verdict if verdict.answer is INEXPRESSIBLE else None


DECIDERS: dict[str, Callable[..., Verdict]] = {
    "argmax": _decide_argmax,
    "logits": _decide_logits,
    "cross_entropy": _decide_cross_entropy,
}
REFUTERS: dict[str, Callable[[Task, str], Verdict | None]] = {
    "argmax": refute_every_order,
    "logits": refute_every_log_odds,
    "cross_entropy": _refute_every_cross_entropy,
}


def _orders(
    task: Task,
    decider: Callable[..., Verdict],
    refuter: Callable[[Task, str], Verdict | None],
    positions: str,
    *,
    max_order: int | None,
    progress: Callable[[str], None],
) -> tuple[list[Verdict], Verdict | None, int | None]:
    """Verdicts up to the minimal order; the proof that there is none; the order at which the search was stopped."""
    orders: list[Verdict] = []
    order = 2
    while True:
        model = SkipGrams(order, positions)
        progress(f"{model.name}s ({positions})")
        orders.append(decider(model))
        if orders[-1].answer is EXPRESSIBLE:
            return orders, None, None
        if orders[-1].answer is UNDECIDED:
            return orders, None, order
        if order == 2 and positions != "absolute":
            never = refuter(task, positions)
            if never is not None:
                return orders, never, None
        if order == max_order:
            return orders, None, order
        order += 1
