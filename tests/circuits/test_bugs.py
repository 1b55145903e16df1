"""Bugs: a planted one with its price by hand, and prices against a model whose entry really is 0."""

from __future__ import annotations

from itertools import product
from math import e, log

import numpy as np
import pytest
import torch

from expressivity.circuits import Circuits, find_bugs
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.task import Task
from tests.circuits.random_models import random_model


def keep_in_mind() -> Circuits:
    """After ``in`` and ``at`` all attention is on ``keep``, which writes 2 to ``mind`` and 2 to ``bay``."""
    scores = torch.zeros(4, 4)
    scores[1:, 0] = 60
    values = torch.tensor([[2.0, 2.0, 0.0]] + [[0.0] * 3] * 3)
    return Circuits.from_tables(("keep", "in", "at", "by"), ("mind", "bay", "the"), scores, values)


def test_a_planted_bug_costs_what_is_computed_by_hand() -> None:
    """Logits (2, 2, 0) after ``keep in``, where ``mind`` always follows: the loss is ln(2e² + 1) − 2.

    Without the entry they are (2, 0, 0), and the loss is ln(e² + 2) − 2. The data's own conditional has loss 0.
    """
    task = Task([["keep", "in"], ["keep", "at"]], ["mind", "bay"], weights=[3, 1])
    found = find_bugs(keep_in_mind(), task)
    assert [(b.source, b.destination, b.output, b.because) for b in found] == [
        ("keep", "in", "bay", "at"),
        ("keep", "at", "mind", "in"),
    ]
    bug, square = found[0], e**2
    assert bug.cost == pytest.approx(log((2 * square + 1) / (square + 2)), abs=1e-9)
    assert bug.total == pytest.approx(bug.cost * 3 / 4)
    assert bug.loss == pytest.approx(log(2 * square + 1) - 2, abs=1e-9)
    assert (bug.entropy, bug.excess) == (0, pytest.approx(bug.loss))
    assert (bug.value, bug.attention, bug.occurrences) == pytest.approx((2, 1, 3))
    assert bug.probability == pytest.approx(square / (2 * square + 1))
    assert (bug.frequency, bug.because_frequency) == (0, 1)


def test_an_entry_that_the_data_bear_out_is_no_bug() -> None:
    """Half and half after both destinations: nothing is forced that is not so."""
    half = Task.from_text("keep in -> mind = bay\nkeep at -> mind = bay\n")
    assert find_bugs(keep_in_mind(), half) == []


def test_probabilities_that_are_partly_wrong_are_priced_so() -> None:
    """``bay`` after ``in`` with probability 1/10: the mean over the two outcomes, and entropy H(1/10)."""
    task = Task.from_text("keep in -> mind:0.9 bay:0.1\nkeep at -> bay\n")
    bug = next(b for b in find_bugs(keep_in_mind(), task) if b.destination == "in")
    now, then = log(2 * e**2 + 1) - 2, [log(e**2 + 2) - 2, log(e**2 + 2)]
    assert bug.cost == pytest.approx(now - 0.9 * then[0] - 0.1 * then[1], abs=1e-9)
    assert bug.entropy == pytest.approx(-0.9 * log(0.9) - 0.1 * log(0.1))


def test_the_six_skip_trigrams_of_the_paper_have_their_six_bugs() -> None:
    """S4: each source, before the destination of its sister, is raised to the sister's completion."""
    truth = {
        ("keep", "in"): "mind", ("keep", "at"): "bay", ("Lloyd", "L"): "loyd", ("Lloyd", "C"): "atherine",
        ("Pixmap", "P"): "ixmap", ("Pixmap", "Q"): "Canvas",
    }  # fmt: skip
    circuits = Circuits.of(load_construction("skip_trigram_bugs"))
    found = find_bugs(circuits, Task(list(truth), list(truth.values())))
    sisters = {(s, q, y) for (s, q), (s2, q2) in product(truth, truth) if s == s2 and q != q2 for y in [truth[s2, q2]]}
    assert {(b.source, b.destination, b.output) for b in found} == sisters
    assert all(truth[b.source, b.because] == b.output for b in found if b.because is not None)


@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
def test_prices_are_the_loss_with_the_entry_less_the_loss_without_it(embedding: str) -> None:
    """Every bug of a random model on random text, the logits of its occurrences recomputed one by one."""
    model = random_model(embedding=embedding, outputs="edcba")
    circuits = Circuits.of(model)
    data = np.random.default_rng(0).integers(0, 5, (40, 6))
    found = find_bugs(circuits, data, 30, least=2)
    assert len(found) == 30
    assert found == sorted(found, key=lambda b: -b.total)
    inputs = torch.tensor(data[:, :-1])
    logits, patterns = model(inputs), circuits.patterns(inputs)[0]
    rows = inputs + torch.arange(5) * 5 if embedding == "joint" else inputs
    for bug in found[:10]:
        s, q, y = (circuits.rows.index(bug.source), circuits.rows.index(bug.destination),
                   circuits.outputs.index(bug.output))  # fmt: skip
        costs, hits = [], []
        for n, i in product(range(40), range(5)):
            sources = [j for j in range(i) if rows[n, j] == s]
            if rows[n, i] != q or not sources:
                continue
            target = "edcba".index("abcde"[data[n, i + 1]])
            changed = logits[n, i].clone()
            changed[y] -= sum(patterns[n, bug.head.head, i, j] for j in sources) * bug.value
            losses = [float(z.logsumexp(-1) - z[target]) for z in (logits[n, i], changed)]
            costs.append(losses[0] - losses[1])
            hits.append(target == y)
        assert bug.occurrences == len(costs)
        assert bug.cost == pytest.approx(np.mean(costs), abs=1e-9)
        assert bug.frequency == pytest.approx(np.mean(hits))
        assert bug.total == pytest.approx(np.sum(costs) / 200, abs=1e-9)


def test_rare_pairs_are_not_priced_in_text() -> None:
    circuits = Circuits.of(random_model())
    data = [[0, 1, 2]] * 4 + [[3, 4, 0]] * 6
    assert {(b.source, b.destination) for b in find_bugs(circuits, data)} <= {("d", "e")}


def test_contexts_without_sources_have_no_bugs() -> None:
    assert find_bugs(keep_in_mind(), Task([["in"]], ["the"])) == []


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match=r"there is no head 0\.7"):
        find_bugs(keep_in_mind(), Task([["keep", "in"]], ["mind"]), heads=["0.7"])
    with pytest.raises(InputError, match="the model has no output 'why'"):
        find_bugs(keep_in_mind(), Task([["keep", "in"]], ["why"]))
