"""Which rows some weights can make positive, and which they cannot: both at once.

For integer rows ``a_i`` there are always ``w`` and ``λ`` with

    a_i · w ≥ 0,   λ_i ≥ 0,   Σ λ_i a_i = 0,   a_i · w + λ_i > 0   for every i

(Tucker 1956, strict complementarity). Exactly one of the last two terms is positive, because ``Σ λ_i (a_i · w) = 0``.
So the rows fall into two parts that depend on no choice: the *open* ones, which ``w`` makes positive, and the
*cancelling* ones, which are zero on every vector that makes no row negative. For regression data, ``λ = 0`` is complete
separation, ``a_i · w = 0`` for every i is overlap, and anything between is quasi-complete separation (Albert and
Anderson 1984).

They are found by peeling. Ask for a separator of all rows. A cancellation instead shows that its rows vanish on all
candidates for ``w``, and so does every row in their span; ask again of the other rows, on the space where those vanish.
Its dimension falls every time, so there are at most as many rounds as columns, and usually two or three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from math import gcd

import numpy as np

from expressivity.errors import Refuted

from .clock import Clock, OutOfTime, Progress
from .face import Face, face
from .linear import pivot_columns, solve, transpose
from .outcome import Separator, Undecided
from .rows import IntegerRows
from .separate import separate
from .spread import spread

_EVERY = 8  # rounds after which many rows are tried at once


@dataclass(frozen=True)
class Complementary:
    """``w`` and ``λ`` with strict complementarity, in integers.

    Attributes:
        weights: ``w``, without a common factor (all 0 when every row cancels), shape ``[n_columns]``.
        multipliers: ``{row: λ_row}`` for the cancelling rows, positive, without a common factor.
        face: the space on which the cancelling rows vanish.
        coordinates: those of a positive multiple of ``w`` in the basis of the face.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 0], [-1, 0], [3, 1], [2, 0]])
        >>> found = complementary(rows)
        >>> found.weights, found.multipliers
        ((0, 1), {0: 1, 1: 3, 3: 1})
        >>> found.check(rows)
    """

    weights: tuple[int, ...]
    multipliers: Mapping[int, int]
    face: Face
    coordinates: tuple[int, ...]

    def check(self, rows: IntegerRows) -> None:
        """Re-prove the four conditions in exact integers.

        Raises:
            Refuted: one of them fails; the message names it and the first row where it does.
        """
        if len(self.weights) != rows.n_columns:
            raise Refuted("weights", f"{len(self.weights)} numbers for {rows.n_columns} columns")
        for i, value in self.multipliers.items():
            if not 0 <= i < rows.n_rows or value <= 0:
                raise Refuted(f"multiplier of row {i}", f"{value}, expected above 0 on a row among {rows.n_rows}")
        signs = rows.signs(self.weights)
        cancelling = np.zeros(rows.n_rows, dtype=bool)
        cancelling[list(self.multipliers)] = True
        wrong = np.flatnonzero(np.where(cancelling, signs != 0, signs <= 0))
        if len(wrong):
            kind = "cancelling" if cancelling[wrong[0]] else "open"
            raise Refuted(f"{kind} row {wrong[0]}", f"row · weights has the sign {signs[wrong[0]]}")
        total = rows.combine(self.multipliers)
        if total:
            column, value = next(iter(total.items()))
            raise Refuted("sum of multipliers × rows", f"column {column} adds up to {value}, expected 0")


def complementary(
    rows: IntegerRows, *, time_limit: float | None = None, progress: Progress | None = None
) -> Complementary | Undecided:
    """Weights and multipliers with strict complementarity, checked in exact integers.

    Args:
        rows: integer rows, all of them wanted nowhere negative and positive where possible.
        time_limit: seconds after which the answer is ``Undecided``; default: none.
        progress: called with a line of text now and then.

    Returns:
        :class:`Complementary`, which always exists; ``Undecided`` only when the time limit is reached.
    """
    clock = Clock(time_limit, progress)
    try:
        found = _peel(rows, clock)
    except OutOfTime as stop:
        return Undecided(f"the time limit of {time_limit} s was reached ({stop}); raise it to go on")
    found.check(rows)
    return found


def decided(rows: IntegerRows, clock: Clock) -> Separator | dict[int, int]:
    """A separator of the rows, or multipliers of a cancellation, within the time that the clock has left.

    Raises:
        OutOfTime: the clock runs out.
    """
    clock.tick()
    outcome = separate(rows, time_limit=None if clock.time_limit is None else clock.left, progress=clock.tick)
    if isinstance(outcome, Undecided):
        raise OutOfTime(outcome.reason)
    return outcome if isinstance(outcome, Separator) else dict(outcome.multipliers)


def _peel(rows: IntegerRows, clock: Clock) -> Complementary:
    multipliers = _opposite_pairs(rows)
    for number in count():
        space = face(rows, sorted(multipliers))
        projected = space.project(rows)
        rest = np.flatnonzero(np.diff(projected.indptr) > 0)
        clock.tick(f"separation: {len(rest)} rows undecided in {space.dimension} dimensions")
        if not len(rest):
            coordinates: tuple[int, ...] = (0,) * space.dimension
            break
        left = projected.take(rest)
        many = spread(left, clock) if number % _EVERY == 1 else None
        found = many or decided(left, clock)
        if isinstance(found, Separator):
            coordinates = found.weights
            break
        new = {int(rest[i]): value for i, value in found.items()}
        multipliers = _absorb(rows, space, multipliers, new)
    spanned = set(range(rows.n_rows)).difference(rest.tolist(), multipliers)
    multipliers = _absorb(rows, space, multipliers, dict.fromkeys(spanned, 1))
    return Complementary(space.lift(coordinates), multipliers, space, coordinates)


def _absorb(rows: IntegerRows, space: Face, old: Mapping[int, int], new: Mapping[int, int]) -> dict[int, int]:
    """Positive multipliers on the rows of ``old`` and ``new`` together under which they cancel.

    ``old`` cancels and is spanned by ``space.independent``; ``new``, on other rows, cancels only up to a combination of
    those. That combination is solved for, and enough of ``old`` added to make its signs positive.
    """
    if not new:
        return dict(sorted(old.items()))
    value = rows.combine(new)
    total = dict(new)
    if value:
        spanning = rows.take(space.independent)
        columns = pivot_columns(spanning)
        solution = solve(transpose(spanning.keep_columns(columns)), [-value.get(column, 0) for column in columns])
        if solution is None:
            raise ArithmeticError("the independent rows of a face are dependent")
        numerators, denominator = solution
        total = {i: denominator * multiplier for i, multiplier in new.items()}
        total.update({i: v for i, v in zip(space.independent, numerators, strict=True) if v})
    factor = max([1, *(1 + -v // old[i] for i, v in total.items() if i in old and v <= 0)])
    for i, multiplier in old.items():
        total[i] = total.get(i, 0) + factor * multiplier
    divisor = gcd(*total.values())
    return {i: total[i] // divisor for i in sorted(total)}


def _opposite_pairs(rows: IntegerRows) -> dict[int, int]:
    """Multipliers under which the empty rows cancel, and one pair of rows on each line where rows point both ways."""
    found: dict[int, int] = {}
    seen: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, int]] = {}
    paired = set()
    for i in range(rows.n_rows):
        columns, entries = _line(rows, i)
        if not columns:
            found[i] = 1
            continue
        factor = gcd(*entries) * (1 if entries[0] > 0 else -1)
        key = columns, tuple(entry // factor for entry in entries)
        first, earlier = seen.setdefault(key, (i, factor))
        if key not in paired and (earlier > 0) != (factor > 0):
            paired.add(key)
            common = gcd(earlier, factor)
            found[first], found[i] = abs(factor) // common, abs(earlier) // common
    divisor = gcd(*found.values()) or 1
    return {i: found[i] // divisor for i in sorted(found)}


def _line(rows: IntegerRows, i: int) -> tuple[tuple[int, ...], list[int]]:
    start, stop = int(rows.indptr[i]), int(rows.indptr[i + 1])
    return tuple(rows.indices[start:stop].tolist()), rows.data[start:stop].tolist()
