"""Gathered comparisons against features, rows and logits worked out one context at a time."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

from expressivity import SkipGrams, Task, Tie, Top
from expressivity.ensembles.gathered import Gathered
from expressivity.ensembles.parts import Part, parts
from expressivity.skipgrams import features_of

POSITIONS = ["absolute", "anywhere", "count"]


def a_task(rng: random.Random) -> Task:
    every = [(*s, "Q") for n in (2, 3) for s in product("ABC", repeat=n)]
    contexts = rng.sample(every, 20)
    asked = [rng.choice([Top("X"), Top(["X", "Y"]), Tie(["Y", "Z"]), Top("Z")]) for _ in contexts]
    return Task(contexts, asked)


def gathered(order: int, positions: str, seed: str) -> tuple[Task, Part, Gathered]:
    task, model = a_task(random.Random(seed)), SkipGrams(order, positions)
    part = max(parts(task, model), key=len)
    return task, part, Gathered(task, model, part)


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("bits", [3, 55, 62, 63, 200])
def test_signs_and_margins_are_those_of_plain_sums(order: int, positions: str, bits: int) -> None:
    task, part, found = gathered(order, positions, f"{order} {positions} {bits}")
    rng = random.Random(bits)
    names = found.features(np.arange(found.n_features))
    for trial in range(5):
        table = np.array([[rng.randint(-(2**bits), 2**bits) for _ in task.outputs] for _ in names], dtype=object)
        if trial == 0:  # neighbours that differ by one in the last place, or not at all
            table = 2**bits + table % 2
        weights = dict(zip(names, table.tolist(), strict=True))
        place = {y: k for k, y in enumerate(task.outputs)}
        differences = []
        for c in part.comparisons(task):
            context = task.contexts[part.contexts[c.context]]
            values = [
                (weights.get(f, [0] * len(place)), v) for f, v in features_of(context, SkipGrams(order, positions))
            ]
            differences.append(sum(v * (line[place[c.above]] - line[place[c.below]]) for line, v in values))
        assert found.signs(table).tolist() == [(d > 0) - (d < 0) for d in differences]
        close = found.margins(table.astype(float))
        assert np.allclose(close, np.array(differences, dtype=float), rtol=1e-9, atol=2.0**bits * 1e-12)


@pytest.mark.parametrize("positions", POSITIONS)
def test_rows_say_what_margins_say(positions: str) -> None:
    task, part, found = gathered(3, positions, positions)
    rng = np.random.default_rng(0)
    table = rng.integers(-9, 10, size=(found.n_features, len(task.outputs)))
    table[:, 0] = 0
    chosen = np.sort(rng.choice(len(part), len(part) // 2, replace=False))
    rows, columns = found.rows(chosen)
    weights = table.T[1 + columns // found.n_features, columns % found.n_features]
    assert rows.times(weights.tolist()) == found.margins(table.astype(float))[chosen].astype(int).tolist()
    assert np.array_equal(found.table(columns, weights, np.int64).T[1:], _only(table, columns, found).T[1:])


def _only(table: np.ndarray, columns: np.ndarray, found: Gathered) -> np.ndarray:
    kept = np.zeros_like(table)
    where = columns % found.n_features, 1 + columns // found.n_features
    kept[where] = table[where]
    return kept


def test_the_nearest_contexts() -> None:
    task = Task([(*s, "Q") for s in product("AB", repeat=4)], ["XY"[s.count("A") % 2] for s in product("AB", repeat=4)])
    model = SkipGrams(3)
    found = Gathered(task, model, parts(task, model)[0])
    near = [task.contexts[i][:4] for i in found.nearest(0, 5)]
    assert set(near) == {tuple("AAAA"), tuple("BAAA"), tuple("ABAA"), tuple("AABA"), tuple("AAAB")}
    assert found.comparisons_of(np.array([3, 5])).tolist() == [3, 5]


def test_parts_share_no_feature() -> None:
    task = Task.from_strings(["ABQX", "BAQY", "AQX", "ABRX", "AARY"])
    assert [p.contexts for p in parts(task, SkipGrams(3))] == [[0, 1], [2], [3, 4]]
    assert [p.contexts for p in parts(task, SkipGrams(3, "count"))] == [[0, 1, 2], [3, 4]]
    assert [p.contexts for p in parts(task, SkipGrams(None, "count"))] == [[0, 1], [2], [3], [4]]
    listed = [(c.context, c.above, c.below, c.equal) for c in parts(task, SkipGrams(3))[0].comparisons(task)]
    assert listed == [(0, "X", "Y", False), (1, "Y", "X", False)]
