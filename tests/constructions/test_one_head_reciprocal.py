"""One head whose logits are no short skip-n-gram ensemble: theorem T5 in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest

from constructions.one_head_reciprocal import probabilities
from expressivity import EXPRESSIBLE, INEXPRESSIBLE, SkipGrams, decide
from expressivity.heads.gallery import load_construction
from expressivity.task import parity


@pytest.mark.parametrize("t", range(1, 9))
def test_the_logits_and_their_highest_difference(t: int) -> None:
    tables, total = load_construction(f"one_head_reciprocal:{t}").tables(), Fraction(0)
    for context in parity(t).contexts:
        ones = context.sources.count("1")
        logit = tables.logits(context)["1"]
        assert logit == Fraction(1, 2 + ones)
        total += (-1) ** (t - ones) * logit
    assert total == Fraction((-1) ** t, (t + 1) * (t + 2))


@pytest.mark.parametrize("t", [1, 2, 3, 4])
@pytest.mark.parametrize("positions", ["absolute", "count"])
def test_order_t_plus_2_and_no_less_has_its_probabilities(t: int, positions: str) -> None:
    task = probabilities(t)
    no = decide(task, SkipGrams(t + 1, positions), level="logits")
    yes = decide(task, SkipGrams(t + 2, positions), level="logits")
    assert (no.answer, yes.answer) == (INEXPRESSIBLE, EXPRESSIBLE)
    assert no.certificate is not None
    assert no.certificate.kind == "logit_obstruction"
    no.certificate.verify()


def test_the_soft_task_by_hand() -> None:
    # T = 1: L = 6, so the log-odds are 3 ln 2 and 2 ln 2, that is 8 to 1 and 4 to 1.
    chances = [dict(asked.probabilities)["1"] for (asked,) in probabilities(1).requirements]
    assert chances == [Fraction(8, 9), Fraction(4, 5)]
