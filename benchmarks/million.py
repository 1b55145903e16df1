"""A million contexts decided and proved: time, memory, and the size of the certificate.

    python benchmarks/million.py                    prints the table
    python benchmarks/million.py --contexts 100000  smaller tasks
    python benchmarks/million.py --check            the second table: the whole command, on files
    python benchmarks/million.py --record           also writes the table to benchmarks/results/million.md

Contexts have 16 random sources out of 100 tokens. Labels are signs (with more outputs, places of the largest) of sums
of random integer weights from −9 to 9, one for each position and token, contexts with a tie left out: so the task is
expressible by skip-trigrams, by a margin of 1 where weights go up to 9. For the tasks that are not, four contexts are
made that differ in two positions and are labelled by the XOR of these; or labels of some contexts are changed.

Each task is decided in a process of its own. Seconds are those of the processors, all threads together; memory is the
largest the process ever had, the task included. "Proof" is what it takes to write the certificate and to verify it
with the trusted base, which is part of every decision; "again" is `python -m expressivity.verify` on the saved file.

The second table is `expressivity check` on task files, up to order 3: where its time goes, step by step. What it leaves
out of a task of that size it says itself; the last column repeats it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from expressivity.ensembles import decide_ensemble
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task

RESULTS = Path(__file__).parent / "results" / "million.md"
SOURCES, TOKENS = 16, 100
CASES: dict[str, dict[str, Any]] = {
    "expressible": {},
    "an XOR of four contexts": {"xor": True},
    "expressible, 100 destinations": {"destinations": 100},
    "an XOR, 100 destinations": {"destinations": 100, "xor": True},
    "expressible, 3 outputs": {"outputs": 3},
    "an XOR, 3 outputs": {"outputs": 3, "xor": True},
    "5 labels changed": {"changed": 5},
    "1 label in 10 changed": {"changed": 0.1},
}
CHECKED = ("expressible", "an XOR of four contexts")
STEPS = ("reading", "decisions", "heads", "logistic regression", "cross-entropy", "showing")
CHECK_HEAD = f"| task | contexts | {' | '.join(STEPS)} | seconds | GiB | left out |"
HEAD = "| task | answer | contexts in the proof | seconds | of these proof | GiB | certificate, MB | again, seconds |"


def planted(
    contexts: int, *, destinations: int = 1, outputs: int = 2, xor: bool = False, changed: float = 0, seed: int = 0
) -> Task:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-9, 10, size=(destinations, SOURCES, TOKENS, outputs)).astype(np.int16)
    weights[..., 0] = 0
    many = contexts + contexts // 4
    drawn = rng.integers(0, TOKENS, size=(many, SOURCES), dtype=np.int8)
    ends = rng.integers(0, destinations, size=many)
    logits = np.zeros((many, outputs), dtype=np.int16)
    for position in range(SOURCES):
        logits += weights[ends, position, drawn[:, position]]
    ranked = np.sort(logits, axis=1)
    kept = np.flatnonzero(ranked[:, -1] > ranked[:, -2])[:contexts]
    drawn, ends, labels = drawn[kept], ends[kept], logits[kept].argmax(axis=1)
    if changed:
        which = rng.choice(contexts, int(changed if changed >= 1 else changed * contexts), replace=False)
        labels[which] = (labels[which] + 1) % outputs
    if xor:
        four = rng.choice(contexts, 4, replace=False)
        drawn[four], ends[four] = drawn[four[0]], ends[four[0]]
        drawn[four[[1, 3]], 3] = (drawn[four[0], 3] + 1) % TOKENS
        drawn[four[[2, 3]], 7] = (drawn[four[0], 7] + 1) % TOKENS
        labels[four] = [0, 1, 1, 0]
    names = [f"t{k}" for k in range(TOKENS)]
    lines = zip(drawn, ends.tolist(), strict=True)
    return Task(
        ((*[names[k] for k in line.tolist()], f"q{end}") for line, end in lines), [f"y{k}" for k in labels.tolist()]
    )


def decide_one(case: str, contexts: int, folder: str) -> dict[str, Any]:
    """In a process of its own: decide, save, and say what it took."""
    task = planted(contexts, **CASES[case])
    marks: dict[str, float] = {}

    def progress(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{case}: {text} …", end="", file=sys.stderr)
        marks[text.split()[0]] = time.process_time()

    start = time.process_time()
    verdict = decide_ensemble(task, SkipGrams(3), progress=progress)
    end = time.process_time()
    path = verdict.certificate.save(Path(folder) / "certificate.json")
    return {
        "answer": verdict.answer.value,
        "contexts": len(verdict.certificate.document["task"]["contexts"]),
        "seconds": end - start,
        "proof": end - marks["writing"],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "size": path.stat().st_size / 1e6,
    }


def run(case: str, contexts: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--contexts", str(contexts), "--one", case, folder]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        before = os.times()
        again = [sys.executable, "-m", "expressivity.verify", str(Path(folder) / "certificate.json")]
        subprocess.run(again, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return (
        f"| {case} | {found['answer']} | {found['contexts']:,} | {found['seconds']:.1f} | {found['proof']:.1f} "
        f"| {found['memory']:.2f} | {found['size']:.3g} | {seconds:.2f} |"
    )


def check_one(path: str) -> dict[str, Any]:
    """In a process of its own: what `expressivity check --max-order 3` does, and what each step took."""
    from expressivity.heads.gallery import proposals_for
    from expressivity.ladder import climb
    from expressivity.report.ladder_text import ladder_text

    taken, now = dict.fromkeys(STEPS, 0.0), {"step": "reading", "since": 0.0}

    def begin(step: str) -> None:
        end = time.process_time()
        taken[now["step"]] += end - now["since"]
        now.update(step=step, since=end)

    def progress(text: str) -> None:
        first = text.split()[0]
        named = {"bigrams": "decisions", "heads": "heads", "features": "logistic regression"}
        named |= {"logistic": "logistic regression", "cross-entropy,": "cross-entropy"}
        if first in named or first.startswith("skip-"):
            begin(named.get(first, "decisions"))

    task = Task.load(path)
    begin("decisions")
    ladder = climb(task, max_order=3, given=proposals_for(task), progress=progress)
    begin("showing")
    ladder_text(ladder)
    begin("reading")
    return {
        "steps": taken,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "left_out": "; ".join(f"{left.what} at order {left.order} ({left.reason})" for left in ladder.left_out),
    }


def run_check(case: str, contexts: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.task"
        path.write_text(planted(contexts, **CASES[case]).to_text(), "utf-8")
        command = [sys.executable, __file__, "--one", "check", str(path)]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    steps = " | ".join(f"{seconds:.1f}" for seconds in found["steps"].values())
    total = sum(found["steps"].values())
    return f"| {case} | {contexts:,} | {steps} | {total:.0f} | {found['memory']:.2f} | {found['left_out'] or '–'} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=int, default=1_000_000)
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one and arguments.one[0] == "check":
        print(json.dumps(check_one(arguments.one[1])))
        return
    if arguments.one:
        print(json.dumps(decide_one(arguments.one[0], arguments.contexts, arguments.one[1])))
        return
    if arguments.check:
        lines = [CHECK_HEAD, "|---|--:|" + "--:|" * (len(STEPS) + 2) + "---|"]
        jobs = [
            (case, many)
            for case in arguments.case or CHECKED
            for many in (arguments.contexts // 10, arguments.contexts)
        ]
    else:
        lines = [HEAD, "|---|---|" + "--:|" * 6]
        jobs = [(case, arguments.contexts) for case in arguments.case or CASES]
    print("\n".join(lines), flush=True)
    for case, many in jobs:
        lines.append((run_check if arguments.check else run)(case, many))
        print(lines[-1], flush=True)
    if arguments.record:
        record(lines, arguments)


def record(lines: list[str], arguments: argparse.Namespace) -> None:
    """Put a table into its part of the page, or at its end, and leave the other part as it is."""
    title, options = ("## The whole command", " --check") if arguments.check else ("# A million contexts", "")
    about = f"{arguments.contexts:,} contexts of {SOURCES} sources over {TOKENS} tokens, order 3. "
    if arguments.check:
        about = "`expressivity check --max-order 3` on task files of such contexts; processor seconds of each step. "
    machine = f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} processors."
    made = f"Made by `python benchmarks/million.py{options} --record`, which says what the columns are."
    part = "\n".join([title, "", about + machine, "", *lines, "", made, ""])
    page = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    first, mark, second = page.partition("\n## The whole command")
    RESULTS.write_text(f"{first}\n{part}" if arguments.check else part + mark + second, "utf-8")


if __name__ == "__main__":
    main()
