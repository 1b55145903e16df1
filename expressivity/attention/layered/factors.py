r"""The least width of a head among several layers, with exact factors.

What a position can carry before a layer lies in the affine hull of finitely many points, kept here as a base
point ``c`` and independent differences ``D``: at first a token at a position and what changes with the token
or the position; then heads with the values ``V`` into subspaces add ``cV`` to the base and ``DV`` to the
differences. A softmax ignores what all sources have in common, the logits ignore what all outputs have in
common, and a constant that every source writes on outputs can move to the direct path. So a head with
scores ``S`` and values ``V`` needs the width

.. math:: \mathrm{rank}\,[c; D]\, S D^\top \qquad\text{and}\qquad \mathrm{rank}\, D V P,

``P`` subtracting the first output's column, or the rank of ``[c; D] V`` where it writes into a subspace
(theorem T8, on all that positions can carry: pairs that never meet count as well).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat

from expressivity.attention.layered.tables import OUTPUT, Direction, LayeredHead, LayeredTables, directions_of, embedded
from expressivity.attention.tables import ONE, ZERO, Place, spanning
from expressivity.attention.weights import ScoreFactors, ValueFactors
from expressivity.attention.weights.factorise import certified_rank, split_logs
from expressivity.attention.weights.logs import LogMatrix
from expressivity.attention.weights.rational_matrix import (
    pivots,
    rank_factors,
    solve,
    submatrix,
    to_fmpq,
    to_fraction,
    vstack,
)
from expressivity.errors import InputError


@dataclass(frozen=True)
class HeadForms:
    """One head's tables over the directions of the residual stream, factored twice: as they stand, from which they
    can be read back unchanged, and as narrow tables that do the same.
    """

    head: LayeredHead
    layer: int
    scores: tuple[ScoreFactors, ScoreFactors]
    values: tuple[ValueFactors, ValueFactors]

    @property
    def least(self) -> int:
        """The width that the head needs."""
        return max(self.scores[1].width, self.values[1].width)

    @property
    def is_proved(self) -> bool:
        """Whether no smaller width does it."""
        return self.scores[1].is_least or self.values[1].width == self.least

    def fitting(self, width: int) -> tuple[ScoreFactors, ValueFactors]:
        """The tables as they stand where these fit the width.

        Raises:
            InputError: not even the narrow ones do.
        """
        if self.least > width:
            by_values = self.values[1].width == self.least
            table = self.head.values if by_values else self.head.attention
            spaces = {(left.space, "outputs" if right.is_output else right.space) for left, right in table}
            raise InputError(
                f"d_head {width} is too small: head {self.head.name!r} in layer {self.layer} needs {self.least}, the "
                f"rank of its table of {'values' if by_values else 'scores'} "
                f"({', '.join(sorted(' × '.join(pair) for pair in spaces))})"
            )
        scores = self.scores[0] if self.scores[0].width <= width else self.scores[1]
        values = self.values[0] if self.values[0].width <= width else self.values[1]
        return scores, values


class Stream:
    """The residual stream of some tables on some places: its directions, and what positions can carry.

    Args:
        tables: of any number of layers.
        places: every token at every position that it is met at.
        outputs: the logits, in order.

    Raises:
        InputError: the tables name a direction that there is not.
    """

    def __init__(self, tables: LayeredTables, places: Sequence[Place], outputs: Sequence[str]) -> None:
        first = embedded(tables.embedding, places)
        written = (direction for symbols in tables.subspaces.values() for direction in symbols)
        self.logits = tuple(Direction(OUTPUT, y) for y in outputs)
        self.directions = (*first, *written, *self.logits)
        self.at = {direction: i for i, direction in enumerate(self.directions)}
        self.always = tuple(direction for direction in first if direction.space != "position")
        named = (direction for head in tables.heads for direction in head.directions)
        for direction in (*named, *(direction for direction, _ in tables.direct)):
            if direction not in self.at:
                raise InputError(f"the tables name {str(direction)!r}, which no context of the task has")
        if tables.embedding == "additive":
            places = spanning(places)
        start, *others = dict.fromkeys(directions_of(tables.embedding, place) for place in places)
        base = self._point(start)
        hull = base, _independent([self._point(other) - base for other in others], len(self.directions))
        self.hulls = [hull]
        for layer in tables.layers[:-1]:
            self.hulls.append(self._after(layer, *self.hulls[-1]))

    def forms(self, layer: int, head: LayeredHead) -> HeadForms:
        """Both factorisations of a head of that layer."""
        base, differences = self.hulls[layer]
        carried = vstack([base, differences])
        return HeadForms(
            head, layer, self._scores(head, carried, differences), self._values(head, base, carried, differences)
        )

    def _scores(self, head: LayeredHead, carried: fmpq_mat, differences: fmpq_mat) -> tuple[ScoreFactors, ScoreFactors]:
        if head.odds is None:
            table = LogMatrix.of_scores(self._matrix(head.attention), head.base)
        else:
            rows = [[head.odds.get((q, s), ONE) for s in self.directions] for q in self.directions]
            table = LogMatrix.of_odds(rows, len(self.directions))
        seen = table.map(lambda term: carried * term * differences.transpose())
        left, right = split_logs(seen)
        width = left.shape[1]
        proved = len(seen.terms) == 1 or width <= 1 or certified_rank(seen, width) == width
        narrow = ScoreFactors(
            left.map(lambda term: solve(carried, term)),
            right.map(lambda term: solve(differences, term.transpose())),
            proved,
        )
        query, key = split_logs(table)
        if set(table.terms) == {"e"}:
            query, key = (LogMatrix({"e": factor}) for factor in _as_it_stands(table.terms["e"]))
        plain = ScoreFactors(query, key.map(lambda term: term.transpose()), proved and query.shape[1] == width)
        return plain, narrow

    def _values(
        self, head: LayeredHead, base: fmpq_mat, carried: fmpq_mat, differences: fmpq_mat
    ) -> tuple[ValueFactors, ValueFactors]:
        table = self._matrix(head.values)
        nothing = (ZERO,) * len(self.logits)
        plain = ValueFactors(*_as_it_stands(table), nothing)
        if not all(target.is_output for _, target in head.values):
            value, output = rank_factors(carried * table)
            return plain, ValueFactors(solve(carried, value), output, nothing)
        size = len(self.directions)
        first, *columns = range(size - len(self.logits), size)
        shifted = fmpq_mat(size, size)
        for i in range(size):
            for j in columns:
                shifted[i, j] = table[i, j] - table[i, first]
        value, output = rank_factors(differences * shifted)
        value = solve(differences, value)
        moved = base * shifted - base * value * output
        return plain, ValueFactors(value, output, tuple(to_fraction(moved[0, j]) for j in (first, *columns)))

    def _after(self, layer: Sequence[LayeredHead], base: fmpq_mat, differences: fmpq_mat) -> tuple[fmpq_mat, fmpq_mat]:
        rows, total = [differences], base
        for head in layer:
            moves = self._matrix({pair: value for pair, value in head.values.items() if not pair[1].is_output})
            rows.append(differences * moves)
            total = total + base * moves
        return total, _independent(rows, len(self.directions))

    def _point(self, carried: Iterable[Direction]) -> fmpq_mat:
        found = fmpq_mat(1, len(self.directions))
        for direction in carried:
            found[0, self.at[direction]] = fmpq(1)
        return found

    def _matrix(self, table: Mapping[tuple[Direction, Direction], Fraction]) -> fmpq_mat:
        found = fmpq_mat(len(self.directions), len(self.directions))
        for (row, column), value in table.items():
            found[self.at[row], self.at[column]] = to_fmpq(value)
        return found


def _as_it_stands(table: fmpq_mat) -> tuple[fmpq_mat, fmpq_mat]:
    """Rank factors, without fractions that no float holds where either columns or rows of the table allow it."""
    by_columns = rank_factors(table)
    right, left = rank_factors(table.transpose())
    by_rows = left.transpose(), right.transpose()
    return by_rows if _is_binary(by_rows) and not _is_binary(by_columns) else by_columns


def _is_binary(parts: Iterable[fmpq_mat]) -> bool:
    return all(int(entry.q).bit_count() == 1 for part in parts for entry in part.entries())


def _independent(parts: Sequence[fmpq_mat], width: int) -> fmpq_mat:
    """Rows that span the rows of all parts."""
    rows = vstack(parts) if parts else fmpq_mat(0, width)
    return submatrix(rows, pivots(rows.transpose()), range(width))
