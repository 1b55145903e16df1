"""Rows that only weights of exponential size separate, and the same with one row too many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

from .instance import Instance, dot, inseparable, separable


def last_write_wins() -> Iterator[Instance]:
    """Positions hold +1, −1 or nothing; the latest one that holds something decides, so ``w_i > Σ_{j<i} w_j``."""
    for n in (6, 12, 24, 40, 62, 64, 80, 100):
        rng = random.Random(f"last write {n}")
        chain = [[-1] * i + [1] + [0] * (n - 1 - i) for i in range(n)]
        extra = [latest(rng, n) for _ in range(n)]
        powers = [2**i for i in range(n)]
        yield separable(
            f"last-write-wins-{n}",
            chain + extra,
            powers,
            f"planted separator: 2^i on position i, up to 2^{n - 1}; the rows ask for w_i > w_0 + … + w_(i−1)",
        )
        # e_(n−1) = r_(n−1) + r_(n−2) + 2 r_(n−3) + 4 r_(n−4) + … for the rows r_i of the chain.
        multipliers = {i: 2 ** max(0, n - 2 - i) for i in range(n)}
        last = [0] * (n - 1) + [-1]
        yield inseparable(
            f"last-write-wins-{n}-contradicted",
            [*chain, *extra, last],
            {**multipliers, 2 * n: 1},
            f"planted cancellation: one write read as its opposite, multipliers up to 2^{n - 2}",
        )


def latest(rng: random.Random, n: int) -> list[int]:
    """A row of −1, 0, 1 times its last nonzero entry."""
    end = rng.randrange(n)
    sign = rng.choice([-1, 1])
    return [sign * rng.choice([-1, 0, 1]) for _ in range(end)] + [1] + [0] * (n - 1 - end)


def by_a_hair() -> Iterator[Instance]:
    """The chain ``w_i > w_0 + … + w_(i−1)`` with ``w_(n−1)`` at most 2^(n−2) times ``w_0``, or a little more."""
    for n in (8, 21, 42, 62, 92):
        chain = [[-1] * i + [1] + [0] * (n - 1 - i) for i in range(n)]
        top = 2 ** (n - 2)
        closed = [top] + [0] * (n - 2) + [-1]
        yield inseparable(
            f"closed-chain-{n}",
            [*chain, closed],
            {**{i: 2 ** (n - 2 - i) for i in range(1, n - 1)}, n - 1: 1, n: 1},
            f"planted cancellation: the chain forces w_last > 2^{n - 2} w_first, the last row denies it",
        )
        first = top + 1
        weights = [first]
        while len(weights) < n:
            weights.append(sum(weights) + 1)
        yield separable(
            f"closed-chain-{n}-by-a-hair",
            [*chain, [top + 1, *closed[1:]]],
            weights,
            f"planted separator: w_last < (2^{n - 2} + 1) w_first leaves one part in 2^{n - 2}",
        )


def odd_max_bit_cube() -> Iterator[Instance]:
    """Is the highest bit that is set an odd one? All points of the cube, with a constant (Beigel 1994)."""
    for n in (4, 5, 6, 7, 8):
        points = list(product((0, 1), repeat=n))  # bit i has the weight ±2^(i+1)
        label = {p: next((1 if i % 2 else -1 for i in reversed(range(n)) if p[i]), -1) for p in points}
        rows = [[label[p], *(label[p] * bit for bit in p)] for p in points]
        weights = [-1, *((1 if i % 2 else -1) * 2 ** (i + 1) for i in range(n))]
        yield separable(
            f"odd-max-bit-cube-{n}",
            rows,
            weights,
            "planted separator: (−1)^(i+1) 2^(i+1) on bit i and −1 on the constant",
        )
        flipped, y, u, v = parallelogram(points, label)
        wrong = [list(row) if p != flipped else [-entry for entry in row] for p, row in zip(points, rows, strict=True)]
        where = {p: i for i, p in enumerate(points)}
        yield inseparable(
            f"odd-max-bit-cube-{n}-one-label-wrong",
            wrong,
            dict.fromkeys((where[flipped], where[y], where[u], where[v]), 1),
            "planted cancellation: two points of one label have the sum of two of the other",
        )


def parallelogram(
    points: list[tuple[int, ...]], label: dict[tuple[int, ...], int]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Points with ``p + y = u + v`` whose labels forbid nothing until that of ``p`` is turned over."""
    for p in reversed(points):
        for u in points:
            for v in points:
                y = tuple(b + c - a for a, b, c in zip(p, u, v, strict=True))
                if len({p, u, v, y}) == 4 and label.get(y) == -label[p] and label[u] == label[v] == label[p]:
                    return p, y, u, v
    raise ValueError("no such four points")


