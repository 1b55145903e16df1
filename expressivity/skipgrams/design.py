"""The design matrix: contexts × features, sparse; and the comparisons of a task as rows over features × outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Any

import numpy as np
import scipy.sparse as sp

from expressivity.skipgrams.encode import Ints, encode
from expressivity.skipgrams.features import Feature, features_of
from expressivity.skipgrams.lexicon import Lexicon
from expressivity.skipgrams.model import SkipGrams
from expressivity.task import Comparison


@dataclass(frozen=True)
class Design:
    """``matrix`` (int64, ``[contexts, features]``) holds the value of each feature on each context."""

    features: list[Feature]
    matrix: sp.csr_array


def design(contexts: Sequence[Sequence[str]], model: SkipGrams, *, reduced: bool = False) -> Design:
    """The features of the contexts, in order of first appearance within each order.

    With ``reduced=True`` features are left out that the others span, so that the same logits can be expressed: columns
    that repeat an earlier one, and, in absolute positions, conjunctions that mention the commonest token of a position
    (its indicator is the sum of all sources there less the others). Exact.

    >>> design([("A", "C", "Q"), ("B", "C", "Q")], SkipGrams(3)).matrix.toarray().tolist()
    [[1, 1, 1, 0], [1, 0, 1, 1]]
    >>> [str(feature) for feature in design([("A", "C", "Q"), ("B", "C", "Q")], SkipGrams(3), reduced=True).features]
    ['Q', 'B@0… Q']
    """
    if model.order is None:
        return _classes(contexts, model)
    matrix, lexicon, columns = _numbered(contexts, model, reduced, np.int64)
    return Design(lexicon.features(columns), matrix)


def design_matrix(
    contexts: Sequence[Sequence[str]], model: SkipGrams, *, reduced: bool = False, dtype: Any = np.int64
) -> sp.csr_array:
    """The matrix of :func:`design` for a stated order, in the type asked for, no feature spelt out.

    >>> design_matrix([("A", "C", "Q"), ("B", "C", "Q")], SkipGrams(3), dtype=float).toarray().tolist()
    [[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 1.0]]
    """
    return _numbered(contexts, model, reduced, dtype)[0]


def entries_of(contexts: Sequence[Sequence[str]], model: SkipGrams) -> int:
    """How many nonzero entries :func:`design` has for a stated order, nothing left out; found without making it.

    A context with k sources (k kinds of them, where positions do not matter) has ``Σ_{j ≤ n−2} C(k, j)`` features of
    order n, and ``C(k + n − 2, k)`` monomials of its counts.

    >>> entries_of([("A", "C", "Q"), ("B", "C", "Q")], SkipGrams(3))
    6
    """
    reach = (model.order or 2) - 2
    absolute = model.positions == "absolute"
    kinds = Counter(len(context) - 1 if absolute else len(set(context[:-1])) for context in contexts)
    if model.positions == "count":
        return sum(many * comb(kind + reach, kind) for kind, many in kinds.items())
    return sum(many * sum(comb(kind, size) for size in range(min(reach, kind) + 1)) for kind, many in kinds.items())


def _numbered(
    contexts: Sequence[Sequence[str]], model: SkipGrams, reduced: bool, dtype: Any
) -> tuple[sp.csr_array, Lexicon, Ints]:
    """The design, and of which features of a lexicon its columns are."""
    encoded = encode(contexts)
    if reduced and model.positions == "absolute":
        encoded = replace(encoded, blocks=[block.without_commonest() for block in encoded.blocks])
    longest = max((block.length for block in encoded.blocks), default=0)
    if model.order is not None and model.positions != "count":  # no conjunction is longer
        model = replace(model, order=min(model.order, longest + 2))
    lexicon, looked = Lexicon.learn(encoded, model)
    matrix = lexicon.matrix(looked, encoded.size, dtype=dtype)
    del looked
    by_column = matrix.tocsc()
    sizes = np.repeat(np.arange(len(lexicon.levels)), [len(level) for level in lexicon.levels])
    columns = np.lexsort((by_column.indices[by_column.indptr[:-1]], sizes))  # each column's first row; stable
    if reduced:
        columns = _distinct(by_column, columns)
    chosen = matrix[:, columns]
    chosen.sort_indices()
    return chosen, lexicon, columns


def _classes(contexts: Sequence[Sequence[str]], model: SkipGrams) -> Design:
    """The design at every order at once: of each context the one feature that says it all."""
    full = [next(features_of(context, model))[0] for context in contexts]
    features = sorted(dict.fromkeys(full), key=lambda feature: len(feature.sources))
    number = {feature: j for j, feature in enumerate(features)}
    ones, places = np.ones(len(full), dtype=np.int64), [number[feature] for feature in full]
    matrix = sp.csr_array((ones, places, np.arange(len(full) + 1)), shape=(len(full), len(features)))
    return Design(features, matrix)


def _distinct(matrix: sp.csc_array, columns: Ints) -> Ints:
    """Those of some columns that repeat no earlier one.

    Columns that differ in a random linear form differ; only the others are compared.
    """
    form = np.random.default_rng(0).integers(1 << 63, size=matrix.shape[0], dtype=np.uint64)
    _, group, many = np.unique((matrix.astype(np.uint64).T @ form)[columns], return_inverse=True, return_counts=True)
    seen: set[tuple[bytes, bytes]] = set()
    kept = many[group] == 1
    for place in np.flatnonzero(~kept).tolist():
        j = columns[place]
        part = slice(int(matrix.indptr[j]), int(matrix.indptr[j + 1]))
        key = (matrix.indices[part].tobytes(), matrix.data[part].tobytes())
        kept[place] = key not in seen
        seen.add(key)
    return np.asarray(columns[kept])


def comparison_rows(
    matrix: sp.csr_array, comparisons: Sequence[Comparison], outputs: Sequence[str], *, whole: bool = False
) -> sp.csr_array:
    """The row ``φ(x) ⊗ (e_y − e_z)`` of each comparison (x, y, z), without the last output's columns.

    A common shift of all logits changes no comparison, so the last output's weights are taken to be 0; with ``whole``
    they are kept. Exact integers.

    Args:
        matrix: the design, ``[contexts, features]``.
        comparisons: their ``context`` is a row of ``matrix``.
        outputs: the order of the outputs; output k of the first K − 1 owns the columns ``k·F … (k+1)·F − 1``.
        whole: give the last output columns too.

    Returns:
        ``[comparisons, (K − 1)·F]``, int64; with ``whole`` ``[comparisons, K·F]``.
    """
    kept = len(outputs) if whole else max(0, len(outputs) - 1)
    place = {output: k for k, output in enumerate(outputs)}
    chosen = matrix[[c.context for c in comparisons]]
    above = np.array([place[c.above] for c in comparisons], dtype=np.int64)
    below = np.array([place[c.below] for c in comparisons], dtype=np.int64)
    blocks = [
        sp.dia_array(((above == k).astype(np.int64) - (below == k), [0]), shape=(len(above),) * 2) @ chosen
        for k in range(kept)
    ]
    if not blocks or not comparisons:
        return sp.csr_array((len(comparisons), kept * matrix.shape[1]), dtype=np.int64)
    return sp.csr_array(sp.hstack(blocks, format="csr"))
