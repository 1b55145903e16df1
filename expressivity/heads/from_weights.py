"""Any skip-n-gram ensemble as a construction in attention heads (theorem T3), and tables as a construction's text."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

from expressivity.attention import Head, HeadTables, Row
from expressivity.certificate import rational
from expressivity.dsl import Construction
from expressivity.ensembles import decide_ensemble
from expressivity.errors import InputError
from expressivity.heads.constructive import Weights
from expressivity.heads.gates import head_per_gram
from expressivity.skipgrams import Feature, SkipGrams
from expressivity.task import Task
from expressivity.verdict import INEXPRESSIBLE, Certificate, SeparatingWeights, load_certificate


def heads_from_weights(
    weights: Certificate | Weights,
    task: Task | None = None,
    *,
    positions: str = "absolute",
    exact: bool | None = None,
    name: str = "from_weights",
    time_limit: float | None = 60,
) -> Construction:
    """The heads that T3 makes of an ensemble, as a construction of its task in the embedding ``joint``.

    Args:
        weights: a certificate of separating weights, which brings its task and convention along; or weights by feature.
        task: what weights by feature are for.
        positions: their convention.
        exact: the ensemble's logits themselves, which takes more heads, in place of its strict comparisons, of which a
            margin of 1 keeps more than 1/2. By default only where the task has ties.
        name: what reports call it.
        time_limit: seconds for the lower bound on the number of heads, which the description states.

    Raises:
        InputError: a certificate of another kind, weights without a task, or exact heads for a destination that is a
            source elsewhere.

    >>> from expressivity import SkipGrams, Task, decide
    >>> xor = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
    >>> made = heads_from_weights(decide(xor, SkipGrams(4)).certificate)
    >>> print(made.description)
    2 heads from the 3 grams of a skip-4-gram ensemble (T3); fewer than 2 cannot do it (T1)
    """
    if isinstance(weights, Certificate):
        if not isinstance(weights, SeparatingWeights) or not isinstance(weights.model, SkipGrams):
            raise InputError(f"found a certificate of kind {weights.kind}; expected separating_weights")
        task, positions, weights = weights.task, weights.model.positions, weights_in(weights)
    if task is None:
        raise InputError("found weights without a task; expected the task that they are for")
    if exact is None:
        exact = any(comparison.equal for comparison in task.comparisons())
    tables = head_per_gram(task, weights, positions, exact=exact)
    order = 2 + max((len(f.sources) for f in weights), default=0)
    heads, grams = len(tables.heads), sum(bool(f.sources) for f in weights)
    lower = heads_at_least(task, time_limit=time_limit)
    return as_construction(
        name,
        task,
        tables,
        f"{_many(heads, 'head')} from the {_many(grams, 'gram')} of a {SkipGrams(order, positions).name} ensemble (T3)"
        + (f"; fewer than {lower} cannot do it (T1)" if lower else ""),
    )


def construction_from_file(path: str | Path) -> Construction:
    """The same for a saved certificate, proved again first.

    Raises:
        InputError: no such file, or a certificate of another kind.
        Refuted: the certificate does not hold.
    """
    certificate = load_certificate(path)
    certificate.verify()
    return heads_from_weights(certificate, name=Path(path).stem)


def heads_at_least(task: Task, *, time_limit: float | None = None) -> int:
    """A number of heads that T1 proves necessary: the largest order that is refuted, less 1."""
    for n in count(2):
        if decide_ensemble(task, SkipGrams(n), time_limit=time_limit).answer is not INEXPRESSIBLE:
            break
    return n - 2


def weights_in(certificate: Certificate) -> dict[Feature, dict[str, Fraction]]:
    """The weights of a certificate by feature."""
    return {
        Feature(
            entry["destination"],
            tuple(tuple(s) if isinstance(s, list) else s for s in entry["sources"]),
            entry.get("length"),
        ): {y: rational(value, "a weight") for y, value in entry["logits"].items()}
        for entry in certificate.document["proof"]["weights"]
    }


def as_construction(name: str, task: Task, tables: HeadTables, description: str = "") -> Construction:
    """Tables as the text that states them: the same tables come out of it."""
    made = Construction(name, task=task, embedding=tables.embedding, description=description)
    made = made.direct(_nested(tables.direct))
    for n, head in enumerate(tables.heads):
        attention: Mapping[str, Any] = (
            {"odds": _nested(head.odds)}
            if head.odds is not None
            else {"scores": _nested(head.scores or {}), "base": head.base}
        )
        made = made.head(_title(head, n, made), writes=_nested(head.values), **attention)
    return made


def _nested(table: Mapping[tuple[Any, Any], Fraction]) -> dict[Any, dict[Any, Fraction]]:
    result: dict[Any, dict[Any, Fraction]] = {}
    for (row, column), value in table.items():
        result.setdefault(_key(row), {})[_key(column) if isinstance(column, tuple) else column] = value
    return result


def _key(row: Row) -> Any:
    position, token = row
    return row if position is not None and token is not None else token if position is None else position


def _title(head: Head, n: int, made: Construction) -> str:
    taken = {text.name for text in made.heads}
    return head.name if head.name and head.name not in taken else f"head {n}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
