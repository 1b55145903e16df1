"""Attacks on T10, two heads leave a block of low rank: proofs/T10.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proofs.by_hand import Context, Head, Row, contexts, heads, logits, numbers, rank

EMBEDDINGS = ["joint", "additive", "tokens"]
Signs = tuple[int, ...]
Matrix = list[list[Fraction]]
HADAMARD = [(1, 1, 1, 1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1)]
NIL = Fraction(0)


def signs(context: Context) -> Signs:
    return tuple({"A": 1, "B": -1}[source] for source in context[:-1])


def whole(head: Head, context: Context, itself: bool) -> Fraction:
    rows = list(enumerate(context))
    return sum((head.odds[row] for row in (rows if itself else rows[:-1])), NIL)


def coefficients(values: Mapping[Signs, Fraction], monomials: Sequence[Signs]) -> dict[Signs, Fraction]:
    """Of the function on the cube with these values, by orthogonality of the monomials."""
    return {m: sum((v * prod(x[i] for i in m) for x, v in values.items()), NIL) / len(values) for m in monomials}


def denominator(head: Head, length: int, destination: str, itself: bool) -> list[Fraction]:
    """D_1 … D_T, for D_0 = 1."""
    slopes = [(head.odds[i, "A"] - head.odds[i, "B"]) / 2 for i in range(length)]
    middle = sum(((head.odds[i, "A"] + head.odds[i, "B"]) / 2 for i in range(length)), NIL)
    middle += head.odds[length, destination] if itself else 0
    return [slope / middle for slope in slopes]


class Cleared:
    """p for two random heads, by evaluation on the whole cube: the symmetric table of its coefficients."""

    def __init__(self, data: st.DataObject, embedding: str, length: int) -> None:
        self.itself = data.draw(st.booleans())
        destination = data.draw(st.sampled_from("AQ"))
        rows: list[Row] = [*product(range(length), "AB"), (length, destination)]
        self.heads = [data.draw(heads(rows, 2, embedding)) for _ in range(data.draw(st.integers(0, 2)))]
        direct = (data.draw(numbers), data.draw(numbers))
        self.values = {}
        for context in contexts(["AB"] * length, destination):
            y, z = logits(context, direct, self.heads, attends_to_itself=self.itself)
            self.values[signs(context)] = (y - z) * prod(whole(h, context, self.itself) for h in self.heads)
        monomials = [m for k in range(3) for m in combinations(range(length), k)]
        found = coefficients(self.values, monomials)
        for x, value in self.values.items():
            assert value == sum(c * prod(x[i] for i in m) for m, c in found.items())  # the degree is 2
        self.q = {(i + 1, j + 1): found[i, j] for i, j in combinations(range(length), 2)}
        self.q |= {(0, i + 1): found[(i,)] for i in range(length)}
        self.denominators = [[NIL, *denominator(h, length, destination, self.itself)] for h in self.heads]

    def entry(self, i: int, j: int) -> Fraction:
        return self.q[min(i, j), max(i, j)]

    def block(self, rows: Sequence[int], columns: Sequence[int], d: Sequence[Fraction] = ()) -> Matrix:
        """M(D), and K if there is no D."""
        if not d:
            return [[self.entry(i, j) for j in columns] for i in rows]
        return [[self.entry(i, j) - d[i] * self.entry(0, j) - d[j] * self.entry(0, i) for j in columns] for i in rows]


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@settings(max_examples=25)
@given(data=st.data())
def test_two_heads_leave_the_ranks_that_are_claimed(embedding: str, data: st.DataObject) -> None:
    length = data.draw(st.integers(4, 7))
    model = Cleared(data, embedding, length)
    for d in model.denominators:
        assert sum(map(abs, d)) < 1
    for _ in range(4):
        cut = data.draw(st.permutations(range(length + 1)))
        at = data.draw(st.integers(1, length))
        rows, columns = sorted(cut[:at]), sorted(cut[at:])
        assert rank(model.block(rows, columns)) <= 4
        without = [i for i in rows if i], [j for j in columns if j]
        for d in model.denominators:
            assert rank(model.block(*without, d)) <= 3


def test_the_bounds_are_reached() -> None:
    """Two heads whose blocks have rank 4 and 3: neither bound can be lowered."""
    odds = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 4, 5, 2]]
    values = [[3, 0, -2, 5, 1, 1, 4, -3, 2, 2, 0, 7, -1, 3, 6, 1], [1, 4, 1, -4, 2, 1, 3, 5, 6, 2, 3, 7, 3, 0, 9, 5]]
    places = [*product(range(8), "AB")]
    tables = [
        Head(
            {**{p: Fraction(o) for p, o in zip(places, os, strict=True)}, (8, "Q"): Fraction(1)},
            {**{p: (Fraction(v), NIL) for p, v in zip(places, vs, strict=True)}, (8, "Q"): (NIL, NIL)},
        )
        for os, vs in zip(odds, values, strict=True)
    ]
    p = {}
    for context in contexts(["AB"] * 8, "Q"):
        y, z = logits(context, (Fraction(2), NIL), tables)
        p[signs(context)] = (y - z) * prod(whole(h, context, True) for h in tables)
    found = coefficients(p, [m for k in range(3) for m in combinations(range(8), k)])
    model = Cleared.__new__(Cleared)
    model.q = {(i + 1, j + 1): found[i, j] for i, j in combinations(range(8), 2)}
    model.q |= {(0, i + 1): found[(i,)] for i in range(8)}
    rows, columns = (1, 2, 3, 4), (5, 6, 7, 8)
    assert rank(model.block(rows, columns)) == 4
    for head in tables:
        assert rank(model.block(rows, columns, [NIL, *denominator(head, 8, "Q", True)])) == 3


@pytest.mark.parametrize("size", [4, 5])
@given(data=st.data())
def test_every_vector_is_a_sum_of_corners_of_its_chamber(size: int, data: st.DataObject) -> None:
    v = data.draw(st.lists(numbers, min_size=size, max_size=size))
    order = sorted(range(size), key=lambda i: -abs(v[i]))
    corner, total = [0] * size, [NIL] * size
    for k, i in enumerate(order):
        corner[i] = 1 if v[i] >= 0 else -1
        share = abs(v[i]) - (abs(v[order[k + 1]]) if k + 1 < size else 0)
        assert share >= 0
        total = [t + share * c for t, c in zip(total, corner, strict=True)]
    assert total == v


@given(data=st.data())
def test_four_forms_stand_for_every_denominator(data: st.DataObject) -> None:
    """y · M(D) g is at least the least of the four, for D in the ball; and that is attained at some ±e_i."""
    vector = st.lists(st.integers(-5, 5), min_size=4, max_size=4)
    y, g, l_i, l_j, k = (data.draw(vector) for _ in range(5))  # k is y · K g spread over four entries
    base = sum(k)

    def dot(a: Sequence[Fraction | int], b: Sequence[Fraction | int]) -> Fraction | int:
        return sum(p * q for p, q in zip(a, b, strict=True))

    def at(d: Sequence[Fraction | int]) -> Fraction | int:
        return base - dot(y, d[:4]) * dot(l_j, g) - dot(y, l_i) * dot(d[4:], g)

    most_y, most_g = max(map(abs, y)), max(map(abs, g))
    four = [base + s * most_g * dot(y, l_i) for s in (1, -1)] + [base + s * most_y * dot(l_j, g) for s in (1, -1)]
    units = [[s * (i == j) for j in range(8)] for i in range(8) for s in (1, -1)]
    assert min(map(at, units)) == min(four)
    weights = data.draw(st.lists(st.integers(-9, 9), min_size=8, max_size=8))
    size = sum(map(abs, weights)) + data.draw(st.integers(1, 5))
    assert at([Fraction(w, size) for w in weights]) >= min(four)


@settings(max_examples=25)
@given(data=st.data())
def test_two_heads_never_read_the_signed_selector(data: st.DataObject) -> None:
    """Whatever the matrix of signs, if it is regular: some context of x and ± a column has the wrong sign."""
    model = Cleared(data, data.draw(st.sampled_from(EMBEDDINGS)), 8)
    right = [
        model.values[(*x, *(n * v for v in HADAMARD[j]))] * n * x[j] > 0
        for x in product((1, -1), repeat=4)
        for j in range(4)
        for n in (1, -1)
    ]
    assert not all(right)


def test_what_the_differences_of_the_selector_are() -> None:
    """The identities of the page, for coefficients that are all different."""
    c, l_i, l_j = 7, [3, -5, 11, 2], [13, -4, 6, 17]
    k = [[19, 23, -29, 31], [37, -41, 43, 47], [53, 59, 61, -67], [71, 73, -79, 83]]
    own = {pair: 101 + 2 * n for n, pair in enumerate(combinations(range(4), 2))}

    def p(x: Sequence[int], y: Sequence[int]) -> int:
        linear = sum(a * b for a, b in zip([*l_i, *l_j], [*x, *y], strict=True))
        mixed = sum(k[i][j] * x[i] * y[j] for i in range(4) for j in range(4))
        return c + linear + mixed + sum(w * (x[i] * x[j] - 3 * y[i] * y[j]) for (i, j), w in own.items())

    for s in product((1, -1), repeat=4):
        minus = [-bit for bit in s]
        for v in HADAMARD:
            w = [-value for value in v]
            block = sum(k[i][j] * s[i] * v[j] for i in range(4) for j in range(4))
            on_y = sum(a * b for a, b in zip(l_j, v, strict=True))
            on_x = sum(a * b for a, b in zip(l_i, s, strict=True))
            assert p(s, v) - p(s, w) == 2 * block + 2 * on_y
            assert p(minus, w) - p(minus, v) == 2 * block - 2 * on_y
            assert p(s, v) - p(minus, v) == 2 * block + 2 * on_x
            assert p(minus, w) - p(s, w) == 2 * block - 2 * on_x
