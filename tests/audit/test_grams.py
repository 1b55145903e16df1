"""Features by code: those that the definition lists, and a lexicon of bounded memory."""

from __future__ import annotations

import resource
from collections import Counter

import numpy as np
import pytest

from expressivity.audit.grams import Frequent, Grams, Lexicon
from expressivity.audit.text import Part, Windows, cut
from expressivity.skipgrams import SkipGrams, features_of


def windows_of(rows: np.ndarray) -> Windows:
    return cut(Part.of(rows), rows.shape[1], last=True)


@pytest.mark.parametrize(
    ("convention", "positions"), [("anywhere", "anywhere"), ("offset", "absolute"), ("count", "count")]
)
def test_features_are_those_of_the_definition(convention: str, positions: str) -> None:
    """Contexts have a feature in common exactly if the definition says so. (Counts: the same span, checked below.)"""
    rows = np.random.default_rng(0).integers(4, size=(60, 5))
    codes = Grams(5, convention, 5).codes(windows_of(rows))
    for level, found in enumerate(codes):
        held = [Counter(row[row > 0].tolist()) for row in found]
        names = []
        for row, have in zip(rows.tolist(), held, strict=True):
            features = features_of(tuple(map(str, row)), SkipGrams(5, positions))
            names.append({feature for feature, _ in features if len(feature.sources) == level})
            if convention == "count":
                assert sum(have.values()) == [1, 4, 6, 4][level]
            else:
                assert len(have) == len(names[-1])
                assert set(have.values()) <= {1}
        if convention != "count":
            pairs = list(zip(names, held, strict=True))
            assert all(len(a & b) == len(set(c) & set(d)) for a, c in pairs for b, d in pairs)


def test_counts_span_the_monomials() -> None:
    """One column for each multiset of sources against all monomials of the degree and below: the same rank together."""
    rows = np.random.default_rng(1).integers(3, size=(80, 5))
    rows[:, -1] = 0
    lexicon = Lexicon.learn(windows_of(rows), Grams(4, "count", 5), capacity=1000, least=1, step=16)
    matrix = np.zeros((80, lexicon.starts[-1]))
    for columns, offsets in lexicon.columns(windows_of(rows)):
        owner = np.repeat(np.arange(80), np.diff(np.append(offsets, len(columns))))
        np.add.at(matrix, (owner, columns), 1)
    counts = np.stack([(rows[:, :-1] == k).sum(1) for k in range(3)], axis=1)
    squares = [counts[:, a] * counts[:, b] for a in range(3) for b in range(a, 3)]
    monomials = np.stack([np.ones(80), *counts.T, *squares])
    together = np.hstack([matrix, monomials.T])
    ranks = {int(np.linalg.matrix_rank(each)) for each in (matrix, monomials.T, together)}
    assert len(ranks) == 1


def test_a_reach_is_a_limit_on_distance() -> None:
    rows = np.array([[1, 2, 3, 0], [9, 2, 3, 0]])
    near, far = (Grams(3, "anywhere", 4, reach).codes(windows_of(rows))[1] for reach in (2, None))
    assert set(near[0]) == set(near[1])
    assert set(far[0]) != set(far[1])


def test_the_most_frequent_are_found_in_a_stream() -> None:
    rng = np.random.default_rng(0)
    codes = (1 + rng.zipf(1.5, size=200_000) % 50_000).astype(np.uint64)
    frequent = Frequent(100)
    for part in np.array_split(codes, 50):
        frequent.add(part)
        frequent._merge()
    kinds, counts = frequent.most()
    exact = Counter(codes.tolist())
    top = {code for code, _ in exact.most_common(80)}
    assert top <= set(kinds.tolist())
    assert all(exact[k] - frequent.lost <= n <= exact[k] for k, n in zip(kinds.tolist(), counts.tolist(), strict=True))


@pytest.mark.slow
def test_ten_million_tokens_of_a_large_vocabulary_stay_within_bounds() -> None:
    """50,000 tokens as frequent as words are: some 10^8 features pass, and what is held does not grow with them."""
    rng, capacity = np.random.default_rng(0), 1 << 16
    chances = 1 / np.arange(1, 50_001)
    tokens = rng.choice(50_000, size=10_000_000, p=chances / chances.sum()).astype(np.int32)
    windows = cut(Part(tokens, np.array([0])), 16)
    assert windows.contexts == 10_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lexicon = Lexicon.learn(windows, Grams(3, "anywhere", 16), capacity=capacity, least=2, step=256)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert len(lexicon.levels[1]) == capacity
    assert grown < 2 * (4 * 8 * (1 << 22) + 96 * capacity + 96 * (1 << 16)) + (1 << 27)
