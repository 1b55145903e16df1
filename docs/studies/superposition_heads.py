"""How many heads of which width two tasks of the literature take: ``python docs/studies/superposition_heads.py``.

The tasks are those of attention-head superposition: skip-trigrams that share their source (Circuits Updates, May and
July 2023) and two signals among noise (Greenspan & Wynroe 2023). For each embedding and each bound on the width the two
sides of ``expressivity heads``, without the gallery's constructions: the upper ones are theorem T2 or found by search.
"""

from __future__ import annotations

from typing import Any

import click

from expressivity.attention import EMBEDDINGS
from expressivity.heads.bounds import HeadBounds, bound_heads
from expressivity.task import Task

TASKS = ("ov-incoherent:3", "ov-coherent:3", "ov-coherent:4")
WIDTHS = (None, 1, 2)
RESTARTS = 160


def bounds(name: str, embedding: Any, d_head: int | None) -> HeadBounds:
    """Both sides for one task."""
    return bound_heads(Task.load(name), embedding=embedding, d_head=d_head, restarts=RESTARTS)


def cell(found: HeadBounds) -> str:
    """The number of heads, or the two bounds on it, with the reason for the upper one."""
    number = f"{found.lower}" if found.is_closed else f"{found.lower} to {'?' if found.upper is None else found.upper}"
    reason = found.sandwich.upper_reason
    short = "search" if "search" in reason else "T3" if "(T3)" in reason else "T2" if "(T2)" in reason else reason
    return f"{number} ({short})"


def main() -> None:
    """Print the table."""
    click.echo("| task | embedding | " + " | ".join(f"d_head {w}" if w else "any d_head" for w in WIDTHS) + " |")
    click.echo("|---|---|" + "---|" * len(WIDTHS))
    for name in TASKS:
        for embedding in EMBEDDINGS:
            found = (bounds(name, embedding, width) for width in WIDTHS)
            click.echo(f"| `{name}` | `{embedding}` | " + " | ".join(map(cell, found)) + " |")


if __name__ == "__main__":
    main()
