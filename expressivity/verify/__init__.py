"""The trusted base: re-proves a certificate from the contexts that it states, with ``int`` and ``Fraction`` alone.

Everything else in this package may be wrong and a certificate that passes here still holds. Nothing is taken from the
program that wrote the file: features, comparisons, attention and logarithms are derived again. The arguments are
those of ``docs/certificate-format.md``; theorem T1, which carries an obstruction from skip-grams to attention heads, is
proved in ``proofs/T1.md``, T10 on two heads in ``proofs/T10.md``. It runs alone as
``python -m expressivity.verify FILE…``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from expressivity.certificate import canonical, parse, read
from expressivity.errors import InputError, Refuted
from expressivity.verify.arguments import ARGUMENTS
from expressivity.verify.claim import Claim


@dataclass(frozen=True)
class Statement:
    """What a verified certificate proves. ``margin``: a proved lower bound of the least difference of logits."""

    answer: str
    text: str
    contexts: int
    margin: Fraction | None = None


def verify(document: Mapping[str, Any]) -> Statement:
    """Prove the claim of a certificate, or say which step of the argument fails. Exact.

    Raises:
        Refuted: with ``step`` and ``reason``; the claim may still be true, but this is no proof of it.
    """
    try:
        data = canonical(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refuted("reading", f"the document is not JSON: {error}") from None
    return _prove(parse(data))


def verify_file(path: str) -> Statement:
    """:func:`verify` for a file. Raises ``InputError`` when there is no such file."""
    return _prove(read(path))


def _prove(document: Mapping[str, Any]) -> Statement:
    kind, claim = document["kind"], Claim(document["model"], document["task"])
    of_attention = kind.startswith(("head_tables", "block"))
    if kind != "obstruction" and (claim.model["class"] == "attention") is not of_attention:
        raise Refuted("model", f"{kind} says nothing about {claim.name}")
    if claim.order is None and kind not in ("obstruction", "logit_obstruction"):
        raise Refuted("model", f"{kind} belongs to a stated order or number of heads")
    compares = kind not in ("cross_entropy_bound", "logit_weights", "logit_obstruction")
    if compares and any(asked.soft for _, asked in claim.contexts):
        raise Refuted("task", "a distribution is asked for, which no comparison of logits settles")
    answer, margin, text = ARGUMENTS[kind](claim, document["proof"])
    many = len(claim.contexts)
    contexts = f"{many} context{'' if many == 1 else 's'}"
    return Statement(answer, text.format(name=claim.name, contexts=contexts), many, margin)


def main(paths: Sequence[str]) -> int:
    """Verify files and print a line for each: 0 all hold, 1 one is refuted, 2 one is missing."""
    status = 0
    for path in paths:
        try:
            print(f"{path}: proved: {verify_file(path).text}")
        except Refuted as error:
            print(f"{path}: refuted at {error}", file=sys.stderr)
            status = max(status, 1)
        except InputError as error:
            print(error, file=sys.stderr)
            status = 2
    return status
