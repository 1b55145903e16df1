"""A proved lower bound of the gap between a model and every ensemble of an order, on contexts that share features.

A context with a feature of its own costs an ensemble nothing, so that only contexts are taken of which every feature is
another's too; in text these are short. Of contexts of n tokens before one destination, those are kept whose
sources are among the most frequent, and of these, until nothing changes, those that share every feature.

Of the outputs a few are kept, the likeliest. That makes the bound smaller and keeps it one: with ``p(S|x)`` the chance
of these outputs S, ``KL(p ‖ q) ≥ p(S|x) KL(p(·|S) ‖ q(·|S))``, and ``q(·|S)`` is an ensemble's as ``q`` is. The
probabilities are rounded to multiples of 2^(−20); what is certified is about these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from time import monotonic
from typing import Any

import numpy as np
import torch

from expressivity.audit.forward import Audited
from expressivity.audit.text import Part, cut
from expressivity.cross_entropy import bound_cross_entropy
from expressivity.cross_entropy.deciding import own_entropy
from expressivity.skipgrams import SkipGrams
from expressivity.task import Distribution, Task
from expressivity.verdict import CrossEntropyBound

CONTEXTS = 48
OUTPUTS = 8
_DENOMINATOR = 1 << 20
_MOST_READ = 400_000  # contexts of the text that are looked through
_LEAST = 2  # contexts in a group worth a proof
_EACH = 20.0  # seconds for each group

Context = tuple[int, ...]


@dataclass(frozen=True)
class GapBound:
    """A certified lower bound.

    Attributes:
        order: of the ensembles.
        tokens: in each context, destination included.
        contexts: how many there are.
        share: the part of all contexts of so many tokens in the text that these make up.
        gap: nats, over these contexts, weighted as they occur; 0 says nothing.
        proofs: a certificate for each destination.
    """

    order: int
    tokens: int
    contexts: int
    share: float
    gap: float
    proofs: tuple[CrossEntropyBound, ...]


def certify_gap(
    model: Audited,
    part: Part,
    order: int,
    convention: str,
    *,
    contexts: int = CONTEXTS,
    outputs: int = OUTPUTS,
    deadline: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> GapBound | None:
    """The bound for one order on contexts of ``order`` tokens, the fewest on which it can fall short.

    Args:
        model: what is audited.
        part: the text.
        order: of the ensembles.
        convention: ``anywhere``, ``count`` or ``offset``.
        contexts: how many at most.
        outputs: how many are kept.
        deadline: a time of :func:`time.monotonic`.
        progress: is told the step.

    Returns:
        ``None`` where no contexts share all their features, or the model takes none so long.
    """
    if order > model.n_ctx:
        return None
    found = cut(part, order, last=True, contexts=_MOST_READ)
    if not len(found):
        return None
    rows, counts = np.unique(found.tokens, axis=0, return_counts=True)
    often = {tuple(row): int(count) for row, count in zip(rows.tolist(), counts.tolist(), strict=True)}
    proofs, gap, mass, used, left = [], Fraction(0), Fraction(0), 0, contexts
    for group in _groups(often, convention):
        if left < _LEAST or monotonic() > deadline:
            break
        taken = _core(group, convention, left)
        if len(taken) < _LEAST:
            continue
        progress(f"order {order}: certified bound on {used + len(taken)} contexts")
        task, weight = _soft_task(model, taken, outputs)
        if task is None:
            continue
        # Words on the wire are texts; positions from the left are distances where all contexts are as long.
        kind = SkipGrams(order, "absolute" if convention == "offset" else convention)
        proof = bound_cross_entropy(task, kind, time_limit=min(_EACH, max(0.1, deadline - monotonic())))
        gap += max(Fraction(0), (proof.lower or Fraction(0)) - own_entropy(task)[1]) * weight
        mass += sum(taken.values())
        used, left = used + len(taken), left - len(taken)
        proofs.append(proof)
    if not used:
        return None
    return GapBound(order, order, used, float(mass) / len(found), float(gap / mass), tuple(proofs))


def _groups(often: dict[Context, int], convention: str) -> Iterator[dict[Context, int]]:
    """Contexts by destination, the commonest first, if some of them share features at all."""
    total: Counter[int] = Counter()
    apart: dict[int, dict[Context, int]] = {}
    for context, count in often.items():
        total[context[-1]] += count
        apart.setdefault(context[-1], {})[context] = count
    for destination, _ in total.most_common(64):
        group = _peeled(apart[destination], convention)
        if group:
            yield group


def _core(group: dict[Context, int], convention: str, most: int) -> dict[Context, int]:
    """Contexts of the most frequent sources, as many as there may be, that share every feature."""
    sources: Counter[int] = Counter()
    for context, count in group.items():
        for source in context[:-1]:
            sources[source] += count
    ranked = [source for source, _ in sources.most_common(64)]
    best: dict[Context, int] = {}
    for many in range(2, len(ranked) + 1):
        kept = set(ranked[:many])
        found = _peeled({x: n for x, n in group.items() if kept.issuperset(x[:-1])}, convention)
        if len(found) > most:
            break
        best = found
    return best or (group if len(group) <= most else {})


def _peeled(contexts: dict[Context, int], convention: str) -> dict[Context, int]:
    """Without those that have a feature of their own, again and again.

    >>> sorted(_peeled({(1, 1, 9): 1, (1, 2, 9): 1, (2, 1, 9): 1, (2, 2, 9): 1, (2, 3, 9): 1}, "offset"))
    [(1, 1, 9), (1, 2, 9), (2, 1, 9), (2, 2, 9)]
    """
    left = dict(contexts)
    features = {x: _features(x, convention) for x in left}
    while True:
        held = Counter(feature for x in left for feature in features[x])
        alone = [x for x in left if any(held[feature] == 1 for feature in features[x])]
        if not alone:
            return left
        for x in alone:
            del left[x]


def _features(context: Context, convention: str) -> set[Any]:
    """The longest features of order n of a context of n tokens; the shorter ones are shared where these are."""
    *sources, _ = context
    several = combinations(enumerate(sources), len(sources) - 1)
    if convention == "offset":
        return set(several)
    if convention == "count":
        return {tuple(sorted(token for _, token in each)) for each in several}
    kinds = sorted(set(sources))
    return set(combinations(kinds, min(len(kinds), len(sources) - 1)))


def _soft_task(model: Audited, contexts: dict[Context, int], outputs: int) -> tuple[Task | None, Fraction]:
    """The model's probabilities of a few outputs, and the weight of the whole task: ``Σ count · p(S|x)``."""
    rows = torch.tensor(list(contexts), device=model.device)
    p = ((model.residual(rows)[:, -1] @ model.into).double() @ model.basis.double()).softmax(-1)
    counts = torch.tensor(list(contexts.values()), dtype=p.dtype, device=p.device)
    kept = torch.sort((counts @ p).topk(min(outputs, p.shape[1])).indices).values.tolist()
    names = [model.outputs[k] for k in kept]
    words = {t: model.tokens[t] for x in contexts for t in x}
    places, asked, weights = [], [], []
    for x, count, row in zip(contexts, contexts.values(), p[:, kept].tolist(), strict=True):
        inside = int(sum(row) * _DENOMINATOR)  # rounded down, so that the bound is
        near = [round(value / sum(row) * _DENOMINATOR) for value in row] if inside else []
        if not any(near):
            continue
        places.append(tuple(words[t] for t in x))
        shares = {name: Fraction(n, sum(near)) for name, n in zip(names, near, strict=True) if n}
        asked.append(Distribution(shares))
        weights.append(Fraction(count * min(inside, _DENOMINATOR), _DENOMINATOR))
    if len(places) < _LEAST:
        return None, Fraction(0)
    name = f"the model's probabilities before {places[0][-1]!r}"
    task = Task(places, asked, weights=weights, outputs=names, name=name)
    return task, sum(weights, Fraction(0))
