"""The sparsest separator: weights on as few groups of columns as possible, and how few there must be.

Where some columns do not suffice, the rows cancel in these columns; and a separator must use a column in which this
combination of rows does not vanish, because it gives the combination a value above 0. So every combination found on
the way is a set of groups that all separators must meet, and what is proved about meeting these sets is proved about
separators (see ``implicit``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from . import highs
from .clock import Clock, Progress
from .elastic import Constraints, Elastic
from .implicit import Search, group_numbers
from .irreducible import on_columns
from .outcome import Cancellation, Flags, Mask, Separator, equal_mask
from .prices import Prices
from .rounding import multiples
from .rows import Array, IntegerRows
from .scaling import equilibrated
from .separate import separate


@dataclass(frozen=True)
class Sparsest:
    """A separator and a proof of how much sparser another one could be. All of it is checked in exact integers.

    Attributes:
        separator: checked.
        groups: the groups of columns in use in increasing order, those free of charge left out.
        bound: every separator uses so many groups: proved.
        combinations: what proves it: ``{row: multiplier}``, integers without a common factor, positive on strict rows,
            of which there is at least one. The sum of multipliers times rows vanishes on columns free of charge, and
            no set of fewer than ``bound`` groups has, for each combination, a column in which it does not vanish.
    """

    separator: Separator
    groups: tuple[int, ...]
    bound: int
    combinations: tuple[dict[int, int], ...]

    @property
    def weights(self) -> tuple[int, ...]:
        """The separator's weights."""
        return self.separator.weights

    @property
    def optimal(self) -> bool:
        """Whether no separator uses fewer groups: proved."""
        return self.bound == len(self.groups)


def sparsest(
    rows: IntegerRows,
    equal: Flags | None = None,
    separator: Separator | None = None,
    *,
    groups: Sequence[int] | Array | None = None,
    time_limit: float | None = 1.0,
    progress: Progress | None = None,
) -> Sparsest | None:
    """Look for a separator on as few groups of columns as possible, and prove how few there must be.

    Args:
        rows, equal: the question.
        separator: a valid answer to it, kept if nothing sparser is found; default: what ``separate`` finds.
        groups: for each column the number of its group, −1 for columns free of charge; default: each column by itself.
        time_limit: seconds, on top of those for the first answer; ``None`` for as long as it takes to prove that
            nothing is sparser.
        progress: called with a line such as "at least 4, at most 7" whenever one of the bounds changes.

    Returns:
        The separator and its proof; None when the rows have no separator.

    Raises:
        Refuted: ``separator`` does not separate the rows.
        InputError: not one group for each column.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 1, 1], [1, -1, 2], [1, 0, -1]])
        >>> found = sparsest(rows)
        >>> found.groups, found.weights, found.optimal
        ((0,), (1, 0, 0), True)
    """
    mask = equal_mask(rows, equal)
    if separator is None:
        answer = separate(rows, mask)
        if not isinstance(answer, Separator):
            return None
        separator = answer
    separator.check(rows, mask)
    names, owners = group_numbers(groups, rows.n_columns, "columns")
    search = _Search(rows, mask, owners, len(names), separator, Clock(time_limit, progress))
    search.run()
    best = search.best
    best.check(rows, mask)
    used = tuple(int(names[k]) for k in sorted(search.used))
    return Sparsest(best, used, search.bound, tuple(search.few_proofs()))


class _Search(Search):
    def __init__(
        self, rows: IntegerRows, equal: Mask, owners: Array, count: int, best: Separator, clock: Clock
    ) -> None:
        super().__init__(count, _groups(best, owners), clock)
        self.rows = rows
        self.equal = equal
        self.owners = owners
        self.best = best
        self.table, across, _ = equilibrated(rows.floats())
        self.across = across + rows.exponents()
        self.elastic: Elastic | None = None
        self.prices: Prices | None = None

    # ------------------------------------------------------------------ combinations that vanish on many groups

    def exactly(self, chosen: set[int]) -> tuple[set[int], dict[int, int]] | None:
        """The groups in which the rows do not cancel although they do in the chosen ones; None when those suffice."""
        found = on_columns(self.rows, self.equal, self._columns_of(chosen), self.clock)
        if isinstance(found, Cancellation):
            return self._left_by(dict(found.multipliers)), dict(found.multipliers)
        self._offer(found)
        return None

    def grown(self, chosen: set[int]) -> tuple[set[int], dict[int, int]] | None:
        """The same for rows that cancel in other groups as well."""
        if self.elastic is None:
            self.elastic = self._elastic()
        hint = self.elastic.grow(chosen)
        if hint is None:
            return None
        point, met = hint
        target = int((~met).sum())
        for vector in multiples(np.ldexp(point, -self.across)):
            combination = {i: value for i, value in enumerate(vector) if value}
            if self._valid(combination):
                left = self._left_by(combination)
                if len(left) <= target and not left & (chosen | {-1}):
                    return left, combination
        held = chosen | set(np.flatnonzero(met).tolist())
        found = on_columns(self.rows, self.equal, self._columns_of(held), self.clock)
        if isinstance(found, Separator):
            return None
        return self._left_by(dict(found.multipliers)), dict(found.multipliers)

    def _elastic(self) -> Elastic:
        """Multipliers that add up to 1 on strict rows, and in each column to 0 if possible."""
        norm = np.where(self.equal, 0.0, 1.0)
        right = np.concatenate((np.zeros(self.rows.n_columns), [1.0]))
        return Elastic(
            Constraints(
                sp.csr_array(sp.vstack([self.table.T, norm[None, :]])),
                lower=right,
                upper=right,
                owners=np.concatenate((self.owners, [-1])),
                count=self.count,
                least=np.where(self.equal, -np.inf, 0.0),
                enough=right,
            ),
            self.clock,
        )

    def _valid(self, combination: dict[int, int]) -> bool:
        strict = [value for i, value in combination.items() if not self.equal[i]]
        return bool(strict) and min(strict) > 0

    def _left_by(self, combination: dict[int, int]) -> set[int]:
        """The groups of columns in which the combination does not vanish."""
        return set(self.owners[list(self.rows.combine(combination))].tolist())

    def _columns_of(self, groups: set[int] | list[int]) -> Array:
        return np.flatnonzero(np.isin(self.owners, list(groups)) | (self.owners < 0))

    # ------------------------------------------------------------------ separators on few groups

    def draw(self) -> bool:
        """A basic separator under random prices. It is made exact even if time is up by then."""
        if self.prices is None:
            self.prices = self._prices()
        chosen = self.prices.move(self.used)
        if chosen is None:
            return False
        if len(chosen) < len(self.used):
            found = on_columns(self.rows, self.equal, self._columns_of(chosen), Clock())
            if isinstance(found, Cancellation):
                return False
            self._offer(found)
        return True

    def _prices(self) -> Prices:
        """Weights, as differences of two, that give strict rows 1 and equal rows 0."""
        width = 2 * self.rows.n_columns
        program = highs.Program(
            sp.csr_array(sp.hstack([self.table, -self.table])),
            np.where(self.equal, 0.0, 1.0),
            np.where(self.equal, 0.0, np.inf),
            np.ones(width),
            np.zeros(width),
            np.full(width, np.inf),
        )
        return Prices(program, np.concatenate((self.owners, self.owners)), self.count, self.clock)

    def _offer(self, found: Separator) -> None:
        used = _groups(found, self.owners)
        if len(used) < len(self.used):
            self.best, self.used = found, used


def _groups(separator: Separator, owners: Array) -> set[int]:
    return {int(group) for group, weight in zip(owners, separator.weights, strict=True) if weight and group >= 0}
