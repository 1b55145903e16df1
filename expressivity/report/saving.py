"""Certificates of a ladder into a folder: each file whole or absent."""

from __future__ import annotations

from pathlib import Path

from expressivity.errors import InputError
from expressivity.ladder import Ladder


def save_certificates(ladder: Ladder, folder: Path) -> dict[str, str]:
    """Write every certificate of a ladder, making the folder if need be.

    Returns:
        The path of each file by the certificate's hash.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made there: {error.strerror or error}") from None
    certificates = {name: v.certificate for name, v in ladder.verdicts() if v.certificate is not None}
    for order, bound in zip(ladder.orders, ladder.cross_entropy, strict=False):
        certificates[f"cross-entropy-order-{getattr(order.model, 'order', 'any')}"] = bound
    for name in certificates:
        if (folder / f"{name}.json").is_dir():
            raise InputError(f"{folder / name}.json: is a folder where a certificate is to stand; nothing was saved")
    return {c.hash: str(c.save(folder / f"{name}.json")) for name, c in certificates.items()}
