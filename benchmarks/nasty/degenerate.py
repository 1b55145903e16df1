"""Ties everywhere: repeated rows, dependent columns, vertices where hundreds of rows meet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, product
from math import prod

from .instance import Instance, combination, dot, inseparable, separable


def planted(rng: random.Random, rows: int, columns: int, size: int = 3) -> tuple[list[list[int]], list[int]]:
    """Random rows made positive for random weights, never indifferent."""
    weights = [rng.choice([-1, 1]) * rng.randint(1, 4) for _ in range(columns)]
    found = []
    while len(found) < rows:
        row = [rng.randint(-size, size) for _ in range(columns)]
        value = dot(row, weights)
        if value:
            found.append(row if value > 0 else [-entry for entry in row])
    return found, weights


def denial(rng: random.Random, rows: list[list[int]], count: int, most: int = 5) -> tuple[list[int], dict[int, int]]:
    """The opposite of a positive combination of ``count`` rows, and multipliers under which it cancels as last row."""
    factors = {i: rng.randint(1, most) for i in rng.sample(range(len(rows)), count)}
    against = [-entry for entry in combination(rows, [factors.get(i, 0) for i in range(len(rows))])]
    return against, {**factors, len(rows): 1}


DENIED = "planted cancellation: the opposite of a positive combination of some rows added"


def repeated_rows() -> Iterator[Instance]:
    """Every row many times, and multiples of it."""
    for columns in (4, 12, 30):
        rng = random.Random(f"repeated {columns}")
        base, weights = planted(rng, 3 * columns, columns)
        rows = [[factor * entry for entry in row] for row in base for factor in (1, 1, 1, 2, 7, 10**9)]
        yield separable(f"repeated-rows-{columns}", rows, weights, "planted separator; each row six times, scaled")
        against, factors = denial(rng, rows, columns - 1)
        yield inseparable(f"repeated-rows-{columns}-denied", [*rows, against, against], factors, DENIED)


def dependent_columns() -> Iterator[Instance]:
    """Columns that are zero, repeated, opposite, or sums of others."""
    for columns in (5, 15, 40):
        rng = random.Random(f"columns {columns}")
        base, weights = planted(rng, 4 * columns, columns)
        made = []
        for row in base:
            sums = [row[i] + row[-1 - i] for i in range(columns // 2)]
            made.append([*row, 0, *row, 0, *[-entry for entry in row], *sums, 0])
        wide = [*weights, *[0] * (len(made[0]) - columns)]
        yield separable(f"dependent-columns-{columns}", made, wide, "planted separator; half the rank of the columns")
        against, factors = denial(rng, made, columns // 2)
        yield inseparable(f"dependent-columns-{columns}-denied", [*made, against], factors, DENIED)


def one_point() -> Iterator[Instance]:
    """Rows (1, ±1, …, ±1), all of them at the same distance from the only best weights."""
    for n in (3, 6, 9):
        rows = [[1, *signs] for signs in product((-1, 1), repeat=n)]
        yield separable(f"all-signs-{n}", rows, [1, *[0] * n], "planted separator: the constant alone; every row ties")
        yield inseparable(
            f"all-signs-{n}-turned",
            [*rows, [-1, *[0] * n]],
            {0: 1, len(rows) - 1: 1, len(rows): 2},
            "planted cancellation: two opposite corners and the constant denied",
        )


def cross_polytopes() -> Iterator[Instance]:
    """Rows (1, ±e_i): a cone over the cross-polytope, and over the one whose facets all meet in a point."""
    for n in (10, 40, 90):
        arms = [[1, *(sign * int(i == j) for j in range(n))] for i in range(n) for sign in (1, -1)]
        yield separable(f"cross-polytope-{n}", arms, [1, *[0] * n], "planted separator: the constant")
        yield inseparable(
            f"cross-polytope-{n}-without-its-middle",
            [*arms, [-1] + [0] * n],
            {0: 1, 1: 1, 2 * n: 2},
            "planted cancellation: e_1 and −e_1 have the origin in their middle",
        )


def assignment() -> Iterator[Instance]:
    """Prices for an assignment: ``u_i + v_j < c_ij`` for all pairs, ``Σ u + Σ v`` above the least cost or just below.

    The cheapest assignment costs ``Σ u + Σ v`` for the planted prices (linear duality), and many cost the same.
    """
    for n in (4, 10, 20):
        for label, part in (("", 1), ("-1e12", 10**12)):
            rng = random.Random(f"assignment {n}")
            u, v = rng.choices(range(20), k=n), rng.choices(range(20), k=n)
            slack = [[0 if i == j else rng.choice([0, 0, 1, 5]) for j in range(n)] for i in range(n)]
            rows = []
            for i, j in product(range(n), repeat=2):
                cost = u[i] + v[j] + slack[i][j]
                rows.append([cost, *(-int(k == i) for k in range(n)), *(-int(k == j) for k in range(n))])
            least = sum(u) + sum(v)
            bound = [-part * least + 1, *[part] * (2 * n)]
            h = part * n + 1
            weights = [h, *(h * price - 1 for price in u), *(h * price for price in v)]
            yield separable(
                f"assignment-{n}{label}",
                [*rows, bound],
                weights,
                f"planted separator: prices just below the dual optimum, which misses {least} by one part in {part}",
            )
            closed = [-part * least, *[part] * (2 * n)]
            yield inseparable(
                f"assignment-{n}{label}-closed",
                [*rows, closed],
                {**{i * n + i: part for i in range(n)}, n * n: 1},
                "theorem (linear duality) and planted cancellation: an assignment of exactly that cost",
            )


def transport() -> Iterator[Instance]:
    """The same with supplies and demands, of which many partial sums agree, so that most bases are degenerate."""
    for m, n in ((3, 5), (8, 8), (12, 25)):
        rng = random.Random(f"transport {m} {n}")
        flow = [[0] * n for _ in range(m)]
        for j in range(n):
            flow[j % m][j] += 2
            flow[(j + 1) % m][j] += rng.choice([0, 2])
        u, v = rng.choices(range(9), k=m), rng.choices(range(9), k=n)
        rows = []
        for i, j in product(range(m), range(n)):
            cost = u[i] + v[j] + (0 if flow[i][j] else rng.choice([0, 0, 3]))
            rows.append([cost, *(-int(k == i) for k in range(m)), *(-int(k == j) for k in range(n))])
        supply, demand = [sum(line) for line in flow], [sum(line[j] for line in flow) for j in range(n)]
        least = dot(supply, u) + dot(demand, v)
        total = sum(supply)
        h = total + 1
        weights = [h, *(h * price - 1 for price in u), *(h * price for price in v)]
        yield separable(
            f"transport-{m}x{n}",
            [*rows, [1 - least, *supply, *demand]],
            weights,
            "planted separator: nearly optimal prices",
        )
        multipliers = [*(amount for line in flow for amount in line), 1]
        yield inseparable(
            f"transport-{m}x{n}-closed",
            [*rows, [-least, *supply, *demand]],
            multipliers,
            "theorem (linear duality) and planted cancellation: a flow of exactly that cost",
        )


def parity() -> Iterator[Instance]:
    """Parity of n bits over monomials of degree below n: inseparable, all multipliers 1; with one more, separable."""
    for n in (2, 4, 6, 8):
        for degree in (n - 1, n):
            monomials = [s for k in range(degree + 1) for s in combinations(range(n), k)]
            rows = []
            for signs in product((-1, 1), repeat=n):
                label = prod(signs)
                rows.append([label * prod(signs[i] for i in s) for s in monomials])
            if degree == n:
                yield separable(
                    f"parity-{n}-degree-{n}", rows, [0] * (len(monomials) - 1) + [1], "planted separator: x_1 ⋯ x_n"
                )
            else:
                yield inseparable(
                    f"parity-{n}-degree-{degree}",
                    rows,
                    [1] * len(rows),
                    "theorem (Minsky and Papert 1969): every row once, for parity is orthogonal to lower degrees",
                )


def empty_rows() -> Iterator[Instance]:
    """Rows of zeros, columns of zeros, equal rows of zeros, equal rows alone."""
    rng = random.Random("zero")
    rows, weights = planted(rng, 20, 6)
    zero = [0] * 6
    yield inseparable("zero-row", [*rows, zero], {20: 1}, "planted cancellation: the row of zeros")
    yield separable(
        "zero-row-tied", [*rows, zero], weights, "planted separator; a row of zeros is to be 0", [False] * 20 + [True]
    )
    padded = [[0, *row, 0, 0] for row in rows]
    yield separable("zero-columns", padded, [0, *weights, 0, 0], "planted separator; columns of zeros")
    yield inseparable("zero-columns-only", [[0, 0, 0]] * 4, {0: 1}, "planted cancellation: nothing but zeros")
    yield separable("ties-only", rows, zero, "nothing strict is asked for: the weights 0", [True] * 20)
    yield separable("one-row", [[0, -3, 0]], [0, -1, 0], "planted separator: one row against itself")
    yield inseparable(
        "opposite-multiples", [[6, -4], [1, 1], [-9, 6]], [3, 0, 2], "planted cancellation: 3 and 2 times"
    )
