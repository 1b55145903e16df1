"""HiGHS, asked for hints: linear and mixed-integer programs in floats, with a time limit.

Nothing that comes back is believed. A status "infeasible" or a margin of 0 from a float solver can be wrong on badly
scaled rows; what is used are the numbers of rows and columns that seem to matter, to be tried exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp

from .outcome import Mask
from .rows import Array


@dataclass
class Program:
    """``minimise cost · x`` subject to ``row_lower ≤ matrix · x ≤ row_upper`` and ``lower ≤ x ≤ upper``.

    ``integer`` marks the variables that must be whole, if there are any.
    """

    matrix: sp.csr_array
    row_lower: Array
    row_upper: Array
    cost: Array
    lower: Array
    upper: Array
    integer: Array | None = None


@dataclass
class Hint:
    """The best point found, if any, and a lower bound on the least value of a mixed-integer program, in floats."""

    point: Array | None
    bound: float


def load(program: Program) -> Any:
    """A silent solver that holds the program."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = program.matrix.shape
    model.col_cost_ = program.cost
    model.col_lower_, model.col_upper_ = program.lower, program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.matrix.indptr
    model.a_matrix_.index_ = program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    if program.integer is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(flag)] for flag in program.integer]
    solver.passModel(model)
    return solver


def run(program: Program, time_limit: float, start: Array | None = None) -> Hint:
    """Solve in floats for at most ``time_limit`` seconds; ``start`` is a feasible point to improve on."""
    solver = load(program)
    solver.setOptionValue("time_limit", max(0.01, min(time_limit, 1e20)))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    solver.run()
    info = solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    point = np.array(solver.getSolution().col_value) if found else None
    return Hint(point, float(info.mip_dual_bound) if program.integer is not None else -np.inf)


def margin_program(matrix: sp.csr_array, equal: Mask) -> Program:
    """Maximise t with ``a · w ≥ t`` on strict rows, ``a · w = 0`` on equal ones and ``|w_j| ≤ 1``."""
    m, n = matrix.shape
    margin = sp.csr_array(np.where(equal, 0.0, -1.0)[:, None])
    box = np.ones(n)
    return Program(
        sp.csr_array(sp.hstack([matrix, margin])),
        np.zeros(m),
        np.where(equal, 0.0, np.inf),
        np.concatenate((np.zeros(n), [-1.0])),
        np.concatenate((-box, [-np.inf])),
        np.concatenate((box, [np.inf])),
    )


def cover(sets: Sequence[Sequence[int]], count: int, time_limit: float) -> list[int]:
    """Few of ``count`` elements that hit every one of the sets, the fewest as far as floats and time allow."""
    matrix = sp.lil_array((len(sets), count))
    for i, members in enumerate(sets):
        matrix[i, list(members)] = 1.0
    ones = np.ones(count)
    program = Program(
        sp.csr_array(matrix),
        np.ones(len(sets)),
        np.full(len(sets), np.inf),
        ones,
        np.zeros(count),
        ones,
        np.ones(count, dtype=bool),
    )
    point = run(program, time_limit).point
    return [] if point is None else np.flatnonzero(point > 0.5).tolist()
