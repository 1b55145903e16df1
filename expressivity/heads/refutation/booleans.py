"""The Boolean parts of a task: one length and destination, two outputs, and at each position two tokens at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

from expressivity.separability.rows import Array
from expressivity.task import Task, Tie, Top

Kinds = tuple[tuple[str, ...], ...]  # the tokens of each position

MOST_CHOICES = 64  # of two tokens at each position of a fibre that has more of them
MOST_CONTEXTS = (1024, 4096)  # of a part


@dataclass(frozen=True)
class BooleanPart:
    """Contexts as points of a cube, with a sign for each.

    Attributes:
        task: these contexts alone.
        pair: the outputs (y, z) that are compared.
        tokens: at each position one token, or two, of which the first is +1.
        free: the positions with two.
        points: ±1 for each context and free position.
        signs: +1 where y is to be above z, −1 where z is to be above y.
    """

    task: Task
    pair: tuple[str, str]
    tokens: Kinds
    free: tuple[int, ...]
    points: Array
    signs: Array


def boolean_parts(task: Task, least: int, tick: Callable[[], None] = lambda: None) -> Iterator[BooleanPart]:
    """Boolean parts with so many free positions, those of the largest fibres first.

    Where positions have more than two tokens, some choices of two are tried; where there are many contexts, the last
    positions are fixed until there are few, and then until there are not too many. ``tick`` is called for each part.

    >>> from expressivity.task import bits
    >>> [part.free for part in boolean_parts(bits("0110"), 2)]
    [(0, 1)]
    """
    for (length, _), numbers in sorted(task.fibres().items(), key=lambda item: -len(item[1])):
        kinds = [sorted({task.contexts[n][i] for n in numbers}) for i in range(length)]
        if sum(len(kind) > 1 for kind in kinds) < least:
            continue
        for chosen in islice(product(*(_two_of(kind) for kind in kinds)), MOST_CHOICES):
            fitting = [n for n in numbers if all(t in pair for t, pair in zip(task.contexts[n], chosen, strict=False))]
            for kept in dict.fromkeys(_cut(task, fitting, most) for most in MOST_CONTEXTS):
                for pair in combinations(task.outputs, 2):
                    tick()
                    part = _part(task, kept, pair, chosen)
                    if part is not None and len(part.free) >= least:
                        yield part


def _cut(task: Task, numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """No more contexts than these: those that share the most frequent tokens at the last positions."""
    for i in reversed(range(task.contexts[numbers[0]].length if numbers else 0)):
        if len(numbers) > most:
            counts = Counter(task.contexts[n][i] for n in numbers)
            token = min(counts, key=lambda t: (-counts[t], t))
            numbers = [n for n in numbers if task.contexts[n][i] == token]
    return tuple(numbers)


def subcubes(part: BooleanPart, kept: Sequence[int], most: int) -> Iterator[BooleanPart]:
    """Parts with these free positions alone, the others fixed in some ways, those with most contexts first.

    >>> from expressivity.task import parity
    >>> [sub.tokens for sub in subcubes(next(boolean_parts(parity(3), 3)), [0, 2], 1)]
    [(('0', '1'), ('0',), ('0', '1'))]
    """
    fixed = [i for i in part.free if i not in kept]
    groups: dict[tuple[str, ...], list[int]] = {}
    for n, context in enumerate(part.task.contexts):
        groups.setdefault(tuple(context[i] for i in fixed), []).append(n)
    for _, numbers in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:most]:
        smaller = _part(part.task, numbers, part.pair, part.tokens)
        if smaller is not None and len(smaller.free) == len(kept):
            yield smaller


def _two_of(kind: list[str]) -> list[tuple[str, ...]]:
    return [*combinations(kind, 2)] if len(kind) > 2 else [tuple(kind)]


def _part(task: Task, numbers: Sequence[int], pair: tuple[str, str], kinds: Kinds) -> BooleanPart | None:
    signs = {}
    for n in numbers:
        listed = [asked.outputs for asked in task.requirements[n] if isinstance(asked, Top | Tie)]
        for sign, (above, below) in ((1, pair), (-1, pair[::-1])):
            if any(above in outputs and below not in outputs for outputs in listed):
                signs[n] = sign
    if len({*signs.values()}) < 2:
        return None
    contexts = [task.contexts[n] for n in signs]
    tokens = tuple(tuple(t for t in kind if any(c[i] == t for c in contexts)) for i, kind in enumerate(kinds))
    free = tuple(i for i, kind in enumerate(tokens) if len(kind) == 2)
    points = np.array([[1 if c[i] == tokens[i][0] else -1 for i in free] for c in contexts]).reshape(len(signs), -1)
    return BooleanPart(task.restrict(signs), pair, tokens, free, points, np.array([*signs.values()]))
