r"""The least head width for given tables (theorem T8), with exact factors.

A score table ``S`` (destinations × sources) is used by a softmax, which ignores a constant per destination;
a value table ``V`` (sources × outputs) is used up to a common shift of all logits, and its mean over the
sources can move to the direct path, because attention sums to one. So the widths needed are

.. math::
    \min_u \mathrm{rank}(S + u 1^\top) = \mathrm{rank}(S P), \qquad
    \min_{u,g} \mathrm{rank}(V + u 1^\top + 1 g^\top) = \mathrm{rank}(P' V P),

``P`` and ``P'`` any projections along the all-ones vectors. Here they subtract a reference column or row,
not the mean: the rank is the same and whole numbers stay whole.

In the ``additive`` embedding a table ``M`` over embedding rows (tokens and positions) gives ``D M Eᵀ`` over
places, where ``D`` and ``E`` say which rows a place reads. The all-ones vector lies in the span of either,
so the least rank of an ``M`` that serves is again that of the table over places, and its factors are pulled
back by solving ``D Q = L`` and ``E K = Rᵀ``. Pairs that never meet in a context keep the value that the
tables give them; for one task the width is therefore an upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import ctx, fmpq_mat

from expressivity.attention.models import Embedding
from expressivity.attention.tables import ZERO, Head, Place, Row, rows_of, show_row, spanning
from expressivity.attention.weights.logs import LogMatrix
from expressivity.attention.weights.rational_matrix import (
    hstack,
    matrix,
    nonzero_minor,
    rank_factors,
    solve,
    submatrix,
    to_fraction,
    vstack,
)
from expressivity.errors import InputError

CERTIFIED_BITS = 256


@dataclass(frozen=True)
class Incidence:
    """Places and the embedding rows they read.

    In ``tokens`` the places with one token read the same row and count once. In ``additive`` a place whose rows
    are an alternating sum of other places' rows (``A@0 − B@0 + B@1`` is ``A@1``) adds nothing to any rank.
    """

    embedding: Embedding
    places: tuple[Place, ...]
    rows: tuple[Row, ...]

    @staticmethod
    def of(places: Sequence[Place], embedding: Embedding) -> Incidence:
        """The incidence of these places; in ``additive`` of the last and enough others to give every table its rank."""
        if embedding == "additive" and places:
            kept = {*spanning(places), places[-1]}
            places = [place for place in places if place in kept]
        read: dict[tuple[Row, ...], Place] = {}
        for place in places:
            read.setdefault(rows_of(embedding, place), place)
        rows = tuple(dict.fromkeys(row for found in read for row in found))
        return Incidence(embedding, tuple(read.values()), rows)

    @property
    def names(self) -> list[str]:
        """The places as messages name them: ``A``, or ``A@0`` where the position counts."""
        return [show_row((None if self.embedding == "tokens" else i, token)) for i, token in self.places]

    @property
    def read_rows(self) -> list[tuple[Row, ...]]:
        """The rows of each place."""
        return [rows_of(self.embedding, place) for place in self.places]

    def pull_back(self, over_places: fmpq_mat) -> fmpq_mat:
        """A matrix over rows whose image over places is the given one (which must lie in the span)."""
        if self.embedding != "additive":
            return over_places
        reads = [[Fraction(row in found) for row in self.rows] for found in self.read_rows]
        return solve(matrix(reads, len(self.rows)), over_places)


@dataclass(frozen=True)
class ScoreFactors:
    """``score(q, s) = Σ_d query[q, d] · key[s, d]`` up to a constant per destination.

    Attributes:
        query: destination rows × width.
        key: source rows × width; one of the two is rational.
        is_least: whether no smaller width gives these odds on all pairs of places (proved).
    """

    query: LogMatrix
    key: LogMatrix
    is_least: bool

    @property
    def width(self) -> int:
        """The number of columns of both factors."""
        return self.query.shape[1]


@dataclass(frozen=True)
class ValueFactors:
    """``v(s, y) = Σ_d value[s, d] · output[d, y] + moved[y]`` up to something common to all outputs.

    Attributes:
        value: source rows × width.
        output: width × outputs.
        moved: what goes to the direct path, for each output.
    """

    value: fmpq_mat
    output: fmpq_mat
    moved: tuple[Fraction, ...]

    @property
    def width(self) -> int:
        """The number of columns of ``value``: the least possible."""
        return self.value.ncols()


# ------------------------------------------------------------------------------------------------ scores


def score_matrix(head: Head, ends: Incidence, sources: Incidence) -> LogMatrix:
    """The logarithms of a head's odds on all pairs of places (destinations × sources), exactly."""
    width = len(sources.places)
    pairs = [[(q, s) for s in sources.read_rows] for q in ends.read_rows]
    if head.odds is None:
        return LogMatrix.of_scores(matrix([[head.score(q, s) for q, s in row] for row in pairs], width), head.base)
    return LogMatrix.of_odds([[head.weight(q, s) for q, s in row] for row in pairs], width)


