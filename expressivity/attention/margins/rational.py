"""Rational odds in place of real scores.

``exp(−10000)`` is irrational, so a head with real scores has no finite certificate in exact arithmetic. But
a decision with a positive margin is insensitive to small changes of the odds: replace them by rationals,
and prove the decisions of *that* model instead. Nothing is claimed about the original by doing so; its own
margins are enclosed elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from flint import arb, ctx, fmpq

from expressivity.attention.margins.exact import exact_margins, failures
from expressivity.attention.margins.orbits import orbits_of
from expressivity.attention.tables import Head, HeadTables, Row
from expressivity.errors import InputError
from expressivity.task.domain import shown_number
from expressivity.task.tokens import cut

if TYPE_CHECKING:
    from expressivity.task import Domain, Task

MOST_BITS = 4096
Levels = dict[Fraction, Fraction]


def rational_odds(tables: HeadTables, bits: int = 16) -> HeadTables:
    """A different model, close to the given one, in which every odds is rational.

    For each destination row the scores to the base e are sorted, the default 0 among them, and turned into
    odds from 0 outwards. A gap between neighbours wider than ``bits · ln 2`` is cut to exactly that, so
    that the order of the sources is kept and the numbers stay short (±10000 would need 29,000 bits); where
    no gap is cut the odds are ``exp(score)`` rounded to ``bits`` significant bits. Heads that are exact
    already are left alone.

    In the ``additive`` embedding the scores of tokens and of positions are treated apart: cutting gaps
    there may change the order of their sums, which is one more reason to prove the new model's decisions.

    Raises:
        InputError: ``bits`` is below 1.

    >>> q, a, b = (None, "Q"), (None, "A"), (None, "B")
    >>> head = Head(scores={(q, a): Fraction(-10000), (q, b): Fraction(1)})
    >>> dict(rational_odds(HeadTables("tokens", {}, (head,)), bits=8).heads[0].odds)
    {((None, 'Q'), (None, 'A')): Fraction(1, 256), ((None, 'Q'), (None, 'B')): Fraction(87, 32)}
    """
    if bits < 1:
        raise InputError(f"bits is {bits}; expected at least 1")
    heads = tuple(head if head.is_exact else _replaced(head, bits) for head in tables.heads)
    return HeadTables(tables.embedding, tables.direct, heads)


def rational_for(tables: HeadTables, task: Task | Domain) -> HeadTables:
    """Rational odds that decide every comparison of the task, with 16, 32, … bits until they do.

    Raises:
        InputError: no number of bits up to ``MOST_BITS`` does it, with the first context that fails. The
            tables may not decide the task, or only by ties between real scores, which rounding does not
            keep.
    """
    tables, bits = tables.restricted(task), 16
    while True:
        candidate = rational_odds(tables, bits)
        found = orbits_of(candidate, task)
        wrong = failures(found, exact_margins(candidate, found))
        if not wrong:
            return candidate
        if tables.is_exact or bits >= MOST_BITS:
            comparison = wrong[0]
            shown = cut(" ".join(found.orbits[comparison.context].context))
            sign = "equal to" if comparison.equal else "above"
            failing = shown_number(sum(found.orbits[i].n_contexts for i in {c.context for c in wrong}))
            raise InputError(
                f"{failing} of {shown_number(found.n_contexts)} contexts fail, such as {shown!r}: expected the logit "
                f"of {comparison.above!r} {sign} that of {comparison.below!r}"
            )
        bits *= 2


def _replaced(head: Head, bits: int) -> Head:
    scores = head.scores or {}
    groups: dict[tuple[Row, bool], set[Fraction]] = defaultdict(set)
    for (q, s), score in scores.items():
        groups[q, s[1] is None].add(score)
    levels = {key: _levels(found, bits) for key, found in groups.items()}
    odds = {(q, s): levels[q, s[1] is None][score] for (q, s), score in scores.items()}
    return Head(head.values, odds=odds, name=head.name)


def _levels(scores: Iterable[Fraction], bits: int) -> Levels:
    """Odds for each score and for 0, which gets 1."""
    ordered = sorted({*scores, Fraction(0)})
    zero = ordered.index(Fraction(0))
    return _walk(ordered[zero:], 1, bits) | _walk(ordered[zero::-1], -1, bits)


def _walk(ordered: list[Fraction], sign: int, bits: int) -> Levels:
    odds, cuts, rest = {Fraction(0): Fraction(1)}, 0, Fraction(0)
    for here, there in pairwise(ordered):
        gap = abs(there - here)
        with ctx.workprec(bits + 64):
            wide = arb(_fmpq(gap)) > arb(2).log() * bits
        cuts, rest = (cuts + 1, rest) if wide else (cuts, rest + gap)
        odds[there] = Fraction(2) ** (sign * cuts * bits) * _rounded_exp(sign * rest, bits)
    return odds


def _rounded_exp(exponent: Fraction, bits: int) -> Fraction:
    if not exponent:
        return Fraction(1)
    with ctx.workprec(bits + 64):
        man, exp = arb(_fmpq(exponent)).exp().mid().man_exp()
    mantissa, shift = int(man), int(exp)
    excess = mantissa.bit_length() - bits
    return Fraction(round(Fraction(mantissa, 2**excess)) if excess > 0 else mantissa) * Fraction(2) ** (
        shift + max(excess, 0)
    )


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
