"""What is said to be positive on a cone comes with multipliers that prove it, exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from expressivity.heads.refutation.cone import Cone

CUBE = np.array([*product((1, -1), repeat=4)])
SIGNS = np.where(CUBE[:, 0] * CUBE[:, 1] + CUBE[:, 2] * CUBE[:, 3] + CUBE[:, 0] / 2 > 0, 1, -1)


def test_rows_are_signed_monomials() -> None:
    cone = Cone(CUBE, SIGNS)
    assert cone.rows.shape == (16, 11)
    for row, x, sign in zip(cone.rows, CUBE, SIGNS, strict=True):
        assert row[0] == sign
        for (i, j), column in cone.index.items():
            assert row[column] == sign * (x[j - 1] if i == 0 else x[i - 1] * x[j - 1])


def test_the_centre_and_the_samples_are_inside() -> None:
    cone = Cone(CUBE, SIGNS)
    assert cone.centre is not None
    assert (cone.rows @ cone.centre).min() > 0
    samples = cone.samples(10, np.random.default_rng(0))
    assert (samples @ cone.rows.T).min() > 0
    assert np.allclose((samples @ cone.rows.T).sum(axis=1), 1)


def test_there_is_no_centre_without_a_representation() -> None:
    assert Cone(CUBE, CUBE.prod(axis=1)).centre is None  # parity of four


def test_multipliers_add_up_to_the_form() -> None:
    cone, rng = Cone(CUBE, SIGNS), np.random.default_rng(1)
    for _ in range(50):
        form = [int(v) for v in rng.integers(0, 3, size=16) @ cone.rows]
        found = cone.multipliers(form)
        if not any(form):
            continue
        assert found is not None
        assert all(isinstance(value, Fraction) and value > 0 for value in found.values())
        for column, wanted in enumerate(form):
            assert sum(value * int(cone.rows[c, column]) for c, value in found.items()) == wanted


def test_a_form_that_is_negative_somewhere_has_none() -> None:
    cone, rng = Cone(CUBE, SIGNS), np.random.default_rng(2)
    samples = cone.samples(60, rng)
    some = [form for form in rng.integers(-3, 4, size=(200, 11)).tolist() if (samples @ np.array(form)).min() < -1e-9]
    assert len(some) > 50
    assert all(cone.multipliers(form) is None for form in some)
