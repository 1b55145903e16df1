"""Rankings against every triple written out, and the two tables of a head that context switches off."""

from __future__ import annotations

import resource
from itertools import product
from math import exp, inf, log

import pytest
import torch

from expressivity.circuits import RANKINGS, Circuits, bigrams, skip_trigrams, skipgrams
from expressivity.circuits.tables import rows_among
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from tests.circuits.random_models import random_model

Keys = dict[tuple[str, str, str], float]


def by_hand(circuits: Circuits, ranking: str, *, sign: float = 1, centred: bool = False) -> Keys:
    qk, ov, direct = (t.dense() for t in (circuits.qk("0.1"), circuits.ov("0.1"), circuits.direct))
    qk = qk - qk.mean(1, keepdim=True)
    if centred:
        direct = direct + ov.mean(0)
        direct = direct - direct.mean(1, keepdim=True)
        ov = ov - ov.mean(1, keepdim=True)
        ov = ov - ov.mean(0)
    found = {}
    names = circuits.rows, circuits.rows, circuits.outputs
    for (q, end), (s, source), (y, output) in product(*map(enumerate, names)):
        if "@" in end and int(source.partition("@")[2]) >= int(end.partition("@")[2]):
            continue
        written = sign * float(ov[s, y] + (direct[q, y] if ranking == "deciding" else 0))
        score = float(qk[q, s])
        found[source, end, output] = score + (written if ranking == "sum" else log(written) if written > 0 else -inf)
    return found


@pytest.mark.parametrize("ranking", RANKINGS)
@pytest.mark.parametrize("embedding", ["additive", "joint", "tokens"])
@pytest.mark.parametrize("options", [{}, {"lowest": True}, {"centred": True}], ids=str)
@pytest.mark.parametrize("block", [1, 1 << 22])
def test_a_ranking_is_that_of_all_triples(
    monkeypatch: pytest.MonkeyPatch, ranking: str, embedding: str, options: dict[str, bool], block: int
) -> None:
    monkeypatch.setattr(skipgrams, "BLOCK", block)
    circuits = Circuits.of(random_model(embedding=embedding, tokens="abc", n_ctx=3))
    table = by_hand(circuits, ranking, sign=-1 if options.get("lowest") else 1, centred=bool(options.get("centred")))
    best = sorted(table.items(), key=lambda item: -item[1])
    for k in (1, 5, 12):
        found = skip_trigrams(circuits, "0.1", k, ranking=ranking, **options)  # type: ignore[arg-type]
        assert found.is_exact
        assert [(e.source, e.destination, e.output) for e in found.entries] == [triple for triple, _ in best[:k]]
        assert [e.key for e in found.entries] == pytest.approx([key for _, key in best[:k]], abs=1e-9)


@pytest.mark.parametrize("ranking", RANKINGS)
def test_one_destination(ranking: str) -> None:
    circuits = Circuits.of(random_model())
    table = {triple: key for triple, key in by_hand(circuits, ranking).items() if triple[1] == "c"}
    best = sorted(table, key=lambda triple: -table[triple])[:6]
    found = skip_trigrams(circuits, "0.1", 6, ranking=ranking, destination="c")  # type: ignore[arg-type]
    assert [(e.source, e.destination, e.output) for e in found.entries] == best


def test_a_head_that_context_switches_off_is_read_wrong_by_the_product_and_right_by_the_deciding_table() -> None:
    """S3, after ``in``: odds 4 for nouns, 128 for keywords, 1 for itself and others; judge writes 8; the bigram has 2.

    So e^QK·OV is 32 for the noun and nothing for the keyword; with the direct path it is 32 and 256.
    """
    circuits = Circuits.of(load_construction("noun_head"))
    read = {
        ranking: {
            (e.source, e.output): exp(e.key)
            for e in skip_trigrams(circuits, "0.0", 100, ranking=ranking, destination="in").entries  # type: ignore[arg-type]
        }
        for ranking in ("product", "deciding")
    }
    assert set(read["product"]) == {("judge", "court"), ("doctor", "hospital")}
    unit = read["product"]["judge", "court"] / 32
    deciding = {pair: value / unit for pair, value in read["deciding"].items()}
    assert deciding["judge", "court"] == pytest.approx(32, rel=1e-5)
    assert deciding["judge", "range"] == pytest.approx(8, rel=1e-5)
    assert deciding["def", "range"] == pytest.approx(256, rel=1e-5)
    assert deciding["old", "range"] == pytest.approx(2, rel=1e-5)


