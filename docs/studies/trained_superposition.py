"""How trained heads do two tasks of superposition: ``python docs/studies/trained_superposition.py``.

The tasks: skip-trigrams that share their source (Circuits Updates, May and July 2023) and two signals among noise
(Greenspan & Wynroe 2023). Many seeds of each are trained side by side, in the embedding ``tokens`` and with the direct
path free, as ``expressivity train`` does; what each decides is proved. Of those that decide their task the tables are
read off, and attention and what it carries are measured in float64 beside the hand-set tables of the gallery. Measures
and words are those of ``docs/trained-superposition.md``; ``--seeds``, ``--seed`` and ``--part`` make smaller runs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product
from typing import Any

import click
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import expit, logit
from scipy.stats import kendalltau

from expressivity.attention import AttentionOnlyTransformer, Head, HeadTables, read_tables
from expressivity.attention.tables import Place, rows_of
from expressivity.heads.gallery import load_construction
from expressivity.report.progress import Counted
from expressivity.training.plan import make_model, planned
from expressivity.training.seeds import Seeds, train_seeds, wilson

HALF, SILENT, SHARP, FLAT = 0.5, 0.1, 0.1, 2.0
RESAMPLES = 10_000
SIGNALS, NOISE, END = ("1", "2", "3", "4"), tuple(str(n) for n in range(5, 12)), "0"
PAIRS = tuple("".join(pair) for pair in combinations_with_replacement(SIGNALS, 2))
ORDERS = (1, 3, 5, 6, 5, 3, 1)  # of the 24 orders of four: with 6, 5, … 0 pairs reversed, that is τ = −1, −2/3, … 1
Array = np.ndarray[Any, Any]


# ---------------------------------------------------------------------------------------------- tables in floats


def scores(tables: HeadTables, head: Head, end: Place, sources: Iterable[Place]) -> list[float]:
    """Logarithms of the odds of sources, seen from a destination."""
    row = rows_of(tables.embedding, end)
    places = [rows_of(tables.embedding, source) for source in sources]
    if head.odds is not None:
        return [math.log(head.weight(row, place)) for place in places]
    unit = 1.0 if head.base == "e" else math.log(head.base)
    return [unit * float(head.score(row, place)) for place in places]


def share(tables: HeadTables, head: Head, end: str, source: str) -> float:
    """Of attention, of the one source before a destination."""
    there, here = scores(tables, head, (1, end), ((0, source), (1, end)))
    return float(expit(there - here))


def written(tables: HeadTables, values: Mapping[Any, Any], place: Place, outputs: Sequence[str]) -> Array:
    """What a head, or the direct path, has for each output at a place."""
    rows = rows_of(tables.embedding, place)
    return np.array([float(sum(values.get((row, y), 0) for row in rows)) for y in outputs])


def along(vectors: Array) -> Array:
    """Coordinates of vectors of one line, in the unit of their lengths; their sum is at least 0.

    >>> along(np.array([[0.0, -3.0], [0.0, 1.0]])).round(9).tolist()
    [3.0, -1.0]
    """
    found = vectors @ np.linalg.svd(vectors)[2][0]
    return np.asarray(found if found.sum() >= 0 else -found) + 0.0


def is_line(vectors: Array) -> bool:
    """Whether all are multiples of one, to rounding."""
    sizes = np.linalg.svd(vectors, compute_uv=False)
    return bool(sizes[1] <= 1e-6 * sizes[0])


# ---------------------------------------------------------------------------------------------- one source for all


@dataclass(frozen=True)
class Shared:
    """How heads tell apart k destinations of one source.

    Attributes:
        shares: of attention, of the source; ``[heads, k]``.
        absent: the same of the other token, which stands in its place where it is absent.
        moves: what the source changes, by head and destination, as a number along the head's one direction in the
            logits; 0 everywhere if the head is wider than 1.
        cancelling: how much of what heads and direct path write is written to be taken back where the source is absent:
            what differs there between destinations, of the part that writes most, in proportion to the same of the
            logits where the source is present.
        rounded: whether the right completions stay on top if every share is made 0 or 1, whichever is nearer.
        margin: the least of a right completion, in nats.
        probability: the least of a right completion, among the completions.
    """

    shares: Array
    absent: Array
    moves: Array
    cancelling: float
    rounded: bool
    margin: float
    probability: float

    @property
    def sets(self) -> tuple[frozenset[int], ...]:
        """For each destination the heads that give the source more than half of their attention."""
        return tuple(frozenset(np.flatnonzero(column > HALF).tolist()) for column in self.shares.T)

    @property
    def by_attention(self) -> str:
        """Whether those are a published code: one nonempty set of heads for each destination."""
        if len(set(self.sets)) < len(self.sets):
            return "shared"
        return "subsets" if all(self.sets) else "with the empty set"

    @property
    def is_sharp(self) -> bool:
        """Whether all shares are within a tenth of 0 or 1."""
        return bool((np.minimum(self.shares, 1 - self.shares) < SHARP).all())

    @property
    def by_moves(self) -> str:
        """Whether heads move all their destinations one way, and then whether by sets or by size."""
        largest = np.abs(self.moves).max(axis=0)
        signs = np.sign(self.moves) * (np.abs(self.moves) >= SILENT * largest)
        if any((row > 0).any() and (row < 0).any() for row in signs):
            return "both ways"
        sets = {tuple(column) for column in np.abs(signs).T}
        return "one way, sets" if len(sets) == signs.shape[1] else "one way, graded"

    @property
    def is_flat_and_graded(self) -> bool:
        """Whether of two heads one has the same odds everywhere, within a factor of 2, and the other has not."""
        score = logit(self.shares.clip(1e-12, 1 - 1e-12))
        spread = sorted(np.exp(np.ptp(score, axis=1)).tolist())
        return len(spread) == 2 and spread[0] <= FLAT < spread[1]

    @property
    def to_subsets(self) -> float:
        """The mean distance in total variation to the nearest table of sharp shares with a nonempty set for each."""
        heads, k = self.shares.shape
        sets = np.array([s for s in product((0.0, 1.0), repeat=heads) if any(s)])
        cost = np.abs(self.shares.T[:, None] - sets[None]).mean(-1)
        return float(cost[linear_sum_assignment(cost)].sum() / k) if len(sets) >= k else math.nan

    def drawn(self) -> Counter[str]:
        """How many heads follow the source at all destinations, follow the other token, look at themselves, or mix."""
        kinds: Counter[str] = Counter()
        for here, other in zip(self.shares > HALF, self.absent > HALF, strict=True):
            known = {(True, False): "source", (False, True): "other", (False, False): "itself", (True, True): "first"}
            seen = {known[bool(a), bool(b)] for a, b in zip(here, other, strict=True)}
            kinds[seen.pop() if len(seen) == 1 else "mixed"] += 1
        return kinds


def shared(tables: HeadTables, k: int, outputs: Sequence[str] = ()) -> Shared:
    """The measures of one model of ``ov-incoherent:K``, of one source and of tokens alone.

    Args:
        tables: what is measured.
        k: the number of destinations.
        outputs: with which a right completion competes; by default the completions.
    """
    ends, other = [str(i) for i in range(1, k + 1)], str(2 * k + 1)
    completions = [str(k + i) for i in range(1, k + 1)]
    outputs = outputs or completions
    shares = np.array([[share(tables, head, end, "0") for end in ends] for head in tables.heads])
    absent = np.array([[share(tables, head, end, other) for end in ends] for head in tables.heads])
    moves = np.zeros_like(shares)
    for h, head in enumerate(tables.heads):
        source, instead = (written(tables, head.values, (0, s), completions) for s in ("0", other))
        changes = []
        for end, p, r in zip(ends, shares[h], absent[h], strict=True):
            change = p * source - r * instead + (r - p) * written(tables, head.values, (1, end), completions)
            changes.append(change - change.mean())
        if is_line(np.array(changes)):
            moves[h] = along(np.array(changes))
    right = [list(outputs).index(completion) for completion in completions]
    present, without, rounded = (
        np.array([_parts(tables, end, token, some[:, i], outputs) for i, end in enumerate(ends)])
        for token, some in (("0", shares), (other, absent), ("0", shares.round()))
    )
    logits = present.sum(axis=1)
    back = np.sqrt((_apart(without) ** 2).sum(axis=(0, 2))).max() / np.sqrt((_apart(logits) ** 2).sum())
    probabilities = [float(1 / np.exp(found - found[y]).sum()) for found, y in zip(logits, right, strict=True)]
    held = _least(rounded.sum(axis=1), right) > 0
    return Shared(shares, absent, moves, float(back), held, _least(logits, right), min(probabilities))


def _parts(tables: HeadTables, end: str, source: str, shares: Array, outputs: Sequence[str]) -> Array:
    """What the direct path and each head write; ``[1 + heads, outputs]``."""
    found = [written(tables, tables.direct, (1, end), outputs)]
    for head, p in zip(tables.heads, shares, strict=True):
        there, here = (written(tables, head.values, place, outputs) for place in ((0, source), (1, end)))
        found.append(p * there + (1 - p) * here)
    return np.array(found)


def _apart(written: Array) -> Array:
    """Less the mean over outputs, which no softmax sees, and over destinations, which may be moved between parts."""
    found = written - written.mean(axis=-1, keepdims=True)
    return np.asarray(found - found.mean(axis=0))


def _least(logits: Array, right: Sequence[int]) -> float:
    return min(float(found[y] - np.delete(found, y).max()) for found, y in zip(logits, right, strict=True))


# ---------------------------------------------------------------------------------------------- two signals


@dataclass(frozen=True)
class Signals:
    """How heads read two signals among noise.

    Attributes:
        scores: of the four signals, seen from the read-off token; ``[heads, 4]``.
        values: of the four signals, as numbers along the head's one direction in the logits.
        margins: of every context, nats; those of one multiset of sources once.
        flat: the same if in each head all four signals have the mean of their scores.
    """

    scores: Array
    values: Array
    margins: Array
    flat: Array

    @property
    def orders(self) -> tuple[tuple[int, ...], ...]:
        """For each head the signals from the one it prefers to the one it attends to least, numbered from 1."""
        return tuple(tuple((np.argsort(-row) + 1).tolist()) for row in self.scores)

    @property
    def tau(self) -> float:
        """Kendall's τ of the scores of two heads: −1 if one order is the other reversed."""
        return tau(*self.scores)

    @property
    def value_taus(self) -> tuple[float, ...]:
        """How far values go with scores: Kendall's |τ| in each head."""
        return tuple(abs(tau(s, v)) for s, v in zip(self.scores, self.values, strict=True))

    @property
    def steps(self) -> Array:
        """Odds ratios between neighbours in each head's own order; ``[heads, 3]``, at least 1."""
        return np.asarray(np.exp(np.diff(np.sort(self.scores, axis=1), axis=1))[:, ::-1])

    @property
    def evenness(self) -> float:
        """The least margin in proportion to the mean one."""
        return float(self.margins.min() / self.margins.mean())

    @property
    def mechanism(self) -> str:
        """Of two heads: the first of the mechanisms below that holds."""
        if (self.flat > 0).all():
            return "sum"
        if self.tau > -1 + 1e-9:
            return "partly" if self.tau < -1e-9 else "not"
        graded = min(*self.value_taus, abs(tau(*self.values)))
        return "as published" if graded > 1 - 1e-9 else "inverted"


