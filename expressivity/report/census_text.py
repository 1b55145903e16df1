"""What a census found, as text and as JSON."""

from __future__ import annotations

from typing import Any

from expressivity.census import Census, Plan
from expressivity.census.store import ARCHIVE, SHORT, TABLE

SHOWN = 10  # open functions listed one by one


def census_text(census: Census) -> str:
    """Counts by order and heads, and what stayed open."""
    plan = census.plan
    sampled = plan.sample is not None
    what = f"{plan.rows:,} functions drawn at random" if sampled else f"{plan.rows:,} classes of functions"
    of = f"{plan.inputs} inputs" if plan.is_boolean else _shape(plan)
    lines = [f"census of {of} · embedding {plan.embedding} · {what}", ""]
    rows = [("order", "functions" if sampled else "classes", *([] if sampled else ["functions"]), "heads")]
    counted, weighted = census.count("order"), census.count("order", weighted=True)
    by_heads = census.count("order", "heads_lower", "heads_upper")
    for (order,), many in sorted(counted.items()):
        heads = [
            (_bounds(lower, upper), number)
            for (o, lower, upper), number in sorted(by_heads.items(), key=lambda item: str(item[0]))
            if o == order
        ]
        shown = heads[0][0] if len(heads) == 1 else ", ".join(f"{bounds}: {number:,}" for bounds, number in heads)
        rows.append((str(order), f"{many:,}", *([] if sampled else [f"{weighted[order,]:,}"]), shown))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    for row in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=True))
        lines.append(f"  {numbers}  {row[-1] if plan.heads else ''}".rstrip())
    if plan.heads:
        share = census.closed / plan.rows
        lines += ["", f"  the bounds on heads meet for {census.closed:,} of {plan.rows:,} ({share:.4%})"]
        lines += _open(census)
    if census.folder is not None:
        lines += ["", f"  {census.folder / SHORT}: orders and heads", f"  {census.folder / TABLE}: with every proof"]
        if census.certificates:
            lines.append(f"  {census.folder / ARCHIVE}: {census.certificates:,} certificates, for expressivity verify")
    return "\n".join(lines)


def _shape(plan: Plan) -> str:
    positions = f"{plan.inputs} position{'s' if plan.inputs != 1 else ''}"
    return f"{positions} · {plan.tokens} tokens · {plan.outputs} outputs"


def _bounds(lower: int, upper: int | None) -> str:
    return str(lower) if lower == upper else f"{lower}..{'?' if upper is None else upper}"


def _open(census: Census) -> list[str]:
    table = census.table
    found = [
        f"  open: {census.plan.spec(function)}  heads {_bounds(lower, upper)}"
        for function, lower, upper in zip(table["function"], table["heads_lower"], table["heads_upper"], strict=True)
        if lower != upper
    ]
    more = [f"  … and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
    return [*found[:SHOWN], *more]


def census_json(census: Census) -> dict[str, Any]:
    """The plan and the counts; ``open`` lists the functions whose bounds do not meet."""
    plan, table = census.plan, census.table
    weighted = census.count("order", "heads_lower", "heads_upper", weighted=True)
    return {
        "inputs": plan.inputs,
        "tokens": plan.tokens,
        "outputs": plan.outputs,
        "embedding": plan.embedding,
        "sample": plan.sample,
        "seed": plan.seed,
        "rows": plan.rows,
        "closed": census.closed if plan.heads else None,
        "counts": [
            {"order": order, "heads_lower": lower, "heads_upper": upper, "rows": many,
             "functions": weighted[order, lower, upper]}
            for (order, lower, upper), many in sorted(
                census.count("order", "heads_lower", "heads_upper").items(), key=str)
        ],
        "open": [
            {"function": function, "heads_lower": lower, "heads_upper": upper}
            for function, lower, upper in zip(
                table["function"], table["heads_lower"], table["heads_upper"], strict=True)
            if plan.heads and lower != upper
        ],
        "folder": None if census.folder is None else str(census.folder),
        "certificates": census.certificates,
    }  # fmt: skip
