"""How fast skip-gram features are made, against scikit-learn's ``CountVectorizer`` making the same ones.

    python benchmarks/vectorizer.py                      prints the tables
    python benchmarks/vectorizer.py --tokens 1000000     more of the corpus for the comparison
    python benchmarks/vectorizer.py --large 10000000     and a large corpus, by the vectorizer alone
    python benchmarks/vectorizer.py --record             also writes them to benchmarks/results/vectorizer.md

The corpus is the source text of the Python that runs this, words and signs as tokens, repeated where that is not
enough. The peer gets an analyzer written for speed that returns the names of the features of a context. Both get the
same list of contexts; the vectorizer can also read the list of tokens itself. They take turns, the table shows the
median of RUNS runs, and the matrices are compared name by name, value by value. Peaks of memory are those of a process
that does nothing else, its input included.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.feature_extraction.text import CountVectorizer

from expressivity.skipgrams import SkipGrams, design
from expressivity.skipgrams.encode import encode
from expressivity.skipgrams.lexicon import Lexicon
from expressivity.skipgrams.vectorizer import SkipGramVectorizer

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "vectorizer.md"
RUNS = 3
WINDOW = 8
CONVENTIONS = ("absolute", "anywhere", "count")
Context = tuple[str, ...]


def corpus(tokens: int) -> tuple[list[str], int]:
    """So many tokens of the standard library's sources, and how many of them are not repetitions."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" not in path.parts:
            found += re.findall(r"\w+|[^\w\s]", path.read_text("utf-8", "replace"))
        if len(found) >= tokens:
            break
    return list(islice(cycle(found), tokens)), min(tokens, len(found))


def absolute(context: Context) -> list[str]:
    *sources, end = context
    return [end, *[f"{token}@{i}… {end}" for i, token in enumerate(sources)]]


def anywhere(context: Context) -> list[str]:
    *sources, end = context
    return [end, *[f"{token}… {end}" for token in set(sources)]]


def count(context: Context) -> list[str]:
    *sources, end = context
    return [end, *[f"{token}… {end}" for token in sources]]


ANALYZERS = {"absolute": absolute, "anywhere": anywhere, "count": count}


def seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(ours: SkipGramVectorizer, peer: CountVectorizer, contexts: list[Context]) -> None:
    """Ends the run unless both make the same matrix."""
    one, other = ours.transform(contexts), peer.transform(contexts)
    names = ours.get_feature_names_out()
    columns = [peer.vocabulary_[name] for name in names]
    if sorted(columns) != list(range(len(peer.vocabulary_))) or (one != other[:, columns]).nnz:
        sys.exit(f"vectorizer: the two matrices differ for positions={ours.positions!r}")


