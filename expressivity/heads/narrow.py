"""Narrower heads than a construction's tables need, found by search: ``expressivity build NAME --narrow``.

The least ``d_head`` of a construction is that of its *tables* (theorem T8). For the decisions alone a far smaller one
can be enough, with other tables. They are looked for by gradient descent, rounded to short numbers and completed by an
exact linear step; what is found is a different model with as many heads, and the trusted base proves that it decides
the task at its width. A search that finds nothing proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import log
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from expressivity.attention import (
    Agreement,
    ExactWeights,
    HeadTables,
    LayeredTables,
    agreement,
    exact_weights,
    orbits_of,
)
from expressivity.dsl import Construction
from expressivity.errors import InputError, Refuted
from expressivity.heads.narrow_exact import Matrix, Pattern, Setting, complete, setting_of
from expressivity.heads.sandwich import certify_tables, certify_width
from expressivity.heads.validate import BuildReport
from expressivity.separability import check_time_limit
from expressivity.verdict import Verdict

if TYPE_CHECKING:
    from expressivity.heads.narrow_fit import Guess

SECONDS = 60.0
ROUNDS = 8
TRIED = 3  # guesses of a round that are completed exactly
WHOLE = (Fraction(2), Fraction(3, 2), Fraction(9, 8))  # bases for whole scores, coarse to fine
STEPS = (4, 16, 64)  # denominators of real scores
Base = Fraction | Literal["e"]


@dataclass(frozen=True)
class Narrow:
    """What a search for narrower heads found, and where it gave up.

    Attributes:
        least: the width of the construction's own tables.
        least_is_proved: whether no smaller width realises these.
        d_head: the smallest width found, or ``None``.
        tables, weights, proof: the model found: its tables, its weights, its verified verdict; ``None`` if there is
            none.
        agreement: its margins enclosed and in floating point.
        failed_at: the width at which nothing was found; ``None`` if 1 was reached, below which there is none.
        starts: how many starts were made there.
        stopped: whether the time limit ended that.
        decides: whether the construction decides its task; nothing is searched for if it does not.
    """

    least: int
    least_is_proved: bool
    d_head: int | None
    tables: HeadTables | None
    weights: ExactWeights | None
    proof: Verdict | None
    agreement: Agreement | None
    failed_at: int | None
    starts: int
    stopped: bool
    decides: bool = True

    @property
    def reason(self) -> str:
        """The bounds in words, and what is no bound."""
        if not self.decides:
            return "no width was searched, as the construction does not decide its task"
        if self.least == 1:
            return "d_head 1 is the least there is: nothing to search for"
        if self.failed_at is None:
            return "d_head 1 is the least there is"
        many = f"{self.starts} start{'s' * (self.starts != 1)}"
        limit = "; the time limit was reached" if self.stopped else ""
        return f"nothing was found at d_head {self.failed_at} ({many}{limit}), which proves nothing"


def narrow(
    report: BuildReport,
    *,
    time_limit: float | None = None,
    device: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Narrow:
    """Search for heads narrower than those of a construction that decide its task as well.

    Widths below the construction's are tried downwards, until at one of them nothing is found. The model has as many
    heads and the same embedding, and treats alike what the construction's tables treat alike. The search is
    deterministic unless the time limit ends it.

    Args:
        report: a construction of one layer, built.
        time_limit: seconds for the whole search; by default 60.
        device: for the floating run of what is found.
        progress: told what is at hand.

    Returns:
        The narrowest model found, its verdict verified by the trusted base at that width; or none.

    Raises:
        InputError: the construction has several layers, or its tables tell over 20,000 contexts apart; no positive time
            limit.

    >>> from expressivity.dsl import Construction
    >>> from expressivity.heads.validate import build_report
    >>> from expressivity.task import Task
    >>> three = Construction("three", task=Task.from_strings(["AQX", "BQY", "CQZ"]))
    >>> wide = build_report(three.head("copies", writes={"A": "X", "B": "Y", "C": "Z"}))
    >>> found = narrow(wide)
    >>> found.least, found.d_head, found.proof.certificate.verify().contexts
    (2, 1, 3)
    """
    tables = _one_layer(report.name, report.tables, time_limit)
    own_weights = exact_weights(tables, report.task)
    least = own_weights.d_head
    search = _Search(report, tables, SECONDS if time_limit is None else time_limit, progress or (lambda _: None))
    found, target = None, least - 1
    while report.decides and target >= 1:
        better = search.at(target)
        if better is None:
            break
        found, target = better, better[1].d_head - 1
    own, narrowest, proof = found or (None, None, None)
    return Narrow(
        least,
        own_weights.is_least,
        None if narrowest is None else narrowest.d_head,
        own,
        narrowest,
        proof,
        None if own is None or narrowest is None else _agreement(report, own, narrowest, device),
        target if target >= 1 else None,
        search.starts,
        search.stopped,
        report.decides,
    )


def check_search(construction: Construction, time_limit: float | None = None) -> None:
    """Refuse what :func:`narrow` refuses, before anything is built.

    Raises:
        InputError: the construction has several layers; no positive time limit.
    """
    tables = construction.layered() if construction.is_layered else construction.tables()
    _one_layer(construction.name, tables, time_limit)


def _one_layer(name: str, tables: HeadTables | LayeredTables, time_limit: float | None) -> HeadTables:
    check_time_limit(time_limit)
    if not isinstance(tables, HeadTables):
        raise InputError(f"construction {name!r} has several layers; a narrower width is searched for in one only")
    return tables


def _agreement(report: BuildReport, tables: HeadTables, weights: ExactWeights, device: str | None) -> Agreement:
    return agreement(tables, orbits_of(tables, report.task), weights.to_model(), device)


Found = tuple[HeadTables, ExactWeights, Verdict]


class _Search:
    """Looks for a model of a given width until the time is up."""

    def __init__(
        self, report: BuildReport, tables: HeadTables, seconds: float, progress: Callable[[str], None]
    ) -> None:
        self.report, self.tables, self.seconds, self.progress = report, tables, seconds, progress
        self.until = monotonic() + seconds
        self.starts, self.stopped = 0, False

    @property
    def left(self) -> float:
        return self.until - monotonic()

    @cached_property
    def setting(self) -> Setting:
        return setting_of(self.tables, self.report.task)

    def at(self, d_head: int) -> Found | None:
        """A model of that width or a smaller one."""
        from expressivity.heads.narrow_fit import fit

        self.starts = 0
        own = [_own_scores(self.setting, h, d_head) for h in range(self.setting.n_heads)]
        keeps = not any(table is None for table in own)
        ways = [(True, True, False), (True, False, False), (False, False, True), (False, True, False)]
        ways = [way for way in ways if (keeps or not way[0]) and (self.setting.n_heads > 1 or not way[1])]
        ways += [] if any(not kept and not shared for kept, shared, _ in ways) else [(False, False, True)]
        for number in range(ROUNDS):
            kept, shared, near = ways[number % len(ways)]
            self.progress(f"{self.report.name}: d_head {d_head}, round {number + 1} of {ROUNDS}")
            guesses = fit(
                self.setting,
                d_head,
                seed=number,
                scores=_in_nats(own) if kept else None,
                shared=shared,
                near=near and number < len(ways),
                stop=lambda: self.left <= 0,
            )
            self.starts += len(guesses)
            for patterns in roundings(self.setting, guesses, d_head, own if kept else None):
                reason = f"found by search from construction {self.report.name}"
                seconds = max(1.0, min(self.left, self.seconds / 12))
                found = completed(self.setting, patterns, d_head, reason, seconds)
                if found is not None:
                    return found
                if self.left <= 0:
                    break
            if self.left <= 0:
                self.stopped = True
                return None
        return None


def roundings(
    setting: Setting, guesses: Sequence[Guess], d_head: int, own: Sequence[Any] | None = None
) -> Iterator[list[Pattern]]:
    """The best guesses, rounded coarsely first; with attention of their ``own`` where that is given."""
    ties = any(comparison.equal for comparison in setting.orbits.comparisons())
    levels: list[tuple[Base, int]] = [(base, 1) for base in WHOLE] if ties else [(WHOLE[0], 1)]
    levels += [] if ties else [("e", step) for step in STEPS]
    limit = 1 + len(setting.orbits.comparisons()) // 20
    for guess in [guess for guess in guesses if guess.wrong <= limit][:TRIED]:
        for bits, (base, step) in zip((2, 4, 6, 8), levels, strict=False):
            made = []
            for h in range(setting.n_heads):
                carried = _short_columns(guess.carried[h], bits)
                scores, its = own[h] if own else (_short_scores(guess.scores[h], base, step, d_head), base)
                made.append(Pattern(scores, its, carried))
            yield made


def completed(
    setting: Setting, patterns: Sequence[Pattern], d_head: int, reason: str, time_limit: float
) -> Found | None:
    """The patterns completed, if the trusted base agrees that they decide the task at that width or a smaller one."""
    tables = complete(setting, patterns, time_limit)
    if tables is None:
        return None
    task = setting.task
    weights = exact_weights(tables, task)
    attempts: list[Callable[[], Verdict]] = [
        lambda: certify_width(task, weights, reason),
        lambda: certify_tables(task, tables, reason, d_head=d_head),
    ]
    for width, attempt in zip((None, d_head), attempts, strict=True):
        try:
            proof = attempt()
        except (Refuted, InputError):
            continue
        return tables, weights if width is None else exact_weights(tables, task, width), proof
    return None


def _own_scores(setting: Setting, h: int, d_head: int) -> tuple[Matrix, Base] | None:
    """A head's own scores by group, with their base, if these have so small a rank; ``None`` else."""
    from flint import fmpq_mat

    head = setting.tables.heads[h]
    if head.odds:
        return None
    given = head.scores or {}
    table = [[given.get((end, group[0]), Fraction(0)) for group in setting.groups] for end in setting.ends]
    # Every place reads one row with a token, so what is taken from all of these is taken from every score.
    tokens = [group[0][1] is not None for group in setting.groups]
    first = tokens.index(True)
    less = [[x - row[first] if token else x for x, token in zip(row, tokens, strict=True)] for row in table]
    for each in (table, less):
        entries = [_fmpq(x) for row in each for x in row]
        if fmpq_mat(len(each), len(each[0]), entries).rank() <= d_head:
            return each, head.base
    return None


