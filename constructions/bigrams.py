"""No head at all: the direct path is a table of bigram log-likelihoods (Elhage et al. 2021, "zero-layer transformers").

The task: after a word, one of those that follow it most often in a text is to be on top, whatever stood before.
Its contexts are the words of the text that have a successor, alone and behind the word before them.

*Construction.* b(q, y) = ln c(q, y), rounded down to a multiple of 2^(−20), where c counts how often y follows
q; words that never follow q get −20.

*Proof.* Without heads the logits are b(q, ·). For whole numbers c > d of a text of N < 2^20 words, ln c − ln d
≥ ln(1 + 1/d) > 1/(d + 1) > 2^(−20), so that rounding keeps every strict order; equal counts give equal logits,
and words that never follow q are below all that do. ∎

*In probabilities.* These are the log-likelihoods but for rounding: with errors in an interval of length 2^(−20)
Hoeffding's lemma bounds the divergence from the text's own frequencies by 2^(−43) nats, to which the K words
never seen add K·e^(−19) at most. Their entropy is the floor of bigrams, so zero layers of attention reach it.
"""

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Task, Top
from expressivity.verify.enclosure import log_bounds

SCALE = 2**20


def bigrams(text: str) -> Construction:
    """The zero-layer model of a text's bigrams, its log-likelihoods as the direct path (Elhage et al. 2021)."""
    words = text.split()
    if not 2 <= len(words) < SCALE:
        raise InputError(f"found {len(words)} words; expected at least two and fewer than {SCALE}")
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for word, following in pairwise(words):
        counts[word][following] += 1
    most = {word: Top(y for y, n in found.items() if n == max(found.values())) for word, found in counts.items()}
    contexts = dict.fromkeys([(word,) for word in counts] + list(pairwise(words[:-1])))
    outputs = sorted(set(words[1:]))
    task = Task(contexts, [most[context[-1]] for context in contexts], outputs=outputs, name="bigrams")
    return Construction("bigrams", task=task).direct(
        {word: {y: _log(found[y]) for y in outputs} for word, found in counts.items()}
    )


def _log(count: int) -> Fraction:
    """The logarithm of a count, rounded down; −20 for 0."""
    return Fraction(log_bounds(Fraction(count))[0] * SCALE // 1, SCALE) if count else Fraction(-20)
