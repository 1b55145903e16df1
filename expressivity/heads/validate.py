"""A construction validated on its whole task: what ``build`` prints, as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from expressivity.attention import (
    Agreement,
    ExactWeights,
    FloatRun,
    HeadTables,
    Interval,
    LayeredTables,
    LayeredWeights,
    agreement,
    describe_layered_margin,
    describe_margin,
    exact_margins,
    float_margins,
    layered_exact_margins,
    rational_for,
)
from expressivity.attention.floats import FloatSafety, float_errors, float_safety
from expressivity.attention.margins import Orbits, least_margin, orbits_of
from expressivity.dsl import Construction, Proof
from expressivity.errors import InputError
from expressivity.task import Domain, Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from expressivity.attention import AttentionOnlyTransformer
    from expressivity.attention.evaluation.enumeration import Enumeration
    from expressivity.task import Comparison, Context

DTYPES = ("float64", "float32", "bfloat16")
MOST_ENUMERATED = 10_000_000
"""Contexts of a domain that are all run in floating point without being asked twice."""


@dataclass(frozen=True)
class ContextMargins:
    """One context: its least margin of the strict comparisons, three times, and whether its ties hold.

    Attributes:
        context: the tokens.
        n_contexts: how many contexts have the same logits, this one among them, where it stands for all of them.
        exact: by the rational tables; ``None`` without such tables or without strict comparisons.
        enclosed: by the tables as written.
        floating: by the weights as run.
        right: whether every comparison of the context is proved for the tables as written.
    """

    context: Context
    n_contexts: int
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
        orbits: the contexts gathered by their logits (:mod:`.margins.orbits`); ``None`` where that was
            not done: for several layers, and for long lists in which hardly two contexts have the same.
        margins: each context's, or for a domain each orbit's.
        least: the least enclosed margin for people, such as ``1 − 3.406e-4343``; empty without strict
            comparisons.
        least_context: a context that has it.
        agreement: the three evaluations, comparison by comparison, with the device.
        floats: forward passes in float64, float32 and bfloat16: of all listed contexts, of one in each orbit of a
            domain.
        enumerations: every context of a domain in float64 and float32, if they were not too many.
        safety: by what factor rounding is proved not to change a decision, in each format: margins over bounds on
            errors, for all contexts.
        proof: what the construction is proved to do beyond its task, if it says so.
    """

    name: str
    description: str
    task: Task | Domain
    tables: HeadTables | LayeredTables
    rational: HeadTables | LayeredTables | None
    rational_reason: str
    weights: ExactWeights | LayeredWeights
    model: AttentionOnlyTransformer
    orbits: Orbits | None
    margins: tuple[ContextMargins, ...]
    least: str
    least_context: Context | None
    agreement: Agreement
    floats: tuple[FloatRun, ...]
    enumerations: tuple[Enumeration, ...]
    safety: tuple[FloatSafety, ...]
    proof: Proof | None

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """A figure of its tables, in ``ax`` or a new figure: :func:`~expressivity.attention.plot_tables`."""
        return self.tables.plot(ax=ax)

    @property
    def embedding(self) -> str:
        """The convention of the tables."""
        return self.tables.embedding

    @property
    def n_contexts(self) -> int:
        """How many contexts the verdict is about: all of the task's."""
        return self.task.n_contexts if isinstance(self.task, Domain) else len(self.task.contexts)

    @property
    def n_heads(self) -> int:
        """How many heads the construction has."""
        return len(self.tables.heads)

    @property
    def n_layers(self) -> int:
        """How many layers these are in."""
        return self.tables.n_layers if isinstance(self.tables, LayeredTables) else 1

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

    @property
    def smallest_exact_context(self) -> Context | None:
        """A context that attains it."""
        least = self.smallest_exact
        return next((entry.context for entry in self.margins if least is not None and entry.exact == least), None)


