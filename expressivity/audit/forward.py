"""The audited model as the audit sees it: what is left in the residual stream, and how logits are read from it.

Logits enter all measures centred over outputs, since a common shift changes no probability. Centred logits are
``y · basis`` with orthonormal rows of ``basis``, so that squared errors of ``y`` are those of the centred logits: an
ensemble fitted to ``y`` by least squares is the projection of all logits, whatever the size of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.audit.text import Windows
from expressivity.errors import InputError

_SAME = 1e-4  # how near logits made from the residual stream must be to the model's own, of their size
_MOST_OUTPUTS = 4096  # of models whose readout is not known
_NEGLIGIBLE = 1e-12  # share of the variance that a direction may have and be left out


@dataclass
class Batch:
    """What the model makes of the contexts of some windows.

    Attributes:
        y: coordinates of the logits, ``[contexts, rank]``.
        target: the output that follows in the text, −1 where none does, ``[contexts]``.
        unit: the unit of each, ``[contexts]``.
    """

    y: Tensor
    target: Tensor
    unit: Tensor


class Audited:
    """A model to be audited.

    Attributes:
        model: the model, on the device.
        tokens: its vocabulary; outputs: the names of its logits.
        n_ctx: the longest context.
        dtype: of everything that is computed.
        readout: of the residual stream, ``[d, outputs]``.
        basis: orthonormal rows, ``[rank, outputs]``.
        into: the residual stream to coordinates, ``[d, rank]``.
    """

    def __init__(self, model: Any, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        core = core_of(model)
        for name in ("tokens", "outputs", "n_ctx"):
            if not hasattr(core, name):
                raise InputError(f"the model has no attribute {name}; expected one that load_model reads")
        self.tokens, self.outputs = tuple(core.tokens), tuple(core.outputs)
        self.n_ctx, self.device, self.dtype = int(core.n_ctx), _device(device), dtype
        self.model = deepcopy(model).to(device=self.device, dtype=dtype).eval()
        place = {output: k for k, output in enumerate(self.outputs)}
        self._output_of = np.array([place.get(token, -1) for token in self.tokens], dtype=np.int64)
        self.readout = self._find_readout()
        centred = (self.readout - self.readout.mean(1, keepdim=True)).double()
        values, vectors = torch.linalg.eigh(centred @ centred.T)
        kept = values > max(float(values.max()), 1e-300) * _NEGLIGIBLE
        if not kept.any():
            raise InputError("the model's logits are the same for all outputs; expected some that differ")
        scale = values[kept].sqrt()
        self.into = (vectors[:, kept] * scale).to(dtype)
        self.basis = ((vectors[:, kept] / scale).T @ centred).to(dtype)

    @property
    def rank(self) -> int:
        """The dimension of the centred logits."""
        return len(self.basis)

    @property
    def one_layer(self) -> AttentionOnlyTransformer | None:
        """The model, if it is one layer of attention and nothing else: tables can be read off its weights."""
        model = self.model
        return model if type(model) is AttentionOnlyTransformer and len(model.blocks) == 1 else None

    def _find_readout(self) -> Tensor:
        """``W_U``, if the logits are made by it from what the layers leave; else each output stands for itself."""
        self._residual = False
        shown = torch.arange(min(self.n_ctx, 8), device=self.device)[None] % len(self.tokens)
        with torch.no_grad():
            logits = self.model(shown).to(self.dtype)
            core = core_of(self.model)
            if all(hasattr(core, name) for name in ("embed", "blocks", "W_U")):
                made = self._left(shown) @ core.W_U
                if made.shape == logits.shape and bool((made - logits).abs().max() <= _SAME * logits.abs().max()):
                    self._residual = True
                    readout: Tensor = core.W_U.detach().to(self.dtype)
                    return readout
        if len(self.outputs) > _MOST_OUTPUTS:
            raise InputError(f"the model has {len(self.outputs)} outputs and no W_U; expected at most {_MOST_OUTPUTS}")
        return torch.eye(len(self.outputs), dtype=self.dtype, device=self.device)

    def inputs(self, windows: Windows) -> Tensor:
        """Token numbers for the model; what comes after the end of a document is 0, and not looked at."""
        return torch.from_numpy(np.maximum(windows.tokens, 0).astype(np.int64)).to(self.device)

    def residual(self, inputs: Tensor) -> Tensor:
        """What the readout reads, ``[windows, width, d]``."""
        with torch.no_grad():
            if self._residual:
                return self._left(inputs)
            logits: Tensor = self.model(inputs).to(self.dtype)
            return logits

    def _left(self, inputs: Tensor) -> Tensor:
        """The residual stream after the last layer, with the MLPs of a model that has some."""
        core, mlps = core_of(self.model), getattr(self.model, "mlps", None)
        x = core.embed(inputs)
        for k, block in enumerate(core.blocks):
            x = x + block(x)
            if mlps is not None:
                x = x + mlps[k](x)
        left: Tensor = x.to(self.dtype)
        return left

    def batch(self, windows: Windows) -> Batch:
        """Run the model on windows."""
        graded = torch.from_numpy(np.ascontiguousarray(windows.graded)).to(self.device)
        y = self.residual(self.inputs(windows))[graded] @ self.into
        return Batch(y, *self.known(windows))

    def known(self, windows: Windows) -> tuple[Tensor, Tensor]:
        """The outputs that follow in the text, and the units, of every context."""
        following = windows.following[windows.graded]
        target = np.where(following >= 0, self._output_of[following], -1)
        unit = np.broadcast_to(windows.units[:, None], windows.tokens.shape)[windows.graded]
        return torch.from_numpy(target).to(self.device), torch.from_numpy(unit.astype(np.int64)).to(self.device)


def _device(name: str) -> torch.device:
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:  # torch raises either where a device is not there
        reason = str(error).partition("\n")[0]
        raise InputError(f"device {name!r}: {reason}; expected cpu, or an accelerator that is there") from None


def core_of(model: Any) -> Any:
    """Where a model keeps its vocabulary, its embedding and its heads: a model with MLPs has them inside."""
    return getattr(model, "attention", model)


def text_of(names: Sequence[str]) -> str:
    r"""Tokens as people read them: side by side where they bring their blanks along, parted where none does.

    >>> text_of(["def", " f", "(", "\n"]), text_of(["old", "judge", "in"])
    ('def f(⏎', 'old judge in')
    """
    parts = any(name[:1].isspace() or not name.isalnum() for name in names)
    joined = ("" if parts else " ").join(names)
    return "".join({"\n": "⏎", "\t": "⇥", "\r": "␍"}.get(c, c if c.isprintable() else "·") for c in joined)
