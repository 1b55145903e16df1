"""Certified intervals for the best cross-entropy: known values, independent solvers, and what must be refused."""

from __future__ import annotations

import copy
import random
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.certificate import rational_text, seal
from expressivity.cross_entropy import bound_cross_entropy
from expressivity.errors import InputError, Refuted
from expressivity.skipgrams import POSITIONS, SkipGrams
from expressivity.strategies import tasks
from expressivity.task import Distribution, Task
from expressivity.verdict import CrossEntropyBound
from expressivity.verify import verify
from expressivity.verify.skipgrams import features
from tests.cross_entropy.drawing import random_task

XOR = ["ACQT", "ADQF", "BCQF", "BDQT"]


def logarithm(x: Fraction | int) -> Fraction:
    """The natural logarithm to 40 digits, by the standard library's decimal arithmetic."""
    with localcontext() as context:
        context.prec = 45
        value = Fraction(x)
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).ln())


def entropy(*chances: Fraction | str) -> Fraction:
    return -sum((Fraction(p) * logarithm(Fraction(p)) for p in chances), Fraction(0))


def encloses(bound: CrossEntropyBound, value: Fraction, width: str = "1e-12") -> bool:
    """Whether the value lies in the interval (its own 40 digits allowed for) and the interval is narrow."""
    error, upper = Fraction(1, 10**38), bound.upper
    lower = Fraction(0) if bound.lower is None else bound.lower
    return upper is not None and lower <= value + error and value - error <= upper and upper - lower <= Fraction(width)


def as_arrays(task: Task, model: SkipGrams) -> tuple[Any, Any, Any]:
    """Features as the trusted base derives them, ``[contexts, features]``; π; p(y | x)."""
    derived = [features(context, model.order, model.positions) for context in task.contexts]
    index = {f: j for j, f in enumerate(dict.fromkeys(f for row in derived for f in row))}
    phi = np.zeros((len(derived), len(index)))
    for i, row in enumerate(derived):
        for f, value in row.items():
            phi[i, index[f]] = value
    chances = []
    for (asked,) in task.requirements:
        distribution = asked.as_distribution()
        assert distribution is not None
        given_chances = dict(distribution.probabilities)
        chances.append([float(given_chances.get(y, 0)) for y in task.outputs])
    weights = np.array([float(w) for w in task.weights])
    return phi, weights / weights.sum(), np.array(chances)


# ------------------------------------------------------------------ known values


@pytest.mark.parametrize("order", [2, 3])
def test_xor_is_a_coin_toss_below_order_4(order: int) -> None:
    bound = bound_cross_entropy(Task.from_strings(XOR), SkipGrams(order))
    assert encloses(bound, logarithm(2))
    assert bound.document["proof"]["conditional"] == [{"F": "1/2", "T": "1/2"}] * 4


def test_xor_is_learnt_at_order_4() -> None:
    bound = bound_cross_entropy(Task.from_strings(XOR), SkipGrams(4))
    assert encloses(bound, Fraction(0))
    assert bound.upper is not None
    assert 0 < bound.upper < Fraction(1, 10**12)


@pytest.mark.parametrize("k", [3, 5])
def test_parity_is_a_coin_toss_up_to_order_k_plus_1(k: int) -> None:
    for order in range(2, k + 2):
        assert encloses(bound_cross_entropy(Task.load(f"parity:{k}"), SkipGrams(order)), logarithm(2))
    assert encloses(bound_cross_entropy(Task.load(f"parity:{k}"), SkipGrams(k + 2)), Fraction(0))


@pytest.mark.parametrize("positions", POSITIONS)
def test_one_context_costs_its_own_entropy(positions: str) -> None:
    task = Task.from_text("A Q -> T:0.9 F:0.1")
    assert encloses(bound_cross_entropy(task, SkipGrams(3, positions)), entropy("9/10", "1/10"))
    task = Task.from_text("A Q -> T = F = G")
    assert encloses(bound_cross_entropy(task, SkipGrams(3, positions)), logarithm(3))
    assert encloses(bound_cross_entropy(Task.from_text("A Q -> T"), SkipGrams(3, positions)), Fraction(0))


def test_a_task_of_one_output_costs_nothing() -> None:
    bound = bound_cross_entropy(Task.from_text("A Q -> T\nB Q -> T"), SkipGrams(2))
    assert (bound.lower or 0, bound.upper) == (0, 0) or encloses(bound, Fraction(0))


