"""One part of a task as an exact convex problem: classes of contexts, their features, and the mass of each output.

Contexts with the same features get the same logits from every model of the class, so that they act as one context with
the sum of their weights and the mean of their distributions. Exact, but for the floats that :class:`Problem` offers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expressivity.errors import InputError
from expressivity.separability.distinct import distinct_rows
from expressivity.skipgrams import Feature, SkipGrams, design
from expressivity.task import Task

Array = npt.NDArray[Any]
Masses = list[list[Fraction]]
NIL = Fraction(0)


@dataclass(frozen=True)
class Problem:
    """Minimise ``Σ_x w(x) CE(p(·|x), softmax(θ · φ(x)))`` over ``θ``, shape ``[features, outputs]``.

    Attributes:
        members: the task's contexts in each class x.
        features: the grams, as many as ``matrix`` has columns; the one of no sources comes first.
        matrix: ``φ``, int64 CSR, shape ``[classes, features]``; nonnegative.
        mass: ``w(x) p(y|x)``, shape ``[classes][outputs]``.
    """

    members: list[list[int]]
    features: list[Feature]
    matrix: sp.csr_array
    mass: Masses

    @cached_property
    def weights(self) -> list[Fraction]:
        """``w(x)``, shape ``[classes]``."""
        return [sum(row, NIL) for row in self.mass]

    @cached_property
    def seen(self) -> Array:
        """Where the mass is positive, Boolean ``[classes, outputs]``."""
        return np.array([[value > 0 for value in row] for row in self.mass], dtype=bool)

    @cached_property
    def shares(self) -> Array:
        """``w(x)`` divided by their sum, floats ``[classes]``."""
        total = sum(self.weights, NIL)
        return np.array([float(weight / total) for weight in self.weights])

    @cached_property
    def chances(self) -> Array:
        """``p(y|x)``, floats ``[classes, outputs]``."""
        rows = zip(self.mass, self.weights, strict=True)
        return np.array([[float(value / weight) for value in row] for row, weight in rows])

    @cached_property
    def moments(self) -> Array:
        """``Σ_x w φ_f p(y|x)`` of the shares and chances, floats ``[features, outputs]``."""
        return np.asarray(self.matrix.T @ (self.shares[:, None] * self.chances))


@dataclass(frozen=True)
class Pairs:
    """For each class x and each output y of its support but one, its *head*, the row ``φ(x) ⊗ (e_y − e_head)``.

    With logits ``θ`` (flattened over ``columns``) ``matrix @ θ`` are the logits of the outputs above that of the head.

    Attributes:
        owner: the class of each pair.
        output: the output of each pair.
        head: the head of each class, shape ``[classes]``.
        matrix: int64 CSR, shape ``[pairs, columns]``.
        columns: the (feature, output) of each column, shape ``[columns, 2]``.
    """

    owner: Array
    output: Array
    head: Array
    matrix: sp.csr_array
    columns: Array


def chances_of(task: Task) -> list[list[Fraction]]:
    """``p(y|x)`` for each context, in the order of the outputs: a label as a point, a tie as a uniform distribution.

    Raises:
        InputError: a top set of several outputs, which fixes no distribution.
    """
    result = []
    known: dict[int, list[Fraction]] = {}  # contexts that ask the same share one tuple
    for context, asked in zip(task.contexts, task.requirements, strict=True):
        if id(asked) not in known:
            only = asked[0].as_distribution() if len(asked) == 1 else None
            if only is None:
                raise InputError(
                    f"task {task.name}, context {context}: asks for {' and '.join(map(str, asked))}; the cross-entropy "
                    "is undefined for top sets; expected a label, a tie or a distribution"
                )
            given = dict(only.probabilities)
            known[id(asked)] = [given.get(y, NIL) for y in task.outputs]
        result.append(known[id(asked)])
    return result


def independent(task: Task, model: SkipGrams) -> list[list[int]]:
    """The contexts in groups that share no feature: those with the same gram of no sources.

    It holds the destination, and in absolute positions the length. Weights and moments of the groups are apart.
    """
    absolute = model.positions == "absolute"
    groups: dict[tuple[str, int], list[int]] = {}
    for i, context in enumerate(task.contexts):
        groups.setdefault((context[-1], len(context) if absolute else 0), []).append(i)
    return list(groups.values())


def problem(task: Task, members: Sequence[int], chances: Sequence[Sequence[Fraction]], model: SkipGrams) -> Problem:
    """The problem of the contexts ``members``, which share no feature with the rest of the task.

    Args:
        task: the whole task.
        members: numbers of contexts.
        chances: ``p(y|x)`` for every context of the task, in the order of its outputs.
        model: the class of ensembles.
    """
    found = design([task.contexts[i] for i in members], model, reduced=True)
    first, class_of = distinct_rows(found.matrix)
    grouped: list[list[int]] = [[] for _ in first]
    for i, n in zip(members, class_of.tolist(), strict=True):
        grouped[n].append(i)
    mass = [_mass(task, group, chances) for group in grouped]
    return Problem(grouped, found.features, found.matrix[first], mass)


def _mass(task: Task, group: Sequence[int], chances: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """``Σ w(x) p(y|x)`` over some contexts; those with the same weight that ask the same are counted, not added up."""
    same = Counter((id(task.weights[i]), id(chances[i])) for i in group)
    once = {(id(task.weights[i]), id(chances[i])): i for i in group}
    shares = [(task.weights[i] * same[key], chances[i]) for key, i in once.items()]
    return [sum((weight * row[y] for weight, row in shares if row[y]), NIL) for y in range(len(task.outputs))]


def never_together(part: Problem) -> tuple[Array, Array]:
    """What counting alone shows: ``(grams, support)``.

    Where a gram f never holds together with output y, ``Σ_x w φ_f p(y|x) = 0``, y can be pushed down wherever f holds,
    at no loss; and a conditional distribution with the task's moments gives y no chance there.

    Returns:
        ``grams``: Boolean ``[features, outputs]``, the grams and outputs never seen together.
        ``support``: Boolean ``[classes, outputs]``, what they leave.
    """
    holds = (part.matrix != 0).astype(np.int64)
    grams = (holds.T @ part.seen.astype(np.int64)) == 0
    return grams, (holds @ grams.astype(np.int64)) == 0


def pairs(part: Problem, support: Array, head: Array, grams: Array | None = None) -> Pairs:
    """The rows of a support, for one head from the support of each class.

    Columns left out: those in ``grams``, which no pair of the support has; and for each gram that of one output, which
    may be 0 since a shift of all its logits changes nothing. That output is the commonest head where it has a fair
    share of the gram's moments, or else the one that has most: float errors in the other moments add up in this one.
    """
    n_features, n_outputs = part.moments.shape
    kept = np.ones((n_features, n_outputs), dtype=bool) if grams is None else ~grams
    largest, usual = part.moments.argmax(axis=1), np.bincount(head).argmax()
    fair = part.moments[:, usual] >= 1e-3 * part.moments.max(axis=1)
    kept[np.arange(n_features), np.where(fair, usual, largest)] = False
    number = np.where(kept.ravel(), np.cumsum(kept.ravel()) - 1, -1)  # of (feature, output), row-major
    chosen = support.copy()
    chosen[np.arange(len(head)), head] = False
    owner, output = np.nonzero(chosen)
    coo = part.matrix[owner].tocoo()
    row, feature = coo.coords
    column = np.concatenate([number[feature * n_outputs + output[row]], number[feature * n_outputs + head[owner[row]]]])
    row, entry = np.concatenate([row, row]), np.concatenate([coo.data, -coo.data])
    there = column >= 0
    matrix = sp.csr_array((entry[there], (row[there], column[there])), shape=(len(owner), int(kept.sum())))
    return Pairs(owner, output, head, matrix, np.argwhere(kept))


def logits_of(part: Problem, weights: list[list[int]]) -> list[list[int]]:
    """``φ · weights`` in integers of any size, ``[classes][outputs]``."""
    starts, indices, data = part.matrix.indptr.tolist(), part.matrix.indices.tolist(), part.matrix.data.tolist()
    outputs = range(part.seen.shape[1])
    result = []
    for start, stop in pairwise(starts):
        row = [0] * len(outputs)
        for k in range(start, stop):
            value, given = data[k], weights[indices[k]]
            for y in outputs:
                row[y] += value * given[y]
        result.append(row)
    return result
