"""From the checked text of heads in several layers to exact tables over named directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from expressivity.attention.layered import OUTPUT, Direction, LayeredHead, LayeredTables, embedded
from expressivity.attention.models import Embedding
from expressivity.attention.tables import ONE, ZERO, factor_additive
from expressivity.dsl.layered_reading import LayeredReader
from expressivity.dsl.making import fits, gathered
from expressivity.dsl.texts import HeadRead, HeadText, Key, keys_of
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.task import Domain, Task


def make_layered(
    task: Task | Domain, embedding: Embedding | None, heads: Sequence[HeadText], paths: Sequence[Any]
) -> tuple[LayeredTables | None, tuple[str, ...]]:
    """The tables (``None`` if they cannot be made) and everything that is wrong."""
    reader = LayeredReader(task, heads)
    read = reader.read()
    direct = gathered(reader, paths)
    kind = reader.embedding(embedding, [key for head in read for key in keys_of(head)] + list(direct))
    if reader.problems:
        return None, tuple(reader.problems)
    maker = LayeredMaker(reader, kind)
    layers: list[list[LayeredHead]] = [[] for _ in range(1 + max((head.layer for head in read), default=0))]
    for head in read:
        layers[head.layer].append(maker.head(head))
    table = maker.values(direct, None, None, "the direct path")
    if reader.problems:
        return None, tuple(reader.problems)
    logits = {(source, str(target.symbol)): value for (source, target), value in table.items()}
    return LayeredTables(kind, tuple(map(tuple, layers)), logits), ()


class LayeredMaker:
    """Tables over directions from checked text."""

    def __init__(self, reader: LayeredReader, kind: Embedding) -> None:
        self.reader, self.kind, self.places = reader, kind, reader.sources
        self.always = [d for d in embedded(kind, self.places) if d.space != "position"]

    def head(self, text: HeadRead) -> LayeredHead:
        """One head's tables."""
        where = f"head {text.name!r} in layer {text.layer}"
        values = self.values(text.writes, text.values, text.into, f"{where}: its table of values")
        pairs = self.pairs(text, f"{where}: its table of {'odds' if text.is_odds else 'scores'}")
        scores, odds = (None, pairs) if text.is_odds else (pairs, None)
        return LayeredHead(values, scores, odds, text.base, text.name)

    def values(
        self, table: Mapping[Key, Mapping[str, Fraction]], space: str | None, into: str | None, what: str
    ) -> dict[tuple[Direction, Direction], Fraction]:
        """What sources (or destinations) write, as a table over directions."""
        found: dict[tuple[Direction, Direction], Fraction] = {}
        for y in sorted({y for logits in table.values() for y in logits}):
            cells: dict[Key | None, Fraction] = {key: logits[y] for key, logits in table.items() if y in logits}
            target = Direction(OUTPUT if into is None else into, y)
            for source, value in self.spread(cells, space, f"{what}, {str(target)!r},", False).items():
                found[source, target] = value
        return found

    def pairs(self, text: HeadRead, what: str) -> dict[tuple[Direction, Direction], Fraction]:
        """Scores or odds, as a table over directions of destinations and of sources."""
        columns: dict[Direction, dict[Key | None, Fraction]] = {}
        for part in text.attention:
            kinds = {type(key) for key in part.at or ()}
            if len(kinds) > 1 and self.kind != "joint":
                self.reader.problems.append(
                    f"{what}: `at` mixes tokens, positions and places; expected one kind in the {self.kind} embedding"
                )
                continue
            cells: dict[Key | None, Fraction] = {}
            for key, value in part.entries:
                cells[key] = _joined(cells.get(key), value, text.is_odds)
            for source, value in self.spread(cells, text.keys, what, text.is_odds).items():
                ends = columns.setdefault(source, {})
                for end in dict.fromkeys(part.at) if part.at is not None else (None,):
                    ends[end] = _joined(ends.get(end), value, text.is_odds)
        return {
            (end, source): value
            for source, ends in columns.items()
            for end, value in self.spread(ends, text.queries, f"{what} to {str(source)!r}", text.is_odds).items()
        }

    def spread(
        self, cells: Mapping[Key | None, Fraction], space: str | None, what: str, times: bool
    ) -> dict[Direction, Fraction]:
        """A table over keys as one over directions; ``None`` is every place."""
        found: dict[Direction, Fraction] = {}
        paired: dict[Key, Fraction] = {}
        factored = self.kind != "joint" and any(isinstance(key, tuple) for key in cells)
        for key, value in cells.items():
            if factored and key is not None and (space is None or not isinstance(key, str)):
                paired[key] = value
                continue
            for direction in self.directions(key, space):
                found[direction] = _joined(found.get(direction), value, times)
        if paired:
            start = ONE if times else ZERO
            table = {}
            for place in self.places:
                table[place] = start
                for key, value in paired.items():
                    if fits(key, place):
                        table[place] = _joined(table[place], value, times)
            try:
                by_position, by_token = factor_additive(table, what, times)
            except InputError as error:
                self.reader.problems.append(str(error))
                return {}
            parts = [(Direction("position", i), value) for i, value in by_position.items()]
            parts += [(Direction("token", x), value) for x, value in by_token.items()]
            for direction, value in parts:
                found[direction] = _joined(found.get(direction), value, times)
        return found

    def directions(self, key: Key | None, space: str | None) -> list[Direction]:
        """The directions that a key names."""
        if key is None:
            return self.always
        if isinstance(key, str) and space is not None:
            return [Direction(space, key)]
        if self.kind == "joint":
            return [Direction("place", place) for place in self.places if fits(key, place)]
        return [Direction("token" if isinstance(key, str) else "position", key)]


def _joined(known: Fraction | None, value: Fraction, times: bool) -> Fraction:
    if known is None:
        return value
    return known * value if times else known + value
