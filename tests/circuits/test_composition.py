"""Composition against dense matrices; the baseline; a hand-set previous-token head that is read through keys."""

from __future__ import annotations

import numpy as np
import pytest

from expressivity.circuits import Circuits, compositions, gaussian_baseline, raw_scores
from expressivity.heads.gallery import load_construction
from tests.circuits.random_models import random_model


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_matrices_written_out(seed: int) -> None:
    circuits = Circuits.of(random_model(layers=2, d_model=11, d_head=3, seed=seed))
    first, second = circuits.head("0.1"), circuits.head("1.0")
    *_, v, o = (w.numpy() for w in circuits.weights(first))
    q, k, v2, o2 = (w.numpy() for w in circuits.weights(second))
    norm = np.linalg.norm
    writes = v @ o
    expected = [norm(writes @ read) / norm(writes) / norm(read) for read in (q @ k.T, k @ q.T, v2 @ o2)]
    assert raw_scores(circuits.weights(first), circuits.weights(second)) == pytest.approx(expected, rel=1e-10)
    found, baseline = compositions(circuits)
    pair = next(c for c in found if (c.first, c.second) == (first, second))
    assert [pair.q, pair.k, pair.v] == pytest.approx([x - baseline.mean for x in expected])  # type: ignore[union-attr]
    assert len(found) == 4


def test_the_induction_head_reads_the_previous_token_head_through_its_keys_alone() -> None:
    found, baseline = compositions(Circuits.of(load_construction("induction:50")))
    assert len(found) == 1
    assert baseline is not None
    assert found[0].k > 3 * baseline.deviation  # type: ignore[operator]
    assert found[0].q == pytest.approx(-baseline.mean)  # nothing at all
    assert found[0].v == pytest.approx(-baseline.mean)


def test_the_baseline_is_what_random_matrices_score() -> None:
    """Dense Gaussian factors drawn anew with NumPy."""
    random, scores = np.random.default_rng(5), []
    for _ in range(40):
        a, b, c, d = (random.normal(size=(20, 4)) for _ in range(4))
        first, second = a @ b.T, c @ d.T
        scores.append(np.linalg.norm(first @ second) / np.linalg.norm(first) / np.linalg.norm(second))
    baseline = gaussian_baseline(20, 4)
    assert baseline.mean == pytest.approx(np.mean(scores), abs=3 * baseline.deviation)
    assert gaussian_baseline(20, 4) == baseline
    assert gaussian_baseline(20, 4, seed=1) != baseline


def test_one_layer_composes_nothing() -> None:
    assert compositions(Circuits.of(random_model())) == ([], None)
