"""From tables to the weights of a transformer and back.

The residual stream has one named direction for each embedding row and one for each output. ``W_E`` (and
``W_pos``) write a row's own direction and, in the output directions, the direct path ``b(q, ·)``; ``W_U``
reads the output directions. Heads read rows and write outputs only, so no two paths touch. All weights are
exact until :meth:`ExactWeights.to_model` rounds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from flint import fmpq_mat

from expressivity.attention.models import Embedding
from expressivity.attention.tables import Head, HeadTables, Row, occurring, show_row
from expressivity.attention.weights.factorise import (
    Incidence,
    ScoreFactors,
    ValueFactors,
    check_width,
    factor_scores,
    factor_values,
)
from expressivity.attention.weights.rational_matrix import matrix, to_fmpq, to_fraction, vstack
from expressivity.errors import InputError

if TYPE_CHECKING:
    import torch

    from expressivity.attention.models.transformer import AttentionOnlyTransformer
    from expressivity.task import Domain, Task

WEIGHT_BITS = 80
Name = TypeVar("Name")
Entries = dict[str, list[tuple[tuple[int, ...], Fraction]]]
"""Weights by the name of their parameter: index and value, 0 where nothing is listed."""


@dataclass(frozen=True)
class HeadWeights:
    """One head's exact factors; ``queries`` and ``sources`` name the rows of the matrices."""

    name: str
    queries: tuple[Row, ...]
    sources: tuple[Row, ...]
    scores: ScoreFactors
    values: ValueFactors

    @property
    def width(self) -> int:
        """The least ``d_head`` that this head needs."""
        return max(self.scores.width, self.values.width)


