"""Requirements against their definition, on every order that the logits of a few outputs can be in."""

from fractions import Fraction
from itertools import combinations, product

import pytest

from expressivity.errors import InputError
from expressivity.task import Distribution, Task, Tie, Top
from expressivity.task.requirement import disagreement

OUTPUTS = ("E", "F", "G", "T")
# Every weak order of four outputs, ties included, occurs among the logits 0 to 3.
LOGITS = [dict(zip(OUTPUTS, values, strict=True)) for values in product(range(4), repeat=4)]
SETS = [set_ for size in range(1, 5) for set_ in combinations(OUTPUTS, size)]
REQUIREMENTS = [*map(Top, SETS), *(Tie(tied) for tied in SETS if len(tied) > 1)]


def met(requirement, logits):
    """The definition: the listed beat the unlisted, and a tie's are equal."""
    listed = [logits[y] for y in requirement.outputs]
    unlisted = [logits[z] for z in OUTPUTS if z not in requirement.outputs]
    above = all(y > z for y in listed for z in unlisted)
    return above and (isinstance(requirement, Top) or len(set(listed)) == 1)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_pairs_say_what_the_definition_says(requirement):
    for logits in LOGITS:
        by_pairs = all(
            logits[y] == logits[z] if equal else logits[y] > logits[z] for y, z, equal in requirement.pairs(OUTPUTS)
        )
        assert by_pairs == met(requirement, logits)


def test_requirements_disagree_exactly_when_no_logits_meet_both():
    for first, second in product(REQUIREMENTS, repeat=2):
        possible = any(met(first, logits) and met(second, logits) for logits in LOGITS)
        assert (disagreement(first, second) is None) == possible, (first, second)


def test_three_requirements_are_refused_exactly_when_no_logits_meet_all():
    for asked in combinations(REQUIREMENTS, 3):
        possible = [logits for logits in LOGITS if all(met(each, logits) for each in asked)]
        try:
            task = Task([["Q"]], [asked], outputs=OUTPUTS)
        except InputError:
            assert not possible, asked
        else:
            # What is left says as much as all three did.
            kept = task.requirements[0]
            assert possible
            assert [logits for logits in LOGITS if all(met(each, logits) for each in kept)] == possible


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        (Top("T"), Top("F"), ("T above F", "F above T")),
        (Tie(["F", "T"]), Top("T"), ("T equal to F", "T above F")),
        (Top("T"), Tie(["F", "T"]), ("T above F", "T equal to F")),
        (Tie(["F", "T"]), Tie(["F", "G", "T"]), ("F above G", "F equal to G")),
        (Distribution({"T": 1}), Top("F"), ("probability 0 for F", "probability 1 for F")),
        (Distribution({"T": 1}), Top(["F", "T"]), ("T:1", "F | T")),
        (Tie(["F", "T"]), Distribution({"T": "1/3", "F": "2/3"}), ("probability 1/2 for F", "probability 2/3 for F")),
        (Distribution({"T": 1}), Distribution({"T": 1, "F": 0}), None),
        (Distribution({"T": 1, "F": 0}), Top("T"), None),
        (Distribution({"T": "1/2", "F": "1/2"}), Tie(["F", "T"]), None),
    ],
)
def test_a_disagreement_says_what_each_asks(first, second, complaint):
    assert disagreement(first, second) == complaint


def test_labels_and_ties_are_distributions_and_sets_are_not():
    assert Top("T").as_distribution() == Distribution({"T": 1})
    assert Tie(["F", "G", "T"]).as_distribution() == Distribution({y: Fraction(1, 3) for y in "FGT"})
    assert Top(["F", "T"]).as_distribution() is None


def test_requirements_are_values():
    assert Top(["T", "F"]) == Top(("F", "T"))
    assert Top("yes").outputs == ("yes",)
    assert Top(["F", "T"]) != Tie(["F", "T"])
    assert len({Top("T"), Top(["T"]), Distribution({"T": 1}), Distribution([("T", "1.0")])}) == 2
    assert Distribution({"T": 1, "F": 0}).outputs == ("F", "T")
    with pytest.raises(AttributeError):
        Top("T").outputs = ("F",)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Top([]), "found no outputs; expected at least one"),
        (lambda: Top(["T", "T"]), "found the output T twice; expected each output once"),
        (lambda: Top([3]), "found 3 as a token; expected a string"),
        (lambda: Tie("yes"), "found a tie of one output, yes; expected two or more, as in T = F"),
        (lambda: Distribution({}), "found no outputs; expected at least one"),
        (
            lambda: Distribution({"T": 0.9}),
            'found the float 0.9; expected an exact number such as 3 or "0.9"',
        ),
        (
            lambda: Distribution({"T": "0.9", "F": "0.2"}),
            "found probabilities that sum to 11/10; expected exactly 1 (--normalise divides by the sum)",
        ),
    ],
)
def test_a_requirement_that_makes_no_sense_is_refused(build, complaint):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value) == complaint
