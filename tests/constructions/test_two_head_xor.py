"""The two-head XOR, with its printed scores."""

from __future__ import annotations

from fractions import Fraction

from expressivity.attention import enclosed_margins
from expressivity.heads.gallery import load_construction


def test_the_margins_of_the_post_are_equal() -> None:
    # 1 − 3·e^(−10000) + …: within 10^-15 of 1, in all four contexts.
    construction = load_construction("two_head_xor")
    for interval in enclosed_margins(construction.tables(), construction.task):
        assert abs(interval.lower - 1) < Fraction(1, 10**15)
