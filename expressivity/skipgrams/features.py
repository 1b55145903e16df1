"""The features of a context in each position convention, as values with a name and a place in a certificate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement
from math import prod
from typing import Any, NamedTuple

from expressivity.skipgrams.model import SkipGrams


class Feature(NamedTuple):
    """A conjunction of the destination with some sources.

    Attributes:
        destination: the last token.
        sources: ``(position, token)`` pairs in order of position when positions are absolute; otherwise tokens in
            sorted order, repeated for powers when counts are meant.
        length: the number of sources of the contexts it speaks of, when positions are absolute; else ``None``.
    """

    destination: str
    sources: tuple[Any, ...] = ()
    length: int | None = None

    def __str__(self) -> str:
        """As people write it: ``A… C… Q``; a source whose position is fixed and not evident is written ``A@0``.

        >>> str(Feature("Q", ((0, "A"), (1, "C")), 2)), str(Feature("Q", ("A", "A"))), str(Feature("Q"))
        ('A@0… C@1… Q', 'A… A… Q', 'Q')
        """
        if self.length is None:
            return "… ".join([*self.sources, self.destination])
        return "… ".join([*(f"{token}@{position}" for position, token in self.sources), self.destination])

    def to_json(self, logits: dict[str, str]) -> dict[str, Any]:
        """An entry of ``weights`` in a certificate."""
        sources: list[Any] = [list(s) if isinstance(s, tuple) else s for s in self.sources]
        entry = {"destination": self.destination, "sources": sources, "logits": logits}
        return entry if self.length is None else {**entry, "length": self.length}


def features_of(context: Sequence[str], model: SkipGrams) -> Iterator[tuple[Feature, int]]:
    """The nonzero features of a context with their values, lower orders first.

    >>> [str(feature) for feature, _ in features_of(("A", "C", "Q"), SkipGrams(3))]
    ['Q', 'A@0… Q', 'C@1… Q']
    >>> [(str(feature), value) for feature, value in features_of(("A", "A", "Q"), SkipGrams(4, "count"))]
    [('Q', 1), ('A… Q', 2), ('A… A… Q', 4)]
    """
    *sources, destination = context
    kinds = sorted(set(sources))
    if model.order is None:
        full = (
            (destination, tuple(enumerate(sources)), len(sources)) if model.positions == "absolute" else None
        )
        bag = tuple(kinds if model.positions == "anywhere" else sorted(sources))
        yield Feature(*full) if full else Feature(destination, bag), 1
        return
    reach = model.order - 2
    if model.positions == "absolute":
        for size in range(min(reach, len(sources)) + 1):
            for chosen in combinations(enumerate(sources), size):
                yield Feature(destination, chosen, len(sources)), 1
    elif model.positions == "anywhere":
        for size in range(min(reach, len(kinds)) + 1):
            for tokens in combinations(kinds, size):
                yield Feature(destination, tokens), 1
    else:
        counts = Counter(sources)
        for size in range(reach + 1 if kinds else 1):
            for tokens in combinations_with_replacement(kinds, size):
                yield Feature(destination, tokens), prod(counts[token] for token in tokens)
