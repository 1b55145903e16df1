"""The printed weights of two heads of width 1 for three skip-trigrams of one source (Circuits Updates, May 2023).

Eight tokens, the identity as embedding and unembedding: ``0`` is the source, ``1``, ``2``, ``3`` the
destinations, ``4``, ``5``, ``6`` their completions, ``7`` starts a sequence. The task: ``0 … i → i + 3``;
graded where ``0`` occurs, whatever else does.

*Construction,* as printed. In both heads W_K is 1 on ``0`` and −100 elsewhere, W_V is 1 on ``0`` and 0
elsewhere; W_Q is 1 on {1, 3} in head 0, on {2, 3} in head 1, and −100 elsewhere; W_O writes (2, −2, 1) and (−2,
2, 1) on ``4``, ``5``, ``6``. The residual stream adds 1 to the logit of the destination itself.

*Proof.* A head that is on gives ``0`` the score 1 and all others −100; one that is off gives ``0`` −100 and all
others 10,000. So the share p of ``0`` in a head that is on is 1 but for T·e^(−101), its share in one that is
off below T·e^(−10100). Up to that the logits of ``4``, ``5``, ``6`` are (2, −2, 1) after ``1``, (−2, 2, 1)
after ``2`` and (0, 0, 2) after ``3``; the destination has 1, the other tokens 0. The right one is at 2 and no
other above 1. ∎

The margin over the destination is 2p − 1 in place of 1, the least there is. The right token has the probability
e²/(e² + e^(−2) + 2e + 4) = 0.436 after ``1`` and ``2``, and e²/(e² + 2 + e + 4) = 0.459 after ``3``: the model
is right and not confident, as the destination itself and the third completion get e each.
"""

from expressivity.dsl import Construction
from expressivity.task import Domain

LENGTHS = (1, 8, 64)
TOKENS = [str(token) for token in range(8)]
ENDS = ("1", "2", "3")


def _scores(*on: str) -> dict[str, dict[str, int]]:
    """W_Q times W_K."""
    query = {end: 1 if end in on else -100 for end in ENDS}
    key = {"0": 1} | dict.fromkeys(TOKENS[1:], -100)
    return {end: {token: query[end] * key[token] for token in TOKENS} for end in ENDS}


ov_incoherent_printed = (
    Construction(
        "ov_incoherent_printed",
        task=Domain(
            "ov-incoherent, graded where the source is present",
            kinds={"source": "0", "other": TOKENS[1:]},
            length=LENGTHS,
            destinations=ENDS,
            ask=lambda end, counts: str(int(end) + 3) if counts["source"] else None,
            outputs=TOKENS,
        ),
    )
    .direct({end: end for end in ENDS})
    .head("head 0", scores=_scores("1", "3"), writes={"0": {"4": 2, "5": -2, "6": 1}})
    .head("head 1", scores=_scores("2", "3"), writes={"0": {"4": -2, "5": 2, "6": 1}})
)
