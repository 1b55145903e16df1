"""From the integers of a census to certificates that the trusted base proves.

The signs of Σ N_h/D_h become odds and values: with σ the share of d₀ − Σ|dᵢ| that falls to each source and to the
destination, source i has the odds |dᵢ| + σ ± dᵢ, the destination σ, and these sum to D; values times odds sum to N. In
``additive`` the odds are a factor of the token times a factor |dᵢ| of the position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from expressivity.attention import Attention, Head, HeadTables
from expressivity.attention.tables import rows_of
from expressivity.census.functions import task_of
from expressivity.census.polynomials import monomials
from expressivity.certificate import rational_text, seal
from expressivity.skipgrams import Feature, SkipGrams

END = "="
Rows = list[list[int]]


def tables_of(denominators: Rows, numerators: Rows, embedding: str) -> HeadTables:
    """Exact tables of the heads N_h/D_h; logit₁ − logit₀ is their sum.

    Args:
        denominators, numerators: integers, constant first, a row for each head.
        embedding: ``joint``, or ``additive``, where the slopes of a denominator have one sign, none of them 0.

    >>> tables = tables_of([[3, 1, 1]], [[0, 1, 1]], "additive")  # (X₀ + X₁) / (3 + X₀ + X₁)
    >>> tables.logits(("1", "1", "="))["1"], tables.logits(("0", "0", "="))["1"]
    (Fraction(2, 5), Fraction(-2, 1))
    """
    made = [
        (_joint if embedding == "joint" else _additive)(below, above, f"head {h}")
        for h, (below, above) in enumerate(zip(denominators, numerators, strict=True))
    ]
    return HeadTables(embedding, {}, tuple(made))  # type: ignore[arg-type]


def _joint(below: list[int], above: list[int], name: str) -> Head:
    n = len(below) - 1
    spare = Fraction(below[0] - sum(map(abs, below[1:])), n + 1)
    scale = spare.denominator
    end = (n, END)
    odds: dict[Any, Fraction] = {(end, end): scale * spare}
    values: dict[Any, Fraction] = {(end, "1"): Fraction(above[0]) / spare}
    for i, (slope, height) in enumerate(zip(below[1:], above[1:], strict=True)):
        for token, sign in (("1", 1), ("0", -1)):
            own = abs(slope) + spare + sign * slope
            odds[end, (i, token)] = scale * own
            values[(i, token), "1"] = sign * height / own
    return Head(values, odds=odds, name=name)


def _additive(below: list[int], above: list[int], name: str) -> Head:
    slopes = below[1:]
    total = sum(map(abs, slopes))
    spare = Fraction(below[0] - total, 2)
    over, sign = spare / total, 1 if slopes[0] > 0 else -1
    scale = lcm(over.denominator, spare.denominator)
    end = (None, END)
    odds: dict[Any, Fraction] = {
        (end, end): scale * spare,
        (end, (None, "1")): scale * (1 + over + sign),
        (end, (None, "0")): scale * (1 + over - sign),
    }
    odds |= {(end, (i, None)): Fraction(abs(slope)) for i, slope in enumerate(slopes)}
    written = [Fraction(height, slope) for height, slope in zip(above[1:], slopes, strict=True)]
    middle = sum((w * abs(s) * (1 + over) for w, s in zip(written, slopes, strict=True)), Fraction(0))
    values: dict[Any, Fraction] = {((i, None), "1"): w for i, w in enumerate(written)}
    values[end, "1"] = (above[0] - middle) / spare
    return Head(values, odds=odds, name=name)


def integers_of(tables: HeadTables, n: int) -> tuple[Rows, Rows] | None:
    """The heads of tables as quotients of affine functions of the inputs ±1, scaled to integers; the way back.

    Returns:
        Denominators and numerators, or ``None`` for no head, which no quotient can stand for.

    >>> integers_of(tables_of([[3, 1, 1]], [[0, 1, 1]], "additive"), 2)
    ([[3, 1, 1]], [[0, 1, 1]])
    """
    if not tables.heads:
        return None
    quotients = [_quotient(tables, head, n) for head in tables.heads]
    end = rows_of(tables.embedding, (n, END))
    direct = sum((_difference(tables.direct, row) for row in end), Fraction(0))
    below, above = quotients[0]  # the direct path is a multiple of any denominator
    quotients[0] = below, [a + direct * b for a, b in zip(above, below, strict=True)]
    denominators, numerators = [], []
    for below, above in quotients:
        own = _to_integers(below)
        denominators.append([int(own * value) for value in below])
        numerators.append([own * value for value in above])
    common = _to_integers([value for row in numerators for value in row])
    return denominators, [[int(common * value) for value in row] for row in numerators]


def _quotient(tables: HeadTables, head: Head, n: int) -> tuple[list[Fraction], list[Fraction]]:
    """A head's sum of odds, and of odds times values, as affine functions of the inputs ±1."""
    below, above = [Fraction(0)] * (n + 1), [Fraction(0)] * (n + 1)
    end = rows_of(tables.embedding, (n, END))
    places = [(n, END, 0), *((i, token, sign) for i in range(n) for token, sign in (("1", 1), ("0", -1)))]
    for i, token, sign in places:
        place = rows_of(tables.embedding, (i, token))
        odds = head.weight(end, place)
        written = odds * sum((_difference(head.values, row) for row in place), Fraction(0))
        for into, amount in ((below, odds), (above, written)):
            into[0] += amount / 2 if sign else amount
            if sign:
                into[i + 1] += sign * amount / 2
    return below, above


