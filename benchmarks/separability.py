"""The whole certified decision against HiGHS's float answer on the same rows, in the same run.

    python benchmarks/separability.py                      256 × 64 and 2,000 × 500, a few instances each
    python benchmarks/separability.py 20000x2000 --limit 300 --instances 1
    python benchmarks/separability.py --record             also writes benchmarks/results/separability.md

Rows are random: a constant and 10 of the other columns are 1, the row is multiplied by its label. Labels come from
planted normal weights (separable) or from fair coins (beyond twice as many rows as columns almost surely
inseparable: Cover 1965). HiGHS is asked in both of the usual ways, ``a · w ≥ 1`` and the largest margin in a box,
with its default options, and the faster one counts; its answer comes without proof. Ours includes reduction, proof
and check.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import highspy
import numpy as np
import scipy.sparse as sp

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from expressivity.separability import Cancellation, IntegerRows, Separator, separate  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "separability.md"
ACTIVE = 10


def instance(m: int, n: int, seed: int, *, separable: bool) -> sp.csr_array:
    rng = np.random.default_rng(seed)
    chosen = np.argpartition(rng.random((m, n - 1)), ACTIVE, axis=1)[:, :ACTIVE] + 1
    columns = np.concatenate((np.zeros((m, 1), dtype=np.int64), np.sort(chosen, axis=1)), axis=1)
    bounds = np.arange(m + 1) * (ACTIVE + 1)
    features = sp.csr_array((np.ones(columns.size), columns.ravel(), bounds), shape=(m, n))
    labels = np.sign(features @ rng.standard_normal(n)) if separable else rng.choice([-1.0, 1.0], m)
    return sp.csr_array(sp.diags_array(labels, dtype=np.float64) @ features)


def highs(rows: sp.csr_array, limit: float, *, margin: bool) -> str:
    """The word of HiGHS: a status, and the margin where one was asked for."""
    m, n = rows.shape
    model = highspy.HighsLp()
    matrix = sp.csr_array(sp.hstack([rows, -np.ones((m, 1))])) if margin else rows
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_ = np.concatenate((np.zeros(n), [-1.0])) if margin else np.zeros(n)
    size = np.concatenate((np.ones(n), [np.inf])) if margin else np.full(n, np.inf)
    model.col_lower_, model.col_upper_ = -size, size
    model.row_lower_ = np.zeros(m) if margin else np.ones(m)
    model.row_upper_ = np.full(m, np.inf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", limit)
    solver.passModel(model)
    solver.run()
    status = solver.modelStatusToString(solver.getModelStatus())
    return f"{status}, margin {-solver.getInfo().objective_function_value:.1e}" if margin else status


def ours(rows: sp.csr_array) -> str:
    outcome = separate(IntegerRows.from_scipy(rows))
    if isinstance(outcome, Separator):
        return f"separable ({outcome.stage})"
    if isinstance(outcome, Cancellation):
        return f"{len(outcome.multipliers)} rows cancel ({outcome.stage})"
    return outcome.reason


def timed(function: Callable[[], str]) -> tuple[float, str]:
    start = time.perf_counter()
    word = function()
    return time.perf_counter() - start, word


def measure(m: int, n: int, instances: int, limit: float) -> list[str]:
    lines = []
    for separable in (True, False):
        ratios, own, peer = [], [], []
        words: dict[str, str] = {}
        for seed in range(instances):
            rows = instance(m, n, seed, separable=separable)
            if not seed:
                ours(rows)  # first use loads libraries
            seconds, words["ours"] = timed(lambda rows=rows: ours(rows))
            first, words["≥ 1"] = timed(lambda rows=rows: highs(rows, limit, margin=False))
            second, words["margin"] = timed(lambda rows=rows: highs(rows, limit, margin=True))
            own.append(seconds)
            peer.append(min(first, second))
            ratios.append(seconds / min(first, second))
        kind = "separable" if separable else "random labels"
        lines.append(
            f"| {m:,} × {n:,} | {kind} | {statistics.median(own):.3f} | {statistics.median(peer):.3f} "
            f"| {statistics.median(ratios):.2f} | {max(ratios):.2f} "
            f"| {words['ours']} | {words['≥ 1']}; {words['margin']} |"
        )
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["256x64", "2000x500"], help="rows × columns, such as 2000x500")
    parser.add_argument("--instances", type=int, default=5, help="instances of each kind (default 5)")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each call of HiGHS (default 60)")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/separability.md")
    arguments = parser.parse_args()
    head = [
        "| rows × columns | labels | ours, proved (s) | HiGHS, float (s) | median ratio | worst | our words | its |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(head))
    table = list(head)
    for size in arguments.sizes:
        m, n = (int(part) for part in size.split("x"))
        table += measure(m, n, arguments.instances, arguments.limit)
    if arguments.record:
        version = highspy.Highs().version()
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, HiGHS {version}"
        title = f"# Separability\n\n{machine}; medians of {arguments.instances} instances.\n"
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join([title, *table, ""]))


if __name__ == "__main__":
    main()
