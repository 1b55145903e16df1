"""Verdicts on skip-n-grams against z3 over the rationals, with features derived from the definitions alone."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest

from expressivity import EXPRESSIBLE, INEXPRESSIBLE, InputError, SkipGrams, Task, Tie, Top, decide
from tests.exact_peer import z3_decides

N_TASKS = 700  # for each position convention


def random_task(rng: random.Random) -> Task:
    """Two or three outputs, one or two lengths, one or two destinations; labels, allowed sets and ties."""
    outputs = "XYZ"[: rng.choice([2, 2, 3])]
    tokens, ends = "AB" if rng.random() < 0.6 else "ABC", "Q" if rng.random() < 0.7 else "QA"
    lengths = rng.choice([[2], [3], [1, 2], [2, 3]])
    every = [(*sources, end) for n in lengths for sources in product(tokens, repeat=n) for end in ends]
    contexts = rng.sample(every, rng.randint(2, min(10, len(every))))
    odd = rng.choice([0, 0, 0.3])

    def requirement() -> Top | Tie:
        several = rng.sample(outputs, rng.randint(2, len(outputs)))
        if rng.random() < odd:
            return Tie(several) if rng.random() < 0.6 else Top(several)
        return Top([rng.choice(outputs)])

    return Task(contexts, [requirement() for _ in contexts], outputs=list(outputs))


@pytest.mark.parametrize("positions", ["absolute", "anywhere", "count"])
def test_verdicts_equal_those_of_z3(positions: str) -> None:
    rng = random.Random(f"ensembles {positions}")
    seen: Counter[bool] = Counter()
    for _ in range(N_TASKS):
        task, order = random_task(rng), rng.choice([2, 3, 3, 4])
        verdict = decide(task, SkipGrams(order, positions))
        assert verdict.answer in (EXPRESSIBLE, INEXPRESSIBLE)
        assert verdict.certificate.verify().answer == verdict.answer.value
        expected = z3_decides(task, order, positions)
        assert (verdict.answer is EXPRESSIBLE) == expected, task.to_text()
        seen[expected] += 1
    assert min(seen[True], seen[False]) > N_TASKS // 10


def test_the_four_strings() -> None:
    """By hand: with +1 for T and −1 for F, A C, −A D, −B C, B D cancel in every single source and in the constant."""
    task = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
    verdict = decide(task, SkipGrams(3))
    assert verdict.answer is INEXPRESSIBLE
    assert [m for *_, m in verdict.certificate.multipliers] == [1, 1, 1, 1]
    assert verdict.certificate.sentence() == (
        "A… Q, B… Q, C… Q and D… Q each occur once with T and once with F: no sum of skip-trigrams can tell them apart."
    )
    bigram = decide(task, SkipGrams(2))
    assert bigram.certificate.ratio == "1:1"
    four = decide(task, SkipGrams(4), sparse=True)
    assert four.answer is EXPRESSIBLE
    assert four.certificate.n_features == 3  # the constant, A C, B D: the fewest by hand


def test_presence_and_counts_differ() -> None:
    """``A A Q`` and ``A Q`` have the same tokens in different numbers (theory: the conventions are incomparable)."""
    task = Task.from_strings(["AAQX", "AQY"])
    assert decide(task, SkipGrams(3, "anywhere")).answer is INEXPRESSIBLE
    assert decide(task, SkipGrams(3, "count")).answer is EXPRESSIBLE
    assert decide(task, SkipGrams(None, "anywhere")).answer is INEXPRESSIBLE
    # the other way round: "both occur", but the counts (1, 1) lie between (4, 0), (0, 4), (1, 0) and (0, 1)
    both = Task.from_strings(["AAAAQX", "BBBBQX", "AQX", "BQX", "ABQY"])
    assert decide(both, SkipGrams(3, "anywhere")).answer is EXPRESSIBLE
    assert decide(both, SkipGrams(3, "count")).answer is INEXPRESSIBLE


def test_only_the_contexts_of_the_proof_are_stated() -> None:
    """A part that cannot be met refutes the whole, so the certificate names no more."""
    task = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT", "ACPT", "EEQT"])
    certificate = decide(task, SkipGrams(3)).certificate
    assert sorted(certificate.task.contexts) == [tuple("ACQ"), tuple("ADQ"), tuple("BCQ"), tuple("BDQ")]


@pytest.mark.parametrize("order", [1, 0, -3, "3", 2.0])
def test_an_order_below_two_is_refused(order: object) -> None:
    with pytest.raises(InputError, match="expected an integer of at least 2"):
        SkipGrams(order)  # type: ignore[arg-type]


def test_a_task_of_distributions_is_refused() -> None:
    task = Task.from_text("A Q -> T:1/2 F:1/2\n", name="coin")
    with pytest.raises(InputError, match="task coin asks for distributions"):
        decide(task, SkipGrams(3))


def test_every_output_count() -> None:
    """One output: nothing to compare; a task of one context: the direct path."""
    only = Task.from_text("A Q -> T\n")
    assert decide(only, SkipGrams(2)).answer is EXPRESSIBLE


def test_the_explanation_says_what_was_decided_apart() -> None:
    task = Task.from_strings(["AQT", "BQF", "ART", "BRF", "AAQT", "ABQF"])  # Q and R, and Q at another length
    assert "3 groups, decided apart" in decide(task, SkipGrams(3)).certificate.explain()
    assert "2 groups, decided apart" in decide(task, SkipGrams(3, "count")).certificate.explain()
