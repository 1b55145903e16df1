"""Logistic regression as users run it: what it gets right, and that it never proves anything."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp

from expressivity.separability import fit_labels, fit_logistic
from expressivity.task import Task

BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)


def test_xor_is_half_right_with_a_loss_of_ln_2() -> None:
    fit = fit_labels(BITS, [0, 1, 1, 0])
    assert fit.right < 4
    assert fit.contexts == 4
    assert fit.converged
    assert fit.loss == pytest.approx(math.log(2), abs=1e-9)


def test_separable_labels_are_right() -> None:
    fit = fit_labels(sp.csr_array(BITS), [0, 0, 0, 1])
    assert fit.right == 4
    assert fit.accuracy == 1.0
    assert fit.loss < 0.01


def test_a_fit_that_does_not_converge_is_reported() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((40, 10)) * 10.0 ** rng.integers(-3, 4, 10)
    fit = fit_labels(features, list(rng.integers(0, 2, 40)), max_iter=2)
    assert not fit.converged
    assert fit.iterations == 2


def test_several_allowed_outputs_share_the_weight_of_their_context() -> None:
    fit = fit_labels(BITS, [{0: 1.0}, {1: 0.5, 2: 0.5}, {1: 0.5, 2: 0.5}, {0: 1.0}], [(1, 1, 2, True), (2, 2, 1, True)])
    assert fit.right == 4  # by symmetry the outputs 1 and 2 are tied


def test_one_output_alone() -> None:
    fit = fit_labels(BITS, [1, 1, 1, 1], [(0, 1, 0, False)])
    assert (fit.right, fit.loss, fit.converged) == (4, 0.0, True)


def test_no_contexts() -> None:
    assert fit_labels(np.zeros((0, 2)), []).accuracy == 1.0


def test_a_task() -> None:
    task = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
    design = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=np.float64)
    fit = fit_logistic(design, task)
    assert fit.right < fit.contexts == 4


def test_weights_count() -> None:
    heavy = fit_labels(np.zeros((2, 1)), [0, 1], weights=[3, 1])
    assert heavy.loss == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)), abs=1e-6)


def test_contexts_that_no_feature_tells_apart_count_as_often_as_they_occur() -> None:
    """By hand: bigrams see one destination with 3 X and 1 Y, and another with a tie and an allowed set."""
    task = Task.from_text("A Q -> X\nB Q -> X\nC Q -> X\nD Q -> Y\nA R -> X = Y\nB R -> X | Y @ 2\n")
    bigrams = sp.csr_array(np.array([[1, 0]] * 4 + [[0, 1]] * 2))
    fit = fit_logistic(bigrams, task)
    assert (fit.right, fit.contexts) == (5, 6)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert fit.loss == pytest.approx((4 * entropy + 3 * math.log(2)) / 7, abs=1e-6)


def test_a_sparse_matrix_gives_what_a_dense_one_gives() -> None:
    """Several outputs, ties, distributions and weights; the dense matrix is fitted as it is, context by context."""
    rng = np.random.default_rng(4)
    targets = ["X", "Y", "Z", "X | Y", "Y = Z", "X:1/2 Z:1/2", "X @ 3"]
    lines = {f"{' '.join(rng.choice(list('ABC'), 4))} Q": rng.choice(targets) for _ in range(60)}
    task = Task.from_text("".join(f"{context} -> {target}\n" for context, target in lines.items()))
    features = rng.integers(0, 2, size=(len(task.contexts), 3))
    dense, sparse = fit_logistic(features, task), fit_logistic(sp.coo_array(features), task)
    assert (sparse.right, sparse.contexts, sparse.converged) == (dense.right, dense.contexts, dense.converged)
    assert sparse.loss == pytest.approx(dense.loss, abs=1e-4)
