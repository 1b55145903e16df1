"""One layer of attention evaluated on a context: exactly for rational odds, by enclosure for real scores. Floor 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import lcm, prod
from typing import Any

from expressivity.certificate import rational
from expressivity.errors import Refuted
from expressivity.verify.claim import NIL, Claim, Tokens, fields_of, items_of, text_of, whole
from expressivity.verify.enclosure import EXP_STEPS, exp_bounds

# Which of (position, token) is null in an embedding row.
ABSENT = {"joint": [(False, False)], "additive": [(False, True), (True, False)], "tokens": [(True, False)]}
ONE = Fraction(1)
Interval = tuple[Fraction, Fraction]
Row = tuple[int | None, str | None]  # an embedding row
Table = Mapping[tuple[Any, Any], Fraction]


def attended(claim: Claim, proof: object) -> Callable[[Tokens], Callable[[str, str], Interval]]:
    """The function context -> (y, z) -> enclosure of logit_y − logit_z, for the tables of a proof."""
    given, heads = fields_of(proof, "proof", "direct", "heads")
    if len(items_of(heads, "heads")) != claim.model["heads"]:
        raise Refuted("model", f"the proof has {len(heads)} heads, the claim is of {claim.model['heads']}")
    direct = _table(claim, given, "direct", claim.output)
    tables = [head_of(claim, head) for head in heads]
    written = sum(bits_of(values) for values in (direct, *(head.values for head in tables)))

    def context(tokens: Tokens) -> Callable[[str, str], Interval]:
        claim.spend(len(tokens))
        rows = [rows_of(claim.model["embedding"], *place) for place in enumerate(tokens)]
        patterns = [(head.attention(claim, rows), head.values) for head in tables]
        bits = written + sum(max(_size(*weight) for weight in pattern) for pattern, _ in patterns)

        def difference(y: str, z: str) -> Interval:
            claim.spend(20 * (1 + len(tokens) * len(tables)), bits)
            low = high = sum((direct.get((row, y), NIL) - direct.get((row, z), NIL) for row in rows[-1]), NIL)
            for pattern, values in patterns:
                for (least, most), place in zip(pattern, rows, strict=True):
                    value = sum((values.get((row, y), NIL) - values.get((row, z), NIL) for row in place), NIL)
                    low += value * (least if value >= 0 else most)
                    high += value * (most if value >= 0 else least)
            return low, high

        return difference

    return context


@dataclass(frozen=True)
class Head:
    """Odds or scores, and values; ``base`` is ``None`` for odds, ``"e"`` for real scores, a number for integer ones."""

    table: Table
    bits: int  # in which an entry of the table, or a sum of some, finds room
    base: Fraction | str | None
    values: Table

    def score(self, end: Sequence[Row], place: Sequence[Row]) -> Fraction:
        """What the table gives a place, seen from a destination: the product of odds, the sum of scores."""
        default = ONE if self.base is None else NIL
        entries = [self.table.get((q, row), default) for q in end for row in place]
        return prod(entries, start=ONE) if self.base is None else sum(entries, NIL)

    def attention(self, claim: Claim, rows: Sequence[Sequence[Row]]) -> list[Interval]:
        """Enclosures of the attention that the last place pays to every place, itself included; they sum to 1."""
        claim.spend(20 * len(rows), len(rows[-1]) ** 2 * self.bits)
        scores = [self.score(rows[-1], place) for place in rows]
        if self.base is None:
            odds = [(score, score) for score in scores]
        else:
            top = max(scores)
            if isinstance(self.base, Fraction):
                claim.spend(20 * len(rows), int(top - min(scores)) * _size(self.base))
                odds = [(self.base ** int(score - top),) * 2 for score in scores]
            else:
                claim.spend(EXP_STEPS * len(rows))
                odds = [exp_bounds(score - top) for score in scores]
        less, more = (sum(side, NIL) for side in zip(*odds, strict=True))
        return [(least / more, most / less) for least, most in odds]


def head_of(claim: Claim, head: object) -> Head:
    """A head of a proof, its form and its width checked."""
    width = claim.model["d_head"]
    if isinstance(head, dict) and "odds" in head:
        given, values = fields_of(head, "a head", "odds", "values")
        table, base = _table(claim, given, "odds", partial(_row, claim)), None
        if min(table.values(), default=ONE) <= 0 or width is not None:
            raise Refuted("tables", "odds must be positive, and have no rank: a claim of d_head needs scores")
    else:
        given, base, values = fields_of(head, "a head", "scores", "base", "values")
        table = _table(claim, given, "scores", partial(_row, claim))
        if base != "e":
            base = rational(base, "base")
            if base <= 0 or any(score.denominator > 1 for score in table.values()):
                raise Refuted("tables", "a rational base must be positive and its scores integers")
    written = _table(claim, values, "values", claim.output)
    if width is not None and any(_rank_exceeds(claim, entries, width) for entries in (table, written)):
        raise Refuted("width", f"a table of scores or values has rank above d_head {width}")
    return Head(table, bits_of(table), base, written)


def rows_of(embedding: str, position: int, token: str) -> list[Row]:
    """The embedding rows of a token at a position; tables are sums over them (odds: products)."""
    if embedding == "joint":
        return [(position, token)]
    return [(None, token)] if embedding == "tokens" else [(None, token), (position, None)]


def _table(claim: Claim, entries: object, where: str, column_of: Callable[[object], Any]) -> Table:
    """Entries [row, row, rational] of odds or scores, [row, output, rational] of values."""
    table: dict[tuple[Any, Any], Fraction] = {}
    for entry in items_of(entries, where):
        row, column, value = items_of(entry, f"an entry of {where}", 3)
        key = (_row(claim, row), column_of(column))
        if key in table:
            raise Refuted("tables", f"{where} has two entries for {key!r}")
        table[key] = rational(value, f"an entry of {where}")
    return table


def _row(claim: Claim, row: object) -> Row:
    position, token = items_of(row, "an embedding row", 2)
    if (position is None, token is None) not in ABSENT[claim.model["embedding"]]:
        raise Refuted("tables", f"{row!r} is no row of the embedding {claim.model['embedding']}")
    whole(0 if position is None else position, "a position")
    text_of("" if token is None else token, "a token")
    return position, token


def _size(*values: Fraction) -> int:
    return max(value.numerator.bit_length() + value.denominator.bit_length() for value in values)


def bits_of(table: Table) -> int:
    """Bits in which any entry of a table, and any sum of entries, finds room."""
    common = lcm(*{value.denominator for value in table.values()})
    return 2 * common.bit_length() + max((_size(value) for value in table.values()), default=0)


def _rank_exceeds(claim: Claim, table: Table, width: int) -> bool:
    """Whether the rank of a table over the rationals is above ``width``, by elimination."""
    grid: dict[Any, dict[Any, Fraction]] = {}
    for (row, column), value in table.items():
        grid.setdefault(row, {})[column] = value
    if len(grid) <= width:
        return False
    pivots: list[tuple[Any, dict[Any, Fraction]]] = []
    for row in grid.values():
        for lead, pivot in pivots:
            if factor := row.get(lead, NIL):
                claim.spend(60 * len(pivot), 3 * _size(*row.values(), *pivot.values()))
                row |= {key: row.get(key, NIL) - factor * value for key, value in pivot.items()}
        rest = {key: value for key, value in row.items() if value}
        if rest:
            lead = next(iter(rest))
            pivots.append((lead, {key: value / rest[lead] for key, value in rest.items()}))
        if len(pivots) > width:
            return True
    return False
