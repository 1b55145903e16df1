"""Boolean functions as numbers: bit x of the number is the value at input x, whose first bit is the most significant.

So the truth table of ``bits:0110``, read from its end, is the number in binary. Many functions are an array of such
numbers, ``uint64``, and a sign table is +1 where the value is 1, −1 where it is 0: the sign that logit₁ − logit₀ is to
have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError
from expressivity.task import Task
from expressivity.task.families import bits

MOST_INPUTS = 6
"""Functions of so many inputs are 64-bit words."""

Words = npt.NDArray[np.uint64]
Signs = npt.NDArray[np.int8]
Array = npt.NDArray[Any]


def check_inputs(n: int, most: int = MOST_INPUTS) -> int:
    """``n`` itself, if it is a number of inputs that can be handled.

    Raises:
        InputError: it is not.
    """
    if not 1 <= n <= most:
        raise InputError(f"found {n} inputs; expected 1 to {most}")
    return n


def signs(words: Words, n: int) -> Signs:
    """The sign tables of functions, shape ``[functions, 2^n]``.

    >>> signs(np.array([0b0110], dtype=np.uint64), 2)
    array([[-1,  1,  1, -1]], dtype=int8)
    """
    inputs = np.arange(2**n, dtype=np.uint64)
    values = (np.asarray(words, dtype=np.uint64)[:, None] >> inputs) & np.uint64(1)
    return (2 * values.astype(np.int8) - 1).astype(np.int8)


def truth_table(word: int, n: int) -> str:
    """The values in the order of the inputs, as ``bits:`` takes them.

    >>> truth_table(0b1000, 2)
    '0001'
    """
    return "".join("01"[int(word) >> x & 1] for x in range(2**n))


def word_of(table: str) -> int:
    """The number of a truth table.

    >>> word_of("0001")
    8
    """
    return int(table[::-1], 2)


def task_of(word: int, n: int) -> Task:
    """The task of computing a function, as :func:`~expressivity.task.families.bits` states it."""
    return bits(truth_table(word, n))


def points(n: int) -> Array:
    """The inputs as rows of ±1, +1 for the bit 1, shape ``[2^n, n]``; the first bit is the most significant.

    >>> points(2).tolist()
    [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    """
    inputs = np.arange(2**n)
    return 2 * (inputs[:, None] >> np.arange(n - 1, -1, -1) & 1) - 1
