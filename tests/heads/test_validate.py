from __future__ import annotations

from fractions import Fraction

import pytest

from expressivity.attention import Interval
from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.heads.validate import build_report
from expressivity.task import Task, Tie, xor


def test_a_report_of_the_post() -> None:
    report = build_report(load_construction("two_head_xor"), device="cpu")
    assert (report.name, report.n_contexts, report.n_heads, report.d_head) == ("two_head_xor", 4, 2, 1)
    assert report.decides
    assert report.rational_reason == ""
    # Rational odds 2^±16: 1/(1 + 2r) − r/(1 + r + r²) with r = 2^-16.
    r = Fraction(1, 2**16)
    assert report.smallest_exact == 1 / (1 + 2 * r) - r / (1 + r + r**2)
    assert [entry.floating for entry in report.margins] == [1.0] * 4
    assert all(entry.right for entry in report.margins)
    assert report.agreement.floating.dtype == "float32"
    assert report.agreement.floating.device == "cpu"
    assert report.agreement.largest_difference < 1e-6


def test_a_construction_that_is_half_right() -> None:
    report = build_report(Construction("always T", task=xor()).direct({"Q": "T"}))
    assert not report.decides
    assert [entry.right for entry in report.margins] == [True, False, False, True]
    assert [entry.exact for entry in report.margins] == [None] * 4
    assert report.rational is None
    assert report.rational_reason.startswith("2 of 4 comparisons fail, the first in 'A D Q'")
    assert report.least == "−1 exactly"
    assert report.margins[0].enclosed == Interval(Fraction(1), Fraction(1))


def test_ties_have_no_margin_but_must_hold() -> None:
    task = Task([("A", "Q"), ("B", "Q")], [Tie(["F", "T"]), "T"])
    report = build_report(Construction("tie", task=task).head("h", writes={"B": "T"}))
    assert report.decides
    assert [entry.exact for entry in report.margins] == [None, Fraction(1, 2)]
    broken = build_report(Construction("tie", task=task).direct({"Q": "T"}))
    assert [entry.right for entry in broken.margins] == [False, True]


def test_a_task_of_ties_has_no_least_margin() -> None:
    task = Task([("A", "Q")], [Tie(["F", "T"])])
    report = build_report(Construction("nothing", task=task))
    assert (report.decides, report.least, report.smallest_exact) == (True, "", None)


def test_a_width_of_choice() -> None:
    assert build_report(load_construction("parity:2"), d_head=3).d_head == 3
    task = Task([("A", "Q"), ("B", "Q"), ("C", "Q")], ["F", "T", "U"])
    wide = Construction("wide", task=task).head("h", writes={"A": "F", "B": "T", "C": "U"})
    assert build_report(wide).d_head == 2
    with pytest.raises(InputError, match="d_head 1 is too small: the value table of head 'h' needs 2"):
        build_report(wide, d_head=1)
