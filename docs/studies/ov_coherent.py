"""Two signals among noise, in figures: ``python docs/studies/ov_coherent.py``.

The task of Greenspan & Wynroe (2023). First the least margin of two heads of inverted attention by the odds R between
neighbouring signals, exact, over every context. Then how many heads of which width do the task at all, with and without
a bias of the outputs (a direct path). Each yes is a construction
of the gallery, padded with idle heads and certified for that number of heads and that width. The one no is a proof:
without a bias one head of width 1 has the logits t·o_y, with one number t for each context, so that only the outputs
with the largest and the least o_y are ever on top, two of ten. Nothing is open.
"""

from __future__ import annotations

from fractions import Fraction

import click

from expressivity import Refuted, Verdict
from expressivity.attention import exact_margins
from expressivity.attention.margins import orbits_of
from expressivity.heads.gallery import load_construction
from expressivity.heads.sandwich import certify_tables, padded
from expressivity.task import ov_coherent

RATIOS = ("17/10", "7/4", "2", "12/5", "5/2", "3", "4", "10", "100")
LENGTH = 3
HEADS, WIDTHS = range(1, 4), range(1, 5)
WITH_BIAS = ("ov_coherent_width_one",)
WITHOUT = ("ov_coherent_without_bias", "ov_coherent_two_narrow")
IMPOSSIBLE = "no: two answers at most"


def cell(heads: int, d_head: int, bias: bool) -> tuple[str, Verdict | None]:
    """The name of a construction that is proved for these sizes, with its certificate; or why there is none."""
    for name in WITH_BIAS if bias else WITHOUT:
        construction = load_construction(f"{name}:{LENGTH}")
        tables = construction.tables()
        if len(tables.heads) > heads or (tables.direct and not bias):
            continue
        try:
            return name, certify_tables(ov_coherent(LENGTH), padded(tables, heads), name, d_head=d_head)
        except Refuted:  # too wide
            continue
    if not bias and heads == d_head == 1:
        return IMPOSSIBLE, None
    return "open", None


def least_margin(ratio: str) -> Fraction:
    """Of ``ov_coherent_inverted`` with 64 sources, exact, over all contexts: one stands for those with equal logits."""
    construction = load_construction(f"ov_coherent_inverted:{ratio}")
    tables = construction.tables()
    return min(exact_margins(tables, orbits_of(tables, construction.task)))


def main() -> None:
    """Print the three tables."""
    click.echo("| R | least margin | in decimals | (R − 1)/(2(R + 1)) |\n|---|---|---|---|")
    for ratio in RATIOS:
        least, r = least_margin(ratio), Fraction(ratio)
        click.echo(f"| {ratio} | {least} | {float(least):.6f} | {float((r - 1) / (2 * (r + 1))):.6f} |")
    click.echo()
    for title, bias in (("with a bias", True), ("without a bias", False)):
        click.echo(f"| {title} | " + " | ".join(f"d_head {width}" for width in WIDTHS) + " |")
        click.echo("|---|" + "---|" * len(WIDTHS))
        for heads in HEADS:
            cells = (cell(heads, width, bias)[0] for width in WIDTHS)
            click.echo(f"| {heads} head{'s' * (heads > 1)} | " + " | ".join(cells) + " |")
        if bias:
            click.echo()


if __name__ == "__main__":
    main()
