"""The exact steps carry the result when the float guidance is wrong."""

from __future__ import annotations

import random
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
import pytest

from expressivity.cross_entropy import bound_cross_entropy, solve
from expressivity.cross_entropy.face import find_face
from expressivity.cross_entropy.moments import conform
from expressivity.cross_entropy.problem import (
    Problem,
    chances_of,
    independent,
    logits_of,
    never_together,
    pairs,
    problem,
)
from expressivity.skipgrams import POSITIONS, SkipGrams
from expressivity.task import Task
from tests.cross_entropy.drawing import random_task

# x1 + x2 − 1 separates the first and the last context and leaves the two others equal.
PARTLY = "0 0 Q -> F\n0 1 Q -> F = T\n1 0 Q -> F = T\n1 1 Q -> T"


def only_part(task: Task, model: SkipGrams) -> Problem:
    (members,) = independent(task, model)
    return problem(task, members, chances_of(task), model)


def face_of(part: Problem, guess: Any) -> Any:
    grams, support = never_together(part)
    head = np.where(part.seen, part.chances, -1).argmax(axis=1)
    return find_face(part, support, grams, pairs(part, support, head, grams), guess, inf)


@pytest.mark.parametrize("believed", [-1.0, 2.0], ids=["all on the face", "nothing more on the face"])
@pytest.mark.parametrize("seed", range(10))
def test_a_wrong_guess_changes_nothing(seed: int, believed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    kind = ("labels", "mixed")[seed % 2]
    task = random_task(rng, rng.choice([6, 12, 30]), 3, "ABC", "FGT", kind)
    model = SkipGrams(rng.choice([3, 4]), POSITIONS[seed % 3])
    right = bound_cross_entropy(task, model)
    monkeypatch.setattr(solve, "_ON", believed)
    again = bound_cross_entropy(task, model)
    assert right.upper is not None
    assert again.upper is not None
    assert max(right.lower or 0, again.lower or 0) <= min(right.upper, again.upper)
    assert again.upper - (again.lower or 0) <= Fraction(1, 10**6)


def test_the_face_is_proved_from_both_sides() -> None:
    part = only_part(Task.from_text(PARTLY), SkipGrams(3))
    face = face_of(part, None)
    assert face.support.tolist() == [[True, False], [True, True], [True, True], [False, True]]
    logits = logits_of(part, face.direction)
    assert logits[0][0] > logits[0][1]
    assert logits[1][0] == logits[1][1]
    assert logits[2][0] == logits[2][1]
    assert logits[3][0] < logits[3][1]
    assert face.inner == part.mass


def test_cancellations_lead_inside_the_face() -> None:
    part = only_part(Task.load("parity:3"), SkipGrams(4))
    face = face_of(part, None)
    assert face.support.all()
    assert all(0 < value < 1 for row in face.inner for value in row)
    moments = part.matrix.T.toarray().astype(object)
    before, after = (moments @ np.array(masses, dtype=object) for masses in (part.mass, face.inner))
    assert (before == after).all()


def test_too_large_a_support_has_no_masses() -> None:
    part = only_part(Task.from_text(PARTLY), SkipGrams(3))
    half = np.full((4, 2), 0.5)
    assert conform(part, np.ones((4, 2), dtype=bool), half, None) is None


def test_masses_inside_mend_negative_ones() -> None:
    part = only_part(Task.load("parity:2"), SkipGrams(3))
    wild = np.array([[0.999, 0.001], [0.2, 0.8], [0.999, 0.001], [0.3, 0.7]])
    inner = [[Fraction(1, 2)] * 2] * 4
    full = np.ones((4, 2), dtype=bool)
    found = conform(part, full, wild, inner)
    assert found is not None
    assert all(value >= 0 for row in found for value in row)
    moments = part.matrix.T.toarray().astype(object)
    assert (moments @ np.array(found, dtype=object) == moments @ np.array(part.mass, dtype=object)).all()
