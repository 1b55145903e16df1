"""Rows and places: what tables are indexed by, and which of them the contexts of a task read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from expressivity.attention.models import Embedding
from expressivity.task import Domain, Task

Row = tuple[int | None, str | None]
Place = tuple[int, str]
"""A token at a position, counted from 0."""
Values = Mapping[tuple[Row, str], Fraction]
Pairs = Mapping[tuple[Row, Row], Fraction]

ZERO, ONE = Fraction(0), Fraction(1)


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
