"""Room to draw in: sizes in inches, axes within axes, colours that most eyes tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expressivity.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

FONT = 8.0  # points: what a paper's figures are read at
LETTER = 0.067  # inches that a letter of that size takes
LINE = 0.17  # inches from one line to the next
BLUE, ORANGE = "#0072B2", "#D55E00"  # from Okabe and Ito's palette, which the colour-blind can tell apart
INK, GREY, RULE, PALE = "#1a1a1a", "#767676", "#d9d9d9", "#bcd8ea"


@dataclass(frozen=True)
class Panel:
    """One part of a figure: the size of its axes and the margins for their labels, in inches."""

    width: float
    height: float
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0

    @property
    def outer(self) -> tuple[float, float]:
        """Width and height with the margins."""
        return self.left + self.width + self.right, self.top + self.height + self.bottom


@dataclass(frozen=True)
class Canvas:
    """Axes without a frame, into which panels are put, counted in inches from the upper left corner.

    Where the axes are smaller than what is asked for, everything shrinks in proportion, letters too.

    Attributes:
        axes: the outer axes.
        width, height: of the axes, in inches before shrinking.
        font: the size of letters, in points.
    """

    axes: Axes
    width: float
    height: float
    font: float

    def place(self, panel: Panel, x: float, y: float) -> Axes:
        """New axes for a panel whose outer upper left corner is there."""
        left, down = x + panel.left, y + panel.top + panel.height
        bounds = (left / self.width, 1 - down / self.height, panel.width / self.width, panel.height / self.height)
        return self.axes.inset_axes(bounds)

    def write(self, text: str, x: float, y: float) -> None:
        """A heading whose upper left corner is there."""
        where = {"x": x / self.width, "y": 1 - y / self.height, "transform": self.axes.transAxes}
        style = {"ha": "left", "va": "top", "fontsize": 1.12 * self.font, "parse_math": False, "color": INK}
        self.axes.text(s=text, **where, **style)  # type: ignore[arg-type]


def pyplot() -> Any:
    """The plotting interface of matplotlib.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise InputError(f"pictures need matplotlib ({error}); install: pip install 'expressivity[pictures]'") from None
    return pyplot


def canvas(ax: Axes | None, width: float, height: float) -> Canvas:
    """A canvas with room for this many inches: in the given axes, or in a new figure of that size.

    Raises:
        InputError: matplotlib is not installed.
    """
    if ax is None:
        ax = pyplot().figure(figsize=(width, height)).add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    extent, dpi = ax.get_window_extent(), ax.figure.dpi
    wide, tall = extent.width / dpi, extent.height / dpi
    scale = min(1.0, wide / width, tall / height)
    return Canvas(ax, wide / scale, tall / scale, FONT * scale)


def signed_colours() -> Colormap:
    """Orange below 0, white at 0, blue above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("orange-blue", [ORANGE, "#ffffff", BLUE])


def share_colours() -> Colormap:
    """White at 0, blue at 1."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("white-blue", ["#ffffff", BLUE])


def widest(texts: Iterable[str]) -> float:
    """Inches that the longest of these takes."""
    return LETTER * max(map(len, texts), default=0)
