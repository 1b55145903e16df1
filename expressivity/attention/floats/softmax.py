r"""The error of attention in floating point: scores and values in, weighted means out.

Let s_j be the exact scores of one destination, v_j the exact values, and

.. math:: p_j = e^{s_j} / \sum_i e^{s_i}, \qquad z = \sum_j p_j v_j .

Computed are :math:`e_j = \exp(\tilde s_j - \max \tilde s)`, their sum, its quotients, and the sum of the values times
these. Write :math:`\tilde p_j` for the exact quotients of the computed e_j. Then z̃ − z has three parts.

1. *Attention.* :math:`e_j \propto e^{s_j} ρ_j` with :math:`|\log ρ_j| \le L_j`, the sum of the error of s_j, of that of
   the subtraction, u times its result, and of that of the exponential. With :math:`R = \sum_i p_i ρ_i` and any number g

   .. math::
       \sum_j (\tilde p_j - p_j) v_j = \frac1R \sum_j p_j (ρ_j - 1)(v_j - g) - \frac{R - 1}R (z - g) .

   Here g is the value of z in float64, so a head that attends to one source alone, or to equal values, has next to no
   error of this kind, however large its scores. The left side is also at most :math:`\sum_j \max(\tilde p_j, p_j)
   |v_j - g|`, which remains when the scores are not known to better than a few units.
2. *Values.* :math:`\sum_j \tilde p_j (\tilde v_j - v_j)`.
3. *Rounding.* Three roundings of each term (two in the quotient, as its reciprocal may be taken, one in the product),
   and those of two sums. Let r be the size of all terms of a sum but one, t*. The error is at most γ = γ_{n−1} times
   the size of all. It is also at most (1 + 2γ)r: an addition on the way of t* errs by no more than its other operand,
   and these are at most (1 + γ)r together; all other additions are those of the r alone and err by at most γr.

Numbers below λ count as lost: 32 nλ(1 + max|v|) covers all of it, as the largest e_j is at least 1/2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from expressivity.attention.floats.arithmetic import UP, Floats, gamma, per_format
from expressivity.attention.floats.numbers import Numbers, finished

SLACK = 2.0**-40  # of logarithms computed in float64 from numbers whose own rounding is counted apart


class Shares(NamedTuple):
    """Bounds on attention, all ``[format, …, source]``, and on its sums ``[format, …, 1]``.

    Attributes:
        change: p_j |ρ_j − 1|.
        exact: p_j.
        computed: the computed share before its last roundings.
        least: log R, from below.
        most: |R − 1|.
        rest: what all sources but one receive.
        ones: whether every e_j is exactly 1.
    """

    change: Floats
    exact: Floats
    computed: Floats
    least: Floats
    most: Floats
    rest: Floats
    ones: NDArray[np.bool_]


def attend(scores: Numbers, counts: Floats, values: Numbers) -> Numbers:
    """What destinations receive.

    Args:
        scores: ``[…, destination, source]``.
        counts: the same shape: how many sources there are of each kind, 0 where a source is not seen.
        values: ``[…, source, d_head]``.

    Returns:
        ``[…, destination, d_head]``.
    """
    with np.errstate(all="ignore"):
        best = np.max(np.where(counts > 0, scores.value, -np.inf), axis=-1, keepdims=True)
        odds = np.where(counts > 0, counts * np.exp(np.minimum(scores.value - best, 0.0)), 0.0)
        mean = (odds / odds.sum(-1, keepdims=True)) @ values.value
        error = _error(_shares(scores, counts, best), counts, values, mean)
        # A score that overflows leaves ∞ − ∞, even where nothing was to be attended to.
        lost = (np.isinf(scores.error) & (counts > 0)).any(-1, keepdims=True)
        return Numbers(mean, np.where(lost, np.inf, error))


def _shares(scores: Numbers, counts: Floats, best: Floats) -> Shares:
    seen, value, known, error = counts > 0, scores.value, scores.error[0], scores.error
    units = per_format("unit", value.ndim)
    apart = np.where(seen, value - best, -np.inf)
    slack = SLACK + 2.0**-50 * (np.abs(value) + np.abs(best) + known)
    low, high = apart - known - slack, apart + known + slack
    lower = low - _log_sum(high, counts)  # log p_j from below and from above
    upper = np.minimum(_or(high - _log_sum(low, counts), 0.0), 0.0)
    loose = known + error
    gap = np.max(np.where(seen, value + loose, -np.inf), axis=-1, keepdims=True) - (value - loose)
    exp = np.where(gap > 0, per_format("exp", value.ndim), 0.0)  # the largest score gives exp(0) = 1
    change = UP * (error + units * gap + exp / (1 - exp))
    least = _or(_log_sum(lower - change, counts), -np.inf)
    near = np.where(change < 1, np.exp(upper) * np.expm1(np.minimum(change, 1.0)), np.exp(upper + change))
    changed = np.where(seen, _or(near, np.inf), 0.0)
    exact = np.where(seen, np.exp(upper), 0.0)
    computed = np.where(seen, np.exp(np.minimum(_or(upper + change - least, 0.0), 0.0)), 0.0)
    first = np.argmax(np.where(seen, value, -np.inf), axis=-1)[..., None]
    others = counts - (np.arange(value.shape[-1]) == first)
    rest = np.minimum((others * computed).sum(-1, keepdims=True), 1.0)
    most = (counts * changed).sum(-1, keepdims=True)
    ones = np.asarray(np.where(seen, change == 0, True).all(-1, keepdims=True))
    return Shares(changed, np.broadcast_to(exact, changed.shape), computed, least, most, UP * rest, ones)


def _error(shares: Shares, counts: Floats, values: Numbers, mean: Floats) -> Floats:
    units = per_format("unit", mean.ndim)
    number = counts.sum(-1, keepdims=True)
    seen = (counts > 0)[..., None]
    # [format, destination, source, d_head]: no values are larger, or farther from the mean, than these.
    apart = np.where(seen, np.abs(values.value[..., None, :, :] - mean[..., None, :]), 0.0)
    apart = apart * UP + np.where(seen, values.error[0][..., None, :, :], 0.0)
    largest = np.where(seen, values.size[..., None, :, :], 0.0).max(-2)
    terms = counts @ values.is_present

    def weighed(share: Floats) -> Floats:
        return np.asarray(((counts * share)[..., None, :] @ apart)[..., 0, :])

    off = weighed(shares.exact)  # |z − g|, until something better is known
    whole = weighed(np.maximum(shares.computed, shares.exact))
    carried = (counts * shares.computed) @ values.error
    total = (counts * shares.computed) @ values.size
    mass = _of_sum(number, units, 1.0, shares.rest)
    mass = np.where(shares.ones & (number * units <= 1), 0.0, mass)
    share = np.where(mass < 0.5, (gamma(3, units) + mass) / (1 - np.minimum(mass, 0.5)), np.inf)
    sums = _of_sum(terms, units, total, shares.rest * largest)
    rounding = share * total + sums * (1 + share) + 32 * number * per_format("least", mean.ndim) * (1 + largest)
    rounding = np.where(2 * largest < per_format("most", mean.ndim), rounding, np.inf)
    change = weighed(shares.change)
    for _ in range(2):  # the second time with |z − g| at most the error in float64
        attention = np.fmin((change + shares.most * off) / np.exp(shares.least), whole)
        error = finished(np.where(terms > 0, attention + carried + rounding, 0.0))
        off = np.minimum(off, error[0])
    return error


def _of_sum(terms: Floats, units: Floats, total: Floats | float, rest: Floats) -> Floats:
    """The error of adding so many terms, from the sum of their sizes and that of all but one."""
    factor = gamma(np.maximum(terms - 1, 0), units)
    return np.asarray(np.where(np.isinf(factor), np.inf, np.minimum(factor * total, (1 + 2 * factor) * rest)))


def _log_sum(logs: Floats, counts: Floats) -> Floats:
    """``log Σ n e^x`` over the last axis, up to ``SLACK``."""
    top = np.max(np.where(counts > 0, logs, -np.inf), axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    terms = np.where(counts > 0, counts * np.exp(logs - top), 0.0)
    return np.asarray(np.log(terms.sum(-1, keepdims=True)) + top)


def _or(number: Floats, instead: float) -> Floats:
    """A number, or what is known if it could not be computed."""
    return np.where(np.isnan(number), instead, number)
