"""The model class of skip-n-gram ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from expressivity.errors import InputError

POSITIONS = ("absolute", "anywhere", "count")


@dataclass(frozen=True)
class SkipGrams:
    """Multinomial logistic regression on conjunctions of the destination with at most ``order − 2`` sources.

    Attributes:
        order: the n of skip-n-gram, counting the sources, the destination and the predicted token: 2 is a bigram, 3 a
            skip-trigram "A … Q → T". All lower orders and the constant are included. ``None`` stands for every order.
        positions: ``absolute`` (sources and destination come with their positions, so that every length and
            destination has weights of its own), ``anywhere`` ("A occurs among the sources") or ``count`` (all monomials
            of degree at most ``order − 2`` in the numbers of occurrences).

    Raises:
        InputError: an order below 2, or an unknown position convention.

    >>> SkipGrams(order=3).name
    'skip-trigram'
    """

    order: int | None
    positions: str = "absolute"

    def __post_init__(self) -> None:
        if self.order is not None and (not isinstance(self.order, int) or self.order < 2):
            raise InputError(f"order is {self.order!r}; expected an integer of at least 2 (2 is a bigram)")
        if self.positions not in POSITIONS:
            raise InputError(f"positions is {self.positions!r}; expected one of {', '.join(POSITIONS)}")

    @property
    def name(self) -> str:
        """The field's name: ``bigram``, ``skip-trigram``, ``skip-4-gram``, …"""
        names = {None: "skip-n-gram of any order", 2: "bigram", 3: "skip-trigram"}
        return names.get(self.order, f"skip-{self.order}-gram")

    def to_json(self) -> dict[str, Any]:
        """The ``model`` of a certificate."""
        return {"class": "skip_grams", "order": self.order, "positions": self.positions}

    def saturates_at(self, contexts: Sequence[Sequence[str]]) -> int | None:
        """The order from which on no further feature tells two of these contexts apart.

        With ``absolute`` positions T sources have no conjunction beyond all T of them, with ``anywhere`` none beyond
        their distinct tokens. With ``count`` the counts of N contexts are told apart by polynomials of degree N − 1 at
        most, since some linear form in them takes distinct values on distinct counts.

        >>> SkipGrams(2).saturates_at([("A", "C", "Q")])
        4
        """
        if self.positions == "absolute":
            return max(len(context) for context in contexts) + 1
        if self.positions == "anywhere":
            return max(len(set(context[:-1])) for context in contexts) + 2
        return max(2, len(contexts) + 1)
