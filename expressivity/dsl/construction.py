"""A construction: a task and the heads that are claimed to do it, as a paper's table states them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from expressivity.attention import ExactWeights, HeadTables, exact_weights
from expressivity.dsl.making import make_tables
from expressivity.dsl.reading import HeadText, Key, Number
from expressivity.errors import InputError
from expressivity.task import Task

if TYPE_CHECKING:
    import torch

    from expressivity.attention import AttentionOnlyTransformer, Embedding

Weights = Mapping[Any, Any]
"""Sources to numbers; or destinations to such tables, where these differ."""


class ConstructionError(InputError):
    """A construction contradicts itself or its task.

    Attributes:
        reasons: everything that is wrong, one sentence each.
    """

    def __init__(self, name: str, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        if len(self.reasons) == 1:
            text = self.reasons[0]
        else:
            numbered = "; ".join(f"({i}) {reason}" for i, reason in enumerate(self.reasons, start=1))
            text = f"{len(self.reasons)} problems: {numbered}"
        super().__init__(f"construction {name!r}: {text}")


@dataclass(frozen=True)
class Construction:
    """Heads and a direct path for a task. Immutable: :meth:`head` and :meth:`direct` return a larger one.

    A place is named by its token ``"A"``, its position ``0`` (from 0; the destination's is the number of
    sources) or both, ``(0, "A")``. Every key that fits a place counts: scores and writes add up, odds
    multiply, as ``W_E + W_pos`` makes them do. Numbers are read exactly: whole numbers, fractions, decimals
    and fractions as text (``"0.1"``, ``"1/3"``); a float stands for the shortest decimal that Python prints
    for it, so 0.1 is 1/10.

    Nothing is checked until the tables are asked for; then *everything* that is wrong is reported at once.

    Args:
        name: what reports call it.
        task: the task that it is to do; tokens, positions and outputs are those of the task.
        embedding: ``joint``, ``additive`` or ``tokens``. By default the narrowest in which the keys can be
            read: ``tokens`` when none names a position, ``additive`` when some do, ``joint`` when some name
            both.
        description: one line.

    >>> from expressivity.task import xor
    >>> two_head_xor = (
    ...     Construction("two_head_xor", task=xor())
    ...     .head("first is A", at="Q", scores={"A": -9, "B": 9, "Q": -9}, writes={"C": "T", "D": "F"})
    ...     .head("first is B", at="Q", scores={"A": 9, "B": -9, "Q": -9}, writes={"C": "F", "D": "T"})
    ... )
    >>> two_head_xor.tables().embedding, two_head_xor.weights().d_head
    ('tokens', 1)
    """

    name: str
    task: Task = field(kw_only=True)
    embedding: Embedding | None = field(default=None, kw_only=True)
    description: str = field(default="", kw_only=True)
    heads: tuple[HeadText, ...] = field(default=(), kw_only=True, repr=False)
    paths: tuple[Weights, ...] = field(default=(), kw_only=True, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.task, Task):
            raise InputError(f"construction {self.name!r}: the task is {self.task!r}; expected a Task")

    def head(
        self,
        name: str,
        *,
        at: Key | Iterable[Key] | None = None,
        scores: Weights | None = None,
        odds: Weights | None = None,
        base: Number = "e",
        writes: Weights | None = None,
    ) -> Construction:
        """Add a head.

        Args:
            name: for people; heads of one construction have different names.
            at: the destinations that the scores or odds hold for, several in a list; all of them if left out.
                From any other destination the head attends uniformly.
            scores: source to number, 0 for sources that are not named: attention is ``base ** score``.
                Without ``at`` also destination to such a table.
            odds: source to positive number, 1 for sources that are not named: exact attention, in place of
                scores.
            base: of the scores; ``"e"``, or a positive number, for which scores are whole.
            writes: source to output (which adds 1 to that output's logit) or to ``{output: number}``.
        """
        text = HeadText(name, at, scores, odds, base, writes or {})
        return replace(self, heads=(*self.heads, text))

    def direct(self, writes: Weights) -> Construction:
        """Add to the direct path: destination to output (which adds 1 to its logit) or to ``{output:
        number}``.
        """
        return replace(self, paths=(*self.paths, writes))

    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong with it, one sentence each; nothing if the tables can be made."""
        return self._read[1]

    def tables(self) -> HeadTables:
        """The exact tables.

        Raises:
            ConstructionError: with all the reasons.
        """
        tables, problems = self._read
        if problems or tables is None:
            raise ConstructionError(str(self.name), problems)
        return tables

    def weights(self, d_head: int | None = None) -> ExactWeights:
        """The exact weights, of the least width or the given one.

        Raises:
            InputError: the tables cannot be made, or need a larger ``d_head``.
        """
        return exact_weights(self.tables(), self.task, d_head)

    def to_model(self, d_head: int | None = None, dtype: torch.dtype | None = None) -> AttentionOnlyTransformer:
        """Real weights, float32 if nothing else is asked.

        Raises:
            InputError: as :meth:`weights`, or a number is too large for the type.
        """
        return self.weights(d_head).to_model(dtype)

    @cached_property
    def _read(self) -> tuple[HeadTables | None, tuple[str, ...]]:
        return make_tables(self.task, self.embedding, self.heads, self.paths)
