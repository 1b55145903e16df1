"""Real text without a download: the sources of Python's own library, and the docstrings in them.

``code`` is every module of the installed library without its docstrings, ``prose`` is those docstrings, ``mixture`` is
half of each, counted in tokens. Tests, other people's packages and generated tables are left out. The same installation
gives the same text in the same order; another version of Python gives other text, so what is reported names it.

A module is held out, its code and its docstrings together, if the hash of its path says so: one in ten.
"""

from __future__ import annotations

import ast
import hashlib
import io
import sysconfig
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from expressivity.errors import InputError

KINDS = ("code", "prose")
SOURCES = (*KINDS, "mixture")
HELD_OUT = 0.1
"""The share of modules, or of the end of every file, that no model is trained on."""
# Parts of the library that are no program text of people: tests, machine-made tables, manuals in string literals.
_LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "encodings", "pydoc_data"}
_MOST_BYTES = 1 << 31


@dataclass(frozen=True)
class Text:
    """One document.

    Attributes:
        name: the path in the library, with ``/``; or of a file as it was given.
        kind: ``code``, ``prose`` or ``file``.
        text: what it says.
        held_out: whether it is kept for evaluation.
    """

    name: str
    kind: str
    text: str
    held_out: bool


def is_held_out(name: str) -> bool:
    """Whether the module with this path is kept for evaluation. A hash of the path alone tells.

    >>> [name for name in ("json/decoder.py", "heapq.py", "shlex.py", "types.py") if is_held_out(name)]
    []
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) < HELD_OUT * 2**64


@cache
def library_texts(folder: Path | None = None) -> tuple[Text, ...]:
    """Code and prose of every module of Python's library, in an order that a hash of their paths makes.

    Args:
        folder: where the library is; by default that of this installation.

    Raises:
        InputError: no sources are there, as in an installation that keeps its library in an archive.

    >>> texts = {(text.name, text.kind): text.text for text in library_texts()}
    >>> "Heap queue algorithm" in texts["heapq.py", "prose"], "def heappush" in texts["heapq.py", "code"]
    (True, True)
    >>> "Heap queue algorithm (a.k.a. priority queue).\\n\\nHeaps are arrays" in texts["heapq.py", "code"]
    False
    """
    place = Path(sysconfig.get_path("stdlib")) if folder is None else folder
    found = []
    for path in sorted(place.rglob("*.py")):
        inside = path.relative_to(place)
        if _LEFT_OUT.isdisjoint(inside.parts) and not path.name.startswith("_sysconfigdata"):
            found.append((hashlib.sha256(inside.as_posix().encode()).digest(), inside.as_posix(), path))
    texts: dict[str, Text] = {}  # by what they say: what is held out is nowhere else
    for _, name, path in sorted(found):
        try:
            with tokenize.open(path) as file:
                code, prose = parted(file.read())
        except (OSError, SyntaxError, ValueError, RecursionError):  # not to be read, or no Python: two or three files
            continue
        kept = is_held_out(name)
        for kind, text in zip(KINDS, (code, prose), strict=True):
            if text.strip():
                texts.setdefault(text, Text(name, kind, text, kept))
    if not texts:
        raise InputError(f"{place}: has no Python sources; give a text file with --text FILE instead")
    return tuple(texts.values())


def parted(source: str) -> tuple[str, str]:
    r"""The code of a module without its docstrings, and the docstrings, a blank line between two.

    >>> parted('"Two numbers."\nA = 1\ndef f():\n    \'\'\'One\n    more.\'\'\'\n    return A\n')
    ('A = 1\ndef f():\n    return A\n', 'Two numbers.\n\nOne\nmore.\n')
    """
    lines = source.splitlines(keepends=True)
    cut: set[int] = set()
    said: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        text = ast.get_docstring(node)
        if text is None:
            continue
        first = node.body[0]
        said.append((first.lineno, text))
        before, after = lines[first.lineno - 1][: first.col_offset], first.end_lineno or first.lineno
        if not before.strip():  # not in one line with its def
            cut |= set(range(first.lineno, after + 1))
    code = "".join(line for number, line in enumerate(lines, 1) if number not in cut)
    return code, "".join(f"{text.strip()}\n\n" for _, text in sorted(said))[:-1]


def file_texts(paths: Iterable[Path]) -> tuple[Text, ...]:
    """Text files, each cut in two: its last tenth is held out.

    Raises:
        InputError: a file that cannot be read, is not UTF-8, is empty or larger than 2 GiB.
    """
    found = []
    for path in paths:
        try:
            size = path.stat().st_size
            if size > _MOST_BYTES:
                raise InputError(f"{path}: has {size:,} bytes; expected at most {_MOST_BYTES:,}")
            text = io.TextIOWrapper(io.BytesIO(path.read_bytes()), encoding="utf-8-sig").read()
        except OSError as error:
            known = f"{', '.join(SOURCES)}, a text file or a NumPy array of token numbers (.npy)"
            raise InputError(f"{path}: {error.strerror or error}; expected {known}") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: byte {error.start} is not UTF-8; expected a text file") from None
        if not text.strip():
            raise InputError(f"{path}: is empty; expected text")
        end = len(text) - max(1, round(len(text) * HELD_OUT))
        found += [Text(str(path), "file", text[:end], False), Text(str(path), "file", text[end:], True)]
    return tuple(found)


def balanced(parts: Sequence[Sequence[Sequence[int]]]) -> Iterator[tuple[int, int]]:
    """Documents of several kinds in an order in which every kind has had about as many tokens at any time.

    Whole documents, in their order within each kind; it ends where one kind has no more.

    Args:
        parts: for each kind its documents, as token numbers.

    Yields:
        The kind and the number of the document.

    >>> list(balanced([[[1, 1, 1], [1]], [[2], [2], [2], [2], [2]]]))
    [(0, 0), (1, 0), (1, 1), (1, 2), (0, 1), (1, 3)]
    """
    given, taken = [0] * len(parts), [0] * len(parts)
    while True:
        kind = min(range(len(parts)), key=lambda k: given[k])
        if taken[kind] == len(parts[kind]):
            return
        yield kind, taken[kind]
        given[kind] += len(parts[kind][taken[kind]])
        taken[kind] += 1
