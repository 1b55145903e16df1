"""Every broken certificate is refused, at the step of the argument that fails."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from expressivity.certificate import parse
from expressivity.errors import Refuted
from expressivity.verify import verify, verify_file
from tests.verify.breaks import BREAKS, BROKEN, Break

MANIFEST = json.loads((BROKEN / "manifest.json").read_text("utf-8"))


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
def test_it_is_refused_at_the_step_that_fails(broken: Break) -> None:
    with pytest.raises(Refuted) as refusal:
        verify(parse(broken.data))
    assert refusal.value.step == broken.step, refusal.value.reason
    assert len(refusal.value.reason) <= 300


def test_every_kind_is_broken_in_many_ways() -> None:
    assert len({broken.name for broken in BREAKS}) == len(BREAKS)
    kinds = Counter(broken.of.partition("/")[0] for broken in BREAKS)
    assert set(kinds) == {
        "obstruction",
        "weights",
        "heads",
        "symmetry",
        "entropy",
        "logits",
        "contexts",
        "features",
        "margin",
        "block",
    }
    assert min(kinds.values()) >= 30


def test_the_manifest_lists_the_committed_files() -> None:
    assert sorted(MANIFEST) == sorted(path.name for path in BROKEN.glob("*.json") if path.name != "manifest.json")


@pytest.mark.parametrize("file", MANIFEST)
def test_a_committed_file_is_refused_as_the_manifest_says(file: str) -> None:
    with pytest.raises(Refuted) as refusal:
        verify_file(str(BROKEN / file))
    assert refusal.value.step == MANIFEST[file]["step"]
