"""How fast every context is evaluated: by a plain forward pass, by enumeration, and by symmetry.

    python benchmarks/exhaustive.py            prints the tables
    python benchmarks/exhaustive.py --record   also writes them to benchmarks/results/exhaustive.md

The model is the gallery's ``ov_coherent_width_one``: 12 tokens, 10 outputs. *All* sequences of LENGTH sources are
evaluated, not only those with two signals: each is asked for the outputs that exact arithmetic puts on top, so every
method has to find the same argmax for 12^LENGTH contexts. The methods take turns; medians of RUNS runs. A forward pass
is given the batch size that suits it best, and tokens that are encoded already.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import torch

from expressivity.attention import exact_margins, exact_weights
from expressivity.attention.evaluation.enumeration import can_fuse, enumerate_contexts
from expressivity.attention.evaluation.three_ways import device_name, device_of
from expressivity.attention.margins import orbits_of
from expressivity.heads.gallery import load_construction
from expressivity.task import Domain, Top

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "exhaustive.md"
RUNS = 5
BATCHES = (256, 1024, 4096, 16384)
SIGNALS = "1234"
KINDS = {**{signal: signal for signal in SIGNALS}, "other": ("0", *map(str, range(5, 12)))}
WANTED = 200  # times a forward pass, by enumeration on a CPU


def every_sequence(length: int) -> Domain:
    """All sequences, each asked for the outputs that the construction puts on top in exact arithmetic."""
    construction = load_construction(f"ov_coherent_width_one:{length}")
    tables, outputs = construction.tables(), construction.task.outputs
    known: dict[tuple[int, ...], Top] = {}

    def domain(ask: Callable[[str, dict[str, int]], object]) -> Domain:
        return Domain(
            f"all sequences of {length}", kinds=KINDS, length=length, destinations="0", ask=ask, outputs=outputs
        )

    for case in domain(lambda *_: "11").cases():
        logits = dict.fromkeys(outputs, Fraction(0)) | tables.logits(case.context)
        most = max(logits.values())
        known[tuple(case.counts.values())] = Top([y for y in outputs if logits[y] == most])
    return domain(lambda _, counts: known[tuple(counts.values())])


def seconds(action: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def forward_pass(model: torch.nn.Module, length: int, device: torch.device) -> tuple[Callable[[], object], int]:
    """A forward pass and its argmax, for the batch size that takes least time for a context."""
    model.to(device)

    def run(tokens: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model(tokens)[:, -1].argmax(-1)

    found = []
    for batch in BATCHES:
        tokens = torch.randint(0, 12, (batch, length + 1), device=device)
        run(tokens)
        found.append(
            (statistics.median(seconds(lambda t=tokens: run(t), device) for _ in range(3)) / batch, batch, tokens)
        )
    _, batch, tokens = min(found, key=lambda entry: entry[0])
    return lambda: run(tokens), batch


def arithmetic_limit(device: torch.device, fused: bool) -> float:
    """Operations a second on data at hand: chains of products and sums in float32, compiled if that is possible."""

    def chains(x: torch.Tensor) -> torch.Tensor:
        parts = [x + i for i in range(8)]
        for _ in range(32):
            parts = [part * 0.999 + 0.001 for part in parts]
        return sum(parts[1:], start=parts[0]).sum()

    kernel = torch.compile(chains) if fused else chains
    size = 1 << 24 if device.type == "cuda" else 1 << 20
    x = torch.rand(size, device=device)
    kernel(x)
    return size * 8 * 32 * 2 / min(seconds(lambda: kernel(x), device) for _ in range(10))


def report(length: int, longer: int, orbit_length: int, name: str | None) -> tuple[str, float]:
    device = device_of(name)
    fused = can_fuse(device)
    domain = every_sequence(length)
    construction = load_construction(f"ov_coherent_width_one:{length}")
    tables = construction.tables()
    weights = exact_weights(tables, domain)
    single, double = weights.to_model(), weights.to_model(torch.float64)
    run, batch = forward_pass(weights.to_model(), length, device)

    def enumeration(model: torch.nn.Module) -> Callable[[], object]:
        def action() -> None:
            found = enumerate_contexts(model, domain, device=str(device), compiled=False)
            if found.contexts_right != domain.n_contexts:
                sys.exit(f"exhaustive: right on {found.contexts_right} of {domain.n_contexts} contexts")

        return action

    def by_orbits() -> None:
        found = orbits_of(tables, domain)
        if min(exact_margins(tables, found)) <= 0 or found.n_contexts != domain.n_contexts:
            sys.exit("exhaustive: the orbits do not cover what they should")

    methods: dict[str, tuple[Callable[[], object], int]] = {
        f"forward pass, float32, {batch} at a time": (run, batch),
        "enumeration, float32": (enumeration(single), domain.n_contexts),
        "enumeration, float64": (enumeration(double), domain.n_contexts),
    }
    methods["orbits, exact fractions"] = (by_orbits, domain.n_contexts)
    taken: dict[str, list[float]] = {method: [] for method in methods}
    for turn in range(RUNS + 1):
        for method, (action, many) in methods.items():
            took = seconds(action, device) / many
            if turn:
                taken[method].append(took)
    found = {method: statistics.median(times) for method, times in taken.items()}
    base = next(iter(found.values()))
    lines = [
        "# Every context",
        "",
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, {platform.system()} on {processor()}, "
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads; device {device_name(device)}. Medians of {RUNS} "
        "runs; all of a method's work is counted, from the task to the verdict.",
        "",
        f"## All {domain.n_contexts:,} sequences of {length} sources, 12 tokens, 10 outputs, one head",
        "",
        "| method | contexts per second | nanoseconds for a context | against the forward pass |",
        "|---|---:|---:|---:|",
        *(
            f"| {method} | {1 / took:,.0f} | {took * 1e9:,.3g} | {base / took:,.0f}× |"
            for method, took in found.items()
        ),
        "",
        *(_longer(longer, device) if fused and longer else []),
        *_orbits(orbit_length),
    ]
    return "\n".join(lines), base / found["enumeration, float32"]


def _longer(length: int, device: torch.device) -> list[str]:
    """The fused kernel on so many contexts that nothing else counts, against the device's arithmetic."""
    domain = every_sequence(length)
    model = exact_weights(load_construction(f"ov_coherent_width_one:{length}").tables(), domain).to_model()
    times = [
        seconds(lambda: enumerate_contexts(model, domain, device=str(device), compiled=True), device)
        for _ in range(RUNS + 1)
    ]
    took, compiling = statistics.median(times[1:]), times[0]
    # For each of 9 outputs an addition, a product and a comparison; a sum and a quotient for the odds; the margin.
    operations = 9 * 3 + 2 + 4
    limit = arithmetic_limit(device, True)
    rate = domain.n_contexts / took
    return [
        f"## All {domain.n_contexts:,} sequences of {length} sources",
        "",
        f"The fused kernel takes {took:.2f} s: {rate:,.0f} contexts per second, {1e9 / rate:.2g} ns each; the "
        f"first time, with compiling, {compiling:.0f} s. About "
        f"{operations} operations a context make {rate * operations / 1e9:.0f} G operations per second; chains of "
        f"products and sums in registers, compiled in the same way, reach {limit / 1e9:.0f} G here: of that it is "
        f"{rate * operations / limit:.0%}.",
        "",
    ]


