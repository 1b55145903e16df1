"""By what factor floating point is safe: proved margins over proved bounds on rounding errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, inf, log10

from expressivity.attention.floats.errors import FloatErrors
from expressivity.attention.margins import Interval
from expressivity.errors import InputError


@dataclass(frozen=True)
class FloatSafety:
    """What a format is proved to decide.

    Attributes:
        dtype: ``float64``, ``float32`` or ``bfloat16``.
        factor: the least quotient of how far a strict margin is proved to be from 0 and the bound on its error.
            Infinite where nothing is rounded or no margin is strict.
        comparison: which comparison has this quotient, in the order of the bounds; ``None`` if there is none.
        margin: how far its margin is from 0 at least.
        bound: the bound on its error.
        tie_bound: the largest bound on the error of an equal comparison: computed ties are no farther from 0.
    """

    dtype: str
    factor: float
    comparison: int | None
    margin: float
    bound: float
    tie_bound: float

    @property
    def is_proved(self) -> bool:
        """Whether every strict margin has the sign in this format that it has in real numbers."""
        return self.factor > 1


def float_safety(errors: FloatErrors, margins: Sequence[Interval | Fraction]) -> tuple[FloatSafety, ...]:
    """Compare the bounds of each format with the margins of the tables.

    Args:
        errors: of the model compiled from these tables.
        margins: exact or enclosed, one for each comparison.

    Raises:
        InputError: there are more or fewer margins than bounds.
    """
    if len(margins) != len(errors.comparisons):
        raise InputError(f"found {len(margins)} margins for {len(errors.comparisons)} comparisons")
    strict = [i for i, comparison in enumerate(errors.comparisons) if not comparison.equal]
    equal = [i for i, comparison in enumerate(errors.comparisons) if comparison.equal]
    far = {i: _from_zero(margins[i]) for i in strict}
    found = []
    for dtype, bounds in errors.bounds.items():
        factors = {i: far[i] / bounds[i] if bounds[i] else inf for i in strict}
        worst = min(factors, key=lambda i: (factors[i], far[i]), default=None)
        ties = max((float(bounds[i]) for i in equal), default=0.0)
        if worst is None:
            found.append(FloatSafety(dtype, inf, None, inf, 0.0, ties))
        else:
            factor = float(factors[worst]) * (1 - 2.0**-50)
            found.append(FloatSafety(dtype, factor, worst, far[worst], float(bounds[worst]), ties))
    return tuple(found)


def safety_text(found: Sequence[FloatSafety]) -> str:
    """One line for people.

    >>> one = FloatSafety("float32", 3.2e4, 0, 0.5, 1.6e-5, 0.0)
    >>> safety_text([one, FloatSafety("bfloat16", 0.05, 0, 0.001, 0.02, 0.0)])
    'float32 safe by 10^4, bfloat16 not proved (margin 0.001, error up to 0.02)'
    """
    return ", ".join(_text(safety) for safety in found)


def _text(safety: FloatSafety) -> str:
    ties = f", ties within {safety.tie_bound:.1g}" if safety.tie_bound else ""
    if not safety.is_proved:
        return f"{safety.dtype} not proved (margin {safety.margin:.2g}, error up to {safety.bound:.2g}{ties})"
    if safety.factor == inf:
        shown = "exact" if safety.comparison is not None else "nothing to decide"
    elif safety.factor >= 1000:
        shown = f"safe by 10^{floor(log10(safety.factor))}"
    else:
        digits = 2 if safety.factor < 10 else 0
        shown = f"safe by {floor(safety.factor * 10**digits) / 10**digits:g}"
    return f"{safety.dtype} {shown}" + (f" ({ties[2:]})" if ties else "")


def _from_zero(margin: Interval | Fraction) -> float:
    """How far a number is from 0 at least, downwards; 0 where its sign is not known."""
    ends = (margin.lower, margin.upper) if isinstance(margin, Interval) else (margin, margin)
    if ends[0] <= 0 <= ends[1]:
        return 0.0
    least = min(map(abs, ends))
    near = float(min(least, Fraction(10) ** 300))
    return near if Fraction(near) <= least else near * (1 - 2.0**-52)
