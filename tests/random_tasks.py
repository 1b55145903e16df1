"""Random tasks of every kind, not all hopeless: many are made from an ensemble that does them, or nearly.

A *decision* task asks for comparisons of logits, a *soft* one for probabilities. What its kind names is asked somewhere
in it. ``positions`` is the convention for which a hidden ensemble is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

from expressivity import Distribution, InputError, Task, Tie, Top
from tests.exact_peer import features

Contexts = list[tuple[str, ...]]
Asked = Top | Tie | Distribution

DECISIONS = ("labels", "allowed", "ties", "pairs", "mixed")
SOFT = ("labels", "ties", "positive", "zeros", "pairs", "mixed")
"""``allowed``: sets of several allowed outputs. ``pairs``: two requirements on one context. ``positive`` and ``zeros``:
distributions without and with a probability of 0."""

ODDS = [
    Fraction(n, d) for n, d in ((1, 1), (1, 1), (1, 1), (2, 1), (1, 2), (3, 1), (4, 1), (1, 4), (3, 2), (6, 1), (5, 3))
]


def random_contexts(rng: random.Random) -> Contexts:
    """Distinct contexts over two to four tokens, one to three lengths, one or two destinations."""
    tokens = "ABCD"[: rng.choice([2, 2, 2, 3, 3, 4])]
    ends = rng.choice(["Q", "Q", "Q", "Q", "QR", "QA"])
    lengths = rng.choice([[1], [2], [2], [3], [3], [4], [2, 3], [3, 4], [0, 1, 2], [1, 2, 3]])
    every = [(*sources, end) for n in lengths for sources in product(tokens, repeat=n) for end in ends]
    return rng.sample(every, min(rng.choice([1, 2, 4, 6, 8, 10, 12, 14, 16]), len(every)))


class Hidden:
    """An ensemble of low order: a whole score and an odds factor for each output on each feature, mostly none."""

    def __init__(self, rng: random.Random, positions: str) -> None:
        self.rng, self.positions = rng, positions
        self.order = rng.choice([2, 3, 3, 3, 4])
        self.scores: dict[object, int] = {}
        self.factors: dict[object, Fraction] = {}

    def score(self, context: tuple[str, ...], y: str) -> int:
        own = features(context, self.order, self.positions)
        return sum(v * self.scores.setdefault((f, y), self.rng.choice([-2, -1, 0, 0, 1, 2])) for f, v in own.items())

    def odds(self, context: tuple[str, ...], y: str) -> Fraction:
        found = Fraction(1)
        for f, v in features(context, self.order, self.positions).items():
            found *= self.factors.setdefault((f, y), self.rng.choice(ODDS)) ** min(v, 4)
        return found

    def best(self, context: tuple[str, ...], outputs: Sequence[str]) -> list[str]:
        most = max(self.score(context, y) for y in outputs)
        return [y for y in outputs if self.score(context, y) == most]


# ------------------------------------------------------------------ decisions


def planted_decision(hidden: Hidden, context: tuple[str, ...], outputs: Sequence[str], kind: str) -> list[Asked]:
    """What the hidden ensemble's own logits meet."""
    best = hidden.best(context, outputs)
    levels = sorted({hidden.score(context, y) for y in outputs}, reverse=True)
    wide = [y for y in outputs if hidden.score(context, y) >= levels[min(1, len(levels) - 1)]]
    first: Asked = Tie(best) if len(best) > 1 else Top(best)
    if kind == "labels":
        return [Top(best[:1])]  # where several are best, no longer met
    if kind == "ties":
        return [first]
    if kind == "allowed":
        return [Top(wide)]
    return [first, Top(wide)]


def random_decision(rng: random.Random, outputs: Sequence[str], kind: str) -> list[Asked]:
    if kind == "labels":
        return [Top([rng.choice(outputs)])]
    several = rng.sample(outputs, rng.randint(2, len(outputs)))
    if kind == "ties":
        return [Tie(several)]
    if kind == "allowed":
        return [Top(several)]
    return [Top(several[: rng.randint(1, len(several) - 1)]), rng.choice([Top, Top, Tie])(several)]


# ------------------------------------------------------------------ probabilities


def planted_chances(hidden: Hidden, context: tuple[str, ...], outputs: Sequence[str], kind: str) -> list[Asked]:
    """What the hidden ensemble has, or tends to."""
    support = list(outputs) if kind == "positive" else hidden.best(context, outputs)
    if kind == "labels":
        support = support[:1]
    shares = {y: Fraction(1) if kind == "ties" else hidden.odds(context, y) for y in support}
    return said(hidden.rng, Distribution(dict.fromkeys(outputs, 0) | shares, normalise=True), kind)


