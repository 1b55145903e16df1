"""Tables and attention as people look at them: laid out, in HTML, and in figures."""

from __future__ import annotations

from expressivity.attention.drawing.layout import tables_html
from expressivity.attention.drawing.path import plot_path
from expressivity.attention.drawing.plots import plot_ov, plot_pattern, plot_qk, plot_tables
from expressivity.attention.drawing.shares import attention_shares, path_to_logit

__all__ = [
    "attention_shares",
    "path_to_logit",
    "plot_ov",
    "plot_path",
    "plot_pattern",
    "plot_qk",
    "plot_tables",
    "tables_html",
]
