"""What is stated of the gallery's constructions, in a table that travels with them, and how it is proved again.

The table, ``facts.json`` beside the constructions, is what ``expressivity gallery`` prints at once. Nothing in it is
believed: ``expressivity gallery --prove`` builds every construction that it names and compares, line by line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expressivity.errors import InputError
from expressivity.heads.folder import folder

if TYPE_CHECKING:
    from expressivity.heads.validate import BuildReport

TABLE = "facts.json"


@dataclass(frozen=True)
class Fact:
    """What is stated of one construction.

    Attributes:
        name: as ``build`` takes it.
        task: the task's name.
        layers, heads, d_head: its size; ``d_head`` is the least for its tables, or an upper bound.
        level: what is met: ``argmax``, the comparisons of logits.
        contexts: how many contexts are covered, as digits, for they may be many.
        classes: how many of them were evaluated, as representatives of all, or cases bounded; the contexts where each
            was.
        margin: the least margin: exact, as a fraction; else enclosed, as in ``1 − 3.406e-4343``, or bounded, as
            in ``> 0.99``.
        certificate: the kind of certificate that the trusted base verified, or ``null``.
    """

    name: str
    task: str
    layers: int
    heads: int
    d_head: int
    level: str
    contexts: str
    classes: int
    margin: str
    certificate: str | None


@dataclass(frozen=True)
class Row:
    """A construction of the gallery with facts about itself or about members of its family."""

    form: str
    description: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Finding:
    """One construction proved again: what was found, and what is wrong with it or with the table; empty if nothing."""

    name: str
    fact: Fact | None
    problem: str


def read_facts(path: Path | None = None) -> tuple[Row, ...]:
    """The table of the gallery, or another. Runs no construction file.

    Raises:
        InputError: there is none, or it is no such table.
    """
    place = folder() / TABLE if path is None else path
    try:
        rows = json.loads(place.read_text("utf-8"))
        return tuple(Row(row["form"], row["description"], tuple(Fact(**fact) for fact in row["facts"])) for row in rows)
    except OSError as error:
        raise InputError(f"{place}: {error.strerror or error}; expected the gallery's table of facts") from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{place}: it is no table of facts: {type(error).__name__}: {error}") from None


def write_facts(rows: Iterable[Row], path: Path | None = None) -> None:
    """Write the table, a line for each fact."""
    from expressivity.writing import write_bytes

    blocks = []
    for row in rows:
        lines = ",\n".join("    " + json.dumps(asdict(fact), ensure_ascii=False) for fact in row.facts)
        head = f'"form": {json.dumps(row.form)}, "description": {json.dumps(row.description, ensure_ascii=False)}'
        blocks.append(f'  {{{head}, "facts": [\n{lines}\n  ]}}' if row.facts else f'  {{{head}, "facts": []}}')
    text = "[\n" + ",\n".join(blocks) + "\n]\n"
    write_bytes(text.encode(), folder() / TABLE if path is None else path)


def fact_of(report: BuildReport, name: str, certificate: str | None) -> Fact:
    """What a report says, as a line of the table."""
    from expressivity.certificate import rational_text

    proof = report.proof
    exact = report.agreement.smallest_exact
    margin = report.least if exact is None else rational_text(exact)
    classes = len(report.margins) if report.orbits is None else len(report.orbits.orbits)
    contexts = report.n_contexts
    if proof is not None:
        margin, contexts, classes = f"> {_below(proof.least.lower)}", proof.contexts, proof.cases
    return Fact(
        name=name,
        task=report.task.name,
        layers=report.n_layers,
        heads=report.n_heads,
        d_head=report.d_head,
        level="argmax",
        contexts=str(contexts),
        classes=classes,
        margin=margin,
        certificate=certificate,
    )


def chosen(rows: Iterable[Row], names: Iterable[str]) -> tuple[Row, ...]:
    """The facts with these names, or of families with these names; all of them if none is given.

    Raises:
        InputError: a name that the table has not.
    """
    given, wanted = tuple(rows), list(names)
    if not wanted:
        return given
    known = {name for row in given for name in (row.form.partition(":")[0], *(fact.name for fact in row.facts))}
    for name in wanted:
        if name not in known:
            close = get_close_matches(name, sorted(known))
            hint = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(row.form for row in given)}"
            raise InputError(f"the gallery's table has no {name!r}; {hint}")
    found = []
    for row in given:
        if row.form.partition(":")[0] in wanted:
            found.append(row)
        elif any(fact.name in wanted for fact in row.facts):
            found.append(Row(row.form, row.description, tuple(fact for fact in row.facts if fact.name in wanted)))
    return tuple(found)


def prove_facts(
    rows: Iterable[Row], *, whole: bool = True, progress: Callable[[str], None] | None = None
) -> Iterator[Finding]:
    """Build every construction of a table and compare, one finding after the other.

    Where the table is the ``whole`` one, what the gallery has and the table lacks is found too.
    """
    from expressivity.heads.gallery import entries

    listed = list(rows)
    offered = {entry.form: entry.description for entry in entries()}
    for row in listed:
        if row.form not in offered:
            yield Finding(row.form, None, "the table has it, the gallery has not")
            continue
        if offered[row.form] != row.description:
            yield Finding(row.form, None, f"the table describes it as {row.description!r}, not {offered[row.form]!r}")
        for fact in row.facts:
            yield prove_fact(fact, progress)
    known = {row.form for row in listed if row.facts}
    for form in offered if whole else ():
        if form not in known:
            yield Finding(form, None, f"the table says nothing of it; expressivity gallery --record {form} adds it")


def prove_fact(fact: Fact | str, progress: Callable[[str], None] | None = None) -> Finding:
    """Build one construction, verify its certificate, and compare with what is stated of it, if that is given."""
    from expressivity.errors import ExpressivityError
    from expressivity.heads.gallery import load_construction
    from expressivity.heads.sandwich import certify_built
    from expressivity.heads.validate import build_report

    name = fact if isinstance(fact, str) else fact.name
    try:
        report = build_report(load_construction(name), progress=progress)
        proved, _ = certify_built(report)
    except ExpressivityError as error:
        return Finding(name, None, str(error))
    kind = None if proved is None or proved.certificate is None else proved.certificate.kind
    found = fact_of(report, name, kind)
    problem = "" if report.decides else f"right on {report.agreement.contexts_right} of {report.n_contexts} contexts"
    if report.proof is not None and report.proof.least.lower <= 0:
        problem = problem or f"no positive margin is proved of: {report.proof.claim}"
    if not problem and isinstance(fact, Fact) and found != fact:
        differing = [f.name for f in fields(Fact) if getattr(found, f.name) != getattr(fact, f.name)]
        problem = "; ".join(f"the table states {n} {getattr(fact, n)}, found {getattr(found, n)}" for n in differing)
    return Finding(name, found, problem)


def recorded(names: Iterable[str], progress: Callable[[str], None] | None = None) -> list[Row]:
    """The table made anew: of every construction of the gallery what it told of, and these names besides.

    Raises:
        InputError: a name that the gallery has not, or a construction that does not do its task.
    """
    from expressivity.heads.gallery import entries

    known: dict[str, list[str]] = {}
    if (folder() / TABLE).exists():
        known = {row.form: [fact.name for fact in row.facts] for row in read_facts()}
    further = dict.fromkeys(names)
    made = []
    for entry in entries():
        here = known.get(entry.form, [])
        here += [entry.name] if ":" not in entry.form and not here else []
        here += [name for name in further if name.partition(":")[0] == entry.name and name not in here]
        findings = [prove_fact(name, progress) for name in here]
        for finding in findings:
            if finding.problem:
                raise InputError(f"{finding.name}: {finding.problem}")
        made.append(Row(entry.form, entry.description, tuple(f.fact for f in findings if f.fact is not None)))
    lost = [name for name in further if not any(name == fact.name for row in made for fact in row.facts)]
    if lost:
        raise InputError(f"the gallery has no construction {lost[0]!r}")
    return made


def _below(value: Any) -> str:
    """Eight decimals, rounded down."""
    scaled = int(value * 10**8 // 1)
    return f"{scaled // 10**8}.{scaled % 10**8:08}".rstrip("0").rstrip(".")
