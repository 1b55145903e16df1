r"""The arithmetic that bounds on rounding errors assume.

*Format.* A number is read, computed and stored in a binary format with *unit roundoff* u and least positive normal
number λ: float64 (2^−53, 2^−1022), float32 (2^−24, 2^−126), bfloat16 (2^−8, 2^−126).

*Operations.* Each of ``+ − × ÷`` returns the exact result rounded to a nearest number of its format. So
:math:`\mathrm{fl}(x \circ y) = (x \circ y)(1 + δ) + η` with |δ| ≤ u and |η| ≤ λ, where η is 0 for sums and for all that
is not subnormal; subnormal numbers may be flushed to 0 when they are written or read. A result beyond the largest
finite number is an overflow, of which nothing is claimed: its bound is infinite. (Higham, *Accuracy and Stability of
Numerical Algorithms*, 2nd ed., 2002, sections 2.2, 2.3 and 2.8.)

*Sums and inner products.* Terms are added in any order and grouping: blocked, by a tree, in lanes of a vector unit. A
product may be fused with the sum that it enters. Any intermediate number may be kept to more precision than its format
has, as accelerators do for float32 accumulators of bfloat16 products. With t roundings on the longest way from a term
to the result, the error is at most :math:`γ_t \sum |x_i y_i|`, where γ_t = tu/(1 − tu) and tu < 1 (Higham, lemma 3.1
and section 4.2); t = n suffices for n products. Multiplying by a number that is exactly 0 or ±1, and adding 0, is
exact; so are sums of integers of size at most 1/u, in every order. What makes the sum ``A + B`` of two numbers of the
format differ from its exact value is at most min(|A|, |B|), since A and B are themselves candidates for the nearest
number.

*Exponentials.* exp(0) is 1. At negative arguments exp is evaluated with a relative error of at most 4 units in the last
place, 8u; results below λ may become 0. Vendors state 1 for SLEEF, 2 for CUDA, 4 for the vector libraries of Intel and
NumPy. In bfloat16 it is evaluated in float32 or better and rounded once.

*Not covered.* Reduced-precision products (TF32, or float32 by parts in bfloat16), ``--fast-math``, Strassen's
multiplication, fused attention that rescales its softmax as it goes, weights that are quantised further.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
UP = 1 + 2.0**-30
"""Bounds are computed in float64 as sums of at most 2^20 non-negative products; this factor covers their rounding."""


@dataclass(frozen=True)
class Format:
    """A floating-point format.

    Attributes:
        name: torch's name of it.
        unit: the unit roundoff u.
        least: the least positive normal number λ.
        most: the largest finite number.
        exp: the largest relative error of an exponential.
    """

    name: str
    unit: float
    least: float
    most: float
    exp: float


FORMATS = (
    Format("float64", 2.0**-53, 2.0**-1022, float(np.finfo(np.float64).max), 2.0**-50),
    Format("float32", 2.0**-24, 2.0**-126, float(np.finfo(np.float32).max), 2.0**-21),
    Format("bfloat16", 2.0**-8, 2.0**-126, 2.0**127 * (2 - 2.0**-7), 2.0**-8 * (1 + 2.0**-10)),
)
"""The formats of every bound, in the order of the first axis of error arrays; bounds are computed in the first."""


def per_format(name: str, dimensions: int) -> Floats:
    """An attribute of all formats, shaped to stand before that many axes."""
    return np.array([getattr(found, name) for found in FORMATS]).reshape(-1, *[1] * dimensions)


def gamma(roundings: Any, unit: Any) -> Floats:
    """γ_t = tu/(1 − tu), upwards; infinite beyond tu = 1/2, where no bound is worth having.

    >>> float(gamma(2, 2.0**-8)) > 2 * 2.0**-8, float(gamma(200, 2.0**-8)), float(gamma(0, 2.0**-8))
    (True, inf, 0.0)
    """
    product = np.asarray(roundings * unit, dtype=np.float64)
    few = product <= 0.5
    return np.where(few, UP * product / (1 - np.where(few, product, 0.0)), np.inf)


def rounded(values: Floats) -> Floats:
    """Numbers rounded to each format, as weights are when a model is made: to float64, to float32, to bfloat16.

    >>> rounded(np.array([1 / 3]))[:, 0].tolist()
    [0.3333333333333333, 0.3333333432674408, 0.333984375]
    """
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    bits = single.view(np.uint32).astype(np.uint64)
    half = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)
    return np.stack([values, single.astype(np.float64), half.astype(np.float64)])