def test_bigrams_see_the_weighted_mean() -> None:
    # One class of contexts of weights 3 + 2 + 1: T has 3/6, F has 2/6 + 1/12 = 5/12, G has 1/12.
    task = Task.from_text("A Q -> T @ 3\nB Q -> F @ 2\nC Q -> F:1/2 G:1/2 @ 1")
    bound = bound_cross_entropy(task, SkipGrams(2))
    assert encloses(bound, entropy("1/2", "5/12", "1/12"))
    assert bound.document["proof"]["conditional"] == [{"F": "5/12", "G": "1/12", "T": "1/2"}] * 3


def test_parts_add_up_by_their_weights() -> None:
    # Destination Q holds 3/4 of the weight and tosses a coin, R is certain.
    task = Task.from_text("A Q -> T @ 3/2\nB Q -> F @ 3/2\nA R -> T\n")
    assert encloses(bound_cross_entropy(task, SkipGrams(2)), logarithm(2) * 3 / 4)


@pytest.mark.parametrize("order", [3, 4, 5])
def test_what_counting_shows_to_be_separated(order: int) -> None:
    # By presence A Q and A A Q are one class with T and F; B is seen with T alone: 2/3 of ln 2, in the limit only.
    task = Task.from_text("A Q -> T\nA A Q -> F\nB Q -> T")
    bound = bound_cross_entropy(task, SkipGrams(order, "anywhere"))
    assert encloses(bound, logarithm(2) * 2 / 3)
    assert bound.document["proof"]["conditional"][2] == {"T": "1"}
    assert encloses(bound_cross_entropy(task, SkipGrams(order, "count")), Fraction(0))


def test_what_counting_does_not_show_to_be_separated() -> None:
    # Along x1 + x2 − 1 the logits of 01 and 10 stay equal and the other two are decided: half of the weight costs ln 2.
    # Every gram is seen with both answers.
    task = Task.from_text("0 0 Q -> F\n0 1 Q -> F = T\n1 0 Q -> F = T\n1 1 Q -> T")
    bound = bound_cross_entropy(task, SkipGrams(3))
    assert encloses(bound, logarithm(2) / 2)
    assert bound.document["proof"]["conditional"][0] == {"F": "1"}


def test_a_second_source_that_says_nothing() -> None:
    # T has 2/3 after A and 1/3 after B, and one in two at each second source. So r(T|A,·) = 2/3, r(T|B,·) = 1/3 has the
    # moments, and its logits are a weight on A and a constant: it is the optimum.
    task = Task.from_text("A 0 Q -> T\nA 1 Q -> T\nA 2 Q -> F\nB 0 Q -> F\nB 1 Q -> F\nB 2 Q -> T")
    bound = bound_cross_entropy(task, SkipGrams(3))
    assert encloses(bound, entropy("2/3", "1/3"))
    assert bound.document["proof"]["conditional"][2] == {"F": "1/3", "T": "2/3"}


def test_digits_are_few_and_rounded_outward() -> None:
    bound = bound_cross_entropy(Task.from_strings(XOR), SkipGrams(3))
    assert bound.lower is not None
    assert bound.upper is not None
    assert bound.lower < logarithm(2) < bound.upper
    assert 10**15 % bound.lower.denominator == 10**15 % bound.upper.denominator == 0


# ------------------------------------------------------------------ independent solvers


