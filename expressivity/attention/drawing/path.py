"""The way from a source token to a logit, as a figure: score, share, value, and what they carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from expressivity.attention.drawing.shares import Path, middle, path_to_logit, plus, share_text
from expressivity.attention.tables import HeadTables
from expressivity.pictures import Panel, canvas, number_text, visible
from expressivity.pictures.canvas import BLUE, GREY, INK, LINE, ORANGE, PALE, RULE, widest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, COLUMN, BARS = 0.24, 0.62, 1.7  # inches
SHARE_BAR = 0.8  # of a column's width, for a share of 1


def plot_path(
    tables: HeadTables,
    context: Sequence[str],
    source: int | str,
    output: str,
    *,
    against: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how a source token acts on a logit: for each head its score, the share of attention that this earns, the
    value written from there, and their product, which is what reaches the logit. Below the line stands what comes
    from elsewhere, and the sum of all.

    Args:
        tables: one layer.
        context: sources, then the destination.
        source: a position from 0, or a token that stands at one position only.
        output: whose logit.
        against: an output whose logit is subtracted.
        ax: where to draw; by default in a new figure.

    Raises:
        InputError: no such place or output, or matplotlib is missing.
    """
    path = path_to_logit(tables, context, source, output, against)
    token = visible(source if isinstance(source, str) else context[source])
    goal = f"logit {visible(output)}" + ("" if against is None else f" − logit {visible(against)}")
    return _draw(ax, path, f"from {token} to {goal} in “{' '.join(map(visible, context))}”", goal)


def _draw(ax: Axes | None, path: Path, title: str, goal: str) -> Axes:
    names = [visible(step.head or f"head {i}", 24) for i, step in enumerate(path.steps)]
    rest = [("other places", plus(path.others)), ("direct path", path.direct), (goal, path.total)]
    labels = [*names, *(name for name, _ in rest)]
    parts = [*(step.carried for step in path.steps), *(amount for _, amount in rest)]
    amounts, texts = [middle(part) for part in parts], [share_text(part) for part in parts]
    beside = [widest([t for t, a in zip(texts, amounts, strict=True) if (a < 0) is low]) for low in (True, False)]
    columns = Panel(3 * COLUMN, ROW * len(labels), left=widest(labels) + 0.15, top=2.6 * LINE, bottom=0.05)
    bars = Panel(BARS, columns.height, left=beside[0] + 0.15, top=columns.top, right=beside[1] + 0.12, bottom=0.05)
    room = canvas(ax, columns.outer[0] + bars.outer[0], columns.outer[1])
    room.write(title, 0.03, 0.03)
    left, right = room.place(columns, 0, 0), room.place(bars, columns.outer[0], 0)
    most = max(map(abs, amounts), default=0.0) or 1.0
    left.set_xlim(0, 3)
    right.set_xlim(-most if min(amounts) < 0 else -most / 8, most if max(amounts) > 0 else most / 8)
    for axes in (left, right):
        axes.set(ylim=(len(labels) - 0.5, -0.5), xticks=[], yticks=[])
        axes.patch.set_visible(False)
        for side in axes.spines.values():
            side.set_visible(False)
    left.set_yticks(range(len(labels)), labels, fontsize=room.font, parse_math=False)
    left.tick_params(length=0)
    _columns(left, path, room.font)
    _bars(right, amounts, texts, len(path.steps), room.font)
    for y, colour in ((len(path.steps) - 0.5, RULE), (len(labels) - 1.5, GREY)):
        left.plot([0, 3 + (bars.left + BARS) / COLUMN], [y, y], color=colour, linewidth=0.6, clip_on=False)
    return room.axes


def _columns(axes: Axes, path: Path, font: float) -> None:
    first = "odds" if path.steps and path.steps[0].is_odds else "score"
    for x, text in enumerate((first, "→ share", "× value")):
        _put(axes, text, x + 0.5, -0.85, font, GREY)
    shares = [SHARE_BAR * middle(step.share) for step in path.steps]
    axes.barh(range(len(shares)), shares, 0.66, left=1.1, color=PALE)
    for i, step in enumerate(path.steps):
        _put(axes, number_text(step.score), 0.5, i, font)
        _put(axes, share_text(step.share), 1.5, i, font)
        _put(axes, number_text(step.value), 2.5, i, font)


def _bars(axes: Axes, amounts: Sequence[float], texts: Sequence[str], n_heads: int, font: float) -> None:
    """What is carried, in units of the logit."""
    last, most = len(amounts) - 1, max(map(abs, amounts))
    colours = [GREY if n_heads <= i < last else BLUE if a >= 0 else ORANGE for i, a in enumerate(amounts)]
    axes.barh(range(len(amounts)), amounts, 0.55, color=colours)
    axes.plot([0, 0], [-0.5, last + 0.5], color=INK, linewidth=0.6)
    _put(axes, "= carried", 0, -0.85, font, GREY)
    for i, (text, amount) in enumerate(zip(texts, amounts, strict=True)):
        below = amount < -most / 500
        at = axes.annotate(
            text, (amount, i), (-4 if below else 4, 0), textcoords="offset points", fontsize=font, color=INK,
            ha="right" if below else "left", va="center_baseline", annotation_clip=False,
        )  # fmt: skip
        at.set_parse_math(False)


def _put(axes: Axes, text: str, x: float, y: float, font: float, colour: str = INK) -> None:
    style = {"fontsize": font, "ha": "center", "va": "center_baseline", "parse_math": False}
    axes.text(x, y, text, color=colour, **style)  # type: ignore[arg-type]
