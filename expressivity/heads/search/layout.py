"""What a search sees of a task: which odds there are, which values, and how every context adds them up.

The odds of a *pair* (destination, source) are products of *factors*, one for each pair of embedding rows; a value is a
sum over the source's rows. With ``c[n, p]`` the number of times that context ``n`` attends to pair ``p``, a head with
odds ``a`` and values ``v`` adds ``Σ_p c[n, p] a[p] v[p] / Σ_p c[n, p] a[p]`` to the logits.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.attention import Embedding, Place, Row
from expressivity.attention.tables import places_of, rows_of
from expressivity.errors import InputError
from expressivity.task import Task

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """A task in an embedding, as arrays. Whole numbers only.

    Attributes:
        task: what is asked.
        embedding: how places are read.
        counts: how often a context attends to a pair, ``[contexts, pairs]``.
        factors: the pairs of embedding rows that odds are written for, in order.
        spread: which factors a pair multiplies, 0 or 1, ``[pairs, factors]``.
        ends: the number of each pair's destination, ``[pairs]``; odds of one destination may be scaled together.
        value_rows: the embedding rows that values are written for, in order.
        reads: which of them a pair's source reads, 0 or 1, ``[pairs, value rows]``.
        direct_rows: the embedding rows that the direct path is written for.
        direct_reads: which of them a context reads, ``[contexts, direct rows]``.
        outputs: the outputs but the first, whose logit is 0: only differences count.
        context, above, below: the comparisons, ``[comparisons]`` each; outputs by number, the first is −1.
        equal: which comparisons are ties.
    """

    task: Task
    embedding: Embedding
    counts: Whole
    factors: tuple[tuple[Row, Row], ...]
    spread: Whole
    ends: Whole
    value_rows: tuple[Row, ...]
    reads: Whole
    direct_rows: tuple[Row, ...]
    direct_reads: Whole
    outputs: tuple[str, ...]
    context: Whole
    above: Whole
    below: Whole
    equal: npt.NDArray[np.bool_]

    @property
    def n_contexts(self) -> int:
        """How many contexts there are."""
        return len(self.counts)

    @property
    def n_pairs(self) -> int:
        """How many pairs of a destination and a source meet."""
        return int(self.counts.shape[1])

    @property
    def shape(self) -> Hashable:
        """What two tasks have in common whose odds may be tried together: everything but what is asked."""
        return self.embedding, tuple(self.task.contexts), self.outputs

    @property
    def one_fibre(self) -> bool:
        """Whether all contexts have one destination at one position, so that values serve no second one."""
        return len(set(self.ends.tolist())) == 1

    @cached_property
    def signs(self) -> Floats:
        """What a comparison takes of the logits of its context, ``[comparisons, outputs]``: 1, −1 or 0."""
        table = np.zeros((len(self.context), len(self.outputs) + 1))
        index = np.arange(len(self.context))
        table[index, self.above] += 1.0  # −1 is the last column, that of the first output
        table[index, self.below] -= 1.0
        return table[:, :-1]


def layout_of(task: Task, embedding: Embedding) -> Layout:
    """The arrays of a task.

    Raises:
        InputError: the task asks for distributions.

    >>> found = layout_of(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]), "joint")
    >>> found.counts.tolist()
    [[1, 0, 1, 0, 1], [1, 0, 0, 1, 1], [0, 1, 1, 0, 1], [0, 1, 0, 1, 1]]
    >>> layout_of(found.task, "additive").spread.tolist()[0]  # the token's factor and the position's
    [1, 0, 0, 0, 0, 1, 0, 0]
    """
    if task.is_soft:
        raise InputError(f"task {task.name} asks for distributions; heads are searched for comparisons of logits")
    places = [places_of(context) for context in task.contexts]
    last_places = {context[-1] for context in places}
    alone = len({token for _, token in last_places}) == len(last_places)
    keys: dict[tuple[tuple[Row, ...], tuple[Row, ...]], int] = {}
    met: list[dict[int, int]] = []
    for context in places:
        last = _scored(embedding, context[-1], alone)
        seen: dict[int, int] = {}
        for place in context:
            number = keys.setdefault((last, rows_of(embedding, place)), len(keys))
            seen[number] = seen.get(number, 0) + 1
        met.append(seen)
    order = sorted(keys, key=_order)
    rank = {keys[key]: i for i, key in enumerate(order)}
    counts = np.zeros((len(places), len(order)), dtype=np.int64)
    for n, seen in enumerate(met):
        for number, times in seen.items():
            counts[n, rank[number]] = times
    pairs = [[(q, s) for q in last for s in source] for last, source in order]
    factors = tuple(sorted({pair for found in pairs for pair in found}, key=lambda p: (_row(p[0]), _row(p[1]))))
    value_rows = tuple(sorted({row for _, source in order for row in source}, key=_row))
    direct = [_scored(embedding, context[-1], alone) for context in places]
    direct_rows = tuple(sorted({row for rows in direct for row in rows}, key=_row))
    names = {last: i for i, last in enumerate(dict.fromkeys(last for last, _ in order))}
    column = {y: i - 1 for i, y in enumerate(task.outputs)}
    comparisons = task.comparisons()
    return Layout(
        task=task,
        embedding=embedding,
        counts=counts,
        factors=factors,
        spread=_incidence(pairs, factors),
        ends=np.array([names[last] for last, _ in order], dtype=np.int64),
        value_rows=value_rows,
        reads=_incidence([source for _, source in order], value_rows),
        direct_rows=direct_rows,
        direct_reads=_incidence(direct, direct_rows),
        outputs=task.outputs[1:],
        context=np.array([c.context for c in comparisons], dtype=np.int64),
        above=np.array([column[c.above] for c in comparisons], dtype=np.int64),
        below=np.array([column[c.below] for c in comparisons], dtype=np.int64),
        equal=np.array([c.equal for c in comparisons], dtype=bool),
    )


def _scored(embedding: Embedding, end: Place, alone: bool) -> tuple[Row, ...]:
    """The destination's rows that scores are written for; positions say nothing new if every token has one only."""
    rows = rows_of(embedding, end)
    return rows[:1] if alone else rows


def _incidence(lists: Any, columns: Any) -> Whole:
    place = {column: i for i, column in enumerate(columns)}
    table = np.zeros((len(lists), len(columns)), dtype=np.int64)
    for i, found in enumerate(lists):
        for column in found:
            table[i, place[column]] += 1
    return table


def _row(row: Row) -> tuple[Any, ...]:
    position, token = row
    return position is not None, position or 0, token or ""


def _order(key: tuple[tuple[Row, ...], tuple[Row, ...]]) -> Any:
    return tuple(tuple(map(_row, rows)) for rows in key)
