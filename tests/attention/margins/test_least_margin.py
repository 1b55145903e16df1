"""The least of margins that 64 bits cannot tell apart."""

from __future__ import annotations

from fractions import Fraction

from expressivity import Task
from expressivity.attention import Head, HeadTables, describe_margin, enclosed_margins
from expressivity.attention.margins import least_margin

ROWS = {token: (None, token) for token in "ABQ"}


def test_margins_that_are_nearly_one_are_told_apart() -> None:
    # B Q: 1/(1 + e^−200), A Q: 1/(1 + e^−100), the destination writing nothing: A Q has the least, by e^−100 = 3.72e-44
    scores = {(ROWS["Q"], ROWS["A"]): Fraction(100), (ROWS["Q"], ROWS["B"]): Fraction(200)}
    values = {(ROWS["A"], "T"): Fraction(1), (ROWS["B"], "T"): Fraction(1)}
    tables = HeadTables("tokens", {}, (Head(values, scores=scores),))
    task = Task([("B", "Q"), ("A", "Q")], ["T", "T"], outputs=("F", "T"))
    enclosed = enclosed_margins(tables, task)
    assert enclosed[0].upper > enclosed[1].lower  # they overlap
    least = least_margin(tables, task, enclosed)
    assert least == 1
    assert describe_margin(tables, task, task.comparisons()[least]) == "1 − 3.720e-44"


def test_equal_margins_end_the_search() -> None:
    scores = {(ROWS["Q"], ROWS["A"]): Fraction(100), (ROWS["Q"], ROWS["B"]): Fraction(100)}
    values = {(ROWS["A"], "T"): Fraction(1), (ROWS["B"], "T"): Fraction(1)}
    tables = HeadTables("tokens", {}, (Head(values, scores=scores),))
    task = Task([("B", "Q"), ("A", "Q")], ["T", "T"], outputs=("F", "T"))
    assert least_margin(tables, task, enclosed_margins(tables, task), most_bits=1024) in (0, 1)


def test_nothing_strict_has_no_least() -> None:
    task = Task.from_text("A Q -> T = F\n")
    tables = HeadTables("tokens", {}, ())
    assert least_margin(tables, task, enclosed_margins(tables, task)) is None