def centred_scores(table: LogMatrix) -> LogMatrix:
    """The table less its first column, which no softmax sees."""
    return table.map(less_first)


def factor_scores(head: Head, ends: Incidence, sources: Incidence) -> ScoreFactors:
    """Factor a head's scores over embedding rows, as narrow as exact arithmetic finds.

    With scores to one base the width is the rank, so it is the least. With odds over several primes one
    factor is rational and the other a combination of logarithms: the width is the smaller rank of the
    exponent tables put side by side and one above the other; ``is_least`` then says whether elimination in
    balls proves the rank to be no smaller.
    """
    table = score_matrix(head, ends, sources)
    centred = centred_scores(table)
    left, right = min(split_logs(table), split_logs(centred), key=lambda factors: factors[0].shape[1])
    width = left.shape[1]
    is_least = len(table.terms) == 1 or width <= 1 or certified_rank(centred, width) == width
    key = right.map(lambda term: sources.pull_back(term.transpose()))
    return ScoreFactors(left.map(ends.pull_back), key, is_least)


def less_first(table: fmpq_mat) -> fmpq_mat:
    """The first column subtracted from every column."""
    rows, columns = table.nrows(), table.ncols()
    return fmpq_mat(rows, columns, [table[i, j] - table[i, 0] for i in range(rows) for j in range(columns)])


def split_logs(table: LogMatrix) -> tuple[LogMatrix, LogMatrix]:
    """Left and right factors of which one is rational, by the smaller of the two stacked ranks."""
    bases, parts = list(table.terms), list(table.terms.values())
    rows, columns = table.shape
    wide, tall = hstack(parts), vstack(parts)
    if wide.rank() <= tall.rank():
        left, right = rank_factors(wide)
        cuts = [range(k * columns, (k + 1) * columns) for k in range(len(parts))]
        rights = {b: submatrix(right, range(right.nrows()), cut) for b, cut in zip(bases, cuts, strict=True)}
        return LogMatrix({"e": left}), LogMatrix(rights)
    left, right = rank_factors(tall)
    bands = [range(k * rows, (k + 1) * rows) for k in range(len(parts))]
    lefts = {b: submatrix(left, band, range(left.ncols())) for b, band in zip(bases, bands, strict=True)}
    return LogMatrix(lefts), LogMatrix({"e": right})


def certified_rank(table: LogMatrix, enough: int) -> int:
    """A proved lower bound of the real rank, up to ``enough``: elimination that divides by balls without 0."""
    rows, columns = table.shape
    with ctx.workprec(CERTIFIED_BITS):
        work = [[table.ball(i, j, CERTIFIED_BITS) for j in range(columns)] for i in range(rows)]
        for rank in range(enough):
            sizes = [(work[i][j].abs_lower(), i, j) for i in range(rank, rows) for j in range(rank, columns)]
            size, i, j = max(sizes, key=lambda entry: float(entry[0]))
            if not size > 0:
                return rank
            work[rank], work[i] = work[i], work[rank]
            for row in work:
                row[rank], row[j] = row[j], row[rank]
            for row in work[rank + 1 :]:
                factor = row[rank] / work[rank][rank]
                row[rank:] = [x - factor * y for x, y in zip(row[rank:], work[rank][rank:], strict=True)]
    return enough


