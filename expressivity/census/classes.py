"""Boolean functions up to the symmetries that leave orders and heads alone, each class by its least member.

Orders and ``joint`` heads do not change when inputs are permuted, when some of them are negated and when the output is
(*npn*). ``additive`` heads know a token by one vector at all positions, so that only all inputs together can be negated
(*global*).

Up to four inputs the least image of every function under the whole group is taken. Five inputs have 2^32 functions;
there a function is cut in two by one of its inputs. The least member of a class has as its upper half the least
function of four inputs that occurs as a half anywhere in the class, and as its lower half what is least under the
symmetries which keep the upper one. So 222 upper halves and, for each, the lower halves up to its symmetries, are all
candidates: 5.6 million instead of 4.3 billion, and seconds instead of hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product
from math import factorial
from typing import Literal

import numpy as np

from expressivity.census.functions import Array, Words, check_inputs
from expressivity.errors import InputError

Group = Literal["npn", "global"]
MOST_CLASSIFIED = {"npn": 5, "global": 4}
_DIRECT = 4  # inputs up to which all functions are listed


@dataclass(frozen=True)
class Classes:
    """All classes of functions of n inputs.

    Attributes:
        n: the number of inputs.
        group: which symmetries.
        words: the least member of each class, increasing, ``uint64``.
        sizes: how many functions are in the class.
    """

    n: int
    group: Group
    words: Words
    sizes: Array


@lru_cache(maxsize=4)
def classes(n: int, group: Group = "npn") -> Classes:
    """The classes of all functions of ``n`` inputs: up to 5 for ``npn``, up to 4 for ``global``.

    There are 2, 4, 14, 222, 616126 for npn (OEIS A000370); the sizes add up to 2^(2^n).

    Raises:
        InputError: too many inputs.

    >>> [len(classes(n).words) for n in (1, 2, 3, 4)]
    [2, 4, 14, 222]
    >>> int(classes(3).sizes.sum())
    256
    """
    if n > MOST_CLASSIFIED[group] or n < 1:
        raise InputError(f"found {n} inputs; expected 1 to {MOST_CLASSIFIED[group]} to list every class")
    if n > _DIRECT:
        return _by_halves(n)
    table = symmetries(n, group)
    least, sizes = np.unique(table.least, return_counts=True)
    return Classes(n, group, least.astype(np.uint64), sizes.astype(np.int64))


@dataclass(frozen=True)
class Symmetries:
    """What every symmetry makes of every function of at most four inputs.

    Attributes:
        inputs: shape ``[symmetries, 2^n]``: the value of the image at x is that of the function at ``inputs[s, x]``,
        negated: and then negated, where this is true, shape ``[symmetries]``.
        images: shape ``[symmetries, 2^(2^n)]``.
        least: the least image of each function.
        towards: a symmetry that takes it there.
    """

    inputs: Array
    negated: Array
    images: Array
    least: Array
    towards: Array


@lru_cache(maxsize=6)
def symmetries(n: int, group: Group = "npn") -> Symmetries:
    """The group on the functions of ``n`` ≤ 4 inputs."""
    check_inputs(n, _DIRECT)
    flips = [0, 2**n - 1] if group == "global" else range(2**n)
    every = np.arange(2**n)
    inputs, negated = [], []
    for output, order, flip in product((False, True), permutations(range(n)), flips):
        moved = sum((every >> i & 1) << order[i] for i in range(n))
        inputs.append(moved ^ flip)
        negated.append(output)
    functions = np.arange(2 ** (2**n), dtype=np.uint32)
    images = np.zeros((len(inputs), len(functions)), dtype=np.uint16)
    for s, (source, output) in enumerate(zip(inputs, negated, strict=True)):
        for x, y in enumerate(source):
            images[s] |= ((functions >> np.uint32(y) & np.uint32(1)) << np.uint32(x)).astype(np.uint16)
        if output:
            images[s] ^= np.uint16(2 ** (2**n) - 1)
    return Symmetries(np.array(inputs), np.array(negated), images, images.min(axis=0), images.argmin(axis=0))


# ------------------------------------------------------------------------------------------------ by halves


@dataclass(frozen=True)
class _Halves:
    """Functions of four inputs as upper halves: their least images, and what keeps those.

    ``least_beside[r, h]`` is the least image of the other half h under the symmetries that keep the r-th least
    function, and ``keeping[r, h]`` the number of those that keep h as well.
    """

    known: Symmetries
    uppers: Array
    number: Array
    least_beside: Array
    keeping: Array


@lru_cache(maxsize=1)
def _halves() -> _Halves:
    known = symmetries(_DIRECT)
    uppers = np.unique(known.least)
    number = np.zeros(len(known.least), dtype=np.int64)
    number[uppers] = np.arange(len(uppers))
    own = np.arange(len(known.least), dtype=np.uint16)
    least = np.zeros((len(uppers), len(own)), dtype=np.uint16)
    keeping = np.zeros((len(uppers), len(own)), dtype=np.int64)
    for r, upper in enumerate(uppers):
        beside = known.images[known.images[:, upper] == upper]
        least[r], keeping[r] = beside.min(axis=0), (beside == own).sum(axis=0)
    return _Halves(known, uppers, number, least, keeping)


def _by_halves(n: int) -> Classes:
    halves, words, sizes = _halves(), [], []
    group = 2 * 2**n * factorial(n)
    for r, upper in enumerate(halves.uppers):
        lower = np.unique(halves.least_beside[r]).astype(np.uint64)
        word = np.uint64(upper) << np.uint64(16) | lower
        least, ways = _least_by_halves(word, n)
        kept = least == word
        words.append(word[kept])
        sizes.append(group // (ways[kept] * halves.keeping[r, lower[kept]]))
    return Classes(n, "npn", np.concatenate(words), np.concatenate(sizes))


def _least_by_halves(words: Words, n: int) -> tuple[Words, Array]:
    """The least member of each function's class, and how many of the 2n halves can be its upper half."""
    halves = _halves()
    known = halves.known
    best, ways = np.full(words.shape, 2 ** (2**n) - 1, dtype=np.uint64), np.zeros(words.shape, dtype=np.int64)
    for i in range(n):
        cut = _to_front(words, i, n)
        low, high = cut & np.uint64(0xFFFF), cut >> np.uint64(16)
        for upper, lower in ((high, low), (low, high)):
            s, least = known.towards[upper], known.least[upper]
            beside = halves.least_beside[halves.number[least], known.images[s, lower]]
            found = least.astype(np.uint64) << np.uint64(16) | beside
            ways = np.where(found < best, 1, ways + (found == best))
            best = np.minimum(best, found)
    return best, ways


def _to_front(words: Words, i: int, n: int) -> Words:
    """The functions with input number ``i``, counted from the least significant, and the first one exchanged."""
    if i == n - 1:
        return words
    mask = np.uint64(sum(1 << x for x in range(2**n) if x >> i & 1 and not x >> (n - 1) & 1))
    shift = np.uint64(2 ** (n - 1) - 2**i)
    moved = (words >> shift ^ words) & mask
    exchanged: Words = words ^ moved ^ moved << shift
    return exchanged


def least_members(words: Words, n: int, group: Group = "npn") -> Words:
    """The least member of the class of each function.

    >>> least_members(np.array([0b1001, 0b0111], dtype=np.uint64), 2)
    array([6, 1], dtype=uint64)
    """
    check_inputs(n, MOST_CLASSIFIED[group])
    given = np.asarray(words, dtype=np.uint64)
    if n > _DIRECT:
        return _least_by_halves(given, n)[0]
    least: Words = symmetries(n, group).least[given].astype(np.uint64)
    return least
