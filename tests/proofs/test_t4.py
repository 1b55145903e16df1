"""Attacks on T4, parity is exact: proofs/T4.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, pairwise, permutations, product
from math import comb, factorial, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proofs.by_hand import Context, Head, Logits, Row, contexts, logits, numbers, rank, sign

Bits = tuple[int, ...]
Places = list[tuple[str, str]]  # at each position the token of bit 0 and that of bit 1


def conjunctions(length: int, most: int) -> list[dict[int, int]]:
    """Each demands certain bits at no more than `most` positions."""
    return [
        dict(zip(positions, bits, strict=True))
        for size in range(most + 1)
        for positions in combinations(range(length), size)
        for bits in product((0, 1), repeat=size)
    ]


def holds(conjunction: dict[int, int], bits: Bits) -> bool:
    return all(bits[i] == bit for i, bit in conjunction.items())


@pytest.mark.parametrize("k", range(1, 9))
def test_every_conjunction_of_fewer_than_k_sources_is_as_often_even_as_odd(k: int) -> None:
    cube = list(product((0, 1), repeat=k))
    for conjunction in conjunctions(k, k - 1):
        count = Counter(sum(bits) % 2 for bits in cube if holds(conjunction, bits))
        assert count[0] == count[1] == 2 ** (k - len(conjunction) - 1)


@pytest.mark.parametrize("k", range(1, 7))
def test_the_obstruction_is_irreducible(k: int) -> None:
    """The 2^k comparisons have rank 2^k − 1: up to a factor, they cancel in one way only."""
    rows = [
        [(-1) ** sum(bits) * holds(conjunction, bits) for conjunction in conjunctions(k, k - 1)]
        for bits in product((0, 1), repeat=k)
    ]
    assert not any(map(sum, zip(*rows, strict=True)))
    assert rank(rows) == 2**k - 1


@pytest.mark.parametrize("k", range(1, 9))
def test_every_monomial_in_counts_of_degree_below_k_cancels(k: int) -> None:
    for size in range(k):
        for monomial in combinations_with_replacement((0, 1), size):
            signed = [
                (-1) ** sum(bits) * prod(bits.count(token) for token in monomial)
                for bits in product((0, 1), repeat=k)
            ]
            assert sum(signed) == 0


@given(data=st.data())
def test_averaging_over_permutations_leaves_a_polynomial_of_the_same_degree(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 5))
    degree = data.draw(st.integers(0, length))
    monomials = [some for size in range(degree + 1) for some in combinations(range(length), size)]
    weights = {some: data.draw(numbers) for some in monomials}

    def average(ones: int) -> Fraction:
        bits = (1,) * ones + (0,) * (length - ones)
        values = [
            sum(w for some, w in weights.items() if all(order[i] for i in some))
            for order in permutations(bits)
        ]
        return Fraction(sum(values), factorial(length))

    averages = [average(ones) for ones in range(length + 1)]
    assert averages == [
        sum(w * Fraction(comb(ones, len(some)), comb(length, len(some))) for some, w in weights.items())
        for ones in range(length + 1)
    ]
    for _ in range(degree + 1):  # a polynomial of degree d has no differences of order d + 1
        averages = [after - before for before, after in pairwise(averages)]
    assert not any(averages)


def changes(wanted: Bits) -> list[int]:
    return [j for j in range(len(wanted) - 1) if wanted[j] != wanted[j + 1]]


def numerator(wanted: Bits, s: Fraction | int) -> Fraction:
    """The page's r(s), with the signs of `wanted` on 0, …, T and a root between each two that differ."""
    return wanted[-1] * prod((s - j - Fraction(1, 2) for j in changes(wanted)), start=Fraction(1))


def residues(wanted: Bits, c: list[Fraction]) -> list[Fraction]:
    return [
        numerator(wanted, -c_h) / prod((c_j - c_h for c_j in c if c_j != c_h), start=Fraction(1)) for c_h in c
    ]


def head_of(
    places: Places, q: str, odd: Fraction, written: Mapping[int, Logits], at_q: tuple[Fraction, Logits]
) -> Head:
    """Odds 1 on tokens of bit 0 and `odd` on those of bit 1; each writes by its bit."""
    destination = (len(places), q)
    rows: dict[Row, int] = {(i, tokens[bit]): bit for i, tokens in enumerate(places) for bit in (0, 1)}
    return Head(
        {row: odd if bit else Fraction(1) for row, bit in rows.items()} | {destination: at_q[0]},
        {row: written[bit] for row, bit in rows.items()} | {destination: at_q[1]},
    )


def check_signs(
    wanted: Bits, places: Places, q: str, direct: Fraction, some: list[Head], itself: bool = True
) -> None:
    assert len(some) == len(changes(wanted))
    one_of = {tokens[1] for tokens in places}
    for context in contexts(places, q):
        s = sum(token in one_of for token in context[:-1])
        (difference,) = logits(context, (direct,), some, attends_to_itself=itself)
        assert sign(difference) == wanted[s]


