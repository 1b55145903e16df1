"""Skip-trigram "bugs": what shared values force although the data say otherwise, and what each costs.

A head writes the same from a source at every destination. Where ``keep … in → mind`` and ``keep … at → bay`` are true,
one head that learns both raises ``keep … in → bay`` too (Elhage et al. 2021). Here each such entry is priced on data.
On the predictions at destination q with s among the sources, the model is compared with itself where s, at q alone,
writes 0 to y: the logit of y falls by δ = (attention on s) · OV(s, y), everything else stays. With p the probability of
y that the model gives,

    loss now − loss then = −ln(1 − p + p·e^−δ) − δ·[y follows],

and the mean of that over those predictions is the *cost* of the entry, in nats. It is positive where the data
contradict the entry. What is forced is forced by other destinations: the one where y is most frequent is named.

In models of several layers this prices what the head writes to the logits itself; what later heads make of it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from expressivity.circuits.data import Batch, Data, losses
from expressivity.circuits.model import Circuits, HeadName
from expressivity.errors import InputError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MOST_PAIRS = 2048
"""Pairs of source and destination that are priced, for each head: those with most attention times largest value."""
MOST_OUTPUTS = 8
"""Outputs of each source that are priced: those with the largest values."""
LEAST = 5
"""Predictions that a pair must occur in to be priced, in text; contexts of a task state their probabilities."""


@dataclass(frozen=True)
class Bug:
    """An entry source … destination → output of a head, priced.

    Attributes:
        head: whose.
        source, destination, output: names.
        value: what the source writes to the output.
        attention: the mean attention that the source gets at the destination.
        occurrences: the weight of the predictions that it was priced on; in text, their number.
        probability: of the output, the mean that the model gives it there.
        frequency: of the output there, in the data.
        loss: the model's mean loss there.
        entropy: of the data's own conditional there, given this source and destination and no more.
        cost: the mean loss there less what it were if the entry were 0, in nats.
        total: that over all predictions of the data: cost · occurrences / weight of the data.
        because: the destination where, after the same source, this output is most frequent.
        because_frequency: how frequent.
    """

    head: HeadName
    source: str
    destination: str
    output: str
    value: float
    attention: float
    occurrences: float
    probability: float
    frequency: float
    loss: float
    entropy: float
    cost: float
    total: float
    because: str | None
    because_frequency: float

    @property
    def excess(self) -> float:
        """The model's mean loss there less that of the data's own conditional."""
        return self.loss - self.entropy


def find_bugs(
    circuits: Circuits,
    data: Any,
    k: int = 10,
    *,
    heads: Iterable[Any] | None = None,
    least: float | None = None,
) -> list[Bug]:
    """The entries that cost most over all the data, and are less frequent there than the model has it.

    Args:
        circuits: of attention alone.
        data: as :meth:`Data.of` reads them.
        k: how many.
        heads: of these alone.
        least: occurrences that a pair must have; by default 5 in text, any number in contexts.

    Raises:
        InputError: there is an MLP, or no such head.

    >>> from expressivity.heads.gallery import load_construction
    >>> from expressivity.task import Task
    >>> circuits = Circuits.of(load_construction("skip_trigram_bugs"))
    >>> bug = find_bugs(circuits, Task([["keep", "in"], ["keep", "at"]], ["mind", "bay"]), 1)[0]
    >>> bug.source, bug.destination, bug.output, bug.because, round(bug.attention, 3)
    ('keep', 'at', 'mind', 'in', 0.999)
    """
    circuits.needs_attention_alone("the price of an entry")
    given = Data.of(data, circuits)
    names = list(circuits.heads) if heads is None else [circuits.head(name) for name in heads]
    if k < 1:
        raise InputError(f"the number of bugs is {k}; expected at least 1")
    seen = _Seen.of(circuits, given, names)
    enough = (LEAST if given.is_text else 0.0) if least is None else least
    found = _priced(circuits, given, seen, names, enough)
    wrong = sorted((bug for bug in found if bug.cost > 0 and bug.frequency < bug.probability), key=_order)[:k]
    return [seen.explained(circuits, bug, enough) for bug in wrong]


def _order(bug: Bug) -> tuple[Any, ...]:
    return (-round(bug.total, 12), bug.head, bug.source, bug.destination, bug.output)


@dataclass(frozen=True, eq=False)
class _Occurrences:
    """In one batch: a line for each prediction and each distinct source before it."""

    prediction: Ints  # its place among those asked for in the batch
    pair: Ints  # destination row · rows + source row
    weight: Floats
    target: Ints
    sequence: Ints  # of each (prediction, source position)
    end: Ints
    start: Ints
    line: Ints  # the line it belongs to

    def attention(self, pattern: torch.Tensor) -> Floats:
        """Of each line, the attention on all places of its source."""
        shares = pattern.cpu().numpy()[self.sequence, self.end, self.start]
        return _sums(self.line, shares, len(self.pair))


def _occurrences(circuits: Circuits, batch: Batch) -> tuple[_Occurrences, Ints, Ints]:
    """The lines of a batch, and the sequence and the position of each prediction."""
    tokens, targets = batch.tokens.cpu().numpy(), batch.targets.cpu().numpy()
    rows = len(circuits.rows)
    if circuits.model.embedding == "joint":
        tokens = tokens + np.arange(tokens.shape[1]) * len(circuits.model.tokens)
    sequences, ends = np.nonzero(targets >= 0)
    many = np.repeat(np.arange(len(ends)), ends)  # each prediction as often as it has sources
    starts = np.arange(len(many)) - np.repeat(np.cumsum(ends) - ends, ends)
    sources = tokens[sequences[many], starts]
    keys, line = np.unique(many * rows + sources, return_inverse=True)
    prediction, source = keys // rows, keys % rows
    s, e = sequences[prediction], ends[prediction]
    pair = tokens[s, e] * rows + source
    lines = _Occurrences(
        prediction, pair, batch.weights.cpu().numpy()[s], targets[s, e], sequences[many], ends[many], starts,
        line.reshape(-1),
    )  # fmt: skip
    return lines, sequences, ends


@dataclass(frozen=True, eq=False)
class _Seen:
    """What occurs in the data: pairs of destination and source, with what follows them."""

    pairs: Ints  # sorted
    weight: Floats
    attended: Floats  # by head and pair: the sum of attention
    follows: Ints  # place in pairs · outputs + output, sorted
    follows_weight: Floats
    total: float

    @classmethod
    def of(cls, circuits: Circuits, data: Data, heads: list[HeadName]) -> _Seen:
        outputs = len(circuits.outputs)
        parts: list[tuple[Ints, Floats, Floats, Ints, Floats]] = []
        for batch in data.chunks(circuits):
            lines, _, _ = _occurrences(circuits, batch)
            patterns = circuits.patterns(batch.tokens)
            pairs, at = np.unique(lines.pair, return_inverse=True)
            weight = _sums(at, lines.weight, len(pairs))
            attended = np.zeros((len(heads), len(pairs)))
            for h, name in enumerate(heads):
                shares = lines.attention(patterns[name.layer][:, name.head]) * lines.weight
                attended[h] = _sums(at, shares, len(pairs))
            follows, which = np.unique(lines.pair * outputs + lines.target, return_inverse=True)
            parts.append((pairs, weight, attended, follows, _sums(which, lines.weight, len(follows))))
        pairs, at = np.unique(np.concatenate([p[0] for p in parts]), return_inverse=True)
        weight = _sums(at, np.concatenate([p[1] for p in parts]), len(pairs))
        joined = np.concatenate([p[2] for p in parts], axis=1)
        attended = np.array([_sums(at, row, len(pairs)) for row in joined])
        follows, which = np.unique(np.concatenate([p[3] for p in parts]), return_inverse=True)
        follows_weight = _sums(which, np.concatenate([p[4] for p in parts]), len(follows))
        return cls(pairs, weight, attended, follows, follows_weight, data.weight)

    def after(self, pair: int, outputs: int) -> tuple[Ints, Floats]:
        """Which outputs follow a pair, and with what weight."""
        a, b = np.searchsorted(self.follows, (pair * outputs, (pair + 1) * outputs))
        return self.follows[a:b] % outputs, self.follows_weight[a:b]

    def explained(self, circuits: Circuits, bug: Bug, least: float) -> Bug:
        """With the other destination where the output is most frequent after the same source."""
        rows, outputs = len(circuits.rows), len(circuits.outputs)
        source, output = circuits.rows.index(bug.source), circuits.outputs.index(bug.output)
        here = circuits.rows.index(bug.destination)
        chosen = (self.follows % outputs == output) & (self.follows // outputs % rows == source)
        pairs, many = self.follows[chosen] // outputs, self.follows_weight[chosen]
        weight = self.weight[np.searchsorted(self.pairs, pairs)]
        share = np.where((pairs // rows != here) & (weight >= least), many / weight, 0.0)
        if not len(share) or share.max() <= bug.frequency:
            return bug
        best = int(share.argmax())
        name = circuits.rows[int(pairs[best]) // rows]
        return replace(bug, because=name, because_frequency=float(share[best]))


@dataclass(frozen=True, eq=False)
class _Candidates:
    """The entries of one head that are priced, and what was summed over the predictions so far."""

    head: HeadName
    pairs: Ints  # destination row · rows + source row, sorted
    values: Floats  # by pair, the largest of the source
    outputs: Ints  # where they stand
    sums: dict[str, Floats]  # by pair and value
    means: dict[str, Floats]  # by pair

    @classmethod
    def of(cls, circuits: Circuits, seen: _Seen, h: int, head: HeadName, least: float) -> _Candidates:
        rows = len(circuits.rows)
        table = circuits.ov(head)
        often = np.nonzero(seen.weight >= least)[0]
        sources, of_source = np.unique(seen.pairs[often] % rows, return_inverse=True)
        values, where = _largest(table.left, table.right, sources)
        mass = seen.attended[h, often] * np.maximum(values[of_source, 0], 0)
        kept = often[np.argsort(-mass, kind="stable")[:MOST_PAIRS]]
        pairs = np.sort(seen.pairs[kept[seen.attended[h, kept] > 0]])
        at = np.searchsorted(sources, pairs % rows)
        values, where = values[at], where[at]
        return cls(
            head, pairs, values, where,
            {name: np.zeros(values.shape) for name in ("cost", "probability", "frequency")},
            {name: np.zeros(len(pairs)) for name in ("weight", "attention", "loss")},
        )  # fmt: skip

    def add(self, lines: _Occurrences, shares: Floats, chance: Callable[[Ints, Ints], Floats], loss: Floats) -> None:
        """The lines of a batch: attention on each, chances of outputs at predictions, losses of predictions."""
        if not len(self.pairs):
            return
        spot = np.searchsorted(self.pairs, lines.pair).clip(max=len(self.pairs) - 1)
        mine = self.pairs[spot] == lines.pair
        spot, weights, shares, prediction = spot[mine], lines.weight[mine], shares[mine], lines.prediction[mine]
        many = len(self.pairs)
        for name, numbers in {"weight": np.ones(len(spot)), "attention": shares, "loss": loss[prediction]}.items():
            self.means[name] += _sums(spot, weights * numbers, many)
        for m in range(self.values.shape[1]):
            output = self.outputs[spot, m]
            p = chance(prediction, output)
            delta = shares * self.values[spot, m]
            follows = lines.target[mine] == output
            found = {
                "cost": -np.log1p(p * np.expm1(-delta)) - delta * follows,
                "probability": p,
                "frequency": follows.astype(float),
            }
            for name, numbers in found.items():
                self.sums[name][:, m] += _sums(spot, weights * numbers, many)

    def bugs(self, circuits: Circuits, seen: _Seen) -> Iterator[Bug]:
        """Those that cost something."""
        rows, weight = len(circuits.rows), self.means["weight"]
        for i, m in zip(*np.nonzero((self.values > 0) & (weight[:, None] > 0)), strict=True):
            mean = {name: float(numbers[i, m] / weight[i]) for name, numbers in self.sums.items()}
            if mean["cost"] <= 0:
                continue
            pair = int(self.pairs[i])
            share = seen.after(pair, len(circuits.outputs))[1]
            share = share / share.sum()
            yield Bug(
                head=self.head,
                source=circuits.rows[pair % rows],
                destination=circuits.rows[pair // rows],
                output=circuits.outputs[int(self.outputs[i, m])],
                value=float(self.values[i, m]),
                attention=float(self.means["attention"][i] / weight[i]),
                occurrences=float(weight[i]),
                loss=float(self.means["loss"][i] / weight[i]),
                entropy=float(-(share * np.log(share)).sum()),
                total=mean["cost"] * float(weight[i]) / seen.total,
                because=None,
                because_frequency=0.0,
                **mean,
            )


def _priced(circuits: Circuits, data: Data, seen: _Seen, heads: list[HeadName], least: float) -> list[Bug]:
    """The candidates of all heads with their prices; the model is run once."""
    if not (seen.weight >= least).any():
        return []
    candidates = [_Candidates.of(circuits, seen, h, head, least) for h, head in enumerate(heads)]
    for batch in data.chunks(circuits, terms=2):
        lines, sequences, ends = _occurrences(circuits, batch)
        logits = circuits.logits(batch.tokens)
        loss = losses(logits, batch).cpu().numpy()[sequences, ends]
        totals, logit = logits.logsumexp(-1).cpu().numpy(), logits.cpu().numpy()

        def chance(
            prediction: Ints, output: Ints, s: Ints = sequences, e: Ints = ends, z: Floats = totals, x: Floats = logit
        ) -> Floats:
            found: Floats = np.exp(x[s[prediction], e[prediction], output] - z[s[prediction], e[prediction]])
            return found

        patterns = circuits.patterns(batch.tokens)
        for each in candidates:
            each.add(lines, lines.attention(patterns[each.head.layer][:, each.head.head]), chance, loss)
    return [bug for each in candidates for bug in each.bugs(circuits, seen)]


def _sums(where: Ints, weights: Floats, many: int) -> Floats:
    """The sum of the weights that go to each of so many places."""
    return np.bincount(where.reshape(-1), weights=weights, minlength=many).astype(np.float64)


def _largest(left: torch.Tensor, right: torch.Tensor, sources: Ints) -> tuple[Floats, Ints]:
    """The largest values of these rows and where they stand."""
    many = min(MOST_OUTPUTS, right.shape[1])
    step = max(1, (1 << 22) // right.shape[1])
    parts = [
        (left[torch.from_numpy(sources[k : k + step]).to(left.device)] @ right).topk(many, dim=1)
        for k in range(0, len(sources), step)
    ]
    values = torch.cat([part.values for part in parts]).cpu().numpy()
    return values, torch.cat([part.indices for part in parts]).cpu().numpy()
