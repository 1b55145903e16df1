"""The claim "some attention-only transformer of this shape": what a certificate's ``model`` field says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from expressivity.errors import InputError

Embedding = Literal["joint", "additive", "tokens"]
EMBEDDINGS: tuple[Embedding, ...] = get_args(Embedding)


@dataclass(frozen=True)
class Attention:
    """All one-layer attention-only transformers with this many heads.

    Attributes:
        heads: how many heads, or ``None`` for any number.
        d_head: the width of every head, or ``None`` for any width.
        embedding: ``joint`` (odds and values are free functions of position and token), ``additive`` (sums
            of a token part and a position part, as ``W_E + W_pos`` makes them) or ``tokens`` (no
            positions).
        layers: 1; deeper models are not decided yet.

    Raises:
        InputError: a field outside its range.

    >>> Attention(heads=2).to_json()
    {'class': 'attention', 'heads': 2, 'embedding': 'joint', 'd_head': None}
    >>> print(Attention(heads=1, d_head=1, embedding="tokens"))
    attention, 1 head of width 1 (tokens)
    """

    heads: int | None = None
    d_head: int | None = None
    embedding: Embedding = "joint"
    layers: int = 1

    def __post_init__(self) -> None:
        for name, value, least in (("heads", self.heads, 0), ("d_head", self.d_head, 1)):
            if value is not None and not _is_count(value, least):
                raise InputError(f"{name} is {value!r}; expected None or a whole number of at least {least}")
        if not _is_count(self.layers, 1) or self.layers != 1:
            raise InputError(f"layers is {self.layers!r}; expected 1: only one layer of attention is decided")
        check_embedding(self.embedding)

    def to_json(self) -> dict[str, Any]:
        """The ``model`` object of a certificate."""
        return {"class": "attention", "heads": self.heads, "embedding": self.embedding, "d_head": self.d_head}

    def __str__(self) -> str:
        count = "any number of heads" if self.heads is None else f"{self.heads} head{'s' * (self.heads != 1)}"
        width = "" if self.d_head is None else f" of width {self.d_head}"
        return f"attention, {count}{width} ({self.embedding})"


def check_embedding(embedding: object) -> Embedding:
    """``embedding`` itself if it is one of the three conventions.

    Raises:
        InputError: it is not.
    """
    for known in EMBEDDINGS:
        if embedding == known:
            return known
    raise InputError(f"embedding is {embedding!r}; expected one of {', '.join(EMBEDDINGS)}")


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
