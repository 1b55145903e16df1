"""The margins of layered tables: exact where every number is rational, else enclosed in balls.

What a position carries before a layer depends on the tokens up to it alone, so contexts that begin alike
share that work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from flint import arb, ctx, fmpq

from expressivity.attention.layered.tables import Direction, LayeredHead, LayeredTables, directions_of
from expressivity.attention.margins import Interval
from expressivity.attention.margins.enclosed import FIRST_BITS, MOST_SCORE, described
from expressivity.attention.tables import ONE, ZERO
from expressivity.attention.weights.rational_matrix import to_fmpq, to_fraction
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.task import Comparison, Task

MOST_BITS = 1 << 12  # an exact 0 that the tables do not show is never decided: no more than this is spent on it
Carried = dict[Direction, Any]
"""What a position carries: direction to number, 0 where nothing is listed."""
ByOutput = dict[str, dict[Direction, Fraction]]
Terms = Iterable[tuple[Fraction, Any]]
"""Entries of a table, each with the degree to which it counts."""


class Arithmetic(Protocol):
    """Numbers with ``+``, ``*`` and ``/`` that tables can be evaluated in."""

    def number(self, value: Fraction) -> Any:
        """A rational as such a number."""

    def odds(self, head: LayeredHead, terms: Terms) -> Any:
        """The unnormalised attention of a head whose scores or odds these are."""


class Rationals:
    """Exact arithmetic, in FLINT's fractions; refuses odds that are irrational."""

    def number(self, value: Fraction) -> fmpq:
        """The number itself."""
        return to_fmpq(value)

    def odds(self, head: LayeredHead, terms: Terms) -> fmpq:
        """``base ** Σ score·degree``, or ``Π odds ** degree``.

        Raises:
            InputError: it is irrational, or may be.
        """
        factors: list[tuple[Any, fmpq]] = [(value, degree) for value, degree in terms if degree != 0]
        if head.odds is None:
            exponent = sum((to_fmpq(score) * degree for score, degree in factors), start=fmpq(0))
            factors = [(ONE if head.base == "e" and exponent == 0 else head.base, exponent)]
        result = fmpq(1)
        for base, degree in factors:
            if base == "e" or degree.q != 1:
                raise InputError(
                    f"head {head.name!r} has the odds {base} to the power {degree}, which are irrational; enclose them"
                )
            result *= to_fmpq(base) ** int(degree.p)
        return result


class Balls:
    """Balls at the precision of FLINT's context."""

    def number(self, value: Fraction) -> arb:
        """The smallest ball around it."""
        return arb(to_fmpq(value))

    def odds(self, head: LayeredHead, terms: Terms) -> arb:
        """The exponential of ``Σ score·degree·log(base)``, or of ``Σ log(odds)·degree``."""
        if head.odds is not None:
            return sum((self.number(odds).log() * degree for odds, degree in terms), start=arb(0)).exp()
        exponent = sum((self.number(score) * degree for score, degree in terms), start=arb(0))
        return (exponent if head.base == "e" else exponent * self.number(head.base).log()).exp()


def layered_exact_margins(tables: LayeredTables, task: Task) -> tuple[Fraction, ...]:
    """The margins in the order of ``task.comparisons()``. Exact.

    Raises:
        InputError: some odds are irrational.
    """
    found = Evaluation(tables, Rationals()).margins(task.contexts, task.comparisons())
    return tuple(map(to_fraction, found))


def layered_enclosed_margins(tables: LayeredTables, task: Task, most_bits: int = MOST_BITS) -> tuple[Interval, ...]:
    """Enclosures of the margins, with signs wherever ``most_bits`` of precision decide them.

    A margin that is exactly 0 is found to be so only where the tables treat its two outputs alike.

    Raises:
        InputError: a score beyond 10^25 in size.
    """
    for head in tables.heads:
        largest = max(map(abs, (head.scores or {}).values()), default=ZERO)
        if largest > MOST_SCORE:
            shown = f"about 10^{len(str(int(largest))) - 1}"
            raise InputError(f"head {head.name!r} has a score of {shown}; expected at most 10^25 in size")
    comparisons = task.comparisons()
    result: dict[int, Interval] = {}
    todo, bits = list(range(len(comparisons))), FIRST_BITS
    while todo and bits <= most_bits:
        with ctx.workprec(bits):
            found = Evaluation(tables, Balls()).margins(task.contexts, [comparisons[i] for i in todo])
            result.update(zip(todo, map(Interval.of, found), strict=True))
        todo = [index for index in todo if result[index].sign is None]
        bits *= 2
    return tuple(result[index] for index in range(len(comparisons)))


def describe_layered_margin(tables: LayeredTables, task: Task, comparison: Comparison) -> str:
    """One margin for people; close to a whole number, its distance from that: ``1 − 3.406e-43``."""

    def at_precision(bits: int) -> Interval:
        with ctx.workprec(bits):
            return Interval.of(Evaluation(tables, Balls()).margins(task.contexts, [comparison])[0])

    def is_exactly(whole: Fraction) -> bool:
        if not tables.is_exact:
            return False
        return to_fraction(Evaluation(tables, Rationals()).margins(task.contexts, [comparison])[0]) == whole

    return described(at_precision, is_exactly)


