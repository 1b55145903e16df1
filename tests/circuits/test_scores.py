"""Copying and matching scores: hand-set heads, and dense eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from expressivity.circuits import Circuits, copying_score, matching_score
from expressivity.heads.gallery import load_construction
from tests.circuits.random_models import random_model


def test_an_induction_head_copies_and_matches_through_the_previous_token_head() -> None:
    circuits = Circuits.of(load_construction("induction:12"))
    copying = copying_score(circuits, "1.0")
    assert (copying.value, copying.eigenvalues, copying.positive) == (1.0, 12, 12)
    matching = matching_score(circuits, "1.0", key="0.0")
    assert (matching.value, matching.eigenvalues) == (1.0, 12)
    assert matching_score(circuits, "1.0").value is None  # the token itself it does not look for


def test_a_head_that_lowers_what_it_sees_has_the_score_minus_1() -> None:
    circuits = Circuits.from_tables("abc", "abc", torch.zeros(3, 3), -2 * torch.eye(3))
    assert copying_score(circuits, "0.0").value == -1.0


def test_virtual_heads_copy_by_the_product() -> None:
    """Two heads that copy the previous token, in turn; and two that each turn three tokens around, once and twice."""
    circuits = Circuits.of(load_construction("virtual_head:4"))
    assert copying_score(circuits, "0.0 → 1.0").value == 1.0


def test_a_turn_of_three_has_score_0() -> None:
    """Eigenvalues 1, ω, ω²: their sum is 0."""
    circuits = Circuits.from_tables("abc", "abc", torch.zeros(3, 3), torch.eye(3)[[1, 2, 0]])
    assert copying_score(circuits, "0.0").value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_score_is_that_of_the_dense_table(seed: int) -> None:
    circuits = Circuits.of(random_model(tokens="abcdefgh", outputs="hbcdeagf", seed=seed))
    dense = circuits.ov("0.1").dense().numpy()[:, ["hbcdeagf".index(x) for x in "abcdefgh"]]
    values = np.linalg.eigvals(dense)
    assert copying_score(circuits, "0.1").value == pytest.approx(values.sum().real / np.abs(values).sum(), abs=1e-6)
    scores = np.linalg.eigvals(circuits.qk("0.1").dense().numpy())
    assert matching_score(circuits, "0.1").value == pytest.approx(scores.sum().real / np.abs(scores).sum(), abs=1e-6)


def test_only_tokens_that_are_outputs_count_and_none_is_said() -> None:
    some = Circuits.from_tables("abc", "xb", torch.zeros(3, 3), torch.tensor([[9, -9], [9, 4.0], [9, -9]]))
    assert copying_score(some, "0.0").value == 1.0
    none = copying_score(Circuits.of(load_construction("two_head_xor")), "0.0")
    assert (none.value, none.reason) == (None, "no token is an output")


def test_positions_are_averaged_in_the_joint_embedding() -> None:
    model = random_model(embedding="joint", tokens="ab", outputs="ab", n_ctx=3)
    circuits = Circuits.of(model)
    mean = circuits.ov("0.0").dense().numpy().reshape(3, 2, 2).mean(0)
    values = np.linalg.eigvals(mean)
    assert copying_score(circuits, "0.0").value == pytest.approx(values.sum().real / np.abs(values).sum(), abs=1e-9)
