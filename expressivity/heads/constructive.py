"""Head tables made from skip-n-gram weights: the direct path, and theorem T2 (one head).

The tables are exact; whether they decide a task is proved by the trusted base like anything else. Theorem T3, a head a
gram, is in :mod:`expressivity.heads.gates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from expressivity.attention import Head, HeadTables
from expressivity.skipgrams import Feature
from expressivity.task import Task

Weights = Mapping[Feature, Mapping[str, Fraction]]
Table = dict[tuple[Any, str], Fraction]


def direct_path(task: Task, embedding: Any, weights: Weights) -> HeadTables:
    """No head: bigram weights as the direct path.

    ``joint`` takes weights of absolute positions; the others take weights of the destination alone.
    """
    direct: Table = {
        (((f.length if embedding == "joint" else None), f.destination), y): value
        for f, logits in weights.items()
        for y, value in logits.items()
    }
    return HeadTables(embedding, direct)


def one_head(task: Task, embedding: Any, weights: Weights) -> HeadTables:
    """T2: uniform attention over T + 1 places, with values (T + 1)·w, adds up skip-trigram weights.

    ``joint`` takes weights of absolute positions; ``additive`` and ``tokens`` take weights of counts, and a
    destination that also occurs as a source reads its own value once, which the direct path takes back.
    """
    (context, *_) = task.contexts
    length, end = context.length, context.destination
    here = (length if embedding == "joint" else None, end)
    direct: Table = {}
    values: Table = {}
    for feature, logits in weights.items():
        for y, value in logits.items():
            if not feature.sources:
                direct[here, y] = direct.get((here, y), Fraction(0)) + value
                continue
            (source,) = feature.sources
            row = source if embedding == "joint" else (None, source)
            values[row, y] = (length + 1) * value
            if row == here:
                direct[here, y] = direct.get((here, y), Fraction(0)) - value
    return HeadTables(embedding, direct, (Head(values, odds={}, name="sum of skip-trigrams (T2)"),))


def one_head_two_outputs(task: Task, weights: Weights) -> HeadTables:
    """T2 for two outputs and one length T ≥ 1, ``joint``: one head for all destinations at once.

    With f_q the difference of an ensemble's two logits, every source writes +1 to the difference and every destination
    −1; for C large enough the odds w(q, i, x) + C of the sources and T·C − w(q) of the destination are positive, and
    the head's difference is f_q over a positive denominator.
    """
    (length,) = {context.length for context in task.contexts}
    low, high = task.outputs
    ends = {context.destination for context in task.contexts}
    places = {place for context in task.contexts for place in enumerate(context.sources)}
    wanted = {
        (f.destination, *f.sources): w.get(high, Fraction(0)) - w.get(low, Fraction(0)) for f, w in weights.items()
    }
    margin = 1 + max(map(abs, wanted.values()), default=Fraction(0))
    odds: dict[tuple[Any, Any], Fraction] = {}
    for end in ends:
        here = (length, end)
        odds[here, here] = length * margin - wanted.get((end,), Fraction(0))
        for place in places:
            odds[here, place] = margin + wanted.get((end, place), Fraction(0))
    values: Table = {(place, high): Fraction(1) for place in places}
    values |= {((length, end), high): Fraction(-1) for end in ends}
    return HeadTables("joint", {}, (Head(values, odds=odds, name="all skip-trigrams (T2)"),))


def one_head_one_source(task: Task) -> HeadTables:
    """T2 for one source and labels, ``joint``: any map of (destination, source) to an output is one head of rank 1.

    The outputs get distinct numbers k in (0, 1); the source writes 2k on each, the direct path −k², and attention to
    the source is the number of the label: logit_y = m² − (m − k_y)² is largest at k_y = m.
    """
    number = {y: Fraction(i + 1, len(task.outputs) + 1) for i, y in enumerate(task.outputs)}
    odds: dict[tuple[Any, Any], Fraction] = {}
    for context, (asked, *_) in zip(task.contexts, task.requirements, strict=True):
        share = number[asked.outputs[0]]
        odds[(1, context.destination), (0, context[0])] = share / (1 - share)
    values: Table = {((0, c[0]), y): 2 * k for c in task.contexts for y, k in number.items()}
    direct: Table = {((1, c.destination), y): -k * k for c in task.contexts for y, k in number.items()}
    return HeadTables("joint", direct, (Head(values, odds=odds, name="any map of one source (T2)"),))
