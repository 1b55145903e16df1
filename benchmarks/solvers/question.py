"""What a solver is asked, what it answers, and whether the proof that it hands over holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
import scipy.sparse as sp

Number = int | Fraction
LARGEST = 40  # bits of an entry that float solvers take without further ado


@dataclass
class Question:
    """Is there ``w`` with ``row · w ≥ 1`` for strict rows and ``= 0`` for equal ones?

    Attributes:
        name: for the tables.
        rows: the nonzero entries of each row, as ``{column: integer}``.
        equal: which rows are to be 0.
        n_columns: how many columns there are.
        separable: the truth.
    """

    name: str
    rows: list[dict[int, int]]
    equal: list[bool]
    n_columns: int
    separable: bool

    @cached_property
    def floats(self) -> sp.csr_array:
        """The rows as floats; those with larger entries divided by a power of two, down to ``2^LARGEST``."""
        lengths = [max((abs(entry).bit_length() for entry in row.values()), default=0) for row in self.rows]
        scales = [2 ** max(0, length - LARGEST) for length in lengths]
        data = np.array([e / scale for row, scale in zip(self.rows, scales, strict=True) for e in row.values()])
        indices = np.array([column for row in self.rows for column in row], dtype=np.int32)
        indptr = np.concatenate(([0], np.cumsum([len(row) for row in self.rows]))).astype(np.int32)
        return sp.csr_array((data, indices, indptr), shape=(len(self.rows), self.n_columns))

    @cached_property
    def integers(self) -> sp.csr_array | None:
        """The rows as 64-bit integers, or None where an entry does not fit."""
        if any(abs(entry) >= 2**62 for row in self.rows for entry in row.values()):
            return None
        data = np.array([entry for row in self.rows for entry in row.values()], dtype=np.int64)
        return sp.csr_array((data, self.floats.indices, self.floats.indptr), shape=self.floats.shape)

    @cached_property
    def ties(self) -> np.ndarray:
        """``equal`` as an array."""
        return np.array(self.equal, dtype=bool)

    def prepare(self) -> None:
        """Make the arrays that solvers start from, so that nobody is charged for them."""
        _ = self.ties, self.floats, self.integers


@dataclass
class Answer:
    """What a solver says: true, false, or None for no verdict, then with a note.

    ``proof``: exact weights by column for a yes, exact multipliers ``{row: number}`` for a no, or nothing.
    """

    separable: bool | None
    proof: Sequence[Number] | Mapping[int, Number] | None = None
    note: str = ""


@dataclass
class Result:
    """An answer, judged. ``seconds`` includes making the solver's own input from rows in memory, but no imports."""

    separable: bool | None
    right: bool | None
    proved: bool
    seconds: float
    note: str = ""


def holds(question: Question, answer: Answer) -> bool:
    """Whether the proof of an answer holds, in Python integers."""
    if answer.proof is None or answer.separable is None:
        return False
    if answer.separable:
        if isinstance(answer.proof, Mapping):
            return False
        weights = _whole(answer.proof)
        values = [sum(entry * weights[column] for column, entry in row.items()) for row in question.rows]
        return all(value == 0 if tie else value > 0 for value, tie in zip(values, question.equal, strict=True))
    if not isinstance(answer.proof, Mapping):
        return False
    used = dict(zip(answer.proof, _whole(list(answer.proof.values())), strict=True))
    totals = [0] * question.n_columns
    for i, factor in used.items():
        for column, entry in question.rows[i].items():
            totals[column] += factor * entry
    strict = [factor for i, factor in used.items() if not question.equal[i]]
    return bool(strict) and min(strict) >= 0 and max(strict) > 0 and not any(totals)


def _whole(numbers: Sequence[Number]) -> list[int]:
    fractions = [Fraction(number) for number in numbers]
    common = lcm(*(number.denominator for number in fractions))
    return [int(number * common) for number in fractions]