class Evaluation:
    """Tables at work in some arithmetic; keeps what every beginning of a context carries."""

    def __init__(self, tables: LayeredTables, arithmetic: Arithmetic) -> None:
        self.tables, self.arithmetic = tables, arithmetic
        self.one = arithmetic.number(ONE)
        self.known: dict[tuple[int, tuple[str, ...]], Carried] = {}
        self.first: dict[Any, Any] = {}
        self.layers = [[_Indexed(head) for head in layer] for layer in tables.layers]

    def carried(self, layer: int, context: Sequence[str]) -> Carried:
        """What the last position of a context carries before a layer (counted from 0), outputs left out."""
        key = layer, tuple(context)
        if key not in self.known:
            if layer == 0:
                end = len(context) - 1, context[-1]
                found = dict.fromkeys(directions_of(self.tables.embedding, end), self.one)
            else:
                found = dict(self.carried(layer - 1, context))
                for head in self.layers[layer - 1]:
                    if head.writes:
                        _add(found, self.written(layer - 1, head, context))
            self.known[key] = found
        return self.known[key]

    def written(self, layer: int, head: _Indexed, context: Sequence[str]) -> Carried:
        """What a head writes into subspaces at the last position."""
        met, mass = self.attended(layer, head, context)
        found: Carried = {}
        for source, amount in met.items():
            for target, value in head.writes.get(source, {}).items():
                _add(found, {target: amount * self.arithmetic.number(value) / mass})
        return found

    def attended(self, layer: int, head: _Indexed, context: Sequence[str]) -> tuple[Carried, Any]:
        """What the sources carry, summed with their odds, in the directions that the head's values read; and the sum
        of all odds.
        """
        end, mass = self.carried(layer, context), None
        met: Carried = {}
        for position in range(len(context)):
            source = self.carried(layer, context[: position + 1])
            place = (len(context) - 1, context[-1]), (position, context[position])
            key = (id(head), *place)
            if layer or key not in self.first:
                weight = self.arithmetic.odds(head.head, _terms(head.scores, end, source))
                if not layer:  # nothing but the two places counts there
                    self.first[key] = weight
            else:
                weight = self.first[key]
            mass = weight if mass is None else mass + weight
            _add(met, {d: amount * weight for d, amount in source.items() if d in head.read})
        return met, mass

    def margins(self, contexts: Sequence[Sequence[str]], comparisons: Iterable[Comparison]) -> list[Any]:
        """``logit_above − logit_below`` for each comparison.

        Values are subtracted before they are weighed, so outputs that are treated alike tie exactly in any arithmetic.
        """
        direct: ByOutput = {}
        for (source, output), value in self.tables.direct.items():
            direct.setdefault(output, {})[source] = value
        parts: dict[int, list[tuple[ByOutput, Carried, Any]]] = {}
        result = []
        for comparison in comparisons:
            where = comparison.context
            if where not in parts:
                context = contexts[where]
                parts[where] = [(direct, self.carried(self.tables.n_layers, context), self.one)] if direct else []
                for layer, heads in enumerate(self.layers):
                    for head in heads:
                        if head.logits:
                            parts[where].append((head.logits, *self.attended(layer, head, context)))
            total = self.arithmetic.number(ZERO)
            for table, met, mass in parts[where]:
                gain, above, below = None, table.get(comparison.above, {}), table.get(comparison.below, {})
                for source in {**above, **below}:
                    difference = above.get(source, ZERO) - below.get(source, ZERO)
                    if difference and source in met:
                        term = met[source] * self.arithmetic.number(difference)
                        gain = term if gain is None else gain + term
                if gain is not None:
                    total = total + gain / mass
            result.append(total)
        return result


class _Indexed:
    """A head's tables by the direction that they start from."""

    def __init__(self, head: LayeredHead) -> None:
        self.head = head
        self.scores: dict[Direction, dict[Direction, Fraction]] = {}
        self.writes: dict[Direction, dict[Direction, Fraction]] = {}
        self.logits: ByOutput = {}
        for (q, s), value in head.attention.items():
            self.scores.setdefault(q, {})[s] = value
        for (source, target), value in head.values.items():
            if target.is_output:
                self.logits.setdefault(str(target.symbol), {})[source] = value
            else:
                self.writes.setdefault(source, {})[target] = value
        self.read = {source for source, _ in head.values}


def _terms(table: dict[Direction, dict[Direction, Fraction]], end: Carried, source: Carried) -> Terms:
    for q, here in end.items():
        entries = table.get(q)
        if entries:
            for s, there in source.items():
                if s in entries:
                    yield entries[s], here * there


def _add(total: Carried, more: Carried) -> None:
    for direction, amount in more.items():
        total[direction] = total[direction] + amount if direction in total else amount
