"""The induction head: after … a b … a it predicts b, at every length up to 64, over a vocabulary of V.

Two layers (Elhage et al. 2021). The head of layer 0 attends to the previous token and writes it into the subspace
``prev``. The head of layer 1 looks for the destination's token a in ``prev``, that is, for what came right after an a
(K-composition), and copies it. Position 0 has no previous token: there the first head sees a itself, so a negative
score takes that position out. QK and OV are 20 and 1 times the identity on tokens; all their eigenvalues are positive.

*Claim.* Let x_0 … x_T be a context of 1 ≤ T ≤ 64 sources and the destination x_T = a, where a occurs among the sources
and is followed by b each time. Then logit_b exceeds every other logit by more than 0.9999997.

*Proof.* Let E = e^20, and let a occur m ≥ 1 times among the sources. Position s ≥ 1 sees its predecessor with the
weight E/(E + s), the s other places up to itself with 1/(E + s) each. So it carries a in ``prev`` to a degree of

    at least E/(E + T)       if x_{s−1} = a: call s *matched*; there are m such places, and they hold b;
    at most (m + 1)/E        if not, as a occurs m + 1 times in all, the destination included.

Position 0 carries a to the degree 1 if it holds a, else 0, less 1 for its score. The logits are shares of
e^{20·degree}. Write W and w for the bounds e^{20·E/(E+T)} and e^{20·(m+1)/E} of the two kinds, B, Y and O for what b, a
rival y and all other tokens receive. Then logit_b − logit_y = (B − Y)/(B + Y + O), which rises with B and falls with Y
and, where it is positive, with O. And B ≥ mW. It remains to count the T + 1 − m places that are not matched.

    b = a: a fills every place from its first on, and that one is not matched. Before it are T − m places; one of them,
           if there are any, is position 0, which does not hold a and counts less than w/E. So Y and Y + O are at most
           (T − m − 1 + 1/E)w, or 0 if m = T.
    b ≠ a: the m + 1 places of a are not matched, so 2m ≤ T. Y + O ≤ (T + 1 − m)w, and Y ≤ (m + 1)w if the rival is a,
           Y ≤ (T − 2m)w if it is a third token.

So with numbers r for Y and n for Y + O the margin is at least (mW − rw)/(mW + nw): one number for each T, m and kind of
rival, some thousands in all, enclosed in ball arithmetic. The least belongs to T = 64, m = 1 and a third token, and the
context a b y … y a comes within 10^−12 of it. ∎

Nothing here depends on V, but that two tokens leave no third. All weights are whole numbers that float32 holds, and
beside margins near 1 its rounding is nothing. The width of the heads is the larger of 64, for positions, and V.
"""

from collections.abc import Iterator

from flint import arb, fmpq

from expressivity.attention import Interval, layered_enclosed_margins
from expressivity.dsl import Construction, Proof, copy, match, previous
from expressivity.errors import InputError
from expressivity.task import Task

LENGTH, SCORE, MOST_TOKENS = 64, 20, 100


def induction(v: int) -> Construction:
    """Predicts what followed the last token before, among V tokens, after up to 64 sources, in two layers."""
    if not 2 <= v <= MOST_TOKENS:
        raise InputError(f"found {v} tokens; expected 2 to {MOST_TOKENS}")
    task = hard_contexts([str(i) for i in range(v)])
    construction = (
        Construction(f"induction:{v}", task=task)
        .head("previous token", scores={previous: SCORE}, writes_to="prev")
        .head("induction", layer=1, reads_keys="prev", scores={match: SCORE, 0: -SCORE}, writes=copy)
    )
    return construction.proved_by(lambda: proof(construction, v))


def hard_contexts(tokens: list[str]) -> Task:
    """For each length: a single match, at the destination or before it, and one rival in every other place."""
    found: list[tuple[list[str], str]] = []
    for length in range(1, LENGTH + 1):
        a, b, y = (tokens[(3 * length + k) % len(tokens)] for k in range(3))
        found.append(([b] * (length - 1) + [a, a], a))
        if length > 1:
            rivals = [b if y == a else y] * (length - 2)  # of two tokens there is no third
            found.append(([a, b, *rivals, a], b))
        if length > 2:
            found.append(([*rivals, a, b, a], b))
    contexts, labels = zip(*found, strict=True)
    return Task(contexts, labels, outputs=tokens, name=f"repeated bigrams of {len(tokens)} tokens")


def proof(construction: Construction, v: int) -> Proof:
    """The least margin over all contexts of the claim."""
    bounds = [(bound(t, m, r, n), t, m, kind) for t in range(1, LENGTH + 1) for m, r, n, kind in cases(t, v)]
    least, t, m, kind = min(bounds, key=lambda entry: entry[0].lower)
    longest = construction.task.restrict([i for i, c in enumerate(construction.task.contexts) if c.length == LENGTH])
    margins = zip(layered_enclosed_margins(construction.layered(), longest), longest.comparisons(), strict=True)
    attained, comparison = min(margins, key=lambda found: found[0].upper)
    return Proof(
        claim=f"predicts what has always followed the last token, one of {v}, among 1 to {LENGTH} sources",
        contexts=n_contexts(v),
        cases=len(bounds),
        least=Interval(least.lower, attained.upper),
        where=f"{t} sources, {m} of them the last token, {kind}",
        witness=longest.contexts[comparison.context],
    )


def cases(t: int, v: int) -> Iterator[tuple[int, fmpq, fmpq, str]]:
    """For t sources and v tokens: m, what the rival has of w, what it and all but b have of it, and the case."""
    last = fmpq(1, 2**28)  # more than 1/E
    for m in range(1, t + 1):
        free = t - m - 1 + last if m < t else fmpq(0)
        yield m, free, free, "the last token itself followed it"
        if 2 * m <= t:
            yield m, fmpq(m + 1), fmpq(t + 1 - m), "it is the rival"
            if v > 2:
                yield m, fmpq(t - 2 * m), fmpq(t + 1 - m), "the rival is a third token"


def bound(t: int, m: int, r: fmpq, n: fmpq) -> Interval:
    """(mW − rw)/(mW + nw), enclosed."""
    far = arb(SCORE).exp()
    ratio = (SCORE * ((m + 1) / far - far / (far + t))).exp()  # w/W
    return Interval.of((m - r * ratio) / (m + n * ratio))


def n_contexts(v: int, longest: int = LENGTH) -> int:
    """How many contexts the claim is about.

    With b = a: v tokens, and T − m others before. With b ≠ a: v(v − 1) pairs, and sources cut into single tokens other
    than a and the pair a b, less those without the pair.
    """
    total, cut, before = 0, 1, 0
    for t in range(1, longest + 1):
        cut, before = (v - 1) * cut + before, cut
        total += v * sum((v - 1) ** k for k in range(t)) + v * (v - 1) * (cut - (v - 1) ** t)
    return total
