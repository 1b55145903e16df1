"""Families of tasks at lengths at which nobody could list their contexts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement

from expressivity.errors import InputError
from expressivity.task.domain import Domain
from expressivity.task.requirement import Tie, Top

LONGEST = 4096


def parity_domain(k: int) -> Domain:
    """Whether the number of ones among k bits is odd: `parity` for any k.

    Raises:
        InputError: k is not between 1 and 4096.

    >>> parity_domain(100).n_contexts == 2**100
    True
    """
    _check(k, "K", 1, LONGEST)
    return Domain(
        f"parity:{k}",
        kinds=("0", "1"),
        length=k,
        destinations="=",
        ask=lambda _, counts: "01"[counts["1"] % 2],
        outputs=("0", "1"),
    )


def ov_coherent_domain(length: int) -> Domain:
    """Which two signals stand among the noise (Greenspan & Wynroe 2023): `ov_coherent` for any length.

    Raises:
        InputError: the length is not between 2 and 4096.

    >>> domain = ov_coherent_domain(64)
    >>> domain.n_contexts == 2016 * 4**2 * 7**62, domain.n_cases
    (True, 10)
    """
    _check(length, "L", 2, LONGEST)
    kinds = {**{signal: signal for signal in "1234"}, "noise": tuple(str(token) for token in range(5, 12))}
    pairs = list(combinations_with_replacement("1234", 2))

    def ask(_: str, counts: Mapping[str, int]) -> Top | None:
        signals = "".join(signal * counts[signal] for signal in "1234")
        return Top(signals) if len(signals) == 2 else None

    return Domain(
        f"ov-coherent:{length}",
        kinds=kinds,
        length=length,
        destinations="0",
        ask=ask,
        limits={**dict.fromkeys("1234", (0, 2)), "noise": (length - 2, length - 2)},
        outputs=map("".join, pairs),
    )


def ov_incoherent_domain(k: int, length: int = 1) -> Domain:
    """Skip-trigrams, k of them, that share their source, which stands at any one of the positions or at none.

    Tokens as in `ov_incoherent`, which is the length 1: `0 … i -> k+i`, and a tie of all completions where no 0 is
    among the sources; the others are all 2k+1.

    Raises:
        InputError: k is not between 2 and 1000, or the length not between 1 and 4096.

    >>> ov_incoherent_domain(3, 64).n_contexts == 3 * (64 + 1)
    True
    """
    _check(k, "K", 2, 1000)
    _check(length, "L", 1, LONGEST)
    completions = [str(k + i) for i in range(1, k + 1)]
    tie = Tie(completions)
    return Domain(
        f"ov-incoherent:{k}" + (f", {length} sources" if length > 1 else ""),
        kinds={"source": "0", "other": str(2 * k + 1)},
        length=length,
        destinations=[str(i) for i in range(1, k + 1)],
        ask=lambda end, counts: Top(str(k + int(end))) if counts["source"] else tie,
        limits={"source": (0, 1)},
    )


def _check(value: int, what: str, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"found {what} = {value}; expected {low} to {high}")
