"""One layer of attention as tables: the direct path and its heads, and the same model in other forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from expressivity.attention.models import Embedding, check_embedding
from expressivity.attention.tables.head import Head
from expressivity.attention.tables.rows import ZERO, Pairs, Place, Row, Values, occurring, places_of, rows_of
from expressivity.attention.tables.written import read_head, read_table, write_head, write_table
from expressivity.errors import InputError, Refuted
from expressivity.task import Domain, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_KINDS = {"joint": {(True, True)}, "additive": {(True, False), (False, True)}, "tokens": {(False, True)}}


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
        return {"direct": write_table(self.direct), "heads": [write_head(head) for head in self.heads]}

    @staticmethod
    def from_proof(proof: Mapping[str, Any], embedding: Embedding) -> HeadTables:
        """Read :meth:`to_proof`'s object back; the embedding stands in the certificate's model.

        Raises:
            Refuted: the object has not that shape.
        """
        try:
            heads = tuple(read_head(head) for head in proof["heads"])
            return HeadTables(check_embedding(embedding), read_table(proof["direct"], "direct"), heads)
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
        """Another model, with rational odds in place of real scores: see :func:`.rational_odds`."""
        from expressivity.attention.margins.rational import rational_odds

        return rational_odds(self, bits)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """A figure of all tables, in ``ax`` or a new figure: :func:`~expressivity.attention.plot_tables`."""
        from expressivity.attention.drawing.plots import plot_tables

        return plot_tables(self, ax=ax)

    def _repr_html_(self) -> str:
        from expressivity.attention.drawing.layout import tables_html

        return tables_html(self)
