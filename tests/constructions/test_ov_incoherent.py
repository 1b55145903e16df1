"""Skip-trigrams that share their source: the printed weights, and how many heads it takes."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from expressivity import Attention, AttentionOnlyTransformer, Task, climb, decide
from expressivity.attention import exact_margins, read_tables
from expressivity.attention.margins import orbits_of
from expressivity.heads.gallery import load_construction, proposals_for


def printed() -> AttentionOnlyTransformer:
    """The weights as printed, entered by hand: identities, and a number or a row for each token."""
    model = AttentionOnlyTransformer(
        [str(token) for token in range(8)],
        [str(token) for token in range(8)],
        n_ctx=65, n_heads=2, d_model=8, d_head=1, embedding="tokens",
        basis=[str(token) for token in range(8)], dtype=torch.float64,
    )  # fmt: skip
    off = -100.0
    with torch.no_grad():
        model.W_E.copy_(torch.eye(8))
        model.W_U.copy_(torch.eye(8))
        model.W_pos.zero_()
        model.W_Q[:, :, 0] = torch.tensor([[off, 1, off, 1, off, off, off, off], [off, off, 1, 1, off, off, off, off]])
        model.W_K[:, :, 0] = torch.tensor([1.0] + [off] * 7)
        model.W_V[:, :, 0] = torch.tensor([1.0] + [0.0] * 7)
        model.W_O[:, 0, :] = torch.tensor([[0.0, 0, 0, 0, 2, -2, 1, 0], [0.0, 0, 0, 0, -2, 2, 1, 0]])
    return model


def test_the_construction_is_the_printed_model() -> None:
    construction = load_construction("ov_incoherent_printed")
    assert read_tables(printed()).restricted(construction.task) == construction.tables().restricted(construction.task)


def test_the_published_probabilities() -> None:
    """0.436 after 1 and 2, 0.459 after 3, at every occurrence: e²/(e² + e^(−2) + 2e + 4), e²/(e² + 2 + e + 4)."""
    model, found = printed(), set()
    for case in load_construction("ov_incoherent_printed").task.cases():  # all counts of 0 at lengths 1, 8 and 64
        (right,) = case.requirements[0].outputs
        with torch.no_grad():
            chances = torch.softmax(model(model.encode([case.context]))[0, -1], 0)
        assert int(chances.argmax()) == int(right)
        found.add((right, round(float(chances[int(right)]), 3)))
        assert 0.43 < float(chances[int(right)]) < 0.47
    assert found == {("4", 0.436), ("5", 0.436), ("6", 0.459)}


def test_subsets_of_two_heads_write_the_printed_table() -> None:
    first, second = load_construction("ov_incoherent_subsets:2").tables().heads
    assert [first.values[(None, "0"), y] for y in "456"] == [2, -2, 1]
    assert [second.values[(None, "0"), y] for y in "456"] == [-2, 2, 1]


@pytest.mark.parametrize("h", [4, 5])
def test_more_subsets_with_full_attention(h: int) -> None:
    """The proof's f(S) − f(S′) ≥ 1 in its own terms, for all pairs of sets."""
    sets = range(1, 2**h)

    def logit(s: int, other: int) -> int:
        return (s & other).bit_count() * (h + 1 - other.bit_count()) - (s & ~other).bit_count() * h

    assert min(logit(s, s) - logit(s, other) for s in sets for other in sets if s != other) == 1


def test_many_trigrams_in_two_heads_of_width_one() -> None:
    construction = load_construction("ov_incoherent_width_one:40")
    tables = construction.tables()
    orbits = orbits_of(tables, construction.task)
    pairs = zip(orbits.comparisons(), exact_margins(tables, orbits), strict=True)
    assert all(margin == 0 if c.equal else margin >= 1 for c, margin in pairs)


@pytest.mark.parametrize("k", [3, 6])
def test_at_one_length_one_head_is_enough(k: int) -> None:
    """Bigrams cannot, by the ties; so the number of heads is exactly 1."""
    task = Task.load(f"ov-incoherent:{k}")
    assert [construction.name for construction in proposals_for(task)] == [f"ov_incoherent_one_length:{k}"]
    heads = climb(task).heads
    assert (heads.lower, heads.upper) == (1, 1)
    assert decide(task, Attention(heads=1, d_head=2, embedding="tokens")).answer.value == "expressible"


@pytest.mark.parametrize("name", ["ov_incoherent_literal:3", "ov_incoherent_subsets:2", "ov_incoherent_width_one:3"])
def test_every_length_up_to_64(name: str) -> None:
    """The proofs' bounds between the lengths that the domains have."""
    construction = load_construction(name)
    tables = construction.tables()
    tie = Task.load("ov-incoherent:3").requirements[3]
    places = [(["0"] * m + ["7"] * (t - m) + [end], m) for t in range(1, 65) for m in {0, 1, t} for end in "123"]
    task = Task([x for x, _ in places], [str(3 + int(x[-1])) if m else tie for x, m in places])
    pairs = zip(task.comparisons(), exact_margins(tables, task), strict=True)
    assert all(margin == 0 if c.equal else margin > Fraction(9, 10) for c, margin in pairs)
