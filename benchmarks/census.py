"""How fast orders and heads of many Boolean functions are found, against doing it one function after the other.

    python benchmarks/census.py                 prints the tables
    python benchmarks/census.py --classes 4096  of so many classes, instead of 1024
    python benchmarks/census.py --record        also writes them to benchmarks/results/census.md

Orders: a sample of the classes of five inputs, each with both proofs, by the census; against the exact engine asked at
one order after the other, and against HiGHS (floats, no proof) asked in the same way. Heads: the first descents of the
census, 300 steps from one start for each function, against the same descent on one function at a time in PyTorch, with
the same model, optimiser and steps. Solved per second counts; nothing else runs in between.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import torch

from expressivity.census.classes import classes
from expressivity.census.functions import points, signs
from expressivity.census.orders import degrees
from expressivity.census.polynomials import design
from expressivity.census.witnesses import STEPS, search
from expressivity.separability import IntegerRows, Separator, separate

RESULTS = Path(__file__).parent / "results" / "census.md"
INPUTS = 5
FEW = 48  # functions for what is slow
Row = tuple[str, int, float, str]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def one_by_one(words: np.ndarray, feasible: Callable[[np.ndarray], bool]) -> list[int]:
    """The first degree of which each function is, asked from 0 on."""
    wanted = signs(words, INPUTS).astype(np.int64)
    return [next(d for d in range(INPUTS + 1) if feasible(design(INPUTS, d) * row[:, None])) for row in wanted]


def by_engine(rows: np.ndarray) -> bool:
    return isinstance(separate(IntegerRows.from_dense(rows)), Separator)


def by_highs(rows: np.ndarray) -> bool:
    many, size = rows.shape
    problem = highspy.Highs()
    problem.silent()
    problem.addVars(size, np.full(size, -highspy.kHighsInf), np.full(size, highspy.kHighsInf))
    starts = np.arange(many, dtype=np.int32) * size
    columns = np.tile(np.arange(size, dtype=np.int32), many)
    problem.addRows(
        many, np.ones(many), np.full(many, highspy.kHighsInf), many * size, starts, columns, rows.astype(float).ravel()
    )
    problem.run()
    return bool(problem.getModelStatus() == highspy.HighsModelStatus.kOptimal)


class Heads(torch.nn.Module):
    """Quotients of affine functions, as plain PyTorch has them: one function, one start."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.slopes = torch.nn.Parameter(torch.randn(heads, INPUTS) * 0.7)
        self.above = torch.nn.Parameter(torch.randn(heads, INPUTS + 1) * 0.5)

    def forward(self, ones: torch.Tensor) -> torch.Tensor:
        """The difference of logits at all inputs."""
        tilt = self.slopes / (1.1 + self.slopes.abs().sum(-1, keepdim=True))
        return ((self.above @ ones.T) / (1 + tilt @ ones[:, 1:].T)).sum(0)


def trained(words: np.ndarray, heads: int) -> int:
    """How many functions a descent of their own solves."""
    ones = torch.tensor(np.hstack([np.ones((2**INPUTS, 1)), points(INPUTS)]), dtype=torch.float32)
    solved = 0
    for row in torch.tensor(signs(words, INPUTS), dtype=torch.float32):
        model = Heads(heads)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.15, betas=(0.9, 0.99))
        for _ in range(STEPS):
            loss = torch.nn.functional.softplus(-model(ones) * row).sum().log()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        solved += bool((model(ones) * row > 0).all())
    return solved


def table(title: str, unit: str, rows: list[Row]) -> str:
    base = rows[0][1] / rows[0][2]
    lines = [
        f"## {title}",
        "",
        f"| method | functions | {unit} per second | against the census | |",
        "|---|---:|---:|---:|---|",
    ]
    for name, many, seconds, remark in rows:
        rate = many / seconds
        lines.append(f"| {name} | {many:,} | {rate:,.1f} | {rate / base:.4f} | {remark} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and record if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=1024)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    every, listing = timed(lambda: classes(INPUTS))
    words = np.random.default_rng(0).choice(every.words, options.classes, replace=False)
    degrees(words[:8], INPUTS)  # tables of four inputs are made once
    found, seconds = timed(lambda: degrees(words, INPUTS))
    rows: list[Row] = [("census, both proofs", len(words), seconds, "")]
    for name, feasible in (
        ("exact engine, one by one, both proofs", by_engine),
        ("HiGHS, one by one, no proof", by_highs),
    ):
        answers, seconds = timed(lambda feasible=feasible: one_by_one(words[:FEW], feasible))
        wrong = int((np.array(answers) != found.degree[:FEW]).sum())
        rows.append((name, FEW, seconds, f"{wrong} other answers"))
    tables = [table(f"Orders of {len(words):,} classes of {INPUTS} inputs", "orders", rows)]
    for heads in (2, 3):
        some = words[found.degree == heads]
        result, seconds = timed(lambda some=some, heads=heads: search(some, INPUTS, heads))
        many = int(result.found.sum())
        share = f"solved {many / len(some):.0%}, rounded to integers and proved"
        rows = [("census, one start each", many, seconds, share)]
        few = some[:FEW]
        solved, seconds = timed(lambda few=few, heads=heads: trained(few, heads))
        rows.append(("PyTorch, one function at a time", solved, seconds, f"solved {solved / len(few):.0%}, in floats"))
        tables.append(table(f"{heads} heads for functions of order {heads + 2}", "solved", rows))
    head = (
        f"# The census\n\nPython {platform.python_version()}, PyTorch {torch.__version__}, {platform.system()} on "
        f"{platform.machine()}, one of {os.cpu_count()} cores, no accelerator. Listing the "
        f"{len(every.words):,} classes took {listing:.1f} s."
    )
    text = "\n\n".join([head, *tables]) + "\n"
    print(text)
    if options.record:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
