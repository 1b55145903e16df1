"""Random regression data: 0/1 features, ten of them and a constant in each row, with labels whose truth is planted."""

from __future__ import annotations

import random

from solvers import Question

ACTIVE = 10
KINDS = {
    "separable": "labels of random weights",
    "random": "inseparable: labels of coins, four rows made an exclusive or",
    "noisy": "inseparable: labels of random weights, one in ten turned over, four rows made an exclusive or",
    "hidden": "inseparable: labels of random weights, but for four rows made an exclusive or",
}


def question(n_rows: int, n_columns: int, kind: str) -> Question:
    """So many rows ``y · (1, x)`` over 0/1 features x with ``ACTIVE`` ones.

    The truth is planted: weights that meet no row with 0; or ``x_1 + x_2 = x_3 + x_4`` where the first two have the
    label +1 and the others −1, so that those four rows add up to zero.
    """
    rng = random.Random(f"{n_rows} {n_columns} {kind}")
    weights = [round(rng.gauss(0, 1000)) for _ in range(n_columns)]
    rows: list[dict[int, int]] = []
    if kind != "separable":
        drawn = rng.sample(range(1, n_columns), 2 * ACTIVE)
        a, b, c, d = (drawn[k * ACTIVE // 2 : (k + 1) * ACTIVE // 2] for k in range(4))
        for sign, active in ((1, a + b), (1, c + d), (-1, a + d), (-1, c + b)):
            rows.append(dict.fromkeys(sorted([0, *active]), sign))
    while len(rows) < n_rows:
        active = sorted([0, *rng.sample(range(1, n_columns), ACTIVE)])
        value = sum(weights[column] for column in active)
        if value:
            sign = 1 if value > 0 else -1
            if kind == "random" or (kind == "noisy" and rng.random() < 0.1):
                sign = rng.choice([-1, 1]) if kind == "random" else -sign
            rows.append(dict.fromkeys(active, sign))
    rng.shuffle(rows)
    return Question(f"{n_rows:,} × {n_columns:,}, {kind}", rows, [False] * n_rows, n_columns, kind == "separable")
