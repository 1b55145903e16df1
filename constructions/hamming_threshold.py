"""Whether two strings of four bits differ in at least two places: three heads, where two cannot (T10).

The task ``differ:4:2``: eight sources ``0`` or ``1``, the destination ``=``; the answer is 1 if the first four differ
from the last four in at least two places. Skip-4-grams decide it, as the number of differences is a polynomial of
degree 2 in the bits, so that T1 asks for two heads. That two do not suffice is proved in ``proofs/T10.md``, with a
certificate; for ``W_E + W_pos`` it is due to VerifiedMechanisms/rs-takehome, proof 189, which has three heads as well.

*Construction.* For head h let a be the row of slopes below, u the row of values, n the number beside them; bits z_i.

    D_h(z) = 1 + Σ a_i z_i        N_h(z) = n + Σ a_i u_i z_i        logit_1 − logit_0 = 11 + Σ_h N_h(z)/D_h(z)

The odds are a_i for a ``0`` at position i and 33 a_i for a ``1``, which is a factor of the position and one of the
token, and 32 − Σ a_i for the destination: their sum is 32 D_h(z). Position i writes u_i to output 1, whatever its
token, and the destination the number that makes the whole 32 N_h(z), which is (32 n − Σ a_i u_i)/(32 − Σ a_i).

*Proof.* By evaluation on the 256 contexts, in fractions: the sign is right on each, and the least difference is 1/35.
The slopes were found by local search among small ones; for given slopes the values are a linear program. ∎
"""

from fractions import Fraction

from expressivity.dsl import Construction
from expressivity.task import differ

SLOPES = [(3, 3, 2, 3, 1, 2, 2, 3), (1, 3, 1, 1, 1, 1, 1, 1), (1, 1, 3, 2, 2, 2, 3, 2)]
VALUES = [
    (-29, 37, -27, 20, 74, -10, -29, 20),
    (-17, -57, -29, -63, -30, 4, -32, -63),
    (74, 74, 31, 15, -13, 0, 33, 15),
]
CONSTANTS = [-74, 74, -74]
STEEP = 32

hamming_threshold = Construction("hamming_threshold", task=differ(4, 2)).direct({"=": {"1": 11}})
for h, (slopes, values, constant) in enumerate(zip(SLOPES, VALUES, CONSTANTS, strict=True)):
    rest = STEEP - sum(slopes)
    written = Fraction(STEEP * constant - sum(a * u for a, u in zip(slopes, values, strict=True)), rest)
    hamming_threshold = hamming_threshold.head(
        f"reciprocal {h}",
        at="=",
        odds={"1": 1 + STEEP, "=": rest, **dict(enumerate(slopes))},
        writes={"=": {"1": written}, **{i: {"1": u} for i, u in enumerate(values)}},
    )
