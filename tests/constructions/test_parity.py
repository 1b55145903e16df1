"""Symmetric functions of bits: figures worked out by hand, and every such function of up to four bits."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import pytest

from expressivity.attention import exact_margins, failures
from expressivity.heads.gallery import load_construction, proposals_for
from expressivity.task import Task


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
