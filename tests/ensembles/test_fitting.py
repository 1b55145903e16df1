"""The first proposer of large parts: where its steps lead, on the CPU and in torch, and when torch is asked at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from scipy.optimize import minimize

from expressivity import EXPRESSIBLE, INEXPRESSIBLE, SkipGrams, Task
from expressivity.ensembles import decide_ensemble, fitting, fitting_torch, generation
from expressivity.ensembles.fitting import Step


def planted_rows(seed: int, *, wrong: float = 0, rows: int = 3_000, columns: int = 300) -> sp.csr_array:
    """A one in each of 12 random columns of each row, signed so that planted weights give a positive margin."""
    rng = np.random.default_rng(seed)
    places = np.argsort(rng.random((rows, columns)), axis=1)[:, :12]
    matrix = sp.csr_array((np.ones(places.size), places.ravel(), np.arange(rows + 1) * 12), shape=(rows, columns))
    signs = np.where(matrix @ rng.normal(size=columns) > 0, 1.0, -1.0)
    return sp.csr_array(sp.diags_array(np.where(rng.random(rows) < wrong, -signs, signs)) @ matrix)


def some(equal: int, rows: int) -> np.ndarray[Any, Any]:
    return np.arange(rows) < equal


@pytest.fixture
def by_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fitting, fitting_torch):
        monkeypatch.setattr(module, "DENSE", 10)


@pytest.mark.parametrize("equal", [0, 5])
def test_the_steps_end_at_the_minimum_of_the_loss(equal: int) -> None:
    """Against a general minimiser of the same sum, on rows that contradict each other, so that there is a minimum."""
    rows = planted_rows(0, wrong=0.3, rows=400, columns=20)
    tied = some(equal, 400)
    *_, last = islice(fitting.newton(rows, tied, np.zeros(20)), 30)

    def loss(weights: Any) -> float:
        margins = rows @ weights
        return float(np.logaddexp(0, -margins[~tied]).sum() + (margins[tied] ** 2).sum() / 2)

    best = minimize(loss, np.zeros(20), method="BFGS", options={"gtol": 1e-9})
    assert loss(last.weights) == pytest.approx(best.fun, rel=1e-9)
    assert last.margins == pytest.approx(rows @ last.weights)
    assert last.residuals[~tied] == pytest.approx(1 / (1 + np.exp(last.margins[~tied])))
    assert not last.residuals[tied].any()


def steps_agree(rows: sp.csr_array, tied: Any, device: str, many: int = 8) -> None:
    """Up to rounding. An iteration that stops early, at a residual of 5 %, makes rounding larger from step to step."""
    start = np.zeros(rows.shape[1])
    here = list(islice(fitting.newton(rows, tied, start), many))
    there = list(islice(fitting_torch.newton(rows, tied, start, device), many))
    assert len(here) == len(there) == many
    for one, other in zip(here, there, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            assert theirs.dtype == np.float64
            assert np.abs(ours - theirs).max() <= 1e-8 * np.abs(ours).max()


@pytest.mark.parametrize("wrong", [0, 0.1])
@pytest.mark.parametrize("equal", [0, 5])
def test_torch_takes_the_same_steps(wrong: float, equal: int) -> None:
    steps_agree(planted_rows(1, wrong=wrong), some(equal, 3_000), "cpu")


@pytest.mark.usefixtures("by_iteration")
@pytest.mark.parametrize("wrong", [0, 0.1])
def test_torch_takes_the_same_steps_by_iteration(wrong: float) -> None:
    steps_agree(planted_rows(2, wrong=wrong), some(0, 3_000), "cpu", many=4)


def test_products_are_formed_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting_torch, "_PAIRS", 1_000)
    steps_agree(planted_rows(3), some(5, 3_000), "cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("dense", [10, 4_000])
def test_the_accelerator_takes_the_same_steps(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fitting, fitting_torch):
        monkeypatch.setattr(module, "DENSE", dense)
    steps_agree(planted_rows(4), some(0, 3_000), "cuda", many=4)


def planted_task(contradiction: bool) -> Task:
    """Signs of sums of random weights of (position, token); with a contradiction four contexts are an XOR."""
    rng = np.random.default_rng(5)
    weights = rng.integers(-9, 10, size=(6, 12))
    drawn = np.unique(rng.integers(0, 12, size=(8_000, 6)), axis=0)
    values = weights[np.arange(6), drawn].sum(axis=1)
    kept = values != 0
    found = {tuple(line): value > 0 for line, value in zip(drawn[kept].tolist(), values[kept].tolist(), strict=True)}
    if contradiction:
        a, b, *rest = next(iter(found))
        found |= {(x, y, *rest): (x == a) == (y == b) for x in (a, (a + 1) % 12) for y in (b, (b + 1) % 12)}
    return Task([(*map(str, line), "Q") for line in found], ["X" if value else "Y" for value in found.values()])


@pytest.fixture
def torch_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """As if there were a device, which is the CPU, and every fit worth it; the shapes of the fits it is given."""
    asked = []
    real = fitting_torch.newton

    def newton(rows: Any, equal: Any, weights: Any, device: str) -> Iterator[Step]:
        assert device == "cuda"
        asked.append(rows.shape)
        return real(rows, equal, weights, "cpu")

    monkeypatch.setattr(fitting, "has_cuda", lambda: True)
    monkeypatch.setattr(fitting, "WORTH", 0)
    monkeypatch.setattr(fitting_torch, "newton", newton)
    return asked


@pytest.mark.parametrize("contradiction", [False, True])
def test_generation_decides_the_same_with_torch(contradiction: bool, torch_on_the_cpu: list[tuple[int, int]]) -> None:
    """By construction: planted weights meet all labels, and of an XOR no weights meet all four."""
    verdict = decide_ensemble(planted_task(contradiction), SkipGrams(3))
    assert verdict.answer is (INEXPRESSIBLE if contradiction else EXPRESSIBLE)
    assert torch_on_the_cpu


def test_the_cpu_goes_on_where_the_device_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def newton(rows: Any, equal: Any, weights: Any, device: str) -> Iterator[Step]:
        yield next(fitting.newton(rows, equal, weights))
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(fitting, "has_cuda", lambda: True)
    monkeypatch.setattr(fitting, "WORTH", 0)
    monkeypatch.setattr(fitting_torch, "newton", newton)
    rows, tied = planted_rows(6), some(0, 3_000)
    here = list(islice(fitting.newton(rows, tied, np.zeros(300)), 5))
    both = list(islice(fitting.steps(rows, tied, np.zeros(300)), 5))
    assert both[-1].weights == pytest.approx(here[-1].weights, rel=1e-6)


def test_small_fits_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "has_cuda", lambda: pytest.fail("nobody needs to know"))
    assert next(fitting.steps(planted_rows(7), some(0, 3_000), np.zeros(300))).weights.any()
    wide = sp.csr_array((10, fitting.DENSE + 1))
    assert fitting.work(planted_rows(7)) < fitting.WORTH < fitting.work(sp.csr_array((1, fitting.DENSE)))
    assert fitting.work(wide) == 0  # no entries, no products


def test_a_device_can_be_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not fitting.has_cuda()


def test_a_large_decision_without_a_device_does_not_import_torch() -> None:
    program = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = ""
from expressivity.ensembles import fitting, generation
from expressivity import SkipGrams, Task
from expressivity.ensembles import decide_ensemble
generation.LARGE, fitting.WORTH = 0, 0
decide_ensemble(Task.from_strings(["ACQT", "ADQF", "BCQF"]), SkipGrams(3))
sys.exit("torch" in sys.modules)
"""
    assert generation.steps is fitting.steps
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
