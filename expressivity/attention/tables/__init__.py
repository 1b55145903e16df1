r"""One layer of attention, written as exact tables.

At a destination ``q`` that sits at position ``T`` behind the sources ``x_0 … x_{T−1}`` and attends to
itself as well,

.. math:: \mathrm{logit}_y = b(q,y) + \sum_h \frac{\sum_s a_h(q,s)\, v_h(s,y)}{\sum_s a_h(q,s)},

``s`` running over the sources and the destination, ``a_h > 0`` the *odds*, ``v_h`` the *values*, ``b`` the
*direct path*. Odds are given as they are (rational) or as scores, ``a = base ** score``.

A token at a position is read through *embedding rows* ``(position, token)``: one row ``(i, x)`` in the
``joint`` embedding, the two rows ``(None, x)`` and ``(i, None)`` in the ``additive`` one, ``(None, x)`` in
``tokens``. Table entries add over the rows (odds multiply), as the weights of a transformer make them do.
"""

from __future__ import annotations

from expressivity.attention.tables.additive import factor_additive, spanning
from expressivity.attention.tables.head import Head
from expressivity.attention.tables.head_tables import HeadTables
from expressivity.attention.tables.rows import ONE, ZERO, Place, Row, Values, occurring, places_of, rows_of, show_row

__all__ = [
    "ONE",
    "ZERO",
    "Head",
    "HeadTables",
    "Place",
    "Row",
    "Values",
    "factor_additive",
    "occurring",
    "places_of",
    "rows_of",
    "show_row",
    "spanning",
]
