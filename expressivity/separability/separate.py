"""From rows to a proof: the decision itself."""

from __future__ import annotations

from .active import decide_by_parts, is_large
from .clock import Clock, OutOfTime, Progress, single_threaded
from .elimination import eliminate
from .layers import Layer, one_sided_columns
from .outcome import Cancellation, Flags, Mask, Outcome, Separator, Undecided, equal_mask
from .propose import Proposer
from .reduce import Reduced, reduce
from .refine import Refinement
from .rows import Array, IntegerRows
from .simplex import simplex

_SMALL = 600  # entries (rows × columns) up to which the exact simplex method is at least as fast as anything
_NARROW = 12  # columns up to which the exact simplex method needs no help from linear programming in floats


def separate(
    rows: IntegerRows,
    equal: Flags | None = None,
    *,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Decide whether some weights give every strict row at least 1 and every equal row 0, with a checked proof.

    Exactly one of the two certificates exists (Motzkin 1936), and it is found: the answer is a :class:`Separator` or a
    :class:`Cancellation` that has passed its own ``check`` in exact integers, whatever the size of the entries.

    Args:
        rows: the comparisons, one integer row each.
        equal: one Boolean for each row, true where the row is to be exactly 0; default: all rows are strict.
        time_limit: seconds after which the answer is ``Undecided``; default: none.
        progress: called with a line of text now and then.

    Returns:
        The separator; or an irreducible cancellation; or, only when the time limit is reached, ``Undecided``.

    Example:
        >>> xor = IntegerRows.from_dense([[-1, 0, 0], [1, 0, 1], [1, 1, 0], [-1, -1, -1]])  # constant, A, C
        >>> separate(xor).multipliers
        {0: 1, 1: 1, 2: 1, 3: 1}
        >>> separate(xor, equal=[False, True, False, True]).multipliers
        {0: 1, 1: 1, 2: 1, 3: 1}
        >>> type(separate(IntegerRows.from_dense([[1, 0], [1 - 2**70, 1]]))).__name__
        'Separator'
    """
    mask = equal_mask(rows, equal)
    clock = Clock(time_limit, progress)
    try:
        with single_threaded(rows.n_columns):
            found = _decide(rows, mask, clock)
            found.check(rows, mask)
            return found
    except OutOfTime:
        return Undecided(f"the time limit of {time_limit} s was reached after {clock.last}; a longer one may decide it")


def _decide(rows: IntegerRows, equal: Mask, clock: Clock, start: Array | None = None) -> Separator | Cancellation:
    """An exact answer. Each round makes the question smaller, and remembers how to carry an answer back.

    ``start`` is where logistic regression may begin.
    """
    trail: list[Reduced | Layer] = []
    while True:
        found: Separator | Cancellation | Layer | None
        if equal.all():
            found = Separator((0,) * rows.n_columns, "nothing to separate")
        else:
            reduced = reduce(rows, equal)
            found = reduced.answer
            if found is None:
                trail.append(reduced)
                start = None if start is None else start[reduced.columns]
                found = _propose(reduced, clock, start)
                rows, equal = reduced.rows, reduced.equal
        if isinstance(found, Layer):
            trail.append(found)
            rows, equal = rows.take(found.left), equal[found.left]
            continue
        for step in reversed(trail):
            found = step.lift(found)
        return found


def _propose(reduced: Reduced, clock: Clock, start: Array | None) -> Separator | Cancellation | Layer:
    """The first certificate, or layer of rows that can be set aside, in the order of what the methods cost."""
    hint: list[int] = []
    starts: list[list[int]] = []
    if reduced.rows.n_rows * reduced.rows.n_columns > _SMALL:
        layer = one_sided_columns(reduced.rows, reduced.equal)
        if layer is not None:
            return layer
        if is_large(reduced.rows):
            return decide_by_parts(reduced.rows, reduced.equal, clock, _decide)
        reduced.drop_dependent_ties()
        proposer = Proposer(reduced.rows, reduced.equal, clock, start)
        found = proposer.run() or eliminate(reduced.rows, reduced.equal)
        if found is not None:
            return found
        hint = proposer.hint().tolist()
        if reduced.rows.n_columns > _NARROW:
            refinement = Refinement(reduced.rows, reduced.equal, clock)
            found = refinement.run()
            if found is not None:
                return found
            starts = refinement.starts()
    return simplex(reduced.rows, reduced.equal, clock, hint, starts)
