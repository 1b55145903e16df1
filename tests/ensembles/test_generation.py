"""Constraint generation against the direct path, against planted answers, and at its full size."""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity import EXPRESSIBLE, INEXPRESSIBLE, UNDECIDED, SkipGrams, Task, Tie, Top
from expressivity.ensembles import decide_ensemble, deciding, generation

POSITIONS = ["absolute", "anywhere", "count"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large, and rounds begin with and add a handful of comparisons."""
    for name, value in {"LARGE": 0, "START": 0, "LEAST": 4, "WHOLE": 0, "NEAR": 6, "FEW": 4}.items():
        monkeypatch.setattr(generation, name, value)


def random_task(rng: random.Random, positions: str, order: int) -> Task:
    """Labels, allowed sets or ties that planted weights imply, with a slip now and then."""
    outputs = "XYZ"[: rng.choice([2, 2, 3])]
    tokens, lengths = rng.choice(["AB", "ABC", "ABCD"]), rng.choice([[3], [4], [2, 3]])
    every = [
        (*sources, end) for n in lengths for sources in product(tokens, repeat=n) for end in "QR"[: rng.choice([1, 2])]
    ]
    contexts = rng.sample(every, rng.randint(2, min(60, len(every))))
    reach = rng.choice([1, 1, 3])
    weights: dict[object, int] = {}

    def logit(context: tuple[str, ...], output: str) -> int:
        *sources, end = context
        kinds = (
            list(enumerate(sources))
            if positions == "absolute"
            else sources
            if positions == "count"
            else sorted({*sources})
        )
        names = [(), *kinds] if order == 3 else [()]
        length = len(sources) if positions == "absolute" else 0
        return sum(weights.setdefault((output, end, length, name), rng.randint(-reach, reach)) for name in names)

    slips, ties = rng.choice([0, 0, 0.1, 0.3]), rng.random() < 0.4
    asked = []
    for context in contexts:
        logits = {output: logit(context, output) for output in outputs}
        if rng.random() < slips:
            logits = {output: rng.randint(-1, 1) for output in outputs}
        best = [output for output in outputs if logits[output] == max(logits.values())]
        if not ties:
            best = best[:1]
        asked.append(Top(best) if len(best) == 1 or len(best) == len(outputs) == 3 else Tie(best))
    return Task(contexts, asked, outputs=list(outputs))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("positions", POSITIONS)
def test_verdicts_equal_those_of_the_direct_path(positions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(f"generation {positions}")
    seen: Counter[tuple[bool, bool]] = Counter()
    for _ in range(120):
        order = rng.choice([2, 3, 3])
        task, model = random_task(rng, positions, order), SkipGrams(order, positions)
        tied = any(c.equal for c in task.comparisons())
        generated = decide_ensemble(task, model)
        with monkeypatch.context() as patch:
            patch.setattr(deciding, "is_large", lambda *_: False)
            direct = decide_ensemble(task, model)
        assert generated.answer is direct.answer, task.to_text()
        assert generated.certificate.verify().answer == direct.answer.value
        seen[generated.answer is EXPRESSIBLE, tied] += 1
    assert min(seen.values()) >= 5, seen
    assert len(seen) == 4


@pytest.mark.usefixtures("tiny")
@settings(max_examples=60)
@given(st.integers(3, 9), st.integers(0, 2**32))
def test_weights_of_any_size(sources: int, seed: int) -> None:
    """The last of the sources to say something wins: the weights grow as 2^position, which no float need find."""
    rng = random.Random(seed)
    every = [s for s in product("+-0", repeat=sources) if set(s) != {"0"}]
    contexts = rng.sample(every, min(len(every), 200))
    task = Task([(*s, "Q") for s in contexts], [next(t for t in reversed(s) if t != "0") for s in contexts])
    assert decide_ensemble(task, SkipGrams(3)).answer is EXPRESSIBLE


def planted(
    contexts: int, sources: int, tokens: int, *, seed: int, outputs: int = 2, contradiction: bool = False
) -> Task:
    """Labels by random integer weights of (position, token); with a contradiction four contexts are an XOR."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-9, 10, size=(sources, tokens, outputs))
    weights[:, :, 0] = 0
    drawn = rng.integers(0, tokens, size=(contexts + contexts // 4, sources), dtype=np.int16)
    logits = sum(weights[t, drawn[:, t]] for t in range(sources))
    ranked = np.sort(logits, axis=1)
    clear = np.flatnonzero(ranked[:, -1] > ranked[:, -2])[:contexts]
    drawn, labels = drawn[clear], logits[clear].argmax(axis=1)
    if contradiction:
        four = rng.choice(len(drawn), 4, replace=False)
        drawn[four] = drawn[four[0]]
        drawn[four[[1, 3]], 1] = (drawn[four[0], 1] + 1) % tokens
        drawn[four[[2, 3]], 2] = (drawn[four[0], 2] + 1) % tokens
        labels[four] = [0, 1, 1, 0]
    names = np.array([f"t{k}" for k in range(tokens)], dtype=object)
    return Task([(*names[line], "Q") for line in drawn], [f"y{k}" for k in labels], name="planted")


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_planted_separator_is_found_among_many(positions: str) -> None:
    contexts, rng = 20_000, np.random.default_rng(1)
    drawn = rng.integers(0, 30, size=(contexts, 6))
    weights = rng.integers(-9, 10, size=30)
    present = np.zeros((contexts, 30), dtype=int)
    for i in range(6):
        np.add.at(present, (np.arange(contexts), drawn[:, i]), 1)
    scores = (present if positions == "count" else present > 0) @ weights
    if positions == "absolute":
        scores = (weights * 2)[drawn[:, 0]] - weights[drawn[:, 3]] + 1
    contexts_of = [(*(f"t{k}" for k in line), "Q") for line in drawn[scores != 0].tolist()]
    found: dict[tuple[str, ...], str] = dict(
        zip(contexts_of, np.where(scores > 0, "X", "Y")[scores != 0].tolist(), strict=True)
    )
    task = Task(list(found), list(found.values()))
    said: list[str] = []
    verdict = decide_ensemble(task, SkipGrams(3, positions), progress=said.append)
    assert verdict.answer is EXPRESSIBLE
    assert any(text.startswith("round 2: ") and text.endswith(" violated") for text in said)


@pytest.mark.parametrize("outputs", [2, 3])
def test_a_planted_contradiction_is_found_among_100_000_contexts(outputs: int) -> None:
    """By construction four contexts cancel 1:1:1:1, and the others can all be met."""
    task = planted(100_000, 8, 20, seed=outputs, outputs=outputs, contradiction=True)
    verdict = decide_ensemble(task, SkipGrams(3))
    assert verdict.answer is INEXPRESSIBLE
    assert verdict.certificate.ratio == "1:1:1:1"
    assert len(verdict.certificate.task.contexts) == 4


def test_ties_among_many() -> None:
    """Sums of planted weights: positive, negative, or a tie; one wrong tie is refuted."""
    rng = np.random.default_rng(3)
    drawn = np.unique(rng.integers(0, 8, size=(9_000, 6)), axis=0)
    worth = np.array([3, 2, 1, 1, 0, -1, -2, -4])[drawn].sum(axis=1)
    asked = [Tie(["X", "Y"]) if s == 0 else Top(["X" if s > 0 else "Y"]) for s in worth.tolist()]
    contexts = [(*map(str, line), "Q") for line in drawn.tolist()]
    assert decide_ensemble(Task(contexts, asked), SkipGrams(3)).answer is EXPRESSIBLE
    wrong = asked.copy()
    wrong[int(np.flatnonzero(worth == 3)[0])] = Tie(["X", "Y"])
    assert decide_ensemble(Task(contexts, wrong), SkipGrams(3)).answer is INEXPRESSIBLE


def test_a_time_limit_leaves_the_question_open() -> None:
    verdict = decide_ensemble(planted(20_000, 8, 20, seed=0), SkipGrams(3), time_limit=1e-9)
    assert verdict.answer is UNDECIDED
    assert verdict.certificate is None
    assert "the time limit of 1e-09 s was reached after 0 rounds" in verdict.reason


def test_interrupting_passes_through() -> None:
    def stop(text: str) -> None:
        if text.startswith("round 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decide_ensemble(planted(20_000, 8, 20, seed=0), SkipGrams(3), progress=stop)


def test_interrupting_the_writing_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = decide_ensemble(Task.from_strings(["AQX", "BQY"]), SkipGrams(3))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        verdict.certificate.save(tmp_path / "certificate.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("contradiction", [False, True])
def test_a_million_contexts(contradiction: bool, record_property: pytest.RecordProperty) -> None:
    """16 sources over 100 tokens: minutes of two processors and less than 4 GiB; generous bounds here."""
    task = planted(1_000_000, 16, 100, seed=0, contradiction=contradiction)
    start = time.process_time()
    verdict = decide_ensemble(task, SkipGrams(3))
    seconds = time.process_time() - start
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    record_property("seconds", seconds)
    record_property("GiB", gigabytes)
    assert verdict.answer is (INEXPRESSIBLE if contradiction else EXPRESSIBLE)
    assert seconds < 600
    assert gigabytes < 4
    if contradiction:
        start = time.process_time()
        verdict.certificate.verify()
        assert verdict.certificate.n_contexts == 4
        assert time.process_time() - start < 1
