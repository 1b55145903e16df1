"""The best certificate of its kind, with a second one that says how much better another could be.

An obstruction of fewest contexts, weights on fewest features, weights with the largest margin: each search goes on
until its result is proved best or its time is up, and hands back the proved bound either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm
from time import monotonic
from typing import Any

import numpy as np

from expressivity.ensembles import bounds
from expressivity.ensembles.certifying import Weights, obstruction, separating_weights
from expressivity.ensembles.matrix import Matrix, written_out
from expressivity.ensembles.parts import Part
from expressivity.errors import Refuted
from expressivity.separability import Cancellation, Separator, largest_margin, smallest, sparsest
from expressivity.skipgrams import SkipGrams
from expressivity.task import Comparison, Task
from expressivity.verdict import Certificate, Verdict, short

SECONDS = 60.0  # for a search, unless the caller sets a limit
LARGEST = 4_000_000  # entries of a matrix up to which a search is made
NONE = Fraction(0)

Progress = Callable[[str], None]
Answers = Sequence[tuple[Part, Any]]
"""Each part of a task with weights that meet it, or with a cancellation."""


def fewest_contexts(
    task: Task, model: SkipGrams, answers: Answers, *, time_limit: float | None, progress: Progress
) -> Verdict:
    """The verdict no with an obstruction of as few contexts as can be found, and the proof that fewer do not do.

    Parts share no feature, so an irreducible obstruction lies in one of them, and the least one in the best of these.
    """
    refuted = [(part, found) for part, found in answers if isinstance(found, Cancellation)]
    clock = _Clock(time_limit, len(refuted))
    results: list[tuple[int, Part, Cancellation]] = []
    separators: list[list[Weights]] = []
    least: int | None = None
    sought = True
    for part, found in refuted:
        matrix = _small(task, model, part)
        if matrix is None:
            sought = False
            results.append((len(set(part.owner[list(found.multipliers)].tolist())), part, found))
            continue
        result = smallest(
            matrix.rows,
            part.equal,
            found,
            groups=part.owner,
            time_limit=clock.share(),
            progress=_said(progress, "contexts"),
        )
        results.append((len(result.groups), part, result.cancellation))
        least = result.bound if least is None else min(least, result.bound)
        separators.append([matrix.weights(weights) for weights in result.separators])
    number, part, best = min(results, key=lambda item: item[0])
    verdict = obstruction(task, model, part, best.multipliers)
    if not sought or least is None or least < 2:
        return replace(verdict, reason=f"{verdict.reason}; fewest not {'proved' if sought else 'sought, too large'}")
    met: Weights = {}
    for _, answer in answers:
        if not isinstance(answer, Cancellation):
            met |= answer
    rounds = max(map(len, separators))
    merged = [
        {feature: logits for each in separators for feature, logits in each[min(j, len(each) - 1)].items()} | met
        for j in range(rounds)
    ]
    gap = f"at least {least} {'is' if least == 1 else 'are'} needed"
    return _judged(verdict, lambda: bounds.fewest_contexts(task, model, merged, least), least == number, gap)


def fewest_features(
    task: Task, model: SkipGrams, answers: Answers, *, time_limit: float | None, progress: Progress
) -> Verdict:
    """The verdict yes with weights on as few features as can be found, constants free, and the proof of a bound.

    A feature belongs to one part, so that the numbers of the parts add up. By theorem T3 the features, each of two or
    more sources, bound the number of heads.
    """
    clock = _Clock(time_limit, len(answers))
    weights: Weights = {}
    combinations: list[list[tuple[Comparison, int]]] = []
    least, sought = 0, True
    for part, known in answers:
        matrix = _small(task, model, part, reduced=False)
        if matrix is None or not matrix.outputs:
            sought = sought and matrix is not None
            weights |= known
            continue
        start = _columns(matrix, known)
        result = sparsest(
            matrix.rows,
            part.equal,
            start,
            groups=matrix.groups,
            time_limit=clock.share(),
            progress=_said(progress, "features"),
        )
        if result is None:
            raise RuntimeError("a part that is separated has no separator")
        weights |= matrix.weights(result.weights)
        least += result.bound
        combinations += [_named(task, part, each) for each in result.combinations]
    verdict = separating_weights(task, model, weights)
    many = sum(1 for feature in weights if feature.sources)
    constants = len(weights) - many
    free = "" if not constants else " and a constant" if constants == 1 else f" and {constants} constants"
    margin = "" if verdict.margin is None else f"margin {short(verdict.margin)}, "
    verdict = replace(verdict, reason=f"{margin}{many} feature{'s' if many != 1 else ''}{free}")
    if not sought:
        return replace(verdict, reason=f"{verdict.reason}; fewest not sought, too large")
    if many == 0:
        return replace(verdict, reason=f"{verdict.reason}, no fewer do", is_best=True)
    if least == 0:
        return replace(verdict, reason=f"{verdict.reason}; fewest not proved")
    gap = f"at least {least} {'is' if least == 1 else 'are'} needed"
    return _judged(verdict, lambda: bounds.fewest_features(task, model, combinations, least), least == many, gap)


def widest_margin(
    task: Task, model: SkipGrams, answers: Answers, *, time_limit: float | None, progress: Progress
) -> Verdict:
    """The verdict yes with weights between −1 and 1 of as large a margin as can be found, and the proof of a bound.

    The margin of the task is the least of its parts', and so is the bound.
    """
    clock = _Clock(time_limit, len(answers))
    weights: Weights = {}
    margins: list[Fraction] = []
    limits: list[tuple[Fraction, list[tuple[Comparison, int]]]] = []
    sought = True
    for part, known in answers:
        if part.equal.all():
            weights |= _scaled(known)
            continue
        matrix = _small(task, model, part, reduced=False, whole=True)
        if matrix is None:
            sought = False
            weights |= _scaled(known)
            continue
        start = _columns(matrix, known)
        result = largest_margin(
            matrix.rows, part.equal, start, time_limit=clock.share(), progress=_said(progress, "margin")
        )
        weights |= matrix.weights(result.weights)
        margins.append(result.margin)
        limits.append((result.bound, _named(task, part, result.multipliers)))
    verdict = separating_weights(task, model, weights)
    within = "" if verdict.margin is None else f"margin {short(verdict.margin)} with weights up to 1"
    verdict = replace(verdict, reason=within or f"{verdict.reason}; nothing strict is asked, so there is no margin")
    if not limits:
        return verdict if sought else replace(verdict, reason=f"{verdict.reason}; largest not sought, too large")
    bound, multipliers = min(limits, key=lambda item: item[0])
    reached, gap = verdict.margin == bound, f"at most {short(bound)} is possible"
    prove = lambda: bounds.largest_margin(task, model, multipliers, bound)  # noqa: E731
    return _judged(verdict, prove, reached, gap, best="the largest")


class _Clock:
    """Shares the time that is left among the parts that are left."""

    def __init__(self, time_limit: float | None, parts: int) -> None:
        self.deadline, self.left = monotonic() + (SECONDS if time_limit is None else time_limit), parts

    def share(self) -> float:
        self.left -= 1
        return max(0.0, self.deadline - monotonic()) / (self.left + 1)


def _small(task: Task, model: SkipGrams, part: Part, *, reduced: bool = True, whole: bool = False) -> Matrix | None:
    """The part as a matrix, unless it is too large."""
    if len(part) > LARGEST // 100:
        return None
    matrix = written_out(task, model, part, reduced=reduced, whole=whole)
    return matrix if matrix.rows.n_rows * max(1, matrix.rows.n_columns) <= LARGEST else None


def _columns(matrix: Matrix, weights: Weights) -> Separator:
    """Weights of features as integer weights of the columns; the logit of an output without columns is made 0."""
    others = {y for logits in weights.values() for y in logits} - set(matrix.outputs)
    values = []
    for output in matrix.outputs:
        for feature in matrix.features:
            logits = weights.get(feature, {})
            values.append(logits.get(output, NONE) - sum((logits.get(y, NONE) for y in others), NONE))
    scale = lcm(*(value.denominator for value in values))
    return Separator(tuple(int(value * scale) for value in values), "known")


def _scaled(weights: Weights) -> Weights:
    most = max((abs(value) for logits in weights.values() for value in logits.values()), default=Fraction(1))
    return {f: {y: value / most for y, value in logits.items()} for f, logits in weights.items()}


def _named(task: Task, part: Part, multipliers: Mapping[int, int]) -> list[tuple[Comparison, int]]:
    """Multipliers of a part's rows as those of comparisons of the task."""
    rows = np.array(sorted(multipliers), dtype=np.int64)
    listed = part.comparisons(task, rows)
    return [
        (replace(comparison, context=part.contexts[comparison.context]), multipliers[row])
        for comparison, row in zip(listed, rows.tolist(), strict=True)
    ]


def _said(progress: Progress, what: str) -> Progress:
    return lambda text: progress(f"{what}: {text}")


def _judged(
    verdict: Verdict, prove: Callable[[], Certificate], reached: bool, gap: str, best: str = "no fewer do"
) -> Verdict:
    """The verdict with its bound, unless proving the bound takes more steps than the trusted base allows itself."""
    try:
        proof = prove()
    except Refuted as error:
        if error.step != "size":
            raise
        return replace(verdict, reason=f"{verdict.reason}; the search says {gap}, which takes too long to prove")
    return replace(verdict, reason=f"{verdict.reason}, {best if reached else gap}", bound=proof, is_best=reached)
