"""An independent answer for small data: the definitions, put to z3 one by one. Shares no code with the library."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import z3

Number = int | Fraction


def difference_rows(X: Sequence[Sequence[Number]], y: Sequence[int], n_classes: int) -> list[list[Number]]:
    """φ ⊗ (e_y − e_z) for every row and every other class z, the block of class 0 left out."""
    rows = []
    for phi, seen in zip(X, y, strict=True):
        for other in range(n_classes):
            if other != seen:
                row: list[Number] = []
                for k in range(1, n_classes):
                    sign = (k == seen) - (k == other)
                    row += [sign * entry for entry in phi]
                rows.append(row)
    return rows


class Cone:
    """{u : row · u ≥ 0 for every row}, and whether something holds somewhere in it."""

    def __init__(self, rows: Sequence[Sequence[Number]]) -> None:
        self.width = len(rows[0])
        self.u = [z3.Real(f"u{j}") for j in range(self.width)]
        self.solver = z3.SimpleSolver()
        self.rows = [self.form(row) for row in rows]
        for row in self.rows:
            self.solver.add(row >= 0)

    def form(self, row: Sequence[Number]) -> z3.ArithRef:
        return z3.Sum([z3.RealVal(str(entry)) * u for entry, u in zip(row, self.u, strict=True)])

    def has(self, condition: z3.BoolRef) -> bool:
        self.solver.push()
        self.solver.add(condition)
        answer = self.solver.check()
        self.solver.pop()
        assert answer in (z3.sat, z3.unsat)
        return bool(answer == z3.sat)

    def separated(self) -> list[bool]:
        """For each row whether it is positive somewhere on the cone."""
        return [self.has(row > 0) for row in self.rows]

    def kind(self) -> str:
        found = self.separated()
        return "complete" if all(found) else "quasi-complete" if any(found) else "overlap"

    def fate(self, j: int) -> str:
        """What coordinate j can do on the cone."""
        up, down = self.has(self.u[j] > 0), self.has(self.u[j] < 0)
        return {(False, False): "finite", (True, False): "+inf", (False, True): "-inf", (True, True): "undetermined"}[
            up, down
        ]
