"""Where heads look on repeated tokens, and how the loss falls along a sequence."""

from __future__ import annotations

import pytest
import torch

from expressivity.circuits import Circuits, in_context, looks, repeated_tokens
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.task import Task
from tests.circuits.random_models import random_model


def test_the_hand_set_induction_head_has_the_score_1() -> None:
    previous, induction = looks(Circuits.of(load_construction("induction:50")))
    assert induction.induction == pytest.approx(1, abs=1e-3)
    assert previous.previous == pytest.approx(1, abs=1e-3)
    assert previous.induction < 0.05


def test_the_previous_token_head_looks_back() -> None:
    (head,) = looks(Circuits.of(load_construction("previous_token:9")))
    assert head.previous == pytest.approx(1, abs=1e-3)


def test_uniform_attention_scores_the_mean_of_one_over_i() -> None:
    """Copies of 3 to 6 tokens: of length n, destinations n to 2n − 1 see n + 1 to 2n places."""
    model = random_model(tokens="abcdef", n_ctx=12)
    model.blocks[0].W_Q.data.zero_()
    for head in looks(Circuits.of(model)):
        assert head.induction == pytest.approx(sum(1 / i for n in range(3, 7) for i in range(n + 1, 2 * n + 1)) / 18)
        assert head.previous == pytest.approx(sum(1 / i for n in range(3, 7) for i in range(2, 2 * n + 1)) / 32)


def test_a_head_that_always_looks_five_back_is_no_induction_head() -> None:
    """It is right for copies of six tokens, 6 of 18 destinations. Where there are no five, it looks everywhere: of
    copies of three at 3 (of 4 places) and 4 (of 5), of copies of four at 4."""
    model = random_model(tokens="abcdef", n_ctx=12, heads=1, d_model=12, d_head=12)
    model.W_pos.data, model.W_E.data = torch.eye(12, dtype=torch.float64), torch.zeros(6, 12, dtype=torch.float64)
    model.blocks[0].W_K.data[0] = torch.eye(12)
    model.blocks[0].W_Q.data[0] = 100 * torch.eye(12).roll(-5, dims=1) * (torch.arange(12) >= 5)[:, None]
    (head,) = looks(Circuits.of(model))
    assert head.induction == pytest.approx((6 + 1 / 4 + 1 / 5 + 1 / 5) / 18)


def test_repeated_tokens_are_distinct_within_a_copy_and_seeded() -> None:
    circuits = Circuits.of(random_model(n_ctx=9))
    tokens = repeated_tokens(circuits, seed=3)
    assert tokens.shape == (16, 8)
    assert torch.equal(tokens[:, :4], tokens[:, 4:])
    assert all(len(set(row)) == 4 for row in tokens[:, :4].tolist())
    assert torch.equal(tokens, repeated_tokens(circuits, seed=3))
    with pytest.raises(InputError, match="no room for a repeated sequence"):
        repeated_tokens(Circuits.of(random_model(n_ctx=3)))


def test_the_late_loss_less_the_early_one() -> None:
    model = random_model(n_ctx=5)
    data = torch.randint(0, 5, (7, 6))
    logits = model(data[:, :-1]).detach()
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), data[:, 1:], reduction="none").mean(0)
    found = in_context(Circuits.of(model), data, early=1, late=4)
    assert (found.early_loss, found.late_loss) == pytest.approx((float(each[1]), float(each[4])))
    assert found.score == pytest.approx(float(each[4] - each[1]))
    default = in_context(Circuits.of(model), data)
    assert (default.early, default.late) == (0, 4)


def test_the_published_positions_are_the_default_where_they_are_there() -> None:
    """The 50th and the 500th token, counted from 1."""
    model = random_model(n_ctx=600, d_model=2, d_head=1, heads=1)
    found = in_context(Circuits.of(model), torch.randint(0, 5, (1, 601)))
    assert (found.early, found.late) == (49, 499)


def test_an_induction_head_learns_in_context() -> None:
    circuits = Circuits.of(load_construction("induction:20"))
    assert in_context(circuits, repeated_tokens(circuits), early=5, late=35).score < -0.9


def test_what_is_no_text_or_no_position_is_refused() -> None:
    circuits = Circuits.of(random_model())
    with pytest.raises(InputError, match="these are the contexts of a task"):
        in_context(circuits, Task([["a", "b"]], ["c"]))
    with pytest.raises(InputError, match="expected two in order, from 0 to 2"):
        in_context(circuits, [[0, 1, 2, 3]], early=1, late=3)


def test_losses_over_some_positions_and_an_interval_over_sequences() -> None:
    """Of means of as many positions in every sequence, the interval is that of the mean of differences."""
    model = random_model(n_ctx=8)
    data = torch.randint(0, 5, (9, 9), generator=torch.Generator().manual_seed(0))
    logits = model(data[:, :-1]).detach()
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), data[:, 1:], reduction="none")
    apart = each[:, 5:8].mean(1) - each[:, 1:4].mean(1)
    found = in_context(Circuits.of(model), data, early=1, late=7, over=3)
    assert found.score == pytest.approx(float(apart.mean()))
    assert found.interval == pytest.approx(1.96 * float(apart.std()) / 3)
    assert in_context(Circuits.of(model), data[:1]).interval is None
    with pytest.raises(InputError, match="means over 7 positions; expected 1 to 6"):
        in_context(Circuits.of(model), data, early=1, late=7, over=7)


def test_repeated_tokens_among_some() -> None:
    circuits = Circuits.of(random_model(n_ctx=12))
    assert set(repeated_tokens(circuits, among=[1, 3, 4, 4]).flatten().tolist()) == {1, 3, 4}
    assert repeated_tokens(circuits, among=[1, 3, 4]).shape == (16, 6)
    with pytest.raises(InputError, match="1 tokens in contexts of at most 12 leave no room"):
        repeated_tokens(circuits, among=[2])
