"""Which two signals stand among the noise, in one wide head: the rows of Greenspan & Wynroe (2023), and narrower ones.

The task: L sources, two of them signals ``1`` … ``4``, the others noise; the destination ``0`` reads off the
unordered pair of signals, one of ten outputs.

*Construction.* Signals have odds 2^40, all else 1. The signals write these rows on 11, 12, 13, 14, 22, 23, 24,
33, 34, 44: 3222000000, 0200322000, 0020020320, 0002002023.

*Proof.* A row has 3 for its signal twice, 2 for its signal with another, 0 else. Two equal signals give 2·3 to
their pair, 2·2 to the pairs of one of them, 0 to the others: 6 against 4. Two different ones give 2 + 2 to
their pair, 3 to each of them twice, 2 to the pairs of one of them: 4 against 3. Attention divides by Z = 2·2^40
+ L − 1 and multiplies by 2^40: the least margin is 2^40/Z, nearly 1/2. The four rows are independent, and so
they are up to a shift of all logits: width 4. ∎

*Width 3.* Attention to other tokens is next to nothing, so these may as well write the mean of the four rows:
3/4 for a signal twice, 1 for two signals. The rows then are the mean and three directions from it, and a mean
written by all is a direct path. Differences of logits change by (L − 1)/4 over Z at most; in the closest case,
4 against 3, in favour of the 4: the least margin is (2^40 + (L − 1)/4)/Z. ∎

One width is enough (``ov_coherent_width_one``).
"""

from fractions import Fraction
from typing import Any

from expressivity.dsl import Construction
from expressivity.task import ov_coherent_domain

PAIRS = ("11", "12", "13", "14", "22", "23", "24", "33", "34", "44")
ROWS = {"1": "3222000000", "2": "0200322000", "3": "0020020320", "4": "0002002023"}
OTHERS = ("0", *(str(token) for token in range(5, 12)))


def ov_coherent_printed(length: int) -> Construction:
    """Two signals in one head of width 4, by the printed rows: 6 against 4, 4 against 3 (Greenspan & Wynroe 2023)."""
    return _one_head(f"ov_coherent_printed:{length}", length, {})


def ov_coherent_width_three(length: int) -> Construction:
    """Two signals in one head of width 3: noise writes the mean of the printed rows (cf. Greenspan & Wynroe 2023)."""
    mean = {pair: Fraction(sum(int(row[k]) for row in ROWS.values()), 4) for k, pair in enumerate(PAIRS)}
    noise = OTHERS if length > 2 else ("0",)
    return _one_head(f"ov_coherent_width_three:{length}", length, dict.fromkeys(noise, mean))


def _one_head(name: str, length: int, others: dict[str, Any]) -> Construction:
    rows = {signal: dict(zip(PAIRS, map(int, row), strict=True)) for signal, row in ROWS.items()}
    return Construction(name, task=ov_coherent_domain(length)).head(
        "signals", scores=dict.fromkeys(ROWS, 40), base=2, writes={**rows, **others}
    )
