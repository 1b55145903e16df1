"""Which way each coordinate can run within the cone of vectors that are nowhere negative.

Given rows ``a_i`` and the cone ``C = {u : a_i · u ≥ 0 for every i}``, coordinate j is

- *still*, when ``u_j = 0`` on all of C;
- *rising*, when ``u_j ≥ 0`` on all of C, and not always 0 (*falling*: the same of ``−u_j``);
- *loose*, when C has vectors with ``u_j > 0`` and others with ``u_j < 0``.

The proofs: C lies in the face F on which the cancelling rows vanish, and spans it (``tucker.py``). Still: the j-th
coordinate of every basis vector of F is 0. Rising: some combination of open rows with multipliers ``μ ≥ 0`` agrees
with the j-th coordinate on F, and ``w_j > 0`` for one w in C (Farkas 1902: such multipliers exist if ``u_j ≥ 0`` on C).
Loose: the two vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .clock import Clock, OutOfTime, Progress
from .cone_program import ConeProgram
from .face import primitive
from .outcome import Separator
from .rows import IntegerRows
from .tucker import Complementary, decided


@dataclass(frozen=True)
class Still:
    """The coordinate is 0 on the whole cone."""


@dataclass(frozen=True)
class Running:
    """The coordinate has one sign on the cone: ``sign · factor · u_j = Σ μ_i a_i · u`` for every u in the face.

    Attributes:
        sign: 1 for rising, −1 for falling.
        factor: a positive integer.
        multipliers: ``{row: μ_row}``, positive.
    """

    sign: int
    factor: int
    multipliers: Mapping[int, int]


@dataclass(frozen=True)
class Loose:
    """The coordinate has both signs on the cone, as two vectors of it show."""

    up: tuple[int, ...]
    down: tuple[int, ...]


@dataclass(frozen=True)
class Unsettled:
    """The time limit came first."""

    reason: str


Course = Still | Running | Loose | Unsettled


def courses(
    rows: IntegerRows,
    found: Complementary,
    *,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> list[Course]:
    """The course of every coordinate, each with its proof.

    Args:
        rows: the rows.
        found: their complementary ``w``, ``λ`` and face.
        time_limit: seconds, after which coordinates are left ``Unsettled``; default: none.
        progress: called with a line of text now and then.

    Example:
        >>> from expressivity.separability.tucker import complementary
        >>> rows = IntegerRows.from_dense([[1, 0], [-1, 0], [3, 1], [2, 0]])
        >>> courses(rows, complementary(rows))
        [Still(), Running(sign=1, factor=1, multipliers={2: 1})]
    """
    clock = Clock(time_limit, progress)
    cone = _Cone(rows, found, clock)
    answers: list[Course] = []
    for j in range(rows.n_columns):
        try:
            answers.append(cone.course(j))
        except OutOfTime as stop:
            answers.append(Unsettled(f"the time limit of {time_limit} s was reached ({stop}); raise it to go on"))
    return answers


class _Cone:
    """The cone in the coordinates of its face, and the vectors of it known so far."""

    def __init__(self, rows: IntegerRows, found: Complementary, clock: Clock) -> None:
        self.rows = rows
        self.space = found.face
        self.clock = clock
        self.inner = found.weights
        self.coordinates = found.coordinates
        projected = found.face.project(rows)
        self.numbers = np.flatnonzero(np.diff(projected.indptr) > 0)
        self.projected = projected.take(self.numbers)
        self.known: list[tuple[int, ...]] = [self.inner]

    @cached_property
    def program(self) -> ConeProgram:
        """Made only when there is a question for it."""
        return ConeProgram(self.projected, self.coordinates, self.clock)

    def course(self, j: int) -> Course:
        target = [vector[j] for vector in self.space.basis]
        if not any(target):
            return Still()
        up = next((u for u in self.known if u[j] > 0), None)
        down = next((u for u in self.known if u[j] < 0), None)
        if up is None and down is None:  # the inner vector has room on both sides
            up, down = self._near_inner(target, 1), self._near_inner(target, -1)
        elif up is None or down is None:
            sign = 1 if up is not None else -1
            other = self._other_side(target, sign, j)
            if not isinstance(other, tuple):
                return other
            up, down = (up, other) if sign > 0 else (other, down)
        if up is None or down is None:
            raise ArithmeticError(f"coordinate {j} is neither above nor below 0")
        return Loose(up, down)

    def _near_inner(self, target: list[int], sign: int) -> tuple[int, ...]:
        """The inner vector, many times, plus a step along which the target has the sign."""
        k = next(k for k, value in enumerate(target) if value)
        step = [sign * (1 if target[k] > 0 else -1) * entry for entry in self.space.basis[k]]
        loss = max((abs(value) for value in self.rows.times(step)), default=0)
        vector = primitive([loss * entry + change for entry, change in zip(self.inner, step, strict=True)])
        self.known.append(vector)
        return vector

    def _other_side(self, target: list[int], sign: int, j: int) -> Course | tuple[int, ...]:
        """A vector of the cone whose target has the other sign, or the proof that there is none."""
        self.clock.tick(f"coefficient {j + 1} of {self.rows.n_columns}")
        signed = [sign * value for value in target]
        proposed = self.program.below(signed)
        if isinstance(proposed, list):
            vector = self.space.lift(proposed)
            self.known.append(vector)
            return vector
        if proposed is not None:
            factor = proposed.pop(-1)
            return Running(sign, factor, {int(self.numbers[i]): value for i, value in proposed.items()})
        extra = IntegerRows.from_dicts([{k: -sign * v for k, v in enumerate(target) if v}], self.space.dimension)
        last = self.projected.n_rows
        outcome = decided(_stacked(self.projected, extra), self.clock)
        if isinstance(outcome, Separator):
            vector = self.space.lift(outcome.weights)
            self.known.append(vector)
            return vector
        factor = outcome.pop(last)
        return Running(sign, factor, {int(self.numbers[i]): value for i, value in outcome.items()})


def _stacked(first: IntegerRows, second: IntegerRows) -> IntegerRows:
    data = np.concatenate((first.data, second.data))
    indptr = np.concatenate((first.indptr, second.indptr[1:] + first.indptr[-1]))
    return IntegerRows(indptr, np.concatenate((first.indices, second.indices)), data, first.n_columns)
