"""Verdicts that hang on one part in 10^12 and less."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .exact import solve
from .instance import Instance, combination, dot, inseparable, separable

PARTS = {"1e12": 10**12, "1e15": 10**15, "1e18": 10**18, "2^60": 2**60, "1e30": 10**30}


def one_part() -> Iterator[Instance]:
    """``Σ λ_i r_i = 0``, and the rows ``N r_i + d_i u``: they cancel when ``Σ λ_i d_i = 0``, and not when it is 1."""
    for label, part in PARTS.items():
        for size in (3, 8, 20, 36):
            rng = random.Random(f"one part {label} {size}")
            while True:
                # r_0 … r_(size−2) at random in the space where the last column is 0, r_last what cancels them
                vectors = [[*rng.choices(range(-3, 4), k=size - 1), 0] for _ in range(size - 1)]
                weights = [rng.randint(1, 5) for _ in range(size - 1)]
                vectors.append([-entry for entry in combination(vectors, weights)])
                weights.append(1)
                shares = [rng.randint(-2, 2) for _ in range(size - 1)]
                shares.append(-dot(shares, weights[:-1]))
                rows = [[part * entry for entry in v[:-1]] + [share] for v, share in zip(vectors, shares, strict=True)]
                apart = [list(row) for row in rows]
                apart[-1][-1] += 1
                weighing = solve(apart, [1] * size)
                if weighing is not None:
                    break
            more = [[rng.choice([0, 0, 1, 2]) for _ in range(size)] for _ in range(size)]
            sums = [combination(apart, factors) for factors in more if any(factors)]
            yield separable(
                f"one-part-in-{label}-{size}",
                apart + sums,
                weighing,
                f"planted separator: independent rows of size {label}, solved for exactly, and sums of them",
            )
            sums = [combination(rows[:-1], factors[:-1]) for factors in more if any(factors[:-1])]
            yield inseparable(
                f"one-part-in-{label}-{size}-closed",
                rows + sums,
                [*weights, *[0] * len(sums)],
                f"planted cancellation: the same with one entry less by 1 beside entries of size {label}",
            )


def nearly_duplicated() -> Iterator[Instance]:
    """Rows N a + d and −N a + d' that are opposite up to one part in N."""
    for label in ("1e12", "1e15", "2^60"):
        part = PARTS[label]
        for size in (5, 16, 40):
            rng = random.Random(f"nearly {label} {size}")
            weights = [*rng.choices([-3, -2, -1, 1, 2, 3], k=size - 1), 1]
            rows = []
            for _ in range(2 * size):
                a = [rng.randint(-3, 3) for _ in range(size - 1)]
                a.append(-dot(a, weights[:-1]))  # indifferent
                for sign in (1, -1, 1, -1):
                    d = [rng.randint(-2, 2) for _ in range(size - 1)]
                    d.append(rng.randint(1, 3) - dot(d, weights[:-1]))
                    rows.append([sign * part * x + y for x, y in zip(a, d, strict=True)])
            yield separable(
                f"nearly-duplicated-{label}-{size}",
                rows,
                weights,
                "planted separator: indifferent to the large parts of the rows, positive on the small ones",
            )
            factors = {i: rng.randint(1, 9) for i in rng.sample(range(len(rows)), min(size - 1, 6))}
            against = [-entry for entry in combination(rows, [factors.get(i, 0) for i in range(len(rows))])]
            yield inseparable(
                f"nearly-duplicated-{label}-{size}-denied",
                [*rows, against],
                {**factors, len(rows): 1},
                "planted cancellation: the opposite of a positive combination of some rows added",
            )


def wedges() -> Iterator[Instance]:
    """Two weights whose ratio must lie in an interval of length 1/(q (q + 1)), turned by a unimodular matrix."""
    for label, part in PARTS.items():
        rng = random.Random(f"wedge {label}")
        size = 6
        turn = [[int(i == j) for j in range(size)] for i in range(size)]
        for _ in range(12):  # row operations, so that small entries mix without changing the question
            i, j = rng.sample(range(size), 2)
            factor = rng.choice([-1, 1])
            turn[i] = [x + factor * y for x, y in zip(turn[i], turn[j], strict=True)]

        def turned(row: list[int], turn: list[list[int]] = turn) -> list[int]:
            return combination(turn, row)

        # 1/(q+1) < w_1/w_0 < 1/q, and some more weights between −w_0 and w_0
        low, high = [-1, part + 1, 0, 0, 0, 0], [1, -part, 0, 0, 0, 0]
        others = [[1, 0, *(sign * int(j == k) for j in range(4))] for k in range(4) for sign in (1, -1)]
        back = solve(turn, [1 + 2 * part, 2, 0, 0, 0, 0])
        yield separable(
            f"wedge-{label}",
            [turned(row) for row in (low, high, *others)],
            back,
            "planted separator: the mediant 2/(2q + 1) of the two bounds on the ratio",
        )
        middle = [1, -(part + 1), 0, 0, 0, 0]
        yield inseparable(
            f"wedge-{label}-closed",
            [turned(row) for row in (low, high, middle, *others)],
            {0: 1, 2: 1},
            "planted cancellation: the ratio denied on one side of a bound, asked for on the other",
        )
        mediant = [2, -(2 * part + 1), 0, 0, 0, 0]
        pinched = [[3 * entry for entry in mediant], [-2 * entry for entry in mediant], low, high, *others]
        yield inseparable(
            f"wedge-{label}-pinched",
            [turned(row) for row in pinched],
            {0: 2, 1: 3},
            "planted cancellation: the ratio wanted above the mediant and below it",
        )