def comparison(tokens: int) -> list[str]:
    text, new = corpus(tokens)
    contexts = [tuple(text[i - WINDOW : i + 1]) for i in range(WINDOW, len(text))]
    lines = [
        f"## {len(contexts):,} contexts of {WINDOW} sources, order 3",
        "",
        f"{new:,} tokens of source text, {len(set(text)):,} of them distinct. Seconds; the ratio is the peer's time "
        "by ours.",
        "",
        "| positions | | features | CountVectorizer | ours, contexts | ratio | ours, corpus | ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for positions in CONVENTIONS:
        ours = SkipGramVectorizer(3, positions, window=WINDOW)
        peer = CountVectorizer(analyzer=ANALYZERS[positions])
        for method in ("fit_transform", "transform"):
            taken: list[list[float]] = [[], [], []]
            for _ in range(RUNS):
                taken[2].append(seconds(lambda ours=ours, method=method: getattr(ours, method)(text)))
                taken[1].append(seconds(lambda ours=ours, method=method: getattr(ours, method)(contexts)))
                taken[0].append(seconds(lambda peer=peer, method=method: getattr(peer, method)(contexts)))
            theirs, one, other = map(statistics.median, taken)
            many = len(ours.lexicon_)
            lines.append(
                f"| {positions} | `{method}` | {many:,} | {theirs:.2f} | {one:.2f} | {theirs / one:.1f}× "
                f"| {other:.2f} | {theirs / other:.1f}× |"
            )
        compare(ours, peer, contexts)
    return [*lines, "", "The matrices agree, name by name and value by value.", ""]


def alone(task: str, size: int, positions: str) -> str:
    """One row of a table, made in a process of its own."""
    command = [sys.executable, __file__, "--only", task, str(size), positions]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def peak() -> float:
    """The largest resident memory so far, in GiB."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def large(size: int, positions: str) -> str:
    text, _ = corpus(size)
    before = peak()
    ours = SkipGramVectorizer(3, positions, window=WINDOW)
    shapes: list[Any] = []
    learning = seconds(lambda: shapes.append(ours.fit_transform(text)))
    matrix = shapes.pop()
    rows, columns, entries = *matrix.shape, matrix.nnz
    del matrix
    again = seconds(lambda: ours.transform(text))
    return (
        f"| {positions} | {rows:,} × {columns:,} | {entries:,} | {learning:.1f} | {again:.1f} "
        f"| {before:.2f} | {peak():.2f} |"
    )


def core(size: int, positions: str) -> str:
    rng = np.random.default_rng(0)
    table = np.array([f"t{i}" for i in range(100)], dtype=object)[rng.integers(0, 100, (size, 16))]
    contexts = [(*sources, "Q") for sources in table.tolist()]
    del table
    before, few, model = peak(), contexts[:10_000], SkipGrams(3, positions)
    start = time.perf_counter()
    encoded = encode(contexts)
    between = time.perf_counter()
    lexicon, looked = Lexicon.learn(encoded, model)
    lexicon.matrix(looked, encoded.size)
    end, most = time.perf_counter(), peak()

    def small() -> None:
        encoded = encode(few)
        lexicon, looked = Lexicon.learn(encoded, model)
        lexicon.matrix(looked, encoded.size)

    ratio = seconds(lambda: design(few, model)) / seconds(small)
    return (
        f"| {positions} | {len(lexicon):,} | {between - start:.1f} | {end - between:.1f} "
        f"| {before:.2f} | {most:.2f} | {ratio:.0f}× |"
    )


def report(tokens: int, large_size: int, contexts: int) -> str:
    lines = [
        "# Skip-gram features",
        "",
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}, {platform.system()} on {platform.machine()}, {os.cpu_count()} cores, "
        f"one of them used; medians of {RUNS} runs.",
        "",
        *comparison(tokens),
    ]
    if large_size:
        lines += [
            f"## A corpus of {large_size:,} tokens, window {WINDOW}, order 3",
            "",
            "The vectorizer alone; seconds, and GiB of a process that holds the list of tokens.",
            "",
            "| positions | matrix | nonzero | `fit_transform` | `transform` | GiB before | GiB at most |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *(alone("large", large_size, positions) for positions in CONVENTIONS),
            "",
        ]
    if contexts:
        lines += [
            f"## {contexts:,} contexts of 16 sources over 100 tokens, order 3",
            "",
            "The encoding that the vectorizer rests on, from tuples of texts; seconds, and GiB of a process that holds "
            "the contexts. The ratio is the time of `design`, which names every feature of every context, by ours on "
            "10,000 of them.",
            "",
            "| positions | features | encoding | features and matrix | GiB before | GiB at most | ratio |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *(alone("core", contexts, positions) for positions in CONVENTIONS),
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the making of skip-gram features.")
    parser.add_argument("--tokens", type=int, default=200_000, help="tokens of the corpus for the comparison")
    parser.add_argument("--large", type=int, default=0, help="tokens of the corpus for the vectorizer alone")
    parser.add_argument("--contexts", type=int, default=1_000_000, help="contexts for the encoding alone")
    parser.add_argument("--record", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        task, size, positions = arguments.only
        print({"large": large, "core": core}[task](int(size), positions))
        return
    tables = report(arguments.tokens, arguments.large, arguments.contexts)
    print(tables, end="")
    if arguments.record:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(tables, "utf-8")


if __name__ == "__main__":
    main()
