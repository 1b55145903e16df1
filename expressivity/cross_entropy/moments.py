"""A conditional distribution with exactly the task's moments, near a float one.

A change ``δ`` of the masses of the pairs keeps all moments when ``Σ δ_i Δ_i = 0``. All of it but a basis of the rows is
chosen freely, as the floats suggest, in rationals with one common denominator; the rest follows by an exact solution of
a square system. Nothing depends on the floats but how near the result is to them.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm

import numpy as np
import scipy.sparse as sp

from expressivity.cross_entropy.problem import Array, Masses, Pairs, Problem, pairs
from expressivity.separability import IntegerRows
from expressivity.separability.linear import pivot_columns, row_pivots, solve, transpose

_SIMPLE = 48  # chances this near to a fraction with so small a denominator are taken to be that fraction
_CLOSE = 1e-9
# Denominators of the free masses. A prime one keeps the number of distinct denominators small in lowest terms.
_MERSENNE = [(1 << exponent) - 1 for exponent in (31, 61, 89, 107, 127, 521, 607)]


def conform(part: Problem, support: Array, chance: Array, inner: Masses | None) -> Masses | None:
    """Masses on ``support``, nonnegative and with exactly the moments of ``part.mass``, near ``chance``.

    Args:
        part: the problem.
        support: where the masses may be positive; contains that of ``part.mass``.
        chance: floats ``[classes, outputs]``, the conditional distribution wanted.
        inner: masses with the same moments, positive on the support; drawn upon where the result would be negative.

    Returns:
        ``[classes][outputs]``, exact; ``None`` when nothing nonnegative is near, which suggests that the support is too
        large, or when the elimination took a singular basis.
    """
    # The head's mass is what the others leave, so it must not be small. Where heads agree, outputs fall into blocks.
    usual = support.sum(axis=0).argsort(kind="stable")[::-1]
    large = support & (chance >= np.minimum(1e-3, chance.max(axis=1))[:, None])
    head = usual[large[:, usual].argmax(axis=1)]
    rows = pairs(part, support, head)
    weights = part.weights
    change = [Fraction(0)] * len(rows.owner)
    comfort = np.where(support, chance, np.inf).min(axis=1) * part.shares
    for block in _blocks(rows.matrix):
        table = IntegerRows.from_scipy(rows.matrix[block])
        table = table.keep_columns(np.unique(table.indices))
        basis, columns = _basis(table, comfort[rows.owner[block]])
        free = np.setdiff1d(np.arange(len(block)), basis)
        wanted = _free_masses(part, rows, block[free], chance, weights)
        for i, value in zip(block[free].tolist(), wanted, strict=True):
            change[i] = value
        found = _complete(table, basis, columns, free, wanted)
        if found is None:
            return None
        for i, value in zip(block[basis].tolist(), found, strict=True):
            change[i] = value
    result = [list(row) for row in part.mass]
    for x, y, value in zip(rows.owner.tolist(), rows.output.tolist(), change, strict=True):
        result[x][y] += value
        result[x][head[x]] -= value
    return _lifted(result, inner)


def _blocks(matrix: sp.csr_array) -> list[Array]:
    """The rows in groups that share no column."""
    n_rows, n_columns = matrix.shape
    where = matrix.tocoo().coords
    size = n_rows + n_columns
    graph = sp.csr_array((np.ones(len(where[0])), (where[0], where[1] + n_rows)), shape=(size, size))
    labels = sp.csgraph.connected_components(graph, directed=False)[1][:n_rows]
    order = np.argsort(labels, kind="stable")
    return [part for part in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(part)]


def _basis(table: IntegerRows, comfort: Array) -> tuple[Array, Array]:
    """Independent rows, of those with much mass to spare, and as many independent columns. Guidance."""
    best = np.argsort(-comfort, kind="stable")
    columns = np.arange(table.n_columns)
    for chosen in (best[: 4 * len(columns)], best):
        order, size = _pivots(table.take(chosen), comfort[chosen], columns)
        if len(order) >= len(columns) and size.min() > 1e-9:
            return chosen[order[: len(columns)]], columns
    columns = np.array(pivot_columns(table))
    order, _ = _pivots(table, comfort, columns)
    return order[: len(columns)], columns


def _pivots(table: IntegerRows, comfort: Array, columns: Array) -> tuple[Array, Array]:
    """Elimination with partial pivoting on rows scaled by their comfort: the order of the rows, the unscaled pivots."""
    scale = np.maximum(comfort / max(comfort.max(), 1e-300), 1e-100)
    dense = table.floats().toarray()[:, columns] * scale[:, None]
    largest = np.maximum(np.abs(dense).max(axis=0), 1e-300)
    factors, order = row_pivots(np.asfortranarray(dense / largest))
    pivots = np.abs(np.diagonal(factors))
    return order, pivots * largest[: len(pivots)] / scale[order[: len(pivots)]]


def _free_masses(part: Problem, rows: Pairs, chosen: Array, chance: Array, weights: list[Fraction]) -> list[Fraction]:
    """Changes of mass that bring the chosen pairs to their chances, with one common denominator that is small."""
    places = list(zip(rows.owner[chosen].tolist(), rows.output[chosen].tolist(), strict=True))
    wanted = [float(chance[place]) for place in places]
    simple = [Fraction(value).limit_denominator(_SIMPLE) for value in wanted]
    if all(s > 0 and abs(float(s) - value) < _CLOSE for s, value in zip(simple, wanted, strict=True)):
        exact = [weights[x] * s - part.mass[x][y] for (x, y), s in zip(places, simple, strict=True)]
        if lcm(*(value.denominator for value in exact)) < _MERSENNE[0]:
            return exact
    least = min((value for value in wanted if value), default=1.0)
    prime = next((p for p in _MERSENNE if p * least > 1 << 28), _MERSENNE[-1])
    given = [part.mass[x][y] / weights[x] for x, y in places]
    return [
        weights[x] * Fraction(round((Fraction(value) - p) * prime), prime)
        for (x, _), value, p in zip(places, wanted, given, strict=True)
    ]


def _complete(
    table: IntegerRows, basis: Array, columns: Array, free: Array, wanted: list[Fraction]
) -> list[Fraction] | None:
    """The changes of the basic rows that cancel those of the free ones. Exact."""
    common = lcm(*(value.denominator for value in wanted))
    factors = {i: int(value * common) for i, value in zip(free.tolist(), wanted, strict=True)}
    right = table.combine(factors)
    found = solve(transpose(table.take(basis).keep_columns(columns)), [-right.get(j, 0) for j in columns.tolist()])
    if found is None:
        return None
    values, scale = found
    factors = {i: scale * factor for i, factor in factors.items()} | dict(zip(basis.tolist(), values, strict=True))
    return None if table.combine(factors) else [Fraction(value, scale * common) for value in values]


def _lifted(masses: Masses, inner: Masses | None) -> Masses | None:
    """The masses themselves where none is negative; else as little of ``inner`` mixed in as mends that."""
    below = [
        value / (value - inner[x][y]) if inner is not None else Fraction(1)
        for x, row in enumerate(masses)
        for y, value in enumerate(row)
        if value < 0
    ]
    if not below:
        return masses
    if inner is None:
        return None
    worst = max(below)
    part = Fraction(1, 1 << ((1 / worst).numerator // (1 / worst).denominator).bit_length() - 1)
    return [
        [value + part * (sure - value) for value, sure in zip(row, given, strict=True)]
        for row, given in zip(masses, inner, strict=True)
    ]
