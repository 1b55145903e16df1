"""Ten thousand random tasks for each level: the verdict is that of an independent exact solver, and verifies.

Tasks mix labels, allowed sets, ties and conjunctions of them, one to four outputs, several lengths and destinations,
and are decided for every convention, at orders from 2 to 5 and at all orders at once. A level is one function of a
random number generator that makes a task, has it decided both ways, and says what came out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product

import pytest

from expressivity import EXPRESSIBLE, INEXPRESSIBLE, InputError, SkipGrams, Task, Tie, Top, decide
from tests.exact_peer import z3_decides

N_TASKS = 10_000
CHUNKS = 20  # so that several processes share the work
CONVENTIONS = ("absolute", "anywhere", "count")


def random_contexts(rng: random.Random) -> list[tuple[str, ...]]:
    """Distinct contexts over two to four tokens, one to three lengths, one or two destinations."""
    tokens = "ABCD"[: rng.choice([2, 2, 2, 3, 3, 4])]
    ends = rng.choice(["Q", "Q", "Q", "Q", "QR", "QA"])
    lengths = rng.choice([[1], [2], [2], [3], [3], [4], [2, 3], [3, 4], [0, 1, 2], [1, 2, 3]])
    every = [(*sources, end) for n in lengths for sources in product(tokens, repeat=n) for end in ends]
    return rng.sample(every, min(rng.choice([1, 2, 4, 6, 8, 10, 12, 14, 16]), len(every)))


def random_conjunction(rng: random.Random, outputs: Sequence[str], odd: float) -> list[Top | Tie]:
    """One requirement, seldom two; labels unless ``odd`` has its way."""

    def one() -> Top | Tie:
        if len(outputs) > 1 and rng.random() < odd:
            several = rng.sample(outputs, rng.randint(2, len(outputs)))
            return Tie(several) if rng.random() < 0.5 else Top(several)
        return Top([rng.choice(outputs)])

    return [one() for _ in range(1 if rng.random() > odd / 2 else 2)]


def hidden_rule(
    rng: random.Random, contexts: Sequence[tuple[str, ...]], outputs: Sequence[str]
) -> list[list[Top | Tie]]:
    """Labels that some short grams explain nearly, so that tasks of many contexts are not all hopeless."""
    table: dict[object, float] = {}

    def score(context: tuple[str, ...], output: str) -> float:
        *sources, end = context
        grams = [(end, output), *((i, token, end, output) for i, token in enumerate(sources))]
        return sum(table.setdefault(gram, rng.gauss(0, 1)) for gram in grams)

    noise = rng.choice([0, 0, 0.1])
    return [
        [Top([rng.choice(outputs) if rng.random() < noise else max(outputs, key=lambda y: score(context, y))])]
        for context in contexts
    ]


def random_task(rng: random.Random) -> Task:
    """Requirements that contradict each other in one context are no task; then it is drawn again."""
    while True:
        contexts = random_contexts(rng)
        outputs = "WXYZ"[: rng.choice([1, 2, 2, 2, 2, 3, 3, 4])]
        odd = rng.choice([0, 0, 0.15, 0.4])
        if rng.random() < 0.4:
            asked = hidden_rule(rng, contexts, outputs)
        else:
            asked = [random_conjunction(rng, outputs, odd) for _ in contexts]
        weights = [rng.randint(1, 3) for _ in contexts]
        try:
            return Task(contexts, asked, outputs=list(outputs), weights=weights)
        except InputError as error:
            if "contradict" not in str(error):
                raise


def argmax(rng: random.Random) -> str:
    """Comparisons against z3."""
    task = random_task(rng)
    positions, order = rng.choice(CONVENTIONS), rng.choice([2, 2, 3, 3, 3, 3, 4, 5, None])
    verdict = decide(task, SkipGrams(order, positions))
    expected = EXPRESSIBLE if z3_decides(task, order, positions) else INEXPRESSIBLE
    described = f"order {order}, {positions}\n{task.to_text()}"
    assert verdict.answer is expected, described
    assert verdict.certificate.verify().answer == expected.value, described
    return f"{positions}, {expected.value}"


LEVELS: dict[str, Callable[[random.Random], str]] = {"argmax": argmax}


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("level", LEVELS)
def test_verdicts_are_those_of_an_exact_solver(level: str, chunk: int) -> None:
    size = N_TASKS // CHUNKS
    seen = Counter(LEVELS[level](random.Random(f"{level} {chunk} {number}")) for number in range(size))
    assert len(seen) >= 6, seen  # both answers in every convention
    assert min(seen.values()) > size // 40, seen
