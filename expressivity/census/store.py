"""A census on disk: a plan, parts as they are finished, and the table that is made of them.

Every file is written under another name and renamed, so a census that was killed has whole parts and nothing else, and
goes on with the parts that are missing. The plan is written first; a folder whose plan differs is refused, but for
more restarts: then the functions whose bounds do not meet are searched further, and nothing else is touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expressivity.census.functions import truth_table
from expressivity.census.labelled_shard import PROOFS
from expressivity.census.shard import Columns
from expressivity.errors import InputError
from expressivity.writing import write_bytes

if TYPE_CHECKING:
    import pyarrow as pa

PLAN, TABLE, SHORT, ARCHIVE = "census.json", "table.parquet", "summary.parquet", "certificates.zip"
BRIEF = ("function", "functions", "order", "heads_lower", "heads_upper")
"""The columns of the short table."""
INTEGERS = ("multipliers", "weights", "denominators", "numerators")
"""The columns that hold the proofs of bits."""
_OF_HEADS = ("heads_upper", "denominators", "numerators", "heads_above")
_LABELLED = ("tokens", "outputs")


@dataclass(frozen=True)
class Plan:
    """What a census is about, and how it is cut.

    Attributes:
        inputs: of the functions.
        embedding: of the heads.
        sample: how many functions drawn at random; ``None`` for every class.
        seed: of the draw and of the search.
        restarts: of the search.
        heads: whether heads are looked for.
        rows: how many functions in all.
        size: functions in a part, but for the last.
        tokens: of each input; 2 with 2 outputs are bits.
        outputs: of the functions.
    """

    inputs: int
    embedding: str
    sample: int | None
    seed: int
    restarts: int
    heads: bool
    rows: int
    size: int
    tokens: int = 2
    outputs: int = 2

    @property
    def is_boolean(self) -> bool:
        """Whether functions are numbers with integers as proofs, and not texts of labels with certificates."""
        return self.tokens == self.outputs == 2

    def spec(self, function: int | str) -> str:
        """The task of a function, as a member of a family.

        >>> Plan(2, "joint", None, 0, 0, True, 4, 4).spec(6)
        'bits:0110'
        """
        if self.is_boolean:
            return f"bits:{truth_table(int(function), self.inputs)}"
        return f"labels:{self.tokens}:{self.outputs}:{function}"

    def stated(self) -> dict[str, Any]:
        """Its fields as they are written down: of bits, neither tokens nor outputs."""
        fields = asdict(self)
        return {name: value for name, value in fields.items() if not (self.is_boolean and name in _LABELLED)}

    def parts(self) -> Iterator[tuple[int, int]]:
        """The parts: from which function to which."""
        for start in range(0, self.rows, self.size):
            yield start, min(start + self.size, self.rows)


def parquet() -> Any:
    """The libraries that read and write tables.

    Raises:
        InputError: they are not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError("a census on disk needs pyarrow: pip install 'expressivity[census]'") from None
    return pyarrow


def schema(plan: Plan) -> pa.Schema:
    """The columns of the whole table, with their types."""
    pa = parquet()
    function, proof = (pa.uint64(), pa.list_(pa.int64())) if plan.is_boolean else (pa.string(), pa.string())
    return pa.schema(
        [
            ("function", function),
            ("functions", pa.int64()),
            ("order", pa.int8()),
            ("heads_lower", pa.int8()),
            ("heads_upper", pa.int8()),
            *((name, proof) for name in (INTEGERS if plan.is_boolean else PROOFS)),
            ("restarts", pa.int16()),
        ]
    )


