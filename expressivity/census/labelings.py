"""Functions from contexts to labels, beyond bits: N sources from K tokens each and one destination, M outputs.

A function is the row of its labels at all contexts in order, the first source most significant: as text, what
``labels:K:M:`` takes (:func:`~expressivity.task.families.labels`). Orders and ``joint`` heads do not change when
positions are permuted, tokens are renamed at each position separately, and outputs are. ``additive`` heads know a token
by one vector at all positions, so that only one renaming for all of them is left. A class is named by its least member.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial

import numpy as np

from expressivity.census.functions import Array
from expressivity.errors import InputError
from expressivity.task import Task
from expressivity.task.families import labels as task_of_labels

MOST_CLASSES = 20_000
MOST_NAMES = 10
"""Tokens and outputs are digits."""
MOST_CONTEXTS = 128
_MOST_FUNCTIONS = 1 << 26  # of which classes are listed, each a byte
_MOST_IMAGES = 1 << 24  # labels in all images of one function


@dataclass(frozen=True)
class Shape:
    """What functions there are: ``inputs`` positions with one of ``tokens`` each, one of ``outputs`` labels.

    Raises:
        InputError: a number out of range, or more than 128 contexts.

    >>> Shape(2, 3, 2).contexts, Shape(2, 3, 2).functions
    (9, 512)
    """

    inputs: int
    tokens: int
    outputs: int

    def __post_init__(self) -> None:
        for name, value in (("tokens", self.tokens), ("outputs", self.outputs)):
            if not 2 <= value <= MOST_NAMES:
                raise InputError(f"{name} is {value}; expected 2 to {MOST_NAMES}")
        if self.inputs < 1:
            raise InputError(f"found {self.inputs} inputs; expected at least 1")
        if self.inputs > MOST_CONTEXTS or self.contexts > MOST_CONTEXTS:
            raise InputError(
                f"found {self.inputs} inputs of {self.tokens} tokens; expected at most {MOST_CONTEXTS} contexts"
            )

    @property
    def contexts(self) -> int:
        """How many contexts there are."""
        return int(self.tokens**self.inputs)

    @property
    def functions(self) -> int:
        """How many functions there are."""
        return int(self.outputs**self.contexts)


@dataclass(frozen=True)
class Labelings:
    """All classes of functions of a shape.

    Attributes:
        labels: the least member of each class, in increasing order, shape ``[classes, contexts]``, ``uint8``.
        sizes: how many functions are in the class.
    """

    labels: Array
    sizes: Array


def text_of(labels: Sequence[int] | Array) -> str:
    """Labels as digits, in the order of the contexts.

    >>> text_of([0, 1, 2, 0])
    '0120'
    """
    return "".join(str(int(label)) for label in labels)


def labels_of(texts: Sequence[str]) -> Array:
    """The rows of labels of some texts, shape ``[functions, contexts]``."""
    return np.array([[int(digit) for digit in text] for text in texts], dtype=np.uint8)


def task_of(labels: Sequence[int] | Array, shape: Shape) -> Task:
    """The task of computing a function."""
    return task_of_labels(shape.tokens, shape.outputs, text_of(labels))


def drawn(shape: Shape, many: int, seed: int) -> Array:
    """Functions drawn evenly from all, shape ``[many, contexts]``."""
    draw = np.random.default_rng(seed).integers(0, shape.outputs, (many, shape.contexts))
    return draw.astype(np.uint8)


# ------------------------------------------------------------------------------------------------ symmetries


def movements(shape: Shape, embedding: str) -> Array:
    """Where the symmetries take the value at each context from, shape ``[symmetries, contexts]``.

    >>> movements(Shape(2, 2, 3), "additive").tolist()
    [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3], [3, 1, 2, 0]]
    """
    n, k = shape.inputs, shape.tokens
    sources = np.array(list(product(range(k), repeat=n))).reshape(-1, n)
    place = k ** np.arange(n - 1, -1, -1)
    renamings = np.array(list(permutations(range(k))))
    chosen = product(renamings, repeat=n) if embedding == "joint" else ((each,) * n for each in renamings)
    named = [np.stack([names[sources[:, i]] for i, names in enumerate(each)], axis=1) for each in chosen]
    return np.array([renamed[:, order] @ place for order in permutations(range(n)) for renamed in named])


def number_of_symmetries(shape: Shape, embedding: str) -> int:
    """How many there are, those of outputs counted."""
    renamings = factorial(shape.tokens) ** (shape.inputs if embedding == "joint" else 1)
    return int(factorial(shape.inputs) * renamings * factorial(shape.outputs))


def count_classes(shape: Shape, embedding: str) -> int:
    """How many classes there are: the mean number of functions that a symmetry leaves alone (Burnside).

    With contexts moved in cycles and outputs renamed by σ, a function is left alone if along each cycle its labels go
    on by σ: a cycle of length L has as many choices as σ^L leaves outputs alone.

    Raises:
        InputError: the symmetries are too many to list.

    >>> [count_classes(Shape(n, 2, 2), "joint") for n in (1, 2, 3, 4)]  # OEIS A000370
    [2, 4, 14, 222]
    """
    if number_of_symmetries(shape, embedding) * shape.contexts > _MOST_IMAGES:
        raise InputError(f"{_what(shape)} have too many symmetries to list their classes: ask for a sample")
    moves = movements(shape, embedding)
    lengths = np.zeros(moves.shape, dtype=np.int64)  # of the cycle of each context
    at, step = moves.copy(), 1
    while (lengths == 0).any():
        lengths[(at == np.arange(shape.contexts)) & (lengths == 0)] = step
        at, step = np.take_along_axis(moves, at, axis=1), step + 1
    kinds = Counter(tuple(sorted(Counter(map(int, row)).items())) for row in lengths)
    total = 0
    for renaming in permutations(range(shape.outputs)):
        kept = [shape.outputs]  # by σ^0, σ^1, …
        power = list(range(shape.outputs))
        for _ in range(step):
            power = [renaming[y] for y in power]
            kept.append(sum(y == z for y, z in enumerate(power)))
        for cycles, many in kinds.items():
            fixed = many
            for length, places in cycles:
                fixed *= kept[length] ** (places // length)
            total += fixed
    return total // number_of_symmetries(shape, embedding)


def classes(shape: Shape, embedding: str = "joint") -> Labelings:
    """Every class of functions of a shape, where there are at most 20,000.

    Raises:
        InputError: there are more.

    >>> found = classes(Shape(2, 2, 3))
    >>> [text_of(row) for row in found.labels], found.sizes.tolist()
    (['0000', '0001', '0011', '0012', '0110', '0112'], [3, 24, 12, 24, 6, 12])
    """
    many = count_classes(shape, embedding)
    if many > MOST_CLASSES or shape.functions > _MOST_FUNCTIONS:
        raise InputError(
            f"{_what(shape)} make {many:,} classes ({embedding}); up to {MOST_CLASSES:,} are listed: ask for a sample"
        )
    place = shape.outputs ** np.arange(shape.contexts - 1, -1, -1, dtype=np.int64)
    moves = movements(shape, embedding)
    renamings = np.array(list(permutations(range(shape.outputs))), dtype=np.float64)  # exact, and fast to add up
    seen = np.zeros(shape.functions, dtype=bool)
    labels, sizes, number = [], [], 0
    for _ in range(many):
        number += int(seen[number:].argmin())  # the first that is in no class yet is the least member of its own
        row = number // place % shape.outputs
        images = (renamings[:, row[moves]] @ place.astype(np.float64)).astype(np.int64)
        seen[images] = True
        labels.append(row)
        sizes.append(images.size // int((images == number).sum()))
    return Labelings(np.array(labels, dtype=np.uint8), np.array(sizes, dtype=np.int64))


def _what(shape: Shape) -> str:
    return f"{shape.outputs}^{shape.contexts} functions of {shape.inputs} positions and {shape.tokens} tokens"
