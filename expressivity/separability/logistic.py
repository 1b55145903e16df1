"""Logistic regression as its users know it, fitted beside the verdict and measured against it.

scikit-learn's ``LogisticRegression`` without a penalty minimises the mean cross-entropy of the labels. On
inseparable tasks it cannot get everything right; on separable ones its weights run to infinity, so that it stops by
a limit rather than by converging. Neither outcome proves anything: the certificates do.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.task import Distribution, Requirement, Task


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
    number = {output: k for k, output in enumerate(task.outputs)}
    labels = [{number[output]: share for output, share in _shares(own).items()} for own in task.requirements]
    comparisons = [(c.context, number[c.above], number[c.below], c.equal) for c in task.comparisons()]
    return fit_labels(features, labels, comparisons, weights=[float(w) for w in task.weights], max_iter=max_iter)


def fit_labels(
    features: Any,
    labels: Sequence[int | Mapping[int, float]],
    comparisons: Sequence[tuple[int, int, int, bool]] | None = None,
    *,
    weights: Sequence[float] | None = None,
    max_iter: int = 1000,
    tie_tolerance: float = 1e-3,
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
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    allowed = [{int(label): 1.0} if isinstance(label, (int, np.integer)) else label for label in labels]
    count = len(allowed)
    if not count:
        return LogisticFit(0, 0, True, 0, 0.0)
    owner = np.repeat(np.arange(count), [len(outputs) for outputs in allowed])
    target = np.array([output for outputs in allowed for output in outputs], dtype=np.int64)
    share = np.array([part for outputs in allowed for part in outputs.values()], dtype=np.float64)
    if weights is not None:
        share = share * np.asarray(weights, dtype=np.float64)[owner]
    if comparisons is None:
        outputs = sorted(set(target.tolist()))
        comparisons = [
            (i, y, z, False) for i, own in enumerate(allowed) for y in own for z in outputs if z not in own
        ]
    size = 1 + max([int(target.max()), *(max(above, below) for _, above, below, _ in comparisons)])
    logits = np.full((count, size), -np.inf)
    classes = np.unique(target)
    if len(classes) == 1:
        logits[:, classes[0]] = 0.0
        return LogisticFit(_right(logits, count, comparisons, tie_tolerance), count, True, 0, 0.0)
    model = LogisticRegression(C=np.inf, max_iter=max_iter)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(features[owner], target, sample_weight=share)
    converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    decision = np.asarray(model.decision_function(features))
    logits[:, classes] = np.stack([np.zeros(count), decision], axis=1) if decision.ndim == 1 else decision
    with np.errstate(invalid="ignore"):
        top = logits.max(axis=1)
        normaliser = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    loss = float((share * (normaliser[owner] - logits[owner, target])).sum() / share.sum())
    right = _right(logits, count, comparisons, tie_tolerance)
    return LogisticFit(right, count, converged, int(np.max(model.n_iter_)), loss)


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


def _right(
    logits: npt.NDArray[np.float64],
    count: int,
    comparisons: Sequence[tuple[int, int, int, bool]],
    tolerance: float,
) -> int:
    met = np.ones(count, dtype=bool)
    for context, above, below, equal in comparisons:
        y, z = logits[context, above], logits[context, below]
        met[context] &= bool(y == z or abs(y - z) <= tolerance) if equal else bool(y > z)
    return int(met.sum())
