r"""One layer of attention, written as exact tables.

At a destination ``q`` that sits at position ``T`` behind the sources ``x_0 … x_{T−1}`` and attends to
itself as well,

.. math:: \mathrm{logit}_y = b(q,y) + \sum_h \frac{\sum_s a_h(q,s)\, v_h(s,y)}{\sum_s a_h(q,s)},

``s`` running over the sources and the destination, ``a_h > 0`` the *odds*, ``v_h`` the *values*, ``b`` the
*direct path*. Odds are given as they are (rational) or as scores, ``a = base ** score``.

A token at a position is read through *embedding rows* ``(position, token)``: one row ``(i, x)`` in the
``joint`` embedding, the two rows ``(None, x)`` and ``(i, None)`` in the ``additive`` one, ``(None, x)`` in
``tokens``. Table entries add over the rows (odds multiply), as the weights of a transformer make them do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from expressivity.attention.model_class import Embedding, check_embedding
from expressivity.certificate import rational, rational_text
from expressivity.errors import InputError, Refuted
from expressivity.task import Domain, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = tuple[int | None, str | None]
Place = tuple[int, str]
"""A token at a position, counted from 0."""
Values = Mapping[tuple[Row, str], Fraction]
Pairs = Mapping[tuple[Row, Row], Fraction]

ZERO, ONE = Fraction(0), Fraction(1)
_ROW_KINDS = {"joint": {(True, True)}, "additive": {(True, False), (False, True)}, "tokens": {(False, True)}}


def rows_of(embedding: Embedding, place: Place) -> tuple[Row, ...]:
    """The embedding rows that a token at a position reads.

    >>> rows_of("additive", (0, "A")), rows_of("tokens", (0, "A"))
    (((None, 'A'), (0, None)), ((None, 'A'),))
    """
    position, token = place
    if embedding == "joint":
        return (place,)
    return ((None, token), (position, None)) if embedding == "additive" else ((None, token),)


def show_row(row: Row) -> str:
    """A row as messages and basis directions name it: ``A``, ``@0`` or ``A@0``."""
    position, token = row
    return (token or "") + ("" if position is None else f"@{position}")


def places_of(context: Sequence[str]) -> list[Place]:
    """Sources and destination of a context, each with its position; the destination comes last."""
    return list(enumerate(context))


@dataclass(frozen=True)
class Head:
    """One head: what it attends to (odds, or scores with their base) and what it writes.

    Attributes:
        values: (source row, output) to number; 0 where nothing is listed.
        scores: (destination row, source row) to number; 0 where nothing is listed. ``None`` if odds are
            given.
        odds: (destination row, source row) to positive number; 1 where nothing is listed. ``None`` if
            scores are.
        base: odds are ``base ** score``; ``"e"``, or a positive rational, which needs whole scores and
            stays exact.
        name: for people.

    Raises:
        InputError: odds and scores together, an odds that is not positive, a base that is neither.
    """

    values: Values = field(default_factory=dict)
    scores: Pairs | None = None
    odds: Pairs | None = None
    base: Fraction | Literal["e"] = "e"
    name: str = ""

    def __post_init__(self) -> None:
        if self.scores is not None and self.odds is not None:
            raise InputError(f"head {self.name!r} has odds and scores; expected one of the two")
        if self.base != "e" and self.base <= 0:
            raise InputError(f"head {self.name!r} has the base {self.base}; expected 'e' or a positive number")
        for pair, value in (self.odds or {}).items():
            if value <= 0:
                raise InputError(
                    f"head {self.name!r} has the odds {value} at {_show_pair(pair)}; expected a positive number"
                )
        for pair, value in (self.scores or {}).items():
            if self.base != "e" and value.denominator != 1:
                raise InputError(
                    f"head {self.name!r} has the score {value} at {_show_pair(pair)}; "
                    f"base {self.base} needs whole numbers (base 'e' takes any)"
                )
        keep = {"values": (self.values, ZERO), "odds": (self.odds, ONE)}
        keep["scores"] = ({} if self.odds is None and self.scores is None else self.scores, ZERO)
        for name, (table, default) in keep.items():
            if table is not None:
                entries = {key: Fraction(value) for key, value in table.items() if value != default}
                object.__setattr__(self, name, entries)

    @property
    def is_exact(self) -> bool:
        """Whether every odds is rational; scores to the base e are not, unless all are 0."""
        return self.odds is not None or self.base != "e" or not self.scores

    def score(self, destination: Iterable[Row], source: Iterable[Row]) -> Fraction:
        """The sum of the scores over all pairs of rows."""
        table, sources = self.scores or {}, tuple(source)
        return sum((table.get((q, s), ZERO) for q in destination for s in sources), ZERO)

    def weight(self, destination: Iterable[Row], source: Iterable[Row]) -> Fraction:
        """The exact odds of a source, a product over all pairs of rows.

        Raises:
            InputError: the head has real scores, so its odds are not rational.
        """
        if self.odds is not None:
            table, sources = self.odds, tuple(source)
            return prod((table.get((q, s), ONE) for q in destination for s in sources), start=ONE)
        score = self.score(destination, source)
        if self.base == "e":
            if score:
                raise InputError(
                    f"head {self.name!r} has the real score {score}: its odds are irrational; enclose them "
                    "(evaluate.enclosed_margins) or replace them (.rational())"
                )
            return ONE
        return self.base ** int(score)


@dataclass(frozen=True)
class HeadTables:
    """A one-layer attention-only transformer as tables: the direct path and the heads.

    Attributes:
        embedding: ``joint``, ``additive`` or ``tokens``: which rows the tables have.
        direct: (destination row, output) to number; 0 where nothing is listed.
        heads: the heads.

    Raises:
        InputError: a row that the embedding does not have.

    >>> q, a = (None, "Q"), (None, "A")
    >>> head = Head(values={(a, "T"): Fraction(3)}, odds={(q, a): Fraction(2)})
    >>> HeadTables("tokens", {}, (head,)).logits(("A", "Q"))
    {'T': Fraction(2, 1)}
    """

    embedding: Embedding
    direct: Values = field(default_factory=dict)
    heads: tuple[Head, ...] = ()

    def __post_init__(self) -> None:
        check_embedding(self.embedding)
        object.__setattr__(self, "heads", tuple(self.heads))
        direct = {key: Fraction(value) for key, value in self.direct.items() if value}
        object.__setattr__(self, "direct", direct)
        seen = {row for row, _ in direct}
        for head in self.heads:
            seen.update(row for row, _ in head.values)
            seen.update(row for pair in (head.scores or head.odds or {}) for row in pair)
        for row in seen:
            self._check_row(row)

    def _check_row(self, row: Row) -> None:
        position, token = row
        kind = (position is not None, token is not None)
        if kind not in _ROW_KINDS[self.embedding]:
            form = {"joint": "(position, token)", "additive": "(position, None) or (None, token)"}
            expected = form.get(self.embedding, "(None, token)")
            raise InputError(f"the row {row!r} is none of the {self.embedding} embedding; expected {expected}")

    @property
    def is_exact(self) -> bool:
        """Whether every logit is a rational number."""
        return all(head.is_exact for head in self.heads)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that some table writes to, sorted."""
        named = {y for _, y in self.direct}.union(*({y for _, y in head.values} for head in self.heads))
        return tuple(sorted(named))

    def logits(self, context: Sequence[str]) -> dict[str, Fraction]:
        """The exact logits of a context (sources, then destination); outputs that no table names are at 0.

        Raises:
            InputError: some head has real scores.
        """
        places = places_of(context)
        rows = [rows_of(self.embedding, place) for place in places]
        total = {y: sum((self.direct.get((r, y), ZERO) for r in rows[-1]), ZERO) for y in self.outputs}
        for head in self.heads:
            odds = [head.weight(rows[-1], source) for source in rows]
            mass = sum(odds, ZERO)
            for y in total:
                written = (
                    a * head.values.get((row, y), ZERO) for a, source in zip(odds, rows, strict=True) for row in source
                )
                total[y] += sum(written, ZERO) / mass
        return total

    # ------------------------------------------------------------------ other forms of the same tables

    def to_proof(self) -> dict[str, Any]:
        """The ``proof`` object of a ``head_tables`` certificate; entries sorted, defaults left out."""
        return {"direct": _entries(self.direct), "heads": [_head_to_json(head) for head in self.heads]}

    @staticmethod
    def from_proof(proof: Mapping[str, Any], embedding: Embedding) -> HeadTables:
        """Read :meth:`to_proof`'s object back; the embedding stands in the certificate's model.

        Raises:
            Refuted: the object has not that shape.
        """
        try:
            heads = tuple(_head_from_json(head) for head in proof["heads"])
            return HeadTables(check_embedding(embedding), _read(proof["direct"], "direct"), heads)
        except Refuted:
            raise
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise Refuted("tables", f"not the tables of one layer of attention: {error}") from None

    def in_embedding(self, embedding: Embedding, task: Task | Domain) -> HeadTables:
        """The same model on the task's contexts, in a wider embedding (tokens ⊂ additive ⊂ joint).

        In ``joint`` every pair of places that occurs together in some context gets its own entry. Exact.

        Raises:
            InputError: the asked embedding is narrower.
        """
        widths = ("tokens", "additive", "joint")
        if widths.index(check_embedding(embedding)) < widths.index(self.embedding):
            raise InputError(
                f"tables of the {self.embedding} embedding cannot be put into {embedding}, which is narrower; "
                "state the construction in that embedding instead"
            )
        if embedding == self.embedding:
            return self
        if embedding == "additive":
            return HeadTables("additive", self.direct, self.heads)
        ends, places, pairs = occurring(task)
        rows = {place: rows_of(self.embedding, place) for place in places}

        def spread(table: Values, keys: Iterable[Place]) -> dict[tuple[Row, str], Fraction]:
            return {
                (place, y): sum((table.get((row, y), ZERO) for row in rows[place]), ZERO)
                for place in keys
                for y in {y for _, y in table}
            }

        heads = []
        for head in self.heads:
            read = head.score if head.odds is None else head.weight
            table: Pairs = {(q, s): read(rows[q], rows[s]) for q, s in pairs}
            scores, odds = (table, None) if head.odds is None else (None, table)
            heads.append(Head(spread(head.values, places), scores, odds, head.base, head.name))
        return HeadTables("joint", spread(self.direct, ends), tuple(heads))

    def restricted(self, task: Task | Domain) -> HeadTables:
        """The same model without the entries that none of the task's contexts reads."""
        ends, places, pairs = occurring(task)
        rows = {place: rows_of(self.embedding, place) for place in places}
        last = {row for place in ends for row in rows[place]}
        sources = {row for place in places for row in rows[place]}
        met = {(q, s) for end, place in pairs for q in rows[end] for s in rows[place]}

        def kept(table: Pairs | None) -> Pairs | None:
            return None if table is None else {pair: value for pair, value in table.items() if pair in met}

        heads = tuple(
            Head(
                {key: value for key, value in head.values.items() if key[0] in sources},
                kept(head.scores),
                kept(head.odds),
                head.base,
                head.name,
            )
            for head in self.heads
        )
        return HeadTables(self.embedding, {k: v for k, v in self.direct.items() if k[0] in last}, heads)

    def rational(self, bits: int = 16) -> HeadTables:
        """Another model, with rational odds in place of real scores: see :func:`.rationalise.rational_odds`."""
        from expressivity.attention.rationalise import rational_odds

        return rational_odds(self, bits)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """A figure of all tables, in ``ax`` or a new figure: :func:`~expressivity.attention.plots.plot_tables`."""
        from expressivity.attention.plots import plot_tables

        return plot_tables(self, ax=ax)

    def _repr_html_(self) -> str:
        from expressivity.attention.table_view import tables_html

        return tables_html(self)