def build_report(
    construction: Construction,
    *,
    d_head: int | None = None,
    device: str | None = None,
    enumerated: int = MOST_ENUMERATED,
    progress: Callable[[str], None] | None = None,
) -> BuildReport:
    """Compile a construction, evaluate it exactly, enclosed and in floating point on every context, and put it
    together.

    Args:
        construction: checked here; see :meth:`Construction.problems`.
        d_head: a width to compile to; by default the least.
        device: for the floating runs; by default the accelerator if there is one.
        enumerated: the most contexts of a domain that are all run in floating point.
        progress: told what is at hand.

    Raises:
        InputError: the construction contradicts itself or its task, needs a larger ``d_head``, or tells too many
            contexts of a domain apart.
    """
    told = progress or (lambda _: None)
    task = construction.task
    tables = construction.layered() if construction.is_layered else construction.tables()
    told(f"{construction.name}: weights")
    weights = construction.layered_weights(d_head) if construction.is_layered else construction.weights(d_head)
    model = weights.to_model()
    orbits = _orbits(construction.name, tables, task)
    judged = task if isinstance(task, Task) else orbits
    if judged is None:
        raise InputError(f"construction {construction.name!r} has several layers; expected a listed task, not a domain")
    told(f"{construction.name}: margins of {len(judged.contexts)} contexts")
    three = agreement(tables, judged, model, device)
    rational, exact, reason = _rational(tables, task, judged)
    least = _least(tables, judged, three)
    found = None if least is None else three.comparisons[least]
    told(f"{construction.name}: floating point")
    return BuildReport(
        name=construction.name,
        description=construction.description,
        task=task,
        tables=tables,
        rational=rational,
        rational_reason=reason,
        weights=weights,
        model=model,
        orbits=orbits,
        margins=tuple(_context_margins(judged, three, exact)),
        least="" if found is None else _described(tables, judged, found),
        least_context=None if found is None else judged.contexts[found.context],
        agreement=three,
        floats=_floats(weights, judged, three.floating, device),
        enumerations=_enumerations(weights, task, enumerated, device),
        safety=float_safety(float_errors(weights, judged, task), three.enclosed),
        proof=construction.proof(),
    )


def _orbits(name: str, tables: HeadTables | LayeredTables, task: Task | Domain) -> Orbits | None:
    if isinstance(tables, LayeredTables):
        return None
    try:
        return orbits_of(tables, task)
    except InputError as error:
        if isinstance(task, Task):
            return None
        raise InputError(f"construction {name!r}: {error}") from None


def _rational(
    tables: HeadTables | LayeredTables, task: Task | Domain, judged: Task | Orbits
) -> tuple[HeadTables | LayeredTables | None, Sequence[Fraction] | None, str]:
    """Rational tables that decide the task, and their margins; or why there are none."""
    if isinstance(tables, LayeredTables):
        if isinstance(judged, Orbits) or not tables.is_exact:
            return None, None, "scores that read what a softmax wrote are real numbers"
        return tables, layered_exact_margins(tables, judged), ""
    try:
        rational = rational_for(tables, task)
    except InputError as error:
        return None, None, str(error)
    return rational, exact_margins(rational, judged), ""


def _least(tables: HeadTables | LayeredTables, judged: Task | Orbits, three: Agreement) -> int | None:
    """Which strict comparison has the least margin of the tables as written."""
    if isinstance(tables, HeadTables):
        return least_margin(tables, judged, three.enclosed)
    strict = (i for i, comparison in enumerate(three.comparisons) if not comparison.equal)
    return min(strict, key=lambda i: three.enclosed[i].lower, default=None)


def _described(tables: HeadTables | LayeredTables, judged: Task | Orbits, comparison: Comparison) -> str:
    if isinstance(tables, HeadTables):
        return describe_margin(tables, judged, comparison)
    return "" if isinstance(judged, Orbits) else describe_layered_margin(tables, judged, comparison)


def _floats(
    weights: ExactWeights | LayeredWeights, judged: Task | Orbits, single: FloatRun, device: str | None
) -> tuple[FloatRun, ...]:
    import torch

    runs = []
    for name in DTYPES:
        run = single
        if name != single.dtype:
            run = float_margins(weights.to_model(dtype=getattr(torch, name)), judged, device)
        runs.append(run)
    return tuple(runs)


def _enumerations(
    weights: ExactWeights | LayeredWeights, task: Task | Domain, most: int, device: str | None
) -> tuple[Enumeration, ...]:
    if not isinstance(task, Domain) or task.n_contexts > most or task.is_soft or isinstance(weights, LayeredWeights):
        return ()
    import torch

    from expressivity.attention.evaluation.enumeration import enumerate_contexts

    types = (torch.float64, torch.float32)
    return tuple(enumerate_contexts(weights.to_model(dtype=dtype), task, device=device) for dtype in types)


def _context_margins(judged: Task | Orbits, three: Agreement, exact: Sequence[Fraction] | None) -> list[ContextMargins]:
    indices: list[list[int]] = [[] for _ in judged.contexts]
    for index, comparison in enumerate(three.comparisons):
        indices[comparison.context].append(index)
    result = []
    for context, number, mine in zip(judged.contexts, three.numbers, indices, strict=True):
        strict = [index for index in mine if not three.comparisons[index].equal]
        right = all(three.enclosed[i].sign == (0 if three.comparisons[i].equal else 1) for i in mine)
        result.append(
            ContextMargins(
                context,
                number,
                min((exact[i] for i in strict), default=None) if exact is not None else None,
                min((three.enclosed[i] for i in strict), key=lambda interval: interval.lower, default=None),
                min((three.floating.margins[i] for i in strict), default=None),
                right,
            )
        )
    return result
