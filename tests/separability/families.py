"""Rows on which float solvers go wrong, and how the truth about each is known without a solver.

Every instance carries its proof in its construction:

- separable ones are built from weights written down beside them, or are independent (then any values can be had);
- inseparable ones contain a row that is minus a positive combination of others, or are a known identity.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

Row = list[int]
_CONTRADICTED = "a row is minus a positive combination of others"


@dataclass(frozen=True)
class Instance:
    """Rows, the truth about them, and the reason that it is known."""

    name: str
    rows: list[Row]
    separable: bool
    why: str

    def __str__(self) -> str:
        return self.name


def dot(row: Row, weights: Row) -> int:
    return sum(a * w for a, w in zip(row, weights, strict=True))


def contradicted(rows: list[Row], seed: int, size: int, largest: int = 3) -> list[Row]:
    """The rows and minus a positive combination of ``size`` of them: inseparable whatever they were."""
    rng = random.Random(seed)
    total = [0] * len(rows[0])
    for i in rng.sample(range(len(rows)), min(size, len(rows))):
        factor = rng.randint(1, largest)
        total = [t - factor * a for t, a in zip(total, rows[i], strict=True)]
    return [*rows, total]


def odd_max_bit(n: int, count: int, seed: int) -> list[Row]:
    """The sign of a bit string is the parity of its last 1: weights ±2^i with alternating signs separate them."""
    rng = random.Random(seed)
    strings = [[int(rng.random() < 0.3) for _ in range(n)] for _ in range(count)]
    strings += [[int(j == i or (j < i and (i - j) % 2)) for j in range(n)] for i in range(n)]
    rows = []
    for bits in strings:
        ones = [i for i, bit in enumerate(bits) if bit]
        if ones:
            sign = 1 if ones[-1] % 2 else -1
            rows.append([sign * bit for bit in bits])
    weights = [2**i if i % 2 else -(2**i) for i in range(n)]
    if any(dot(row, weights) < 1 for row in rows):
        raise AssertionError("odd-max-bit weights do not separate")
    return rows


def last_write(n: int, count: int, seed: int) -> list[Row]:
    """Each position writes 1, writes 2 or is silent, and the last write wins: weights ±2^position separate them."""
    rng = random.Random(seed)
    words = [[rng.choice([0, 0, 1, 2]) for _ in range(n)] for _ in range(count)]
    words += [[3 - a] * i + [a] + [0] * (n - 1 - i) for i in range(n) for a in (1, 2)]
    rows = []
    for word in words:
        writes = [a for a in word if a]
        if writes:
            sign = 1 if writes[-1] == 1 else -1
            rows.append([sign * int(a == 1) for a in word] + [sign * int(a == 2) for a in word])
    weights = [2**i for i in range(n)] + [-(2**i) for i in range(n)]
    if any(dot(row, weights) < 1 for row in rows):
        raise AssertionError("last-write weights do not separate")
    return rows


def doubling(n: int, closing: int | None) -> list[Row]:
    """``w_0 > 0``, ``w_{i+1} > 2 w_i``, and maybe ``closing · w_0 > w_{n−1}``, a contradiction iff closing ≤ 2^(n−1).

    Contradiction: the rows times 2^(n−2), …, 2, 1 and the closing one add up to ``(closing − 2^(n−1)) w_0``, which
    the first row balances. Otherwise ``w_i = 2^i (2^n + i + 1)``-like weights do it: see ``doubling_weights``."""
    rows = [[int(j == i + 1) - 2 * int(j == i) for j in range(n)] for i in range(n - 1)]
    rows.append([int(j == 0) for j in range(n)])
    if closing is not None:
        rows.append([closing * int(j == 0) - int(j == n - 1) for j in range(n)])
    return rows


def doubling_weights(n: int) -> Row:
    """``w_0 = 2^n``, ``w_{i+1} = 2 w_i + 1``, so ``w_{n−1} = 2^(n−1) · 2^n + 2^(n−1) − 1 < (2^(n−1) + 1) · w_0``."""
    weights = [2**n]
    for _ in range(n - 1):
        weights.append(2 * weights[-1] + 1)
    return weights


def hair(n: int, seed: int, *, separable: bool, big: int = 10**12) -> list[Row]:
    """n − 1 rows with entries up to 10^12 and minus their sum, exactly or off by one in one entry.

    Exact: they cancel. Off by one: the n rows are independent (a determinant that the test recomputes), so that any
    values can be had.
    """
    rng = random.Random(seed)
    rows = [[rng.randint(-big, big) for _ in range(n)] for _ in range(n - 1)]
    last = [-sum(column) for column in zip(*rows, strict=True)]
    if separable:
        last[rng.randrange(n)] += rng.choice([-1, 1])
    return [*rows, last]


def sliver(n: int, count: int, seed: int, big: int = 10**12) -> list[Row]:
    """Rows with entries up to 10^12 whose product with planted weights is exactly 1: separable by one part in 10^12."""
    rng = random.Random(seed)
    weights = [1, *(rng.randint(-9, 9) for _ in range(n - 1))]
    rows = []
    for _ in range(count):
        row = [0, *(rng.randint(-big, big) for _ in range(n - 1))]
        row[0] = 1 - dot(row, weights)
        rows.append(row)
    return rows


def parity(k: int, degree: int) -> list[Row]:
    """Parity of k bits with all monomials up to a degree: inseparable below degree k (Minsky and Papert 1969)."""
    rows = []
    subsets = [s for size in range(degree + 1) for s in itertools.combinations(range(k), size)]
    for bits in itertools.product((0, 1), repeat=k):
        sign = 1 if sum(bits) % 2 else -1
        rows.append([sign * int(all(bits[i] for i in subset)) for subset in subsets])
    return rows


def scaled(rows: list[Row], seed: int) -> list[Row]:
    """Rows and columns multiplied by 1, 10^9 or 10^18, positive factors that change no answer."""
    rng = random.Random(seed)
    columns = [10 ** rng.choice([0, 9, 18]) for _ in rows[0]]
    result = []
    for row in rows:
        factor = 10 ** rng.choice([0, 9, 18])
        result.append([a * c * factor for a, c in zip(row, columns, strict=True)])
    return result


def repeated(rows: list[Row], seed: int) -> list[Row]:
    """Every row several times, in multiples, and every column twice."""
    rng = random.Random(seed)
    copies = [[a * factor for a in row] for row in rows for factor in rng.sample([1, 1, 2, 3, 7, 10**15], 2)]
    rng.shuffle(copies)
    return [[a for a in row for _ in range(2)] for row in copies]


def planted(n: int, count: int, seed: int) -> list[Row]:
    """Sparse 0/1 features signed by planted integer weights."""
    rng = random.Random(seed)
    weights = [rng.randint(-100, 100) for _ in range(n)]
    rows = []
    while len(rows) < count:
        row = [int(rng.random() < 0.2) for _ in range(n)]
        value = dot(row, weights)
        if value:
            rows.append([a if value > 0 else -a for a in row])
    return rows


def instances() -> Iterator[Instance]:
    """A few of each kind."""
    for n in (5, 13, 40):
        for family, make in (("odd-max-bit", odd_max_bit), ("last-write", last_write)):
            rows = make(n, 4 * n, seed=n)
            yield Instance(f"{family}-{n}", rows, True, "weights ±2^i")
            yield Instance(f"{family}-contradicted-{n}", contradicted(rows, n, n), False, _CONTRADICTED)
            yield Instance(f"{family}-scaled-{n}", scaled(rows, n), True, "positive factors")
            wrong = scaled(contradicted(rows, n, 3), n)
            yield Instance(f"{family}-contradicted-scaled-{n}", wrong, False, _CONTRADICTED)
    for n in (3, 62, 63, 64, 100):
        yield Instance(f"doubling-{n}", doubling(n, None), True, "w_i = 3^i")
        yield Instance(f"doubling-closed-{n}", doubling(n, 2 ** (n - 1)), False, "telescoping sum")
        yield Instance(f"doubling-ajar-{n}", doubling(n, 2 ** (n - 1) + 1), True, "w_0 = 2^n, w_{i+1} = 2 w_i + 1")
    for n in (3, 6, 24):
        yield Instance(f"hair-{n}", hair(n, n, separable=True), True, "independent rows")
        yield Instance(f"no-hair-{n}", hair(n, n, separable=False), False, "rows add up to 0")
        rows = sliver(n, 3 * n, n)
        yield Instance(f"sliver-{n}", rows, True, "planted weights give 1")
        yield Instance(f"sliver-contradicted-{n}", contradicted(rows, n, n), False, _CONTRADICTED)
    for k in (2, 4, 6):
        yield Instance(f"parity-{k}", parity(k, k - 1), False, "Minsky and Papert 1969")
        yield Instance(f"parity-full-{k}", parity(k, k), True, "as many independent monomials as points")
    for n in (10, 30):
        rows = planted(n, 6 * n, n)
        yield Instance(f"repeated-{n}", repeated(rows, n), True, "planted weights")
        yield Instance(f"repeated-contradicted-{n}", repeated(contradicted(rows, n, 4), n), False, _CONTRADICTED)
