"""What a construction is proved to do beyond the contexts that its task lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expressivity.attention import Interval
    from expressivity.task import Context


@dataclass(frozen=True)
class Proof:
    """A margin proved for a whole family of contexts, too many to be listed.

    Attributes:
        claim: what is proved, one sentence.
        contexts: of how many contexts.
        cases: in how many cases these were bounded, each with an argument of its own.
        least: contains the least margin of all these contexts: the lower end is proved for every one of them, and
            ``witness`` has a margin of at most the upper end.
        where: the case whose bound is the lower end.
        witness: a context that comes near it.
    """

    claim: str
    contexts: int
    cases: int
    least: Interval
    where: str
    witness: Context
