"""Constraint generation: a part with very many comparisons, decided by the few that matter.

Some comparisons are *active*. A cancellation of active ones is one of the part. Weights that meet them are evaluated on
every comparison, exactly; if some are violated, the worst of these become active too, and otherwise the weights are the
answer. Weights come from logistic regression on the active comparisons as long as it meets them, otherwise from the
exact engine, whose word on them is final. So each round answers, adds a comparison, or passes from the first to the
second, and comparisons are finite. Memory grows with the active set.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.ensembles.certifying import Weights
from expressivity.ensembles.fitting import Floats, steps
from expressivity.ensembles.gathered import Gathered
from expressivity.ensembles.parts import Part
from expressivity.separability import Cancellation, Separator, Undecided, separate
from expressivity.skipgrams import SkipGrams
from expressivity.skipgrams.encode import Ints
from expressivity.task import Task

LARGE = 5_000  # comparisons from which on generation is the faster way
HIGHEST = 1 << 40  # values of features up to which it is used, so that exact sums have room in words
START = 3  # random comparisons for each column of weights to begin with
WHOLE = 4  # times as many, and all of them are taken at once …
NARROW = 4_000  # … by the exact engine, if there are not more columns than this
LEAST = 1_000  # comparisons that join in a round, if so many are violated
STEPS = 30  # of Newton's method before the exact engine is asked
EARLY = (9, 16, 23)  # steps after which the heaviest comparisons are tried for a contradiction
HEAVY = 1e-2  # of the largest residual
FEW = 40  # comparisons: a contradiction of more is worth a look for a smaller one
NEAR = 256  # contexts in a neighbourhood
SUSPECTS = 6  # contexts whose neighbourhoods are searched at a time

Progress = Callable[[str], None]


def is_large(part: Part, model: SkipGrams, task: Task) -> bool:
    """Whether a part has so many comparisons that generation is worth its while."""
    if len(part) <= LARGE or model.order is None or part.equal.all():
        return False
    longest = max(len(task.contexts[i]) for i in part.contexts)
    return bool(longest ** (model.order - 1) < HIGHEST)


def generate(
    task: Task,
    model: SkipGrams,
    part: Part,
    *,
    time_limit: float | None = None,
    progress: Progress = lambda _: None,
) -> Weights | Cancellation | Undecided:
    """Decide a large part.

    Args:
        task, model, part: as from :func:`parts`; at least one comparison is strict.
        time_limit: seconds after which the answer is ``Undecided``.
        progress: told each round, with the numbers of active and of violated comparisons.

    Returns:
        Weights that meet all comparisons, or multipliers of comparisons of the part that cancel: both exact.
    """
    progress("numbering features")
    return _Generation(Gathered(task, model, part), time_limit, progress).run(task)


class _Generation:
    """One decision under way: the active comparisons and the best weights in floats."""

    def __init__(self, gathered: Gathered, time_limit: float | None, progress: Progress) -> None:
        self.gathered, self.part = gathered, gathered.part
        self.limit, self.progress, self.start = time_limit, progress, monotonic()
        self.rng = np.random.default_rng(0)  # the same question has the same answer
        self.floats = np.zeros((gathered.n_features, gathered.n_outputs))
        self.searched: set[int] = set()
        self.active = self._sample()
        self.number = 0  # of the round

    @property
    def left(self) -> float | None:
        return None if self.limit is None else self.limit - (monotonic() - self.start)

    def run(self, task: Task) -> Weights | Cancellation | Undecided:
        """Round after round until an answer."""
        violated, exact = 0, len(self.active) == len(self.part) and self._is_narrow()
        while True:
            if self.left is not None and self.left <= 0:
                reason = f"the time limit of {self.limit} s was reached after {self.number} rounds of generation"
                return Undecided(f"{reason}, {len(self.active)} of {len(self.part)} comparisons active")
            self.number += 1
            seen = f", {violated} violated" if self.number > 1 else ""
            self._say(f"{len(self.active)} of {len(self.part)} comparisons active{seen}")
            found = self._propose(exact)
            if isinstance(found, Cancellation):
                return self._fewer(found)
            if isinstance(found, Undecided):
                return found
            wrong = self._violated(found)
            if not len(wrong):
                return self._weights(task, self._shorter(found))
            violated = len(wrong)
            exact = bool(np.isin(wrong, self.active).all())  # only floats can violate what is active, by rounding
            self.active = np.union1d(self.active, self._chosen(wrong, found))

    def _say(self, step: str) -> None:
        self.progress(f"round {self.number}: {step}")

    def _is_narrow(self) -> bool:
        return self.gathered.n_features * (self.gathered.n_outputs - 1) <= NARROW

    def _sample(self) -> Ints:
        """Comparisons to begin with: a random choice of strict ones, and of equal ones; or all, if they are few."""
        many = START * self.gathered.n_features * (self.gathered.n_outputs - 1) + LEAST
        if self._is_narrow() and len(self.part) <= WHOLE * many:
            return np.arange(len(self.part))
        kinds = [np.flatnonzero(self.part.equal == flag) for flag in (False, True)]
        return np.sort(np.concatenate([self.rng.choice(k, min(many, len(k)), replace=False) for k in kinds]))

    def _propose(self, exact: bool) -> Any:
        """Integer weights ``[n_features, n_outputs]`` that ought to meet the active comparisons, or a proof."""
        rows, columns = self.gathered.rows(self.active)
        equal = self.part.equal[self.active]
        if not exact:
            found = self._fit(rows, columns, equal)
            if found is not None:
                return found
        self._say(f"exact engine on {len(self.active)} comparisons")
        outcome = separate(rows, equal, time_limit=self.left, progress=self._say)
        if isinstance(outcome, Separator):
            return self.gathered.table(columns, list(outcome.weights), object)
        return self._lifted(outcome, self.active)

    def _fit(self, rows: Any, columns: Ints, equal: npt.NDArray[np.bool_]) -> Any:
        """What logistic regression makes of the active comparisons; ``None`` if it does not get them all right."""
        block, feature = np.divmod(columns, self.gathered.n_features)
        words = rows.floats()
        for count, step in enumerate(steps(words, equal, self.floats[feature, 1 + block]), start=1):
            least = float(step.margins[~equal].min())
            if least >= 1 and not equal.any():
                self.floats = self.gathered.table(columns, step.weights, np.float64)
                return self._rounded(least)
            if count in EARLY:
                if least <= 0 and count == EARLY[0]:
                    found = self._nearby(self.active[np.argsort(-step.residuals)])
                    if found is not None:
                        return found
                heavy = np.flatnonzero((step.residuals > HEAVY * step.residuals.max()) | equal)
                if least <= 0 and len(heavy) < len(self.active) // 2:
                    self._say(f"exact engine on the {len(heavy)} most doubtful comparisons")
                    outcome = separate(rows.take(heavy), equal[heavy], time_limit=self.left)
                    if not isinstance(outcome, Separator):
                        return self._lifted(outcome, self.active[heavy])
            if count >= STEPS or (self.left is not None and self.left <= 0):
                break
        return None

    def _nearby(self, suspects: Ints) -> Cancellation | None:
        """A contradiction of few comparisons, looked for around the first of the suspects.

        Each feature in it occurs with both signs, so that its contexts share features: each suspect is tried together
        with the contexts that have most in common with it.
        """
        contexts = dict.fromkeys(self.part.owner[suspects[: 4 * SUSPECTS]].tolist())
        for context in [c for c in contexts if c not in self.searched][:SUSPECTS]:
            self.searched.add(context)
            near = self.gathered.comparisons_of(self.gathered.nearest(context, NEAR))
            rows, _ = self.gathered.rows(near)
            outcome = separate(rows, self.part.equal[near], time_limit=self.left)
            if isinstance(outcome, Cancellation):
                return Cancellation({int(near[i]): n for i, n in outcome.multipliers.items()}, outcome.stage)
        return None

    def _fewer(self, found: Cancellation) -> Cancellation:
        """The contradiction, or a smaller one near the comparisons that weigh most in it or are violated worst."""
        if len(found.multipliers) <= FEW:
            return found
        self._say(f"{len(found.multipliers)} comparisons cancel; looking for fewer")
        heaviest = np.array(sorted(found.multipliers, key=lambda i: -abs(found.multipliers[i])))
        for suspects in (np.argsort(self.gathered.margins(self.floats))[: 4 * SUSPECTS], heaviest):
            other = self._nearby(suspects)
            if other is not None and len(other.multipliers) < len(found.multipliers):
                found = other
                break
        return found

    def _rounded(self, least: float) -> Any:
        """The weights in floats as integers, fine enough that rounding turns no margin of at least ``least``."""
        scale = 2.0 ** np.ceil(np.log2(2 * self.gathered.reach / least))
        if float(np.abs(self.floats).max()) * scale > 2.0**50:
            return None
        return np.rint(self.floats * scale).astype(np.int64)

    def _violated(self, weights: Any) -> Ints:
        signs = self.gathered.signs(weights)
        return np.flatnonzero(np.where(self.part.equal, signs != 0, signs <= 0))

    def _chosen(self, wrong: Ints, weights: Any) -> Ints:
        """Comparisons to join: the violated ones, with the most doubtful of the others while these are few.

        When too many are violated, the worst of them, and as many at random, so that they are not all alike.
        """
        limit = max(LEAST, len(self.active) // 2)
        largest = max(1, *(abs(int(weight)) for weight in (weights.max(), weights.min())))
        table: Floats = np.array((weights / largest).tolist(), dtype=np.float64)
        margins = self.gathered.margins(table)
        margins[self.part.equal] = np.inf
        if len(wrong) <= limit:
            return np.union1d(wrong, _least(margins, min(limit, LEAST)))
        margins[wrong[self.part.equal[wrong]]] = -np.inf
        worst = wrong[_least(margins[wrong], limit // 2)]
        return np.union1d(worst, self.rng.choice(wrong, limit - limit // 2, replace=False))

    def _shorter(self, weights: Any) -> Any:
        """The same weights halved for as long as they, rounded, still meet every comparison: a shorter proof."""
        if weights.dtype == object or self.part.equal.any():
            return weights
        while len(self._violated(half := np.rint(weights / 2).astype(np.int64))) == 0:
            weights = half
        return weights

    def _lifted(self, outcome: Any, rows: Ints) -> Any:
        if isinstance(outcome, Cancellation):
            return Cancellation({int(rows[i]): value for i, value in outcome.multipliers.items()}, outcome.stage)
        return outcome

    def _weights(self, task: Task, table: Any) -> Weights:
        used = np.flatnonzero((table != 0).any(axis=1))
        return {
            feature: {y: Fraction(w) for y, w in zip(task.outputs, line, strict=True) if w}
            for feature, line in zip(self.gathered.features(used), table[used].tolist(), strict=True)
        }


def _least(values: Floats, many: int) -> Ints:
    """The places of the least so many values."""
    return np.asarray(np.argpartition(values, many)[:many]) if many < len(values) else np.arange(len(values))
