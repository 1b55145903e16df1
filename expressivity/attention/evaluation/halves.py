"""The contexts of a domain as pairs of half-sequences: 12^6 of them from twice 12^3 halves.

What a domain asks depends on counts of kinds, and counts of two halves add. So left halves are put into one class when
they ask the same together with every right half, right halves likewise, and the domain is a table of classes: all pairs
of a left and a right class share their requirements, or are no contexts of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from expressivity.attention.tables import Place, occurring
from expressivity.errors import InputError
from expressivity.task import Case, Domain, Requirement, Task

MOST_HALVES = 5_000_000
Counts = tuple[int, ...]
Sequences = NDArray[np.int16]
"""Token numbers, a sequence each row."""
Kinds = list[tuple[int, list[int]]]
"""The number of each kind and the numbers of its tokens."""


@dataclass(frozen=True)
class Halves:
    """The contexts of a domain with one destination place, cut in two.

    Attributes:
        end: the destination and its position.
        left, right: the sequences of each class; they stand before and from the cut on.
        asked: (left class, right class) to what is asked of the contexts that these make.
    """

    end: Place
    left: tuple[Sequences, ...]
    right: tuple[Sequences, ...]
    asked: dict[tuple[int, int], tuple[Requirement, ...]]

    @property
    def n_contexts(self) -> int:
        """How many contexts these are."""
        return sum(len(self.left[i]) * len(self.right[j]) for i, j in self.asked)


def halves(task: Task | Domain, tokens: Sequence[str]) -> Iterator[Halves]:
    """The contexts of a task, one destination place after the other; listed ones have nothing to the right of the cut.

    Args:
        task: what to cut.
        tokens: the vocabulary; sequences hold indices into it.

    Raises:
        InputError: there are too many halves, or a token that the vocabulary has not.

    >>> from expressivity.task import parity_domain
    >>> (cut,) = halves(parity_domain(6), ("0", "1", "="))
    >>> [len(half) for half in cut.left], [len(half) for half in cut.right], cut.n_contexts
    ([4, 4], [4, 4], 64)
    """
    numbers = {token: index for index, token in enumerate(tokens)}
    ends, sources, _ = occurring(task)
    for _, token in (*ends, *sources):
        if token not in numbers:
            raise InputError(f"the model has no token {token!r}; it has {', '.join(tokens)}")
    if not isinstance(task, Domain):
        yield from _listed(task, numbers)
        return
    shapes: dict[tuple[str, tuple[int, ...]], list[Case]] = defaultdict(list)
    for case in task.cases():
        shapes[case.destination, case.lengths].append(case)
    for (end, lengths), cases in shapes.items():
        runs, start = [], 0
        for block, length in zip(task.blocks, lengths, strict=True):
            named = enumerate(block.kinds.values(), start)
            runs.append((length, [(k, [numbers[x] for x in kind if x in numbers]) for k, kind in named]))
            start += len(block.kinds)
        yield _cut((sum(lengths), end), runs, cases, task.name)


def _listed(task: Task, numbers: dict[str, int]) -> Iterator[Halves]:
    groups: dict[Place, dict[tuple[Requirement, ...], list[list[int]]]] = defaultdict(lambda: defaultdict(list))
    for context, asked in zip(task.contexts, task.requirements, strict=True):
        groups[context.length, context.destination][asked].append([numbers[token] for token in context.sources])
    for end, found in groups.items():
        left = tuple(np.array(sequences, np.int16).reshape(len(sequences), end[0]) for sequences in found.values())
        asked_of = {(i, 0): asked for i, asked in enumerate(found)}
        yield Halves(end, left, (np.zeros((1, 0), np.int16),), asked_of)


def _cut(end: Place, runs: list[tuple[int, Kinds]], cases: list[Case], name: str) -> Halves:
    most = [max(column) for column in zip(*(case.counts.values() for case in cases), strict=True)]
    present = [[(k, tokens) for k, tokens in kinds if most[k]] for length, kinds in runs for _ in range(length)]
    sizes = [sum(len(tokens) for _, tokens in kinds) for kinds in present]
    cuts = range(len(sizes) + 1)
    at = min(cuts, key=lambda i: (max(prod(sizes[:i]), prod(sizes[i:])), i))
    left, right = (_sequences(part, most, name) for part in (present[:at], present[at:]))
    wanted = {tuple(case.counts.values()): case.requirements for case in cases}
    rows: dict[Counts, dict[Counts, tuple[Requirement, ...]]] = defaultdict(dict)
    for one, other in product(left, right):
        asked = wanted.get(tuple(a + b for a, b in zip(one, other, strict=True)))
        if asked is not None:
            rows[one][other] = asked
    columns: dict[Counts, dict[Counts, tuple[Requirement, ...]]] = defaultdict(dict)
    for one, row in rows.items():
        for other, asked in row.items():
            columns[other][one] = asked
    above, below = _classes(rows), _classes(columns)
    table = {}
    for i, ones in enumerate(above):
        for j, others in enumerate(below):
            if others[0] in rows[ones[0]]:
                table[i, j] = rows[ones[0]][others[0]]
    return Halves(
        end,
        tuple(np.concatenate([left[counts] for counts in members]) for members in above),
        tuple(np.concatenate([right[counts] for counts in members]) for members in below),
        table,
    )


def _classes(rows: dict[Counts, dict[Counts, tuple[Requirement, ...]]]) -> list[list[Counts]]:
    found: dict[object, list[Counts]] = defaultdict(list)
    for counts, row in rows.items():
        found[frozenset(row.items())].append(counts)
    return list(found.values())


def _sequences(positions: list[Kinds], most: Sequence[int], name: str) -> dict[Counts, Sequences]:
    """All sequences at these positions, by their counts of kinds, none of which is above ``most``."""
    found: dict[Counts, Sequences] = {(0,) * len(most): np.zeros((1, 0), np.int16)}
    for kinds in positions:
        longer: dict[Counts, list[Sequences]] = defaultdict(list)
        for counts, known in found.items():
            for kind, tokens in kinds:
                if counts[kind] < most[kind]:
                    more = (*counts[:kind], counts[kind] + 1, *counts[kind + 1 :])
                    last = np.tile(np.array(tokens, np.int16), len(known))[:, None]
                    longer[more].append(np.hstack([known.repeat(len(tokens), 0), last]))
        if sum(len(known) for parts in longer.values() for known in parts) > MOST_HALVES:
            raise InputError(f"{name}: found over {MOST_HALVES} half-sequences; expected fewer tokens or positions")
        found = {counts: np.concatenate(parts) for counts, parts in longer.items()}
    return found
