"""Where the gallery is."""

from __future__ import annotations

from pathlib import Path

from expressivity.errors import InputError


def folder() -> Path:
    """Where the gallery is: inside the installed package, or ``constructions/`` of a checkout.

    Raises:
        InputError: in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_gallery", package.parent / "constructions"):
        if place.is_dir():
            return place
    raise InputError(f"the gallery is missing: neither {package / '_gallery'} nor a checkout's constructions/ is there")
