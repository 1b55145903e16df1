"""Rows and columns of very different size, huge entries, ties among them, and odd shapes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from .degenerate import DENIED, denial, planted
from .instance import Instance, combination, dot, inseparable, separable

SCALES = [10**k for k in (0, 3, 6, 9, 12, 15, 18)]  # ±9 about the middle one, kept whole


def scaled() -> Iterator[Instance]:
    """Rows, columns or both multiplied by powers of ten from 10^−9 to 10^9, times 10^9."""
    for columns in (6, 20, 50):
        for which in ("rows", "columns", "both"):
            rng = random.Random(f"scaled {columns} {which}")
            rows, weights = planted(rng, 4 * columns, columns)
            against, factors = denial(rng, rows, columns // 2)
            down = rng.choices(SCALES, k=len(rows) + 1) if which != "columns" else [1] * (len(rows) + 1)
            across = rng.choices(SCALES, k=columns) if which != "rows" else [1] * columns

            def large(table: list[list[int]], down: list[int] = down, across: list[int] = across) -> list[list[int]]:
                return [
                    [r * x * c for x, c in zip(row, across, strict=True)] for row, r in zip(table, down, strict=False)
                ]

            yield separable(
                f"scaled-{which}-{columns}",
                large(rows),
                [Fraction(w, c) for w, c in zip(weights, across, strict=True)],
                "planted separator, scaled back",
            )
            shrunk = {i: Fraction(factor, down[i]) for i, factor in factors.items()}
            yield inseparable(f"scaled-{which}-{columns}-denied", large([*rows, against]), shrunk, DENIED)


def huge_entries() -> Iterator[Instance]:
    """Random entries of many bits; the largest do not fit any float."""
    for bits in (60, 63, 64, 100, 200, 1100):
        columns = 12
        rng = random.Random(f"huge {bits}")
        rows, weights = planted(rng, 3 * columns, columns, 2**bits)
        yield separable(f"entries-of-2^{bits}", rows, weights, "planted separator")
        against, factors = denial(rng, rows, columns - 2, 2**20)
        yield inseparable(f"entries-of-2^{bits}-denied", [*rows, against], factors, DENIED)


def tied() -> Iterator[Instance]:
    """Equal rows beside strict ones, small and large."""
    for columns, ties, size in ((6, 3, 3), (15, 7, 3), (40, 20, 3), (12, 5, 10**12), (30, 25, 10**9)):
        rng = random.Random(f"tied {columns} {size}")
        weights = [*rng.choices([-4, -3, -2, -1, 1, 2, 3], k=columns - 1), 1]

        def of_value(value: int, rng: random.Random = rng, weights: list[int] = weights, size: int = size) -> list[int]:
            row = [rng.randint(-size, size) for _ in weights[:-1]]
            return [*row, value - dot(row, weights[:-1])]

        level = [of_value(0) for _ in range(ties)]
        strict = [of_value(rng.randint(1, 5)) for _ in range(3 * columns)]
        name = f"tied-{columns}-{ties}-{size:.0e}".replace("e+", "e")
        equal = [True] * ties + [False] * len(strict)
        yield separable(name, level + strict, weights, "planted separator, orthogonal to the equal rows", equal)
        # Some strict rows add up to a combination of the equal ones.
        used = {ties + i: rng.randint(1, 4) for i in rng.sample(range(len(strict)), min(5, columns - ties))}
        shares = rng.choices([-3, -2, -1, 1, 2, 3], k=ties)
        rows = level + strict
        against = [-entry for entry in combination(rows, [*shares, *(used.get(i, 0) for i in range(ties, len(rows)))])]
        yield inseparable(
            f"{name}-denied",
            [*rows, against],
            {**dict(enumerate(shares)), **used, len(rows): 1},
            "planted cancellation, of both signs on the equal rows",
            [*equal, False],
        )
        within = combination(level, shares)
        yield inseparable(
            f"{name}-spanned",
            [*rows, within],
            {**{i: -share for i, share in enumerate(shares)}, len(rows): 1},
            "planted cancellation: a strict row that is a combination of equal ones",
            [*equal, False],
        )


def shapes() -> Iterator[Instance]:
    """Many rows of few columns, and few rows of many columns."""
    for m, n in ((3000, 3), (2000, 8), (1000, 25), (8, 300), (40, 400), (90, 110)):
        rng = random.Random(f"shape {m} {n}")
        rows, weights = planted(rng, m, n, 9)
        yield separable(f"shape-{m}x{n}", rows, weights, "planted separator")
        against, factors = denial(rng, rows, min(m, n) // 2)
        yield inseparable(f"shape-{m}x{n}-denied", [*rows, against], factors, DENIED)


def layers() -> Iterator[Instance]:
    """Quasi-separation, again and again: each layer of rows vanishes on the columns that settle those before it.

    The weights of a layer must outweigh all later ones (their entries are up to 10^6); if the last layer overlaps,
    nothing separates the rows, however well the layers before it look.
    """
    for depth, width in ((2, 3), (3, 5), (5, 4), (8, 5)):
        rng = random.Random(f"layers {depth}")
        columns = depth * width
        rows: list[list[int]] = []
        weights: list[int] = [0] * columns
        later = 1  # what all later layers weigh at most, per unit of entry
        for layer in reversed(range(depth)):
            own, direction = planted(rng, 4 * width, width)
            start, stop = layer * width, (layer + 1) * width
            after = [[rng.randint(-(10**6), 10**6) for _ in range(columns - stop)] for _ in own]
            rows += [[*[0] * start, *row, *rest] for row, rest in zip(own, after, strict=True)]
            weights[start:stop] = [later * w for w in direction]
            later += 10**6 * sum(map(abs, weights[start:stop]))
        yield separable(
            f"layers-{depth}x{width}", rows, weights, "planted separator: each layer outweighs all later ones"
        )
        deepest = list(range(4 * width))  # made first
        against, factors = denial(rng, [rows[i] for i in deepest], width - 1)
        factors[len(rows)] = factors.pop(len(deepest))
        yield inseparable(
            f"layers-{depth}x{width}-overlap",
            [*rows, against],
            factors,
            "planted cancellation: the last layer alone overlaps (quasi-complete separation)",
        )
