"""Integer rows in, proof out: the decision engine.

``separate(rows, equal)`` answers with a :class:`Separator` (weights that give every strict row at least 1 and every
equal row 0), a :class:`Cancellation` (integer multipliers under which the rows add up to zero, so that there are no
such weights), or, only at a limit that the caller set, :class:`Undecided`. Answers are checked in exact integers before
they are returned, whoever proposed them.

``smallest``, ``sparsest`` and ``largest_margin`` go on from there to the best answer of its kind, each with a proof of
how much better another could be.
"""

from .clock import check_time_limit
from .fewest_columns import Sparsest, sparsest
from .fewest_rows import Smallest, smallest
from .irreducible import irreducible
from .logistic import LogisticFit, fit_labels, fit_logistic
from .outcome import Cancellation, Outcome, Separator, Undecided
from .rows import IntegerRows, integer_row, integer_rows
from .separate import separate
from .widest import Widest, largest_margin

__all__ = [
    "Cancellation",
    "IntegerRows",
    "LogisticFit",
    "Outcome",
    "Separator",
    "Smallest",
    "Sparsest",
    "Undecided",
    "Widest",
    "check_time_limit",
    "fit_labels",
    "fit_logistic",
    "integer_row",
    "integer_rows",
    "irreducible",
    "largest_margin",
    "separate",
    "smallest",
    "sparsest",
]
