"""A domain as the few contexts that stand for all of it, because tables do not tell the others apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expressivity.attention.margins.filling import shapes
from expressivity.attention.margins.orbits import MOST_ORBITS, Alike, Budget
from expressivity.attention.tables import HeadTables
from expressivity.errors import InputError
from expressivity.task import Domain, Task


def by_symmetry(tables: HeadTables, domain: Domain, limit: int = MOST_ORBITS) -> tuple[Task, list[dict[str, Any]]]:
    """Contexts that stand for every context of a domain, and the ``symmetries`` of a certificate, by which they do.

    Blocks are positions that no head tells apart, kinds the tokens of one kind that no head tells apart there.

    Raises:
        InputError: more contexts than ``limit`` are needed.

    >>> from expressivity.task import parity_domain
    >>> task, (symmetry,) = by_symmetry(HeadTables("tokens"), parity_domain(3))
    >>> len(task.contexts), symmetry["blocks"]
    (4, [{'positions': [0, 1, 2], 'kinds': [['0'], ['1']]}])
    """
    alike, budget = Alike(tables, domain.outputs), Budget(domain.name, limit)
    contexts, requirements, symmetries = [], [], []
    for shape in shapes(domain, alike, budget.spend):
        for case, context, _ in shape.classes():
            contexts.append(context)
            requirements.append(case.requirements)
            if len(contexts) > limit:
                budget.exceeded()
        blocks = [
            {"positions": group, "kinds": [tokens for cells in by_kind for tokens in cells.values()]}
            for _, filling in shape.fillings
            for group, by_kind in zip(filling.groups, filling.cells, strict=True)
        ]
        symmetries.append({"destination": shape.end[1], "length": shape.end[0], "blocks": blocks})
    return Task(contexts, requirements, outputs=domain.outputs, name=domain.name), symmetries


def covering(task: Task, symmetries: Sequence[Mapping[str, Any]]) -> Task:
    """Contexts in which every place occurs that occurs in some context for which those of the task stand.

    In each, the sources of a block are turned round and each becomes the next token of its kind, so often until all
    have been everywhere.
    """
    entries = {(entry["length"], entry["destination"]): entry["blocks"] for entry in symmetries}
    found: dict[tuple[str, ...], int] = {}
    for index, context in enumerate(task.contexts):
        blocks = entries.get((context.length, context.destination))
        if blocks is None:
            raise InputError(f"no symmetry is about the destination {context.destination!r} after {context.length}")
        turns = max((len(block["positions"]) for block in blocks), default=1)
        sizes = max((len(kind) for block in blocks for kind in block["kinds"]), default=1)
        for turn in range(max(turns, 1)):
            for step in range(max(sizes, 1)):
                placed = list(context)
                for block in blocks:
                    home = {token: kind for kind in block["kinds"] for token in kind}
                    positions = block["positions"]
                    for n, position in enumerate(positions):
                        token = context[positions[(n + turn) % len(positions)]]
                        kind = home[token]
                        placed[position] = kind[(kind.index(token) + step) % len(kind)]
                found.setdefault(tuple(placed), index)
    return Task(found, [task.requirements[index] for index in found.values()], outputs=task.outputs, name=task.name)
