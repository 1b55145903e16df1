"""Skip-trigram bugs: free under hard labels, of either sign in probabilities."""

from __future__ import annotations

import pytest
import torch

from docs.studies.skip_trigram_bugs import cross_entropy, entropy, fit, soft_task
from expressivity import SkipGrams, bound_cross_entropy
from expressivity.heads.gallery import load_construction

TABLES = load_construction("skip_trigram_bugs").tables()


def test_the_bugs_are_there() -> None:
    """``keep`` raises ``bay`` after ``in`` as much as it does after ``at``, and the task is done all the same."""
    after_in, after_at = TABLES.logits(("keep", "in")), TABLES.logits(("keep", "at"))
    assert after_in["bay"] == after_at["mind"] > 3
    assert after_in["mind"] - after_in["bay"] == after_at["bay"] - after_at["mind"] == 1


def test_one_source_costs_free_skip_trigrams_nothing() -> None:
    task = soft_task(1)
    assert (bound_cross_entropy(task, SkipGrams(3, "count")).upper or 0) - entropy(task)[0] < 1e-12


def test_with_two_sources_a_head_of_width_two_does_better_than_free_skip_trigrams() -> None:
    torch.set_num_threads(1)
    task = soft_task(2)
    found = cross_entropy(fit(task, width=2, seed=0, steps=150), task)
    assert found[1] < (bound_cross_entropy(task, SkipGrams(3, "count")).lower or 0)


@pytest.mark.slow
def test_with_one_source_a_narrow_head_falls_short() -> None:
    """Below width 6 no run comes near 0; that width 1 cannot is proved on the page."""
    task = soft_task(1)
    for width in (1, 2):
        assert min(cross_entropy(fit(task, width, seed, 600), task)[0] for seed in range(3)) - entropy(task)[1] > 0.005
