"""Tables for notebooks: HTML that needs nothing else, reads on dark and on light, and escapes whatever it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MOST_ROWS = 24
_CELL = "padding:2px 10px 2px 0;border:none;vertical-align:top"
_LINE = "border-bottom:1px solid currentColor"


def html_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = (), most: int = MOST_ROWS
) -> str:
    """A table of text cells, all escaped.

    Args:
        header: names of the columns.
        rows: as many cells each.
        numbers: the columns that are set flush right.
        most: rows shown before "… and n more".

    >>> html_table(["token"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    right = set(numbers)

    def cell(kind: str, text: str, column: int, line: str = "") -> str:
        align = "right" if column in right else "left"
        return f'<{kind} style="{_CELL};text-align:{align}{line}">{escape(text)}</{kind}>'

    listed = list(rows)
    head = "".join(cell("th", text, i, f";{_LINE}") for i, text in enumerate(header))
    body = "".join(f"<tr>{''.join(cell('td', text, i) for i, text in enumerate(row))}</tr>" for row in listed[:most])
    if len(listed) > most:
        body += f'<tr><td colspan="{len(header)}" style="{_CELL}">… and {len(listed) - most} more</td></tr>'
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums;margin:4px 0 8px 0"
    return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def html_block(title: str, note: str = "", parts: Iterable[str] = ()) -> str:
    """A title in bold, a note beside it, both escaped; then parts that are HTML already.

    >>> html_block("a & b")
    '<div style="margin:4px 0"><b>a &amp; b</b></div>'
    """
    beside = f" · {escape(note)}" if note else ""
    return f'<div style="margin:4px 0"><b>{escape(title)}</b>{beside}{"".join(parts)}</div>'
