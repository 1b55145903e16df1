"""The checker: re-proves a finding about separation with Python integers, sharing no code with what found it.

Given the integer design, the observations and a :class:`Proof`, every claim is recomputed from the definitions. With
Δ_c the comparisons (``comparisons.py``), C = {β : β · Δ_c ≥ 0 for every c}, and the *kept* columns those that are not
aliased:

1. each aliased column is the stated combination of the kept ones, and the kept ones are linearly independent;
2. ``w · Δ_c ≥ 0``, ``λ_c ≥ 0``, ``Σ λ_c Δ_c = 0`` and ``w · Δ_c + λ_c > 0`` for every c. Hence ``w · Δ_c > 0`` exactly
   where ``λ_c = 0``, and on C every Δ_c with ``λ_c > 0`` is 0;
3. the basis spans the space F on which certain Δ_c with ``λ_c > 0`` are 0: its vectors are independent, they are 0 on
   these Δ_c, and there are as many as there are coordinates less these Δ_c, which are independent too. So F contains C;
4. a coefficient β_j is *finite*: it is 0 on F; *+inf* (*−inf*): ``w_j`` is positive (negative), and on F a positive
   multiple of β_j (of −β_j) is a combination of Δ_c with positive multipliers; *undetermined*: two vectors of C show it
   with either sign.

Independence is shown modulo a prime, which suffices: a minor that is not 0 modulo a prime is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

from expressivity.errors import Refuted
from expressivity.separation.comparisons import Comparison

PRIME = (1 << 61) - 1

Vector = Sequence[int]


@dataclass(frozen=True)
class Direction:
    """Proof that a coefficient is infinite: ``sign · factor · β_j = Σ multipliers[c] · (β · Δ_c)`` on F."""

    sign: int
    factor: int
    multipliers: Mapping[Comparison, int]


@dataclass(frozen=True)
class BothSigns:
    """Proof that a coefficient is undetermined: vectors of C, positive and negative in it."""

    up: Vector
    down: Vector


@dataclass(frozen=True)
class Proof:
    """What the checker is given. Vectors have one block for each class but the reference, in it the kept columns.

    Attributes:
        kept: the columns that are not aliased.
        witness: rows of the data, as many as kept columns, in which these are independent.
        aliases: each other column in the kept ones.
        kind: ``"complete"``, ``"quasi-complete"`` or ``"overlap"``.
        weights: w.
        multipliers: the positive λ_c.
        spanning: comparisons with ``λ_c > 0`` that are linearly independent.
        basis: a basis of F, the space on which these are 0.
        coefficients: for each kept column and class ``None`` (finite), a :class:`Direction`, :class:`BothSigns`, or the
            reason in words for which it was left open (nothing is claimed then).
    """

    kept: tuple[int, ...]
    witness: tuple[int, ...]
    aliases: Mapping[int, Mapping[int, Fraction]]
    kind: str
    weights: Vector
    multipliers: Mapping[Comparison, int]
    spanning: tuple[Comparison, ...]
    basis: tuple[Vector, ...]
    coefficients: tuple[Direction | BothSigns | str | None, ...]


def check(
    features: Mapping[int, Mapping[int, int]],
    observed: Sequence[Sequence[int]],
    n_classes: int,
    n_columns: int,
    proof: Proof,
) -> None:
    """Re-prove every claim.

    Args:
        features: for each row of the data with an observation its entries by column.
        observed: for each row of the data the classes observed in it, from 0; class 0 is the reference.
        n_classes: how many classes there are.
        n_columns: how many columns there are.
        proof: the claims.

    Raises:
        Refuted: a claim does not hold; the message says which and where.
    """
    _check_columns(features, n_columns, proof)
    deltas = _deltas(features, observed, n_classes, proof.kept)
    width = len(proof.kept) * (n_classes - 1)
    for name, vector in [("w", proof.weights), *(("basis of the face", vector) for vector in proof.basis)]:
        _expect(len(vector) == width, name, f"{len(vector)} entries, expected {width}")
    _check_complementarity(deltas, width, proof)
    _check_face(deltas, width, proof)
    _expect(len(proof.coefficients) == width, "coefficients", f"{len(proof.coefficients)}, expected {width}")
    allowed: set[tuple[int, ...]] = set()
    for j, claim in enumerate(proof.coefficients):
        _check_coefficient(j, claim, deltas, width, proof, allowed)


def _check_columns(features: Mapping[int, Mapping[int, int]], n_columns: int, proof: Proof) -> None:
    _expect(
        sorted([*proof.kept, *proof.aliases]) == list(range(n_columns)), "columns", "some are neither kept nor aliased"
    )
    for j, combination in proof.aliases.items():
        _expect(set(combination) <= set(proof.kept), f"aliased column {j}", "not a combination of kept columns")
        for number, row in features.items():
            value = sum((factor * row.get(k, 0) for k, factor in combination.items()), Fraction(0))
            _expect(value == row.get(j, 0), f"aliased column {j}", f"not the stated combination in row {number}")
    _expect(set(proof.witness) <= set(features), "kept columns", "a row that is to show their independence is missing")
    rows = [[features[i].get(k, 0) for k in proof.kept] for i in proof.witness]
    _expect(_rank(rows) == len(proof.kept), "kept columns", "not shown to be linearly independent")


def _deltas(
    features: Mapping[int, Mapping[int, int]], observed: Sequence[Sequence[int]], n_classes: int, kept: Sequence[int]
) -> dict[Comparison, tuple[list[int], list[int]]]:
    """Every Δ_c as its columns and entries, from the definition."""
    place = {column: k for k, column in enumerate(kept)}
    found = {}
    for number, classes in enumerate(observed):
        for y in classes:
            for z in range(n_classes):
                if z != y:
                    columns, entries = [], []
                    for block, sign in ((y, 1), (z, -1)):
                        if block:
                            for column, entry in features[number].items():
                                if column in place:
                                    columns.append((block - 1) * len(kept) + place[column])
                                    entries.append(sign * entry)
                    found[Comparison(number, y, z)] = columns, entries
    return found


def _check_complementarity(deltas: Mapping[Comparison, tuple[list[int], list[int]]], width: int, proof: Proof) -> None:
    total = [0] * width
    for c, multiplier in proof.multipliers.items():
        _expect(c in deltas, "λ", f"there is no comparison {tuple(c)}")
        _expect(multiplier > 0, "λ", f"{multiplier} for {tuple(c)}, expected above 0")
        for column, entry in zip(*deltas[c], strict=True):
            total[column] += multiplier * entry
    wrong = next((j for j, value in enumerate(total) if value), None)
    _expect(wrong is None, "Σ λ_c Δ_c", f"not 0 in coordinate {wrong}")
    for c, delta in deltas.items():
        value = _product(delta, proof.weights)
        if c in proof.multipliers:
            _expect(value == 0, "w · Δ_c = 0 where λ_c > 0", f"{value} for {tuple(c)}")
        else:
            _expect(value > 0, "w · Δ_c > 0 where λ_c = 0", f"{value} for {tuple(c)}")
    kind = "overlap" if len(proof.multipliers) == len(deltas) else "quasi-complete" if proof.multipliers else "complete"
    _expect(proof.kind == kind, "kind", f"called {proof.kind}, but w and λ prove {kind}")


def _check_face(deltas: Mapping[Comparison, tuple[list[int], list[int]]], width: int, proof: Proof) -> None:
    for c in proof.spanning:
        _expect(c in proof.multipliers, "face", f"{tuple(c)} has no λ above 0")
    _expect(len(proof.basis) + len(proof.spanning) == width, "face", "basis and comparisons do not fit together")
    table = []
    for c in proof.spanning:
        row = [0] * width
        for column, entry in zip(*deltas[c], strict=True):
            row[column] += entry
        table.append(row)
    _expect(_rank(table) == len(table), "face", "its comparisons are not shown to be independent")
    _expect(_rank(proof.basis) == len(proof.basis), "face", "its basis is not shown to be independent")
    for c in proof.spanning:
        _expect(not any(_product(deltas[c], vector) for vector in proof.basis), "face", f"not 0 on {tuple(c)}")


def _check_coefficient(
    j: int,
    claim: Direction | BothSigns | str | None,
    deltas: Mapping[Comparison, tuple[list[int], list[int]]],
    width: int,
    proof: Proof,
    allowed: set[tuple[int, ...]],
) -> None:
    step = f"coefficient {j}"
    if claim is None:
        _expect(not any(vector[j] for vector in proof.basis), step, "called finite, but it is not 0 on the face")
    elif isinstance(claim, Direction):
        _expect(claim.sign in (1, -1) and claim.factor > 0, step, "its sign or factor is out of range")
        _expect(claim.sign * proof.weights[j] > 0, step, f"w has {proof.weights[j]} there, of the wrong sign")
        rest = [0] * width
        for c, multiplier in claim.multipliers.items():
            _expect(c in deltas and multiplier > 0, step, f"{multiplier} for {tuple(c)} is no positive multiplier")
            for column, entry in zip(*deltas[c], strict=True):
                rest[column] += multiplier * entry
        rest[j] -= claim.sign * claim.factor
        _expect(not any(sum(map(mul, rest, vector)) for vector in proof.basis), step, "the combination differs from it")
    elif isinstance(claim, BothSigns):
        for vector, sign in ((claim.up, 1), (claim.down, -1)):
            _expect(len(vector) == width and sign * vector[j] > 0, step, "a vector has the wrong length or sign")
            key = tuple(vector)
            if key not in allowed:
                wrong = next((c for c, delta in deltas.items() if _product(delta, vector) < 0), None)
                _expect(wrong is None, step, f"a vector is negative on {wrong and tuple(wrong)}")
                allowed.add(key)


def _product(delta: tuple[list[int], list[int]], vector: Vector) -> int:
    columns, entries = delta
    return sum(map(mul, entries, [vector[column] for column in columns]))


def _rank(rows: Iterable[Vector]) -> int:
    """The rank modulo a prime, which is at most the rank itself."""
    reduced: list[tuple[int, list[int]]] = []
    for row in rows:
        line = [entry % PRIME for entry in row]
        for pivot, other in reduced:
            factor = line[pivot]
            if factor:
                line = [(a - factor * b) % PRIME for a, b in zip(line, other, strict=True)]
        place = next((k for k, entry in enumerate(line) if entry), None)
        if place is not None:
            inverse = pow(line[place], -1, PRIME)
            reduced.append((place, [entry * inverse % PRIME for entry in line]))
    return len(reduced)


def _expect(holds: bool, step: str, otherwise: str) -> None:
    if not holds:
        raise Refuted(step, otherwise)
