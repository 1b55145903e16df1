"""Two heads refuted by T10, where bounds on heads are asked for."""

from __future__ import annotations

from typing import get_args

import pytest

from expressivity.attention import Attention, Embedding
from expressivity.ensembles import decide_ensemble
from expressivity.heads.gallery import load_construction
from expressivity.heads.sandwich import decide_heads, sandwich
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task, differ, parity
from expressivity.verdict import EXPRESSIBLE, INEXPRESSIBLE, BlockObstruction, Verdict

REASON = "two heads leave a block of rank 3 (T10)"
TASK = differ(4, 2)


@pytest.fixture(scope="module")
def orders() -> list[Verdict]:
    return [decide_ensemble(TASK, SkipGrams(n)) for n in (2, 3, 4)]


@pytest.mark.parametrize("embedding", get_args(Embedding)[:2])
def test_three_heads_exactly(orders: list[Verdict], embedding: Embedding) -> None:
    told: list[str] = []
    given = [load_construction("hamming_threshold")]
    found = sandwich(TASK, embedding, orders, given=given, progress=told.append)
    assert (found.lower, found.upper, found.lower_reason) == (3, 3, REASON)
    assert found.upper_reason == "construction hamming_threshold"
    assert found.below is not None
    assert isinstance(found.below.certificate, BlockObstruction)
    assert found.below.model == Attention(2, embedding=embedding)
    assert "two heads on 8 bits" in told


def test_a_time_limit_leaves_what_t1_gives(orders: list[Verdict]) -> None:
    found = sandwich(TASK, "joint", orders, time_limit=1e-6)
    assert (found.lower, found.lower_reason) == (2, "skip-trigram refuted (T1)")


def test_it_is_not_asked_where_t1_gives_more_or_two_heads_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("expressivity.heads.sandwich.refute_two_heads", never)
    for task, last in ((parity(3), 5), (parity(2), 4)):
        verdicts = [decide_ensemble(task, SkipGrams(n)) for n in range(2, last + 1)]
        sandwich(task, "joint", verdicts, given=[load_construction(task.name)])


def test_a_decision_about_two_heads() -> None:
    verdict = decide_heads(TASK, Attention(2, d_head=4))
    assert (verdict.answer, verdict.reason) == (INEXPRESSIBLE, REASON)
    assert verdict.certificate is not None
    assert verdict.certificate.model == verdict.model == Attention(2, d_head=4)


def test_a_decision_about_three(orders: list[Verdict]) -> None:
    given = [load_construction("hamming_threshold")]
    assert decide_heads(TASK, Attention(3, embedding="additive"), given=given).answer is EXPRESSIBLE


def test_a_task_of_few_bits_is_left_to_the_rest() -> None:
    small: Task = differ(3, 2)
    found = sandwich(small, "joint", [decide_ensemble(small, SkipGrams(n)) for n in (2, 3, 4)])
    assert found.lower == 2
