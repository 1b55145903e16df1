"""A construction validated on its whole task: what ``build`` prints, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from expressivity.attention import (
    Agreement,
    ExactWeights,
    HeadTables,
    Interval,
    agreement,
    describe_margin,
    exact_margins,
    rational_for,
)
from expressivity.dsl import Construction
from expressivity.errors import InputError

if TYPE_CHECKING:
    from expressivity.attention import AttentionOnlyTransformer
    from expressivity.task import Context, Task


@dataclass(frozen=True)
class ContextMargins:
    """One context: its least margin of the strict comparisons, three times, and whether its ties hold.

    Attributes:
        context: the tokens.
        exact: by the rational tables; ``None`` without such tables or without strict comparisons.
        enclosed: by the tables as written.
        floating: by the weights as run.
        right: whether every comparison of the context is proved for the tables as written.
    """

    context: Context
    exact: Fraction | None
    enclosed: Interval | None
    floating: float | None
    right: bool


@dataclass(frozen=True)
class BuildReport:
    """A construction compiled to weights and evaluated on every context of its task.

    Attributes:
        name, description: of the construction.
        task: what it is to do.
        tables: as written.
        rational: exact tables that decide the task: the tables themselves when their odds are rational,
            else their replacement (:func:`~expressivity.attention.rational_for`); ``None`` if none were
            found.
        rational_reason: why ``rational`` is ``None``; else empty.
        weights: the exact weights, of the least width or the one asked for.
        model: the weights rounded to float32.
        margins: each context's.
        least: the least enclosed margin for people, such as ``1 − 3.406e-4343``; empty without strict
            comparisons.
        agreement: the three evaluations, comparison by comparison, with the device.
    """

    name: str
    description: str
    task: Task
    tables: HeadTables
    rational: HeadTables | None
    rational_reason: str
    weights: ExactWeights
    model: AttentionOnlyTransformer
    margins: tuple[ContextMargins, ...]
    least: str
    agreement: Agreement

    @property
    def embedding(self) -> str:
        """The convention of the tables."""
        return self.tables.embedding

    @property
    def n_contexts(self) -> int:
        """How many contexts were evaluated: all of the task's."""
        return len(self.task.contexts)

    @property
    def n_heads(self) -> int:
        """How many heads the construction has."""
        return len(self.tables.heads)

    @property
    def d_head(self) -> int:
        """The width of the compiled heads."""
        return self.weights.d_head

    @property
    def decides(self) -> bool:
        """Whether the tables as written are proved to meet every comparison."""
        return self.agreement.contexts_right == self.n_contexts

    @property
    def smallest_exact(self) -> Fraction | None:
        """The least exact margin over all contexts."""
        return min((entry.exact for entry in self.margins if entry.exact is not None), default=None)


def build_report(construction: Construction, *, d_head: int | None = None, device: str | None = None) -> BuildReport:
    """Compile a construction, evaluate it exactly, enclosed and in float32 on every context, and put it
    together.

    Args:
        construction: checked here; see :meth:`Construction.problems`.
        d_head: a width to compile to; by default the least.
        device: for the floating run; by default the accelerator if there is one.

    Raises:
        InputError: the construction contradicts itself or its task, or needs a larger ``d_head``.
    """
    task, tables = construction.task, construction.tables()
    weights = construction.weights(d_head)
    model = weights.to_model()
    three = agreement(tables, task, model, device)
    rational, reason = None, ""
    try:
        rational = rational_for(tables, task)
    except InputError as error:
        reason = str(error)
    exact = None if rational is None else exact_margins(rational, task)
    margins = tuple(_context_margins(task, three, exact))
    return BuildReport(
        construction.name,
        construction.description,
        task,
        tables,
        rational,
        reason,
        weights,
        model,
        margins,
        _least(tables, task, three),
        three,
    )


def _context_margins(task: Task, three: Agreement, exact: Sequence[Fraction] | None) -> list[ContextMargins]:
    indices: list[list[int]] = [[] for _ in task.contexts]
    for index, comparison in enumerate(three.comparisons):
        indices[comparison.context].append(index)
    result = []
    for context, mine in zip(task.contexts, indices, strict=True):
        strict = [index for index in mine if not three.comparisons[index].equal]
        right = all(three.enclosed[i].sign == (0 if three.comparisons[i].equal else 1) for i in mine)
        result.append(
            ContextMargins(
                context,
                min((exact[i] for i in strict), default=None) if exact is not None else None,
                min((three.enclosed[i] for i in strict), key=lambda interval: interval.lower, default=None),
                min((three.floating.margins[i] for i in strict), default=None),
                right,
            )
        )
    return result


def _least(tables: HeadTables, task: Task, three: Agreement) -> str:
    strict = [i for i, comparison in enumerate(three.comparisons) if not comparison.equal]
    if not strict:
        return ""
    return describe_margin(tables, task, three.comparisons[min(strict, key=lambda i: three.enclosed[i].lower)])
