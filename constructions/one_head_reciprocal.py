"""One head whose logits are those of no short skip-n-gram ensemble: 1/(2 + the number of ones).

The task: T sources ``0`` or ``1``, the destination ``=``; the answer is always 1. Bigrams do that. What they do
not do, and no skip-n-gram ensemble with n < T + 2 does, is to have the logits that this head has.

*Construction.* Odds 1/T on ``0``, 1 + 1/T on ``1``, 1 on the destination, which alone writes: 1 to output 1.

*Proof.* Let s be the number of ones. The odds sum to T·(1/T) + s + 1 = 2 + s, so logit_1 − logit_0 = 1/(2 + s),
the least of which is 1/(T + 2). Scores and values depend on tokens alone, at one destination, and one token
writes: the width is 1.

*No ensemble.* A feature of a skip-n-gram ensemble, ``absolute`` or ``count``, is a polynomial in the bits of
degree n − 2 at most. If that is below T, the alternating sum Σ_x (−1)^(T − s(x)) f(x) over all contexts is 0
for every combination f of features. For the head it is

    Σ_s C(T, s) (−1)^(T − s) / (2 + s) = (−1)^T ∫₀¹ u (1 − u)^T du = (−1)^T / ((T + 1)(T + 2)) ≠ 0,

since 1/(2 + s) = ∫ u^(1 + s) du. At n = T + 2 there is a feature for each set of ones, so every function of the
bits is a combination. ∎

Multiplied by L·ln 2, with L the least common multiple of 2 … T + 2, these logits belong to rational
probabilities, 2^(L/(2 + s)) to 1: :func:`probabilities` is the task that asks for them, and ``decide(…,
level="logits")`` refutes it at n = T + 1 and affirms it at n = T + 2, with certificates.
"""

from fractions import Fraction
from math import lcm

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Distribution, Domain, Task, bits


def one_head_reciprocal(t: int) -> Construction:
    """One head whose logit 1/(2 + ones) no skip-n-gram ensemble with n < T + 2 has (after Shlegeris 2022; T5)."""
    domain = Domain(
        f"always 1:{t}",
        kinds=("0", "1"),
        length=_checked(t, 64),
        destinations="=",
        ask=lambda _, counts: "1",
        outputs=("0", "1"),
    )
    return Construction(f"one_head_reciprocal:{t}", task=domain).head(
        "reciprocal of 2 + ones",
        at="=",
        odds={"0": Fraction(1, t), "1": 1 + Fraction(1, t)},
        writes={"=": "1"},
    )


def probabilities(t: int) -> Task:
    """The soft task whose log-odds are L·ln 2 times the head's logits; rational, since L/(2 + s) is whole."""
    contexts = bits("1" * 2 ** _checked(t, 10)).contexts
    common = lcm(*range(2, t + 3))
    odds = {s: 2 ** (common // (2 + s)) for s in range(t + 1)}
    asked = [Distribution({"1": Fraction(a, a + 1), "0": Fraction(1, a + 1)}) for a in odds.values()]
    return Task(contexts, [asked[context.sources.count("1")] for context in contexts], name=f"reciprocal:{t}")


def _checked(t: int, most: int) -> int:
    if not 1 <= t <= most:
        raise InputError(f"found T = {t}; expected 1 to {most}")
    return t