def tau(one: Array, other: Array) -> float:
    """Kendall's τ of two lists of four; 0 where all entries of one are equal."""
    found = float(kendalltau(one, other).statistic)
    return 0.0 if math.isnan(found) else found


def signals(tables: HeadTables, length: int) -> Signals:
    """The measures of one model of ``ov-coherent:L``, of tokens alone."""
    tokens = (*SIGNALS, *NOISE, END)
    of = np.array([scores(tables, head, (0, END), [(0, token) for token in tokens]) for head in tables.heads])
    values = np.array([[written(tables, head.values, (0, token), PAIRS) for token in tokens] for head in tables.heads])
    direct = written(tables, tables.direct, (0, END), PAIRS)
    level = of.copy()
    level[:, :4] = of[:, :4].mean(axis=1, keepdims=True)
    numbers = np.array([along(table - table.mean(axis=1, keepdims=True)) for table in values[:, :4]])
    margins, flat = (_margins(each, values, direct, *multisets(length)) for each in (of, level))
    return Signals(of[:, :4], numbers, margins, flat)


def multisets(length: int) -> tuple[Array, Array]:
    """How often each token occurs in the contexts, those of one multiset once, and which pair is right."""
    rows, right = [], []
    for pair in combinations_with_replacement(range(4), 2):
        for rest in combinations_with_replacement(range(4, 11), length - 2):
            row = np.zeros(12)
            np.add.at(row, [*pair, *rest, 11], 1)
            rows.append(row)
            right.append(PAIRS.index("".join(SIGNALS[s] for s in pair)))
    return np.array(rows), np.array(right)


