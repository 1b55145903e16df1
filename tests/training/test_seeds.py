"""Many seeds side by side: as if one after the other; what counts as right is what the exact weights do."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch

from expressivity.attention import AttentionOnlyTransformer, enclosed_margins, read_tables
from expressivity.attention.models import parameters_of
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.task import Task, ov_incoherent, xor
from expressivity.training.exact import decided
from expressivity.training.plan import planned
from expressivity.training.run import train
from expressivity.training.seeds import train_seeds, wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1)]
)
def test_wilsons_interval(right: int, of: int, low: float, high: float) -> None:
    # R: prop.test(8, 10, correct = FALSE); the others are z²/(n + z²) = 3.8415/13.8415 and its complement.
    assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)


def test_side_by_side_is_one_after_the_other() -> None:
    plan = planned("xor", heads=2, steps=30, weight_decay=0.1)
    found = train_seeds(plan, 3, device="cpu")
    for seed in range(3):
        alone = train(planned("xor", heads=2, steps=30, weight_decay=0.1, seed=seed), device="cpu")
        assert float(found.losses[seed]) == pytest.approx(alone.measures["cross_entropy"], rel=1e-4)
        for name, weight in parameters_of(alone.model).items():
            assert torch.allclose(found.weights[name][seed], weight, atol=1e-5), name


def test_one_head_cannot_whatever_the_seed_and_comes_to_half_ln_2() -> None:
    # T1 with the order of xor, 4, asks for two heads; in the limit one head reaches ½ ln 2 (docs of the gallery).
    found = train_seeds(planned("xor", steps=400), 30, device="cpu")
    assert (found.right, found.certified) == (0, 0)
    assert found.proved
    assert float(found.losses.min()) > 0.5 * math.log(2) - 1e-6


def test_two_heads_often_can_and_each_success_is_certified() -> None:
    found = train_seeds(planned("xor", heads=2, steps=400), 30, device="cpu")
    assert 15 < found.right <= 30
    assert found.certified == found.right
    for outcome in found.outcomes:
        if outcome.certificate is not None:
            outcome.certificate.verify()
            assert outcome.certificate.task == xor()


def test_what_counts_is_the_sign_for_the_exact_weights() -> None:
    model = load_construction("two_head_xor").to_model()
    found = decided(model, xor())
    assert (found.right, found.strict, found.strict_right, found.proved) == (True, 4, 4, True)
    assert found.least_margin == pytest.approx(1)
    model.W_U.data.neg_()
    assert (decided(model, xor()).right, decided(model, xor()).strict_right) == (False, 0)
    model.W_U.data.zero_()  # all logits equal: nothing is above anything
    assert decided(model, xor()).strict_right == 0


def test_a_margin_below_what_floats_show_is_decided_all_the_same() -> None:
    # One head that reads itself alone: the logits differ by 2⁻⁵⁰ beside 1, which float32 adds up to nothing.
    model = AttentionOnlyTransformer(["A", "Q"], ["F", "T"], n_ctx=2, n_heads=0, d_model=2, d_head=1)
    model.W_E.data[1] = torch.tensor([1.0, 2.0**-50])
    model.W_U.data = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    task = Task([["A", "Q"]], ["T"], outputs=["F", "T"])
    logits = model(model.encode([("A", "Q")]))[0, -1]
    assert logits[0] == logits[1]
    found = decided(model, task)
    assert (found.right, found.least_margin) == (True, 2.0**-50)


def test_ties_count_where_they_are_small_beside_the_margins() -> None:
    task = ov_incoherent(2)
    trained = train(planned("ov-incoherent:2", heads=2, steps=600), device="cpu")
    found = decided(trained.model, task)
    intervals = enclosed_margins(read_tables(trained.model), task)
    ties = [interval for interval, c in zip(intervals, task.comparisons(), strict=True) if c.equal]
    assert found.ties == len(ties) == 2
    assert found.largest_tie == pytest.approx(float(max(max(abs(t.lower), abs(t.upper)) for t in ties)))
    assert found.certificate is None  # no float meets a tie
    assert found.right is (found.strict_right == found.strict and Fraction(found.largest_tie) * 10 < found.least_margin)


def test_several_layers_are_judged_in_floats_and_say_so() -> None:
    trained = train(planned("xor", layers=2, heads=2, steps=200), device="cpu")
    assert trained.decides is not None
    assert not trained.decides.proved
    assert trained.decides.certificate is None


def test_only_finite_tasks_have_many_seeds() -> None:
    with pytest.raises(InputError, match="on finite tasks only"):
        train_seeds(planned("trigrams", steps=1, batch=1), 2, device="cpu")
    with pytest.raises(InputError, match="seeds is 0"):
        train_seeds(planned("xor"), 0)


@pytest.mark.slow
def test_a_thousand_seeds_each() -> None:
    one = train_seeds(planned("xor", steps=1000), 1000, device="cpu")
    assert (one.right, one.proved) == (0, True)
    two = train_seeds(planned("xor", heads=2, steps=1000), 1000, device="cpu")
    assert two.certified == two.right > 950
