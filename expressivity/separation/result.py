"""What is found about separation, and how it is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

from expressivity.errors import Refuted
from expressivity.separation.check import Proof, check
from expressivity.separation.comparisons import Comparison, comparisons
from expressivity.separation.design import Design
from expressivity.separation.response import Response

COMPLETE = "complete"
QUASI_COMPLETE = "quasi-complete"
OVERLAP = "overlap"
UNDECIDED = "undecided"

FINITE = "finite"
PLUS = "+inf"
MINUS = "-inf"
UNDETERMINED = "undetermined"
ALIASED = "aliased"


@dataclass(frozen=True)
class Coefficient:
    """What becomes of one coefficient when the likelihood is maximised.

    Attributes:
        name: the column of the design.
        category: the class whose log odds against the reference it belongs to.
        estimate: ``"finite"``: it tends to one number, whatever way the likelihood tends to its supremum;
            ``"+inf"``, ``"-inf"``: it must go there; ``"undetermined"``: it can go either way, or stay anywhere;
            ``"aliased"``: its column is a combination of earlier ones; ``"undecided"``: the time limit came first.
        direction: its entry in one direction along which the likelihood rises to its supremum; 0 without separation.
        alias: for an aliased one, how its column is made of others, ``{name: factor}``.
    """

    name: str
    category: str
    estimate: str
    direction: Fraction = Fraction(0)
    alias: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Separation:
    """The finding, with its proof.

    Attributes:
        kind: ``"complete"``, ``"quasi-complete"``, ``"overlap"``; ``"undecided"`` only when a time limit came first.
        coefficients: for each class but the reference one for each column of the design.
        design: the columns, factors coded.
        response: the classes, the reference first, and what was observed.
        proof: everything that :meth:`verify` checks; None when undecided.
        reason: why something was left undecided, else empty.
    """

    kind: str
    coefficients: tuple[Coefficient, ...]
    design: Design
    response: Response
    proof: Proof | None
    reason: str = ""

    def __repr__(self) -> str:
        return f"Separation({self.kind!r}, {self.estimates})"

    @property
    def is_separated(self) -> bool:
        """Whether the maximum-likelihood estimate does not exist: complete or quasi-complete separation."""
        return self.kind in (COMPLETE, QUASI_COMPLETE)

    @property
    def is_settled(self) -> bool:
        """Whether nothing was left undecided."""
        return not self.reason

    @property
    def reference(self) -> str:
        """The class that the others are compared with."""
        return self.response.classes[0]

    @property
    def estimates(self) -> dict[str, str]:
        """The estimate of every coefficient by name; with three classes or more by ``class: name``."""
        return {self.label(c): c.estimate for c in self.coefficients}

    def label(self, coefficient: Coefficient) -> str:
        """The name of a coefficient, with its class where there are several."""
        several = len(self.response.classes) > 2
        return f"{coefficient.category}: {coefficient.name}" if several else coefficient.name

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every observation against every other class."""
        return tuple(comparisons(self.response))

    @property
    def multipliers(self) -> Mapping[Comparison, int]:
        """The positive λ_c: the comparisons that no direction improves without harming others."""
        return {} if self.proof is None else self.proof.multipliers

    @property
    def separated(self) -> tuple[Comparison, ...]:
        """The comparisons that are separated: the fitted odds of ``observed`` against ``other`` tend to infinity."""
        if self.proof is None:
            return ()
        return tuple(c for c in self.comparisons if c not in self.proof.multipliers)

    @property
    def certain_rows(self) -> tuple[int, ...]:
        """The rows of the data in which the fitted probability of what was observed tends to 1."""
        if self.proof is None:
            return ()
        open_rows = {c.row for c in self.proof.multipliers}
        return tuple(row for row in self.design.numbers if row not in open_rows)

    def verify(self) -> None:
        """Re-prove every claim from the numbers of the design, in integers.

        Raises:
            Refuted: a claim does not hold, or nothing was decided; the message says which and where.
        """
        if self.proof is None:
            raise Refuted("kind", f"nothing was decided: {self.reason}")
        features = {number: self.design.rows.row(i) for i, number in enumerate(self.design.numbers)}
        check(features, self.response.observed, len(self.response.classes), len(self.design.names), self.proof)
        expected = tuple(coefficients_of(self.design, self.response, self.proof))
        if self.coefficients != expected or self.kind != self.proof.kind:
            raise Refuted("coefficients", "what is reported is not what was proved")


def coefficients_of(design: Design, response: Response, proof: Proof) -> Iterator[Coefficient]:
    """What the proof says of each coefficient, in the units of the data."""
    width = len(proof.kept)
    place = {column: k for k, column in enumerate(proof.kept)}
    steps = [Fraction(value) / design.units[proof.kept[k % width]] for k, value in enumerate(proof.weights)]
    common, divisor = lcm(*(step.denominator for step in steps)), 1
    divisor = gcd(*(int(step * common) for step in steps)) or 1
    for block, category in enumerate(response.classes[1:]):
        for column, name in enumerate(design.names):
            if column not in place:
                alias = {design.names[k]: factor for k, factor in design.in_units[column].items()}
                yield Coefficient(name, category, ALIASED, alias=alias)
                continue
            j = block * width + place[column]
            yield Coefficient(name, category, _estimate(proof, j), steps[j] * common / divisor)


def _estimate(proof: Proof, j: int) -> str:
    claim = proof.coefficients[j]
    if claim is None:
        return FINITE
    if isinstance(claim, str):
        return UNDECIDED
    sign = getattr(claim, "sign", 0)
    return PLUS if sign > 0 else MINUS if sign < 0 else UNDETERMINED
