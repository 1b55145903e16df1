"""The arguments by kind, and four of them: cancellation, separation, attention evaluated, entropy. Floor 0.

Each returns the answer, the proved margin and the sentence that is proved, or refuses with the step that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from expressivity.certificate import rational, rational_text
from expressivity.errors import Refuted
from expressivity.verify.attention import attended
from expressivity.verify.blocks import block_obstruction
from expressivity.verify.claim import NIL, Argued, Claim, Tokens, fields_of, hold, items_of, scaled
from expressivity.verify.combination import Entry, balance, combined, terms_of
from expressivity.verify.enclosure import EXP_STEPS, ONE, exp_bounds, log_bounds
from expressivity.verify.least import fewest_contexts, fewest_features, largest_margin
from expressivity.verify.log_odds import matches, mismatches
from expressivity.verify.skipgrams import derived, ensemble, rank_at_least
from expressivity.verify.symmetry import represented


def _cancels(claim: Claim, proof: object) -> Argued:
    """Motzkin: multipliers, at least 0 and not all 0 on strict comparisons, under which every feature sums to 0."""
    listed, irreducible = fields_of(proof, "proof", "multipliers", "irreducible")
    used, _ = combined(claim, listed)
    balance(claim, "cancellation", terms_of(used))
    if not isinstance(irreducible, bool):
        raise Refuted("shape", "irreducible must be true or false")
    if irreducible and _span(claim, used) < len(used) - 1:
        raise Refuted("irreducibility", f"the {len(used)} comparisons were not found to span all dimensions but one")
    return "inexpressible", None, "no {name} decides the {contexts}"


def _span(claim: Claim, used: Iterable[Entry]) -> int:
    """A lower bound of the rank of comparisons. As a row sums to 0 over the outputs, the last one is left out."""
    rows: list[dict[Any, int]] = []
    entries, last = 0, list(claim.outputs)[-1]
    for number, y, z, _ in used:
        phi = derived(claim, claim.contexts[number][0])
        signs = [(out, sign) for out, sign in ((y, 1), (z, -1)) if out != last]
        rows.append({(feature, out): sign * value for feature, value in phi.items() for out, sign in signs})
        entries += len(rows[-1])
        hold(entries, 0)
    return rank_at_least(claim, rows)


def _separates(claim: Claim, proof: object) -> Argued:
    """Weights whose logits meet every comparison."""
    (entries,) = fields_of(proof, "proof", "weights")
    logits_of, common = ensemble(claim, entries)

    def context(tokens: Tokens) -> Callable[[str, str], tuple[int, int]]:
        logits = logits_of(tokens)
        return lambda y, z: (logits[y] - logits[z],) * 2

    margin = _compared(claim, context)
    return "expressible", None if margin is None else Fraction(margin, common), "a {name} decides the {contexts}"


def _attends(claim: Claim, proof: object) -> Argued:
    """Attention evaluated on every context: exactly for rational odds, by enclosure for real scores."""
    return "expressible", _compared(claim, attended(claim, proof)), "one {name} decides the {contexts}"


def _attends_alike(claim: Claim, proof: object) -> Argued:
    """The same, each context for all that permute and exchange its sources where no head sees it."""
    direct, heads, symmetries = fields_of(proof, "proof", "direct", "heads", "symmetries")
    margin = _compared(claim, attended(claim, {"direct": direct, "heads": heads}))
    many = rational_text(represented(claim, heads, symmetries))
    return "expressible", margin, f"one {{name}} decides {many} contexts, for which the {{contexts}} stand"


def _compared(claim: Claim, evaluated: Callable[[Tokens], Callable[[str, str], Any]]) -> Any:
    """Check what is asked against enclosures of the differences of logits; return the least that is proved positive.

    Of outputs that are above all others, one is compared with the rest of them and with the others.
    """
    margin = None
    for number, (tokens, asked) in enumerate(claim.contexts):
        difference = evaluated(tokens)
        for listed, tied in asked.groups:
            claim.spend(len(claim.outputs))
            first, *rest = sorted(listed)
            inside = [difference(y, first) for y in rest]
            if tied and any(low < 0 or high > 0 for low, high in inside):
                raise Refuted("tie", f"in context {number} the logits of {sorted(listed)!r} are not proved equal")
            least = min((low for low, _ in inside), default=0)
            for z in claim.outputs:
                if z not in listed:
                    gap = min(least, 0) - difference(z, first)[1]
                    if gap <= 0:
                        raise Refuted("margin", f"in context {number} the logit of {z!r} is not proved to be below")
                    margin = gap if margin is None else min(margin, gap)
    return margin


def _entropy(claim: Claim, proof: object) -> Argued:
    """Bounds in nats of the infimum over the class of Σ π CE(p, model): maximum entropy below, weights above."""
    lower, conditional, upper, entries = fields_of(proof, "proof", "lower", "conditional", "upper", "weights")
    if lower is None and upper is None:
        raise Refuted("model", "a bound needs at least one side")
    if not all(asked.chances for _, asked in claim.contexts):
        raise Refuted("task", "a context has several requirements or a top set: its cross-entropy is not defined")
    weights, _ = scaled(asked.weight for _, asked in claim.contexts)
    cases = [(tokens, asked.chances, weight) for (tokens, asked), weight in zip(claim.contexts, weights, strict=True)]
    if lower is not None:
        entropy, terms = 0, dict[tuple[int, str], Fraction]()
        listed = items_of(conditional, "conditional", len(cases))
        for number, ((_, p, weight), item) in enumerate(zip(cases, listed, strict=True)):
            r = claim.distribution(item, "moments")
            claim.spend(EXP_STEPS * len(r))
            entropy += weight * _ulps(-sum((v * log_bounds(v)[1] for v in r.values() if v), NIL))
            gaps = {(number, y): weight * (r.get(y, NIL) - p.get(y, NIL)) for y in {**r, **p}}
            terms |= {key: gap for key, gap in gaps.items() if gap}
        balance(claim, "moments", terms)
        if Fraction(entropy, ONE * sum(weights)) < rational(lower, "lower"):
            raise Refuted("lower bound", "the entropy is not proved to be that large")
    if upper is not None:
        loss, (logits_of, unit) = 0, ensemble(claim, entries)
        for tokens, p, weight in cases:
            claim.spend(EXP_STEPS * len(claim.outputs), unit.bit_length())
            logits = {y: Fraction(value, unit) for y, value in logits_of(tokens).items()}
            most = max(logits.values())
            mass = sum((exp_bounds(value - most)[1] for value in logits.values()), NIL)
            mean = sum((v * (logits[y] - most) for y, v in p.items()), NIL)
            loss -= weight * _ulps(mean - log_bounds(mass)[1])
        if Fraction(loss, ONE * sum(weights)) > rational(upper, "upper"):
            raise Refuted("upper bound", "the cross-entropy of the weights is not proved to be that small")
    sides = [f"{word} {bound}" for word, bound in (("at least", lower), ("at most", upper)) if bound is not None]
    return "bounds", None, f"the best {{name}} has a cross-entropy of {' and '.join(sides)} nats on the {{contexts}}"


def _ulps(value: Fraction) -> int:
    """In units of the enclosures, rounded down."""
    return value.numerator * ONE // value.denominator


ARGUMENTS = {
    "obstruction": _cancels,
    "separating_weights": _separates,
    "head_tables": _attends,
    "head_tables_by_symmetry": _attends_alike,
    "cross_entropy_bound": _entropy,
    "logit_weights": matches,
    "logit_obstruction": mismatches,
    "fewest_contexts": fewest_contexts,
    "fewest_features": fewest_features,
    "largest_margin": largest_margin,
    "block_obstruction": block_obstruction,
}
