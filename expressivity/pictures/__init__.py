"""How results look: grids of exact numbers in matplotlib, small tables in notebooks.

Rooms above say what to draw. matplotlib is loaded when the first figure is made.
"""

from __future__ import annotations

from expressivity.pictures.canvas import Canvas, Panel, canvas
from expressivity.pictures.cards import certificate_html, ladder_html, verdict_html
from expressivity.pictures.grid import Cell, Grid, Kind
from expressivity.pictures.html import html_block, html_table
from expressivity.pictures.numbers import number_text, visible

__all__ = [
    "Canvas",
    "Cell",
    "Grid",
    "Kind",
    "Panel",
    "canvas",
    "certificate_html",
    "html_block",
    "html_table",
    "ladder_html",
    "number_text",
    "verdict_html",
    "visible",
]
