"""A whole census: cut into shards, run wherever there are processes, kept part by part, taken up again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from expressivity.archive import write_archive
from expressivity.census import certificates as boolean
from expressivity.census import labelings, labelled_shard
from expressivity.census.backends import backend
from expressivity.census.classes import MOST_CLASSIFIED, classes
from expressivity.census.functions import Array, check_inputs
from expressivity.census.heads import RESTARTS
from expressivity.census.labelings import Shape
from expressivity.census.shard import Columns, shard
from expressivity.census.store import ARCHIVE, Plan, Store, rows
from expressivity.errors import InputError

SIZE = 2048  # functions in a part: about five seconds of work for five inputs
LABELLED_SIZE = 64  # of functions to labels, which take longer
_FRESH = 1_000_000  # between the seeds of a search and those of a further one
_GROUP = 4  # parts for each process between two deliveries, where a backend delivers lists


@dataclass(frozen=True)
class Census:
    """What a census found.

    Attributes:
        plan: what was asked.
        table: its rows as columns, as :func:`~expressivity.census.shard.shard` or
            :func:`~expressivity.census.labelled_shard.labelled_shard` makes them, with ``functions``, how many each
            stands for.
        folder: where it is, if it was kept.
        certificates: how many are in its archive.
    """

    plan: Plan
    table: dict[str, list[Any]]
    folder: Path | None
    certificates: int

    def count(self, *names: str, weighted: bool = False) -> Counter[tuple[Any, ...]]:
        """How many classes, or functions, have each combination of values of some columns."""
        found: Counter[tuple[Any, ...]] = Counter()
        weights = self.table["functions"] if weighted else [1] * len(self.table["function"])
        for *key, weight in zip(*(self.table[name] for name in names), weights, strict=True):
            found[tuple(key)] += weight
        return found

    @property
    def closed(self) -> int:
        """In how many rows the bounds on heads meet."""
        return sum(a == b for a, b in zip(self.table["heads_lower"], self.table["heads_upper"], strict=True))


def run_census(
    n: int,
    *,
    tokens: int = 2,
    outputs: int = 2,
    embedding: Any = "joint",
    sample: int | None = None,
    seed: int = 0,
    restarts: int = RESTARTS,
    heads: bool = True,
    folder: Path | None = None,
    size: int | None = None,
    jobs: int = 1,
    where: str = "local",
    device: str | None = None,
    certificates: int | None = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Census:
    """Orders and heads of all functions of ``n`` inputs up to symmetry, or of a sample of all functions.

    Args:
        n: the number of inputs.
        tokens, outputs: how many there are; two each, Boolean functions, have a quick way of their own.
        embedding: ``joint``, up to permuting inputs, renaming the tokens of each and renaming outputs; ``additive``,
            up to permuting inputs, one renaming of tokens for all inputs and renaming outputs.
        sample: so many functions drawn evenly from all, in place of every class.
        seed: of the draw and of the search.
        restarts: of the search, with as many heads as the lower bound; where a census with fewer is in the folder, the
            rest is made for the functions whose bounds do not meet.
        heads: whether to look for heads at all.
        folder: where it is kept, part by part; a census that was interrupted goes on there.
        size: functions in a part, by default 2048, or 64 beyond bits.
        jobs: processes on this machine.
        where: ``local``, ``dask://…`` or ``ray://…``.
        device: of the search.
        certificates: of how many functions certificates are written, each verified; ``None`` for all. They go into an
            archive in the folder.
        progress: called with the numbers of functions done and in all.

    Raises:
        InputError: a number out of range, a folder with something else, or a backend that is not there.

    >>> census = run_census(3)
    >>> sorted(census.count("order", "heads_upper").items())
    [((2, 0), 1), ((3, 1), 5), ((4, 2), 7), ((5, 3), 1)]
    >>> sorted(run_census(2, tokens=3).count("order", "heads_upper").items())
    [((2, 0), 1), ((3, 1), 6), ((4, 2), 6)]
    """
    plan, functions, sizes = _planned(n, tokens, outputs, embedding, sample, seed, restarts, heads, size)
    if jobs < 1:
        raise InputError(f"jobs is {jobs}; expected at least 1")
    if certificates is not None and certificates < 0:
        raise InputError(f"certificates is {certificates}; expected at least 0")
    store = None if folder is None else Store(folder, plan)
    parts = list(plan.parts()) if store is None else store.missing()
    kept: dict[int, Columns] = {}
    done = plan.rows - sum(stop - start for start, stop in parts)
    progress(done, plan.rows)
    calls = [Call(start, functions[start:stop], seed, restarts) for start, stop in parts]
    for start, columns in _made(plan, calls, jobs, where, device):
        if store is None:
            kept[start] = columns
        else:
            store.keep(start, columns, sizes[start : start + plan.size].tolist())
        done += len(columns["function"])
        progress(done, plan.rows)
    if store is None:
        table = {name: [x for start in sorted(kept) for x in kept[start][name]] for name in kept[0]}
        return Census(plan, {**table, "functions": sizes.tolist()}, None, 0)
    _search_further(store, jobs, where, device, progress)
    whole = store.finish()
    written = 0
    if certificates != 0:
        chosen = _chosen(plan, certificates)
        named = (
            (f"{plan.spec(row['function']).replace(':', '-')}/{name}.json", document)
            for k, row in enumerate(rows(whole))
            if chosen is None or k in chosen
            for name, document in _documents(plan, row)
        )
        written = write_archive(store.folder / ARCHIVE, named)
    return Census(plan, whole.to_pydict(), folder, written)


def _planned(
    n: int,
    tokens: int,
    outputs: int,
    embedding: Any,
    sample: int | None,
    seed: int,
    restarts: int,
    heads: bool,
    size: int | None,
) -> tuple[Plan, Array, Array]:
    """The plan, the functions and how many each stands for."""
    is_boolean = tokens == outputs == 2
    shape = None if is_boolean else Shape(n, tokens, outputs)
    if shape is None:
        check_inputs(n)
    if embedding not in ("joint", "additive"):
        raise InputError(
            f"embedding is {embedding!r}; expected joint or additive (contexts of one length have no other)"
        )
    each = size if size is not None else SIZE if is_boolean else LABELLED_SIZE
    for name, value, least in (("sample", sample, 1), ("seed", seed, 0), ("restarts", restarts, 0), ("size", each, 1)):
        if value is not None and value < least:
            raise InputError(f"{name} is {value}; expected at least {least}")
    if shape is None:
        functions, sizes = _bits(n, embedding, sample, seed)
    elif sample is not None:
        functions, sizes = labelings.drawn(shape, sample, seed), np.ones(sample, dtype=np.int64)
    else:
        listed = labelings.classes(shape, embedding)
        functions, sizes = listed.labels, listed.sizes
    plan = Plan(n, embedding, sample, seed, restarts, heads, len(functions), each, tokens, outputs)
    return plan, functions, sizes


def _bits(n: int, embedding: str, sample: int | None, seed: int) -> tuple[Array, Array]:
    group = "npn" if embedding == "joint" else "global"
    if sample is not None:
        random = np.random.default_rng(seed)
        words = random.integers(0, 2 ** (2**n) - 1, sample, dtype=np.uint64, endpoint=True)
        return words, np.ones(sample, dtype=np.int64)
    if n > MOST_CLASSIFIED[group]:
        raise InputError(
            f"found {n} inputs; every class is listed up to {MOST_CLASSIFIED[group]} ({embedding}): ask for a sample"
        )
    every = classes(n, group)
    return every.words, every.sizes


@dataclass(frozen=True)
class Call:
    """Work for one process: functions, and how they are searched; ``start`` names the part."""

    start: int
    functions: Array
    seed: int
    restarts: int


def _search_further(
    store: Store, jobs: int, where: str, device: str | None, progress: Callable[[int, int], None]
) -> None:
    """More restarts for the functions whose bounds do not meet, where fewer were made than are planned."""
    plan = store.plan
    open_ = {start: (table, rows) for start, table, rows in store.open()}
    calls = []
    for start, (table, chosen) in open_.items():
        tried = min(table["restarts"][row].as_py() for row in chosen)
        values = [table["function"][row].as_py() for row in chosen]
        functions = np.array(values, dtype=np.uint64) if plan.is_boolean else labelings.labels_of(values)
        calls.append(Call(start, functions, plan.seed + _FRESH + tried, plan.restarts - tried))
    total = sum(len(call.functions) for call in calls)
    done = 0
    for start, columns in _made(plan, calls, jobs, where, device):
        store.replace(start, *open_[start], columns)
        done += len(columns["function"])
        progress(plan.rows - total + done, plan.rows)


def _made(plan: Plan, made: list[Call], jobs: int, where: str, device: str | None) -> Iterator[tuple[int, Columns]]:
    """The rows of each call as they are finished, in any order."""
    if not made:
        return
    if where == "local" and (jobs == 1 or len(made) == 1):
        for call in made:
            yield _rows(plan, call, device)
        return
    import joblib

    with backend(where, jobs) as arguments:
        lists = "return_as" not in arguments
        step = _GROUP * jobs if lists else len(made)
        for first in range(0, len(made), step):
            delayed = (joblib.delayed(_rows)(plan, call, device) for call in made[first : first + step])
            found: Iterable[tuple[int, Columns]] = joblib.Parallel(**arguments, batch_size=1)(delayed)
            yield from found


def _rows(plan: Plan, call: Call, device: str | None) -> tuple[int, Columns]:
    how: dict[str, Any] = {"seed": call.seed, "restarts": call.restarts, "heads": plan.heads, "device": device}
    embedding: Any = plan.embedding
    if plan.is_boolean:
        return call.start, shard(call.functions, plan.inputs, embedding, **how)
    shape = Shape(plan.inputs, plan.tokens, plan.outputs)
    return call.start, labelled_shard.labelled_shard(call.functions, shape, embedding, **how)


def _documents(plan: Plan, row: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The certificates of one row by name."""
    if plan.is_boolean:
        return boolean.documents(row, plan.inputs, plan.embedding)
    return labelled_shard.documents(row)


def _chosen(plan: Plan, many: int | None) -> set[int] | None:
    """Which rows get certificates."""
    if many is None or many >= plan.rows:
        return None
    return set(np.random.default_rng(plan.seed).choice(plan.rows, many, replace=False).tolist())
