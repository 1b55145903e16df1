"""Theorem T3: head tables from skip-n-gram weights of any order, a head for each conjunction.

Weights of every convention are first written as *gates*: indicators that none of a set of places is among the sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import chain, combinations, product
from math import factorial, prod
from typing import Any, NamedTuple

from expressivity.attention import Head, HeadTables, Place
from expressivity.errors import InputError
from expressivity.heads.constructive import Table, Weights, one_head
from expressivity.skipgrams import Feature
from expressivity.task import Task

Fibre = tuple[int, str]
Logits = dict[str, Fraction]
Gates = dict[frozenset[Place], Logits]
"""The places that shut a gate, and what it adds to the logits while it is open; the empty set is always open."""

ZERO, ONE = Fraction(0), Fraction(1)


class Gate(NamedTuple):
    """A gate of a fibre; ``strength`` is the odds of the places that shut it, once these are known."""

    here: Fibre
    shut: frozenset[Place]
    logits: Mapping[str, Fraction]
    strength: Fraction = ONE


def gates_of(task: Task, weights: Weights, positions: str = "absolute") -> dict[Fibre, Gates]:
    """The same logits, on the task's contexts, as a sum of gates for each fibre. Exact.

    ``absolute``: a gram is shut by the places that have another token at one of its positions. ``count``: a product of
    numbers of occurrences is a sum of such grams, over the positions. ``anywhere``: presence of all tokens of a set is
    Σ (−1)^|R| over its subsets R of the gate that R's tokens shut.

    >>> task = Task.from_strings(["ABQX", "BBQY"])
    >>> gates_of(task, {Feature("Q", ((0, "A"),), 2): {"X": Fraction(1)}})
    {(2, 'Q'): {frozenset({(0, 'B')}): {'X': Fraction(1, 1)}}}
    """
    result: dict[Fibre, Gates] = {}
    for here, members in task.fibres().items():
        seen = set(chain.from_iterable(enumerate(task.contexts[i].sources) for i in members))
        found: Gates = {}
        for feature, logits in weights.items():
            if feature.destination != here[1] or feature.length not in (None, here[0]):
                continue
            for shut, sign in _shutters(feature, here[0], seen, positions):
                total = found.setdefault(shut, {})
                for y, value in logits.items():
                    total[y] = total.get(y, ZERO) + sign * value
        result[here] = {shut: w for shut, w in found.items() if len({w.get(y, ZERO) for y in task.outputs}) > 1}
    return result


def _shutters(feature: Feature, length: int, seen: set[Place], positions: str) -> list[tuple[frozenset[Place], int]]:
    if positions == "anywhere":
        tokens = feature.sources
        chosen = chain.from_iterable(combinations(tokens, size) for size in range(len(tokens) + 1))
        return [(frozenset(p for p in seen if p[1] in closed), (-1) ** len(closed)) for closed in chosen]
    grams = [dict(feature.sources)] if positions == "absolute" else _expanded(feature.sources, length)
    asked = [gram for gram in grams if seen.issuperset(gram.items())]
    return [(frozenset((i, x) for i, x in seen if gram.get(i, x) != x), 1) for gram in asked]


def _expanded(tokens: tuple[str, ...], length: int) -> list[dict[int, str]]:
    """The grams whose sum is the product of the numbers of occurrences of these tokens."""
    grams = []
    for places in product(range(length), repeat=len(tokens)):
        gram = dict(zip(places, tokens, strict=True))
        if all(gram[i] == token for i, token in zip(places, tokens, strict=True)):
            grams.append(gram)
    return grams


def head_per_gram(task: Task, weights: Weights, positions: str = "absolute", *, exact: bool = False) -> HeadTables:
    """T3, ``joint``, any number of fibres: a head for each gate.

    Odds are 1 on the destination, η on every source that does not shut the gate, K = 4(1 + ηT)W on each that does; the
    destination alone writes, (1 + ηT)·w. Open the gate adds w, shut less than w/(4W), W being the sum of a fibre's
    largest differences. Fibres share heads, since values sit on rows of destinations; where such a row is a source of
    another fibre it shuts no gate of the same head, and η is so small that all leaks stay below 1/4; elsewhere η = 1.
    So a comparison of margin 1 keeps more than 1/2; ties in general are lost. On a single fibre one head adds up all
    ``absolute`` grams of a single source, by T2.

    With ``exact`` the logits are the ensemble's, ties included, and a gate that J places shut at most takes J heads.
    With c = 1/2, 1/2, 1, 1, 2, 2, … and D_h = j + c or T + 1 + c − j in turn, j the number of places that shut, the
    polynomial P of degree J that is ΠD at j = 0 and 0 at 1 … J gives [j = 0] = P/ΠD = b + Σ r_h/D_h. With odds of
    1 + (T + 1)/c or c/(T + 1 + c) on the places that shut, the sum of a head's odds is a multiple of D_h; b goes to the
    direct path.

    Raises:
        InputError: ``exact``, and a destination is a source of another fibre, which would read what it writes.
    """
    fibres = task.fibres()
    seen = {here: {p for i in members for p in enumerate(task.contexts[i].sources)} for here, members in fibres.items()}
    single: Weights = {}
    if len(fibres) == 1 and positions == "absolute":
        single = {f: logits for f, logits in weights.items() if len(f.sources) == 1}
    heads = list(one_head(task, "joint", single).heads) if single else []
    direct: Table = {}
    gates: list[Gate] = []
    for here, own in gates_of(task, {f: w for f, w in weights.items() if f not in single}, positions).items():
        direct |= {(here, y): value for y, value in own.pop(frozenset(), {}).items()}
        gates += [Gate(here, shut, logits) for shut, logits in own.items()]
    read = sorted(here for here in fibres if any(here in places for places in seen.values()))
    if exact and read:
        end, at = read[0][1], read[0][0]
        raise InputError(f"{end!r} at position {at} is a destination and a source; exact heads need one of the two")
    eta = _eta(task, gates) if read and gates else ONE
    parts = [part for gate in gates for part in _poles(task, gate, direct)] if exact else _steep(task, gates, eta)
    for n, group in enumerate(_shared(parts)):
        odds: dict[tuple[Any, Any], Fraction] = {(here, p): eta for here, found in seen.items() for p in found}
        values: Table = {}
        for here, shut, logits, strength in group:
            odds |= dict.fromkeys(((here, place) for place in shut), strength)
            values |= {(here, y): value for y, value in logits.items()}
        heads.append(Head(values, odds=odds, name=f"gate {n}"))
    return HeadTables("joint", direct, tuple(heads))


def _steep(task: Task, gates: Sequence[Gate], eta: Fraction) -> list[Gate]:
    """Gates whose odds K make what they add while shut less than 1/4 in all."""
    spans = _spans(task, gates)
    open_odds = {here: 1 + eta * here[0] for here in spans}
    return [
        Gate(here, shut, {y: open_odds[here] * v for y, v in logits.items()}, 4 * open_odds[here] * spans[here])
        for here, shut, logits, _ in gates
    ]


def _eta(task: Task, gates: Sequence[Gate]) -> Fraction:
    """Odds with which T sources in as many heads as there are gates add less than 1/4."""
    longest = max(length for length, _ in task.fibres())
    return 1 / (1 + 4 * len(gates) * (1 + longest) ** 2 * max(_spans(task, gates).values()))


def _spans(task: Task, gates: Sequence[Gate]) -> dict[Fibre, Fraction]:
    spans = dict.fromkeys(task.fibres(), ZERO)
    for gate in gates:
        row = [gate.logits.get(y, ZERO) for y in task.outputs]
        spans[gate.here] += max(row) - min(row)
    return spans


def _poles(task: Task, gate: Gate, direct: Table) -> list[Gate]:
    """The heads of one gate without error; its constant is added to ``direct``."""
    here, shut, logits, _ = gate
    places = here[0] + 1
    most = max(sum(p in shut for p in enumerate(task.contexts[i].sources)) for i in task.fibres()[here])
    c = [Fraction(2 ** (h // 2), 2) for h in range(most)]
    top = [None if h % 2 == 0 else places + c[h] for h in range(most)]

    def factor(h: int, j: Fraction) -> Fraction:
        pole = top[h]
        return j + c[h] if pole is None else pole - j

    def numerator(j: Fraction) -> Fraction:
        return at_zero * prod(((t - j) / t for t in range(1, most + 1)), start=ONE)

    at_zero = prod((factor(h, ZERO) for h in range(most)), start=ONE)
    constant = at_zero / factorial(most) * (-1) ** (most + most // 2)
    for y, value in logits.items():
        direct[here, y] = direct.get((here, y), ZERO) + constant * value
    heads = []
    for h, (small, pole) in enumerate(zip(c, top, strict=True)):
        where = -small if pole is None else pole
        residue = numerator(where) / prod((factor(g, where) for g in range(most) if g != h), start=ONE)
        scale = places / (small if pole is None else pole)
        strength = 1 + scale if pole is None else 1 - scale
        heads.append(Gate(here, shut, {y: residue * scale * value for y, value in logits.items()}, strength))
    return heads


def _shared(gates: Sequence[Gate]) -> list[list[Gate]]:
    """Gates of different fibres put into one head where no place shuts one and is where another writes."""
    groups: list[list[Gate]] = []
    for gate in gates:
        for group in groups:
            if all(gate.here != g.here and gate.here not in g.shut and g.here not in gate.shut for g in group):
                group.append(gate)
                break
        else:
            groups.append([gate])
    return groups
