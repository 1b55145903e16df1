"""The JSON Lines form of a task: one object per line, `{"context": ["A", "C", "Q"], "target": "T"}`.

    "T"                     a label
    ["T", "F"]              both above all others
    {"tie": ["T", "F"]}     tied, and above all others
    {"T": 0.9, "F": 0.1}    a distribution

The optional field `"weight"` is a positive number.

Numbers are read exactly, from their decimal digits; a fraction is written as a string, `"9/10"`. A first
line `{"outputs": ["T", "F", "G"]}` declares outputs that no target mentions. Blank lines, and lines that
start with `#`, say nothing.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import NoReturn

from expressivity.errors import InputError
from expressivity.task.context import Context
from expressivity.task.gather import ONE, Entry, Requirements
from expressivity.task.rationals import exact, positive, rational
from expressivity.task.requirement import Distribution, Requirement, Tie, Top, distinct
from expressivity.task.tokens import check_token, describe, excerpt

_FIELDS = '"context" and "target", and perhaps "weight"'
_TARGET = '"T", ["T", "F"] (both above all others), {"tie": ["T", "F"]} or {"T": 0.9, "F": 0.1}'


class JsonLines:
    """Reads the lines of one file. Equal tokens and equal targets become the same objects."""

    def __init__(self, normalise: bool) -> None:
        self._normalise = normalise
        self._vocabulary: dict[str, str] = {}
        self._labels: dict[str, Requirements] = {}
        self._shared: dict[Requirement, Requirements] = {}

    def declaration(self, line: str) -> tuple[str, ...] | None:
        """The outputs that `line` declares, or None if it declares none."""
        fields = parse(line)
        if not (isinstance(fields, dict) and fields.keys() == {"outputs"}):
            return None
        return distinct(strings(fields["outputs"], '"outputs"'))

    def entry(self, line: str) -> Entry | None:
        """What `line` says, or None if it is blank or a comment."""
        if line.lstrip()[:1] in ("", "#"):
            return None
        fields = parse(line)
        if not isinstance(fields, dict):
            raise InputError(f"found {excerpt(line)}; expected an object with the fields {_FIELDS}")
        if fields.keys() == {"outputs"}:
            raise InputError(f"found {excerpt(line)}; expected the outputs before the first context")
        for name in fields:
            if name not in ("context", "target", "weight"):
                raise InputError(f"found the unknown field {excerpt(name)}; expected {_FIELDS}")
        for name in ("context", "target"):
            if name not in fields:
                raise InputError(f'found no "{name}"; expected the fields {_FIELDS}')
        tokens = strings(fields["context"], '"context"')
        context = Context(map(self._vocabulary.setdefault, tokens, tokens))
        weight = positive(rational(fields["weight"])) if "weight" in fields else ONE
        return context, self._target(fields["target"]), weight

    def _target(self, target: object) -> Requirements:
        if isinstance(target, str):
            known = self._labels.get(target)
            if known is None:
                known = self._labels[target] = self._share(Top(target))
            return known
        if isinstance(target, list):
            return self._share(Top(strings(target, '"target"')))
        if isinstance(target, dict) and isinstance(target.get("tie"), list) and len(target) == 1:
            return self._share(Tie(strings(target["tie"], '"tie"')))
        if isinstance(target, dict) and all(isinstance(p, str | Fraction) for p in target.values()):
            return self._share(Distribution(target, normalise=self._normalise))
        raise InputError(f'found {describe(target)} as "target"; expected {_TARGET}')

    def _share(self, requirement: Requirement) -> Requirements:
        return self._shared.setdefault(requirement, (requirement,))


def parse(text: str) -> object:
    """JSON with exact numbers, all of them `Fraction`; no key twice, no NaN, no infinity.

    Raises:
        InputError: for these, for what is no JSON, and for what is nested too deep to be a task.

    >>> parse('{"T": 0.9}')
    {'T': Fraction(9, 10)}
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise InputError(f"found {excerpt(text)}, nested too deep; expected one object per line") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"found {excerpt(text)}, no JSON ({error.msg} at {error.pos}); expected one object per line"
        ) from None


def strings(value: object, name: str) -> list[str]:
    """`value` itself, or an `InputError` that calls it `name` if it is no list of one or more strings."""
    if not isinstance(value, list) or not value:
        raise InputError(f"found {describe(value)} as {name}; expected a list of one or more strings")
    for item in value:
        if not isinstance(item, str):
            raise InputError(f"found {describe(item)} in {name}; expected a list of one or more strings")
        check_token(item)
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"found the field {excerpt(twice)} twice; expected each field once")
    return fields


def _no_number(name: str) -> NoReturn:
    raise InputError(f"found {name}; expected a number such as 3, 0.9 or 9/10")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=exact, parse_int=exact, parse_constant=_no_number)
