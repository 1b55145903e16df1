"""Designs made with arrays against the same made context by context, from the definition."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import numpy as np
import pytest

from expressivity.errors import InputError
from expressivity.skipgrams import Feature, SkipGrams, design, design_matrix, entries_of, features_of
from expressivity.skipgrams.encode import encode

CONVENTIONS = ["absolute", "anywhere", "count"]
Context = tuple[str, ...]


def some_contexts(rng: random.Random) -> list[Context]:
    """Of several lengths and destinations, with repetitions, tied commonest tokens and columns that agree."""
    tokens, longest = "ABCD"[: rng.randint(1, 4)], rng.randint(0, 5)
    return [
        (*rng.choices(tokens, k=rng.randint(0, longest)), rng.choice("QRA")) for _ in range(rng.choice([1, 2, 8, 40]))
    ]


def plainly(contexts: list[Context], model: SkipGrams, reduced: bool) -> tuple[list[Feature], list[list[int]]]:
    """The features in order of first appearance within each order, and their columns as rows of numbers."""
    met: defaultdict[tuple[str, int, int], Counter[str]] = defaultdict(Counter)
    for *sources, end in contexts:
        for position, token in enumerate(sources):
            met[end, len(sources), position][token] += 1
    omitted = {
        (*where, tokens.most_common(1)[0][0])  # the first of several
        for where, tokens in met.items()
        if reduced and model.positions == "absolute" and model.order is not None
    }
    columns: dict[Feature, list[int]] = {}
    for row, context in enumerate(contexts):
        for feature, value in features_of(context, model):
            if omitted and any((feature.destination, feature.length, *source) in omitted for source in feature.sources):
                continue
            columns.setdefault(feature, [0] * len(contexts))[row] = value
    features = sorted(columns, key=lambda feature: len(feature.sources))
    if reduced:
        first: dict[tuple[int, ...], Feature] = {}
        for feature in features:
            first.setdefault(tuple(columns[feature]), feature)
        features = list(first.values())
    return features, [columns[feature] for feature in features]


@pytest.mark.parametrize("positions", CONVENTIONS)
@pytest.mark.parametrize("order", [2, 3, 4, 6, 20, None])
def test_a_design_is_that_of_the_definition(order: int | None, positions: str) -> None:
    rng = random.Random(f"{order} {positions}")
    model = SkipGrams(order if positions != "count" or order is None else min(order, 5), positions)
    for _ in range(40):
        contexts = some_contexts(rng)
        for reduced in (False, True):
            found = design(contexts, model, reduced=reduced)
            features, columns = plainly(contexts, model, reduced)
            assert found.features == features, contexts
            assert found.matrix.T.toarray().tolist() == columns
            assert found.matrix.has_sorted_indices
            if model.order is not None:
                matrix = design_matrix(contexts, model, reduced=reduced, dtype=np.float64)
                assert matrix.dtype == np.float64
                assert matrix.T.toarray().tolist() == columns


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_entries_are_counted_without_the_design(positions: str) -> None:
    rng = random.Random(positions)
    for _ in range(40):
        contexts, model = some_contexts(rng), SkipGrams(rng.choice([2, 3, 4, 5]), positions)
        assert entries_of(contexts, model) == design(contexts, model).matrix.nnz
    assert entries_of([("A",) * 60 + ("Q",)] * 1000, SkipGrams(32)) > 10**20  # Σ C(60, k), k ≤ 30: nothing is made


def test_values_beyond_a_word_are_refused() -> None:
    """By hand: 64 occurrences to the power of 11 are 2^66."""
    contexts = [("A",) * 64 + ("Q",)]
    assert design(contexts, SkipGrams(12, "count")).matrix.max() == 2**60
    with pytest.raises(InputError, match=r"a value of 64\^11"):
        design(contexts, SkipGrams(13, "count"))


@pytest.mark.parametrize("destinations", [1, 700])
def test_the_commonest_source_of_each_position_is_left_out(destinations: int) -> None:
    """With 700 destinations among 900 contexts and 500 tokens a table of all pairs would be too large."""
    rng = random.Random(destinations)
    tokens = [f"t{i:03}" for i in range(500)]
    contexts = [
        (*rng.choices(tokens[: rng.choice([2, 500])], k=3), f"q{rng.randrange(destinations)}") for _ in range(900)
    ]
    encoded = encode(contexts)
    kept = encoded.blocks[0].without_commonest().sources
    for position in range(3):
        met: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for context in contexts:
            met[context[-1]][context[position]] += 1
        commonest = {end: counts.most_common(1)[0][0] for end, counts in met.items()}
        for context, number in zip(contexts, kept[:, position].tolist(), strict=True):
            expected = -1 if context[position] == commonest[context[-1]] else encoded.tokens.index(context[position])
            assert number == expected
