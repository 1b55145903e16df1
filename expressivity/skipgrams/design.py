"""The design matrix: contexts × features, sparse; and the comparisons of a task as rows over features × outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from expressivity.skipgrams.features import Feature, features_of
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
    omitted = (
        _commonest(contexts)
        if reduced and model.positions == "absolute" and model.order is not None
        else None
    )
    number: dict[Feature, int] = {}
    indptr, indices, data = [0], list[int](), list[int]()
    for context in contexts:
        for feature, value in features_of(context, model):
            if omitted is None or omitted.isdisjoint(
                (feature.destination, feature.length, s) for s in feature.sources
            ):
                indices.append(number.setdefault(feature, len(number)))
                data.append(value)
        indptr.append(len(indices))
    shape = (len(contexts), len(number))
    columns = np.asarray(indices, dtype=np.int64)
    matrix = sp.csr_array(
        (np.asarray(data, dtype=np.int64), columns, np.asarray(indptr, dtype=np.int64)), shape=shape
    )
    features = list(number)
    kept = sorted(range(len(features)), key=lambda j: len(features[j].sources))
    if reduced:
        kept = _distinct(matrix.tocsc(), kept)
    return Design([features[j] for j in kept], matrix[:, kept].tocsr())


def _commonest(contexts: Sequence[Sequence[str]]) -> set[tuple[str, int, tuple[int, str]]]:
    """For each destination, length and position the commonest source there."""
    seen: dict[tuple[str, int, int], Counter[str]] = {}
    for context in contexts:
        *sources, destination = context
        for position, token in enumerate(sources):
            seen.setdefault((destination, len(sources), position), Counter())[token] += 1
    return {(q, length, (i, counts.most_common(1)[0][0])) for (q, length, i), counts in seen.items()}


def _distinct(matrix: sp.csc_array, columns: Sequence[int]) -> list[int]:
    """The columns that repeat no earlier one."""
    seen: set[tuple[bytes, bytes]] = set()
    kept = []
    for j in columns:
        part = slice(int(matrix.indptr[j]), int(matrix.indptr[j + 1]))
        key = (matrix.indices[part].tobytes(), matrix.data[part].tobytes())
        if key not in seen:
            seen.add(key)
            kept.append(j)
    return kept


def comparison_rows(
    matrix: sp.csr_array, comparisons: Sequence[Comparison], outputs: Sequence[str]
) -> sp.csr_array:
    """The row ``φ(x) ⊗ (e_y − e_z)`` of each comparison (x, y, z), without the last output's columns.

    A common shift of all logits changes no comparison, so the last output's weights are taken to be 0. Exact integers.

    Args:
        matrix: the design, ``[contexts, features]``.
        comparisons: their ``context`` is a row of ``matrix``.
        outputs: the order of the outputs; output k of the first K − 1 owns the columns ``k·F … (k+1)·F − 1``.

    Returns:
        ``[comparisons, (K − 1)·F]``, int64.
    """
    place = {output: k for k, output in enumerate(outputs)}
    chosen = matrix[[c.context for c in comparisons]]
    above = np.array([place[c.above] for c in comparisons], dtype=np.int64)
    below = np.array([place[c.below] for c in comparisons], dtype=np.int64)
    blocks = [
        sp.dia_array(((above == k).astype(np.int64) - (below == k), [0]), shape=(len(above),) * 2) @ chosen
        for k in range(len(outputs) - 1)
    ]
    if not blocks or not comparisons:
        return sp.csr_array((len(comparisons), max(0, len(outputs) - 1) * matrix.shape[1]), dtype=np.int64)
    return sp.csr_array(sp.hstack(blocks, format="csr"))
