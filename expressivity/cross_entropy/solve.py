"""One part of a task from the exact problem to its two proofs: masses for the lower bound, weights for the upper."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from time import monotonic

import numpy as np

from expressivity.cross_entropy.face import Face, direction, find_face
from expressivity.cross_entropy.fit import Fit, fit, separates
from expressivity.cross_entropy.moments import conform
from expressivity.cross_entropy.problem import NIL, Array, Masses, Pairs, Problem, logits_of, never_together, pairs
from expressivity.verify.enclosure import exp_bounds, log_bounds

_ON = 1e-10  # a fit's chance below which an output is guessed to be off the face
_REST = 40.0  # logits off the face end up at least this much below the largest: e^-40 < 1e-17
_BITS = 32  # binary places of a logit; an error of 2^-32 costs about 2^-64 in the loss
_FIXED = 224  # binary places in which the enclosures are added up


@dataclass(frozen=True)
class Below:
    """Masses with the moments of the problem; their entropy ``Σ w(x) H(r(·|x))`` from below, for ``Σ w`` as given."""

    masses: Masses
    bound: Fraction


@dataclass(frozen=True)
class Above:
    """Weights ``[features][outputs]``, integers over ``2**bits``; their loss from above, for ``Σ w`` as given."""

    weights: list[list[int]]
    bits: int
    bound: Fraction


def solve(part: Problem, width: Fraction, deadline: float) -> tuple[Below, Above]:
    """Bounds at most ``width`` apart, unless the deadline passes or float arithmetic cannot come that near.

    The face is first guessed from a fit. Where the exact steps that follow do not bear the guess out, the face is
    proved, one cancellation after another.
    """
    below = _below(part.mass)
    above = _above(part, [[0] * part.seen.shape[1] for _ in part.features], 0)
    if monotonic() > deadline:
        return below, above
    grams, support = never_together(part)
    often = part.seen.sum(axis=0) / (1.0 + len(part.mass))
    head = np.where(part.seen, part.chances + 1e-9 * often, -1.0).argmax(axis=1)
    rows = pairs(part, support, head, grams)
    seen = part.seen[rows.owner, rows.output]
    first = _fit(part, rows, deadline)
    guess = seen if separates(first, rows, seen) else first.chance > _ON
    for believed in (guess, None):
        face = find_face(part, support, grams, rows, believed, deadline)
        if face is None:
            open_face = Face(support, direction(part, support, grams, rows, [0] * len(rows.columns)), None)
            return below, min(above, _weights(part, open_face, rows, first), key=lambda proof: proof.bound)
        on = pairs(part, face.support, head, grams)
        fitted = first if len(on.owner) == len(rows.owner) else _fit(part, on, deadline)
        masses = conform(part, face.support, _table(part, on, fitted), face.inner)
        above = min(above, _weights(part, face, on, fitted), key=lambda proof: proof.bound)
        if masses is not None:
            below = max(below, _below(masses), key=lambda proof: proof.bound)
        if above.bound - below.bound <= width or seen.all():
            break
    return below, above


def _fit(part: Problem, rows: Pairs, deadline: float) -> Fit:
    return fit(rows, part.shares, part.chances[rows.owner, rows.output], deadline)


def _table(part: Problem, rows: Pairs, fitted: Fit) -> Array:
    """The fit's chances as ``[classes, outputs]``, 0 off the support."""
    table = np.zeros(part.seen.shape)
    table[rows.owner, rows.output] = fitted.chance
    table[np.arange(len(rows.head)), rows.head] = fitted.head_chance
    return table


def _weights(part: Problem, face: Face, rows: Pairs, fitted: Fit) -> Above:
    """The fit's logits, rounded, and the direction so many times that next to nothing is left off the face."""
    bits = _BITS + int(part.matrix.sum(axis=1).max()).bit_length()
    theta = np.zeros((len(part.features), part.seen.shape[1]))
    theta[rows.columns[:, 0], rows.columns[:, 1]] = fitted.theta
    times = 0
    if not face.support.all():
        logits = part.matrix @ theta
        above = logits - np.where(face.support, logits, -np.inf).max(axis=1)[:, None] + _REST
        steps = logits_of(part, face.direction)
        off = np.argwhere(~face.support).tolist()
        times = max(0, *(ceil(Fraction(above[x, y]) / (max(steps[x]) - steps[x][y])) for x, y in off))
    weights = [
        [round(Fraction(value) * (1 << bits)) + (times * step << bits) for value, step in zip(row, steps, strict=True)]
        for row, steps in zip(theta.tolist(), face.direction, strict=True)
    ]
    return _above(part, weights, bits)


def _above(part: Problem, weights: list[list[int]], bits: int) -> Above:
    """``Σ w (log Σ_y exp(η_y − max η) + Σ_y p_y (max η − η_y))``, rounded up from rational enclosures."""
    total = 0
    known: dict[tuple[int, ...], Fraction] = {}
    for mass, weight, logits in zip(part.mass, part.weights, logits_of(part, weights), strict=True):
        most = max(logits)
        below = tuple(most - value for value in logits)
        if below not in known:
            sum_of_exp = sum((exp_bounds(Fraction(-value, 1 << bits))[1] for value in below), NIL)
            known[below] = log_bounds(sum_of_exp)[1]
        linear = sum((given * value for given, value in zip(mass, below, strict=True) if given), NIL)
        total += _up(weight * known[below] + linear / (1 << bits))
    return Above(weights, bits, Fraction(total, 1 << _FIXED))


def _below(masses: Masses) -> Below:
    """``−Σ V log(V / w)``, rounded down from rational enclosures."""
    total = 0
    for row in masses:
        weight = sum(row, NIL)
        total -= sum(_up(value * log_bounds(value / weight)[1]) for value in row if value)
    return Below(masses, Fraction(total, 1 << _FIXED))


def _up(value: Fraction) -> int:
    return -((-value.numerator << _FIXED) // value.denominator)
