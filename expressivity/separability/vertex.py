"""From many cancelling rows to few: walking a float combination to a vertex.

Given ``λ > 0`` with ``Σ λ_i a_i = 0``, some vertex of ``{λ ≥ 0 : Σ λ_i a_i = 0, Σ λ_i = 1}`` has its support among
the rows used, and the rows of a vertex cancel in one way only. The walk (the primal push of a crossover, Megiddo
1991) keeps a basis of rows and drives the multipliers of all other rows to 0, one block after another; where a
basic multiplier would become negative, the two rows change places. Multipliers of equal rows may have any sign and
never block.

All of it is float, and yields only the numbers of the rows to be tried exactly.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_triangular

from .linear import row_pivots
from .rows import Array

_BLOCK = 64  # rows pushed to zero together, and changes of places kept before they are applied to all rows


def walk_to_vertex(matrix: sp.csr_array, multipliers: Array, free: Array) -> tuple[Array, Array]:
    """Rows of a vertex within the support of ``multipliers``, and their multipliers there.

    Args:
        matrix: the rows, shape ``[k, n]``.
        multipliers: positive where ``free`` is false, shape ``[k]``.
        free: which rows are equal ones, shape ``[k]``.

    Returns:
        ``(rows, multipliers)``: a basis with the multiplier of each of its rows, zeros (a degenerate vertex) included.
    """
    table = np.hstack([matrix.toarray(), (~free).astype(np.float64)[:, None]])
    # Large multipliers make good basic ones; free rows should be basic whenever they can.
    weight = np.where(free, 10.0 * np.abs(multipliers).max(initial=1.0), np.abs(multipliers))
    weighted = table * weight[:, None]
    wide = table.shape[0] < table.shape[1]
    factors, order = row_pivots(np.asfortranarray(weighted.T if wide else weighted))
    size = np.abs(np.diagonal(factors))
    good = np.flatnonzero(size > 1e-9 * size.max(initial=0.0))
    if wide or len(good) < len(size):  # eliminate again on independent columns alone
        columns = order[good] if wide else good
        factors, order = row_pivots(np.asfortranarray(weighted[:, columns]))
    rank = len(good)
    basis, rest = order[:rank].copy(), order[rank:]
    value = multipliers[basis].copy()
    if len(rest):
        # With W the diagonal of weights, W_N A_N = L_N U and W_B A_B = L_B U, so A_N A_B⁻¹ = W_N⁻¹ (L_N L_B⁻¹) W_B.
        top, bottom = factors[:rank, :rank], factors[rank:, :rank]
        lower = solve_triangular(top.T, bottom.T, unit_diagonal=True, check_finite=False)
        exchange = lower.T / weight[rest][:, None] * weight[basis][None, :]
        _push(exchange, basis, value, rest, multipliers[rest].copy(), free)
    return basis, value


def _push(exchange: Array, basis: Array, value: Array, rest: Array, other: Array, free: Array) -> None:
    """Drive ``other`` to zero, with ``value`` and ``basis`` updated in place.

    Row i of ``exchange`` writes row ``rest[i]`` in the initial basis: giving up its multiplier adds ``other[i] ·
    exchange[i]`` to the basic ones. The k-th change of places, at position ``b_k`` and in direction ``d``, turns a
    row ``r`` into ``r + r[b_k] · line_k`` with ``line_k = (e_{b_k} − d) / d[b_k]``. Changes are applied together,
    through a triangular system for the factors, and now and then to all rows that still wait.
    """
    blocking = ~free[basis]
    changes = _Changes(len(basis))
    queue = np.argsort(np.abs(other), kind="stable")
    start, block = 0, _BLOCK
    while start < len(queue):
        part = queue[start : start + block]
        after = value + changes.apply(other[part] @ exchange[part])
        if not np.any((after < 0) & blocking):
            value[:] = after
            start += len(part)
            block = min(2 * block, _BLOCK)
            continue
        if len(part) > 1:
            block = len(part) // 2
            continue
        i = int(part[0])
        start += 1
        direction = changes.apply(exchange[i])
        slope = direction * np.sign(other[i])
        candidates = np.flatnonzero((slope < 0) & blocking)
        ratios = -value[candidates] / slope[candidates]
        least = float(ratios.min(initial=np.inf))
        if least >= abs(other[i]):
            value += other[i] * direction
            continue
        near = candidates[ratios <= least + 1e-12 * (1.0 + abs(least))]
        leave = int(near[np.argmin(slope[near])])
        least = max(0.0, least)
        value += least * slope
        value[leave] = other[i] - np.sign(other[i]) * least
        basis[leave], blocking[leave] = rest[i], not free[rest[i]]
        changes.add(leave, direction)
        if changes.count == _BLOCK:
            queue, start = queue[start:], 0
            exchange[queue] = changes.apply(exchange[queue])
            changes.count = 0


class _Changes:
    """The latest changes of places, in product form."""

    def __init__(self, rank: int) -> None:
        self.count = 0
        self.places = np.zeros(_BLOCK, dtype=np.int64)
        self.lines = np.zeros((_BLOCK, rank))
        self.inverse = np.zeros((_BLOCK, _BLOCK))  # of the unit lower triangle whose entry (k, l) is −line_l[b_k]

    def apply(self, rows: Array) -> Array:
        """One row, or several, written in the present basis."""
        k = self.count
        if not k:
            return np.array(rows)
        return np.asarray(rows + (rows[..., self.places[:k]] @ self.inverse[:k, :k].T) @ self.lines[:k])

    def add(self, place: int, direction: Array) -> None:
        """Let the row with the given direction take the given place."""
        k = self.count
        self.places[k] = place
        self.lines[k] = -direction / direction[place]
        self.lines[k, place] += 1.0 / direction[place]
        self.inverse[k, :k] = self.lines[:k, place] @ self.inverse[:k, :k]
        self.inverse[k, k] = 1.0
        self.count += 1
