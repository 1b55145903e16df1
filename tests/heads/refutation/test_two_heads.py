"""Two heads are refuted on functions that the search was told nothing of, and never where two heads do it."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from expressivity.errors import InputError
from expressivity.heads.refutation import refute_two_heads
from expressivity.heads.refutation.booleans import boolean_parts
from expressivity.task import Task, Tie, Top, bits, differ, parity, xor
from expressivity.verdict import INEXPRESSIBLE, BlockObstruction, load_certificate
from expressivity.verify import verify
from tests.verify.by_hand import HADAMARD, SLICES, selector


def nine_bits() -> Task:
    """Proof 185 of VerifiedMechanisms/rs-takehome, by its definition."""
    table = []
    for word in product((1, -1), repeat=9):
        x, y = word[:4], word[4:]
        q = sum(y) * (1 + sum(x)) - 3 * (y[0] + sum(a * b for a, b in zip(x, y[1:], strict=True)))
        table.append("01"[q > 0])
    return bits("".join(table))


def two_heads(seed: int, n: int, kept: float = 1) -> Task:
    """What two random heads with free tables say of n bits, on all contexts or some."""
    rng = np.random.default_rng(seed)
    words = np.array([*product((0, 1), repeat=n)])
    logit = np.zeros(len(words))
    for _ in range(2):
        odds, values = np.exp(rng.normal(size=(n, 2)) * rng.choice([0.3, 1, 2])), rng.normal(size=(n, 2))
        own, here = odds[np.arange(n), words], np.exp(rng.normal())
        written = (own * values[np.arange(n), words]).sum(axis=1) + here * rng.normal()
        logit += rng.choice([1, 3]) * written / (own.sum(axis=1) + here)
    logit -= np.median(logit)
    chosen = (abs(logit) > 1e-6) & (rng.random(len(words)) < kept)
    labels = ["01"[int(value > 0)] for value in logit[chosen]]
    return Task([[*map(str, word), "="] for word in words[chosen]], labels, outputs=("0", "1"))


@pytest.mark.parametrize("embedding", ["joint", "additive", "tokens"])
def test_two_strings_of_four_bits_that_differ_in_two_places(embedding: str) -> None:
    start = time.process_time()
    verdict = refute_two_heads(differ(4, 2), embedding)
    assert time.process_time() - start < 20
    assert verdict is not None
    assert verdict.answer is INEXPRESSIBLE
    assert verdict.reason == "two heads leave a block of rank 3 (T10)"
    assert isinstance(verdict.certificate, BlockObstruction)
    assert verify(verdict.certificate.document).answer == "inexpressible"
    assert verdict.certificate.model == verdict.model
    # One of each pair of bits that are compared is a row, the other a column.
    rows, columns = verdict.certificate.rows, verdict.certificate.columns
    assert {i % 4 for i in rows if i is not None} == {j % 4 for j in columns if j is not None} == {0, 1, 2, 3}
    said = verdict.certificate.explain()
    assert said.startswith(f"No layer of attention with 2 heads (embedding {embedding}) decides the")
    assert f"{verdict.certificate.n_statements} combinations" in said


@pytest.mark.slow
def test_bits_that_have_to_be_fixed() -> None:
    """Six pairs of bits: no proof is found with all of them free, but one with four pairs free, the others fixed."""
    verdict = refute_two_heads(differ(6, 2))
    assert verdict is not None
    assert isinstance(verdict.certificate, BlockObstruction)
    assert verdict.reason == "two heads leave a block of rank 3 (T10)"
    assert sum(len(kind) == 2 for kind in verdict.certificate.document["proof"]["tokens"]) == 8


def test_nine_bits_leave_rank_five() -> None:
    verdict = refute_two_heads(nine_bits())
    assert verdict is not None
    assert verdict.reason == "two heads leave a block of rank 4 (T10)"
    assert isinstance(verdict.certificate, BlockObstruction)
    assert None in [*verdict.certificate.rows, *verdict.certificate.columns]


@pytest.mark.parametrize(("k", "d"), [(4, 3), (5, 2)])
def test_others_of_the_family(k: int, d: int) -> None:
    """At least three of four places, two of five: T1 asks for two heads, as their number is of degree 2."""
    verdict = refute_two_heads(differ(k, d))
    assert verdict is not None
    verify(verdict.certificate.document)  # type: ignore[union-attr]


@pytest.mark.parametrize("columns", [HADAMARD, SLICES], ids=["eight bits", "nine bits"])
def test_signed_selectors_on_a_part_of_the_cube(columns: list[list[int]]) -> None:
    task = Task.from_json(selector(columns, 4)[0])
    verdict = refute_two_heads(task)
    assert verdict is not None
    verify(verdict.certificate.document)  # type: ignore[union-attr]


def test_the_part_that_is_hard_is_found_among_other_contexts() -> None:
    """A token between the halves, a third output, a tie, a third token, another length and destination."""
    hard = differ(4, 2)
    contexts = [[*c[:4], "#", *c[4:]] for c in hard.contexts]
    asked = [{"0": "F", "1": "T"}[r[0].outputs[0]] for r in hard.requirements]
    extra = [[*"2111#1111="], [*"0101="], [*"0000#0000?"], [*"0000#2222="]]
    task = Task([*contexts, *extra], [*asked, "T", "G", "G", Tie(["F", "T"])])
    verdict = refute_two_heads(task)
    assert verdict is not None
    assert isinstance(verdict.certificate, BlockObstruction)
    assert set(verdict.certificate.task.contexts) <= set(map(tuple, contexts))
    assert not {4} & {*verdict.certificate.rows, *verdict.certificate.columns}


def test_three_outputs_of_which_two_are_compared() -> None:
    """G is never above T; T against F is what is hard."""
    hard = differ(4, 2)
    asked = [Top("T") if r[0].outputs == ("1",) else Top(["F", "G"]) for r in hard.requirements]
    verdict = refute_two_heads(Task(hard.contexts, asked))
    assert verdict is not None
    verify(verdict.certificate.document)  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", [1, 0.4])
@pytest.mark.parametrize("seed", range(6))
def test_what_two_heads_decide_is_not_refuted(seed: int, kept: float) -> None:
    assert refute_two_heads(two_heads(seed, 8, kept)) is None


def test_what_two_heads_decide_on_nine_bits_is_not_refuted() -> None:
    assert refute_two_heads(two_heads(100, 9)) is None


def test_neither_are_products_and_thresholds() -> None:
    """AND of two thresholds, a threshold, the parity of two bits among eight: two heads do these."""
    words = [*product((0, 1), repeat=8)]
    for rule in (lambda w: sum(w) in (3, 4, 5), lambda w: sum(w) > 3, lambda w: w[0] != w[5]):
        assert refute_two_heads(bits("".join("01"[rule(w)] for w in words))) is None


@pytest.mark.parametrize("task", [xor(), parity(4), parity(8), differ(3, 2), Task([["A", "Q"]], ["T"])])
def test_where_it_cannot_apply_nothing_is_said(task: Task) -> None:
    assert refute_two_heads(task) is None


def test_a_time_limit_is_kept() -> None:
    task, start = nine_bits(), time.process_time()
    assert refute_two_heads(task, time_limit=0.2) is None
    assert time.process_time() - start < 2  # 5 without a limit
    with pytest.raises(InputError, match="time limit is -1"):
        refute_two_heads(xor(), time_limit=-1)


def test_progress_is_told() -> None:
    told: list[str] = []
    refute_two_heads(differ(4, 2), progress=told.append)
    assert told[0] == "two heads on 8 bits"
    assert told[1] == "two heads: statements about block 0"


def test_a_certificate_is_kept_in_a_file(tmp_path: pytest.TempPathFactory) -> None:
    verdict = refute_two_heads(differ(4, 2))
    assert verdict is not None
    assert verdict.certificate is not None
    file = verdict.certificate.save(f"{tmp_path}/two.json")
    loaded = load_certificate(file)
    assert isinstance(loaded, BlockObstruction)
    assert loaded.verify().contexts == len(verdict.certificate.task.contexts)


# ---------------------------------------------------------------- Boolean parts


def test_parts_are_those_of_two_tokens_a_position() -> None:
    task = Task([[*"AXQ"], [*"BXQ"], [*"CYQ"], [*"AYR"]], ["T", "F", "T", "F"])
    parts = [(part.tokens, part.free, part.points.tolist(), part.signs.tolist()) for part in boolean_parts(task, 1)]
    assert parts == [
        ((("A", "B"), ("X",)), (0,), [[1], [-1]], [-1, 1]),  # F before T: T is to be below with A
        ((("B", "C"), ("X", "Y")), (0, 1), [[1, 1], [-1, -1]], [1, -1]),
    ]


def test_ties_and_outputs_that_are_not_compared_have_no_sign() -> None:
    task = Task([[*"AQ"], [*"BQ"], [*"CQ"]], [Top("T"), Top(["F", "T"]), Tie(["F", "G"])], outputs=["F", "G", "T"])
    found = [(part.pair, "".join(context[0] for context in part.task.contexts)) for part in boolean_parts(task, 1)]
    # F against T with A and C, G against T with A, B and C, of which two at a time; F against G is asked of B alone.
    assert sorted(found) == [(("F", "T"), "AC"), (("G", "T"), "AC"), (("G", "T"), "BC")]


def test_many_contexts_are_cut_to_few() -> None:
    """Twelve bits: 4096 contexts, of which first the 1024 whose last two bits are 0, then all."""
    sizes = [(part.free, len(part.signs)) for part in boolean_parts(differ(6, 2), 8)]
    assert sizes == [(tuple(range(10)), 1024), (tuple(range(12)), 4096)]