def occurring(
    contexts: Iterable[Sequence[str]] | Task | Domain,
) -> tuple[list[Place], list[Place], list[tuple[Place, Place]]]:
    """Destinations, sources (with the destinations), and the pairs of the two that meet in a context, sorted.

    The contexts are listed, or those of a task or a domain.

    >>> occurring([("A", "Q")])
    ([(1, 'Q')], [(0, 'A'), (1, 'Q')], [((1, 'Q'), (0, 'A')), ((1, 'Q'), (1, 'Q'))])
    """
    if isinstance(contexts, Domain):
        return contexts.occurring()
    pairs: set[tuple[Place, Place]] = set()
    for context in contexts.contexts if isinstance(contexts, Task) else contexts:
        places = places_of(context)
        pairs.update((places[-1], place) for place in places)
    return sorted({q for q, _ in pairs}), sorted({s for _, s in pairs}), sorted(pairs)


def _show_pair(pair: tuple[Row, Row]) -> str:
    return f"destination {show_row(pair[0])!r}, source {show_row(pair[1])!r}"


def _order(key: tuple[Row, Any]) -> tuple[Any, ...]:
    row, other = key
    right = (other,) if isinstance(other, str) else (other[0] is not None, other[0] or 0, other[1] or "")
    return (row[0] is not None, row[0] or 0, row[1] or "", *right)


