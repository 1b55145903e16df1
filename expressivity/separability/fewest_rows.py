"""The smallest contradiction: a cancellation of rows from as few groups as possible, and how few there must be.

Weights that separate some groups of rows miss the others, and a cancellation needs a row that they miss: rows which
they all separate do not cancel. So every separator found on the way is a set of groups that all cancellations must
meet, and what is proved about meeting these sets is proved about cancellations (see ``implicit``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from expressivity.errors import InputError

from . import highs
from .clock import Clock, Progress
from .elastic import Constraints, Elastic
from .implicit import Search, group_numbers
from .irreducible import irreducible, on_rows
from .outcome import Cancellation, Flags, Mask, Separator, equal_mask
from .prices import Prices
from .rounding import multiples
from .rows import Array, IntegerRows
from .scaling import equilibrated


@dataclass(frozen=True)
class Smallest:
    """A cancellation and a proof of how much smaller another one could be. All of it is checked in exact integers.

    Attributes:
        cancellation: checked, irreducible.
        groups: the groups of the rows that it uses, in increasing order.
        bound: every cancellation uses rows of so many groups: proved.
        separators: what proves it: integer weights, one number for each column. Each misses some rows (gives a strict
            one less than 1 or an equal one another value than 0), and no set of fewer than ``bound`` groups has, for
            each of these weights, a row that they miss.
    """

    cancellation: Cancellation
    groups: tuple[int, ...]
    bound: int
    separators: tuple[tuple[int, ...], ...]

    @property
    def optimal(self) -> bool:
        """Whether no cancellation uses fewer groups: proved."""
        return self.bound == len(self.groups)


def smallest(
    rows: IntegerRows,
    equal: Flags | None,
    cancellation: Cancellation,
    *,
    groups: Sequence[int] | Array | None = None,
    time_limit: float | None = 10.0,
    progress: Progress | None = None,
) -> Smallest:
    """Look for a cancellation of rows from as few groups as possible, and prove how few there must be.

    Args:
        rows, equal: the question.
        cancellation: a valid answer to it, kept if nothing smaller is found.
        groups: for each row the number of its group; default: each row by itself.
        time_limit: seconds, ``None`` for as long as it takes to prove that nothing is smaller.
        progress: called with a line such as "at least 4, at most 7" whenever one of the bounds changes.

    Raises:
        Refuted: ``cancellation`` does not cancel the rows.
        InputError: not one group for each row, or a negative one.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 0], [-2, 1], [0, -1], [1, -3], [-1, 3]])
        >>> found = smallest(rows, None, Cancellation({0: 2, 1: 1, 2: 1}))
        >>> found.cancellation.multipliers, found.bound, found.optimal
        ({3: 1, 4: 1}, 2, True)
    """
    mask = equal_mask(rows, equal)
    names, owners = group_numbers(groups, rows.n_rows, "rows")
    if np.any(owners < 0):
        raise InputError(f"groups: a negative number for row {int(np.argmin(owners))}, expected a number from 0 on")
    clock = Clock(time_limit, progress)
    search = _Search(rows, mask, owners, len(names), irreducible(rows, equal, cancellation), clock)
    search.run()
    best = search.best
    best.check(rows, mask)
    used = tuple(int(names[k]) for k in sorted(search.used))
    return Smallest(best, used, search.bound, tuple(search.few_proofs()))


class _Search(Search):
    def __init__(
        self, rows: IntegerRows, equal: Mask, owners: Array, count: int, best: Cancellation, clock: Clock
    ) -> None:
        super().__init__(count, _groups(best, owners), clock)
        self.rows = rows
        self.equal = equal
        self.owners = owners
        self.best = best
        self.order = np.argsort(owners, kind="stable")
        self.ends = np.searchsorted(owners[self.order], np.arange(count + 1))
        self.table, _, self.down = equilibrated(rows.floats())
        self.elastic: Elastic | None = None
        self.prices: Prices | None = None
        nothing = (0,) * rows.n_columns
        self.learn(self._missed(nothing), nothing)
        self.hitting.least()

    # ------------------------------------------------------------------ weights that miss few groups

    def exactly(self, chosen: set[int]) -> tuple[set[int], tuple[int, ...]] | None:
        """The groups that some weights miss which separate all the chosen ones; None when the chosen ones cancel."""
        found = on_rows(self.rows, self.equal, self._rows_of(chosen), self.clock)
        if isinstance(found, Separator):
            return self._missed(found.weights), found.weights
        self._offer(found)
        return None

    def grown(self, chosen: set[int]) -> tuple[set[int], tuple[int, ...]] | None:
        """The same for weights that separate others as well."""
        if self.elastic is None:
            self.elastic = self._elastic()
        hint = self.elastic.grow(chosen)
        if hint is None:
            return None
        point, met = hint
        target = int((~met).sum())
        for weights in multiples(np.ldexp(point, -self.down)):
            missed = self._missed(weights)
            if len(missed) <= target and not missed & chosen:
                return missed, weights
        held = chosen | set(np.flatnonzero(met).tolist())
        found = on_rows(self.rows, self.equal, self._rows_of(held), self.clock)
        return (self._missed(found.weights), found.weights) if isinstance(found, Separator) else None

    def _elastic(self) -> Elastic:
        strict = ~self.equal
        return Elastic(
            Constraints(
                self.table,
                lower=np.where(strict, 1.0, 0.0),
                upper=np.where(strict, np.inf, 0.0),
                owners=self.owners,
                count=self.count,
                least=np.full(self.table.shape[1], -np.inf),
                enough=np.where(strict, 1e-6, 0.0),
            ),
            self.clock,
        )

    def _missed(self, weights: tuple[int, ...]) -> set[int]:
        signs = self.rows.signs(weights)
        return set(np.unique(self.owners[np.where(self.equal, signs != 0, signs <= 0)]).tolist())

    def _rows_of(self, groups: set[int] | list[int]) -> Array:
        parts = [self.order[self.ends[k] : self.ends[k + 1]] for k in groups]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)

    # ------------------------------------------------------------------ cancellations of few groups

    def draw(self) -> bool:
        """A basic cancellation under random prices. It is made exact even if time is up by then."""
        if self.prices is None:
            self.prices = self._prices()
        chosen = self.prices.move(self.used)
        if chosen is None:
            return False
        if len(chosen) < len(self.used):
            found = on_rows(self.rows, self.equal, self._rows_of(chosen), Clock())
            if isinstance(found, Separator):
                return False
            self._offer(found)
        return True

    def _prices(self) -> Prices:
        """Multipliers, those of equal rows as differences of two, that cancel and add up to 1 on strict rows."""
        tied = np.flatnonzero(self.equal)
        table = sp.csr_array(sp.vstack([self.table, -self.table[tied]]))
        norm = np.concatenate((np.where(self.equal, 0.0, 1.0), np.zeros(len(tied))))
        right = np.concatenate((np.zeros(self.rows.n_columns), [1.0]))
        program = highs.Program(
            sp.csr_array(sp.vstack([table.T, norm[None, :]])),
            right,
            right,
            np.ones(len(norm)),
            np.zeros(len(norm)),
            np.full(len(norm), np.inf),
        )
        return Prices(program, np.concatenate((self.owners, self.owners[tied])), self.count, self.clock)

    def _offer(self, found: Cancellation) -> None:
        used = _groups(found, self.owners)
        if len(used) < len(self.used):
            self.best, self.used = found, used


def _groups(cancellation: Cancellation, owners: Array) -> set[int]:
    return set(owners[list(cancellation.multipliers)].tolist())
