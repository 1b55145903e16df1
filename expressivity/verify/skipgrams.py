"""Skip-n-gram features, derived from the tokens of a context in the three position conventions. Floor 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, combinations_with_replacement, pairwise
from math import comb, prod
from typing import Any

from expressivity.errors import Refuted
from expressivity.verify.claim import Claim, Tokens, fields_of, hold, items_of, scaled, text_of, whole

PRIME, FACTOR = (1 << 30) - 35, 123456789  # a prime and one of its primitive roots
SLOT = 10  # bytes, in which a sum of 2**19 products of two numbers below PRIME finds room


def features(tokens: Sequence[str], order: int | None, positions: str) -> dict[Any, int]:
    """The nonzero features of a context: conjunctions of the destination with at most ``order − 2`` sources.

    With ``order=None`` the one indicator of its class of contexts that no order tells apart, of which every feature of
    every order is a function.

    >>> features(("A", "C", "Q"), 3, "absolute")
    {(2, 'Q', ()): 1, (2, 'Q', ((0, 'A'),)): 1, (2, 'Q', ((1, 'C'),)): 1}
    >>> features(("A", "A", "Q"), 4, "count")
    {('Q', ()): 1, ('Q', ('A',)): 2, ('Q', ('A', 'A')): 4}
    """
    *sources, end = tokens
    counts = Counter(sources)
    kinds = sorted(counts)
    if positions == "count":
        if order is None:
            return {(end, tuple(sorted(sources))): 1}
        bags = (bag for k in range(order - 1 if kinds else 1) for bag in combinations_with_replacement(kinds, k))
        return {(end, bag): prod(counts[token] for token in bag) for bag in bags}
    group, places = ((len(sources), end), [*enumerate(sources)]) if positions == "absolute" else ((end,), kinds)
    reach = [len(places)] if order is None else range(min(order - 2, len(places)) + 1)
    return {(*group, chosen): 1 for k in reach for chosen in combinations(places, k)}


def derived(claim: Claim, tokens: Tokens) -> dict[Any, int]:
    """:func:`features`, once it is known that there are not too many; the 31st binomial coefficient would say so."""
    kinds = len(tokens) - 1 if claim.positions == "absolute" else len(set(tokens[:-1]))
    degree, bits = 0 if claim.order is None or not kinds else claim.order - 2, 0
    if claim.positions == "count":
        number, bits = comb(kinds + degree, min(kinds, degree, 31)), degree * len(tokens).bit_length()
    else:
        degree = min(degree, kinds)
        number = sum(comb(kinds, k) for k in range(min(degree, 31) + 1))
    hold(number, bits)
    claim.spend(number * (degree + 5) + len(tokens), bits)
    return features(tokens, claim.order, claim.positions)


def rank_at_least(claim: Claim, rows: Sequence[Mapping[Any, int]]) -> int:
    """A lower bound of the rank of integer rows, and as a rule the rank.

    Each column is added, with arbitrary factors, to three slots, a few more slots than there are rows, and the rank is
    taken modulo a prime. Neither can raise it. A row is held as one integer, with ``SLOT`` bytes for each slot.
    """
    width, state = 5 * len(rows) // 4 + 8, 1
    claim.spend(len(rows) * (len(rows) + 20) * (1 + width // 20))
    spread: dict[Any, list[tuple[int, int]]] = {}
    pivots: list[tuple[int, int]] = []
    for row in rows:
        entries = [0] * width
        for column, value in row.items():
            if column not in spread:
                spread[column] = [((state := state * FACTOR % PRIME) % width, state) for _ in range(3)]
            for slot, factor in spread[column]:
                entries[slot] += factor * value
        packed = _packed(entries)
        for shift, pivot in pivots:
            packed += (-(packed >> shift & (1 << 8 * SLOT) - 1) % PRIME) * pivot
        data = packed.to_bytes(SLOT * width, "little")
        entries = [int.from_bytes(data[i : i + SLOT], "little") % PRIME for i in range(0, len(data), SLOT)]
        lead = next((i for i, value in enumerate(entries) if value), None)
        if lead is not None:
            inverse = pow(entries[lead], -1, PRIME)
            pivots.append((8 * SLOT * lead, _packed(value * inverse for value in entries)))
    return len(pivots)


def _packed(entries: Iterable[int]) -> int:
    return int.from_bytes(b"".join((value % PRIME).to_bytes(SLOT, "little") for value in entries), "little")


def ensemble(claim: Claim, entries: object) -> tuple[Callable[[Tokens], dict[str, int]], int]:
    """The logits of a context under listed weights, as integers over the common denominator that is returned too.

    The weights of a group are a tree whose branches are sources and whose node at ``chosen`` holds, under the key
    ``None``, the weights of that feature; a context walks the branches that it matches.
    """
    order, positions = claim.order, claim.positions
    if order is None:
        raise Refuted("model", "weights belong to a stated order")
    keys = ["destination", "sources", "logits"] + ["length"] * (positions == "absolute")
    trees: dict[Any, dict[Any, Any]] = {}
    leaves: list[dict[str, Any]] = []
    for entry in items_of(entries, "weights"):
        end, sources, logits, *length = fields_of(entry, "a weight", *keys)
        chosen = [_source(source, positions) for source in items_of(sources, "sources")]
        places = [source[0] for source in chosen] if length else chosen
        rising = all(a < b or (positions == "count" and a == b) for a, b in pairwise(places))
        node = trees.setdefault((*(whole(n, "length") for n in length), text_of(end, "a destination")), {})
        for source in chosen:
            node = node.setdefault(source, {})
        if len(chosen) > order - 2 or not rising or None in node:
            raise Refuted("features", f"{chosen!r} at {end!r}: out of order, listed twice, or beyond the stated order")
        node[None] = claim.by_output(logits, "a weight")
        leaves.append(node[None])
    numbers, common = scaled(value for leaf in leaves for value in leaf.values())
    rest, grain = iter(numbers), 1 + (max(map(abs, numbers), default=0).bit_length() >> 10)
    for leaf in leaves:
        leaf.update(zip(leaf, rest, strict=False))

    def logits_of(tokens: Tokens) -> dict[str, int]:
        *sources, end = tokens
        claim.spend(len(tokens) + len(claim.outputs))
        counts = Counter(sources) if positions == "count" else {}
        places: list[Any] = list(enumerate(sources)) if positions == "absolute" else sorted(set(sources))
        index = {place: i for i, place in enumerate(places)}
        total = dict.fromkeys(claim.outputs, 0)
        walk = [(trees.get((len(sources), end) if positions == "absolute" else (end,), {}), 0, 1)]
        while walk:
            node, start, value = walk.pop()
            leaf = node.get(None, {})
            branches = node if len(node) < len(places) - start else places[start:]
            claim.spend(5 + len(branches) + grain * len(leaf), value.bit_length())
            for y, weight in leaf.items():
                total[y] += value * weight
            for place in branches:
                if place in node and (i := index.get(place, -1)) >= start:
                    walk.append((node[place], i, value * counts[place]) if counts else (node[place], i + 1, value))
        return total

    return logits_of, common


def _source(source: object, positions: str) -> Any:
    if positions != "absolute":
        return text_of(source, "a source")
    place, token = items_of(source, "a source", 2)
    return whole(place, "a position"), text_of(token, "a source")