def _entries(table: Mapping[tuple[Row, Any], Fraction]) -> list[list[Any]]:
    return [
        [list(row), other if isinstance(other, str) else list(other), rational_text(table[row, other])]
        for row, other in sorted(table, key=_order)
    ]


def _head_to_json(head: Head) -> dict[str, Any]:
    values = _entries(head.values)
    if head.odds is not None:
        return {"odds": _entries(head.odds), "values": values}
    base = "e" if head.base == "e" else rational_text(head.base)
    return {"scores": _entries(head.scores or {}), "base": base, "values": values}


def _head_from_json(head: Mapping[str, Any]) -> Head:
    values = _read(head["values"], "values")
    if "odds" in head:
        return Head(values, odds=_read(head["odds"], "odds"))
    base = head["base"]
    return Head(values, scores=_read(head["scores"], "scores"), base="e" if base == "e" else rational(base, "base"))


def _read(entries: Iterable[Sequence[Any]], where: str) -> dict[Any, Fraction]:
    table: dict[Any, Fraction] = {}
    for left, right, value in entries:
        key = (_row(left), right if isinstance(right, str) else _row(right))
        if key in table:
            raise ValueError(f"two entries of {where} for {key!r}")
        table[key] = rational(value, f"an entry of {where}")
    return table


def _row(row: Sequence[Any]) -> Row:
    position, token = row
    return position, token
