"""A construction's text, checked against its task: everything that is wrong is noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from expressivity.attention.model_class import EMBEDDINGS, Embedding
from expressivity.attention.tables import Place, occurring
from expressivity.errors import InputError
from expressivity.task.rationals import rational

if TYPE_CHECKING:
    from expressivity.task import Task

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


def keys_of(text: HeadRead) -> list[Key]:
    """Every place that a head names."""
    found: list[Key] = list(text.writes)
    for part in text.attention:
        found += [*(part.at or ()), *(key for key, _ in part.entries)]
    return found


class Reader:
    """Checks keys and numbers against the task, and notes what is wrong instead of stopping at it."""

    def __init__(self, task: Task) -> None:
        self.ends, self.sources, self.pairs = occurring(task.contexts)
        self.outputs = task.outputs
        self.problems: list[str] = []

    def head(self, text: HeadText, before: Sequence[HeadText]) -> HeadRead:
        """Read one head; ``before`` are those whose names are taken."""
        where = f"head {text.name!r}"
        if not isinstance(text.name, str) or not text.name:
            self.problems.append(f"{where}: the name is no text")
        elif any(text.name == other.name for other in before):
            self.problems.append(f"{where}: two heads have this name")
        if text.scores is not None and text.odds is not None:
            self.problems.append(f"{where}: it has scores and odds; expected one of the two")
        is_odds = text.odds is not None
        what = "odds" if is_odds else "scores"
        attention = self.attention(text.odds if is_odds else text.scores, text.at, f"{where}, {what}")
        base = self.base(text.base, is_odds, where)
        values = [value for part in attention for _, value in part.entries]
        if is_odds:
            for value in values:
                if value <= 0:
                    self.problems.append(f"{where}, odds: found {value}; expected a positive number")
        elif base != "e" and any(value.denominator != 1 for value in values):
            odd = next(value for value in values if value.denominator != 1)
            self.problems.append(f"{where}: base {base} needs whole scores, found {odd}; base 'e' takes any")
        writes = self.writes(text.writes, f"{where}, writes", self.sources, "source")
        return HeadRead(str(text.name), attention, is_odds, base, writes)

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

    def attention(self, table: Any, at: Any, where: str) -> list[AttentionText]:
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
            return [part for end, inner in table.items() for part in self.attention(inner, [end], where)]
        ends: tuple[Key, ...] | None = None
        if at is not None:
            listed = at if isinstance(at, (list, set, frozenset)) or _is_several(at) else [at]
            found = (self.key(key, f"{where}, at", self.ends, "destination") for key in listed)
            ends = tuple(key for key in found if key is not None)
        entries = []
        for key, value in table.items():
            source = self.key(key, where, self.sources, "source")
            number = self.number(value, f"{where} of {key!r}")
            if source is not None and number is not None:
                entries.append((source, number))
        return [AttentionText(ends, entries)]

    def writes(self, table: Any, where: str, places: Sequence[Place], role: str) -> Written:
        """A table from places (sources or destinations, as ``role`` says) to outputs and numbers."""
        if not isinstance(table, Mapping):
            self.problems.append(f"{where}: found {table!r}; expected a table of {role}s and outputs")
            return {}
        result: Written = {}
        for key, value in table.items():
            place = self.key(key, where, places, role)
            logits = {value: 1} if isinstance(value, str) else value
            if not isinstance(logits, Mapping):
                self.problems.append(f"{where}: {key!r} writes {value!r}; expected an output or {{output: number}}")
                continue
            found = {}
            for output, size in logits.items():
                number = self.number(size, f"{where}, {output!r} from {key!r}")
                if output not in self.outputs:
                    wrong = f"{key!r} writes {output!r}, which is no output of the task"
                    self.problems.append(f"{where}: {wrong}{_meant(output, self.outputs)}")
                elif number is not None:
                    found[output] = number
            if place is not None:
                result[place] = found
        return result

    def key(self, key: Any, where: str, places: Sequence[Place], role: str) -> Key | None:
        """The key itself if some place fits it."""
        if isinstance(key, str):
            known: list[Any] = sorted({token for _, token in places})
            wrong = f"{key!r} is no {role} of the task"
        elif isinstance(key, int) and not isinstance(key, bool):
            known = sorted({position for position, _ in places})
            wrong = f"no {role} of the task is at position {key}"
        elif _is_pair(key):
            known = list(places)
            wrong = f"no {role} of the task is {key[1]!r} at position {key[0]}"
        else:
            wrong, known = f"{key!r} names no {role}; expected a token, a position or a (position, token)", []
        if key in known:
            return key  # type: ignore[no-any-return]
        names = sorted({token for _, token in places})
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
