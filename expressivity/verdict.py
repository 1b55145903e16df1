"""Answers and the certificates that carry them, as Python values.

A certificate here is a view of the document that :mod:`expressivity.verify` proves; it adds names, an explanation in
words, and saving. Its truth never depends on this module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expressivity.attention import Attention, HeadTables, compile_tables
from expressivity.attention.margins import covering
from expressivity.certificate import canonical, rational, rational_text, read
from expressivity.explain import gram_text, grams_text, model_noun, obstruction_sentence, remaining
from expressivity.pictures import certificate_html, verdict_html
from expressivity.skipgrams import SkipGrams
from expressivity.task import Context, Task, quoted
from expressivity.verify import Statement, verify
from expressivity.writing import write

if TYPE_CHECKING:
    from expressivity.attention import AttentionOnlyTransformer

ModelClass = SkipGrams | Attention
Multiplier = tuple[tuple[str, ...], str, str, Fraction]  # context, output above, output below, multiplier


class Answer(Enum):
    """Whether some model of the class meets every comparison of the task."""

    EXPRESSIBLE = "expressible"
    INEXPRESSIBLE = "inexpressible"
    UNDECIDED = "undecided"


EXPRESSIBLE, INEXPRESSIBLE, UNDECIDED = Answer


def short(value: Fraction | int, most: int = 40) -> str:
    """A rational for people: as it is, or its first digits where it has more than ``most``.

    >>> short(Fraction(-1, 2)), short(10**60, 10)
    ('-1/2', '1000000000… (61 characters)')
    """
    text = rational_text(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


@dataclass(frozen=True)
class Certificate:
    """A proof that a stranger can check: ``document`` is the whole of it (``docs/certificate-format.md``)."""

    document: Mapping[str, Any] = field(repr=False)

    @property
    def kind(self) -> str:
        """As in the file: ``separating_weights``, ``obstruction``, ``head_tables``, …"""
        return str(self.document["kind"])

    @property
    def hash(self) -> str:
        """SHA-256 of the content, the certificate's identity."""
        return str(self.document["hash"])

    @property
    def task(self) -> Task:
        """The contexts that the certificate speaks of; an obstruction names only those that it needs."""
        return Task.from_json(self.document["task"])

    @property
    def model(self) -> ModelClass:
        """The model class of the claim."""
        stated = {key: value for key, value in self.document["model"].items() if key != "class"}
        return Attention(**stated) if self.document["model"]["class"] == "attention" else SkipGrams(**stated)

    def verify(self) -> Statement:
        """Prove it again from its document alone, in exact arithmetic; raises ``Refuted`` with the step that fails."""
        return verify(self.document)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as canonical JSON, whole or not at all; raises ``InputError`` where that is impossible."""
        write(self.document, path)
        return Path(path)

    def explain(self) -> str:
        """The argument in words, made from the certificate."""
        return self.verify().text + "."

    def __str__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        return certificate_html(self)


class SeparatingWeights(Certificate):
    """Rational weights on features whose logits meet every comparison: the answer yes for skip-n-grams."""

    @property
    def n_features(self) -> int:
        """Features with a nonzero weight."""
        return len(self.document["proof"]["weights"])

    @property
    def n_constants(self) -> int:
        """Those of them without sources."""
        return sum(1 for entry in self.document["proof"]["weights"] if not entry["sources"])

    def _groups(self) -> int:
        """How many sets of contexts share no feature."""
        absolute = self.document["model"]["positions"] == "absolute"
        contexts = [entry["tokens"] for entry in self.document["task"]["contexts"]]
        return len({(tokens[-1], len(tokens) if absolute else 0) for tokens in contexts})

    def explain(self) -> str:
        """The weights, a line for each feature, the least margin, and how many groups of contexts share no weight."""
        statement = self.verify()
        margin = "" if statement.margin is None else f", by a margin of {short(statement.margin)}"
        lines = [f"{_upper(statement.text)}{margin}:"]
        groups = self._groups()
        if groups > 1:
            by = "destination or length" if self.document["model"]["positions"] == "absolute" else "destination"
            lines.append(f"  (contexts of different {by} share no weight: {groups} groups, decided apart)")
        for entry in self.document["proof"]["weights"]:
            logits = ", ".join(f"{value} on {quoted(y)}" for y, value in sorted(entry["logits"].items()))
            lines.append(f"  {gram_text(entry['destination'], entry['sources'])}: {logits}")
        return "\n".join(lines)


class Obstruction(Certificate):
    """A cancelling combination of comparisons: the answer no."""

    @property
    def multipliers(self) -> list[Multiplier]:
        """(context, output above, output below, multiplier) for each comparison used."""
        return _multipliers(self.document, self.document["proof"]["multipliers"])

    @property
    def ratio(self) -> str:
        """The multipliers as people write them, ``1:1:1:1``."""
        return ":".join(short(multiplier) for *_, multiplier in self.multipliers)

    @property
    def n_contexts(self) -> int:
        """How many contexts the argument needs."""
        return len({context for context, *_ in self.multipliers})

    def sentence(self) -> str:
        """One sentence that names what coincides."""
        return obstruction_sentence(self.document)

    def explain(self) -> str:
        """The comparisons with their multipliers, and what coincides."""
        return "\n".join([f"{self.verify().text}:".capitalize(), *_lines(self.multipliers), self.sentence()])


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _multipliers(document: Mapping[str, Any], listed: Sequence[Any]) -> list[Multiplier]:
    contexts = document["task"]["contexts"]
    return [
        (tuple(contexts[m["context"]]["tokens"]), *m["pair"], rational(m["multiplier"], "a multiplier")) for m in listed
    ]


def _lines(multipliers: Sequence[Multiplier]) -> list[str]:
    return [
        f"  {short(multiplier)} × ({Context(context)}: {quoted(above)} against {quoted(below)})"
        for context, above, below, multiplier in multipliers
    ]


class HeadTablesCertificate(Certificate):
    """Exact attention and value tables of heads that meet every comparison: the answer yes for attention."""

    @property
    def tables(self) -> HeadTables:
        """The tables, to evaluate or to compile."""
        return HeadTables.from_proof(self.document["proof"], self.document["model"]["embedding"])

    def to_model(self) -> AttentionOnlyTransformer:
        """Real PyTorch weights that carry out the tables."""
        return compile_tables(self.tables, self.task)


class HeadTablesBySymmetry(HeadTablesCertificate):
    """The same, where each context of the task stands for many that the heads do not tell apart."""

    def to_model(self) -> AttentionOnlyTransformer:
        """Real PyTorch weights, for all tokens and positions of the contexts that are stood for."""
        return compile_tables(self.tables, covering(self.task, self.document["proof"]["symmetries"]))


class CrossEntropyBound(Certificate):
    """A proved interval, in nats, for the best cross-entropy of a class."""

    @property
    def lower(self) -> Fraction | None:
        """Proved by a distribution of maximum entropy with the task's moments."""
        text = self.document["proof"]["lower"]
        return None if text is None else Fraction(text)

    @property
    def upper(self) -> Fraction | None:
        """Proved by weights."""
        text = self.document["proof"]["upper"]
        return None if text is None else Fraction(text)


