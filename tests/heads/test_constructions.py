"""Every construction of the gallery, through the same table of checks, with its known figures."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import pytest

from expressivity.attention import Embedding, enclosed_margins, exact_margins, failures, rational_for
from expressivity.certificate import seal
from expressivity.heads.gallery import load_construction, proposals_for
from expressivity.heads.validate import build_report
from expressivity.task import Task
from expressivity.verify import verify

CASES = [  # name, contexts, heads, d_head
    ("two_head_xor", 4, 2, 1),
    *((f"parity:{k}", 2**k, k, 1) for k in range(1, 7)),
    ("symmetric:0000", 8, 0, 1),
    ("symmetric:00100", 16, 2, 1),
    ("symmetric:10110", 16, 3, 1),
]


@pytest.mark.parametrize(("name", "contexts", "heads", "d_head"), CASES)
def test_the_gallery(name: str, contexts: int, heads: int, d_head: int) -> None:
    report = build_report(load_construction(name))
    assert report.decides
    assert (report.n_contexts, report.n_heads, report.d_head) == (contexts, heads, d_head)
    assert report.weights.is_least
    assert report.embedding == "tokens"
    assert report.agreement.contexts_right == report.agreement.floating.contexts_right == contexts
    assert report.rational is not None
    assert report.smallest_exact is not None
    assert report.smallest_exact > 0


@pytest.mark.parametrize("name", [name for name, *_ in CASES])
@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
def test_its_rational_tables_pass_the_trusted_base_in_every_embedding(name: str, embedding: Embedding) -> None:
    construction = load_construction(name)
    task = construction.task
    tables = rational_for(construction.tables(), task).in_embedding(embedding, task)
    model = {"class": "attention", "heads": len(tables.heads), "embedding": embedding, "d_head": None}
    statement = verify(seal("head_tables", model, task.to_json(), tables.to_proof()))
    assert statement.margin == min(exact_margins(tables, task))


@pytest.mark.parametrize("name", ["two_head_xor", "parity:2", "parity:4"])
def test_its_width_passes_the_trusted_base(name: str) -> None:
    construction = load_construction(name)
    tables = construction.weights().rounded()
    model = {"class": "attention", "heads": len(tables.heads), "embedding": "tokens", "d_head": 1}
    verify(seal("head_tables", model, construction.task.to_json(), tables.to_proof()))


def test_the_margins_of_the_post_are_equal() -> None:
    # 1 − 3·e^(−10000) + …: within 10^-15 of 1, in all four contexts.
    construction = load_construction("two_head_xor")
    for interval in enclosed_margins(construction.tables(), construction.task):
        assert abs(interval.lower - 1) < Fraction(1, 10**15)
    assert build_report(construction).least == "1 − 3.406e-4343"


def test_parity_of_two_by_hand() -> None:
    # Roots 1/2, 3/2 and D = (s + 1/2)(5/2 − s): N/D at s = 0, 1, 2 is (3/4)/(5/4) = 3/5, (−1/4)/(9/4) = −1/9, 3/5.
    # Scaled to a least margin of 1, each margin in favour of the right answer: 27/5, 1, 1, 27/5.
    construction = load_construction("parity:2")
    assert exact_margins(construction.tables(), construction.task) == (Fraction(27, 5), 1, 1, Fraction(27, 5))


def test_parity_of_ten_is_right_on_every_context() -> None:
    construction = load_construction("parity:10")
    margins = exact_margins(construction.tables(), construction.task)
    assert len(margins) == 1024
    assert min(margins) == 1


@pytest.mark.parametrize("values", ["".join(bits) for k in (1, 2, 3, 4) for bits in product("01", repeat=k + 1)])
def test_every_symmetric_function_of_up_to_four_bits(values: str) -> None:
    construction = load_construction(f"symmetric:{values}")
    assert len(construction.tables().heads) == sum(a != b for a, b in pairwise(values))
    assert not failures(construction.task, exact_margins(construction.tables(), construction.task))


def test_a_symmetric_function_on_some_strings_alone() -> None:
    # 0, 2 and 3 ones of three: values 0, 1, 1 change once.
    task = Task([("0", "0", "0", "="), ("0", "1", "1", "="), ("1", "1", "1", "=")], ["0", "1", "1"])
    (construction,) = proposals_for(task)
    assert len(construction.tables().heads) == 1
    assert not failures(task, exact_margins(construction.tables(), task))
