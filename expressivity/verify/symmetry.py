"""Contexts that stand for others: sources permuted and exchanged where no head sees a difference. Floor 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb
from typing import Any

from expressivity.errors import Refuted
from expressivity.verify.attention import Head, bits_of, head_of, rows_of
from expressivity.verify.claim import NIL, Claim, fields_of, hold, items_of, text_of, whole

Kinds = dict[tuple[int, str], tuple[int, int, int]]  # place: the numbers of its block and kind, and the kind's tokens


def represented(claim: Claim, heads: Sequence[object], symmetries: object) -> int:
    """How many contexts those of the claim stand for, each for some with its logits, and no two for the same."""
    tables = [head_of(claim, head) for head in heads]
    known: dict[tuple[int, str], Kinds] = {}
    for entry in items_of(symmetries, "symmetries"):
        token, length, blocks = fields_of(entry, "a symmetry", "destination", "length", "blocks")
        end = whole(length, "a length"), text_of(token, "a destination")
        if end in known:
            raise Refuted("symmetry", f"two entries are about the destination {end!r}")
        known[end] = _kinds(claim, tables, end, items_of(blocks, "blocks"))
    total, classes = 0, set()
    for tokens, _ in claim.contexts:
        end = len(tokens) - 1, tokens[-1]
        sources = list(enumerate(tokens[:-1]))
        if end not in known or not known[end].keys() >= set(sources):
            raise Refuted("symmetry", f"no entry is about the destination {end!r}, or a source is of no kind")
        counts = Counter(known[end][place] for place in sources)
        classes.add((end, frozenset(counts.items())))
        ways, placed = 1, Counter[int]()
        for (block, _, size), n in counts.items():
            placed[block] += n
            claim.spend(20, len(tokens) * (len(tokens) * size).bit_length())
            ways *= comb(placed[block], n) * size**n
        total += ways
    if len(classes) < len(claim.contexts):
        raise Refuted("symmetry", "two contexts stand for the same ones")
    return total


def _kinds(claim: Claim, heads: Sequence[Head], end: tuple[int, str], blocks: Sequence[object]) -> Kinds:
    """The places before a destination by kind. Those of one kind have the same odds and values in every head."""
    kinds, every, many, last = Kinds(), list[int](), 0, rows_of(claim.model["embedding"], *end)
    for number, block in enumerate(blocks):
        positions, listed = fields_of(block, "a block", "positions", "kinds")
        every += [whole(position, "a position") for position in items_of(positions, "positions")]
        for kind, tokens in enumerate(items_of(listed, "kinds")):
            hold(many := many + len(items_of(tokens, "a kind")) * len(positions), 0)
            places = [(i, text_of(token, "a token")) for token in tokens for i in positions]
            claim.spend(100 * len(places))
            for head in heads:
                claim.spend(40 * len(places) * (1 + len(claim.outputs)), head.bits + bits_of(head.values))
            if len({_seen(claim, heads, last, place) for place in places}) > 1:
                raise Refuted("symmetry", f"from {end!r} some head tells places of kind {kind} of block {number} apart")
            kinds |= dict.fromkeys(places, (number, kind, len(tokens)))
    if len(every) != end[0] or {*every} != {*range(end[0])} or len(kinds) < many:
        raise Refuted("symmetry", f"a position before {end!r} is not in one block, or a token there not in one kind")
    return kinds


def _seen(claim: Claim, heads: Sequence[Head], end: Any, place: tuple[int, str]) -> Any:
    """All that logits depend on: the odds of a place, and its values."""
    rows = rows_of(claim.model["embedding"], *place)
    values = ([sum((head.values.get((row, y), NIL) for row in rows), NIL) for y in claim.outputs] for head in heads)
    return tuple((head.score(end, rows), *written) for head, written in zip(heads, values, strict=True))
