"""Comma-separated values as exact numbers and levels, every complaint with its line.

The first line names the columns. Values are kept as texts until their column is known to be numeric, so ``0.1`` is one
tenth. Empty cells and ``NA`` are missing values, and those are refused: which rows to leave out is not for a program to
say.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from expressivity.errors import InputError
from expressivity.separation.columns import Source
from expressivity.task.tokens import excerpt


@dataclass(frozen=True)
class Table:
    """A file of comma-separated values.

    Attributes:
        path: where it was read.
        names: the columns.
        cells: the texts of each column.
        lines: on which line of the file each row ends.
    """

    path: str
    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def place(self, row: int, name: str) -> str:
        """Where a value stands, for messages."""
        return f"{self.path}, line {self.lines[row]}, column {name}"

    def column(self, name: str, what: str) -> Source:
        """The column called ``name``.

        Raises:
            InputError: there is none; ``what`` says what it was wanted for.
        """
        if name not in self.names:
            raise InputError(f"{self.path}: no column {excerpt(name)} for the {what}; its columns are {self._listed()}")
        return Source(name, list(self.cells[self.names.index(name)]))

    def others(self, taken: Sequence[str]) -> list[Source]:
        """All columns but those."""
        return [self.column(name, "predictors") for name in self.names if name not in taken]

    def _listed(self) -> str:
        return ", ".join(self.names[:20]) + (", …" if len(self.names) > 20 else "")


def read_csv(path: str | Path, delimiter: str = ",") -> Table:
    """The table in a file; encoded in UTF-8, with or without a byte-order mark.

    Raises:
        InputError: it cannot be read, has no rows, or its lines do not fit its first one.
    """
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(f"delimiter: {excerpt(delimiter)}; expected one character")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header, rows, lines = _read(reader, str(path), delimiter)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; expected a text file in UTF-8") from None
    cells = tuple(tuple(row[j] for row in rows) for j in range(len(header)))
    return Table(str(path), tuple(header), cells, tuple(lines))


def _read(reader: csv._reader, path: str, delimiter: str) -> tuple[list[str], list[list[str]], list[int]]:  # type: ignore[name-defined]
    header: list[str] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for fields in reader:
            row = [field.strip() for field in fields]
            if not row:
                continue
            if header is None:
                header = row
                _check_header(header, f"{path}, line {reader.line_num}", delimiter)
            elif len(row) != len(header):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(row)} values; expected {len(header)}, one for each column"
                )
            else:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}; expected comma-separated values") from None
    if header is None:
        raise InputError(f"{path}: empty; expected a first line with the names of the columns")
    if not rows:
        raise InputError(f"{path}: no rows after the names of the columns; expected one for each observation")
    return header, rows, lines


def _check_header(header: list[str], where: str, delimiter: str) -> None:
    if len(header) == 1:
        other = next((sign for sign in ";\t|," if sign in header[0] and sign != delimiter), None)
        if other is not None:
            raise InputError(f"{where}: a single column {excerpt(header[0])}; is the delimiter {excerpt(other)}?")
    for j, name in enumerate(header):
        if not name:
            raise InputError(f"{where}: column {j + 1} has no name")
        if name in header[:j]:
            raise InputError(f"{where}: two columns are called {excerpt(name)}; expected different names")
