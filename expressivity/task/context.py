"""A context: the tokens before the one that is to be predicted."""

from __future__ import annotations

from expressivity.task.tokens import quoted


class Context(tuple[str, ...]):
    """Sources `x_1 … x_T` and, last, the destination `q` at which the next token is predicted.

    A tuple of tokens: it equals that tuple and hashes like it. The sources sit at positions 0 to T − 1, the
    destination at position T.

    >>> context = Context(["A", "C", "Q"])
    >>> context.sources, context.destination, context.length
    (('A', 'C'), 'Q', 2)
    >>> print(context)
    A C Q
    """

    __slots__ = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Every token but the last."""
        return tuple(self[:-1])

    @property
    def destination(self) -> str:
        """The last token."""
        return self[-1]

    @property
    def length(self) -> int:
        """T, the number of sources."""
        return len(self) - 1

    def __str__(self) -> str:
        return " ".join(map(quoted, self))

    def __repr__(self) -> str:
        return f"Context({tuple(self)!r})"
