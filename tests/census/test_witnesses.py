"""Heads in integers: what is proved of them, by fractions and by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from expressivity.census.certificates import documents, integers_of, tables_of, weights_of
from expressivity.census.classes import classes
from expressivity.census.functions import points, signs, task_of
from expressivity.census.heads import head_counts
from expressivity.census.orders import degrees
from expressivity.census.polynomials import design
from expressivity.census.shard import shard
from expressivity.census.witnesses import cleared, proved, search
from expressivity.errors import Refuted
from expressivity.verify import verify

XOR = np.array([0b0110], dtype=np.uint64)


def value(denominators: list[list[int]], numerators: list[list[int]], x: list[int]) -> Fraction:
    def affine(row: list[int]) -> int:
        return row[0] + sum(a * b for a, b in zip(row[1:], x, strict=True))

    pairs = zip(numerators, denominators, strict=True)
    return sum((Fraction(affine(above), affine(below)) for above, below in pairs), Fraction(0))


def test_clearing_is_the_sum_of_quotients_times_the_denominators() -> None:
    random = np.random.default_rng(1)
    below = random.integers(-3, 4, (5, 3, 4))
    below[:, :, 0] = 12
    above = random.integers(-9, 10, (5, 3, 4))
    found = cleared(below, above, 3)
    for f in range(5):
        for x, row in enumerate(points(3).tolist()):
            product = np.prod([d[0] + sum(a * b for a, b in zip(d[1:], row, strict=True)) for d in below[f].tolist()])
            assert found[f, x] == value(below[f].tolist(), above[f].tolist(), row) * int(product)


def test_numbers_that_are_too_large_for_words() -> None:
    below = np.array([[[1 << 40, 0, 0]] * 2])
    above = np.array([[[1 << 40, 0, 0]] * 2])
    assert cleared(below, above, 2).tolist() == [[2 << 80] * 4]


def test_what_is_no_head_is_not_proved() -> None:
    """A constant function by one head 1/D: right, unless D can vanish, or its slopes are not those of the embedding."""
    word, above = np.array([0b1111], dtype=np.uint64), np.array([[[1, 0, 0]]])
    cases = [([3, 1, 1], True, True), ([2, 1, 1], False, False), ([3, 1, -1], True, False), ([3, 1, 0], True, False)]
    for below, joint, additive in cases:
        given = np.array([[below]])
        assert proved(word, given, above, 2, "joint").tolist() == [joint]
        assert proved(word, given, above, 2, "additive").tolist() == [additive]
    assert proved(word, np.array([[[3, 1, 1]]]), -above, 2, "joint").tolist() == [False]


def test_one_head_never_decides_xor() -> None:
    """T2 and Minsky and Papert: not found, however often it is tried."""
    for seed in range(5):
        assert not search(XOR, 2, 1, seed=seed).found[0]


def test_the_same_seed_finds_the_same() -> None:
    words = classes(3).words
    one, two = (search(words, 3, 2, seed=3) for _ in range(2))
    assert (one.denominators == two.denominators).all()
    assert (one.numerators == two.numerators).all()


@pytest.mark.parametrize("embedding", ["joint", "additive"])
def test_tables_have_these_logits(embedding: str) -> None:
    """Σ N/D at every input, from the odds and values of the tables."""
    random = np.random.default_rng(7)
    for _ in range(10):
        slopes = random.integers(1, 5, (2, 3)) * (1 if embedding == "additive" else random.choice([-1, 1], (2, 3)))
        below = [[int(abs(row).sum()) + int(random.integers(1, 4)), *map(int, row)] for row in slopes]
        above = random.integers(-5, 6, (2, 4)).tolist()
        tables = tables_of(below, above, embedding)
        for x in points(3).tolist():
            context = (*("1" if bit > 0 else "0" for bit in x), "=")
            assert tables.logits(context).get("1", Fraction(0)) == value(below, above, x)


@pytest.mark.parametrize("embedding", ["joint", "additive"])
def test_tables_and_integers_are_the_same(embedding: str) -> None:
    """There and back, up to one positive factor of all numerators; a direct path is in some numerator."""
    random = np.random.default_rng(8)
    slopes = random.integers(1, 5, (2, 3))
    below = [[int(row.sum()) + 1, *map(int, row)] for row in slopes]
    above = random.integers(-5, 6, (2, 4)).tolist()
    tables = tables_of(below, above, embedding)
    end = (3, "=") if embedding == "joint" else (None, "=")
    moved = replace(tables, direct={(end, "1"): Fraction(1, 3), (end, "0"): Fraction(2)})
    for given, constant in ((tables, Fraction(0)), (moved, Fraction(-5, 3))):
        found = integers_of(given, 3)
        assert found is not None
        ratios = set()
        for x in points(3).tolist():
            expected = value(below, above, x) + constant
            ratios.add(value(*found, x) / expected if expected else None)
        assert len(ratios - {None}) == 1
        assert all(ratio is None or ratio > 0 for ratio in ratios)


@pytest.mark.slow
def test_linear_programs_reach_where_descent_does_not() -> None:
    """A function of degree 2 for which 268 descents found nothing; two heads it has (rs-takehome, proof 187)."""
    word = np.array([0x011873EF], dtype=np.uint64)
    found = head_counts(word, np.array([2]), 5)
    assert found.upper.tolist() == [2]
    assert proved(word, found.denominators[0][None], found.numerators[0][None], 5, "joint").all()


def test_weights_have_the_values_of_the_polynomial() -> None:
    random = np.random.default_rng(2)
    weights = random.integers(-5, 6, 8).tolist()
    features = weights_of(weights, 3, 3)
    for x, row in enumerate(points(3).tolist()):
        held = {(i, "1") for i, bit in enumerate(row) if bit > 0}
        total = sum(w["1"] for feature, w in features.items() if set(feature.sources) <= held)
        assert total == design(3, 3)[x] @ np.array(weights)


@pytest.mark.parametrize(("embedding", "group"), [("joint", "npn"), ("additive", "global")])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_heads_are_the_threshold_degree(n: int, embedding: str, group: str) -> None:
    """For every function of at most four bits, by the head-complexity formalisation (rs-takehome)."""
    every = classes(n, group)  # type: ignore[arg-type]
    found = head_counts(every.words, degrees(every.words, n).degree, n, embedding)  # type: ignore[arg-type]
    assert (found.upper == found.lower).all()


def rows_of(n: int, embedding: str) -> list[dict[str, object]]:
    columns = shard(classes(n, "npn" if embedding == "joint" else "global").words, n, embedding)  # type: ignore[arg-type]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("embedding", ["joint", "additive"])
def test_every_certificate_is_proved(embedding: str) -> None:
    for row in rows_of(3, embedding):
        found = dict(documents(row, 3, embedding))
        degree = row["order"] - 2  # type: ignore[operator]
        expected = {f"order-{degree + 2}", "heads-above"} | (
            {f"order-{degree + 1}", "heads-below"} if degree else set()
        )
        assert found.keys() == expected
        for name, document in found.items():
            statement = verify(document)
            assert statement.answer == (
                "inexpressible" if name in (f"order-{degree + 1}", "heads-below") else "expressible"
            )


def test_a_corrupted_row_makes_no_certificate() -> None:
    (row,) = (row for row in rows_of(2, "joint") if row["order"] == 4)
    breaks = {
        "multipliers": [1, 1, 1, 2],
        "weights": [0, 0, 0, 1],
        "numerators": [-v for v in row["numerators"]],  # type: ignore[union-attr]
        "function": 0b1110,
    }
    for name, wrong in breaks.items():
        made = [document for _, document in documents({**row, name: wrong}, 2, "joint")]
        with pytest.raises(Refuted):
            list(map(verify, made))


def test_six_inputs() -> None:
    """A symmetric function with four sign changes needs exactly four heads (T4)."""
    word = sum(1 << x for x in range(64) if x.bit_count() in (1, 2, 5))
    found = shard(np.array([word], dtype=np.uint64), 6)
    assert found["order"] == [6]
    assert found["heads_upper"] == [4]
    assert signs(np.array([word], dtype=np.uint64), 6)[0, 1] == 1
    assert len(task_of(word, 6).contexts) == 64
