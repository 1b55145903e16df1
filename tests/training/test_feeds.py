"""What is fed: the trigram world by its own rules, its floor by counting, losses by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from expressivity.errors import InputError
from expressivity.task import Task, Tie
from expressivity.training.feeds import FiniteFeed, RepeatedFeed, TextFeed, TrigramFeed, token_losses
from expressivity.training.forced import forced_predictions
from expressivity.training.text import read_corpus
from expressivity.training.trigrams import Trigrams

CPU = torch.device("cpu")


def test_the_world_has_277_of_5625_pairs_and_keeps_its_rules() -> None:
    world = Trigrams()
    rules = {(a, b): c for (a, b), c in np.ndenumerate(world.successor) if c >= 0}
    assert len(rules) == 277
    rows = world.sequences(200, seed=1)
    assert rows.shape == (200, 50)
    assert (rows.min(), rows.max()) == (0, 74)
    for row in rows.tolist():
        for a, b, c in zip(row, row[1:], row[2:], strict=False):
            assert rules.get((a, b), c) == c


def test_the_floor_is_what_counting_gives() -> None:
    # In 4,000 sequences 196,000 tokens are predicted; the share of forced ones has a standard error of some 5·10⁻⁴.
    world = Trigrams()
    rows = world.sequences(4000, seed=2)
    forced = world.successor[rows[:, :-2], rows[:, 1:-1]] >= 0
    share = forced.sum() / (4000 * 49)
    assert world.floor == pytest.approx(math.log(75) * (1 - share), abs=math.log(75) * 4 * 5e-4)
    # Without any rule, and with the first pair alone, it is known in closed form.
    assert Trigrams(pairs=0).floor == pytest.approx(math.log(75))
    assert Trigrams(length=3).floor == pytest.approx(math.log(75) * (1 - 277 / 5625 / 2))


def test_a_model_that_knows_the_rules_is_at_the_floor() -> None:
    world = Trigrams(12, 20, 10)

    def knows(rows: torch.Tensor) -> torch.Tensor:
        tokens = rows.numpy()
        logits = np.zeros((*tokens.shape, 12))
        forced = world.successor[tokens[:, :-1], tokens[:, 1:]]
        row, column = np.nonzero(forced >= 0)
        logits[row, column + 1, forced[row, column]] = 100.0
        return torch.from_numpy(logits)

    found = TrigramFeed(world).measures(knows, CPU)
    assert found["occurrences_right"] == 1
    assert found["pairs_right"] == 20
    assert found["cross_entropy"] == pytest.approx(found["floor"], abs=0.03)


def test_pairs_are_counted_by_the_majority_of_their_occurrences() -> None:
    world = Trigrams(4, 3, 6, seed=3)
    rows = torch.from_numpy(world.sequences(300, 0))

    def late(given: torch.Tensor) -> torch.Tensor:  # right at the last position only
        logits = torch.zeros(*given.shape, 4)
        forced = torch.from_numpy(world.successor)[given[:, -2], given[:, -1]].clamp(min=0)
        logits[torch.arange(len(given)), -1, forced] = 1.0
        logits[:, :-1, :] = -torch.nn.functional.one_hot(
            torch.from_numpy(world.successor)[given[:, :-1].roll(1, 1), given[:, :-1]].clamp(min=0), 4
        ).float()
        return logits

    found = forced_predictions(world, late, rows)
    assert found.right[found.position == 4].all()
    assert not found.right[found.position < 4].any()
    assert not found.pairs_right
    assert set(found.shares) == {tuple(p) for p in np.argwhere(world.successor >= 0).tolist()}


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    feed = TrigramFeed(Trigrams(10, 5, 8))
    assert torch.equal(feed.rows(1, 7, 4), feed.rows(1, 7, 4))
    assert not torch.equal(feed.rows(1, 7, 4), feed.rows(1, 8, 4))
    assert not torch.equal(feed.rows(1, 7, 4), feed.rows(2, 7, 4))


def test_the_loss_of_a_finite_task_by_hand() -> None:
    task = Task([["A", "Q"], ["Q"]], ["T", Tie(["F", "T"])], weights=[3, 1])
    feed = FiniteFeed(task)
    scores = torch.tensor([math.log(1), math.log(3)])  # F, T: probabilities 1/4 and 3/4 everywhere

    def model(ids: torch.Tensor) -> torch.Tensor:
        return scores.expand(*ids.shape, 2)

    by_hand = 3 / 4 * -math.log(3 / 4) + 1 / 4 * -(math.log(1 / 4) + math.log(3 / 4)) / 2
    assert float(feed.loss(model, 0, 0, 0, CPU)) == pytest.approx(by_hand)
    assert feed.entropy == pytest.approx(math.log(2) / 4)


def test_repeated_tokens_are_repeated_and_a_model_that_copies_predicts_them() -> None:
    feed = RepeatedFeed(1000, 16)
    rows, periods = feed.drawn(0, 0, 300)
    assert set(periods.tolist()) == {4, 5, 6, 7, 8}
    for row, period in zip(rows.tolist(), periods.tolist(), strict=True):
        assert row[period:] == row[:-period]
        assert len(set(row)) > period - 3  # new tokens up to there, but for a few that come twice by chance

    def copies(given: torch.Tensor) -> torch.Tensor:
        """What came after the last occurrence of the token; nothing if there was none."""
        logits = torch.zeros(*given.shape, 1000)
        for r, row in enumerate(given.tolist()):
            for t, token in enumerate(row):
                earlier = [j for j in range(t) if row[j] == token]
                if earlier:
                    logits[r, t, row[earlier[-1] + 1]] = 100
        return logits

    found = feed.measures(copies, CPU)
    assert found["repeated_right"] > 0.99
    assert found["cross_entropy_new"] == pytest.approx(math.log(1000), rel=0.05)

    def one_place_back(given: torch.Tensor) -> torch.Tensor:
        return 100 * torch.nn.functional.one_hot(given.roll(5, 1), 1000).float()

    assert feed.measures(one_place_back, CPU)["repeated_right"] < 0.3
    with pytest.raises(InputError, match="expected at least 8"):
        RepeatedFeed(9, 7)


def test_stretches_of_text_are_stretches_of_the_text(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(200))
    feed = TextFeed(read_corpus(tmp_path / "a.npy"), 5)
    rows = feed.rows(0, 3, 50)
    assert rows.shape == (50, 6)
    assert (rows[:, 1:] - rows[:, :-1] == 1).all()
    assert rows.max() < 180  # the last tenth is held out
    with pytest.raises(InputError, match="a part has 20 tokens; expected more than the context's 30"):
        TextFeed(read_corpus(tmp_path / "a.npy"), 30)


def test_token_losses_are_those_of_the_next_token() -> None:
    rows = torch.tensor([[0, 1, 1]])

    def model(given: torch.Tensor) -> torch.Tensor:
        return torch.tensor([[[0.0, math.log(3)], [math.log(3), 0.0]]])

    assert token_losses(model, rows)[0].tolist() == pytest.approx([-math.log(3 / 4), -math.log(1 / 4)])
