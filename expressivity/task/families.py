"""Tasks that have a name: `xor`, `parity:4`, `bits:0110`, …, usable wherever a task file may stand."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path

from expressivity.errors import InputError
from expressivity.task.requirement import Requirement, Tie, Top
from expressivity.task.task import Task
from expressivity.task.tokens import cut, excerpt

MOST_INPUTS = 20
"""Bits of the largest Boolean task: about a million contexts."""


@dataclass(frozen=True)
class Family:
    """A family of tasks, one member per argument.

    Attributes:
        name: what stands before the colon.
        syntax: how a member is written, for example `parity:K`.
        description: one sentence.
        example: a member.
        build: the member for what stands after the colon (nothing: the empty string).
    """

    name: str
    syntax: str
    description: str
    example: str
    build: Callable[[str], Task]

    @property
    def form(self) -> str:
        """Syntax and example, as a hint."""
        return self.syntax if self.syntax == self.example else f"{self.syntax}, for example {self.example}"


def xor() -> Task:
    """The four strings of Shlegeris (2022): `A C Q -> T`, `A D Q -> F`, `B C Q -> F`, `B D Q -> T`."""
    return Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"], name="xor")


def bits(table: str) -> Task:
    """A Boolean function of n bits by its truth table of 2ⁿ values, the first source most significant.

    Sources `0` and `1`, destination `=`, outputs `0` and `1` (both of them even for a constant). A table of
    one value is a function of no bits: a destination alone.

    Raises:
        InputError: a character other than 0 and 1, or a length that is not a power of two up to 2^20.

    >>> print(bits("0110").to_text(), end="")
    0 0 "=" -> 0
    0 1 "=" -> 1
    1 0 "=" -> 1
    1 1 "=" -> 0
    """
    strange = re.search("[^01]", table)
    if strange:
        raise InputError(f"found {excerpt(strange[0])} at index {strange.start()}; expected only 0 and 1")
    inputs = len(table).bit_length() - 1
    if len(table) != 1 << max(inputs, 0) or inputs > MOST_INPUTS:
        raise InputError(f"found {len(table)} values; expected 2^n of them, n from 0 to {MOST_INPUTS}")
    contexts = ((*sources, "=") for sources in product("01", repeat=inputs))
    labels = {value: Top(value) for value in "01"}
    return Task(contexts, map(labels.__getitem__, table), outputs=("0", "1"), name=cut(f"bits:{table}"))


def labels(tokens: int, outputs: int, table: str) -> Task:
    """Any function of n sources to labels, by its labels at the tokensⁿ contexts, the first source most significant.

    Sources `0`, `1`, … of that many tokens, destination `=`, outputs `0`, `1`, … (all of them declared).

    Raises:
        InputError: tokens or outputs are not between 2 and 10, a label is no output, or the number of labels is no
            power of tokens up to 2^20.

    >>> print(labels(3, 2, "010").to_text(), end="")
    0 "=" -> 0
    1 "=" -> 1
    2 "=" -> 0
    """
    _check(tokens, "K", 2, 10)
    _check(outputs, "M", 2, 10)
    strange = re.search(f"[^0-{outputs - 1}]", table)
    if strange:
        raise InputError(f"found {excerpt(strange[0])} at index {strange.start()}; expected labels 0 to {outputs - 1}")
    n, many = 0, 1
    while many < len(table):
        n, many = n + 1, many * tokens
    if many != len(table) or many > 1 << MOST_INPUTS:
        raise InputError(f"found {len(table)} labels; expected {tokens}^n of them, at most 2^{MOST_INPUTS}")
    names = [str(y) for y in range(max(tokens, outputs))]
    contexts = ((*sources, "=") for sources in product(names[:tokens], repeat=n))
    tops = {y: Top(y) for y in names[:outputs]}
    asked = map(tops.__getitem__, table)
    return Task(contexts, asked, outputs=names[:outputs], name=cut(f"labels:{tokens}:{outputs}:{table}"))


def parity(k: int) -> Task:
    """Whether the number of ones among k bits is odd, as a task of `bits`.

    No skip-(k+1)-gram ensemble decides it (Minsky & Papert 1969).

    Raises:
        InputError: k is not between 1 and 20.

    >>> parity(2) == bits("0110")
    True
    """
    _check(k, "K", 1, MOST_INPUTS)
    task = bits("".join("01"[sources.bit_count() % 2] for sources in range(2**k)))
    return task.renamed(f"parity:{k}")


def differ(k: int, d: int) -> Task:
    """Whether two strings of k bits, one after the other, differ in at least d places; a task as of `bits`.

    Raises:
        InputError: k is not between 1 and 10, or d not between 1 and k.

    >>> differ(1, 1) == bits("0110")
    True
    """
    _check(k, "K", 1, MOST_INPUTS // 2)
    _check(d, "D", 1, k)
    task = bits("".join("01"[(first ^ second).bit_count() >= d] for first in range(2**k) for second in range(2**k)))
    return task.renamed(f"differ:{k}:{d}")


def ov_incoherent(k: int) -> Task:
    """Skip-trigrams, k of them, that share their source, and a tie of their completions where it is absent.

    Token 0 is the source, 1 … k the destinations, k+1 … 2k their completions, 2k+1 stands in the source's
    place when it is absent. `0 i -> k+i`, and `2k+1 i` ties all completions: without the ties bigrams would
    do. After OV-incoherent attention-head superposition (Circuits Updates, May and July 2023).

    Raises:
        InputError: k is not between 2 and 1000.

    >>> print(ov_incoherent(2).to_text(), end="")
    0 1 -> 3
    0 2 -> 4
    5 1 -> 3 = 4
    5 2 -> 3 = 4
    """
    _check(k, "K", 2, 1000)
    destinations = [str(i) for i in range(1, k + 1)]
    completions = [str(k + i) for i in range(1, k + 1)]
    tie = Tie(completions)
    contexts = [(source, i) for source in ("0", str(2 * k + 1)) for i in destinations]
    return Task(contexts, [*map(Top, completions), *[tie] * k], name=f"ov-incoherent:{k}")


def ov_coherent(length: int) -> Task:
    """Which two signals stand among the noise: the read-off task of Greenspan & Wynroe (2023).

    Token 0 is the destination, 1 … 4 are signals, 5 … 11 noise. There is every context of `length` sources
    with exactly two signals, C(length, 2)·4²·7^(length−2) of them; the label is the unordered pair of its
    signals, one of 11, 12, 13, 14, 22, 23, 24, 33, 34, 44.

    Raises:
        InputError: the length is not between 2 and 6.

    >>> task = ov_coherent(3)
    >>> len(task.contexts), len(task.outputs)
    (336, 10)
    """
    _check(length, "L", 2, 6)
    noise = [str(token) for token in range(5, 12)]
    labels = {pair: Top("".join(pair)) for pair in combinations_with_replacement("1234", 2)}
    contexts: list[list[str]] = []
    requirements: list[Requirement] = []
    for first, second in combinations(range(length), 2):
        for a, b in product("1234", repeat=2):
            for rest in product(noise, repeat=length - 2):
                # The second place comes last, so neither insertion moves the other.
                context = [*rest, "0"]
                context.insert(first, a)
                context.insert(second, b)
                contexts.append(context)
                requirements.append(labels[min(a, b), max(a, b)])
    return Task(contexts, requirements, name=f"ov-coherent:{length}")


def from_family(spec: str) -> Task:
    """The member of a family that `spec` names, such as `parity:4`.

    Raises:
        InputError: no family has that name, or the family has no such member.
    """
    name, _, argument = spec.partition(":")
    if name not in FAMILIES:
        raise InputError(_unknown(spec, name))
    try:
        return FAMILIES[name].build(argument)
    except InputError as error:
        raise InputError(f"{cut(spec)}: {error} ({FAMILIES[name].form})") from None


def _xor(argument: str) -> Task:
    if argument:
        raise InputError(f"found {excerpt(argument)} after the colon; expected nothing")
    return xor()


def _differ(argument: str) -> Task:
    k, _, d = argument.partition(":")
    return differ(_whole(k, "K"), _whole(d, "D"))


def _labels(argument: str) -> Task:
    tokens, _, rest = argument.partition(":")
    outputs, _, table = rest.partition(":")
    return labels(_whole(tokens, "K"), _whole(outputs, "M"), table)


def _whole(text: str, what: str) -> int:
    """The whole number that `text` writes; its range is checked where it is used."""
    if not re.fullmatch("[0-9]{1,9}", text):
        found = excerpt(text) if text else "nothing"
        raise InputError(f"found {found} as {what}; expected a whole number")
    return int(text)


def _check(value: int, what: str, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"found {what} = {value}; expected {low} to {high}")


def _unknown(spec: str, name: str) -> str:
    """Neither a file nor a family: what could have been meant."""
    folder, last = os.path.split(spec)
    try:
        beside = [file.name for file in Path(folder or ".").iterdir()]
    except (OSError, ValueError):
        beside = []
    meant = [FAMILIES[close].example for close in difflib.get_close_matches(name, FAMILIES)]
    meant += [str(Path(folder, file)) for file in difflib.get_close_matches(last, beside)]
    hint = f"did you mean {' or '.join(meant)}?" if meant else f"the families are {', '.join(FAMILIES)}"
    return f"{excerpt(spec)} is neither a file nor a family of tasks; {hint}"


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("xor", "xor", "The four strings ACQT, ADQF, BCQF and BDQT.", "xor", _xor),
        Family(
            "parity",
            "parity:K",
            f"Whether an odd number of K bits is 1, K from 1 to {MOST_INPUTS}.",
            "parity:4",
            lambda k: parity(_whole(k, "K")),
        ),
        Family(
            "bits",
            "bits:TABLE",
            "The Boolean function with this truth table of 2^n values, the first source most significant.",
            "bits:0110",
            bits,
        ),
        Family(
            "labels",
            "labels:K:M:TABLE",
            "The function of sources from K tokens with these K^n labels of M, the first source most significant.",
            "labels:3:2:010110001",
            _labels,
        ),
        Family(
            "differ",
            "differ:K:D",
            f"Whether the two halves of 2K bits differ in at least D places, K from 1 to {MOST_INPUTS // 2}.",
            "differ:4:2",
            _differ,
        ),
        Family(
            "ov-incoherent",
            "ov-incoherent:K",
            "K skip-trigrams that share their source, a tie of their completions where it is absent.",
            "ov-incoherent:3",
            lambda k: ov_incoherent(_whole(k, "K")),
        ),
        Family(
            "ov-coherent",
            "ov-coherent:L",
            "Which two of four signals stand among L sources, the others noise, L from 2 to 6.",
            "ov-coherent:4",
            lambda length: ov_coherent(_whole(length, "L")),
        ),
    )
}
"""The families by name, in the order in which they are listed."""
