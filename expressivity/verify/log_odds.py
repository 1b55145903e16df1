"""Log-odds matched exactly or not at all: logarithms of rationals as vectors over coprime integers. Floor 0.

Logarithms of pairwise coprime integers above 1 are linearly independent over the rationals, because a product of
powers of them is 1 only if every exponent is 0. So what holds of log-odds holds of their exponents, one base at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import gcd

from expressivity.certificate import rational
from expressivity.errors import Refuted
from expressivity.verify.claim import Argued, Asked, Claim, fields_of, items_of, scaled
from expressivity.verify.combination import balance, entries, terms_of
from expressivity.verify.skipgrams import ensemble


def _factoring(claim: Claim, given: object) -> tuple[int, Callable[[Fraction], list[int]]]:
    """How many bases there are, and the function from a ratio to its exponents over them."""
    bases = [rational(base, "a base") for base in items_of(given, "bases")]
    claim.spend(20 * len(bases) ** 2, max((b.numerator.bit_length() for b in bases), default=0))
    whole_bases = [base.numerator for base in bases if base.denominator == 1 and base > 1]
    if len(whole_bases) < len(bases) or any(gcd(a, b) > 1 for a, b in combinations(whole_bases, 2)):
        raise Refuted("bases", "the bases must be integers above 1, pairwise coprime")
    known: dict[Fraction, list[int]] = {}

    def exponents(ratio: Fraction) -> list[int]:
        if ratio not in known:
            found, left = [], [ratio.numerator, ratio.denominator]
            claim.spend(20 * len(bases) * (1 + sum(n.bit_length() for n in left)), max(n.bit_length() for n in left))
            for base in whole_bases:
                count = 0
                for side, step in ((0, 1), (1, -1)):
                    while left[side] % base == 0:
                        left[side] //= base
                        count += step
                found.append(count)
            if left != [1, 1]:
                raise Refuted("bases", "a ratio of probabilities is no product of powers of the bases")
            known[ratio] = found
        return known[ratio]

    return len(bases), exponents


def _chances(asked: Asked) -> dict[str, Fraction]:
    """The positive probabilities asked for."""
    if not asked.chances:
        raise Refuted("task", "a context has several requirements or a top set: it asks for no distribution")
    return {y: p for y, p in asked.chances.items() if p}


def matches(claim: Claim, proof: object) -> Argued:
    """Weights that are rational combinations of logarithms give all log-odds; a direction takes the rest to 0."""
    bases, listed, direction = fields_of(proof, "proof", "bases", "weights", "direction")
    many, exponents = _factoring(claim, bases)
    parts = [ensemble(claim, weights) for weights in items_of(listed, "weights", many)]
    towards, _ = ensemble(claim, direction)
    limit = False
    for number, (tokens, asked) in enumerate(claim.contexts):
        chances = _chances(asked)
        first, *others = chances
        logits, goal = [(logits_of(tokens), unit) for logits_of, unit in parts], towards(tokens)
        for y in others:
            wanted = exponents(chances[first] / chances[y])
            for (own, unit), exponent in zip(logits, wanted, strict=True):
                if own[first] - own[y] != exponent * unit:
                    raise Refuted("log-odds", f"in context {number} those of {first!r} and {y!r} are not the task's")
        for z in claim.outputs:
            limit = limit or z not in chances
            if goal[first] != goal[z] if z in chances else goal[first] <= goal[z]:
                raise Refuted("limit", f"in context {number} the direction is wrong for {first!r} and {z!r}")
    ending = " in the limit of unbounded weights" if limit else ""
    return "expressible", None, f"a {{name}} has the stated probabilities on the {{contexts}}{ending}"


def mismatches(claim: Claim, proof: object) -> Argued:
    """Fredholm and Motzkin: comparisons that cancel in every feature, while their log-odds do not or grow for ever."""
    bases, listed = fields_of(proof, "proof", "bases", "multipliers")
    many, exponents = _factoring(claim, bases)
    total, grows = [Fraction(0)] * many, False
    used = entries(claim, listed)
    for (number, y, z, _), multiplier in zip(used, scaled(m for *_, m in used)[0], strict=True):
        claim.spend(many)
        chances = _chances(claim.contexts[number][1])
        if y == z or y not in chances:
            raise Refuted("comparison", f"{y!r} is compared with itself, or its probability in context {number} is 0")
        if z in chances:
            odds = exponents(chances[y] / chances[z])
            total = [sum_ + multiplier * e for sum_, e in zip(total, odds, strict=True)]
        elif multiplier <= 0:
            raise Refuted("sign", f"{z!r} has probability 0 in context {number}, so its multiplier must be positive")
        grows = grows or z not in chances
    balance(claim, "cancellation", terms_of(used))
    if not grows and not any(total):
        raise Refuted("log-odds", "the log-odds cancel as well, so that nothing is contradicted")
    return "inexpressible", None, "no {name} has the stated probabilities on the {contexts}, even in the limit"
