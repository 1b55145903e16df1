"""The level ``cross_entropy``: whether a class comes as near to the task's probabilities as one likes."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from expressivity import SkipGrams, Task
from expressivity.cross_entropy import decide_cross_entropy
from expressivity.cross_entropy.deciding import own_entropy
from expressivity.errors import InputError
from expressivity.ladder import climb
from expressivity.verdict import EXPRESSIBLE, INEXPRESSIBLE

XOR = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])


def test_own_entropy_encloses_the_weighted_mean() -> None:
    # weights 3 and 1: (3 · H(1/4, 3/4) + 1 · 0) / 4, with H = ln 4 − (3/4) ln 3
    task = Task.from_text("A Q -> T:1/4 F:3/4 @ 3\nB Q -> T\n")
    low, high = own_entropy(task)
    assert float(low) == pytest.approx(0.75 * (math.log(4) - 0.75 * math.log(3)), rel=1e-12)
    assert high - low < Fraction(1, 10**12)


def test_xor_is_approached_at_order_four_and_not_before() -> None:
    ladder = climb(XOR, level="cross_entropy")
    assert [verdict.answer for verdict in ladder.orders] == [INEXPRESSIBLE, INEXPRESSIBLE, EXPRESSIBLE]
    assert ladder.minimal_order == 4
    assert ladder.is_settled
    assert [round(float(bound.upper or 0), 12) for bound in ladder.cross_entropy] == [0.69314718056] * 2 + [0]


def test_probabilities_inside_the_class_are_reached() -> None:
    # one context: every distribution is a bigram's
    task = Task.from_text("A Q -> T:1/3 F:2/3\n")
    assert decide_cross_entropy(task, SkipGrams(2)).answer is EXPRESSIBLE


def test_no_order_tells_apart_what_presence_confuses() -> None:
    # as sets of sources both contexts are {A, B}; the best common answer is even: ln 2
    task = Task.from_strings(["AABQT", "ABBQF"])
    ladder = climb(task, positions="anywhere", level="cross_entropy")
    assert ladder.never is not None
    assert ladder.minimal_order is None
    assert ladder.never.certificate is not None
    assert ladder.never.certificate.verify().answer == "bounds"


def test_top_sets_have_no_cross_entropy() -> None:
    with pytest.raises(InputError):
        climb(Task.from_text("A Q -> T | F\nB Q -> G\n"), level="cross_entropy")
