"""Contexts as integers: every kind of input says the same, and what is neither contexts nor a corpus is refused."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from expressivity.errors import InputError
from expressivity.skipgrams.encode import Block, Encoded, encode


def decoded(encoded: Encoded) -> list[tuple[str, ...]]:
    """The contexts again, from their numbers."""
    rows: dict[int, tuple[str, ...]] = {}
    for block in encoded.blocks:
        assert block.sources.shape == (len(block), block.length)
        assert block.sources.dtype == block.destinations.dtype == np.int32
        table = np.column_stack([block.sources, block.destinations]).tolist()
        texts = [tuple(encoded.tokens[i] if i >= 0 else "?" for i in row) for row in table]
        rows.update(zip(block.rows.tolist(), texts, strict=True))
    assert sorted(rows) == list(range(encoded.size))
    return [rows[i] for i in range(encoded.size)]


def test_contexts_of_all_lengths_are_read_back() -> None:
    rng = random.Random(0)
    contexts = [tuple(rng.choices(["A", "B", "ab", "é", "10", "9"], k=rng.randint(1, 6))) for _ in range(200)]
    encoded = encode(contexts)
    assert encoded.tokens == sorted({token for context in contexts for token in context})
    assert [block.length for block in encoded.blocks] == sorted({len(context) - 1 for context in contexts})
    assert decoded(encoded) == contexts
    assert decoded(encode(contexts, window=2)) == [context[-3:] for context in contexts]
    assert decoded(encode(contexts, window=0)) == [context[-1:] for context in contexts]


def test_lengths_that_a_window_makes_equal() -> None:
    """Four contexts of 16 tokens, so of 4 on average: they must not be taken for a table."""
    contexts = [tuple("ABCD"), tuple("BCDEFG"), tuple("CDE"), tuple("DEF")]
    for window in range(7):
        assert decoded(encode(contexts, window=window)) == [context[-window - 1 :] for context in contexts]


TABLE = [["1", "10", "9"], ["9", "9", "1"]]


@pytest.mark.parametrize(
    "contexts",
    [
        TABLE,
        [(1, 10, 9), (9, 9, 1)],
        (context for context in TABLE),
        np.array(TABLE),
        np.array(TABLE, dtype=object),
        np.array([[1, 10, 9], [9, 9, 1]]),
        np.array([[1, 10, 9], [9, 9, 1]], dtype=np.uint8),
        [np.array([1, 10, 9]), np.array([9, 9, 1])],
        [("1", 10, np.int64(9)), ["9", np.str_("9"), 1]],
    ],
    ids=lambda contexts: type(contexts).__name__,
)
def test_contexts_in_every_form(contexts: Any) -> None:
    encoded = encode(contexts)
    assert encoded.tokens == ["1", "10", "9"]
    assert decoded(encoded) == [("1", "10", "9"), ("9", "9", "1")]


@pytest.mark.parametrize(
    "corpus",
    [
        ["3", "-1", "3", "20"],
        ("3", "-1", "3", "20"),
        [3, -1, 3, 20],
        iter([3, -1, 3, 20]),
        np.array([3, -1, 3, 20]),
        np.array(["3", "-1", "3", "20"]),
        np.array(["3", "-1", "3", "20"], dtype=object),
    ],
    ids=lambda corpus: type(corpus).__name__,
)
def test_every_token_of_a_corpus_is_a_destination(corpus: Any) -> None:
    encoded = encode(corpus, window=2)
    assert encoded.tokens == ["-1", "20", "3"]
    assert decoded(encoded) == [("3",), ("3", "-1"), ("3", "-1", "3"), ("-1", "3", "20")]


def test_what_pandas_holds_is_read_as_arrays_are() -> None:
    pd = pytest.importorskip("pandas")
    for contexts in (pd.DataFrame(TABLE), pd.Series([tuple(context) for context in TABLE])):
        assert decoded(encode(contexts)) == [("1", "10", "9"), ("9", "9", "1")]
    for corpus in (pd.Series(["3", "-1", "20"]), pd.Series([3, -1, 20])):
        assert decoded(encode(corpus, window=1)) == [("3",), ("3", "-1"), ("-1", "20")]


def test_a_corpus_shorter_than_its_window() -> None:
    assert decoded(encode(["A", "B"], window=5)) == [("A",), ("A", "B")]
    assert decoded(encode(["A", "B"], window=0)) == [("A",), ("B",)]


def test_texts_in_arrays_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expressivity.skipgrams.encode._PART", 3)
    corpus = list("ABRACADABRA")
    assert decoded(encode(np.array(corpus), window=1)) == decoded(encode(corpus, window=1))


def test_a_corpus_is_not_copied_for_each_source() -> None:
    block = encode(np.arange(50), window=9).blocks[-1]
    assert len(block) == 41
    assert block.sources.base is not None
    assert block.sources.strides == (4, 4)


def test_unknown_tokens_have_no_number() -> None:
    known = encode([("A", "C", "Q")]).tokens
    assert decoded(encode([("A", "Z", "Q"), ("C", "A", "Z")], known)) == [("A", "?", "Q"), ("C", "A", "?")]
    assert decoded(encode(np.array([1, 2]), ["1"], window=1)) == [("1",), ("1", "?")]


def test_fibres_share_length_and_destination() -> None:
    rng = random.Random(1)
    contexts = [tuple(rng.choices("ABC", k=rng.randint(1, 4))) for _ in range(100)]
    encoded = encode(contexts)
    fibres = list(encoded.fibres())
    keys = [(block.length, encoded.tokens[int(block.destinations[0])]) for block in fibres]
    assert len(set(keys)) == len(keys)
    expected = Counter((len(context) - 1, context[-1]) for context in contexts)
    assert {key: len(block) for key, block in zip(keys, fibres, strict=True)} == expected
    assert decoded(Encoded(encoded.tokens, fibres, encoded.size)) == contexts


def test_bags_count_their_distinct_sources() -> None:
    rng = np.random.default_rng(2)
    for width in (0, 1, 5):
        sources = rng.integers(-1, 4, (50, width), dtype=np.int32)
        block = Block(np.arange(50), np.zeros(50, dtype=np.int32), sources, width)
        bag = block.bag()
        assert bag.counts is not None
        assert bag.sources.shape == bag.counts.shape
        for before, tokens, counts in zip(sources.tolist(), bag.sources.tolist(), bag.counts.tolist(), strict=True):
            expected = sorted(Counter(token for token in before if token >= 0).items())
            padding = [(-1, 0)] * (len(tokens) - len(expected))
            assert list(zip(tokens, counts, strict=True)) == expected + padding


def test_parts_of_a_block_make_it_up() -> None:
    block = encode([("A", "B", "Q")] * 10).blocks[0]
    parts = list(block.split(3, entries=12))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert np.concatenate([part.rows for part in parts]).tolist() == list(range(10))
    assert [len(part) for part in block.split(100, entries=12)] == [1] * 10


@pytest.mark.parametrize(
    ("contexts", "seen"),
    [
        ("A C Q", "the text 'A C Q'"),
        (17, "contexts is 17"),
        (["A", "C"], "a corpus, which begins 'A', and window is None"),
        (np.array([1, 2]), "window is None"),
        ([("A", "Q"), "AQ"], "context 1 is 'AQ' where context 0"),
        ([("A", "Q"), ()], "context 1 is empty"),
        (np.empty((2, 0), dtype=int), "context 0 is empty"),
        ([("A", "Q"), None], "context 1 is None"),
        ([("A", "Q"), {"A", "Q"}], "context 1 is {"),
        ([("A", "Q"), {"A": 1}], "context 1 is {'A': 1}"),
        ([("A", "Q"), ("A", 0.5)], "context 1 has a token"),
        ([("A", "Q"), ("A", ["Q"])], "context 1 has a token"),
        ([(None, "Q")], "context 0 has a token"),
        ([b"A", b"B"], "window is None"),
        (np.array([0.5, 1.0]), "an array of float64 with 1 dimensions"),
        (np.zeros((2, 2, 2), dtype=int), "with 3 dimensions"),
    ],
)
def test_what_is_neither_contexts_nor_a_corpus_is_refused(contexts: Any, seen: str) -> None:
    with pytest.raises(InputError) as caught:
        encode(contexts)
    assert seen in str(caught.value)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_corpus_of_other_things_is_refused() -> None:
    for corpus in ([b"A", b"B"], np.array(["A", None], dtype=object)):
        with pytest.raises(InputError, match=r"place \d has a token|context 1 is None"):
            encode(corpus, window=1)


def test_no_contexts_are_no_blocks() -> None:
    assert encode([]) == Encoded([], [], 0)
