"""Certificates written by hand are accepted, and what is said of them is what they prove."""

from __future__ import annotations

from fractions import Fraction

import pytest

from expressivity.verify import verify
from tests.verify.by_hand import CERTIFICATES

MARGINS = {  # the least of the differences worked out beside each certificate
    "weights/xor": Fraction(1),
    "weights/lengths-and-destinations": Fraction(1, 3),
    "weights/anywhere": Fraction(1),
    "weights/count": Fraction(1),
    "weights/tie": Fraction(1, 6),
    "weights/top-set": Fraction(1),
    # With A: a head with odds 1/8, 1, 1/8 on A, C, Q gives 4/5 to C; the other, with 8, 1, 1/8, gives 8/73.
    "heads/base-2": Fraction(4, 5) - Fraction(8, 73),
    "heads/odds": Fraction(4, 5) - Fraction(8, 73),
    # Odds 1/64, 1, 1/64: 32/33. Odds 64, 1, 1/64: 64/4161.
    "heads/additive-odds": Fraction(32, 33) - Fraction(64, 4161),
    "heads/none": Fraction(1, 7),
    "heads/tie": Fraction(1, 2),
    "symmetry/majority": Fraction(1, 2),  # 1/4 on T and as much off F
    "symmetry/positions": Fraction(1, 8),
    "symmetry/tie": Fraction(1),
    "symmetry/none": Fraction(1, 7),
}
TEXTS = {
    "obstruction/xor": "no skip-trigram ensemble (positions absolute) decides the 4 contexts",
    "obstruction/xor-bigram": "no bigram ensemble (positions absolute) decides the 2 contexts",
    "obstruction/anywhere-every-order": (
        "no skip-n-gram ensemble of any order (positions anywhere) decides the 2 contexts"
    ),
    "obstruction/contradiction": "no skip-n-gram ensemble of any order (positions absolute) decides the 1 context",
    "obstruction/one-head": "no layer of attention with 1 head (embedding joint) decides the 4 contexts",
    "obstruction/any-heads-tokens": (
        "no layer of attention with any number of heads (embedding tokens) decides the 2 contexts"
    ),
    "weights/xor": "a skip-4-gram ensemble (positions absolute) decides the 4 contexts",
    "heads/width-1": "one layer of attention with 2 heads (embedding joint, d_head 1) decides the 4 contexts",
    "symmetry/majority": (
        "one layer of attention with 1 head (embedding tokens, d_head 1) decides 64 contexts, "
        "for which the 4 contexts stand"
    ),
    "symmetry/positions": (
        "one layer of attention with 1 head (embedding joint) decides 8 contexts, for which the 6 contexts stand"
    ),
    "symmetry/tie": (
        "one layer of attention with 1 head (embedding additive) decides 9 contexts, for which the 3 contexts stand"
    ),
    "symmetry/none": (
        "one layer of attention with 0 heads (embedding tokens) decides 4 contexts, for which the 3 contexts stand"
    ),
    "logits/matched": "a skip-trigram ensemble (positions absolute) has the stated probabilities on the 4 contexts",
    "logits/in-the-limit": (
        "a skip-4-gram ensemble (positions absolute) has the stated probabilities on the 4 contexts "
        "in the limit of unbounded weights"
    ),
    "logits/every-order": (
        "no skip-n-gram ensemble of any order (positions count) has the stated probabilities on the 2 contexts, "
        "even in the limit"
    ),
    "entropy/xor": (
        "the best skip-trigram ensemble (positions absolute) has a cross-entropy of "
        "at least 693147180559/1000000000000 and at most 8664339757/12500000000 nats on the 4 contexts"
    ),
    "entropy/xor-upper": (
        "the best skip-4-gram ensemble (positions absolute) has a cross-entropy of at most 21/10000000000 nats "
        "on the 4 contexts"
    ),
    "contexts/groups": "a skip-trigram ensemble (positions absolute) decides any 3 of the 7 contexts",
    "features/count": (
        "a skip-4-gram ensemble (positions count) that decides the 3 contexts has at least 2 features besides constants"
    ),
    "features/tie": (
        "a skip-trigram ensemble (positions anywhere) that decides the 2 contexts "
        "has at least 1 feature besides constants"
    ),
    "margin/count": (
        "no skip-4-gram ensemble (positions count) with weights between -1 and 1 decides the 3 contexts "
        "by a margin over 1/2"
    ),
    "block/selector": "no layer of attention with 2 heads (embedding joint) decides the 128 contexts",
    "block/nine-bits": "no layer of attention with 2 heads (embedding additive) decides the 160 contexts",
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_it_holds(name: str) -> None:
    statement = verify(CERTIFICATES[name])
    answers = {
        "obstruction": "inexpressible",
        "separating_weights": "expressible",
        "head_tables": "expressible",
        "head_tables_by_symmetry": "expressible",
        "cross_entropy_bound": "bounds",
        "logit_weights": "expressible",
        "logit_obstruction": "inexpressible",
        "fewest_contexts": "bounds",
        "fewest_features": "bounds",
        "largest_margin": "bounds",
        "block_obstruction": "inexpressible",
    }
    assert statement.answer == answers[CERTIFICATES[name]["kind"]]
    assert statement.contexts == len(CERTIFICATES[name]["task"]["contexts"])


@pytest.mark.parametrize("name", MARGINS)
def test_its_margin_is_the_one_worked_out(name: str) -> None:
    assert verify(CERTIFICATES[name]).margin == MARGINS[name]


def test_the_scores_of_the_post_lose_next_to_nothing() -> None:
    margin = verify(CERTIFICATES["heads/post"]).margin
    assert margin is not None
    assert 1 - Fraction(1, 2**200) < margin <= 1


@pytest.mark.parametrize("name", TEXTS)
def test_it_says_what_it_proves(name: str) -> None:
    assert verify(CERTIFICATES[name]).text == TEXTS[name]
