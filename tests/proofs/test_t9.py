"""Attacks on T9, what crosses a cut of the sources: proofs/T9.md."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise, product
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity import Task
from expressivity.heads.precision import contrary, precision_bound
from expressivity.task import Tie, Top, bits, ov_coherent, parity
from tests.proofs.by_hand import numbers, positives

Cut = tuple[int, ...]


def told_apart(task: Task, cut: Cut) -> int:
    """The largest set of arrangements that are told apart two by two, by trying all sets; labels only."""
    rows: dict[tuple[str, ...], dict[tuple[str, ...], object]] = {}
    for context, asked in zip(task.contexts, task.requirements, strict=True):
        inside = tuple(context[i] for i in cut)
        outside = tuple(x for i, x in enumerate(context) if i not in cut)
        rows.setdefault(inside, {})[outside] = asked
    apart = {
        (u, v): any(rows[u][w] != rows[v][w] for w in rows[u].keys() & rows[v].keys()) for u in rows for v in rows
    }
    for size in range(len(rows), 0, -1):
        if any(all(apart[u, v] for u, v in combinations(chosen, 2)) for chosen in combinations(rows, size)):
            return size
    return 0


@given(data=st.data())
def test_a_model_that_rounds_its_sums_tells_no_more_apart_than_it_has_roundings(data: st.DataObject) -> None:
    """H heads of width d, in fractions; p bits each, by cells of random width counted modulo 2^p."""
    length, heads, width = data.draw(st.integers(2, 4)), data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    digits = data.draw(st.integers(0, 1))
    cut = data.draw(st.sampled_from([c for size in range(1, length) for c in combinations(range(length), size)]))
    rows = [(i, x) for i in range(length) for x in "AB"]
    odds = [{row: data.draw(positives) for row in rows} for _ in range(heads)]
    values = [{row: [data.draw(numbers) for _ in range(width)] for row in rows} for _ in range(heads)]
    writes = [[data.draw(numbers) for _ in range(width)] for _ in range(heads)]
    cells = [[(data.draw(positives), data.draw(numbers)) for _ in range(width + 1)] for _ in range(heads)]
    direct = data.draw(numbers)

    def sums(h: int, places: list[tuple[int, str]]) -> list[Fraction]:
        mass = sum((odds[h][row] for row in places), Fraction(0))
        return [mass, *(sum((odds[h][row] * values[h][row][k] for row in places), Fraction(0)) for k in range(width))]

    def rounded(h: int, given_sums: list[Fraction]) -> tuple[int, ...]:
        pairs = zip(given_sums, cells[h], strict=True)
        return tuple(floor((value - start) / step) % 2**digits for value, (step, start) in pairs)

    contexts, labels, messages = [], [], set()
    for sources in product("AB", repeat=length):
        places = list(enumerate(sources))
        total, message = direct, []
        for h in range(heads):
            kept = rounded(h, sums(h, [p for p in places if p[0] in cut]))
            message.append(kept)
            rest = sums(h, [p for p in places if p[0] not in cut])
            mass = 1 + kept[0] * cells[h][0][0] + rest[0]  # the destination's odds are 1
            for k in range(width):
                total += (kept[1 + k] * cells[h][1 + k][0] + rest[1 + k]) / mass * writes[h][k]
        messages.add(tuple(message))
        if total and data.draw(st.integers(0, 5)):
            contexts.append((*sources, "Q"))
            labels.append("T" if total > 0 else "F")
    if not contexts:
        return
    task = Task(contexts, labels)
    largest = told_apart(task, cut)
    assert largest <= len(messages) <= 2 ** (heads * (width + 1) * digits)
    found = precision_bound(task)
    if found is not None:
        assert found.whole
        assert found.rows <= told_apart(task, found.cut)
    else:
        assert largest == 1


@given(st.text("01", min_size=8, max_size=8) | st.text("01", min_size=16, max_size=16))
def test_on_a_full_domain_the_number_is_that_of_the_distinct_rows(table: str) -> None:
    task = bits(table)
    length = task.contexts[0].length
    most = 1
    for cut in (c for size in range(1, length) for c in combinations(range(length), size)):
        rows: dict[tuple[str, ...], list[str]] = {}
        for context, asked in zip(task.contexts, task.requirements, strict=True):
            rows.setdefault(tuple(context[i] for i in cut), []).append(asked[0].outputs[0])
        most = max(most, len(set(map(tuple, rows.values()))))
    found = precision_bound(task)
    assert (1 if found is None else found.rows) == most


@pytest.mark.parametrize("n", [1, 2, 3])
def test_equality_of_two_numbers_carries_all_of_one(n: int) -> None:
    task = bits("".join(str(int(i == j)) for i in range(2**n) for j in range(2**n)))
    found = precision_bound(task)
    assert found is not None
    assert (found.rows, found.bits, found.least_bits(1, 1)) == (2**n, n, -(-n // 2))


def test_parity_carries_one_bit_across_every_cut() -> None:
    for k in range(2, 7):
        found = precision_bound(parity(k))
        assert found is not None
        assert found.bits == 1


def test_rows_with_blanks_are_no_bound() -> None:
    contexts = [(str(j), str(j), "Q") for j in range(6)]
    task = Task(contexts, ["1" if j < 3 else "0" for j in range(6)])
    assert precision_bound(task) is None


def test_two_places_of_three_carry_one_of_ten_pairs_of_signals() -> None:
    """By hand: two signals leave noise to come, one of four leaves a signal to come; only contexts alike compare."""
    found = precision_bound(ov_coherent(3))
    assert found is not None
    assert (len(found.cut), found.rows, found.bits) == (2, 10, 4)


requirement = st.permutations("FGT").flatmap(
    lambda order: st.sampled_from([Top(order[0]), Top(order[:2]), Tie(order[:2]), Tie(order)])
)


@given(one=requirement, other=requirement)
def test_contrary_comparisons_are_those_that_no_logits_meet(one: Top | Tie, other: Top | Tie) -> None:
    """Of three logits only the order counts, so that all of them are tried."""
    outputs = ("F", "G", "T")
    pairs = [frozenset(each.pairs(outputs)) for each in (one, other)]

    def met(logits: dict[str, int]) -> bool:
        return all(
            logits[above] == logits[below] if equal else logits[above] > logits[below]
            for above, below, equal in pairs[0] | pairs[1]
        )

    possible = any(met(dict(zip(outputs, each, strict=True))) for each in product(range(3), repeat=3))
    assert contrary(*pairs) == (not possible)


def test_a_tie_that_closes_a_cycle_of_strict_comparisons_is_contrary() -> None:
    chain = frozenset((above, below, False) for above, below in pairwise("ABC"))
    assert contrary(chain, frozenset({("A", "C", True)}))
    assert not contrary(chain, frozenset({("A", "C", False)}))
