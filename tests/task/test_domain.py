"""Domains against lists of all sequences, and what is wrong with them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product
from math import comb
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.attention.tables import occurring
from expressivity.errors import InputError
from expressivity.task import (
    Block,
    Context,
    Distribution,
    Domain,
    Tie,
    Top,
    ov_coherent,
    ov_coherent_domain,
    ov_incoherent,
    ov_incoherent_domain,
    parity,
    parity_domain,
)
from expressivity.task.domain import shown_number


def same(domain: Domain, task: object) -> bool:
    """Equal but for the order of the contexts."""
    listed = domain.task()
    both = ((t.contexts, t.requirements) for t in (listed, task))  # type: ignore[attr-defined]
    one, other = (dict(zip(*pair, strict=True)) for pair in both)
    return one == other and listed.outputs == task.outputs  # type: ignore[attr-defined]


@pytest.mark.parametrize("length", [2, 3, 4])
def test_the_read_off_task_at_lengths_that_are_listed(length: int) -> None:
    assert same(ov_coherent_domain(length), ov_coherent(length))


@pytest.mark.parametrize("k", [1, 2, 5])
def test_parity_and_shared_sources_as_they_are_listed(k: int) -> None:
    assert same(parity_domain(k), parity(k))
    assert same(ov_incoherent_domain(k + 1), ov_incoherent(k + 1))


def test_lengths_that_nobody_lists() -> None:
    # Greenspan & Wynroe: C(L, 2) · 4² · 7^(L−2) contexts, 10 pairs of signals.
    domain = ov_coherent_domain(64)
    assert domain.n_contexts == comb(64, 2) * 16 * 7**62
    assert domain.n_cases == len(domain.outputs) == 10
    # A pair of different signals stands in 64·63 orders, a repeated one in half as many.
    sizes = {case.requirements[0].outputs[0]: case.n_contexts for case in domain.cases()}
    assert sizes["12"] == 64 * 63 * 7**62 == 2 * sizes["11"]
    every = Domain("every", kinds={"few": "abc", "many": "defghijkl"}, length=64, destinations="a", ask=lambda *_: "x")
    assert every.n_contexts == 2**64  # a string is one token
    tokens = {"few": tuple("abc"), "many": tuple("defghijkl")}
    every = Domain("every", kinds=tokens, length=64, destinations="a", ask=lambda *_: "x")
    assert (every.n_contexts, every.n_cases) == (12**64, 65)
    assert repr(every) == "Domain(name='every', contexts=1.16·10^69, cases=65)"


@given(st.data())
def test_a_domain_is_the_sequences_whose_counts_are_accepted(data: st.DataObject) -> None:
    """Against every sequence over the alphabet, judged one by one."""
    homes = data.draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=4))
    kinds = {kind: tuple(t for t, home in zip("ABCD", homes, strict=False) if home == kind) for kind in set(homes)}
    lengths = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True))
    ends = data.draw(st.lists(st.sampled_from("AQR"), min_size=1, max_size=2, unique=True))
    least = data.draw(st.integers(0, 1))
    limits = {min(kinds): (least, least + data.draw(st.integers(0, 2)))}
    seed = data.draw(st.integers(0, 2**30))

    def ask(end: str, counts: Mapping[str, int]) -> Any:
        number = crc32(repr((seed, end, sorted(counts.items()))).encode()) if end != "R" else sum(counts.values())
        return [None, "T", Top(["T", "F"]), [Tie(["F", "T"]), Top(["F", "T"])]][number % 4]

    expected = {}
    for length in lengths:
        for end, sources in product(ends, product("ABCD"[: len(homes)], repeat=length)):
            count = Counter(homes["ABCD".index(token)] for token in sources)
            counts = {kind: count[kind] for kind in kinds}
            allowed = limits[min(kinds)][0] <= counts[min(kinds)] <= limits[min(kinds)][1]
            if allowed and ask(end, counts) is not None:
                expected[Context([*sources, end])] = counts
    if not expected:
        with pytest.raises(InputError, match="no context is in it"):
            Domain("drawn", kinds=kinds, length=lengths, destinations=ends, ask=ask, limits=limits)
        return
    domain = Domain("drawn", kinds=kinds, length=lengths, destinations=ends, ask=ask, limits=limits)
    found = dict(domain.stream())
    assert found.keys() == expected.keys()
    for length in (*lengths, 4):
        for context in product("ABCD", repeat=length):
            for end in "AQR":
                assert domain.requirements_of((*context, end)) == found.get((*context, end), ())
    assert domain.n_contexts == len(expected) == sum(1 for _ in domain.stream())
    assert domain.occurring() == occurring(found)
    numbers: Counter[object] = Counter()
    for case in domain.cases():
        assert expected[case.context] == dict(case.counts)
        assert sum(case.lengths) == case.context.length
        assert case.context.destination == case.destination
        assert case.requirements == found[case.context]
        numbers[case.destination, case.lengths, tuple(case.counts.items())] += case.n_contexts
    shapes = Counter((c.destination, (c.length,), tuple(expected[c].items())) for c in expected)
    assert numbers == shapes
    assert len(shapes) == domain.n_cases
    assert domain.task().contexts == tuple(found)


def test_blocks_have_kinds_of_their_own() -> None:
    """The four strings of XOR: the first source is A or B, the second C or D; the label by whether they are alike."""
    labels = {"AC": "T", "AD": "F", "BC": "F", "BD": "T"}
    domain = Domain(
        "xor",
        blocks=[Block("AB"), Block("CD")],
        destinations="Q",
        ask=lambda _, counts: labels["".join(kind for kind, n in counts.items() if n)],
    )
    assert sorted(map(str, domain.task().contexts)) == ["A C Q", "A D Q", "B C Q", "B D Q"]
    assert domain.occurring() == occurring(domain.task().contexts)
    assert domain.kinds == {kind: (kind,) for kind in "ABCD"}


def test_a_block_may_have_several_lengths() -> None:
    domain = Domain(
        "prefix",
        blocks=[Block({"first": "S"}), Block({"rest": ("A", "B")}, range(3))],
        destinations="Q",
        ask=lambda _, counts: "T" if counts["rest"] else "F",
    )
    # S Q; S A Q, S B Q; and four of two more.
    assert domain.n_contexts == 1 + 2 + 4
    assert [case.lengths for case in domain.cases()] == [(1, 0), (1, 1), (1, 2)]
    assert domain.occurring() == occurring(domain.task().contexts)


def test_requirements_that_say_the_same_are_said_once() -> None:
    domain = Domain(
        "tie", kinds="A", length=1, destinations="Q", ask=lambda *_: (Top(["T", "F"]), Tie(["T", "F"])), outputs="G"
    )
    (case,) = domain.cases()
    assert case.requirements == (Tie(["T", "F"]),)
    assert domain.outputs == ("F", "G", "T")
    assert domain.pairs_of(case.requirements) == domain.task().pairs(0)
    assert not domain.is_soft
    soft = Domain("soft", kinds="A", length=1, destinations="Q", ask=lambda *_: Distribution({"T": 1}))
    assert soft.is_soft


def test_a_domain_asks_once_for_each_case_and_does_not_change() -> None:
    asked = []

    def ask(end: str, counts: object) -> str:
        asked.append((end, dict(counts)))  # type: ignore[call-overload]
        return "T"

    domain = Domain("once", kinds="AB", length=3, destinations="Q", ask=ask)
    assert (len(asked), domain.n_cases) == (4, 4)
    list(domain.cases())
    domain.task()
    assert len(asked) == 4
    with pytest.raises(AttributeError):
        domain.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        next(domain.cases()).counts["A"] = 7  # type: ignore[index]


def message(**changes: object) -> str:
    given = {"kinds": "AB", "length": 2, "destinations": "Q", "ask": lambda *_: "T"} | changes
    with pytest.raises(InputError) as error:
        Domain("d", **given)  # type: ignore[arg-type]
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kinds": {"a": "A", "b": ("A", "B")}}, "token A is in kind 'a' and in kind 'b' of one block"),
        ({"kinds": {"a": ()}}, "kind 'a' has no tokens"),
        ({"kinds": {"a": (1,)}}, "kind 'a': found 1 as a token; expected a string"),
        ({"kinds": ()}, "found a block without kinds; expected at least one"),
        ({"kinds": None}, "expected kinds and length (and limits), or else blocks"),
        ({"blocks": [Block("A")]}, "expected kinds and length (and limits), or else blocks"),
        ({"length": -1}, "found the length -1; expected a whole number of at least 0"),
        ({"length": 1.5}, "found the length 1.5; expected a whole number of at least 0"),
        ({"length": (1, 1)}, "found 2 lengths, 1 of them distinct; expected one or more"),
        ({"limits": {"C": (0, 1)}}, "found limits of 'C'; expected one of the kinds 'A', 'B'"),
        ({"limits": {"A": 1}}, "kind 'A' has the limits 1; expected two whole numbers, least and largest"),
        ({"limits": {"A": (2, 1)}}, "kind 'A' has the limits (2, 1); expected the least first"),
        ({"destinations": ()}, "found no destinations; expected at least one"),
        ({"destinations": ("Q", "Q")}, "found the destination Q twice; expected each once"),
        ({"outputs": (None,)}, "output: found null as a token; expected a string"),
        ({"ask": "T"}, 'found "T" as `ask`; expected a function of a destination and counts'),
        ({"ask": lambda *_: None}, "`ask` accepts no counts, so no context is in it"),
        ({"limits": {"A": (3, 3)}}, "`ask` accepts no counts, so no context is in it"),
        (
            {"length": 600, "kinds": "ABCD"},
            "its counts of kinds make 36361101 cases; expected at most 500000: "
            "put tokens that are treated alike into one kind, or set limits",
        ),
    ],
)
def test_what_is_wrong(changes: dict[str, object], expected: str) -> None:
    assert message(**changes) == f"domain d: {expected}"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda _, counts: counts["C"], "`ask` raises KeyError: 'C'"),
        (lambda *_: 3, "`ask` raises TypeError: 'int' object is not iterable"),
        (lambda *_: (), "found no requirements; expected at least one, or None"),
        (lambda *_: ("T",), 'found "T" as a requirement; expected Top, Tie or Distribution'),
        (lambda *_: (Top("T"), Top("F")), "asks for T above F and for F above T"),
        (lambda *_: Top(()), "found no outputs; expected at least one"),
    ],
)
def test_what_is_wrong_with_an_answer(answer: object, expected: str) -> None:
    found = message(ask=answer, length=1)
    assert found == f"domain d: 2 problems: (1) at Q after B 1: {expected}; (2) at Q after A 1: {expected}"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = message(kinds={"a": ()}, length=-1, destinations=(), ask=None)
    assert found.startswith("domain d: 4 problems: (1) kind 'a' has no tokens; (2) found the length -1;")
    assert message(ask=lambda *_: 1 / 0, length=30).endswith("; and 23 more")
    two = message(kinds=None, length=None, blocks=[Block("AB", (1, 2)), Block("BC", (1, 2))])
    assert "(1) kind 'B' is in two blocks; expected names that tell them apart; (2) two blocks have several" in two
    with pytest.raises(InputError, match="domain 3: found 3 as the name; expected a string"):
        Domain(3, kinds="A", length=1, destinations="Q", ask=lambda *_: "T")  # type: ignore[arg-type]


def test_too_many_to_list() -> None:
    with pytest.raises(InputError, match=r"ov-coherent:64: found 8.02·10\^56 contexts; expected at most 1000000"):
        ov_coherent_domain(64).task()
    with pytest.raises(InputError, match="found 4 contexts; expected at most 3 to list"):
        parity_domain(2).task(limit=3)


@given(st.integers(15, 400), st.integers(100, 999), st.integers(-1, 1))
def test_large_numbers_are_shown_by_their_leading_digits(power: int, leading: int, off: int) -> None:
    text = str(leading * 10 ** (power - 2) + off)
    if len(text) > 15:
        assert shown_number(int(text)) == f"{text[0]}.{text[1:3]}·10^{len(text) - 1}"


@pytest.mark.parametrize("family", [parity_domain, ov_coherent_domain, ov_incoherent_domain])
def test_families_have_limits(family: object) -> None:
    for value in (0, 5000):
        with pytest.raises(InputError, match=f"= {value}; expected"):
            family(value)  # type: ignore[operator]
