"""Solvers in floating point. Their verdict is what a careful user would read off; none of them hands over a proof.

Rows with entries beyond 2^40 are divided by powers of two before they get them, for HiGHS refuses entries from 10^15
on and drops those below 10^−9; scaling a row by itself changes nothing about the question.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp

from .question import Answer, Question

TIES = "cannot state that rows are to be 0"
MARGIN = 1e-7  # HiGHS's own tolerance
Vector = np.ndarray


# ---------------------------------------------------------------------- classifiers


def _trained(question: Question, model: Any) -> Answer:
    """Rows as examples of two classes, every other one turned over; separable when all of them are classified right."""
    if question.ties.any():
        return Answer(None, note=TIES)
    sign = np.where(np.arange(len(question.rows)) % 2, -1.0, 1.0)
    examples = sp.csr_matrix(sp.diags_array(sign) @ question.floats)
    if len(sign) == 1:
        examples, sign = sp.csr_matrix(sp.vstack([examples, -examples])), np.array([1.0, -1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(examples, sign)
    return Answer(bool((sign * (examples @ np.ravel(model.coef_)) > 0).all()))


def logistic_regression(question: Question) -> Answer:
    """Without a penalty."""
    from sklearn.linear_model import LogisticRegression

    return _trained(question, LogisticRegression(C=np.inf, max_iter=1000, fit_intercept=False))


def linear_svc(question: Question) -> Answer:
    """Nearly without a penalty."""
    from sklearn.svm import LinearSVC

    return _trained(question, LinearSVC(C=1e6, max_iter=10_000, fit_intercept=False))


def perceptron(question: Question) -> Answer:
    """A thousand epochs."""
    from sklearn.linear_model import Perceptron

    return _trained(question, Perceptron(max_iter=1000, tol=None, fit_intercept=False))


# ---------------------------------------------------------------------- linear programs


def linprog(question: Question) -> Answer:
    """SciPy's own interface to HiGHS."""
    from scipy.optimize import linprog

    rows, ties = question.floats, question.ties
    strict = rows[~ties]
    found = linprog(
        np.zeros(question.n_columns),
        A_ub=-strict if strict.shape[0] else None,
        b_ub=-np.ones(strict.shape[0]) if strict.shape[0] else None,
        A_eq=rows[ties] if ties.any() else None,
        b_eq=np.zeros(int(ties.sum())) if ties.any() else None,
        bounds=(None, None),
        method="highs",
    )
    # Status 2 stands for "infeasible" and for "model error".
    verdict = True if found.status == 0 else False if "infeasible" in found.message.lower() else None
    return Answer(verdict, note=found.message.split(". ")[0][:80])


def _cvxpy(question: Question, solver: str) -> Answer:
    import cvxpy as cp

    rows, ties = question.floats, question.ties
    weights = cp.Variable(question.n_columns)
    constraints = []
    if not ties.all():
        constraints.append(rows[~ties] @ weights >= 1)
    if ties.any():
        constraints.append(rows[ties] @ weights == 0)
    problem = cp.Problem(cp.Minimize(0), constraints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver=solver)
    return Answer({"optimal": True, "infeasible": False}.get(problem.status), note=problem.status)


def cvxpy_clarabel(question: Question) -> Answer:
    """CVXPY with its interior-point solver."""
    return _cvxpy(question, "CLARABEL")


def cvxpy_highs(question: Question) -> Answer:
    """CVXPY with HiGHS."""
    return _cvxpy(question, "HIGHS")


def _highs(
    matrix: sp.csr_array, columns: tuple[Vector, Vector, Vector], lower: Vector, upper: Vector
) -> tuple[Any, str]:
    """Maximise; ``columns`` are costs, lower and upper bounds. The solver and what it says."""
    import highspy

    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = matrix.shape
    program.col_cost_, program.col_lower_, program.col_upper_ = columns
    program.row_lower_, program.row_upper_ = lower, upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
    program.a_matrix_.value_ = matrix.data
    program.sense_ = highspy.ObjSense.kMaximize
    solver = highspy.Highs()
    solver.silent()
    solver.passModel(program)
    solver.run()
    return solver, solver.modelStatusToString(solver.getModelStatus())


def highs_feasibility(question: Question) -> Answer:
    """HiGHS itself: ``Δw ≥ 1``, nothing to optimise."""
    n, ties = question.n_columns, question.ties
    free = np.full(n, np.inf)
    lower = np.where(ties, 0.0, 1.0)
    _, status = _highs(question.floats, (np.zeros(n), -free, free), lower, np.where(ties, 0.0, np.inf))
    return Answer({"Optimal": True, "Infeasible": False}.get(status), note=status)


def highs_margin(question: Question) -> Answer:
    """HiGHS itself: the largest ``t`` with ``Δw ≥ t`` and ``|w| ≤ 1``."""
    n, ties = question.n_columns, question.ties
    matrix = sp.csr_array(sp.hstack([question.floats, sp.csr_array(np.where(ties, 0.0, -1.0)[:, None])]))
    one = np.ones(n)
    columns = np.append(np.zeros(n), 1.0), np.append(-one, -np.inf), np.append(one, np.inf)
    solver, status = _highs(matrix, columns, np.zeros(len(ties)), np.where(ties, 0.0, np.inf))
    if status != "Optimal":
        return Answer({"Unbounded": True}.get(status), note=status)
    margin = solver.getInfo().objective_function_value
    return Answer(margin > MARGIN, note=f"margin {margin:.2e}")
