"""A cancellation is cut down to one that is irreducible."""

from __future__ import annotations

import pytest

from expressivity.errors import Refuted
from expressivity.separability import Cancellation, IntegerRows, irreducible


def test_irreducible_keeps_part_of_the_rows() -> None:
    rows = IntegerRows.from_dense([[1, 0, 0], [-1, 0, 0], [0, 1, 1], [0, -2, -2], [1, 1, 1]])
    mixed = Cancellation({0: 3, 1: 3, 2: 2, 3: 1})
    found = irreducible(rows, None, mixed)
    found.check(rows)
    assert set(found.multipliers) < set(mixed.multipliers)
    assert irreducible(rows, None, found) is found


def test_what_does_not_cancel_is_refused() -> None:
    with pytest.raises(Refuted):
        irreducible(IntegerRows.from_dense([[1], [-1]]), None, Cancellation({0: 1}))


def test_equal_rows_keep_their_signs() -> None:
    """Row 0 is minus twice row 1, which is an equal one; rows 2 and 3 cancel without them."""
    rows = IntegerRows.from_dense([[2, 0], [1, 0], [0, 1], [0, -1]])
    equal = [False, True, False, False]
    found = irreducible(rows, equal, Cancellation({0: 1, 1: -2, 2: 1, 3: 1}))
    assert found.multipliers in ({0: 1, 1: -2}, {2: 1, 3: 1})
