"""Sparse integer rows, and their products without rounding.

Every question of this package arrives as a matrix of integers: one row for each comparison, one column for each
feature and output. Rows are kept as compressed sparse rows (CSR). Entries are 64-bit words when all of them fit, Python
integers otherwise, so 2^60 and far beyond are ordinary entries.

The products ``rows · w`` and ``λ · rows`` are exact. Word arithmetic is used only under a bound proved beforehand
(``max_i Σ_j |a_ij| · max |w_j| < 2^62``); longer vectors are cut into limbs for which the bound holds, and where even
that is impossible the work is done in Python integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd, inf, lcm, ldexp
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expressivity.errors import InputError

Array = npt.NDArray[Any]

_WORD = 1 << 62  # every word product stays below this, so that no sum of 64-bit words can wrap


class IntegerRows:
    """An immutable sparse matrix of integers, one row for each comparison.

    Attributes:
        indptr: row boundaries, shape ``[n_rows + 1]``.
        indices: column numbers, increasing within each row, shape ``[nnz]``.
        data: the nonzero entries, shape ``[nnz]``; ``int64`` when every entry is below 2^62 in size, Python integers
            in an object array otherwise.
        n_columns: the number of columns.

    Example:
        >>> rows = IntegerRows.from_dense([[1, 0, -2], [0, 0, 3]])
        >>> rows.times([1, 1, 10**30])
        [-1999999999999999999999999999999, 3000000000000000000000000000000]
        >>> rows.combine({0: 3, 1: 2})
        {0: 3}
    """

    __slots__ = ("data", "indices", "indptr", "n_columns", "_cache")

    def __init__(self, indptr: Array, indices: Array, data: Array, n_columns: int) -> None:
        self.indptr = indptr
        self.indices = indices
        self.data = data
        self.n_columns = n_columns
        self._cache: dict[str, Any] = {}

    # ------------------------------------------------------------------ making rows

    @classmethod
    def from_dicts(cls, rows: Iterable[Mapping[int, int]], n_columns: int) -> IntegerRows:
        """Rows given as ``{column: entry}``; zero entries are dropped.

        Raises:
            InputError: an entry is not an integer, or a column is outside ``0 … n_columns − 1``.
        """
        indptr = [0]
        indices: list[int] = []
        data: list[int] = []
        for number, row in enumerate(rows):
            for column in sorted(row):
                entry = row[column]
                if not 0 <= column < n_columns:
                    raise InputError(f"row {number}: column {column} is outside 0 … {n_columns - 1}")
                if entry:
                    indices.append(column)
                    data.append(_integer(entry, number, column))
            indptr.append(len(indices))
        return cls(np.array(indptr, dtype=np.int64), np.array(indices, dtype=np.int64), _pack(data), n_columns)

    @classmethod
    def from_dense(cls, rows: Sequence[Sequence[int]] | Array, n_columns: int | None = None) -> IntegerRows:
        """Rows given as lists of integers or a two-dimensional array; ``n_columns`` is needed only when there are none.

        Raises:
            InputError: rows of different lengths, or an entry that is not an integer.
        """
        if isinstance(rows, np.ndarray):
            if rows.ndim != 2:
                raise InputError(f"rows: an array of {rows.ndim} dimensions, expected 2")
            if rows.dtype != object:
                return cls.from_scipy(sp.csr_array(rows))
            n_columns = int(rows.shape[1])
        width = n_columns if n_columns is not None else (len(rows[0]) if len(rows) else 0)
        for number, row in enumerate(rows):
            if len(row) != width:
                raise InputError(f"row {number}: {len(row)} entries, expected {width}")
        return cls.from_dicts(({j: entry for j, entry in enumerate(row) if entry} for row in rows), width)

    @classmethod
    def from_scipy(cls, matrix: Any) -> IntegerRows:
        """Rows of a SciPy sparse matrix or array whose entries are integers (a float such as ``2.0`` counts).

        Repeated entries add up, stored zeros vanish.

        Raises:
            InputError: an entry is not a whole number.
        """
        csr = sp.csr_array(matrix)
        data = csr.data
        if data.dtype.kind == "f":
            wrong = np.flatnonzero(~np.isfinite(data) | (data != np.floor(data)))
            if len(wrong):
                where = int(wrong[0])
                row = int(np.searchsorted(csr.indptr, where, side="right")) - 1
                raise InputError(f"row {row}, column {csr.indices[where]}: {data[where]} is not an integer")
            data = _pack([int(entry) for entry in data]) if np.abs(data).max(initial=0) >= _WORD else data
        elif data.dtype.kind not in "iub":
            raise InputError(f"rows: entries of type {data.dtype}, expected integers")
        elif data.dtype.kind == "u" and int(data.max(initial=0)) >= _WORD:
            data = _pack([int(entry) for entry in data])
        elif data.dtype.kind == "i" and data.dtype.itemsize == 8 and len(data):
            if max(int(data.max()), -int(data.min())) >= _WORD:
                data = _pack([int(entry) for entry in data])
        if data.dtype == object:
            coo = csr.tocoo()
            by_row: list[dict[int, int]] = [{} for _ in range(csr.shape[0])]
            for i, j, entry in zip(coo.coords[0].tolist(), coo.coords[1].tolist(), data.tolist(), strict=True):
                by_row[i][j] = by_row[i].get(j, 0) + entry
            return cls.from_dicts(by_row, int(csr.shape[1]))
        words = sp.csr_array((data.astype(np.int64), csr.indices, csr.indptr), shape=csr.shape)
        if not csr.has_canonical_format:
            largest = int(np.abs(words.data).max(initial=0)) * max(1, int(np.diff(csr.indptr).max(initial=0)))
            if largest >= _WORD:  # sums of repeated entries might not fit
                return cls.from_scipy(sp.csr_array(matrix).astype(object))
            words = words.copy()
            words.sum_duplicates()
        if not words.data.all():
            words = words.copy()
            words.eliminate_zeros()
        return cls(words.indptr.astype(np.int64), words.indices.astype(np.int64), words.data, int(csr.shape[1]))

    # ------------------------------------------------------------------ looking at rows

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        """The number of nonzero entries."""
        return len(self.indices)

    @property
    def fits_words(self) -> bool:
        """Whether every entry is stored in a 64-bit word."""
        return bool(self.data.dtype != object)

    def __repr__(self) -> str:
        return f"IntegerRows({self.n_rows} × {self.n_columns}, {self.nnz} nonzero)"

    def row(self, i: int) -> dict[int, int]:
        """Row ``i`` as ``{column: entry}``, entries as Python integers."""
        start, stop = int(self.indptr[i]), int(self.indptr[i + 1])
        return dict(zip(self.indices[start:stop].tolist(), self.data[start:stop].tolist(), strict=True))

    def dense(self) -> list[list[int]]:
        """All entries as lists of Python integers."""
        table = []
        for i in range(self.n_rows):
            line = [0] * self.n_columns
            for column, entry in self.row(i).items():
                line[column] = entry
            table.append(line)
        return table

    def take(self, selection: Sequence[int] | Array) -> IntegerRows:
        """The selected rows, in the order given."""
        chosen = np.asarray(selection, dtype=np.int64).reshape(-1)
        lengths = np.diff(self.indptr)[chosen]
        indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        where = np.arange(int(indptr[-1])) + np.repeat(self.indptr[chosen] - indptr[:-1], lengths)
        return IntegerRows(indptr, self.indices[where], self.data[where], self.n_columns)

    def keep_columns(self, selection: Sequence[int] | Array) -> IntegerRows:
        """The same rows with the selected columns only, renumbered ``0, 1, …`` in their old order."""
        chosen = np.unique(np.asarray(selection, dtype=np.int64))
        renumber = np.full(self.n_columns, -1, dtype=np.int64)
        renumber[chosen] = np.arange(len(chosen))
        mapped = renumber[self.indices]
        kept = mapped >= 0
        before = np.concatenate(([0], np.cumsum(kept)))
        return IntegerRows(before[self.indptr].astype(np.int64), mapped[kept], self.data[kept], len(chosen))

    def exponents(self) -> Array:
        """For each row the least ``e`` with all entries below ``2**e`` in size; 0 for an empty row."""
        if "exponents" not in self._cache:
            if self.fits_words:
                sizes = np.frexp(np.abs(self.data).astype(np.float64))[1].astype(np.int64)
            else:
                sizes = np.array([abs(entry).bit_length() for entry in self.data.tolist()], dtype=np.int64)
            largest = np.zeros(self.n_rows, dtype=np.int64)
            filled = np.diff(self.indptr) > 0
            if filled.any():
                largest[filled] = np.maximum.reduceat(sizes, self.indptr[:-1][filled])
            self._cache["exponents"] = largest
        return np.asarray(self._cache["exponents"])

    def floats(self) -> sp.csr_array:
        """The rows as floats, row i divided by ``2**exponents()[i]``, so that its largest entry lies in [1/2, 1].

        A hint for numerical methods, never part of a proof: scaling a row by a positive number changes neither what it
        separates nor where it cancels, and rounding happens only in entries that do not fit 53 bits.
        """
        if "floats" not in self._cache:
            shape = (self.n_rows, self.n_columns)
            shift = np.repeat(self.exponents(), np.diff(self.indptr))
            if self.fits_words:
                data = np.ldexp(self.data.astype(np.float64), -shift)
            else:
                data = np.array([float_of(entry, int(s)) for entry, s in zip(self.data.tolist(), shift, strict=True)])
            self._cache["floats"] = sp.csr_array((data, self.indices, self.indptr), shape=shape)
        floats: sp.csr_array = self._cache["floats"]
        return floats

    # ------------------------------------------------------------------ exact products

    def times(self, weights: Sequence[int]) -> list[int]:
        """``rows · weights``, exact, shape ``[n_rows]``."""
        if len(weights) != self.n_columns:
            raise InputError(f"weights: {len(weights)} numbers, expected one for each of {self.n_columns} columns")
        if not self.fits_words:
            return self._times_slowly(weights)
        return _exact_product(self._words(), self._bound("row"), weights)

    def signs(self, weights: Sequence[int]) -> Array:
        """The signs −1, 0, 1 of ``rows · weights``, exact, shape ``[n_rows]``."""
        if self.fits_words and len(weights) == self.n_columns:
            found = _exact_signs(self._words(), self._bound("row"), weights)
            if found is not None:
                return found
        return np.array([(value > 0) - (value < 0) for value in self.times(weights)], dtype=np.int8)

    def combine(self, multipliers: Mapping[int, int]) -> dict[int, int]:
        """``Σ multipliers[i] · row_i``, exact, as ``{column: entry}`` without zeros: empty when the rows cancel."""
        chosen = sorted(multipliers)
        part = self.take(chosen)
        weights = [multipliers[i] for i in chosen]
        if part.fits_words:
            values = _exact_product(part._words().T.tocsr(), part._bound("column"), weights)
            return {column: value for column, value in enumerate(values) if value}
        total: dict[int, int] = {}
        for number, factor in enumerate(weights):
            for column, entry in part.row(number).items():
                total[column] = total.get(column, 0) + factor * entry
        return {column: value for column, value in sorted(total.items()) if value}

    def _times_slowly(self, weights: Sequence[int]) -> list[int]:
        columns, entries, bounds = self.indices.tolist(), self.data.tolist(), self.indptr.tolist()
        return [
            sum(entries[k] * weights[columns[k]] for k in range(bounds[i], bounds[i + 1])) for i in range(self.n_rows)
        ]

    def _words(self) -> sp.csr_array:
        if "words" not in self._cache:
            shape = (self.n_rows, self.n_columns)
            self._cache["words"] = sp.csr_array((self.data, self.indices, self.indptr), shape=shape)
        words: sp.csr_array = self._cache["words"]
        return words

    def _bound(self, axis: str) -> int:
        """An upper bound on the sum of sizes in any row (column). The float sum errs by a factor below 1 + 2^-20."""
        if axis not in self._cache:
            where = np.repeat(np.arange(self.n_rows), np.diff(self.indptr)) if axis == "row" else self.indices
            sums = np.bincount(where, weights=np.abs(self.data.astype(np.float64)))
            self._cache[axis] = int(sums.max(initial=0.0) * (1 + 2.0**-20)) + 1
        return int(self._cache[axis])


# ---------------------------------------------------------------------- from rationals to integers


def integer_row(row: Mapping[int, Fraction | int]) -> tuple[dict[int, int], Fraction]:
    """The integer row on the same ray: ``(entries, factor)`` with ``entries = factor · row``, factor > 0 and gcd 1.

    Example:
        >>> integer_row({0: Fraction(1, 2), 3: Fraction(-2, 3)})
        ({0: 3, 3: -4}, Fraction(6, 1))
    """
    fractions = {column: Fraction(value) for column, value in row.items() if value}
    if not fractions:
        return {}, Fraction(1)
    common = lcm(*(value.denominator for value in fractions.values()))
    whole = {column: int(value * common) for column, value in fractions.items()}
    divisor = gcd(*whole.values())
    return {column: value // divisor for column, value in whole.items()}, Fraction(common, divisor)


def integer_rows(rows: Iterable[Mapping[int, Fraction | int]], n_columns: int) -> tuple[IntegerRows, list[Fraction]]:
    """Rational rows made integer row by row, with the positive factors used.

    A separator of the integer rows separates the rational ones (after scaling); multipliers ``λ_i`` that cancel the
    integer rows become ``λ_i · factor_i`` on the rational ones.
    """
    pairs = [integer_row(row) for row in rows]
    return IntegerRows.from_dicts([row for row, _ in pairs], n_columns), [factor for _, factor in pairs]


def float_of(value: int, shift: int = 0) -> float:
    """``value / 2**shift`` as a float, right to about 52 bits whatever the size of ``value``; infinite if too large."""
    drop = max(0, abs(value).bit_length() - 60)
    try:
        return ldexp(value >> drop, drop - shift)
    except OverflowError:
        return inf if value > 0 else -inf


# ---------------------------------------------------------------------- limbs


def _integer(entry: Any, row: int, column: int) -> int:
    if isinstance(entry, (int, np.integer)):
        return int(entry)
    raise InputError(f"row {row}, column {column}: {entry!r} is not an integer")


def _pack(values: list[int]) -> Array:
    if all(-_WORD < value < _WORD for value in values):
        return np.array(values, dtype=np.int64)
    packed = np.empty(len(values), dtype=object)
    packed[:] = values
    return packed


def _limbs(weights: Sequence[int], bound: int) -> tuple[Array, int] | None:
    """Cut ``weights`` into signed limbs for which word products are safe: (limbs ``[len, count]``, bits of one limb).

    None when not even limbs of 8 bits are safe.
    """
    largest = max((abs(weight) for weight in weights), default=0)
    if bound * largest < _WORD:
        return np.array(weights, dtype=np.int64).reshape(-1, 1), 62
    for bits, kind in ((32, "<u4"), (16, "<u2"), (8, "u1")):
        if bound << bits < _WORD:
            step = bits // 8
            size = -(-(largest.bit_length()) // bits) * step
            packed = b"".join(abs(int(weight)).to_bytes(size, "little") for weight in weights)
            limbs = np.frombuffer(packed, dtype=kind).reshape(len(weights), -1).astype(np.int64)
            limbs[np.array([weight < 0 for weight in weights])] *= -1
            return limbs, bits
    return None


def _carried(matrix: sp.csr_array, limbs: Array, bits: int) -> tuple[Array, Array]:
    """``matrix · weights = Σ_k digit_k 2^(bits·k) + top 2^(bits·K)``, digits in ``[0, 2^bits)``, ``top`` signed."""
    digits = np.asarray(matrix @ limbs)
    top = np.zeros(digits.shape[0], dtype=np.int64)
    for k in range(digits.shape[1]):
        value = digits[:, k] + top
        top = value >> bits
        digits[:, k] = value - (top << bits)
    return digits, top


def _exact_signs(matrix: sp.csr_array, bound: int, weights: Sequence[int]) -> Array | None:
    cut = _limbs(weights, bound)
    if cut is None:
        return None
    limbs, bits = cut
    if limbs.shape[1] == 1 and bits == 62:
        return np.asarray(np.sign(matrix @ limbs[:, 0]), dtype=np.int8)
    digits, top = _carried(matrix, limbs, bits)
    nonzero = (top != 0) | digits.any(axis=1)
    return np.where(top < 0, -1, nonzero.astype(np.int8)).astype(np.int8)


def _exact_product(matrix: sp.csr_array, bound: int, weights: Sequence[int]) -> list[int]:
    cut = _limbs(weights, bound)
    if cut is None:
        columns, entries, bounds = matrix.indices.tolist(), matrix.data.tolist(), matrix.indptr.tolist()
        return [
            sum(entries[k] * weights[columns[k]] for k in range(bounds[i], bounds[i + 1]))
            for i in range(len(bounds) - 1)
        ]
    limbs, bits = cut
    if limbs.shape[1] == 1 and bits == 62:
        return [int(value) for value in (matrix @ limbs[:, 0]).tolist()]
    digits, top = _carried(matrix, limbs, bits)
    kind = {32: "<u4", 16: "<u2", 8: "u1"}[bits]
    packed = np.ascontiguousarray(digits.astype(kind)).tobytes()
    size = digits.shape[1] * (bits // 8)
    shift = bits * digits.shape[1]
    return [
        int.from_bytes(packed[i * size : (i + 1) * size], "little") + (int(high) << shift)
        for i, high in enumerate(top.tolist())
    ]
