"""Minimum hitting sets against going through all of them."""

from __future__ import annotations

import itertools
import random

import pytest

from expressivity.separability.branching import Budget, OutOfSteps, hit
from expressivity.separability.hitting import HittingSets, few, hitting, needs
from expressivity.separability.masks import components, mask_of, members_of, minimal


def least(sets: list[int], elements: int) -> int:
    for size in range(elements + 1):
        for chosen in itertools.combinations(range(elements), size):
            if all(mask_of(chosen) & mask for mask in sets):
                return size
    raise ValueError("a set is empty")


def random_sets(rng: random.Random, elements: int) -> list[int]:
    share = rng.choice([0.15, 0.3, 0.6])
    chosen = [[e for e in range(elements) if rng.random() < share] for _ in range(rng.randint(0, 10))]
    return [mask_of(members or [rng.randrange(elements)]) for members in chosen]


@pytest.mark.parametrize("seed", range(20))
def test_the_least_number_is_that_of_all_choices(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(15):
        elements = rng.randint(1, 9)
        sets = random_sets(rng, elements)
        question = HittingSets()
        for k, mask in enumerate(sets, start=1):
            question.add(members_of(mask))
            if rng.random() < 0.5:
                found = mask_of(question.least())
                assert all(found & known for known in sets[:k])
                assert found.bit_count() == question.bound == least(sets[:k], elements)
                small = mask_of(question.small(1.0))
                assert all(small & known for known in sets[:k])
        size = least(sets, elements)
        assert needs(sets, size)
        assert not needs(sets, size + 1)
        found_mask = hitting(sets, size)
        assert found_mask is not None
        assert all(found_mask & mask for mask in sets)
        assert found_mask.bit_count() <= size
        kept = [sets[k] for k in few(sets, size, Budget())]
        assert least(kept, elements) == size
        assert all(least([m for m in kept if m is not mask], elements) < size for mask in kept)


def test_the_seven_lines_of_a_plane_take_three_points() -> None:
    """Any two lines of the Fano plane meet, two points miss one of them, and the points of a line meet all."""
    lines = [mask_of([k, (k + 1) % 7, (k + 3) % 7]) for k in range(7)]
    assert needs(lines, 3)
    assert not needs(lines, 4)


def test_edges_of_a_cycle_take_every_second_vertex() -> None:
    """⌈n/2⌉ vertices cover a cycle of n edges; in several cycles apart, the numbers add up."""
    cycles = [mask_of([first + k, first + (k + 1) % n]) for first, n in ((0, 5), (5, 9), (14, 31)) for k in range(n)]
    assert len(components(cycles)) == 3
    question = HittingSets()
    for edge in cycles:
        question.add(members_of(edge))
    assert len(question.least()) == 3 + 5 + 16


def test_a_bound_stays_proved_when_steps_run_out() -> None:
    rng = random.Random(5)
    sets = [mask_of(rng.sample(range(60), 8)) for _ in range(80)]
    question = HittingSets()
    for mask in sets:
        question.add(members_of(mask))
    with pytest.raises(OutOfSteps):
        question.least(Budget(steps=3000))
    early = question.bound
    assert early >= 1
    chosen = question.least()
    assert early <= question.bound == len(chosen)
    assert few(sets, question.bound, Budget(steps=100)) == list(range(80))  # no time to leave any out


def test_no_search_is_begun_that_would_go_too_deep() -> None:
    with pytest.raises(OutOfSteps):
        hit([1 << k | 1 << (k + 1) for k in range(1500)], 700, Budget())


def test_the_least_sets_are_those_that_contain_no_other() -> None:
    assert sorted(minimal([0b111, 0b011, 0b110, 0b011, 0b1000])) == [0b011, 0b110, 0b1000]
