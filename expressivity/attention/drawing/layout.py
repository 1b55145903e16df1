"""Tables laid out for people: rows and columns with names and an order, of one layer or of several.

Figures and notebook tables are made from these views, so that they show the same numbers in the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from expressivity.attention.layered import Direction, LayeredHead, LayeredTables
from expressivity.attention.tables import ONE, ZERO, Head, HeadTables, show_row
from expressivity.errors import InputError
from expressivity.pictures import html_block, html_table, number_text, visible

Tables = HeadTables | LayeredTables
MOST_COLUMNS = 8  # of one kind in a notebook's table, before their entries are listed in one


@dataclass(frozen=True)
class HeadView:
    """One head's tables, laid out.

    Attributes:
        name: of the head, and where it stands if there are several layers.
        ends: the destinations with entries of their own; empty for a head that attends to all alike.
        keys: the sources by which it chooses. In one layer these are the sources of all heads, in the same order.
        attention: destinations × keys: scores, or odds.
        sources: what it writes from; in one layer the same as ``keys``.
        targets: the outputs (or directions) that it writes to.
        values: sources × targets.
        is_odds: which of the two ``attention`` holds.
        base: of the scores, for people; empty for odds and for the base e.
    """

    name: str
    ends: tuple[str, ...]
    keys: tuple[str, ...]
    attention: tuple[tuple[Fraction, ...], ...]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    values: tuple[tuple[Fraction, ...], ...]
    is_odds: bool
    base: str

    @property
    def default(self) -> Fraction:
        """What stands in ``attention`` where a table says nothing."""
        return ONE if self.is_odds else ZERO

    @property
    def kind(self) -> str:
        """``odds`` or ``score``, with the base if it is not e."""
        return "odds" if self.is_odds else f"score{self.base and f' (base {self.base})'}"

    @property
    def title(self) -> str:
        """The name, and what there is to say when the head has no preference."""
        return self.name if self.ends else f"{self.name} (attends to all alike)"


@dataclass(frozen=True)
class TablesView:
    """All tables, laid out: the heads in order, then the direct path (``ends`` × ``outputs``)."""

    heads: tuple[HeadView, ...]
    ends: tuple[str, ...]
    outputs: tuple[str, ...]
    direct: tuple[tuple[Fraction, ...], ...]

    @staticmethod
    def of(tables: Tables) -> TablesView:
        """Lay tables out. In one layer all heads have the same sources and outputs, so that they can be compared."""
        shared: list[Any] | None = None
        if isinstance(tables, HeadTables):
            shared = _sorted(s for h in tables.heads for s in (*(s for _, s in _pairs(h)), *(s for s, _ in h.values)))
        heads = []
        for name, head in _named(tables):
            keys = _sorted(s for _, s in _pairs(head)) if shared is None else shared
            sources = _sorted(s for s, _ in head.values) if shared is None else shared
            targets = list(tables.outputs) if shared is not None else _sorted(y for _, y in head.values)
            ends = _sorted(q for q, _ in _pairs(head))
            default = ZERO if head.odds is None else ONE
            base = "" if head.odds is not None or head.base == "e" else str(head.base)
            heads.append(
                HeadView(
                    name,
                    _names(ends),
                    _names(keys),
                    _table(_pairs(head), ends, keys, default),
                    _names(sources),
                    _names(targets),
                    _table(head.values, sources, targets, ZERO),
                    head.odds is not None,
                    base,
                )
            )
        rows = _sorted(row for row, _ in tables.direct)
        return TablesView(tuple(heads), _names(rows), tables.outputs, _table(tables.direct, rows, tables.outputs, ZERO))

    def head(self, which: int | str) -> HeadView:
        """A head by its place among all, or by its name.

        Raises:
            InputError: there is none, or several of that name.
        """
        names = [head.name for head in self.heads]
        found = [i for i, name in enumerate(names) if name == which] if isinstance(which, str) else [which]
        if len(found) != 1 or not 0 <= found[0] < len(names):
            asked = (
                f"{len(found)} heads are called {which!r}" if isinstance(which, str) else f"there is no head {which}"
            )
            raise InputError(f"{asked}; there are {len(names)}: {', '.join(names)}")
        return self.heads[found[0]]


def tables_html(tables: Tables) -> str:
    """Tables for a notebook: for each head a row for each source, with its odds or score from each destination and
    what it writes; then the direct path. Exact numbers, escaped names.
    """
    view = TablesView.of(tables)
    parts = [_head_html(head) for head in view.heads]
    if view.direct:
        names, cells = _columns("writes", _arrows(view.outputs), view.direct, ZERO)
        rows = [[end, *row] for end, row in zip(view.ends, cells, strict=True)]
        parts.append(html_block("direct path", "", [_numbers_table(["from", *names], rows)]))
    count = f"{len(view.heads)} head{'s' * (len(view.heads) != 1)}"
    layers = f", {tables.n_layers} layers" if isinstance(tables, LayeredTables) else ""
    return html_block(type(tables).__name__, f"{count}{layers}, embedding {tables.embedding}", parts)


def _head_html(head: HeadView) -> str:
    chosen, scores = _columns(
        f"{head.kind} at", [visible(end) for end in head.ends], list(zip(*head.attention, strict=True)), head.default
    )
    targets, values = _columns("writes", _arrows(head.targets), head.values, ZERO)
    if head.keys == head.sources:
        both = scores if head.ends else [[] for _ in head.keys]
        rows = [[name, *a, *v] for name, a, v in zip(head.sources, both, values, strict=True)]
        parts = [_numbers_table(["source", *chosen, *targets], rows)]
    else:
        tables = ((chosen, head.keys, scores), (targets, head.sources, values))
        parts = [
            _numbers_table(["source", *names], [[row, *cells] for row, cells in zip(rows, table, strict=True)])
            for names, rows, table in tables
            if rows
        ]
    return html_block(visible(head.title, 60), "", parts)


def _columns(
    what: str, names: Sequence[str], table: Sequence[Sequence[Fraction]], default: Fraction
) -> tuple[list[str], list[list[str]]]:
    """A column for each name; where these are many, one column that lists what is not the default."""
    if len(names) <= MOST_COLUMNS:
        shown = [name if name.startswith("→") else f"{what} {name}" for name in names]
        return shown, [list(map(_exact, row)) for row in table]
    listed = []
    for row in table:
        found = [f"{name}: {_exact(value)}" for name, value in zip(names, row, strict=True) if value != default]
        more = f", … and {len(found) - MOST_COLUMNS} more" if len(found) > MOST_COLUMNS else ""
        listed.append([", ".join(found[:MOST_COLUMNS]) + more])
    return [what], listed


def _numbers_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    shown = [[visible(row[0], 40), *row[1:]] for row in rows]
    lists = [i for i, name in enumerate(header) if name in ("source", "from", "writes") or name.endswith(" at")]
    return html_table(header, shown, numbers=set(range(len(header))) - set(lists))


def _arrows(targets: Iterable[str]) -> list[str]:
    return [target if target.startswith("→") else f"→ {visible(target)}" for target in targets]


def _exact(value: Fraction) -> str:
    return number_text(value, 24)


def _named(tables: Tables) -> list[tuple[str, Head | LayeredHead]]:
    if isinstance(tables, HeadTables):
        return [(head.name or f"head {h}", head) for h, head in enumerate(tables.heads)]
    return [
        (f"{layer}.{h}{head.name and f' {head.name}'}", head)
        for layer, heads in enumerate(tables.layers)
        for h, head in enumerate(heads)
    ]


def _pairs(head: Head | LayeredHead) -> Mapping[tuple[Any, Any], Fraction]:
    return (head.scores or {}) if head.odds is None else head.odds


def _sorted(names: Iterable[Any]) -> list[Any]:
    return sorted(set(names), key=_order)


def _order(name: Any) -> tuple[Any, ...]:
    """Tokens by name, then positions by number; (position, token) pairs by position."""
    if isinstance(name, Direction):
        number = name.symbol if isinstance(name.symbol, int) else -1
        return (name.is_output, name.space, number, str(name.symbol))
    if isinstance(name, str):
        return (0, 0, name)
    position, token = name
    return (0, 0, token) if position is None else (1, position, token or "")


def _names(names: Iterable[Any]) -> tuple[str, ...]:
    return tuple(show_row(name) if type(name) is tuple else str(name) for name in names)


def _table(
    entries: Mapping[tuple[Any, Any], Fraction], rows: Sequence[Any], columns: Sequence[Any], default: Fraction
) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(entries.get((row, column), default) for column in columns) for row in rows)
