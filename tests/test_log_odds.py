"""The logits level against exact linear algebra done here, over the exponents of primes."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import product

import pytest
import sympy

from expressivity import EXPRESSIBLE, INEXPRESSIBLE, Distribution, InputError, SkipGrams, Task, Top, decide
from expressivity.certificate import seal
from expressivity.errors import Refuted
from expressivity.log_odds import decide_logits
from expressivity.verify import verify
from tests.exact_peer import features

HALF = Fraction(1, 2)


def sympy_matches(task: Task, order: int, positions: str) -> bool:
    """Whether the log-odds lie in the span, for tasks of full support: a rank with and without them."""
    outputs = task.outputs
    names = {
        f: i for i, f in enumerate(sorted({f for c in task.contexts for f in features(c, order, positions)}, key=repr))
    }
    rows, right = [], []
    for context, (asked,) in zip(task.contexts, task.requirements, strict=True):
        chances = dict(asked.probabilities)
        for y in outputs[1:]:
            row = [0] * (len(names) * len(outputs))
            for feature, value in features(context, order, positions).items():
                row[names[feature] * len(outputs)] += value
                row[names[feature] * len(outputs) + outputs.index(y)] -= value
            rows.append(row)
            right.append(sympy.factorrat(sympy.Rational(str(chances[outputs[0]] / chances[y]))))
    primes = sorted({p for ratio in right for p in ratio})
    matrix = sympy.Matrix(rows)
    logs = sympy.Matrix([[ratio.get(p, 0) for p in primes] for ratio in right]) if primes else None
    return logs is None or matrix.rank() == matrix.row_join(logs).rank()


def random_distribution(rng: random.Random, outputs: str) -> Distribution:
    sizes = [rng.choice([1, 1, 1, 2, 3]) for _ in outputs]
    return Distribution({y: Fraction(n, sum(sizes)) for y, n in zip(outputs, sizes, strict=True)})


@pytest.mark.parametrize("positions", ["absolute", "anywhere", "count"])
def test_verdicts_equal_those_of_sympy(positions: str) -> None:
    rng = random.Random(f"log-odds {positions}")
    seen = {True: 0, False: 0}
    for _ in range(60):
        outputs = rng.choice(["FT", "FT", "XYZ"])
        every = [(*s, "Q") for n in rng.choice([[2], [1, 2]]) for s in product("AB", repeat=n)]
        contexts = rng.sample(every, rng.randint(2, len(every)))
        task = Task(contexts, [random_distribution(rng, outputs) for _ in contexts], outputs=list(outputs))
        order = rng.choice([2, 3, 4])
        verdict = decide_logits(task, SkipGrams(order, positions))
        expected = sympy_matches(task, order, positions)
        assert (verdict.answer is EXPRESSIBLE) == expected, task.to_text()
        assert verdict.certificate.verify().answer == verdict.answer.value
        seen[expected] += 1
    assert min(seen.values()) > 5


def test_odds_that_multiply_are_skip_trigrams() -> None:
    """By hand: odds 2 for A, 3 for C multiply to 6, so the log-odds add up; 5 in the place of 6 breaks it."""
    odds = {"AC": Fraction(6), "AD": Fraction(2), "BC": Fraction(3), "BD": Fraction(1)}

    def task(table: dict[str, Fraction]) -> Task:
        asked = [Distribution({"T": o / (1 + o), "F": 1 / (1 + o)}) for o in table.values()]
        return Task([(*key, "Q") for key in table], asked)

    yes = decide(task(odds), SkipGrams(3), level="logits")
    assert yes.answer is EXPRESSIBLE
    assert yes.certificate.document["proof"]["bases"] == ["2", "3"]
    no = decide(task(odds | {"AC": Fraction(5)}), SkipGrams(3), level="logits")
    assert no.answer is INEXPRESSIBLE
    assert no.certificate.n_contexts == 4


def test_zero_probabilities_are_reached_in_the_limit_or_not_at_all() -> None:
    """Labels at this level are decisions with ties: XOR is beyond skip-trigrams, AND is not."""
    for strings, answer in (
        (["ACQT", "ADQF", "BCQF", "BDQT"], INEXPRESSIBLE),
        (["ACQT", "ADQF", "BCQF", "BDQF"], EXPRESSIBLE),
    ):
        verdict = decide(Task.from_strings(strings), SkipGrams(3), level="logits")
        assert verdict.answer is answer
        assert ("limit" in verdict.certificate.verify().text) is True


def test_a_limit_that_uneven_odds_forbid() -> None:
    """By hand: a bigram has the same log-odds for both, ln 2 by the second line and beyond all bounds by the first."""
    task = Task.from_text("A Q -> T\nB Q -> T:2/3 F:1/3")
    verdict = decide_logits(task, SkipGrams(2))
    assert verdict.answer is INEXPRESSIBLE
    assert verdict.certificate.n_contexts == 2


def test_destinations_whose_odds_share_a_factor() -> None:
    """Odds 6 alone would be a base of their own, but not beside odds 2: bases are coprime over all destinations."""
    task = Task.from_text("A Q -> T:2/3 F:1/3\nA R -> T:6/7 F:1/7")
    verdict = decide_logits(task, SkipGrams(2))
    assert verdict.answer is EXPRESSIBLE
    assert verdict.certificate.document["proof"]["bases"] == ["2", "3"]


def test_every_order_at_once() -> None:
    task = Task.from_text("A A Q -> T:1/2 F:1/2\nA Q -> T:1/3 F:2/3\n")
    assert decide_logits(task, SkipGrams(None, "anywhere")).answer is INEXPRESSIBLE
    assert decide_logits(task, SkipGrams(None, "count")).answer is EXPRESSIBLE


def test_allowed_sets_are_no_distributions() -> None:
    task = Task([("A", "Q")], [Top(["X", "Y"])], outputs=["Z"])
    with pytest.raises(InputError, match="several outputs are allowed"):
        decide_logits(task, SkipGrams(2))


NOISY = Task.from_text(
    "A C Q -> T:9/10 F:1/10\nA D Q -> T:1/10 F:9/10\nB C Q -> T:1/10 F:9/10\nB D Q -> T:9/10 F:1/10\n"
)
LIMIT = Task.from_text("A Q -> T:2/3 F:1/3\nB Q -> T\n")


def change_multiplier(d: dict) -> None:
    d["proof"]["multipliers"][0]["multiplier"] = "2"


def drop_multiplier(d: dict) -> None:
    d["proof"]["multipliers"].pop()


def cancel_the_logs(d: dict) -> None:
    for context in d["task"]["contexts"]:
        context["requirements"] = [{"distribution": {"F": "1/2", "T": "1/2"}}]


def change_the_odds(d: dict) -> None:
    d["task"]["contexts"][0]["requirements"] = [{"distribution": {"F": "1/3", "T": "2/3"}}]


def raise_the_order(d: dict) -> None:
    d["model"]["order"] = 4


def lower_the_order(d: dict) -> None:
    d["model"]["order"] = 2


def share_a_factor(d: dict) -> None:
    d["proof"]["bases"] = ["9", "3"]


def base_of_one(d: dict) -> None:
    d["proof"]["bases"] = ["1"]


def fraction_as_base(d: dict) -> None:
    d["proof"]["bases"] = ["9/2"]


def too_few_bases(d: dict) -> None:
    d["proof"]["bases"] = []


def compare_with_itself(d: dict) -> None:
    d["proof"]["multipliers"][0]["pair"] = ["T", "T"]


def unknown_context(d: dict) -> None:
    d["proof"]["multipliers"][0]["context"] = 9


def allow_both(d: dict) -> None:
    d["task"]["contexts"][0]["requirements"] = [{"top": ["F", "T"]}]


def rename_a_token(d: dict) -> None:
    d["task"]["contexts"][0]["tokens"][0] = "E"


def change_a_weight(d: dict) -> None:
    d["proof"]["weights"][0][0]["logits"] = {"T": "7"}


def drop_a_weight(d: dict) -> None:
    d["proof"]["weights"][0].pop()


def drop_the_direction(d: dict) -> None:
    d["proof"]["direction"] = []


def turn_the_direction(d: dict) -> None:
    for entry in d["proof"]["direction"]:
        entry["logits"] = {y: str(-Fraction(w)) for y, w in entry["logits"].items()}


def attention_instead(d: dict) -> None:
    d["model"] = {"class": "attention", "heads": 1, "embedding": "joint", "d_head": None}


BREAKS = {
    "no": (
        (change_multiplier, "cancellation"),
        (drop_multiplier, "cancellation"),
        (cancel_the_logs, "log-odds"),
        (change_the_odds, "bases"),
        (raise_the_order, "cancellation"),
        (share_a_factor, "bases"),
        (base_of_one, "bases"),
        (fraction_as_base, "bases"),
        (too_few_bases, "bases"),
        (compare_with_itself, "comparison"),
        (unknown_context, "comparison"),
        (allow_both, "task"),
        (rename_a_token, "cancellation"),
        (attention_instead, "model"),
    ),
    "yes": (
        (change_a_weight, "log-odds"),
        (drop_a_weight, "log-odds"),
        (change_the_odds, "bases"),
        (cancel_the_logs, "log-odds"),
        (lower_the_order, "features"),
        (share_a_factor, "bases"),
        (base_of_one, "bases"),
        (fraction_as_base, "bases"),
        (too_few_bases, "shape"),
        (allow_both, "task"),
        (attention_instead, "model"),
    ),
    "limit": (
        (drop_the_direction, "limit"),
        (turn_the_direction, "limit"),
        (allow_both, "task"),
        (base_of_one, "bases"),
        (lower_the_order, "features"),
    ),
}
CASES = {"no": (NOISY, 3), "yes": (NOISY, 4), "limit": (LIMIT, 3)}


@pytest.mark.parametrize(
    ("case", "change", "step"), [(case, *rest) for case, changes in BREAKS.items() for rest in changes]
)
def test_a_broken_certificate_is_refused(case: str, change: object, step: str) -> None:
    task, order = CASES[case]
    certificate = decide_logits(task, SkipGrams(order)).certificate
    assert verify(certificate.document)
    document = json.loads(json.dumps(certificate.document))
    change(document)
    with pytest.raises(Refuted) as refused:
        verify(seal(document["kind"], document["model"], document["task"], document["proof"]))
    assert refused.value.step == step
