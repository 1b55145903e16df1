"""Every construction of the gallery, through the same checks: :mod:`.cases` has the table."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest

from expressivity.attention import Embedding, HeadTables, Interval, describe_margin, exact_margins
from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.heads.gallery import entries, load_construction
from expressivity.heads.sandwich import certify_built, certify_tables
from expressivity.heads.validate import BuildReport, build_report
from expressivity.task import Context, Domain, Task
from tests.constructions.cases import CASES, Case

EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@cache
def made(name: str) -> Construction:
    return load_construction(name)


@cache
def built(name: str) -> BuildReport:
    return build_report(made(name), enumerated=0)


@cache
def listed(name: str) -> Task:
    """The task, or of a domain one context of each class of equal logits."""
    report = built(name)
    if isinstance(report.task, Task):
        return report.task
    assert report.orbits is not None
    classes = report.orbits.orbits
    return Task([c.context for c in classes], [c.requirements for c in classes], outputs=report.task.outputs)


def test_the_table_has_all_of_one_layer() -> None:
    """Those of several layers have a test of their own."""
    known = {case.name.partition(":")[0] for case in CASES}
    elsewhere = {"previous_token", "induction", "virtual_head"}
    assert known | elsewhere >= {entry.name for entry in entries()}


@EVERY
def test_it_is_what_it_is_said_to_be(case: Case) -> None:
    report = built(case.name)
    assert report.decides
    assert (report.n_contexts, report.n_heads, report.d_head) == (case.contexts, case.heads, case.d_head)
    assert report.weights.is_least
    assert report.embedding == case.embedding
    assert report.description


@EVERY
def test_its_least_margin(case: Case) -> None:
    report = built(case.name)
    if isinstance(case.margin, str):
        task = only(report.task, Context(case.witness.split()))
        assert case.margin in {describe_margin(report.tables, task, c) for c in task.comparisons()}
        assert all(abs(interval.lower - 1) < Fraction(1, 10**15) for interval in leading(report))
    else:
        assert report.smallest_exact == report.agreement.smallest_exact == case.margin


def only(task: Task | Domain, context: Context) -> Task:
    """The part of a task that is one context."""
    if isinstance(task, Domain):
        return Task([context], [task.requirements_of(context)], outputs=task.outputs)
    return task.restrict([task.contexts.index(context)])


def leading(report: BuildReport) -> list[Interval]:
    """Each context's least margin."""
    return [entry.enclosed for entry in report.margins if entry.enclosed is not None]


@EVERY
def test_floats_agree(case: Case) -> None:
    report = built(case.name)
    double, single, _ = report.floats
    assert (double.dtype, single.dtype) == ("float64", "float32")
    assert double.contexts_right == single.contexts_right == len(listed(case.name).contexts)
    least = min((i.lower for i in leading(report)), default=Fraction(1))
    for margin, interval in zip(double.margins, report.agreement.enclosed, strict=True):
        assert abs(margin - float(interval.lower)) < 1e-6 * float(least)


@EVERY
def test_the_trusted_base_proves_it_with_its_width(case: Case) -> None:
    verdict, reason = certify_built(built(case.name))
    assert verdict is not None, reason
    assert verdict.certificate is not None
    shown = case.d_head if case.shown is None else case.shown
    if case.shown is not None:
        tables, task = built(case.name).tables, listed(case.name)
        verdict = certify_tables(task, tables, case.name, d_head=shown or None)
    assert verdict.certificate is not None
    assert verdict.certificate.model.heads == case.heads
    assert verdict.certificate.model.d_head == (shown or None)


@pytest.mark.parametrize("case", [case for case in CASES if case.contexts < 100], ids=lambda case: case.name)
@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
def test_its_rational_tables_pass_the_trusted_base_in_every_wider_embedding(case: Case, embedding: Embedding) -> None:
    report, task = built(case.name), listed(case.name)
    if case.embedding == "joint" and embedding != "joint":
        return
    assert report.rational is not None
    tables = report.rational.in_embedding(embedding, task)
    certificate = certify_tables(task, tables, case.name).certificate
    assert certificate is not None
    assert certificate.verify().margin == min(
        m for c, m in zip(task.comparisons(), exact_margins(tables, task), strict=True) if not c.equal
    )


@EVERY
def test_the_weights_give_the_tables_back(case: Case) -> None:
    report, task = built(case.name), listed(case.name)
    back = report.weights.to_tables()
    assert exact_margins(rational(back), task) == exact_margins(rational(report.tables), task)


def rational(tables: HeadTables) -> HeadTables:
    """The base 2 in place of e: what is equal for whole scores is so in any base."""
    return replace(tables, heads=tuple(replace(h, base=Fraction(2)) if h.base == "e" else h for h in tables.heads))


@pytest.mark.parametrize(
    "name",
    [
        "one_head_reciprocal:0",
        "bigrams:alone",
        "symmetric:2",
        "ov_incoherent_literal:1",
        "ov_incoherent_width_one:1001",
        "ov_incoherent_subsets:1",
        "ov_coherent_printed:1",
        "ov_coherent_inverted:1/0",
        "ov_coherent_inverted:-3",
        "any_task:ov-coherent:3",
        "any_task:examples/noisy_xor.task",
    ],
)
def test_members_that_there_are_not(name: str) -> None:
    with pytest.raises(InputError, match=r"expected|1 to"):
        load_construction(name)
