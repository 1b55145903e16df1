"""Every context of a domain in floating point, faster than a forward pass by what it does not do twice.

A logit of one layer is a quotient of two sums over sources for each head, and a sum over a sequence is the sum over its
first half and that over its second. So the sums of all half-sequences are looked up once (:mod:`.halves`,
:mod:`.lookup`) and combined by broadcasting: for each context an addition for each output and head, a division, and the
comparison with what is asked. Blocks of contexts fit into the processor's cache; with a C++ compiler at hand (or Triton
on an accelerator) long runs go through a kernel fused by ``torch.compile``.

It is the same real function as the model's forward pass, added up in another order: results may differ by rounding.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import accumulate, product

import numpy as np
import torch
from torch import Tensor

from expressivity.attention.evaluation.blocks import Blocks, Group, Side, fused
from expressivity.attention.evaluation.halves import Halves, Sequences, halves
from expressivity.attention.evaluation.lookup import Lookup
from expressivity.attention.evaluation.three_ways import TIE_ULPS, device_name, device_of
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.errors import InputError
from expressivity.task import Context, Domain, Requirement, Task
from expressivity.task.domain import shown_number

MOST_CONTEXTS = 10**11
COMPILED_FROM = 10**9  # contexts: below, compiling takes longer than it saves
FUSED_FROM = 1 << 18  # contexts of one call: below, its threads wait for each other longer than they work
CPU_BLOCK, DEVICE_BLOCK = 1 << 15, 1 << 24  # contexts at a time; on one core, in its cache


@dataclass(frozen=True)
class Enumeration:
    """What floating point makes of every context.

    Attributes:
        n_contexts: how many were evaluated: all of them.
        contexts_right: how many have all comparisons met, ties up to ``tolerance``.
        least: the least strict margin; ``None`` without strict comparisons.
        context: one that attains it.
        wrong: a context that is not right, or ``None``.
        tolerance: how far from 0 a tie may be: ``TIE_ULPS`` roundings of the largest logit that the weights allow.
        device, dtype: where, and in which numbers.
        compiled: whether a compiled kernel did it.
    """

    n_contexts: int
    contexts_right: int
    least: float | None
    context: Context | None
    wrong: Context | None
    tolerance: float
    device: str
    dtype: str
    compiled: bool


def enumerate_contexts(
    model: AttentionOnlyTransformer,
    task: Task | Domain,
    *,
    device: str | None = None,
    compiled: bool | None = None,
    limit: int = MOST_CONTEXTS,
    progress: Callable[[int], None] | None = None,
) -> Enumeration:
    """Evaluate a one-layer model on every context of a task, in its own precision: float32 or float64.

    Args:
        model: weights whose tokens and outputs cover those of the task.
        task: a domain, or a listed task.
        device: as torch names it; by default the accelerator if there is one, else the CPU.
        compiled: whether to compile a kernel; by default for long runs, where that is possible.
        limit: refuse more contexts than this.
        progress: called with the number of contexts done so far.

    Raises:
        InputError: several layers, another precision, a distribution among the requirements, a token or output that the
            model lacks, too many contexts, or no such device.

    >>> from expressivity.attention import Head, HeadTables, compile_tables
    >>> from expressivity.task import xor
    >>> found = enumerate_contexts(compile_tables(HeadTables("tokens", {((None, "Q"), "T"): 1}), xor()), xor())
    >>> found.n_contexts, found.contexts_right, found.least, str(found.context)
    (4, 2, -1.0, 'A D Q')
    """
    dtype = model.W_E.dtype
    if dtype not in (torch.float32, torch.float64):
        raise InputError(f"the model's numbers are {str(dtype).removeprefix('torch.')}; expected float32 or float64")
    if task.is_soft:
        raise InputError(f"{task.name}: a distribution is asked for, which no comparison of logits settles")
    total = task.n_contexts if isinstance(task, Domain) else len(task.contexts)
    if total > limit:
        raise InputError(f"{task.name}: found {shown_number(total)} contexts; expected at most {shown_number(limit)}")
    place = device_of(device)
    if compiled is None:
        compiled = total >= COMPILED_FROM and can_fuse(place)
    threads = torch.get_num_threads()
    with torch.no_grad(), _at_home(model), _threads(1 if place.type == "cpu" else threads):
        model.to(place)
        cuts = [(Lookup.of(model, cut.end, task.outputs), cut) for cut in halves(task, model.tokens)]
        largest = max(lookup.largest() for lookup, _ in cuts)
        tolerance = TIE_ULPS * torch.finfo(dtype).eps * max(1.0, largest)
        run = _Run(task, model.tokens, tolerance, threads if compiled else 0, progress)
        for lookup, cut in cuts:
            run.cut(lookup, cut)
    if run.done != total:
        raise RuntimeError(f"{task.name}: {run.done} of {total} contexts were evaluated: please report this")
    name = str(dtype).removeprefix("torch.")
    found = (run.least, run.context, run.wrong, tolerance, device_name(place), name, compiled)
    return Enumeration(run.done, run.right, *found)


@contextmanager
def _at_home(model: AttentionOnlyTransformer) -> Iterator[None]:
    """Brings a model back to its device."""
    home = model.W_E.device
    try:
        yield
    finally:
        model.to(home)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """So many threads inside operations: where they meet costs more than blocks of the cache's size take on one."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(number)
        yield
    finally:
        torch.set_num_threads(before)


