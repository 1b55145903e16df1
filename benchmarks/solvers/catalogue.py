"""Who takes part, and what each needs."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from .question import Answer, Question


@dataclass(frozen=True)
class Peer:
    """A solver: where its function is (``module:name``), what it needs, how its answer is read.

    ``package`` is a Python distribution, ``program`` an executable; ``exact`` says whether it computes in rationals.
    """

    name: str
    function: str
    reading: str
    exact: bool = False
    package: str = ""
    program: str = ""

    def missing(self) -> str | None:
        """Why it cannot take part; None if it can."""
        if self.program and executable(self.program) is None:
            return f"no {self.program} on the path, nor named by the variable {self.program.upper()}"
        if self.package:
            try:
                version(self.package)
            except PackageNotFoundError:
                return f"the package {self.package} is not installed"
        return None

    def version(self) -> str:
        """As the solver or its package says."""
        if not self.program:
            return version(self.package)
        done = subprocess.run(
            [executable(self.program) or "", "--version"], capture_output=True, text=True, check=False, timeout=20
        )
        line = next((line for line in (done.stdout + done.stderr).splitlines() if any(c.isdigit() for c in line)), "")
        return next((word.strip(",") for word in line.split() if word[0].isdigit() or word[:2] == "v5"), line)

    def solve(self) -> Callable[[Question], Answer]:
        """The function, imported now."""
        module, name = self.function.split(":")
        found: Callable[[Question], Answer] = getattr(importlib.import_module(f".{module}", __package__), name)
        return found


def executable(program: str) -> str | None:
    """The path of a program; an environment variable of its name, in capitals, goes first."""
    return os.environ.get(program.upper()) or shutil.which(program)


TRAINED = "separable if every row is on the right side"
FEASIBLE = "Δw ≥ 1: optimal or infeasible"

OURS = Peer("expressivity", "ours:engine", "certificate", exact=True, package="expressivity")

PEERS = (
    OURS,
    Peer("scikit-learn LogisticRegression", "floats:logistic_regression", TRAINED, package="scikit-learn"),
    Peer("scikit-learn LinearSVC", "floats:linear_svc", TRAINED, package="scikit-learn"),
    Peer("scikit-learn Perceptron", "floats:perceptron", TRAINED, package="scikit-learn"),
    Peer("scipy linprog", "floats:linprog", FEASIBLE, package="scipy"),
    Peer("cvxpy, Clarabel", "floats:cvxpy_clarabel", FEASIBLE, package="cvxpy"),
    Peer("cvxpy, HiGHS", "floats:cvxpy_highs", FEASIBLE, package="cvxpy"),
    Peer("HiGHS, Δw ≥ 1", "floats:highs_feasibility", FEASIBLE, package="highspy"),
    Peer("HiGHS, margin", "floats:highs_margin", "largest margin in a box: above 1e-7 or not", package="highspy"),
    Peer("cvc5", "exact:cvc5_solver", "linear real arithmetic", exact=True, package="cvc5"),
    Peer("z3", "exact:z3_solver", "linear real arithmetic", exact=True, package="z3-solver"),
    Peer("pycddlib", "exact:cddlib", "margin up to 1, in fractions", exact=True, package="pycddlib"),
    Peer("glpsol --exact", "exact:glpsol", FEASIBLE, exact=True, program="glpsol"),
    Peer("SoPlex exact, Δw ≥ 1", "exact:soplex_feasibility", FEASIBLE, exact=True, program="soplex"),
    Peer(
        "SoPlex exact, margin",
        "exact:soplex_margin",
        "largest margin in a box: above 0 or not",
        exact=True,
        program="soplex",
    ),
)