def _to_integers(values: list[Fraction]) -> Fraction:
    """The factor that makes values integers without a common factor."""
    whole = lcm(*(value.denominator for value in values))
    shared = gcd(*(int(value * whole) for value in values))
    return Fraction(whole, shared or 1)


def _difference(table: Mapping[Any, Fraction], row: Any) -> Fraction:
    return table.get((row, "1"), Fraction(0)) - table.get((row, "0"), Fraction(0))


def weights_of(weights: list[int], n: int, degree: int) -> dict[Feature, dict[str, Fraction]]:
    """A polynomial over ±1 as weights on the conjunctions of sources ``1``: X = 2·[source is 1] − 1.

    >>> [(f.sources, str(w["1"])) for f, w in weights_of([0, 0, 0, -1], 2, 2).items()]
    [((), '-1'), (((0, '1'),), '2'), (((1, '1'),), '2'), (((0, '1'), (1, '1')), '-4')]
    """
    found: dict[tuple[int, ...], int] = {}
    for chosen, weight in zip(monomials(n, degree), weights, strict=True):
        for part in range(2 ** len(chosen)):
            inside = tuple(i for k, i in enumerate(chosen) if part >> k & 1)
            sign = -1 if (len(chosen) - len(inside)) % 2 else 1
            found[inside] = found.get(inside, 0) + sign * weight * 2 ** len(inside)
    kept = sorted((inside for inside, value in found.items() if value), key=lambda inside: (len(inside), inside))
    return {Feature(END, tuple((i, "1") for i in inside), n): {"1": Fraction(found[inside])} for inside in kept}


def documents(row: Mapping[str, Any], n: int, embedding: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The certificates of one function by name: no below its order, yes at it, no with fewer heads, yes with enough.

    Args:
        row: of a census's table.
        n: the number of inputs.
        embedding: of the heads.
    """
    task = task_of(row["function"], n)
    degree = row["order"] - 2
    if degree:
        used = [x for x, multiplier in enumerate(row["multipliers"]) if multiplier]
        stated = task.restrict(used)
        value = row["function"]
        proof = {
            "multipliers": [
                {
                    "context": k,
                    "pair": ["1", "0"] if value >> x & 1 else ["0", "1"],
                    "multiplier": rational_text(int(row["multipliers"][x])),
                }
                for k, x in enumerate(used)
            ],
            "irreducible": False,
        }
        yield (
            f"order-{degree + 1}",
            seal("obstruction", SkipGrams(degree + 1, "absolute").to_json(), stated.to_json(), proof),
        )
        fewer = Attention(degree - 1, embedding=embedding)  # type: ignore[arg-type]
        yield "heads-below", seal("obstruction", fewer.to_json(), stated.to_json(), proof)
    weights = [
        feature.to_json({y: rational_text(value) for y, value in logits.items()})
        for feature, logits in weights_of(row["weights"], n, degree).items()
    ]
    model = SkipGrams(degree + 2, "absolute")
    yield f"order-{degree + 2}", seal("separating_weights", model.to_json(), task.to_json(), {"weights": weights})
    if row["heads_upper"] is not None:
        heads = row["heads_upper"]
        if heads:
            below, above = (
                [row[name][k * (n + 1) : (k + 1) * (n + 1)] for k in range(heads)]
                for name in ("denominators", "numerators")
            )
            tables = tables_of(below, above, embedding)
        else:
            end = (n, END) if embedding == "joint" else (None, END)
            tables = HeadTables(embedding, {(end, "1"): Fraction(1 if row["function"] else -1)})  # type: ignore[arg-type]
        found = Attention(heads, embedding=embedding)  # type: ignore[arg-type]
        yield "heads-above", seal("head_tables", found.to_json(), task.to_json(), tables.to_proof())
