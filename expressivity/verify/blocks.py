"""Two heads refuted by a block of coefficients whose rank is too high for them: theorem T10. Floor 0."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations, product
from typing import Any

from expressivity.certificate import rational
from expressivity.errors import Refuted
from expressivity.verify.claim import Argued, Claim, fields_of, hold, items_of, scaled, text_of, whole
from expressivity.verify.combination import combined

CONSTANT = -1  # the coordinate that is 1 in every context; the others are numbers of positions
Point = dict[int, int]  # coordinates of a context, ±1, the constant first
Form = dict[tuple[int, ...], int]  # a linear form in the coefficients of p: of pairs of coordinates, and () for c


def block_obstruction(claim: Claim, proof: object) -> Argued:
    """Whatever p has the signs asked for, and whatever the denominator, no vector is in the kernel of the block."""
    keys = ("pair", "tokens", "rows", "columns", "matrix", "statements")
    given, tokens, rows, columns, matrix, statements = fields_of(proof, "proof", *keys)
    if claim.model["heads"] > 2:
        raise Refuted("model", "the ranks of blocks speak of two heads at most")
    y, z = (claim.output(name) for name in items_of(given, "pair", 2))
    points, size = _points(claim, tokens), len(items_of(rows, "rows"))
    block = [CONSTANT if i is None else whole(i, "a position") for i in [*rows, *items_of(columns, "columns", size)]]
    known = {i for i in points[0] if size == 5 or i != CONSTANT}
    if size not in (4, 5) or len({*block}) < 2 * size or not {*block} <= known:
        raise Refuted("block", "rows and columns must be 4 and 4 different positions, or 5 and 5 with the constant")
    grid = [_integers(row, "matrix", size) for row in items_of(matrix, "matrix", size)]
    shown: dict[Sequence[int], set[Sequence[int]]] = {}
    for statement in items_of(statements, "statements"):
        first, second, listed = fields_of(statement, "a statement", "left", "point", "multipliers")
        left, point = _integers(first, "left", size), _integers(second, "point", size)
        claim.spend(20 * size * size)
        forms = _forms(block, left, [sum(a * b for a, b in zip(row, point, strict=True)) for row in grid])
        for form, multipliers in zip(forms, items_of(listed, "multipliers", len(forms)), strict=True):
            total, common = _total(claim, points, (y, z), multipliers)
            if total != {key: common * value for key, value in form.items() if value}:
                raise Refuted("cancellation", f"for {left!r} and {point!r} the sum is not the form that it should be")
        for sign in (1, -1):
            shown.setdefault(tuple(sign * v for v in point), set()).add(tuple(sign * v for v in left))
    for order, signs in product(permutations(range(size)), product((1, -1), repeat=size)):
        corner, serving = [0] * size, list[set[Sequence[int]]]()
        for k, sign in zip(order, signs, strict=True):
            corner[k] = sign
            serving.append(shown.get(tuple(corner), set()))
        claim.spend(10 + sum(map(len, serving)))
        if not set.intersection(*serving):
            raise Refuted("chambers", f"no left vector serves the chamber of {order!r} with the signs {signs!r}")
    return "inexpressible", None, "no {name} decides the {contexts}"


def _points(claim: Claim, listed: object) -> list[Point]:
    """The contexts in coordinates; a position with one token alone has none. All are in one fibre."""
    kinds = [[text_of(token, "a token") for token in items_of(each, "tokens")] for each in items_of(listed, "tokens")]
    end = len(kinds), claim.contexts[0][0][-1]
    if any(len({*each}) < len(each) or len(each) not in (1, 2) for each in kinds):
        raise Refuted("block", "a position has one token or two different ones")
    points = []
    for number, (tokens, _) in enumerate(claim.contexts):
        if (len(tokens) - 1, tokens[-1]) != end or any(t not in each for t, each in zip(tokens, kinds, strict=False)):
            raise Refuted("block", f"context {number} has another length or destination, or a token not listed")
        hold((number + 1) * len(kinds), 0)
        free = [(i, token, each[0]) for i, (token, each) in enumerate(zip(tokens, kinds, strict=False)) if each[1:]]
        points.append({CONSTANT: 1} | {i: 1 if token == plus else -1 for i, token, plus in free})
    return points


def _integers(value: object, where: str, size: int) -> tuple[int, ...]:
    numbers = [rational(item, where) for item in items_of(value, where, size)]
    if any(number.denominator > 1 or abs(number) > 10**6 for number in numbers):
        raise Refuted("block", f"{where} must hold integers of at most a million")
    return tuple(map(int, numbers))


def _forms(block: Sequence[int], y: Sequence[int], g: Sequence[int]) -> list[Form]:
    """The forms y·M g of a block M; with size 4, at the four extreme values of y·D and of g·D (see T10)."""
    rows, columns = block[: len(y)], block[len(y) :]
    pairs = product(zip(rows, y, strict=True), zip(columns, g, strict=True))
    form: Form = {(min(i, j), max(i, j)): a * b for (i, a), (j, b) in pairs}
    most_y, most_g = max(map(abs, y)), max(map(abs, g))
    sides = [(rows, y, most_g), (rows, y, -most_g), (columns, g, most_y), (columns, g, -most_y)]
    shifted = [form | {(CONSTANT, i): -most * v for i, v in zip(*side, strict=True)} for *side, most in sides]
    return [form] if len(y) == 5 else shifted


def _total(claim: Claim, points: Sequence[Point], pair: tuple[str, str], listed: object) -> tuple[Form, int]:
    """Σ multiplier × p(x) for the comparisons of one pair, over the common denominator that is returned too."""
    used, _ = combined(claim, listed)
    factors, common = scaled(multiplier for *_, multiplier in used)
    total: dict[Any, int] = {}
    for (number, y, z, _), factor in zip(used, factors, strict=True):
        if (y, z) not in (pair, pair[::-1]):
            raise Refuted("comparison", f"context {number} compares {y!r} and {z!r}; the block is of {pair!r}")
        x, value = points[number], factor if (y, z) == pair else -factor
        claim.spend(3 * len(x) ** 2, value.bit_length())
        hold(len(x) ** 2, value.bit_length())
        for i, j in combinations(x, 2):
            total[i, j] = total.get((i, j), 0) + value * x[i] * x[j]
        total[()] = total.get((), 0) + value
    return {key: value for key, value in total.items() if value}, common
