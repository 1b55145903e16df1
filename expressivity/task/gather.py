"""Contexts and requirements as they come in, made into a consistent whole.

Every way into a task (text, JSON Lines, Python) ends here, so that every task obeys the same rules:
contexts are distinct, the requirements of a repeated context hold together, its weights add, and nothing
contradicts itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from expressivity.errors import InputError
from expressivity.task.context import Context
from expressivity.task.rationals import bounded
from expressivity.task.requirement import Distribution, Requirement, Tie, disagreement, without_repetition
from expressivity.task.tokens import cut

Requirements = tuple[Requirement, ...]
"""A conjunction: all of them hold."""

Entry = tuple[Context, Requirements, Fraction]
"""One context, what is asked of it, and its weight."""

ONE = Fraction(1)


class Parts(NamedTuple):
    """What a task is made of."""

    contexts: tuple[Context, ...]
    requirements: tuple[Requirements, ...]
    weights: tuple[Fraction, ...]
    outputs: tuple[str, ...]


def mentioned(requirements: Iterable[Requirements]) -> set[str]:
    """The outputs that occur in some requirement."""
    # Contexts that ask the same share a tuple: this visits each of them once, without hashing a million.
    distinct_ones = {id(asked): asked for asked in requirements}.values()
    return {y for asked in distinct_ones for each in asked for y in each.outputs}


class Gatherer:
    """Takes contexts one at a time and keeps them small: a million contexts fit in a few hundred megabytes.

    Args:
        source: what messages call the whole, for example the file's name.
        unit: what they call one piece of it, for example "line".
    """

    def __init__(self, source: str, unit: str) -> None:
        self._source = source
        self._unit = unit
        self._index: dict[Context, int] = {}
        self._requirements: list[Requirements] = []
        self._weights: list[Fraction] = []
        # Where each context came first, in machine integers, and for the few that were asked several
        # things, where each of those came first: contradictions name both places.
        self._places = array("Q")
        self._asked: dict[int, dict[Requirement, int]] = {}

    def add(self, context: Context, requirements: Requirements, weight: Fraction, place: int) -> None:
        """Takes one piece. Pieces that ask the same should share the tuple `requirements`."""
        index = self._index.setdefault(context, len(self._requirements))
        if index == len(self._requirements):
            self._requirements.append(requirements)
            self._weights.append(weight)
            self._places.append(place)
            if len(requirements) > 1:
                self._asked[index] = dict.fromkeys(requirements, place)
            return
        self._weights[index] = bounded(self._weights[index] + weight, "a sum of weights")
        if requirements is not self._requirements[index]:
            first = dict.fromkeys(self._requirements[index], self._places[index])
            asked = self._asked.setdefault(index, first)
            for requirement in requirements:
                asked.setdefault(requirement, place)

    def finish(self, outputs: Iterable[str] = ()) -> Parts:
        """The whole, checked; `outputs` are declared beside those that the requirements mention.

        Raises:
            InputError: nothing was added, or two requirements contradict each other.
        """
        if not self._index:
            raise InputError(f"{self._source}: found no contexts; expected at least one, such as A C Q -> T")
        contexts = tuple(self._index)
        for index, asked in sorted(self._asked.items()):
            self._check(contexts[index], asked)
            self._requirements[index] = without_repetition(asked)
        every = mentioned(self._requirements).union(outputs)
        return Parts(contexts, tuple(self._requirements), tuple(self._weights), tuple(sorted(every)))

    def _check(self, context: Context, asked: dict[Requirement, int]) -> None:
        """Refuses requirements that disagree.

        Sets that agree form a chain with any tie at its bottom, so neighbours by size are all that need
        comparing. A distribution agrees with nothing but itself, so beside one everything is compared with
        it.
        """
        by_size = sorted(asked, key=lambda each: (len(each.outputs), not isinstance(each, Tie)))
        given = next((each for each in asked if isinstance(each, Distribution)), None)
        for pair in pairwise(by_size) if given is None else ((given, each) for each in asked):
            first, second = sorted(pair, key=asked.__getitem__)
            found = disagreement(first, second)
            if found is not None:
                raise self._contradiction(cut(str(context)), asked[first], asked[second], found)

    def _contradiction(self, context: str, here: int, there: int, found: tuple[str, str]) -> InputError:
        start = f"{self._source}, {self._unit} {there}: contradicts "
        if here == there:
            return InputError(f"{start}itself on {context}: asks for {found[0]} and for {found[1]}")
        return InputError(
            f"{start}{self._unit} {here} on {context}: "
            f"{self._unit} {here} asks for {found[0]}, {self._unit} {there} for {found[1]}"
        )
