"""Proofs made short: irreducible, of least support, or with the fewest features.

A cancellation is *irreducible* when its rows cancel in one way only; that is always delivered. A *smallest*
cancellation (fewest rows) and a *sparsest* separator (fewest groups of columns) are NP-hard to find: a
mixed-integer program looks for them within a time limit, the result is solved for again exactly on the rows or
columns it names, and the solver's lower bound is handed on as what it is, a claim in floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
import scipy.sparse as sp

from expressivity.errors import InputError

from . import highs
from .outcome import Cancellation, Flags, Mask, Separator, equal_mask
from .rows import Array, IntegerRows
from .separate import separate

_BIG = 1e4  # how large the multiplier of an equal row may be in the mixed-integer program, where the others add up to 1


@dataclass(frozen=True)
class Smallest:
    """A checked cancellation and what is known about smaller ones.

    Attributes:
        cancellation: checked, irreducible.
        bound: fewer rows than this do not cancel, as far as the float solver claims (at least 1).
        claimed: the solver claims that no cancellation has fewer rows. Not a proof.
    """

    cancellation: Cancellation
    bound: int
    claimed: bool


@dataclass(frozen=True)
class Sparsest:
    """A checked separator and what is known about sparser ones.

    Attributes:
        separator: checked.
        groups: the groups of columns in use, those free of charge left out.
        bound: fewer groups than this do not suffice, as far as the float solver claims.
        claimed: the solver claims that no separator needs fewer groups. Not a proof.
    """

    separator: Separator
    groups: tuple[int, ...]
    bound: int
    claimed: bool

    @property
    def weights(self) -> tuple[int, ...]:
        """The separator's weights."""
        return self.separator.weights


def irreducible(rows: IntegerRows, equal: Flags | None, cancellation: Cancellation) -> Cancellation:
    """A cancellation of some of the same rows that cancel in one way only. Exact; the given one must be valid.

    Raises:
        Refuted: ``cancellation`` does not cancel the rows.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 0], [-1, 0], [0, 2], [0, -1]])
        >>> irreducible(rows, None, Cancellation({0: 1, 1: 1, 2: 1, 3: 2})).multipliers
        {0: 1, 1: 1}
    """
    mask = equal_mask(rows, equal)
    cancellation.check(rows, equal, irreducible=False)
    if cancellation.is_irreducible(rows):
        return cancellation
    return _within(rows, mask, np.array(sorted(cancellation.multipliers))) or cancellation


def smallest(
    rows: IntegerRows,
    equal: Flags | None,
    cancellation: Cancellation,
    *,
    time_limit: float = 10.0,
) -> Smallest:
    """Look for a cancellation with fewer rows than the given one.

    Args:
        rows, equal: the question.
        cancellation: a valid answer to it, kept if nothing smaller is found.
        time_limit: seconds for the search.
    """
    mask = equal_mask(rows, equal)
    best = irreducible(rows, equal, cancellation)
    if len(best.multipliers) <= 2:
        # A single row cancels only if it is empty, and then it would have been found first.
        single = bool(np.any((np.diff(rows.indptr) == 0) & ~mask))
        return Smallest(best, 1 if single else 2, not single or len(best.multipliers) == 1)
    program = _support_program(rows, mask)
    hint = highs.run(program, time_limit, _support_start(program, mask, best))
    bound = max(1, _round_up(hint.bound))
    if hint.point is not None:
        used = np.flatnonzero(np.rint(hint.point[rows.n_rows :]) > 0)
        if len(used) < len(best.multipliers):
            found = _within(rows, mask, used)
            if found is not None and len(found.multipliers) < len(best.multipliers):
                best = found
    return Smallest(best, min(bound, len(best.multipliers)), bound >= len(best.multipliers))


