"""Separation in logistic regression: does the maximum-likelihood estimate exist, and which coefficients are infinite?

Albert and Anderson (1984) distinguish three kinds of data. *Complete separation*: some linear predictor gives what was
observed odds above 1 in every row. *Quasi-complete separation*: none does, but some gives odds above 1 here and there
and exactly 1 elsewhere. *Overlap*: no predictor does even that. The estimate exists exactly on overlap.
:func:`separation` decides which it is and what becomes of each coefficient, in exact arithmetic, with a proof that
checks itself.

>>> from expressivity.separation import separation
>>> separation([[1], [2], [3], [4]], [0, 0, 1, 1]).kind
'complete'
"""

from expressivity.separation.comparisons import Comparison
from expressivity.separation.decision import separation
from expressivity.separation.result import Coefficient, Separation

__all__ = ["Coefficient", "Comparison", "Separation", "separation"]
