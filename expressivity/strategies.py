"""Random tasks for property-based tests, as `hypothesis` strategies.

    @given(tasks())
    def test_a_task_survives_its_file(task):
        assert Task.from_text(task.to_text()) == task

Counterexamples shrink to few and short contexts, labels rather than ties or distributions, and the first
tokens. This is the one module that imports `hypothesis`, which is installed by whoever tests with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import strategies as st

from expressivity.task import Context, Distribution, Requirement, Task, Tie, Top

__all__ = ["contexts", "distributions", "requirements", "tasks"]


def contexts(
    tokens: Sequence[str] = "AB", destinations: Sequence[str] = "Q", *, max_length: int = 3, min_length: int = 0
) -> st.SearchStrategy[Context]:
    """Contexts of `min_length` to `max_length` sources among `tokens`, at one of `destinations`."""
    sources = st.lists(st.sampled_from(tokens), min_size=min_length, max_size=max_length)
    return st.builds(lambda x, q: Context([*x, q]), sources, st.sampled_from(destinations))


def distributions(outputs: Sequence[str] = "FT") -> st.SearchStrategy[Distribution]:
    """Distributions over all of `outputs`, with small denominators; some probabilities are 0."""
    shares = st.lists(st.integers(0, 4), min_size=len(outputs), max_size=len(outputs)).filter(any)
    return shares.map(lambda found: Distribution(zip(outputs, found, strict=True), normalise=True))


@st.composite
def requirements(
    draw: st.DrawFn, outputs: Sequence[str] = "FT", *, several: bool = True, ties: bool = True, soft: bool = False
) -> tuple[Requirement, ...]:
    """What may be asked of one context without contradiction.

    Args:
        draw: supplied by `hypothesis`.
        outputs: distinct outputs to choose from.
        several: whether to ask for sets of several allowed outputs too, and for one set inside another.
        ties: whether to ask for ties too.
        soft: whether to ask for distributions too.
    """
    order = draw(st.permutations(outputs))
    asked: list[Requirement] = [Top(order[0])]
    kinds = ["label", *["tie"] * ties, *["several", "nested"] * several, *["distribution"] * soft]
    kind = draw(st.sampled_from(kinds if len(outputs) > 1 else ["label"]))
    if kind == "distribution":
        return (draw(distributions(outputs)),)
    if kind != "label":
        size = draw(st.integers(2, len(outputs)))
        larger: Requirement = Tie(order[:size]) if kind == "tie" else Top(order[:size])
        asked = [*asked, larger] if kind == "nested" else [larger]
    return tuple(asked)


@st.composite
def tasks(
    draw: st.DrawFn,
    tokens: Sequence[str] = "AB",
    destinations: Sequence[str] = "QR",
    outputs: Sequence[str] = "FGT",
    *,
    max_contexts: int = 8,
    max_length: int = 3,
    min_length: int = 0,
    several: bool = True,
    ties: bool = True,
    soft: bool = False,
    weighted: bool = True,
) -> Task:
    """Small tasks of several lengths and destinations, with every kind of requirement that is not switched off.

    Args:
        draw: supplied by `hypothesis`.
        tokens: the sources to choose from.
        destinations: the destinations to choose from.
        outputs: distinct outputs to choose from; some may be declared and never asked for.
        max_contexts: at most so many contexts, all distinct.
        max_length: at most so many sources in each.
        min_length: at least so many.
        several: whether some contexts allow several outputs.
        ties: whether some contexts tie outputs.
        soft: whether some contexts ask for distributions.
        weighted: whether some weights differ from 1.
    """
    place = contexts(tokens, destinations, max_length=max_length, min_length=min_length)
    places = draw(st.lists(place, min_size=1, max_size=max_contexts, unique=True))
    asked = [draw(requirements(outputs, several=several, ties=ties, soft=soft)) for _ in places]
    weight = st.builds(Fraction, st.integers(1, 4), st.integers(1, 4)) if weighted else st.just(Fraction(1))
    declared = draw(st.lists(st.sampled_from(outputs), unique=True))
    return Task(places, asked, outputs=declared, weights=[draw(weight) for _ in places], name="random")
