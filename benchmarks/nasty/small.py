"""Small random questions near the border of yes and no, their truth found by elimination."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .exact import decide
from .instance import Instance, inseparable, separable

WHY = "exhaustive: Fourier–Motzkin elimination in fractions, its proof substituted"


def border() -> Iterator[Instance]:
    """A few rows N a + d with entries −1, 0, 1 in a and d; some equal rows. Whether d decides, or a alone, varies."""
    for part, label in ((1, "1"), (10**12, "1e12"), (2**60, "2^60")):
        rng = random.Random(f"border {label}")
        wanted = {True: 8, False: 8}
        number = 0
        while any(wanted.values()):
            columns = rng.randint(3, 4)
            rows = []
            for _ in range(rng.randint(columns, columns + 3)):
                a, d = (rng.choices([-1, 0, 1], k=columns) for _ in range(2))
                rows.append([part * x + y for x, y in zip(a, d, strict=True)])
            equal = [rng.random() < 0.2 for _ in rows]
            if all(equal) or not all(any(row) for row in rows):
                continue
            truth, proof = decide(rows, equal)
            if not wanted[truth]:
                continue
            if not truth and sum(map(bool, proof)) < 3:
                continue  # two opposite rows: too plain
            wanted[truth] -= 1
            number += 1
            make = separable if truth else inseparable
            yield make(f"border-{label}-{number}", rows, proof, WHY, equal)
