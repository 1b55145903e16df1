"""The number of heads between a proof that fewer cannot and tables that do: lower ≤ heads ≤ upper, each with a reason.

Lower: theorem T1, heads ≥ minimal order − 2, in the skip-gram convention that fits the embedding; where that gives two
and the task has at least eight bits, theorem T10. Upper: the direct path, one head by T2, a head a gram by T3, the
gallery's constructions of the same task, and what the user gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from expressivity.attention import Attention, ExactWeights, Head, HeadTables, Place, exact_weights
from expressivity.attention.margins import by_symmetry
from expressivity.certificate import seal
from expressivity.dsl import Construction
from expressivity.ensembles import decide_ensemble
from expressivity.errors import InputError, Refuted
from expressivity.heads.constructive import direct_path, one_head, one_head_one_source, one_head_two_outputs
from expressivity.heads.from_weights import weights_in
from expressivity.heads.gates import head_per_gram
from expressivity.heads.refutation import refute_two_heads
from expressivity.heads.validate import BuildReport
from expressivity.skipgrams import Feature, SkipGrams
from expressivity.task import Domain, Task
from expressivity.verdict import (
    EXPRESSIBLE,
    INEXPRESSIBLE,
    UNDECIDED,
    HeadTablesBySymmetry,
    HeadTablesCertificate,
    Obstruction,
    Verdict,
)

MOST_LISTED = 20_000
"""Classes of contexts in the certificate of a domain."""


TWO_HEADS_SECONDS = 30.0
"""At most for the search for a proof that two heads are too few, which takes a second on eight bits."""

MOST_GRAMS = 5_000  # of weights that become heads: each makes a table of all places, and nobody builds so many heads


@dataclass(frozen=True)
class Sandwich:
    """Bounds on the number of heads that a task needs in an embedding.

    Attributes:
        lower: proved by ``below`` (that ``lower − 1`` heads cannot), or 0; ``None`` if no number does it.
        upper: proved by ``above``; ``None`` if no tables were found.
        lower_reason, upper_reason: the argument in a few words.
        below, above: verified verdicts, or ``None``.
        impossible: why no number of heads does it, or ``None``.
    """

    embedding: str
    lower: int | None
    upper: int | None
    lower_reason: str
    upper_reason: str
    below: Verdict | None
    above: Verdict | None
    impossible: str | None = None


def sandwich(
    task: Task,
    embedding: Any,
    orders: Sequence[Verdict],
    *,
    never: Verdict | None = None,
    given: Iterable[Construction] = (),
    most: int | None = None,
    named: bool = False,
    time_limit: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Sandwich:
    """Put a task's number of heads between two proofs.

    Args:
        task: labels, allowed outputs, ties.
        embedding: the convention; :func:`grams_for` names the skip-gram convention of ``orders``.
        orders: verdicts for the orders 2, 3, … up to the minimal one, or as far as they are known.
        never: the verdict that no order does it, if that is so.
        given: constructions to try.
        most: give up on tables with more heads than this.
        named: say in the reasons which position convention was refuted.
        time_limit: seconds for a proof that two heads are too few where T1 asks for two; ``TWO_HEADS_SECONDS`` at most.
        progress: called with a few words before its steps.
    """
    if never is not None:
        verdict = refute_heads(never, Attention(None, embedding=embedding), named=named)
        reason = "contexts with equal counts of every token ask for different answers"
        return Sandwich(embedding, None, None, "", "", verdict, None, reason)
    refuted = [v for v in orders if v.answer is INEXPRESSIBLE]
    below, lower, why = None, 0, "no model has fewer than none"
    if refuted:
        last = max(refuted, key=lambda v: _order(v))
        lower = _order(last) - 1
        below = refute_heads(last, Attention(lower - 1, embedding=embedding), named=named)
        why = below.reason
    usable = list(orders)
    if embedding == "additive":  # one head adds up token values, as counts do
        usable = [decide_ensemble(task, SkipGrams(n, "count")) for n in (2, 3) if n >= lower + 2]
    above = best_tables(task, embedding, usable, given, most)
    upper = above.model.heads if above is not None and isinstance(above.model, Attention) else None
    unknown = "no tables are known" if most is None else f"no tables of at most {most} heads are known"
    reason = above.reason if above is not None else unknown
    if lower == 2 and upper != 2:
        more = refute_two_heads(task, embedding, time_limit=_seconds(time_limit), progress=progress)
        if more is not None:
            below, lower, why = more, 3, more.reason
    return Sandwich(embedding, lower, upper, why, reason, below, above)


def _seconds(time_limit: float | None) -> float:
    return TWO_HEADS_SECONDS if time_limit is None else min(time_limit, TWO_HEADS_SECONDS)


def _order(verdict: Verdict) -> int:
    order = verdict.model.order if isinstance(verdict.model, SkipGrams) else None
    return 2 if order is None else order


def grams_for(embedding: str) -> str:
    """The position convention of skip-grams that T1 compares an embedding with."""
    return "count" if embedding == "tokens" else "absolute"


def refute_heads(verdict: Verdict, model: Attention, *, named: bool = False) -> Verdict:
    """T1: an obstruction at order H + 2 (or at every order) is one for H heads (any number); verified as such.

    With ``named`` the reason says in which position convention the skip-grams were refuted.
    """
    if verdict.certificate is None:
        raise InputError("an undecided verdict refutes nothing")
    stated = verdict.certificate.document
    certificate = Obstruction(seal("obstruction", model.to_json(), stated["task"], stated["proof"]))
    certificate.verify()
    convention = f" ({grams_for(model.embedding)})" if named else ""
    return Verdict(model, INEXPRESSIBLE, certificate, f"{_name(verdict)}{convention} refuted (T1)")


def _name(verdict: Verdict) -> str:
    return verdict.model.name if isinstance(verdict.model, SkipGrams) else str(verdict.model)


def certify_tables(task: Task | Domain, tables: HeadTables, reason: str, *, d_head: int | None = None) -> Verdict:
    """The verdict yes for given tables, verified; tables narrower in embedding are widened by the caller.

    The certificate lists the contexts of a task; of a domain a few that stand for all.

    Raises:
        Refuted: the tables do not decide the task.
        InputError: they tell too many contexts of a domain apart.
    """
    model = Attention(heads=len(tables.heads), d_head=d_head, embedding=tables.embedding)
    certificate: HeadTablesCertificate
    if isinstance(task, Domain):
        listed, symmetries = by_symmetry(tables, task, MOST_LISTED)
        proof = {**tables.to_proof(), "symmetries": symmetries}
        document = seal("head_tables_by_symmetry", model.to_json(), listed.to_json(), proof)
        certificate = HeadTablesBySymmetry(document)
    else:
        certificate = HeadTablesCertificate(seal("head_tables", model.to_json(), task.to_json(), tables.to_proof()))
    certificate.verify()
    return Verdict(model, EXPRESSIBLE, certificate, reason)


def check_given(task: Task, embedding: Any, construction: Construction) -> None:
    """Make sure that a construction that somebody asked for does decide the task in an embedding.

    Raises:
        InputError: it does not, or cannot be carried into the embedding.
    """
    try:
        certify_tables(task, construction.tables().in_embedding(embedding, task), construction.name)
    except Refuted as error:
        raise InputError(f"construction {construction.name} does not decide task {task.name}: {error}") from None


def candidates(
    task: Task, embedding: Any, orders: Iterable[Verdict], given: Iterable[Construction]
) -> Iterator[tuple[HeadTables, str]]:
    """Tables that may decide the task, with the reason to give; nothing is proved here.

    Args:
        orders: verdicts of skip-gram ensembles on the task, the expressible ones used.
        given: constructions, whose own task may be larger.
    """
    one_fibre = len(task.fibres()) == 1
    lengths = {context.length for context in task.contexts}
    strict = not any(c.equal for c in task.comparisons())
    labels = all(len(asked) == 1 and asked[0].outputs[1:] == () for asked in task.requirements)
    if embedding == "joint" and lengths == {1} and labels:
        yield one_head_one_source(task), "one head is any map of one source (T2)"
    for verdict in orders:
        if verdict.answer is not EXPRESSIBLE or not isinstance(verdict.model, SkipGrams):
            continue
        if verdict.model.positions != ("absolute" if embedding == "joint" else "count"):
            continue
        weights = weights_of(verdict)
        most = max((len(f.sources) for f in weights), default=0)
        if most == 0:
            yield direct_path(task, embedding, weights), "the direct path alone"
        elif most == 1 and one_fibre:
            yield one_head(task, embedding, weights), f"one head decides what {_name(verdict)}s decide (T2)"
        elif most == 1 and embedding == "joint" and len(task.outputs) == 2 and len(lengths) == 1:
            yield one_head_two_outputs(task, weights), "one head for two outputs (T2)"
        if len(weights) > MOST_GRAMS:
            continue
        if most > 0 and embedding == "joint" and strict:
            yield head_per_gram(task, weights), "a head for each gram of the weights (T3)"
        elif most > 0 and embedding == "joint" and not task.fibres().keys() & _sources(task):
            yield head_per_gram(task, weights, exact=True), "heads with exactly the logits of the weights (T3)"
    for construction in given:
        try:
            tables = construction.tables().in_embedding(embedding, task)
        except InputError:
            continue
        yield tables, f"construction {construction.name}"


def _sources(task: Task) -> set[Place]:
    return {place for context in task.contexts for place in enumerate(context.sources)}


def weights_of(verdict: Verdict) -> dict[Feature, dict[str, Fraction]]:
    """The weights of a verdict's certificate by feature."""
    return {} if verdict.certificate is None else weights_in(verdict.certificate)


