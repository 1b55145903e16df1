"""How good a certificate of a task can be, sealed and verified: fewest contexts, fewest features, largest margin.

The arguments are those of ``docs/certificate-format.md``; what is handed in may come from any search.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from expressivity.certificate import rational_text, seal
from expressivity.ensembles.certifying import Weights, multipliers_json, weights_json
from expressivity.skipgrams import SkipGrams
from expressivity.task import Comparison, Task
from expressivity.verdict import FewestContexts, FewestFeatures, LargestMargin

Combination = Sequence[tuple[Comparison, int | Fraction]]  # multipliers


def fewest_contexts(task: Task, model: SkipGrams, separators: Sequence[Weights], least: int) -> FewestContexts:
    """Prove that any ``least − 1`` contexts are decided, so that no obstruction has fewer than ``least``.

    Args:
        task: comparisons only.
        model: a stated order.
        separators: weights that each miss some contexts. Among the contexts of one constant (one destination, and in
            absolute positions one length) no ``least − 1`` may include a missed one of each.
        least: from 2 to the number of contexts.

    Raises:
        Refuted: at the step ``least`` if the weights do not prove it.

    >>> from expressivity.skipgrams import Feature
    >>> task = Task.from_strings(["ACQT", "ADQF"])
    >>> always = [{Feature("Q", (), 2): {y: Fraction(1)}} for y in "TF"]
    >>> print(fewest_contexts(task, SkipGrams(2), always, 2))
    A bigram ensemble (positions absolute) decides any 1 of the 2 contexts: one of the 2 ensembles listed is right on
    all of them that have the same last token and length.
    """
    proof = {"least": least, "separators": [weights_json(weights) for weights in separators]}
    certificate = FewestContexts(seal("fewest_contexts", model.to_json(), task.to_json(), proof))
    certificate.verify()
    return certificate


def fewest_features(task: Task, model: SkipGrams, combinations: Sequence[Combination], least: int) -> FewestFeatures:
    """Prove that weights that decide the task are on at least ``least`` features besides constants.

    Args:
        task: comparisons only.
        model: a stated order.
        combinations: multipliers as in an obstruction, for comparisons whose ``context`` counts within the task. In
            each the constants cancel, other features remain, and no ``least − 1`` features include a remaining one of
            each.
        least: at least 1.

    Raises:
        Refuted: at the step ``comparison``, ``sign``, ``cancellation`` or ``least`` if they do not prove it.

    >>> task = Task.from_strings(["ACQT", "ADQF"])
    >>> both = [(Comparison(0, "T", "F", False), 1), (Comparison(1, "F", "T", False), 1)]
    >>> print(fewest_features(task, SkipGrams(3), [both], 1))
    A skip-trigram ensemble (positions absolute) that decides the 2 contexts has at least 1 feature besides constants.
    It has one of each line at least, as all others cancel:
      C… Q and D… Q (1:1)
    """
    proof = {"least": least, "combinations": [multipliers_json(combination) for combination in combinations]}
    certificate = FewestFeatures(seal("fewest_features", model.to_json(), task.to_json(), proof))
    certificate.verify()
    return certificate


def largest_margin(task: Task, model: SkipGrams, multipliers: Combination, margin: Fraction) -> LargestMargin:
    """Prove that no weights between −1 and 1 decide the task by a margin over ``margin``.

    Args:
        task: comparisons only.
        model: a stated order.
        multipliers: as in an obstruction, for comparisons whose ``context`` counts within the task. The absolute
            values of what remains of features and outputs sum to ``margin`` times the sum over strict comparisons, or
            less.
        margin: at least 0.

    Raises:
        Refuted: at the step ``comparison``, ``sign`` or ``margin`` if they do not prove it.

    >>> task = Task.from_strings(["ACQT", "ADQF"])
    >>> both = [(Comparison(0, "T", "F", False), 1), (Comparison(1, "F", "T", False), 1)]
    >>> print(largest_margin(task, SkipGrams(3), both, Fraction(2)))
    No skip-trigram ensemble (positions absolute) with weights between -1 and 1 decides the 2 contexts by a margin over
    2:
      1 × (A C Q: T against F)
      1 × (A D Q: F against T)
    With such weights these differences add up to 4 at most.
    """
    proof = {"margin": rational_text(margin), "multipliers": multipliers_json(multipliers)}
    certificate = LargestMargin(seal("largest_margin", model.to_json(), task.to_json(), proof))
    certificate.verify()
    return certificate
