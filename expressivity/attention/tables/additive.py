"""Tables over (position, token) that are sums of a position part and a token part, and those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations

from expressivity.attention.tables.rows import ZERO, Place
from expressivity.errors import InputError

Cells = Mapping[Place, Fraction]


def factor_additive(
    table: Cells, what: str = "the table", times: bool = False
) -> tuple[dict[int, Fraction], dict[str, Fraction]]:
    """Split ``table[i, x] = by_position[i] + by_token[x]`` (a product where ``times``). Exact.

    Cells that the table lacks are free. The split is unique up to what one part gives to the other; here
    the first position of each connected set of cells gets 0 (1 where ``times``).

    Raises:
        InputError: there is no such split, with the smallest evidence: two positions and two tokens whose
            four cells do not add up, or one cell that the others contradict.

    >>> factor_additive({(0, "A"): Fraction(1), (0, "B"): Fraction(2), (1, "A"): Fraction(4)})
    ({0: Fraction(0, 1), 1: Fraction(3, 1)}, {'A': Fraction(1, 1), 'B': Fraction(2, 1)})
    """
    by_position: dict[int, Fraction] = {}
    by_token: dict[str, Fraction] = {}
    neutral = Fraction(1) if times else ZERO
    for start in sorted({i for i, _ in table}):
        if start in by_position:
            continue
        by_position[start] = neutral
        grown = True
        while grown:
            grown = False
            for (i, x), value in table.items():
                if i in by_position and x not in by_token:
                    by_token[x] = value / by_position[i] if times else value - by_position[i]
                    grown = True
                elif x in by_token and i not in by_position:
                    by_position[i] = value / by_token[x] if times else value - by_token[x]
                    grown = True
    for (i, x), value in table.items():
        made = by_position[i] * by_token[x] if times else by_position[i] + by_token[x]
        if made != value:
            raise InputError(_evidence(table, (i, x), made, what, times))
    return dict(sorted(by_position.items())), dict(sorted(by_token.items()))


def spanning(places: Iterable[Place]) -> list[Place]:
    """Places of which every other one is an alternating sum ``p − q + r − …``, each row of the embedding counted.

    They are a spanning forest of the graph in which a place joins its position to its token, taken from the left, so an
    additive table has the same rank on them as on all.

    >>> spanning([(0, "A"), (0, "B"), (1, "A"), (1, "B")])
    [(0, 'A'), (0, 'B'), (1, 'A')]
    """
    root: dict[int | str, int | str] = {}

    def find(node: int | str) -> int | str:
        root.setdefault(node, node)
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    found = []
    for place in places:
        position, token = find(place[0]), find(place[1])
        if position != token:
            root[position] = token
            found.append(place)
    return found


def _evidence(table: Cells, cell: Place, made: Fraction, what: str, times: bool) -> str:
    form = "a position part times a token part" if times else "a position part plus a token part"
    sign = "·" if times else "+"
    positions, tokens = sorted({i for i, _ in table}), sorted({x for _, x in table})
    pairs = sorted(combinations(positions, 2), key=lambda pair: cell[0] not in pair)
    for i, j in pairs:
        for x, y in combinations(tokens, 2):
            if {(i, x), (i, y), (j, x), (j, y)} <= table.keys():
                a, b, c, d = table[i, x], table[j, y], table[i, y], table[j, x]
                if (a * b != c * d) if times else (a + b != c + d):
                    return (
                        f"{what} is not {form}: at positions {i}, {j} and tokens {x!r}, {y!r} it has "
                        f"[{a} {c}; {d} {b}], and {a} {sign} {b} is not {c} {sign} {d}; use the joint embedding"
                    )
    return (
        f"{what} is not {form}: at position {cell[0]} and token {cell[1]!r} it has {table[cell]}, where its "
        f"other entries ask for {made}; use the joint embedding"
    )
