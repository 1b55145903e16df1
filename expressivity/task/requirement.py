"""What is asked of the logits at one context.

A requirement is a top set, a tie or a distribution; a label is the top set of one output. All but
distributions reduce to pairs of outputs, one above or equal to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from expressivity.errors import InputError
from expressivity.task.rationals import Exact, bounded, rational
from expressivity.task.tokens import check_token, cut, quoted

Pair = tuple[str, str, bool]
"""(above, below, equal): a strict inequality of two logits, or an equality where `equal` holds."""


@dataclass(frozen=True, init=False, slots=True)
class Top:
    """Every listed output beats every unlisted one: `logit_y > logit_z` for y listed, z not.

    Args:
        outputs: distinct outputs, in any order; a string is one output, which makes a label.

    Raises:
        InputError: no outputs, or one listed twice.

    >>> Top("T"), str(Top(["T", "F"]))
    (Top(outputs=('T',)), 'F | T')
    """

    outputs: tuple[str, ...]

    def __init__(self, outputs: str | Iterable[str]) -> None:
        object.__setattr__(self, "outputs", distinct([outputs] if isinstance(outputs, str) else outputs))

    def pairs(self, outputs: tuple[str, ...]) -> Iterator[Pair]:
        """The comparisons among `outputs`, the outputs of the whole task."""
        listed = set(self.outputs)
        below = [z for z in outputs if z not in listed]
        return ((y, z, False) for y in self.outputs for z in below)

    def as_distribution(self) -> Distribution | None:
        """All probability on a label; None for several outputs, which fix no distribution."""
        return Distribution({self.outputs[0]: 1}) if len(self.outputs) == 1 else None

    def __str__(self) -> str:
        return " | ".join(map(quoted, self.outputs))


@dataclass(frozen=True, init=False, slots=True)
class Tie:
    """The listed outputs are equal and beat every unlisted one: nothing tells them apart, "abstain".

    Args:
        outputs: two or more distinct outputs, in any order.

    Raises:
        InputError: fewer than two outputs, or one listed twice.

    >>> str(Tie(["T", "F"]))
    'F = T'
    """

    outputs: tuple[str, ...]

    def __init__(self, outputs: Iterable[str]) -> None:
        tied = distinct([outputs] if isinstance(outputs, str) else outputs)
        if len(tied) == 1:
            raise InputError(f"found a tie of one output, {quoted(tied[0])}; expected two or more, as in T = F")
        object.__setattr__(self, "outputs", tied)

    def pairs(self, outputs: tuple[str, ...]) -> Iterator[Pair]:
        """The comparisons among `outputs`: each tied output equals the next, the first beats the untied."""
        first, tied = self.outputs[0], set(self.outputs)
        yield from ((y, z, True) for y, z in pairwise(self.outputs))
        yield from ((first, z, False) for z in outputs if z not in tied)

    def as_distribution(self) -> Distribution:
        """Equal probabilities."""
        return Distribution({y: Fraction(1, len(self.outputs)) for y in self.outputs})

    def __str__(self) -> str:
        return " = ".join(map(quoted, self.outputs))


@dataclass(frozen=True, init=False, slots=True)
class Distribution:
    """The probabilities `p(y | x)` of the next token.

    Args:
        probabilities: output → probability, as a mapping or as pairs: whole numbers, fractions or texts
            such as `"0.9"`, nonnegative, with sum exactly 1. An output of probability 0 is still an output.
        normalise: divide by the sum instead of asking that it is 1.

    Raises:
        InputError: no outputs, one listed twice, a float, a negative probability, or a sum other than 1.

    >>> str(Distribution({"T": "0.9", "F": "0.1"}))
    'F:1/10 T:9/10'
    """

    probabilities: tuple[tuple[str, Fraction], ...]

    def __init__(
        self, probabilities: Mapping[str, Exact] | Iterable[tuple[str, Exact]], *, normalise: bool = False
    ) -> None:
        pairs = list(probabilities.items() if isinstance(probabilities, Mapping) else probabilities)
        distinct(y for y, _ in pairs)
        exact = {y: rational(p) for y, p in sorted(pairs, key=lambda pair: pair[0])}
        total = Fraction(0)
        for y, p in exact.items():
            if p < 0:
                raise InputError(f"found the probability {cut(str(p))} for {quoted(y)}; expected 0 or more")
            total = bounded(total + p, "a sum of probabilities")
        if normalise and total > 0:
            exact = {y: bounded(p / total, f"the probability of {quoted(y)}") for y, p in exact.items()}
        elif total != 1:
            expected = "more than 0" if normalise else "exactly 1 (--normalise divides by the sum)"
            raise InputError(f"found probabilities that sum to {cut(str(total))}; expected {expected}")
        object.__setattr__(self, "probabilities", tuple(exact.items()))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that are given a probability, 0 included."""
        return tuple(y for y, _ in self.probabilities)

    def pairs(self, outputs: tuple[str, ...]) -> Iterator[Pair]:
        """None: a distribution is met or missed by probabilities, not by comparisons."""
        return iter(())

    def as_distribution(self) -> Distribution:
        """Itself."""
        return self

    def __str__(self) -> str:
        return " ".join(f"{quoted(y)}:{p}" for y, p in self.probabilities)


