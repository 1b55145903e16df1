"""The gallery as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from expressivity.heads.facts import Fact, Finding, Row
from expressivity.task.domain import shown_number
from expressivity.task.tokens import cut

HEADINGS = ("construction", "task", "layers", "heads", "d_head", "level", "contexts (classes)", "margin")
NUMBERS = (2, 3, 4)  # columns that are flush right
LONGEST = 30  # letters of a name, digits of a number


def gallery_text(rows: Iterable[Row]) -> str:
    """Every construction with a line for each fact about it, in columns."""
    listed = list(rows)
    cells = [[_cells(fact) for fact in row.facts] for row in listed]
    widths = [
        max(map(len, column)) for column in zip(HEADINGS, *(line for lines in cells for line in lines), strict=True)
    ]

    def line(entries: Sequence[str]) -> str:
        aligned = (
            entry.rjust(width) if i in NUMBERS else entry.ljust(width)
            for i, (entry, width) in enumerate(zip(entries, widths, strict=True))
        )
        return ("    " + "  ".join(aligned)).rstrip()

    blocks = [line(HEADINGS), ""]
    for row, lines in zip(listed, cells, strict=True):
        blocks += [f"  {row.form}", f"    {row.description}", *map(line, lines), ""]
    return "\n".join(blocks[:-1])


def gallery_json(rows: Iterable[Row]) -> str:
    """A JSON object for each construction, a line each; contexts are digits, as they may be many."""
    made = (
        {"name": row.form, "description": row.description, "facts": [asdict(fact) for fact in row.facts]}
        for row in rows
    )
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in made)


def finding_text(finding: Finding) -> str:
    """One construction proved again, or what is wrong."""
    if finding.problem or finding.fact is None:
        return f"✗ {finding.name}: {finding.problem}"
    *_, contexts, margin = _cells(finding.fact)
    return f"✓ {finding.name}: {contexts} contexts, margin {margin}"


def finding_json(finding: Finding) -> str:
    """The same on a line of JSON."""
    fact = None if finding.fact is None else asdict(finding.fact)
    found = {"name": finding.name, "holds": not finding.problem, "problem": finding.problem or None, "fact": fact}
    return json.dumps(found, ensure_ascii=False)


def _cells(fact: Fact) -> list[str]:
    many = shown_number(int(fact.contexts))
    return [
        cut(fact.name, LONGEST),
        cut(fact.task, LONGEST),
        *map(str, (fact.layers, fact.heads, fact.d_head)),
        fact.level,
        many if str(fact.classes) == fact.contexts else f"{many} ({fact.classes})",
        _short(fact.margin),
    ]


def _short(margin: str) -> str:
    """A fraction of many digits by its value."""
    top, _, bottom = margin.partition("/")
    is_long = len(margin) > LONGEST and top.isdecimal() and bottom.isdecimal()
    return f"≈ {int(top) / int(bottom):.10g}" if is_long else margin
