"""Margins: the number ``logit_above − logit_below`` for each of a task's comparisons, in any arithmetic.

A model meets the task when the margin of every strict comparison is positive and that of every equal one is
0. Contexts with the same logits may be given as one (:mod:`.orbits`): places are counted, not repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import lcm, prod
from typing import TYPE_CHECKING, Any, TypeVar

from expressivity.attention.margins.orbits import Counted, Orbits, counted_contexts
from expressivity.attention.tables import ZERO, Head, HeadTables, Place, Row, Values, rows_of

if TYPE_CHECKING:
    from expressivity.task import Comparison, Task

Number = TypeVar("Number")
Odds = Callable[[Head, Sequence[Row], Sequence[Row]], Any]


def exact_margins(tables: HeadTables, task: Task | Orbits) -> tuple[Fraction, ...]:
    """The margins of rational tables, in the order of ``task.comparisons()``. Exact.

    All odds of a destination and all values are brought to common denominators, so that logits are whole numbers over
    one denominator for each context.

    Raises:
        InputError: some head has real scores.
    """
    contexts, whole = counted_contexts(task), _Whole(tables)
    whole.prepare(contexts)
    known: tuple[int, dict[str, int], int] = (-1, {}, 1)
    result = []
    for comparison in task.comparisons():
        if known[0] != comparison.context:
            known = (comparison.context, *whole.logits(contexts[comparison.context]))
        _, logits, scale = known
        result.append(Fraction(logits.get(comparison.above, 0) - logits.get(comparison.below, 0), scale))
    return tuple(result)


def failures(task: Task | Orbits, found: Sequence[Fraction]) -> list[Comparison]:
    """The comparisons of the task that these exact margins do not meet."""
    pairs = zip(task.comparisons(), found, strict=True)
    return [comparison for comparison, margin in pairs if (margin != 0 if comparison.equal else margin <= 0)]


def margins(
    tables: HeadTables,
    contexts: Sequence[Counted],
    comparisons: Sequence[Comparison],
    odds: Odds,
    number: Callable[[Fraction], Number],
) -> list[Number]:
    """Evaluate comparisons in the arithmetic of ``Number``, which needs ``+``, ``*`` and ``/``.

    Values are subtracted before they are weighed, so outputs that are treated alike tie exactly in any
    arithmetic.

    Args:
        tables: the model.
        contexts: what the comparisons' indices point into, the destination last.
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
        places = contexts[where]
        rows = [rows_of(tables.embedding, place) for place, _ in places]
        end = places[-1][0]
        paid, mass = [], []
        for h, head in enumerate(tables.heads):
            for (place, _), source in zip(places, rows, strict=True):
                if (h, end, place) not in known:
                    known[h, end, place] = odds(head, rows[-1], source)
            paid.append([_times(n, known[h, end, place]) for place, n in places])
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


class _Whole:
    """Tables in whole numbers: values over one denominator, odds over one for each head and destination."""

    def __init__(self, tables: HeadTables) -> None:
        self.tables = tables
        tabled = (tables.direct, *(head.values for head in tables.heads))
        self.scale = lcm(*(value.denominator for table in tabled for value in table.values()))
        self.direct = self._by_row(tables.direct)
        self.values = [self._by_row(head.values) for head in tables.heads]
        self.odds: dict[tuple[int, Place], dict[Place, int]] = {}
        self.written: dict[tuple[int, Place], dict[str, int]] = {}

    def prepare(self, contexts: Iterable[Counted]) -> None:
        """Look up the odds of all pairs of places that these contexts have."""
        met: dict[Place, set[Place]] = defaultdict(set)
        for places in contexts:
            met[places[-1][0]].update(place for place, _ in places)
        embedding = self.tables.embedding
        for end, sources in met.items():
            last = rows_of(embedding, end)
            for h, head in enumerate(self.tables.heads):
                weights = {place: head.weight(last, rows_of(embedding, place)) for place in sources}
                common = lcm(*(weight.denominator for weight in weights.values()))
                self.odds[h, end] = {p: w.numerator * (common // w.denominator) for p, w in weights.items()}
                for place in sources:
                    self.written.setdefault((h, place), _added(self.values[h], rows_of(embedding, place)))

    def logits(self, places: Counted) -> tuple[dict[str, int], int]:
        """The logits of a context and the number by which they are multiplied; what is not listed is 0."""
        end = places[-1][0]
        paid = [[(place, n * self.odds[h, end][place]) for place, n in places] for h in range(len(self.values))]
        masses = [sum(odds for _, odds in pays) for pays in paid]
        whole = prod(masses)
        total = {y: value * whole for y, value in _added(self.direct, rows_of(self.tables.embedding, end)).items()}
        for h, (pays, mass) in enumerate(zip(paid, masses, strict=True)):
            rest = whole // mass
            for place, odds in pays:
                for y, value in self.written[h, place].items():
                    total[y] = total.get(y, 0) + value * odds * rest
        return total, whole * self.scale

    def _by_row(self, table: Values) -> dict[Row, dict[str, int]]:
        found: dict[Row, dict[str, int]] = {}
        for (row, y), value in table.items():
            found.setdefault(row, {})[y] = value.numerator * (self.scale // value.denominator)
        return found


def _added(table: dict[Row, dict[str, int]], rows: Iterable[Row]) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in rows:
        for y, value in table.get(row, {}).items():
            total[y] = total.get(y, 0) + value
    return total


def _times(n: int, odds: Any) -> Any:
    return odds if n == 1 else odds * n


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
