"""The text form of a task: one context per line, `A C Q -> T`.

    line      context -> target [@ weight]          # a comment
    context   tokens, the destination last
    target    T             a label                 T | F          both above all others
              T = F         tied, above all others  T:0.9 F:9/10   a distribution

Tokens are separated by white space; one that holds white space or any of `: | = @ # "` or `->` is written
as a JSON string. A first line `outputs: T F G` declares outputs that no target mentions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction

from expressivity.errors import InputError
from expressivity.task.context import Context
from expressivity.task.gather import ONE, Entry, Parts, Requirements, mentioned
from expressivity.task.rationals import exact, positive
from expressivity.task.requirement import Distribution, Requirement, Tie, Top, distinct
from expressivity.task.tokens import check_token, excerpt, quoted

Symbol = tuple[str, str, int]
"""(kind, token, start): the kind is `token`, `->`, or one of the marks `: | = @`."""

_LINE = "CONTEXT -> TARGET, such as A C Q -> T"
_TARGET = "one output, T | F (both above all others), T = F (a tie) or T:0.9 F:0.1 (probabilities)"
_DECLARATION = re.compile(r"\s*outputs\s*:")
_MARK = re.compile("[:|=@]")
_SYMBOL = re.compile(
    r"""\s*(?:
        (?P<arrow>->) | (?P<mark>[:|=@]) | (?P<json>"(?:[^"\\]|\\.)*+") | (?P<word>(?:[^\s:|=@#"-]|-(?!>))+) |
        (?P<open>") | (?P<end>\#|$)
    )""",
    re.VERBOSE,
)


class TextLines:
    """Reads the lines of one file. Equal tokens and equal targets become the same objects."""

    def __init__(self, normalise: bool) -> None:
        self._normalise = normalise
        self._vocabulary: dict[str, str] = {}
        self._targets: dict[str, tuple[Requirements, Fraction]] = {}
        self._shared: dict[Requirement, Requirements] = {}

    def declaration(self, line: str) -> tuple[str, ...] | None:
        """The outputs that `line` declares, or None if it declares none."""
        match = _DECLARATION.match(line)
        if match is None:
            return None
        found = _symbols(line[match.end() :])
        if not found or any(kind != "token" for kind, _, _ in found):
            raise InputError(f"found {excerpt(line)}; expected the outputs, as in outputs: T F")
        return distinct(token for _, token, _ in found)

    def entry(self, line: str) -> Entry | None:
        """What `line` says, or None if it is blank or a comment."""
        if '"' in line:
            return self._entry_with_quotes(line)
        if "#" in line:
            line = line[: line.index("#")]
        left, arrow, right = line.partition("->")
        tokens = left.split()
        if not (tokens and arrow):
            if not tokens and not arrow:
                return None
            raise _no_entry(line)
        if _MARK.search(left):
            raise _marked_context(left)
        requirements, weight = self._target(right)
        return Context(map(self._vocabulary.setdefault, tokens, tokens)), requirements, weight

    def _entry_with_quotes(self, line: str) -> Entry | None:
        symbols = _symbols(line)
        kinds = [kind for kind, _, _ in symbols]
        if not symbols:
            return None
        if "->" not in kinds or kinds[0] == "->":
            raise _no_entry(line)
        arrow = kinds.index("->")
        tokens = [token for _, token, _ in symbols[:arrow]]
        if set(kinds[:arrow]) != {"token"}:
            raise _marked_context(line[: symbols[arrow][2]])
        requirements, weight = self._target(line[symbols[arrow][2] + len("->") :])
        return Context(map(self._vocabulary.setdefault, tokens, tokens)), requirements, weight

    def _target(self, text: str) -> tuple[Requirements, Fraction]:
        """What stands after the arrow, read once for all lines that say the same there."""
        known = self._targets.get(text)
        if known is not None:
            return known
        symbols = _symbols(text)
        kinds = [kind for kind, _, _ in symbols]
        weight = ONE
        if "@" in kinds:
            at = kinds.index("@")
            if kinds[at + 1 :] != ["token"]:
                found = excerpt(text[symbols[at][2] :])
                raise InputError(f"found {found}; expected one weight at the end of the line, such as @ 3")
            weight = positive(exact(symbols[at + 1][1]))
            symbols = symbols[:at]
        requirement = _requirement(symbols, text, self._normalise)
        target = self._shared.setdefault(requirement, (requirement,)), weight
        self._targets[text] = target
        return target


def write(parts: Parts) -> Iterator[str]:
    """The lines that read back as `parts`."""
    if len(mentioned(parts.requirements)) < len(parts.outputs):
        yield "outputs: " + " ".join(map(quoted, parts.outputs))
    for context, requirements, weight in zip(parts.contexts, parts.requirements, parts.weights, strict=True):
        # The weights of a context's lines add up.
        each = weight / len(requirements)
        for requirement in requirements:
            yield f"{context} -> {requirement}" + ("" if each == 1 else f" @ {each}")


def _requirement(symbols: list[Symbol], text: str, normalise: bool) -> Requirement:
    tokens = [token for kind, token, _ in symbols if kind == "token"]
    kinds = [kind for kind, _, _ in symbols]
    if kinds == ["token", *["|", "token"] * (len(tokens) - 1)]:
        return Top(tokens)
    if kinds == ["token", *["=", "token"] * (len(tokens) - 1)]:
        return Tie(tokens)
    if tokens and kinds == ["token", ":", "token"] * (len(tokens) // 2):
        pairs = zip(tokens[::2], map(exact, tokens[1::2]), strict=True)
        return Distribution(pairs, normalise=normalise)
    raise InputError(f"found {excerpt(text) if symbols else 'nothing'} after ->; expected {_TARGET}")


def _symbols(text: str) -> list[Symbol]:
    """The tokens and marks of `text`, up to a comment."""
    symbols: list[Symbol] = []
    token_end = -1
    for match in _SYMBOL.finditer(text):
        group = match.lastgroup or "end"
        found, start = match[group], match.start(group)
        if group == "end":
            break
        if group == "open":
            raise InputError(f"found {excerpt(text[start:])}; expected a JSON string with a closing quote")
        if group in ("arrow", "mark"):
            symbols.append((found, "", start))
            continue
        if start == token_end:
            raise InputError(f"found {excerpt(found)} right after a token; expected a blank between tokens")
        symbols.append(("token", _unquoted(found) if group == "json" else found, start))
        token_end = match.end()
    return symbols


def _unquoted(string: str) -> str:
    try:
        return check_token(json.loads(string))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"found the token {excerpt(string[1:-1])}; expected a JSON string, with \\ escaped") from None


def _no_entry(line: str) -> InputError:
    if _DECLARATION.match(line):
        return InputError(f"found {excerpt(line)}; expected the outputs before the first context")
    if "->" in line:
        return InputError(f"found {excerpt(line)}, no context before ->; expected {_LINE}")
    return InputError(f"found {excerpt(line)}, no ->; expected {_LINE}")


def _marked_context(context: str) -> InputError:
    return InputError(
        f"found {excerpt(context)} before ->; expected tokens, in double quotes if they hold one of : | = @"
    )
