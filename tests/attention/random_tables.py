"""Random one-layer tables for a task, in any embedding, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from zlib import crc32

from hypothesis import reject
from hypothesis import strategies as st

from expressivity.attention import Embedding, Head, HeadTables
from expressivity.attention.tables import Row, occurring, rows_of
from expressivity.errors import InputError
from expressivity.task import Block, Domain, Task, Tie, Top

small = st.builds(Fraction, st.integers(-6, 6), st.integers(1, 4))
odds = st.builds(Fraction, st.integers(1, 12), st.integers(1, 12))
embeddings = st.sampled_from(["tokens", "additive", "joint"])


@st.composite
def small_tasks(draw: st.DrawFn, *, ties: bool = False) -> Task:
    """A few contexts of up to three sources, two destinations, three outputs."""
    from expressivity.strategies import tasks

    return draw(tasks("AB", "QR", "FTU", max_length=3, max_contexts=4, ties=ties))


@st.composite
def domains(draw: st.DrawFn, *, ties: bool = True) -> Domain:
    """One or two blocks of up to three positions, kinds of up to two tokens, two destinations, three outputs."""
    blocks = []
    for names in draw(st.sampled_from([("vwx",), ("vw", "xy")])):
        tokens = draw(st.permutations("ABCD"))
        sizes = [draw(st.integers(1, 2)) for _ in names]
        kinds = {name: tokens[2 * i : 2 * i + size] for i, (name, size) in enumerate(zip(names, sizes, strict=False))}
        length = draw(st.integers(0, 3))
        blocks.append(Block({name: kinds[name] for name in names if kinds.get(name)}, length))
    answers = [None, "T", "F", Top(["F", "U"]), *([Tie(["F", "T"])] if ties else [])]
    seed = draw(st.integers(0, 2**30))

    def ask(end: str, counts: Mapping[str, int]) -> Any:
        chosen = answers[crc32(repr((seed, end, sorted(counts.items()))).encode()) % len(answers)]
        return "T" if chosen is None and not any(counts.values()) else chosen

    try:
        return Domain(
            "drawn", blocks=blocks, destinations=("Q", "A"), ask=ask, outputs=tuple("FTU")[: draw(st.integers(2, 3))]
        )
    except InputError:
        reject()


@st.composite
def tables(
    draw: st.DrawFn, task: Task | Domain, embedding: Embedding | None = None, kind: str | None = None
) -> HeadTables:
    """Tables whose heads have odds, scores to a rational base, or real scores (``kind``: any if not given)."""
    embedding = embedding or draw(embeddings)
    ends, places, _ = occurring(task)
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
