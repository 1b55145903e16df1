"""Classes of Boolean functions: known numbers, and orbits found in another way."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from expressivity.census.classes import Group, classes, least_members
from expressivity.census.functions import signs, task_of, truth_table, word_of
from expressivity.errors import InputError


@pytest.mark.parametrize(("n", "many"), [(1, 2), (2, 4), (3, 14), (4, 222), (5, 616126)])
def test_the_numbers_of_classes(n: int, many: int) -> None:
    """OEIS A000370; and the classes are all functions."""
    found = classes(n)
    assert len(found.words) == many
    assert int(found.sizes.sum()) == 2 ** (2**n)
    assert (np.diff(found.words.astype(object)) > 0).all()


@pytest.mark.parametrize("group", ["npn", "global"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_orbits_by_joining_neighbours(n: int, group: Group) -> None:
    """Functions joined with their images under a few generators, written on truth tables as strings."""
    flips = [2**n - 1] if group == "global" else [1 << i for i in range(n)]
    moves = [[x ^ flip for x in range(2**n)] for flip in flips]
    for order in permutations(range(n)):
        moves.append([int("".join(f"{x:0{n}b}"[i] for i in order), 2) for x in range(2**n)])
    least: dict[str, int] = {}
    for word in range(2 ** (2**n)):
        start = truth_table(word, n)
        if start in least:
            continue
        known, fresh = {start}, [start]
        while fresh:
            table = fresh.pop()
            images = ["".join(table[x] for x in move) for move in moves]
            images.append(table.translate(str.maketrans("01", "10")))
            for image in set(images) - known:
                known.add(image)
                fresh.append(image)
        least |= dict.fromkeys(known, min(map(word_of, known)))
    found = classes(n, group)
    assert found.words.tolist() == sorted(set(least.values()))
    sizes = [sum(w == word for w in least.values()) for word in found.words.tolist()]
    assert found.sizes.tolist() == sizes
    words = np.arange(2 ** (2**n), dtype=np.uint64)
    assert least_members(words, n, group).tolist() == [least[truth_table(int(word), n)] for word in words]


def test_five_inputs_by_random_symmetries() -> None:
    random = np.random.default_rng(5)
    words = random.integers(0, 2**32, 500, dtype=np.uint64)
    least = least_members(words, 5)
    assert np.isin(least, classes(5).words).all()
    for _ in range(5):
        order, flip, negate = random.permutation(5), int(random.integers(32)), bool(random.integers(2))
        source = [sum((x >> i & 1) << int(order[i]) for i in range(5)) ^ flip for x in range(32)]
        images = [sum((int(word) >> y & 1 ^ negate) << x for x, y in enumerate(source)) for word in words]
        assert (least_members(np.array(images, dtype=np.uint64), 5) == least).all()


def test_a_number_is_its_truth_table() -> None:
    """0b0010 is true at input 1, which is 0 1: the first source is the most significant bit."""
    task = task_of(0b0010, 2)
    labels = {tuple(context): asked[0].outputs for context, asked in zip(task.contexts, task.requirements, strict=True)}
    assert [c for c, outputs in labels.items() if outputs == ("1",)] == [("0", "1", "=")]
    assert signs(np.array([0b0010], dtype=np.uint64), 2).tolist() == [[-1, 1, -1, -1]]
    assert word_of(truth_table(0b0010, 2)) == 0b0010


def test_too_many_inputs() -> None:
    with pytest.raises(InputError, match="found 6 inputs; expected 1 to 5"):
        classes(6)
    with pytest.raises(InputError, match="expected 1 to 4"):
        classes(5, "global")
