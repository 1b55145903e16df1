"""A construction's text before and after it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from expressivity.attention.tables import Place

Key = str | int | tuple[int, str]
Number = int | float | Fraction | Decimal | str
Entries = list[tuple[Key, Fraction]]
Written = dict[Key, dict[str, Fraction]]


@dataclass(frozen=True)
class HeadText:
    """A head as it was written, unchecked."""

    name: Any
    at: Any
    scores: Any
    odds: Any
    base: Any
    writes: Any
    layer: Any = 0
    reads_queries: Any = None
    reads_keys: Any = None
    reads_values: Any = None
    writes_to: Any = None
    adds: Any = False

    @property
    def is_layered(self) -> bool:
        """Whether it says something about layers or subspaces."""
        reads = self.reads_queries, self.reads_keys, self.reads_values
        return self.layer != 0 or bool(self.adds) or any(space is not None for space in (*reads, self.writes_to))


@dataclass(frozen=True)
class Side:
    """Where the keys of a table are looked up.

    Attributes:
        role: ``source`` or ``destination``.
        places: where they may stand.
        space: the subspace whose symbols the text keys are; ``None`` for tokens.
        symbols: these symbols; any text will do where they are not known.
    """

    role: str
    places: Sequence[Place]
    space: str | None = None
    symbols: frozenset[str] | None = None

    @property
    def is_known(self) -> bool:
        """Whether it is known what its text keys may be."""
        return self.space is None or self.symbols is not None

    @property
    def names(self) -> list[str]:
        """The text keys that there are."""
        if self.space is None:
            return sorted({token for _, token in self.places})
        return sorted(self.symbols or ())

    @property
    def positions(self) -> list[int]:
        """The positions that there are."""
        return sorted({position for position, _ in self.places})


@dataclass(frozen=True)
class AttentionText:
    """For these destinations (``None``: all), these sources have these scores or odds."""

    at: tuple[Key, ...] | None
    entries: Entries


@dataclass(frozen=True)
class HeadRead:
    """A head whose keys and numbers have been read."""

    name: str
    attention: list[AttentionText]
    is_odds: bool
    base: Fraction | Any
    writes: Written
    layer: int = 0
    queries: str | None = None
    keys: str | None = None
    values: str | None = None
    into: str | None = None


def keys_of(text: HeadRead) -> list[Key]:
    """Every place that a head names."""
    found: list[Key] = list(text.writes)
    for part in text.attention:
        found += [*(part.at or ()), *(key for key, _ in part.entries)]
    return found