def test_what_softmax_and_attention_do_not_see_leaves_the_centred_rankings_alone() -> None:
    """Numbers added to all outputs of a source, and moved from all sources to the direct path."""
    torch.manual_seed(1)
    scores, values, direct = torch.randn(4, 4), torch.randn(4, 3), torch.randn(4, 3)
    moved = torch.randn(3)
    same = values + torch.randn(4, 1) + moved, direct - moved + torch.randn(4, 1)
    for ranking in RANKINGS:
        one, other = (
            skip_trigrams(Circuits.from_tables("abcd", "xyz", scores, *tables), "0.0", 5, ranking=ranking, centred=True)
            for tables in ((values, direct), same)
        )
        assert [(e.source, e.destination, e.output) for e in one.entries] == [
            (e.source, e.destination, e.output) for e in other.entries
        ]
        assert [e.key for e in one.entries] == pytest.approx([e.key for e in other.entries], abs=1e-5)


def test_bigrams_are_those_of_the_direct_path() -> None:
    """``bigrams:`` writes the logarithms of how often one token follows another."""
    found = bigrams(Circuits.of(load_construction("skip_trigram_bugs")), 6)
    assert {(b.destination, b.output) for b in found} == {
        ("in", "the"), ("at", "all"), ("L", "td"), ("C", "hapter"), ("P", "art"), ("Q", "uarter"),
    }  # fmt: skip
    assert {round(b.value, 9) for b in found} == {2 - 3 / 12}


def test_bad_arguments() -> None:
    circuits = Circuits.of(random_model())
    for arguments, message in (
        ({"ranking": "best"}, "expected sum, product, deciding"),
        ({"destination": "z"}, "no destination 'z'"),
        ({"k": 0}, "expected at least 1"),
    ):
        with pytest.raises(InputError, match=message):
            skip_trigrams(circuits, "0.0", **arguments)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_vocabulary_of_fifty_thousand_needs_no_square_of_it() -> None:
    """A table written out would take 20 GB; blocks take some hundred MB, and most rows are left out."""
    names = [f"t{i}" for i in range(50_000)]
    circuits = Circuits.of(random_model(tokens=names, outputs=names, d_model=32, d_head=8, heads=1))  # type: ignore[arg-type]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (first, *_), table = skip_trigrams(circuits, "0.0", 3).entries, circuits.ov("0.0")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KiB
    row = names.index(first.source)
    assert first.output == names[int((table.left[row] @ table.right).argmax())]


def test_only_some_tokens_are_ranked() -> None:
    """As in a model that has no other sources and destinations."""
    circuits = Circuits.of(random_model(tokens="abcdef", outputs="abcdef"))
    for ranking in RANKINGS:
        every = skip_trigrams(circuits, "0.0", 300, ranking=ranking).entries
        some = skip_trigrams(circuits, "0.0", 300, ranking=ranking, among=[4, 1, 2, 4]).entries
        kept = {(e.source, e.destination, e.output): e for e in every if {e.source, e.destination} <= set("bce")}
        assert {(e.source, e.destination, e.output) for e in some} == set(kept)
        for entry in some:
            same = kept[entry.source, entry.destination, entry.output]
            assert (entry.ov, entry.direct) == (same.ov, same.direct)


@pytest.mark.parametrize("among", [[], [-1, 2], [3, 5]])
def test_rows_that_are_not_there_are_refused(among: list[int]) -> None:
    with pytest.raises(InputError, match="expected some from 0 to 4"):
        rows_among(among, 5)
