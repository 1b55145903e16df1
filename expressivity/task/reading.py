"""From a file to the parts of a task, with the line number in every complaint."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Protocol

from expressivity.errors import InputError
from expressivity.task.gather import Entry, Gatherer, Parts
from expressivity.task.jsonlines import JsonLines
from expressivity.task.text import TextLines

_LONGEST_LINE = 1 << 24
_BYTE_ORDER_MARK = "\ufeff"


class Form(Protocol):
    """A form of task file, read line by line."""

    def declaration(self, line: str) -> tuple[str, ...] | None:
        """The outputs that the first line declares, if it does."""

    def entry(self, line: str) -> Entry | None:
        """What a line says, if anything."""


def read_file(path: str | os.PathLike[str], normalise: bool = False) -> Parts:
    """Reads a task file: JSON Lines if its name ends in `.jsonl` or its text starts with `{`, else text.

    Args:
        path: the file.
        normalise: divide probabilities by their sum instead of asking that it is 1.

    Raises:
        InputError: the file cannot be read, or is not as it should be; the message names file and line.
    """
    source = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            # No further than the limit, so that a wrong file (/dev/zero) does not fill the memory.
            lines = iter(partial(file.readline, _LONGEST_LINE + 1), b"")
            return read_lines(lines, source, normalise, jsonl=source.endswith(".jsonl"))
    except FileNotFoundError:
        raise InputError(f"{source}: no such file; expected a task file") from None
    except IsADirectoryError:
        raise InputError(f"{source}: is a directory; expected a task file") from None
    except OSError as error:
        raise InputError(f"{source}: cannot be read, {error.strerror}; expected a task file") from None


def read_text(text: str, source: str, normalise: bool = False) -> Parts:
    """Reads the text of a task file; `source` is what messages call it."""
    try:
        return read_lines(BytesIO(text.encode()), source, normalise)
    except UnicodeEncodeError as error:
        number = text.count("\n", 0, error.start) + 1
        message = "found half a surrogate pair; expected whole characters"
        raise InputError(f"{source}, line {number}: {message}") from None


def read_lines(lines: Iterable[bytes], source: str, normalise: bool = False, jsonl: bool = False) -> Parts:
    r"""Reads the lines of a task file.

    They end at `\n` alone, since a quoted token may hold any other line break of Unicode. The first that is
    neither blank nor a comment tells the form, unless `jsonl` does.
    """
    gatherer = Gatherer(source, "line")
    form: Form | None = None
    declared: tuple[str, ...] = ()
    number = offset = 0
    try:
        for number, raw in enumerate(lines, 1):
            line = _decode(raw, offset)
            offset += len(raw)
            if form is None:
                line = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
                start = line.lstrip()[:1]
                if start in ("", "#"):
                    continue
                form = JsonLines(normalise) if jsonl or start == "{" else TextLines(normalise)
                found = form.declaration(line)
                if found is not None:
                    declared = found
                    continue
            entry = form.entry(line)
            if entry is not None:
                gatherer.add(*entry, number)
    except InputError as error:
        raise InputError(f"{source}, line {number}: {error}") from None
    return gatherer.finish(declared)


def _decode(raw: bytes, offset: int) -> str:
    """The text of one line that starts `offset` bytes into the file."""
    if len(raw) > _LONGEST_LINE:
        raise InputError(f"found more than {_LONGEST_LINE} bytes; expected a shorter line")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        found = f"the byte 0x{raw[error.start]:02x}"
        if offset == 0 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            found += " (UTF-16?)"
        place = f"byte {error.start + 1} of the line, {offset + error.start + 1} of the file"
        raise InputError(f"found {found} at {place}; expected UTF-8 text") from None
