"""How strongly a head reads what an earlier one writes: Q-, K- and V-composition (Elhage et al. 2021).

For the matrices of what a head writes, ``W_V W_O``, and of what a later one reads, the score is ‖AB‖/(‖A‖·‖B‖) with
Frobenius norms. Random matrices score above 0: what is reported is the score less the mean of matrices of the same
shapes whose factors have independent Gaussian entries. (The figure published with the definition carries an erratum:
compare numbers with care.)

Every matrix here is a product of thin ones, and is never multiplied out: with the triangles of QR decompositions
‖A M B‖ = ‖R_A M R_Bᵀ‖, which is d_head × d_head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from expressivity.circuits.model import Circuits, HeadName

DRAWS = 20
"""Random pairs of heads behind the baseline."""


@dataclass(frozen=True)
class Baseline:
    """The score of random heads.

    Attributes:
        mean, deviation: over the draws.
        draws: how many.
        seed: of them all.
    """

    mean: float
    deviation: float
    draws: int
    seed: int


@dataclass(frozen=True)
class Composition:
    """What a head reads of an earlier one; each score less the baseline.

    Attributes:
        first, second: the heads.
        q, k, v: through queries, keys and values; ``None`` where a matrix is 0.
    """

    first: HeadName
    second: HeadName
    q: float | None
    k: float | None
    v: float | None


def compositions(circuits: Circuits, *, seed: int = 0, draws: int = DRAWS) -> tuple[list[Composition], Baseline | None]:
    """Of every head with every head of the layer after it, and the baseline that is taken off.

    >>> from expressivity.heads.gallery import load_construction
    >>> found, baseline = compositions(Circuits.of(load_construction("induction:5")))
    >>> found[0].k + baseline.mean > 0.2, found[0].q is not None and round(found[0].q + baseline.mean, 9)
    (True, 0.0)
    """
    pairs = [(a, b) for a in circuits.heads for b in circuits.heads if b.layer == a.layer + 1]
    if not pairs:
        return [], None
    baseline = gaussian_baseline(circuits.model.d_model, circuits.model.d_head, seed=seed, draws=draws)
    found = []
    for a, b in pairs:
        scores = raw_scores(circuits.weights(a), circuits.weights(b))
        found.append(Composition(a, b, *(None if score is None else score - baseline.mean for score in scores)))
    return found, baseline


def raw_scores(
    first: tuple[Tensor, Tensor, Tensor, Tensor], second: tuple[Tensor, Tensor, Tensor, Tensor]
) -> tuple[float | None, float | None, float | None]:
    """Q-, K- and V-composition of two heads, nothing taken off; weights as :meth:`Circuits.weights` has them."""
    *_, value, output = first
    query, key, reads, writes = second
    return (
        _score(value, output, query, key.T),
        _score(value, output, key, query.T),
        _score(value, output, reads, writes),
    )


@lru_cache(maxsize=64)
def gaussian_baseline(d_model: int, d_head: int, *, seed: int = 0, draws: int = DRAWS) -> Baseline:
    """The score of heads whose four factors are Gaussian; it depends on the shapes alone, for Q, K and V alike."""
    random = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(draws):
        a, b, c, d = (torch.randn(d_model, d_head, generator=random, dtype=torch.float64) for _ in range(4))
        found.append(_score(a, b.T, c, d.T) or 0.0)
    scores = torch.tensor(found, dtype=torch.float64)
    return Baseline(float(scores.mean()), float(scores.std()) if draws > 1 else 0.0, draws, seed)


def _score(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> float | None:
    """‖abcd‖/(‖ab‖·‖cd‖) for thin a and c, wide b and d."""
    upper_a, upper_b, upper_c, upper_d = (_triangle(x) for x in (a, b.T, c, d.T))
    first, second = (upper_a @ upper_b.T).norm(), (upper_c @ upper_d.T).norm()
    if not float(first) or not float(second):
        return None
    return float((upper_a @ (b @ c) @ upper_d.T).norm() / (first * second))


def _triangle(x: Tensor) -> Tensor:
    """R of QR: ‖x M‖ = ‖R M‖ for every M."""
    upper: Tensor = torch.linalg.qr(x, mode="r").R
    return upper
