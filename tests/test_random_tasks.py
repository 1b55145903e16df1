"""Ten thousand random tasks a level: each verdict is that of an independent exact solver, each certificate verifies.

All kinds of requirements, all conventions, several lengths and destinations, orders 2 to 5 and all orders at once. A
level is one function of a random number generator that makes a task, has it decided both ways, and says what came out.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from expressivity import EXPRESSIBLE, INEXPRESSIBLE, SkipGrams, Task, Top, Verdict, decide
from expressivity.cross_entropy import bound_cross_entropy
from expressivity.verdict import CrossEntropyBound
from expressivity.verify import verify
from tests.exact_infimum import ERROR, constant_optimum, infimum, own_entropy, shares_of
from tests.exact_peer import chances_of, features, log_odds_match, z3_decides
from tests.random_tasks import DECISIONS, SOFT, decision_task, soft_task

CHUNK = 500
CHUNKS = 20  # for each level, so that several processes share the work
DEFAULT = {"argmax": 450, "logits": 400, "cross_entropy": 150}  # tasks when nothing is asked for
FITS = 300
DEFAULT_FITS = 20

CONVENTIONS = ("absolute", "anywhere", "count")
STATED = (2, 2, 3, 3, 3, 3, 4, 5)  # orders
SAMPLE = 0.1  # of the tasks are decided at lower and higher orders too
WIDTH = Fraction(1, 10**6)  # nats, at most, from the lower bound of a cross-entropy to the upper

Seen = tuple[str, int | None, str, str]
"""The kind of requirements, the order, the convention, the answer."""


# ------------------------------------------------------------------ what must hold of every verdict


def is_proved(verdict: Verdict, task: Task, model: SkipGrams) -> bool:
    """Whether the certificate, read back from its file, verifies and speaks of this task and this class."""
    certificate = verdict.certificate
    assert certificate is not None
    statement = verify(json.loads(json.dumps(certificate.document)))
    stated, about, yes = certificate.model, certificate.task, verdict.answer is EXPRESSIBLE
    assert isinstance(stated, SkipGrams)
    of_some_order = yes and model.order is None
    of_all_contexts = yes or isinstance(certificate, CrossEntropyBound)
    part = task if of_all_contexts else task.restrict([task.contexts.index(context) for context in about.contexts])
    return (
        stated.positions == model.positions
        and (stated.order == model.order or of_some_order)
        and about == part
        and (statement.answer == verdict.answer.value or isinstance(certificate, CrossEntropyBound))
    )


def rises_once(task: Task, positions: str, level: str) -> bool:
    """A class contains those of lower orders: a no goes with no at all lower orders, a yes with yes at all higher."""
    orders = sorted(set(STATED)) if level == "cross_entropy" else [*sorted(set(STATED)), None]
    answers = [decide(task, SkipGrams(order, positions), level=level).answer is EXPRESSIBLE for order in orders]
    return answers == sorted(answers)


def agreed(rng: random.Random, task: Task, model: SkipGrams, level: str, expected: bool) -> Verdict:
    """The verdict, which must be the expected one."""
    described = f"{level}, order {model.order}, {model.positions}\n{task.to_text()}"
    verdict = decide(task, model, level=level)
    assert verdict.answer is (EXPRESSIBLE if expected else INEXPRESSIBLE), described
    assert is_proved(verdict, task, model), described
    if rng.random() < SAMPLE:
        assert rises_once(task, model.positions, level), described
    return verdict


# ------------------------------------------------------------------ levels


def argmax(rng: random.Random) -> Seen:
    """Comparisons against z3."""
    kind, order, positions = rng.choice(DECISIONS), rng.choice([*STATED, None]), rng.choice(CONVENTIONS)
    task = decision_task(rng, kind, positions)
    verdict = agreed(rng, task, SkipGrams(order, positions), "argmax", z3_decides(task, order, positions))
    return kind, order, positions, verdict.answer.value


def logits(rng: random.Random) -> Seen:
    """Probabilities against Gaussian elimination for each prime, and z3 for those that are 0."""
    kind, order, positions = rng.choice(SOFT), rng.choice([*STATED, None]), rng.choice(CONVENTIONS)
    task = soft_task(rng, kind, positions)
    verdict = agreed(rng, task, SkipGrams(order, positions), "logits", log_odds_match(task, order, positions))
    return kind, order, positions, verdict.answer.value


def cross_entropy(rng: random.Random) -> Seen:
    """The interval against the infimum to 30 digits; the answer against exact linear algebra.

    The infimum is the task's own entropy if and only if the probabilities are matched in the sense of the logits level,
    which tests that level's meaning too. For labels that entropy is 0, and they are matched if and only if z3 can
    part them.
    """
    kind, order, positions = rng.choice(SOFT), rng.choice(STATED), rng.choice(CONVENTIONS)
    task = soft_task(rng, kind, positions)
    described = f"order {order}, {positions}\n{task.to_text()}"
    matched = log_odds_match(task, order, positions)
    least, own, constant = infimum(task, order, positions), own_entropy(task), constant_optimum(task, order, positions)
    assert (abs(least - own) < ERROR) == matched, described
    assert constant is None or abs(least - constant) < ERROR, described
    if all(isinstance(each, Top) for asked in task.requirements for each in asked):
        assert own == 0, described
        assert z3_decides(task, order, positions) == matched, described
    bound = agreed(rng, task, SkipGrams(order, positions), "cross_entropy", matched).certificate
    lower, upper = ends(bound)
    assert lower - Fraction(ERROR) <= Fraction(least) <= upper + Fraction(ERROR), described
    assert upper - lower <= WIDTH, described
    return kind, order, positions, "expressible" if matched else "inexpressible"


def ends(bound: object) -> tuple[Fraction, Fraction]:
    assert isinstance(bound, CrossEntropyBound)
    assert bound.upper is not None
    return bound.lower or Fraction(0), bound.upper


LEVELS: dict[str, Callable[[random.Random], Seen]] = {
    "argmax": argmax,
    "logits": logits,
    "cross_entropy": cross_entropy,
}


@pytest.mark.parametrize(
    ("level", "chunk", "size"),
    [(level, "default", size) for level, size in DEFAULT.items()]
    + [pytest.param(level, n, CHUNK, marks=pytest.mark.slow) for level, n in product(LEVELS, range(CHUNKS))],
)
def test_verdicts_are_those_of_an_exact_solver(level: str, chunk: object, size: int) -> None:
    seen = Counter(LEVELS[level](random.Random(f"{level} {chunk} {number}")) for number in range(size))
    kinds = Counter(dict.fromkeys(DECISIONS if level == "argmax" else SOFT, 0))
    answers = Counter(dict.fromkeys(product(CONVENTIONS, ("expressible", "inexpressible")), 0))
    for (kind, _, positions, answer), times in seen.items():
        kinds[kind] += times
        answers[positions, answer] += times
    assert min(kinds.values()) > size // 20, kinds
    assert min(answers.values()) > size // 50, answers


# ------------------------------------------------------------------ logistic regression


@pytest.mark.parametrize(
    ("chunk", "size"), [("default", DEFAULT_FITS), pytest.param("more", FITS, marks=pytest.mark.slow)]
)
def test_logistic_regression_converges_into_the_interval(chunk: str, size: int) -> None:
    """Its loss is that of a model, so not below the infimum, and its slopes are at most ``tol`` at the end.

    By convexity the loss exceeds the infimum by no more than ``tol`` times the distance (in the sum of absolute values)
    to weights that are as good as the best. 10⁻⁶ nats allow for a distance of 100.
    """
    from sklearn.linear_model import LogisticRegression

    fits = 0
    for number in range(size):
        rng = random.Random(f"fits {chunk} {number}")
        kind, order, positions = rng.choice(SOFT), rng.choice(STATED), rng.choice(CONVENTIONS)
        task = soft_task(rng, kind, positions)
        derived = [features(context, order, positions) for context in task.contexts]
        names = list(dict.fromkeys(name for own in derived for name in own))
        table = np.array([[own.get(name, 0) for name in names] for own in derived], dtype=float)
        table /= table.max(axis=0)
        chances, shares = chances_of(task), shares_of(task)
        rows = [(i, y, float(shares[i] * p)) for i, own in enumerate(chances) for y, p in own.items()]
        given, weights = [y for _, y, _ in rows], np.array([weight for *_, weight in rows])
        if len(set(given)) == 1:  # it refuses these
            continue
        fits += 1
        model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=10_000, fit_intercept=False)
        with threadpool_limits(1):
            model.fit(table[[i for i, *_ in rows]], given, sample_weight=weights)
        assert model.n_iter_.max() < 10_000
        chance = model.predict_proba(table)
        at = {y: j for j, y in enumerate(model.classes_)}
        loss = -sum(weight * np.log(chance[i, at[y]]) for i, y, weight in rows)
        lower, upper = ends(bound_cross_entropy(task, SkipGrams(order, positions)))
        described = f"order {order}, {positions}, loss {loss}\n{task.to_text()}"
        assert float(lower) - 1e-12 <= loss <= float(upper) + 1e-6, described
    assert fits > size // 2
