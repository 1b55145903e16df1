"""The certificate: the parts of a task solved apart and put together, the bounds in few digits."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic

from expressivity.certificate import rational_text, seal
from expressivity.cross_entropy.problem import chances_of, independent, problem
from expressivity.cross_entropy.solve import solve
from expressivity.errors import InputError
from expressivity.skipgrams import Feature, SkipGrams
from expressivity.task import Task
from expressivity.verdict import CrossEntropyBound

_DIGITS = 15  # decimal places of the bounds at most


def bound_cross_entropy(
    task: Task, model: SkipGrams, *, width: float = 1e-6, time_limit: float | None = None
) -> CrossEntropyBound:
    """Enclose the infimum over a class of ``Σ π(x) CE(p(·|x), model(·|x))``, in nats, between two proofs.

    The context weights π are normalised to sum 1; a label counts as a point distribution, a tie as a uniform one. The
    lower bound is the entropy ``Σ π(x) H(r(·|x))`` of a rational conditional distribution ``r`` with exactly the task's
    moments, ``Σ π r φ = Σ π p φ``: every model of the class has a cross-entropy of that and ``Σ π KL(r ‖ model)`` more
    (Berger, Della Pietra & Della Pietra 1996). The upper bound is the cross-entropy of rational weights. The infimum
    need not be attained: where the task is separated, completely or in part, these weights go far along an integer
    direction that separates what can be separated, and ``r`` is 0 there.

    Exact: the classes of contexts that no feature tells apart, the moments of ``r``, the direction, and both bounds,
    enclosed in rationals, rounded outward to at most 15 decimal places and verified by the trusted base. Guidance in
    float: Newton's method, the guess at where ``r`` is positive, the choice of a basis. They decide how narrow the
    interval is and nothing else.

    Args:
        task: labels, ties and distributions.
        model: an ensemble of a stated order.
        width: the interval is to be at most so wide. Usually it is 1e-15; a wider one is tried again more carefully.
        time_limit: seconds, after which the best bounds at hand are returned, at worst ``Σ π H(p)`` and ``ln K``. Steps
            of exact linear algebra and the verification are not interrupted.

    Returns:
        A verified certificate. It is wider than ``width`` only where time ran out, or where float arithmetic comes no
        nearer (context weights that differ by factors of 10^25). ``lower`` is ``None`` where only 0 is known.

    Raises:
        InputError: top sets of several outputs, an order of ``None``, or a ``width`` that is not positive.

    >>> bound = bound_cross_entropy(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]), SkipGrams(3))
    >>> float(bound.lower), float(bound.upper)
    (0.693147180559945, 0.693147180559946)
    """
    if model.order is None:
        raise InputError("the order is None; expected a stated order, 2 or more, for a bound of the cross-entropy")
    if not width > 0:
        raise InputError(f"width is {width!r}; expected a positive number of nats")
    deadline = float("inf") if time_limit is None else monotonic() + time_limit
    chances = chances_of(task)
    total = sum(task.weights, Fraction(0))
    lower, upper = Fraction(0), Fraction(0)
    conditional: list[dict[str, str]] = [{} for _ in task.contexts]
    weights: dict[Feature, dict[str, str]] = {}
    for members in independent(task, model):
        part = problem(task, members, chances, model)
        below, above = solve(part, Fraction(width) / 2 * sum(part.weights, Fraction(0)), deadline)
        lower += below.bound
        upper += above.bound
        for group, row, weight in zip(part.members, below.masses, part.weights, strict=True):
            given = {y: rational_text(value / weight) for y, value in zip(task.outputs, row, strict=True) if value}
            for i in group:
                conditional[i] = given
        for feature, logits in zip(part.features, above.weights, strict=True):
            listed = {
                y: rational_text(Fraction(value, 1 << above.bits))
                for y, value in zip(task.outputs, logits, strict=True)
                if value
            }
            if listed:
                weights[feature] = listed
    low, high = _rounded(lower / total, upper / total)
    proof = {
        "lower": rational_text(low) if low >= 0 else None,  # the trivial bound needs no proof
        "conditional": conditional,
        "upper": rational_text(high),
        "weights": [
            feature.to_json(logits)
            for feature, logits in sorted(weights.items(), key=lambda item: (len(item[0].sources), item[0]))
        ],
    }
    bound = CrossEntropyBound(seal("cross_entropy_bound", model.to_json(), task.to_json(), proof))
    bound.verify()
    return bound


def _rounded(lower: Fraction, upper: Fraction) -> tuple[Fraction, Fraction]:
    """Outward to as many decimal places as the distance of the two deserves, one more than its first.

    >>> _rounded(Fraction(1, 3), Fraction(1, 2))
    (Fraction(33, 100), Fraction(1, 2))
    """
    places = 1
    while places < _DIGITS and (upper - lower) * 10 ** (places - 1) < 1:
        places += 1
    scale = 10**places
    return Fraction(lower.numerator * scale // lower.denominator, scale), Fraction(
        -(-upper.numerator * scale // upper.denominator), scale
    )
