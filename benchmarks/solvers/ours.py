"""The engine of this project."""

from __future__ import annotations

from expressivity.separability import Cancellation, IntegerRows, Separator, separate

from .question import Answer, Question


def engine(question: Question) -> Answer:
    """Rows in, proof out."""
    if question.integers is not None:
        rows = IntegerRows.from_scipy(question.integers)
    else:
        rows = IntegerRows.from_dicts(question.rows, question.n_columns)
    outcome = separate(rows, question.equal)
    if isinstance(outcome, Separator):
        return Answer(True, outcome.weights, outcome.stage)
    if isinstance(outcome, Cancellation):
        return Answer(False, outcome.multipliers, outcome.stage)
    return Answer(None, note=outcome.reason)
