"""What any proof or any model must have at least: contexts, features, or weights for a margin. Floor 0.

Two of the arguments end in sets each of which must be met: then the least number of elements that meet all of them is
a bound. An element is written as the bit mask of the sets that hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any

from expressivity.certificate import rational
from expressivity.errors import Refuted
from expressivity.verify.claim import Argued, Asked, Claim, fields_of, hold, items_of, whole
from expressivity.verify.combination import coefficients, combined, terms_of
from expressivity.verify.skipgrams import ensemble


def fewest_contexts(claim: Claim, proof: object) -> Argued:
    """Any few contexts are decided: of each group of them, that is of one constant, by some of the listed weights."""
    given, listed = fields_of(proof, "proof", "least", "separators")
    least, many = whole(given, "least", 2), len(items_of(listed, "separators"))
    separators = [ensemble(claim, weights)[0] for weights in listed]
    groups: dict[tuple[str, int], list[int]] = {}
    hold(len(claim.contexts), many)
    for tokens, asked in claim.contexts:
        claim.spend(many * (1 + (many >> 10)))
        missed = sum(1 << j for j, logits_of in enumerate(separators) if not _met(claim, asked, logits_of(tokens)))
        groups.setdefault((tokens[-1], len(tokens) * (claim.positions == "absolute")), []).append(missed)
    if least > len(claim.contexts) or not all(_takes(claim, group, many, least) for group in groups.values()):
        raise Refuted("least", f"any {least - 1} contexts are not proved to be decided, or there are no {least}")
    return "bounds", None, f"a {{name}} decides any {least - 1} of the {{contexts}}"


def _met(claim: Claim, asked: Asked, logits: Mapping[str, int]) -> bool:
    """Whether the logits of a context are as asked."""
    claim.spend(2 * len(logits) * len(asked.groups))
    for listed, tied in asked.groups:
        inside = {logits[y] for y in listed}
        least = min(inside)
        if (tied and len(inside) > 1) or any(value >= least for z, value in logits.items() if z not in listed):
            return False
    return True


def fewest_features(claim: Claim, proof: object) -> Argued:
    """A model that decides the task has a weight on some feature of each combination of comparisons."""
    given, listed = fields_of(proof, "proof", "least", "combinations")
    least, elements = whole(given, "least", 1), dict[Any, int]()
    for j, multipliers in enumerate(items_of(listed, "combinations")):
        columns, _ = coefficients(claim, terms_of(combined(claim, multipliers)[0]))
        left = {feature for column in columns.values() for feature, total in column.items() if total}
        if not left or any(feature[-1] == () for feature in left):
            raise Refuted("cancellation", f"combination {j} leaves no feature, or one without sources")
        claim.spend(len(left) * (1 + (j >> 10)))
        for feature in left:
            elements[feature] = elements.get(feature, 0) | 1 << j
        hold(len(elements), j)
    if not _takes(claim, elements.values(), len(listed), least):
        raise Refuted("least", f"fewer than {least} features meet all of the combinations")
    some = f"{least} feature{'' if least == 1 else 's'}"
    return "bounds", None, f"a {{name}} that decides the {{contexts}} has at least {some} besides constants"


def largest_margin(claim: Claim, proof: object) -> Argued:
    """Σ λ (ℓ_y − ℓ_z) is at least the margin times Σ λ, and at most the sum of what is left of each weight."""
    given, listed = fields_of(proof, "proof", "margin", "multipliers")
    used, strict = combined(claim, listed)
    columns, common = coefficients(claim, terms_of(used))
    most = Fraction(sum(abs(total) for column in columns.values() for total in column.values()), common)
    if most > strict * rational(given, "margin"):
        raise Refuted("margin", "the multipliers do not exclude a larger margin")
    text = f"no {{name}} with weights between -1 and 1 decides the {{contexts}} by a margin over {given}"
    return "bounds", None, text


def _takes(claim: Claim, elements: Iterable[int], many: int, least: int) -> bool:
    """Whether fewer elements than ``least`` never meet all of so many sets. Exact.

    Sets that no chain of elements links are met apart, so that their numbers add up.
    """
    left, total, grain = {*elements} - {0}, 0, 1 + (many >> 10)
    if reduce(or_, left, 0) + 1 != 1 << many:
        return True  # a set without elements is not met at all
    while left and total < least:
        part, union = set[int](), min(left)
        while linked := {element for element in left if element & union}:
            claim.spend(5 * grain * len(left))
            left, part, union = left - linked, part | linked, reduce(or_, linked, union)
        few = 0
        while total + few < least and not _suffice(claim, part, union, few):
            few += 1
        total += few
    return total >= least


def _suffice(claim: Claim, elements: Iterable[int], unmet: int, few: int) -> bool:
    """Whether so few elements meet all the sets: branch and bound on the element that meets most, which is in or out.

    The bound: a set costs 1/n if n is the most unmet sets, itself among them, that one element meets. What an element
    meets then costs 1 at most, so that at least as many are needed as all sets cost together.
    """
    stack = [([*elements], unmet, few)]
    while stack:
        listed, unmet, few = stack.pop()
        if not unmet:
            return True
        claim.spend(5 * (2 + len(listed)) * (1 + (unmet.bit_length() >> 10)))
        listed = sorted({element & unmet for element in listed}, key=int.bit_count, reverse=True)
        hold(len(listed) * (few + 1), unmet.bit_length())
        rest, cost = unmet, 0  # in units of 2**-32, rounded down
        for element in listed:
            cost += ((element & rest).bit_count() << 32) // (element.bit_count() or 1)
            rest &= ~element
        if not rest and cost <= few << 32:
            stack += [(listed[1:], unmet, few), (listed[1:], unmet & ~listed[0], few - 1)]
    return False
