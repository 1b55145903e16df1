"""Tables and pictures of the atlas: ``python docs/studies/atlas.py``; ``--draw`` writes the pictures anew.

They are made from the short tables beside the page, which are censuses':

    expressivity census 5 --out build/census-5
    expressivity census 5 --out build/census-5 --restarts 600
    expressivity census 5 --out build/census-5 --restarts 4000
    expressivity census 5 --out build/census-5 --restarts 30000
    expressivity census 6 --sample 1000 --restarts 44 --out build/census-6

and are copied there as ``five_inputs.parquet`` and ``six_inputs.parquet``. The smaller ones are made on the spot.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from expressivity.census import run_census
from expressivity.census.functions import truth_table

ATLAS = Path(__file__).parents[1] / "atlas"
Table = dict[str, list[Any]]


def table(inputs: int) -> Table:
    """The short table of a census: made for up to four inputs, read for five and six."""
    if inputs <= 4:
        return run_census(inputs).table
    import pyarrow.parquet as parquet

    return dict(parquet.read_table(ATLAS / {5: "five_inputs.parquet", 6: "six_inputs.parquet"}[inputs]).to_pydict())


def bounds(lower: int, upper: int | None) -> str:
    """``3``, or ``3 to 4`` where the bounds do not meet."""
    return str(lower) if lower == upper else f"{lower} to {'?' if upper is None else upper}"


def by_order(found: Table) -> str:
    """Classes and functions by order and bounds on heads."""
    keys = list(zip(found["order"], found["heads_lower"], found["heads_upper"], strict=True))
    classes, functions = Counter(keys), Counter[Any]()
    for key, size in zip(keys, found["functions"], strict=True):
        functions[key] += size
    total = sum(functions.values())
    lines = ["| order | heads | classes | functions | share |", "|---|---|---|---|---|"]
    for order, lower, upper in sorted(classes, key=str):
        key = (order, lower, upper)
        share = f"{functions[key] / total:.5%}"
        lines.append(f"| {order} | {bounds(lower, upper)} | {classes[key]:,} | {functions[key]:,} | {share} |")
    return "\n".join(lines)


def all_sizes() -> str:
    """Functions of one to five inputs by order."""
    counts = {}
    for inputs in range(1, 6):
        found = table(inputs)
        counts[inputs] = Counter[int]()
        for order, size in zip(found["order"], found["functions"], strict=True):
            counts[inputs][order] += size
    lines = ["| inputs | " + " | ".join(f"order {order}" for order in range(2, 8)) + " |", "|---" * 7 + "|"]
    for inputs, found_ in counts.items():
        cells = (f"{found_[order]:,}" if found_[order] else "" for order in range(2, 8))
        lines.append(f"| {inputs} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def open_ones(found: Table, inputs: int) -> str:
    """The functions whose bounds do not meet."""
    lines = [
        f"| `bits:{truth_table(word, inputs)}` | {bounds(lower, upper)} | {size:,} |"
        for word, lower, upper, size in zip(
            found["function"], found["heads_lower"], found["heads_upper"], found["functions"], strict=True
        )
        if lower != upper
    ]
    return "\n".join(["| function | heads | functions in its class |", "|---|---|---|", *lines]) if lines else "None."


def sampled(found: Table) -> str:
    """A sample by order and bounds on heads."""
    counts = Counter(zip(found["order"], found["heads_lower"], found["heads_upper"], strict=True))
    lines = ["| order | heads | of the sample |", "|---|---|---|"]
    lines += [f"| {o} | {bounds(a, b)} | {counts[o, a, b]:,} |" for o, a, b in sorted(counts, key=str)]
    closed = sum(many for (_, a, b), many in counts.items() if a == b)
    return "\n".join([*lines, "", f"The bounds meet for {closed / sum(counts.values()):.1%}."])


def sections() -> dict[str, str]:
    """What the page shows, by the name of its place there."""
    five = table(5)
    return {
        "five": by_order(five),
        "sizes": all_sizes(),
        "open": open_ones(five, 5),
        "six": sampled(table(6)),
    }


def draw() -> None:
    """The two pictures: orders by the number of inputs, and by how many inputs make the value 1."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "atlas"
    import numpy as np
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    colours = pyplot.get_cmap("viridis")(np.linspace(0.1, 0.9, 6))
    for inputs in range(1, 6):
        found, left = table(inputs), 0.0
        total = sum(found["functions"])
        for order in range(2, 8):
            sizes = zip(found["order"], found["functions"], strict=True)
            share = sum(size for each, size in sizes if each == order) / total
            axes.barh(inputs, share, left=left, color=colours[order - 2], label=f"{order}" if inputs == 5 else None)
            left += share
    axes.set(xlabel="share of all functions", ylabel="inputs", xlim=(0, 1))
    figure.legend(title="order", loc="outside right center")
    figure.savefig(ATLAS / "orders.svg", metadata={"Date": None})

    five = table(5)
    ones = np.array([int(word).bit_count() for word in five["function"]])
    ones = np.minimum(ones, 32 - ones)
    order, sizes = np.array(five["order"]), np.array(five["functions"], dtype=float)
    shares = np.array([np.bincount(ones[order == k], sizes[order == k], minlength=17) for k in range(2, 8)])
    shares /= shares.sum(axis=0)
    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    axes.stackplot(range(17), shares, colors=colours, labels=[str(k) for k in range(2, 8)])
    axes.set(xlabel="inputs with the rarer value, of 32", ylabel="share of functions", xlim=(0, 16), ylim=(0, 1))
    figure.legend(title="order", loc="outside right center")
    figure.savefig(ATLAS / "ones.svg", metadata={"Date": None})


@click.command()
@click.option("--draw", "pictures", is_flag=True, help="Write the pictures anew.")
def main(pictures: bool) -> None:
    """Print the tables of the atlas."""
    for name, text in sections().items():
        click.echo(f"{name}\n\n{text}\n")
    if pictures:
        draw()


if __name__ == "__main__":
    main()