# ------------------------------------------------------------------------------------------------ values


def value_matrix(head: Head, sources: Incidence, outputs: Sequence[str]) -> fmpq_mat:
    """A head's values on all source places (places × outputs)."""
    rows = sources.read_rows
    return matrix(
        [[sum((head.values.get((r, y), ZERO) for r in read), ZERO) for y in outputs] for read in rows], len(outputs)
    )


def centred_values(table: fmpq_mat) -> fmpq_mat:
    """The table less its first column (a shift of all logits) and its last row (the direct path takes it)."""
    return _less_last(less_first(table))


def factor_values(head: Head, sources: Incidence, outputs: Sequence[str]) -> ValueFactors:
    """Factor a head's values over embedding rows, as narrow as possible.

    The table is changed no more than its rank requires: not at all, by the first output's column, by the
    last source's row (which moves to the direct path), or by both; the first of these with the least rank.
    """
    table = value_matrix(head, sources, outputs)
    shifted = less_first(table)
    forms = [table, shifted, _less_last(table), _less_last(shifted)]
    least = min(range(4), key=lambda k: forms[k].rank())
    left, right = rank_factors(forms[least])
    taken = forms[least - 2] if least >= 2 else fmpq_mat(table.nrows(), table.ncols())
    moved = tuple(to_fraction(taken[table.nrows() - 1, j]) for j in range(table.ncols()))
    return ValueFactors(sources.pull_back(left), right, moved)


def _less_last(table: fmpq_mat) -> fmpq_mat:
    """The last row subtracted from every row."""
    rows, columns = table.nrows(), table.ncols()
    return fmpq_mat(rows, columns, [table[i, j] - table[rows - 1, j] for i in range(rows) for j in range(columns)])


# ------------------------------------------------------------------------------------------------ too narrow


def check_width(head: Head, ends: Incidence, sources: Incidence, outputs: Sequence[str], d_head: int) -> None:
    """Refuse a head width that the head's tables do not fit into.

    Raises:
        InputError: naming the table, the width it needs and, where the rank proves it, the entries of a
            nonzero minor of size ``d_head + 1``.
    """
    scores = score_matrix(head, ends, sources)
    values = centred_values(value_matrix(head, sources, outputs))
    needed = factor_scores(head, ends, sources).width
    if values.rank() > d_head:
        shown = _show_minor(values, d_head + 1, sources.names, list(outputs), "the last source and the first output")
        raise InputError(_too_narrow(head, d_head, "value", values.rank(), shown))
    if needed > d_head and len(scores.terms) == 1:
        centred = next(iter(centred_scores(scores).terms.values()))
        shown = _show_minor(centred, d_head + 1, ends.names, sources.names, "the first source")
        raise InputError(_too_narrow(head, d_head, "score", needed, shown))
    if needed > d_head:
        raise InputError(_too_narrow(head, d_head, "score", needed, "its odds have that many independent logarithms"))


def _too_narrow(head: Head, d_head: int, table: str, needed: int, shown: str) -> str:
    return f"d_head {d_head} is too small: the {table} table of head {head.name!r} needs {needed}: {shown}"


def _show_minor(table: fmpq_mat, size: int, rows: list[str], columns: list[str], less: str) -> str:
    chosen, across = nonzero_minor(table, size)
    entries = "; ".join(f"{rows[i]}: " + " ".join(str(table[i, j]) for j in across) for i in chosen)
    return f"less {less}, its minor of columns {' '.join(columns[j] for j in across)} [{entries}] is not 0"
