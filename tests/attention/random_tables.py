"""Random one-layer tables for a task, in any embedding, as hypothesis strategies."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from expressivity.attention import Embedding, Head, HeadTables
from expressivity.attention.tables import Row, occurring, rows_of
from expressivity.task import Task

small = st.builds(Fraction, st.integers(-6, 6), st.integers(1, 4))
odds = st.builds(Fraction, st.integers(1, 12), st.integers(1, 12))
embeddings = st.sampled_from(["tokens", "additive", "joint"])


@st.composite
def small_tasks(draw: st.DrawFn, *, ties: bool = False) -> Task:
    """A few contexts of up to three sources, two destinations, three outputs."""
    from expressivity.strategies import tasks

    return draw(tasks("AB", "QR", "FTU", max_length=3, max_contexts=4, ties=ties))


@st.composite
def tables(draw: st.DrawFn, task: Task, embedding: Embedding | None = None, kind: str | None = None) -> HeadTables:
    """Tables whose heads have odds, scores to a rational base, or real scores (``kind``: any if not given)."""
    embedding = embedding or draw(embeddings)
    ends, places, _ = occurring(task.contexts)
    rows: list[Row] = list(dict.fromkeys(row for place in places for row in rows_of(embedding, place)))
    last: list[Row] = list(dict.fromkeys(row for place in ends for row in rows_of(embedding, place)))
    outputs = st.sampled_from(task.outputs)

    def values(over: list[Row]) -> st.SearchStrategy[dict[tuple[Row, str], Fraction]]:
        return st.dictionaries(st.tuples(st.sampled_from(over), outputs), small, max_size=6)

    pairs = st.tuples(st.sampled_from(last), st.sampled_from(rows))
    heads = []
    for _ in range(draw(st.integers(0, 2))):
        form = kind or draw(st.sampled_from(["odds", "base", "real"]))
        writes = draw(values(rows))
        if form == "odds":
            heads.append(Head(writes, odds=draw(st.dictionaries(pairs, odds, max_size=6))))
        elif form == "base":
            whole = st.integers(-5, 5).map(Fraction)
            scores = draw(st.dictionaries(pairs, whole, max_size=6))
            heads.append(Head(writes, scores=scores, base=draw(st.sampled_from([Fraction(2), Fraction(2, 3)]))))
        else:
            heads.append(Head(writes, scores=draw(st.dictionaries(pairs, small, max_size=6))))
    return HeadTables(embedding, draw(values(last)), tuple(heads))
