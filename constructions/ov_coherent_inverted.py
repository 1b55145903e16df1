"""Two signals among noise in two heads of width 1 that prefer opposite signals (Chan; Greenspan & Wynroe 2023).

The task: 64 sources, two of them signals ``1`` … ``4``, the others noise; the destination ``0`` reads off the
pair.

*Construction.* Signals have the values v = 0, 1, 2, 3 and the odds R³, R², R, 1 in head 0, which prefers small
ones, 1, R, R², R³ in head 1, which prefers large ones; all else has odds 10^(−6) and writes nothing. With u =
(v_i, v_j) for the pair i ≤ j, head 0 writes v·u_0 and head 1 v·u_1 on it, and the direct path −|u|²/2.

*Proof.* The logit of u is |h|²/2 − |h − u|²/2, where h = (h_0, h_1) are the two averages of v: the nearest u
wins. Forget the noise. For equal signals h = u, and the nearest other pair is at distance 1: margin 1/2. For
v_i, v_j with d = v_j − v_i > 0, head 0 has h_0 = v_i + e_d and head 1 h_1 = v_j − e_d with e_d = d/(R^d + 1).
Against the pair that differs by (a, b) the margin is (a² + b²)/2 − e_d(a − b), so it is least, as long as e_d <
1/2, for (1, 0) and (0, −1):

    1/2 − e_d = (R − 1)/(2(R + 1)),  (R² − 3)/(2(R² + 1)),  (R³ − 5)/(2(R³ + 1))   for d = 1, 2, 3.

The second is less than the first for R < 1 + √2 only, the third is less than the first for R < 2 and less than
the second for R < 1.68. So the worst margin is (R − 1)/(2(R + 1)) for R ≥ 1 + √2 = 2.41…, (R² − 3)/(2(R² + 1))
for R between √3 and that, and there is none for R ≤ √3, where signals 1 and 3 are closer to another pair.

With noise: 63 other tokens of odds ν = 10^(−6) move every average towards 0 a little. For R ≥ 3 the worst
case is that of signals 1, 2 against 1, 1: it has h_1 = R/(R + 1 + 63ν), so the least margin is R/(R + 1 + 63ν) −
1/2. ∎
"""

from fractions import Fraction
from itertools import combinations_with_replacement

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import ov_coherent_domain

LENGTH = 64
NOISE = Fraction(1, 10**6)
OTHERS = ("0", *(str(token) for token in range(5, 12)))


def ov_coherent_inverted(ratio: str) -> Construction:
    """Two signals in two heads of width 1 of inverted attention, odds RATIO between neighbours (Chan's comment)."""
    try:
        r = Fraction(ratio)
    except (ValueError, ZeroDivisionError):
        raise InputError(f"found the ratio {ratio!r}; expected a number such as 3 or 5/2") from None
    if r <= 0:
        raise InputError(f"found the ratio {ratio}; expected a positive number")
    pairs = {f"{i + 1}{j + 1}": (i, j) for i, j in combinations_with_replacement(range(4), 2)}
    made = Construction(f"ov_coherent_inverted:{ratio}", task=ov_coherent_domain(LENGTH)).direct(
        {"0": {pair: -Fraction(u * u + w * w, 2) for pair, (u, w) in pairs.items()}}
    )
    for side, name in enumerate(("prefers small", "prefers large")):
        made = made.head(
            name,
            odds=dict.fromkeys(OTHERS, NOISE) | {str(v + 1): r ** (v if side else 3 - v) for v in range(4)},
            writes={str(v + 1): {pair: v * u[side] for pair, u in pairs.items()} for v in range(4)},
        )
    return made
