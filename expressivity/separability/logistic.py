"""Logistic regression as its users know it, fitted beside the verdict and measured against it.

scikit-learn's ``LogisticRegression`` without a penalty minimises the mean cross-entropy of the labels. On
inseparable tasks it cannot get everything right; on separable ones its weights run to infinity, so that it stops by
a limit rather than by converging. Neither outcome proves anything: the certificates do.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expressivity.separability.distinct import Numbers, distinct_rows
from expressivity.task import Distribution, Requirement, Task

Floats = npt.NDArray[np.float64]

_TIED = 1e-3  # nats


@dataclass(frozen=True)
class LogisticFit:
    """How an ordinary logistic regression fares. All of it float.

    Attributes:
        right: the number of contexts with every comparison met.
        contexts: the number of contexts.
        converged: whether the solver met its own tolerance before its limit on iterations.
        iterations: how many it took.
        loss: mean cross-entropy in nats, contexts weighted as given.
    """

    right: int
    contexts: int
    converged: bool
    iterations: int
    loss: float

    @property
    def accuracy(self) -> float:
        """``right / contexts``; 1 when there are none."""
        return self.right / self.contexts if self.contexts else 1.0


def fit_logistic(features: Any, task: Task, *, max_iter: int = 1000) -> LogisticFit:
    """Fit scikit-learn's unpenalised logistic regression to a task and count the contexts it gets right.

    Args:
        features: a matrix of shape ``[contexts, features]``, dense or SciPy sparse.
        task: labels, several allowed outputs, ties, or distributions. A context that allows several outputs enters
            once for each, with its weight shared out (evenly, or as the distribution says).
        max_iter: the limit on iterations. A fit that does not converge is reported, not raised.

    A context is right when all its comparisons are met, ties up to 1/1000 of a nat.
    """
    kinds, first = _kinds(task)
    allowed, compared = [], []
    number = {output: k for k, output in enumerate(task.outputs)}
    for context in first.tolist():
        own = _shares(task.requirements[context])
        allowed.append(np.array([(number[output], share) for output, share in own.items()]).reshape(-1, 2))
        pairs = [(number[above], number[below], equal) for above, below, equal in task.pairs(context)]
        compared.append(np.array(pairs, dtype=np.int64).reshape(-1, 3))
    context, share = _spread(kinds, allowed)
    asked, pair = _spread(kinds, compared)
    weight = share[:, 1] * np.array([float(w) for w in task.weights])[context]
    comparisons = _Comparisons(asked, pair[:, 0], pair[:, 1], pair[:, 2] != 0)
    targets = _Targets(context, share[:, 0].astype(np.int64), weight)
    if not sp.issparse(features):
        return _fit(features, np.arange(len(kinds)), targets, comparisons, max_iter, _TIED)
    # Contexts that no feature tells apart enter once, each output with all of its weight.
    matrix = sp.csr_array(features, dtype=np.float64)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    rows, row = distinct_rows(matrix)
    keys, place = np.unique(row[context] * len(task.outputs) + targets.output, return_inverse=True)
    owner, output = np.divmod(keys, len(task.outputs))
    merged = _Targets(owner, output, np.bincount(place, weight).astype(np.float64))
    return _fit(matrix if len(rows) == len(row) else matrix[rows], row, merged, comparisons, max_iter, _TIED)


def fit_labels(
    features: Any,
    labels: Sequence[int | Mapping[int, float]],
    comparisons: Sequence[tuple[int, int, int, bool]] | None = None,
    *,
    weights: Sequence[float] | None = None,
    max_iter: int = 1000,
    tie_tolerance: float = _TIED,
) -> LogisticFit:
    """The same for outputs given by numbers.

    Args:
        features: a matrix of shape ``[contexts, features]``, dense or SciPy sparse.
        labels: for each context the number of its output, or ``{output: share}`` for several.
        comparisons: ``(context, above, below, equal)``: the output ``above`` is to have the larger logit or, where
            ``equal`` is true, the same one up to ``tie_tolerance``. Default: every output of a context above every
            other output.
        weights: positive weights of the contexts; default 1.
        max_iter: the limit on iterations.
        tie_tolerance: how near two tied logits are to be.

    Outputs that no context allows get the logit −∞.

    Example:
        >>> fit = fit_labels(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0])  # XOR on bits
        >>> fit.right < fit.contexts, round(fit.loss, 6)
        (True, 0.693147)
    """
    allowed = [{int(label): 1.0} if isinstance(label, (int, np.integer)) else label for label in labels]
    if not allowed:
        return LogisticFit(0, 0, True, 0, 0.0)
    owner = np.repeat(np.arange(len(allowed)), [len(outputs) for outputs in allowed])
    target = np.array([output for outputs in allowed for output in outputs], dtype=np.int64)
    share = np.array([part for outputs in allowed for part in outputs.values()], dtype=np.float64)
    if weights is not None:
        share = share * np.asarray(weights, dtype=np.float64)[owner]
    if comparisons is None:
        outputs = sorted(set(target.tolist()))
        comparisons = [(i, y, z, False) for i, own in enumerate(allowed) for y in own for z in outputs if z not in own]
    table = np.array(comparisons, dtype=np.int64).reshape(-1, 4)
    listed = _Comparisons(table[:, 0], table[:, 1], table[:, 2], table[:, 3] != 0)
    return _fit(features, np.arange(len(allowed)), _Targets(owner, target, share), listed, max_iter, tie_tolerance)


class _Targets(NamedTuple):
    """Outputs of rows, each with its weight, ``[m]``."""

    row: Numbers
    output: Numbers
    weight: Floats


class _Comparisons(NamedTuple):
    """Pairs of outputs of contexts, ``[n]``."""

    context: Numbers
    above: Numbers
    below: Numbers
    equal: npt.NDArray[np.bool_]


def _fit(
    features: Any, row: Numbers, targets: _Targets, comparisons: _Comparisons, max_iter: int, tolerance: float
) -> LogisticFit:
    """The fit to rows with their targets, and how many contexts, each of which has one of the rows, it gets right."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    size = 1 + int(max(each.max(initial=0) for each in (targets.output, comparisons.above, comparisons.below)))
    logits = np.full((features.shape[0], size), -np.inf)
    classes = np.unique(targets.output)
    if len(classes) == 1:
        logits[:, classes[0]] = 0.0
        return LogisticFit(_right(logits, row, comparisons, tolerance), len(row), True, 0, 0.0)
    model = LogisticRegression(C=np.inf, max_iter=max_iter)
    once = np.array_equal(targets.row, np.arange(features.shape[0]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(features if once else features[targets.row], targets.output, sample_weight=targets.weight)
    converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    decision = np.asarray(model.decision_function(features))
    if decision.ndim == 1:
        decision = np.stack([np.zeros(len(decision)), decision], axis=1)
    logits[:, classes] = decision
    top = decision.max(axis=1)
    normaliser = top + np.log(np.exp(decision - top[:, None]).sum(axis=1))
    losses = normaliser[targets.row] - logits[targets.row, targets.output]
    loss = float((targets.weight * losses).sum() / targets.weight.sum())
    right = _right(logits, row, comparisons, tolerance)
    return LogisticFit(right, len(row), converged, int(np.max(model.n_iter_)), loss)


def _kinds(task: Task) -> tuple[Numbers, Numbers]:
    """Contexts that ask the same share one tuple and have one number; for each number the first such context."""
    asked = np.fromiter(map(id, task.requirements), np.int64, len(task.contexts))
    _, first, kinds = np.unique(asked, return_index=True, return_inverse=True)
    return kinds, first


def _spread(kinds: Numbers, tables: Sequence[npt.NDArray[Any]]) -> tuple[Numbers, npt.NDArray[Any]]:
    """For each context, one after the other, the lines of the table of its kind; and whose they are."""
    many = np.array([len(table) for table in tables])
    starts = np.cumsum(many) - many
    held = many[kinds]
    owner = np.repeat(np.arange(len(kinds)), held)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(held) - held, held)
    return owner, np.concatenate(tables)[starts[kinds][owner] + within]


def _shares(requirements: Sequence[Requirement]) -> dict[str, float]:
    """How the weight of a context is shared out among the outputs that all its requirements allow."""
    allowed: dict[str, float] | None = None
    for requirement in requirements:
        if isinstance(requirement, Distribution):
            own = {output: float(share) for output, share in requirement.probabilities if share}
        else:
            own = dict.fromkeys(requirement.outputs, 1.0)
        allowed = own if allowed is None else {o: share * own[o] for o, share in allowed.items() if o in own}
    total = sum((allowed or {}).values())
    return {output: share / total for output, share in (allowed or {}).items()}


def _right(logits: Floats, row: Numbers, comparisons: _Comparisons, tolerance: float) -> int:
    """The number of contexts with every comparison met."""
    own = row[comparisons.context]
    y, z = logits[own, comparisons.above], logits[own, comparisons.below]
    with np.errstate(invalid="ignore"):
        tied = (y == z) | (np.abs(y - z) <= tolerance)  # two outputs that nothing allows are tied at −∞
    missed = comparisons.context[~np.where(comparisons.equal, tied, y > z)]
    return len(row) - len(np.unique(missed))
