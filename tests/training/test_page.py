"""The page on training: every option is on it, what it says of the text and of the trigram world holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from docs.studies import trigram_model
from expressivity.attention.models.mlp import MLPTransformer
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.cli import main
from expressivity.training.feeds import TrigramFeed
from expressivity.training.plan import DEFAULTS, make_model
from expressivity.training.trigrams import Trigrams

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")


def test_every_option_is_on_the_page() -> None:
    names = {name for option in main.commands["train"].params for name in option.opts if name.startswith("--")}
    assert all(f"`{name}" in PAGE for name in names), names


def test_every_kind_of_task_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in DEFAULTS)


def test_the_floor_is_the_one_stated() -> None:
    stated = re.search(r"the floor is (\d\.\d+)", PAGE)
    assert stated is not None
    assert float(stated[1]) == pytest.approx(Trigrams().floor, abs=5e-5)


def test_the_study_tells_a_model_of_known_tables_apart() -> None:
    """Hand-set: attention from b to a just before it, marked for half of the pairs by token to token terms alone."""
    world = Trigrams(6, 8, 12, seed=1)
    feed = TrigramFeed(world)
    n, length = 6, 12
    model = AttentionOnlyTransformer(
        feed.tokens, feed.outputs, n_ctx=length, n_heads=1, d_model=n + length, d_head=n + length, embedding="additive"
    )
    model.W_E.data[:, :n] = torch.eye(n)
    model.W_pos.data[:, n:] = torch.eye(length)
    pairs = [(int(a), int(b)) for a, b in zip(*(world.successor >= 0).nonzero(), strict=True)]
    scores = torch.zeros(n + length, n + length)
    for a, b in pairs[::2]:
        scores[b, a] = 30.0
    for i in range(1, length):
        scores[n + i, n + i - 1] = 30.0
        scores[n + i, n + i] = 40.0
    model.W_Q.data[0], model.W_K.data[0] = scores, torch.eye(n + length)
    rows = torch.from_numpy(world.sequences(300, 0))
    seen, _ = trigram_model.attention_before(model, rows, n)
    assert {(int(a), int(b)) for a, b in zip(*(seen > 0.5).nonzero(), strict=True)} == set(pairs[::2])
    terms = trigram_model.score_terms(model)
    assert terms["token to token"][pairs[0][1], pairs[0][0]] == 30
    assert not terms["token to position"].any()
    assert not terms["position to token"].any()
    assert terms["position to position"][3, 2] == 30
    total = sum(terms[f"{left} to {right}"][x, y] for left, x in (("token", 2), ("position", 5))
                for right, y in (("token", 4), ("position", 4)))  # fmt: skip
    x = (model.W_E[2] + model.W_pos[5]) @ model.W_Q[0]
    assert total == pytest.approx(float((x @ (model.W_E[4] + model.W_pos[4])).detach()))


def test_what_is_ablated_is_what_it_says() -> None:
    torch.manual_seed(0)
    plan = trigram_model.PLANS["with an MLP"]
    world = Trigrams(75, 277, 50)
    model = make_model(plan, TrigramFeed(world))
    assert isinstance(model, MLPTransformer)
    rows = torch.from_numpy(world.sequences(40, 0))
    ways = {way.name: way.found.right for way in trigram_model.ablations(model, world, rows)}
    at = [trigram_model.forced_predictions(world, way, rows).right for way in (model, model.attention)]
    assert (ways["whole"] == at[0]).all()
    assert (ways["MLP set to 0"] == at[1]).all()
    # An MLP whose hidden units are all on is affine, and the nearest affine map is itself.
    model.mlps[0].b_in.data += 1e3
    affine, mlp = trigram_model.linear_mlp(model, rows), model.mlps[0]
    x = model.attention.embed(rows[:5, :-1])
    assert torch.allclose(affine(x), mlp(x), rtol=1e-3, atol=1e-2)


def test_rank_share_is_the_share_of_ordered_pairs() -> None:
    import numpy as np

    marked, others = np.array([1.0, 3.0, 3.0]), np.array([0.0, 3.0, 4.0, 1.0])
    by_hand = sum((m > o) + (m == o) / 2 for m in marked for o in others) / 12
    assert trigram_model.rank_share(marked, others) == pytest.approx(by_hand)
