"""Certificates in which each context stands for many, against lists of all contexts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, exact_margins, failures, float_margins
from expressivity.attention.margins import by_symmetry, covering
from expressivity.attention.tables import occurring
from expressivity.errors import InputError, Refuted
from expressivity.heads.sandwich import certify_tables
from expressivity.task import Domain, Task, Tie, ov_coherent_domain, parity_domain
from expressivity.verdict import HeadTablesBySymmetry, load_certificate
from tests.attention.random_tables import domains, tables
from tests.verify.oracle import represented


@settings(max_examples=150)
@given(st.data())
def test_a_domain_is_certified_if_all_its_contexts_are_decided(data: st.DataObject) -> None:
    domain = data.draw(domains())
    found = data.draw(tables(domain, kind="odds"))
    if data.draw(st.booleans()):  # as it would be asked of tables that are right
        found = replace(found, direct={}, heads=tuple(replace(head, values={}) for head in found.heads))
    listed = domain.task()
    task, symmetries = by_symmetry(found, domain)
    # What the certificate's contexts stand for is the domain, by an enumeration that knows nothing of the library.
    every = represented(task.to_json(), symmetries)
    assert every is not None
    assert {tuple(c["tokens"]): c["requirements"] for c in every["contexts"]} == {
        tuple(c["tokens"]): c["requirements"] for c in listed.to_json()["contexts"]
    }
    assert occurring(covering(task, symmetries)) == domain.occurring()
    wrong = failures(listed, exact_margins(found, listed))
    if wrong:
        with pytest.raises(Refuted):
            certify_tables(domain, found, "")
        return
    verdict = certify_tables(domain, found, "")
    assert verdict.certificate is not None
    statement = verdict.certificate.verify()
    strict = [m for c, m in zip(listed.comparisons(), exact_margins(found, listed), strict=True) if not c.equal]
    assert statement.margin == min(strict, default=None)
    assert f"decides {domain.n_contexts} contexts, for which" in statement.text


def test_ties_alone_are_certified() -> None:
    """Hypothesis rarely draws tables that are right; these are, on domains of every shape."""
    for length in range(5):
        domain = Domain("tie", kinds="AB", length=length, destinations="Q", ask=lambda *_: Tie(["F", "T"]))
        text = certify_tables(domain, HeadTables("tokens"), "").certificate.verify().text  # type: ignore[union-attr]
        assert f"decides {2**length} contexts, for which the {length + 1} context" in text


def width_one(length: int) -> HeadTables:
    """Uniform attention, signals 0, 1, 4, 6, readout 2s·x, bias −s²/(T + 1)."""
    worth = {"1": 0, "2": 1, "3": 4, "4": 6}
    sums = {y: sum(worth[signal] for signal in y) for y in ov_coherent_domain(2).outputs}
    values = {((None, x), y): Fraction(2 * s * v) for x, v in worth.items() for y, s in sums.items()}
    direct = {((None, "0"), y): -Fraction(s * s, length + 1) for y, s in sums.items()}
    return HeadTables("tokens", direct, (Head(values),))


def test_ten_contexts_stand_for_a_number_of_57_digits(tmp_path: object) -> None:
    domain = ov_coherent_domain(64)
    verdict = certify_tables(domain, width_one(64), "by hand")
    certificate = verdict.certificate
    assert isinstance(certificate, HeadTablesBySymmetry)
    path = certificate.save(f"{tmp_path}/symmetry.json")
    again = load_certificate(path)
    assert isinstance(again, HeadTablesBySymmetry)
    assert again.document == certificate.document
    assert again.verify().text == (
        f"one layer of attention with 1 head (embedding tokens) decides {2016 * 16 * 7**62} contexts, "
        "for which the 10 contexts stand"
    )
    assert again.verify().margin == Fraction(1, 65)
    assert len(path.read_bytes()) < 10_000
    # The weights have every token, also those that no listed context shows.
    model = again.to_model()
    assert model.tokens == tuple(sorted(map(str, range(12))))
    model = model.to(torch.float64)
    contexts = [["5"] * 30 + ["3", "11", "2"] + ["7"] * 31 + ["0"], ["4", "10", "4"] + ["9"] * 61 + ["0"]]
    assert float_margins(model, Task(contexts, ["23", "44"], outputs=domain.outputs)).contexts_right == 2


def test_positions_that_differ_are_blocks_of_their_own() -> None:
    values = {((1, "1"), "1"): Fraction(1), ((1, "0"), "0"): Fraction(1)}
    domain = Domain("middle", kinds="01", length=3, destinations="=", ask=lambda *_: "1", outputs="0")
    task, (entry,) = by_symmetry(HeadTables("joint", {}, (Head(values),)), domain)
    assert [block["positions"] for block in entry["blocks"]] == [[0, 2], [1]]
    assert len(task.contexts) == 3 * 2


def test_too_many() -> None:
    values = {((i, "1"), "1"): Fraction(2**i) for i in range(40)}
    tables = HeadTables("joint", {}, (Head(values),))
    with pytest.raises(InputError, match="parity:12: found over 1000 classes of contexts with different logits"):
        by_symmetry(tables, parity_domain(12), limit=1000)
