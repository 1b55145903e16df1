"""A table of numbers as coloured cells, each with its number in it where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from expressivity.pictures.canvas import FONT, GREY, INK, LINE, RULE, Panel, share_colours, signed_colours, widest
from expressivity.pictures.numbers import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT, WIDTH = 0.25, 0.32  # inches of a cell with its number, at the least
SMALLEST, LARGEST = 0.055, 4.0  # of a cell without, and of all such cells together
MOST_ROWS, MOST_COLUMNS = 32, 20  # with numbers in the cells
MOST_ABREAST = 8  # columns that may be as wide as their names, which stand upright above more
SOFT = 1.4  # how far the colours go beyond the largest number, so that no cell is too dark to read
LABEL = 0.125  # from one label to the next
Kind = Literal["signed", "odds", "share"]


class Cell(NamedTuple):
    """A number for the colour, the text for the cell, and whether the text is to keep in the background."""

    value: float
    text: str
    is_plain: bool = False


@dataclass(frozen=True)
class Grid:
    """A table to draw.

    Attributes:
        cells: row by row, the first at the top; ``None`` leaves a cell empty.
        rows: their names.
        columns: their names, above the cells.
        kind: how colours go with numbers. ``signed``: to both sides of 0. ``odds``: by logarithms to both sides of 1.
            ``share``: from 0 to 1.
        title: above the columns' names.
        is_named: whether the rows have labels; beside a grid with the same rows they need none.
        is_written: whether cells hold their numbers; if not, a bar explains the colours.
    """

    cells: Sequence[Sequence[Cell | None]]
    rows: Sequence[str]
    columns: Sequence[str]
    kind: Kind
    title: str = ""
    is_named: bool = True
    is_written: bool = True

    @property
    def fits(self) -> bool:
        """Whether the cells are few enough to hold their numbers."""
        return len(self.rows) <= MOST_ROWS and len(self.columns) <= MOST_COLUMNS

    @property
    def panel(self) -> Panel:
        """The room that it takes."""
        rows, columns = max(1, len(self.rows)), max(1, len(self.columns))
        names = [visible(name) for name in self.columns]
        if self.is_written:
            width, height, right = WIDTH, HEIGHT, 0.06
            width = max(width, widest(cell.text for row in self.cells for cell in row if cell is not None) + 0.08)
            if columns <= MOST_ABREAST:
                width = max(width, widest(names) + 0.08)
        else:
            width, height = (max(SMALLEST, min(HEIGHT, LARGEST / count)) for count in (columns, rows))
            right = 0.6
        above = widest(names) + 0.05 if widest(names) > width else LINE
        right = max(right, widest([self.title]) - columns * width)
        left = widest(map(visible, self.rows)) + 0.1 if self.is_named else 0.06
        top = above + (0.3 + bool(self.title)) * LINE
        return Panel(columns * width, rows * height, left=left, top=top, right=right, bottom=0.08)

    def draw(self, ax: Axes, font: float = FONT) -> Axes:
        """Draw it so that it fills the axes, with letters of this size."""
        import numpy as np

        values = np.array([[np.nan if c is None else c.value for c in row] for row in self.cells], dtype=float)
        values = values.reshape(len(self.rows), len(self.columns))
        norm, colours = _colouring(self.kind, values)
        edges = RULE if self.is_written else "none"
        mesh = ax.pcolormesh(np.ma.masked_invalid(values), cmap=colours, norm=norm, edgecolors=edges, linewidth=0.6)
        ax.set(xlim=(0, max(1, len(self.columns))), ylim=(max(1, len(self.rows)), 0))
        for side in ax.spines.values():
            side.set_visible(False)
        ax.tick_params(length=0, labelsize=font, pad=2, top=False, labeltop=True, bottom=False, labelbottom=False)
        self._name(ax)
        if self.title:
            ax.set_title(self.title, fontsize=font, color=GREY, pad=4, loc="left", parse_math=False)
        if not self.is_written and values.size:
            bar = ax.inset_axes((1 + 0.06 / self.panel.width, 0.0, 0.1 / self.panel.width, 1.0))
            ax.figure.colorbar(mesh, cax=bar).ax.tick_params(labelsize=font)
        for i, row in enumerate(self.cells if self.is_written else ()):
            for j, cell in enumerate(row):
                if cell is not None:
                    red, green, blue, _ = colours(norm(cell.value))
                    is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
                    colour = "white" if is_dark else GREY if cell.is_plain else INK
                    style = {"ha": "center", "va": "center_baseline", "fontsize": font, "parse_math": False}
                    ax.text(j + 0.5, i + 0.52, cell.text, color=colour, **style)  # type: ignore[arg-type]
        return ax

    def _name(self, ax: Axes) -> None:
        """Names at every row and column, or at some where there is no room for all."""
        panel = self.panel
        names = [visible(name) for name in self.columns]
        upright = panel.width < widest(names) * len(names)
        step = -(-LABEL * len(names) // panel.width) if upright else 1
        across = range(0, len(names), int(step))
        ax.set_xticks([j + 0.5 for j in across], [names[j] for j in across], parse_math=False)
        if upright:
            ax.tick_params(axis="x", labelrotation=90)
        shown = [visible(name) for name in self.rows] if self.is_named else []
        down = range(0, len(shown), int(-(-LABEL * len(shown) // panel.height)) or 1)
        ax.set_yticks([i + 0.5 for i in down], [shown[i] for i in down], parse_math=False)


def _colouring(kind: Kind, values: Any) -> tuple[Any, Any]:
    """What maps numbers to the interval from 0 to 1, and that to colours."""
    import numpy as np
    from matplotlib.colors import FuncNorm, Normalize

    if kind == "share":
        return Normalize(0, 1), share_colours()
    if kind == "odds":
        ratio = float(np.nanmax(np.maximum(values, 1 / values), initial=2.0)) ** SOFT
        return FuncNorm((np.log, np.exp), 1 / ratio, ratio), signed_colours()
    most = SOFT * float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    return Normalize(-most, most), signed_colours()
