"""Skip-n-gram ensembles of every convention as attention heads: theorem T3, and certificates as constructions."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity import EXPRESSIBLE, InputError, Refuted, SkipGrams, Task, Tie, decide
from expressivity.attention import exact_margins
from expressivity.ensembles import decide_ensemble
from expressivity.heads.from_weights import (
    as_construction,
    construction_from_file,
    heads_at_least,
    heads_from_weights,
    weights_in,
)
from expressivity.heads.gallery import load_construction
from expressivity.heads.gates import head_per_gram
from expressivity.skipgrams import Feature, features_of
from expressivity.strategies import tasks
from expressivity.task import Domain

XOR = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"], name="xor")
POSITIONS = ("absolute", "anywhere", "count")
one = Fraction(1)


def ensemble_margins(task: Task, weights: dict[Feature, dict[str, Fraction]], model: SkipGrams) -> list[Fraction]:
    """The margins of the weights themselves, from the definition of the features."""
    found = []
    for c in task.comparisons():
        values = [(weights.get(f, {}), n) for f, n in features_of(task.contexts[c.context], model)]
        found.append(sum((n * (w.get(c.above, 0) - w.get(c.below, 0)) for w, n in values), Fraction(0)))
    return found


@given(tasks(soft=False), st.sampled_from(POSITIONS), st.integers(3, 5))
def test_margins_of_one_keep_more_than_one_half(task: Task, positions: str, order: int) -> None:
    verdict = decide_ensemble(task, SkipGrams(order, positions))
    if verdict.answer is EXPRESSIBLE:
        tables = head_per_gram(task, weights_in(verdict.certificate), positions)
        pairs = zip(task.comparisons(), exact_margins(tables, task), strict=True)
        assert all(margin > Fraction(1, 2) for c, margin in pairs if not c.equal)


@given(tasks(soft=False), st.sampled_from(POSITIONS), st.integers(3, 5))
def test_exact_heads_have_the_logits_of_the_ensemble(task: Task, positions: str, order: int) -> None:
    model = SkipGrams(order, positions)
    verdict = decide_ensemble(task, model)
    sources = {place for context in task.contexts for place in enumerate(context.sources)}
    if verdict.answer is EXPRESSIBLE and not task.fibres().keys() & sources:
        weights = weights_in(verdict.certificate)
        tables = head_per_gram(task, weights, positions, exact=True)
        assert list(exact_margins(tables, task)) == ensemble_margins(task, weights, model)


def test_a_destination_that_is_a_source_elsewhere_is_not_read() -> None:
    # Q ends two contexts and is a source of two others; the gram S… R is shut by Q, which writes in another fibre.
    task = Task.from_strings(["AQX", "BQY", "ASRX", "AQRY", "BSRY", "BQRX"])
    weights = weights_in(decide(task, SkipGrams(4)).certificate)
    margins = exact_margins(head_per_gram(task, weights), task)
    assert min(margins) > Fraction(1, 2)
    with pytest.raises(InputError, match="'Q' at position 1 is a destination and a source"):
        head_per_gram(task, weights, exact=True)


def test_products_of_counts_are_sums_of_grams() -> None:
    # (number of A)² on A A Q is 4: A@0 + A@1 + 2 A@0 A@1, one head for each gate.
    task = Task([("A", "A", "Q"), ("A", "B", "Q"), ("B", "B", "Q")], ["X", "Y", "Y"])
    weights = {Feature("Q", ("A", "A")): {"X": one}, Feature("Q"): {"X": Fraction(-2)}}
    tables = head_per_gram(task, weights, "count", exact=True)
    assert exact_margins(tables, task) == (4 - 2, 2 - 1, 2 - 0)


def test_presence_is_inclusion_and_exclusion() -> None:
    # [A occurs][B occurs] − 1/2 is 1/2, −1/2, −1/2.
    task = Task([("A", "B", "Q"), ("A", "A", "Q"), ("B", "B", "Q")], ["X", "Y", "Y"])
    weights = {Feature("Q", ("A", "B")): {"X": one}, Feature("Q"): {"X": Fraction(-1, 2)}}
    tables = head_per_gram(task, weights, "anywhere", exact=True)
    assert exact_margins(tables, task) == (Fraction(1, 2), Fraction(1, 2), Fraction(1, 2))


def test_a_saved_certificate_is_built(tmp_path: Path) -> None:
    path = decide(XOR, SkipGrams(4)).certificate.save(tmp_path / "order-4.json")
    made = load_construction(str(path))
    assert made.name == "order-4"
    assert made.description.endswith("fewer than 2 cannot do it (T1)")
    assert made.task == XOR
    assert min(exact_margins(made.tables(), XOR)) > Fraction(1, 2)


def test_other_certificates_are_refused(tmp_path: Path) -> None:
    path = decide(XOR, SkipGrams(3)).certificate.save(tmp_path / "order-3.json")
    with pytest.raises(InputError, match="of kind obstruction; expected separating_weights"):
        construction_from_file(path)
    text = decide(XOR, SkipGrams(4)).certificate.save(path).read_text("utf-8")
    path.write_text(text.replace('"outputs":["F","T"]', '"outputs":["F","T","U"]'), "utf-8")
    with pytest.raises(Refuted):
        construction_from_file(path)
    with pytest.raises(InputError, match="weights without a task"):
        heads_from_weights({})


def test_ties_take_exact_heads() -> None:
    # A B and B A ask for X, A A for a tie: the number of B times its complement.
    task = Task([("A", "B", "Q"), ("B", "A", "Q"), ("A", "A", "Q")], ["X", "X", Tie(["X", "Y"])])
    made = heads_from_weights(decide(task, SkipGrams(4)).certificate)
    pairs = zip(task.comparisons(), exact_margins(made.tables(), task), strict=True)
    assert all(margin == 0 if c.equal else margin >= 1 for c, margin in pairs)


def test_the_lower_bound_is_that_of_t1() -> None:
    assert [heads_at_least(Task.load(f"parity:{k}")) for k in (1, 2, 3)] == [1, 2, 3]
    assert heads_at_least(Task.from_strings(["AQT", "BQT"])) == 0


@pytest.mark.parametrize("name", ["two_head_xor", "parity:3", "any_task:xor", "noun_head", "ov_incoherent_width_two:3"])
def test_tables_become_the_text_that_states_them(name: str) -> None:
    construction = load_construction(name)
    task = construction.task
    if isinstance(task, Domain):
        cases = [case for case in task.cases() if len(case.context) < 4]
        task = Task([case.context for case in cases], [case.requirements for case in cases], outputs=task.outputs)
    for embedding in ("tokens", "additive", "joint"):
        if embedding != "joint" and construction.tables().embedding == "joint":
            continue
        tables = construction.tables().restricted(task).in_embedding(embedding, task)
        again = as_construction("again", task, tables).tables()
        assert again.restricted(task) == tables.restricted(task)
