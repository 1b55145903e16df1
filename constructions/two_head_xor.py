"""XOR of two tokens in two heads, where no sum of skip-trigrams does it (Shlegeris 2022).

The task is ``A C Q -> T``, ``A D Q -> F``, ``B C Q -> F``, ``B D Q -> T``. Head 1 sees C and D only when
the first token is A: next to B, whose score is 10,000 higher, they get no attention. Head 2 sees them only
when it is B, and writes the opposite.

*Proof.* Write ε = e^(−10000). In ``A C Q`` head 1 gives C the share 1/(1 + 2ε) and writes that much on T;
head 2 gives C the share 1/(ε⁻¹ + 1 + ε) = ε/(1 + ε + ε²) and writes that on F. So logit_T − logit_F = 1/(1
+ 2ε) − ε/(1 + ε + ε²) > 1 − 3ε > 0. The other contexts differ by exchanging A with B (and the heads with
each other) or C with D, and T with F as often: all four margins are equal. ∎
"""

from expressivity.dsl import Construction
from expressivity.task import xor

two_head_xor = (
    Construction("two_head_xor", task=xor())
    .head(
        "first is A",
        at="Q",
        scores={"A": -10_000, "B": 10_000, "C": 0, "D": 0, "Q": -10_000},
        writes={"C": "T", "D": "F"},
    )
    .head(
        "first is B",
        at="Q",
        scores={"A": 10_000, "B": -10_000, "C": 0, "D": 0, "Q": -10_000},
        writes={"C": "F", "D": "T"},
    )
)
