"""The least degree of a polynomial with the signs of a function, for many functions at once, with both proofs.

*Yes at degree d*: integer coefficients of the monomials of degree at most d. *No below*: integers λ ≥ 0 on the inputs,
not all 0, with ``Σ_x λ_x f(x) m(x) = 0`` for every monomial m of degree below d (Motzkin). The products λ·f that do so
are the parity of all inputs times a polynomial of degree at most n − d: so a polynomial with the signs of *f times
parity* is a proof that f has none of low degree, and both questions are put to the same method.

Most functions are answered by that, or by a half of the inputs on which the degree is as large already. What is left
goes to the exact engine, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from expressivity.census.classes import classes, symmetries
from expressivity.census.functions import Array, Words, points, signs
from expressivity.census.polynomials import design, fit, rounded
from expressivity.separability import IntegerRows, Separator, separate

_TABLED = 4  # inputs up to which the degrees of all functions are kept


@dataclass(frozen=True)
class Degrees:
    """Threshold degrees with their proofs.

    Attributes:
        n: the number of inputs.
        degree: shape ``[functions]``.
        weights: of each function, integer coefficients of :func:`~expressivity.census.polynomials.monomials` of that
            degree.
        multipliers: integers λ at least 0, by input, that refute the degree below; all 0 for a constant function.
            Shape ``[functions, 2^n]``.
    """

    n: int
    degree: Array
    weights: tuple[Array, ...]
    multipliers: Array


def degrees(words: Words, n: int) -> Degrees:
    """The threshold degree of each function, proved both ways in integers.

    >>> found = degrees(np.array([0b0110, 0b1000, 0], dtype=np.uint64), 2)
    >>> found.degree.tolist(), found.weights[0].tolist(), found.multipliers.tolist()
    ([2, 1, 0], [0, 0, 0, -1], [[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]])
    """
    given = np.asarray(words, dtype=np.uint64)
    wanted = signs(given, n).astype(np.int64)
    parity = points(n).prod(axis=1)
    degree, multipliers = _of_halves(given, n)
    weights: list[Array] = [np.zeros(0, dtype=np.int64)] * len(given)
    open_ = np.ones(len(given), dtype=bool)
    for d in range(n + 1):
        here = np.flatnonzero(open_ & (degree == d))
        found, right = _polynomials(wanted[here], n, d)
        for i in np.flatnonzero(right):
            weights[here[i]] = found[i]
        open_[here[right]] = False
        here = here[~right]
        if d < n:  # the dual question
            dual, right = _polynomials(wanted[here] * parity, n, n - d - 1)
            proved = here[right]
            multipliers[proved] = wanted[proved] * parity * (dual[right] @ design(n, n - d - 1).T)
            degree[proved] = d + 1
            here = here[~right]
        for i in here:
            answer = separate(IntegerRows.from_dense(design(n, d) * wanted[i][:, None]))
            if isinstance(answer, Separator):
                weights[i], open_[i] = np.array(answer.weights, dtype=np.int64), False
                continue
            multipliers[i], degree[i] = 0, d + 1
            for x, multiplier in answer.multipliers.items():  # type: ignore[union-attr]
                multipliers[i, x] = multiplier
    common = np.gcd.reduce(multipliers, axis=1)
    result = Degrees(n, degree, tuple(weights), multipliers // np.maximum(common, 1)[:, None])
    check(given, result)
    return result


def check(words: Words, found: Degrees) -> None:
    """Prove both sides of every degree again, in integers.

    Raises:
        ArithmeticError: a proof is none.
    """
    wanted = signs(words, found.n).astype(object)
    for d in range(found.n + 1):
        here = np.flatnonzero(found.degree == d)
        if not len(here):
            continue
        above = np.array([found.weights[i] for i in here]).astype(object) @ design(found.n, d).T.astype(object)
        right = (wanted[here] * above > 0).all(axis=1)
        if d:
            used = found.multipliers[here].astype(object)
            below = (used * wanted[here]) @ design(found.n, d - 1).astype(object)
            right &= (used >= 0).all(axis=1) & (used > 0).any(axis=1) & (below == 0).all(axis=1)
        if not right.all():
            raise ArithmeticError(f"the degree of function {int(words[here[~right][0]])} is not proved")


def _polynomials(wanted: Array, n: int, degree: int) -> tuple[Array, Array]:
    """Integer polynomials with the signs, and for which functions there are any."""
    features = design(n, degree)
    return rounded(fit(wanted, features), wanted, features)


# ------------------------------------------------------------------------------------------------ from halves


def _of_halves(words: Words, n: int) -> tuple[Array, Array]:
    """The largest degree on a half of the inputs, a lower bound of the degree, with the multipliers that prove it."""
    degree = np.zeros(len(words), dtype=np.int64)
    multipliers = np.zeros((len(words), 2**n), dtype=np.int64)
    if not 2 <= n <= _TABLED + 1:
        return degree, multipliers
    known, proofs = _table(n - 1)
    inputs = np.arange(2**n)
    for i in range(n):
        for side in (0, 1):
            half = inputs[(inputs >> i & 1) == side]
            part = np.zeros(len(words), dtype=np.uint64)
            for k, x in enumerate(half):
                part |= (words >> np.uint64(x) & np.uint64(1)) << np.uint64(k)
            better = np.flatnonzero(known[part] > degree)
            degree[better] = known[part[better]]
            multipliers[better] = 0
            multipliers[np.ix_(better, half)] = proofs[part[better]]
    return degree, multipliers


@lru_cache(maxsize=4)
def _table(n: int) -> tuple[Array, Array]:
    """The degrees and multipliers of all functions of few inputs, carried over from the least member of each class."""
    every, known = classes(n), symmetries(n)
    found = degrees(every.words, n)
    number = np.searchsorted(every.words, known.least.astype(np.uint64))
    multipliers = np.zeros((len(number), 2**n), dtype=np.int64)
    rows = np.arange(len(number))[:, None]
    multipliers[rows, known.inputs[known.towards]] = found.multipliers[number]
    return found.degree[number], multipliers
