"""Attention, skip-n-grams and their polynomials by the definitions, in fractions: nothing of the library's.

A *row* is a (position, token); a context is its tokens, the destination last. A polynomial in the indicators
``[x_i = t]`` maps the set of rows in a monomial to its coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from operator import add, mul
from typing import NamedTuple

from hypothesis import strategies as st

Row = tuple[int, str]
Context = tuple[str, ...]
Logits = tuple[Fraction, ...]
Polynomial = dict[frozenset[Row], Fraction]


class Head(NamedTuple):
    """The odds of each row of a fibre, destination included, and the values that it writes on each output."""

    odds: Mapping[Row, Fraction]
    values: Mapping[Row, Logits]


def logits(
    context: Context, direct: Logits, heads: Sequence[Head], *, attends_to_itself: bool = True
) -> Logits:
    """The direct path plus, for each head, the average of the values weighted by the odds."""
    rows = list(enumerate(context))
    if not attends_to_itself:
        rows.pop()
    result = list(direct)
    for head in heads:
        whole = sum((head.odds[row] for row in rows), Fraction(0))
        for y in range(len(result)):
            result[y] += sum((head.odds[row] * head.values[row][y] for row in rows), Fraction(0)) / whole
    return tuple(result)


def contexts(places: Sequence[Sequence[str]], destination: str) -> list[Context]:
    """All contexts with one of the given tokens at each place."""
    return [(*sources, destination) for sources in product(*places)]


def sign(number: Fraction) -> int:
    return (number > 0) - (number < 0)


def comparisons(scores: Logits) -> list[int]:
    """For each pair of outputs, which of the two is above, or 0 for a tie."""
    return [sign(above - below) for above in scores for below in scores]


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """The product, where a row squared is itself and two tokens in one place are never there together."""
    result: Polynomial = {}
    for (one, a), (other, b) in product(left.items(), right.items()):
        monomial = one | other
        if len({position for position, _ in monomial}) == len(monomial):
            result[monomial] = result.get(monomial, Fraction(0)) + a * b
    return result


def plus(*polynomials: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for polynomial in polynomials:
        for monomial, coefficient in polynomial.items():
            result[monomial] = result.get(monomial, Fraction(0)) + coefficient
    return result


def value(polynomial: Polynomial, context: Context) -> Fraction:
    sources = set(enumerate(context[:-1]))
    return sum((c for monomial, c in polynomial.items() if monomial <= sources), Fraction(0))


def total(factors: Sequence[Polynomial]) -> Polynomial:
    result: Polynomial = {frozenset(): Fraction(1)}
    for factor in factors:
        result = times(result, factor)
    return result


def rank(rows: Sequence[Sequence[int | Fraction]]) -> int:
    """Rank by elimination in fractions."""
    left = [[Fraction(entry) for entry in row] for row in rows]
    found = 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((row for row in left[found:] if row[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        left.insert(found, pivot)
        for i in range(found + 1, len(left)):
            if left[i][column]:
                ratio = left[i][column] / pivot[column]
                left[i] = [a - ratio * b for a, b in zip(left[i], pivot, strict=True)]
        found += 1
    return found


# Small numbers with small denominators: ties happen, and nothing overflows a reader's head.
numbers = st.builds(Fraction, st.integers(-4, 4), st.sampled_from([1, 2, 3]))
positives = st.builds(Fraction, st.integers(1, 5), st.sampled_from([1, 2, 3]))


@st.composite
def heads(draw: st.DrawFn, rows: Sequence[Row], outputs: int, embedding: str) -> Head:
    """A random head on these rows: free tables, sums of a token's and a position's part, or tokens alone."""

    def table(numbers: st.SearchStrategy[Fraction]) -> dict[Row, Fraction]:
        return {row: draw(numbers) for row in rows}

    def split(
        numbers: st.SearchStrategy[Fraction], join: Callable[[Fraction, Fraction], Fraction]
    ) -> dict[Row, Fraction]:
        of_token = {token: draw(numbers) for token in sorted({token for _, token in rows})}
        if embedding == "tokens":
            return {(i, token): of_token[token] for i, token in rows}
        of_position = {i: draw(numbers) for i in sorted({i for i, _ in rows})}
        return {(i, token): join(of_position[i], of_token[token]) for i, token in rows}

    if embedding == "joint":
        odds, columns = table(positives), [table(numbers) for _ in range(outputs)]
    else:
        odds = split(positives, mul)
        columns = [split(numbers, add) for _ in range(outputs)]
    return Head(odds, {row: tuple(column[row] for column in columns) for row in rows})
