"""Skip-trigrams read off the weights: source … destination → output, ranked.

Three rankings, by a number for each triple of a source s, a destination q and an output y, with QK the score, OV what
is written and b the direct path:

- ``sum``: QK(s, q) + OV(s, y), how the tables of Elhage et al. 2021 are read;
- ``product``: e^QK · OV, what the source adds to the logit, up to the denominator that all sources share;
- ``deciding``: e^QK · (OV + b(q, y)), whose sum over the sources, destination included, has the order of the logits of
  a one-head model (theorem T2). A source that writes nothing votes for the bigram there.

QK is always taken less its mean over sources, for each destination, which attention does not see. OV and b are read as
they are. Softmax does not see a number added to all outputs, and attention does not see one moved from all sources to
the direct path: ``centred`` takes OV less its means over outputs and over sources, which b gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp, inf, log
from typing import Any, Literal

import torch
from torch import Tensor

from expressivity.circuits.model import Circuits, HeadName
from expressivity.circuits.tables import BLOCK, Factored, rows_among
from expressivity.errors import InputError

Ranking = Literal["sum", "product", "deciding"]
RANKINGS: tuple[Ranking, ...] = ("sum", "product", "deciding")
_MOST_PAIRS = 1 << 12  # of destinations and sources that are tried for the deciding table
_SLACK = 1e-12  # for the rounding of a bound
_MOST_KEPT = 512  # triples of one source


@dataclass(frozen=True)
class SkipTrigram:
    """One entry of a ranking.

    Attributes:
        source, destination, output: names.
        qk: the score, less its mean over sources.
        ov: what the source writes to the output.
        direct: the direct path from the destination to the output.
        key: what is ranked: the sum itself, or the logarithm of the product.
    """

    source: str
    destination: str
    output: str
    qk: float
    ov: float
    direct: float
    key: float


@dataclass(frozen=True)
class Bigram:
    """An entry of the direct path, less the mean of its row."""

    destination: str
    output: str
    value: float


@dataclass(frozen=True)
class SkipTrigrams:
    """The first of a ranking.

    Attributes:
        head: whose.
        ranking: which of three.
        entries: from the top.
        is_exact: whether nothing better can have been overlooked; only the deciding table of a large vocabulary can
            fail that.
    """

    head: HeadName
    ranking: Ranking
    entries: tuple[SkipTrigram, ...]
    is_exact: bool = True


def bigrams(circuits: Circuits, k: int = 10) -> list[Bigram]:
    """The largest entries of the direct path, each less the mean of its row, which softmax does not see."""
    table = circuits.direct.less_row_means()
    return [Bigram(table.rows[i], table.columns[j], value) for i, j, value in table.top(k)]


def skip_trigrams(
    circuits: Circuits,
    head: Any,
    k: int = 10,
    *,
    ranking: Ranking = "sum",
    destination: str | None = None,
    lowest: bool = False,
    centred: bool = False,
    among: Iterable[int] | None = None,
) -> SkipTrigrams:
    """What a head raises most (or lowers), by source, destination and output.

    Args:
        circuits: of a model.
        head: its name. One behind the first layer is read as if it saw the embedding alone.
        k: how many.
        ranking: ``sum``, ``product`` or ``deciding``; the last two list positive products only.
        destination: of this one alone; by default of all.
        lowest: what it lowers: every written number with the other sign.
        centred: OV less its means over outputs and over sources.
        among: the numbers of the sources and destinations that are ranked (in the ``joint`` embedding rows of it), by
            default all: of a tokenizer of bytes, many never occur in text, and what stands in their rows is chance.

    Raises:
        InputError: no such head, destination or ranking, or ``among`` is empty or has a number that is none of a row.

    >>> from expressivity.heads.gallery import load_construction
    >>> circuits = Circuits.of(load_construction("noun_head"))
    >>> for ranking in ("product", "deciding"):
    ...     found = skip_trigrams(circuits, "0.0", 2, ranking=ranking, destination="in").entries
    ...     print(sorted((each.source, each.output) for each in found))
    [('doctor', 'hospital'), ('judge', 'court')]
    [('def', 'range'), ('import', 'range')]
    """
    if ranking not in RANKINGS:
        raise InputError(f"ranking is {ranking!r}; expected {', '.join(RANKINGS)}")
    if k < 1:
        raise InputError(f"the number of skip-trigrams is {k}; expected at least 1")
    name = circuits.head(head)
    qk, (ov, direct) = circuits.qk(name), _values(circuits, name, centred)
    kept = range(len(qk.rows)) if among is None else rows_among(among, len(qk.rows))
    if among is not None:
        rows = [qk.rows[i] for i in kept]
        qk = Factored(qk.left[kept], qk.right[:, kept], rows, rows)
        ov, direct = (Factored(each.left[kept], each.right, rows, each.columns) for each in (ov, direct))
    qk = qk.less_row_means()
    if destination is not None and destination not in qk.rows:
        raise InputError(f"the model has no destination {destination!r}; it has {', '.join(qk.rows[:10])}, …")
    ends = range(len(qk.rows)) if destination is None else [qk.rows.index(destination)]
    tables = _Tables(circuits, qk, ov, direct, -1.0 if lowest else 1.0, list(ends), list(kept))
    if ranking == "deciding":
        found, exact = tables.deciding(k)
    else:
        found, exact = tables.separable(k, ranking), True
    entries = tuple(tables.entry(*triple) for triple in found)
    return SkipTrigrams(name, ranking, entries, exact)


def _values(circuits: Circuits, head: HeadName, centred: bool) -> tuple[Factored, Factored]:
    """OV and the direct path; where ``centred``, the means over sources are moved to the latter."""
    ov, direct = circuits.ov(head), circuits.direct
    if not centred:
        return ov, direct
    ov = ov.less_row_means()
    mean = (ov.left.mean(dim=0) @ ov.right)[None]
    left = torch.cat([direct.left, torch.ones_like(direct.left[:, :1])], dim=1)
    direct = Factored(left, torch.cat([direct.right, mean]), direct.rows, direct.columns).less_row_means()
    return ov.less_column_means(), direct


@dataclass(frozen=True, eq=False)
class _Tables:
    circuits: Circuits
    qk: Factored
    ov: Factored
    direct: Factored
    sign: float
    ends: list[int]
    kept: list[int]

    def entry(self, q: int, s: int, y: int, key: float) -> SkipTrigram:
        return SkipTrigram(
            self.qk.columns[s], self.qk.rows[q], self.ov.columns[y], self.qk.cell(q, s), self.ov.cell(s, y),
            self.direct.cell(q, y), key,
        )  # fmt: skip

    def scores(self, sources: Tensor) -> Tensor:
        """QK of some sources (rows) and the destinations, −inf where the source cannot stand before."""
        scores = self.qk.right[:, sources].T @ self.qk.left[self.ends].T
        if self.circuits.model.embedding != "joint":
            return scores
        allowed = torch.stack([self.circuits.causal(self.kept[q], self.kept[q] + 1)[0] for q in self.ends], dim=1)[
            self.kept
        ]
        return scores.masked_fill(~allowed.to(scores.device)[sources], -torch.inf)

    def separable(self, k: int, ranking: Ranking) -> list[tuple[int, int, int, float]]:
        """Of one source, the best k triples are among its best k destinations and its best k outputs.

        Sources come in the order of a bound by norms, and it ends where that is below what was found.
        """
        read: Callable[[Tensor], Tensor] = _logarithm if ranking == "product" else lambda x: x
        ends, outputs = len(self.ends), self.ov.shape[1]
        few, some = min(k, ends, _MOST_KEPT), min(k, outputs, _MOST_KEPT)
        attended = self.qk.right.norm(dim=0) * self.qk.left[self.ends].norm(dim=1).max()
        bound = attended + read(self.ov.left.norm(dim=1) * self.ov.right.norm(dim=0).max())
        bound = bound + _SLACK * bound.abs()
        order = torch.argsort(bound, descending=True)
        step = max(1, BLOCK // max(ends, outputs, few * some))
        best = _Best(k)
        for start in range(0, len(order), step):
            sources = order[start : start + step]
            if float(bound[sources[0]]) < best.least:
                break
            attention = self.scores(sources)
            written = read(self.sign * (self.ov.left[sources] @ self.ov.right))
            near = attention.amax(dim=1) + written.amax(dim=1) >= best.least
            attention, q = attention[near].topk(few, dim=1)
            written, y = written[near].topk(some, dim=1)
            keys = attention[:, :, None] + written[:, None, :]
            best.add(keys, q[:, :, None], sources[near][:, None, None], y[:, None, :])
        return [(self.ends[q], s, y, key) for q, s, y, key in best.found()]

    def deciding(self, k: int) -> tuple[list[tuple[int, int, int, float]], bool]:
        """Pairs are tried from the highest bound QK + log(max OV + max b) on, till no other can be better."""
        most_direct = self._most(self.direct, self.ends)
        most_written = self._most(self.ov, list(range(self.ov.shape[0])))
        pairs = self._pairs(_MOST_PAIRS, most_direct, most_written)
        best, step = _Best(k), max(1, min(256, BLOCK // self.ov.shape[1]))
        for start in range(0, len(pairs), step):
            if best.least >= pairs[start][0]:
                break
            part = pairs[start : start + step]
            q, s = (torch.tensor([pair[i] for pair in part]) for i in (1, 2))
            ends = torch.tensor(self.ends)[q]
            scores = (self.qk.left[ends] * self.qk.right[:, s].T).sum(dim=1)
            together = self.ov.left[s] @ self.ov.right + self.direct.left[ends] @ self.direct.right
            keys, y = (scores[:, None] + _logarithm(self.sign * together)).topk(min(k, together.shape[1]), dim=1)
            best.add(keys, q.to(y.device)[:, None], s.to(y.device)[:, None], y)
        found = best.found()
        seen_all = len(pairs) < _MOST_PAIRS or best.least >= pairs[-1][0]
        return [(self.ends[q], s, y, key) for q, s, y, key in found], seen_all

    def _most(self, table: Factored, rows: list[int]) -> Tensor:
        step = max(1, BLOCK // table.shape[1])
        parts = [rows[start : start + step] for start in range(0, len(rows), step)]
        return torch.cat([(self.sign * (table.left[part] @ table.right)).amax(dim=1) for part in parts])

    def _pairs(self, many: int, most_direct: Tensor, most_written: Tensor) -> list[tuple[float, int, int]]:
        best = _Best(many)
        q = torch.arange(len(self.ends), device=most_direct.device)[None]
        many_sources, step = self.qk.shape[1], max(1, BLOCK // len(self.ends))
        for start in range(0, many_sources, step):
            sources = torch.arange(start, min(start + step, many_sources), device=q.device)
            scores = self.scores(sources)
            near = scores.amax(dim=1) + _logarithm(most_direct.max() + most_written[sources]) >= best.least
            sources = sources[near]
            keys = scores[near] + _logarithm(most_direct[None] + most_written[sources, None])
            best.add(keys, q, sources[:, None], torch.zeros_like(q))
        return [(key, q, s) for q, s, _, key in best.found()]


class _Best:
    """The k highest keys so far, each with three numbers."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.least = -inf  # what a new key must reach
        self.keys: Tensor | None = None
        self.numbers: list[Tensor] = []

    def add(self, keys: Tensor, *numbers: Tensor) -> None:
        where = (keys >= self.least).nonzero(as_tuple=True)
        new, added = keys[where], [n.broadcast_to(keys.shape)[where] for n in numbers]
        if self.keys is not None:
            new, added = (
                torch.cat([self.keys, new]),
                [torch.cat([old, more]) for old, more in zip(self.numbers, added, strict=True)],
            )
        self.keys, order = new.topk(min(self.k, len(new)))
        self.numbers = [n[order] for n in added]
        if len(self.keys) == self.k:
            self.least = float(self.keys[-1])

    def found(self) -> list[tuple[int, int, int, float]]:
        if self.keys is None:
            return []
        rows = zip(*(n.tolist() for n in self.numbers), self.keys.tolist(), strict=True)
        return [(q, s, y, key) for q, s, y, key in rows if key > -inf]


def _logarithm(x: Tensor) -> Tensor:
    """−inf at 0 and below."""
    return x.clamp(min=0).log()


def product_text(key: float) -> str:
    """A number given by its logarithm; a power of ten where it is beyond reading.

    >>> product_text(0.0), product_text(10000.0)
    ('1', '10^4343')
    """
    return f"{exp(key):.4g}" if abs(key) < 20 else f"10^{round(key / log(10))}"
