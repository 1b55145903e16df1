"""Two signals among noise in one head of width 1, and without a bias in width 2 or in two heads.

The task (Greenspan & Wynroe 2023): L sources, two of them signals ``1`` … ``4``, the others noise; the
destination ``0`` reads off the unordered pair of signals, one of ten outputs. Superposition of heads is not
needed for it.

*Construction.* Signals have the values v = 0, 1, 4, 6, whose ten sums of two are all different; s_y is the sum
of the pair y. Attention is uniform over the L + 1 places. A signal writes 2(L + 1)v·s_y on y, the direct path
−s_y².

*Proof.* Let s be the sum of the two values that occur. The logit of y is 2s·s_y − s_y² = s² − (s − s_y)², so
the right pair beats the others by (s − s_y)² ≥ 1. The values are v times 2(L + 1)s_y: width 1. ∎

*Without a bias,* that is without a direct path, two signals can bring −s_y² along, half of it each: a signal
writes (L + 1)(2v·s_y − s_y²/2), which is (v, 1) times (2s_y, −s_y²/2): one head of width 2. Or one head of
width 1 writes the first part and another the second. The logits are the same. ∎

*No less:* without a direct path one head of width 1 has the logits t·o_y with one number t for each context.
The largest is where o_y is largest or least, so at most two of the ten pairs are ever on top. ∎
"""

from fractions import Fraction
from itertools import combinations_with_replacement

from expressivity.dsl import Construction
from expressivity.task import ov_coherent_domain

VALUES = {"1": 0, "2": 1, "3": 4, "4": 6}
SUMS = {i + j: VALUES[i] + VALUES[j] for i, j in combinations_with_replacement(VALUES, 2)}


def ov_coherent_width_one(length: int) -> Construction:
    """Two signals in one head of width 1, by a bias: no superposition is needed (cf. Greenspan & Wynroe 2023)."""
    return (
        _construction(f"ov_coherent_width_one:{length}", length)
        .direct({"0": {y: -s * s for y, s in SUMS.items()}})
        .head("sum", writes=_linear(length))
    )


def ov_coherent_without_bias(length: int) -> Construction:
    """Two signals in one head of width 2 without a bias; width 1 decides two pairs (cf. Greenspan & Wynroe 2023)."""
    constant, linear = _constant(length), _linear(length)
    both = {x: {y: constant[x][y] + linear[x][y] for y in SUMS} for x in VALUES}
    return _construction(f"ov_coherent_without_bias:{length}", length).head("sum and bias", writes=both)


def ov_coherent_two_narrow(length: int) -> Construction:
    """Two signals in two heads of width 1 without a bias; one decides two pairs (cf. Greenspan & Wynroe 2023)."""
    return (
        _construction(f"ov_coherent_two_narrow:{length}", length)
        .head("sum", writes=_linear(length))
        .head("bias", writes=_constant(length))
    )


def _construction(name: str, length: int) -> Construction:
    return Construction(name, task=ov_coherent_domain(length))


def _linear(length: int) -> dict[str, dict[str, Fraction]]:
    return {x: {y: Fraction(2 * (length + 1) * v * s) for y, s in SUMS.items()} for x, v in VALUES.items()}


def _constant(length: int) -> dict[str, dict[str, Fraction]]:
    return {x: {y: Fraction(-(length + 1) * s * s, 2) for y, s in SUMS.items()} for x in VALUES}
