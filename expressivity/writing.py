"""Files written whole or not at all. Floor 0, standard library only; no proof rests on it.

A file is written under another name beside its own, and renamed when it is complete.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from expressivity.certificate import canonical
from expressivity.errors import InputError


def write(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a certificate in canonical JSON, with a newline at the end.

    Raises:
        InputError: the file cannot be written; what stood there before is untouched.
    """
    write_bytes(canonical(document) + b"\n", path)


def write_bytes(data: bytes, path: str | os.PathLike[str]) -> None:
    """Write a whole file or nothing: a temporary file in the same folder, synced, then renamed.

    Raises:
        InputError: the file cannot be written; what stood there before is untouched.
    """
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
