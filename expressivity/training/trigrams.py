"""The trigram world (ARENA's monthly challenge, November 2024): even tokens, but some ordered pairs force the next.

Of the 75² = 5,625 ordered pairs of tokens 277, about 5%, force the token that comes next; every other token is drawn
evenly. What a model can have learnt is known exactly, and so is the least cross-entropy that any model has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from expressivity.errors import InputError

Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trigrams:
    """The rules: which pairs force which token.

    Args:
        vocabulary: how many tokens there are.
        pairs: how many ordered pairs force one.
        length: tokens of a sequence.
        seed: of the draw of pairs and successors.

    Raises:
        InputError: a number out of range.

    >>> world = Trigrams()
    >>> int((world.successor >= 0).sum()), round(world.floor, 4)
    (277, 4.1111)
    """

    vocabulary: int = 75
    pairs: int = 277
    length: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("vocabulary", self.vocabulary, 2, 1 << 12),
            ("pairs", self.pairs, 0, self.vocabulary**2),
            ("length", self.length, 3, 1 << 16),
            ("seed", self.seed, 0, 1 << 62),
        ):
            if not least <= value <= most:
                raise InputError(f"{name} is {value}; expected {least} to {most}")

    @cached_property
    def successor(self) -> Array:
        """The token that a pair (row before last, column last) forces, −1 where it forces none."""
        random = np.random.default_rng(self.seed)
        table = np.full(self.vocabulary**2, -1, dtype=np.int64)
        chosen = random.choice(self.vocabulary**2, self.pairs, replace=False)
        table[chosen] = random.integers(0, self.vocabulary, self.pairs)
        return table.reshape(self.vocabulary, self.vocabulary)

    @cached_property
    def forced_share(self) -> npt.NDArray[np.float64]:
        """At each position that predicts the next token, how probable it is that this is forced; ``[length − 1]``.

        The distribution of the last two tokens is carried along: ``p'(b, c) = Σ_a p(a, b) T(c | a, b)``.
        """
        n, forced = self.vocabulary, self.successor >= 0
        last_two = np.full((n, n), 1 / n**2)
        shares = [0.0]  # one token is no pair
        for _ in range(self.length - 2):
            shares.append(float(last_two[forced].sum()))
            following = np.repeat(np.where(forced, 0, last_two).sum(0)[:, None] / n, n, axis=1)
            before, last = np.nonzero(forced)
            np.add.at(following, (last, self.successor[before, last]), last_two[before, last])
            last_two = following
        return np.array(shares)

    @property
    def floor(self) -> float:
        """The least cross-entropy of any model, in nats a token: ``ln(vocabulary) · (1 − mean forced share)``."""
        return float(np.log(self.vocabulary) * (1 - self.forced_share.mean()))

    def fill(self, uniform: Array) -> Array:
        """Sequences from independent uniform tokens, ``[sequences, length]``: forced tokens are put in their places."""
        rows = np.array(uniform)
        for t in range(2, rows.shape[1]):
            forced = self.successor[rows[:, t - 2], rows[:, t - 1]]
            np.copyto(rows[:, t], forced, where=forced >= 0)
        return rows

    def sequences(self, many: int, seed: int) -> Array:
        """So many sequences, drawn from the seed; ``[many, length]``."""
        random = np.random.default_rng([self.seed, seed])
        return self.fill(random.integers(0, self.vocabulary, (many, self.length)))
