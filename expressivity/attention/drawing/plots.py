"""Figures of tables and of models: QK and OV tables, and who attends where.

Every number in a figure comes exactly (or enclosed) from the tables; only the weights of a model are run in floating
point. Each function draws into ``ax`` if one is given, else into a new figure, and returns the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from expressivity.attention.drawing.layout import HeadView, Tables, TablesView
from expressivity.attention.drawing.shares import Share, attention_shares, middle, share_text
from expressivity.attention.layered import LayeredTables
from expressivity.attention.tables import ZERO, HeadTables
from expressivity.errors import InputError
from expressivity.pictures import Canvas, Cell, Grid, canvas, number_text, visible
from expressivity.pictures.canvas import LINE, widest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from expressivity.attention.models.transformer import AttentionOnlyTransformer

PAGE = 7.0  # inches: a paper's text across both columns
GAP, EDGE = 0.25, 0.05
NEAR_ZERO = 0.0005  # shares below this stay in the background


def plot_qk(tables: Tables, head: int | str = 0, *, ax: Axes | None = None) -> Axes:
    """A head's QK table: destinations down, sources across; scores coloured around 0, odds around 1.

    Args:
        tables: of one layer or of several.
        head: its place among all heads, or its name.
        ax: where to draw.

    Raises:
        InputError: no such head, or matplotlib is missing.
    """
    view = TablesView.of(tables).head(head)
    ends = view.ends or ("everywhere",)
    table = view.attention or ((view.default,) * len(view.keys),)
    return _alone(_qk(view, ends, view.keys, table, f"{visible(view.name, 40)}: {view.kind}"), ax)


def plot_ov(tables: Tables, head: int | str = 0, *, ax: Axes | None = None) -> Axes:
    """A head's OV table: what it writes from each source (down) to each output (across), coloured around 0.

    Arguments and errors are those of :func:`plot_qk`.
    """
    view = TablesView.of(tables).head(head)
    return _alone(_values(view.values, view.sources, view.targets, f"{visible(view.name, 40)}: writes to"), ax)


def plot_tables(tables: Tables, *, ax: Axes | None = None) -> Axes:
    """All tables of a model, as a paper prints them: for each head a row for each source, with its score (or odds) from
    each destination and what is written from it; then the direct path.

    Raises:
        InputError: matplotlib is missing.
    """
    view = TablesView.of(tables)
    blocks = [_head_block(head) for head in view.heads]
    if view.direct or not blocks:
        blocks.append(_block("direct path", [_values(view.direct, view.ends, view.outputs, "writes to")]))
    spots, width, height = _shelved([block.size for block in blocks])
    room = canvas(ax, width, height)
    for block, (x, y) in zip(blocks, spots, strict=True):
        block.draw(room, x, y)
    return room.axes


def plot_pattern(
    what: Tables | AttentionOnlyTransformer,
    context: Sequence[str],
    *,
    head: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Where attention goes in one context.

    Without ``head``, a row for each head: the shares that the destination gives to every place. With it, that head's
    whole pattern, a row for each destination in turn.

    Args:
        what: tables of one layer, whose shares are exact or enclosed, or any model, which is run.
        context: sources, then the destination.
        head: a place among all heads, layer by layer.
        ax: where to draw.

    Raises:
        InputError: tables of several layers (compile them), a token that the model has not, no such head.
    """
    patterns, names = _patterns(what, context)
    if head is None:
        shares: list[Sequence[Share | float | None]] = [pattern[-1] for pattern in patterns]
        rows, title = names, f"attention from {visible(context[-1])}"
    elif 0 <= head < len(patterns):
        shares = [[*row, *[None] * (len(context) - len(row))] for row in patterns[head]]
        rows, title = list(context), names[head]
    else:
        raise InputError(f"there is no head {head}; there are {len(patterns)}, counted from 0")
    cells = [[None if share is None else _share(share) for share in row] for row in shares]
    return _alone(Grid(cells, rows, list(context), "share", title), ax)


# ------------------------------------------------------------------------------------------------ parts


@dataclass(frozen=True)
class _Block:
    """Grids side by side under one heading."""

    heading: str
    grids: list[Grid]

    @property
    def size(self) -> tuple[float, float]:
        panels = [grid.panel for grid in self.grids]
        width, height = sum(panel.outer[0] for panel in panels), max(panel.outer[1] for panel in panels)
        return max(width, panels[0].left + 1.12 * widest([self.heading])), height + 1.05 * LINE

    def draw(self, room: Canvas, x: float, y: float) -> None:
        panels = [grid.panel for grid in self.grids]
        top = max(panel.top for panel in panels)
        room.write(self.heading, x + panels[0].left, y)
        for grid, panel in zip(self.grids, panels, strict=True):
            grid.draw(room.place(replace(panel, top=top), x, y + 1.05 * LINE), room.font)
            x += panel.outer[0]


