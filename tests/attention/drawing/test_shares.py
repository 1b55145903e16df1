from __future__ import annotations

from fractions import Fraction
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, Interval, attention_shares, path_to_logit
from expressivity.attention.drawing.shares import plus, share_text, times
from expressivity.errors import InputError
from tests.attention.random_tables import small_tasks, tables

A, B, Q = (None, "A"), (None, "B"), (None, "Q")
HALF = Fraction(1, 2)


def test_shares_by_hand() -> None:
    # Odds 3 for A, 2 for B, 1 for Q itself: 3/6, 2/6, 1/6. From B, with no odds of its own: 1/2 each.
    head = Head(odds={(Q, A): Fraction(3), (Q, B): Fraction(2)})
    found = HeadTables("tokens", {}, (head,))
    assert attention_shares(found, ("A", "B", "Q")) == ((HALF, Fraction(1, 3), Fraction(1, 6)),)
    assert attention_shares(found, ("A", "B")) == ((HALF, HALF),)


def test_real_scores_are_enclosed() -> None:
    found = HeadTables("tokens", {}, (Head(scores={(Q, A): Fraction(1)}),))
    (shares,) = attention_shares(found, ("A", "Q"))
    for share, expected in zip(shares, (exp(1) / (exp(1) + 1), 1 / (exp(1) + 1)), strict=True):
        assert isinstance(share, Interval)
        assert float(share.lower) == pytest.approx(expected, rel=1e-15)
        assert 0 < share.upper - share.lower < Fraction(1, 2**100)


@given(st.data())
@settings(max_examples=50)
def test_shares_add_up_to_one(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task))
    for shares in attention_shares(found, task.contexts[0]):
        lower = sum(s if isinstance(s, Fraction) else s.lower for s in shares)
        upper = sum(s if isinstance(s, Fraction) else s.upper for s in shares)
        assert lower <= 1 <= upper
        assert upper - lower < Fraction(1, 2**90)


@given(st.data())
@settings(max_examples=50)
def test_paths_from_every_place_make_up_the_logits(data: st.DataObject) -> None:
    task = data.draw(small_tasks())
    found = data.draw(tables(task)).rational()
    context = task.contexts[0]
    logits = found.logits(context)
    for output in found.outputs:
        for source in range(len(context)):
            path = path_to_logit(found, context, source, output)
            assert path.total == logits[output]
            against = path_to_logit(found, context, source, output, found.outputs[0])
            assert against.total == logits[output] - logits[found.outputs[0]]


def test_a_path_by_hand() -> None:
    # A has odds 3 of 3 + 1 + 1, so the share 3/5; of T − F it carries 3/5 · (5 − 1), B 1/5 · 2, the direct path −7.
    head = Head({(A, "T"): 5, (A, "F"): 1, (B, "T"): 2}, odds={(Q, A): Fraction(3)}, name="h")  # type: ignore[dict-item]
    found = HeadTables("tokens", {(Q, "F"): Fraction(7)}, (head,))
    path = path_to_logit(found, ("A", "B", "Q"), "A", "T", "F")
    (step,) = path.steps
    assert (step.head, step.score, step.share, step.value) == ("h", 3, Fraction(3, 5), 4)
    assert (step.carried, path.others, path.direct) == (Fraction(12, 5), (Fraction(2, 5),), -7)
    assert path.total == Fraction(14, 5) - 7


def test_sums_and_products_of_intervals() -> None:
    ball = Interval(Fraction(1, 4), HALF)
    assert times(ball, Fraction(-2)) == Interval(Fraction(-1), -HALF)
    assert plus([ball, Fraction(1)]) == Interval(Fraction(5, 4), Fraction(3, 2))
    assert plus([Interval(Fraction(0), Fraction(0)), Fraction(1)]) == 1


def test_text_claims_no_more_than_is_known() -> None:
    third = Fraction(1, 3)
    assert share_text(third) == "1/3"
    assert share_text(Interval(third - Fraction(1, 10**9), third)) == "0.333"
    assert share_text(Interval(Fraction(1) - Fraction(1, 10**9), Fraction(1))) == "≈ 1"
    assert share_text(Interval(HALF, HALF)) == "1/2"


@pytest.mark.parametrize(
    ("context", "source", "output", "message"),
    [
        (("A", "A", "Q"), "A", "T", "'A' stands at the positions 0, 1; give one of them in 'A A Q'"),
        (("A", "Q"), "B", "T", "'B' stands nowhere in 'A Q'"),
        (("A", "Q"), 2, "T", "position 2 is not in 'A Q'; expected 0 to 1"),
        (("A", "Q"), 0, "t", "the tables write nothing to 't'; they write to T"),
    ],
)
def test_no_such_path(context: tuple[str, ...], source: int | str, output: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        path_to_logit(HeadTables("tokens", {(Q, "T"): Fraction(1)}), context, source, output)
    assert str(refusal.value) == message


def test_scores_beyond_enclosure() -> None:
    found = HeadTables("tokens", {}, (Head(scores={(Q, A): Fraction(10) ** 26}, name="h"),))
    with pytest.raises(InputError, match=r"head 'h' has a score beyond 10\^25"):
        attention_shares(found, ("A", "Q"))
    with pytest.raises(InputError, match="the context is empty"):
        attention_shares(found, ())
