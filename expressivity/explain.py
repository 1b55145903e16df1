"""What a certificate says, in words made from its own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from expressivity.certificate import rational
from expressivity.task import quoted
from expressivity.verify.skipgrams import features

SHOWN = 4  # features named in a sentence before "and … more"


def model_noun(model: Mapping[str, Any]) -> str:
    """``skip-trigram``, ``skip-4-gram``, …; for attention the grams that T1 compares it with.

    >>> model_noun({"class": "attention", "heads": 1, "embedding": "joint", "d_head": None})
    'skip-trigram'
    """
    order, _ = _skip_grams(model)
    return {None: "skip-n-gram", 2: "bigram", 3: "skip-trigram"}.get(order, f"skip-{order}-gram")


def _skip_grams(model: Mapping[str, Any]) -> tuple[int | None, str]:
    if model["class"] == "skip_grams":
        return model["order"], model["positions"]
    order = None if model["heads"] is None else model["heads"] + 2
    return order, "count" if model["embedding"] == "tokens" else "absolute"


def gram_text(destination: str, sources: Sequence[Any], evident: frozenset[tuple[int, str]] = frozenset()) -> str:
    """A feature as people write it; a position is shown as ``A@0`` unless it is evident.

    >>> gram_text("Q", [(0, "A"), (1, "C")]), gram_text("Q", ["A"]), gram_text("Q", [])
    ('A@0… C@1… Q', 'A… Q', 'Q')
    """
    names = [
        quoted(s) if isinstance(s, str) else quoted(s[1]) + ("" if tuple(s) in evident else f"@{s[0]}") for s in sources
    ]
    return "… ".join([*names, quoted(destination)])


def evident_places(contexts: Sequence[Sequence[str]]) -> frozenset[tuple[int, str]]:
    """The (position, token) pairs of sources whose token stands at one position only, so that none need be named."""
    places = {place for context in contexts for place in enumerate(context[:-1])}
    tokens = [token for _, token in places]
    return frozenset(place for place in places if tokens.count(place[1]) == 1)


def obstruction_sentence(document: Mapping[str, Any]) -> str:
    """What coincides in an obstruction, and so what no ensemble can tell apart.

    With two outputs and no ties: which of the longest features occur how often with each output. Otherwise the
    general form: counted with their multipliers, every feature speaks as often for an output as against it.
    """
    model, task = document["model"], document["task"]
    order, positions = _skip_grams(model)
    used = [
        (tuple(task["contexts"][m["context"]]["tokens"]), tuple(m["pair"]), rational(m["multiplier"], "a multiplier"))
        for m in document["proof"]["multipliers"]
    ]
    contexts = sorted({context for context, _, _ in used})
    if order is None:
        same = {"absolute": "the same sources", "anywhere": "the same tokens"}.get(
            positions, "each token equally often"
        )
        names = " and ".join(f"“{' '.join(map(quoted, context))}”" for context in contexts)
        return f"{names} hold {same}: no order and no number of heads without positions can tell them apart."
    noun = model_noun(model)
    evident = evident_places(contexts)
    counts: dict[Any, dict[str, Fraction]] = {}
    for context, (above, below), multiplier in used:
        for feature, value in features(context, min(order, len(context) + 1), positions).items():
            row = counts.setdefault(feature, {})
            row[above] = row.get(above, Fraction(0)) + multiplier * value
            row.setdefault(below, Fraction(0))
    longest = max(len(feature[-1]) for feature in counts)
    top = sorted(feature for feature in counts if len(feature[-1]) == longest)
    outputs = list(dict.fromkeys(output for _, pair, _ in used for output in pair))
    ties = any({"tie"} & set(r) for c in task["contexts"] for r in c["requirements"])
    if len(outputs) > 2 or ties:
        names = _listed([gram_text(f[-2], f[-1], evident) for f in top])
        return (
            f"Counted with their multipliers, {names} speak{'s' if len(top) == 1 else ''} as often for each output as "
            f"against it: no sum of {noun}s can meet all of these comparisons."
        )
    often = max({counts[f][outputs[0]] for f in top}, key=lambda n: (sum(counts[f][outputs[0]] == n for f in top), n))
    named = [gram_text(f[-2], f[-1], evident) for f in top if counts[f][outputs[0]] == often]
    rest = "" if len(named) == len(top) else ", and every other as often with the one as with the other"
    verb = "each occur" if len(named) > 1 else "occurs"
    shared = " and ".join(f"{_times(often)} with {quoted(y)}" for y in outputs)
    counted = "" if all(multiplier == 1 for *_, multiplier in used) else "Counted with their multipliers, "
    return f"{counted}{_listed(named)} {verb} {shared}{rest}: no sum of {noun}s can tell them apart."


def remaining(
    model: Mapping[str, Any], multipliers: Iterable[tuple[Sequence[str], str, str, Fraction]]
) -> dict[tuple[Any, str], Fraction]:
    """Σ multiplier × feature for each feature and output, where it is not 0.

    >>> xor = [(("A", "C", "Q"), "T", "F", Fraction(1)), (("A", "D", "Q"), "F", "T", Fraction(1))]
    >>> remaining({"class": "skip_grams", "order": 3, "positions": "anywhere"}, xor)[("Q", ("C",)), "T"]
    Fraction(1, 1)
    """
    order, positions = _skip_grams(model)
    total: dict[tuple[Any, str], Fraction] = {}
    for context, above, below, multiplier in multipliers:
        for feature, value in features(context, order, positions).items():
            for output, sign in ((above, 1), (below, -1)):
                total[feature, output] = total.get((feature, output), Fraction(0)) + sign * multiplier * value
    return {key: value for key, value in total.items() if value}


def grams_text(features: Sequence[Any], contexts: Sequence[Sequence[str]]) -> str:
    """Features of the trusted base, named for people who see the contexts; of many the first few.

    >>> grams_text([(2, "Q", ((0, "A"),)), (2, "Q", ((1, "C"),))], [("A", "C", "Q")])
    'A… Q and C… Q'
    """
    evident = evident_places(contexts)
    return _listed([gram_text(feature[-2], feature[-1], evident) for feature in features])


def _times(count: Fraction) -> str:
    return {1: "once", 2: "twice"}.get(int(count) if count.denominator == 1 else 0, f"{count} times")


def _listed(names: Sequence[str]) -> str:
    if len(names) > SHOWN + 1:
        return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
