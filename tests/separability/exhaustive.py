"""Least numbers by going through all choices, each decided by z3 over the rationals; and what proofs claim."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

import z3

from tests.separability.families import Row, dot


@dataclass(frozen=True)
class Question:
    """Rows, some of which are equal ones, with a group for each row and for each column (−1: free of charge)."""

    rows: list[Row]
    equal: list[bool]
    row_groups: list[int]
    column_groups: list[int]


def questions(count: int, seed: int, *, rows: int = 9, columns: int = 6, groups: int = 6) -> Iterator[Question]:
    """Small random questions of all kinds: with and without equal rows, with and without groups, sparse and not."""
    rng = random.Random(seed)
    for number in range(count):
        m, n = rng.randint(1, rows), rng.randint(1, columns)
        size = rng.choice([1, 1, 2, 5])
        fill = rng.choice([0.4, 0.7, 1.0])
        table = [[rng.randint(-size, size) * int(rng.random() < fill) for _ in range(n)] for _ in range(m)]
        ties = rng.choice([0.0, 0.2, 0.5])
        grouped = number % 2 == 1
        yield Question(
            table,
            [rng.random() < ties for _ in range(m)],
            [rng.randrange(groups) for _ in range(m)] if grouped else list(range(m)),
            [rng.randrange(-1, groups) for _ in range(n)] if grouped else list(range(n)),
        )


def _solver(question: Question) -> tuple[z3.Solver, list[z3.ArithRef]]:
    solver = z3.SolverFor("QF_LRA")
    return solver, [z3.Real(f"w{j}") for j in range(len(question.rows[0]))]


def _fewest(choices: Iterable[Set[int]], solver: z3.Solver, literals: dict[int, z3.BoolRef], wanted: object) -> int:
    for chosen in choices:
        if solver.check([literals[group] for group in sorted(chosen)]) == wanted:
            return len(chosen)
    raise ValueError("no choice is enough")


def _choices(groups: Set[int]) -> Iterator[Set[int]]:
    for size in range(len(groups) + 1):
        yield from map(frozenset, itertools.combinations(sorted(groups), size))


def fewest_row_groups(question: Question) -> int | None:
    """The least number of groups whose rows nothing separates; None when all rows are separable."""
    solver, weights = _solver(question)
    literals = {group: z3.Bool(f"g{group}") for group in question.row_groups}
    for row, tied, group in zip(question.rows, question.equal, question.row_groups, strict=True):
        value = z3.Sum([a * w for a, w in zip(row, weights, strict=True)])
        solver.add(z3.Implies(literals[group], value == 0 if tied else value >= 1))
    if solver.check(list(literals.values())) == z3.sat:
        return None
    return _fewest(_choices(set(literals)), solver, literals, z3.unsat)


def fewest_column_groups(question: Question) -> int | None:
    """The least number of groups of columns that suffice besides the free ones; None when all of them do not."""
    solver, weights = _solver(question)
    for row, tied in zip(question.rows, question.equal, strict=True):
        value = z3.Sum([a * w for a, w in zip(row, weights, strict=True)])
        solver.add(value == 0 if tied else value >= 1)
    literals = {group: z3.Bool(f"g{group}") for group in question.column_groups if group >= 0}  # the group is not used
    for weight, group in zip(weights, question.column_groups, strict=True):
        if group >= 0:
            solver.add(z3.Implies(literals[group], weight == 0))
    if solver.check() == z3.unsat:
        return None
    used = sorted(_choices(set(literals)), key=len)
    for chosen in used:
        if solver.check([literals[group] for group in sorted(set(literals) - chosen)]) == z3.sat:
            return len(chosen)
    raise ValueError("no choice is enough")


# ---------------------------------------------------------------------- what is claimed


def least_meeting(sets: Sequence[Set[int]]) -> int:
    """The least number of elements that meet every one of the sets."""
    elements = sorted(set().union(*sets))
    for size in range(len(elements) + 1):
        for chosen in itertools.combinations(elements, size):
            if all(not known.isdisjoint(chosen) for known in sets):
                return size
    raise ValueError("a set is empty")


def missed(question: Question, weights: Sequence[int]) -> set[int]:
    """The groups of rows that the weights miss."""
    values = [dot(row, list(weights)) for row in question.rows]
    wrong = [value != 0 if tied else value < 1 for value, tied in zip(values, question.equal, strict=True)]
    return {group for group, failed in zip(question.row_groups, wrong, strict=True) if failed}


def left_over(question: Question, combination: dict[int, int]) -> set[int]:
    """The groups of columns in which the combination of rows does not vanish; a valid combination is insisted on."""
    strict = [value for i, value in combination.items() if not question.equal[i]]
    if not strict or min(strict) <= 0 or not all(combination.values()):
        raise ValueError(f"not a valid combination: {combination}")
    columns = range(len(question.rows[0]))
    total = [sum(value * question.rows[i][j] for i, value in combination.items()) for j in columns]
    found = {group for group, value in zip(question.column_groups, total, strict=True) if value}
    if -1 in found:
        raise ValueError("a column free of charge is left")
    return found
