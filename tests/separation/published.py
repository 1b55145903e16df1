"""Published data, where they are at hand: not ours to pass on, so tests that read them skip without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = "set EXPRESSIVITY_DATA to the folder with endometrial.csv, silvapulle1981.csv and lizards.csv"


def published(name: str) -> str:
    """The path of a published data set, from EXPRESSIVITY_DATA or a folder data/separation beside the repository."""
    given = os.environ.get("EXPRESSIVITY_DATA")
    folders = [Path(given)] if given else sorted(ROOT.parent.glob("*/data/separation"))
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if found is None:
        pytest.skip(f"{name} is not here; {PLACES}")
    return str(found)