def sparsest(
    rows: IntegerRows,
    equal: Flags | None = None,
    separator: Separator | None = None,
    *,
    groups: Sequence[int] | Array | None = None,
    time_limit: float = 1.0,
) -> Sparsest | None:
    """Look for a separator that uses few groups of columns. None when the rows have no separator.

    Args:
        rows, equal: the question.
        separator: a valid answer to it, kept if nothing sparser is found; default: what ``separate`` finds.
        groups: for each column the number of its group, −1 for columns free of charge; default: each column by itself.
        time_limit: seconds for the search; exact work on what it finds comes on top.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 1, 1], [1, -1, 2], [1, 0, -1]])
        >>> found = sparsest(rows)
        >>> found.groups, found.weights
        ((0,), (1, 0, 0))
    """
    mask = equal_mask(rows, equal)
    if separator is None:
        answer = separate(rows, mask)
        if not isinstance(answer, Separator):
            return None
        separator = answer
    separator.check(rows, mask)
    owners = _owners(rows, groups)
    best, used = separator, _used_groups(separator, owners)
    deadline = monotonic() + time_limit
    bound = 0
    for propose in (_least_sum, _fewest_groups):
        left = deadline - monotonic()
        if left <= 0 or len(used) <= bound:
            break
        chosen, claimed_bound = propose(rows, mask, owners, best, left)
        bound = max(bound, min(claimed_bound, len(used)))
        best, used = _better(rows, mask, owners, chosen, best, used)
        best, used = _thinned(rows, mask, owners, best, used, deadline)
    bound = max(bound, 1 if used and not _free_suffices(rows, mask, owners) else 0)
    return Sparsest(best, used, min(bound, len(used)), bound >= len(used))


# ---------------------------------------------------------------------- fewest rows


def _support_program(rows: IntegerRows, equal: Mask) -> highs.Program:
    """Minimise the number of rows used: ``Σ λ_i a_i = 0, Σ_{i strict} λ_i = 1, |λ_i| ≤ M_i z_i`` with z binary."""
    m = rows.n_rows
    floats = rows.floats()
    size = np.where(equal, _BIG, 1.0)
    unit = sp.eye_array(m)
    large = sp.diags_array(size)
    matrix = sp.csr_array(
        sp.vstack(
            [
                sp.hstack([floats.T, sp.csr_array((rows.n_columns, m))]),
                sp.hstack([sp.csr_array((~equal).astype(np.float64)[None, :]), sp.csr_array((1, m))]),
                sp.hstack([unit, -large]),
                sp.hstack([unit, large]),
            ]
        )
    )
    infinite = np.full(m, np.inf)
    lower = np.concatenate((np.zeros(rows.n_columns), [1.0], -infinite, np.zeros(m)))
    upper = np.concatenate((np.zeros(rows.n_columns), [1.0], np.zeros(m), infinite))
    return highs.Program(
        matrix,
        lower,
        upper,
        np.concatenate((np.zeros(m), np.ones(m))),
        np.concatenate((np.where(equal, -_BIG, 0.0), np.zeros(m))),
        np.concatenate((size, np.ones(m))),
        np.concatenate((np.zeros(m, dtype=bool), np.ones(m, dtype=bool))),
    )


def _support_start(program: highs.Program, equal: Mask, known: Cancellation) -> Array:
    m = len(equal)
    point = np.zeros(2 * m)
    total = sum(value for i, value in known.multipliers.items() if not equal[i])
    for i, value in known.multipliers.items():
        point[i], point[m + i] = value / total, 1.0
    return point


def _within(rows: IntegerRows, equal: Mask, numbers: Array) -> Cancellation | None:
    """An irreducible cancellation of the given rows alone, if they cancel."""
    if not len(numbers):
        return None
    found = separate(rows.take(numbers), equal[numbers])
    if not isinstance(found, Cancellation):
        return None
    return Cancellation({int(numbers[i]): value for i, value in found.multipliers.items()}, found.stage)


# ---------------------------------------------------------------------- fewest groups of columns


def _owners(rows: IntegerRows, groups: Sequence[int] | Array | None) -> Array:
    owners = np.arange(rows.n_columns) if groups is None else np.asarray(groups, dtype=np.int64)
    if owners.shape != (rows.n_columns,):
        raise InputError(f"groups: shape {owners.shape}, expected one number for each of {rows.n_columns} columns")
    return owners


def _used_groups(separator: Separator, owners: Array) -> tuple[int, ...]:
    used = {int(group) for group, weight in zip(owners, separator.weights, strict=True) if weight}
    return tuple(sorted(used - {-1}))


def _least_sum(
    rows: IntegerRows, equal: Mask, owners: Array, known: Separator, time_limit: float
) -> tuple[Array, int]:
    """Groups of a separator with the least ``Σ |w_j|``: a basic solution has few nonzeros. No bound."""
    n = rows.n_columns
    floats = rows.floats()
    cost = np.where(owners < 0, 0.0, 1.0)
    free = np.full(2 * n, np.inf)
    program = highs.Program(
        sp.csr_array(sp.hstack([floats, -floats])),
        np.where(equal, 0.0, 1.0),
        np.where(equal, 0.0, np.inf),
        np.concatenate((cost, cost)),
        np.zeros(2 * n),
        free,
    )
    hint = highs.run(program, time_limit)
    if hint.point is None:
        return np.unique(owners), 0
    weights = hint.point[:n] - hint.point[n:]
    return np.unique(owners[np.abs(weights) > 1e-9 * np.abs(weights).max(initial=0.0)]), 0


