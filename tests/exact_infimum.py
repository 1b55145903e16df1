"""The best cross-entropy of a class to 30 digits, found independently: z3, then Newton's method in decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import z3

from expressivity import Task
from tests.exact_peer import Weights, chances_of, features, independent_columns, table_of

DIGITS = 50
ERROR = Decimal(10) ** -30


def exactly(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def shares_of(task: Task) -> list[Fraction]:
    """The context weights π, of sum 1."""
    total = sum(task.weights, Fraction(0))
    return [weight / total for weight in task.weights]


def own_entropy(task: Task) -> Decimal:
    """``Σ π(x) H(p(·|x))``: no model's cross-entropy is below it."""
    with localcontext(prec=DIGITS):
        found = zip(shares_of(task), chances_of(task), strict=True)
        return -sum((exactly(share * p) * exactly(p).ln() for share, own in found for p in own.values()), Decimal(0))


def constant_optimum(task: Task, order: int, positions: str) -> Decimal | None:
    """The infimum where models without sources are best, else ``None``; all but the last logarithms are exact.

    Within the contexts of one constant feature let q be the mean of p by weight. If ``Σ π (p − q) φ = 0`` for every
    feature φ, any model m has the cross-entropy Σ π H(q) + Σ π KL(q ‖ m), and a constant m comes as near to q as one
    likes. So the infimum is Σ π H(q).
    """
    shares, chances = shares_of(task), chances_of(task)
    groups: dict[object, list[int]] = {}
    moments: dict[object, Fraction] = {}
    derived = [features(context, order, positions) for context in task.contexts]
    for i, own in enumerate(derived):
        groups.setdefault(next(iter(own)), []).append(i)  # the feature of no sources comes first
    total = Decimal(0)
    for group in groups.values():
        weight = sum(shares[i] for i in group)
        for y in task.outputs:
            q = sum(shares[i] * chances[i].get(y, 0) for i in group) / weight
            for i in group:
                for feature, value in derived[i].items():
                    change = shares[i] * (chances[i].get(y, 0) - q) * value
                    moments[feature, y] = moments.get((feature, y), Fraction(0)) + change
            with localcontext(prec=DIGITS):
                total -= exactly(weight * q) * exactly(q).ln() if q else Decimal(0)
    return None if any(moments.values()) else total


def face_of(
    table: Sequence[Sequence[int]], outputs: Sequence[str], chances: Sequence[dict[str, Fraction]]
) -> list[list[str]]:
    """For each context the outputs that no direction of recession parts from those with a chance there.

    A *direction of recession* d has d·φ(x)(e_s − e_y) ≥ 0 for every s with p(s|x) > 0 and every y. Their sum is one
    more, so z3 is asked for directions that part something new until there is none.
    """
    weights = Weights(table, outputs)
    heads = [next(iter(own)) for own in chances]
    open_: dict[tuple[int, str], z3.BoolRef] = {}
    for i, own in enumerate(chances):
        for y in outputs:
            if y in own:
                weights.solver.add(weights.relation((i, y, heads[i], True)))
            else:
                open_[i, y] = weights.relation((i, heads[i], y, False))
                weights.solver.add(z3.Or(open_[i, y], weights.relation((i, heads[i], y, True))))
    while open_:
        weights.solver.push()
        weights.solver.add(z3.Or(list(open_.values())))
        if not weights.possible():
            break
        model = weights.solver.model()
        open_ = {key: r for key, r in open_.items() if not z3.is_true(model.evaluate(r, model_completion=True))}
        weights.solver.pop()
    return [[y for y in outputs if y in own or (i, y) in open_] for i, own in enumerate(chances)]


def infimum(task: Task, order: int, positions: str) -> Decimal:
    """The infimum of the cross-entropy over all ensembles, with an error below 10⁻³⁰ (Newton's, which squares).

    *Why the face.* Let F(x) be as in :func:`face_of`, d a direction that parts all that can be parted, and L_F the loss
    of softmaxes over F(x) alone. Leaving outputs without a chance out of a softmax makes its loss smaller, so L_F ≤ L;
    and L(w + t d) → L_F(w) as t → ∞, since d is constant on F(x) and smaller off it. So inf L = inf L_F. The latter is
    attained: L_F is convex, and a direction d' along which it never rises is one of recession of L once a multiple of d
    is added, so that by the choice of F it is constant on every F(x) and L_F is constant along it.
    """
    table, outputs, chances = table_of(task, order, positions), task.outputs, chances_of(task)
    face = face_of(table, outputs, chances)
    heads = [next(iter(own)) for own in chances]
    pairs = [(i, y) for i, own in enumerate(face) for y in own if y != heads[i]]
    if not pairs:
        return Decimal(0)  # every softmax is over one output
    rows = [[v * ((z == y) - (z == heads[i])) for z in outputs for v in table[i]] for i, y in pairs]
    chosen = independent_columns(rows)  # now the minimum is at one point alone
    return _Loss(
        rows=[[row[number] for number in chosen] for row in rows],
        owner=[i for i, _ in pairs],
        shares=shares_of(task),
        wanted=[chances[i].get(y, Fraction(0)) for i, y in pairs],
    ).least()


