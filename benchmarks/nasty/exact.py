"""Small exact solvers, written for being read: they know the truth where construction does not give it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .instance import Row

Inequality = tuple[list[Fraction], bool, dict[int, Fraction]]  # a · w > 0 (or ≥ 0), and which rows make it


def solve(rows: Sequence[Row], right: Sequence[int]) -> list[Fraction] | None:
    """The only ``x`` with ``rows · x = right`` for a square matrix, by Bareiss' elimination; None if it is singular."""
    table = [[*map(int, row), int(value)] for row, value in zip(rows, right, strict=True)]
    size, previous = len(table), 1
    for k in range(size):
        pivot = next((i for i in range(k, size) if table[i][k]), None)
        if pivot is None:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        top = table[k]
        for i in range(k + 1, size):
            row, factor = table[i], table[i][k]
            table[i] = [(top[k] * row[j] - factor * top[j]) // previous if j > k else 0 for j in range(size + 1)]
        previous = top[k]
    found = [Fraction(0)] * size
    for k in reversed(range(size)):
        rest = table[k][size] - sum(table[k][j] * found[j] for j in range(k + 1, size))
        found[k] = Fraction(rest) / table[k][k]
    return found


def transposed(rows: Sequence[Row]) -> list[list[int]]:
    """Columns as rows."""
    return [list(column) for column in zip(*rows, strict=True)]


def decide(rows: Sequence[Row], equal: Sequence[bool]) -> tuple[bool, list[Fraction]]:
    """The truth and its proof for a few short rows, by Fourier–Motzkin elimination.

    Variables are eliminated one after another, each new inequality remembering the rows that it is made of. Either
    ``0 > 0`` turns up, made of rows that cancel, or the weights are chosen backwards, each within what its own
    inequalities leave.
    """
    system: list[Inequality] = []
    for i, (row, tie) in enumerate(zip(rows, equal, strict=True)):
        entries = [Fraction(entry) for entry in row]
        system.append((entries, not tie, {i: Fraction(1)}))
        if tie:
            system.append(([-entry for entry in entries], False, {i: Fraction(-1)}))
    n_columns = len(rows[0])
    stages = []
    for k in reversed(range(n_columns)):
        stages.append(system)
        system = _eliminated(system, k)
    for _, strict, made_of in system:
        if strict:
            return False, [made_of.get(i, Fraction(0)) for i in range(len(rows))]
    weights: list[Fraction] = []
    for k, stage in enumerate(reversed(stages)):
        weights.append(_chosen(stage, k, weights))
    return True, weights


def _eliminated(system: list[Inequality], k: int) -> list[Inequality]:
    """What the inequalities say about the first ``k`` variables."""
    found = [(a, strict, made_of) for a, strict, made_of in system if not a[k]]
    for a, a_strict, a_made in system:
        for b, b_strict, b_made in system:
            if a[k] > 0 > b[k]:
                p, q = 1 / a[k], -1 / b[k]
                sums = [p * x + q * y for x, y in zip(a, b, strict=True)]
                made_of = {i: p * a_made.get(i, 0) + q * b_made.get(i, 0) for i in {**a_made, **b_made}}
                found.append((sums, a_strict or b_strict, made_of))
    # One inequality of each direction is enough: the strict one, if there is one.
    kept: dict[tuple[Fraction, ...], Inequality] = {}
    for inequality in found:
        a, strict, _ = inequality
        size = next((abs(x) for x in a if x), Fraction(1))
        key = tuple(x / size for x in a)
        if key not in kept or (strict and not kept[key][1]):
            kept[key] = inequality
    return list(kept.values())


def _chosen(system: list[Inequality], k: int, weights: list[Fraction]) -> Fraction:
    """A value for variable ``k`` that meets the inequalities, given those before it."""
    low: Fraction | None = None
    high: Fraction | None = None
    for a, _, _ in system:
        if a[k]:
            bound = -sum((x * w for x, w in zip(a, weights, strict=False)), Fraction(0)) / a[k]
            if a[k] > 0:
                low = bound if low is None else max(low, bound)
            else:
                high = bound if high is None else min(high, bound)
    if low is None:
        return Fraction(0) if high is None else high - 1
    return low + 1 if high is None else (low + high) / 2
