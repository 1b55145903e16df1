"""Layered tables at random, and small ones by name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from hypothesis import strategies as st

from expressivity.attention import (
    Direction,
    Embedding,
    HeadTables,
    LayeredHead,
    LayeredTables,
)
from expressivity.attention.layered import embedded
from expressivity.attention.tables import Row, occurring
from expressivity.task import Task
from tests.attention.random_tables import embeddings, odds, small

A, B = Direction("token", "A"), Direction("token", "B")
PREV_A, PREV_B = Direction("prev", "A"), Direction("prev", "B")
TO_A, TO_B = Direction("→", "A"), Direction("→", "B")
one = Fraction(1)
COPY = {(A, PREV_A): one, (B, PREV_B): one}
OUT = {(PREV_A, TO_A): one, (PREV_B, TO_B): one}


def direction(row: Row) -> Direction:
    position, token = row
    if position is None:
        return Direction("token", token or "")
    return Direction("position", position) if token is None else Direction("place", (position, token))


def as_layered(found: HeadTables) -> LayeredTables:
    """One layer over directions; of what is direct, nothing changes."""

    def pairs(table: Mapping[tuple[Row, Row], Fraction] | None) -> dict[tuple[Direction, Direction], Fraction] | None:
        return None if table is None else {(direction(q), direction(s)): v for (q, s), v in table.items()}

    heads = [
        LayeredHead(
            {(direction(row), Direction("→", y)): value for (row, y), value in head.values.items()},
            pairs(head.scores),
            pairs(head.odds),
            head.base,
        )
        for head in found.heads
    ]
    return LayeredTables(found.embedding, (tuple(heads),), {(direction(r), y): v for (r, y), v in found.direct.items()})


@st.composite
def layered(draw: st.DrawFn, task: Task, whole: bool = False) -> LayeredTables:
    """Two or three layers of up to two heads that read and write tokens, positions, two subspaces and outputs."""
    embedding: Embedding = draw(embeddings)
    readable = list(embedded(embedding, occurring(task)[1]))
    numbers = st.integers(-4, 4).map(Fraction) if whole else small
    layers = []
    for _ in range(draw(st.integers(2, 3))):
        heads, written = [], []
        for _ in range(draw(st.integers(0, 2))):
            targets = [*(Direction(s, y) for s in ("u", "v") for y in "kl"), *(Direction("→", y) for y in task.outputs)]
            ends, sources = st.sampled_from(readable), st.sampled_from(readable)
            values = draw(st.dictionaries(st.tuples(sources, st.sampled_from(targets)), numbers, max_size=5))
            written += [target for _, target in values if not target.is_output and target not in readable]
            pairs = st.tuples(ends, sources)
            form = "real" if whole else draw(st.sampled_from(["odds", "base", "real"]))
            if form == "odds":
                heads.append(LayeredHead(values, odds=draw(st.dictionaries(pairs, odds, max_size=5))))
            else:
                base = Fraction(3, 2) if form == "base" else "e"
                heads.append(LayeredHead(values, scores=draw(st.dictionaries(pairs, numbers, max_size=5)), base=base))
        layers.append(tuple(heads))
        readable += list(dict.fromkeys(written))
    direct = draw(st.dictionaries(st.tuples(st.sampled_from(readable), st.sampled_from(task.outputs)), numbers))
    return LayeredTables(embedding, tuple(layers), direct)
