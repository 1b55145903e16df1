"""The comparisons of a large part, evaluated for all contexts by gathering weights, and written out as rows for a few.

A context is the numbers of its features, 4 bytes each. Its logits are sums of weights at these numbers, so that
thousands of contexts are evaluated with no matrix of comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expressivity.ensembles.parts import Part
from expressivity.separability import IntegerRows
from expressivity.skipgrams import Feature, SkipGrams
from expressivity.skipgrams.encode import Ints, encode
from expressivity.skipgrams.lexicon import Lexicon, Looked
from expressivity.task import Task

Floats = npt.NDArray[np.float64]

_WORD = 62  # bits: every word product stays below, so that no sum of 64-bit words can wrap


class Gathered:
    """A part of a task over its features.

    Attributes:
        part: the comparisons.
        lexicon: the features by number; every context of the part is looked up in it.
        n_features, n_outputs: output 0 is the reference: its weights are 0, and rows leave it out.
        reach: an upper bound of the sum of the values of a context's features.
    """

    def __init__(self, task: Task, model: SkipGrams, part: Part) -> None:
        self.part = part
        encoded = encode([task.contexts[i] for i in part.contexts])
        if model.positions == "absolute":
            encoded = replace(encoded, blocks=[block.without_commonest() for block in encoded.blocks])
        self.lexicon, self._looked = Lexicon.learn(encoded, model)
        self.n_features, self.n_outputs = len(self.lexicon), len(task.outputs)
        self._starts = np.searchsorted(part.owner, np.arange(len(part.contexts) + 1))
        self.reach = 1
        self._piece = np.empty(len(part.contexts), dtype=np.int32)
        self._line = np.empty(len(part.contexts), dtype=np.int32)
        for number, looked in enumerate(self._looked):
            self._piece[looked.block.rows] = number
            self._line[looked.block.rows] = np.arange(len(looked.block))
            values = self.lexicon.values(looked.block)
            self.reach = max(
                self.reach, looked.columns.shape[1] if values is None else int(values.sum(axis=1).max(initial=0))
            )

    # ------------------------------------------------------------------ all comparisons, evaluated

    def signs(self, weights: Sequence[Sequence[int]]) -> npt.NDArray[np.int8]:
        """The sign −1, 0, 1 of ``logit_above − logit_below`` for each comparison; exact for weights of any size.

        Weights that 64-bit words cannot add up are cut into limbs, for which they can.

        Args:
            weights: integers, ``[n_features, n_outputs]``.
        """
        tables, bits = _limbs(weights, self.reach)
        found = np.empty(len(self.part), dtype=np.int8)
        for where, matrix, owner in self._pieces(np.int64):
            carry, nonzero = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool)
            for number, table in enumerate(tables):
                value = self._differences(matrix, table, where, owner) + carry
                if number + 1 == len(tables):
                    found[where] = np.where(value != 0, np.sign(value), nonzero)
                else:
                    carry = value >> bits
                    nonzero = nonzero | (value != carry << bits)
        return found

    def margins(self, weights: Floats) -> Floats:
        """``logit_above − logit_below`` in floats for each comparison; ``weights``: ``[n_features, n_outputs]``."""
        table = np.vstack([weights, np.zeros((1, self.n_outputs))])
        found = np.empty(len(self.part))
        for where, matrix, owner in self._pieces(np.float64):
            found[where] = self._differences(matrix, table, where, owner)
        return found

    def _differences(self, matrix: sp.csr_array, table: Any, where: Any, owner: Ints) -> Any:
        if self.n_outputs == 2:  # one gather does
            logits = matrix @ (table[:, 1] - table[:, 0])
            return np.where(self.part.above[where] == 1, logits[owner], -logits[owner])
        logits = matrix @ table
        return logits[owner, self.part.above[where]] - logits[owner, self.part.below[where]]

    def _pieces(self, kind: Any) -> Iterator[tuple[Any, sp.csr_array, Ints]]:
        """Some comparisons, their contexts over features (and one empty column at the end), and their contexts."""
        for looked in self._looked:
            rows = looked.block.rows
            first, last = self._starts[rows[0]], self._starts[rows[-1] + 1]
            held = self._starts[rows + 1] - self._starts[rows]
            owner = np.repeat(np.arange(len(rows)), held)
            if rows[-1] - rows[0] + 1 == len(rows):
                where: Any = slice(int(first), int(last))
            else:
                where = np.arange(len(owner)) + np.repeat(self._starts[rows] - (np.cumsum(held) - held), held)
            yield where, self._matrix(looked, kind), owner

    def _matrix(self, looked: Looked, kind: Any) -> sp.csr_array:
        columns = looked.columns
        values = self.lexicon.values(looked.block)
        data = np.ones(columns.size, dtype=kind) if values is None else values.reshape(-1).astype(kind)
        indices = np.where(columns < 0, self.n_features, columns).reshape(-1)
        indptr = np.arange(len(columns) + 1, dtype=indices.dtype) * columns.shape[1]
        return sp.csr_array((data, indices, indptr), shape=(len(columns), self.n_features + 1))

    # ------------------------------------------------------------------ a few comparisons, written out

    def rows(self, chosen: Ints) -> tuple[IntegerRows, Ints]:
        """The rows ``φ(x) ⊗ (e_y − e_z)`` of some comparisons, and the columns of them that are not empty.

        Column ``c`` stands for feature ``c % n_features`` with output ``1 + c // n_features``.
        """
        owner = self.part.owner[chosen]
        lines: list[Any] = []
        order: list[Ints] = []
        for number in np.unique(self._piece[owner]).tolist():
            here = np.flatnonzero(self._piece[owner] == number)
            looked = self._looked[number]
            picked = self._line[owner[here]]
            lines.append(self._matrix(Looked(looked.block[picked], looked.columns[picked]), np.int64))
            order.append(here)
        contexts = sp.vstack(lines, format="csr")[np.argsort(np.concatenate(order))][:, : self.n_features].tocoo()
        line, feature = contexts.coords
        parts = []
        for output, sign in ((self.part.above[chosen], 1), (self.part.below[chosen], -1)):
            kept = output[line] > 0
            block = output[line[kept]].astype(np.int64) - 1
            parts.append((sign * contexts.data[kept], line[kept], feature[kept] + block * self.n_features))
        data, line, column = (np.concatenate(each) for each in zip(*parts, strict=True))
        used, compressed = np.unique(column, return_inverse=True)
        return IntegerRows.from_scipy(sp.csr_array((data, (line, compressed)), shape=(len(chosen), len(used)))), used

    def nearest(self, context: int, many: int) -> Ints:
        """The contexts whose features differ least from those of one, itself among them, at most so many."""
        looked = self._looked[int(self._piece[context])]
        line = int(self._line[context])
        own = self._matrix(Looked(looked.block[line : line + 1], looked.columns[line : line + 1]), np.float64)
        own.data[:] = 1.0
        weights = own.toarray()[0] - 0.5  # a context has shared less half of its features: less is more different
        weights[-1] = 0.0
        shared = np.empty(len(self.part.contexts))
        for piece in self._looked:
            matrix = self._matrix(piece, np.float64)
            matrix.data[:] = 1.0
            shared[piece.block.rows] = matrix @ weights
        if many >= len(shared):
            return np.arange(len(shared))
        return np.sort(np.argpartition(-shared, many)[:many])

    def comparisons_of(self, contexts: Ints) -> Ints:
        """The comparisons of ascending contexts, ascending."""
        held = self._starts[contexts + 1] - self._starts[contexts]
        return np.asarray(np.arange(held.sum()) + np.repeat(self._starts[contexts] - (np.cumsum(held) - held), held))

    def table(self, columns: Ints, weights: Any, kind: Any) -> Any:
        """Weights of columns as ``[n_features, n_outputs]``, 0 elsewhere."""
        table = np.zeros((self.n_outputs, self.n_features), dtype=kind)
        table[1 + columns // self.n_features, columns % self.n_features] = weights
        return table.T

    def features(self, chosen: Ints) -> list[Feature]:
        """Features by their numbers, which ascend."""
        return self.lexicon.features(chosen)


def _limbs(weights: Any, reach: int) -> tuple[list[npt.NDArray[np.int64]], int]:
    """Weights as ``Σ_k 2^(bits·k) · limb_k`` with one line of zeros added, and ``bits``.

    A limb is below ``2^bits`` in size, so that a difference of two logits of one limb is at most
    ``2 · reach · 2^bits``, with a carry of no more than that again below ``2^62``.
    """
    bits = _WORD - 3 - reach.bit_length()
    table = np.asarray(weights)
    if table.dtype != object:
        largest = int(np.abs(table).max(initial=0))
    else:
        largest = max((abs(weight) for line in table.tolist() for weight in line), default=0)
    shape = (1, table.shape[1])
    if largest.bit_length() <= bits:
        return [np.vstack([table.astype(np.int64), np.zeros(shape, dtype=np.int64)])], bits
    sizes, negative = np.abs(table.astype(object)), table.astype(object) < 0
    limbs = []
    for shift in range(0, largest.bit_length(), bits):
        limb = ((sizes >> shift) & ((1 << bits) - 1)).astype(np.int64)
        limb[negative.astype(bool)] *= -1
        limbs.append(np.vstack([limb, np.zeros(shape, dtype=np.int64)]))
    return limbs, bits
