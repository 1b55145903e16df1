"""With the odds fixed everything else is linear (theorem T7): values and direct path, exactly, or none for these odds.

Cleared of its denominators ``D_h(n) = Σ_p c[n, p] a_h[p]``, a comparison of context ``n`` is a row of integers:
``Σ_p c[n, p] a_h[p] · Π_{g≠h} D_g(n)`` on the value that pair ``p`` reads, ``Π D_g(n)`` on the direct path. The
decision engine separates these rows or cancels them. What cancels them refutes these odds, no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expressivity.attention import Head, HeadTables
from expressivity.heads.search.layout import Layout
from expressivity.separability import IntegerRows, Separator, separate

Odds = Sequence[Sequence[Fraction | int]]
"""For each head the odds of each factor, above 0."""

_WORD = 1 << 60
_POLISHED = 200_000  # entries up to which shorter values are looked for


@dataclass(frozen=True, eq=False)
class Cleared:
    """The linear step for given odds: integer rows, one for each comparison.

    Attributes:
        layout: the task.
        odds: what is fixed, ``[heads][factors]``.
        features: what every context reads, cleared, ``[contexts, heads · value rows + direct rows]``; whole numbers.
    """

    layout: Layout
    odds: tuple[tuple[Fraction, ...], ...]
    features: npt.NDArray[Any]

    def rows(self, layout: Layout | None = None) -> IntegerRows:
        """The comparisons of the task, or of another one of the same shape. The first output's columns are left out."""
        asked = layout or self.layout
        width = len(asked.outputs)
        table = self.features[asked.context]
        if self.features.dtype == object:
            lines = []
            for line, above, below in zip(table, asked.above.tolist(), asked.below.tolist(), strict=True):
                found = [(k, value) for k, value in enumerate(line.tolist()) if value]
                row = {k * width + above: value for k, value in found} if above >= 0 else {}
                lines.append(row | ({k * width + below: -value for k, value in found} if below >= 0 else {}))
            return IntegerRows.from_dicts(lines, self.features.shape[1] * width)
        index, column = np.nonzero(table)
        value = table[index, column]
        parts = []
        for outputs, sign in ((asked.above[index], 1), (asked.below[index], -1)):
            kept = outputs >= 0
            parts.append((sign * value[kept], index[kept], column[kept] * width + outputs[kept]))
        data, lines_, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
        shape = (len(table), self.features.shape[1] * width)
        return IntegerRows.from_scipy(sp.csr_array((data, (lines_, columns)), shape=shape))

    def solve(self, layout: Layout | None = None, *, time_limit: float | None = None) -> HeadTables | None:
        """Tables with these odds that decide the task, or another of the same shape; exact.

        Returns:
            ``None`` if there are none, or if time was up.
        """
        asked = layout or self.layout
        rows = self.rows(asked)
        answer = separate(rows, asked.equal, time_limit=time_limit)
        if not isinstance(answer, Separator):
            return None
        return self.tables(shorter(rows, asked, answer), asked)

    def tables(self, weights: Sequence[int], layout: Layout | None = None) -> HeadTables:
        """The model with these values, ``[features · outputs]``."""
        asked = layout or self.layout
        n_values, width = len(asked.value_rows), len(asked.outputs)
        names = [(row, y) for row in asked.value_rows for y in asked.outputs]
        heads = []
        for h, odds in enumerate(self.odds):
            start = h * n_values * width
            values = {name: Fraction(weights[start + i]) for i, name in enumerate(names)}
            heads.append(Head(values, odds=dict(zip(asked.factors, odds, strict=True)), name=f"head {h}"))
        start = len(self.odds) * n_values * width
        paths = [(row, y) for row in asked.direct_rows for y in asked.outputs]
        direct = {name: Fraction(weights[start + i]) for i, name in enumerate(paths)}
        return HeadTables(asked.embedding, direct, tuple(heads))


def cleared(layout: Layout, odds: Odds) -> Cleared:
    """The linear step for these odds, ``[heads][factors]``. Exact.

    >>> from expressivity.heads.search.layout import layout_of
    >>> from expressivity.task import xor
    >>> found = layout_of(xor(), "joint")  # odds of A, B, C, D and Q
    >>> cleared(found, [[1, 2, 3, 4, 5]]).solve() is None
    True
    >>> made = cleared(found, [[2, 1, 1, 1, 1], [1, 1, 2, 1, 1]]).solve()
    >>> sorted(logit > 0 for context in found.task.contexts for logit in [made.logits(context).get("T", 0)])
    [False, False, True, True]
    """
    exact = tuple(tuple(Fraction(a) for a in head) for head in odds)
    paid = [_pair_odds(layout, head) for head in exact]
    largest = [int(layout.counts.sum(1).max(initial=1)) * max((int(a) for a in p), default=1) for p in paid]
    words = 1
    for size in largest:
        words *= size
    kind: Any = np.int64 if words < _WORD else object
    counts, reads = layout.counts.astype(kind), layout.reads.astype(kind)
    given = [counts * np.array(p, dtype=kind)[None, :] for p in paid]
    masses = [each.sum(1) for each in given]
    ones = np.ones(layout.n_contexts, dtype=kind)
    parts = []
    for h, each in enumerate(given):
        others = ones
        for g, mass in enumerate(masses):
            others = others if g == h else others * mass
        parts.append((each @ reads) * others[:, None])
    whole = ones
    for mass in masses:
        whole = whole * mass
    parts.append(layout.direct_reads.astype(kind) * whole[:, None])
    return Cleared(layout, exact, np.concatenate(parts, axis=1))


def _pair_odds(layout: Layout, odds: Sequence[Fraction]) -> list[int]:
    """The odds of the pairs as whole numbers, those of one destination scaled together."""
    found = []
    for line in layout.spread.tolist():
        value = Fraction(1)
        for factor, used in zip(odds, line, strict=True):
            value = value * factor if used else value
        found.append(value)
    for end in set(layout.ends.tolist()):
        mine = [p for p, e in enumerate(layout.ends.tolist()) if e == end]
        common = lcm(*(found[p].denominator for p in mine))
        divisor = gcd(*(int(found[p] * common) for p in mine))
        for p in mine:
            found[p] = found[p] * common / divisor
    return [int(value) for value in found]


def shorter(rows: IntegerRows, layout: Layout, answer: Separator) -> tuple[int, ...]:
    """Values with fewer digits that separate the rows as well, if rounding the given ones finds some. Exact."""
    largest = max(map(abs, answer.weights), default=0)
    if largest <= 2 or rows.n_rows * rows.n_columns > _POLISHED:
        return answer.weights
    for bits in range(1, largest.bit_length()):
        rounded = tuple(round(Fraction(w << bits, largest)) for w in answer.weights)
        signs = rows.signs(rounded)
        if bool(np.where(layout.equal, signs == 0, signs > 0).all()):
            return rounded
    return answer.weights


def scaled(tables: HeadTables, factor: Fraction) -> HeadTables:
    """All values and the direct path multiplied by a number above 0."""
    heads = tuple(replace(h, values={key: factor * v for key, v in h.values.items()}) for h in tables.heads)
    return HeadTables(tables.embedding, {key: factor * v for key, v in tables.direct.items()}, heads)
