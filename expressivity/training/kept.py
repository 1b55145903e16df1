"""Many seeds in a folder: their weights, what each decides, and a certificate of each that does the task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from expressivity.archive import write_archive
from expressivity.errors import InputError
from expressivity.training.seeds import Seeds
from expressivity.writing import write_bytes

WEIGHTS, TABLE, ARCHIVE = "weights.safetensors", "seeds.json", "certificates.zip"


def check_folder(folder: Path) -> None:
    """Make the folder of many seeds, before the work.

    Raises:
        InputError: it has other files in it, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        other = sorted({path.name for path in folder.iterdir()} - {WEIGHTS, TABLE, ARCHIVE})
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; expected a folder to train in") from None
    if other:
        raise InputError(f"{folder}: has {other[0]}; expected a new folder")


def keep_seeds(found: Seeds, folder: Path, told: Mapping[str, Any]) -> None:
    """Write them; ``expressivity verify`` proves the archive again.

    Args:
        found: what came of the seeds; weights have the seed as their first axis.
        folder: where.
        told: the table's contents.
    """
    from safetensors.torch import save

    write_bytes(save({name: weight.contiguous() for name, weight in found.weights.items()}), folder / WEIGHTS)
    write_bytes(json.dumps(told, indent=1, allow_nan=False).encode() + b"\n", folder / TABLE)
    if found.certified:
        named = (
            (f"seed-{found.plan.seed + k}.json", outcome.certificate.document)
            for k, outcome in enumerate(found.outcomes)
            if outcome.certificate is not None
        )
        write_archive(folder / ARCHIVE, named)
