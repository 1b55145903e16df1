"""From layered tables to the weights of a transformer and back.

The residual stream has one named direction for each symbol: those of the embedding, those of the subspaces
that heads write, the outputs. ``W_E`` and ``W_pos`` write unit vectors, ``W_U`` reads the outputs and carries
the direct path, so that every table is a product of weights: scores ``W_Q W_Kᵀ``, values ``W_V W_O``. All
weights are exact until :meth:`LayeredWeights.to_model` rounds them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from flint import fmpq_mat

from expressivity.attention.layered.factors import Stream
from expressivity.attention.layered.tables import EMBEDDED, OUTPUT, Direction, LayeredHead, LayeredTables, directions_of
from expressivity.attention.models import Embedding
from expressivity.attention.tables import ONE, occurring
from expressivity.attention.weights import ScoreFactors, ValueFactors
from expressivity.attention.weights.compile import WEIGHT_BITS, Entries, exact_entries, fill, fractions, products
from expressivity.attention.weights.logs import LogMatrix, exponents
from expressivity.attention.weights.rational_matrix import to_fmpq, to_fraction
from expressivity.errors import InputError

if TYPE_CHECKING:
    import torch

    from expressivity.attention.models.transformer import AttentionOnlyTransformer
    from expressivity.task import Domain, Task


@dataclass(frozen=True)
class LayeredHeadWeights:
    """One head's exact factors; the rows of the matrices are the directions of the residual stream."""

    name: str
    base: Fraction | Literal["e"]
    scores: ScoreFactors
    values: ValueFactors

    def to_head(self, directions: Sequence[Direction]) -> LayeredHead:
        """The tables that the factors make; scores to the base that they had.

        Raises:
            InputError: odds that were changed to fit the width are not rational any more.
        """
        values = products(directions, self.values.value, self.values.output, directions)
        logs = self.scores.query.times_transposed(self.scores.key)
        if self.base == "e" or self.base == 1:
            try:
                return LayeredHead(values, *logs.named(directions, directions), name=self.name)
            except ValueError:
                raise InputError(
                    f"head {self.name!r}: its odds, changed to fit the width, are not rational any more; compile it "
                    "with a larger d_head to read them back"
                ) from None
        prime, table = next((prime, table) for prime, table in logs.terms.items() if prime != "e")
        power = exponents(self.base, [prime])[prime]  # another prime of the base would give the same scores
        scores, _ = LogMatrix({"e": table / power}).named(directions, directions)
        return LayeredHead(values, scores, None, self.base, self.name)

    def entries(self, name: str) -> list[list[Fraction]]:
        """One of ``W_Q``, ``W_K``, ``W_V``, ``W_O``."""
        if name in ("W_Q", "W_K"):
            return (self.scores.query if name == "W_Q" else self.scores.key).rounded(WEIGHT_BITS)
        return fractions(self.values.value if name == "W_V" else self.values.output)


@dataclass(frozen=True)
class LayeredWeights:
    """The weights of an attention-only transformer of several layers, before rounding.

    Attributes:
        embedding: how tokens and positions are read.
        tokens: the vocabulary, sorted.
        outputs: the logits, in order.
        n_ctx: the longest context, destination included.
        directions: the residual stream: of the embedding, of the subspaces, of the outputs.
        direct: what ``W_U`` reads beside the outputs.
        layers: exact factors of every head.
        d_head: the width of every head; narrower ones are padded with zeros.
        is_least: whether ``d_head`` is proved least for these tables.
    """

    embedding: Embedding
    tokens: tuple[str, ...]
    outputs: tuple[str, ...]
    n_ctx: int
    directions: tuple[Direction, ...]
    direct: Mapping[tuple[Direction, str], Fraction]
    layers: tuple[tuple[LayeredHeadWeights, ...], ...]
    d_head: int
    is_least: bool

    @property
    def basis(self) -> tuple[str, ...]:
        """The names of the residual directions: ``token:A``, ``position:3``, ``prev:A``, ``→T``."""
        return tuple(map(str, self.directions))

    def to_tables(self) -> LayeredTables:
        """Read the tables off the exact weights.

        They are the compiled ones, but for a table that fits ``d_head`` only after a change that no difference of
        logits sees.

        Raises:
            InputError: such a change has made odds irrational.
        """
        layers = (tuple(head.to_head(self.directions) for head in layer) for layer in self.layers)
        return LayeredTables(self.embedding, tuple(layers), self.direct)

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
            n_heads=max(map(len, self.layers)),
            d_model=len(self.directions),
            d_head=self.d_head,
            n_layers=len(self.layers),
            embedding=self.embedding,
            basis=self.basis,
            dtype=dtype or default_dtype,
        )
        for name, filled in self.entries().items():
            shown = re.sub(r"blocks\.(\d+)\.(\w+)", r"\2 of layer \1", name)
            fill(model.get_parameter(name), filled, shown)
        return model

    def entries(self) -> Entries:
        """All weights before rounding: exact, but for logarithms, which have ``WEIGHT_BITS`` right bits."""
        at = {direction: i for i, direction in enumerate(self.directions)}
        column = {output: k for k, output in enumerate(self.outputs)}
        cells: Entries = defaultdict(list)
        for direction, i in at.items():
            if direction.is_output:
                cells["W_U"].append(((i, column[str(direction.symbol)]), ONE))
            elif direction.space in EMBEDDED[self.embedding]:
                name, line = _line(direction, self.tokens)
                cells[name].append(((line, i), ONE))
        cells["W_U"] += [((at[direction], column[y]), value) for (direction, y), value in self.direct.items()]
        for layer, heads in enumerate(self.layers):
            for name in ("W_Q", "W_K", "W_V", "W_O"):
                cells[f"blocks.{layer}.{name}"] += [
                    ((h, i, j), value)
                    for h, head in enumerate(heads)
                    for i, row in enumerate(head.entries(name))
                    for j, value in enumerate(row)
                    if value
                ]
        return cells


