"""Features and designs against the definitions: every conceivable feature is evaluated, and the nonzero ones kept."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement, product
from math import prod

import numpy as np
import pytest
from flint import fmpz_mat

from expressivity.errors import InputError
from expressivity.skipgrams import Feature, SkipGrams, comparison_rows, design, features_of
from expressivity.task import Task

TOKENS, ENDS = "ABC", "QA"
CONVENTIONS = ["absolute", "anywhere", "count"]
Context = tuple[str, ...]


def conceivable(order: int, positions: str, longest: int) -> Iterator[Feature]:
    """Every feature over the tokens, whether it occurs or not."""
    for end, size in product(ENDS, range(order - 1)):
        if positions == "absolute":
            for length in range(longest + 1):
                for places in combinations(range(length), size):
                    for tokens in product(TOKENS, repeat=size):
                        yield Feature(end, tuple(zip(places, tokens, strict=True)), length)
        else:
            choose = combinations if positions == "anywhere" else combinations_with_replacement
            yield from (Feature(end, tokens) for tokens in choose(TOKENS, size))


def value(feature: Feature, context: Context, positions: str) -> int:
    """The value of a feature, from its meaning."""
    *sources, end = context
    if feature.destination != end:
        return 0
    if positions == "absolute":
        return int(feature.length == len(sources) and all(sources[i] == token for i, token in feature.sources))
    if positions == "anywhere":
        return int(all(token in sources for token in feature.sources))
    return prod(sources.count(token) for token in feature.sources)


def some_contexts(rng: random.Random, many: int, longest: int) -> list[Context]:
    every = [(*sources, end) for n in range(longest + 1) for sources in product(TOKENS, repeat=n) for end in ENDS]
    return rng.sample(every, many)


@pytest.mark.parametrize("positions", CONVENTIONS)
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_features_are_those_of_the_definition(order: int, positions: str) -> None:
    every = list(conceivable(order, positions, 4))
    assert len(set(every)) == len(every)
    for context in some_contexts(random.Random(order), 60, 4):
        expected = {feature: value(feature, context, positions) for feature in every}
        found = list(features_of(context, SkipGrams(order, positions)))
        assert len(dict(found)) == len(found)
        assert dict(found) == {feature: v for feature, v in expected.items() if v}
        sizes = [len(feature.sources) for feature, _ in found]
        assert sizes == sorted(sizes)


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_without_an_order_contexts_share_their_feature_if_no_order_tells_them_apart(positions: str) -> None:
    contexts = some_contexts(random.Random(5), 60, 3)
    order = 2 + 6  # three sources: sets have at most 3 tokens; counts up to 3 of 3 tokens, degree 6 tells all apart
    features = list(conceivable(order, positions, 3))
    told = {context: tuple(value(feature, context, positions) for feature in features) for context in contexts}
    for x, y in product(contexts, repeat=2):
        ((of_x, one),) = features_of(x, SkipGrams(None, positions))
        ((of_y, _),) = features_of(y, SkipGrams(None, positions))
        assert one == 1
        assert (of_x == of_y) == (told[x] == told[y]), (x, y)


def rank(matrix: np.ndarray) -> int:
    return int(fmpz_mat([[int(entry) for entry in row] for row in matrix]).rank()) if matrix.size else 0


@pytest.mark.parametrize("positions", CONVENTIONS)
@pytest.mark.parametrize("order", [2, 3, 4, 5, None])
def test_a_design_holds_the_values_and_its_reduction_spans_them(order: int | None, positions: str) -> None:
    rng = random.Random(f"{order} {positions}")
    model = SkipGrams(order, positions)
    smaller = 0
    for _ in range(12):
        contexts = some_contexts(rng, rng.randint(1, 40), 4)
        full, reduced = design(contexts, model), design(contexts, model, reduced=True)
        rows = full.matrix.toarray()
        for context, row in zip(contexts, rows, strict=True):
            found = {feature: v for feature, v in zip(full.features, row.tolist(), strict=True) if v}
            assert found == dict(features_of(context, model))
        column = {feature: j for j, feature in enumerate(full.features)}
        kept = [column[feature] for feature in reduced.features]
        assert len(set(kept)) == len(kept)
        assert (reduced.matrix.toarray() == rows[:, kept]).all()
        assert rank(rows[:, kept]) == rank(rows), contexts
        smaller += len(kept) < rows.shape[1]
    # Destinations alone never depend on each other; where positions do not matter, columns need not repeat.
    assert smaller >= (6 if order and order > 2 and positions == "absolute" else 0)


def test_the_reduction_of_all_strings_is_a_basis() -> None:
    """On all 3³ contexts the features of order n span a space of dimension Σ C(3, k)·2^k, k ≤ n − 2."""
    contexts = [(*sources, "Q") for sources in product("ABC", repeat=3)]
    for order, dimension in [(2, 1), (3, 7), (4, 19), (5, 27), (6, 27)]:
        matrix = design(contexts, SkipGrams(order), reduced=True).matrix.toarray()
        assert matrix.shape == (27, dimension)
        assert rank(matrix) == dimension


def test_a_design_of_nothing_is_empty() -> None:
    assert design([], SkipGrams(3)).matrix.shape == (0, 0)
    assert design([], SkipGrams(3), reduced=True).features == []


@pytest.mark.parametrize("outputs", ["XY", "XYZ"])
def test_rows_of_comparisons_are_products_less_the_last_output(outputs: Sequence[str]) -> None:
    rng = random.Random(outputs)
    contexts = some_contexts(rng, 12, 3)
    task = Task(contexts, [rng.choice(outputs) for _ in contexts], outputs=tuple(outputs))
    matrix = design(contexts, SkipGrams(3)).matrix
    comparisons = task.comparisons()
    rows = comparison_rows(matrix, comparisons, outputs).toarray()
    unit = dict(zip(outputs, np.eye(len(outputs), dtype=int), strict=True))
    for c, row in zip(comparisons, rows, strict=True):
        whole = np.kron(unit[c.above] - unit[c.below], matrix[[c.context]].toarray()[0])
        assert row.tolist() == whole[: -matrix.shape[1]].tolist()


def test_names_are_those_that_people_write() -> None:
    assert str(Feature("Q")) == "Q"
    assert str(Feature("Q", ((0, "A"), (2, "C")), 3)) == "A@0… C@2… Q"
    assert str(Feature("Q", ("A", "A", "B"))) == "A… A… B… Q"


def test_names_of_models() -> None:
    names = {2: "bigram", 3: "skip-trigram", 4: "skip-4-gram", None: "skip-n-gram of any order"}
    assert {order: SkipGrams(order).name for order in names} == names


@pytest.mark.parametrize(
    ("order", "positions", "seen"),
    [(1, "absolute", "order is 1"), (2.5, "count", "order is 2.5"), ("3", "count", "'3'"), (3, "both", "'both'")],
)
def test_models_out_of_range_are_refused(order: object, positions: str, seen: str) -> None:
    with pytest.raises(InputError, match=seen):
        SkipGrams(order, positions)  # type: ignore[arg-type]


@pytest.mark.parametrize("positions", CONVENTIONS)
def test_no_order_tells_more_apart_than_that_at_which_a_model_saturates(positions: str) -> None:
    rng = random.Random(f"saturation {positions}")
    for _ in range(30):
        contexts = some_contexts(rng, rng.randint(1, 5), 3)
        order = SkipGrams(2, positions).saturates_at(contexts)
        assert order is not None
        at, beyond = (design(contexts, SkipGrams(n, positions)).matrix.toarray() for n in (order, order + 2))
        assert rank(at) == rank(beyond) == rank(design(contexts, SkipGrams(None, positions)).matrix.toarray())
