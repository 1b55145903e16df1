"""Functions to labels: their numbers by other ways of counting, and orbits by joining neighbours."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from expressivity.census.classes import classes as of_bits
from expressivity.census.functions import truth_table
from expressivity.census.labelings import (
    Shape,
    classes,
    count_classes,
    drawn,
    labels_of,
    movements,
    number_of_symmetries,
    task_of,
    text_of,
)
from expressivity.errors import InputError
from expressivity.task import Task, bits

SHAPES = [Shape(*found) for found in ((2, 3, 2), (2, 2, 3), (3, 2, 2), (1, 3, 3), (1, 4, 2))]


def images(text: str, shape: Shape, embedding: str) -> set[str]:
    """The neighbours of a function, by generators that are written on a dictionary of its values."""
    n, k = shape.inputs, shape.tokens
    contexts = list(product(range(k), repeat=n))
    value = dict(zip(contexts, text, strict=True))
    swaps = [list(range(k)) for _ in range(k - 1)]
    for t, names in enumerate(swaps):
        names[t], names[t + 1] = t + 1, t
    found = set()
    for i in range(n - 1):
        found.add("".join(value[(*x[:i], x[i + 1], x[i], *x[i + 2 :])] for x in contexts))
    for names in swaps:
        if embedding == "additive":
            found.add("".join(value[tuple(names[t] for t in x)] for x in contexts))
        else:
            for i in range(n):
                found.add("".join(value[(*x[:i], names[x[i]], *x[i + 1 :])] for x in contexts))
    for y in range(shape.outputs - 1):
        found.add(text.translate({48 + y: 49 + y, 49 + y: 48 + y}))
    return found


@pytest.mark.parametrize("embedding", ["joint", "additive"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_orbits_by_joining_neighbours(shape: Shape, embedding: str) -> None:
    every = ["".join(text) for text in product("0123456789"[: shape.outputs], repeat=shape.contexts)]
    left, expected = set(every), []
    for start in every:  # in increasing order, so that each class is met at its least member
        if start not in left:
            continue
        known, fresh = {start}, [start]
        while fresh:
            more = images(fresh.pop(), shape, embedding) - known
            known |= more
            fresh += more
        left -= known
        expected.append((start, len(known)))
    found = classes(shape, embedding)
    assert [(text_of(row), size) for row, size in zip(found.labels, found.sizes.tolist(), strict=True)] == expected
    assert count_classes(shape, embedding) == len(expected)


@pytest.mark.parametrize(
    ("shape", "joint", "additive"),
    [
        (Shape(2, 3, 2), 13, 37),
        (Shape(2, 3, 3), 84, 342),
        (Shape(3, 2, 3), 58, 144),
        (Shape(2, 4, 2), 104, 880),
    ],
    ids=str,
)
def test_the_numbers_of_classes(shape: Shape, joint: int, additive: int) -> None:
    """As Burnside counts them without a list, and the classes are all functions."""
    for embedding, many in (("joint", joint), ("additive", additive)):
        assert count_classes(shape, embedding) == many
        found = classes(shape, embedding)
        assert len(found.labels) == many
        assert int(found.sizes.sum()) == shape.functions


def test_one_source_is_a_partition_of_the_tokens() -> None:
    """Up to names of tokens and outputs a map of one source is a partition of K into at most M parts."""
    partitions = {(4, 2): 3, (4, 3): 4, (4, 4): 5, (5, 5): 7, (6, 3): 7}
    for (k, m), many in partitions.items():
        assert count_classes(Shape(1, k, m), "joint") == count_classes(Shape(1, k, m), "additive") == many


@pytest.mark.parametrize(("embedding", "group"), [("joint", "npn"), ("additive", "global")])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_bits_have_the_same_classes(n: int, embedding: str, group: str) -> None:
    """Both paths list the same functions, though numbers and texts order them differently."""
    words = of_bits(n, group)  # type: ignore[arg-type]
    found = classes(Shape(n, 2, 2), embedding)
    assert sorted(words.sizes.tolist()) == sorted(found.sizes.tolist())
    moves = movements(Shape(n, 2, 2), embedding)
    own = {text_of(row) for row in found.labels}
    for word in words.words.tolist():
        row = labels_of([truth_table(word, n)])[0]
        assert min(text_of(image) for y in (0, 1) for image in (row ^ y)[moves]) in own


def test_symmetries_are_a_group() -> None:
    for shape, embedding in ((Shape(2, 3, 2), "joint"), (Shape(3, 2, 2), "additive")):
        moves = {tuple(row) for row in movements(shape, embedding).tolist()}
        assert 2 * len(moves) == number_of_symmetries(shape, embedding)
        assert all(tuple(a[x] for x in b) in moves for a in moves for b in list(moves)[:7])
        assert all(sorted(row) == list(range(shape.contexts)) for row in moves)


def test_tasks() -> None:
    row = drawn(Shape(2, 3, 3), 1, 4)[0]
    task = task_of(row, Shape(2, 3, 3))
    assert task == Task.load(f"labels:3:3:{text_of(row)}")
    assert task.outputs == ("0", "1", "2")
    assert (labels_of([text_of(row)])[0] == row).all()
    assert task_of([0, 1, 1, 0], Shape(2, 2, 2)) == bits("0110")


def test_a_sample_is_drawn_evenly_and_by_its_seed() -> None:
    labels = drawn(Shape(2, 3, 4), 4000, 1)
    assert (labels == drawn(Shape(2, 3, 4), 4000, 1)).all()
    assert (labels != drawn(Shape(2, 3, 4), 4000, 2)).any()
    counts = np.stack([(labels == y).sum(axis=0) for y in range(4)])
    assert (np.abs(counts - 1000) < 150).all()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 1, 2), "tokens is 1; expected 2 to 10"),
        ((2, 3, 11), "outputs is 11; expected 2 to 10"),
        ((0, 3, 2), "found 0 inputs; expected at least 1"),
        ((5, 3, 2), "found 5 inputs of 3 tokens; expected at most 128 contexts"),
        ((10**9, 3, 2), "found 1000000000 inputs of 3 tokens; expected at most 128 contexts"),
    ],
)
def test_a_shape_that_is_none(shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InputError) as error:
        Shape(*shape)
    assert str(error.value) == message


def test_too_many_classes() -> None:
    with pytest.raises(InputError, match=r"2\^27 functions .* make 55,809 classes \(joint\); up to 20,000 are listed"):
        classes(Shape(3, 3, 2))
    with pytest.raises(InputError, match="too many symmetries to list their classes: ask for a sample"):
        classes(Shape(3, 5, 2))


def test_permutations_of_positions_alone() -> None:
    """The last symmetries reverse two positions: the context (a, b) takes the value at (b, a)."""
    shape = Shape(2, 3, 2)
    assert [3 * (x % 3) + x // 3 for x in range(9)] in movements(shape, "additive").tolist()
    assert len(movements(shape, "additive")) == 2 * len(list(permutations(range(3))))
