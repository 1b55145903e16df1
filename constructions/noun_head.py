"""A head that suggests nouns in prose and is switched off in code, where it attends to keywords (Shlegeris 2022).

The task: T sources, 1 ≤ T ≤ 8, among them nouns, Python keywords and other words, then ``in`` or ``with``. With
a keyword the text is code, and the next token is the bigram's: ``range`` after ``in``, ``open`` after ``with``.
In prose it is ``court`` if ``judge`` occurs more often than ``doctor``, ``hospital`` if less often, a tie of
the two if equally often, and the bigram's if neither occurs.

*Construction.* The direct path gives 2 to the bigram's output. The head gives odds 4 to nouns, 128 to keywords
and 1 to everything else, itself included; ``judge`` writes 8 to ``court``, ``doctor`` 8 to ``hospital``,
keywords nothing.

*Proof.* Let j ≥ d be the numbers of the two nouns (the other case is alike), k that of the keywords, m = j + d.
The odds sum to D = 4m + 128k + (T − m − k) + 1. Times D, the logits are 32j for ``court``, 32d for
``hospital``, 2D for the bigram, 0 for the other bigram. So ``court`` beats ``hospital`` if j > d and equals it
if j = d. Without keywords 2D = 6m + 2T + 2 ≤ 12j + 18 < 32j for j ≥ 1, as T ≤ 8. With keywords j ≤ 7 and 2D >
8j + 256 > 32j. ∎

*What a reader of the weights sees.* The product ``QK·OV`` is 32 from ``judge`` to ``court`` and 0 from
keywords: it suggests ``court`` in code as it does in prose, with the direct path added (2) or not. The table
that decides is odds times (writes plus direct path) (T2): 32 from ``judge`` to ``court`` and 8 to the bigram,
*256 from a keyword to the bigram*, 2 from other words. A token that writes nothing votes for the bigram with
all the attention it draws. ``docs/studies/noun_head.py`` measures both tables, and every order of skip-n-grams, on
a mixture of prose and code.
"""

from collections.abc import Mapping

from expressivity.dsl import Construction
from expressivity.task import Domain, Requirement, Tie, Top

NOUNS = {"judge": "court", "doctor": "hospital"}
KEYWORDS = ("def", "import")
WORDS = ("said", "old")
BIGRAMS = {"in": "range", "with": "open"}


def _asked(destination: str, counts: Mapping[str, int]) -> Requirement:
    judges, doctors = counts["judge"], counts["doctor"]
    if counts["keyword"] or not judges + doctors:
        return Top(BIGRAMS[destination])
    return Tie(NOUNS.values()) if judges == doctors else Top("court" if judges > doctors else "hospital")


noun_head = (
    Construction(
        "noun_head",
        task=Domain(
            "prose and code",
            kinds={"judge": "judge", "doctor": "doctor", "keyword": KEYWORDS, "word": WORDS},
            length=range(1, 9),
            destinations=BIGRAMS,
            ask=_asked,
        ),
    )
    .direct({end: {output: 2} for end, output in BIGRAMS.items()})
    .head(
        "related nouns",
        scores=dict.fromkeys(NOUNS, 2) | dict.fromkeys(KEYWORDS, 7),
        base=2,
        writes={noun: {output: 8} for noun, output in NOUNS.items()},
    )
)
