"""All of it at once: what ``expressivity circuits MODEL`` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from expressivity.circuits.behaviour import InContext, Looks, in_context, looks
from expressivity.circuits.bugs import Bug, find_bugs
from expressivity.circuits.composition import Baseline, Composition, compositions
from expressivity.circuits.data import Data, mean_loss
from expressivity.circuits.model import Circuits, HeadName
from expressivity.circuits.paths import MOST_PATHS, Importance, importance
from expressivity.circuits.scores import EigenScore, copying_score, matching_score
from expressivity.circuits.skipgrams import RANKINGS, Bigram, SkipTrigrams, bigrams, skip_trigrams
from expressivity.errors import InputError

MOST_SEQUENCES = 512
"""Sequences of text that are measured, spread evenly over all."""


@dataclass(frozen=True)
class Analysis:
    """What was found.

    Attributes:
        circuits: of the model.
        heads: those asked for.
        bigrams: of the direct path.
        skip_trigrams: of each head, in three rankings.
        copying, matching: scores; of a later head also through each head before it.
        compositions, baseline: between heads of consecutive layers.
        looks: where heads look on repeated tokens.
        loss: of the model on the data, in nats; ``None`` without data, as all that follows.
        predictions: how many that is the mean of.
        importance: of the terms of the path expansion.
        bugs: what the data contradict.
        in_context: the late loss less the early one.
        left_out: what could not be had, with the reason.
    """

    circuits: Circuits
    heads: tuple[HeadName, ...]
    bigrams: list[Bigram]
    skip_trigrams: list[SkipTrigrams]
    copying: list[EigenScore]
    matching: list[EigenScore]
    compositions: list[Composition]
    baseline: Baseline | None
    looks: list[Looks]
    loss: float | None = None
    predictions: int = 0
    importance: Importance | None = None
    bugs: list[Bug] = field(default_factory=list)
    in_context: InContext | None = None
    left_out: list[str] = field(default_factory=list)


def analyse(
    model: Any,
    data: Any = None,
    *,
    heads: Iterable[Any] | None = None,
    top: int = 10,
    destination: str | None = None,
    centred: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] = lambda what: None,
) -> Analysis:
    """What a model computes, read off its weights, and on data what that is worth.

    Args:
        model: as :meth:`Circuits.of` reads them, or circuits.
        data: as :meth:`Data.of` reads them.
        heads: these alone, in the tables.
        top: entries of each table.
        destination: the skip-trigrams of this one alone.
        centred: values less their means over outputs and over sources, in skip-trigrams.
        seed: of random tokens and of the baseline of composition.
        progress: called with what is being done.

    Raises:
        InputError: no such model, head or destination, or data that do not fit.
    """
    circuits = Circuits.of(model)
    chosen = circuits.heads if heads is None else tuple(circuits.head(name) for name in heads)
    given = None if data is None else Data.of(data, circuits, most=MOST_SEQUENCES)
    left_out: list[str] = []

    def attempt(what: str, make: Callable[[], Any], otherwise: Any) -> Any:
        progress(what)
        try:
            return make()
        except InputError as error:
            left_out.append(f"{what}: {error}")
            return otherwise

    among = None  # of a text, the tokens in it: many of a tokenizer's bytes never occur, and no head knows them
    if given is not None and given.is_text:
        among = sorted({token for batch in given.batches for token in batch.tokens.flatten().tolist()})
    ranked = among if destination is None and circuits.model.embedding != "joint" else None
    tables = []
    for head in chosen:
        progress(f"skip-trigrams of head {head}")
        tables += [
            skip_trigrams(circuits, head, top, ranking=ranking, destination=destination, centred=centred, among=ranked)
            for ranking in RANKINGS
        ]
    progress("scores")
    through = [
        (path, head) for head in chosen for path in [(), *((e,) for e in circuits.heads if e.layer < head.layer)]
    ]
    copying = [copying_score(circuits, (*path, head)) for path, head in through]
    matching = [matching_score(circuits, head, key=path) for path, head in through]
    composed, baseline = compositions(circuits, seed=seed)
    seen = attempt("repeated tokens", lambda: looks(circuits, seed=seed, among=among), [])
    found = Analysis(
        circuits, chosen, bigrams(circuits, top), tables, copying, matching,
        [each for each in composed if {each.first, each.second} & set(chosen)], baseline,
        [each for each in seen if each.head in chosen], left_out=left_out,
    )  # fmt: skip
    if circuits.obstacle:
        left_out.append(f"virtual heads and what heads write to later layers: {circuits.obstacle}")
    if given is None:
        return found
    progress("loss")
    by_path = (1 + circuits.model.n_heads) ** len(circuits.model.blocks) <= MOST_PATHS
    measured = {
        "loss": mean_loss(circuits, given),
        "predictions": given.predictions,
        "importance": attempt("importance of terms", lambda: importance(circuits, given, by_path=by_path), None),
        "bugs": attempt("bugs", lambda: find_bugs(circuits, given, top, heads=chosen), []),
    }
    if given.is_text:
        measured["in_context"] = attempt("learning in context", lambda: in_context(circuits, given), None)
    return Analysis(**{**vars(found), **measured})