def _block(heading: str, grids: Sequence[Grid]) -> _Block:
    """Where all grids have the same rows, only the first names them, and all hold their numbers or none."""
    if len({tuple(grid.rows) for grid in grids}) > 1:
        return _Block(heading, [replace(grid, is_written=grid.fits) for grid in grids])
    fits = all(grid.fits for grid in grids)
    return _Block(heading, [replace(grid, is_written=fits, is_named=i == 0) for i, grid in enumerate(grids)])


def _head_block(view: HeadView) -> _Block:
    grids = [_values(view.values, view.sources, view.targets, "writes to")]
    if view.ends:
        upright = tuple(zip(*view.attention, strict=True))
        grids.insert(0, _qk(view, view.keys, view.ends, upright, f"{view.kind} at"))
    return _block(visible(view.title, 48), grids)


def _qk(
    view: HeadView, rows: Sequence[str], columns: Sequence[str], table: Sequence[Sequence[Fraction]], title: str
) -> Grid:
    cells = [[_number(value, view.default) for value in row] for row in table]
    return Grid(cells, rows, columns, "odds" if view.is_odds else "signed", title)


def _values(table: Sequence[Sequence[Fraction]], rows: Sequence[str], columns: Sequence[str], title: str) -> Grid:
    return Grid([[_number(value, ZERO) for value in row] for row in table], rows, columns, "signed", title)


def _number(value: Fraction, default: Fraction) -> Cell:
    try:
        number = float(value)
    except OverflowError:
        number = 1e300 if value > 0 else -1e300
    return Cell(number, number_text(value), value == default)


def _share(share: Share | float) -> Cell:
    number, text = (share, number_text(share)) if isinstance(share, float) else (middle(share), share_text(share))
    return Cell(number, text, number < NEAR_ZERO)


def _alone(grid: Grid, ax: Axes | None) -> Axes:
    """A single grid: it fills the given axes, or a figure of its size."""
    grid = replace(grid, is_written=grid.fits)
    if ax is not None:
        return grid.draw(ax)
    panel = grid.panel
    room = canvas(None, panel.outer[0] + 2 * EDGE, panel.outer[1] + 2 * EDGE)
    return grid.draw(room.place(panel, EDGE, EDGE))


def _shelved(sizes: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], float, float]:
    """Places for blocks side by side, on a new line where the page ends, and the size of the whole."""
    spots, x, y, tall, wide = [], EDGE, EDGE, 0.0, 0.0
    for width, height in sizes:
        if x > EDGE and x + width > PAGE:
            x, y, tall = EDGE, y + tall + GAP, 0.0
        spots.append((x, y))
        x, tall = x + width + GAP, max(tall, height)
        wide = max(wide, x - GAP)
    return spots, wide + EDGE, y + tall + EDGE


def _patterns(
    what: Tables | AttentionOnlyTransformer, context: Sequence[str]
) -> tuple[list[list[Sequence[Share | float]]], list[str]]:
    """For each head its shares from every place to those up to it, and the heads' names."""
    if isinstance(what, LayeredTables):
        raise InputError("these tables have several layers; compile them and plot the pattern of the model")
    if not context:
        raise InputError("the context is empty; expected at least one token, the destination")
    if isinstance(what, HeadTables):
        by_end = [attention_shares(what, context[: i + 1]) for i in range(len(context))]
        names = [visible(head.name or f"head {h}", 24) for h, head in enumerate(what.heads)]
        return [[rows[h] for rows in by_end] for h in range(len(what.heads))], names
    import torch

    found: list[list[Sequence[Share | float]]] = []
    with torch.no_grad():
        stream = what.embed(what.encode([context]).to(what.W_E.device))
        for block in what.blocks:
            for pattern in block.pattern(stream)[0].double().cpu().tolist():  # type: ignore[operator]
                found.append([row[: i + 1] for i, row in enumerate(pattern)])
            stream = stream + block(stream)
    layers = len(what.blocks)
    names = [f"head {h}" if layers == 1 else f"head {n}.{h}" for n in range(layers) for h in range(what.n_heads)]
    return found, names
