"""The number of heads of many Boolean functions: at least the threshold degree (T1), at most what is found.

Every function gets restart after restart of the search with as many heads as its degree; what is left is tried with
denominators of equal slopes, which do every symmetric function (T4), their numerators by the exact engine; what is left
then, if no few restarts were asked for, by the search for one task, whose linear programs reach where descent does not;
and what is left after that with one head more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat

import numpy as np

from expressivity.census.certificates import integers_of
from expressivity.census.functions import Array, Words, points, signs, task_of
from expressivity.census.witnesses import Embedding, proved, search
from expressivity.heads.search import search_heads
from expressivity.separability import IntegerRows, Separator, separate

RESTARTS = 268
_FIRST = [(1, 300)] * 4 + [(8, 1200)]  # restarts side by side, with so many steps of descent each
_THEN = (32, 4000)
_MORE = 4  # rounds with one head more
_STARTS = 192  # of the search for one task
_UNKNOWN = -1
_WORD = 1 << 62


@dataclass
class HeadCounts:
    """Bounds on heads with the integers that prove them.

    Attributes:
        lower: the degree.
        upper: heads found, −1 if none were.
        denominators, numerators: of each function, shape ``[upper, n + 1]``.
        restarts: how many were tried with ``lower`` heads.
    """

    lower: Array
    upper: Array
    denominators: list[Array] = field(default_factory=list)
    numerators: list[Array] = field(default_factory=list)
    restarts: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def head_counts(
    words: Words,
    degree: Array,
    n: int,
    embedding: Embedding = "joint",
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    device: str | None = None,
) -> HeadCounts:
    """Bounds on the heads of functions whose threshold degrees are known, each upper one proved in integers.

    >>> found = head_counts(np.array([0, 0b1000, 0b0110], dtype=np.uint64), np.array([0, 1, 2]), 2)
    >>> found.lower.tolist(), found.upper.tolist()
    ([0, 1, 2], [0, 1, 2])
    """
    given = np.asarray(words, dtype=np.uint64)
    result = no_heads(degree, n)
    result.upper[degree == 0] = 0
    for heads in range(1, n + 1):
        left = np.flatnonzero(degree == heads)
        for number, (copies, steps) in enumerate(_rounds(restarts)):
            if not len(left):
                break
            of = seed + 1000 * heads + number
            left = _tried(result, given, left, n, heads, embedding, of, copies, steps, device)
            result.restarts[left] += copies
        for i in left:
            _by_equal_slopes(result, given[i : i + 1], int(i), n, heads, embedding)
            if result.upper[i] == _UNKNOWN and restarts >= RESTARTS:
                _by_programs(result, given[i : i + 1], int(i), n, heads, embedding, seed)
        left = left[result.upper[left] == _UNKNOWN]
        for number in range(_MORE):
            if not len(left):
                break
            of = seed + 1000 * heads + 500 + number
            left = _tried(result, given, left, n, heads + 1, embedding, of, 8, 1200, device)
    return result


def no_heads(degree: Array, n: int) -> HeadCounts:
    """What is known of heads before any are looked for: at least the degree."""
    many, empty = len(degree), np.zeros((0, n + 1), dtype=np.int64)
    nothing = np.zeros(many, dtype=np.int64)
    return HeadCounts(degree.copy(), np.full(many, _UNKNOWN), [empty] * many, [empty] * many, nothing)


def _rounds(restarts: int) -> Iterator[tuple[int, int]]:
    """The numbers of restarts side by side, and their steps, that make so many restarts in all."""
    for copies, steps in chain(_FIRST, repeat(_THEN)):
        if restarts <= 0:
            return
        yield min(copies, restarts), steps
        restarts -= copies


def _tried(
    result: HeadCounts,
    words: Words,
    left: Array,
    n: int,
    heads: int,
    embedding: Embedding,
    seed: int,
    copies: int,
    steps: int,
    device: str | None,
) -> Array:
    """Restarts for each of the functions that are left; returns those that still are."""
    tried = np.repeat(left, copies)
    found = search(words[tried], n, heads, embedding, seed=seed, steps=steps, device=device)
    for k in np.flatnonzero(found.found)[::-1]:  # of several the first
        i = int(tried[k])
        result.upper[i] = heads
        result.denominators[i], result.numerators[i] = found.denominators[k], found.numerators[k]
    still: Array = left[result.upper[left] == _UNKNOWN]
    return still


def _by_programs(
    result: HeadCounts, word: Words, where: int, n: int, heads: int, embedding: Embedding, seed: int
) -> None:
    """The search for one task; its tables become integers again."""
    report = search_heads(task_of(int(word[0]), n), heads, embedding=embedding, seed=seed, restarts=_STARTS)
    found = None if report.tables is None else integers_of(report.tables, n)
    if found is not None:
        below, above = (np.array(rows, dtype=object) for rows in found)
        _keep(result, word, where, below, above, embedding)


def _keep(
    result: HeadCounts, word: Words, where: int, denominators: Array, numerators: Array, embedding: Embedding
) -> None:
    """Keep heads in Python integers, if they are proved and fit into a table of words."""
    n = denominators.shape[1] - 1
    if max(abs(int(value)) for rows in (denominators, numerators) for value in rows.ravel()) >= _WORD:
        return
    below, above = denominators.astype(np.int64), numerators.astype(np.int64)
    if proved(word, below[None], above[None], n, embedding)[0]:
        result.upper[where] = len(below)
        result.denominators[where], result.numerators[where] = below, above


def _by_equal_slopes(result: HeadCounts, word: Words, where: int, n: int, heads: int, embedding: Embedding) -> None:
    ones = np.hstack([np.ones((2**n, 1), dtype=np.int64), points(n)])
    denominators = np.ones((heads, n + 1), dtype=np.int64)
    denominators[:, 0] = n + 1 + 2 * np.arange(heads)
    below = denominators @ ones.T
    columns = [below[np.arange(heads) != h].prod(axis=0)[:, None] * ones for h in range(heads)]
    rows = np.hstack(columns) * signs(word, n)[0][:, None].astype(np.int64)
    answer = separate(IntegerRows.from_dense(rows))
    if isinstance(answer, Separator):
        _keep(
            result, word, where, denominators, np.array(answer.weights, dtype=object).reshape(heads, n + 1), embedding
        )
