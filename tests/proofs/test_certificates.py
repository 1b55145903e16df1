"""The committed certificates: each is listed in the index, each is re-proved, and says what the index says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expressivity.verify import verify_file

PROOFS = Path(__file__).parents[2] / "proofs"
INDEX = (PROOFS / "README.md").read_text(encoding="utf-8")
LISTED = re.findall(r"\| (yes|no)[^|]*\| \[[^\]]+\]\(((?:S1|T10)/[^)]+\.json)\)", INDEX)


def test_the_index_lists_every_file_once() -> None:
    assert sorted(file for _, file in LISTED) == sorted(str(f.relative_to(PROOFS)) for f in PROOFS.rglob("*.json"))


@pytest.mark.parametrize(("verdict", "file"), LISTED, ids=[file for _, file in LISTED])
def test_each_proves_what_the_index_says(verdict: str, file: str) -> None:
    answer = verify_file(str(PROOFS / file)).answer
    assert answer in ({"no": {"inexpressible"}, "yes": {"expressible", "bounds"}}[verdict])
