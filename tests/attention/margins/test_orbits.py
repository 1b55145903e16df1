"""Orbits against every context one by one, by the definition of the logits."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressivity.attention import Head, HeadTables, enclosed_margins, exact_margins, failures, rational_for
from expressivity.attention.margins import orbits_of
from expressivity.errors import InputError
from expressivity.task import Block, Domain, Task, Tie, parity, parity_domain, xor
from tests.attention.random_tables import domains, small_tasks, tables

one = Fraction(1)


def one_by_one(found: HeadTables, task: Task) -> Counter[object]:
    """How many contexts have these requirements and margins, from the logits of each."""
    numbers: Counter[object] = Counter()
    for index, (context, asked) in enumerate(zip(task.contexts, task.requirements, strict=True)):
        logits = found.logits(context)
        margins = tuple(logits.get(y, 0) - logits.get(z, 0) for y, z, _ in task.pairs(index))
        numbers[context.destination, context.length, asked, margins] += 1
    return numbers


def by_orbits(found: HeadTables, task: Task | Domain) -> Counter[object]:
    gathered = orbits_of(found, task)
    margins: list[list[Fraction]] = [[] for _ in gathered.orbits]
    for comparison, margin in zip(gathered.comparisons(), exact_margins(found, gathered), strict=True):
        margins[comparison.context].append(margin)
    numbers: Counter[object] = Counter()
    for orbit, mine in zip(gathered.orbits, margins, strict=True):
        context = orbit.context
        numbers[context.destination, context.length, orbit.requirements, tuple(mine)] += orbit.n_contexts
    return numbers


@settings(max_examples=150)
@given(st.data())
def test_orbits_of_a_domain_are_its_contexts(data: st.DataObject) -> None:
    domain = data.draw(domains())
    found = data.draw(tables(domain, kind=data.draw(st.sampled_from(["odds", "base"]))))
    listed = domain.task()
    assert by_orbits(found, domain) == by_orbits(found, listed) == one_by_one(found, listed)
    # The domain is no coarser nor finer than its list.
    assert len(orbits_of(found, domain).orbits) == len(orbits_of(found, listed).orbits)
    # Every representative has the margins of its orbit.
    gathered = orbits_of(found, domain)
    alone = Task(
        [o.context for o in gathered.orbits], [o.requirements for o in gathered.orbits], outputs=domain.outputs
    )
    assert exact_margins(found, alone) == exact_margins(found, gathered)


@given(st.data())
def test_orbits_of_a_listed_task_are_its_contexts(data: st.DataObject) -> None:
    task = data.draw(small_tasks(ties=True))
    found = data.draw(tables(task, kind="odds"))
    assert by_orbits(found, task) == one_by_one(found, task)


@settings(max_examples=50)
@given(st.data())
def test_real_scores_are_counted_alike(data: st.DataObject) -> None:
    """Enclosures of counted places and of listed ones have the same signs, and meet."""
    domain = data.draw(domains())
    found = data.draw(tables(domain))
    gathered = orbits_of(found, domain)
    alone = Task(
        [o.context for o in gathered.orbits], [o.requirements for o in gathered.orbits], outputs=domain.outputs
    )
    for one, other in zip(enclosed_margins(found, gathered), enclosed_margins(found, alone), strict=True):
        assert one.sign == other.sign
        assert max(one.lower, other.lower) <= min(one.upper, other.upper)


def test_a_context_has_its_own_logits() -> None:
    """By hand: odds 2 on A and 1 on B and Q; A writes 3. With a of T sources A: 6a/(2a + T − a + 1)."""
    domain = Domain("a", kinds="AB", length=4, destinations="Q", ask=lambda *_: "T", outputs="F")
    head = Head({((None, "A"), "T"): Fraction(3)}, odds={((None, "Q"), (None, "A")): Fraction(2)})
    gathered = orbits_of(HeadTables("tokens", {}, (head,)), domain)
    assert [orbit.n_contexts for orbit in gathered.orbits] == [1, 4, 6, 4, 1]
    assert exact_margins(HeadTables("tokens", {}, (head,)), gathered) == tuple(
        Fraction(6 * a, 2 * a + 5 - a) for a in range(5)
    )


def test_twelve_to_the_sixty_fourth() -> None:
    """Uniform attention; 6 of 12 tokens write 1: the margin of the majority with a such sources is (2a − 64)/65."""
    tokens = {"few": tuple("abcdef"), "many": tuple("ghijkl")}
    domain = Domain(
        "majority",
        kinds=tokens,
        length=64,
        destinations="=",
        ask=lambda _, counts: Tie(["F", "T"]) if counts["few"] == 32 else "FT"[counts["few"] > 32],
    )
    values = {((None, x), y): one for kind, y in (("few", "T"), ("many", "F")) for x in tokens[kind]}
    tables = HeadTables("tokens", {}, (Head(values),))
    gathered = orbits_of(tables, domain)
    assert gathered.n_contexts == 12**64
    assert len(gathered.orbits) == 65
    sizes = {dict(orbit.counted).get((0, "a"), 0): orbit.n_contexts for orbit in gathered.orbits}
    assert sizes == {a: comb(64, a) * 6**64 for a in range(65)}
    margins = exact_margins(tables, gathered)
    assert not failures(gathered, margins)
    assert sorted(margins) == sorted([Fraction(abs(2 * a - 64), 65) for a in range(65)])
    assert rational_for(tables, domain) == tables


def test_a_kind_whose_tokens_differ_is_split() -> None:
    """Kinds A a and B b over 4 positions, but the tables tell a from the others: orbits by the numbers of a and B."""
    domain = Domain("ab", kinds={"A": "Aa", "B": "Bb"}, length=4, destinations="Q", ask=lambda *_: "T", outputs="F")
    assert domain.kinds == {"A": ("Aa",), "B": ("Bb",)}  # a string is one token
    kinds = {"A": ("A", "a"), "B": ("B", "b")}
    domain = Domain("ab", kinds=kinds, length=4, destinations="Q", ask=lambda _, n: "FT"[n["A"] > n["B"]], outputs="F")
    head = Head({((None, "a"), "T"): one})
    gathered = orbits_of(HeadTables("tokens", {}, (head,)), domain)
    # Two requirements: at most 2 of kind A, or more. With at most 2, a occurs 0, 1 or 2 times; with more 0 to 4 times.
    assert sorted(
        (orbit.requirements[0].outputs[0], dict(orbit.counted).get((0, "a"), 0)) for orbit in gathered.orbits
    ) == [("F", 0), ("F", 1), ("F", 2), ("T", 0), ("T", 1), ("T", 2), ("T", 3), ("T", 4)]
    sizes = {
        (orbit.requirements[0].outputs[0], dict(orbit.counted).get((0, "a"), 0)): orbit.n_contexts
        for orbit in gathered.orbits
    }
    # n of kind A at C(4, n) places, a of them the token a in C(n, a) ways, 2^(4−n) for the others.
    for (label, a), size in sizes.items():
        ns = [n for n in range(5) if (n > 2) == (label == "T")]
        assert size == sum(comb(4, n) * comb(n, a) * 2 ** (4 - n) for n in ns)


def test_positions_that_differ_are_told_apart() -> None:
    """Position 1 of 3 alone is looked at: 2 orbits of 4 contexts each."""
    domain = Domain("middle", kinds="AB", length=3, destinations="Q", ask=lambda *_: "T", outputs="F")
    tables = HeadTables("joint", {}, (Head({((1, "A"), "T"): one}),))
    assert sorted(orbit.n_contexts for orbit in orbits_of(tables, domain).orbits) == [4, 4]
    weights = [1, 2, 4]
    apart = HeadTables("joint", {}, (Head({((i, "A"), "T"): Fraction(w) for i, w in enumerate(weights)}),))
    assert sorted(exact_margins(apart, orbits_of(apart, domain))) == [Fraction(n, 4) for n in range(8)]


def test_blocks_are_treated_apart() -> None:
    labels = {"AC": "T", "AD": "F", "BC": "F", "BD": "T"}
    domain = Domain(
        "xor",
        blocks=[Block("AB"), Block("CD")],
        destinations="Q",
        ask=lambda _, counts: labels["".join(kind for kind, n in counts.items() if n)],
    )
    tables = HeadTables("tokens", {((None, "Q"), "T"): one})
    assert by_orbits(tables, domain) == by_orbits(tables, xor())
    assert len(orbits_of(tables, domain).orbits) == 2  # without heads only what is asked differs


def test_a_million_contexts_of_parity_in_21_orbits() -> None:
    head = Head({((None, "1"), "1"): one})
    tables = HeadTables("tokens", {}, (head,))
    assert by_orbits(tables, parity(10)) == by_orbits(tables, parity_domain(10))
    assert [orbit.n_contexts for orbit in orbits_of(tables, parity_domain(20)).orbits] == [
        comb(20, s) for s in range(21)
    ]


def test_too_many_orbits() -> None:
    values = {((i, "1"), "1"): Fraction(2**i) for i in range(40)}
    tables = HeadTables("joint", {}, (Head(values),))
    with pytest.raises(InputError, match="parity:12: found over 1000 classes of contexts with different logits"):
        orbits_of(tables, parity_domain(12), limit=1000)
    with pytest.raises(InputError, match="parity:40: found over 1000 classes of contexts with different logits"):
        orbits_of(tables, parity_domain(40), limit=1000)


def test_real_scores_of_a_large_domain() -> None:
    """e^2 on A: with a of 64 sources A, the share of A is a e²/(a e² + 65 − a); the other half of the margin is 1/2."""
    domain = Domain(
        "a", kinds={"A": ("A",), "B": tuple("bcdefghijkl")}, length=64, destinations="Q",
        ask=lambda _, counts: "FT"[counts["A"] >= 8],
    )  # fmt: skip
    head = Head({((None, "A"), "T"): one}, scores={((None, "Q"), (None, "A")): Fraction(2)})
    tables = HeadTables("tokens", {((None, "Q"), "F"): Fraction(1, 2)}, (head,))
    gathered = orbits_of(tables, domain)
    assert (gathered.n_contexts, len(gathered.orbits)) == (12**64, 65)
    # 7 e² = 51.7 < 58 and 8 e² = 59.1 > 57.
    assert all(interval.sign == 1 for interval in enclosed_margins(tables, gathered))
    assert rational_for(tables, domain).is_exact
    wrong = Domain("a", kinds="AB", length=64, destinations="Q", ask=lambda _, counts: "FT"[counts["A"] >= 7])
    with pytest.raises(InputError, match=r"of 1.84·10\^19 contexts fail, such as"):
        rational_for(tables, wrong)
