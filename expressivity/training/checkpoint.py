"""A training run on disk: its plan, its last checkpoint, and at the end the model.

A checkpoint is one safetensors file with the weights, what AdamW remembers of them, and every loss so far; the number
of steps stands in its header. It is written under another name and renamed, so a run that is killed at any moment
leaves the last whole one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expressivity.attention.models.files import misfits, not_finite, refuse
from expressivity.errors import InputError
from expressivity.training.plan import Plan
from expressivity.writing import write_bytes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PLAN, CHECKPOINT, RESULT, TOKENIZER = "training.json", "checkpoint.safetensors", "result.json", "tokenizer.json"
FORMAT = "expressivity training"
VERSION = 1
PARTS = ("weight", "average", "square")
"""Of each parameter: itself, and the running means of its gradient and of that squared."""


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stands.

    Attributes:
        step: how many steps were made.
        tensors: ``weight``, ``average`` and ``square`` of each parameter, as ``weight/embed.W_E``.
        losses: of every step so far; ``[step]``.
        seconds: of work so far.
    """

    step: int
    tensors: Mapping[str, Tensor]
    losses: Tensor
    seconds: float


class Store:
    """The folder of a run.

    Args:
        folder: made if it is not there.
        plan: what is trained there.
        hashed: the plan with what it is fed (:meth:`.Plan.hash`).

    Raises:
        InputError: it holds something else, another plan among it, or cannot be made.
    """

    def __init__(self, folder: Path, plan: Plan, hashed: str) -> None:
        self.folder, self.plan, self.hash = folder, plan, hashed
        path = folder / PLAN
        stated = {"format": FORMAT, "version": VERSION, "plan": plan.to_json(), "hash": hashed}
        try:
            if path.exists():
                self._compare(path, stated)
                return
            if folder.is_dir() and any(folder.iterdir()):
                raise InputError(f"{folder}: has files but no {PLAN}; expected a new folder, or that of this training")
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror or error}; expected a folder to train in") from None
        write_bytes(_json(stated), path)

    def _compare(self, path: Path, stated: Mapping[str, Any]) -> None:
        found = read_object(path)
        if found.get("format") != FORMAT or found.get("version") != VERSION or not isinstance(found.get("plan"), dict):
            raise InputError(f"{path}: is no plan of a training of version {VERSION}")
        old, new = found["plan"], stated["plan"]
        differing = [key for key in new if old.get(key) != new[key]] + [key for key in old if key not in new]
        if differing:
            said = ", ".join(
                f"{key} is {json.dumps(old.get(key))}, asked for {json.dumps(new.get(key))}" for key in differing
            )
            raise InputError(f"{path}: another training is in this folder ({said})")
        if found.get("hash") != self.hash:
            raise InputError(f"{path}: the text or the task that it names has changed since; train in a new folder")

    def keep(self, state: State) -> None:
        """Write a checkpoint, whole or not at all."""
        from safetensors.torch import save

        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.tensors.items()}
        said = {"format": FORMAT, "step": str(state.step), "seconds": f"{state.seconds:.3f}", "hash": self.hash}
        write_bytes(save({**tensors, "losses": state.losses.cpu()}, said), self.folder / CHECKPOINT)

    def last(self, parameters: Mapping[str, torch.nn.Parameter]) -> State | None:
        """The last checkpoint, if there is one.

        Raises:
            InputError: it is damaged or of another run.
        """
        from safetensors import SafetensorError, safe_open

        path = self.folder / CHECKPOINT
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                said = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            step, seconds = int(said.get("step", "")), float(said.get("seconds", ""))
        except (SafetensorError, OSError, ValueError) as error:
            shown = str(error).partition("\n")[0][:120]
            raise InputError(f"{path}: is no checkpoint ({shown}); delete it to train from the start") from None
        if said.get("hash") != self.hash:
            raise InputError(f"{path}: is of another training; delete it to train from the start")
        losses = tensors.pop("losses", None)
        expected = {f"{part}/{name}": tuple(p.shape) for part in PARTS for name, p in parameters.items()}
        refuse(path, misfits({name: tuple(tensor.shape) for name, tensor in tensors.items()}, expected))
        refuse(path, not_finite(tensors))
        if losses is None or tuple(losses.shape) != (step,) or not 1 <= step <= self.plan.steps:
            raise InputError(f"{path}: its losses are not those of {step} steps; delete it to train from the start")
        return State(step, tensors, losses, seconds)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write what came of it."""
        write_bytes(_json(result), self.folder / RESULT)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not JSON ({str(error)[:80]})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: is no JSON object")
    return found


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
