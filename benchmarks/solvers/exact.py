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
    """Over GMP: maximise ``t ≤ 1`` with ``Δw ≥ t``; its dual solution at 0 is a cancellation.

    An equal row enters as two inequalities, because the duals of its equations are not always handed out.
    """
    import cdd.gmp

    n = question.n_columns
    table, owners = [], []
    for i, (row, tie) in enumerate(zip(question.rows, question.equal, strict=True)):
        for sign in (1, -1) if tie else (1,):
            line = [0] * (n + 2)
            for column, entry in row.items():
                line[column + 1] = sign * entry
            line[-1] = 0 if tie else -1
            table.append(line)
            owners.append((i, sign))
    table.append([1] + [0] * n + [-1])
    matrix = cdd.gmp.matrix_from_array(
        table, rep_type=cdd.RepType.INEQUALITY, obj_type=cdd.LPObjType.MAX, obj_func=[0] * (n + 1) + [1]
    )
    program = cdd.gmp.linprog_from_matrix(matrix)
    cdd.gmp.linprog_solve(program)
    if program.status != cdd.LPStatusType.OPTIMAL:
        return Answer(None, note=program.status.name)
    if program.obj_value > 0:
        return Answer(True, list(program.primal_solution)[:n])
    multipliers: dict[int, Fraction] = {}
    for k, value in program.dual_solution:
        if value and k < len(owners):
            i, sign = owners[k]
            multipliers[i] = multipliers.get(i, Fraction(0)) + sign * Fraction(value)
    return Answer(False, multipliers)


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


def soplex_feasibility(question: Question) -> Answer:
    """SoPlex without tolerances, ``Δw ≥ 1``: a solution or a Farkas ray in rationals."""
    said, weights, multipliers = _soplex(question, margin=False)
    if "[optimal]" in said:
        return Answer(True, weights, said)
    return Answer(False, multipliers, said) if "[infeasible]" in said else Answer(None, note=said)


def soplex_margin(question: Question) -> Answer:
    """SoPlex without tolerances, the largest ``t`` with ``Δw ≥ t`` and ``|w| ≤ 1``: solution and duals in rationals."""
    said, weights, multipliers = _soplex(question, margin=True)
    if "[optimal]" not in said:
        return Answer(None, note=said)
    margin = weights.pop()
    if margin > 0:
        return Answer(True, weights, said)
    # The duals of a maximum over rows bounded from below are negative.
    return Answer(False, {i: -value for i, value in multipliers.items()}, said)


def _soplex(question: Question, *, margin: bool) -> tuple[str, list[Fraction], dict[int, Fraction]]:
    """What it says, the weights with ``t`` last, and the multipliers of the rows as they were given."""
    shifts = [_digits(row) if margin else 0 for row in question.rows]
    with tempfile.TemporaryDirectory() as folder:
        path, primal, dual = (Path(folder, name) for name in ("rows.lp", "primal", "dual"))
        path.write_text(_lp(question, shifts, margin=margin))
        options = ["--int:readmode=1", "--int:solvemode=2", "--int:checkmode=2", "--int:syncmode=1"]
        options += ["--real:feastol=0", "--real:opttol=0", f"-X={primal}", f"-Y={dual}", str(path)]
        done = subprocess.run([executable("soplex") or "", *options], capture_output=True, text=True, check=False)
        status = re.search(r"SoPlex status\s*:\s*(.*)", done.stdout)
        said = status.group(1).strip() if status else f"exit status {done.returncode}"
        values, duals = _entries(primal, "w"), _entries(dual, "r")
    weights = [values.get(j, Fraction(0)) for j in range(question.n_columns + 1)]
    return said, weights if margin else weights[:-1], {i: value / 10 ** shifts[i] for i, value in duals.items()}


def _digits(row: dict[int, int]) -> int:
    """By how many digits a row is scaled down for the margin: SoPlex fails on large entries, less often then."""
    digits = max((len(str(abs(entry))) for entry in row.values()), default=1)
    return digits - 1 if digits > 6 else 0


def _lp(question: Question, shifts: list[int] | None = None, *, margin: bool = False) -> str:
    """The question in CPLEX's LP format, on short lines; row i divided by ``10^shifts[i]``, written out in full.

    ``Δw ≥ 1`` and nothing to optimise, or the largest margin ``t`` in a box, which is one variable more.
    """
    t = f"w{question.n_columns}"
    lines = ["Maximize", f" obj: {t}"] if margin else ["Minimize", " obj: 0 w0"]
    lines.append("Subject To")
    for i, (row, tie) in enumerate(zip(question.rows, question.equal, strict=True)):
        shift = shifts[i] if shifts else 0
        terms = [f"  {'-' if entry < 0 else '+'} {_decimal(abs(entry), shift)} w{j}" for j, entry in row.items()]
        lines += [f" r{i}:", *(terms or ["  0 w0"])]
        lines.append("  = 0" if tie else f"  - {t} >= 0" if margin else "  >= 1")
    lines.append("Bounds")
    lines += [f" -1 <= w{j} <= 1" if margin else f" w{j} free" for j in range(question.n_columns)]
    lines += [f" {t} free", "End", ""] if margin else ["End", ""]
    return "\n".join(lines)


def _decimal(number: int, shift: int) -> str:
    """``number / 10^shift``, all digits."""
    digits = str(number).rjust(shift + 1, "0")
    return f"{digits[:-shift]}.{digits[-shift:]}" if shift else digits


def _entries(path: Path, letter: str) -> dict[int, Fraction]:
    """``{number: value}`` from lines such as ``w12    -3/4``."""
    found = re.findall(rf"^{letter}(\d+)\s+([-+\d/]+)\s*$", path.read_text() if path.exists() else "", re.MULTILINE)
    return {int(number): Fraction(value) for number, value in found}
