"""The face: the outputs on which the infimum is attained.

The loss may have no minimum. Along a direction of logits that is largest, at every context, on all outputs that the
task gives a chance there, it never rises. An output at which some such direction is smaller has chance 0 in the limit;
the others form the *face*, and on the face alone the minimum is attained (Albert & Anderson 1984 for labels). One
direction that is smaller everywhere off the face proves that the face is not larger; cancelling comparisons, which move
chance onto an output at equal moments, prove that it is not smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

import numpy as np

from expressivity.cross_entropy.problem import Array, Masses, Pairs, Problem, logits_of
from expressivity.separability import Cancellation, IntegerRows, Separator, separate


@dataclass(frozen=True)
class Face:
    """A support and the way to it.

    Attributes:
        support: Boolean ``[classes, outputs]``.
        direction: integers ``[features][outputs]`` whose logits at each context are equal on the support and at least 1
            smaller off it. Exact: the face is not larger than the support.
        inner: masses with the task's moments, positive on all of the support. Exact: the face is not smaller. ``None``
            when that rests on a float guess.
    """

    support: Array
    direction: list[list[int]]
    inner: Masses | None


def find_face(
    part: Problem, support: Array, grams: Array, rows: Pairs, guess: Array | None, deadline: float
) -> Face | None:
    """The face within what :func:`~expressivity.cross_entropy.problem.never_together` leaves.

    Args:
        part: the problem.
        support: what is left.
        grams: the grams and outputs never together.
        rows: the pairs of ``support``, without the columns ``grams``, each head among the outputs with a chance.
        guess: for each pair whether it is believed to be on the face; ``None`` believes nothing and proves everything,
            one cancellation after another.
        deadline: on the clock ``time.monotonic``.

    Returns:
        ``None`` when the deadline passed.
    """
    seen = part.seen[rows.owner, rows.output]
    on = seen if guess is None else seen | guess
    inner = [list(row) for row in part.mass] if (on == seen).all() else None
    down: Sequence[int] = [0] * rows.matrix.shape[1]
    while not on.all():
        outcome = separate(IntegerRows.from_scipy(-rows.matrix), on, time_limit=max(0.0, deadline - monotonic()))
        if isinstance(outcome, Separator):
            down = outcome.weights
            break
        if not isinstance(outcome, Cancellation):
            return None
        on = on.copy()
        on[list(outcome.multipliers)] = True
        if inner is not None:
            _move(inner, rows, outcome)
    face = support.copy()
    face[rows.owner[~on], rows.output[~on]] = False
    return Face(face, direction(part, support, grams, rows, down), inner)


def _move(inner: Masses, rows: Pairs, found: Cancellation) -> None:
    """A step along a cancellation, at most half as long as would use up a mass; a power of two, for short numbers."""
    change: dict[tuple[int, int], int] = {}
    for i, multiplier in found.multipliers.items():
        x = int(rows.owner[i])
        for y, factor in ((int(rows.output[i]), multiplier), (int(rows.head[x]), -multiplier)):
            change[x, y] = change.get((x, y), 0) + factor
    room = min(-inner[x][y] / value for (x, y), value in change.items() if value < 0)
    step = Fraction(2) ** (room.numerator.bit_length() - room.denominator.bit_length() - 2)
    for (x, y), value in change.items():
        inner[x][y] += step * value


def direction(part: Problem, support: Array, grams: Array, rows: Pairs, down: Sequence[int]) -> list[list[int]]:
    """``down`` on its columns, and so much less on grams and outputs never together that ``down`` lifts nothing there.

    Only those grams are used, shorter ones first, that push down what the ones before them do not. Exact.
    """
    found = [[0] * support.shape[1] for _ in part.features]
    for (feature, output), value in zip(rows.columns.tolist(), down, strict=True):
        found[feature][output] = int(value)
    if support.all():
        return found
    logits = logits_of(part, found)
    lift = max(logits[x][y] - logits[x][rows.head[x]] for x, y in np.argwhere(~support).tolist())
    covered = support.copy()
    by_gram = part.matrix.tocsc()
    for feature, output in np.argwhere(grams).tolist():
        here = by_gram.indices[by_gram.indptr[feature] : by_gram.indptr[feature + 1]]
        if not covered[here, output].all():
            covered[here, output] = True
            found[feature][output] -= 1 + max(0, lift)
    return found