def odd_max_bit() -> Iterator[Instance]:
    """Only the points that force the weights, in 0 and ±1: they grow like the Fibonacci numbers."""
    for n in (20, 45, 64, 90, 130):
        sign = [1 if i % 2 else -1 for i in range(n)]
        chain = [
            [sign[i] if j == i or (j < i and sign[j] != sign[i]) else 0 for j in range(n)] for i in range(n)
        ]  # bit i set, and every lower bit that speaks against it
        rng = random.Random(f"odd max bit {n}")
        extra = []
        for _ in range(n):
            end = rng.randrange(n)
            extra.append([sign[end] * (1 if j == end else rng.randrange(2) if j < end else 0) for j in range(n)])
        weights = [sign[i] * 2**i for i in range(n)]
        yield separable(
            f"odd-max-bit-{n}", chain + extra, weights, f"planted separator: ±2^i on bit i, up to 2^{n - 1}"
        )
        multipliers = [0] * n
        multipliers[-1] = 1
        for j in reversed(range(n - 1)):
            multipliers[j] = sum(multipliers[i] for i in range(j + 1, n) if sign[i] != sign[j])
        alone = [0] * (n - 1) + [-sign[-1]]
        yield inseparable(
            f"odd-max-bit-{n}-contradicted",
            [*chain, *extra, alone],
            [*multipliers, *[0] * n, 1],
            "planted cancellation: the last bit alone with the wrong label, Fibonacci multipliers",
        )


def greater_than() -> Iterator[Instance]:
    """Is x > y, for two numbers of n bits? Rows of pairs; where x = y the two are to tie."""
    for n in (8, 20, 40, 62, 90):
        rng = random.Random(f"greater {n}")
        pairs = [(2**i, 2**i - 1) for i in range(n)]
        while len(pairs) < 2 * n:
            x, y = rng.getrandbits(n), rng.getrandbits(n)
            if x != y:
                pairs.append((max(x, y), min(x, y)))
        rows = [[*bits(x, n), *bits(y, n)] for x, y in pairs]
        ties = [[*bits(2**i, n), *bits(2**i, n)] for i in range(n)]
        equal = [False] * len(rows) + [True] * n
        powers = [2**i for i in range(n)]
        weights = [*powers, *(-power for power in powers)]
        yield separable(
            f"greater-than-{n}",
            rows + ties,
            weights,
            "planted separator: 2^i on the bits of x, −2^i on those of y",
            equal,
        )
        # The top bit of x alone, said to be too small: chain and ties add up to it (as in last_write_wins).
        chain = [2 ** max(0, n - 2 - i) for i in range(n)]
        wrong = [-bit for bit in bits(2 ** (n - 1), n)] + [0] * n
        multipliers = [*chain, *[0] * n, *(-factor for factor in chain[:-1]), 0, 1]
        yield inseparable(
            f"greater-than-{n}-contradicted",
            [*rows, *ties, wrong],
            multipliers,
            f"planted cancellation: 2^{n - 1} > 0 denied; multipliers up to 2^{n - 2}, negative ones on ties",
            [*equal, False],
        )


def bits(number: int, n: int) -> list[int]:
    """The n bits of a number, least significant first."""
    return [number >> i & 1 for i in range(n)]


def decision_lists() -> Iterator[Instance]:
    """If x_1 then b_1, else if x_2 then b_2, …, else b_0: any such list is separated by powers of two (Rivest 1987)."""
    for n in (10, 30, 60, 120):
        rng = random.Random(f"list {n}")
        answer = [rng.choice([-1, 1]) for _ in range(n + 1)]  # the last one is "else"
        weights = [answer[i] * 2 ** (n - i) for i in range(n + 1)]
        points = []
        for _ in range(4 * n):
            first = min(n, int(rng.expovariate(3 / n)))
            points.append([0] * min(first, n) + [1 if j == first else rng.randrange(2) for j in range(first, n)])
        rows = []
        for point in points:
            first = point.index(1) if 1 in point else n
            rows.append([answer[first] * bit for bit in [*point, 1]])
        if any(dot(row, weights) < 1 for row in rows):
            raise ValueError("a decision list disagrees with its weights")
        yield separable(
            f"decision-list-{n}", rows, weights, f"theorem (Rivest 1987) and planted separator: ±2^(n−i), up to 2^{n}"
        )
        # Four points p + y = u + v, the labels of p, y against those of u, v.
        i, j, k = 0, 1, 2
        corners = []
        for on, side in (((i, j), 1), ((k,), 1), ((i, k), -1), ((j,), -1)):
            corners.append([side if position in on else 0 for position in range(n)] + [side])
        yield inseparable(
            f"decision-list-{n}-exclusive-or",
            rows + corners,
            dict.fromkeys(range(4 * n, 4 * n + 4), 1),
            "planted cancellation: four points labelled like an exclusive or",
        )
