"""2^H − 1 skip-trigrams that share their source in H heads of width 1 (after Circuits Updates, May 2023: 3 in 2).

The task: ``0 … i → k + i`` for i = 1 … k = 2^H − 1; sources are ``0`` and another token, T of them, T ≤ 64; if
``0`` is absent all completions tie.

*Construction.* The destination i stands for the set S of heads that are the ones in its binary form. Head h is
on if h ∈ S: ``0`` has odds R = 2^20, else 1/R; all other odds are 1. ``0`` writes to the completion of each set
S′: H + 1 − |S′| if h ∈ S′, else −H. For H = 2 that is (2, −2, 1) and (−2, 2, 1), the printed table.

*Proof.* Let m be the number of ``0``. Without any nothing is written: an exact tie. Else a head that is on
writes with the share α ≥ R/(R + T), one that is off with β ≤ T/R. First take α = 1, β = 0. The completion of S′
then has

    f(S′) = |S ∩ S′| (H + 1 − |S′|) − |S ∖ S′| H,        f(S) = |S| (H + 1 − |S|).

If S′ contains S and more, f(S) − f(S′) = |S| (|S′| − |S|) ≥ 1. Otherwise i = |S ∩ S′| is less than s = |S|. If
i > 0, |S′| ≥ i gives f(S′) ≤ i(H + 1 − i) − (s − i)H, so that f(S) − f(S′) ≥ (s − i)(2H + 1 − s − i) ≥ 2; if i
= 0, f(S′) = −sH and f(S) − f(S′) = s(2H + 1 − s) ≥ 2. The heads that are off change a difference by β(H − 1)·2H
at most, and α takes from it a share of T/R, so that the margin is at least (1 − T/R) − 2H²·T/R > 0 for T(2H² +
1) < R. Values are one row, scores a row times a column: width 1. ∎

Fewer heads of width 1 may do: two are enough for every k (``ov_incoherent_width_one``), with numbers that grow.
"""

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Domain, Tie, Top

LENGTHS = (1, 8, 64)


def ov_incoherent_subsets(h: int) -> Construction:
    """2^H − 1 skip-trigrams of one source in H heads of width 1, a set of heads each (after Circuits Updates, 2023)."""
    if not 2 <= h <= 8:
        raise InputError(f"found H = {h}; expected 2 to 8")
    k = 2**h - 1
    ends = [str(i) for i in range(1, k + 1)]
    completions = [str(k + i) for i in range(1, k + 1)]
    domain = Domain(
        f"ov-incoherent:{k}",
        kinds={"source": "0", "other": str(2 * k + 1)},
        length=LENGTHS,
        destinations=ends,
        ask=lambda end, counts: Top(str(k + int(end))) if counts["source"] else Tie(completions),
    )
    made = Construction(f"ov_incoherent_subsets:{h}", task=domain)
    for head in range(h):
        on = {i: bool(i >> head & 1) for i in range(1, k + 1)}
        made = made.head(
            f"head {head}",
            scores={str(i): {"0": 20 if on[i] else -20} for i in on},
            base=2,
            writes={"0": {str(k + j): h + 1 - j.bit_count() if on[j] else -h for j in on}},
        )
    return made