def best_tables(
    task: Task, embedding: Any, orders: Iterable[Verdict], given: Iterable[Construction], most: int | None = None
) -> Verdict | None:
    """Of the candidates that the trusted base proves, one with fewest heads; constructions come first among equals."""
    found = sorted(candidates(task, embedding, orders, given), key=lambda c: (len(c[0].heads), "(T" in c[1]))
    for tables, reason in found:
        if most is not None and len(tables.heads) > most:
            return None
        try:
            return certify_tables(task, tables, reason)
        except Refuted:
            continue
    return None


def padded(tables: HeadTables, heads: int) -> HeadTables:
    """The same model with idle heads added: a class with more heads contains the smaller ones."""
    return HeadTables(tables.embedding, tables.direct, (*tables.heads, *(Head(),) * (heads - len(tables.heads))))


def decide_heads(
    task: Task, model: Attention, *, given: Iterable[Construction] = (), time_limit: float | None = None
) -> Verdict:
    """Decide a task for a class of attention-only transformers as far as T1, T10 and the constructions known reach.

    No: an obstruction at order H + 2, or for two heads a block of too high a rank. Yes: tables of at most H heads.
    Otherwise ``UNDECIDED`` with the bounds.
    """
    positions = grams_for(model.embedding)
    order = None if model.heads is None else model.heads + 2
    top = decide_ensemble(task, SkipGrams(order, positions), time_limit=time_limit)
    if top.answer is INEXPRESSIBLE:
        return refute_heads(top, model)
    if top.answer is UNDECIDED:
        return Verdict(model, UNDECIDED, None, top.reason)
    lower = [
        decide_ensemble(task, SkipGrams(n, positions), time_limit=time_limit) for n in (2, 3) if order and n < order
    ]
    other = [] if model.embedding != "additive" else [decide_ensemble(task, SkipGrams(n, "count")) for n in (2, 3)]
    best = best_tables(task, model.embedding, [*lower, top, *other], given, model.heads)
    if best is None or not isinstance(best.certificate, HeadTablesCertificate):
        if model.heads == 2:
            limit = _seconds(time_limit)
            refuted = refute_two_heads(task, model.embedding, d_head=model.d_head, time_limit=limit)
            if refuted is not None:
                return refuted
        return Verdict(model, UNDECIDED, None, f"{_name(top)}s decide it, and no tables of so few heads are known")
    tables = best.certificate.tables
    if model.d_head is not None:
        return _within_width(task, tables, model, best.reason)
    if model.heads is not None:
        tables = padded(tables, model.heads)
    verdict = certify_tables(task, tables, best.reason)
    return Verdict(model, EXPRESSIBLE, verdict.certificate, best.reason)


