"""Comparisons added up with multipliers, and the coefficients that remain in each feature. Floor 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from expressivity.certificate import rational
from expressivity.errors import Refuted
from expressivity.verify.claim import NIL, Claim, fields_of, hold, items_of, scaled, whole
from expressivity.verify.skipgrams import derived

Entry = tuple[int, str, str, Fraction]


def entries(claim: Claim, listed: object) -> list[Entry]:
    """Context, output above, output below and multiplier, as a file lists them."""
    read = []
    for entry in items_of(listed, "multipliers"):
        number, pair, given = fields_of(entry, "a multiplier", "context", "pair", "multiplier")
        y, z = (claim.output(name) for name in items_of(pair, "pair", 2))
        if whole(number, "context") >= len(claim.contexts):
            raise Refuted("comparison", f"there is no context {number}")
        read.append((number, y, z, rational(given, "a multiplier")))
    return read


def combined(claim: Claim, listed: object) -> tuple[list[Entry], Fraction]:
    """Comparisons that are asked for, each once, positive where strict; and the sum over strict ones, not 0."""
    used = entries(claim, listed)
    total, known = NIL, set[tuple[int, str, str]]()
    for number, y, z, multiplier in used:
        asked = claim.contexts[number][1]
        claim.spend(len(asked.groups))
        relation = asked.relation(y, z)
        if not relation or multiplier == 0 or (number, y, z) in known:
            message = f"{y!r} and {z!r} are not compared in context {number}, or twice, or the multiplier is 0"
            raise Refuted("comparison", message)
        if relation == "above" and multiplier < 0:
            raise Refuted("sign", f"{y!r} is to be above {z!r} in context {number}, so its multiplier must be positive")
        known.add((number, y, z))
        total += multiplier if relation == "above" else 0
    if not total:
        raise Refuted("sign", "no strict comparison has a positive multiplier")
    return used, total


def terms_of(used: Iterable[Entry]) -> dict[tuple[int, str], Fraction]:
    """What each context contributes for each output: Σ multiplier ([y = u] − [z = u])."""
    terms: dict[tuple[int, str], Fraction] = {}
    for number, y, z, multiplier in used:
        terms[number, y] = terms.get((number, y), NIL) + multiplier
        terms[number, z] = terms.get((number, z), NIL) - multiplier
    return terms


def coefficients(claim: Claim, terms: Mapping[tuple[int, str], Fraction]) -> tuple[dict[str, dict[Any, int]], int]:
    """For each output Σ term × feature, as integers over the common denominator that is returned too."""
    factors, common = scaled(terms.values())
    columns: dict[str, dict[Any, int]] = {}
    last, phi, held, widest = -1, dict[Any, int](), 0, 0
    for (number, y), factor in zip(terms, factors, strict=True):
        last, phi = number, phi if number == last else derived(claim, claim.contexts[number][0])
        column = columns.setdefault(y, {})
        widest = max(widest, (factor * max(phi.values())).bit_length())
        claim.spend(len(phi) * (3 + (widest >> 10)))
        held -= len(column)
        for feature, value in phi.items():
            column[feature] = column.get(feature, 0) + factor * value
        held += len(column)
        hold(held, widest)
    return columns, common


def balance(claim: Claim, step: str, terms: Mapping[tuple[int, str], Fraction]) -> None:
    """Refuse at ``step`` unless Σ term × feature = 0 for each feature and output."""
    for y, column in coefficients(claim, terms)[0].items():
        for feature, total in column.items():
            if total:
                raise Refuted(step, f"for output {y!r} the feature {feature!r} does not sum to 0")
