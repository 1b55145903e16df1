r"""The exact half of the search for narrow heads: with attention and what it carries fixed, the rest is linear.

A head of width d with scores ``s`` and values ``v = V · O`` adds :math:`\sum_k f_k(x)\, O_k(y)` to a logit, where

.. math:: f_k(x) = \frac{\sum_s e^{s(q, s)}\, V_k(s)}{\sum_s e^{s(q, s)}}.

Fix the scores and the left factor V. The comparisons of a task then are linear in the right factor O and the direct
path, so that the decision engine finds these exactly or proves that there are none *for that attention and that V*
(theorem T7, for a factor of the values in place of all of them).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import exp
from typing import Literal

from expressivity.attention import Head, HeadTables, Orbits, Place, Row, orbits_of
from expressivity.attention.tables import rows_of
from expressivity.separability import IntegerRows, Separator, integer_row, integer_rows, largest_margin, separate
from expressivity.task import Domain, Task

SHARE_BITS = 44
"""Bits to which shares of real scores are rounded before the linear step; what comes out is proved by itself."""
MOST_ORBITS = 20_000  # each is evaluated in fractions, and a certificate states no more
COARSE_BITS = 16  # of shares, where a margin is sought that floats can see
WEIGHT_BITS = 40  # of the whole weights that are tried
WIDENING = 2.0  # seconds for that margin
ZERO = Fraction(0)
Matrix = list[list[Fraction]]


@dataclass(frozen=True)
class Pattern:
    """A head's attention and the left factor of its values: what the linear step takes as given.

    Attributes:
        scores: destination rows × groups of source rows.
        base: odds are ``base ** score``; whole scores unless it is ``"e"``.
        carried: groups × d_head.
    """

    scores: Matrix
    base: Fraction | Literal["e"]
    carried: Matrix


@dataclass(frozen=True)
class Setting:
    """A task as a search for narrow heads sees it: contexts by their numbers of alike sources.

    Source rows to which every table of the construction gives equal entries make a *group*, which gets one entry in the
    tables that are looked for. So these tell no more contexts apart, and one context of each orbit is enough.

    Attributes:
        task: what is to be decided.
        tables: the construction's.
        ends: the destination rows.
        groups: the source rows, those with equal entries together.
        orbits: the contexts, one for all those with equal counts.
    """

    task: Task | Domain
    tables: HeadTables
    ends: tuple[Row, ...]
    groups: tuple[tuple[Row, ...], ...]
    orbits: Orbits

    @property
    def outputs(self) -> tuple[str, ...]:
        """The task's."""
        return self.task.outputs

    @property
    def n_heads(self) -> int:
        """As many as the construction has."""
        return len(self.tables.heads)

    @cached_property
    def group_of(self) -> dict[Row, int]:
        """The group of each source row."""
        return {row: g for g, group in enumerate(self.groups) for row in group}

    @cached_property
    def end_of(self) -> dict[Row, int]:
        """The number of each destination row."""
        return {row: e for e, row in enumerate(self.ends)}

    @cached_property
    def counted(self) -> list[tuple[tuple[int, ...], dict[tuple[int, ...], int]]]:
        """For each orbit its destination rows, and how often each sum of groups stands among its places."""
        found = []
        for orbit in self.orbits.orbits:
            counts: dict[tuple[int, ...], int] = {}
            for place, number in orbit.counted:
                read = tuple(sorted(self.group_of[row] for row in self.rows_of(place)))
                counts[read] = counts.get(read, 0) + number
            found.append((tuple(self.end_of[row] for row in self.rows_of(orbit.counted[-1][0])), counts))
        return found

    def rows_of(self, place: Place) -> tuple[Row, ...]:
        """The embedding rows of a place."""
        return rows_of(self.tables.embedding, place)


def setting_of(tables: HeadTables, task: Task | Domain) -> Setting:
    """The setting of a construction's tables and its task.

    Raises:
        InputError: tables with these groups tell over 20,000 contexts apart.

    >>> made = setting_of(HeadTables("tokens"), Task.from_strings(["AQX", "BQX"]))
    >>> made.ends, made.groups, len(made.orbits.orbits)
    (((None, 'Q'),), (((None, 'A'), (None, 'B'), (None, 'Q')),), 1)
    """
    if isinstance(task, Domain):
        last, met, _ = task.occurring()
    else:
        last = sorted({(len(c) - 1, c[-1]) for c in task.contexts})
        met = sorted({place for c in task.contexts for place in enumerate(c)})
    ends, sources = (
        tuple(dict.fromkeys(row for place in places for row in rows_of(tables.embedding, place)))
        for places in (last, met)
    )
    groups: dict[object, list[Row]] = {}
    for row in sources:
        seen = tuple(
            (
                tuple(head.values.get((row, y), ZERO) for y in task.outputs),
                tuple((head.scores if head.odds is None else head.odds or {}).get((q, row)) for q in ends)  # type: ignore[union-attr]
            )
            for head in tables.heads
        )  # fmt: skip
        groups.setdefault((seen, row[0] is None, row[1] is None), []).append(row)
    # Numbers that are equal in a group and whose sums differ else.
    told = {(row, task.outputs[0]): Fraction(3**g) for g, group in enumerate(groups.values()) for row in group}
    orbits = orbits_of(HeadTables(tables.embedding, {}, (Head(told),)), task, MOST_ORBITS)
    return Setting(task, tables, ends, tuple(map(tuple, groups.values())), orbits)


