"""The decision engine against other solvers: verdicts, proofs and times, all in the same run.

    python benchmarks/peers.py               the tables: random rows, and the nasty collection
    python benchmarks/peers.py --large       and 20,000 × 2,000
    python benchmarks/peers.py --sample 5    every fifth nasty instance only
    python benchmarks/peers.py --record      also writes benchmarks/results/peers.md and peers.json

Every solver works in a process of its own and starts from the same integer rows in memory; its time includes building
its own model, and writing a file where it is a program, but no imports. What takes under three seconds is run three
times, and the median counts. At the large size only those go on who were in time at a smaller one. A solver that is not
installed is listed as missing; SoPlex is found on the path or by the variable SOPLEX, GLPK by GLPSOL.

A proof counts when it is exact and holds in Python integers: weights for a yes, multipliers for a no.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nasty
import random_rows
from solvers import PEERS, Peer, Question, Result, Worker

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "peers.md"
SIZES = ((256, 64), (2_000, 500))
LARGE = (20_000, 2_000)
RUNS = 3
SHORT = 3.0  # seconds up to which a run is repeated
NOT_TRIED = "not tried: late at a smaller size"


def nasty_questions(sample: int) -> Iterator[tuple[str, Question]]:
    """Every ``sample``-th instance with its family."""
    number = 0
    for family, make in nasty.FAMILIES.items():
        for instance in make():
            if number % sample == 0:
                rows = [{j: entry for j, entry in enumerate(row) if entry} for row in instance.rows]
                question = Question(instance.name, rows, list(instance.equal), instance.shape[1], instance.separable)
                yield family, question
            number += 1


def timed(worker: Worker, question: Question, limit: float) -> Result:
    """One result; the median time of several runs where they are short."""
    first = worker.ask(question, limit)
    if first.separable is None or first.seconds > SHORT:
        return first
    again = [worker.ask(question, limit) for _ in range(RUNS - 1)]
    first.seconds = statistics.median([first.seconds, *(result.seconds for result in again)])
    return first


def measure(peers: list[Peer], arguments: argparse.Namespace) -> dict[str, Any]:
    """All results by question and peer."""
    sizes = [*SIZES, LARGE] if arguments.large else list(SIZES)
    posed = {(m, n, kind): random_rows.question(m, n, kind) for m, n in sizes for kind in random_rows.KINDS}
    hard = list(nasty_questions(arguments.sample))
    random_results: dict[str, dict[str, Any]] = {question.name: {} for question in posed.values()}
    nasty_results: dict[str, dict[str, Any]] = {question.name: {"family": family} for family, question in hard}
    for peer in peers:
        worker, late = Worker(peer), set()
        for (m, n, kind), question in posed.items():
            large = (m, n) == LARGE
            if large and kind in late:
                result = Result(None, None, False, 0.0, NOT_TRIED)
            else:
                result = timed(worker, question, arguments.large_limit if large else arguments.limit)
            if result.note == "time":
                late.add(kind)
            random_results[question.name][peer.name] = asdict(result)
            print(f"{peer.name}: {question.name}: {described(result)}", file=sys.stderr, flush=True)
        for _, question in hard:
            nasty_results[question.name][peer.name] = asdict(worker.ask(question, arguments.nasty_limit))
        worker.stop()
        counts = Counter(record[peer.name]["right"] for record in nasty_results.values())
        print(f"{peer.name}: nasty: {dict(counts)}", file=sys.stderr, flush=True)
    return {"random": random_results, "nasty": nasty_results}


def described(result: Result) -> str:
    verdict = {None: "no answer", True: "separable", False: "inseparable"}[result.separable]
    return f"{verdict}, {result.seconds:.3f} s {result.note}"


# ---------------------------------------------------------------------- tables


def environment(peers: list[Peer], absent: dict[str, str], arguments: argparse.Namespace) -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "versions": {peer.name: peer.version() for peer in peers},
        "missing": absent,
        "limit": arguments.limit,
        "large_limit": arguments.large_limit,
        "nasty_limit": arguments.nasty_limit,
    }


def random_table(name: str, found: dict[str, dict[str, Any]]) -> list[str]:
    """One instance: what each solver said, whether that was right and proved, and when."""
    kind = name.rsplit(", ", 1)[1]
    ours = next(iter(found.values()))["seconds"]
    lines = [
        f"### {name.rsplit(', ', 1)[0]}, {random_rows.KINDS[kind]}",
        "",
        "| solver | verdict | right | proved | seconds | × ours |",
        "|---|---|---|---|---:|---:|",
    ]
    for peer, result in found.items():
        over = "> " if result["note"] == "time" else ""
        silence = f"none ({result['note'][:60].replace('|', '/')})"
        verdict = {None: silence, True: "separable", False: "inseparable"}[result["separable"]]
        right = {None: "–", True: "yes", False: "**no**"}[result["right"]]
        times = [f"{over}{value:.3g}" for value in (result["seconds"], result["seconds"] / ours)]
        if result["note"] == NOT_TRIED:
            times = ["–", "–"]
        lines.append(f"| {peer} | {verdict} | {right} | {'yes' if result['proved'] else 'no'} | {' | '.join(times)} |")
    return [*lines, ""]


def summary(found: dict[str, dict[str, Any]], peers: list[Peer]) -> list[str]:
    """The engine against HiGHS's faster formulation, right or not, and against the fastest exact peer."""
    ours = peers[0].name
    highs = [peer.name for peer in peers if peer.name.startswith("HiGHS")]
    exact = [peer.name for peer in peers[1:] if peer.exact]
    lines = [
        "### In short",
        "",
        "Seconds of the whole certified decision, of HiGHS in floats (the faster formulation, whatever it answers), "
        "and of the fastest exact solver.",
        "",
        "| instance | expressivity | HiGHS | times HiGHS | exact | times faster than exact |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, results in found.items():
        mine = results[ours]["seconds"]
        ran = {peer: result for peer, result in results.items() if result["seconds"]}  # not crashed, not left out
        floats = [ran[peer] for peer in highs if peer in ran]
        proofs = [ran[peer] for peer in exact if peer in ran and (ran[peer]["right"] or ran[peer]["note"] == "time")]
        cells = [f"{mine:.3g}"]
        for group, sign, ratio in ((floats, "<", lambda x: mine / x), (proofs, ">", lambda x: x / mine)):  # noqa: B023
            if group:
                best = min(group, key=lambda result: result["seconds"])
                late = best["note"] == "time"
                cells += [f"{'> ' if late else ''}{best['seconds']:.3g}"]
                cells += [f"{f'{sign} ' if late else ''}{ratio(best['seconds']):.3g}"]
            else:
                cells += ["–", "–"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def nasty_tables(found: dict[str, dict[str, Any]], peers: list[Peer], limit: float) -> list[str]:
    """Counts over the collection, and where the wrong answers are."""
    total = {peer.name: sum(record[peer.name]["seconds"] for record in found.values()) for peer in peers}
    ours = total[peers[0].name]
    lines = [
        f"## The nasty collection, {len(found)} instances",
        "",
        f"At most {limit:g} s for an instance; one without an answer in time counts as {limit:g} s.",
        "",
        "| solver | right | wrong | no answer | of these late | proved | seconds in all | × ours |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for peer in peers:
        results = [record[peer.name] for record in found.values()]
        counts = Counter(result["right"] for result in results)
        late = sum(result["note"] == "time" for result in results)
        proved = sum(result["proved"] for result in results)
        wrong = f"**{counts[False]}**" if counts[False] else "0"
        over = "> " if late else ""
        lines.append(
            f"| {peer.name} | {counts[True]} | {wrong} | {counts[None]} | {late} | {proved} | "
            f"{over}{total[peer.name]:.3g} | {over}{total[peer.name] / ours:.3g} |"
        )
    lines += ["", "| solver | called inseparable, but separable | called separable, but not |", "|---|---|---|"]
    for peer in peers:
        wrong_no, wrong_yes = Counter[str](), Counter[str]()
        for record in found.values():
            if record[peer.name]["right"] is False:
                (wrong_yes if record[peer.name]["separable"] else wrong_no)[record["family"]] += 1
        if wrong_no or wrong_yes:
            lines.append(f"| {peer.name} | {listed(wrong_no)} | {listed(wrong_yes)} |")
    return [*lines, ""]


def listed(families: Counter[str]) -> str:
    return ", ".join(f"{family.replace('_', ' ')} {count}" for family, count in families.most_common()) or "–"


def tables(results: dict[str, Any], peers: list[Peer]) -> str:
    where = results["environment"]
    lines = [
        "# Against other solvers",
        "",
        f"{where['date']}; {where['machine']}; Python {where['python']}. At most {where['limit']:g} s for an instance "
        f"of random rows ({where['large_limit']:g} s for {LARGE[0]:,} × {LARGE[1]:,}). A proof is exact and was "
        "checked in integers.",
        "",
        "## Random rows",
        "",
    ]
    for name, found in results["random"].items():
        lines += random_table(name, found)
    lines += summary(results["random"], peers)
    lines += nasty_tables(results["nasty"], peers, where["nasty_limit"])
    lines += ["## Solvers", "", "| solver | version | how its answer is read |", "|---|---|---|"]
    lines += [f"| {peer.name} | {where['versions'][peer.name]} | {peer.reading} |" for peer in peers]
    lines += [f"| {name} | missing: {reason} | |" for name, reason in where["missing"].items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Times and judges the decision engine and its peers.")
    parser.add_argument("--large", action="store_true", help="also 20,000 × 2,000")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for an instance of random rows (30)")
    parser.add_argument("--large-limit", type=float, default=200.0, help="the same for 20,000 × 2,000 (200)")
    parser.add_argument("--nasty-limit", type=float, default=5.0, help="seconds for a nasty instance (5)")
    parser.add_argument("--sample", type=int, default=1, help="every so many nasty instances (1)")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="solvers whose name holds this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results as JSON")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS.relative_to(ROOT)} and peers.json")
    arguments = parser.parse_args()
    wanted = [
        peer
        for k, peer in enumerate(PEERS)
        if not k or not arguments.only or any(text.lower() in peer.name.lower() for text in arguments.only)
    ]
    absent = {peer.name: reason for peer in wanted if (reason := peer.missing()) is not None}
    peers = [peer for peer in wanted if peer.name not in absent]
    with tempfile.TemporaryDirectory() as scratch:  # programs that are stopped leave their files behind
        os.environ["TMPDIR"] = scratch
        results = measure(peers, arguments)
    results["environment"] = environment(peers, absent, arguments)
    text = tables(results, peers)
    print(text, end="")
    files = [arguments.json] if arguments.json else []
    if arguments.record:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, "utf-8")
        files.append(RESULTS.with_suffix(".json"))
    for path in files:
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    ours = peers[0].name
    return 0 if all(record[ours]["right"] for part in ("random", "nasty") for record in results[part].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
