"""Counts of Boolean functions, from the literature, through the public interface.

Linear threshold functions of n bits: OEIS A000609 (4, 14, 104, 1882 for n = 1…4). NPN classes: OEIS A000370 (2, 4, 14,
222). Functions of four bits by threshold degree 0…4: 2, 1880, 55692, 7960, 2. A function of n bits is expressed by
skip-trigrams exactly if it is linear threshold, and its minimal order is its threshold degree plus 2.
"""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest

from expressivity import EXPRESSIBLE, SkipGrams, Task, climb, decide


@pytest.mark.parametrize(("n", "known"), [(1, 4), (2, 14), (3, 104)])
def test_skip_trigrams_express_the_linear_threshold_functions(n: int, known: int) -> None:
    tables = ("".join(bits) for bits in product("01", repeat=2**n))
    answers = [decide(Task.load(f"bits:{table}"), SkipGrams(3)).answer for table in tables]
    assert answers.count(EXPRESSIBLE) == known


def npn_classes(n: int) -> dict[str, int]:
    """One truth table of each class under input permutation, input negation and output negation, with its size."""
    inputs = np.array(list(product((0, 1), repeat=n)))
    place = 1 << np.arange(n)[::-1]
    moves = [((inputs[:, list(p)] ^ flips) @ place) for p in permutations(range(n)) for flips in inputs]
    size = 2**n
    tables = (np.arange(2**size, dtype=np.int64)[:, None] >> np.arange(size)[::-1]) & 1
    weight = 1 << np.arange(size, dtype=np.int64)[::-1]
    least = np.full(2**size, 2**size, dtype=np.int64)
    for move in moves:
        number = tables[:, move] @ weight
        least = np.minimum(least, np.minimum(number, 2**size - 1 - number))
    representatives, sizes = np.unique(least, return_counts=True)
    return {format(int(r), f"0{size}b"): int(s) for r, s in zip(representatives, sizes, strict=True)}


@pytest.mark.parametrize(("n", "classes"), [(1, 2), (2, 4), (3, 14)])
def test_the_classes_of_the_test_itself_are_those_of_the_literature(n: int, classes: int) -> None:
    assert len(npn_classes(n)) == classes


def test_functions_of_four_bits_by_threshold_degree() -> None:
    classes = npn_classes(4)
    assert len(classes) == 222
    degrees: Counter[int] = Counter()
    for table, size in classes.items():
        task = Task.load(f"bits:{table}")
        order = next(n for n in range(2, 7) if decide(task, SkipGrams(n)).answer is EXPRESSIBLE)
        degrees[order - 2] += size
    assert degrees == {0: 2, 1: 1880, 2: 55692, 3: 7960, 4: 2}
    assert degrees[0] + degrees[1] == 1882


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_parity_needs_order_k_plus_2_and_k_heads(k: int) -> None:
    """Minsky and Papert (1969) for the order; theorem T1 carries it to heads."""
    ladder = climb(Task.load(f"parity:{k}"))
    assert ladder.minimal_order == k + 2
    assert ladder.heads.lower == k
    assert {m for v in ladder.orders[-2:-1] for *_, m in v.certificate.multipliers} == {1}