def can_fuse(device: torch.device) -> bool:
    """Whether ``torch.compile`` finds what it needs: a C++ compiler, or Triton on an accelerator."""
    if device.type == "cpu":
        return any(shutil.which(name) for name in ("g++", "clang++", "c++"))
    return find_spec("triton") is not None


class _Run:
    """Counts what is right, and keeps the least margin."""

    def __init__(
        self,
        task: Task | Domain,
        tokens: Sequence[str],
        tolerance: float,
        fused_threads: int,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.task, self.tokens, self.tolerance = task, tokens, tolerance
        self.fused_threads, self.progress = fused_threads, progress
        self.blocks = Blocks()
        self.done = self.right = 0
        self.least: float | None = None
        self.context: Context | None = None
        self.wrong: Context | None = None

    def cut(self, lookup: Lookup, cut: Halves) -> None:
        """All contexts with one destination place, one requirement after the other."""
        by_asked: dict[tuple[Requirement, ...], list[tuple[int, int]]] = {}
        for pair, asked in cut.asked.items():
            by_asked.setdefault(asked, []).append(pair)
        for asked, pairs in by_asked.items():
            groups = [Group.of(requirement, self.task.outputs) for requirement in asked]
            sides = []
            for k, classes in enumerate((cut.left, cut.right)):
                used = {n: classes[n] for n in dict.fromkeys(pair[k] for pair in pairs)}
                sides.append(_sides(lookup, used, k * cut.left[0].shape[1], groups, end=k == 0))
            for i, j in pairs:
                named = (cut.left[i], cut.right[j], cut.end[1])
                self.pair(_Pair(sides[0][i], sides[1][j], groups, lookup.is_wide, named))
                if self.progress is not None:
                    self.progress(self.done)

    def pair(self, pair: _Pair) -> None:
        """All contexts made of a left and a right class."""
        rows, columns = len(pair.left[0]), len(pair.right[0])
        if self.fused_threads and pair.is_plain and rows * columns >= FUSED_FROM and min(rows, columns) > 1:
            with _threads(self.fused_threads):
                least, right = fused()(pair.left[0].sums, pair.right[0].sums)
            self.right += int(right.sum())
            self.done += rows * columns
            low, row = least.min(0)
            if self.least is None or not float(low) >= self.least:
                self.block(pair, (int(row), 1), (0, columns), counts=False)
            if self.wrong is None and int(right.min()) < columns:
                self.block(pair, (int(right.argmin()), 1), (0, columns), counts=False)
            return
        size = CPU_BLOCK if pair.left[0].sums.device.type == "cpu" else DEVICE_BLOCK
        across = min(columns, size)
        down = max(1, size // across)
        for i, j in product(range(0, rows, down), range(0, columns, across)):
            self.block(pair, (i, min(down, rows - i)), (j, min(across, columns - j)))

    def block(self, pair: _Pair, rows: tuple[int, int], columns: tuple[int, int], counts: bool = True) -> None:
        """Some rows and columns of a pair, each given by a start and a size."""
        size = rows[1] * columns[1]
        is_right: Tensor | None = None
        for left, right, group in zip(pair.left, pair.right, pair.groups, strict=True):
            margin, spread = self.blocks(left.part(*rows), right.part(*columns), group, pair.is_wide)
            found = [] if margin is None else [margin > 0]
            found += [] if spread is None else [spread <= self.tolerance]
            for each in found:
                is_right = each if is_right is None else is_right & each
            if margin is not None:
                least = float(margin.min())
                if self.least is None or not least >= self.least:
                    where = int(margin.argmin() if least == least else margin.isnan().int().argmax())
                    self.least, self.context = least, pair.context(rows[0], columns[0], columns[1], where, self.tokens)
        right_ones = size if is_right is None else int(is_right.count_nonzero())
        if is_right is not None and right_ones < size and self.wrong is None:
            where = int(is_right.int().argmin())
            self.wrong = pair.context(rows[0], columns[0], columns[1], where, self.tokens)
        if counts:
            self.right += right_ones
            self.done += size


@dataclass(frozen=True)
class _Pair:
    """A left and a right class, for each group of outputs that is asked to be on top."""

    left: list[Side]
    right: list[Side]
    groups: list[Group]
    is_wide: bool
    named: tuple[Sequences, Sequences, str]

    @property
    def is_plain(self) -> bool:
        """Whether the fused kernel can do it: odds in one unit, and a label."""
        return not self.is_wide and len(self.groups) == self.groups[0].listed == 1 and self.groups[0].is_strict

    def context(self, row: int, column: int, columns: int, index: int, tokens: Sequence[str]) -> Context:
        """The context at an index of a block that starts at a row and a column."""
        left, right, end = self.named
        i, j = row + index // columns, column + index % columns
        return Context([*(tokens[n] for n in (*left[i], *right[j])), end])


def _sides(
    lookup: Lookup, classes: dict[int, Sequences], start: int, groups: Sequence[Group], end: bool
) -> dict[int, list[Side]]:
    """The sums of each class, for each group; looked up all at once."""
    every = np.concatenate(list(classes.values()))
    sums = [Side(*lookup.sums(every, start, group.order, end)) for group in groups]
    first = accumulate(map(len, classes.values()), initial=0)
    return {n: [side.part(at, len(classes[n])) for side in sums] for n, at in zip(classes, first, strict=False)}
