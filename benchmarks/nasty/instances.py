"""The collection: families of instances, each made afresh and always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import degenerate, exponential, matrices, scaled, small, thin
from .instance import Instance

FAMILIES: dict[str, Callable[[], Iterator[Instance]]] = {
    make.__name__: make
    for make in (
        exponential.last_write_wins,
        exponential.by_a_hair,
        exponential.odd_max_bit_cube,
        exponential.odd_max_bit,
        exponential.greater_than,
        exponential.decision_lists,
        thin.one_part,
        thin.nearly_duplicated,
        thin.wedges,
        degenerate.repeated_rows,
        degenerate.dependent_columns,
        degenerate.one_point,
        degenerate.cross_polytopes,
        degenerate.assignment,
        degenerate.transport,
        degenerate.parity,
        degenerate.empty_rows,
        scaled.scaled,
        scaled.huge_entries,
        scaled.tied,
        scaled.shapes,
        scaled.layers,
        matrices.hilbert,
        matrices.random_signs,
        matrices.vandermonde,
        matrices.klee_minty,
        small.border,
    )
}


def instances() -> Iterator[Instance]:
    """All instances of all families."""
    for make in FAMILIES.values():
        yield from make()
