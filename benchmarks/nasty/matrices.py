"""Ill-conditioned matrices of the textbooks, scaled to integers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from math import lcm, prod

from .exact import solve, transposed
from .instance import Instance, combination, dot, inseparable, separable, whole


def cone(name: str, rows: list[list[int]], target: list[int], why: str) -> Iterator[Instance]:
    """Independent rows, turned so that ``target`` is a positive combination of them; its opposite makes them cancel.

    The separable one is made of the same rows, of sums of them, and of ``target`` itself.
    """
    factors = solve(transposed(rows), target)
    if factors is None:
        raise ValueError(f"{name}: the rows are dependent")
    turned = [row if factor >= 0 else [-entry for entry in row] for row, factor in zip(rows, factors, strict=True)]
    rng = random.Random(name)
    sums = [combination(turned, [*rng.choices([0, 1], k=len(turned) - 1), 1]) for _ in rows]
    weights = solve(turned, [1] * len(rows))
    multipliers = [abs(factor) for factor in factors]
    largest = max(whole([*multipliers, 1])).bit_length()
    yield separable(name, [*turned, *sums, target], weights or [], f"planted separator: {why}, solved for exactly")
    against = [-entry for entry in target]
    yield inseparable(
        f"{name}-closed",
        [*turned, *sums, against],
        [*multipliers, *[0] * len(sums), 1],
        f"planted cancellation: {why}, solved for exactly; multipliers of {largest} bits",
    )


def hilbert() -> Iterator[Instance]:
    """Rows 1/(i + j − 1) times their least common denominator."""
    for n in (4, 7, 10, 14, 20):
        common = lcm(*range(1, 2 * n))
        rows = [[common // (i + j - 1) for j in range(1, n + 1)] for i in range(1, n + 1)]
        yield from cone(f"hilbert-{n}", rows, [1] + [0] * (n - 1), "the inverse of the Hilbert matrix")


def random_signs() -> Iterator[Instance]:
    """Square matrices of ±1, whose determinants, hence multipliers, have about n/2 · log2 n bits."""
    for n in (8, 20, 32, 48):
        rng = random.Random(f"signs {n}")
        while True:
            rows = [[rng.choice([-1, 1]) for _ in range(n)] for _ in range(n)]
            factors = solve(transposed(rows), [1] + [0] * (n - 1))
            if factors is not None and all(factors):
                break
        yield from cone(f"random-signs-{n}", rows, [1] + [0] * (n - 1), "a random matrix of signs")


def vandermonde() -> Iterator[Instance]:
    """Points (1, t, …, t^d): signs that change d times are those of a polynomial, and d + 1 times are not."""
    for degree, points in ((3, 12), (6, 30), (10, 44), (16, 60), (24, 60)):
        # change sign after every `step` points, d times; the roots are half-way
        step = points // (degree + 1)
        roots = [(2 * step * k + 1, 2) for k in range(1, degree + 1)]
        coefficients = [Fraction(1)]
        for numerator, denominator in roots:
            root = Fraction(numerator, denominator)
            longer = [Fraction(0), *coefficients]
            coefficients = [a - root * b for a, b in zip(longer, [*coefficients, Fraction(0)], strict=True)]
        rows = []
        for t in range(1, points + 1):
            row = [t**k for k in range(degree + 1)]
            rows.append(row if dot(row, coefficients) > 0 else [-entry for entry in row])
        yield separable(
            f"vandermonde-{degree}",
            rows,
            coefficients,
            f"planted separator: the polynomial with {degree} roots half-way between points",
        )
        # d + 2 points with alternating signs: the divided difference of order d + 1 of a polynomial of degree d is 0.
        chosen = [1 + (points - 1) * k // (degree + 1) for k in range(degree + 2)]
        alternating, factors = [], []
        for k, t in enumerate(chosen):
            alternating.append([(-1) ** k * t**j for j in range(degree + 1)])
            factors.append(Fraction(1, prod(abs(t - other) for other in chosen if other != t)))
        yield inseparable(
            f"vandermonde-{degree}-alternating",
            alternating,
            factors,
            f"theorem (divided differences) and planted cancellation: {degree + 1} changes of sign on the moment curve",
        )
        # The other points as well, labelled like the sign that comes before them.
        filled, multipliers = [], []
        for t in range(1, points + 1):
            last = max(k for k, other in enumerate(chosen) if other <= t)
            filled.append([(-1) ** last * t**j for j in range(degree + 1)])
            multipliers.append(factors[last] if chosen[last] == t else 0)
        yield inseparable(
            f"vandermonde-{degree}-alternating-filled",
            filled,
            multipliers,
            "theorem (divided differences) and planted cancellation, among many more points of the curve",
        )


def klee_minty() -> Iterator[Instance]:
    """Is the optimum 5^n of the Klee–Minty cube (1972) exceeded (no), or missed by one part in 5^n at most (yes)?

    ``x_j > 0``, ``2 Σ_{j<i} 2^{i−j} x_j + x_i < 5^i h``, and the objective ``Σ 2^{n−j} x_j`` above a multiple of h.
    """
    for n in (3, 6, 12, 20, 30):
        # columns: h, x_1 … x_n
        positive = [[0, *(int(i == j) for j in range(n))] for i in range(n)]
        below = [
            [5**i, *(-(2 ** (i - j + 1)) if j < i else -int(i == j) for j in range(1, n + 1))] for i in range(1, n + 1)
        ]
        objective = [2 ** (n - j) for j in range(1, n + 1)]
        small = 2 ** (2 * n + 4)  # x_1 … x_(n−1) = 1, h = small, x_n just below 5^n h
        last = 5**n * small - sum(2 ** (n - j + 1) for j in range(1, n)) - 1
        yield separable(
            f"klee-minty-{n}",
            [*positive, *below, [1 - 5**n, *objective]],
            [small, *[1] * (n - 1), last],
            f"planted separator: a point next to the optimal vertex; the objective may miss 5^{n} by 1",
        )
        multipliers = {**{j: 2 ** (n - j - 1) for j in range(n - 1)}, 2 * n - 1: 1, 2 * n: 1}
        yield inseparable(
            f"klee-minty-{n}-closed",
            [*positive, *below, [-(5**n), *objective]],
            multipliers,
            f"theorem (Klee and Minty 1972) and planted cancellation: the objective is at most 5^{n} h",
        )
