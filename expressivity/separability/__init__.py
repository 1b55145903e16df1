"""Integer rows in, proof out: the decision engine.

``separate(rows, equal)`` answers with a :class:`Separator` (weights that give every strict row at least 1 and every
equal row 0), a :class:`Cancellation` (integer multipliers under which the rows add up to zero, so that there are no
such weights), or, only at a limit that the caller set, :class:`Undecided`. Answers are checked in exact integers before
they are returned, whoever proposed them.
"""

from .logistic import LogisticFit, fit_labels, fit_logistic
from .minimise import Smallest, Sparsest, irreducible, smallest, sparsest
from .outcome import Cancellation, Outcome, Separator, Undecided
from .rows import IntegerRows, integer_row, integer_rows
from .separate import separate

__all__ = [
    "Cancellation",
    "IntegerRows",
    "LogisticFit",
    "Outcome",
    "Separator",
    "Smallest",
    "Sparsest",
    "Undecided",
    "fit_labels",
    "fit_logistic",
    "integer_row",
    "integer_rows",
    "irreducible",
    "separate",
    "smallest",
    "sparsest",
]
