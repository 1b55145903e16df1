"""A construction's text, checked against its task: everything that is wrong is noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from expressivity.attention.models import EMBEDDINGS, Embedding
from expressivity.attention.tables import ZERO, occurring
from expressivity.dsl.relations import Offset, Same, copy, match
from expressivity.dsl.texts import AttentionText, HeadRead, HeadText, Key, Side, Written
from expressivity.errors import InputError
from expressivity.task.rationals import rational

if TYPE_CHECKING:
    from expressivity.task import Domain, Task


class Reader:
    """Checks keys and numbers against the task, and notes what is wrong instead of stopping at it."""

    def __init__(self, task: Task | Domain) -> None:
        self.ends, self.sources, self.pairs = occurring(task)
        self.outputs = task.outputs
        self.problems: list[str] = []

    @property
    def end(self) -> Side:
        """The destinations of the task."""
        return Side("destination", self.ends)

    @property
    def source(self) -> Side:
        """The sources of the task."""
        return Side("source", self.sources)

    def head(self, text: HeadText, before: Sequence[HeadText]) -> HeadRead:
        """Read one head of a single layer; ``before`` are those whose names are taken."""
        where = f"head {text.name!r}"
        self.check_name(text, before, where)
        attention, base = self.attends(text, where, self.end, self.source)
        writes = self.writes(text.writes, f"{where}, writes", self.source)
        return HeadRead(str(text.name), attention, text.odds is not None, base, writes)

    def check_name(self, text: HeadText, before: Sequence[HeadText], where: str) -> None:
        """A name is a text of its own."""
        if not isinstance(text.name, str) or not text.name:
            self.problems.append(f"{where}: the name is no text")
        elif any(text.name == other.name for other in before):
            self.problems.append(f"{where}: two heads have this name")

    def attends(self, text: HeadText, where: str, end: Side, source: Side) -> tuple[list[AttentionText], Any]:
        """Its scores or odds, and their base."""
        if text.scores is not None and text.odds is not None:
            self.problems.append(f"{where}: it has scores and odds; expected one of the two")
        is_odds = text.odds is not None
        what = "odds" if is_odds else "scores"
        table = text.odds if is_odds else text.scores
        attention = self.attention(table, text.at, f"{where}, {what}", end, source)
        base = self.base(text.base, is_odds, where)
        values = [value for part in attention for _, value in part.entries]
        if is_odds:
            for value in values:
                if value <= 0:
                    self.problems.append(f"{where}, odds: found {value}; expected a positive number")
        elif base != "e" and any(value.denominator != 1 for value in values):
            odd = next(value for value in values if value.denominator != 1)
            self.problems.append(f"{where}: base {base} needs whole scores, found {odd}; base 'e' takes any")
        return attention, base

    def base(self, base: Any, is_odds: bool, where: str) -> Any:
        """``"e"`` or a positive rational."""
        if base == "e":
            return base
        if is_odds:
            self.problems.append(f"{where}: odds have no base; leave it out")
            return "e"
        value = self.number(base, f"{where}, base")
        if value is not None and value <= 0:
            self.problems.append(f"{where}: the base is {value}; expected 'e' or a positive number")
            return "e"
        return "e" if value is None else value

    def attention(self, table: Any, at: Any, where: str, end: Side, source: Side) -> list[AttentionText]:
        """One table of scores or odds for the destinations ``at``, or a table for each destination."""
        if table is None:
            if at is not None:
                self.problems.append(f"{where}: there are none, yet `at` names destinations")
            return []
        if not isinstance(table, Mapping):
            self.problems.append(f"{where}: found {table!r}; expected a table of sources and numbers")
            return []
        nested = [isinstance(value, Mapping) for value in table.values()]
        if any(nested):
            if at is not None or not all(nested):
                self.problems.append(
                    f"{where}: a table for each destination stands alone, without `at` and without plain numbers"
                )
                return []
            return [part for key, inner in table.items() for part in self.attention(inner, [key], where, end, source)]
        ends: tuple[Key, ...] | None = None
        if at is not None:
            listed = at if isinstance(at, (list, set, frozenset)) or _is_several(at) else [at]
            found = (self.key(key, f"{where}, at", end) for key in listed)
            ends = tuple(key for key in found if key is not None)
        entries, related = [], []
        for key, value in table.items():
            number = self.number(value, f"{where} of {key!r}")
            if isinstance(key, (Offset, Same)):
                pairs = self.related(key, ends, where, end, source)
                related += [AttentionText(at, [(there, number)]) for at, there in pairs if number is not None]
                continue
            place = self.key(key, where, source)
            if place is not None and number is not None:
                entries.append((place, number))
        return [AttentionText(ends, entries), *related] if entries or not related else related

    def related(
        self, key: Offset | Same, ends: Sequence[Key] | None, where: str, end: Side, source: Side
    ) -> list[tuple[tuple[Key, ...], Key]]:
        """What an offset or ``match`` stands for: destinations, and the source that they attend to."""
        pairs: list[tuple[int | str, int | str]] = []
        if isinstance(key, Offset):
            if not isinstance(key.by, int) or key.by > 0:
                self.problems.append(f"{where}: {key!r} looks ahead; expected 0, −1, −2, …")
                return []
            positions = set(source.positions)
            pairs += [(i, i + key.by) for i in end.positions if i + key.by in positions]
            if not pairs:
                self.problems.append(f"{where}: no source of the task stands {-key.by} before a destination")
        elif key == match:
            names = set(source.names)
            pairs += [(name, name) for name in end.names if name in names]
            if not pairs and end.is_known and source.is_known:
                self.problems.append(f"{where}: match finds no symbol that destinations and sources have in common")
        else:
            self.problems.append(f"{where}: {key!r} is for what a head writes; expected match")
        found = ((_narrowed(ends, here, end), there) for here, there in pairs)
        return [(at, there) for at, there in found if at]

    def writes(self, table: Any, where: str, side: Side, into: str | None = None) -> Written:
        """A table from places to outputs and numbers, or to symbols of the subspace ``into``."""
        table = {table: 1} if isinstance(table, Same) else table
        target = "output" if into is None else "symbol"
        if not isinstance(table, Mapping):
            self.problems.append(f"{where}: found {table!r}; expected a table of {side.role}s and {target}s")
            return {}
        result: Written = {}
        for key, value in table.items():
            if isinstance(key, Same):
                self.copied(result, key, value, where, side, into)
                continue
            place = self.key(key, where, side)
            logits = {value: 1} if isinstance(value, str) else value
            if not isinstance(logits, Mapping):
                expected = f"{'an' if into is None else 'a'} {target} or {{{target}: number}}"
                self.problems.append(f"{where}: {key!r} writes {value!r}; expected {expected}")
                continue
            if place is not None:
                result.setdefault(place, {})
            for output, size in logits.items():
                number = self.number(size, f"{where}, {output!r} from {key!r}")
                if into is None and output not in self.outputs:
                    wrong = f"{key!r} writes {output!r}, which is no output of the task"
                    self.problems.append(f"{where}: {wrong}{_meant(output, self.outputs)}")
                elif not isinstance(output, str) or not output:
                    self.problems.append(f"{where}: {key!r} writes {output!r} into {into!r}; expected a symbol, a text")
                elif number is not None and place is not None:
                    _add(result, place, output, number)
        return result

    def copied(self, result: Written, key: Same, value: Any, where: str, side: Side, into: str | None) -> None:
        """Add what ``copy`` stands for."""
        number = self.number(value, f"{where} of {key!r}")
        names = [name for name in side.names if into is not None or name in self.outputs]
        if key != copy:
            self.problems.append(f"{where}: {key!r} is for what a head attends to; expected copy")
        elif not names and side.is_known:
            self.problems.append(f"{where}: copy finds no {side.role} that is an output of the task")
        if number is not None:
            for name in names:
                _add(result, name, name, number)

    def key(self, key: Any, where: str, side: Side) -> Key | None:
        """The key itself if some place fits it."""
        role, names = side.role, side.names
        if isinstance(key, str):
            if not side.is_known:
                return key
            known: list[Any] = names
            what = f"{role} of the task" if side.space is None else f"symbol of {side.space!r}"
            wrong = f"{key!r} is no {what}"
        elif isinstance(key, int) and not isinstance(key, bool):
            known = side.positions
            wrong = f"no {role} of the task is at position {key}"
        elif _is_pair(key):
            known = list(side.places)
            wrong = f"no {role} of the task is {key[1]!r} at position {key[0]}"
        else:
            wrong, known = f"{key!r} names no {role}; expected a token, a position or a (position, token)", []
        if key in known:
            return key  # type: ignore[no-any-return]
        self.problems.append(f"{where}: {wrong}{_meant(key, names) if isinstance(key, str) else ''}")
        return None

    def number(self, value: Any, where: str) -> Fraction | None:
        """An exact number; a float stands for the decimal that it is printed as."""
        try:
            return rational(str(value) if isinstance(value, (float, Decimal)) else value)
        except InputError as error:
            self.problems.append(f"{where}: {error}")
            return None

    def embedding(self, stated: Any, keys: Iterable[Key]) -> Embedding:
        """The stated embedding, or the narrowest in which the keys can be read."""
        kinds = {str if isinstance(key, str) else int if isinstance(key, int) else tuple for key in keys}
        least: Embedding = "joint" if tuple in kinds else "additive" if int in kinds else "tokens"
        if stated is None:
            return least
        if stated not in EMBEDDINGS:
            self.problems.append(f"embedding is {stated!r}; expected one of {', '.join(EMBEDDINGS)}")
        elif stated == "tokens" and least != "tokens":
            odd = next(key for key in keys if not isinstance(key, str))
            self.problems.append(f"the key {odd!r} names a position, which the embedding 'tokens' does not have")
        else:
            return stated  # type: ignore[no-any-return]
        return least


def _add(written: Written, key: Key, target: str, number: Fraction) -> None:
    entries = written.setdefault(key, {})
    entries[target] = entries.get(target, ZERO) + number


def _narrowed(ends: Sequence[Key] | None, key: int | str, side: Side) -> tuple[Key, ...]:
    """The destinations among ``ends`` (``None``: all) that also fit a position or a token."""
    if ends is None:
        return (key,)
    found: dict[Key, None] = {}
    for end in ends:
        if type(end) is type(key):
            found.update({key: None} if end == key else {})
        else:
            fits = (place for place in side.places if end in (*place, place) and key in place)
            found.update(dict.fromkeys(fits))
    return tuple(found)


def _is_pair(key: object) -> bool:
    return isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], int) and isinstance(key[1], str)


def _is_several(at: object) -> bool:
    return isinstance(at, tuple) and not _is_pair(at)


def _meant(word: object, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(str(word), names, n=1, cutoff=0.5) or [
        name for name in names if name.casefold() == str(word).casefold()
    ]
    if close:
        return f"; did you mean {close[0]!r}?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"; expected one of {shown}"
