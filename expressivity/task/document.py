"""The JSON form of a task, as certificates hold it.

    {"outputs": ["F", "T"],
     "contexts": [{"tokens": ["A", "C", "Q"], "requirements": [{"top": ["T"]}], "weight": "1"}]}

Every output is listed, sorted; contexts are distinct, in order of first appearance; numbers are strings in
lowest terms.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from expressivity.errors import InputError
from expressivity.task.context import Context
from expressivity.task.gather import Gatherer, Parts, Requirements
from expressivity.task.jsonlines import strings
from expressivity.task.rationals import exact, positive
from expressivity.task.requirement import Distribution, Requirement, Tie, Top, distinct
from expressivity.task.tokens import cut, describe, excerpt

_RATIONAL = re.compile(r"-?[0-9]+(?:/[0-9]+)?")
_REQUIREMENT = 'an object with one of "top", "tie" and "distribution"'


def to_document(parts: Parts) -> dict[str, object]:
    """The parts of a task as JSON values."""
    # Contexts that ask the same share a tuple, and so do their values here: a million of them stay small.
    known = {id(asked): asked for asked in parts.requirements}
    written = {key: [_written(each) for each in asked] for key, asked in known.items()}
    weights = {id(weight): str(weight) for weight in parts.weights}
    contexts = [
        {"tokens": list(context), "requirements": written[id(asked)], "weight": weights[id(weight)]}
        for context, asked, weight in zip(parts.contexts, parts.requirements, parts.weights, strict=True)
    ]
    return {"outputs": list(parts.outputs), "contexts": contexts}


def from_document(document: object, source: str) -> Parts:
    """The parts of the task that `document` holds, checked in full; `source` is what messages call it.

    Raises:
        InputError: a field is missing, unknown or of the wrong type, a number is not in lowest terms, a
            context is repeated, an output is not listed, or requirements contradict each other.
    """
    gatherer = Gatherer(source, "context")
    try:
        fields = _fields(document, ("outputs", "contexts"))
        outputs = strings(fields["outputs"], '"outputs"')
        entries = fields["contexts"]
        if not isinstance(entries, list):
            raise InputError(f'found {describe(entries)} as "contexts"; expected a list')
        if list(distinct(outputs)) != outputs:
            raise InputError('found "outputs" out of order; expected them sorted by code point')
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    vocabulary: dict[str, str] = {}
    shared: dict[Requirements, Requirements] = {}
    for number, entry in enumerate(entries):
        try:
            tokens, requirements, weight = _entry(entry)
        except InputError as error:
            raise InputError(f"{source}, context {number}: {error}") from None
        context = Context(map(vocabulary.setdefault, tokens, tokens))
        gatherer.add(context, shared.setdefault(requirements, requirements), weight, number)
    parts = gatherer.finish(outputs)
    if len(parts.contexts) < len(entries):
        twice, times = Counter(tuple(entry["tokens"]) for entry in entries).most_common(1)[0]
        name = cut(str(Context(twice)))
        raise InputError(f"{source}: found the context {name} {times} times; expected each context once")
    if list(parts.outputs) != outputs:
        missing = min(set(parts.outputs) - set(outputs))
        raise InputError(f'{source}: found no {excerpt(missing)} in "outputs"; expected every output mentioned')
    return parts


def _written(requirement: Requirement) -> dict[str, object]:
    if isinstance(requirement, Distribution):
        return {"distribution": {y: str(p) for y, p in requirement.probabilities}}
    return {"tie" if isinstance(requirement, Tie) else "top": list(requirement.outputs)}


def _entry(entry: object) -> tuple[list[str], Requirements, Fraction]:
    fields = _fields(entry, ("tokens", "requirements", "weight"))
    asked = fields["requirements"]
    if not isinstance(asked, list) or not asked:
        raise InputError(f'found {describe(asked)} as "requirements"; expected a list of one or more')
    tokens = strings(fields["tokens"], '"tokens"')
    return tokens, tuple(dict.fromkeys(map(_read, asked))), positive(_rational(fields["weight"]))


def _read(requirement: object) -> Requirement:
    if isinstance(requirement, dict) and len(requirement) == 1:
        (kind, value), *_ = requirement.items()
        if kind == "top":
            return Top(strings(value, '"top"'))
        if kind == "tie":
            return Tie(strings(value, '"tie"'))
        if kind == "distribution" and isinstance(value, dict):
            return Distribution({y: _rational(p) for y, p in value.items()})
    raise InputError(f"found {describe(requirement)} as a requirement; expected {_REQUIREMENT}")


def _rational(text: object) -> Fraction:
    if isinstance(text, str) and _RATIONAL.fullmatch(text):
        value = exact(text)
        if str(value) == text:
            return value
    raise InputError(f'found {describe(text)} as a number; expected a string in lowest terms, as "3" or "1/2"')


def _fields(value: object, names: tuple[str, ...]) -> dict[str, object]:
    """`value` itself, or an `InputError` if it is no object with exactly these fields."""
    if isinstance(value, dict) and value.keys() == set(names):
        return value
    found = describe(value)
    if isinstance(value, dict):
        unknown = [name for name in value if name not in names]
        missing = [name for name in names if name not in value]
        found = f"the unknown field {describe(unknown[0])}" if unknown else f"no {excerpt(missing[0])}"
    raise InputError(f"found {found}; expected an object with the fields {', '.join(map(excerpt, names))}")
