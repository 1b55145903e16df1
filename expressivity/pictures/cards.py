"""Verdicts, certificates and ladders in a notebook: a title, a small table, the numbers that carry the proof.

A card shows what a certificate states. It proves nothing: a file from a stranger may state anything, and one that is
malformed is shown by its head alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from expressivity.certificate import rational
from expressivity.errors import ExpressivityError
from expressivity.explain import gram_text
from expressivity.pictures.html import html_block, html_table
from expressivity.pictures.numbers import number_text
from expressivity.task import quoted

if TYPE_CHECKING:
    from expressivity.attention import Attention
    from expressivity.ladder import Ladder
    from expressivity.skipgrams import SkipGrams
    from expressivity.verdict import Certificate, Verdict

ANSWERS = {"expressible": "yes", "inexpressible": "no", "undecided": "open"}
DIGITS = 24  # of a number before it is rounded
Page = Iterator[str]


def verdict_html(verdict: Verdict) -> str:
    """The question, the answer, and the certificate."""
    reason = f": {verdict.reason}" if verdict.reason else ""
    margin = "" if verdict.margin is None else f" · margin {number_text(verdict.margin, DIGITS)}"
    parts = [] if verdict.certificate is None else [certificate_html(verdict.certificate)]
    return html_block(_model(verdict.model), f"{verdict.answer.value}{reason}{margin}", parts)


def certificate_html(certificate: Certificate) -> str:
    """What a certificate states, in a table; ``verify()`` proves it."""
    try:
        contexts = len(certificate.document["task"]["contexts"])
        about = f"{_model(certificate.model)} · {contexts} context{'s' * (contexts != 1)} · {certificate.hash[:19]}…"
        parts = list(_contents(certificate))
    except (ExpressivityError, AttributeError, KeyError, TypeError, ValueError, IndexError):
        about, parts = f"{str(certificate.document.get('hash'))[:19]}… · malformed: verify() says where", []
    return html_block(certificate.kind.replace("_", " "), about, parts)


def ladder_html(ladder: Ladder) -> str:
    """A line for each model, then what is known of orders, heads and cross-entropies."""
    heads = ladder.heads
    verdicts: list[Verdict | None] = [*ladder.orders, ladder.never]
    verdicts += [] if heads is None else [heads.below, heads.above]
    rows = [
        (_model(v.model), ANSWERS[v.answer.value], v.reason, "exact ✓" if v.certificate is not None else "")
        for v in verdicts
        if v is not None
    ]
    parts = [html_table(("model", "decides it?", "proof", ""), rows)]
    bounds = [
        (_model(b.model), *("—" if end is None else _decimal(end) for end in (b.lower, b.upper)))
        for b in ladder.cross_entropy
    ]
    if bounds:
        parts.append(html_table(("cross-entropy, in nats", "at least", "at most"), bounds, numbers=(1, 2)))
    found = f"minimal order {ladder.minimal_order}" if ladder.minimal_order is not None else _without_order(ladder)
    if heads is not None and heads.impossible is None:
        upper = "?" if heads.upper is None else heads.upper
        found += f" · heads exactly {upper}" if heads.lower == upper else f" · heads between {heads.lower} and {upper}"
    elif heads is not None:
        found += f" · no number of heads: {heads.impossible}"
    contexts = len(ladder.task.contexts)
    about = f"{contexts} context{'s' * (contexts != 1)} · positions {ladder.positions} · {found}"
    return html_block(f"task {ladder.task.name}", about, parts)


def _without_order(ladder: Ladder) -> str:
    return "no order decides it" if ladder.never is not None else "minimal order open"


def _contents(certificate: Certificate) -> Page:
    proof: Mapping[str, Any] = certificate.document["proof"]
    contexts = [entry["tokens"] for entry in certificate.document["task"]["contexts"]]
    if "multipliers" in proof:
        header = ("multiplier", "context", "above", "below")
        yield html_table(header, (_multiplier(entry, contexts) for entry in proof["multipliers"]), numbers=(0,))
    if certificate.kind in ("separating_weights", "logit_weights"):
        yield html_table(("feature", "logits"), (_weight(entry) for entry in proof["weights"]))
    if certificate.kind.startswith("head_tables"):
        yield certificate.tables._repr_html_()  # type: ignore[attr-defined]
    bounds = [(key, _decimal(rational(proof[key], key))) for key in _BOUNDS if isinstance(proof.get(key), str)]
    if bounds:
        yield html_table(("bound", ""), bounds, numbers=(1,))
    if isinstance(proof.get("least"), int):
        yield html_table(("bound", ""), [("least", str(proof["least"]))], numbers=(1,))


_BOUNDS = ("lower", "upper", "margin")


def _multiplier(entry: Mapping[str, Any], contexts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    above, below = entry["pair"]
    number = number_text(rational(entry["multiplier"], "a multiplier"), DIGITS)
    return number, _words(contexts[entry["context"]]), quoted(above), quoted(below)


def _weight(entry: Mapping[str, Any]) -> tuple[str, str]:
    found = ", ".join(f"{_weight_text(value)} on {quoted(y)}" for y, value in sorted(entry["logits"].items()))
    return gram_text(entry["destination"], entry["sources"]), found


def _weight_text(value: Any) -> str:
    """A rational; or a combination of logarithms, as the file writes it."""
    return number_text(rational(value, "a weight"), DIGITS) if isinstance(value, str) else str(value)


def _words(context: Iterable[str]) -> str:
    return " ".join(map(quoted, context))


def _decimal(value: Fraction) -> str:
    """Nine digits, marked where they are not the number itself."""
    digits = f"{float(value):.9g}"
    return digits if Fraction(digits) == value else f"≈ {digits}"


def _model(model: SkipGrams | Attention) -> str:
    """The class of models in words; skip-n-grams with what they see of positions."""
    name: str | None = getattr(model, "name", None)
    return str(model) if name is None else f"{name} ({getattr(model, 'positions', '')})"
