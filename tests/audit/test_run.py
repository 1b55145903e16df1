"""What an audit finds of models whose order is known."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from expressivity import Distribution, SkipGrams, Task, bound_cross_entropy
from expressivity.attention import compile_tables
from expressivity.attention.models.mlp import MLPTransformer
from expressivity.audit import Part, Settings, Text, audit
from expressivity.audit.certified import certify_gap
from expressivity.audit.forward import Audited
from expressivity.cross_entropy.deciding import own_entropy
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from tests.audit.cases import every_context, random_model, random_text

QUICK = Settings(certified=0, least=1, validation=0.0)


def test_a_model_whose_heads_write_nothing_is_a_bigram_model() -> None:
    model, text = random_model(values=0.0), random_text(5, 4000)
    found = audit(model, [text], settings=replace(QUICK, orders=(2, 3), certified=12))
    for order in (2, 3):
        row = found.judgements[0].row(order)
        assert row.measures["gap"].value == pytest.approx(0, abs=1e-9)
        assert row.measures["share"].value == pytest.approx(1, abs=1e-9)
        assert row.measures["agreement"].value == 1
        assert row.bound is not None
        assert row.bound.gap <= 1e-9
    assert [head.gap.value for head in found.judgements[0].heads] == pytest.approx([0], abs=1e-12)


@pytest.mark.parametrize("convention", ["offset", "count"])
def test_uniform_attention_is_of_order_three_on_windows_of_one_length(convention: str) -> None:
    """Theorem T2: with equal odds the denominators are the length, and logits are sums over sources."""
    model = random_model(scores=0.0, heads=2)
    settings = replace(QUICK, orders=(2, 3), last=True, convention=convention)
    (judgement,) = audit(model, [every_context(5, 4)], settings=settings).judgements
    assert judgement.row(2).measures["share"].value < 0.9
    assert judgement.row(2).measures["gap"].value > 0.01
    assert judgement.row(3).measures["share"].value == pytest.approx(1, abs=1e-8)
    assert judgement.row(3).measures["gap"].value == pytest.approx(0, abs=1e-8)
    averaged = next(row for row in judgement.rows if row.name == "QK·OV, average denominators")
    assert averaged.measures["gap"].value == pytest.approx(0, abs=1e-12)  # every denominator is its average


def test_uniform_attention_over_growing_windows_is_not() -> None:
    """Then the length divides, which presence does not know."""
    model = random_model(scores=0.0)
    settings = replace(QUICK, orders=(2, 3), convention="count")
    (judgement,) = audit(model, [every_context(5, 4)], settings=settings).judgements
    assert 0.5 < judgement.row(3).measures["share"].value < 0.999


def test_the_reciprocal_model_is_explained_at_its_order_and_not_before() -> None:
    """Theorem T5, with the divergence of each order certified: 1/(2 + ones), T = 3, times 60 to be seen."""
    construction = load_construction("one_head_reciprocal:3")
    tables = construction.tables()
    model = compile_tables(tables, construction.task, dtype=torch.float64)
    model.W_U.data.mul_(60)
    rows = [
        [model.tokens.index(token) for token in (*bits, "=")] for bits in itertools.product("01", repeat=3)
    ]
    text = Text("bits", Part.of(rows), Part.of(rows))
    settings = replace(QUICK, last=True, convention="offset", window=4)
    found = audit(model, [text], settings=settings)
    shares = [found.judgements[0].row(order).measures["share"].value for order in (2, 3, 4, 5)]
    assert shares == sorted(shares)
    assert shares[3] == pytest.approx(1, abs=1e-9)
    # By hand: shares of f(s) = 1/(2 + s) under 3 fair bits, by the squares of its Walsh coefficients.
    f = {s: 1 / (2 + s) for s in range(4)}
    signs = list(itertools.product((0, 1), repeat=3))
    squares = [
        math.comb(3, k) * (sum(f[sum(x)] * (-1) ** sum(x[:k]) for x in signs) / 8) ** 2 for k in range(4)
    ]
    whole = sum(squares[1:])
    assert shares == pytest.approx([sum(squares[1 : k + 1]) / whole for k in range(4)], abs=1e-9)
    assert shares[2] < 1 - 1e-6
    gaps = [found.judgements[0].row(order).measures["gap"].value for order in (2, 3, 4, 5)]
    assert gaps == sorted(gaps, reverse=True)
    # All contexts are fitted on and judged, so that the gap on what is fitted is the same.
    assert [fit.gap_fit for fit in found.fits["bits"]] == pytest.approx(gaps, abs=1e-9)


def test_fitted_gaps_meet_certified_ones() -> None:
    """On every context the best ensemble's gap is known to 10^−6 from both sides: the fit is to find it."""
    model, text = random_model(4, 4, scores=2.0), every_context(4, 4)
    (judgement,) = audit(model, [text], settings=replace(QUICK, last=True, convention="offset")).judgements
    rows = torch.tensor(list(itertools.product(range(4), repeat=4)))
    chances = model(rows)[:, -1].softmax(-1).tolist()
    near = [[round(p * 2**30) for p in row] for row in chances]
    asked = [
        Distribution({y: f"{n}/{sum(row)}" for y, n in zip(model.outputs, row, strict=True)}) for row in near
    ]
    task = Task([[model.tokens[t] for t in row] for row in rows.tolist()], asked)
    for order in (2, 3, 4):
        bound = bound_cross_entropy(task, SkipGrams(order))
        assert bound.lower is not None
        certified = float(bound.lower - own_entropy(task)[1])
        assert certified > 0.001
        assert judgement.row(order).measures["gap"].value == pytest.approx(certified, abs=2e-6)
    assert judgement.row(5).measures["gap"].value == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_noun_head_has_the_gallerys_divergences() -> None:
    """The page's certified numbers, and those of both tables, on the mixture with every context as often as it is."""
    from docs.studies.noun_head import contexts

    construction = load_construction("noun_head")
    model = compile_tables(construction.tables(), construction.task, dtype=torch.float64)
    mixture = list(contexts())
    rows = np.repeat(
        np.array([[model.tokens.index(token) for token in x] for x, _ in mixture]),
        [int(weight * 110592) for _, weight in mixture],
        axis=0,
    )
    assert len(rows) == 110592
    code = [row for row in rows.tolist() if {"def", "import"} & {model.tokens[t] for t in row}]
    texts = [Text("mixture", Part.of(rows), Part.of(rows)), Text("code", Part.of(code), Part.of(code))]
    settings = replace(QUICK, last=True, convention="count", window=4, judged=200_000)
    found = audit(model, texts, settings=settings)
    judgement = found.judgement("mixture", "mixture")
    gaps = [judgement.row(order).measures["gap"].value for order in (2, 3, 4, 5)]
    assert gaps == pytest.approx([0.553658, 0.069863, 0.004097, 0], abs=2e-5)
    tables = {row.name: row.measures for row in judgement.rows}
    assert tables["QK·OV + direct path"]["gap"].value == pytest.approx(2.851, abs=1e-3)
    assert tables["deciding table (T2)"]["gap"].value == pytest.approx(19.954, abs=1e-3)
    assert tables["deciding table (T2)"]["agreement"].value == 1
    with_keyword = {row.name: row.measures for row in found.judgement("mixture", "code").rows}
    assert with_keyword["QK·OV + direct path"]["agreement"].value == pytest.approx(0.645, abs=5e-4)
    switches = judgement.heads[0].findings.switches
    assert {switch.token for switch in switches} == {"def", "import"}
    assert all(switch.gate < 0.5 and switch.writes == 0 for switch in switches)


