"""Many certificates in one file: a zip archive, of which each member is one. Standard library only.

No proof rests on this module: what a member proves is for :mod:`expressivity.verify` to say, from its bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from expressivity.certificate import MAX_BYTES, canonical, parse
from expressivity.errors import InputError, Refuted
from expressivity.verify import Statement, verify

Document = Mapping[str, Any]


def verify_archive(path: str | os.PathLike[str]) -> Iterator[tuple[str, int, Statement | Refuted]]:
    """Prove each member of an archive: its name, the number of members, and what it proves or why it does not.

    Members are read one at a time, none beyond the size of the largest certificate.

    Raises:
        InputError: there is no such file.
        Refuted: it is no archive, or an empty one.
    """
    try:
        with ZipFile(path) as archive:
            listed = [info for info in archive.infolist() if not info.is_dir()]
            if not listed:
                raise Refuted("reading", "the archive is empty")
            for info in listed:
                found: Statement | Refuted
                try:
                    found = verify(parse(_unpacked(archive, info)))
                except Refuted as error:
                    found = error
                yield info.filename, len(listed), found
    except OSError as error:
        raise InputError(f"{os.fspath(path)}: {error.strerror or error}; expected a certificate file") from None
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise Refuted("reading", f"this is no zip archive: {error}") from None


def _unpacked(archive: ZipFile, info: ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return file.read(MAX_BYTES + 1)
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Refuted("reading", f"the member cannot be unpacked: {error}") from None


def write_archive(path: Path, named: Iterable[tuple[str, Document]]) -> int:
    """Write documents under their names, each proved before it goes in; the same documents make the same bytes.

    The file is written whole or not at all.

    Returns:
        How many there are.

    Raises:
        InputError: the file cannot be written.
        Refuted: a document does not prove its claim; nothing is written then.
    """
    many = 0
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=9) as archive:
                for name, document in named:
                    verify(document)
                    member = ZipInfo(name)
                    member.compress_type = ZIP_DEFLATED
                    archive.writestr(member, canonical(document) + b"\n")
                    many += 1
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    return many
