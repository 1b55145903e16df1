"""The unit of work beyond bits: functions to labels in, the rows of a census out, each side with its certificate.

Orders by the exact engine; heads by the candidates of :func:`~expressivity.heads.sandwich.sandwich` (T1 below, T2 and
T3 above), and where these do not meet by the search for tables of all open functions at once. Pure, as
:func:`~expressivity.census.shard.shard`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from expressivity.census.functions import Array
from expressivity.census.heads import RESTARTS
from expressivity.census.labelings import Shape, task_of, text_of
from expressivity.census.shard import Columns, one_thread
from expressivity.certificate import canonical
from expressivity.ensembles import decide_ensemble
from expressivity.heads.sandwich import Sandwich, sandwich
from expressivity.heads.search import search_tasks
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task
from expressivity.verdict import INEXPRESSIBLE, Verdict

MORE = 2
"""Heads beyond the lower bound with which tables are searched for."""
PROOFS = ("order_below", "order_at", "heads_below", "heads_above")
"""The columns that hold certificates."""


def labelled_shard(
    labels: Array,
    shape: Shape,
    embedding: Any = "joint",
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    heads: bool = True,
    device: str | None = None,
) -> Columns:
    """Orders and heads of functions to labels, with the certificates that prove them, each verified.

    Args:
        labels: the functions, shape ``[functions, contexts]``. They are searched for together, so other shards find
            other heads.
        shape: what they are functions of.
        embedding: of the heads.
        seed: of the search.
        restarts: starts of the search at each number of heads; 0 for none.
        heads: whether to look for heads at all.
        device: of the search; by default the accelerator if there is one.

    Returns:
        ``function`` as text; ``order``; ``heads_lower`` and ``heads_upper`` (``None`` where no tables were found);
        ``order_below``, ``order_at``, ``heads_below`` and ``heads_above``, certificates as JSON, ``None`` where there
        is nothing to prove; ``restarts``, the starts tried with ``heads_lower`` heads.

    >>> import numpy as np
    >>> columns = labelled_shard(np.array([[0, 1, 2, 1, 2, 0, 2, 0, 1]]), Shape(2, 3, 3))  # the sum modulo 3
    >>> columns["order"], columns["heads_lower"], columns["heads_upper"]
    ([4], [2], [2])
    """
    with one_thread():
        tasks = [task_of(row, shape) for row in labels]
        orders = [_orders(task) for task in tasks]
        most = None if heads else 0
        found = [sandwich(task, embedding, known, most=most) for task, known in zip(tasks, orders, strict=True)]
        tried = [0] * len(tasks)
        if heads and restarts:
            _search(tasks, found, tried, embedding, seed, restarts, device)
    return {
        "function": [text_of(row) for row in labels],
        "order": [len(known) + 1 for known in orders],
        "order_below": [_text(known[-2]) if len(known) > 1 else None for known in orders],
        "order_at": [_text(known[-1]) for known in orders],
        "heads_lower": [each.lower for each in found],
        "heads_upper": [each.upper for each in found],
        "heads_below": [_text(each.below) for each in found],
        "heads_above": [_text(each.above) for each in found],
        "restarts": tried,
    }


def documents(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The certificates of one function by name, as those of :func:`~expressivity.census.certificates.documents`."""
    names = (f"order-{row['order'] - 1}", f"order-{row['order']}", "heads-below", "heads-above")
    for name, column in zip(names, PROOFS, strict=True):
        if row[column] is not None:
            yield name, json.loads(row[column])


def _orders(task: Task) -> list[Verdict]:
    """Verdicts for the orders 2, 3, … up to the least that decides the task: labels at distinct contexts have one."""
    found: list[Verdict] = []
    while not found or found[-1].answer is INEXPRESSIBLE:
        found.append(decide_ensemble(task, SkipGrams(2 + len(found), "absolute")))
    return found


def _search(
    tasks: list[Task],
    found: list[Sandwich],
    tried: list[int],
    embedding: Any,
    seed: int,
    restarts: int,
    device: str | None,
) -> None:
    """Tables for the functions whose bounds do not meet, those with as many heads at once, fewest heads first."""
    for lower in sorted({each.lower for each in found if each.lower is not None}):
        for heads in range(lower, lower + MORE + 1):
            open_ = [
                k for k, each in enumerate(found) if each.lower == lower and (each.upper is None or each.upper > heads)
            ]
            reports = search_tasks(
                [tasks[k] for k in open_], heads, embedding=embedding, seed=seed, restarts=restarts, device=device
            )
            for k, report in zip(open_, reports, strict=True):
                if heads == lower:
                    tried[k] = sum(each.starts for each in report.rounds) if report.found else restarts
                if report.verdict is not None:
                    found[k] = replace(found[k], upper=heads, upper_reason=report.verdict.reason, above=report.verdict)


def _text(verdict: Verdict | None) -> str | None:
    if verdict is None or verdict.certificate is None:
        return None
    return canonical(verdict.certificate.document).decode()
