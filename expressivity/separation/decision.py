"""The question itself: does the maximum-likelihood estimate of a logistic regression exist, and what is infinite?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from time import monotonic
from typing import Any

from expressivity.separability.clock import Progress
from expressivity.separability.outcome import Undecided
from expressivity.separability.recession import Course, Loose, Running, Still, courses
from expressivity.separability.tucker import Complementary, complementary
from expressivity.separation.check import BothSigns, Direction, Proof
from expressivity.separation.columns import Place, Source, place_in, sources
from expressivity.separation.comparisons import Comparison, comparison_rows, comparisons
from expressivity.separation.design import Design, design
from expressivity.separation.response import Response, response
from expressivity.separation.result import (
    ALIASED,
    COMPLETE,
    OVERLAP,
    QUASI_COMPLETE,
    UNDECIDED,
    Coefficient,
    Separation,
    coefficients_of,
)


def separation(
    X: Any,
    y: Any,
    *,
    intercept: bool = True,
    names: Sequence[str] | None = None,
    factors: Collection[str] = (),
    weights: Any = None,
    reference: Any = None,
    exact_floats: bool = False,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Separation:
    """Decide whether the data of a logistic regression are separated, and which estimates are infinite, with a proof.

    The verdict is exact whatever the size and scale of the numbers; no floating-point tolerance takes part in it. With
    three classes or more the model is multinomial (baseline-category) logistic regression. For two classes it holds as
    well for probit and every other link whose log likelihood is strictly concave (Silvapulle 1981), and offsets do not
    change it.

    Args:
        X: the predictors, ``[n, p]``: a NumPy array (of numbers, or of objects such as ``Fraction``, ``Decimal`` and
            texts like ``"0.1"``), a pandas data frame (columns of text and categoricals are factors, coded by their
            levels but the first), a SciPy sparse matrix, or a list of rows. A binary float is read as the decimal that
            Python prints for it.
        y: a class for each row; or counts, ``[n, K]``, one column for each class.
        intercept: put a column of ones first, called ``(Intercept)``.
        names: names of the columns; default: those of the data frame, or ``x1``, ``x2``, …
        factors: names of columns to be treated as factors even though they hold numbers.
        weights: a number for each row; only whether it is 0 matters.
        reference: the class that the others are compared with; default: the first of the sorted labels, or the last
            column of counts.
        exact_floats: read binary floats as the binary fractions that they are.
        time_limit: seconds after which what is still open is reported as undecided; default: none.
        progress: called with a line of text now and then.

    Returns:
        The kind of separation and the fate of every coefficient; ``verify()`` re-proves them.

    Raises:
        InputError: a value is missing or unreadable, lengths differ, or fewer than two classes occur.

    Example:
        >>> found = separation([[1], [2], [3], [4]], ["no", "no", "yes", "yes"], names=["dose"])
        >>> found
        Separation('complete', {'(Intercept)': '-inf', 'dose': '+inf'})
        >>> found.verify()
        >>> separation([[1], [2], [3], [4]], ["no", "yes", "no", "yes"]).kind
        'overlap'
        >>> separation([["0.1"], ["0.2"], ["0.3"]], [0, 0, 1], intercept=False).estimates
        {'x1': 'finite'}
    """
    listed, n_rows = sources(X, names)
    return separation_of(
        listed,
        response(y, weights, reference, n_rows),
        n_rows,
        place_in("X"),
        intercept=intercept,
        factors=factors,
        exact_floats=exact_floats,
        time_limit=time_limit,
        progress=progress,
    )


def separation_of(
    columns: list[Source],
    observed: Response,
    n_rows: int,
    place: Place,
    *,
    intercept: bool,
    factors: Collection[str] = (),
    exact_floats: bool = False,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Separation:
    """:func:`separation` of columns and a response that were read already; ``place`` names the values in messages."""
    start = monotonic()
    matrix = design(
        columns, n_rows, observed.used, intercept=intercept, factors=factors, exact_floats=exact_floats, place=place
    )
    listed = comparisons(observed)
    rows = comparison_rows(matrix.rows.keep_columns(matrix.kept), matrix.numbers, listed)

    def left() -> float | None:
        return None if time_limit is None else time_limit - (monotonic() - start)

    late = f"the time limit of {time_limit} s was reached; raise it to go on"
    found = complementary(rows, time_limit=left(), progress=progress)
    if isinstance(found, Undecided):
        return Separation(UNDECIDED, _undecided(matrix, observed), matrix, observed, None, late)
    proof = _proof(matrix, listed, found, courses(rows, found, time_limit=left(), progress=progress))
    reason = late if any(isinstance(claim, str) for claim in proof.coefficients) else ""
    return Separation(proof.kind, tuple(coefficients_of(matrix, observed, proof)), matrix, observed, proof, reason)


def _proof(matrix: Design, listed: list[Comparison], found: Complementary, answers: list[Course]) -> Proof:
    if not found.multipliers:
        kind = COMPLETE
    else:
        kind = OVERLAP if len(found.multipliers) == len(listed) else QUASI_COMPLETE
    return Proof(
        kept=matrix.kept,
        witness=tuple(matrix.numbers[i] for i in matrix.witness),
        aliases=matrix.aliases,
        kind=kind,
        weights=found.weights,
        multipliers={listed[i]: value for i, value in found.multipliers.items()},
        spanning=tuple(listed[i] for i in found.face.independent),
        basis=found.face.basis,
        coefficients=tuple(_claim(answer, listed) for answer in answers),
    )


def _claim(answer: Course, listed: list[Comparison]) -> Direction | BothSigns | str | None:
    match answer:
        case Still():
            return None
        case Running(sign, factor, multipliers):
            return Direction(sign, factor, {listed[i]: value for i, value in multipliers.items()})
        case Loose(up, down):
            return BothSigns(up, down)
    return answer.reason


def _undecided(matrix: Design, observed: Response) -> tuple[Coefficient, ...]:
    return tuple(
        Coefficient(name, category, UNDECIDED if j in matrix.kept else ALIASED)
        for category in observed.classes[1:]
        for j, name in enumerate(matrix.names)
    )