class LogitWeights(Certificate):
    """Weights, rational over logarithms of integers, that give exactly the stated probabilities."""

    @property
    def n_features(self) -> int:
        """Features with a nonzero weight."""
        proof = self.document["proof"]
        lists = [*proof["weights"], proof["direction"]]
        return len({canonical([e["destination"], e["sources"], e.get("length")]) for entries in lists for e in entries})


class LogitObstruction(Obstruction):
    """Comparisons that cancel in every feature while their log-odds do not: no ensemble has these probabilities."""

    def sentence(self) -> str:
        """One sentence that names what cancels."""
        many = f"{self.n_contexts} context{'s' if self.n_contexts != 1 else ''}"
        noun = model_noun(self.document["model"])
        return f"The multipliers cancel every {noun} feature of {many}, but not the log-odds asked for there."


class FewestContexts(Certificate):
    """Ensembles that are right on any few of the contexts: no obstruction has fewer contexts than stated."""

    @property
    def least(self) -> int:
        """The proved least number of contexts of an obstruction."""
        return int(self.document["proof"]["least"])

    def explain(self) -> str:
        """The argument in a sentence."""
        many = len(self.document["proof"]["separators"])
        shared = "last token and length" if self.document["model"]["positions"] == "absolute" else "last token"
        one = f"one of the {many} ensembles listed" if many > 1 else "the ensemble listed"
        return f"{_upper(self.verify().text)}: {one} is right on all of them that have the same {shared}."


class FewestFeatures(Certificate):
    """Combinations of comparisons that leave few features each: every model that decides the task has some of each."""

    @property
    def least(self) -> int:
        """The proved least number of features, constants not counted."""
        return int(self.document["proof"]["least"])

    def explain(self) -> str:
        """Of which features every model that decides the task has at least one, a line for each combination."""
        lines = [f"{_upper(self.verify().text)}. It has one of each line at least, as all others cancel:"]
        contexts = [context["tokens"] for context in self.document["task"]["contexts"]]
        for listed in self.document["proof"]["combinations"]:
            multipliers = _multipliers(self.document, listed)
            left = sorted({feature for feature, _ in remaining(self.document["model"], multipliers)})
            ratio = ":".join(short(multiplier) for *_, multiplier in multipliers)
            lines.append(f"  {grams_text(left, contexts)} ({ratio})")
        return "\n".join(lines)