def _within_width(task: Task, tables: HeadTables, model: Attention, reason: str) -> Verdict:
    """The tables refactored to the least width that their ranks allow, and certified at that width if it fits."""
    weights = exact_weights(tables, task)
    if model.d_head is None or weights.d_head > model.d_head:
        return Verdict(model, UNDECIDED, None, f"the tables known need d_head {weights.d_head}, not {model.d_head}")
    heads = len(tables.heads) if model.heads is None else model.heads
    verdict = certify_width(task, weights, reason, heads=heads, d_head=model.d_head)
    return Verdict(model, EXPRESSIBLE, verdict.certificate, reason)


def certify_width(
    task: Task | Domain, weights: ExactWeights, reason: str, *, heads: int | None = None, d_head: int | None = None
) -> Verdict:
    """The verdict yes for weights of a known width: scores of that rank.

    They are exact, ties included, where a head's odds are powers of one rational base; else they are rounded.

    Raises:
        Refuted: rounding left a comparison unproved, as it does to ties.
    """
    tables = weights.to_tables()
    if any(head.odds is not None for head in tables.heads):
        tables = weights.rounded()
    return certify_tables(task, padded(tables, heads or 0), reason, d_head=d_head or weights.d_head)


def certify_built(report: BuildReport) -> tuple[Verdict | None, str]:
    """A certificate for a built construction: at its width where that can be shown, else of free width.

    Of a domain it states a few contexts that stand for all.

    Returns:
        The verified verdict and an empty string, or ``None`` and why there is none.
    """
    tables, weights, rational, task = report.tables, report.weights, report.rational, report.task
    if not isinstance(tables, HeadTables) or not isinstance(weights, ExactWeights):
        return None, "certificates are of one layer"
    reason = f"construction {report.name}"
    attempts: list[Callable[[], Verdict]] = [
        lambda: certify_tables(task, tables, reason, d_head=report.d_head),
        lambda: certify_width(task, weights, reason),
        lambda: certify_tables(task, tables, reason),
    ]
    if isinstance(rational, HeadTables):
        exact = rational
        attempts.append(lambda: certify_tables(task, exact, reason))
    why = ""
    for attempt in attempts:
        try:
            return attempt(), ""
        except (Refuted, InputError) as error:
            why = str(error)
    return None, why