def test_a_bound_is_below_the_gap_of_every_ensemble() -> None:
    model, text = random_model(4, 4, scores=2.0), every_context(4, 4)
    audited = Audited(model, dtype=torch.float64)
    for convention in ("anywhere", "count", "offset"):
        for order in (2, 3, 4):
            bound = certify_gap(audited, text.held_out, order, convention, contexts=64)
            assert bound is not None
            assert bound.contexts <= 64
            assert all(proof.verify() for proof in bound.proofs)
            # The same contexts alone, fitted as well as can be.
            rows = [
                [model.tokens.index(token) for token in context]
                for proof in bound.proofs
                for context in proof.task.contexts
            ]
            sample = Part.of(rows)
            settings = replace(QUICK, orders=(order,), last=True, window=order, convention=convention)
            (judgement,) = audit(model, [Text("sample", sample, sample)], settings=settings).judgements
            gap = judgement.row(order).measures["gap"].value
            assert bound.gap <= gap + 1e-6
            if len(model.outputs) <= 8 and convention == "offset":  # every output is kept, all contexts as likely
                assert bound.gap == pytest.approx(gap, abs=1e-5)
                assert gap > 1e-3


def test_shares_grow_with_the_order_on_the_text_fitted_on() -> None:
    model = random_model(6, 8, heads=2, scores=2.0)
    for convention in ("anywhere", "count", "offset"):
        settings = Settings(orders=(2, 3, 4), convention=convention, certified=0)
        found = audit(model, [random_text(6, 600)], settings=settings)
        shares = [fit.share_fit for fit in found.fits["random"]]
        assert shares == sorted(shares)
        assert 0 < shares[0] < shares[-1] <= 1


