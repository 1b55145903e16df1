"""How tokens are written, in task files and in messages."""

from __future__ import annotations

import json
import re
from fractions import Fraction

from expressivity.errors import InputError

# A first `{` would make the file JSON Lines, so a token that starts with one is quoted as well.
_NEEDS_QUOTES = re.compile(r'[\s:|=@#"]|->|^\{|^$').search


def quoted(token: str) -> str:
    """`token` as a task file writes it: as it stands, or as a JSON string where it would be misread.

    >>> print(quoted("cat"), quoted("a b"), quoted("->"))
    cat "a b" "->"
    """
    if token.isprintable() and not _NEEDS_QUOTES(token):
        return token
    return json.dumps(token, ensure_ascii=not token.isprintable())


def excerpt(text: str) -> str:
    r"""`text` in quotation marks, on one line and not too long, for a message.

    >>> print(excerpt("A C Q -> T\n"))
    "A C Q -> T"
    """
    text = cut(text.strip())
    mark = "'" if '"' in text else '"'
    return mark + (text if text.isprintable() else json.dumps(text)[1:-1]) + mark


def cut(text: str, limit: int = 60) -> str:
    """At most `limit` characters of `text`, and a mark where the rest was."""
    return text if len(text) <= limit else text[:limit] + "…"


def describe(value: object) -> str:
    """What `value` is, in JSON's words and on one line, for a message about a value of the wrong type.

    >>> describe("T"), describe(None), describe(0.5), describe([])
    ('"T"', 'null', '0.5', 'an empty list')
    """
    if isinstance(value, str):
        return excerpt(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, dict):
        fields = ", ".join(quoted(key) for key in value if isinstance(key, str))
        return f"an object with the fields {cut(fields)}" if fields else "an empty object"
    if isinstance(value, float | Fraction) or (isinstance(value, int) and value.bit_length() < 256):
        return cut(str(value))
    return f"a value of type {type(value).__name__}"


def check_token(token: object) -> str:
    r"""`token` itself, or an `InputError` if it is no string that UTF-8 can write.

    Half of a surrogate pair (JSON's `"\ud800"`) is a Python string, but no file could hold it.
    """
    if not isinstance(token, str):
        raise InputError(f"found {describe(token)} as a token; expected a string")
    if not token.isascii():
        try:
            token.encode()
        except UnicodeEncodeError:
            raise InputError(f"found the token {excerpt(token)}; expected whole Unicode characters") from None
    return token