@dataclass(frozen=True)
class ExactWeights:
    """The weights of a one-layer attention-only transformer, before rounding.

    Attributes:
        embedding: how tokens and positions are read.
        tokens: the vocabulary, sorted.
        outputs: the logits, in order.
        n_ctx: the longest context, destination included.
        rows: the embedding rows in use; each has its direction in the residual stream, before those of the
            outputs.
        direct: (row, output) to number, with what the heads' values moved there.
        heads: exact factors.
        d_head: the width of every head; narrower ones are padded with zeros.
    """

    embedding: Embedding
    tokens: tuple[str, ...]
    outputs: tuple[str, ...]
    n_ctx: int
    rows: tuple[Row, ...]
    direct: Mapping[tuple[Row, str], Fraction]
    heads: tuple[HeadWeights, ...]
    d_head: int

    @property
    def is_least(self) -> bool:
        """Whether ``d_head`` is proved least for these tables on all pairs of places (theorem T8)."""
        wide = (head for head in self.heads if head.width == self.d_head)
        return self.d_head == 1 or any(h.values.width == self.d_head or h.scores.is_least for h in wide)

    @property
    def basis(self) -> tuple[str, ...]:
        """The names of the residual directions: rows as ``A`` or ``A@0``, outputs as ``→T``."""
        return (*(show_row(row) for row in self.rows), *(f"→{output}" for output in self.outputs))

    def to_tables(self) -> HeadTables:
        """Read the tables off the exact weights.

        They equal the compiled ones up to what no logit difference sees: a factor of all odds of one
        destination, a shift of all outputs of one source, and a constant moved from a head's values to the
        direct path. Values, and scores where there are any, have a rank of at most ``d_head``, as a certificate with
        that width needs. Odds are written as whole scores wherever they are powers of one rational base; only what is
        left has odds, which have no rank.
        """
        heads = []
        for head in self.heads:
            values = products(head.sources, head.values.value, head.values.output, self.outputs)
            table = head.scores.query.times_transposed(head.scores.key)
            whole = table.whole()
            if whole is None:
                scores, odds = table.named(head.queries, head.sources)
                heads.append(Head(values, scores, odds, name=head.name))
            else:
                powers = named_entries(head.queries, whole[1], head.sources)
                heads.append(Head(values, powers, base=whole[0], name=head.name))
        return HeadTables(self.embedding, self.direct, tuple(heads))

    def rounded(self, bits: int = WEIGHT_BITS) -> HeadTables:
        """Tables with real scores of rank at most ``d_head``, which show decisions *and* width to a checker.

        Logarithms of rational odds are rounded to ``bits`` bits, factor by factor: a different model then, whose
        decisions are proved by themselves. Scores stay as they are.
        """
        heads = []
        for head, read in zip(self.heads, self.to_tables().heads, strict=True):
            if read.odds is None:
                heads.append(read)
                continue
            factors = (head.scores.query, head.scores.key)
            query, key = (matrix(factor.rounded(bits), head.scores.width) for factor in factors)
            scores = products(head.queries, query, key.transpose(), head.sources)
            heads.append(Head(read.values, scores=scores, name=head.name))
        return HeadTables(self.embedding, self.direct, tuple(heads))

    def to_model(self, dtype: torch.dtype | None = None) -> AttentionOnlyTransformer:
        """Round to real weights; float32 by default, on the CPU, scores unscaled (``attn_scale`` 1).

        Raises:
            InputError: a weight is too large for the type.
        """
        from expressivity.attention.models.transformer import AttentionOnlyTransformer, default_dtype

        model = AttentionOnlyTransformer(
            self.tokens,
            self.outputs,
            n_ctx=self.n_ctx,
            n_heads=len(self.heads),
            d_model=len(self.rows) + len(self.outputs),
            d_head=self.d_head,
            embedding=self.embedding,
            basis=self.basis,
            dtype=dtype or default_dtype,
        )
        for name, filled in self.entries().items():
            fill(model.get_parameter(name), filled, name.rpartition(".")[2])
        return model

    def entries(self) -> Entries:
        """All weights before rounding: exact, but for logarithms, which have ``WEIGHT_BITS`` right bits."""
        place = {row: i for i, row in enumerate(self.rows)}
        goal = {output: len(self.rows) + i for i, output in enumerate(self.outputs)}
        cells: Entries = defaultdict(list)
        for row, i in place.items():
            name, line = self._line(row)
            cells[name].append(((line, i), Fraction(1)))
        for (row, output), value in self.direct.items():
            name, line = self._line(row)
            cells[name].append(((line, goal[output]), value))
        cells["W_U"] += [((i, k), Fraction(1)) for k, i in enumerate(goal.values())]
        for h, head in enumerate(self.heads):
            blocks: list[tuple[str, list[list[Fraction]], Sequence[Row]]] = [
                ("W_Q", head.scores.query.rounded(WEIGHT_BITS), head.queries),
                ("W_K", head.scores.key.rounded(WEIGHT_BITS), head.sources),
                ("W_V", fractions(head.values.value), head.sources),
            ]
            for name, table, rows in blocks:
                for row, entries in zip(rows, table, strict=True):
                    cells[f"blocks.0.{name}"] += [((h, place[row], d), value) for d, value in enumerate(entries)]
            for d, entries in enumerate(fractions(head.values.output)):
                cells["blocks.0.W_O"] += [((h, d, goal[y]), v) for y, v in zip(self.outputs, entries, strict=True)]
        return cells

    def _line(self, row: Row) -> tuple[str, int]:
        position, token = row
        if token is None:
            return "W_pos", position or 0
        line = self.tokens.index(token)
        return "W_E", line if position is None else position * len(self.tokens) + line


def compile_tables(
    tables: HeadTables, task: Task, d_head: int | None = None, dtype: torch.dtype | None = None
) -> AttentionOnlyTransformer:
    """A transformer that carries the tables out on the contexts of a task: :func:`exact_weights`, rounded.

    Raises:
        InputError: ``d_head`` is too small, or a weight too large for the type.
    """
    return exact_weights(tables, task, d_head).to_model(dtype)


def exact_weights(tables: HeadTables, task: Task | Domain, d_head: int | None = None) -> ExactWeights:
    """The weights that realise the tables on the contexts of a task, as narrow as possible.

    Args:
        tables: one layer in any embedding.
        task: its contexts give tokens, positions and outputs, its pairs of places the tables to factor.
        d_head: a width to use instead of the least one.

    Raises:
        InputError: ``d_head`` is below 1 or too small for a table, which is named with a minor that shows it.
    """
    if d_head is not None and d_head < 1:
        raise InputError(f"d_head is {d_head}; expected at least 1")
    last, met, _ = occurring(task)
    ends, sources = Incidence.of(last, tables.embedding), Incidence.of(met, tables.embedding)
    outputs = tuple(task.outputs)
    heads = []
    for head in tables.heads:
        scores, values = factor_scores(head, ends, sources), factor_values(head, sources, outputs)
        if d_head is not None and max(scores.width, values.width) > d_head:
            check_width(head, ends, sources, outputs, d_head)
        heads.append(HeadWeights(head.name, ends.rows, sources.rows, scores, values))
    direct: dict[tuple[Row, str], Fraction] = defaultdict(Fraction)
    for row in ends.rows:
        for k, output in enumerate(outputs):
            direct[row, output] += tables.direct.get((row, output), Fraction(0))
            if row[1] is not None:  # once per place: a place reads exactly one row with a token
                direct[row, output] += sum((head.values.moved[k] for head in heads), Fraction(0))
    return ExactWeights(
        tables.embedding,
        tuple(sorted({token for _, token in met})),
        outputs,
        1 + max(position for position, _ in last),
        sources.rows,
        {key: value for key, value in direct.items() if value},
        tuple(heads),
        d_head or max([1, *(head.width for head in heads)]),
    )


