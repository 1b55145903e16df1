"""The certificate file: how it is read and hashed (format version 1, ``docs/certificate-format.md``).

Floor 0, standard library only. A certificate comes from a stranger, so reading is strict: bounded size and depth, no
floating-point number, no duplicate key, rationals as decimal strings in lowest terms. What a certificate *claims* is
judged in :mod:`expressivity.verify`; this module only knows its shape.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from sys import intern
from typing import Any

from expressivity.errors import InputError, Refuted

FORMAT = "expressivity certificate"
VERSION = 1
KINDS = (
    "obstruction",
    "separating_weights",
    "head_tables",
    "head_tables_by_symmetry",
    "cross_entropy_bound",
    "logit_weights",
    "logit_obstruction",
    "fewest_contexts",
    "fewest_features",
    "largest_margin",
    "block_obstruction",
)
KEYS = {"format", "version", "kind", "model", "task", "proof", "hash"}
MAX_BYTES = 1 << 28
MAX_DEPTH = 12
MAX_DIGITS = 20_000  # of a numerator or denominator
MAX_COMMON = 1 << 16  # bits of the common denominator of all rationals in a file
_CHUNK = 600  # digits converted at a time; an interpreter may be told to convert no more than 640
_RATIONAL = re.compile(f"(-?)(0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})(?:/([1-9][0-9]{{0,{MAX_DIGITS - 1}}}))?")


def rational_text(value: Fraction | int) -> str:
    """Write a rational as the format does: ``"3"`` or ``"-1/2"``, lowest terms, any number of digits.

    >>> rational_text(Fraction(-2, 4)), rational_text(3)
    ('-1/2', '3')
    """
    sign = "-" if value < 0 else ""
    top = _digits(abs(value.numerator))
    return sign + (top if value.denominator == 1 else f"{top}/{_digits(value.denominator)}")


def _digits(value: int) -> str:
    chunks = []
    while value >= 10**_CHUNK:
        value, low = divmod(value, 10**_CHUNK)
        chunks.append(str(low).zfill(_CHUNK))
    return str(value) + "".join(reversed(chunks))


def rational(text: object, where: str) -> Fraction:
    """Read a rational written by :func:`rational_text`; anything else is refused.

    Args:
        text: the JSON value.
        where: its place in the document, for the message.

    Raises:
        Refuted: not a string, not a rational in lowest terms, or one with more than ``MAX_DIGITS`` digits.

    >>> rational("-1/2", "here")
    Fraction(-1, 2)
    >>> rational("2/4", "here")
    Traceback (most recent call last):
    expressivity.errors.Refuted: rational: here is '2/4'; expected an integer or fraction in lowest terms, as "-1/2"
    """
    if isinstance(text, str) and (match := _RATIONAL.fullmatch(text)):
        sign, top, bottom = match.groups()
        value = Fraction(_integer(top) * (-1 if sign else 1), _integer(bottom or "1"))
        if rational_text(value) == text:
            return value
    shown = repr(text) if len(repr(text)) < 60 else repr(text)[:57] + "…"
    raise Refuted("rational", f'{where} is {shown}; expected an integer or fraction in lowest terms, as "-1/2"')


def _integer(digits: str) -> int:
    value = 0
    for start in range(0, len(digits), _CHUNK):
        chunk = digits[start : start + _CHUNK]
        value = value * 10 ** len(chunk) + int(chunk)
    return value


def canonical(document: Any) -> bytes:
    """The canonical JSON: keys sorted by code point, no blanks, UTF-8 with only the escapes that JSON requires.

    >>> canonical({"b": ["é", 1], "a": None})
    b'{"a":null,"b":["\\xc3\\xa9",1]}'
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def content_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of everything but the hash itself, as ``"sha256:…"``."""
    body = {key: value for key, value in document.items() if key != "hash"}
    return "sha256:" + hashlib.sha256(canonical(body)).hexdigest()


def seal(kind: str, model: Mapping[str, Any], task: Mapping[str, Any], proof: Mapping[str, Any]) -> dict[str, Any]:
    """Put a certificate together and hash it. Nothing is proved yet: see :func:`expressivity.verify.verify`."""
    document = {"format": FORMAT, "version": VERSION, "kind": kind, "model": model, "task": task, "proof": proof}
    return {**document, "hash": content_hash(document)}


def parse(data: bytes) -> dict[str, Any]:
    """Read the bytes of a certificate file and check format, version, kind and hash.

    Raises:
        Refuted: with the step ``reading``, ``version``, ``kind`` or ``hash``.
    """
    if len(data) > MAX_BYTES:
        raise Refuted("reading", f"the file has over {MAX_BYTES} bytes")
    try:
        document = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_no_number,
            parse_constant=_no_number,
            parse_int=_small_integer,
        )
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise Refuted("reading", f'this is no certificate: expected an object with "format": "{FORMAT}"')
        _survey(document)
        digest = content_hash(document)
    except RecursionError:
        raise Refuted("reading", f"the file nests deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise Refuted("reading", f"the file is not JSON in UTF-8 (truncated?): {error}") from None
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise Refuted("version", f"version is {version!r}; this program proves version {VERSION}")
    if set(document) != KEYS:
        raise Refuted("reading", f"keys missing or unknown: {sorted(set(document) ^ KEYS)!r}")
    if document["kind"] not in KINDS:
        raise Refuted("kind", f"kind is {document['kind']!r}; expected one of {', '.join(KINDS)}")
    if document["hash"] != digest:
        raise Refuted("hash", f"the content hashes to {digest}, the file says {document['hash']!r}: it was changed")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refuted("reading", f"a key occurs twice in one object, which begins {pairs[:3]!r}")
    for value in result.values():
        if isinstance(value, list):  # a million contexts name the same few tokens: each is kept once
            value[:] = [intern(item) if isinstance(item, str) else item for item in value]
    return result


def _no_number(text: str) -> None:
    raise Refuted("reading", f"the number {text[:40]} is not an integer; rationals are written as strings")


def _small_integer(text: str) -> int:
    if len(text) > 9 or not text.isdecimal():
        raise Refuted("reading", f"the integer {text[:40]} is negative or too long; rationals are written as strings")
    return int(text)


def _survey(document: dict[str, Any]) -> None:
    """Refuse what no certificate needs and what makes exact arithmetic slow: depth, and a huge common denominator."""
    level: list[Any] = [document]
    denominators = set[str]()
    for _ in range(MAX_DEPTH):
        below = []
        for value in level:
            for item in value.values() if isinstance(value, dict) else value:
                if isinstance(item, (dict, list)):
                    below.append(item)
                elif isinstance(item, str) and "/" in item and (match := _RATIONAL.fullmatch(item)):
                    denominators.add(match[3])
        level = below
    if level:
        raise Refuted("reading", f"the file nests deeper than {MAX_DEPTH} levels")
    common = 1
    for denominator in denominators:
        common = lcm(common, _integer(denominator))
        if common.bit_length() > MAX_COMMON:
            raise Refuted("size", f"the common denominator of the numbers has over {MAX_COMMON} bits")


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a certificate file.

    Raises:
        InputError: there is no such file, or it cannot be read.
        Refuted: it is not a well-formed certificate.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{os.fspath(path)}: {error.strerror or error}; expected a certificate file") from None
    return parse(data)