def layered_weights(tables: LayeredTables, task: Task | Domain, d_head: int | None = None) -> LayeredWeights:
    """The weights that realise the tables on the contexts of a task, as narrow as possible.

    Args:
        tables: of any number of layers.
        task: its contexts give tokens and positions, its outputs the logits.
        d_head: a width to use instead of the least one.

    Raises:
        InputError: the tables name a token or a position that the task does not have, or ``d_head`` is below 1 or too
            small for a head.
    """
    if d_head is not None and d_head < 1:
        raise InputError(f"d_head is {d_head}; expected at least 1")
    _, places, _ = occurring(task)
    outputs = tuple(task.outputs)
    stream = Stream(tables, places, outputs)
    forms = [[stream.forms(layer, head) for head in heads] for layer, heads in enumerate(tables.layers)]
    every = [form for layer in forms for form in layer]
    width = d_head or max([1, *(form.least for form in every)])
    layers = tuple(
        tuple(LayeredHeadWeights(form.head.name, form.head.base, *form.fitting(width)) for form in layer)
        for layer in forms
    )
    direct: dict[tuple[Direction, str], Fraction] = defaultdict(Fraction, tables.direct)
    for head in (head for layer in layers for head in layer):
        for direction in stream.always:  # every position carries exactly one of these
            for y, value in zip(outputs, head.values.moved, strict=True):
                direct[direction, y] += value
    return LayeredWeights(
        tables.embedding,
        tuple(sorted({token for _, token in places})),
        outputs,
        1 + max(position for position, _ in places),
        stream.directions,
        {key: value for key, value in direct.items() if value},
        layers,
        width,
        width == 1 or any(form.is_proved and form.least == width for form in every),
    )


def read_layered(model: AttentionOnlyTransformer) -> LayeredTables:
    """The exact tables of a model whose residual directions are named, of any number of layers.

    The floats are rationals, and their products are taken exactly. Heads at the end of a layer whose tables are all 0
    are left out: they fill up what other layers need.

    Raises:
        InputError: the directions have no such names, the embedding or the unembedding is not along them, or a weight
            is not finite.
    """
    if not model.basis:
        raise InputError("the model's residual directions have no names; expected such as token:A, position:3 and →T")
    directions = tuple(map(Direction.parse, model.basis))
    at = {direction: i for i, direction in enumerate(directions)}
    _check_embedding(model, at)
    out = exact_entries(model.W_U, "W_U")
    for k, output in enumerate(model.outputs):
        row = at.get(Direction(OUTPUT, output))
        if row is None or any(out[row, j] != int(j == k) for j in range(out.ncols())):
            raise InputError(f"W_U: the direction {OUTPUT}{output} does not lead to the output {output!r} alone")
    direct = {
        (direction, y): to_fraction(out[i, k])
        for direction, i in at.items()
        for k, y in enumerate(model.outputs)
        if not direction.is_output
    }
    scale = to_fmpq(Fraction(model.attn_scale))
    layers = []
    for layer, block in enumerate(model.blocks):
        heads = []
        for h in range(model.n_heads):
            weights = {
                name: exact_entries(getattr(block, name)[h], f"{name} of layer {layer}")
                for name in ("W_Q", "W_K", "W_V", "W_O")
            }
            scores = products(directions, weights["W_Q"] / scale, weights["W_K"].transpose(), directions)
            values = products(directions, weights["W_V"], weights["W_O"], directions)
            heads.append(LayeredHead(values, scores=scores, name=f"head {h} of layer {layer}"))
        while heads and heads[-1].is_empty:
            heads.pop()
        layers.append(tuple(heads))
    return LayeredTables(model.embedding, tuple(layers), direct)


def _check_embedding(model: AttentionOnlyTransformer, at: Mapping[Direction, int]) -> None:
    stored = {name: exact_entries(getattr(model, name), name) for name in ("W_E", "W_pos")}
    expected = {name: fmpq_mat(table.nrows(), table.ncols()) for name, table in stored.items()}
    places = ((i, token) for i in range(model.n_ctx) for token in model.tokens)
    for direction in {d for place in places for d in directions_of(model.embedding, place)}:
        name, line = _line(direction, model.tokens)
        if direction in at:
            expected[name][line, at[direction]] = to_fmpq(ONE)
    for name, table in stored.items():
        if table != expected[name]:
            raise InputError(f"{name}: its rows are not the directions that are named for them in the basis")


def _line(direction: Direction, tokens: tuple[str, ...]) -> tuple[str, int]:
    """The weight and the row that write an embedded direction."""
    symbol = direction.symbol
    if isinstance(symbol, tuple):
        return "W_E", symbol[0] * len(tokens) + tokens.index(symbol[1])
    return ("W_pos", symbol) if isinstance(symbol, int) else ("W_E", tokens.index(symbol))
