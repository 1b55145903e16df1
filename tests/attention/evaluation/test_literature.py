"""Hand-set tables of the literature, with the figures published for them."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import pytest

from expressivity.attention import agreement
from expressivity.dsl import Construction
from expressivity.task import ov_coherent

PAIRS = ["".join(pair) for pair in combinations_with_replacement("1234", 2)]
ROWS = ["3222000000", "0200322000", "0020020320", "0002002023"]
SIGNALS: dict[str, Any] = {
    token: {pair: int(value) for pair, value in zip(PAIRS, row, strict=True)}
    for token, row in zip("1234", ROWS, strict=True)
}
MEAN = {pair: Fraction(sum(SIGNALS[token][pair] for token in "1234"), 4) for pair in PAIRS}
IGNORED = dict.fromkeys(["0", "5", "6", "7", "8", "9", "10", "11"], MEAN)


@pytest.mark.parametrize(("others", "d_head"), [({}, 4), (IGNORED, 3)])
def test_the_one_head_solution_of_greenspan_and_wynroe(others: dict[str, Any], d_head: int) -> None:
    """One head, uniform on the signals, the rows above: 6 against 4 for a repeated signal, 4 against 3 at most for two.

    As printed, with nothing written by the tokens that get no attention, the value table has rank 4. Those tokens may
    as well write the mean of the four rows, which goes to the direct path: then three columns do.
    """
    construction = Construction("greenspan_wynroe", task=ov_coherent(3)).head(
        "signals", at="0", scores=dict.fromkeys("1234", 40), writes=SIGNALS | others
    )
    weights = construction.weights()
    assert (weights.d_head, weights.is_least) == (d_head, True)
    three = agreement(construction.tables(), construction.task, weights.to_model())
    assert three.contexts == three.contexts_right == three.floating.contexts_right == 336
    # Two signals share the attention, so the least margin is (4 − 3)/2, up to a multiple of e^(−40).
    assert three.smallest_enclosed is not None
    assert abs(three.smallest_enclosed.lower - Fraction(1, 2)) < Fraction(1, 10**15)