Requirement = Top | Tie | Distribution


def disagreement(first: Requirement, second: Requirement) -> tuple[str, str] | None:
    """What each of two requirements asks where no logits can meet both, or None if some logits do.

    Two sets A and B agree exactly when one contains the other: otherwise some y in A only must beat some z
    in B only, and conversely. Moreover a tie contains no smaller set, whose outputs would beat the rest of
    the tie. Sets that agree two by two form a chain with any tie at its bottom, so the logits "number of
    sets that contain y" meet them all at once. Distributions agree when they are the same; labels and ties
    count as point and uniform ones.

    >>> disagreement(Top(["T"]), Top(["F"]))
    ('T above F', 'F above T')
    """
    if isinstance(first, Distribution) or isinstance(second, Distribution):
        return _different_probabilities(first, second)
    a, b = set(first.outputs), set(second.outputs)
    if a - b and b - a:
        y, z = min(a - b), min(b - a)
        return _above(y, z), _above(z, y)
    if isinstance(first, Tie) and b < a:
        y, z = min(b), min(a - b)
        return _equal(y, z), _above(y, z)
    if isinstance(second, Tie) and a < b:
        y, z = min(a), min(b - a)
        return _above(y, z), _equal(y, z)
    return None


def without_repetition(asked: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """The conjunction of requirements that agree, without those that another one implies word for word.

    A distribution says all that the others beside it say, a tie all that a top set of the same outputs says.

    >>> without_repetition([Top(["T", "F"]), Tie(["T", "F"])])
    (Tie(outputs=('F', 'T')),)
    """
    distinct_ones = tuple(dict.fromkeys(asked))
    given = [pair for each in distinct_ones if isinstance(each, Distribution) for pair in each.probabilities]
    if given:
        return (Distribution(dict(given)),)
    ties = {each.outputs for each in distinct_ones if isinstance(each, Tie)}
    return tuple(each for each in distinct_ones if not (isinstance(each, Top) and each.outputs in ties))


def _different_probabilities(first: Requirement, second: Requirement) -> tuple[str, str] | None:
    one, other = first.as_distribution(), second.as_distribution()
    if one is None or other is None:
        return str(first), str(second)
    p, q = dict(one.probabilities), dict(other.probabilities)
    for y in sorted(p.keys() | q.keys()):
        if p.get(y, 0) != q.get(y, 0):
            return _probability(p.get(y, 0), y), _probability(q.get(y, 0), y)
    return None


def _probability(p: Fraction | int, y: str) -> str:
    return f"probability {cut(str(p))} for {quoted(y)}"


def _above(y: str, z: str) -> str:
    return f"{quoted(y)} above {quoted(z)}"


def _equal(y: str, z: str) -> str:
    return f"{quoted(y)} equal to {quoted(z)}"


def distinct(outputs: Iterable[str]) -> tuple[str, ...]:
    """The outputs sorted, so that equal requirements compare equal; one listed twice is a slip of the pen."""
    found = [check_token(y) for y in outputs]
    if not found:
        raise InputError("found no outputs; expected at least one")
    found.sort()
    for y, z in pairwise(found):
        if y == z:
            raise InputError(f"found the output {quoted(y)} twice; expected each output once")
    return tuple(found)
