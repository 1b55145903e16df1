"""Random tasks for which a cross-entropy is defined."""

from __future__ import annotations

import random
from fractions import Fraction

from expressivity.task import Distribution, Requirement, Task, Tie, Top


def random_task(
    rng: random.Random, n: int, length: int, tokens: str, outputs: str, kind: str, destinations: str = "Q"
) -> Task:
    """At most n contexts of so many sources, a character each; ``kind``: labels, mixed (also ties) or soft."""
    asked: dict[tuple[str, ...], Requirement] = {}
    for _ in range(n):
        context = (*(rng.choice(tokens) for _ in range(length)), rng.choice(destinations))
        form = rng.choice({"labels": "l", "mixed": "ltd", "soft": "d"}[kind])
        shares = [rng.randrange(kind != "mixed", 5) for _ in outputs]
        asked[context] = {
            "l": Top(rng.choice(outputs)),
            "t": Tie(rng.sample(outputs, 2)),
            "d": Distribution(zip(outputs, shares if any(shares) else [1] * len(outputs), strict=True), normalise=True),
        }[form]
    weights = [rng.choice([Fraction(1), Fraction(1), Fraction(3), Fraction(2, 7)]) for _ in asked]
    return Task(list(asked), list(asked.values()), outputs=list(outputs), weights=weights)
