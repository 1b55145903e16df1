"""A task cut into parts that share no weight, its comparisons kept as arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from expressivity.skipgrams import SkipGrams
from expressivity.skipgrams.encode import Ints
from expressivity.task import Comparison, Context, Task

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """Contexts that share no feature with the others of their task, and their comparisons, context by context.

    Attributes:
        contexts: numbers of contexts of the task, ``[n]``.
        owner: for each comparison, which of ``contexts`` it is about; ascending, ``[m]``.
        above, below: for each comparison two numbers of outputs, ``[m]``.
        equal: whether these are to be equal, ``[m]``.
    """

    contexts: list[int]
    owner: Ints
    above: Ints
    below: Ints
    equal: Mask

    def __len__(self) -> int:
        return len(self.owner)

    def comparisons(self, task: Task, rows: Ints | None = None) -> Iterator[Comparison]:
        """All comparisons, or the listed ones, as values; their ``context`` counts within the part."""
        chosen = [each if rows is None else each[rows] for each in (self.owner, self.above, self.below, self.equal)]
        for owner, above, below, equal in zip(*(each.tolist() for each in chosen), strict=True):
            yield Comparison(owner, task.outputs[above], task.outputs[below], equal)


def parts(task: Task, model: SkipGrams) -> list[Part]:
    """Cut a task into parts that the model class decides apart.

    Features hold the destination, and in absolute positions the length, so that contexts which differ there have no
    weight in common. With every order at once a feature is a class of contexts that no order tells apart, so that
    each class is a part.

    >>> task = Task.from_strings(["AQX", "BQY", "ARX"])
    >>> [part.contexts for part in parts(task, SkipGrams(3))]
    [[0, 1], [2]]
    """
    key = _key(model)
    groups: dict[Hashable, list[int]] = {}
    for i, context in enumerate(task.contexts):
        groups.setdefault(key(context), []).append(i)
    kinds, listed = _asked(task)
    return [_part(members, kinds, listed) for members in groups.values()]


def _key(model: SkipGrams) -> Callable[[Context], Hashable]:
    """What contexts must have in common to share a feature."""
    if model.order is None:
        if model.positions == "absolute":
            return lambda context: context
        if model.positions == "anywhere":
            return lambda context: (context[-1], frozenset(context[:-1]))
        return lambda context: (context[-1], tuple(sorted(context[:-1])))
    if model.positions == "absolute":
        return lambda context: (len(context), context[-1])
    return lambda context: context[-1]


def _asked(task: Task) -> tuple[Ints, list[Ints]]:
    """Contexts that ask the same have one number; for each number ``[comparisons, 3]``: above, below, equal."""
    number: dict[int, int] = {}
    kinds = np.fromiter(
        (number.setdefault(id(asked), len(number)) for asked in task.requirements), np.int64, len(task.contexts)
    )
    place = {output: k for k, output in enumerate(task.outputs)}
    listed = []
    for first in np.unique(kinds, return_index=True)[1].tolist():
        pairs = [(place[above], place[below], int(equal)) for above, below, equal in task.pairs(first)]
        listed.append(np.array(pairs, dtype=np.int32).reshape(-1, 3))
    return kinds, listed


def _part(contexts: list[int], kinds: Ints, listed: list[Ints]) -> Part:
    here, local = np.unique(kinds[contexts], return_inverse=True)
    tables = [listed[kind] for kind in here.tolist()]
    many = np.array([len(table) for table in tables])
    starts = np.cumsum(many) - many
    held = many[local]
    owner = np.repeat(np.arange(len(contexts), dtype=np.int32), held)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(held) - held, held)
    every = np.concatenate(list(chain(tables, [np.empty((0, 3), dtype=np.int32)])))
    pairs = every[starts[local][owner] + within]
    return Part(contexts, owner, pairs[:, 0].copy(), pairs[:, 1].copy(), pairs[:, 2] != 0)
