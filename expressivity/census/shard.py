"""The unit of work: some functions in, the rows of a census out. Pure: no files, no state, the same rows every time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from expressivity.census.functions import Words
from expressivity.census.heads import RESTARTS, head_counts, no_heads
from expressivity.census.orders import degrees
from expressivity.census.witnesses import Embedding

Columns = dict[str, list[Any]]


def shard(
    words: Words,
    n: int,
    embedding: Embedding = "joint",
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    heads: bool = True,
    device: str | None = None,
) -> Columns:
    """Orders and heads of functions, with the integers that prove them, each multiplied out before it is returned.

    Args:
        words: the functions. Where the search starts depends on all of them, so other shards find other heads.
        n: the number of inputs.
        embedding: of the heads.
        seed: of the search.
        restarts: of the search, for each function, with as many heads as its degree.
        heads: whether to look for heads at all.
        device: of the search; by default the accelerator if there is one.

    Returns:
        ``function``; ``order``, with ``multipliers`` by input that refute the order below and ``weights`` of monomials
        over ±1 at it; ``heads_lower`` and ``heads_upper`` (``None`` where no heads were found), with the integers of
        their ``denominators`` and ``numerators``, constant first, one head after the other; ``restarts`` tried.

    >>> import numpy as np
    >>> columns = shard(np.array([0b0110], dtype=np.uint64), 2)
    >>> columns["order"], columns["heads_lower"], columns["heads_upper"], columns["multipliers"]
    ([4], [2], [2], [[1, 1, 1, 1]])
    """
    with one_thread():
        order = degrees(words, n)
        found = no_heads(order.degree, n)
        if heads:
            found = head_counts(words, order.degree, n, embedding, seed=seed, restarts=restarts, device=device)
    return {
        "function": [int(word) for word in words],
        "order": (order.degree + 2).tolist(),
        "multipliers": [row.tolist() for row in order.multipliers],
        "weights": [weights.tolist() for weights in order.weights],
        "heads_lower": found.lower.tolist(),
        "heads_upper": [None if upper < 0 else upper for upper in found.upper.tolist()],
        "denominators": [rows.ravel().tolist() for rows in found.denominators],
        "numerators": [rows.ravel().tolist() for rows in found.numerators],
        "restarts": found.restarts.tolist(),
    }


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it torch and the linear algebra of NumPy use one thread: shards run side by side."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(threads)
