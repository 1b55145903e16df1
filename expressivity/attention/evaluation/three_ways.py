"""A model evaluated three ways on every context of a task: exact, enclosed, and in floating point.

*Exact*: rational odds in ``Fraction`` (:mod:`.margins.exact`). *Enclosed*: real scores in balls
(:mod:`.margins.enclosed`). *Floating*: the compiled weights in torch, on the accelerator if there is one. The first
two are proofs about real numbers, the last is what a user's machine computes; :class:`Agreement` puts them
side by side.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite
from typing import TYPE_CHECKING

from expressivity.attention.layered import LayeredTables, layered_enclosed_margins, layered_exact_margins
from expressivity.attention.margins import Interval, Orbits, enclosed_margins, exact_margins
from expressivity.attention.tables import HeadTables
from expressivity.errors import InputError

if TYPE_CHECKING:
    import torch

    from expressivity.attention.models.transformer import AttentionOnlyTransformer
    from expressivity.task import Comparison, Task

BATCH_NUMBERS = 1 << 24
TIE_ULPS = 1024


@dataclass(frozen=True)
class FloatRun:
    """The margins that the weights gave in floating point, and where they ran.

    Attributes:
        margins: one for each of ``task.comparisons()``.
        contexts: how many contexts were run: all of a task's, one of each orbit.
        contexts_right: how many of these have all their comparisons met; a tie is met up to ``tolerance``.
        tolerance: how far from 0 a tie may be and still count: ``TIE_ULPS`` roundings of the largest logit.
        device: for example ``cpu`` or ``cuda (NAME)``.
        dtype: for example ``float32``.
    """

    margins: tuple[float, ...]
    contexts: int
    contexts_right: int
    tolerance: float
    device: str
    dtype: str


@dataclass(frozen=True)
class Agreement:
    """Three evaluations of the same tables, comparison by comparison.

    Attributes:
        comparisons: what was compared, in the order of ``task.comparisons()``.
        numbers: how many contexts each one that a comparison points to stands for.
        exact: the margins as fractions, or ``None`` if some score is real.
        enclosed: proved enclosures of the margins.
        floating: the run of the compiled weights.
    """

    comparisons: tuple[Comparison, ...]
    numbers: tuple[int, ...]
    exact: tuple[Fraction, ...] | None
    enclosed: tuple[Interval, ...]
    floating: FloatRun

    @property
    def contexts(self) -> int:
        """How many contexts are spoken of."""
        return sum(self.numbers)

    @property
    def smallest_exact(self) -> Fraction | None:
        """The least strict margin; ``None`` without exact margins or strict comparisons."""
        if self.exact is None:
            return None
        return min((m for c, m in zip(self.comparisons, self.exact, strict=True) if not c.equal), default=None)

    @property
    def smallest_enclosed(self) -> Interval | None:
        """The enclosure of a strict margin with the least lower end."""
        strict = (m for c, m in zip(self.comparisons, self.enclosed, strict=True) if not c.equal)
        return min(strict, key=lambda interval: interval.lower, default=None)

    @property
    def smallest_float(self) -> float | None:
        """The least strict margin in floating point."""
        strict = (m for c, m in zip(self.comparisons, self.floating.margins, strict=True) if not c.equal)
        return min(strict, default=None)

    @property
    def largest_difference(self) -> float:
        """The largest distance from a floating margin to any point of its enclosure; infinite if one overflowed."""
        if not all(map(isfinite, self.floating.margins)):
            return inf
        pairs = zip(self.floating.margins, self.enclosed, strict=True)
        ends = (max(abs(Fraction(m) - i.lower), abs(Fraction(m) - i.upper)) for m, i in pairs)
        return float(max(ends, default=Fraction(0)))

    @property
    def contexts_right(self) -> int:
        """How many contexts the real numbers get right: all margins proved positive, all ties proved."""
        pairs = zip(self.comparisons, self.enclosed, strict=True)
        wrong = {c.context for c, i in pairs if i.sign != (0 if c.equal else 1)}
        return self.contexts - sum(self.numbers[index] for index in wrong)

    @property
    def contexts_right_in_float(self) -> int:
        """How many contexts the floating run gets right, of those that were run."""
        return self.floating.contexts_right

    @property
    def undecided(self) -> int:
        """How many margins no precision up to the limit could sign."""
        return sum(interval.sign is None for interval in self.enclosed)


def agreement(
    tables: HeadTables | LayeredTables, task: Task | Orbits, model: AttentionOnlyTransformer, device: str | None = None
) -> Agreement:
    """Evaluate the tables exactly (if they are exact) and enclosed, and the model compiled from them in floats.

    Of orbits one context each is evaluated, for tables of one layer.

    Raises:
        InputError: the model has not the task's tokens or outputs.
        RuntimeError: an exact margin lies outside its enclosure, which is a defect of this program.
    """
    if isinstance(tables, LayeredTables):
        if isinstance(task, Orbits):
            raise InputError("contexts were gathered for tables of one layer; several layers need a listed task")
        exact = layered_exact_margins(tables, task) if tables.is_exact else None
        enclosed = layered_enclosed_margins(tables, task)
    else:
        exact = exact_margins(tables, task) if tables.is_exact else None
        enclosed = enclosed_margins(tables, task)
    if exact is not None and not all(m in i for m, i in zip(exact, enclosed, strict=True)):
        raise RuntimeError("exact and enclosed margins contradict each other: please report this as a defect")
    run = float_margins(model, task, device)
    numbers = tuple(o.n_contexts for o in task.orbits) if isinstance(task, Orbits) else (1,) * len(task.contexts)
    return Agreement(tuple(task.comparisons()), numbers, exact, enclosed, run)


def float_margins(model: AttentionOnlyTransformer, task: Task | Orbits, device: str | None = None) -> FloatRun:
    """Run the weights on every context of the task, or one of each orbit, in the model's own precision.

    Args:
        model: weights whose ``tokens`` and ``outputs`` cover those of the task.
        task: the contexts and comparisons.
        device: as torch names it; by default the accelerator if there is one, else the CPU.

    Raises:
        InputError: the model lacks a token, an output or a position that the task has, or there is no such device.
    """
    import torch

    place = device_of(device)
    lacking = sorted(set(task.outputs) - set(model.outputs))
    if lacking:
        raise InputError(f"the model has no output {lacking[0]!r}; it has {', '.join(model.outputs)}")
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, context in enumerate(task.contexts):
        by_length[len(context)].append(index)
    logits: dict[int, list[float]] = {}
    home = model.W_E.device
    model.to(place)
    with torch.no_grad():
        for length, indices in by_length.items():
            size = max(1, BATCH_NUMBERS // (length * (model.d_model + length * model.n_heads)))
            for start in range(0, len(indices), size):
                batch = indices[start : start + size]
                last = model(model.encode([task.contexts[i] for i in batch]).to(place))[:, -1]
                logits.update(zip(batch, last.double().cpu().tolist(), strict=True))
    column = {output: model.outputs.index(output) for output in task.outputs}
    model.to(home)
    largest = max((abs(value) for row in logits.values() for value in row), default=1.0)
    tolerance = TIE_ULPS * torch.finfo(model.W_E.dtype).eps * max(1.0, largest)
    found, wrong = [], set()
    for c in task.comparisons():
        found.append(logits[c.context][column[c.above]] - logits[c.context][column[c.below]])
        if not (abs(found[-1]) <= tolerance if c.equal else found[-1] > 0):
            wrong.add(c.context)
    dtype = str(model.W_E.dtype).removeprefix("torch.")
    right = len(task.contexts) - len(wrong)
    return FloatRun(tuple(found), len(task.contexts), right, tolerance, device_name(place), dtype)


def device_of(name: str | None) -> torch.device:
    """The device of that name, or the accelerator if there is one, else the CPU.

    Raises:
        InputError: there is no such device.
    """
    import torch

    try:
        place = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=place)
    except (AssertionError, RuntimeError) as error:
        raise InputError(f"device {name!r}: {str(error).splitlines()[0]}") from None
    return place


def device_name(device: torch.device) -> str:
    """The device for people."""
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
