"""Margins of all pairs of a left and a right half-sequence, by broadcasting their sums against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from expressivity.task import Requirement, Tie


@dataclass(frozen=True)
class Group:
    """Outputs that are above all others, by their numbers: the listed ones come first; and whether they tie."""

    order: tuple[int, ...]
    listed: int
    tied: bool

    @staticmethod
    def of(requirement: Requirement, outputs: Sequence[str]) -> Group:
        """The group that a top set or a tie asks for."""
        listed = [outputs.index(y) for y in requirement.outputs]
        rest = [i for i in range(len(outputs)) if i not in set(listed)]
        return Group((*listed, *rest), len(listed), isinstance(requirement, Tie))

    @property
    def is_strict(self) -> bool:
        """Whether some output is to be below."""
        return self.listed < len(self.order)


@dataclass(frozen=True)
class Side:
    """Half-sequences for one group: ``sums`` is ``[n_heads, outputs, n]``, the odds first, then what each output but
    the first gains on that; ``most``, ``[n_heads, n]``, the largest score, to which a head's odds are relative.
    """

    sums: Tensor
    most: Tensor

    def __len__(self) -> int:
        return self.most.shape[-1]

    def part(self, start: int, size: int) -> Side:
        """Some of them."""
        return Side(self.sums[..., start : start + size], self.most[..., start : start + size])


class Blocks:
    """Evaluates blocks of contexts in memory that is used again for the next."""

    def __init__(self) -> None:
        self.memory: dict[str, Tensor] = {}

    def __call__(self, left: Side, right: Side, group: Group, wide: bool) -> tuple[Tensor | None, Tensor | None]:
        """The margins of all pairs, and how far ties are from 0; both ``[left, right]``, or ``None`` if none is asked.

        Overwritten by the next call. A listed output's gain on the first is to be at least 0 in the minimum, that of
        the others below: ``min(0, listed) − max(others)``, each gain a sum of quotients over the heads.
        """
        heads, outputs, _ = left.sums.shape
        shape = (len(left), len(right))
        space = {name: self._space(name, shape, left.sums) for name in ("low", "high", "gain", "term", "some")}
        shares = [self._share(h, left, right, wide, shape) for h in range(heads)]
        low = high = spread = None
        for y in range(1, outputs):
            is_listed = y < group.listed
            first = low is None if is_listed else high is None
            gain = space["low" if is_listed else "high"] if first and not group.tied else space["gain"]
            for h, (mass, scales) in enumerate(shares):
                into = gain if h == 0 else space["term"]
                if scales is None:
                    torch.add(left.sums[h, y, :, None], right.sums[h, y], out=into)
                else:
                    torch.mul(left.sums[h, y, :, None], scales[0], out=into)
                    into.addcmul_(right.sums[h, y].expand(shape), scales[1])
                if heads > 1:
                    into.mul_(mass)
                if h:
                    gain.add_(into)
            if group.tied and is_listed:
                spread = _keep(torch.maximum, spread, gain.abs_(), space["low"])
            elif is_listed:
                low = _keep(torch.minimum, low, gain, space["low"])
            else:
                high = _keep(torch.maximum, high, gain, space["high"])
        if high is not None:
            high.neg_()
            if low is not None:
                high.add_(low.clamp_(max=0.0))
        for found in (high, spread) if heads == 1 else ():
            if found is not None:
                found.mul_(shares[0][0])
        return high, spread

    def _share(
        self, h: int, left: Side, right: Side, wide: bool, shape: tuple[int, int]
    ) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """One over a head's odds, and what the halves' sums are scaled by, if their odds have different units."""
        mass = self._space(f"mass {h}", shape, left.sums)
        if not wide:
            torch.add(left.sums[h, 0, :, None], right.sums[h, 0], out=mass)
            return mass.reciprocal_(), None
        one, other = (self._space(f"{name} {h}", shape, left.sums) for name in ("left", "right"))
        torch.sub(left.most[h, :, None], right.most[h], out=one)
        torch.neg(one, out=other)
        for scale in (one, other):
            scale.clamp_(max=0.0).exp_()
        torch.mul(left.sums[h, 0, :, None], one, out=mass)
        mass.addcmul_(right.sums[h, 0].expand(shape), other)
        return mass.reciprocal_(), (one, other)

    def _space(self, name: str, shape: tuple[int, int], like: Tensor) -> Tensor:
        size = shape[0] * shape[1]
        known = self.memory.get(name)
        if known is None or known.numel() < size:
            known = self.memory[name] = torch.empty(size, dtype=like.dtype, device=like.device)
        return known[:size].view(shape)


def _keep(choose: Callable[..., Tensor], known: Tensor | None, gain: Tensor, into: Tensor) -> Tensor:
    if known is not None:
        return choose(known, gain, out=known)
    return gain if gain.data_ptr() == into.data_ptr() else into.copy_(gain)


@cache
def fused() -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """A compiled kernel for labels: of each left half with all right ones the least margin, and how many are positive.

    Takes the sums of both sides, at least two of each, odds in one unit. The first output is the label.
    """
    compiled: Any = torch.compile(_reduced, dynamic=True)
    return compiled  # type: ignore[no-any-return]


def _reduced(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    heads, outputs, _ = left.shape
    shares = [1 / (left[h, 0][:, None] + right[h, 0]) for h in range(heads)]
    most: Tensor | None = None
    for y in range(1, outputs):
        gains = [(left[h, y][:, None] + right[h, y]) * shares[h] for h in range(heads)]
        gain = sum(gains[1:], start=gains[0])
        most = gain if most is None else torch.maximum(most, gain)
    margin = -most  # type: ignore[operator]
    return margin.amin(1), (margin > 0).sum(1)
