"""A task: a finite set of contexts, each with requirements on the logits of the next token."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from expressivity.errors import InputError
from expressivity.task.context import Context
from expressivity.task.document import from_document, to_document
from expressivity.task.gather import ONE, Gatherer, Parts, Requirements
from expressivity.task.rationals import Exact, positive, rational
from expressivity.task.reading import read_file, read_text
from expressivity.task.requirement import Distribution, Pair, Requirement, Top, distinct
from expressivity.task.text import write
from expressivity.task.tokens import check_token, describe, excerpt


@dataclass(frozen=True, slots=True)
class Comparison:
    """In context number `context`, `logit_above > logit_below`, or `logit_above = logit_below` if `equal`."""

    context: int
    above: str
    below: str
    equal: bool


@dataclass(frozen=True, init=False, slots=True, repr=False)
class Task:
    """Distinct contexts, the requirements on each (all of them hold), and their weights.

    Repeated contexts are merged: their requirements hold together and their weights add. Two tasks are
    equal when their contents are, in the same order; names do not matter.

    Args:
        contexts: sequences of tokens, the destination last.
        requirements: for each context a label (a string), a requirement, or several requirements.
        outputs: outputs beside those that the requirements mention.
        weights: a positive exact number for each context; 1 if left out.
        name: what reports and messages call the task.

    Raises:
        InputError: an empty task, lists of different lengths, a weight that is not exact or not positive, or
            requirements that no logits can meet.

    >>> from expressivity.task import Tie
    >>> task = Task([["A", "Q"], ["B", "Q"]], ["T", Tie(["T", "F"])])
    >>> task.outputs
    ('F', 'T')
    """

    contexts: tuple[Context, ...]
    requirements: tuple[Requirements, ...]
    weights: tuple[Fraction, ...]
    outputs: tuple[str, ...]
    name: str = field(compare=False)

    def __init__(
        self,
        contexts: Iterable[Iterable[str]],
        requirements: Iterable[str | Requirement | Iterable[Requirement]],
        *,
        outputs: Iterable[str] = (),
        weights: Iterable[Exact] | None = None,
        name: str = "task",
    ) -> None:
        places, asked = list(contexts), list(requirements)
        given = [ONE] * len(places) if weights is None else list(weights)
        for what, found in (("requirements", asked), ("weights", given)):
            if len(found) != len(places):
                expected = f"{len(places)}, one for each context"
                raise InputError(f"{name}: found {len(found)} {what}; expected {expected}")
        gatherer = Gatherer(name, "context")
        vocabulary: dict[str, str] = {}
        shared: dict[Requirements, Requirements] = {}
        for number, (tokens, asks, weight) in enumerate(zip(places, asked, given, strict=True)):
            try:
                checked = _tokens(tokens, "a context")
                if not checked:
                    raise InputError("found a context of no tokens; expected a destination at least")
                context = Context(map(vocabulary.setdefault, checked, checked))
                conjunction = _conjunction(asks)
                conjunction = shared.setdefault(conjunction, conjunction)
                gatherer.add(context, conjunction, positive(rational(weight)), number)
            except InputError as error:
                raise InputError(f"{name}, context {number}: {error}") from None
        declared = _tokens(outputs, "outputs")
        self._fill(gatherer.finish(distinct(declared) if declared else ()), name)

    @classmethod
    def from_strings(cls, strings: Iterable[str], *, name: str = "task") -> Task:
        """A context and its label per string, a character per token: the label last.

        >>> Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"], name="xor")
        Task(name='xor', contexts=4, outputs=('F', 'T'))
        """
        found = list(strings)
        for number, string in enumerate(found):
            if not isinstance(string, str) or len(string) < 2:
                expected = "a context and then its label, such as ACQT"
                raise InputError(f"{name}, string {number}: found {describe(string)}; expected {expected}")
        return cls([list(string[:-1]) for string in found], [string[-1] for string in found], name=name)

    @classmethod
    def from_text(cls, text: str, *, name: str = "task", normalise: bool = False) -> Task:
        r"""The task that the text of a task file describes, in either form.

        >>> Task.from_text("A Q -> T | F  # no matter which\nB Q -> G @ 1/2").weights
        (Fraction(1, 1), Fraction(1, 2))
        """
        return cls._of(read_text(text, name, normalise), name)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, normalise: bool = False) -> Task:
        """The task in a task file, which gives it its name.

        Probabilities must sum to exactly 1; with `normalise` they are divided by their sum.
        """
        return cls._of(read_file(path, normalise), Path(path).stem)

    @classmethod
    def load(cls, spec: str | os.PathLike[str], *, normalise: bool = False) -> Task:
        """The task in a file, or else the member of a family that `spec` names, such as `parity:4`.

        >>> Task.load("parity:4")
        Task(name='parity:4', contexts=16, outputs=('0', '1'))
        """
        # Families are built out of tasks, so this module cannot import theirs before it is done.
        from expressivity.task.families import from_family

        # Not Path.exists: a long truth table is no file name, and that raises.
        if os.path.exists(spec):
            return cls.from_file(spec, normalise=normalise)
        return from_family(os.fspath(spec))

    @classmethod
    def from_json(cls, document: Mapping[str, object], *, name: str = "task") -> Task:
        """The task in a certificate's JSON form, checked in full: the inverse of `to_json`."""
        return cls._of(from_document(document, name), name)

    def to_json(self) -> dict[str, object]:
        """The task as JSON values in canonical form: outputs sorted, numbers as strings in lowest terms.

        >>> Task.from_strings(["QT"]).to_json()["contexts"]
        [{'tokens': ['Q'], 'requirements': [{'top': ['T']}], 'weight': '1'}]
        """
        return to_document(self._parts())

    def to_text(self) -> str:
        """The task in the text form, which reads back as an equal task.

        >>> from expressivity.task import Tie
        >>> print(Task([["A", "->"]], [Tie(["T", "F"])], weights=["0.5"]).to_text(), end="")
        A "->" -> F = T @ 1/2
        """
        return "".join(line + "\n" for line in write(self._parts()))

    @property
    def is_soft(self) -> bool:
        """Whether some requirement is a distribution."""
        return any(isinstance(each, Distribution) for asked in self.requirements for each in asked)

    def pairs(self, index: int) -> list[Pair]:
        """What context number `index` asks of pairs of outputs: (above, below, equal), each pair once."""
        return list(dict.fromkeys(pair for r in self.requirements[index] for pair in r.pairs(self.outputs)))

    def comparisons(self) -> list[Comparison]:
        """All comparisons that the requirements amount to, context by context.

        A top set Y asks for `logit_y > logit_z` for every y in Y and z outside; a tie Y, sorted, for the
        equality of neighbours and for its first output above every z outside. Distributions ask for none.

        >>> from expressivity.task import Tie
        >>> Task([["A", "Q"]], [Tie(["T", "F"])], outputs=["G"]).comparisons()[1]
        Comparison(context=0, above='F', below='G', equal=False)
        """
        known: dict[int, list[Pair]] = {}
        found = []
        for index, requirements in enumerate(self.requirements):
            # Contexts that ask the same share one tuple.
            pairs = known.get(id(requirements))
            if pairs is None:
                pairs = known[id(requirements)] = self.pairs(index)
            found += [Comparison(index, above, below, equal) for above, below, equal in pairs]
        return found

    def fibres(self) -> dict[tuple[int, str], list[int]]:
        r"""The contexts' indices by number of sources and destination.

        >>> Task.from_text("A Q -> T\nQ -> T\nB Q -> F").fibres()
        {(1, 'Q'): [0, 2], (0, 'Q'): [1]}
        """
        found: dict[tuple[int, str], list[int]] = {}
        for index, context in enumerate(self.contexts):
            found.setdefault((len(context) - 1, context[-1]), []).append(index)
        return found

    def restrict(self, indices: Iterable[int]) -> Task:
        """The contexts with these indices, in the order given, over the same outputs.

        Raises:
            InputError: no index, one out of range, or one given twice.
        """
        chosen = list(indices)
        for index in chosen:
            if not 0 <= index < len(self.contexts):
                raise InputError(f"{self.name}: found the index {index}; expected 0 to {len(self.contexts) - 1}")
        if not chosen or len(set(chosen)) < len(chosen):
            found = f"{len(chosen)} indices, {len(set(chosen))} of them distinct"
            raise InputError(f"{self.name}: found {found}; expected one or more, each once")
        parts = Parts(
            tuple(self.contexts[i] for i in chosen),
            tuple(self.requirements[i] for i in chosen),
            tuple(self.weights[i] for i in chosen),
            self.outputs,
        )
        return self._of(parts, self.name)

    def renamed(self, name: str) -> Task:
        """The same task under another name."""
        return self._of(self._parts(), name)

    def __repr__(self) -> str:
        return f"Task(name={self.name!r}, contexts={len(self.contexts)}, outputs={self.outputs!r})"

    @classmethod
    def _of(cls, parts: Parts, name: str) -> Task:
        """A task of parts that a `Gatherer` has checked."""
        task = cls.__new__(cls)
        task._fill(parts, name)
        return task

    def _fill(self, parts: Parts, name: str) -> None:
        for attribute, value in zip(("contexts", "requirements", "weights", "outputs"), parts, strict=True):
            object.__setattr__(self, attribute, value)
        object.__setattr__(self, "name", name)

    def _parts(self) -> Parts:
        return Parts(self.contexts, self.requirements, self.weights, self.outputs)


def _tokens(tokens: Iterable[str], what: str) -> list[str]:
    if isinstance(tokens, str):
        raise InputError(f"found the string {excerpt(tokens)} as {what}; expected a sequence of tokens")
    return [check_token(token) for token in tokens]


def _conjunction(asked: str | Requirement | Iterable[Requirement]) -> Requirements:
    if isinstance(asked, str):
        return (Top(asked),)
    if isinstance(asked, Requirement):
        return (asked,)
    found: list[Requirement] = []
    for each in iter(asked):
        if not isinstance(each, Requirement):
            raise InputError(f"found {describe(each)} as a requirement; expected Top, Tie or Distribution")
        found.append(each)
    if not found:
        raise InputError("found no requirements; expected at least one")
    return tuple(dict.fromkeys(found))
