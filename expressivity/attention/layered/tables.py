r"""Several layers of attention, written as exact tables over a residual stream with named directions.

Position p carries a number for each *direction*, a symbol of a named subspace: ``token:A`` and ``position:3``
are 1 where the embedding says so (``place:A@3`` in the ``joint`` embedding), ``prev:A`` is what heads have
written there, 0 before. With :math:`x_p` these numbers before a layer, a head of that layer adds

.. math::
    \sum_{s \le p} \frac{a(p, s)}{\sum_{r \le p} a(p, r)} \; x_s V, \qquad
    a(p, s) = \exp\bigl(x_p S x_s^\top\bigr)

to :math:`x_p`, where ``V`` (the *values*) leads from directions to directions and outputs, and ``S`` (the
*scores*) from pairs of directions to numbers. The logits are what the destination carries in the outputs
after the last layer, and the direct path ``x_T B``. Odds in place of scores are their exponentials.

Once embeddings alone are read, all numbers are rational if the odds are. What a softmax has written is a
real number, and so is every score that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from expressivity.attention.models import Embedding, check_embedding
from expressivity.attention.tables import Place
from expressivity.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUTPUT = "→"
EMBEDDED: dict[Embedding, tuple[str, ...]] = {
    "joint": ("place",),
    "additive": ("token", "position"),
    "tokens": ("token",),
}
"""The subspaces that the embedding writes."""


class Direction(NamedTuple):
    """A named direction of the residual stream: a symbol of a subspace, or an output (subspace ``→``).

    >>> [str(Direction(*names)) for names in (("token", "A"), ("position", 3), ("place", (3, "A")), ("→", "T"))]
    ['token:A', 'position:3', 'place:A@3', '→T']
    """

    space: str
    symbol: str | int | Place

    def __str__(self) -> str:
        if self.space == OUTPUT:
            return f"{OUTPUT}{self.symbol}"
        if isinstance(self.symbol, tuple):
            return f"{self.space}:{self.symbol[1]}@{self.symbol[0]}"
        return f"{self.space}:{self.symbol}"

    @property
    def is_output(self) -> bool:
        """Whether it is a logit."""
        return self.space == OUTPUT

    @staticmethod
    def parse(name: str) -> Direction:
        """The direction of that name: the inverse of ``str``.

        Raises:
            InputError: it is no such name.
        """
        if name.startswith(OUTPUT):
            return Direction(OUTPUT, name[len(OUTPUT) :])
        space, colon, symbol = name.partition(":")
        token, at, position = symbol.rpartition("@")
        if space == "position" and symbol.isdecimal():
            return Direction(space, int(symbol))
        if space == "place" and at and position.isdecimal():
            return Direction(space, (int(position), token))
        if colon and space and space not in ("position", "place"):
            return Direction(space, symbol)
        raise InputError(f"the residual direction {name!r} has no name such as token:A, position:3 or →T")


Pairs = Mapping[tuple[Direction, Direction], Fraction]


def directions_of(embedding: Embedding, place: Place) -> tuple[Direction, ...]:
    """The directions that the embedding sets to 1 for a token at a position."""
    position, token = place
    if embedding == "joint":
        return (Direction("place", place),)
    found = (Direction("token", token), Direction("position", position))
    return found[: len(EMBEDDED[embedding])]


@dataclass(frozen=True)
class LayeredHead:
    """One head of one layer.

    Attributes:
        values: (direction that a source carries, direction or output that it is written to) to number.
        scores: (direction of the destination, direction of the source) to number; 0 where nothing is listed.
            ``None`` if odds are given.
        odds: the same pairs to positive numbers; 1 where nothing is listed. ``None`` if scores are. What is
            carried to a degree x counts as the odds to the power x.
        base: odds are ``base ** score``: ``"e"`` or a positive rational.
        name: for people; tables are compared without it.

    Raises:
        InputError: odds and scores together, an odds or a base that is not positive.
    """

    values: Pairs = field(default_factory=dict)
    scores: Pairs | None = None
    odds: Pairs | None = None
    base: Fraction | Literal["e"] = "e"
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.scores is not None and self.odds is not None:
            raise InputError(f"head {self.name!r} has odds and scores; expected one of the two")
        if self.base != "e" and self.base <= 0:
            raise InputError(f"head {self.name!r} has the base {self.base}; expected 'e' or a positive number")
        for (q, s), value in (self.odds or {}).items():
            if value <= 0:
                where = f"destination {str(q)!r}, source {str(s)!r}"
                raise InputError(f"head {self.name!r} has the odds {value} at {where}; expected a positive number")
        for name, table, default in (("values", self.values, 0), ("scores", self.scores, 0), ("odds", self.odds, 1)):
            if table is not None:
                kept = {key: Fraction(value) for key, value in table.items() if value != default}
                object.__setattr__(self, name, kept)
        if not self.attention:  # uniform attention is said in one way
            plain: dict[str, Any] = {"scores": {}, "odds": None, "base": "e"}
            for name, value in plain.items():
                object.__setattr__(self, name, value)

    @property
    def attention(self) -> Pairs:
        """Its scores or its odds."""
        return (self.scores or {}) if self.odds is None else self.odds

    @property
    def directions(self) -> Iterator[Direction]:
        """Every direction that it names."""
        for pair in (*self.values, *self.attention):
            yield from pair

    @property
    def is_empty(self) -> bool:
        """Whether it attends uniformly and writes nothing, as heads that only fill up a layer do."""
        return not self.values and not self.attention


@dataclass(frozen=True)
class LayeredTables:
    """An attention-only transformer of any number of layers, as tables.

    Attributes:
        embedding: ``joint``, ``additive`` or ``tokens``.
        layers: the heads of each layer.
        direct: (direction that the destination carries after the last layer, output) to number.

    Raises:
        InputError: no layer; a head that reads an output; an embedded subspace of another embedding.

    >>> a, b, ends = Direction("token", "A"), Direction("token", "B"), Direction("→", "T")
    >>> LayeredTables("tokens", [[LayeredHead({(a, ends): 3}, odds={(b, a): 2})]]).outputs
    ('T',)
    """

    embedding: Embedding
    layers: tuple[tuple[LayeredHead, ...], ...]
    direct: Mapping[tuple[Direction, str], Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_embedding(self.embedding)
        object.__setattr__(self, "layers", tuple(tuple(heads) for heads in self.layers))
        object.__setattr__(self, "direct", {key: Fraction(value) for key, value in self.direct.items() if value})
        if not self.layers:
            raise InputError("the tables have no layer; expected at least one")
        foreign = {space for spaces in EMBEDDED.values() for space in spaces} - set(EMBEDDED[self.embedding])
        for head in self.heads:
            for direction in head.directions:
                if direction.space in foreign:
                    raise InputError(f"head {head.name!r}: the {self.embedding} embedding has no {str(direction)!r}")
            for q, s in (*head.attention, *((s, s) for s, _ in head.values)):
                if q.is_output or s.is_output:
                    read = str(q if q.is_output else s)
                    raise InputError(f"head {head.name!r} reads {read!r}; heads read tokens, positions and subspaces")
            for _, target in head.values:
                if target.space in EMBEDDED[self.embedding]:
                    raise InputError(f"head {head.name!r} writes into {str(target)!r}, which the embedding writes")

    @property
    def heads(self) -> tuple[LayeredHead, ...]:
        """All heads, layer by layer."""
        return tuple(head for layer in self.layers for head in layer)

    @property
    def n_layers(self) -> int:
        """How many layers there are."""
        return len(self.layers)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that some table writes to, sorted."""
        written = {str(target.symbol) for head in self.heads for _, target in head.values if target.is_output}
        return tuple(sorted(written | {y for _, y in self.direct}))

    @property
    def subspaces(self) -> dict[str, tuple[Direction, ...]]:
        """The subspaces that heads write or read, the first one first, with their symbols sorted."""
        found: dict[str, set[Direction]] = {}
        read = (direction for direction, _ in self.direct)
        for direction in (*(direction for head in self.heads for direction in head.directions), *read):
            if not direction.is_output and direction.space not in EMBEDDED[self.embedding]:
                found.setdefault(direction.space, set()).add(direction)
        return {space: tuple(sorted(symbols, key=str)) for space, symbols in found.items()}

    @property
    def is_exact(self) -> bool:
        """Whether every logit is rational as far as the tables show: no real score, and none that reads what a
        head has written.
        """
        embedded = EMBEDDED[self.embedding]
        return all(
            not head.attention
            or (
                (head.odds is not None or head.base != "e")
                and all(direction.space in embedded for pair in head.attention for direction in pair)
                and (head.odds is not None or all(value.denominator == 1 for value in head.attention.values()))
            )
            for head in self.heads
        )

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """A figure of all tables, in ``ax`` or a new figure: :func:`~expressivity.attention.plot_tables`."""
        from expressivity.attention.drawing.plots import plot_tables

        return plot_tables(self, ax=ax)

    def _repr_html_(self) -> str:
        from expressivity.attention.drawing.layout import tables_html

        return tables_html(self)


def embedded(embedding: Embedding, places: Sequence[Place]) -> tuple[Direction, ...]:
    """The directions that the embedding uses for these places: tokens sorted, then positions (or places)."""
    if embedding == "joint":
        return tuple(Direction("place", place) for place in sorted(set(places)))
    tokens = [Direction("token", token) for token in sorted({token for _, token in places})]
    if embedding == "tokens":
        return tuple(tokens)
    return (*tokens, *(Direction("position", i) for i in sorted({i for i, _ in places})))
