"""Heads for many Boolean functions at once: only attention is searched, and what is found is kept in integers.

On the inputs X = ±1 of one fibre a head in the ``joint`` embedding is a quotient N(X)/D(X) of two affine functions, N
any and D = d₀ + Σ dᵢXᵢ with d₀ > Σ|dᵢ| any: split d₀ among the sources so that all odds are positive
(:func:`~expressivity.census.certificates.tables_of`). In ``additive`` the slopes of D have one sign besides, none of
them 0. So H heads decide f if and only if f has the signs of Σ N_h/D_h; the direct path is a multiple of D in some N.

The search is descent on the slopes and the numerators of all functions side by side, in torch, on a GPU where there is
one; denominators and numerators are then rounded to few bits, and count once their signs have been multiplied out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from expressivity.census.functions import Array, Words, points, signs

Embedding = Literal["joint", "additive"]
STEPS = 300
_LOOK = 25  # steps between two looks at what is solved
_BITS = ((3, 4), (4, 5), (5, 7), (6, 9), (8, 11), (10, 13))  # of denominators and numerators
_WORD = 1 << 62


@dataclass(frozen=True)
class Witnesses:
    """Heads found, integers all of them.

    Attributes:
        n, embedding: what they are for.
        found: for which functions, shape ``[functions]``.
        denominators, numerators: constant first, shape ``[functions, heads, n + 1]``; 0 where nothing was found.
    """

    n: int
    embedding: Embedding
    found: Array
    denominators: Array
    numerators: Array


def cleared(denominators: Array, numerators: Array, n: int) -> Array:
    """Σ_h N_h Π_{g≠h} D_g at all inputs: what has the signs of the function. Exact: Python integers where words may not
    do.

    Args:
        denominators, numerators: shape ``[functions, heads, n + 1]``.

    Returns:
        Shape ``[functions, 2^n]``.
    """
    heads = denominators.shape[1]
    most = np.abs(denominators).sum(axis=2).max(initial=1), np.abs(numerators).sum(axis=2).max(initial=1)
    large = heads * int(most[1]) * int(most[0]) ** max(heads - 1, 0) >= _WORD
    ones = np.hstack([np.ones((2**n, 1), dtype=np.int64), points(n)]).astype(object if large else np.int64)
    below, above = denominators.astype(ones.dtype) @ ones.T, numerators.astype(ones.dtype) @ ones.T
    total = np.zeros((len(denominators), 2**n), dtype=ones.dtype)
    for h in range(heads):
        product = above[:, h]
        for g in range(heads):
            if g != h:
                product = product * below[:, g]
        total = total + product
    return total


def proved(words: Words, denominators: Array, numerators: Array, n: int, embedding: Embedding) -> Array:
    """For which functions the integers are heads that decide them. Exact. Shape ``[functions]``."""
    slopes: Array = denominators[:, :, 1:]
    right = (denominators[:, :, 0] > np.abs(slopes).sum(axis=2)).all(axis=1)
    if embedding == "additive":
        right &= (np.abs(np.sign(slopes).sum(axis=2)) == n).all(axis=1)
    values = cleared(denominators, numerators, n) * signs(words, n)
    return np.asarray(right & (values > 0).all(axis=1), dtype=bool)


def search(
    words: Words,
    n: int,
    heads: int,
    embedding: Embedding = "joint",
    *,
    seed: int = 0,
    steps: int = STEPS,
    device: str | None = None,
) -> Witnesses:
    """Heads that decide the functions, where one descent from a random start finds them; none found proves nothing.

    The same seed gives the same answer on the same machine.

    >>> found = search(np.array([0b0110], dtype=np.uint64), 2, 2, seed=1)
    >>> found.found.tolist(), bool(proved(np.array([0b0110]), found.denominators, found.numerators, 2, "joint").all())
    ([True], True)
    """
    import torch

    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    given = np.asarray(words, dtype=np.uint64)
    ones = torch.tensor(np.hstack([np.ones((2**n, 1)), points(n)]), dtype=torch.float32, device=where)
    wanted = torch.tensor(signs(given, n), dtype=torch.float32, device=where)
    random = torch.Generator().manual_seed(seed)
    slopes = (torch.randn(len(given), heads, n, generator=random) * 0.7).to(where)
    above = (torch.randn(len(given), heads, n + 1, generator=random) * 0.5).to(where)
    facing = torch.where(torch.rand(len(given), heads, 1, generator=random) < 0.5, -1.0, 1.0).to(where)
    result = Witnesses(
        n,
        embedding,
        np.zeros(len(given), dtype=bool),
        np.zeros((len(given), heads, n + 1), dtype=np.int64),
        np.zeros((len(given), heads, n + 1), dtype=np.int64),
    )

    def tilted(free: torch.Tensor, sign: torch.Tensor) -> torch.Tensor:
        """Slopes whose sizes add up to less than 1."""
        size = free.abs() if embedding == "joint" else torch.nn.functional.softplus(free)
        side = free if embedding == "joint" else size * sign
        return side / (1.1 + size.sum(-1, keepdim=True))

    active = torch.arange(len(given), device=where)
    while len(active):
        slopes, above = slopes.detach().requires_grad_(), above.detach().requires_grad_()
        optimiser = torch.optim.Adam([slopes, above], lr=0.15, betas=(0.9, 0.99))
        own, sign = wanted[active], facing[active]
        for step in range(1, steps + 1):
            quotients = (above @ ones.T) / (1 + tilted(slopes, sign) @ ones[:, 1:].T)
            logits = quotients.sum(1) * own
            loss = torch.nn.functional.softplus(-logits).sum(1).add(1e-30).log().sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if step % _LOOK == 0 and step < steps:
                with torch.no_grad():
                    done = logits.min(1).values > 0.02 * above.abs().amax((1, 2))
                    if int(done.sum()) > len(active) // 8:
                        break
        steps -= step
        with torch.no_grad():
            met = torch.nonzero(logits.min(1).values > 0).flatten()
            which = active[met].cpu().numpy()
            low, high = tilted(slopes, sign)[met].double().cpu().numpy(), above[met].double().cpu().numpy()
        _keep(result, given, which, low, high)
        left = torch.tensor(~result.found[active.cpu().numpy()], device=where)
        if steps < _LOOK:
            break
        active, slopes, above = active[left], slopes[left], above[left]
    return result


def _keep(result: Witnesses, words: Words, which: Array, slopes: Array, above: Array) -> None:
    """Round heads to more and more bits until their signs are right, and keep those."""
    above = above / np.maximum(np.abs(above).max(axis=(1, 2), keepdims=True), 1e-30)
    for below_bits, above_bits in _BITS:
        if not len(which):
            return
        tilt = np.rint(slopes * 2**below_bits).astype(np.int64)
        if result.embedding == "additive":
            tilt = np.where(tilt == 0, np.where(slopes < 0, -1, 1), tilt)
        least = np.abs(tilt).sum(axis=2) + 1
        denominators = np.concatenate([np.maximum(least, 2**below_bits)[:, :, None], tilt], axis=2)
        numerators = np.rint(above * 2**above_bits).astype(np.int64)
        right = proved(words[which], denominators, numerators, result.n, result.embedding)
        result.found[which[right]] = True
        result.denominators[which[right]] = denominators[right]
        result.numerators[which[right]] = numerators[right]
        which, slopes, above = which[~right], slopes[~right], above[~right]
