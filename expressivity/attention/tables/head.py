"""One head, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Literal

from expressivity.attention.tables.rows import ONE, ZERO, Pairs, Row, Values, show_row
from expressivity.errors import InputError


@dataclass(frozen=True)
class Head:
    """One head: what it attends to (odds, or scores with their base) and what it writes.

    Attributes:
        values: (source row, output) to number; 0 where nothing is listed.
        scores: (destination row, source row) to number; 0 where nothing is listed. ``None`` if odds are
            given.
        odds: (destination row, source row) to positive number; 1 where nothing is listed. ``None`` if
            scores are.
        base: odds are ``base ** score``; ``"e"``, or a positive rational, which needs whole scores and
            stays exact.
        name: for people.

    Raises:
        InputError: odds and scores together, an odds that is not positive, a base that is neither.
    """

    values: Values = field(default_factory=dict)
    scores: Pairs | None = None
    odds: Pairs | None = None
    base: Fraction | Literal["e"] = "e"
    name: str = ""

    def __post_init__(self) -> None:
        if self.scores is not None and self.odds is not None:
            raise InputError(f"head {self.name!r} has odds and scores; expected one of the two")
        if self.base != "e" and self.base <= 0:
            raise InputError(f"head {self.name!r} has the base {self.base}; expected 'e' or a positive number")
        for pair, value in (self.odds or {}).items():
            if value <= 0:
                raise InputError(
                    f"head {self.name!r} has the odds {value} at {_show_pair(pair)}; expected a positive number"
                )
        for pair, value in (self.scores or {}).items():
            if self.base != "e" and value.denominator != 1:
                raise InputError(
                    f"head {self.name!r} has the score {value} at {_show_pair(pair)}; "
                    f"base {self.base} needs whole numbers (base 'e' takes any)"
                )
        keep = {"values": (self.values, ZERO), "odds": (self.odds, ONE)}
        keep["scores"] = ({} if self.odds is None and self.scores is None else self.scores, ZERO)
        for name, (table, default) in keep.items():
            if table is not None:
                entries = {key: Fraction(value) for key, value in table.items() if value != default}
                object.__setattr__(self, name, entries)

    @property
    def is_exact(self) -> bool:
        """Whether every odds is rational; scores to the base e are not, unless all are 0."""
        return self.odds is not None or self.base != "e" or not self.scores

    def score(self, destination: Iterable[Row], source: Iterable[Row]) -> Fraction:
        """The sum of the scores over all pairs of rows."""
        table, sources = self.scores or {}, tuple(source)
        return sum((table.get((q, s), ZERO) for q in destination for s in sources), ZERO)

    def weight(self, destination: Iterable[Row], source: Iterable[Row]) -> Fraction:
        """The exact odds of a source, a product over all pairs of rows.

        Raises:
            InputError: the head has real scores, so its odds are not rational.
        """
        if self.odds is not None:
            table, sources = self.odds, tuple(source)
            return prod((table.get((q, s), ONE) for q in destination for s in sources), start=ONE)
        score = self.score(destination, source)
        if self.base == "e":
            if score:
                raise InputError(
                    f"head {self.name!r} has the real score {score}: its odds are irrational; enclose them "
                    "(enclosed_margins) or replace them (.rational())"
                )
            return ONE
        return self.base ** int(score)


def _show_pair(pair: tuple[Row, Row]) -> str:
    return f"destination {show_row(pair[0])!r}, source {show_row(pair[1])!r}"
