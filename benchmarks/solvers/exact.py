"""Solvers in rational arithmetic. Programs under the GPL run as programs, or in a worker that holds nothing else."""

from __future__ import annotations

import re
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

from .catalogue import executable
from .question import Answer, Question

NO_CERTIFICATE = "no certificate"


def z3_solver(question: Question) -> Answer:
    """z3: the model is exact; its refutation is believed."""
    import z3

    solver = z3.SolverFor("QF_LRA")
    weights = [z3.Real(f"w{j}") for j in range(question.n_columns)]
    for row, tie in zip(question.rows, question.equal, strict=True):
        value = z3.Sum([z3.RealVal(str(entry)) * weights[column] for column, entry in row.items()])
        solver.add(value == 0 if tie else value >= 1)
    status = solver.check()
    if status == z3.unsat:
        return Answer(False, note=NO_CERTIFICATE)
    if status != z3.sat:
        return Answer(None, note=str(status))
    model = solver.model()
    values = [model.eval(weight, model_completion=True) for weight in weights]
    return Answer(True, [Fraction(value.numerator_as_long(), value.denominator_as_long()) for value in values])


def cvc5_solver(question: Question) -> Answer:
    """cvc5: the model is exact; its refutation is believed."""
    import cvc5

    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setLogic("QF_LRA")
    solver.setOption("produce-models", "true")
    real, zero, one = terms.getRealSort(), terms.mkReal(0), terms.mkReal(1)
    weights = [terms.mkConst(real, f"w{j}") for j in range(question.n_columns)]
    for row, tie in zip(question.rows, question.equal, strict=True):
        parts = [terms.mkTerm(cvc5.Kind.MULT, terms.mkReal(str(entry)), weights[j]) for j, entry in row.items()]
        value = terms.mkTerm(cvc5.Kind.ADD, *parts) if len(parts) > 1 else (parts or [zero])[0]
        kind, right = (cvc5.Kind.EQUAL, zero) if tie else (cvc5.Kind.GEQ, one)
        solver.assertFormula(terms.mkTerm(kind, value, right))
    status = solver.checkSat()
    if status.isUnsat():
        return Answer(False, note=NO_CERTIFICATE)
    if not status.isSat():
        return Answer(None, note=str(status))
    return Answer(True, [Fraction(solver.getValue(weight).getRealValue()) for weight in weights])


def cddlib(question: Question) -> Answer:
    """Over GMP: maximise ``t ≤ 1`` with ``Δw ≥ t``; its dual solution at 0 is a cancellation."""
    import cdd.gmp

    n = question.n_columns
    table, level = [], set()
    for i, (row, tie) in enumerate(zip(question.rows, question.equal, strict=True)):
        line = [0] * (n + 2)
        for column, entry in row.items():
            line[column + 1] = entry
        line[-1] = 0 if tie else -1
        table.append(line)
        if tie:
            level.add(i)
    table.append([1] + [0] * n + [-1])
    matrix = cdd.gmp.matrix_from_array(
        table,
        lin_set=level,
        rep_type=cdd.RepType.INEQUALITY,
        obj_type=cdd.LPObjType.MAX,
        obj_func=[0] * (n + 1) + [1],
    )
    program = cdd.gmp.linprog_from_matrix(matrix)
    cdd.gmp.linprog_solve(program)
    if program.status != cdd.LPStatusType.OPTIMAL:
        return Answer(None, note=program.status.name)
    if program.obj_value > 0:
        return Answer(True, list(program.primal_solution)[:n])
    duals = {int(i): Fraction(value) for i, value in program.dual_solution if value and i < len(question.rows)}
    return Answer(False, duals)


def glpsol(question: Question) -> Answer:
    """GLPK's ``--exact``: rational pivots, but input and output in floats, so no proof."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.lp")
        path.write_text(_lp(question))
        done = subprocess.run(
            [executable("glpsol") or "", "--exact", "--lp", str(path)], capture_output=True, text=True, check=False
        )
    if "OPTIMAL SOLUTION FOUND" in done.stdout or "OPTIMAL LP SOLUTION FOUND" in done.stdout:
        return Answer(True)
    if "NO FEASIBLE SOLUTION" in done.stdout or "NO PRIMAL FEASIBLE SOLUTION" in done.stdout:
        return Answer(False)
    return Answer(None, note=" ".join(done.stdout.split())[-200:] or f"exit status {done.returncode}")


def soplex(question: Question) -> Answer:
    """SoPlex with rational reading, solving and checking, and no tolerance: solution or Farkas ray in rationals."""
    with tempfile.TemporaryDirectory() as folder:
        path, primal, dual = (Path(folder, name) for name in ("rows.lp", "primal", "dual"))
        path.write_text(_lp(question))
        options = ["--int:readmode=1", "--int:solvemode=2", "--int:checkmode=2", "--int:syncmode=1"]
        options += ["--real:feastol=0", "--real:opttol=0", f"-X={primal}", f"-Y={dual}", str(path)]
        done = subprocess.run([executable("soplex") or "", *options], capture_output=True, text=True, check=False)
        status = re.search(r"SoPlex status\s*:\s*(.*)", done.stdout)
        said = status.group(1).strip() if status else f"exit status {done.returncode}"
        if "[optimal]" in said:
            values = _entries(primal, "w")
            return Answer(True, [values.get(j, Fraction(0)) for j in range(question.n_columns)], said)
        if "[infeasible]" in said:
            return Answer(False, _entries(dual, "r"), said)
        return Answer(None, note=said)


def _lp(question: Question) -> str:
    """The question in CPLEX's LP format, on short lines: ``Δw ≥ 1`` and nothing to optimise."""
    lines = ["Minimize", " obj: 0 w0", "Subject To"]
    for i, (row, tie) in enumerate(zip(question.rows, question.equal, strict=True)):
        terms = [f"  {'-' if entry < 0 else '+'} {abs(entry)} w{column}" for column, entry in row.items()]
        lines += [f" r{i}:", *(terms or ["  0 w0"])]
        lines.append("  = 0" if tie else "  >= 1")
    lines += ["Bounds", *(f" w{j} free" for j in range(question.n_columns)), "End", ""]
    return "\n".join(lines)


def _entries(path: Path, letter: str) -> dict[int, Fraction]:
    """``{number: value}`` from lines such as ``w12    -3/4``."""
    found = re.findall(rf"^{letter}(\d+)\s+([-+\d/]+)\s*$", path.read_text() if path.exists() else "", re.MULTILINE)
    return {int(number): Fraction(value) for number, value in found}
