"""What a head that is switched off by context costs skip-n-grams: ``python docs/studies/noun_head.py``.

The gallery's ``noun_head`` on a mixture of prose and code: three tokens drawn at random, then ``in`` or ``with``. First
what it decides, beside two tables read off its weights; then how many nats short each order of skip-n-grams falls of
its probabilities. Decisions are exact and the orders' costs certified; what the two tables cost is computed in floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import exp, log, prod

import click

from expressivity import Distribution, HeadTables, SkipGrams, Task, bound_cross_entropy
from expressivity.heads.gallery import load_construction
from expressivity.verify.enclosure import log_bounds

LENGTH = 3
PROSE = {"judge": Fraction(1, 8), "doctor": Fraction(1, 8), "said": Fraction(3, 8), "old": Fraction(3, 8)}
CODE = {"def": Fraction(1, 6), "import": Fraction(1, 6), "judge": Fraction(1, 12), "doctor": Fraction(1, 12)}
CODE |= {"said": Fraction(1, 4), "old": Fraction(1, 4)}
MIXTURE = ((Fraction(3, 4), PROSE), (Fraction(1, 4), CODE))
DENOMINATOR = 2**20
Logits = dict[str, Fraction]


def contexts() -> Iterator[tuple[tuple[str, ...], Fraction]]:
    """Every context of the mixture with its probability."""
    for *sources, end in product(CODE, CODE, CODE, ("in", "with")):
        weight = sum(share * prod(text.get(token, 0) for token in sources) for share, text in MIXTURE)
        yield (*sources, end), weight / 2


def read_off(tables: HeadTables, context: tuple[str, ...]) -> Logits:
    """The direct path plus QK·OV: each source's odds times what it writes."""
    return _table(tables, context, votes=False)


def deciding(tables: HeadTables, context: tuple[str, ...]) -> Logits:
    """Odds times writes *plus direct path*, over the sources and the destination (theorem T2)."""
    return _table(tables, context, votes=True)


def _table(tables: HeadTables, context: tuple[str, ...], *, votes: bool) -> Logits:
    end, (head,) = (None, context[-1]), tables.heads
    logits = {}
    for y in tables.outputs:
        direct = tables.direct.get((end, y), Fraction(0))
        sources = context if votes else context[:-1]
        terms = (
            head.weight([end], [(None, x)]) * (head.values.get(((None, x), y), Fraction(0)) + votes * direct)
            for x in sources
        )
        logits[y] = sum(terms, Fraction(0)) + (0 if votes else direct)
    return logits


def log_probabilities(logits: Logits) -> dict[str, float]:
    """The logarithm of their softmax."""
    top = max(logits.values())
    total = log(sum(exp(value - top) for value in logits.values()))
    return {y: float(value - top) - total for y, value in logits.items()}


def soft_task(tables: HeadTables) -> Task:
    """The mixture with the model's own probabilities, rounded to multiples of 2^(−20) and scaled to sum to 1."""
    places, asked, weights = [], [], []
    for context, weight in contexts():
        near = {y: round(exp(p) * DENOMINATOR) for y, p in log_probabilities(tables.logits(context)).items()}
        places.append(context)
        asked.append(Distribution({y: Fraction(n, sum(near.values())) for y, n in near.items()}))
        weights.append(weight)
    return Task(places, asked, weights=weights, name="the model's probabilities")


def entropy(task: Task) -> tuple[Fraction, Fraction]:
    """Bounds of Σ π(x) H(p(·|x)); the weights sum to 1."""
    terms = [
        (weight * p, log_bounds(p))
        for weight, (asked,) in zip(task.weights, task.requirements, strict=True)
        for _, p in asked.probabilities
        if p
    ]
    return -sum(w * high for w, (_, high) in terms), -sum(w * low for w, (low, _) in terms)


def best(logits: Logits) -> set[str]:
    """The outputs on top."""
    return {y for y, value in logits.items() if value == max(logits.values())}


def main() -> None:
    """Print the three tables."""
    tables = load_construction("noun_head").tables()
    readings = {"`QK·OV` and direct path": read_off, "deciding table (T2)": deciding}
    click.echo("| context | the model | " + " | ".join(readings) + " |\n|---|---|---|---|")
    for text in ("old said judge in", "def old judge in", "import judge judge with", "old said said with"):
        context = tuple(text.split())
        found = [tables.logits(context), *(read(tables, context) for read in readings.values())]
        cells = (f"{' = '.join(sorted(best(logits)))} {float(max(logits.values())):.3g}" for logits in found)
        click.echo(f"| {text} | " + " | ".join(cells) + " |")

    mixture = list(contexts())
    code = {context for context, _ in mixture if {"def", "import"} & set(context)}
    click.echo("\n| table | decides like the model, no keyword | with a keyword | divergence from it, nats |")
    click.echo("|---|---|---|---|")
    for name, read in readings.items():
        shares = []
        for part in (set(dict(mixture)) - code, code):
            own = [(context, weight) for context, weight in mixture if context in part]
            right = sum(w for x, w in own if best(read(tables, x)) == best(tables.logits(x)))
            shares.append(f"{float(right / sum(w for _, w in own)):.1%}")
        cost = 0.0
        for context, weight in mixture:
            p, r = log_probabilities(tables.logits(context)), log_probabilities(read(tables, context))
            cost += float(weight) * sum(exp(p[y]) * (p[y] - r[y]) for y in p)
        click.echo(f"| {name} | {shares[0]} | {shares[1]} | {cost:.3f} |")

    task = soft_task(tables)
    low, high = entropy(task)
    click.echo("\n| skip-n-grams | least divergence from the model, nats (certified, rounded) |\n|---|---|")
    for order in range(2, LENGTH + 3):
        bound = bound_cross_entropy(task, SkipGrams(order, "count"))
        least, most = float((bound.lower or 0) - high), float((bound.upper or 0) - low)
        if most - least > 1e-12:
            raise SystemExit(f"the bounds of order {order} are {most - least} apart")
        click.echo(f"| order {order} | {f'{least:.6f}' if least > 1e-9 else 'less than 10^−12'} |")


if __name__ == "__main__":
    main()
