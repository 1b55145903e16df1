"""A head that copies the previous token, in one layer, over every context of up to 64 sources.

The head attends to the source before its destination with the odds 2^16, to everything else with 1, and copies what
it sees. Scores by relative position are tables over two positions, so the embedding is the ordinary sum of tokens and
positions.

*Proof.* Behind T sources there are T + 1 places, one with the odds K = 2^16, and T with 1. The logit of a token is its
share of the odds. So the previous token b has at least K of K + T, any other token at most T, and

    logit_b − logit_y ≥ (K − T)/(K + T),

with equality if y stands everywhere else, as in y … y b y. That falls in T; at T = 64 it is 1023/1025. ∎
"""

from fractions import Fraction

from expressivity.attention import Interval
from expressivity.dsl import Construction, Proof, copy, previous
from expressivity.errors import InputError
from expressivity.task import Context, Task

LENGTH, SCORE = 64, 16
ODDS = 2**SCORE


def previous_token(v: int) -> Construction:
    """Copies the previous token, among V tokens, after up to 64 sources."""
    if not 2 <= v <= LENGTH:
        raise InputError(f"found {v} tokens; expected 2 to {LENGTH}")
    tokens = [str(i) for i in range(v)]
    pairs = [(tokens[n % v], tokens[(n + 1) % v]) for n in range(LENGTH)]
    worst = [[y] * n + [b, y] for n, (b, y) in enumerate(pairs)]
    task = Task(worst, [b for b, _ in pairs], outputs=tokens, name=f"previous token of {v}")

    def proof() -> Proof:
        bounds = [Fraction(ODDS - t, ODDS + t) for t in range(1, LENGTH + 1)]
        least = min(bounds)
        return Proof(
            claim=f"copies the previous token, of {v}, behind 1 to {LENGTH} sources",
            contexts=sum(v ** (t + 1) for t in range(1, LENGTH + 1)),
            cases=len(bounds),
            least=Interval(least, least),
            where=f"{1 + bounds.index(least)} sources, every other token the same",
            witness=Context(worst[bounds.index(least)]),
        )

    return (
        Construction(f"previous_token:{v}", task=task)
        .head("previous token", scores={previous: SCORE}, base=2, writes=copy)
        .proved_by(proof)
    )
