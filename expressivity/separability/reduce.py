"""The same question with fewer rows and columns, and the way back.

Rows are divided by their common factor, repeated rows merged, empty and repeated columns dropped; two opposite
rows, or an empty strict one, are an answer at once. Repetitions are found by linear hashes modulo 2^64 and
confirmed entry by entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm

import numpy as np

from .linear import pivot_rows, transpose
from .outcome import Cancellation, Mask, Separator
from .rows import Array, IntegerRows


@dataclass
class Reduced:
    """A smaller question and where it came from.

    Attributes:
        rows: distinct rows without common factors, equal ones with a positive first entry.
        equal: which of them are equal rows.
        origin: for each row the number of an original row.
        factors: original row = factor · row (negative factors only on equal rows).
        columns: for each column the number of the original column.
        n_columns: how many columns there were.
        answer: an answer to the original question found on the way, if any.
    """

    rows: IntegerRows
    equal: Mask
    origin: Array
    factors: list[int]
    columns: Array
    n_columns: int
    answer: Separator | Cancellation | None = None

    def drop_dependent_ties(self) -> None:
        """Keep only equal rows that are independent of each other; the others follow from them."""
        ties = np.flatnonzero(self.equal)
        if len(ties) < 2:
            return
        kept = np.zeros(len(self.equal), dtype=bool)
        kept[~self.equal] = True
        kept[ties[pivot_rows(self.rows.take(ties))]] = True
        if not kept.all():
            chosen = np.flatnonzero(kept)
            self.rows, self.equal, self.origin = self.rows.take(chosen), self.equal[chosen], self.origin[chosen]
            self.factors = [self.factors[i] for i in chosen.tolist()]

    def lift(self, outcome: Separator | Cancellation) -> Separator | Cancellation:
        """The outcome for the original rows."""
        if isinstance(outcome, Separator):
            weights = [0] * self.n_columns
            for column, weight in zip(self.columns.tolist(), outcome.weights, strict=True):
                weights[column] = weight
            return Separator(tuple(weights), outcome.stage)
        used = {i: (int(self.origin[i]), self.factors[i]) for i in outcome.multipliers}
        common = lcm(*(factor for _, factor in used.values()))
        lifted = {used[i][0]: value * (common // used[i][1]) for i, value in outcome.multipliers.items()}
        divisor = gcd(*lifted.values())
        return Cancellation({i: lifted[i] // divisor for i in sorted(lifted)}, outcome.stage)


def reduce(rows: IntegerRows, equal: Mask) -> Reduced:
    """Merge, divide and drop; ``answer`` is set when two rows, or one, settle the question."""
    filled = np.diff(rows.indptr) > 0
    empty = np.flatnonzero(~filled & ~equal)
    origin = np.flatnonzero(filled)
    if len(empty):
        answer = Cancellation({int(empty[0]): 1}, "an empty row")
        return Reduced(rows, equal, origin, [], np.arange(rows.n_columns), rows.n_columns, answer)
    primitive, factors = _primitive(rows.take(origin), equal[origin])
    flags = equal[origin]
    keys = _hashes(primitive)
    # An equal row and a strict one are never merged, though they may contradict each other.
    first = _first_of_each(primitive, keys ^ np.where(flags, np.uint64(0x9E3779B97F4A7C15), np.uint64(0)))
    primitive, flags, keys = primitive.take(first), flags[first], keys[first]
    origin, factors = origin[first], [factors[i] for i in first.tolist()]
    columns = np.unique(primitive.indices)
    reduced = Reduced(primitive.keep_columns(columns), flags, origin, factors, columns, rows.n_columns)
    pair = _contradiction(primitive, flags, keys)
    if pair is not None:
        reduced.answer = reduced.lift(Cancellation(pair, "two rows"))
        return reduced
    if reduced.rows.n_columns > 1:
        turned = transpose(reduced.rows)
        kept = np.sort(_first_of_each(turned, _hashes(turned)))
        if len(kept) < len(columns):
            reduced.rows, reduced.columns = reduced.rows.keep_columns(kept), columns[kept]
    return reduced


def _primitive(rows: IntegerRows, equal: Mask) -> tuple[IntegerRows, list[int]]:
    """Nonempty rows divided by their common factors, equal ones made to start with a positive entry."""
    if not rows.n_rows:
        return rows, []
    starts = rows.indptr[:-1]
    if rows.fits_words:
        factors = np.gcd.reduceat(np.abs(rows.data), starts)
        factors = np.where(equal & (rows.data[starts] < 0), -factors, factors)
        if (factors == 1).all():
            return rows, [1] * rows.n_rows
        data = rows.data // np.repeat(factors, np.diff(rows.indptr))
        return IntegerRows(rows.indptr, rows.indices, data, rows.n_columns), factors.tolist()
    found, divided = [], []
    for i in range(rows.n_rows):
        row = rows.row(i)
        factor = gcd(*row.values())
        if equal[i] and next(iter(row.values())) < 0:
            factor = -factor
        found.append(factor)
        divided.append({column: entry // factor for column, entry in row.items()})
    return IntegerRows.from_dicts(divided, rows.n_columns), found


def _hashes(rows: IntegerRows) -> Array:
    """``Σ_j a_ij · random_j`` modulo 2^64 for each row: equal for equal rows, opposite for opposite ones."""
    random = np.random.default_rng(20240229).integers(1 << 64, size=rows.n_columns, dtype=np.uint64)
    if rows.fits_words:
        entries = rows.data.astype(np.uint64)
    else:
        entries = np.array([entry % (1 << 64) for entry in rows.data.tolist()], dtype=np.uint64)
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(entries * random[rows.indices], dtype=np.uint64)))
    return np.asarray(sums[rows.indptr[1:]] - sums[rows.indptr[:-1]])


def _first_of_each(rows: IntegerRows, keys: Array) -> Array:
    """The number of the first row of each kind, in order."""
    _, first, kind = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) == rows.n_rows:
        return np.arange(rows.n_rows)
    later = np.setdiff1d(np.arange(rows.n_rows), first)
    honest = _same(rows, later, first[kind[later]], 1)
    return np.sort(np.concatenate((first, later[~honest])))


def _same(rows: IntegerRows, these: Array, those: Array, sign: int) -> Array:
    """Whether row ``these[k]`` is ``sign`` times row ``those[k]``, entry by entry."""
    lengths = np.diff(rows.indptr)
    same = np.asarray(lengths[these] == lengths[those])
    left, right = rows.take(these[same]), rows.take(those[same])
    wrong = (left.indices != right.indices) | (left.data != sign * right.data)
    owners = np.repeat(np.arange(left.n_rows), np.diff(left.indptr))
    fine = np.ones(left.n_rows, dtype=bool)
    fine[owners[wrong]] = False
    same[same] = fine
    return same


def _contradiction(rows: IntegerRows, equal: Mask, keys: Array) -> dict[int, int] | None:
    """Multipliers of two distinct rows that cancel, one strict at least, if there are any."""
    strict = np.flatnonzero(~equal)
    order = np.argsort(keys, kind="stable")
    for sign in (-1, 1):
        sought = keys[strict] if sign == 1 else np.uint64(0) - keys[strict]
        position = np.minimum(np.searchsorted(keys[order], sought), len(order) - 1)
        for shift in (0, 1):  # a strict and an equal row may share a key
            other = order[np.minimum(position + shift, len(order) - 1)] if len(order) else position
            if not len(other):
                continue
            hits = np.flatnonzero((keys[other] == sought) & (other != strict) & (equal[other] | (sign == -1)))
            if len(hits):
                good = hits[_same(rows, strict[hits], other[hits], sign)]
                if len(good):
                    i, j = int(strict[good[0]]), int(other[good[0]])
                    return {i: 1, j: -sign}
    return None
