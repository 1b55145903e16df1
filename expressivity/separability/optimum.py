"""The exact simplex method carried on to the optimum.

Where ``simplex`` stops at the first separator, this goes on until no reduced cost is negative, with all weights of the
program equal to 1: its value is then the least ``Σ_j |Σ_i λ_i a_ij|``, which is the largest margin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .clock import Clock
from .outcome import Mask
from .rows import IntegerRows
from .simplex import Tableau

_BATCH = 64  # rows taken up at a time


class Optimum(Tableau):
    """The least sum and the weights dual to it.

    Args:
        rows, equal: the question; at least one row must be strict.
        hint: rows that are likely to matter.
        start: rows of a basis to begin with, if it is feasible.
        order: columns that are likely to vanish in the best combination.
    """

    def __init__(
        self, rows: IntegerRows, equal: Mask, hint: Sequence[int], start: Sequence[int], order: Sequence[int]
    ) -> None:
        super().__init__(rows, equal, hint, [start] if start else [], order, even=True)

    def run(self, clock: Clock) -> list[int]:
        """Numerators of the optimal weights; their common denominator is the largest of them in size.

        Raises:
            OutOfTime: the clock runs out; ``multipliers`` are valid even then.
        """
        while True:
            clock.tick(f"largest margin: {self.pivots} exact pivots" if self.pivots % 100 == 0 else None)
            entering = self.price()
            if entering is None:
                return self.weights()
            self.pivot(*entering)

    def price(self) -> tuple[tuple[str, int], int] | None:
        """As in the parent class, but a strict row has to give the value reached, not only something above 0."""
        weights, level = self.weights(), int(self.objective)
        while True:
            found = self.steepest(weights, self.pool_rows.times(weights), level)
            if found is not None or len(self.pool) == self.rows.n_rows:
                return found
            short = [
                abs(value) if tied else level - value
                for value, tied in zip(self.rows.times(weights), self.equal.tolist(), strict=True)
            ]
            further = sorted((i for i, value in enumerate(short) if value > 0), key=lambda i: -short[i])
            if not further:
                return None
            self.set_pool(np.union1d(self.pool, np.array(further[: _BATCH + self.n], dtype=np.int64)))