def tokens_alone(places: Places, q: str, head: Head) -> bool:
    """Whether equal tokens have equal odds and values wherever they stand: the embedding `tokens`."""
    entries = {(token, head.odds[i, token], head.values[i, token]) for i, token in head.odds}
    return len(entries) == len({q, *(token for pair in places for token in pair)})


# The sign wanted for each s = 0, …, T.
SYMMETRIC = st.lists(st.sampled_from([1, -1]), min_size=2, max_size=8).map(tuple)
PLACES = {"bits": lambda T: [("0", "1")] * T, "own tokens": lambda T: [(f"a{i}", f"b{i}") for i in range(T)]}


def distinct(data: st.DataObject, number: int) -> list[Fraction]:
    positive = st.builds(Fraction, st.integers(1, 40), st.sampled_from([1, 2, 3, 7]))
    return data.draw(st.lists(positive, min_size=number, max_size=number, unique=True))


@pytest.mark.parametrize("tokens", PLACES)
@given(wanted=SYMMETRIC, data=st.data())
def test_as_many_heads_as_sign_changes_decide_a_symmetric_task(
    tokens: str, wanted: Bits, data: st.DataObject
) -> None:
    length = len(wanted) - 1
    places = PLACES[tokens](length)
    c = distinct(data, len(changes(wanted)))
    rho = residues(wanted, c)
    for s in range(length + 1):  # the partial fractions themselves
        whole = numerator(wanted, s) / prod((s + c_h for c_h in c), start=Fraction(1))
        assert whole == wanted[-1] + sum(r / (s + c_h) for r, c_h in zip(rho, c, strict=True))
    some = []
    for rho_h, c_h in zip(rho, c, strict=True):
        odd = 1 + (length + 1) / c_h
        nothing = (Fraction(0),)
        some.append(head_of(places, "=", odd, {0: nothing, 1: nothing}, (Fraction(1), ((odd - 1) * rho_h,))))
        assert tokens_alone(places, "=", some[-1])
    check_signs(wanted, places, "=", Fraction(wanted[-1]), some)


@pytest.mark.parametrize("q", ["0", "1", "=", None])
@pytest.mark.parametrize("direct_path", [True, False])
@given(wanted=SYMMETRIC, data=st.data())
def test_the_variants(q: str | None, direct_path: bool, wanted: Bits, data: st.DataObject) -> None:
    """The destination is itself a source token, or attends to the sources alone (None); no direct path."""
    length, number, itself = len(wanted) - 1, len(changes(wanted)), q is not None
    if not direct_path and number == 0:
        return  # nothing is there to speak
    places, destination = [("0", "1")] * length, q or "="
    odds = [1 + r for r in distinct(data, number)]
    of_q = [odd if q == "1" else Fraction(1) for odd in odds]
    c = [(length + a * itself) / (odd - 1) for odd, a in zip(odds, of_q, strict=True)]
    assert len(set(c)) == number
    some: list[Head] = []
    for odd, a, rho_h in zip(odds, of_q, residues(wanted, c), strict=True):
        constant = (odd - 1) * rho_h / (length + itself)  # odds times value, everywhere
        extra = 0 if direct_path or some else wanted[-1]  # the first head stands in for the direct path
        written = {0: (constant + extra,), 1: (constant / odd + extra,)}
        some.append(head_of(places, destination, odd, written, (a, (constant / a + extra,))))
        assert tokens_alone(places, destination, some[-1]) or not itself
    check_signs(wanted, places, destination, Fraction(wanted[-1] * direct_path), some, itself)


@pytest.mark.parametrize("k", range(1, 9))
def test_parity_of_k_sources_with_k_heads(k: int) -> None:
    wanted = tuple((-1) ** s for s in range(k + 1))
    c = [Fraction(h) for h in range(1, k + 1)]
    some = [
        head_of(
            [("0", "1")] * k,
            "=",
            1 + (k + 1) / c_h,
            {0: (Fraction(0),), 1: (Fraction(0),)},
            (Fraction(1), ((k + 1) / c_h * rho_h,)),
        )
        for c_h, rho_h in zip(c, residues(wanted, c), strict=True)
    ]
    check_signs(wanted, [("0", "1")] * k, "=", Fraction(wanted[-1]), some)


def test_presence_decides_the_parity_of_two_and_never_of_three() -> None:
    def present(context: Context) -> tuple[bool, bool]:
        return "0" in context[:-1], "1" in context[:-1]

    for context in contexts([("0", "1")] * 2, "="):
        zero, one = present(context)
        assert 3 - 2 * zero - 2 * one == (-1) ** context.count("1")
    assert present(("0", "0", "1", "=")) == present(("0", "1", "1", "="))