def features(setting: Setting, patterns: Sequence[Pattern]) -> list[list[Fraction]]:
    """What each head carries to each orbit, ``[orbits][heads · d_head]``: exact for rational odds, else rounded."""
    found: list[list[Fraction]] = [[] for _ in setting.counted]
    for pattern in patterns:
        odds: dict[tuple[tuple[int, ...], tuple[int, ...]], Fraction] = {}
        real = pattern.base == "e" and any(map(any, pattern.scores))
        width = len(pattern.carried[0])
        for line, (end, counts) in zip(found, setting.counted, strict=True):
            scores = {read: sum((pattern.scores[e][g] for e in end for g in read), ZERO) for read in counts}
            top = max(scores.values())
            for read, score in scores.items():
                if (end, read) not in odds and not real:
                    odds[end, read] = ZERO + (1 if pattern.base == "e" else pattern.base ** int(score))
            mine = {
                read: Fraction(exp(max(float(scores[read] - top), -700))) if real else odds[end, read]
                for read in counts
            }
            mass = sum((number * mine[read] for read, number in counts.items()), ZERO)
            for d in range(width):
                total = sum(
                    (n * mine[r] * sum((pattern.carried[g][d] for g in r), ZERO) for r, n in counts.items()), ZERO
                )
                share = total / mass
                line.append(Fraction(round(share * 2**SHARE_BITS), 2**SHARE_BITS) if real else share)
    return found


def complete(setting: Setting, patterns: Sequence[Pattern], time_limit: float) -> HeadTables | None:
    """Right factors and a direct path with which these patterns decide the task; ``None`` if none were found.

    For rational odds they decide it: the linear step is exact, ties included. For real scores the shares were
    rounded, so that only the trusted base says whether the tables do. Short whole weights with a margin of at least 1
    are returned where there are some, so that floats get the decisions right too.
    """
    carried = features(setting, patterns)
    place = {y: k for k, y in enumerate(setting.outputs)}
    n_carried, columns = len(carried[0]), len(place) - 1
    width = n_carried + len(setting.ends)

    def side(output: str, sign: int, orbit: int) -> Iterator[tuple[int, Fraction]]:
        if place[output] == columns:  # the last output is at 0: only differences count
            return
        for k, value in enumerate(carried[orbit]):
            yield k * columns + place[output], sign * value
        for e in setting.counted[orbit][0]:
            yield (n_carried + e) * columns + place[output], Fraction(sign)

    rows: dict[tuple[frozenset[tuple[int, Fraction]], bool], dict[int, Fraction]] = {}
    for comparison in setting.orbits.comparisons():
        both = (side(comparison.above, 1, comparison.context), side(comparison.below, -1, comparison.context))
        row = {column: value for each in both for column, value in each if value}
        if not row and not comparison.equal:
            return None
        if row:
            rows.setdefault((frozenset(row.items()), comparison.equal), row)
    found = _weights(list(rows.values()), [equal for _, equal in rows], width * columns, time_limit)
    if found is None:
        return None
    weights = [[*found[k * columns : (k + 1) * columns], ZERO] for k in range(width)]
    return _tables(setting, patterns, weights[:n_carried], weights[n_carried:])


def _weights(
    rows: Sequence[dict[int, Fraction]], equal: Sequence[bool], n_columns: int, time_limit: float
) -> list[Fraction] | None:
    """Weights that give every strict row more than 0 and every equal row 0; with a margin of 1 where it is easy."""
    exact, factors = integer_rows(rows, n_columns)
    if all(equal):
        return [ZERO] * n_columns
    coarse = [
        row if tied else {k: Fraction(round(value * 2**COARSE_BITS)) for k, value in row.items()}
        for row, tied in zip(rows, equal, strict=True)
    ]
    whole = IntegerRows.from_dicts(
        [integer_row(row)[0] if tied else {k: int(value) for k, value in row.items() if value}
         for row, tied in zip(coarse, equal, strict=True)],
        n_columns,
    )  # fmt: skip
    first = separate(whole, equal, time_limit=time_limit)
    if isinstance(first, Separator):
        widest = largest_margin(whole, equal, first, time_limit=WIDENING).weights
        for bits in range(WEIGHT_BITS):
            rounded = [round(weight * 2**bits) for weight in widest]
            values = exact.times(rounded)
            if all(
                value == 0 if tied else value >= factor
                for value, factor, tied in zip(values, factors, equal, strict=True)
            ):
                return [Fraction(weight) for weight in rounded]
    answer = separate(exact, equal, time_limit=time_limit)
    return list(map(Fraction, answer.weights)) if isinstance(answer, Separator) else None


def _tables(setting: Setting, patterns: Sequence[Pattern], written: Matrix, direct: Matrix) -> HeadTables:
    heads, start = [], 0
    for head, pattern in zip(setting.tables.heads, patterns, strict=True):
        d_head = len(pattern.carried[0])
        right = written[start : start + d_head]
        start += d_head
        values = {
            (row, y): sum((c * line[k] for c, line in zip(pattern.carried[g], right, strict=True)), ZERO)
            for row, g in setting.group_of.items()
            for k, y in enumerate(setting.outputs)
        }
        scores = {
            (end, row): pattern.scores[e][g] for end, e in setting.end_of.items() for row, g in setting.group_of.items()
        }
        heads.append(Head(values, scores, base=pattern.base, name=head.name))
    path = {(end, y): direct[e][k] for end, e in setting.end_of.items() for k, y in enumerate(setting.outputs)}
    return HeadTables(setting.tables.embedding, path, tuple(heads))