@dataclass(frozen=True)
class _Loss:
    """``Σ_x π(x) (log(1 + Σ exp η) − Σ p η)``, sums over the pairs of x, for logits ``η = rows · θ`` above the head's.

    Attributes:
        rows: integers ``[pairs, columns]``, of full column rank.
        owner: the context of each pair.
        shares: π.
        wanted: p of each pair.
    """

    rows: list[list[int]]
    owner: list[int]
    shares: list[Fraction]
    wanted: list[Fraction]

    def least(self) -> Decimal:
        """Newton's method in floats, then in decimals with the last of its Hessians."""
        theta, hessian, scale = self._in_floats()
        with localcontext(prec=DIGITS):
            place = [Decimal(value) for value in theta.tolist()]
            for _ in range(60):
                value, gradient = self._in_decimals(place)
                size = max(abs(slope) for slope in gradient) or Decimal(1)
                relative = np.array([float(slope / size) for slope in gradient])  # which no float is too coarse for
                step = np.linalg.solve(hessian, relative / scale) / scale
                place = [x - Decimal(s) * size for x, s in zip(place, step.tolist(), strict=True)]
                if float(np.abs(step).max()) * float(size) < ERROR:
                    return value
        raise RuntimeError("Newton's method does not converge")

    def _in_decimals(self, theta: Sequence[Decimal]) -> tuple[Decimal, list[Decimal]]:
        """The loss and its gradient."""
        logits = [sum((v * t for v, t in zip(row, theta, strict=True) if v), Decimal(0)) for row in self.rows]
        powers = [logit.exp() for logit in logits]
        totals = [Decimal(1) for _ in self.shares]
        for i, power in zip(self.owner, powers, strict=True):
            totals[i] += power
        value = sum((exactly(share) * total.ln() for share, total in zip(self.shares, totals, strict=True)), Decimal(0))
        gradient = [Decimal(0) for _ in theta]
        for row, i, logit, power, p in zip(self.rows, self.owner, logits, powers, self.wanted, strict=True):
            share = exactly(self.shares[i])
            value -= share * exactly(p) * logit
            residual = share * (power / totals[i] - exactly(p))
            for column, v in enumerate(row):
                if v:
                    gradient[column] += v * residual
        return value, gradient

    def _in_floats(self) -> tuple[Any, Any, Any]:
        """The place of the minimum, and the Hessian there of columns divided by a scale."""
        table = np.array(self.rows, dtype=float)
        scale = np.abs(table).max(axis=0)
        table /= scale
        owner, shares = np.array(self.owner), np.array([float(share) for share in self.shares])
        wanted, weight = np.array([float(p) for p in self.wanted]), shares[owner]

        def loss(theta: Any) -> tuple[float, Any]:
            logits = table @ theta
            top = np.zeros(len(shares))
            np.maximum.at(top, owner, logits)
            powers = np.exp(logits - top[owner])
            totals = np.exp(-top) + np.bincount(owner, powers, len(shares))
            return float(shares @ (top + np.log(totals)) - weight * wanted @ logits), powers / totals[owner]

        theta = np.zeros(table.shape[1])
        value, chance = loss(theta)
        for _ in range(200):
            gradient = table.T @ (weight * (chance - wanted))
            spread = np.diag(chance) - np.outer(chance, chance) * (owner[:, None] == owner)
            hessian = table.T @ (weight[:, None] * spread) @ table
            step = np.linalg.solve(hessian, gradient)
            slope, length = float(step @ gradient), 1.0
            if slope < 1e-20:
                break
            while (after := loss(theta - length * step))[0] > value - 1e-4 * length * slope + 1e-15:
                length /= 2
            theta, (value, chance) = theta - length * step, after
        return theta / scale, hessian, scale
