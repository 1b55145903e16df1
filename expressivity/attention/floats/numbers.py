r"""Arrays of numbers with proved bounds on what rounding makes of them, in every format at once.

An array stands for real numbers x, exact; ``value`` is what NumPy made of them in float64. ``error[f]`` bounds
:math:`|\tilde x - x|` for *every* result x̃ that the arithmetic of :mod:`.floats.arithmetic` allows in format f, so
``error[0]``, of float64, bounds ``|value − x|`` too. Hence

.. math:: |x| \le |value| + error_0, \qquad |\tilde x| \le |value| + error_0 + error_f,

and with ã, w̃ for computed numbers and γ for the roundings of a product,

.. math::
    |\mathrm{fl}(\tilde a \tilde w) - a w|
    \le |\tilde a - a|\,|\tilde w| + |a|\,|\tilde w - w| + γ\,|\tilde a||\tilde w|

(a running error analysis, Higham, section 3.3). Where both errors are 0 the number is known: zeros are not counted as
terms, ones not as factors, and small integers are added without error. Weights of hand-set models are mostly such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from expressivity.attention.floats.arithmetic import FORMATS, UP, Floats, gamma, per_format


@dataclass(frozen=True)
class Numbers:
    """Numbers ``[…]`` and the bounds ``[format, …]`` on their errors."""

    value: Floats
    error: Floats

    @property
    def exact_size(self) -> Floats:
        """At least the size of the exact numbers."""
        return np.asarray(np.abs(self.value) + self.error[0])

    @property
    def size(self) -> Floats:
        """At least the size of the computed numbers of each format."""
        return np.asarray(self.exact_size + self.error)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Which numbers every run in a format computes exactly, and ``value`` shows."""
        return np.asarray((self.error == 0) & (self.error[0] == 0))

    @property
    def is_present(self) -> NDArray[np.bool_]:
        """Which numbers may be computed as anything but 0."""
        return np.asarray(~self.is_known | (self.value != 0))

    def __getitem__(self, key: Any) -> Numbers:
        """Numbers at an index, which does not begin with an ellipsis."""
        whole = key if isinstance(key, tuple) else (key,)
        return Numbers(self.value[whole], self.error[(slice(None), *whole)])

    def reshape(self, *shape: int) -> Numbers:
        """The same numbers in another shape."""
        return Numbers(self.value.reshape(shape), self.error.reshape(len(FORMATS), *shape))

    def transposed(self, *axes: int) -> Numbers:
        """The same numbers with their axes in that order."""
        return Numbers(self.value.transpose(axes), self.error.transpose(0, *(axis + 1 for axis in axes)))


def product(a: Numbers, w: Numbers) -> Numbers:
    """The matrix product ``a · w``, each entry an inner product; axes before the last two are paired as NumPy does."""
    a, w = _paired(a, w)
    carried = dot(a.error, w.size) + dot(a.exact_size[None], w.error)
    return Numbers(a.value @ w.value, finished(carried + product_rounding(a, w)))


def product_rounding(a: Numbers, w: Numbers) -> Floats:
    """What computing ``a · w`` from the computed numbers adds to its error; infinite where it may overflow."""
    a, w = _paired(a, w)
    here, there = a.is_present, w.is_present
    terms = dot(here, there)
    rounds = dot(here & ~_is_one(a), there & ~_is_one(w)) > 0
    total = dot(a.size, w.size)
    units = per_format("unit", total.ndim - 1)
    whole = dot(here & _is_whole(a), there & _is_whole(w)) == terms
    free = (whole & (2 * total <= 1 / units)) | ((terms <= 1) & ~rounds)
    error = gamma(np.maximum(terms - 1, 0) + rounds, units) * total + 8 * terms * per_format("least", total.ndim - 1)
    return _unless_overflow(np.where(free, 0.0, error), total)


def add(a: Numbers, b: Numbers) -> Numbers:
    """``a + b``, entry by entry."""
    return Numbers(a.value + b.value, finished(a.error + b.error + add_rounding(a, b)))


def add_rounding(a: Numbers, b: Numbers) -> Floats:
    """What computing ``a + b`` from the computed numbers adds to its error; infinite where it may overflow."""
    total = a.size + b.size
    units = per_format("unit", total.ndim - 1)
    computed = np.abs(a.value + b.value) + 2.0**-50 * total + a.error + a.error[0] + b.error + b.error[0]
    free = ~(a.is_present & b.is_present) | (_is_whole(a) & _is_whole(b) & (2 * total <= 1 / units))
    error = units * np.minimum(computed, total) + 2 * per_format("least", total.ndim - 1)
    return _unless_overflow(np.where(free, 0.0, error), total)


def divided(a: Numbers, by: float) -> Numbers:
    """``a / by``: the divisor may be rounded first, and its reciprocal taken; exact if it is 1."""
    if by == 1:
        return a
    total = a.size / abs(by)
    error = gamma(3, per_format("unit", a.value.ndim)) * total
    error += 8 * per_format("least", a.value.ndim) * (1 + 1 / abs(by))
    return Numbers(a.value / by, finished(a.error / abs(by) + _unless_overflow(error, total)))


def dot(a: NDArray[Any], w: NDArray[Any]) -> Floats:
    """A matrix product of arrays without negative entries; what is the same in all formats is computed once."""
    if a.any() and w.any():
        if all((each == each[:1]).all() for each in (a, w)):
            a, w = a[:1], w[:1]
        return np.asarray(a.astype(np.float64, copy=False) @ w.astype(np.float64, copy=False))
    shape = (*np.broadcast_shapes(a.shape[1:-2], w.shape[1:-2]), a.shape[-2], w.shape[-1])
    finite = np.logical_and(*(np.isfinite(each).reshape(len(each), -1).all(1) for each in (a, w)))
    return np.where(finite, 0.0, np.inf).reshape(-1, *[1] * len(shape)) + np.zeros(shape)


def finished(error: Floats) -> Floats:
    """A bound that also covers the rounding of its own computation; what could not be computed is infinite."""
    return np.where(np.isnan(error), np.inf, error * UP)


def _unless_overflow(error: Floats, total: Floats) -> Floats:
    return np.where(2 * total < per_format("most", total.ndim - 1), error, np.inf)


def _is_one(numbers: Numbers) -> NDArray[np.bool_]:
    return np.asarray(numbers.is_known & (np.abs(numbers.value) == 1))


def _is_whole(numbers: Numbers) -> NDArray[np.bool_]:
    return np.asarray(numbers.is_known & (np.rint(numbers.value) == numbers.value))


def _paired(a: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    """Both with equally many axes, so that the axis of formats is the first of both."""
    axes = max(a.value.ndim, w.value.ndim)
    first, second = (n.reshape(*[1] * (axes - n.value.ndim), *n.value.shape) for n in (a, w))
    return first, second
