from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from expressivity.attention import Interval
from expressivity.dsl import Construction, previous
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.heads.validate import build_report
from expressivity.report.build_text import build_json, build_text, shown_context
from expressivity.task import Context, Domain, Task, Tie, ov_coherent_domain, parity_domain, xor


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
    assert report.rational_reason.startswith("2 of 4 contexts fail, such as 'A D Q'")
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


def majority(length: int, most: int = 10**7) -> Construction:
    """More a than others among 2 tokens each; uniform attention, so the margin is (2a − T)/(T + 1)."""
    domain = Domain(
        f"majority:{length}",
        kinds={"a": ("a", "A"), "b": ("b", "B")},
        length=length,
        destinations="=",
        ask=lambda _, n: "yes" if n["a"] > n["b"] else "no" if n["b"] > n["a"] else Tie(["no", "yes"]),
    )
    return Construction("majority", task=domain).head("h", writes={"a": "yes", "A": "yes", "b": "no", "B": "no"})


def test_a_domain_is_covered_by_one_context_of_each_class() -> None:
    report = build_report(majority(64), device="cpu")
    assert report.decides
    assert report.n_contexts == report.agreement.contexts == report.agreement.contexts_right == 4**64
    assert (report.n_heads, report.d_head, report.n_layers) == (1, 1, 1)
    assert report.orbits is not None
    assert len(report.orbits.orbits) == len(report.margins) == 65
    # 33 of 64 against 31, 65 places.
    assert report.smallest_exact == Fraction(2, 65)
    assert report.smallest_exact_context is not None
    assert abs(2 * sum(x in "aA" for x in report.smallest_exact_context) - 64) == 2
    assert report.least_context is not None
    assert [(run.dtype, run.contexts, run.contexts_right) for run in report.floats[:2]] == [
        ("float64", 65, 65),
        ("float32", 65, 65),
    ]
    assert report.floats[2].dtype == "bfloat16"
    assert report.enumerations == ()
    text = build_text(report, None, "none was asked for")
    assert "task majority:64 · 3.40·10^38 contexts in 65 classes with equal logits" in text
    assert "proved by enclosure of 65 contexts, one of each class with equal logits" in text
    assert "right of 65 contexts, one of each class: float64 65 · float32 65" in text
    assert "least margin with rational odds: 2/65, at a ×31 b ×33 =" in text.replace('"', "")


def test_a_small_domain_is_run_whole_in_floats() -> None:
    report = build_report(majority(5), device="cpu")
    assert [(run.dtype, run.n_contexts, run.contexts_right) for run in report.enumerations] == [
        ("float64", 4**5, 4**5),
        ("float32", 4**5, 4**5),
    ]
    assert report.enumerations[0].least == pytest.approx(1 / 6)
    assert "float32 on cpu: right on 1024 of all 1024 contexts, least margin 0.166666" in build_text(report, None, "")
    assert build_report(majority(5), enumerated=1000).enumerations == ()


def test_a_domain_and_its_list_have_one_report() -> None:
    domain = ov_coherent_domain(3)
    made = [
        Construction("uniform", task=task).head(
            "h", writes={s: {y: y.count(s) for y in domain.outputs} for s in "1234"}
        )
        for task in (domain, domain.task())
    ]
    one, other = map(build_report, made)
    assert one.orbits is not None
    assert other.orbits is not None
    assert len(one.orbits.orbits) == len(other.orbits.orbits) == 10
    assert one.agreement.contexts_right == other.agreement.contexts_right < 336
    assert (one.least, one.n_contexts, one.d_head) == (other.least, other.n_contexts, other.d_head)
    assert {e.context: (e.enclosed, e.right) for e in one.margins}.items() <= {
        e.context: (e.enclosed, e.right) for e in other.margins
    }.items()


def test_a_domain_that_is_half_right() -> None:
    report = build_report(Construction("always 1", task=parity_domain(64)).direct({"=": "1"}))
    assert not report.decides
    assert (report.n_contexts, report.agreement.contexts_right) == (2**64, 2**63)
    assert report.rational_reason.startswith("9.22·10^18 of 1.84·10^19 contexts fail, such as '1 1 1")
    found = build_json(report, None, None)
    assert (found["contexts"], found["right"], found["classes"]) == (2**64, 2**63, 2)
    assert (found["margin"], found["margin_as_written"]) == (None, "−1 exactly")


def test_several_layers() -> None:
    task = Task.from_strings(["ABCB", "BACA", "CBAB"])
    looking_back = Construction("looking back", task=task).head("previous", scores={previous: 20}, writes_to="prev")
    report = build_report(looking_back.head("copy", layer=1, scores={0: 0}, writes={"A": "A", "B": "B", "C": "B"}))
    assert (report.n_layers, report.n_heads, report.orbits) == (2, 2, None)
    assert "2 layers · 2 heads" in build_text(report, None, "")
    assert build_json(report, None, None)["layers"] == 2
    looking_back = replace(looking_back, task=Domain("any", kinds="AB", length=3, destinations="A", ask=lambda *_: "B"))
    with pytest.raises(InputError, match="'looking back' has several layers; expected a listed task, not a domain"):
        build_report(looking_back)


def test_tables_that_tell_too_much_apart_are_refused_for_a_domain() -> None:
    writes = {i: {"1": 2**i} for i in range(40)}
    with pytest.raises(InputError, match="construction 'sum': parity:40: found over 200000 classes of contexts"):
        build_report(Construction("sum", task=parity_domain(40), embedding="joint").head("h", writes=_both(writes)))


def _both(writes: dict[int, dict[str, int]]) -> dict[tuple[int, str], dict[str, int]]:
    return {(i, "1"): written for i, written in writes.items()}


def test_long_contexts_are_shown_by_their_runs() -> None:
    assert shown_context(Context("ACQ")) == "A C Q"
    assert shown_context(["5"] * 60 + ["1", "2", "0"]) == "5 ×60 1 2 0"
    many = [str(i) for i in range(100)]
    assert shown_context(many) == " ".join([*many[:12], "…", *many[-6:]])
