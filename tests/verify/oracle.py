"""Whether what a certificate states is true, decided without the library.

By z3 over the rationals for skip-grams, whatever the proof says, for every choice of a few contexts or features; by
evaluating the definition for head tables; by a descent for cross-entropies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from itertools import combinations, permutations, product
from math import prod
from typing import Any

import numpy as np
import sympy
import z3
from mpmath import iv, mp
from scipy.optimize import minimize

from tests.verify.by_hand import HADAMARD, SLICES, Json, selector

Feature = tuple[Any, ...]


def comparisons(task: Json) -> Iterator[tuple[list[str], str, str, bool]]:
    """(tokens, y, z, equal): every pair that the requirements compare."""
    for context in task["contexts"]:
        for requirement in context["requirements"]:
            ((form, listed),) = requirement.items()
            assert form in ("top", "tie")
            for y in listed:
                for z in task["outputs"]:
                    if z not in listed:
                        yield context["tokens"], y, z, False
            if form == "tie":
                yield from ((context["tokens"], y, z, True) for y, z in combinations(listed, 2))


def phi(tokens: list[str], order: int | None, positions: str) -> dict[Feature, int]:
    """Every feature that is not 0: subsets of places, subsets of tokens, or monomials in the counts of tokens."""
    sources, end = tokens[:-1], tokens[-1]
    counts = {token: sources.count(token) for token in sources}
    if order is None:
        seen = {"absolute": sources, "anywhere": sorted(counts), "count": sorted(counts.items())}[positions]
        return {(end, len(sources) if positions == "absolute" else 0, *map(str, seen)): 1}
    if positions == "count":
        found = {}
        for powers in product(range(order - 1), repeat=len(counts)):
            if sum(powers) <= order - 2:
                named = {(token, power) for token, power in zip(counts, powers, strict=True) if power}
                found[end, frozenset(named)] = prod(counts[token] ** power for token, power in named)
        return found
    places = list(enumerate(sources)) if positions == "absolute" else [(0, token) for token in counts]
    group = (end, len(sources)) if positions == "absolute" else (end,)
    return {
        (*group, frozenset(chosen)): 1
        for chosen in (
            {place for place, taken in zip(places, mask, strict=True) if taken}
            for mask in product((False, True), repeat=len(places))
            if sum(mask) <= order - 2
        )
    }


def grams_decide(task: Json, order: int | None, positions: str) -> bool:
    """Whether some real weights meet all comparisons, as z3 decides it in linear rational arithmetic."""
    asked = [(tokens, y, z, 0 if equal else None) for tokens, y, z, equal in comparisons(task)]
    return _solvable(asked, order, positions)


def decides_any(many: int, task: Json, order: int, positions: str) -> bool:
    """Whether every choice of so many contexts is decided, or all contexts if they are fewer."""
    contexts = task["contexts"]
    return all(
        grams_decide({**task, "contexts": chosen}, order, positions)
        for chosen in combinations(contexts, min(many, len(contexts)))
    )


def features_decide(many: int, task: Json, order: int, positions: str) -> bool:
    """Whether some weights on so many features, constants not counted, decide the task."""
    asked = [(tokens, y, z, 0 if equal else None) for tokens, y, z, equal in comparisons(task)]
    names = {feature for context in task["contexts"] for feature in phi(context["tokens"], order, positions)}
    constants = {feature for feature in names if not feature[-1]}
    return any(
        _solvable(asked, order, positions, only=constants.union(chosen))
        for chosen in combinations(names - constants, min(many, len(names - constants)))
    )


def margin_exceeds(margin: Fraction, task: Json, order: int, positions: str) -> bool:
    """Whether some weights between −1 and 1 decide the task by more than the margin."""
    asked = [(tokens, y, z, 0 if equal else None) for tokens, y, z, equal in comparisons(task)]
    return _solvable(asked, order, positions, above=margin)


def probabilities(context: Json) -> dict[str, Fraction]:
    """Those that are positive: a distribution, a label or a tie."""
    ((form, given),) = context["requirements"][0].items()
    if form == "distribution":
        return {y: Fraction(p) for y, p in given.items() if Fraction(p)}
    return {y: Fraction(1, len(given)) for y in given}


def grams_match(task: Json, order: int | None, positions: str) -> bool:
    """Whether some sequence of models tends to the probabilities.

    That is so if weights match the log-odds of positive ones, prime by prime as logarithms of primes are independent,
    and a direction leaves the others behind.
    """
    asked = [(context["tokens"], probabilities(context)) for context in task["contexts"]]
    ratios = [(tokens, y, z, _powers(p[y] / p[z])) for tokens, p in asked for y, z in combinations(p, 2)]
    primes = {prime for *_, powers in ratios for prime in powers}
    exact = [[(*pair, powers.get(prime, 0)) for *pair, powers in ratios] for prime in primes]
    outputs = task["outputs"]
    away = [(tokens, y, z, 0 if z in p else None) for tokens, p in asked for y in p for z in outputs if y != z]
    return all(_solvable(differences, order, positions) for differences in [*exact, away])


def _powers(value: Fraction) -> dict[int, int]:
    return dict(sympy.factorrat(sympy.Rational(value.numerator, value.denominator)))


def _solvable(
    differences: list[Any],
    order: int | None,
    positions: str,
    only: Collection[Feature] | None = None,
    above: Fraction | None = None,
) -> bool:
    """Whether weights give ℓ_y − ℓ_z the value asked for, at least 1 where it is ``None``.

    Weights on some features alone; or weights between −1 and 1, for more than a margin instead of 1.
    """
    weights: dict[tuple[Feature, str], z3.ArithRef] = {}
    solver = z3.Solver()
    for tokens, y, z, value in differences:
        features = [item for item in phi(tokens, order, positions).items() if only is None or item[0] in only]
        high, low = (
            z3.Sum([v * weights.setdefault((feature, out), z3.Real(f"w{len(weights)}")) for feature, v in features])
            for out in (y, z)
        )
        if value is not None:
            solver.add(high - low == int(value))
        else:
            solver.add(high - low >= 1 if above is None else high - low > z3.Q(above.numerator, above.denominator))
    if above is not None:
        solver.add([bound for weight in weights.values() for bound in (weight <= 1, weight >= -1)])
    answer = solver.check()
    assert answer != z3.unknown
    return bool(answer == z3.sat)


def rows(embedding: str, position: int, token: str) -> list[tuple[Any, Any]]:
    return {
        "joint": [(position, token)],
        "tokens": [(None, token)],
        "additive": [(None, token), (position, None)],
    }[embedding]


def represented(task: Json, symmetries: list[Json]) -> Json | None:
    """The task with every context that the listed ones stand for; ``None`` where they are none, or one is double."""
    found = []
    for context in task["contexts"]:
        *sources, end = context["tokens"]
        (entry,) = [e for e in symmetries if (e["destination"], e["length"]) == (end, len(sources))] or [None]
        if entry is None:
            return None
        choices: list[list[dict[int, str]]] = []
        for block in entry["blocks"]:
            kinds = [[k for k in block["kinds"] if sources[i] in k] for i in block["positions"]]
            if any(len(kind) != 1 for kind in kinds):
                return None
            orders = {tuple(map(tuple, order)) for order in permutations([kind[0] for kind in kinds])}
            choices.append(
                [dict(zip(block["positions"], tokens, strict=True)) for order in orders for tokens in product(*order)]
            )
        for parts in product(*choices):
            placed = {i: token for part in parts for i, token in part.items()}
            if sorted(placed) != list(range(len(sources))):
                return None
            found.append({**context, "tokens": [*(placed[i] for i in range(len(sources))), end]})
    distinct = {tuple(context["tokens"]) for context in found}
    return {**task, "contexts": found} if len(distinct) == len(found) else None


def heads_decide(model: Json, task: Json, proof: Json) -> bool:
    """Whether these tables are of the class and meet all comparisons; real exponentials by intervals of 400 digits."""
    if len(proof["heads"]) != model["heads"]:
        return False
    for head in proof["heads"] if model["d_head"] is not None else []:
        if "odds" in head or max(rank(head["scores"]), rank(head["values"])) > model["d_head"]:
            return False
    iv.dps = mp.dps = 400
    return all(
        _meets(logits(model["embedding"], tokens, proof, y), logits(model["embedding"], tokens, proof, z), equal)
        for tokens, y, z, equal in comparisons(task)
    )


def _meets(y: Any, z: Any, equal: bool) -> bool:
    difference = y - z
    if isinstance(difference, Fraction):
        return difference == 0 if equal else difference > 0
    return 0 in difference and difference.delta < 1e-300 if equal else bool(difference > 0)


def logits(embedding: str, tokens: list[str], proof: Json, y: str) -> Any:
    """The definition, as a fraction where every head is rational, else as an interval."""
    places = [rows(embedding, *place) for place in enumerate(tokens)]
    total: Any = _sum(proof["direct"], places[-1], y)
    for head in proof["heads"]:
        odds = [_odds(head, places[-1], place) for place in places]
        values: list[Any] = [_sum(head["values"], place, y) for place in places]
        if not isinstance(odds[0], Fraction):
            values = [_interval(value) for value in values]
            total = _interval(total) if isinstance(total, Fraction) else total
        elif not isinstance(total, Fraction):
            odds, values = [_interval(odd) for odd in odds], [_interval(value) for value in values]
        total += sum(odd * value for odd, value in zip(odds, values, strict=True)) / sum(odds)
    return total


def _sum(entries: list[Any], place: list[Any], y: str) -> Fraction:
    return sum((Fraction(v) for row, out, v in entries if tuple(row) in place and out == y), Fraction(0))


def _odds(head: Json, query: list[Any], place: list[Any]) -> Any:
    entries = [
        Fraction(v) for q, s, v in head.get("odds", head.get("scores")) if tuple(q) in query and tuple(s) in place
    ]
    if "odds" in head:
        return prod(entries, start=Fraction(1))
    score = sum(entries, Fraction(0))
    if head["base"] == "e":
        return iv.exp(_interval(score))
    assert score.denominator == 1
    return Fraction(head["base"]) ** int(score)


def _interval(value: Fraction) -> Any:
    return iv.mpf(value.numerator) / value.denominator


def rank(entries: list[Any]) -> int:
    """Of a table with entries [row, column, value]."""
    names = {str(row) for row, _, _ in entries}, {str(column) for _, column, _ in entries}
    left, right = ({name: i for i, name in enumerate(sorted(side))} for side in names)
    matrix = sympy.zeros(len(left) or 1, len(right) or 1)
    for row, column, value in entries:
        matrix[left[str(row)], right[str(column)]] = sympy.Rational(value)
    return int(matrix.rank())


def least_cross_entropy(model: Json, task: Json) -> float:
    """In nats, by descent from 0; not below the infimum, and above it by no more than the descent leaves."""
    outputs = task["outputs"]
    phis = [phi(context["tokens"], model["order"], model["positions"]) for context in task["contexts"]]
    index = {feature: i for i, feature in enumerate(dict.fromkeys(feature for row in phis for feature in row))}
    matrix = np.zeros((len(phis), len(index)))
    for row, features in enumerate(phis):
        for feature, value in features.items():
            matrix[row, index[feature]] = value
    shares = np.array([float(Fraction(context["weight"])) for context in task["contexts"]])
    shares /= shares.sum()
    wanted = np.zeros((len(phis), len(outputs)))
    for row, context in enumerate(task["contexts"]):
        ((form, given),) = context["requirements"][0].items()
        for y in given:
            wanted[row, outputs.index(y)] += float(Fraction(given[y])) if form == "distribution" else 1 / len(given)

    def loss(flat: Any) -> tuple[float, Any]:
        scores = matrix @ flat.reshape(len(index), len(outputs))
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return float(-(shares[:, None] * wanted * logs).sum()), (
            matrix.T @ (shares[:, None] * (np.exp(logs) - wanted))
        ).ravel()

    found = minimize(loss, np.zeros(len(index) * len(outputs)), jac=True, method="BFGS", options={"gtol": 1e-9})
    return float(found.fun)


def is_true(document: Json) -> bool:
    """Whether what the certificate states is so."""
    model, stated, proof = document["model"], document["task"], document["proof"]
    if document["kind"] == "block_obstruction":
        return selects_by_two_vectors(model, stated)
    if document["kind"] == "head_tables":
        return heads_decide(model, stated, proof)
    if document["kind"] == "head_tables_by_symmetry":
        every = represented(stated, proof["symmetries"])
        return every is not None and heads_decide(model, every, proof)
    if document["kind"] == "cross_entropy_bound":
        least = least_cross_entropy(model, stated)
        below = proof["lower"] is None or float(Fraction(proof["lower"])) <= least + 1e-9
        return below and (proof["upper"] is None or float(Fraction(proof["upper"])) >= least - 1e-6)
    if document["kind"].startswith("logit_"):
        used = stated["contexts"]
        if document["kind"] == "logit_obstruction":  # contexts that are not used may ask for anything
            used = [used[k] for k in sorted({entry["context"] for entry in proof["multipliers"]})]
        matched = grams_match({**stated, "contexts": used}, model["order"], model["positions"])
        return matched == (document["kind"] == "logit_weights")
    order, positions = model.get("order"), model.get("positions")
    if document["kind"] == "fewest_contexts":
        return decides_any(proof["least"] - 1, stated, order, positions)
    if document["kind"] == "fewest_features":
        return not features_decide(proof["least"] - 1, stated, order, positions)
    if document["kind"] == "largest_margin":
        return not margin_exceeds(Fraction(proof["margin"]), stated, order, positions)
    if model["class"] == "attention":  # theorem T1
        order = None if model["heads"] is None else model["heads"] + 2
        positions = "count" if model["embedding"] == "tokens" else "absolute"
    if proof.get("irreducible") and not is_irreducible(stated, order, positions, proof["multipliers"]):
        return False
    return grams_decide(stated, order, positions) == (document["kind"] == "separating_weights")


def selects_by_two_vectors(model: Json, stated: Json) -> bool:
    """Whether two heads at most are refuted on one of the signed selectors, of which that is shown by hand."""

    def asked(task: Json) -> set[tuple[tuple[str, ...], str]]:
        return {(tuple(c["tokens"]), str(r)) for c in task["contexts"] for r in c["requirements"]}

    cores = [asked(selector(columns, 4)[0]) for columns in (HADAMARD, SLICES)]
    few = model["class"] == "attention" and model["heads"] is not None and model["heads"] <= 2
    return few and any(core <= asked(stated) for core in cores)


def is_irreducible(task: Json, order: int | None, positions: str, multipliers: list[Json]) -> bool:
    """Whether the multipliers are, but for a factor, the only ones on their comparisons that cancel."""
    entries = [
        [row, (feature, out), sign * value]
        for row, entry in enumerate(multipliers)
        for feature, value in phi(task["contexts"][entry["context"]]["tokens"], order, positions).items()
        for out, sign in zip(entry["pair"], (1, -1), strict=True)
    ]
    return rank(entries) == len(multipliers) - 1
