"""How far a model's floating-point logits can be from the exact ones: a bound for every comparison, in three formats.

The forward pass of :mod:`.transformer` is gone through once in float64, and with each array goes a bound on its
error in float64, float32 and bfloat16 (:mod:`.floats.numbers`, :mod:`.floats.softmax`), under the arithmetic that
:mod:`.floats.arithmetic` states. It starts from what rounding does to each weight, so the bound is on the distance
between the logits that a machine computes and those of the tables, not of the rounded weights.

A difference of two logits is bounded as such. What the last layer's heads receive in error goes through ``W_O W_U`` to
both logits, so it counts by the difference of two columns; only what is rounded after that counts for each logit.

In one layer everything depends on places alone, tokens at positions: queries, keys, values and scores are bounded for
each place or pair of places once, and contexts only look them up. That is also how a bound holds for all contexts of
an orbit (:mod:`.orbits`): each source takes the largest error of all places that are alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from expressivity.attention.floats.arithmetic import FORMATS, Floats
from expressivity.attention.floats.numbers import (
    Numbers,
    add,
    add_rounding,
    divided,
    dot,
    finished,
    product,
    product_rounding,
)
from expressivity.attention.floats.softmax import attend
from expressivity.attention.floats.weights import RoundedWeights, rounded_weights
from expressivity.attention.layered import LayeredWeights
from expressivity.attention.margins import Alike, Counted, Orbits, counted_contexts
from expressivity.attention.tables import HeadTables, Place, occurring, places_of
from expressivity.attention.weights import ExactWeights, read_tables
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.attention.models.transformer import AttentionOnlyTransformer
    from expressivity.task import Comparison, Domain, Task

BATCH_NUMBERS = 1 << 21
Indices = NDArray[np.intp]
Classes = dict[Place, list[list[Place]]]
Part = tuple[Indices, Numbers, Numbers]
"""Contexts, with their residual streams before the last layer ``[context, d_model]`` and what its heads receive."""


@dataclass(frozen=True)
class FloatErrors:
    """Bounds on ``|computed (logit_above − logit_below) − exact|``, in the order of ``task.comparisons()``.

    Attributes:
        bounds: ``float64``, ``float32`` and ``bfloat16`` to one bound for each comparison; infinite where a number
            may overflow or nothing can be said.
        comparisons: what was bounded.
    """

    bounds: Mapping[str, Floats]
    comparisons: tuple[Comparison, ...]


def float_errors(
    weights: ExactWeights | LayeredWeights | AttentionOnlyTransformer,
    task: Task | Orbits,
    domain: Task | Domain | None = None,
) -> FloatErrors:
    """Bound the errors of a model on every comparison of a task. Proved, under :mod:`.floats.arithmetic`.

    The difference of the two computed logits is meant as a real number: it is not rounded again.

    Args:
        weights: exact weights, which ``to_model`` would round; or a model, whose stored weights count as exact.
        task: the contexts and comparisons; orbits for one layer only.
        domain: what orbits were gathered from.

    Raises:
        InputError: the model lacks a token, an output or a position that the task has; orbits without their domain,
            or for several layers.

    >>> from fractions import Fraction
    >>> from expressivity.attention import Head, exact_weights
    >>> from expressivity.task import Task
    >>> q, a = (None, "Q"), (None, "A")
    >>> tables = HeadTables("tokens", {(q, "F"): Fraction(1, 3)}, (Head({(a, "T"): 1}, scores={(q, a): 20}),))
    >>> task = Task([("A", "Q")], ["T"], outputs=["F", "T"])
    >>> errors = float_errors(exact_weights(tables, task), task)
    >>> {name: f"{bound:.0e}" for name, (bound,) in errors.bounds.items()}
    {'float64': '5e-16', 'float32': '2e-07', 'bfloat16': '1e-02'}
    """
    found, comparisons = rounded_weights(weights), tuple(task.comparisons())
    lacking = sorted({y for c in comparisons for y in (c.above, c.below)} - set(found.outputs))
    if lacking:
        raise InputError(f"the model has no output {lacking[0]!r}; it has {', '.join(found.outputs)}")
    alike: Classes = {}
    if isinstance(task, Orbits):
        if domain is None or isinstance(weights, LayeredWeights) or found.n_layers > 1:
            raise InputError("the errors of orbits need one layer and the domain that they were gathered from")
        alike = _alike(weights.to_tables() if isinstance(weights, ExactWeights) else read_tables(weights), domain, task)
    bounds = np.zeros((len(FORMATS), len(comparisons)))
    with np.errstate(all="ignore"):  # what overflows or has no bound is infinite
        last = _Last(found, comparisons)
        if isinstance(task, Orbits) or found.n_layers == 1:
            parts = _one_layer(_Places(found, counted_contexts(task), alike))
        else:
            parts = _layers(found, [places_of(context) for context in task.contexts])
        for part in parts:
            last.bound(part, bounds)
    return FloatErrors({form.name: bounds[f] for f, form in enumerate(FORMATS)}, comparisons)


# ------------------------------------------------------------------------------------------------ one layer


class _Places:
    """Scores and values of places.

    Attributes:
        contexts: places with how often each is met, the destination last.
        ends: destinations to the rows of ``scores``.
        index: places to their columns.
        last: the residual stream at the destinations.
        scores: ``[destination, place, head]``.
        values: ``[destination, place, head, d_head]``; one row for all destinations unless places are alike.
    """

    def __init__(self, weights: RoundedWeights, contexts: list[Counted], alike: Classes) -> None:
        self.contexts = contexts
        self.ends = {end: e for e, end in enumerate(dict.fromkeys(context[-1][0] for context in contexts))}
        met = {place for context in contexts for place, _ in context}
        met.update(place for classes in alike.values() for members in classes for place in members)
        self.index = {place: i for i, place in enumerate(sorted(met))}
        x = weights.embedded(list(self.index))
        self.last = x[np.array([self.index[end] for end in self.ends], dtype=np.intp)]
        query, key, value = (
            product(read.reshape(1, *read.value.shape), weights.of_layer(0, name))
            for read, name in ((self.last, "W_Q"), (x, "W_K"), (x, "W_V"))
        )
        self.scores = divided(product(query, key.transposed(0, 2, 1)), weights.attn_scale).transposed(1, 2, 0)
        self.values = value.transposed(1, 0, 2)[None]
        if alike:
            self.values = self.values[np.zeros(len(self.ends), dtype=np.intp)]
        for end, classes in alike.items():
            for members in classes:
                at = np.array([self.index[place] for place in members], dtype=np.intp)
                for numbers in (self.scores, self.values):
                    _widen(numbers, self.ends[end], at)

    def seen(self, batch: list[int]) -> tuple[Indices, Numbers, Floats, Numbers]:
        """The destinations of some contexts, their scores, counts and values, as :func:`attend` takes them."""
        size = max(len(self.contexts[i]) for i in batch)
        where, counts = np.zeros((len(batch), size), dtype=np.intp), np.zeros((len(batch), size))
        for row, i in enumerate(batch):
            where[row, : len(self.contexts[i])] = [self.index[place] for place, _ in self.contexts[i]]
            counts[row, : len(self.contexts[i])] = [n for _, n in self.contexts[i]]
        ends = np.array([self.ends[self.contexts[i][-1][0]] for i in batch], dtype=np.intp)
        rows = ends if len(self.values.value) > 1 else 0 * ends
        scores = self.scores[ends[:, None], where].transposed(0, 2, 1)[:, :, None]
        values = self.values[rows[:, None], where].transposed(0, 2, 1, 3)
        return ends, scores, np.broadcast_to(counts[:, None, None, :], scores.value.shape), values


def _one_layer(places: _Places) -> Iterator[Part]:
    heads, width = places.values.value.shape[2:]
    for batch in _batches(places.contexts, heads * width):
        ends, scores, counts, values = places.seen(batch)
        yield np.array(batch), places.last[ends], attend(scores, counts, values).reshape(len(batch), heads * width)


def _widen(numbers: Numbers, end: int, members: Indices) -> None:
    """Let the error of each member bound how far the computed number of any of them is from its exact one."""
    value, error = numbers.value[end, members], numbers.error[:, end, members]
    apart = np.abs(value[:, None] - value[None, :]) + error[0][:, None] + error[0][None, :]  # [other, member, …]
    apart[np.arange(len(members)), np.arange(len(members))] = 0.0
    numbers.error[:, end, members] = finished((error[:, :, None] + apart).max(1))


def _alike(tables: HeadTables, domain: Task | Domain, task: Orbits) -> Classes:
    """The places that are alike, seen from each destination."""
    first = Alike(tables, task.outputs)
    classes: dict[tuple[Place, Place], list[Place]] = defaultdict(list)
    for end, place in occurring(domain)[2]:
        classes[end, first(end, place)].append(place)
    ends = {context[-1][0] for context in counted_contexts(task)}
    found: dict[Place, list[list[Place]]] = {end: [] for end in ends}
    for (end, _), members in classes.items():
        found[end].append(members)
    return found


# ------------------------------------------------------------------------------------------------ several layers


def _layers(weights: RoundedWeights, contexts: Sequence[Sequence[Place]]) -> Iterator[Part]:
    index = {place: i for i, place in enumerate(sorted({place for context in contexts for place in context}))}
    first = weights.embedded(list(index))
    lengths: dict[int, list[int]] = defaultdict(list)
    for i, context in enumerate(contexts):
        lengths[len(context)].append(i)
    heads, _, width = weights.of_layer(0, "W_Q").value.shape
    for length, members in lengths.items():
        for batch in _batches([contexts[i] for i in members], heads * (width + 1) * length):
            chosen = [members[i] for i in batch]
            x = first[np.array([[index[place] for place in contexts[i]] for i in chosen], dtype=np.intp)]
            for layer in range(weights.n_layers - 1):
                x = add(x, product(_heads(weights, layer, x, x), weights.of_layer(layer, "W_O")))
            z = _heads(weights, weights.n_layers - 1, x[:, -1:], x)
            yield np.array(chosen), x[:, -1], z[:, -1]


def _heads(weights: RoundedWeights, layer: int, here: Numbers, x: Numbers) -> Numbers:
    """What the last positions receive from all heads of a layer, ``[context, position, n_heads · d_head]``."""
    query, key, value = (
        product(read.reshape(len(read.value), 1, *read.value.shape[1:]), weights.of_layer(layer, name))
        for read, name in ((here, "W_Q"), (x, "W_K"), (x, "W_V"))
    )
    scores = divided(product(query, key.transposed(0, 1, 3, 2)), weights.attn_scale)
    ends, sources = scores.value.shape[-2:]
    past = np.tril(np.ones((sources, sources)))[-ends:]
    z = attend(scores, np.broadcast_to(past, scores.value.shape), value).transposed(0, 2, 1, 3)
    return z.reshape(*z.value.shape[:2], -1)


# ------------------------------------------------------------------------------------------------ the logits


class _Last:
    """From what the last layer's heads receive to the differences of logits."""

    def __init__(self, weights: RoundedWeights, comparisons: Sequence[Comparison]) -> None:
        column = {output: k for k, output in enumerate(weights.outputs)}
        self.context = np.array([c.context for c in comparisons], dtype=np.intp)
        self.above = np.array([column[c.above] for c in comparisons], dtype=np.intp)
        self.below = np.array([column[c.below] for c in comparisons], dtype=np.intp)
        self.out, self.unembed = weights.of_layer(weights.n_layers - 1, "W_O"), weights.numbers["W_U"]
        self.through = product(self.out, self.unembed)

    def bound(self, part: Part, bounds: Floats) -> None:
        """Fill in the bounds of the comparisons of these contexts."""
        contexts, x, z = part
        o = product(z, self.out)
        whole = add(x, o)
        # What is rounded after the heads have received, before the unembedding and in it.
        fresh = x.error + dot(z.size, self.out.error) + product_rounding(z, self.out) + add_rounding(x, o)
        own = dot(whole.size, self.unembed.error) + product_rounding(whole, self.unembed)
        row = np.full(1 + max(self.context.max(initial=0), contexts.max()), -1, dtype=np.intp)
        row[contexts] = np.arange(len(contexts))
        asked = np.flatnonzero(row[self.context] >= 0)
        many = max(1, BATCH_NUMBERS // (len(FORMATS) * max(1, *self.through.value.shape[:1], *x.value.shape[1:])))
        for start in range(0, len(asked), many):
            mine = asked[start : start + many]
            at, a, b = row[self.context[mine]], self.above[mine], self.below[mine]
            total = own[:, at, a] + own[:, at, b]
            for error, readout in ((z.error, self.through), (fresh, self.unembed)):
                total += np.einsum("fck,kc->fc", error[:, at], _apart(readout, a, b))
            bounds[:, mine] = finished(total)


def _apart(readout: Numbers, a: Indices, b: Indices) -> Floats:
    """How far two columns of exact numbers are apart, from above."""
    error = readout.error[0]
    return np.asarray(np.abs(readout.value[:, a] - readout.value[:, b]) + error[:, a] + error[:, b])


def _batches(contexts: Sequence[Sequence[object]], numbers: int) -> Iterator[list[int]]:
    """Contexts of similar size, so many at a time that arrays stay small."""
    order = sorted(range(len(contexts)), key=lambda i: len(contexts[i]))
    while order:
        many = max(1, BATCH_NUMBERS // (len(FORMATS) * len(contexts[order[-1]]) * max(1, numbers)))
        yield order[-many:]
        del order[-many:]
