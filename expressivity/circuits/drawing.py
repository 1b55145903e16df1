"""One figure of a model's heads: scores, attention on repeated tokens, and composition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expressivity.circuits.analysis import Analysis
from expressivity.circuits.behaviour import Looks
from expressivity.circuits.model import Path, path_name
from expressivity.circuits.scores import EigenScore
from expressivity.errors import InputError
from expressivity.pictures import Cell, Grid, canvas, number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP, EDGE = 0.3, 0.08


def plot_analysis(found: Analysis, *, ax: Axes | None = None) -> Axes:
    """Grids below one another: a row for each head with its scores; a row for each pair with its composition; and how
    much each path is worth, where that was measured.

    Raises:
        InputError: the model has no heads, or matplotlib is missing.
    """
    grids = [grid for grid in (_scores(found), _compositions(found), _worth(found)) if grid is not None]
    if not grids:
        raise InputError("the model has no heads to draw")
    grids = [replace(grid, is_written=grid.fits) for grid in grids]
    panels = [grid.panel for grid in grids]
    width = max(panel.outer[0] for panel in panels) + 2 * EDGE
    height = sum(panel.outer[1] for panel in panels) + GAP * (len(panels) - 1) + 2 * EDGE
    room, y = canvas(ax, width, height), EDGE
    for grid, panel in zip(grids, panels, strict=True):
        grid.draw(room.place(panel, EDGE, y), room.font)
        y += panel.outer[1] + GAP
    return room.axes


def _scores(found: Analysis) -> Grid | None:
    copying, matching = _by_path(found.copying), _by_path(found.matching)
    if not copying:
        return None
    seen: dict[Path, Looks] = {(each.head,): each for each in found.looks}
    columns = ("copying (OV)", "matching (QK)", "induction", "previous token")
    cells = []
    for path in copying:
        look = seen.get(path)
        places = (None, None) if look is None else (look.induction, look.previous)
        values = (copying[path], matching.get(path), *places)
        cells.append([None if value is None else _cell(value) for value in values])
    return Grid(cells, [path_name(path) for path in copying], columns, "signed", "scores of heads")


def _by_path(scores: list[EigenScore]) -> dict[Path, float | None]:
    return {score.path: score.value for score in scores}


def _compositions(found: Analysis) -> Grid | None:
    if not found.compositions:
        return None
    rows = [f"{each.first} → {each.second}" for each in found.compositions]
    cells = [[None if x is None else _cell(x) for x in (each.q, each.k, each.v)] for each in found.compositions]
    return Grid(cells, rows, ("Q", "K", "V"), "signed", "composition, less random")


def _worth(found: Analysis) -> Grid | None:
    if found.importance is None or not found.importance.paths:
        return None
    worth = sorted(found.importance.paths.items(), key=lambda item: -item[1])[:32]
    rows = [path_name(path) for path, _ in worth]
    return Grid([[_cell(value)] for _, value in worth], rows, ("nats",), "signed", "loss without it, less the model's")


def _cell(value: float) -> Cell:
    return Cell(value, number_text(value).removeprefix("≈ "), abs(value) < 0.0005)
