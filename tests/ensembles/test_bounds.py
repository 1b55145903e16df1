"""Bounds are sealed as the search hands them in, and verified before they are handed out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from expressivity import Refuted, SkipGrams, Task
from expressivity.ensembles.bounds import fewest_contexts, fewest_features, largest_margin
from expressivity.ensembles.certifying import Weights
from expressivity.skipgrams import Feature
from expressivity.task import Comparison
from expressivity.verdict import FewestContexts, FewestFeatures, LargestMargin, load_certificate

TASK = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
EVERY = [(comparison, 1) for comparison in TASK.comparisons()]


def feature(*sources: str) -> Feature:
    return Feature("Q", tuple(("ABCD".index(x) // 2, x) for x in sources), 2)


def missing(constant: int, factor: int, *tokens: str) -> Weights:
    """T gets a constant and as much for each token."""
    weights = {feature(token): {"T": Fraction(factor)} for token in tokens}
    return {feature(): {"T": Fraction(constant)}, **weights}


# T is −3, −1, −1, 1; 1, 3, −1, 1; 1, −1, 3, 1; 1, −1, −1, −3: in each row one string is missed.
SEPARATORS = [missing(-3, 2, *"BD"), missing(3, -2, *"BC"), missing(3, -2, *"AD"), missing(-3, 2, *"AC")]


def test_fewest_contexts(tmp_path: Path) -> None:
    certificate = fewest_contexts(TASK, SkipGrams(3), SEPARATORS, 4)
    assert certificate.least == 4
    assert certificate.task == TASK
    assert certificate.model == SkipGrams(3)
    assert certificate.verify().answer == "bounds"
    assert certificate.explain() == (
        "A skip-trigram ensemble (positions absolute) decides any 3 of the 4 contexts: one of the 4 ensembles listed "
        "is right on all of them that have the same last token and length."
    )
    saved = load_certificate(certificate.save(tmp_path / "bound.json"))
    assert isinstance(saved, FewestContexts)
    assert saved.hash == certificate.hash


def test_fewest_contexts_needs_enough_separators() -> None:
    with pytest.raises(Refuted, match="least: any 3 contexts are not proved to be decided"):
        fewest_contexts(TASK, SkipGrams(3), SEPARATORS[:3], 4)


def test_fewest_features(tmp_path: Path) -> None:
    """All leave AC, AD, BC, BD, the halves A, B, AC, BC and A, B, AD, BD: no feature of the first is in both others."""
    certificate = fewest_features(TASK, SkipGrams(4), [EVERY, EVERY[::2], EVERY[1::2]], 2)
    assert certificate.least == 2
    assert certificate.explain() == (
        "A skip-4-gram ensemble (positions absolute) that decides the 4 contexts has at least 2 features besides "
        "constants. It has one of each line at least, as all others cancel:\n"
        "  A… C… Q, A… D… Q, B… C… Q and B… D… Q (1:1:1:1)\n"
        "  A… Q, A… C… Q, B… Q and B… C… Q (1:1)\n"
        "  A… Q, A… D… Q, B… Q and B… D… Q (1:1)"
    )
    assert isinstance(load_certificate(certificate.save(tmp_path / "bound.json")), FewestFeatures)
    with pytest.raises(Refuted, match="least"):
        fewest_features(TASK, SkipGrams(4), [EVERY, EVERY[::2]], 2)


def test_largest_margin(tmp_path: Path) -> None:
    """Four differences, and AC, AD, BC, BD with a weight of 1 for one output and −1 for the other: 8 for 4."""
    certificate = largest_margin(TASK, SkipGrams(4), EVERY, Fraction(2))
    assert certificate.margin == 2
    assert certificate.multipliers[1] == (("A", "D", "Q"), "F", "T", 1)
    assert certificate.explain().endswith("With such weights these differences add up to 8 at most.")
    assert isinstance(load_certificate(certificate.save(tmp_path / "bound.json")), LargestMargin)
    with pytest.raises(Refuted, match="margin: the multipliers do not exclude a larger margin"):
        largest_margin(TASK, SkipGrams(4), EVERY, Fraction(199, 100))


def test_multipliers_may_be_fractions_and_ties_count_either_way() -> None:
    """T is to be above F with B and equal to it with A: B less A, of weights up to 1, is 4 at most."""
    task = Task.from_text("A Q -> F = T\nB Q -> T\n")
    used = [(Comparison(0, "F", "T", True), Fraction(1, 2)), (Comparison(1, "T", "F", False), Fraction(1, 2))]
    assert largest_margin(task, SkipGrams(3), used, Fraction(4)).margin == 4
    assert fewest_features(task, SkipGrams(3), [used], 1).least == 1


@pytest.mark.parametrize("positions", ["absolute", "anywhere", "count"])
def test_an_order_must_be_stated(positions: str) -> None:
    with pytest.raises(Refuted, match="model: fewest_features belongs to a stated order"):
        fewest_features(TASK, SkipGrams(None, positions), [EVERY], 1)
