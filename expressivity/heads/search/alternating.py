"""Attention by linear programs in turn: the values with all odds fixed, the odds of one head with the rest fixed.

With everything but the odds of head h fixed, a comparison of context n times the head's denominator,
``rest(n) · D_h(n) + N_h(n)``, is linear in these odds (in the odds of tokens, then in those of positions, where they
multiply). On one fibre in ``joint`` and ``tokens`` the numerator N_h is any combination of the pairs and is optimised
together with D_h; for two heads that is the normal form ``A·D + B·E`` (theorem T7). Each program makes the least
comparison as large as it can. Floats throughout: what comes out is a guess.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from expressivity.heads.search.layout import Floats, Layout
from expressivity.heads.search.snapping import Guess
from expressivity.separability.highs import Program, run

SWEEPS = 12
LEAST = 1 / 256  # odds in proportion to the largest of their destination
LARGEST = 100.0  # values in proportion to the mean comparison, where numerators are free: far larger ones would cancel
LARGEST_FIXED = 1e4  # elsewhere
TINY = 1e-6
ENOUGH = 1e-6  # least comparison from which on a guess is worth an exact step
GAIN = 1.02  # a sweep that improves less than this ends a start
LARGEST_PROGRAM = 400_000  # entries; beyond it programs take longer than they are worth


def is_small(layout: Layout) -> bool:
    """Whether the linear programs of a task are quickly solved."""
    columns = max(len(layout.factors), len(layout.value_rows) * len(layout.outputs))
    return len(layout.context) * columns <= LARGEST_PROGRAM


def alternate(
    layout: Layout,
    heads: int,
    seed: int,
    *,
    start: Floats | None = None,
    accept: Callable[[Guess], bool] = lambda guess: False,
    stop: Callable[[], bool] = lambda: False,
    time_limit: float = 10.0,
) -> Guess:
    """One start: random log-odds or the given ones, and programs in turn while they improve.

    Args:
        layout: the task.
        heads: how many heads.
        seed: of the start.
        start: log-odds to start at, ``[heads, factors]``.
        accept: shown every point that meets all comparisons in floats; true ends the start.
        stop: asked between programs whether to give up.
        time_limit: seconds for each program.

    Returns:
        The best point reached.
    """
    state = _State(layout, heads, time_limit)
    draw = np.random.default_rng(seed)
    log_odds = 1.5 * draw.standard_normal((heads, len(layout.factors))) if start is None else start
    state.set(np.clip(log_odds, -5.0, 5.0))
    best = state.solve_values()
    free = state.is_free
    for _ in range(SWEEPS):
        before = best.margin
        for turn, h in enumerate(draw.permutation(heads).tolist()):
            for kind in range(len(state.kinds)):
                if best.margin > ENOUGH and accept(best):
                    return best
                if stop():
                    return best
                moved = state.move_freely(h) if free else state.move(h, kind)
                if not moved:
                    continue
                after = state.solve_values() if not free or turn == heads - 1 else state.measured()
                best = after if after.margin > best.margin else best
        if best.margin > ENOUGH and accept(best):
            return best
        if heads == 0 or (best.margin - before) <= (GAIN - 1) * abs(before):
            break
    return best


class _State:
    """Odds and values of all heads, and the programs that move them."""

    def __init__(self, layout: Layout, heads: int, time_limit: float) -> None:
        self.layout, self.heads, self.time_limit = layout, heads, time_limit
        self.counts = layout.counts[layout.context].astype(float)  # comparisons, pairs
        self.reads = layout.reads.astype(float)
        self.direct_reads = layout.direct_reads[layout.context].astype(float)
        self.signs = layout.signs
        self.kinds = _kinds(layout)
        self.odds = np.ones((heads, len(layout.factors)))
        self.values = np.zeros((heads, len(layout.value_rows), len(layout.outputs)))
        self.direct = np.zeros((len(layout.direct_rows), len(layout.outputs)))
        one_each = len(layout.factors) == layout.n_pairs == len(layout.value_rows)
        self.is_free = layout.one_fibre and len(self.kinds) == 1 and one_each

    def set(self, log_odds: Floats) -> None:
        self.odds = np.exp(log_odds)

    def pair_odds(self, h: int, without: int | None = None) -> Floats:
        """The odds of all pairs, or their product over all kinds of factors but one."""
        product = np.ones(self.layout.n_pairs)
        for k, kind in enumerate(self.kinds):
            if k != without:
                product = product * self.odds[h][kind]
        return product

    def shares(self, h: int) -> Floats:
        """``[comparisons, pairs]``."""
        given = self.counts * self.pair_odds(h)
        result: Floats = given / given.sum(1, keepdims=True)
        return result

    def written(self, h: int) -> Floats:
        """What each pair writes to each comparison, ``[comparisons, pairs]``."""
        return np.asarray(self.signs @ (self.reads @ self.values[h]).T)

    def of_head(self, h: int) -> Floats:
        """What a head adds to each comparison."""
        result: Floats = (self.shares(h) * self.written(h)).sum(1)
        return result

    def path(self) -> Floats:
        """What the direct path adds."""
        result: Floats = (self.signs * (self.direct_reads @ self.direct)).sum(1)
        return result

    def measured(self) -> Guess:
        """The point as it is."""
        margins = sum((self.of_head(h) for h in range(self.heads)), self.path())
        equal = self.layout.equal
        size = float(np.abs(margins).mean())
        if size < 1e-12:  # no program had a solution
            return Guess(np.log(self.odds), -1.0)
        least = float(margins[~equal].min()) if not equal.all() else size
        off = float(np.abs(margins[equal]).max(initial=0.0))
        quality = least if off < 1e-6 * size else min(least, -off)
        return Guess(np.log(self.odds), quality / size)

    def solve_values(self) -> Guess:
        """The values and the direct path for which the least comparison is largest, in proportion to the mean."""
        parts = [self.shares(h) @ self.reads for h in range(self.heads)] + [self.direct_reads]
        table = np.concatenate(parts, axis=1)
        rows = (table[:, :, None] * self.signs[:, None, :]).reshape(len(table), -1)
        point = self._solve(rows, 0)
        if point is not None:
            width = len(self.layout.outputs)
            weights = point.reshape(-1, width)
            n = len(self.layout.value_rows)
            self.values = weights[: n * self.heads].reshape(self.heads, n, width)
            self.direct = weights[n * self.heads :]
        return self.measured()

    def _rest(self, h: int) -> Floats:
        """What all but one head add, in proportion to the largest; all that stays is scaled with it."""
        rest = sum((self.of_head(g) for g in range(self.heads) if g != h), self.path())
        size = float(np.abs(rest).max(initial=0.0))
        if size > 0:
            rest, self.values, self.direct = rest / size, self.values / size, self.direct / size
        return rest

    def move(self, h: int, kind: int) -> bool:
        """The odds of one head, as far as they are factors of one kind, with all values as they are."""
        rest = self._rest(h)
        each = self.counts * self.pair_odds(h, without=kind) * (rest[:, None] + self.written(h))
        chosen = self.kinds[kind]
        columns = np.unique(chosen)
        matrix = np.zeros((len(each), len(columns)))
        np.add.at(matrix.T, np.searchsorted(columns, chosen), each.T)
        point = self._solve(matrix, len(columns))
        if point is None:
            return False
        self.odds[h, columns] = point
        return True

    def move_freely(self, h: int) -> bool:
        """The denominator and the numerator of one head together."""
        rest = self._rest(h)
        numerators = (self.counts[:, :, None] * self.signs[:, None, :]).reshape(len(rest), -1)
        n = self.layout.n_pairs
        point = self._solve(np.concatenate([self.counts * rest[:, None], numerators], axis=1), n)
        if point is None:
            return False
        pair = point[:n]
        self.odds[h, self.kinds[0]] = pair
        values = point[n:].reshape(n, -1) / pair[:, None]
        self.values[h] = self.reads.T @ values  # one pair reads one row and every row has one pair
        return True

    def _solve(self, matrix: Floats, odds: int) -> Floats | None:
        """Maximise t with ``a · x ≥ t`` for strict comparisons and ``= 0`` for ties, their mean being 1.

        The first so many of x are odds: above 0, the largest at most 1 / ``LEAST`` times the least.
        """
        equal, most = self.layout.equal, LARGEST if self.is_free else LARGEST_FIXED
        m, n = matrix.shape
        strict = np.where(equal, 0.0, -1.0)
        mean = np.zeros((1, n)) if equal.all() else matrix[~equal].mean(0, keepdims=True)
        one, nothing = np.eye(n)[:odds], np.zeros((odds, 1))
        table = np.block([
            [matrix, np.zeros((m, 1)), strict[:, None]],
            [mean, np.zeros((1, 2))],
            [one, np.full((odds, 1), -LEAST), nothing],
            [one, np.full((odds, 1), -1.0), nothing],
        ])  # fmt: skip
        ends = np.zeros(odds)
        unit = [0.0 if equal.all() else 1.0]
        program = Program(
            sp.csr_array(table),
            np.concatenate([np.zeros(m), unit, ends, ends - np.inf]),
            np.concatenate([np.where(equal, 0.0, np.inf), unit, ends + np.inf, ends]),
            np.concatenate([np.zeros(n + 1), [-1.0]]),
            np.concatenate([np.full(odds, 0.0), np.full(n - odds, -most), [TINY], [-1e6]]),
            np.concatenate([np.full(odds, np.inf), np.full(n - odds, most), [np.inf, 1.0]]),
        )
        point = run(program, self.time_limit).point
        if point is None or not float(point[n]) > 0:
            return None
        if not odds:
            return point[:n]
        point = point[:n] / float(point[n])  # the largest odds at 1; nothing else changes
        point[:odds] = np.maximum(point[:odds], LEAST)
        return point


def _kinds(layout: Layout) -> list[Floats]:
    """Cut the factors into kinds such that every pair multiplies one of each: ``[kinds][pairs]``, factor numbers."""
    found: dict[tuple[bool, ...], list[int]] = {}
    for f, (end, source) in enumerate(layout.factors):
        found.setdefault((end[0] is None, end[1] is None, source[0] is None, source[1] is None), []).append(f)
    kinds = []
    for members in found.values():
        part = layout.spread[:, members]
        kinds.append(np.array(members)[part.argmax(1)])
    return kinds
