"""Does some skip-n-gram ensemble meet every comparison of a task? Decided by the exact engine, certified either way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from expressivity.ensembles.certifying import Weights, obstruction, separating_weights
from expressivity.ensembles.generation import generate, is_large
from expressivity.ensembles.matrix import written_out
from expressivity.ensembles.optimal import fewest_contexts, fewest_features, widest_margin
from expressivity.ensembles.parts import Part, parts
from expressivity.errors import InputError
from expressivity.separability import Cancellation, Separator, Undecided, separate, sparsest
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task
from expressivity.verdict import UNDECIDED, Verdict

SPARSE_SIZE = 20_000  # entries of a matrix up to which the witness with fewest features is looked for


def decide_ensemble(
    task: Task,
    model: SkipGrams,
    *,
    time_limit: float | None = None,
    tidy: bool = False,
    smallest: bool = False,
    sparse: bool = False,
    margin: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Decide a task for a class of skip-n-gram ensembles at the argmax level.

    Args:
        task: labels, several allowed outputs and ties; no distributions.
        model: an order, or ``SkipGrams(None, …)`` for all orders at once; a yes is then proved at the order from
            which on no feature is new.
        time_limit: seconds for each part, after which the answer is ``UNDECIDED``; ``None`` waits for the answer.
        tidy: look (for at most half a second a part) for weights on few features; no claim that they are fewest.
        smallest, sparse, margin: go on to the best certificate of its kind, see :mod:`expressivity.ensembles.optimal`;
            ``time_limit`` holds for that search too, which else ends after a minute.
        progress: called with a line of text now and then: which part, and for a large one the round of constraint
            generation.

    Returns:
        A verdict whose certificate has been verified by the trusted base.

    Raises:
        InputError: the task asks for distributions, or ``sparse`` and ``margin`` are both asked for.

    >>> verdict = decide_ensemble(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]), SkipGrams(3))
    >>> verdict.answer.value, verdict.certificate.ratio
    ('inexpressible', '1:1:1:1')
    """
    if task.is_soft:
        raise InputError(
            f"task {task.name} asks for distributions, which no comparison of logits settles; "
            "expected labels, allowed outputs or ties"
        )
    if sparse and margin:
        raise InputError("sparse and margin (--sparse and --margin) both choose the weights; expected one of the two")
    if model.order is None:
        never = refute_every_order(task, model.positions)
        saturated = SkipGrams(model.saturates_at(task.contexts), model.positions)
        if never is not None and smallest:
            return replace(never, reason=f"{never.reason}; fewest sought for a stated order only")
        return never or decide_ensemble(
            task, saturated, time_limit=time_limit, tidy=tidy, sparse=sparse, margin=margin, progress=progress
        )
    answers: list[tuple[Part, Any]] = []
    cut = parts(task, model)
    for number, part in enumerate(cut, start=1):
        say = progress if len(cut) == 1 else _numbered(progress, f"{model.name}s, part {number} of {len(cut)}")
        if is_large(part, model, task):
            outcome: Any = generate(task, model, part, time_limit=time_limit, progress=say)
        else:
            outcome = _directly(task, model, part, time_limit, (tidy or sparse) and not margin, say)
        if isinstance(outcome, Cancellation) and not smallest:
            progress("writing and verifying the certificate")
            return obstruction(task, model, part, outcome.multipliers)
        if isinstance(outcome, Undecided):
            return Verdict(model, UNDECIDED, None, outcome.reason)
        answers.append((part, outcome))
    if any(isinstance(answer, Cancellation) for _, answer in answers):
        return fewest_contexts(task, model, answers, time_limit=time_limit, progress=progress)
    if sparse:
        return fewest_features(task, model, answers, time_limit=time_limit, progress=progress)
    if margin:
        return widest_margin(task, model, answers, time_limit=time_limit, progress=progress)
    weights: Weights = {}
    for _, answer in answers:
        weights |= answer
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
        outcome = separate(written_out(task, model, part, reduced=False).rows, part.equal)
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
    tidy: bool,
    progress: Callable[[str], None],
) -> Any:
    """Weights, a cancellation or ``Undecided`` for a part that is small enough to be written out as a matrix."""
    matrix = written_out(task, model, part)
    outcome = separate(matrix.rows, part.equal, time_limit=time_limit, progress=progress)
    if not isinstance(outcome, Separator):
        return outcome
    found = matrix.weights(outcome.weights)
    return _tidied(task, model, part, found, time_limit) if tidy and matrix.outputs else found


def _tidied(task: Task, model: SkipGrams, part: Part, found: Weights, time_limit: float | None) -> Weights:
    """Weights on fewer features, chosen among all of them where there are not too many; exact, or else ``found``."""
    full = written_out(task, model, part, reduced=False)
    if full.rows.n_rows * full.rows.n_columns > SPARSE_SIZE:
        return found
    groups = np.tile(np.arange(len(full.features)), len(full.outputs))
    fewer = sparsest(full.rows, part.equal, groups=groups, time_limit=min(0.5, time_limit or 0.5))
    after = found if fewer is None else full.weights(fewer.weights)
    return after if len(after) <= len(found) else found
