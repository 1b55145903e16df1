"""What one layer of attention adds up, looked up by token and position instead of computed by a forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import torch
from torch import Tensor

from expressivity.attention.evaluation.halves import Sequences
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.attention.tables import Place
from expressivity.errors import InputError

CPU_NUMBERS, DEVICE_NUMBERS = 1 << 15, 1 << 26  # summed at a time; on one core, in its cache


@dataclass(frozen=True)
class Lookup:
    """A one-layer model seen from one destination, in floating point.

    Attributes:
        scores: ``[n_heads, positions, tokens]``: what the destination's query gives to each place; the largest score of
            a head is 0.
        values: ``[n_heads, positions, tokens, outputs]``: what each place writes.
        direct: ``[outputs]``: the direct path.
        end: the destination's position and the number of its token.
    """

    scores: Tensor
    values: Tensor
    direct: Tensor
    end: tuple[int, int]

    @staticmethod
    def of(model: AttentionOnlyTransformer, end: Place, outputs: Sequence[str]) -> Lookup:
        """Read a model at one destination, in its own precision and on its own device.

        A model without heads is read as one with a head that writes nothing.

        Raises:
            InputError: the model has several layers, no such place, or no such output.
        """
        if len(model.blocks) != 1:
            raise InputError(f"the model has {len(model.blocks)} layers; expected 1, which adds up over its sources")
        position, token = end
        lacking = sorted(set(outputs) - set(model.outputs))
        if lacking:
            raise InputError(f"the model has no output {lacking[0]!r}; it has {', '.join(model.outputs)}")
        if token not in model.tokens or position >= model.n_ctx:
            raise InputError(f"the model has no token {token!r} at position {position}")
        with torch.no_grad():
            device, number = model.W_E.device, model.tokens.index(token)
            every = torch.arange(len(model.tokens), device=device)[:, None].expand(-1, position + 1)
            stream = model.embed(every).transpose(0, 1)  # [positions, tokens, d_model]
            query = stream[position, number]
            columns = model.W_U[:, [model.outputs.index(y) for y in outputs]]
            if model.n_heads == 0:
                none = stream.new_zeros(1, *stream.shape[:2])
                nothing = none[..., None].expand(-1, -1, -1, len(outputs))
                return Lookup(none, nothing, query @ columns, (position, number))
            asks = torch.einsum("m,hmd->hd", query, model.W_Q)
            scores = torch.einsum("hd,hmd,ptm->hpt", asks, model.W_K, stream) / model.attn_scale
            read = torch.einsum("hmd,hdn,ny->hmy", model.W_V, model.W_O, columns)
            values = torch.einsum("ptm,hmy->hpty", stream, read)
            return Lookup(scores - scores.amax((1, 2), keepdim=True), values, query @ columns, (position, number))

    @cached_property
    def odds(self) -> Tensor:
        """The exponentials of the scores."""
        return self.scores.exp()

    @cached_property
    def is_wide(self) -> bool:
        """Whether scores are so far apart that odds with one scale for all sequences could vanish."""
        return bool(self.scores.min() < 0.8 * log(torch.finfo(self.scores.dtype).tiny))

    def largest(self) -> float:
        """A bound on the size of every logit."""
        return float(self.direct.abs().max() + self.values.abs().amax((1, 2, 3)).sum())

    def sums(self, sequences: Sequences, start: int, order: Sequence[int], end: bool) -> tuple[Tensor, Tensor]:
        """The sums of odds, and of odds times values, over each of some sequences of neighbouring places.

        Args:
            sequences: token numbers, ``[n, places]``.
            start: the position of the first place.
            order: numbers of outputs; their values are taken relative to the first of these, which is left out.
            end: whether the destination is added to each sequence.

        Returns:
            ``[n_heads, len(order), n]``: the sums of odds and then those of values, each head's odds relative to its
            largest in the sequence (where the scores are wide) or among all places; and that largest score,
            ``[n_heads, n]``. The direct path is counted with the first head's values: logits are sums of quotients.
        """
        values = self.values[..., list(order[1:])] - self.values[..., order[0], None]
        direct = self.direct[list(order[1:])] - self.direct[order[0]]
        values = torch.cat([values[:1] + direct, values[1:]])
        most = CPU_NUMBERS if values.device.type == "cpu" else DEVICE_NUMBERS
        rows = max(1, most // max(1, (sequences.shape[1] + end) * values.shape[-1]))
        parts = [self._sums(sequences[i : i + rows], start, values, end) for i in range(0, len(sequences), rows)]
        return torch.cat([sums for sums, _ in parts], -1), torch.cat([most for _, most in parts], -1)

    def _sums(self, sequences: Sequences, start: int, values: Tensor, end: bool) -> tuple[Tensor, Tensor]:
        n_tokens = self.scores.shape[2]
        chosen = torch.from_numpy(sequences).to(self.scores.device).long()
        chosen += torch.arange(start, start + chosen.shape[1], device=chosen.device) * n_tokens
        if end:
            last = chosen.new_full((len(chosen), 1), self.end[0] * n_tokens + self.end[1])
            chosen = torch.cat([chosen, last], 1)
        flat, shape = chosen.flatten(), chosen.shape  # [n, places]; plain indexing is slower than index_select by far
        found, most = [], []
        for scores, odds, written in zip(
            self.scores.flatten(1), self.odds.flatten(1), values.flatten(1, 2), strict=True
        ):
            top = odds.new_zeros(len(chosen))
            weights = odds.index_select(0, flat).view(shape)
            if self.is_wide:
                picked = scores.index_select(0, flat).view(shape)
                top = picked.amax(1) if shape[1] else top - torch.inf
                weights = (picked - top[:, None]).exp()
            gains = (weights[..., None] * written.index_select(0, flat).view(*shape, written.shape[1])).sum(1)
            found.append(torch.cat([weights.sum(1)[None], gains.T]))
            most.append(top)
        return torch.stack(found), torch.stack(most)
