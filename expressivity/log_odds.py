"""The logits level: does some skip-n-gram ensemble have exactly the stated probabilities? Linear algebra, proved.

With p(y | x) > 0 for y in the support S(x), an ensemble matches them exactly if
``w·φ(x) (e_y − e_z) = ln p(y|x)/p(z|x)`` for y, z in S(x). Written over pairwise coprime integers b_j, whose
logarithms are linearly independent over the rationals, this is one rational system for each b_j. Outputs of
probability 0 are reached in the limit of unbounded weights if besides some rational direction ties S(x) above
everything else. By Fredholm's and Motzkin's alternatives the answer no has a certificate too: integers μ with
``Σ μ φ(x) ⊗ (e_y − e_z) = 0`` and ``Π (p(y|x)/p(z|x))^μ ≠ 1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from expressivity.attention.weights.logs import coprime_base, exponents
from expressivity.certificate import rational_text, seal
from expressivity.ensembles import decide_ensemble, parts, refute_every_order
from expressivity.errors import InputError
from expressivity.separability import IntegerRows
from expressivity.separability.linear import pivot_columns, pivot_rows, solve, transpose
from expressivity.skipgrams import Feature, SkipGrams, comparison_rows, design
from expressivity.task import Comparison, Context, Task, Tie, Top
from expressivity.verdict import (
    EXPRESSIBLE,
    INEXPRESSIBLE,
    UNDECIDED,
    LogitObstruction,
    LogitWeights,
    Obstruction,
    SeparatingWeights,
    Verdict,
)

Exponents = list[int]

NOT_REFUTED = "no contradiction that holds at every order"


def decide_logits(task: Task, model: SkipGrams, *, time_limit: float | None = None) -> Verdict:
    """Decide whether an ensemble has the task's probabilities, exactly or in the limit where some are 0.

    Args:
        task: distributions; labels and ties count as point and uniform ones.
        model: an order, or ``SkipGrams(None, …)`` for all orders at once; a yes is then proved at the order from
            which on no feature is new.
        time_limit: seconds for the direction that zero probabilities need.

    Returns:
        A verdict whose certificate has been verified by the trusted base.

    Raises:
        InputError: a context with a top set of several outputs or with several requirements.

    >>> coin = Task.from_text("A Q -> T:2/3 F:1/3")
    >>> decide_logits(coin, SkipGrams(2)).answer.value
    'expressible'
    """
    if model.order is None:
        never = refute_every_log_odds(task, model.positions, time_limit=time_limit)
        reach = SkipGrams(model.saturates_at(task.contexts), model.positions)
        return never or decide_logits(task, reach, time_limit=time_limit)
    return _decided(task, model, time_limit)


def refute_every_log_odds(task: Task, positions: str, *, time_limit: float | None = None) -> Verdict | None:
    """The verdict that no order has the task's probabilities, if that is so.

    In absolute positions distinct contexts are always told apart, so the answer is ``None`` at once.
    """
    if positions == "absolute":
        return None
    verdict = _decided(task, SkipGrams(None, positions), time_limit)
    return verdict if verdict.answer is INEXPRESSIBLE else None


def _decided(task: Task, model: SkipGrams, time_limit: float | None) -> Verdict:
    """The decision; with order ``None`` a yes is no more than that nothing refutes every order at once."""
    chances = [_chances(task, i) for i in range(len(task.contexts))]
    support = [sorted(y for y, p in own.items() if p) for own in chances]
    odds = [[own[ys[0]] / own[y] for y in ys[1:]] for own, ys in zip(chances, support, strict=True)]
    # The same for all parts, whose weights are listed together.
    bases = _bases(ratio for ratios in odds for ratio in ratios)
    entries: dict[int, list[dict[str, object]]] = {}
    for part in parts(task, model):
        pairs = [Comparison(n, support[i][0], y, True) for n, i in enumerate(part.contexts) for y in support[i][1:]]
        ratios = [ratio for i in part.contexts for ratio in odds[i]]
        columns = design([task.contexts[i] for i in part.contexts], model, reduced=True)
        outputs = task.outputs[::-1]
        system = System(IntegerRows.from_scipy(comparison_rows(columns.matrix, pairs, outputs)), ratios, bases)
        broken = system.inconsistency()
        if broken is not None:
            used = [(part.contexts[pairs[r].context], pairs[r].above, pairs[r].below, m) for r, m in broken.items()]
            return _refuted(task, model, used)
        for base, weights in system.solutions():
            entries.setdefault(base, []).extend(_entries(columns.features, weights, outputs))
    direction: Sequence[object] = []
    if any(len(own) < len(task.outputs) for own in support):
        tied = [Tie(own) if len(own) > 1 else Top(own) for own in support]
        ties = Task(task.contexts, tied, outputs=task.outputs)
        every = model.order is None
        limit = (
            refute_every_order(ties, model.positions) if every else decide_ensemble(ties, model, time_limit=time_limit)
        )
        if limit is None or limit.answer is UNDECIDED:
            return Verdict(model, UNDECIDED, None, NOT_REFUTED if limit is None else limit.reason)
        if isinstance(limit.certificate, Obstruction):
            place = {context: i for i, context in enumerate(task.contexts)}
            used = [(place[Context(c)], y, z, int(m)) for c, y, z, m in limit.certificate.multipliers]
            return _refuted(task, model, used)
        if isinstance(limit.certificate, SeparatingWeights):
            direction = limit.certificate.document["proof"]["weights"]
    if model.order is None:
        return Verdict(model, UNDECIDED, None, NOT_REFUTED)
    proof = {"bases": [str(b) for b in bases], "weights": [entries.get(b, []) for b in bases], "direction": direction}
    certificate = LogitWeights(seal("logit_weights", model.to_json(), task.to_json(), proof))
    certificate.verify()
    reason = "the probabilities in the limit" if direction else "the probabilities exactly"
    return Verdict(model, EXPRESSIBLE, certificate, reason)


def _chances(task: Task, index: int) -> Mapping[str, Fraction]:
    asked = task.requirements[index]
    distribution = asked[0].as_distribution() if len(asked) == 1 else None
    if distribution is None:
        raise InputError(
            f"task {task.name}, context “{task.contexts[index]}”: several outputs are allowed, which is no "
            "distribution; "
            "expected a label, a tie or probabilities"
        )
    return dict(distribution.probabilities)


def _bases(ratios: Iterable[Fraction]) -> list[int]:
    """Pairwise coprime integers above 1 of which every ratio is a product of powers."""
    return coprime_base(n for ratio in ratios for n in (ratio.numerator, ratio.denominator))


@dataclass(frozen=True)
class System:
    """``rows · w = ln ratios``, over the logarithms of coprime integers."""

    rows: IntegerRows
    ratios: Sequence[Fraction]
    bases: Sequence[int]

    def _square(self) -> tuple[list[int], list[int], IntegerRows]:
        chosen = pivot_rows(self.rows) if self.rows.n_rows else []
        columns = pivot_columns(self.rows.take(chosen)) if chosen else []
        return chosen, columns, self.rows.take(chosen).keep_columns(columns)

    def solutions(self) -> Iterable[tuple[int, dict[int, Fraction]]]:
        """For each base the rational weights ``{column: weight}``; the system must be consistent."""
        chosen, columns, square = self._square()
        for base in self.bases:
            right = [exponents(self.ratios[r], [base]).get(base, 0) for r in chosen]
            found = solve(square, right) if any(right) else None
            if found is not None:
                numerators, denominator = found
                yield base, {c: Fraction(n, denominator) for c, n in zip(columns, numerators, strict=True) if n}

    def inconsistency(self) -> dict[int, int] | None:
        """Multipliers under which the rows cancel and the logarithms do not, on independent rows and one more.

        ``None`` if the solutions found meet every row, which is checked exactly.
        """
        chosen, columns, square = self._square()
        for base in self.bases:
            want = [exponents(ratio, [base]).get(base, 0) for ratio in self.ratios]
            right = [want[r] for r in chosen]
            numerators, denominator = solve(square, right) or ([0] * len(columns), 1)
            weights = [0] * self.rows.n_columns
            for column, value in zip(columns, numerators, strict=True):
                weights[column] = value
            got = self.rows.times(weights)
            wrong = [r for r, value in enumerate(got) if value != denominator * want[r]]
            if wrong:
                return self._dependency(wrong[0], chosen, columns, square)
        return None

    def _dependency(self, row: int, chosen: list[int], columns: list[int], square: IntegerRows) -> dict[int, int]:
        own = self.rows.row(row)
        found = solve(transpose(square), [own.get(column, 0) for column in columns]) if chosen else ([], 1)
        if found is None:
            raise InputError("the rows of this task defeat the exact solver; please report this task")
        numerators, denominator = found
        combined = {r: -n for r, n in zip(chosen, numerators, strict=True) if n} | {row: denominator}
        common = gcd(*combined.values())
        return {r: m // common for r, m in combined.items()}


def _entries(
    features: Sequence[Feature], weights: Mapping[int, Fraction], outputs: Sequence[str]
) -> list[dict[str, object]]:
    size = len(features)
    table: dict[int, dict[str, str]] = {}
    for column, weight in weights.items():
        table.setdefault(column % size, {})[outputs[column // size]] = rational_text(weight)
    return [features[j].to_json(logits) for j, logits in sorted(table.items())]


def _refuted(task: Task, model: SkipGrams, used: Sequence[tuple[int, str, str, int]]) -> Verdict:
    ratios = [chances[y] / chances[z] for i, y, z, _ in used if (chances := _chances(task, i)).get(z)]
    bases = _bases(ratios)
    chosen = sorted({i for i, *_ in used})
    place = {i: n for n, i in enumerate(chosen)}
    listed = [{"context": place[i], "pair": [y, z], "multiplier": rational_text(m)} for i, y, z, m in used]
    proof = {"bases": [str(b) for b in bases], "multipliers": listed}
    stated = task.restrict(chosen).to_json()
    certificate = LogitObstruction(seal("logit_obstruction", model.to_json(), stated, proof))
    certificate.verify()
    many = f"{len(chosen)} context{'s' if len(chosen) != 1 else ''}"
    return Verdict(model, INEXPRESSIBLE, certificate, f"{many} with log-odds that no weights have")
