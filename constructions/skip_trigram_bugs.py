"""One head whose values are shared by all destinations: skip-trigrams with their "bugs" (Elhage et al. 2021).

``keep … in → mind`` and ``keep … at → bay`` use one OV circuit, which raises ``mind`` and ``bay`` for both: the
bugs ``keep … in → bay`` and ``keep … at → mind``. Likewise ``Lloyd … L → loyd``, ``Lloyd … C → atherine``, and
``Pixmap … P → ixmap``, ``Pixmap … Q → Canvas``. The task asks for these six, and for each destination's most
likely successor (``in → the``) where its own source is absent; T ≤ 64 sources, the three of them and others.

*Construction.* The direct path gives a destination's successor 2 and its own completion 1. Its own source has
odds 2^20, the destination itself 2^10, all else 1. Each source writes 4 to both of its completions.

*Proof.* Say after ``in``; let m be the number of ``keep``, and D the sum of the odds. With m > 0, ``mind`` has
1 + w and ``bay`` w, with w = 4m·2^20/D > 3.9; ``the`` has 2; other completions have at most 4·64/2^20, other
successors 0. The least margin is 1, over the bug. With m = 0, D > 2^10, so every source's completions get at
most 4·64/2^10 = 1/4: ``the`` has 2, ``mind`` 1, exactly 1 less, and all else at most 1/4. ∎

So *under hard labels the bugs cost nothing*: the direct path says which of the two is meant, and generally one
head with shared values and one source decides any map from destination and source to output (T2). What they
cost in probabilities, and at bounded width, ``docs/studies/skip_trigram_bugs.py`` measures.

The values have rank 3, a row for each source, and so have the scores, a row for each pair of destinations.
"""

from collections.abc import Mapping

from expressivity.dsl import Construction
from expressivity.task import Domain

COMPLETIONS = {
    "keep": {"in": "mind", "at": "bay"},
    "Lloyd": {"L": "loyd", "C": "atherine"},
    "Pixmap": {"P": "ixmap", "Q": "Canvas"},
}
SUCCESSORS = {"in": "the", "at": "all", "L": "td", "C": "hapter", "P": "art", "Q": "uarter"}
OWN = {end: (source, output) for source, found in COMPLETIONS.items() for end, output in found.items()}
LENGTHS = (1, 2, 4, 8)


def _asked(destination: str, counts: Mapping[str, int]) -> str:
    source, output = OWN[destination]
    return output if counts[source] else SUCCESSORS[destination]


skip_trigram_bugs = (
    Construction(
        "skip_trigram_bugs",
        task=Domain(
            "six skip-trigrams of three sources",
            kinds={**{source: source for source in COMPLETIONS}, "other": "of"},
            length=LENGTHS,
            destinations=SUCCESSORS,
            ask=_asked,
        ),
    )
    .direct({end: {SUCCESSORS[end]: 2, output: 1} for end, (_, output) in OWN.items()})
    .head(
        "shared values",
        scores={end: {source: 20, **dict.fromkeys(OWN, 10)} for end, (source, _) in OWN.items()},
        base=2,
        writes={source: dict.fromkeys(found.values(), 4) for source, found in COMPLETIONS.items()},
    )
)
