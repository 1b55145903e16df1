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
    paths = {}
    for name, verdict in ladder.verdicts():
        if verdict.certificate is not None:
            paths[verdict.certificate.hash] = str(verdict.certificate.save(folder / f"{name}.json"))
    for order, bound in zip(ladder.orders, ladder.cross_entropy, strict=False):
        paths[bound.hash] = str(bound.save(folder / f"cross-entropy-order-{_order(order.model)}.json"))
    return paths


def _order(model: object) -> object:
    return getattr(model, "order", "any")
