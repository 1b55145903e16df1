"""Two previous-token heads in a row copy the token before the previous one: a virtual head, by V-composition.

Both heads attend to the place before their destination with the odds 2^16, to everything else with 1. The first writes
what it sees into the subspace ``prev``; the second reads its values there. Neither attends two places back, their
product does (Elhage et al. 2021, "virtual attention heads"). Scores depend on positions alone, so every logit is
rational.

*Proof.* Behind T ≥ 2 sources the logit of a token is the sum of the product's shares over the places that hold it; the
shares of all places sum to 1. Let the place T − 2 have the share p and hold b. So b has at least p, any other token at
most 1 − p, and

    logit_b − logit_y ≥ 2p − 1,

with equality if y stands everywhere else, as in y … y b y y. With K = 2^16, the first head gives T − 2 the share K/(K +
T − 1) at T − 1 and 1/(K + T) at T, the second reads these with the shares K/(K + T) and 1/(K + T), and T − 2 with
1/(K + T), where the first head gives the place itself 1/(K + T − 2) (1 if T = 2):

    p = (K²/(K + T − 1) + 1/(K + T) + 1/(K + T − 2)) / (K + T)        for T > 2.

That is smallest at T = 64. ∎
"""

from fractions import Fraction

from expressivity.attention import Interval
from expressivity.dsl import Construction, Proof, copy, previous
from expressivity.errors import InputError
from expressivity.task import Context, Task

LENGTH, SCORE = 64, 16
ODDS = 2**SCORE


def virtual_head(v: int) -> Construction:
    """Copies the token before the previous one, among V tokens, after 2 to 64 sources."""
    if not 2 <= v <= LENGTH:
        raise InputError(f"found {v} tokens; expected 2 to {LENGTH}")
    tokens = [str(i) for i in range(v)]
    pairs = [(tokens[n % v], tokens[(n + 1) % v]) for n in range(LENGTH - 1)]
    worst = [[y] * n + [b, y, y] for n, (b, y) in enumerate(pairs)]
    task = Task(worst, [b for b, _ in pairs], outputs=tokens, name=f"token before the previous one of {v}")

    def proof() -> Proof:
        bounds = [2 * share(t) - 1 for t in range(2, LENGTH + 1)]
        least = min(bounds)
        return Proof(
            claim=f"copies the token before the previous one, of {v}, behind 2 to {LENGTH} sources",
            contexts=sum(v ** (t + 1) for t in range(2, LENGTH + 1)),
            cases=len(bounds),
            least=Interval(least, least),
            where=f"{2 + bounds.index(least)} sources, every other token the same",
            witness=Context(worst[bounds.index(least)]),
        )

    return (
        Construction(f"virtual_head:{v}", task=task)
        .head("previous token", scores={previous: SCORE}, base=2, writes_to="prev")
        .head("again", layer=1, scores={previous: SCORE}, base=2, reads_values="prev", writes=copy)
        .proved_by(proof)
    )


def share(t: int) -> Fraction:
    """What two steps back receives behind t sources."""
    here = Fraction(1, ODDS + t - 2) if t > 2 else Fraction(1)
    return (ODDS * Fraction(ODDS, ODDS + t - 1) + Fraction(1, ODDS + t) + here) / (ODDS + t)
