"""Margins: the number ``logit_above − logit_below`` for each of a task's comparisons, in any arithmetic.

A model meets the task when the margin of every strict comparison is positive and that of every equal one is
0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from expressivity.attention.tables import ZERO, Head, HeadTables, Place, Row, places_of, rows_of

if TYPE_CHECKING:
    from expressivity.task import Comparison, Task

Number = TypeVar("Number")
Odds = Callable[[Head, Sequence[Row], Sequence[Row]], Any]


def exact_margins(tables: HeadTables, task: Task) -> tuple[Fraction, ...]:
    """The margins of rational tables, in the order of ``task.comparisons()``. Exact.

    Raises:
        InputError: some head has real scores.
    """
    return tuple(
        margins(tables, task.contexts, task.comparisons(), lambda h, q, s: h.weight(q, s), lambda value: value)
    )


def failures(task: Task, found: Sequence[Fraction]) -> list[Comparison]:
    """The comparisons of the task that these exact margins do not meet."""
    pairs = zip(task.comparisons(), found, strict=True)
    return [comparison for comparison, margin in pairs if (margin != 0 if comparison.equal else margin <= 0)]


def margins(
    tables: HeadTables,
    contexts: Sequence[Sequence[str]],
    comparisons: Sequence[Comparison],
    odds: Odds,
    number: Callable[[Fraction], Number],
) -> list[Number]:
    """Evaluate comparisons in the arithmetic of ``Number``, which needs ``+``, ``*`` and ``/``.

    Values are subtracted before they are weighed, so outputs that are treated alike tie exactly in any
    arithmetic.

    Args:
        tables: the model.
        contexts: what the comparisons' indices point into.
        comparisons: what to evaluate; the result has their order.
        odds: the unnormalised attention of a head from the destination's rows to a source's.
        number: turns a rational table entry into a ``Number``.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for index, comparison in enumerate(comparisons):
        groups[comparison.context].append(index)
    known: dict[tuple[int, Place, Place], Any] = {}
    written = _by_row(tables)
    result: list[Any] = [None] * len(comparisons)
    for where, indices in groups.items():
        places = places_of(contexts[where])
        rows = [rows_of(tables.embedding, place) for place in places]
        paid, mass = [], []
        for h, head in enumerate(tables.heads):
            for place, source in zip(places, rows, strict=True):
                if (h, places[-1], place) not in known:
                    known[h, places[-1], place] = odds(head, rows[-1], source)
            paid.append([known[h, places[-1], place] for place in places])
            mass.append(sum(paid[-1][1:], start=paid[-1][0]))
        for index in indices:
            above, below = comparisons[index].above, comparisons[index].below
            direct = (tables.direct.get((r, above), ZERO) - tables.direct.get((r, below), ZERO) for r in rows[-1])
            total: Any = number(sum(direct, ZERO))
            for h, values in enumerate(written):
                gains = [_difference(values, source, above, below) for source in rows]
                terms = [a * number(gain) for a, gain in zip(paid[h], gains, strict=True) if gain]
                if terms:
                    total = total + sum(terms[1:], start=terms[0]) / mass[h]
            result[index] = total
    return result


def _by_row(tables: HeadTables) -> list[dict[Row, dict[str, Fraction]]]:
    result = []
    for head in tables.heads:
        values: dict[Row, dict[str, Fraction]] = {}
        for (row, output), value in head.values.items():
            values.setdefault(row, {})[output] = value
        result.append(values)
    return result


def _difference(values: dict[Row, dict[str, Fraction]], rows: Sequence[Row], above: str, below: str) -> Fraction:
    found = [values[row] for row in rows if row in values]
    return sum((entry.get(above, ZERO) - entry.get(below, ZERO) for entry in found), ZERO)
