"""``expressivity separation``: from a file of data to a text to read, or to one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from expressivity.errors import InputError
from expressivity.separation.csv_table import Table, read_csv
from expressivity.separation.decision import separation_of
from expressivity.separation.numbers import number_text
from expressivity.separation.response import Response, counted, labelled
from expressivity.separation.result import (
    ALIASED,
    COMPLETE,
    MINUS,
    OVERLAP,
    PLUS,
    QUASI_COMPLETE,
    UNDECIDED,
    UNDETERMINED,
    Coefficient,
    Separation,
)

KINDS = {
    COMPLETE: "complete separation: the maximum-likelihood estimate does not exist",
    QUASI_COMPLETE: "quasi-complete separation: the maximum-likelihood estimate does not exist",
    OVERLAP: "overlap: the maximum-likelihood estimate exists",
    UNDECIDED: "undecided",
}
ESTIMATES = {PLUS: "+infinity", MINUS: "−infinity"}
SHOWN_ROWS = 8


def separation_command(
    path: str,
    *,
    response_column: str | None = None,
    count_columns: Sequence[str] = (),
    predictors: Sequence[str] = (),
    factors: Sequence[str] = (),
    intercept: bool = True,
    reference: str | None = None,
    delimiter: str = ",",
    time_limit: float | None = None,
    as_json: bool = False,
    progress: Callable[[str], None] | None = None,
) -> tuple[str, int]:
    """Read a file, decide, re-prove, and write it down.

    Args:
        path: comma-separated values, the first line the names of the columns.
        response_column: the column of classes.
        count_columns: instead of it, columns of counts, one for each class.
        predictors: the columns to use; default: all others.
        factors: columns whose numbers are levels.
        intercept: include one.
        reference: the class that the others are compared with.
        delimiter: what stands between values.
        time_limit: in seconds.
        as_json: one JSON object instead of text.
        progress: called with a line of text now and then.

    Returns:
        What to print, and the exit status: 0 everything decided, 3 something left open at the time limit.

    Raises:
        InputError: the file or a column is not what was asked for; the message names file, line, column and value.
    """
    if (response_column is None) == (not count_columns):
        raise InputError("expected either a response column or columns of counts, and not both")
    if len(count_columns) == 1:
        raise InputError(f"one column of counts, {count_columns[0]!r}; expected one for each of two or more classes")
    table = read_csv(path, delimiter)
    taken = [response_column] if response_column is not None else list(count_columns)
    observed = _counts(table, taken, reference) if count_columns else _classes(table, taken[0], reference)
    columns = [table.column(name, "predictors") for name in predictors] if predictors else table.others(taken)
    for name in [*predictors, *factors]:
        if name in taken:
            raise InputError(f"{path}: column {name!r} is the response; expected a predictor")
    for name in factors:
        table.column(name, "factors")
    found = separation_of(
        columns,
        observed,
        len(table.lines),
        table.place,
        intercept=intercept,
        factors=factors,
        time_limit=time_limit,
        progress=progress,
    )
    if found.proof is not None:
        found.verify()
    lines = dict(enumerate(table.lines))
    if as_json:
        text = json.dumps(separation_json(found, lines), indent=2, ensure_ascii=False)
    else:
        title = f"{response_column or ' and '.join(count_columns)} in {path}"
        text = separation_text(found, title, lines)
    return text, 0 if found.is_settled else 3


def separation_text(found: Separation, title: str, lines: dict[int, int] | None = None) -> str:
    """The finding as a person reads it.

    Args:
        found: what was found.
        title: what was looked at.
        lines: line of the file for each row of the data; without it rows are counted from 0.
    """
    classes = found.response.classes
    against = f"log odds of {', '.join(classes[1:])} against {classes[0]}"
    rows = len(found.design.numbers)
    out = [f"{title} · {rows} rows · {len(found.coefficients)} coefficients · {against}", "", f"  {KINDS[found.kind]}"]
    if found.reason:
        out.append(f"  {found.reason}")
    rows_of_table = [("coefficient", "estimate", "direction" if found.is_separated else "")]
    for c in found.coefficients:
        moves = found.is_separated and c.estimate != ALIASED
        rows_of_table.append((found.label(c), _estimate(c), _short(c.direction) if moves else ""))
    widths = [max(len(row[k]) for row in rows_of_table) for k in range(2)]
    out.append("")
    out += [f"  {a.ljust(widths[0])}  {b.ljust(widths[1])}  {c}".rstrip() for a, b, c in rows_of_table]
    last = _explained(found, lines)
    if found.proof is not None:
        last.append("proved in exact arithmetic, and checked again ✓")
    if last:
        out += ["", *(f"  {line}" for line in last)]
    return "\n".join(out)


def separation_json(found: Separation, lines: dict[int, int] | None = None) -> dict[str, Any]:
    """The finding as plain values; exact numbers are texts.

    ``certificate`` holds ``direction``, the entries of w by coefficient, and ``multipliers``, the positive λ by
    comparison: w gives every comparison without a multiplier a positive value and every other one 0, and these cancel.
    """
    proof = found.proof
    classes = found.response.classes
    place = "row" if lines is None else "line"
    certificate = proof and {
        "direction": {found.label(c): str(c.direction) for c in found.coefficients if c.direction},
        "multipliers": [
            {
                place: _row(c.row, lines),
                "observed": classes[c.observed],
                "other": classes[c.other],
                "multiplier": str(value),
            }
            for c, value in proof.multipliers.items()
        ],
    }
    return {
        "kind": found.kind,
        "rows": len(found.design.numbers),
        "classes": list(classes),
        "reference": found.reference,
        "coefficients": [
            {
                "name": c.name,
                "class": c.category,
                "estimate": c.estimate,
                **({"alias": {name: str(factor) for name, factor in c.alias.items()}} if c.estimate == ALIASED else {}),
            }
            for c in found.coefficients
        ],
        f"certain_{place}s": [_row(row, lines) for row in found.certain_rows],
        "undecided": found.reason or None,
        "verified": proof is not None,
        "certificate": certificate,
    }


def _classes(table: Table, name: str, reference: str | None) -> Response:
    labels = table.column(name, "response").values
    return labelled(labels, reference, lambda row: table.place(row, name), title=f"{table.path}, column {name}")


def _counts(table: Table, names: Sequence[str], reference: str | None) -> Response:
    columns = [table.column(name, "counts").values for name in names]
    return counted(names, columns, reference, table.place, title=f"{table.path}, columns {', '.join(names)}")


def _estimate(coefficient: Coefficient) -> str:
    if coefficient.estimate == ALIASED:
        terms = [f"{_times(factor)}{name}" for name, factor in coefficient.alias.items()]
        return f"aliased: {' + '.join(terms).replace('+ -', '− ') or '0'}"
    return ESTIMATES.get(coefficient.estimate, coefficient.estimate)


def _times(factor: Fraction) -> str:
    if abs(factor) == 1:
        return "" if factor > 0 else "-"
    return f"{_short(factor)}·"


def _explained(found: Separation, lines: dict[int, int] | None) -> list[str]:
    out = []
    if found.is_separated:
        rows = found.certain_rows
        shown = ", ".join(str((lines or {}).get(row, row)) for row in rows[:SHOWN_ROWS])
        more = ", …" if len(rows) > SHOWN_ROWS else ""
        which = f" ({'lines' if lines else 'rows'} {shown}{more})" if 0 < len(rows) < len(found.design.numbers) else ""
        out.append("along the direction the likelihood only rises;")
        out.append(f"at its supremum what was observed has probability 1 in {_many(len(rows), found)}{which}")
    if any(c.estimate == UNDETERMINED for c in found.coefficients):
        out.append("undetermined: the likelihood can tend to its supremum with that coefficient going to +infinity,")
        out.append("to −infinity, or to any number")
    return out


def _many(count: int, found: Separation) -> str:
    total = len(found.design.numbers)
    return f"all {total} rows" if count == total else f"{count} of {total} rows"


def _short(value: Fraction) -> str:
    text = number_text(value)
    return text if len(text) <= 24 else f"≈ {float(value):.6g}" if abs(value) < 10**300 else "(a long number)"


def _row(row: int, lines: dict[int, int] | None) -> int:
    return row if lines is None else lines[row]