@pytest.mark.parametrize("seed", range(48))
def test_the_interval_holds_the_optimum_of_a_convex_solver(seed: int) -> None:
    cp = pytest.importorskip("cvxpy")
    rng = random.Random(seed)
    kind, positions = ("labels", "mixed", "soft")[seed % 3], POSITIONS[seed // 3 % 3]
    n, length = rng.choice([(4, 2), (12, 2), (12, 3), (24, 4)])
    task = random_task(rng, n, length, "AB" if length > 2 else "ABC", "FGT"[: rng.choice([2, 3])], kind, "QR")
    model = SkipGrams(rng.choice([2, 3, 3, 4]), positions)
    bound = bound_cross_entropy(task, model)
    assert bound.upper is not None
    lower, upper = float(bound.lower or 0), float(bound.upper)
    assert upper - lower <= 1e-6
    phi, weights, chances = as_arrays(task, model)
    phi = phi / phi.max(axis=0)
    r = cp.Variable(chances.shape, nonneg=True)
    moments = phi.T @ np.diag(weights) @ chances
    problem = cp.Problem(
        cp.Maximize(weights @ cp.sum(cp.entr(r), axis=1)),
        [cp.sum(r, axis=1) == 1, phi.T @ cp.diag(weights) @ r == moments],
    )
    problem.solve(solver=cp.CLARABEL)
    assert problem.status in ("optimal", "optimal_inaccurate")
    assert lower - 1e-5 <= problem.value <= upper + 1e-5


@pytest.mark.parametrize("seed", range(6))
def test_no_fit_is_below_the_lower_bound(seed: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    rng = random.Random(100 + seed)
    task = random_task(rng, 60, 4, "AB", "FT" if seed % 2 else "FGT", "labels")
    model = SkipGrams(3, POSITIONS[seed % 3])
    bound = bound_cross_entropy(task, model)
    phi, weights, chances = as_arrays(task, model)
    labels = chances.argmax(axis=1)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(phi, labels, sample_weight=weights)
    loss = log_loss(labels, fit.predict_proba(phi), sample_weight=weights)
    assert bound.lower is not None
    assert bound.upper is not None
    assert float(bound.lower) - 1e-12 <= loss <= float(bound.upper) + 1e-6


@given(tasks(soft=True, several=False, max_contexts=10), st.integers(2, 5), st.sampled_from(POSITIONS))
def test_every_interval_is_narrow_and_proved(task: Task, order: int, positions: str) -> None:
    bound = bound_cross_entropy(task, SkipGrams(order, positions))
    assert bound.verify().answer == "bounds"
    assert bound.upper is not None
    assert bound.upper - (bound.lower or 0) <= Fraction(1, 10**12)


@given(tasks(soft=True, several=False, max_contexts=6))
def test_higher_orders_cost_no_more(task: Task) -> None:
    costs = [bound_cross_entropy(task, SkipGrams(order)) for order in (2, 3, 4)]
    for cheaper, dearer in zip(costs[1:], costs, strict=False):
        assert cheaper.upper is not None
        assert dearer.upper is not None
        assert (cheaper.lower or 0) <= dearer.upper


# ------------------------------------------------------------------ hard numbers


def spread_weights(rng: random.Random) -> list[Fraction]:
    return [Fraction(1, 10 ** rng.randrange(10)) for _ in range(200)]


def whole_weights(rng: random.Random) -> list[Fraction]:
    return [Fraction(rng.randrange(1, 10**6)) for _ in range(200)]


def odd_weights(rng: random.Random) -> list[Fraction]:
    return [Fraction(rng.randrange(1, 1000), rng.randrange(1, 1000)) for _ in range(200)]


@pytest.mark.parametrize("drawn", [spread_weights, whole_weights, odd_weights])
def test_weights_of_any_size(drawn: Any) -> None:
    rng = random.Random(5)
    task = random_task(rng, 60, 4, "ABC", "FGT", "labels")
    task = Task(task.contexts, task.requirements, weights=drawn(rng)[: len(task.contexts)])
    bound = bound_cross_entropy(task, SkipGrams(3))
    assert bound.upper is not None
    assert bound.upper - (bound.lower or 0) <= Fraction(1, 10**12)


@pytest.mark.parametrize("size", [10**3, 10**12])
def test_probabilities_of_any_denominator(size: int) -> None:
    rng = random.Random(size)
    task = random_task(rng, 80, 4, "ABC", "FGT", "labels")
    shares = [[rng.randrange(size) for _ in "FGT"] for _ in task.contexts]
    asked = [Distribution(zip("FGT", share, strict=True), normalise=True) for share in shares]
    bound = bound_cross_entropy(Task(task.contexts, asked), SkipGrams(3))
    assert bound.upper is not None
    assert bound.lower is not None
    assert bound.upper - bound.lower <= Fraction(1, 10**12)


def test_exponential_weights() -> None:
    # The answer is that of the last 1 among 16 sources: the weights of a separator grow like powers of 2.
    rng = random.Random(2)
    contexts = {tuple(rng.choice("01") for _ in range(16)) for _ in range(300)}
    last = {context: max((i for i in range(16) if context[i] == "1"), default=-1) % 2 for context in contexts}
    task = Task([(*context, "Q") for context in last], ["FT"[answer] for answer in last.values()])
    assert encloses(bound_cross_entropy(task, SkipGrams(3)), Fraction(0))


def test_denominators_stay_small() -> None:
    task = random_task(random.Random(0), 400, 6, "ABCDE", "FGT", "labels")
    task = Task(task.contexts, task.requirements)
    proof = bound_cross_entropy(task, SkipGrams(3)).document["proof"]
    denominators = {v.partition("/")[2] for r in proof["conditional"] for v in r.values()}
    assert sum(map(len, denominators)) < 5000


# ------------------------------------------------------------------ limits and errors


def test_no_time_leaves_the_trivial_bounds() -> None:
    task = Task.from_text("A C Q -> T:3/4 F:1/4\nA D Q -> F\nB C Q -> F = T\nB D Q -> T")
    bound = bound_cross_entropy(task, SkipGrams(3), time_limit=0)
    trivial = (entropy("3/4", "1/4") + entropy("1/2", "1/2")) / 4
    assert bound.lower is not None
    assert bound.upper is not None
    assert abs(bound.lower - trivial) < Fraction(1, 10)
    assert abs(bound.upper - logarithm(2)) < Fraction(1, 10)
    assert bound.lower <= trivial
    assert logarithm(2) <= bound.upper


def test_top_sets_have_no_cross_entropy() -> None:
    with pytest.raises(InputError, match=r"undefined for top sets; expected a label, a tie or a distribution"):
        bound_cross_entropy(Task.from_text("A Q -> T | F\nB Q -> G"), SkipGrams(2))


def test_the_order_and_the_width_are_checked() -> None:
    task = Task.from_strings(XOR)
    with pytest.raises(InputError, match="order is None; expected a stated order"):
        bound_cross_entropy(task, SkipGrams(None))
    with pytest.raises(InputError, match="width is 0; expected a positive number"):
        bound_cross_entropy(task, SkipGrams(3), width=0)


def corrupt(bound: CrossEntropyBound, change: Any) -> dict[str, Any]:
    """The certificate with something changed and hashed anew."""
    document = copy.deepcopy(dict(bound.document))
    change(document)
    return seal(document["kind"], document["model"], document["task"], document["proof"])


def shifted(key: str, by: Fraction) -> Any:
    def change(document: dict[str, Any]) -> None:
        document["proof"][key] = rational_text(Fraction(document["proof"][key]) + by)

    return change


def conditional(number: int, value: dict[str, str]) -> Any:
    return lambda document: document["proof"]["conditional"].__setitem__(number, value)


def reweighted(document: dict[str, Any]) -> None:
    entry = document["proof"]["weights"][0]["logits"]
    entry.update({y: rational_text(Fraction(value) + 1) for y, value in entry.items()})


CORRUPTIONS = {
    "higher lower bound": (shifted("lower", Fraction(1, 10**12)), "lower bound"),
    "lower upper bound": (shifted("upper", Fraction(-1, 10**12)), "upper bound"),
    "other weights": (reweighted, "upper bound"),
    "other moments": (conditional(0, {"T": "1"}), "moments"),
    "negative chance": (conditional(0, {"T": "3/2", "F": "-1/2"}), "moments"),
    "chances of sum 2": (conditional(0, {"T": "1", "F": "1"}), "moments"),
    "another output": (conditional(0, {"G": "1"}), "shape"),
    "a context without chances": (lambda d: d["proof"]["conditional"].pop(), "shape"),
    "another label": (lambda d: d["task"]["contexts"][0].update(requirements=[{"top": ["F"]}]), "moments"),
    "another weight": (lambda d: d["task"]["contexts"][0].update(weight="2"), "moments"),
    "a higher order": (lambda d: d["model"].update(order=4), "moments"),
    "no order": (lambda d: d["model"].update(order=None), "model"),
    "a lower order": (lambda d: d["model"].update(order=2), "features"),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupted_bounds_are_refused(name: str) -> None:
    change, step = CORRUPTIONS[name]
    task = Task.from_text(
        "A C Q -> T\nA D Q -> F\nB C Q -> F\nB D Q -> T\nA E Q -> T\nB E Q -> T\nA F Q -> T\nB F Q -> F"
    )
    bound = bound_cross_entropy(task, SkipGrams(3))
    with pytest.raises(Refuted) as refused:
        verify(corrupt(bound, change))
    assert refused.value.step == step
