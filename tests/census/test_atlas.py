"""The atlas: its tables are those of the committed census, whose numbers are known, and its certificates are proved."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from docs.studies import atlas
from expressivity.archive import verify_archive
from expressivity.census import classes
from expressivity.verify import Statement

PAGE = (atlas.ATLAS.parent / "atlas.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["five", "sizes", "open", "six"])
def test_its_tables_are_printed(name: str) -> None:
    found = re.search(rf"<!-- python docs/studies/atlas.py {name} -->\n\n(.*?)\n\n<!-- end -->", PAGE, re.DOTALL)
    assert found is not None
    assert found[1] == atlas.sections()[name]


def test_the_committed_table_is_the_census() -> None:
    """All classes with their sizes; A000609; degree 4 as in rs-takehome, proof 186: 4,475,538 functions."""
    found, every = atlas.table(5), classes(5)
    assert found["function"] == every.words.tolist()
    assert found["functions"] == every.sizes.tolist()
    counts: Counter[int] = Counter()
    for order, size in zip(found["order"], found["functions"], strict=True):
        counts[order] += size
    assert counts[2] + counts[3] == 94572
    assert (counts[6], counts[7]) == (4475538, 2)
    assert sum(counts.values()) == 2**32
    lower, upper = np.array(found["heads_lower"]), np.array(found["heads_upper"])
    assert (lower == np.array(found["order"]) - 2).all()
    assert (upper == lower).all()


@pytest.mark.parametrize(("name", "many"), [("certificates.zip", 1000), ("last_four.zip", 16)])
def test_its_certificates_are_proved(name: str, many: int) -> None:
    statements = [found for _, _, found in verify_archive(atlas.ATLAS / name)]
    assert len(statements) == many
    assert all(isinstance(found, Statement) for found in statements)
