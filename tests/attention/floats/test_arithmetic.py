"""Formats, and the weights that are rounded to them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from expressivity.attention import float_errors, float_safety, safety_text
from expressivity.attention.floats import weights as float_weights
from expressivity.attention.floats.arithmetic import FORMATS, gamma, rounded
from expressivity.heads.gallery import load_construction
from tests.attention.floats.float_runs import DTYPES

one = Fraction(1)


@settings(max_examples=200)
@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
@example(1.0 + 2.0**-8)  # a tie of bfloat16
@example(1.0 + 2.0**-8 + 2.0**-30)  # no tie, but for float32, through which torch goes
@example(3.4e38)
@example(2.0**-149)
def test_weights_are_rounded_as_torch_does(number: float) -> None:
    expected = [float(torch.zeros(1, dtype=dtype).new_tensor([number])) for dtype in DTYPES.values()]
    assert rounded(np.array([number]))[:, 0].tolist() == expected


@pytest.mark.parametrize("name", ["parity:4", "ov_coherent_inverted:7", "noun_head", "previous_token:3"])
def test_every_stored_weight_is_within_its_error(name: str) -> None:
    construction = load_construction(name)
    weights = construction.layered_weights() if construction.is_layered else construction.weights()
    found = float_weights.rounded_weights(weights)
    entries = weights.entries()
    for f, dtype in enumerate(DTYPES.values()):
        model = weights.to_model(dtype)
        assert {key for key, _ in model.named_parameters()} == set(found.numbers)
        for key, parameter in model.named_parameters():
            numbers, exact = found.numbers[key], dict(entries.get(key, ()))
            stored = parameter.detach().double().numpy()
            for index in np.ndindex(stored.shape):
                off = abs(Fraction(float(stored[index])) - exact.get(index, Fraction(0)))
                assert off <= Fraction(float(numbers.error[(f, *index)]))
                assert off == 0 or numbers.error[(f, *index)] < 1.01 * float(off) + 2.0**-70 * abs(stored[index])


def test_hand_set_weights_of_small_integers_cost_nothing() -> None:
    """One-hot embeddings are copied, integers add up exactly: what remains is the softmax."""
    construction = load_construction("bigrams:the cat sat")
    errors = float_errors(construction.weights(), construction.task)
    assert all((bound == 0).all() for bound in errors.bounds.values())
    assert safety_text(float_safety(errors, [one] * 3)) == "float64 exact, float32 exact, bfloat16 exact"


def test_gamma_is_an_upper_bound() -> None:
    for form in FORMATS:
        for t in (1, 2, 3, 100):
            exact = t * Fraction(form.unit) / (1 - t * Fraction(form.unit))
            assert exact <= Fraction(float(gamma(t, form.unit))) <= exact * (1 + Fraction(1, 2**20))
    assert np.isinf(gamma(129, 2.0**-8))