def _fewest_groups(
    rows: IntegerRows, equal: Mask, owners: Array, known: Separator, time_limit: float
) -> tuple[Array, int]:
    """Minimise the number of groups: ``a · w ≥ 1`` or ``= 0``, ``|w_j| ≤ M z_{group of j}`` with z binary.

    M is taken from the known separator, so the bound holds for weights up to a few times its size only, one more reason
    to call it a claim.
    """
    n = rows.n_columns
    floats = rows.floats()
    weights = np.array([float(weight) for weight in known.weights])
    margins = (floats @ weights)[~equal]
    weights = weights / margins.min()
    size = 10.0 * max(1.0, float(np.abs(weights).max(initial=0.0)))
    names = np.unique(owners[owners >= 0])
    charged = np.flatnonzero(owners >= 0)
    place = np.searchsorted(names, owners[charged])
    picks = sp.csr_array((np.ones(len(charged)), (np.arange(len(charged)), charged)), shape=(len(charged), n))
    sizes = np.full(len(charged), size)
    gates = sp.csr_array((sizes, (np.arange(len(charged)), place)), shape=(len(charged), len(names)))
    matrix = sp.csr_array(
        sp.vstack(
            [
                sp.hstack([floats, sp.csr_array((rows.n_rows, len(names)))]),
                sp.hstack([picks, -gates]),
                sp.hstack([picks, gates]),
            ]
        )
    )
    infinite = np.full(len(charged), np.inf)
    zero = np.zeros(len(charged))
    program = highs.Program(
        matrix,
        np.concatenate((np.where(equal, 0.0, 1.0), -infinite, zero)),
        np.concatenate((np.where(equal, 0.0, np.inf), zero, infinite)),
        np.concatenate((np.zeros(n), np.ones(len(names)))),
        np.concatenate((np.full(n, -size), np.zeros(len(names)))),
        np.concatenate((np.full(n, size), np.ones(len(names)))),
        np.concatenate((np.zeros(n, dtype=bool), np.ones(len(names), dtype=bool))),
    )
    start = np.concatenate((weights, np.isin(names, _used_groups(known, owners)).astype(np.float64)))
    hint = highs.run(program, time_limit, start)
    bound = max(0, _round_up(hint.bound))
    if hint.point is None:
        return np.unique(owners), bound
    return names[np.rint(hint.point[n:]) > 0], bound


def _better(
    rows: IntegerRows, equal: Mask, owners: Array, chosen: Array, best: Separator, used: tuple[int, ...]
) -> tuple[Separator, tuple[int, ...]]:
    """The exact separator on the chosen groups, if there is one and it needs fewer groups."""
    if len(chosen[chosen >= 0]) >= len(used):
        return best, used
    found = _on_groups(rows, equal, owners, chosen)
    if found is None:
        return best, used
    return found, _used_groups(found, owners)


def _thinned(
    rows: IntegerRows, equal: Mask, owners: Array, best: Separator, used: tuple[int, ...], deadline: float
) -> tuple[Separator, tuple[int, ...]]:
    """Leave out one group after another, as long as the others suffice and time is left."""
    for group in used:
        if monotonic() > deadline:
            break
        if group in used:
            smaller = np.array([other for other in used if other != group], dtype=np.int64)
            best, used = _better(rows, equal, owners, smaller, best, used)
    return best, used


def _on_groups(rows: IntegerRows, equal: Mask, owners: Array, chosen: Array) -> Separator | None:
    columns = np.flatnonzero(np.isin(owners, chosen) | (owners < 0))
    found = separate(rows.keep_columns(columns), equal)
    if not isinstance(found, Separator):
        return None
    weights = [0] * rows.n_columns
    for column, weight in zip(columns.tolist(), found.weights, strict=True):
        weights[column] = weight
    return Separator(tuple(weights), found.stage)


def _free_suffices(rows: IntegerRows, equal: Mask, owners: Array) -> bool:
    return _on_groups(rows, equal, owners, np.zeros(0, dtype=np.int64)) is not None


def _round_up(bound: float) -> int:
    return int(np.ceil(bound - 1e-6)) if np.isfinite(bound) else 0
