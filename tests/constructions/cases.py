"""The gallery as one table: what each construction is, with its least margin worked out by hand.

Every test of ``test_gallery.py`` runs over all of it. A construction of one layer that is added gets a line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

R = Fraction(2**20)
LENGTHS = (1, 8, 64)
TWO_KINDS = sum(2**length for length in LENGTHS)  # contexts of each destination: 0 or another token, anywhere
PRESENT = sum(8**length - 7**length for length in LENGTHS)  # of eight tokens, with 0 among them
SIGNALS = 2016 * 4**2 * 7**62  # two of 64 places, a signal in each, noise elsewhere


@dataclass(frozen=True)
class Case:
    """A member of the gallery.

    Attributes:
        name: as ``build`` takes it.
        contexts, heads: how many.
        d_head: the least width of its tables.
        margin: the least exact margin; for real scores the text that describes it.
        embedding: the narrowest.
        shown: the width that a certificate shows, where that is not ``d_head``: 0 is none.
        witness: for real scores a context that has the least margin.
    """

    name: str
    contexts: int
    heads: int
    d_head: int
    margin: Fraction | int | str
    embedding: str = "tokens"
    shown: int | None = None
    witness: str = ""


def copying(length: int) -> Fraction:
    """2^10 (1/Y − 1/Z), which falls in the number of sources and rises in the number of 0 among them."""
    return Fraction(2**10, 2**10 + length) - Fraction(2**10, 2**10 + length - 1 + 2**20)


def differing() -> Fraction:
    """The least |11 + Σ N/D| on the 256 contexts, N and D as in the docstring of the construction."""
    heads = [
        ((3, 3, 2, 3, 1, 2, 2, 3), (-29, 37, -27, 20, 74, -10, -29, 20), -74),
        ((1, 3, 1, 1, 1, 1, 1, 1), (-17, -57, -29, -63, -30, 4, -32, -63), 74),
        ((1, 1, 3, 2, 2, 2, 3, 2), (74, 74, 31, 15, -13, 0, 33, 15), -74),
    ]
    logits = []
    for bits in product((0, 1), repeat=8):
        chosen = [[(a, a * u) for a, u, bit in zip(of, values, bits, strict=True) if bit] for of, values, _ in heads]
        shares = [
            Fraction(n + sum(v for _, v in on), 1 + sum(a for a, _ in on))
            for on, (*_, n) in zip(chosen, heads, strict=True)
        ]
        many = sum(a != b for a, b in zip(bits[:4], bits[4:], strict=True))
        logits.append((11 + sum(shares)) * (1 if many >= 2 else -1))
    return min(logits)


def subsets(h: int, length: int) -> Fraction:
    """S = {1} against {1, 2}: α − (2H − 1)β, least where all sources are 0, with α = TR/(TR + 1) and β = T/(T + R)."""
    return length * R / (length * R + 1) - (2 * h - 1) * length / (length + R)


def width_one(k: int, length: int) -> Fraction:
    """k against k − 1, one 0: βr(1 − 2(k − x)) with r = δ/(δ + T) and k − x = k(k − 1)δ/(kδ + T)."""
    delta = Fraction(1, 256 * k * k)
    return 130 / (delta + length) * (1 - 2 * k * (k - 1) * delta / (k * delta + length))


CASES = [
    # 1/(1 + 2ε) − ε/(1 + ε + ε²) with ε = e^(−10000).
    Case("two_head_xor", 4, 2, 1, "1 − 3.406e-4343", witness="A C Q"),
    *(Case(f"parity:{k}", 2**k, k, 1, 1) for k in range(1, 7)),  # scaled to 1
    Case("symmetric:0000", 8, 0, 1, 1),
    Case("symmetric:00100", 16, 2, 1, 1),
    Case("symmetric:10110", 16, 3, 1, 1),
    *(Case(f"one_head_reciprocal:{t}", 2**t, 1, 1, Fraction(1, t + 2)) for t in (1, 2, 5, 64)),
    # ⌊2^20 ln 2⌋ = 726817: "cat" follows "the" twice, "mat" once.
    Case("bigrams:the cat sat on the mat and the cat ran", 13, 0, 1, Fraction(726817, 2**20)),
    # Eight sources, one judge and one doctor: D = 15, 32/15 for either noun, 2 for the bigram.
    Case("noun_head", 2 * sum(6**t for t in range(1, 9)), 1, 2, Fraction(32, 15) - 2),
    Case("skip_trigram_bugs", 6 * sum(4**t for t in (1, 2, 4, 8)), 1, 3, 1),  # mind over bay by the direct path alone
    *(Case(f"ov_incoherent_literal:{k}", TWO_KINDS * k, 2, k - 1, copying(64), shown=k) for k in (2, 3, 5)),
    *(Case(f"ov_incoherent_width_two:{k}", TWO_KINDS * k, 2, min(2, k - 1), copying(64), shown=2) for k in (2, 3, 8)),
    *(Case(f"ov_incoherent_one_length:{k}", 2 * k, 1, min(2, k - 1), 1, shown=2) for k in (2, 3, 8)),
    # 2p − 1 with p = 1/(1 + 64·e^(−101)): 1 − 128·e^(−101).
    Case("ov_incoherent_printed", 3 * PRESENT, 2, 1, "1 − 1.752e-42", witness="0 " + "7 " * 63 + "1"),
    *(Case(f"ov_incoherent_subsets:{h}", TWO_KINDS * (2**h - 1), h, 1, subsets(h, 64)) for h in (2, 3)),
    *(Case(f"ov_incoherent_width_one:{k}", TWO_KINDS * k, 2, 1, width_one(k, 64)) for k in (3, 7)),
    # Z = 2·2^40 + L − 1: 4 against 3; with the mean of the rows, L − 1 others add 1 − 3/4 each.
    Case("ov_coherent_printed:64", SIGNALS, 1, 4, Fraction(2**40, 2**41 + 63)),
    Case("ov_coherent_width_three:64", SIGNALS, 1, 3, (2**40 + Fraction(63, 4)) / (2**41 + 63)),
    Case("ov_coherent_width_one:64", SIGNALS, 1, 1, 1),
    Case("ov_coherent_without_bias:64", SIGNALS, 1, 2, 1),
    Case("ov_coherent_two_narrow:64", SIGNALS, 2, 1, 1),
    # Signals 1, 2 against 1, 1, with 63 others of odds 10^(−6).
    Case("ov_coherent_inverted:3", SIGNALS, 2, 1, 3 / (4 + Fraction(63, 10**6)) - Fraction(1, 2)),
    Case("hamming_threshold", 256, 3, 1, differing(), "additive"),
    Case("any_task:xor", 4, 3, 1, 1, "joint"),
    Case("any_task:parity:3", 8, 7, 1, 1, "joint"),
    Case("any_task:ov-incoherent:3", 6, 1, 2, 1, "joint", shown=0),  # ties between rational odds have no rank
]
