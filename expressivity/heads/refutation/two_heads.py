"""Two heads refuted by theorem T10: a block that is nonsingular in every p of degree 2 with the signs of the task.

The rows and columns of the block, and the matrix that straightens it, are found without a hint: p is taken at many
points of its cone, and blocks that come near to being singular there, for some denominator, are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice, permutations, product
from math import comb
from typing import Any

import numpy as np

from expressivity.attention import Attention
from expressivity.certificate import rational_text, seal
from expressivity.heads.refutation.booleans import BooleanPart, boolean_parts, subcubes
from expressivity.heads.refutation.cone import Cone
from expressivity.separability.clock import Clock, OutOfTime, Progress, check_time_limit
from expressivity.separability.rows import Array
from expressivity.task import Task
from expressivity.verdict import INEXPRESSIBLE, BlockObstruction, Verdict

LEAST_BITS = 8
SAMPLES = 40
MOST_BLOCKS = 20_000
MOST_TRIED = 40  # blocks whose statements are looked for, the best conditioned ones
MOST_SETS, MOST_FIXED = 6, 8  # of eight positions whose subcubes are looked at, and ways to fix the other positions
ROUNDINGS = (1, 2, 3, 5, 12)  # the largest entry of the matrix
Vector = tuple[int, ...]
Proved = dict[tuple[Vector, Vector], list[dict[int, Fraction]]]
"""A left vector and a corner; for each form the multipliers by number of context."""


@dataclass(frozen=True)
class Block:
    """Coordinates of rows and columns, 0 being the constant, and the matrix V."""

    rows: Vector
    columns: Vector
    matrix: Array


def refute_two_heads(
    task: Task,
    embedding: Any = "joint",
    *,
    d_head: int | None = None,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Verdict | None:
    """The verdict that no two heads decide a task, verified, where theorem T10 is found to show it.

    What it takes are at least eight positions with two tokens each, in contexts of one length and destination.

    Args:
        task: comparisons; what asks for more than skip-4-grams can is better refuted by T1.
        embedding, d_head: named in the claim; the argument holds for all.
        time_limit: seconds.
        progress: called with a few words before each step.

    Returns:
        ``None`` where it is not found, which says nothing about the task.
    """
    check_time_limit(time_limit)
    clock = Clock(time_limit, progress)
    try:
        for part in boolean_parts(task, LEAST_BITS, clock.tick):
            clock.tick(f"two heads on {len(part.free)} bits")
            verdict = _refute(part, Attention(2, d_head, embedding), clock)
            if verdict is not None:
                return verdict
    except OutOfTime:
        pass
    return None


def _refute(part: BooleanPart, model: Attention, clock: Clock) -> Verdict | None:
    cone = Cone(part.points, part.signs)
    if cone.centre is None:
        return None  # no degree 2 at all
    samples = cone.samples(SAMPLES, np.random.default_rng(0), clock.tick)
    for number, block in enumerate(_blocks(cone, samples, len(part.free), clock)):
        clock.tick(f"two heads: statements about block {number}")
        statements = Statements(cone, block, samples, clock).cover()
        if statements is not None:
            return _certified(part, block, statements, model)
    if len(part.free) == LEAST_BITS:
        return None
    # With the other positions fixed, a denominator is bounded better: what fails on the cube may do on a part of it.
    found = _ranked(cone, samples, len(part.free), (4,), clock, alone=True)
    sets = list(dict.fromkeys(tuple(sorted((*rows, *columns))) for rows, columns in found))[:MOST_SETS]
    for chosen in sets:
        for smaller in subcubes(part, [part.free[i - 1] for i in chosen], MOST_FIXED):
            clock.tick("two heads: eight bits, the others fixed")
            verdict = _refute(smaller, model, clock)
            if verdict is not None:
                return verdict
    return None


# ---------------------------------------------------------------- choosing a block


def _blocks(cone: Cone, samples: Array, n: int, clock: Clock) -> Iterator[Block]:
    """Blocks that are well away from singular in all samples, best first, each with a few matrices."""
    mean = _symmetric(cone, samples, n).mean(axis=0)
    for rows, columns in _ranked(cone, samples, n, (4, 5), clock)[:MOST_TRIED]:
        for first, second in ((rows, columns), (columns, rows)):
            for matrix in _straightening(mean[np.ix_(first, second)]):
                yield Block(first, second, matrix)


def _symmetric(cone: Cone, samples: Array, n: int) -> Array:
    """The coefficients of each sample as a symmetric matrix."""
    symmetric = np.zeros((len(samples), n + 1, n + 1))
    for (i, j), column in cone.index.items():
        symmetric[:, i, j] = symmetric[:, j, i] = samples[:, column]
    return symmetric


def _ranked(
    cone: Cone, samples: Array, n: int, sizes: Sequence[int], clock: Clock, *, alone: bool = False
) -> list[tuple[Vector, Vector]]:
    """Rows and columns of blocks that keep away from singular, best first; ``alone``: without the denominator."""
    symmetric, found = _symmetric(cone, samples, n), []
    for size in sizes:
        for rows, columns in islice(_splits(n, size), MOST_BLOCKS):
            clock.tick()
            score = _distance(symmetric, rows, columns, alone=alone)
            if score > 0:
                found.append((score, rows, columns))
    return [(rows, columns) for _, rows, columns in sorted(found, key=lambda item: -item[0])]


def _splits(n: int, size: int) -> Iterator[tuple[Vector, Vector]]:
    """Rows and columns without common coordinates, each pair in one order; the constant where it is of use."""
    lowest = 1 if size == 4 else 0
    if 2 * size > n + 1 - lowest:
        return
    rng = np.random.default_rng(0)
    total = comb(n + 1 - lowest, 2 * size) * comb(2 * size, size) // 2
    if total <= MOST_BLOCKS:
        for both in combinations(range(lowest, n + 1), 2 * size):
            for rest in combinations(both[1:], size - 1):
                rows = (both[0], *rest)
                yield rows, tuple(i for i in both if i not in rows)
    while total > MOST_BLOCKS:
        both = tuple(int(i) for i in rng.permutation(np.arange(lowest, n + 1))[: 2 * size])
        yield tuple(sorted(both[:size])), tuple(sorted(both[size:]))


def _distance(symmetric: Array, rows: Vector, columns: Vector, *, alone: bool) -> float:
    """How far the block keeps from being singular, for many denominators if 4 × 4; 0 for both signs."""
    block = symmetric[:, rows][:, :, columns]
    if not _one_sign(np.linalg.det(block)):
        return 0.0
    if len(rows) == 4 and not alone:
        linear = symmetric[:, 0]
        shifted = [block]
        for sign in (0.95, -0.95):
            for k in range(4):
                for side, other in ((0, linear[:, columns]), (1, linear[:, rows])):
                    change = np.zeros_like(block)
                    change[(slice(None), k) if side == 0 else (slice(None), slice(None), k)] = sign * other
                    shifted.append(block - change)
        block = np.concatenate(shifted)
    size = np.linalg.norm(block, axis=(1, 2))
    determinants = np.linalg.det(block / np.maximum(size, 1e-300)[:, None, None])
    return float(np.abs(determinants).min()) if _one_sign(determinants) else 0.0


def _one_sign(values: Array) -> bool:
    return bool((values > 0).all() or (values < 0).all())


def _straightening(mean: Array) -> Iterator[Array]:
    """Matrices of small integers near a multiple of the inverse, simplest first."""
    inverse = np.linalg.inv(mean)
    known = set()
    for most in ROUNDINGS:
        matrix = np.rint(most * inverse / np.abs(inverse).max()).astype(np.int64)
        if abs(np.linalg.det(matrix)) > 0.5 and matrix.tobytes() not in known:
            known.add(matrix.tobytes())
            yield matrix


# ---------------------------------------------------------------- statements


class Statements:
    """Pairs of a left vector and a point of a chamber, proved or not, each once.

    The pairs (y, p) and (−y, −p) say the same.
    """

    def __init__(self, cone: Cone, block: Block, samples: Array, clock: Clock) -> None:
        self.cone, self.block, self.clock = cone, block, clock
        self.samples = samples / np.abs(samples).max(axis=1, keepdims=True)
        self._known: dict[tuple[Vector, Vector], list[dict[int, Fraction]] | None] = {}

    def cover(self) -> Proved | None:
        """For every chamber a left vector and its statements, if the points of the chamber offer one."""
        size = len(self.block.rows)
        preferred = [*range(size)]
        used = {}
        for order, signs in product(permutations(range(size)), product((1, -1), repeat=size - 1)):
            corner, points = [0] * size, []
            for k, sign in zip(order, (1, *signs), strict=True):
                corner[k] = sign
                points.append(tuple(corner))
            serving = next((k for k in preferred if all(self._proved(points[k], point) for point in points)), None)
            if serving is None:
                return None
            preferred.sort(key=lambda k: k != serving)
            for point in points:
                key = _upright(points[serving], point)
                used[key] = self._known[key] or []
        return used

    def _proved(self, left: Vector, point: Vector) -> bool:
        key = _upright(left, point)
        if key not in self._known:
            self.clock.tick()
            self._known[key] = self._prove(*key)
        return self._known[key] is not None

    def _prove(self, left: Vector, point: Vector) -> list[dict[int, Fraction]] | None:
        forms = self._forms(left, [int(v) for v in self.block.matrix @ point])
        if (self.samples @ np.array(forms).T).min() <= 0:
            return None
        found = []
        for form in forms:
            multipliers = self.cone.multipliers(form)
            if multipliers is None:
                return None
            found.append(multipliers)
        return found

    def _forms(self, y: Vector, g: Sequence[int]) -> list[list[int]]:
        """As in :mod:`expressivity.verify.blocks`, by the columns of the cone's rows."""
        rows, columns = self.block.rows, self.block.columns
        form = [0] * self.cone.rows.shape[1]
        for i, a in zip(rows, y, strict=True):
            for j, b in zip(columns, g, strict=True):
                form[self.cone.index[min(i, j), max(i, j)]] = a * b
        if len(rows) == 5:
            return [form]
        found = []
        for places, values, most in ((rows, y, max(map(abs, g))), (columns, g, max(map(abs, y)))):
            for sign in (1, -1):
                found.append([*form])
                for i, value in zip(places, values, strict=True):
                    found[-1][self.cone.index[0, i]] = -sign * most * value
        return found


