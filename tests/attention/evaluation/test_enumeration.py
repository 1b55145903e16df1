"""Every context in floating point, against exact margins and forward passes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, compile_tables, exact_margins, exact_weights, float_margins
from expressivity.attention.evaluation import enumeration
from expressivity.attention.evaluation.enumeration import can_fuse, enumerate_contexts
from expressivity.attention.evaluation.halves import halves
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError
from expressivity.task import (
    Context,
    Distribution,
    Domain,
    Task,
    Tie,
    Top,
    ov_coherent_domain,
    parity,
    parity_domain,
    xor,
)
from tests.attention.random_tables import domains, small_tasks, tables

one = Fraction(1)
Q, A, B = ((None, token) for token in "QAB")
SIGNALS = {"1": 0, "2": 1, "3": 4, "4": 6}


def width_one(length: int) -> HeadTables:
    """Two signals among noise by their sum: values 0, 1, 4, 6, readout 2s·x − s²/(T + 1), uniform attention."""
    names = ov_coherent_domain(length).outputs
    sums = {y: sum(SIGNALS[signal] for signal in y) for y in names}
    values = {((None, x), y): Fraction(2 * s * v) for x, v in SIGNALS.items() for y, s in sums.items()}
    direct = {((None, "0"), y): -Fraction(s * s, length + 1) for y, s in sums.items()}
    return HeadTables("tokens", direct, (Head(values),))


@pytest.mark.parametrize(("length", "dtype"), [*product((2, 3, 5), (torch.float32, torch.float64))])
def test_the_read_off_task(length: int, dtype: torch.dtype) -> None:
    """With x the sum of the two signals, the margin of s = x over s′ is (s − s′)²/(T + 1): at least 1/(T + 1)."""
    domain, found = ov_coherent_domain(length), width_one(length)
    run = enumerate_contexts(exact_weights(found, domain).to_model(dtype), domain)
    assert run.n_contexts == run.contexts_right == domain.n_contexts
    assert run.least == pytest.approx(1 / (length + 1), rel=1e-4)
    assert run.context in set(domain.task().contexts)
    assert (run.wrong, run.dtype, run.compiled) == (None, str(dtype).removeprefix("torch."), False)


@settings(max_examples=60)
@given(st.data())
def test_it_is_right_where_the_exact_margins_are(data: st.DataObject) -> None:
    task: Task | Domain = data.draw(st.one_of(domains(), small_tasks(ties=True)))
    found = data.draw(tables(task, kind=data.draw(st.sampled_from(["odds", "base"]))))
    listed = task.task() if isinstance(task, Domain) else task
    margins = exact_margins(found, listed)
    pairs = list(zip(listed.comparisons(), margins, strict=True))
    assume(all(c.equal or m for c, m in pairs))  # a strict margin of exactly 0 is a matter of rounding
    wrong = {c.context for c, m in pairs if (m != 0 if c.equal else m < 0)}
    model = exact_weights(found, task).to_model(torch.float64)
    for asked in (task, listed):
        run = enumerate_contexts(model, asked)
        assert (run.n_contexts, run.contexts_right) == (len(listed.contexts), len(listed.contexts) - len(wrong))
        strict = [(m, c.context) for c, m in pairs if not c.equal]
        if strict:
            assert run.least == pytest.approx(float(min(strict)[0]), abs=1e-9)
            assert run.least is not None
            attained = {listed.contexts[i] for m, i in strict if abs(float(m) - run.least) < 1e-9}
            assert run.context in attained
        else:
            assert run.least is run.context is None
        assert run.wrong in {None, *(listed.contexts[i] for i in wrong)}
        assert (run.wrong is None) == (not wrong)


def test_scores_far_apart_are_relative_to_the_sequence() -> None:
    """Odds e^±10000 vanish in any common unit; the head attends to the last letter of the alphabet all the same."""
    values = {((None, x), x.upper()): one for x in "abc"}
    scores = {((None, "="), (None, x)): Fraction(n) for x, n in zip("abc=", (-10_000, 0, 10_000, -30_000), strict=True)}
    domain = Domain(
        "last", kinds="abc", length=4, destinations="=",
        ask=lambda _, counts: next(x.upper() for x in "cba" if counts[x]),
    )  # fmt: skip
    model = exact_weights(HeadTables("tokens", {}, (Head(values, scores=scores),)), domain).to_model()
    for task in (domain, domain.task()):
        run = enumerate_contexts(model, task)
        assert (run.contexts_right, run.least) == (81, 1.0)
    assert float_margins(model, domain.task()).contexts_right == 81


def test_the_posts_scores() -> None:
    first = {A: -10_000, B: 10_000, Q: -10_000}
    heads = [
        Head(
            {((None, "C"), "T" if sign > 0 else "F"): one, ((None, "D"), "F" if sign > 0 else "T"): one},
            scores={(Q, row): Fraction(sign * score) for row, score in first.items() if row != Q}
            | {(Q, Q): Fraction(-10_000)},
        )
        for sign in (1, -1)
    ]
    run = enumerate_contexts(compile_tables(HeadTables("tokens", {}, tuple(heads)), xor()), xor())
    assert (run.n_contexts, run.contexts_right, run.least) == (4, 4, 1.0)


def test_requirements_of_every_kind() -> None:
    """Uniform attention, a writes 4 to X and Y, b to Z: X and Y tie above Z where a is more frequent."""

    def ask(_: str, counts: Mapping[str, int]) -> object:
        a, b = counts["a"], counts["b"]
        return None if a == b else Top("Z") if b > a else (Tie(["X", "Y"]), Top(["X", "Y", "W"][:2]))

    domain = Domain("ab", kinds="ab", length=5, destinations="q", ask=ask)  # type: ignore[arg-type]
    values = {((None, "a"), y): Fraction(4) for y in "XY"} | {((None, "b"), "Z"): Fraction(4)}
    found = HeadTables("tokens", {}, (Head(values),))
    run = enumerate_contexts(exact_weights(found, domain).to_model(), domain)
    assert (run.n_contexts, run.contexts_right) == (32, 32)
    # 3 against 2 of 5 sources, 6 places: 4/6.
    assert run.least == pytest.approx(2 / 3)
    uneven = HeadTables("tokens", {((None, "q"), "Y"): Fraction(1, 1000)}, (Head(values),))
    run = enumerate_contexts(exact_weights(uneven, domain).to_model(), domain)
    assert run.contexts_right == 16
    assert run.wrong is not None
    assert run.wrong.count("a") > 2


def test_ties_alone_have_no_margin() -> None:
    domain = Domain("tie", kinds="a", length=2, destinations="q", ask=lambda *_: Tie(["X", "Y"]))
    run = enumerate_contexts(exact_weights(HeadTables("tokens"), domain).to_model(), domain)
    assert (run.contexts_right, run.least, run.context, run.wrong) == (1, None, None, None)


def test_no_head_and_no_source() -> None:
    domain = Domain("direct", kinds="a", length=range(3), destinations=("p", "q"), ask=lambda end, _: end.upper())
    direct = {((None, end), end.upper()): Fraction(3) for end in "pq"}
    run = enumerate_contexts(exact_weights(HeadTables("tokens", direct), domain).to_model(), domain)
    assert (run.n_contexts, run.contexts_right, run.least) == (6, 6, 3.0)


def test_the_context_that_attains_the_least_margin_is_decoded() -> None:
    """Distinct powers of 2 by position: the least sum that is asked to be positive is the last position's alone."""
    positions = {((i, "1"), "1"): Fraction(2 ** (9 - i)) for i in range(10)}
    domain = Domain(
        "any", kinds="01", length=10, destinations="=", ask=lambda _, n: "1" if n["1"] else None, outputs="0"
    )
    model = exact_weights(HeadTables("joint", {}, (Head(positions),)), domain).to_model()
    run = enumerate_contexts(model, domain)
    assert (run.n_contexts, run.contexts_right) == (1023, 1023)
    assert run.context == Context([*"0000000001", "="])
    assert run.least == pytest.approx(1 / 11)


