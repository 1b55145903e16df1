"""Tables whose heads are narrow: which searches need to mind the width, and the search that does.

Tables over one destination row have scores of rank 1, tables with K outputs values of rank K − 1 at most (theorem T8),
so for many tasks every table is narrow. Otherwise scores and values are fitted as products of narrow factors, with the
machinery of :mod:`expressivity.heads.narrow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from expressivity.attention import Head, HeadTables, Row, exact_weights
from expressivity.errors import InputError, Refuted
from expressivity.heads.sandwich import certify_tables, certify_width, padded
from expressivity.heads.search.layout import Layout
from expressivity.task import Task
from expressivity.verdict import Verdict


def is_always_narrow(layout: Layout, d_head: int) -> bool:
    """Whether all tables for a task have that width, whatever their entries."""
    ends = len({end for end, _ in layout.factors})
    return min(ends, len(layout.value_rows)) <= d_head and min(len(layout.outputs), len(layout.value_rows)) <= d_head


def within_width(task: Task, tables: HeadTables, d_head: int, reason: str) -> Verdict | None:
    """The verdict that tables decide a task at a width, if their ranks allow it and the trusted base agrees."""
    try:
        weights = exact_weights(tables, task)
        if weights.d_head > d_head:
            return None
        return certify_width(task, weights, reason, heads=len(tables.heads), d_head=d_head)
    except (Refuted, InputError):
        return None


def alike(task: Task, rows: tuple[Row, ...], embedding: str) -> dict[Row, int]:
    """Source rows by number, those of tokens (at a position) that the task does not tell apart under one number.

    Two are alike if exchanging them, wherever they are sources, takes every context to one that asks for the same.

    >>> task = Task.from_strings(["ACQT", "ADQF", "BCQT", "BDQF"])
    >>> list(alike(task, ((0, "A"), (0, "B"), (1, "C"), (1, "D")), "joint").values())
    [0, 0, 1, 2]
    """
    asked = {tuple(c): frozenset(r) for c, r in zip(task.contexts, task.requirements, strict=True)}
    ends = {context.destination for context in task.contexts}
    number: dict[Row, int] = {}
    leaders: list[Row] = []
    for row in rows:
        position, token = row
        for g, (other, its) in enumerate(leaders):
            if position != other or token is None or its is None or {token, its} & ends:
                continue
            if _exchangeable(asked, position, token, its):
                number[row] = g
                break
        else:
            number[row] = len(leaders)
            leaders.append(row)
    return number


def _exchangeable(asked: Mapping[tuple[str, ...], object], position: int | None, one: str, other: str) -> bool:
    swap = {one: other, other: one}
    for context, wanted in asked.items():
        changed = tuple(
            swap.get(x, x) if i < len(context) - 1 and position in (None, i) else x for i, x in enumerate(context)
        )
        if changed != context and asked.get(changed) != wanted:
            return False
    return True


def blank(layout: Layout, heads: int, *, grouped: bool) -> HeadTables:
    """Tables that say nothing but which rows are to be treated alike: all apart, or by :func:`alike`."""
    number = alike(layout.task, layout.value_rows, layout.embedding) if grouped else {
        row: i for i, row in enumerate(layout.value_rows)
    }  # fmt: skip
    told = {(row, layout.task.outputs[0]): Fraction(1 + g) for row, g in number.items()}
    return HeadTables(layout.embedding, {}, (Head(told), *(Head(),) * (heads - 1)))


def narrow_round(
    layout: Layout,
    heads: int,
    d_head: int,
    number: int,
    seed: int,
    *,
    reason: str,
    left: Callable[[], float],
) -> tuple[Verdict | None, int, float]:
    """One round of starts with narrow factors: the verdict if one was found, how many starts, comparisons right.

    Rounds treat alike what the task does and tell all rows apart in turn; with several heads, every other pair of
    rounds lets all heads carry the same.
    """
    from expressivity.heads.narrow import completed, roundings
    from expressivity.heads.narrow_exact import setting_of
    from expressivity.heads.narrow_fit import fit

    setting = setting_of(blank(layout, heads, grouped=number % 2 == 0), layout.task)
    shared = heads > 1 and number % 4 >= 2
    guesses = fit(setting, d_head, seed=seed, scores=None, shared=shared, near=False, stop=lambda: left() <= 0)
    total = max(1, len(setting.orbits.comparisons()))
    best = max((1 - guess.wrong / total for guess in guesses), default=0.0)
    for patterns in roundings(setting, guesses, d_head):
        found = completed(setting, patterns, d_head, reason, max(1.0, min(left(), 30.0)))
        if found is not None:
            tables = padded(found[2].certificate.tables, heads)  # type: ignore[union-attr]
            return certify_tables(layout.task, tables, reason, d_head=d_head), len(guesses), best
        if left() <= 0:
            break
    return None, len(guesses), best
