"""Does some skip-n-gram ensemble meet every comparison of a task? Decided by the exact engine, certified either way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from expressivity.ensembles.certifying import Weights, obstruction, separating_weights
from expressivity.ensembles.generation import generate, is_large
from expressivity.ensembles.parts import Part, parts
from expressivity.errors import InputError
from expressivity.separability import Cancellation, IntegerRows, Separator, separate, sparsest
from expressivity.skipgrams import Design, SkipGrams, comparison_rows, design
from expressivity.task import Task
from expressivity.verdict import UNDECIDED, Verdict

SPARSE_SIZE = 20_000  # entries of a matrix up to which the witness with fewest features is looked for


def decide_ensemble(
    task: Task,
    model: SkipGrams,
    *,
    time_limit: float | None = None,
    sparse: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Decide a task for a class of skip-n-gram ensembles at the argmax level.

    Args:
        task: labels, several allowed outputs and ties; no distributions.
        model: an order, or ``SkipGrams(None, …)`` for all orders at once; a yes is then proved at the order from
            which on no feature is new.
        time_limit: seconds for each part, after which the answer is ``UNDECIDED``; ``None`` waits for the answer.
        sparse: look (for at most half a second a part) for weights on few features; no claim that they are fewest.
        progress: called with a line of text now and then: which part, and for a large one the round of constraint
            generation.

    Returns:
        A verdict whose certificate has been verified by the trusted base.

    Raises:
        InputError: the task asks for distributions.

    >>> verdict = decide_ensemble(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]), SkipGrams(3))
    >>> verdict.answer.value, verdict.certificate.ratio
    ('inexpressible', '1:1:1:1')
    """
    if task.is_soft:
        raise InputError(
            f"task {task.name} asks for distributions, which no comparison of logits settles; "
            "expected labels, allowed outputs or ties"
        )
    if model.order is None:
        never = refute_every_order(task, model.positions)
        saturated = SkipGrams(model.saturates_at(task.contexts), model.positions)
        return never or decide_ensemble(task, saturated, time_limit=time_limit, sparse=sparse, progress=progress)
    weights: Weights = {}
    cut = parts(task, model)
    for number, part in enumerate(cut, start=1):
        say = progress if len(cut) == 1 else _numbered(progress, f"{model.name}s, part {number} of {len(cut)}")
        if is_large(part, model, task):
            outcome: Any = generate(task, model, part, time_limit=time_limit, progress=say)
        else:
            outcome = _directly(task, model, part, time_limit, sparse, say)
        if isinstance(outcome, Cancellation):
            progress("writing and verifying the certificate")
            return obstruction(task, model, part, outcome.multipliers)
        if not isinstance(outcome, dict):
            return Verdict(model, UNDECIDED, None, outcome.reason)
        weights.update(outcome)
    progress("writing and verifying the certificate")
    return separating_weights(task, model, weights)


def refute_every_order(task: Task, positions: str) -> Verdict | None:
    """The verdict that no order decides the task, if that is so: contexts that every feature confuses disagree.

    In absolute positions distinct contexts are always told apart, so the answer is ``None`` at once.
    """
    if positions == "absolute":
        return None
    model = SkipGrams(None, positions)
    for part in parts(task, model):
        if len(part.contexts) == 1:  # what is asked of one context never contradicts itself
            continue
        columns = design([task.contexts[i] for i in part.contexts], model)
        rows = IntegerRows.from_scipy(comparison_rows(columns.matrix, list(part.comparisons(task)), task.outputs))
        outcome = separate(rows, part.equal)
        if isinstance(outcome, Cancellation):
            return obstruction(task, model, part, outcome.multipliers)
    return None


def _numbered(progress: Callable[[str], None], which: str) -> Callable[[str], None]:
    progress(which)
    return lambda text: progress(f"{which}: {text}")


def _directly(
    task: Task,
    model: SkipGrams,
    part: Part,
    time_limit: float | None,
    sparse: bool,
    progress: Callable[[str], None],
) -> Any:
    """Weights, a cancellation or ``Undecided`` for a part that is small enough to be written out as a matrix."""
    outputs = task.outputs[::-1]  # the first output is the reference, whose logit is 0
    columns = design([task.contexts[i] for i in part.contexts], model, reduced=True)
    comparisons = list(part.comparisons(task))
    rows = IntegerRows.from_scipy(comparison_rows(columns.matrix, comparisons, outputs))
    outcome = separate(rows, part.equal, time_limit=time_limit, progress=progress)
    if not isinstance(outcome, Separator):
        return outcome
    found: tuple[Design, Sequence[int]] = (columns, outcome.weights)
    if sparse and len(outputs) > 1:
        found = _sparser(task, model, part, outputs, found)
    return _by_feature(*found, outputs)


def _sparser(
    task: Task, model: SkipGrams, part: Part, outputs: Sequence[str], found: tuple[Design, Sequence[int]]
) -> tuple[Design, Sequence[int]]:
    """Weights on fewer features, chosen among all of them where there are not too many; exact, or else ``found``."""
    full = design([task.contexts[i] for i in part.contexts], model)
    rows = comparison_rows(full.matrix, list(part.comparisons(task)), outputs)
    if rows.shape[0] * rows.shape[1] > SPARSE_SIZE:
        return found
    groups = np.tile(np.arange(len(full.features)), len(outputs) - 1)
    fewer = sparsest(IntegerRows.from_scipy(rows), part.equal, groups=groups, time_limit=0.5)
    if fewer is None:
        return found
    before = len(_by_feature(*found, outputs))
    after = _by_feature(full, fewer.weights, outputs)
    return (full, fewer.weights) if len(after) <= before else found


def _by_feature(columns: Design, weights: Sequence[int], outputs: Sequence[str]) -> Weights:
    size = len(columns.features)
    table: Weights = {}
    for k, output in enumerate(outputs[:-1]):
        for feature, weight in zip(columns.features, weights[k * size : (k + 1) * size], strict=True):
            if weight:
                table.setdefault(feature, {})[output] = Fraction(weight)
    return table
