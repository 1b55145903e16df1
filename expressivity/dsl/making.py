"""From a construction's checked text to exact tables over the rows of its embedding."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from expressivity.attention.models import Embedding
from expressivity.attention.tables import ONE, ZERO, Head, HeadTables, Place, Row, factor_additive, show_row
from expressivity.dsl.reading import Reader
from expressivity.dsl.texts import AttentionText, HeadRead, HeadText, Key, Written, keys_of
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.task import Domain, Task


def make_tables(
    task: Task | Domain, embedding: Embedding | None, heads: Sequence[HeadText], paths: Sequence[Any]
) -> tuple[HeadTables | None, tuple[str, ...]]:
    """The tables (``None`` if they cannot be made) and everything that is wrong."""
    reader = Reader(task)
    read = [reader.head(text, heads[:i]) for i, text in enumerate(heads)]
    direct = gathered(reader, paths)
    kind = reader.embedding(embedding, [key for head in read for key in keys_of(head)] + list(direct))
    if reader.problems:
        return None, tuple(reader.problems)
    maker = Maker(reader, kind)
    made = tuple(maker.head(head) for head in read)
    table = maker.writes(direct, reader.ends, "the direct path")
    if reader.problems:
        return None, tuple(reader.problems)
    return HeadTables(kind, table, made), ()


def gathered(reader: Reader, paths: Sequence[Any]) -> Written:
    """All tables of the direct path, added up."""
    direct: Written = {}
    for path in paths:
        for key, logits in reader.writes(path, "the direct path", reader.end).items():
            known = direct.setdefault(key, {})
            for output, value in logits.items():
                known[output] = known.get(output, ZERO) + value
    return direct


class Maker:
    """Tables over embedding rows from checked text."""

    def __init__(self, reader: Reader, embedding: Embedding) -> None:
        self.reader, self.kind = reader, embedding

    def head(self, text: HeadRead) -> Head:
        """One head's tables."""
        where = f"head {text.name!r}"
        writes = self.writes(text.writes, self.reader.sources, f"{where}: its table of values")
        pairs = self.pairs(text, f"{where}: its table of {'odds' if text.is_odds else 'scores'}")
        scores, odds = (None, pairs) if text.is_odds else (pairs, None)
        return Head(writes, scores, odds, text.base, text.name)

    def writes(self, table: Written, places: Sequence[Place], what: str) -> dict[tuple[Row, str], Fraction]:
        """What places write, as a table over rows and outputs."""
        if self.kind != "joint" and not any(isinstance(key, tuple) for key in table):
            return {(_row(key), y): value for key, logits in table.items() for y, value in logits.items()}
        result: dict[tuple[Row, str], Fraction] = {}
        for y in sorted({y for logits in table.values() for y in logits}):
            cells = {
                place: sum((logits.get(y, ZERO) for key, logits in table.items() if fits(key, place)), ZERO)
                for place in places
            }
            result |= {(row, y): value for row, value in self.rows(cells, f"{what}, output {y!r},", False).items()}
        return result

    def pairs(self, text: HeadRead, what: str) -> dict[tuple[Row, Row], Fraction]:
        """Scores or odds, as a table over destination rows and source rows."""
        if self.kind != "joint" and all(self._plain(part) for part in text.attention):
            return self._plain_pairs(text)

        def attend(end: Place, source: Place) -> Fraction:
            total = ONE if text.is_odds else ZERO
            for part in text.attention:
                if part.at is None or any(fits(key, end) for key in part.at):
                    for key, value in part.entries:
                        if fits(key, source):
                            total = total * value if text.is_odds else total + value
            return total

        if self.kind == "joint":
            return {(end, source): attend(end, source) for end, source in self.reader.pairs}
        columns: dict[Row, dict[Place, Fraction]] = {}
        for end in self.reader.ends:
            cells = {source: attend(end, source) for source in self.reader.sources}
            for row, value in self.rows(cells, f"{what} from {show_row(end)}", text.is_odds).items():
                columns.setdefault(row, {})[end] = value
        return {
            (end, source): value
            for source, cells in columns.items()
            for end, value in self.rows(cells, f"{what} to {show_row(source)}", text.is_odds).items()
        }

    def rows(self, cells: dict[Place, Fraction], what: str, times: bool) -> dict[Row, Fraction]:
        """A table over places as one over rows, refused where the embedding cannot carry it."""
        if self.kind == "joint":
            return {place: value for place, value in cells.items()}  # noqa: C416  (the keys are rows now)
        try:
            by_position, by_token = factor_additive(cells, what, times)
        except InputError as error:
            self.reader.problems.append(str(error))
            return {}
        return {(None, x): v for x, v in by_token.items()} | {(i, None): v for i, v in by_position.items()}

    def _plain(self, part: AttentionText) -> bool:
        """Whether its keys are rows as they stand, and its destinations of one kind, so that none fits twice."""
        at = part.at or ()
        keys = [*at, *(key for key, _ in part.entries)]
        return not any(isinstance(key, tuple) for key in keys) and len({type(key) for key in at}) <= 1

    def _plain_pairs(self, text: HeadRead) -> dict[tuple[Row, Row], Fraction]:
        combine = operator.mul if text.is_odds else operator.add
        result: dict[tuple[Row, Row], Fraction] = {}
        for part in text.attention:
            ends = sorted({token for _, token in self.reader.ends}) if part.at is None else dict.fromkeys(part.at)
            for end in ends:
                for key, value in part.entries:
                    pair = (_row(end), _row(key))
                    result[pair] = combine(result[pair], value) if pair in result else value
        return result


def fits(key: Key, place: Place) -> bool:
    """Whether a key names a place."""
    position, token = place
    return key == token if isinstance(key, str) else key == (position if isinstance(key, int) else place)


def _row(key: Key) -> Row:
    return (None, key) if isinstance(key, str) else (key, None) if isinstance(key, int) else key