def _orbits(length: int) -> list[str]:
    domain = load_construction(f"ov_coherent_width_one:{length}").task
    tables = load_construction(f"ov_coherent_width_one:{length}").tables()
    if not isinstance(domain, Domain):
        sys.exit("exhaustive: expected a domain")
    took = statistics.median(
        seconds(lambda: exact_margins(tables, orbits_of(tables, domain)), torch.device("cpu")) for _ in range(RUNS)
    )
    found = orbits_of(tables, domain)
    least = min(exact_margins(tables, found))
    return [
        f"## Two signals among {length} sources, by symmetry",
        "",
        f"C({length}, 2)·4²·7^{length - 2} contexts, a number of {len(str(domain.n_contexts))} digits, in "
        f"{len(found.orbits)} classes with equal logits, evaluated in exact fractions in {took * 1000:.1f} ms. The "
        f"least margin of all is {least}.",
        "",
    ]


def processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(description="Times the evaluation of every context.")
    parser.add_argument("--length", type=int, default=6, help="sources of the sequences, 2 to 6")
    parser.add_argument(
        "--longer", type=int, default=8, help="sources of the sequences for the fused kernel alone; 0: none"
    )
    parser.add_argument("--orbits", type=int, default=64, help="sources of the contexts that are covered by symmetry")
    parser.add_argument("--device", help="as torch names it; by default the accelerator if there is one")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    tables, ratio = report(arguments.length, arguments.longer, arguments.orbits, arguments.device)
    print(tables, end="")
    if arguments.record:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(tables, "utf-8")
    if ratio < WANTED:
        print(
            f"exhaustive: enumeration is {ratio:.0f} times as fast as a forward pass; wanted {WANTED}", file=sys.stderr
        )
    return 0 if ratio >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