def _in_nats(own: Sequence[Any]) -> Any:
    import numpy as np

    units = [1.0 if base == "e" else log(base) for _, base in own]
    return np.array([[[float(x) * u for x in row] for row in table] for (table, _), u in zip(own, units, strict=True)])


def _short_scores(scores: Any, base: Base, step: int, d_head: int) -> Matrix:
    """Scores of rank at most ``d_head`` near the given ones: two factors in multiples of 1/step, or so many rows."""
    import numpy as np

    scaled = scores / (1.0 if base == "e" else log(base))
    if len(scaled) <= d_head:
        return [[Fraction(round(float(x) * step), step) for x in row] for row in scaled - scaled.mean(1, keepdims=True)]
    left, sizes, right = np.linalg.svd(scaled, full_matrices=False)
    root = np.sqrt(sizes[:d_head])
    query, key = left[:, :d_head] * root, right[:d_head].T * root
    q, k = ([[Fraction(round(float(x) * step), step) for x in row] for row in factor] for factor in (query, key))
    return [[sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) for y in k] for x in q]


def _short_columns(carried: Any, bits: int) -> Matrix:
    """Each column less its median, which the direct path takes up, in proportion: up to 1, in so many binary places."""
    import numpy as np

    less = carried - np.sort(carried, axis=0)[len(carried) // 2]
    size = np.abs(less).max(axis=0)
    return [[Fraction(round(float(x) * 2**bits), 2**bits) for x in row] for row in less / np.where(size > 0, size, 1)]


def _fmpq(value: Fraction) -> Any:
    from flint import fmpq

    return fmpq(value.numerator, value.denominator)
