"""How many bits a model must carry from one part of the sources to the rest: theorem T9.

Cut the sources of a fibre in two. If each head's mass and written sums over the first part are kept in p bits each,
then ``H · (d_head + 1) · p ≥ log₂ R`` for every R of its arrangements that the rest tells apart, two by two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from expressivity.task import Context, Task

MOST_WORK = 500_000  # contexts times cuts
MOST_ROWS = 4_096  # of one cut, two by two
Pairs = frozenset[tuple[str, str, bool]]


@dataclass(frozen=True)
class Precision:
    """The best cut found.

    Attributes:
        length, destination: the fibre.
        cut: the positions of the first part.
        rows: arrangements of these positions that ask for contrary things, two by two: as many values are needed.
        whole: whether every cut was looked at.
    """

    length: int
    destination: str
    cut: tuple[int, ...]
    rows: int
    whole: bool

    @property
    def bits(self) -> int:
        """The least whole number of bits with so many values: ``H · (d_head + 1) · p`` is at least this."""
        return (self.rows - 1).bit_length()

    def least_bits(self, heads: int, d_head: int) -> int:
        """The least p for so many heads of that width.

        >>> Precision(4, "=", (0, 1), 5, True).least_bits(1, 1)
        2
        """
        return -(-self.bits // (heads * (d_head + 1)))


def precision_bound(task: Task) -> Precision | None:
    """The cut of a fibre that needs most bits; ``None`` if no cut needs any. Exact.

    Arrangements u and v of the first part are told apart if some arrangement w of the rest makes contexts of the task
    of both, and no logits meet what is asked of (u, w) and of (v, w) at once. Arrangements are collected one after the
    other as long as all of them are told apart; with a full domain and labels the number is that of the distinct rows
    of the communication matrix.

    >>> from expressivity.task import parity, bits
    >>> found = precision_bound(parity(4))
    >>> found.rows, found.bits
    (2, 1)
    >>> equal = bits("".join(str(int(i == j)) for i in range(8) for j in range(8)))  # two numbers of 3 bits
    >>> found = precision_bound(equal)
    >>> found.cut, found.rows, found.bits
    ((0, 1, 2), 8, 3)
    """
    best: Precision | None = None
    for (length, destination), members in task.fibres().items():
        contexts = [task.contexts[i] for i in members]
        asked = [frozenset(task.pairs(i)) for i in members]
        whole = len(members) << length <= MOST_WORK
        for cut in _cuts(length, whole):
            found = _apart(contexts, asked, cut)
            if found > 1 and (best is None or found > best.rows):
                best = Precision(length, destination, cut, found, whole)
    return best


def _cuts(length: int, whole: bool) -> Iterable[tuple[int, ...]]:
    """Parts of the positions, neither empty nor all; where there are too many, what a reader has seen at each point."""
    if not whole:
        return (tuple(range(k)) for k in range(1, length))
    return (cut for size in range(1, length) for cut in combinations(range(length), size))


def _apart(contexts: Sequence[Context], asked: Sequence[Pairs], cut: Sequence[int]) -> int:
    """How many arrangements of the cut are told apart two by two, as far as one pass finds."""
    rest = [i for i in range(contexts[0].length) if i not in cut]
    rows: dict[tuple[str, ...], dict[tuple[str, ...], Pairs]] = {}
    for context, pairs in zip(contexts, asked, strict=True):
        rows.setdefault(tuple(context[i] for i in cut), {})[tuple(context[i] for i in rest)] = pairs
    distinct = list({frozenset(row.items()): row for row in rows.values()}.values())[:MOST_ROWS]
    chosen: list[dict[tuple[str, ...], Pairs]] = []
    for row in sorted(distinct, key=len, reverse=True):
        if all(_contrary_rows(row, other) for other in chosen):
            chosen.append(row)
    return len(chosen)


def _contrary_rows(one: dict[tuple[str, ...], Pairs], other: dict[tuple[str, ...], Pairs]) -> bool:
    small, large = sorted((one, other), key=len)
    return any(end in large and large[end] != pairs and contrary(pairs, large[end]) for end, pairs in small.items())


@lru_cache(maxsize=65_536)
def contrary(one: Pairs, other: Pairs) -> bool:
    """Whether no logits meet both: the comparisons together have a cycle with a strict one in it.

    >>> contrary(frozenset({("T", "F", False)}), frozenset({("F", "T", False)}))
    True
    >>> contrary(frozenset({("T", "F", False)}), frozenset({("T", "G", False)}))
    False
    """
    edges: dict[str, set[str]] = {}
    strict = []
    for above, below, equal in one | other:
        edges.setdefault(above, set()).add(below)
        if equal:
            edges.setdefault(below, set()).add(above)
        else:
            strict.append((above, below))
    return any(above in _reached(edges, below) for above, below in strict)


def _reached(edges: dict[str, set[str]], start: str) -> set[str]:
    seen, left = {start}, [start]
    while left:
        for following in edges.get(left.pop(), ()):
            if following not in seen:
                seen.add(following)
                left.append(following)
    return seen
