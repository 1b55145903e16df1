"""A table kept as a product of two thin matrices, so that the whole of it never has to be in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from expressivity.errors import InputError

BLOCK = 1 << 22
"""Cells of a table that are multiplied out at a time."""
MOST_CELLS = 1 << 26
"""Of a table that is multiplied out as a whole."""

Mask = Callable[[int, int], Tensor]
Entry = tuple[int, int, float]


@dataclass(frozen=True, eq=False)
class Factored:
    """The table ``left @ right``.

    Attributes:
        left: shape ``[rows, rank]``.
        right: shape ``[rank, columns]``.
        rows, columns: their names.

    >>> table = Factored(torch.eye(2).double(), torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double(), ("a", "b"), ("x", "y"))
    >>> table.at("b", "x"), table.top(2)
    (3.0, [(1, 1, 4.0), (1, 0, 3.0)])
    """

    left: Tensor
    right: Tensor
    rows: Sequence[str]
    columns: Sequence[str]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.left.shape[0], self.right.shape[1]

    @cached_property
    def _row_numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.rows)}

    @cached_property
    def _column_numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.columns)}

    def at(self, row: str, column: str) -> float:
        """One entry.

        Raises:
            InputError: no such row or column.
        """
        for name, known in ((row, self._row_numbers), (column, self._column_numbers)):
            if name not in known:
                raise InputError(f"the table has no {name!r}; it has {', '.join(list(known)[:10])}, …")
        return self.cell(self._row_numbers[row], self._column_numbers[column])

    def cell(self, row: int, column: int) -> float:
        """One entry, by numbers."""
        return float(self.left[row] @ self.right[:, column])

    def dense(self) -> Tensor:
        """The whole table.

        Raises:
            InputError: it has more than 2^26 cells.
        """
        rows, columns = self.shape
        if rows * columns > MOST_CELLS:
            raise InputError(
                f"the table has {rows:,} × {columns:,} cells, too many to write out; take blocks() or top()"
            )
        return self.left @ self.right

    def blocks(self) -> Iterator[tuple[int, Tensor]]:
        """Some rows at a time, with the number of the first."""
        step = max(1, BLOCK // max(1, self.shape[1]))
        for start in range(0, self.shape[0], step):
            yield start, self.left[start : start + step] @ self.right

    def top(self, k: int, *, lowest: bool = False, mask: Mask | None = None) -> list[Entry]:
        """The k largest entries (or the least), as row, column and value; in blocks.

        Rows whose norm times the largest norm of a column is below all that was found are left out.

        Args:
            k: how many.
            lowest: the least in place of the largest.
            mask: for rows from one number to another, where entries count, of shape ``[rows, columns]``.
        """
        sign = -1.0 if lowest else 1.0
        count, columns = self.shape
        if not count or not columns or k < 1:
            return []
        norms = self.left.norm(dim=1)
        order = torch.argsort(norms, descending=True) if mask is None else torch.arange(count, device=norms.device)
        largest = float(self.right.norm(dim=0).max())
        best = norms.new_full((0,), 0.0)
        where = order.new_zeros((0,))
        step = max(1, BLOCK // columns)
        for start in range(0, count, step):
            rows = order[start : start + step]
            if mask is None and len(best) == k and float(norms[rows[0]]) * largest < float(best[-1]):
                break
            block = sign * (self.left[rows] @ self.right)
            if mask is not None:
                block = block.masked_fill(~mask(start, start + len(rows)).to(block.device), -torch.inf)
            value, cell = block.flatten().topk(min(k, block.numel()))
            cell = rows[cell // columns] * columns + cell % columns
            best, chosen = torch.cat([best, value]).topk(min(k, len(best) + len(value)))
            where = torch.cat([where, cell])[chosen]
        found = zip(best.tolist(), where.tolist(), strict=True)
        return [(cell // columns, cell % columns, sign * value) for value, cell in found if value > -torch.inf]

    def less_row_means(self) -> Factored:
        """Every row less its mean."""
        return replace(self, right=self.right - self.right.mean(dim=1, keepdim=True))

    def less_column_means(self) -> Factored:
        """Every column less its mean."""
        return replace(self, left=self.left - self.left.mean(dim=0, keepdim=True))

    def square(self) -> Factored:
        """The part with the names that are both rows and columns, in one order."""
        shared = [name for name in self.rows if name in self._column_numbers]
        device = self.left.device
        rows = torch.tensor([self._row_numbers[name] for name in shared], dtype=torch.long, device=device)
        columns = torch.tensor([self._column_numbers[name] for name in shared], dtype=torch.long, device=device)
        return Factored(self.left[rows], self.right[:, columns], shared, shared)

    def eigenvalues(self) -> Tensor:
        """Those of a square table that can differ from 0: the eigenvalues of ``right @ left``, which has its rank.

        For any two matrices, AB and BA have the same eigenvalues other than 0, with their multiplicities.

        Raises:
            InputError: the table is not square.
        """
        if self.shape[0] != self.shape[1]:
            raise InputError(f"the table has {self.shape[0]} rows and {self.shape[1]} columns; expected a square")
        found: Tensor = torch.linalg.eigvals(self.right @ self.left)
        return found


def rows_among(among: Iterable[int], many: int) -> list[int]:
    """Row numbers in order, each once.

    Raises:
        InputError: there are none, or one is not a row.

    >>> rows_among([3, 1, 3], 5)
    [1, 3]
    """
    found = sorted(set(among))
    if not found or found[0] < 0 or found[-1] >= many:
        said = "none" if not found else str(found[0] if found[0] < 0 else found[-1])
        raise InputError(f"among are the numbers of rows; found {said}, expected some from 0 to {many - 1}")
    return found
