"""Attacks on T1, head clearing: proofs/T1.md."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations, product
from math import exp, inf, log, log1p, prod, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proofs.by_hand import (
    Context,
    Head,
    Logits,
    Polynomial,
    Row,
    comparisons,
    contexts,
    heads,
    logits,
    numbers,
    plus,
    positives,
    times,
    total,
    value,
)

EMBEDDINGS = ["joint", "additive", "tokens"]


@st.composite
def models(draw: st.DrawFn, embedding: str) -> tuple[list[Context], Logits, list[Head], bool]:
    """A whole fibre, and up to three heads on it."""
    itself = draw(st.booleans())
    length = draw(st.integers(0 if itself else 1, 3))
    vocabulary = "ABC"[: draw(st.integers(1, 3))]
    destination = draw(st.sampled_from([vocabulary[0], "Q"]))
    outputs = draw(st.integers(1, 3))
    rows = [*product(range(length), vocabulary), (length, destination)]
    some = draw(st.lists(heads(rows, outputs, embedding), max_size=3))
    direct = tuple(draw(numbers) for _ in range(outputs))
    return contexts([vocabulary] * length, destination), direct, some, itself


def affine(head: Head, fibre: list[Context], output: int | None, itself: bool) -> Polynomial:
    """The denominator of a head as a polynomial in indicators, or its numerator for an output."""
    destination = (len(fibre[0]) - 1, fibre[0][-1])
    sources: set[Row] = {row for context in fibre for row in enumerate(context[:-1])}

    def term(row: Row) -> Fraction:
        return head.odds[row] * (1 if output is None else head.values[row][output])

    constant: Polynomial = {frozenset(): term(destination)} if itself else {}
    return plus(constant, {frozenset([row]): term(row) for row in sources})


def cleared(fibre: list[Context], direct: Logits, some: list[Head], itself: bool) -> list[Polynomial]:
    """The weights of the ensemble: for each output, its logit times all denominators, multiplied out."""
    below = [affine(head, fibre, None, itself) for head in some]
    result = []
    for y, b in enumerate(direct):
        terms = [times({frozenset(): b}, total(below))]
        for h, head in enumerate(some):
            terms.append(times(affine(head, fibre, y, itself), total(below[:h] + below[h + 1 :])))
        result.append(plus(*terms))
    return result


def denominator(context: Context, some: list[Head], itself: bool) -> Fraction:
    rows = list(enumerate(context if itself else context[:-1]))
    return prod((sum((head.odds[row] for row in rows), Fraction(0)) for head in some), start=Fraction(1))


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@given(data=st.data())
def test_the_cleared_weights_decide_as_the_heads_do(embedding: str, data: st.DataObject) -> None:
    fibre, direct, some, itself = data.draw(models(embedding))
    weights = cleared(fibre, direct, some, itself)
    assert all(len(monomial) <= len(some) for polynomial in weights for monomial in polynomial)
    for context in fibre:
        from_heads = logits(context, direct, some, attends_to_itself=itself)
        from_weights = tuple(value(polynomial, context) for polynomial in weights)
        factor = denominator(context, some, itself)
        assert factor > 0
        assert from_weights == tuple(factor * logit for logit in from_heads)
        assert comparisons(from_weights) == comparisons(from_heads)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@given(data=st.data())
def test_a_tie_survives(embedding: str, data: st.DataObject) -> None:
    fibre, direct, some, itself = data.draw(models(embedding).filter(lambda model: len(model[1]) > 1))
    tied = data.draw(st.sampled_from(fibre))
    first, second, *_ = logits(tied, direct, some, attends_to_itself=itself)
    direct = (direct[0], direct[1] + first - second, *direct[2:])  # the direct path makes the two equal here
    weights = cleared(fibre, direct, some, itself)
    assert value(weights[0], tied) == value(weights[1], tied)
    for context in fibre:
        scores = tuple(value(polynomial, context) for polynomial in weights)
        assert comparisons(scores) == comparisons(logits(context, direct, some, attends_to_itself=itself))


# Polynomials in counts: a monomial is the sorted tuple of its tokens, a square being a token named twice.
Counts = dict[tuple[str, ...], Fraction]


def product_in_counts(factors: list[Counts]) -> Counts:
    result: Counts = {(): Fraction(1)}
    for factor in factors:
        step: Counts = {}
        for (one, a), (other, b) in product(result.items(), factor.items()):
            monomial = tuple(sorted(one + other))
            step[monomial] = step.get(monomial, Fraction(0)) + a * b
        result = step
    return result


def in_counts(polynomial: Counts, count: Counter[str]) -> Fraction:
    terms = (c * prod(count[token] for token in monomial) for monomial, c in polynomial.items())
    return sum(terms, Fraction(0))


@given(data=st.data())
def test_tokens_clear_into_counts_for_all_lengths_and_destinations_at_once(data: st.DataObject) -> None:
    tokens, outputs, number = "ABQ", 2, data.draw(st.integers(0, 3))
    # Odds belong to a pair of tokens, values to one: they are shared by every length and destination.
    odds = [{pair: data.draw(positives) for pair in product("AQ", tokens)} for _ in range(number)]
    values = [{t: tuple(data.draw(numbers) for _ in range(outputs)) for t in tokens} for _ in range(number)]
    direct = {q: tuple(data.draw(numbers) for _ in range(outputs)) for q in "AQ"}

    def linear(h: int, q: str, y: int | None) -> Counts:
        def term(t: str) -> Fraction:
            return odds[h][q, t] * (1 if y is None else values[h][t][y])

        return {(): term(q), **{(t,): term(t) for t in tokens}}

    weights: dict[tuple[str, int], list[Counts]] = {}
    for q, y in product("AQ", range(outputs)):
        below = [linear(h, q, None) for h in range(number)]
        weights[q, y] = [product_in_counts([{(): direct[q][y]}, *below])]
        for h in range(number):
            weights[q, y].append(product_in_counts([linear(h, q, y), *below[:h], *below[h + 1 :]]))
        assert all(len(monomial) <= number for part in weights[q, y] for monomial in part)

    for q in "AQ":
        for context in [c for length in range(4) for c in contexts([tokens] * length, q)]:
            some = [
                Head(
                    {(i, t): odds[h][q, t] for i, t in enumerate(context)},
                    {(i, t): values[h][t] for i, t in enumerate(context)},
                )
                for h in range(number)
            ]
            count = Counter(context[:-1])
            scores = tuple(
                sum((in_counts(part, count) for part in weights[q, y]), Fraction(0)) for y in range(outputs)
            )
            assert comparisons(scores) == comparisons(logits(context, direct[q], some))


def test_presence_does_not_clear() -> None:
    first, second = ("A", "A", "B", "Q"), ("A", "B", "B", "Q")

    def present(context: Context) -> list[bool]:  # features of `anywhere`, of every order, over A, B, C
        return [set(some) <= set(context[:-1]) for size in range(4) for some in combinations("ABC", size)]

    assert present(first) == present(second)
    rows = [*product(range(3), "AB"), (3, "Q")]
    write = {"A": Fraction(1), "B": Fraction(-1), "Q": Fraction(0)}
    head = Head(dict.fromkeys(rows, Fraction(1)), {row: (write[row[1]],) for row in rows})
    assert logits(first, (Fraction(0),), [head]) == (Fraction(1, 4),)
    assert logits(second, (Fraction(0),), [head]) == (Fraction(-1, 4),)


XOR = {("A", "C", "Q"): 1, ("A", "D", "Q"): -1, ("B", "C", "Q"): -1, ("B", "D", "Q"): 1}
XOR_ROWS = [(0, "A"), (0, "B"), (1, "C"), (1, "D"), (2, "Q")]


@given(head=heads(XOR_ROWS, 1, "joint"), direct=numbers)
def test_no_single_head_decides_xor(head: Head, direct: Fraction) -> None:
    """The corollary, order 4 on one fibre: at least two heads."""
    scores = {x: logits(x, (direct,), [head])[0] for x in XOR}
    assert not all(right * scores[x] > 0 for x, right in XOR.items())


def cross_entropy(margins: list[float]) -> float:
    """The mean of ln(1 + e^−m) over the margins by which the right one of two answers is ahead."""
    return sum(max(-m, 0.0) + log1p(exp(-abs(m))) for m in margins) / len(margins)


@given(weights=st.lists(st.floats(-50, 50), min_size=5, max_size=5))
def test_no_skip_trigrams_are_below_ln_2_on_xor(weights: list[float]) -> None:
    table = dict(zip(["A", "B", "C", "D", "Q"], weights, strict=True))
    margins = [right * sum(table[token] for token in context) for context, right in XOR.items()]
    assert cross_entropy(margins) >= log(2) - 1e-12


def test_one_head_comes_near_half_of_ln_2_on_xor() -> None:
    nearest = inf
    for tenths in range(2, 9):
        small = Fraction(1, 10**tenths)
        odds = {"A": small, "B": 1 / small, "C": Fraction(1), "D": Fraction(1), "Q": small}
        write = {"C": Fraction(sqrt(1 / small)), "D": -Fraction(sqrt(1 / small))}
        head = Head(
            {row: odds[row[1]] for row in XOR_ROWS},
            {row: (write.get(row[1], Fraction(0)),) for row in XOR_ROWS},
        )
        margins = [float(right * logits(x, (Fraction(0),), [head])[0]) for x, right in XOR.items()]
        assert min(margins) < 0  # it decides nothing: one answer given B is wrong
        loss = cross_entropy(margins)
        assert log(2) / 2 < loss < nearest
        nearest = loss
    assert nearest == pytest.approx(log(2) / 2, abs=1e-4)