def random_chances(rng: random.Random, outputs: Sequence[str], kind: str) -> list[Asked]:
    if kind == "labels":
        shares = rng.sample([1] + [0] * (len(outputs) - 1), len(outputs))
    elif kind == "ties":
        shares = rng.sample([1, 1] + [rng.randint(0, 1) for _ in outputs[2:]], len(outputs))
    elif kind == "positive":
        shares = [rng.choice([1, 1, 1, 2, 2, 3, 4, 6]) for _ in outputs]
    else:
        shares = rng.sample([0, rng.randint(1, 3)] + [rng.randint(0, 3) for _ in outputs[2:]], len(outputs))
    return said(rng, Distribution(zip(outputs, shares, strict=True), normalise=True), kind)


def said(rng: random.Random, asked: Distribution, kind: str) -> list[Asked]:
    """A distribution as a requirement of the kind, or for pairs in two forms that say the same."""
    positive = [y for y, p in asked.probabilities if p]
    even = len({p for _, p in asked.probabilities if p}) == 1
    short: Asked = asked
    if even:
        short = Top(positive) if len(positive) == 1 else Tie(positive)
    if kind in ("labels", "ties"):
        return [short]
    if kind == "pairs":
        bare = Distribution([(y, p) for y, p in asked.probabilities if p])
        return [asked, rng.choice([short, bare])]
    return [asked]


# ------------------------------------------------------------------ tasks


def has_kind(task: Task, kind: str, lines: Sequence[Sequence[Asked]]) -> bool:
    """Whether what the kind names is asked somewhere."""
    each = [asked for line in lines for asked in line]
    given = [asked for asked in each if isinstance(asked, Distribution)]
    return {
        "labels": True,
        "mixed": len({type(asked) for asked in each}) > 1,
        "allowed": any(isinstance(asked, Top) and len(asked.outputs) > 1 for asked in each),
        "ties": any(isinstance(asked, Tie) for asked in each),
        "pairs": any(len(set(line)) > 1 for line in lines),
        "positive": any(all(p for _, p in asked.probabilities) for asked in given),
        "zeros": any(not p for asked in given for _, p in asked.probabilities),
    }[kind]


def draw(
    rng: random.Random,
    kind: str,
    positions: str,
    kinds: Sequence[str],
    planted: Callable[[Hidden, tuple[str, ...], Sequence[str], str], list[Asked]],
    at_random: Callable[[random.Random, Sequence[str], str], list[Asked]],
) -> Task:
    """Requirements that contradict each other in one context are no task; then it is drawn again."""
    while True:
        contexts = random_contexts(rng)
        outputs = "WXYZ"[: rng.choice([2, 2, 2, 2, 3, 3, 4] if kind != "labels" else [1, *[2] * 10, *[3] * 6, 4, 4, 4])]
        hidden = Hidden(rng, positions)
        of_context = [rng.choice(kinds[:-1]) if kind == "mixed" else kind for _ in contexts]
        if rng.random() < 0.6:
            lines = [planted(hidden, x, outputs, own) for x, own in zip(contexts, of_context, strict=True)]
            for i in rng.sample(range(len(lines)), min(rng.choice([0, 0, 1, 1, 2]), len(lines))):
                lines[i] = at_random(rng, outputs, of_context[i])
        else:
            rare = rng.choice([1, 1, 0.3])  # a few of the kind among labels
            of_context = [own if rng.random() < rare else "labels" for own in of_context]
            lines = [at_random(rng, outputs, own) for own in of_context]
        weights = [rng.choice([Fraction(1), Fraction(2), Fraction(3), Fraction(2, 7)]) for _ in contexts]
        if rng.random() < 0.1:  # a line that says the same again: its weight is added
            contexts, lines, weights = [*contexts, contexts[0]], [*lines, lines[0]], [*weights, Fraction(1, 2)]
        try:
            task = Task(contexts, lines, outputs=list(outputs), weights=weights)
        except InputError as error:
            if "contradict" not in str(error):
                raise
            continue
        if has_kind(task, kind, lines):
            return task


def decision_task(rng: random.Random, kind: str, positions: str) -> Task:
    return draw(rng, kind, positions, DECISIONS, planted_decision, random_decision)


def soft_task(rng: random.Random, kind: str, positions: str) -> Task:
    return draw(rng, kind, positions, SOFT, planted_chances, random_chances)
