"""The numbering of features: order, pruning, looking up, and codes that a product of vocabularies would overflow."""

from __future__ import annotations

import random
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from expressivity.errors import InputError
from expressivity.skipgrams import SkipGrams, features_of
from expressivity.skipgrams.encode import Block, encode
from expressivity.skipgrams.lexicon import Lexicon, _conjunctions

CONVENTIONS = ["absolute", "anywhere", "count"]


@pytest.mark.parametrize("powers", [False, True])
def test_conjunctions_are_listed_in_lexicographic_order(powers: bool) -> None:
    choose = combinations_with_replacement if powers else combinations
    for width in range(6):
        listed: list[tuple[int, ...]] = [()]
        for size in range(1, 5):
            without, last = _conjunctions(width, size, powers)
            listed = [(*listed[i], int(j)) for i, j in zip(without, last, strict=True)]
            assert listed == list(choose(range(width), size))


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_columns_are_ordered_and_ascend_in_each_row(positions: str) -> None:
    rng = random.Random(positions)
    contexts = [tuple(rng.choices("ABCD", k=rng.randint(1, 6))) for _ in range(80)]
    encoded = encode(contexts)
    lexicon, looked = Lexicon.learn(encoded, SkipGrams(4, positions))
    features = lexicon.features()
    keys = [(len(f.sources), f.length or 0, f.destination, f.sources) for f in features]
    assert keys == sorted(keys)
    for item in looked:
        for row in item.columns.tolist():
            present = [column for column in row if column >= 0]
            assert present == sorted(set(present))
    chosen = np.flatnonzero(np.arange(len(lexicon)) % 3 == 1)
    assert lexicon.features(chosen) == [features[j] for j in chosen]


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_parts_of_any_size_give_one_matrix(positions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(positions)
    encoded = encode([tuple(rng.choices("ABCD", k=rng.choice([2, 4, 4]))) for _ in range(60)])
    model = SkipGrams(4, positions)
    lexicon, looked = Lexicon.learn(encoded, model)
    whole = lexicon.matrix(looked, encoded.size)
    split = Block.split
    monkeypatch.setattr(Block, "split", lambda block, width, entries=7: split(block, width, entries))
    again, parts = Lexicon.learn(encoded, model)
    assert len(parts) > len(looked)
    assert again.features() == lexicon.features()
    assert (again.matrix(parts, encoded.size) != whole).nnz == 0
    assert (lexicon.matrix(lexicon.look_up(encoded), encoded.size) != whole).nnz == 0


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_rare_features_are_left_out_and_no_others(positions: str) -> None:
    rng = random.Random(positions)
    contexts = [tuple(rng.choices("ABCDE", [5, 4, 3, 2, 1], k=rng.randint(1, 5))) for _ in range(60)]
    model = SkipGrams(5, positions)
    found = [dict(features_of(context, model)) for context in contexts]
    encoded = encode(contexts)
    for least in (1, 2, 3, 10, 61):
        lexicon, looked = Lexicon.learn(encoded, model, min_df=least)
        expected = {f for row in found for f in row if sum(f in other for other in found) >= least}
        assert set(lexicon.features()) == expected
        matrix = lexicon.matrix(looked, len(contexts)).toarray()
        for row, values in zip(found, matrix.tolist(), strict=True):
            kept = {f: v for f, v in row.items() if f in expected}
            assert {f: v for f, v in zip(lexicon.features(), values, strict=True) if v} == kept


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_weights_by_column_give_logits_without_a_matrix(positions: str) -> None:
    rng = random.Random(positions)
    encoded = encode([tuple(rng.choices("ABC", k=rng.choice([3, 5]))) for _ in range(40)])
    lexicon, looked = Lexicon.learn(encoded, SkipGrams(4, positions))
    weights = np.arange(1, len(lexicon) + 1) ** 2
    expected = lexicon.matrix(looked, encoded.size) @ weights
    for fibre in encoded.fibres():
        columns, values = lexicon.columns(fibre), lexicon.values(fibre)
        assert (values is None) == (positions != "count")
        logits = (np.append(weights, 0)[columns] * (1 if values is None else values)).sum(axis=1)
        assert logits.tolist() == expected[fibre.rows].tolist()


def test_indices_of_64_bits_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encode([("A", "B", "Q"), ("B", "A", "A", "Q")])
    narrow, looked = Lexicon.learn(encoded, SkipGrams(4, "count"))
    expected = narrow.matrix(looked, 2)
    monkeypatch.setattr("expressivity.skipgrams.lexicon._index_type", lambda largest: np.int64)
    wide, looked = Lexicon.learn(encoded, SkipGrams(4, "count"))
    found = wide.matrix(wide.look_up(encoded), 2)
    assert found.indices.dtype == found.indptr.dtype == looked[0].columns.dtype == np.int64
    assert found.toarray().tolist() == expected.toarray().tolist()


def test_codes_beyond_64_bits_are_refused_not_wrapped() -> None:
    unheard_of = Lexicon(SkipGrams(3), range(2**40), 2**30, [np.zeros(1, dtype=np.int64)])  # type: ignore[arg-type]
    block = encode([("A", "Q")]).blocks[0]
    with pytest.raises(InputError, match="expected codes below"):
        unheard_of._codes(block, 1, np.zeros((1, 2), dtype=np.int32))


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_codes_stay_exact_where_a_product_of_vocabularies_overflows(positions: str) -> None:
    """70,000 tokens in four places, three of them with one of 8 positions: 70000⁴·8³ is over 2^73."""
    tokens, window = 70_000, 8
    assert tokens**4 > 2**63
    rng = np.random.default_rng(3)
    corpus = np.concatenate([rng.permutation(tokens), rng.integers(0, tokens, 500)])
    encoded = encode(corpus, window=window)
    model = SkipGrams(5, positions)
    lexicon, looked = Lexicon.learn(encoded, model)
    matrix = lexicon.matrix(looked, encoded.size)
    for i in [0, 3, 8, 20_000, 69_999, 70_250, 70_499]:
        context = [str(token) for token in corpus[max(0, i - window) : i + 1].tolist()]
        row = matrix[[i]]
        found = dict(zip(lexicon.features(row.indices), row.data.tolist(), strict=True))
        assert found == dict(features_of(context, model))


def test_a_bigram_needs_no_sources() -> None:
    for positions in CONVENTIONS:
        lexicon, looked = Lexicon.learn(encode([("Q",), ("R",), ("Q",)]), SkipGrams(4, positions))
        assert [str(feature) for feature in lexicon.features()] == ["Q", "R"]
        assert lexicon.matrix(looked, 3).toarray().tolist() == [[1, 0], [0, 1], [1, 0]]


def test_every_order_at_once_is_refused() -> None:
    with pytest.raises(InputError, match="order is None"):
        Lexicon.learn(encode([("A", "Q")]), SkipGrams(None))