def _upright(left: Vector, point: Vector) -> tuple[Vector, Vector]:
    """Of (y, p) and (−y, −p) that in which the first entry of p that is not 0 is positive."""
    if next(v for v in point if v) > 0:
        return left, point
    return tuple(-v for v in left), tuple(-v for v in point)


# ---------------------------------------------------------------- the certificate


def _certified(part: BooleanPart, block: Block, statements: Proved, model: Attention) -> Verdict:
    """The certificate states the contexts that are used and no others."""
    used = sorted({c for sides in statements.values() for side in sides for c in side})
    number = {c: k for k, c in enumerate(used)}
    y, z = part.pair
    pairs = {c: [y, z] if part.signs[c] > 0 else [z, y] for c in used}
    places = [None, *part.free]
    proof = {
        "pair": [y, z],
        "tokens": [[*tokens] for tokens in part.tokens],
        "rows": [places[i] for i in block.rows],
        "columns": [places[i] for i in block.columns],
        "matrix": [[str(int(v)) for v in row] for row in block.matrix],
        "statements": [
            {
                "left": [str(v) for v in left],
                "point": [str(v) for v in point],
                "multipliers": [
                    [
                        {"context": number[c], "pair": pairs[c], "multiplier": rational_text(value)}
                        for c, value in sorted(side.items())
                    ]
                    for side in sides
                ],
            }
            for (left, point), sides in sorted(statements.items())
        ],
    }
    certificate = BlockObstruction(
        seal("block_obstruction", model.to_json(), part.task.restrict(used).to_json(), proof)
    )
    certificate.verify()
    return Verdict(model, INEXPRESSIBLE, certificate, f"two heads leave a block of rank {len(block.rows) - 1} (T10)")