def read_tables(model: AttentionOnlyTransformer) -> HeadTables:
    """The exact tables of any one-layer model: its floats are rationals, and their products are taken exactly.

    Every row of the embedding gets its entries, so the tables hold for every context that the model reads.
    They describe the real function of the weights, which is not bit for bit what a floating-point run
    computes.

    Raises:
        InputError: the model has several layers, or a weight that is not finite.
    """
    if len(model.blocks) != 1:
        raise InputError(f"the model has {len(model.blocks)} layers; expected 1")
    embedding, stream, positions = model.embedding, exact_entries(model.W_E, "W_E"), exact_entries(model.W_pos, "W_pos")
    read: list[Row] = [(None, token) for token in model.tokens]
    if embedding == "joint":
        read = [(i, token) for i in range(model.n_ctx) for token in model.tokens]
        spread = vstack([matrix([row] * len(model.tokens), model.d_model) for row in fractions(positions)])
        stream = stream + spread
    elif any(value != 0 for value in positions.entries()):
        embedding = "additive"
        read += [(i, None) for i in range(model.n_ctx)]
        stream = vstack([stream, positions])
    out = exact_entries(model.W_U, "W_U")
    scale = to_fmpq(Fraction(model.attn_scale))
    heads = []
    for h in range(model.n_heads):
        q, k, v, o = (exact_entries(getattr(model, name)[h], name) for name in ("W_Q", "W_K", "W_V", "W_O"))
        scores = products(read, stream * q / scale, (stream * k).transpose(), read)
        heads.append(Head(products(read, stream * v, o * out, model.outputs), scores=scores, name=f"head {h}"))
    return HeadTables(embedding, products(read, stream, out, model.outputs), tuple(heads))


def products(
    rows: Sequence[Name], left: fmpq_mat, right: fmpq_mat, columns: Sequence[Any]
) -> dict[tuple[Name, Any], Fraction]:
    """The entries of ``left · right`` that are not 0, by the names of its rows and columns."""
    return named_entries(rows, left * right, columns)


def named_entries(rows: Sequence[Name], table: fmpq_mat, columns: Sequence[Any]) -> dict[tuple[Name, Any], Fraction]:
    """The entries of a matrix that are not 0, by the names of its rows and columns."""
    pairs = ((row, column, table[i, j]) for i, row in enumerate(rows) for j, column in enumerate(columns))
    return {(row, column): to_fraction(value) for row, column, value in pairs if value != 0}


def fractions(table: fmpq_mat) -> list[list[Fraction]]:
    """The rows of a matrix."""
    return [[to_fraction(value) for value in row] for row in table.tolist()]


def exact_entries(weights: torch.Tensor, name: str) -> fmpq_mat:
    """Stored floats as the rationals that they are.

    Raises:
        InputError: one of them is not finite.
    """
    rows = weights.detach().double().cpu().tolist()
    try:
        entries = [to_fmpq(Fraction(value)) for row in rows for value in row]
    except (ValueError, OverflowError):
        raise InputError(f"{name} has a weight that is not a finite number") from None
    return fmpq_mat(weights.shape[0], weights.shape[1], entries)


def fill(weights: torch.Tensor, entries: list[tuple[tuple[int, ...], Fraction]], name: str) -> None:
    """Set entries of a tensor, rounded to its type.

    Raises:
        InputError: one of them is too large for the type.
    """
    if not entries:
        return
    data, largest = weights.data, max(abs(value) for _, value in entries)
    where = tuple(list(axis) for axis in zip(*(index for index, _ in entries), strict=True))
    if largest < 1 << 1000:
        data[where] = data.new_tensor([float(value) for _, value in entries])
    if largest >= 1 << 1000 or not bool(data.isfinite().all()):
        size = largest.numerator.bit_length() - largest.denominator.bit_length()
        raise InputError(f"{name} needs a weight of about 2^{size}, which {data.dtype} does not hold")