class LargestMargin(Certificate):
    """A combination of comparisons that bounds the margin of all weights between −1 and 1."""

    @property
    def margin(self) -> Fraction:
        """No such weights have a larger one."""
        return rational(self.document["proof"]["margin"], "margin")

    @property
    def multipliers(self) -> list[Multiplier]:
        """(context, output above, output below, multiplier) for each comparison used."""
        return _multipliers(self.document, self.document["proof"]["multipliers"])

    def explain(self) -> str:
        """The comparisons with their multipliers, and what they come to."""
        most = sum(map(abs, remaining(self.document["model"], self.multipliers).values()))
        ending = f"With such weights these differences add up to {short(most)} at most."
        return "\n".join([f"{_upper(self.verify().text)}:", *_lines(self.multipliers), ending])


class BlockObstruction(Certificate):
    """Coefficients of every p of degree 2 with the task's signs, whose rank is too high for two heads: theorem T10."""

    @property
    def rows(self) -> list[int | None]:
        """The positions of the block's rows; ``None`` stands for the constant."""
        return list(self.document["proof"]["rows"])

    @property
    def columns(self) -> list[int | None]:
        """The positions of the block's columns."""
        return list(self.document["proof"]["columns"])

    @property
    def n_statements(self) -> int:
        """How many forms are shown to be positive."""
        return sum(len(statement["multipliers"]) for statement in self.document["proof"]["statements"])

    def explain(self) -> str:
        """The argument in words: what has full rank, what two heads leave of it, and how many statements show it."""
        size = len(self.rows)
        y, z = map(quoted, self.document["proof"]["pair"])
        rows, columns = (_places(side) for side in (self.rows, self.columns))
        less, every = "", "every p with these signs"
        if size == 4:
            less = ", less what the denominator D of a head takes off (D l + l D, with l the linear coefficients)"
            every = "every p with these signs and every D"
        return (
            f"{_upper(self.verify().text)}. Multiplied by its denominators, the difference of {y} and {z} becomes a "
            f"polynomial p of degree 2. Take its coefficients in the block {rows} × {columns} of positions{less}: two "
            f"heads leave a rank of {size - 1} there at most (T10). But the block has rank {size} for {every}: "
            f"{self.n_statements} combinations of contexts show it."
        )


def _places(positions: Sequence[int | None]) -> str:
    return "{" + ", ".join("constant" if i is None else str(i) for i in positions) + "}"


TYPES: dict[str, type[Certificate]] = {
    "separating_weights": SeparatingWeights,
    "obstruction": Obstruction,
    "head_tables": HeadTablesCertificate,
    "head_tables_by_symmetry": HeadTablesBySymmetry,
    "cross_entropy_bound": CrossEntropyBound,
    "logit_weights": LogitWeights,
    "logit_obstruction": LogitObstruction,
    "fewest_contexts": FewestContexts,
    "fewest_features": FewestFeatures,
    "largest_margin": LargestMargin,
    "block_obstruction": BlockObstruction,
}


def load_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate file as the type of its kind; nothing is proved until ``.verify()``.

    Raises:
        InputError: no such file.
        Refuted: not a well-formed certificate.
    """
    return as_certificate(read(path))


def as_certificate(document: Mapping[str, Any]) -> Certificate:
    """The document as a value of the type of its kind."""
    return TYPES[document["kind"]](document)


@dataclass(frozen=True)
class Verdict:
    """The answer to "does some model of this class do the task?", with its proof.

    Attributes:
        model: the class asked about.
        answer: ``EXPRESSIBLE``, ``INEXPRESSIBLE`` or ``UNDECIDED``.
        certificate: verified before it is handed out; ``None`` when undecided, except that an interval for the
            cross-entropy is proved even where it is too wide to decide.
        reason: a few words on the argument, or what stopped the decision and the bounds known.
        margin: the proved least margin of a yes at the argmax level.
        bound: what is proved about better certificates of the kind, where that was asked for (``smallest``, ``sparse``,
            ``margin``).
        is_best: whether by that bound there is none (and where no feature at all is used, which needs no bound).
    """

    model: ModelClass
    answer: Answer
    certificate: Certificate | None
    reason: str
    margin: Fraction | None = None
    bound: Certificate | None = None
    is_best: bool = False

    def _repr_html_(self) -> str:
        return verdict_html(self)
