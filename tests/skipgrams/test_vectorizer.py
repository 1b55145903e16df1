"""The vectorizer against the definitions and against ``features_of``, and as a citizen of scikit-learn."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import combinations, combinations_with_replacement, product
from math import prod
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils.validation import check_is_fitted

from expressivity.errors import InputError
from expressivity.skipgrams import Feature, SkipGrams, features_of
from expressivity.skipgrams.vectorizer import SkipGramVectorizer

CONVENTIONS = ["absolute", "anywhere", "count"]
Contexts = list[tuple[str, ...]]


def by_definition(contexts: Contexts, order: int, positions: str, tokens: str) -> dict[Feature, list[int]]:
    """Every conceivable feature over the tokens, evaluated on every context; those that are not 0 throughout."""
    listed: dict[Feature, list[int]] = {}
    longest = max(map(len, contexts)) - 1
    for end, size in product(tokens, range(order - 1)):
        if positions == "absolute":
            for length in range(longest + 1):
                for places, chosen in product(combinations(range(length), size), product(tokens, repeat=size)):
                    sources = tuple(zip(places, chosen, strict=True))
                    listed[Feature(end, sources, length)] = [
                        int(len(c) == length + 1 and c[-1] == end and all(c[i] == token for i, token in sources))
                        for c in contexts
                    ]
        elif positions == "anywhere":
            for chosen in combinations(tokens, size):
                listed[Feature(end, chosen)] = [int(c[-1] == end and {*chosen} <= {*c[:-1]}) for c in contexts]
        else:
            for chosen in combinations_with_replacement(tokens, size):
                listed[Feature(end, chosen)] = [
                    (c[-1] == end) * prod(c[:-1].count(token) for token in chosen) for c in contexts
                ]
    return {feature: column for feature, column in listed.items() if any(column)}


def by_column(vectorizer: SkipGramVectorizer, matrix: Any) -> dict[Feature, list[int]]:
    columns = matrix.toarray().T.tolist()
    features = vectorizer.features_
    assert len(set(features)) == len(features) == len(columns)
    return dict(zip(features, columns, strict=True))


@pytest.mark.parametrize("positions", CONVENTIONS)
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_the_matrix_is_that_of_the_definition(order: int, positions: str) -> None:
    rng = random.Random(f"{order} {positions}")
    for longest in (1, 3, 5):
        contexts = [tuple(rng.choices("ABC", k=rng.randint(1, longest + 1))) for _ in range(25)]
        vectorizer = SkipGramVectorizer(order, positions)
        learnt = by_column(vectorizer, vectorizer.fit_transform(contexts))
        assert learnt == by_definition(contexts, order, positions, "ABC")
        new = [tuple(rng.choices("ABCD", k=rng.randint(1, longest + 2))) for _ in range(25)]
        expected = by_definition(new, order, positions, "ABCD")
        zeros = [0] * len(new)
        assert by_column(vectorizer, vectorizer.transform(new)) == {f: expected.get(f, zeros) for f in learnt}


@given(
    st.lists(st.lists(st.sampled_from(["A", "B", "aa", "10", "9"]), min_size=1, max_size=6), min_size=1, max_size=8),
    st.lists(st.lists(st.sampled_from(["A", "aa", "10", "new"]), min_size=1, max_size=6), max_size=4),
    st.integers(2, 5),
    st.sampled_from(CONVENTIONS),
    st.none() | st.integers(0, 4),
)
def test_rows_are_what_features_of_lists(
    contexts: list[list[str]], new: list[list[str]], order: int, positions: str, window: int | None
) -> None:
    vectorizer = SkipGramVectorizer(order, positions, window=window)
    model, kept = SkipGrams(order, positions), None if window is None else window + 1

    def listed(context: list[str]) -> dict[Feature, int]:
        return dict(features_of(context if kept is None else context[-kept:], model))

    matrix = vectorizer.fit_transform(contexts).toarray()
    features = vectorizer.features_
    assert set(features) == set().union(*map(listed, contexts))
    assert (vectorizer.transform(contexts).toarray() == matrix).all()
    for context, row in zip([*contexts, *new], [*matrix, *vectorizer.transform(new).toarray()], strict=True):
        expected = listed(context)
        assert row.tolist() == [expected.get(feature, 0) for feature in features]


@pytest.mark.parametrize("positions", CONVENTIONS)
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_a_corpus_is_the_contexts_of_its_tokens(order: int, positions: str) -> None:
    rng = random.Random(order)
    corpus = rng.choices(["the", "cat", "sat", "on", "a", "mat"], k=300)
    contexts = [tuple(corpus[max(0, i - 4) : i + 1]) for i in range(len(corpus))]
    one = SkipGramVectorizer(order, positions, window=4)
    other = SkipGramVectorizer(order, positions)
    assert (one.fit_transform(corpus) != other.fit_transform(contexts)).nnz == 0
    assert one.features_ == other.features_
    assert (
        one.transform(corpus[::-1]) != one.transform([tuple(corpus[::-1][max(0, i - 4) : i + 1]) for i in range(300)])
    ).nnz == 0


def test_integers_are_the_tokens_that_they_spell() -> None:
    numbers = np.random.default_rng(0).integers(-3, 12, 200)
    for positions in CONVENTIONS:
        one, other = (SkipGramVectorizer(4, positions, window=3) for _ in range(2))
        assert (one.fit_transform(numbers) != other.fit_transform([str(n) for n in numbers.tolist()])).nnz == 0
        assert one.features_ == other.features_
        assert (one.transform([str(n) for n in numbers.tolist()]) != other.transform(numbers)).nnz == 0


def test_xor_by_hand() -> None:
    """A C, A D, B C, B D at Q: the constant, four sources, four pairs."""
    contexts = [("A", "C", "Q"), ("A", "D", "Q"), ("B", "C", "Q"), ("B", "D", "Q")]
    vectorizer = SkipGramVectorizer(order=4)
    assert vectorizer.fit_transform(contexts).toarray().tolist() == [
        [1, 1, 0, 1, 0, 1, 0, 0, 0],
        [1, 1, 0, 0, 1, 0, 1, 0, 0],
        [1, 0, 1, 1, 0, 0, 0, 1, 0],
        [1, 0, 1, 0, 1, 0, 0, 0, 1],
    ]
    assert vectorizer.get_feature_names_out().tolist() == [
        *("Q", "A@0… Q", "B@0… Q", "C@1… Q", "D@1… Q"),
        *("A@0… C@1… Q", "A@0… D@1… Q", "B@0… C@1… Q", "B@0… D@1… Q"),
    ]


def test_counts_and_their_powers_by_hand() -> None:
    vectorizer = SkipGramVectorizer(order=4, positions="count")
    assert vectorizer.fit_transform([("A", "B", "A", "Q"), ("B", "Q")]).toarray().tolist() == [
        [1, 2, 1, 4, 2, 1],
        [1, 0, 1, 0, 0, 1],
    ]
    names = ["Q", "A… Q", "B… Q", "A… A… Q", "A… B… Q", "B… B… Q"]
    assert vectorizer.get_feature_names_out().tolist() == names


# ---------------------------------------------------------------- what scikit-learn expects


def text(rng: random.Random, many: int = 200) -> Contexts:
    return [tuple(rng.choices("ABCDE", k=4)) for _ in range(many)]


def test_the_output_is_csr_with_sorted_indices_of_32_bits() -> None:
    for positions in CONVENTIONS:
        matrix = SkipGramVectorizer(4, positions).fit_transform(text(random.Random(0)))
        peer = CountVectorizer(analyzer=list).fit_transform(["AB"])
        assert sp.issparse(matrix)
        assert matrix.format == "csr"
        assert type(matrix) is type(peer)
        assert matrix.dtype == peer.dtype == np.int64
        assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
        copy = sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
        assert copy.has_canonical_format


def test_the_interface_of_sparse_output_is_the_one_chosen_in_scikit_learn() -> None:
    if "sparse_interface" not in sklearn.get_config():
        pytest.skip("this scikit-learn has no choice of interfaces")
    for interface, kind in [("spmatrix", sp.csr_matrix), ("sparray", sp.csr_array)]:
        with sklearn.config_context(sparse_interface=interface):
            assert isinstance(SkipGramVectorizer().fit_transform([("A", "Q")]), kind)


def test_parameters_are_stored_as_given_and_cloned() -> None:
    given = {
        "order": 4,
        "positions": "count",
        "window": 5,
        "min_df": 0.1,
        "max_features": 7,
        "binary": True,
        "dtype": np.float32,
        "sparse_output": False,
    }
    vectorizer = SkipGramVectorizer(**given)
    assert vectorizer.get_params() == given
    other = clone(vectorizer.fit(text(random.Random(1))))
    assert other.get_params() == given
    assert not hasattr(other, "lexicon_")
    assert other.set_params(order=3).order == 3
    assert repr(SkipGramVectorizer(order=4, positions="count")) == "SkipGramVectorizer(order=4, positions='count')"
    with pytest.raises(ValueError, match="Invalid parameter 'orders'"):
        other.set_params(orders=3)


def test_nothing_is_checked_before_fitting() -> None:
    SkipGramVectorizer(order="many", positions="nowhere", min_df="all")


def test_using_it_before_fitting_says_so() -> None:
    vectorizer = SkipGramVectorizer()
    for use in (
        lambda: vectorizer.transform([("A", "Q")]),
        vectorizer.get_feature_names_out,
        lambda: vectorizer.vocabulary_,
        lambda: vectorizer.features_,
        lambda: check_is_fitted(vectorizer),
    ):
        with pytest.raises(NotFittedError, match="SkipGramVectorizer"):
            use()
    assert not hasattr(vectorizer, "vocabulary_")
    check_is_fitted(vectorizer.fit([("A", "Q")]))


def test_fit_returns_itself_and_agrees_with_fit_transform() -> None:
    contexts = text(random.Random(2))
    one, other = SkipGramVectorizer(4), SkipGramVectorizer(4)
    assert one.fit(contexts) is one
    assert (one.transform(contexts) != other.fit_transform(contexts, y=[0] * len(contexts))).nnz == 0
    assert one.vocabulary_ == other.vocabulary_


def test_fitting_again_forgets() -> None:
    vectorizer = SkipGramVectorizer(max_features=1).fit([("A", "Q"), ("B", "Q")])
    assert vectorizer.get_feature_names_out().tolist() == ["Q"]
    vectorizer.set_params(max_features=None).fit([("C", "R")])
    assert vectorizer.get_feature_names_out().tolist() == ["R", "C@0… R"]


def test_names_do_not_depend_on_the_order_of_contexts() -> None:
    rng = random.Random(3)
    contexts = text(rng)
    names = SkipGramVectorizer(4).fit(contexts).get_feature_names_out()
    assert names.dtype == object
    rng.shuffle(contexts)
    assert SkipGramVectorizer(4).fit(contexts).get_feature_names_out().tolist() == names.tolist()


def test_names_are_those_of_the_features_and_the_keys_of_the_vocabulary() -> None:
    for positions in CONVENTIONS:
        vectorizer = SkipGramVectorizer(4, positions).fit(text(random.Random(4)))
        names = vectorizer.get_feature_names_out().tolist()
        assert names == [str(feature) for feature in vectorizer.features_]
        assert vectorizer.vocabulary_ == {name: i for i, name in enumerate(names)}
        assert len(set(names)) == len(names)


def test_names_that_two_lengths_share_say_which() -> None:
    vectorizer = SkipGramVectorizer().fit([("A", "Q"), ("A", "B", "Q"), ("R",)])
    assert vectorizer.get_feature_names_out().tolist() == [
        *("R", "Q (1 source)", "Q (2 sources)"),
        *("A@0… Q (1 source)", "A@0… Q (2 sources)", "B@1… Q"),
    ]


def test_tokens_made_to_confuse_get_names_that_do_not() -> None:
    vectorizer = SkipGramVectorizer(4, "anywhere").fit([("A", "B", "Q"), ("A… B", "Q")])
    names = vectorizer.get_feature_names_out().tolist()
    assert len(set(names)) == len(names) == len(vectorizer.vocabulary_) == 5
    assert '["Q", ["A… B"], null]' in names
    assert '["Q", ["A", "B"], null]' in names


def test_rare_features_can_be_left_out_by_number_or_share() -> None:
    contexts = [("A", "Q"), ("A", "Q"), ("B", "Q"), ("A", "R")]
    for least, names in [
        (1, ["Q", "R", "A… Q", "B… Q", "A… R"]),
        (2, ["Q", "A… Q"]),
        (3, ["Q"]),
        (0.5, ["Q", "A… Q"]),
        (0.51, ["Q"]),
        (0.0, ["Q", "R", "A… Q", "B… Q", "A… R"]),
        (np.int64(3), ["Q"]),
    ]:
        vectorizer = SkipGramVectorizer(positions="anywhere", min_df=least).fit(contexts)
        assert vectorizer.get_feature_names_out().tolist() == names
    with pytest.raises(InputError, match=r"no feature occurs in min_df = 1\.0 of 4 contexts"):
        SkipGramVectorizer(min_df=1.0).fit(contexts)


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_the_most_frequent_features_are_kept_in_their_order(positions: str) -> None:
    rng = random.Random(5)
    contexts = [tuple(rng.choices("ABCDE", [9, 5, 3, 2, 1], k=5)) for _ in range(100)]
    full = SkipGramVectorizer(4, positions)
    matrix = full.fit_transform(contexts)
    totals = np.asarray(matrix.sum(axis=0)).ravel().tolist()
    for limit in (1, 10, 10_000):
        kept = sorted(sorted(range(len(totals)), key=lambda j: (-totals[j], j))[:limit])
        few = SkipGramVectorizer(4, positions, max_features=limit)
        assert (few.fit_transform(contexts) != matrix[:, kept]).nnz == 0
        assert (few.transform(contexts) != matrix[:, kept]).nnz == 0
        assert few.features_ == [full.features_[j] for j in kept]


def test_types_of_values() -> None:
    contexts = [("A", "A", "Q")]
    for dtype in (np.int8, np.float32, float):
        matrix = SkipGramVectorizer(4, "count", dtype=dtype).fit_transform(contexts)
        assert matrix.dtype == dtype
        assert matrix.toarray().tolist() == [[1, 2, 4]]
    assert SkipGramVectorizer(4, "count", binary=True).fit_transform(contexts).toarray().tolist() == [[1, 1, 1]]


def test_data_frames_want_dense_output() -> None:
    pd = pytest.importorskip("pandas")
    contexts = [("A", "C", "Q"), ("B", "C", "Q")]
    dense = SkipGramVectorizer(sparse_output=False)
    assert isinstance(dense.fit_transform(contexts), np.ndarray)
    frame = dense.set_output(transform="pandas").fit_transform(contexts)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == ["Q", "A@0… Q", "B@0… Q", "C@1… Q"]
    assert frame.to_numpy().tolist() == [[1, 1, 0, 1], [1, 0, 1, 1]]
    with pytest.raises(ValueError, match="sparse"):
        SkipGramVectorizer().set_output(transform="pandas").fit_transform(contexts)


def test_a_classifier_on_it_is_an_ensemble() -> None:
    """XOR needs pairs: skip-trigrams leave every context at one half, skip-4-grams separate them."""
    contexts, labels = [("A", "C", "Q"), ("A", "D", "Q"), ("B", "C", "Q"), ("B", "D", "Q")], ["T", "F", "F", "T"]
    trigrams = make_pipeline(SkipGramVectorizer(order=3), LogisticRegression(C=1e6)).fit(contexts, labels)
    assert np.allclose(trigrams.predict_proba(contexts), 0.5, atol=1e-3)
    pairs = make_pipeline(SkipGramVectorizer(order=4), LogisticRegression(C=1e6)).fit(contexts, labels)
    assert pairs.predict(contexts).tolist() == labels
    assert pairs[:-1].get_feature_names_out().tolist() == pairs[0].get_feature_names_out().tolist()


def test_a_search_over_orders_finds_the_order_of_parity() -> None:
    rng = random.Random(6)
    contexts = [(*rng.choices("01", k=2), "=") for _ in range(80)]
    labels = [context.count("1") % 2 for context in contexts]
    pipeline = make_pipeline(SkipGramVectorizer(), LogisticRegression(C=100))
    grid = {"skipgramvectorizer__order": np.arange(2, 5), "skipgramvectorizer__window": [1, None]}
    search = GridSearchCV(pipeline, grid, cv=4).fit(contexts, labels)
    assert search.best_params_ == {"skipgramvectorizer__order": 4, "skipgramvectorizer__window": None}
    assert search.best_score_ == 1


def test_a_corpus_can_be_cross_validated() -> None:
    """Tokens alternate, so what stands two back comes next."""
    corpus = np.array(["A", "B", "C"] * 60)
    pipeline = make_pipeline(SkipGramVectorizer(window=2, positions="anywhere"), LogisticRegression())
    assert cross_val_score(pipeline, corpus[:-1], corpus[1:], cv=3).tolist() == [1, 1, 1]


def test_it_joins_other_features() -> None:
    union = FeatureUnion([("absolute", SkipGramVectorizer()), ("count", SkipGramVectorizer(positions="count"))])
    contexts = [("A", "A", "Q"), ("B", "A", "Q")]
    assert union.fit_transform(contexts).shape == (2, 4 + 3)
    assert union.get_feature_names_out()[[0, -1]].tolist() == ["absolute__Q", "count__B… Q"]


@pytest.mark.parametrize(
    ("parameters", "seen"),
    [
        ({"order": 1}, "order is 1"),
        ({"order": None}, "order is None"),
        ({"order": 3.0}, "order is 3.0"),
        ({"positions": "both"}, "positions is 'both'"),
        ({"window": -1}, "window is -1"),
        ({"window": "all"}, "window is 'all'"),
        ({"min_df": 0}, "min_df is 0"),
        ({"min_df": 1.5}, "min_df is 1.5"),
        ({"min_df": "few"}, "min_df is 'few'"),
        ({"max_features": 0}, "max_features is 0"),
        ({"max_features": True}, "max_features is True"),
    ],
)
def test_parameters_out_of_range_are_refused_when_fitting(parameters: dict[str, Any], seen: str) -> None:
    with pytest.raises(InputError) as caught:
        SkipGramVectorizer(**parameters).fit([("A", "Q")])
    assert isinstance(caught.value, ValueError)
    assert seen in str(caught.value)
    assert "expected" in str(caught.value)


def test_nothing_to_learn_from_is_refused_and_nothing_to_transform_is_not() -> None:
    with pytest.raises(InputError, match="contexts is empty"):
        SkipGramVectorizer().fit([])
    assert SkipGramVectorizer().fit([("A", "Q")]).transform([]).shape == (0, 2)


def test_scikit_learn_is_loaded_only_when_it_is_used() -> None:
    program = "import sys, expressivity.skipgrams; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
