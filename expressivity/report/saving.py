"""Certificates into a folder: all of them, each file whole, or none."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from expressivity.errors import InputError
from expressivity.ladder import Ladder
from expressivity.verdict import Certificate


def save_certificates(ladder: Ladder, folder: Path) -> dict[str, str]:
    """Write every certificate of a ladder, making the folder if need be.

    After an error or Ctrl-C the folder is as it was, or was not.

    Returns:
        The path of each file by the certificate's hash.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    certificates = {name: v.certificate for name, v in ladder.verdicts() if v.certificate is not None}
    for name, verdict in ladder.verdicts():
        if verdict.bound is not None:
            certificates[f"{name}-{verdict.bound.kind.replace('_', '-')}"] = verdict.bound
    known = {certificate.hash for certificate in certificates.values()}
    for bound in ladder.cross_entropy:
        if bound.hash not in known:  # at the level cross_entropy they are the verdicts' own
            certificates[f"cross-entropy-order-{getattr(bound.model, 'order', 'any')}"] = bound
    return save_named(certificates, folder)


def save_named(certificates: Mapping[str, Certificate], folder: Path) -> dict[str, str]:
    """Write certificates under their names, all or none, making the folder if need be; their paths by hash.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    for name in certificates:
        if (folder / f"{name}.json").is_dir():
            raise InputError(f"{folder / name}.json: is a folder where a certificate is to stand; nothing was saved")
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: no folder can be made there: {error.strerror or error}") from None
        _write(certificates, folder)
    except BaseException:
        with suppress(OSError):
            for path in new:
                path.rmdir()
        raise
    return {c.hash: str(folder / f"{name}.json") for name, c in certificates.items()}


def _write(certificates: Mapping[str, Certificate], folder: Path) -> None:
    """Write them into a folder aside, and when that is done move them to their places."""
    aside = folder / f".{uuid4().hex}"
    try:
        aside.mkdir()
        for name, certificate in certificates.items():
            certificate.save(aside / f"{name}.json")
        with _undisturbed():
            for name in certificates:
                os.replace(aside / f"{name}.json", folder / f"{name}.json")
    except (InputError, OSError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else str(error).replace(str(aside), str(folder))
        raise InputError(f"{folder}: nothing was saved: {reason}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C is heard when this is over; threads other than the first never hear it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed and callable(before):  # not so where interrupts are ignored
        before(signal.SIGINT, None)
