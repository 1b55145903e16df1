"""The benchmark believes no proof that does not hold, and survives whoever takes part in it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from benchmarks.solvers import PEERS, Answer, Peer, Question, Worker
from benchmarks.solvers.question import holds

# w_0 > 0, w_1 > w_0, w_2 = 0
APART = Question("apart", [{0: 1}, {0: -1, 1: 1}, {2: 5}], [False, False, True], 3, True)
# w_0 > 2 w_1, 3 w_1 > 2 w_0 and w_0 = w_1, but (1, −2) + (−2, 3) + (1, −1) = 0
TOGETHER = Question("together", [{0: 1, 1: -2}, {0: -2, 1: 3}, {0: 1, 1: -1}], [False, False, True], 2, False)


def test_a_proof_counts_only_if_it_holds() -> None:
    assert holds(APART, Answer(True, [1, 2, 0]))
    assert holds(APART, Answer(True, [Fraction(1, 10**9), Fraction(1, 10**8), 0]))
    assert not holds(APART, Answer(True, [1, 1, 0]))
    assert not holds(APART, Answer(True, [1, 2, Fraction(1, 10**30)]))
    assert not holds(APART, Answer(True))
    assert not holds(APART, Answer(False, [1, 2, 0]))
    assert holds(TOGETHER, Answer(False, {0: 1, 1: 1, 2: 1}))
    assert not holds(TOGETHER, Answer(False, {0: 1, 1: 1}))
    assert not holds(TOGETHER, Answer(False, {0: -1, 1: -1, 2: -1}))
    assert not holds(TOGETHER, Answer(False, {2: 0}))
    assert not holds(TOGETHER, Answer(True, {0: 1, 1: 1, 2: 1}))


@pytest.mark.parametrize("peer", [p for p in PEERS if p.missing() is None], ids=lambda peer: peer.name)
def test_every_peer_that_is_there_reads_the_question_as_we_do(peer: Peer) -> None:
    solve = peer.solve()
    plain = [replace(question, name="plain") for question in (APART, TOGETHER)]
    plain.append(Question("strict", [{0: 1}, {0: -1, 1: 1}], [False, False], 2, True))
    plain.append(Question("opposite", [{0: 1, 1: -2}, {0: -2, 1: 4}], [False, False], 2, False))
    for question in plain:
        answer = solve(question)
        if answer.separable is None:
            assert any(question.equal), answer.note  # classifiers cannot state ties
        else:
            assert answer.separable == question.separable
        if answer.proof is not None:
            assert holds(question, answer)


def test_a_peer_that_is_not_installed_says_why() -> None:
    assert Peer("x", "exact:glpsol", "", program="no-such-solver").missing() is not None
    assert "not installed" in (Peer("x", "exact:cddlib", "", package="no-such-package").missing() or "")


@pytest.mark.slow
def test_a_peer_that_crashes_or_hangs_costs_one_question() -> None:
    broken = Worker(Peer("x", "exact:no_such_function", ""))
    result = broken.ask(APART, 5)
    assert result.separable is None
    assert result.note.startswith("crashed")
    slow = Worker(PEERS[0])
    assert slow.ask(APART, 1e-9).note == "time"
    assert slow.ask(APART, 30).right
    slow.stop()