class Store:
    """The folder of a census.

    Args:
        folder: made if it is not there.
        plan: what is to be in it.

    Raises:
        InputError: it holds another census, something that is none, or cannot be made.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        parquet()
        stated = json.dumps({"format": "expressivity census", "version": 1, **plan.stated()}, indent=2) + "\n"
        path = folder / PLAN
        try:
            found = path.read_text(encoding="utf-8") if path.exists() else None
            if found is None and folder.is_dir() and any(folder.iterdir()):
                raise InputError(f"{folder}: has files but no {PLAN}; expected a new folder, or that of a census")
            differing = _differing(found, stated) if found is not None else {}
            old, new = differing.get("restarts", (0, 0))
            if differing and not (differing.keys() == {"restarts"} and isinstance(old, int) and old < new):
                said = ", ".join(
                    f"{key} is {json.dumps(a)}, asked for {json.dumps(b)}" for key, (a, b) in differing.items()
                )
                raise InputError(f"{path}: another census is in this folder ({said})")
            (folder / "parts").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror or error}; expected a folder to write a census into") from None
        except UnicodeDecodeError:
            raise InputError(f"{path}: is not text; expected the plan of a census") from None
        if found != stated:
            write_bytes(stated.encode(), path)

    def part(self, start: int) -> Path:
        """The file of the part that begins with a function."""
        return self.folder / "parts" / f"{start:08}.parquet"

    def missing(self) -> list[tuple[int, int]]:
        """The parts that are still to be made."""
        return [(start, stop) for start, stop in self.plan.parts() if not self.part(start).exists()]

    def open(self) -> Iterator[tuple[int, pa.Table, list[int]]]:
        """The parts with functions whose bounds do not meet after fewer restarts than planned, and which these are."""
        for start, stop in self.plan.parts():
            table = self._read(start, stop)
            columns = (table[name].to_pylist() for name in ("heads_lower", "heads_upper", "restarts"))
            rows = [
                k
                for k, (lower, upper, tried) in enumerate(zip(*columns, strict=True))
                if lower != upper and tried < self.plan.restarts
            ]
            if rows and self.plan.heads:
                yield start, table, rows

    def replace(self, start: int, table: pa.Table, rows: list[int], columns: Columns) -> None:
        """Write a part anew with other bounds on the heads of some rows, where these are better."""
        held = table.to_pydict()
        for k, row in enumerate(rows):
            old, new = held["heads_upper"][row], columns["heads_upper"][k]
            if new is not None and (old is None or new < old):
                for name in held.keys() & _OF_HEADS:
                    held[name][row] = columns[name][k]
            held["restarts"][row] += columns["restarts"][k]
        write_bytes(_bytes(parquet().table(held, schema=schema(self.plan))), self.part(start))

    def keep(self, start: int, columns: Columns, sizes: list[int]) -> None:
        """Write a part, whole or not at all; ``sizes`` are the numbers of functions in the classes."""
        pa = parquet()
        table = pa.table({**columns, "functions": sizes}, schema=schema(self.plan))
        write_bytes(_bytes(table), self.part(start))

    def finish(self) -> pa.Table:
        """The whole table, from its parts, written beside its short form.

        Raises:
            InputError: a part is damaged.
        """
        whole = parquet().concat_tables([self._read(start, stop) for start, stop in self.plan.parts()])
        write_bytes(_bytes(whole), self.folder / TABLE)
        write_bytes(_bytes(whole.select(list(BRIEF))), self.folder / SHORT)
        return whole

    def _read(self, start: int, stop: int) -> pa.Table:
        pa, path = parquet(), self.part(start)
        try:
            table = pa.parquet.read_table(path, schema=schema(self.plan))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: cannot be read ({error}); delete it and run the census again") from None
        if table.num_rows != stop - start:
            raise InputError(f"{path}: {table.num_rows} rows, expected {stop - start}; delete it and run again")
        return table


def rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows of a table, one function after the other."""
    for batch in table.to_batches(max_chunksize=4096):
        yield from batch.to_pylist()


def read_table(folder: Path) -> tuple[Plan, pa.Table]:
    """A finished census.

    Raises:
        InputError: there is none, or it is not finished.
    """
    pa = parquet()
    path = folder / PLAN
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        plan = Plan(**{key: value for key, value in stated.items() if key not in ("format", "version")})
        table = pa.parquet.read_table(folder / TABLE)
    except FileNotFoundError as error:
        raise InputError(f"{error.filename or folder}: is not there; expected a finished census") from None
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise InputError(f"{folder}: is no finished census ({error})") from None
    return plan, table


def _bytes(table: pa.Table) -> bytes:
    buffer = BytesIO()
    parquet().parquet.write_table(table, buffer, compression="zstd", compression_level=9)
    return buffer.getvalue()


def _differing(found: str, stated: str) -> dict[str, tuple[Any, Any]]:
    """In which fields a plan differs from the one that is asked for."""
    new = json.loads(stated)
    try:
        old = json.loads(found)
        return {key: (old.get(key), new[key]) for key in new if old.get(key) != new[key]}
    except (ValueError, AttributeError):
        return {"plan": ("unreadable", "a plan")}
