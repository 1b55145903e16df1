"""Where attention goes in one context, and what it carries from there to a logit: exact, or enclosed in balls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from flint import arb, ctx

from expressivity.attention.margins import Interval
from expressivity.attention.margins.enclosed import MOST_SCORE
from expressivity.attention.tables import ZERO, Head, HeadTables, places_of, rows_of
from expressivity.attention.weights.rational_matrix import to_fmpq
from expressivity.errors import InputError
from expressivity.pictures import number_text

BITS = 192  # scores up to 10^25 take 84 of them before the point
Share = Fraction | Interval


def attention_shares(tables: HeadTables, context: Sequence[str]) -> tuple[tuple[Share, ...], ...]:
    """The share of its attention that each head gives to each place of a context, seen from its last.

    Returns:
        A tuple for each head; fractions where its odds are rational, else proved enclosures about ``2**-100`` wide.

    Raises:
        InputError: an empty context, or a score beyond 10^25.

    >>> q, a = (None, "Q"), (None, "A")
    >>> attention_shares(HeadTables("tokens", {}, (Head(odds={(q, a): Fraction(3)}),)), ("A", "Q"))
    ((Fraction(3, 4), Fraction(1, 4)),)
    """
    places = places_of(context)
    if not places:
        raise InputError("the context is empty; expected at least one token, the destination")
    rows = [rows_of(tables.embedding, place) for place in places]
    found: list[tuple[Share, ...]] = []
    for head in tables.heads:
        if head.is_exact:
            odds = [head.weight(rows[-1], source) for source in rows]
            found.append(tuple(weight / sum(odds, ZERO) for weight in odds))
            continue
        if max(map(abs, (head.scores or {}).values())) > MOST_SCORE:
            raise InputError(f"head {head.name!r} has a score beyond 10^25, whose exponential cannot be enclosed")
        with ctx.workprec(BITS):
            balls = [arb(to_fmpq(head.score(rows[-1], source))).exp() for source in rows]
            mass = sum(balls[1:], start=balls[0])
            found.append(tuple(_within(Interval.of(ball / mass)) for ball in balls))
    return tuple(found)


@dataclass(frozen=True)
class Step:
    """What one head carries from one place of a context to a logit: ``share × value``.

    Attributes:
        head: its name.
        score: of the place, or its odds where the head is given by odds.
        is_odds: which of the two it is.
        share: of the head's attention.
        value: what the head writes from there to the logit.
    """

    head: str
    score: Fraction
    is_odds: bool
    share: Share
    value: Fraction

    @property
    def carried(self) -> Share:
        """``share × value``; an enclosure if the share is one."""
        return times(self.share, self.value)


@dataclass(frozen=True)
class Path:
    """A logit, or the difference of two, taken apart by where it comes from.

    Attributes:
        steps: from the source in question, one for each head.
        others: from the other places, one for each head.
        direct: from the destination past all heads.
    """

    steps: tuple[Step, ...]
    others: tuple[Share, ...]
    direct: Fraction

    @property
    def total(self) -> Share:
        """The logit, or the difference."""
        return plus([*(step.carried for step in self.steps), *self.others, self.direct])


def path_to_logit(
    tables: HeadTables, context: Sequence[str], source: int | str, output: str, against: str | None = None
) -> Path:
    """How a source token acts on a logit: score, share of attention, value, and their product, head by head.

    Args:
        tables: one layer.
        context: sources, then the destination.
        source: a position from 0, or a token that stands at one position only.
        output: whose logit.
        against: an output whose logit is subtracted (0 if no table names it); differences of logits are what a softmax
            sees.

    Raises:
        InputError: no such place, or an output to which the tables write nothing.
    """
    places = places_of(context)
    at = _position(context, source)
    known = tables.outputs
    if output not in known:
        raise InputError(f"the tables write nothing to {output!r}; they write to {', '.join(known) or 'no output'}")
    rows = [rows_of(tables.embedding, place) for place in places]
    steps, others = [], []
    for head, shares in zip(tables.heads, attention_shares(tables, context), strict=True):
        values = [sum((_towards(head, row, output, against) for row in read), ZERO) for read in rows]
        is_odds = head.odds is not None
        score = head.weight(rows[-1], rows[at]) if is_odds else head.score(rows[-1], rows[at])
        steps.append(Step(head.name, score, is_odds, shares[at], values[at]))
        others.append(plus([times(shares[i], value) for i, value in enumerate(values) if i != at]))
    direct = (
        tables.direct.get((row, y), ZERO) * sign for row in rows[-1] for y, sign in ((output, 1), (against, -1)) if y
    )
    return Path(tuple(steps), tuple(others), sum(direct, ZERO))


def times(share: Share, factor: Fraction) -> Share:
    """A product; of an interval, the interval of products."""
    if isinstance(share, Fraction):
        return share * factor
    ends = sorted((share.lower * factor, share.upper * factor))
    return Interval(*ends)


def plus(parts: Sequence[Share]) -> Share:
    """A sum; exact unless an interval is among the parts that are not 0."""
    exact = sum((part for part in parts if isinstance(part, Fraction)), ZERO)
    balls = [part for part in parts if isinstance(part, Interval) and (part.lower or part.upper)]
    if not balls:
        return exact
    return Interval(sum((b.lower for b in balls), exact), sum((b.upper for b in balls), exact))


def middle(share: Share) -> float:
    """The float next to a fraction, or to the middle of an interval."""
    return float(share if isinstance(share, Fraction) else (share.lower + share.upper) / 2)


def share_text(share: Share) -> str:
    """A share, or a sum of shares times values, for a cell: exact where it is known and short."""
    if isinstance(share, Interval):
        return number_text(share.lower if share.lower == share.upper else middle(share))
    return number_text(share)


def _position(context: Sequence[str], source: int | str) -> int:
    if isinstance(source, str):
        found = [i for i, token in enumerate(context) if token == source]
        if len(found) != 1:
            where = f"at the positions {', '.join(map(str, found))}; give one of them" if found else "nowhere"
            raise InputError(f"{source!r} stands {where} in {' '.join(context)!r}")
        return found[0]
    if not 0 <= source < len(context):
        raise InputError(f"position {source} is not in {' '.join(context)!r}; expected 0 to {len(context) - 1}")
    return source


def _towards(head: Head, row: tuple[int | None, str | None], output: str, against: str | None) -> Fraction:
    value = head.values.get((row, output), ZERO)
    return value if against is None else value - head.values.get((row, against), ZERO)


def _within(interval: Interval) -> Interval:
    """The part of it between 0 and 1, its ends moved outwards to multiples of ``2**-BITS``."""
    unit = 1 << BITS
    lower, upper = Fraction(floor(interval.lower * unit), unit), Fraction(ceil(interval.upper * unit), unit)
    return Interval(max(lower, ZERO), min(upper, Fraction(1)))