def test_large_problems_are_fitted_by_minibatches() -> None:
    """The same problem solved, by minibatches, and by minibatches with factors: a few hundredths of a nat."""
    from expressivity.audit import ensemble

    model, text = random_model(6, 6, scores=2.0), random_text(6, 12000)
    settings = Settings(orders=(2, 3), certified=0)
    exact = audit(model, [text], settings=settings).judgements[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "SOLVED", 0)
        quick = audit(model, [text], settings=settings)
        again = audit(model, [text], settings=settings)
        patch.setattr(ensemble, "MOST_FREE", 0)
        factors = audit(model, [text], settings=settings).judgements[0]
    for order in (2, 3):
        gap = exact.row(order).measures["gap"].value
        assert quick.judgements[0].row(order).measures["gap"].value == pytest.approx(gap, abs=0.02)
        assert factors.row(order).measures["gap"].value == pytest.approx(gap, abs=0.05)
    assert quick.judgements[0].rows == again.judgements[0].rows  # the same seed, the same numbers


def test_models_of_more_layers_or_with_an_mlp_have_no_tables_and_are_fitted_all_the_same() -> None:
    bare = random_model(4, 4)
    model = MLPTransformer(bare, 3)
    for k, weight in enumerate(model.mlps.parameters()):
        weight.data.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(k), dtype=torch.float64))
    settings = replace(QUICK, last=True, convention="offset")
    (judgement,) = audit(model, [every_context(4, 4)], settings=settings).judgements
    assert [row.order for row in judgement.rows] == [2, 3, 4, 5]
    assert judgement.heads == []
    assert judgement.row(5).measures["share"].value == pytest.approx(1, abs=1e-8)
    assert judgement.row(3).measures["share"].value < 0.999


def test_a_planted_switch_is_named() -> None:
    """A head that stops at `d`, which writes nothing, and is uniform else: `d` switches it off."""
    model = random_model(5, 6, scores=0.0)
    with torch.no_grad():
        model.W_E.copy_(torch.eye(5))
        model.W_Q.zero_()
        model.W_K.zero_()
        model.W_Q[0, :, 0] = 1.0
        model.W_K[0, 3, 0] = 5.0  # every destination attends to `d`,
        model.W_V[0, 3] = 0.0  # which writes nothing
    (judgement,) = audit(model, [random_text(5, 20000)], settings=Settings(orders=(2, 3), certified=0)).judgements
    (head,) = judgement.heads
    assert [switch.token for switch in head.findings.switches] == ["d"]
    assert head.findings.switches[0].gate < 0.6
    assert head.gap.value > 0.01
    assert len(judgement.missed) == 5
    assert judgement.missed == sorted(judgement.missed, key=lambda each: -each.divergence)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orders": (1,)}, "orders are [1]; expected integers of at least 2"),
        ({"orders": (9,)}, "at most 8"),
        ({"convention": "near"}, "convention is 'near'"),
        ({"contexts": 0}, "contexts is 0; expected at least 1"),
        ({"time_limit": math.nan}, "time limit is nan"),
        ({"window": 9}, "the window is 9 tokens; expected 2 to 4"),
        ({"window": 1}, "the window is 1 tokens"),
        ({"validation": 1.0}, "validation is 1.0"),
        ({"reach": 0}, "reach is 0"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        audit(random_model(), [random_text(5, 100)], settings=Settings(**{"certified": 0, **change}))
    assert message in str(refusal.value)


def test_text_shorter_than_a_window_is_refused() -> None:
    short = Text("short", Part.of([[0, 1]]), Part.of([[0]]))
    with pytest.raises(InputError, match="short: its part to fit on has no window of 4 tokens"):
        audit(random_model(), [short], settings=replace(QUICK, last=True))
