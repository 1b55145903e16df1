"""Two signals among noise: published figures, and margins as functions of the odds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations_with_replacement

import pytest

from constructions.ov_coherent_one_head import PAIRS, ROWS
from docs.studies.ov_coherent import HEADS, IMPOSSIBLE, WIDTHS, cell
from expressivity.attention import HeadTables, exact_margins
from expressivity.attention.margins import orbits_of
from expressivity.heads.gallery import load_construction


def test_the_unnormalised_logits_of_the_printed_rows() -> None:
    for i, j in combinations_with_replacement("1234", 2):
        sums = {y: int(a) + int(b) for y, a, b in zip(PAIRS, ROWS[i], ROWS[j], strict=True)}
        right = sums.pop(i + j)
        assert (right, max(sums.values())) == ((6, 4) if i == j else (4, 3))


@pytest.mark.parametrize("name", ["ov_coherent_without_bias", "ov_coherent_two_narrow"])
def test_without_a_bias_is_without_a_direct_path(name: str) -> None:
    construction = load_construction(f"{name}:3")
    assert not construction.tables().direct
    assert not construction.weights().direct


def without_noise(ratio: str) -> Fraction:
    """The least margin with odds of 10^(−18) for noise."""
    construction = load_construction(f"ov_coherent_inverted:{ratio}")
    noise = Fraction(1, 10**6)
    heads = tuple(
        replace(h, odds={pair: Fraction(1, 10**18) if a == noise else a for pair, a in (h.odds or {}).items()})
        for h in construction.tables().heads
    )
    tables = HeadTables("tokens", construction.tables().direct, heads)
    return min(exact_margins(tables, orbits_of(tables, construction.task)))


@pytest.mark.parametrize("ratio", ["5/2", "3", "4", "7", "20", "1000"])
def test_inverted_attention_has_the_stated_margin(ratio: str) -> None:
    r = Fraction(ratio)
    assert abs(without_noise(ratio) - (r - 1) / (2 * (r + 1))) < Fraction(1, 10**15)


@pytest.mark.parametrize("ratio", ["7/4", "2", "12/5", "241/100"])
def test_below_one_and_root_two_distant_signals_are_the_worst(ratio: str) -> None:
    r = Fraction(ratio)
    assert abs(without_noise(ratio) - (r * r - 3) / (2 * (r * r + 1))) < Fraction(1, 10**15)


def test_it_stops_at_root_three() -> None:
    assert without_noise("1733/1000") > 0  # 1.733² = 3.003
    assert without_noise("1732/1000") < 0  # 1.732² = 2.9998


def test_no_cell_is_open() -> None:
    for bias in (True, False):
        for heads in HEADS:
            for width in (1, 2):  # wider classes contain these
                reason, proof = cell(heads, width, bias)
                assert (proof is None) == (reason == IMPOSSIBLE) == (heads == width == 1 and not bias)
                if proof is not None and proof.certificate is not None:
                    model = proof.certificate.model
                    assert (model.heads, model.d_head) == (heads, width)
    assert list(WIDTHS) == [1, 2, 3, 4]
