"""Attacks on T3, a head for each long gram: proofs/T3.md."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proofs.by_hand import Context, Head, Logits, Row, contexts, logits, numbers, rank

TOKENS = ("a", "b", "c")
Gram = dict[int, str]  # position → the token that is wanted there


def solved(rows: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    """The solution of a square system, by elimination in fractions."""
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for k in range(len(table)):
        pivot = next(i for i in range(k, len(table)) if table[i][k])
        table[k], table[pivot] = table[pivot], table[k]
        table[k] = [entry / table[k][k] for entry in table[k]]
        for i in range(len(table)):
            if i != k and table[i][k]:
                table[i] = [a - table[i][k] * b for a, b in zip(table[i], table[k], strict=True)]
    return [row[-1] for row in table]


def mismatches(gram: Gram, context: Context) -> int:
    return sum(context[i] != token for i, token in gram.items())


def ensemble(weights: Sequence[tuple[Gram, Logits]], context: Context) -> list[Fraction]:
    held = [w for gram, w in weights if not mismatches(gram, context)]
    return [sum((w[y] for w in held), Fraction(0)) for y in range(2)]


def gate(gram: Gram, length: int, mismatch: Fraction, written: Logits) -> Head:
    """Odds 1, but ``mismatch`` on tokens that the gram does not want; the destination alone writes."""
    rows: list[Row] = [(i, t) for i in range(length) for t in TOKENS]
    odds = {(i, t): mismatch if gram.get(i, t) != t else Fraction(1) for i, t in rows}
    values: dict[Row, Logits] = dict.fromkeys(rows, (Fraction(0), Fraction(0)))
    return Head(odds | {(length, "q"): Fraction(1)}, values | {(length, "q"): written})


def adder(singles: Sequence[tuple[Gram, Logits]], length: int) -> Head:
    """T2: uniform odds, (T + 1) times the weights of single sources as values."""
    rows: list[Row] = [(i, t) for i in range(length) for t in TOKENS] + [(length, "q")]
    values = {row: (Fraction(0), Fraction(0)) for row in rows}
    for gram, w in singles:
        (row,) = gram.items()
        values[row] = (values[row][0] + (length + 1) * w[0], values[row][1] + (length + 1) * w[1])
    return Head(dict.fromkeys(rows, Fraction(1)), values)


@st.composite
def ensembles(draw: st.DrawFn) -> tuple[int, list[tuple[Gram, Logits]]]:
    length = draw(st.integers(1, 4))
    grams = st.dictionaries(st.integers(0, length - 1), st.sampled_from(TOKENS), max_size=length)
    return length, draw(st.lists(st.tuples(grams, st.tuples(numbers, numbers)), min_size=1, max_size=5))


def parted(weights: list[tuple[Gram, Logits]]) -> tuple[Logits, list[tuple[Gram, Logits]], list[tuple[Gram, Logits]]]:
    """The constant, the single sources, and the long grams."""
    constants = [w for gram, w in weights if not gram]
    direct = (sum((w[0] for w in constants), Fraction(0)), sum((w[1] for w in constants), Fraction(0)))
    singles = [(gram, w) for gram, w in weights if len(gram) == 1]
    return direct, singles, [(gram, w) for gram, w in weights if len(gram) > 1]


@given(ensembles())
def test_gates_keep_more_than_half_of_a_margin(given_ensemble: tuple[int, list[tuple[Gram, Logits]]]) -> None:
    length, weights = given_ensemble
    every = contexts([TOKENS] * length, "q")
    gaps = {x: ensemble(weights, x)[0] - ensemble(weights, x)[1] for x in every}
    least = min((abs(gap) for gap in gaps.values() if gap), default=None)
    if least is None:
        return  # nothing strict is met
    weights = [(gram, (w[0] / least, w[1] / least)) for gram, w in weights]
    direct, singles, long = parted(weights)
    most = sum((abs(w[0] - w[1]) for _, w in long), Fraction(0))
    mismatch = 2 * (1 + length) * most or Fraction(1)
    heads = [adder(singles, length)]
    heads += [gate(gram, length, mismatch, ((1 + length) * w[0], (1 + length) * w[1])) for gram, w in long]
    assert len(heads) == 1 + len(long)
    for x in every:
        if gaps[x]:
            found = logits(x, direct, heads)
            assert (found[0] - found[1]) * (1 if gaps[x] > 0 else -1) > Fraction(1, 2)


@given(ensembles(), st.data())
def test_exact_heads_give_the_very_logits(
    given_ensemble: tuple[int, list[tuple[Gram, Logits]]], data: st.DataObject
) -> None:
    length, weights = given_ensemble
    direct, singles, long = parted(weights)
    heads, path = [adder(singles, length)], list(direct)
    for gram, w in long:
        m = len(gram)
        positive = st.builds(Fraction, st.integers(1, 20), st.sampled_from([1, 2, 3]))
        c = data.draw(st.lists(positive, min_size=m, max_size=m, unique=True))
        system = [[Fraction(1), *(1 / (j + c_h) for c_h in c)] for j in range(m + 1)]
        b, *rho = solved(system, [Fraction(j == 0) for j in range(m + 1)])
        path = [path[y] + b * w[y] for y in range(2)]
        for c_h, r in zip(c, rho, strict=True):
            factor = r * (length + 1) / c_h
            heads.append(gate(gram, length, 1 + (length + 1) / c_h, (factor * w[0], factor * w[1])))
    assert len(heads) == 1 + sum(len(gram) for gram, _ in long)
    for x in contexts([TOKENS] * length, "q"):
        assert list(logits(x, (path[0], path[1]), heads)) == ensemble(weights, x)


@pytest.mark.parametrize("embedding", ["additive", "tokens"])
@settings(max_examples=12)
@given(length=st.integers(1, 3), data=st.data())
def test_any_function_is_interpolated(embedding: str, length: int, data: st.DataObject) -> None:
    every = contexts([TOKENS] * length, "q")
    if embedding == "additive":
        parts = {(i, t): Fraction((k + 1) * 4**i) for i in range(length) for k, t in enumerate(TOKENS)}
    else:
        parts = {(i, t): Fraction((length + 1) ** (k + 1)) for i in range(length) for k, t in enumerate(TOKENS)}
        every = [x for x in every if list(x[:-1]) == sorted(x[:-1])]  # one of each multiset
    points = [sum((parts[row] for row in enumerate(x[:-1])), Fraction(0)) for x in every]
    assert len(set(points)) == len(every)  # s tells them apart
    wanted = [data.draw(st.tuples(numbers, numbers)) for _ in every]
    c = [Fraction(h) for h in range(1, len(every))]
    system = [[Fraction(1), *(1 / (s + c_h) for c_h in c)] for s in points]
    assert rank(system) == len(every)
    columns = [solved(system, [w[y] for w in wanted]) for y in range(2)]
    nothing = (Fraction(0), Fraction(0))
    heads = [
        Head(
            parts | {(length, "q"): c_h},
            dict.fromkeys(parts, nothing) | {(length, "q"): (columns[0][h + 1] / c_h, columns[1][h + 1] / c_h)},
        )
        for h, c_h in enumerate(c)
    ]
    for x, w in zip(every, wanted, strict=True):
        assert logits(x, (columns[0][0], columns[1][0]), heads) == w


@pytest.mark.parametrize("m", range(1, 7))
def test_m_heads_are_the_partial_fractions_of_an_indicator(m: int) -> None:
    """With c = 1, …, m the page's polynomial is ∏ (i − j) · m! / m!, so b is its leading coefficient (−1)^m."""
    c = [Fraction(h) for h in range(1, m + 1)]
    system = [[Fraction(1), *(1 / (j + c_h) for c_h in c)] for j in range(m + 1)]
    b = solved(system, [Fraction(j == 0) for j in range(m + 1)])[0]
    assert b == (-1) ** m * prod(c, start=Fraction(1)) / prod((Fraction(i) for i in range(1, m + 1)), start=Fraction(1))