def _margins(of: Array, values: Array, direct: Array, counts: Array, right: Array) -> Array:
    odds = counts[None] * np.exp(of - of.max(axis=1, keepdims=True))[:, None]
    logits = direct + ((odds @ values) / odds.sum(-1, keepdims=True)).sum(0)
    own = logits[np.arange(len(right)), right]
    logits[np.arange(len(right)), right] = -np.inf
    return np.asarray(own - logits.max(1))


# ---------------------------------------------------------------------------------------------- training


@dataclass(frozen=True)
class Run:
    """Seeds of one plan."""

    task: str
    heads: int
    d_head: int = 1
    fewer: int = 1  # than the seeds asked for, by this factor
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def size(self) -> int:
        """K or L of the task."""
        return int(self.task.partition(":")[2])

    @property
    def title(self) -> str:
        """The first cells of a row."""
        return f"`{self.task}` | {self.heads} × {self.d_head}"

    def train(self, seeds: int, seed: int) -> Seeds:
        """All seeds, side by side, and the proof of what each decides."""
        asked = {"embedding": "tokens", **dict(self.settings)}
        plan = planned(self.task, heads=self.heads, d_head=self.d_head, seed=seed, **asked)
        with Counted("steps") as progress:
            return train_seeds(plan, max(1, seeds // self.fewer), device="cpu", progress=progress)


QUICK = (("steps", 1000),)
PUBLISHED = tuple(Run(f"ov-incoherent:{k}", k - 1) for k in (3, 4, 5))
TWO = tuple(Run(f"ov-incoherent:{k}", 2) for k in (4, 5, 8))
WIDE = tuple(Run(f"ov-incoherent:{k}", 2, d_head) for k, d_head in ((3, 2), (3, 8), (8, 2)))
SIGNAL_RUNS = (
    Run("ov-coherent:3", 2, fewer=4, settings=QUICK),
    Run("ov-coherent:3", 1, fewer=4, settings=QUICK),
)
RATIOS = ("2", "3", "10", "100")


def tables_of(found: Seeds, first: bool = False) -> list[HeadTables]:
    """Those of the seeds that decide their task, or of all seeds before training."""
    tables = []
    for n, outcome in enumerate(found.outcomes):
        model = make_model(replace(found.plan, seed=found.plan.seed + n), found.feed) if first else found.model(n)
        if isinstance(model, AttentionOnlyTransformer) and (first or outcome.right):
            tables.append(read_tables(model))
    return tables


# ---------------------------------------------------------------------------------------------- tables to print


def percent(many: int, of: int) -> str:
    """A fraction with Wilson's interval."""
    if not of:
        return "none"
    low, high = wilson(many, of)
    return f"{many} of {of} ({100 * low:.1f}% to {100 * high:.1f}%)"


def spread(found: Sequence[float], digits: int = 2) -> str:
    """The median, and in brackets the quartiles."""
    low, middle, high = np.quantile(np.array(found), [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def by_chance(heads: int, k: int) -> float:
    """That k even random sets of heads are distinct and none of them empty."""
    return math.perm(2**heads - 1, k) / float(2 ** (heads * k))


def table(heading: str, rows: Iterable[str]) -> str:
    """A Markdown table."""
    return "\n".join([f"| {heading} |", "|" + "---|" * (heading.count(" | ") + 1), *(f"| {row} |" for row in rows)])


def attention_row(run: Run, found: Sequence[Shared], before: Sequence[Shared]) -> str:
    """How often the published code occurs, as attention tells."""
    kinds, untrained = (Counter(each.by_attention for each in some) for some in (found, before))
    sharp = sum(each.by_attention == "subsets" and each.is_sharp for each in found)
    cells = f"{kinds['with the empty set']} | {kinds['shared']} | {sharp}"
    chance = f"{by_chance(run.heads, run.size):.1%} | {untrained['subsets'] / len(before):.1%}"
    return f"{run.title} | {percent(kinds['subsets'], len(found))} | {cells} | {chance}"


def moves_row(run: Run, found: Sequence[Shared]) -> str:
    """How often it occurs as moves tell, and the any-k mechanism."""
    kinds = Counter(each.by_moves for each in found)
    flat = sum(each.is_flat_and_graded and each.by_moves == "one way, graded" for each in found)
    cells = [kinds["one way, sets"], kinds["one way, graded"], flat if run.heads == 2 else "", kinds["both ways"]]
    rounded = percent(sum(each.rounded for each in found), len(found))
    back = spread([each.cancelling for each in found])
    return f"{run.title} | {' | '.join(map(str, cells))} | {rounded} | {back}"


def distance_row(title: str, found: Sequence[Shared], before: Sequence[Shared] = ()) -> str:
    """How far shares are from the nearest published code, and margins beside its own."""
    cells = [[each.to_subsets for each in some] for some in (found, before)]
    distances = ["" if not each or math.isnan(each[0]) else spread(each) for each in cells]
    margins, least = [each.margin for each in found], [each.probability for each in found]
    return f"{title} | {' | '.join(distances)} | {spread(margins)} | {spread(least, 4)}"


def wide_row(run: Run, found: Sequence[Shared], of: int) -> str:
    """What wider heads attend to."""
    kinds = Counter(tuple(sorted(each.drawn().elements())) for each in found)
    july = kinds[("itself", "source")]
    other = kinds[("itself", "other")]
    two = sum(
        many
        for kind, many in kinds.items()
        if "mixed" not in kind and kind not in (("itself", "source"), ("itself", "other"))
    )
    back = spread([each.cancelling for each in found])
    rest = len(found) - july - other - two
    return f"{run.title} | {len(found)} of {of} | {percent(july, len(found))} | {other} | {two} | {rest} | {back}"


def decided_row(run: Run, found: Seeds, needed: str) -> str:
    """How many seeds do their task."""
    return f"{run.title} | {percent(found.right, len(found.outcomes))} | {found.certified} | {needed}"


def order_row(run: Run, found: Sequence[Signals], seed: int) -> str:
    """Whether one head's order is the other's reversed."""
    taus = np.array([each.tau for each in found])
    drawn = np.random.default_rng(seed).choice(taus, (RESAMPLES, len(taus))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    linear = [float(np.corrcoef(each.scores)[0, 1]) for each in found]
    reversed_ = percent(sum(t < -1 + 1e-9 for t in taus), len(taus))
    below = percent(sum(t < -1e-9 for t in taus), len(taus))
    return f"{run.title} | {reversed_} | {below} | {taus.mean():.2f} ({low:.2f} to {high:.2f}) | {spread(linear)}"


def tau_rows(runs: Iterable[tuple[str, Sequence[float]]], chance: Sequence[float]) -> list[str]:
    """How often each τ occurs, by tenths of nothing: thirds from −1 to 1, or from 0."""
    first = 7 - len(chance)
    rows = []
    for title, taus in runs:
        many = Counter(round(3 * t) + 3 for t in taus)
        rows.append(f"{title} | " + " | ".join(str(many[n]) for n in range(first, 7)))
    return [*rows, "by chance | | " + " | ".join(f"{c:.1%}" for c in chance)]


def mechanism_row(run: Run, found: Sequence[Signals]) -> str:
    """Which mechanism two heads use, and what remains right without differences of attention."""
    kinds = Counter(each.mechanism for each in found)
    cells = " | ".join(str(kinds[kind]) for kind in ("as published", "inverted", "partly", "not", "sum"))
    uses = percent(kinds["as published"] + kinds["inverted"], len(found))
    return f"{run.title} | {cells} | {uses} | {spread([100 * float((each.flat > 0).mean()) for each in found], 0)}"


def odds_row(title: str, found: Sequence[Signals], formula: str = "") -> str:
    """Odds between neighbours, and margins."""
    steps = np.array([each.steps for each in found])
    cells = [spread(np.exp(np.log(steps).mean((1, 2))).tolist(), 1)] if len(found) > 1 else [f"{steps.min():.1f}"]
    least = steps.min((1, 2))
    cells += [f"{np.median(least):.2f}", f"{(least >= math.sqrt(3)).sum()} of {len(found)}"]
    margins = [float(each.margins.min()) for each in found]
    evenness = [each.evenness for each in found]
    show = spread if len(found) > 1 else lambda some: f"{some[0]:.2f}"
    return f"{title} | {' | '.join(cells)} | {show(margins)} | {formula} | {show(evenness)}"


def shared_sections(seeds: int, seed: int) -> dict[str, str]:
    """The tables of one source for all."""
    attention, moves, distances, decide = [], [], [], []
    for run in (*PUBLISHED, *TWO):
        trained = run.train(seeds, seed)
        found, before = ([shared(t, run.size) for t in tables_of(trained, first)] for first in (False, True))
        needed = "2 of width 1 ([`ov_incoherent_width_one`](../constructions/ov_incoherent_width_one.py))"
        decide.append(decided_row(run, trained, needed))
        attention.append(attention_row(run, found, before))
        moves.append(moves_row(run, found))
        distances.append(distance_row(run.title, found, before))
    for name in ("ov_incoherent_printed", "ov_incoherent_subsets:2", "ov_incoherent_width_one:3"):
        hand = load_construction(name).tables()
        distances.append(distance_row(f"`{name}` | 2 × 1", [shared(hand, 3)]))
    printed = shared(load_construction("ov_incoherent_printed").tables(), 3, [str(n) for n in range(8)])
    distances.append(distance_row("`ov_incoherent_printed`, among all 8 tokens | 2 × 1", [printed]))
    wide = []
    for run in WIDE:
        trained = run.train(seeds, seed)
        wide.append(wide_row(run, [shared(t, run.size) for t in tables_of(trained)], len(trained.outcomes)))
    kinds = "one way, sets | one way, graded"
    return {
        "attention": table(
            "task | heads × width | distinct nonempty sets | with the empty set | shared sets | sharp | by chance | "
            "untrained",
            attention,
        ),
        "moves": table(
            f"task | heads × width | {kinds} | of them any-k | both ways | right with shares rounded | cancelling",
            moves,
        ),
        "distances": table(
            "task or table | heads × width | distance to subsets | untrained | least margin, nats | least probability",
            distances,
        ),
        "wide": table(
            "task | heads × width | decide | itself, source (July 2023) | itself, other token | other pairs | mixed | "
            "cancelling",
            wide,
        ),
        "shared": table("task | heads × width | decide | certified | needed", decide),
    }


def signal_sections(seeds: int, seed: int) -> dict[str, str]:
    """The tables of two signals."""
    decide, orders, mechanisms, odds = [], [], [], []
    taus, between, within = [], [], []
    for run in SIGNAL_RUNS:
        trained = run.train(seeds, seed)
        found = [signals(t, run.size) for t in tables_of(trained)]
        needed = "1 of width 1 ([`ov_coherent_width_one`](../constructions/ov_coherent_width_one.py))"
        decide.append(decided_row(run, trained, needed))
        odds.append(odds_row(run.title, found))
        within.append((run.title, [value for each in found for value in each.value_taus]))
        if run.heads == 2:
            orders.append(order_row(run, found, seed))
            mechanisms.append(mechanism_row(run, found))
            taus.append((run.title, [each.tau for each in found]))
            between.append((run.title, [abs(tau(*each.values)) for each in found]))
    for ratio in RATIOS:
        hand = signals(load_construction(f"ov_coherent_inverted:{ratio}").tables(), 3)
        r = float(ratio)
        odds.append(odds_row(f"`ov_coherent_inverted:{ratio}` | 2 × 1", [hand], f"{(r - 1) / (2 * (r + 1)):.3f}"))
    thirds = "−1 | −2/3 | −1/3 | 0 | 1/3 | 2/3 | 1"
    signed = [n / 24 for n in ORDERS]
    absolute = [signed[3], *(signed[3 + n] + signed[3 - n] for n in (1, 2, 3))]
    return {
        "signals": table("task | heads × width | decide | certified | needed", decide),
        "orders": table("task | heads × width | exactly reversed | τ below 0 | mean τ | correlation of scores", orders),
        "taus": table(f"τ of scores, head with head | heads × width | {thirds}", tau_rows(taus, signed)),
        "mechanisms": table(
            "task | heads × width | as published | inverted, other values | partly inverted | not | sum | "
            "uses inverted attention | contexts right when flat, %",
            mechanisms,
        ),
        "odds": table(
            "task or table | heads × width | R | least R | all R ≥ √3 | least margin | (R − 1)/(2(R + 1)) | "
            "least over mean",
            odds,
        ),
        "values": table(
            "absolute τ | heads × width | 0 | 1/3 | 2/3 | 1",
            [
                *tau_rows(((f"values, head with head, {title}", some) for title, some in between), absolute)[:-1],
                *tau_rows(((f"values with scores, {title}", some) for title, some in within), absolute),
            ],
        ),
    }


PARTS = {"shared": shared_sections, "signals": signal_sections}


@click.command()
@click.option(
    "--seeds",
    default=200,
    show_default=True,
    help="Of each plan for one source; a quarter of them for two signals.",
)
@click.option("--seed", default=0, show_default=True, help="The first, and that of the bootstrap.")
@click.option("--part", type=click.Choice(list(PARTS)), help="One of the two tasks alone.")
def main(seeds: int, seed: int, part: str | None) -> None:
    """Train, measure, and print the tables."""
    for name, sections in PARTS.items():
        if part in (None, name):
            for title, text in sections(seeds, seed).items():
                click.echo(f"{title}\n\n{text}\n")


if __name__ == "__main__":
    main()
