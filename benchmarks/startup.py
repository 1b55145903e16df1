"""How long the light commands take to start, against a bare interpreter in the same run.

    python benchmarks/startup.py            prints the tables
    python benchmarks/startup.py --record   also writes them to benchmarks/results/startup.md

The commands take turns, RUNS times after one warm-up, each in a process of its own; the table shows medians
of the wall clock. The imports are those of one more run under ``-X importtime``, by cumulative time.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "startup.md"
RUNS = 20
IMPORTS = 8
LIMIT = 0.3  # seconds: what the two commands promise to stay under

SCRIPT = "import sys; from expressivity.cli import main; sys.exit(main())"


def certificate() -> Path:
    """The smallest of the committed certificates, so that starting is what is measured."""
    found = sorted((ROOT / "proofs").rglob("*.json"), key=lambda path: (path.stat().st_size, path))
    if not found:
        sys.exit("startup: no certificate under proofs/; save one with expressivity check TASK --save DIR")
    return found[0]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"startup: {' '.join(command)} ended with status {done.returncode}:\n{done.stderr}")
    return taken


def medians(commands: dict[str, list[str]]) -> dict[str, float]:
    """The commands take turns, so that a slow minute of the machine is shared by all of them."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(RUNS + 1):
        for name, command in commands.items():
            took = seconds(command)
            if run:
                taken[name].append(took)
    return {name: statistics.median(times) for name, times in taken.items()}


def heaviest_imports(arguments: list[str]) -> list[tuple[str, float]]:
    """The modules with the largest cumulative import time, in milliseconds, without those of a bare start."""

    def imports(program: str, *arguments: str) -> dict[str, float]:
        command = [sys.executable, "-X", "importtime", "-c", program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = re.findall(r"^import time:\s+\d+ \|\s+(\d+) \|\s+(\S+)$", done.stderr, re.MULTILINE)
        return {module: int(microseconds) / 1000 for microseconds, module in lines}

    bare = imports("pass")
    ours = {module: ms for module, ms in imports(SCRIPT, *arguments).items() if module not in bare}
    return sorted(ours.items(), key=lambda item: -item[1])[:IMPORTS]


def report() -> tuple[str, bool]:
    """The tables in Markdown, and whether every command stays under the limit."""
    script = str(Path(sys.executable).with_name("expressivity"))
    ours = {"expressivity --help": ["--help"], "expressivity verify FILE": ["verify", str(certificate())]}
    bare = "python -c pass"
    commands = {bare: [sys.executable, "-c", "pass"]}
    commands |= {name: [script, *arguments] for name, arguments in ours.items()}
    found = medians(commands)

    lines = [
        "# Start-up",
        "",
        f"Median wall clock of {RUNS} runs, the commands taking turns. Python {platform.python_version()}, "
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores. Wanted: under {LIMIT} s.",
        "",
        "| command | milliseconds | against a bare start |",
        "|---|---:|---:|",
        *(f"| `{name}` | {1000 * took:.0f} | {took / found[bare]:.1f}× |" for name, took in found.items()),
    ]
    for name, arguments in ours.items():
        lines += [
            "",
            f"Heaviest imports of `{name}` (cumulative, under `-X importtime`, which slows them down):",
            "",
            "| module | milliseconds |",
            "|---|---:|",
            *(f"| `{module}` | {ms:.1f} |" for module, ms in heaviest_imports(arguments)),
        ]
    return "\n".join(lines) + "\n", all(found[name] < LIMIT for name in ours)


def main() -> int:
    parser = argparse.ArgumentParser(description="Times the start of the light commands.")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    tables, fast = report()
    print(tables, end="")
    if arguments.record:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(tables, "utf-8")
    if not fast:
        print(f"startup: a command took {LIMIT} s or more", file=sys.stderr)
    return 0 if fast else 1


if __name__ == "__main__":
    sys.exit(main())
