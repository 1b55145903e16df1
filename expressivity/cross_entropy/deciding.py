"""Does the class come as near to the task's probabilities as one likes? The question that cross-entropy answers."""

from __future__ import annotations

from fractions import Fraction

from expressivity.cross_entropy.bound import bound_cross_entropy
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task
from expressivity.verdict import EXPRESSIBLE, INEXPRESSIBLE, UNDECIDED, Verdict
from expressivity.verify.enclosure import log_bounds

NEAR = Fraction(1, 10**6)  # nats


def decide_cross_entropy(task: Task, model: SkipGrams, *, time_limit: float | None = None) -> Verdict:
    """Whether the best cross-entropy of the class exceeds the task's own entropy, below which no model gets.

    No: the certificate's lower bound is above that entropy. Yes: its upper bound is within 10⁻⁶ nats of it; whether
    some model attains it or it is only approached is not said. Labels count as point distributions, ties as uniform.

    Raises:
        InputError: as :func:`bound_cross_entropy`.

    >>> xor = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
    >>> decide_cross_entropy(xor, SkipGrams(3)).reason
    'at least 0.693147181 nats; the task itself has 0'
    """
    bound = bound_cross_entropy(task, model, time_limit=time_limit)
    least, most = own_entropy(task)
    lower, upper = bound.lower or Fraction(0), bound.upper
    if lower > most:
        return Verdict(
            model, INEXPRESSIBLE, bound, f"at least {_shown(lower)} nats; the task itself has {_shown(most)}"
        )
    if upper is not None and upper <= least + NEAR:
        near = f"within {float(max(upper - least, Fraction(0))):.1g} nats of the task's own {_shown(most)}"
        return Verdict(model, EXPRESSIBLE, bound, near)
    above = "" if upper is None else f" and {_shown(upper)}"
    return Verdict(model, UNDECIDED, bound, f"between {_shown(lower)}{above} nats; the task itself has {_shown(most)}")


def own_entropy(task: Task) -> tuple[Fraction, Fraction]:
    """Enclose ``Σ π(x) H(p(·|x))`` in nats, weights normalised."""
    least = most = Fraction(0)
    for asked, weight in zip(task.requirements, task.weights, strict=True):
        distribution = asked[0].as_distribution()
        for _, p in distribution.probabilities if distribution is not None else ():
            low, high = log_bounds(p) if p else (Fraction(0), Fraction(0))
            least, most = least - weight * p * high, most - weight * p * low
    total = sum(task.weights, Fraction(0))
    return least / total, most / total


def _shown(nats: Fraction) -> str:
    return f"{float(nats):.9g}"
