"""Margins of heads with real scores, enclosed in intervals with rational ends by FLINT's ball arithmetic.

The precision is doubled until the sign of every margin is known. Precision alone never shows that a margin
is exactly 0; for that the margin is multiplied by its denominators, which leaves a sum ``Σ c_i e^{r_i}``
with rational ``c_i`` and distinct rational ``r_i``. By the theorem of Lindemann and Weierstrass it is 0
only if every ``c_i`` is, so ties are decided too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flint import arb, ctx, fmpq

from expressivity.attention.margins.exact import margins
from expressivity.attention.margins.orbits import Counted, Orbits, by_orbits, counted_contexts
from expressivity.attention.tables import ZERO, Head, HeadTables, Row, rows_of
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.task import Comparison, Task

FIRST_BITS, MOST_BITS = 64, 1 << 17
MOST_SCORE = 10**25
MOST_TERMS = 200_000
SMALLEST = 1 << 22
SHOWN_BITS = 44  # of relative accuracy: enough for twelve digits
Sum = dict[Fraction, Fraction]
"""``Σ c e^r`` as exponent → coefficient."""


@dataclass(frozen=True)
class Interval:
    """A closed interval with rational ends that is proved to contain a real number.

    >>> Interval(Fraction(1, 2), Fraction(3, 4)).sign, Interval(Fraction(-1), Fraction(1)).sign
    (1, None)
    """

    lower: Fraction
    upper: Fraction

    @staticmethod
    def of(ball: arb) -> Interval:
        """The ends of a ball, outwards where they are too near 0 to be written out."""
        return Interval(_fraction(ball.lower(), up=False), _fraction(ball.upper(), up=True))

    @property
    def sign(self) -> int | None:
        """1, −1 or 0, or ``None`` where the interval does not tell."""
        if self.lower > 0 or self.upper < 0:
            return 1 if self.lower > 0 else -1
        return 0 if self.lower == self.upper == 0 else None

    def __contains__(self, value: Fraction) -> bool:
        return self.lower <= value <= self.upper

    def __str__(self) -> str:
        if self.lower == self.upper:
            return str(self.lower)
        with ctx.workprec(FIRST_BITS):
            ball = arb(_fmpq(self.lower)).union(arb(_fmpq(self.upper)))
            return ball.str(12, radius=bool(ball.rel_accuracy_bits() < SHOWN_BITS))


def enclosed_margins(tables: HeadTables, task: Task | Orbits, most_bits: int = MOST_BITS) -> tuple[Interval, ...]:
    """Enclosures of the margins of ``task.comparisons()``, with signs wherever these could be decided.

    A sign stays open (``Interval.sign`` is ``None``) only when ``most_bits`` of precision were not enough
    and the test for an exact 0 would have had more than ``MOST_TERMS`` terms. Rational odds are taken as
    they are.

    Raises:
        InputError: a real score beyond 10^25 in size.
    """
    if not isinstance(task, Orbits):
        return tuple(by_orbits(tables, task, lambda orbits: enclosed_margins(tables, orbits, most_bits)))
    contexts, comparisons = counted_contexts(task), task.comparisons()
    for head in tables.heads:
        largest = max(map(abs, (head.scores or {}).values()), default=ZERO)
        if head.base == "e" and largest > MOST_SCORE:
            raise InputError(
                f"head {head.name!r} has a score of about 10^{len(str(int(largest))) - 1}; expected at most 10^25 in "
                "size, beyond which its exponential cannot be enclosed"
            )
    result: dict[int, Interval] = {}
    todo, bits = list(range(len(comparisons))), FIRST_BITS
    while todo:
        asked = [comparisons[index] for index in todo]
        result.update(zip(todo, _at_precision(tables, contexts, asked, bits), strict=True))
        todo = [index for index in todo if result[index].sign is None]
        if bits == FIRST_BITS:
            for index in list(todo):
                if is_zero(tables, contexts[comparisons[index].context], comparisons[index]):
                    result[index] = Interval(ZERO, ZERO)
                    todo.remove(index)
        if bits >= most_bits:
            break
        bits *= 2
    return tuple(result[index] for index in range(len(comparisons)))


def least_margin(
    tables: HeadTables,
    task: Task | Orbits,
    enclosed: Sequence[Interval],
    *,
    most_bits: int = MOST_BITS,
    most_work: int = 1 << 24,
) -> int | None:
    """Which strict comparison has the least margin; ``None`` without strict ones.

    Enclosures that decide a sign may still overlap (margins of 1 − 10⁻⁴² and 1 − 10⁻⁴⁴ do, in 64 bits), so those that
    can be the least are enclosed again, more narrowly, until one is left, or until ``most_bits`` of precision (or
    ``most_work``, comparisons times bits) do not tell them apart: as a rule they are equal then.

    Args:
        tables, task: the question.
        enclosed: the margins of ``task.comparisons()`` as :func:`enclosed_margins` gives them.
    """
    comparisons = task.comparisons()
    left = {i: enclosed[i] for i, comparison in enumerate(comparisons) if not comparison.equal}
    contexts, bits = counted_contexts(task), FIRST_BITS
    while left:
        reach = min(interval.upper for interval in left.values())
        left = {i: interval for i, interval in left.items() if interval.lower <= reach}
        bits *= 2
        if len(left) == 1 or bits > most_bits or len(left) * bits > most_work or _all_exact(left.values()):
            return min(left, key=lambda i: left[i].lower)
        asked = [comparisons[i] for i in left]
        left = dict(zip(left, _at_precision(tables, contexts, asked, bits), strict=True))
    return None


def _all_exact(intervals: Iterable[Interval]) -> bool:
    return all(interval.lower == interval.upper for interval in intervals)


def _at_precision(
    tables: HeadTables, contexts: Sequence[Counted], comparisons: Sequence[Comparison], bits: int
) -> list[Interval]:
    with ctx.workprec(bits):
        found = margins(tables, contexts, comparisons, _odds, lambda value: arb(_fmpq(value)))
        return [Interval.of(ball) for ball in found]


def is_zero(tables: HeadTables, context: Counted, comparison: Comparison, shift: Fraction = ZERO) -> bool:
    """Whether a margin is exactly ``shift``: proved if true, by the linear independence of exponentials.

    ``False`` also where the sum would have more than about ``MOST_TERMS`` terms.
    """
    rows = [rows_of(tables.embedding, place) for place, _ in context]
    above, below = comparison.above, comparison.below
    direct = sum((tables.direct.get((r, above), ZERO) - tables.direct.get((r, below), ZERO) for r in rows[-1]), -shift)
    top: Sum = {ZERO: direct}
    bottom: Sum = {ZERO: Fraction(1)}
    for head in tables.heads:
        mass: Sum = defaultdict(Fraction)
        gain: Sum = defaultdict(Fraction)
        for (_, n), source in zip(context, rows, strict=True):
            exponent, factor = ZERO, Fraction(n)
            if head.odds is None and head.base == "e":
                exponent = head.score(rows[-1], source)
            else:
                factor = n * head.weight(rows[-1], source)
            values = (head.values.get((r, above), ZERO) - head.values.get((r, below), ZERO) for r in source)
            mass[exponent] += factor
            gain[exponent] += factor * sum(values, ZERO)
        if (len(top) + len(bottom)) * len(mass) > MOST_TERMS:
            return False
        gain = {exponent: value for exponent, value in gain.items() if value}
        if gain:
            top = _plus(_times(top, mass), _times(bottom, gain))
            bottom = _times(bottom, mass)
    return not any(top.values())


def describe_margin(tables: HeadTables, task: Task | Orbits, comparison: Comparison) -> str:
    """One margin for people; close to a whole number, its distance from that: ``1 − 3.406e-4343``.

    Every digit before the last is proved.
    """
    contexts = counted_contexts(task)

    def at_precision(bits: int) -> Interval:
        return _at_precision(tables, contexts, [comparison], bits)[0]

    return described(at_precision, lambda whole: is_zero(tables, contexts[comparison.context], comparison, whole))


def described(at_precision: Callable[[int], Interval], is_exactly: Callable[[Fraction], bool]) -> str:
    """A number for people, from its enclosures at any precision and a proof, where there is one, that it is whole."""
    interval = at_precision(FIRST_BITS)
    whole = round((interval.lower + interval.upper) / 2)
    if max(abs(interval.lower - whole), abs(interval.upper - whole)) > Fraction(1, 10**6):
        return str(interval)
    if is_exactly(Fraction(whole)):
        return f"{_signed(whole)} exactly"
    bits = FIRST_BITS
    while bits < MOST_BITS:
        bits *= 2
        interval = at_precision(bits)
        off = Interval(interval.lower - whole, interval.upper - whole)
        if off.sign and off.upper - off.lower < min(abs(off.lower), abs(off.upper)) / 10**6:
            with ctx.workprec(FIRST_BITS):
                size = abs(arb(_fmpq(off.lower)).union(arb(_fmpq(off.upper))))
                return f"{_signed(whole)} {'+' if off.sign > 0 else '−'} {size.str(4, radius=False)}"
    return str(interval)


def _signed(whole: int) -> str:
    return f"−{-whole}" if whole < 0 else str(whole)


def _odds(head: Head, destination: Sequence[Row], source: Sequence[Row]) -> arb:
    if head.odds is None and head.base == "e":
        return arb(_fmpq(head.score(destination, source))).exp()
    return arb(_fmpq(head.weight(destination, source)))


def _times(left: Sum, right: Sum) -> Sum:
    result: Sum = defaultdict(Fraction)
    for r, a in left.items():
        for s, b in right.items():
            result[r + s] += a * b
    return {exponent: value for exponent, value in result.items() if value}


def _plus(left: Sum, right: Sum) -> Sum:
    return {exponent: left.get(exponent, ZERO) + right.get(exponent, ZERO) for exponent in {*left, *right}}


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(end: arb, up: bool) -> Fraction:
    """The end of a ball as a fraction; one within 2^−SMALLEST of 0 is moved outwards, to keep it short."""
    mantissa, exponent = (int(part) for part in end.man_exp())
    if mantissa and exponent + mantissa.bit_length() < -SMALLEST:
        if up is (mantissa < 0):
            return ZERO
        return Fraction(1 if up else -1, 1 << SMALLEST)
    return Fraction(mantissa) * Fraction(2) ** exponent