def test_halves_are_classes_of_what_they_ask() -> None:
    """Two signals among noise: 15 classes of half-sequences, by their signals: none, one of 4, or one of 10 pairs."""
    domain = ov_coherent_domain(6)
    (cut,) = halves(domain, [str(i) for i in range(12)])
    assert len(cut.left) == len(cut.right) == 15
    assert sum(map(len, cut.left)) == 7**3 + 4 * 3 * 7**2 + (4 + 2 * 6) * 3 * 7
    assert cut.n_contexts == domain.n_contexts
    # None and a pair, a pair and none, one and one: 10 + 10 + 16.
    assert len(cut.asked) == 36
    every = Domain("e", kinds=[str(i) for i in range(12)], length=4, destinations="0", ask=lambda *_: "x")
    (cut,) = halves(every, [str(i) for i in range(12)])
    assert [len(part) for part in (*cut.left, *cut.right)] == [144, 144]
    assert len(np.unique(cut.left[0], axis=0)) == 144


def test_progress_is_told() -> None:
    told: list[int] = []
    model = exact_weights(HeadTables("tokens"), parity(3)).to_model()
    enumerate_contexts(model, parity_domain(3), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 8


def test_what_is_refused() -> None:
    model = exact_weights(HeadTables("tokens"), parity(3)).to_model()

    def message(task: Task | Domain, model: AttentionOnlyTransformer = model, **options: object) -> str:
        with pytest.raises(InputError) as error:
            enumerate_contexts(model, task, **options)  # type: ignore[arg-type]
        return str(error.value)

    assert message(parity(3), model.bfloat16()) == "the model's numbers are bfloat16; expected float32 or float64"
    model.float()
    soft = Task([("0", "=")], [Distribution({"0": 1})], outputs=["1"])
    assert message(soft) == "task: a distribution is asked for, which no comparison of logits settles"
    assert message(parity_domain(64)) == "parity:64: found 1.84·10^19 contexts; expected at most 100000000000"
    assert message(parity(4), limit=15) == "parity:4: found 16 contexts; expected at most 15"
    assert message(xor()) == "the model has no token 'Q'; it has 0, 1, ="
    assert message(parity(4)) == "the model has no token '=' at position 4"
    assert message(Task([("0", "=")], ["T"])) == "the model has no output 'T'; it has 0, 1"
    assert message(parity(3), device="nowhere").startswith("device 'nowhere': ")
    deep = AttentionOnlyTransformer("01=", "01", n_ctx=4, n_heads=1, d_model=2, d_head=1, n_layers=2)
    assert message(parity(3), deep) == "the model has 2 layers; expected 1, which adds up over its sources"
    digits = {"digit": [str(i) for i in range(10)]}
    long = Domain("long", kinds=digits, length=20, destinations="=", ask=lambda *_: "0")
    many = AttentionOnlyTransformer([*map(str, range(10)), "="], "01", n_ctx=21, n_heads=1, d_model=2, d_head=1)
    assert message(long, many, limit=10**30).startswith("long: found over 5000000 half-sequences;")


@pytest.mark.slow
@pytest.mark.skipif(not can_fuse(torch.device("cpu")), reason="needs a C++ compiler")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_compiled_kernel_agrees(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration, "FUSED_FROM", 4)
    domain = ov_coherent_domain(5)
    for found in (width_one(5), HeadTables("tokens", {((None, "0"), "12"): one})):
        model = exact_weights(found, domain).to_model(dtype)
        plain, fast = (enumerate_contexts(model, domain, compiled=compiled) for compiled in (False, True))
        assert fast.compiled
        assert (fast.contexts_right, fast.n_contexts) == (plain.contexts_right, plain.n_contexts)
        assert fast.least == pytest.approx(plain.least)
        assert (fast.wrong is None) == (plain.wrong is None)
    # Two heads, several outputs on top.
    domain = Domain(
        "ab",
        kinds="ab",
        length=6,
        destinations="q",
        outputs="XYZ",
        ask=lambda _, n: Top(["X", "Y"] if n["a"] > 3 else "Z"),
    )
    values = {((None, "a"), y): Fraction(n) for y, n in (("X", 3), ("Y", 2))} | {((None, "b"), "Z"): Fraction(2)}
    model = exact_weights(HeadTables("tokens", {}, (Head(values), Head(values))), domain).to_model(dtype)
    plain, fast = (enumerate_contexts(model, domain, compiled=compiled) for compiled in (False, True))
    assert (fast.contexts_right, fast.least) == (plain.contexts_right, pytest.approx(plain.least))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("compiled", [False, True])
def test_an_accelerator_agrees(compiled: bool) -> None:
    domain = ov_coherent_domain(6)
    model = exact_weights(width_one(6), domain).to_model()
    run = enumerate_contexts(model, domain, device="cuda", compiled=compiled)
    assert run.contexts_right == domain.n_contexts
    assert run.device.startswith("cuda")
