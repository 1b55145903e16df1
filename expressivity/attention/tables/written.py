"""Tables as a certificate writes them: lists, sorted, without defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from expressivity.attention.tables.head import Head
from expressivity.attention.tables.rows import Row
from expressivity.certificate import rational, rational_text


def _order(key: tuple[Row, Any]) -> tuple[Any, ...]:
    row, other = key
    right = (other,) if isinstance(other, str) else (other[0] is not None, other[0] or 0, other[1] or "")
    return (row[0] is not None, row[0] or 0, row[1] or "", *right)


def write_table(table: Mapping[tuple[Row, Any], Fraction]) -> list[list[Any]]:
    """The entries ``[row, row or output, number]``, sorted."""
    return [
        [list(row), other if isinstance(other, str) else list(other), rational_text(table[row, other])]
        for row, other in sorted(table, key=_order)
    ]


def write_head(head: Head) -> dict[str, Any]:
    """A head as the certificate's object."""
    values = write_table(head.values)
    if head.odds is not None:
        return {"odds": write_table(head.odds), "values": values}
    base = "e" if head.base == "e" else rational_text(head.base)
    return {"scores": write_table(head.scores or {}), "base": base, "values": values}


def read_head(head: Mapping[str, Any]) -> Head:
    """Read :func:`write_head`'s object back."""
    values = read_table(head["values"], "values")
    if "odds" in head:
        return Head(values, odds=read_table(head["odds"], "odds"))
    base = head["base"]
    return Head(
        values, scores=read_table(head["scores"], "scores"), base="e" if base == "e" else rational(base, "base")
    )


def read_table(entries: Iterable[Sequence[Any]], where: str) -> dict[Any, Fraction]:
    """Read :func:`write_table`'s entries back; no two may be for the same cell."""
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
