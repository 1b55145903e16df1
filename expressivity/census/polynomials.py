"""Many functions at once: polynomials over the inputs that have their signs, found in floats, kept in integers.

A function has threshold degree at most d if some polynomial of degree d in the inputs ±1 has its signs, which is what
a skip-(d+2)-gram ensemble decides (its features span the same functions). Nothing here is believed: a proposal counts
when its integers have been multiplied out.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np

from expressivity.census.functions import Array, points

_ENOUGH = 0.1  # least sign margin over the largest weight at which a fit is good enough to be rounded to few bits
_WORD = 1 << 62


@lru_cache(maxsize=64)
def monomials(n: int, degree: int) -> tuple[tuple[int, ...], ...]:
    """The products of at most ``degree`` of ``n`` inputs, by the numbers of the inputs.

    >>> monomials(2, 2)
    ((), (0,), (1,), (0, 1))
    """
    return tuple(chosen for k in range(degree + 1) for chosen in combinations(range(n), k))


@lru_cache(maxsize=64)
def design(n: int, degree: int) -> Array:
    """The monomials at all inputs, ±1, ``int64`` of shape ``[2^n, monomials]``."""
    rows = points(n)
    columns = [rows[:, list(chosen)].prod(axis=1) for chosen in monomials(n, degree)]
    found: Array = np.array(columns, dtype=np.int64).T.copy()
    found.setflags(write=False)
    return found


def fit(signs: Array, features: Array, *, rounds: int = 40, ridge: float = 1e-9) -> Array:
    """Weights whose combination of the features has the signs, where Newton's method finds them; a proposal. Float.

    Logistic regression by Newton's method, all functions at once; a function leaves when its signs are met well, and
    of those that are not met well the best weights are kept.

    Args:
        signs: ±1, shape ``[functions, points]``.
        features: shape ``[points, features]``.
        rounds: of Newton's method.
        ridge: how much the squares of the weights count.

    Returns:
        Shape ``[functions, features]``.
    """
    phi = np.asarray(features, dtype=np.float64)
    size = phi.shape[1]
    squares = (phi[:, :, None] * phi[:, None, :]).reshape(len(phi), -1)
    best = np.zeros((len(signs), size))
    score = np.full(len(signs), -np.inf)
    active, weights = np.arange(len(signs)), np.zeros((len(signs), size))
    for _ in range(rounds):
        own = signs[active].astype(np.float64)
        logits = (weights @ phi.T) * own
        reached = logits.min(axis=1) / np.maximum(np.abs(weights).max(axis=1), 1e-300)
        better = reached > score[active]
        best[active[better]], score[active[better]] = weights[better], reached[better]
        going = reached < _ENOUGH
        active, weights, own, logits = active[going], weights[going], own[going], logits[going]
        if not len(active):
            break
        residual = 1 / (1 + np.exp(np.clip(logits, -30, 30)))
        slope = (residual * own) @ phi - ridge * weights
        bend = ((residual * (1 - residual)) @ squares).reshape(-1, size, size) + ridge * np.eye(size)
        weights = weights + np.clip(np.linalg.solve(bend, slope[:, :, None])[:, :, 0], -5, 5)
    return best


def rounded(proposed: Array, signs: Array, features: Array, *, bits: int = 24) -> tuple[Array, Array]:
    """Integer weights with the signs, as small as rounding makes them, and where there are any. Exact.

    Args:
        proposed: weights of shape ``[functions, features]``.
        signs: shape ``[functions, points]``.
        features: integers of shape ``[points, features]``.
        bits: the most to try.

    Returns:
        ``int64`` weights of shape ``[functions, features]`` without a common factor, and for which functions they are
        proved: every point of every one of these has been multiplied out in words that cannot overflow.
    """
    largest = int(np.abs(features).sum(axis=1).max())
    if largest << bits >= _WORD:
        raise ValueError(f"{bits} bits times {largest} do not fit into words")
    weights = np.zeros(proposed.shape, dtype=np.int64)
    found = np.zeros(len(proposed), dtype=bool)
    scale = np.maximum(np.abs(proposed).max(axis=1, keepdims=True), 1e-300)
    for k in range(bits + 1):
        left = np.flatnonzero(~found)
        if not len(left):
            break
        tried = np.rint(proposed[left] / scale[left] * 2**k).astype(np.int64)
        right = (signs[left] * (tried @ features.T) > 0).all(axis=1)
        weights[left[right]], found[left[right]] = tried[right], True
    common = np.gcd.reduce(weights, axis=1)
    return weights // np.maximum(common, 1)[:, None], found
