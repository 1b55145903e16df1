"""Short names for tables that say the same of every token or of every position."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Offset:
    """In a table of scores or odds: the source that stands ``by`` places from the destination."""

    by: int

    def __repr__(self) -> str:
        return f"offset({self.by})"


@dataclass(frozen=True)
class Same:
    """The symbol of the same name: as a key of scores ``match``, as a key of writes ``copy``."""

    name: str

    def __repr__(self) -> str:
        return self.name


def offset(by: int) -> Offset:
    """The source at that distance from the destination: −1 is the one before it, 0 the destination itself.

    >>> offset(-1)
    offset(-1)
    """
    return Offset(by)


previous = offset(-1)
"""The source right before the destination."""
match = Same("match")
"""In scores or odds: every source with the symbol that the destination has."""
copy = Same("copy")
"""In writes: every symbol writes the output, or the symbol of a subspace, that has its name."""
