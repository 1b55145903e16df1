"""Any number of skip-trigrams that share their source in two heads of width 1.

The task: ``0 … i → k + i`` for i = 1 … k; sources are ``0`` and another token, T ≤ 64 of them; if ``0`` is
absent all completions tie. One head of width 1 cannot, for k ≥ 3 (``ov_incoherent_copying`` has the proof).

*Construction.* Let δ = 1/(256k²). The odds of ``0`` are iδ in head 0 and δ in head 1, all others 1. ``0``
writes 2βj in head 0 and −βj² in head 1 on completion j, with β = 130/δ.

*Proof.* Let m be the number of ``0`` and n = T − m + 1 that of all other places, the destination among them. If
m = 0 nothing is written, an exact tie. Else the heads' shares of ``0`` are p = miδ/(miδ + n) and r = mδ/(mδ +
n), and with x = p/r the logit of j is β(2jp − j²r) = βr(x² − (x − j)²): the j nearest to x wins. Now

    0 ≤ i − x = i·mδ(i − 1)/(miδ + n) < k²Tδ ≤ 1/4,

so i does, with the margin βr((x − j)² − (x − i)²) = βr(j − i)(j + i − 2x) ≥ βr(1 − 2/4). As r ≥ δ/(δ + T) ≥
δ/65, that is at least 1. Values are one row and scores one column: width 1. ∎
"""

from fractions import Fraction

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Domain, Tie, Top

LENGTHS = (1, 8, 64)


def ov_incoherent_width_one(k: int) -> Construction:
    """K skip-trigrams of one source in two heads of width 1, for every K; one cannot (cf. Circuits Updates, 2023)."""
    if not 2 <= k <= 1000:
        raise InputError(f"found K = {k}; expected 2 to 1000")
    completions = [str(k + j) for j in range(1, k + 1)]
    delta = Fraction(1, 256 * k * k)
    beta = 130 / delta
    domain = Domain(
        f"ov-incoherent:{k}",
        kinds={"source": "0", "other": str(2 * k + 1)},
        length=LENGTHS,
        destinations=[str(i) for i in range(1, k + 1)],
        ask=lambda end, counts: Top(str(k + int(end))) if counts["source"] else Tie(completions),
    )
    return (
        Construction(f"ov_incoherent_width_one:{k}", task=domain)
        .head(
            "in proportion to i",
            odds={str(i): {"0": i * delta} for i in range(1, k + 1)},
            writes={"0": {str(k + j): 2 * beta * j for j in range(1, k + 1)}},
        )
        .head("as a measure", odds={"0": delta}, writes={"0": {str(k + j): -beta * j * j for j in range(1, k + 1)}})
    )
