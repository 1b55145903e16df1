"""What is found beside the verdicts: logistic regression as its users run it, and the best cross-entropy.

No verdict rests on either, so where a task is too large for one of them it is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from expressivity.cross_entropy import bound_cross_entropy
from expressivity.errors import Refuted
from expressivity.separability import LogisticFit, fit_logistic
from expressivity.skipgrams import SkipGrams, design_matrix, entries_of
from expressivity.task import Task, Top
from expressivity.verdict import CrossEntropyBound

# Entries: the nonzero values of the features on all contexts, and a number for each context and output.
FITTED = 30_000_000  # that logistic regression is fitted to: seconds for each million, some 50 bytes for each entry
COEFFICIENTS = 3_000_000  # that it may have, of each of which scikit-learn's solver keeps twenty versions
BOUNDED = 2_000_000  # entries up to which the cross-entropy is bounded: half a minute, most of it in the trusted base
DENSE = 50_000_000  # entries that a part's comparisons may have with all zeros, since exact elimination fills them in
LOGISTIC, ENTROPY = "logistic regression", "cross-entropy"


@dataclass(frozen=True)
class LeftOut:
    """What was not done for an order (``LOGISTIC`` or ``ENTROPY``), and why."""

    what: str
    order: int
    reason: str


@dataclass(frozen=True)
class Beside:
    """What was found for the first so many of some models, and what was left out for the others."""

    fits: list[LogisticFit] = field(default_factory=list)
    bounds: list[CrossEntropyBound] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def why_not(self, what: str) -> str:
        """Why something was left out, if it was, for the model before."""
        return next((left.reason for left in reversed(self.left_out) if left.what == what), "")


def beside(
    task: Task,
    models: Iterable[SkipGrams],
    *,
    fit: bool,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Beside:
    """Fit logistic regression and bound the cross-entropy for some classes, where that is defined and not too much.

    Args:
        task: the cross-entropy is bounded where each context asks for one distribution, a label or a tie among them.
        models: of stated orders, ascending; what is too much for one is left out for all that follow.
        fit: whether to fit logistic regression.
        time_limit: seconds for each bound.
        progress: called with a few words before each step.

    >>> found = beside(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]), [SkipGrams(3)], fit=True)
    >>> found.fits[0].right, float(found.bounds[0].lower), found.left_out
    (0, 0.693147180559945, [])
    """
    found, bound = Beside(), has_cross_entropy(task)
    for model in models:
        size = entries_of(task.contexts, model) + len(task.contexts) * len(task.outputs)
        matrix = None
        if (fit and size <= FITTED) or (bound and size <= BOUNDED):
            progress(f"features of {model.name}s, {size:,} entries")
            matrix = design_matrix(task.contexts, model, reduced=True, dtype=np.float64)
        if fit:
            progress(f"{LOGISTIC}, {model.name}s")
            reason = _too_large_to_fit(task, size, matrix) or found.why_not(LOGISTIC)
            if not reason:
                most = max(100, min(1000, 2 * 10**9 // size))  # iterations: of a large task as many as are usual
                found.fits.append(fit_logistic(matrix, task, max_iter=most))
            else:
                found.left_out.append(LeftOut(LOGISTIC, model.order or 0, reason))
        if bound:
            progress(f"{ENTROPY}, {model.name}s")
            reason = _too_large_to_bound(task, model, size, matrix) or found.why_not(ENTROPY)
            try:
                if not reason:
                    found.bounds.append(bound_cross_entropy(task, model, time_limit=time_limit))
            except Refuted as error:
                if error.step != "size":
                    raise
                reason = f"its proof would take too long to check ({error.reason})"
            if reason:
                found.left_out.append(LeftOut(ENTROPY, model.order or 0, reason))
    return found


def has_cross_entropy(task: Task) -> bool:
    """Whether each context asks for one distribution: a label, a tie, or a distribution as it stands."""
    return all(
        len(asked) == 1 and not (isinstance(asked[0], Top) and len(asked[0].outputs) > 1) for asked in task.requirements
    )


def _too_large_to_fit(task: Task, size: int, matrix: sp.csr_array | None) -> str:
    coefficients = 0 if matrix is None else matrix.shape[1] * max(1, len(task.outputs) if len(task.outputs) > 2 else 1)
    return _over(size, FITTED, "entries") or _over(coefficients, COEFFICIENTS, "coefficients")


def _too_large_to_bound(task: Task, model: SkipGrams, size: int, matrix: Any) -> str:
    if size > BOUNDED:
        return _over(size, BOUNDED, "entries")
    # Contexts that share the feature of no sources are one part, and no feature has contexts of two parts.
    absolute = model.positions == "absolute"
    numbers: dict[tuple[str, int], int] = {}
    part = np.array([numbers.setdefault((c[-1], len(c) if absolute else 0), len(numbers)) for c in task.contexts])
    by_column = matrix.tocsc()
    columns = np.bincount(part[by_column.indices[by_column.indptr[:-1]]], minlength=len(numbers))
    dense = int((np.bincount(part) * columns).max()) * (len(task.outputs) - 1) ** 2
    return _over(dense, DENSE, "entries with all zeros")


def _over(number: int, most: int, what: str) -> str:
    return f"{number:,} {what}, over {most:,}" if number > most else ""
