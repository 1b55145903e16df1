"""Domains: tasks stated by rules instead of lists, so that 12^64 contexts are as easily stated as four.

Tokens are gathered into *kinds*, positions into *blocks*. A domain holds every arrangement of the sources whose counts
of kinds are accepted, and what it asks of a context depends on the destination and on those counts alone. So it is
invariant by construction: exchanging two sources of one block, or a token for another of its kind, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from types import MappingProxyType

from expressivity.errors import InputError
from expressivity.task.block import Block, Counts, check_blocks
from expressivity.task.context import Context
from expressivity.task.gather import Requirements, mentioned
from expressivity.task.requirement import Distribution, Pair, Requirement, Top, disagreement, without_repetition
from expressivity.task.task import Task
from expressivity.task.tokens import check_token, describe, quoted

MOST_CASES = 500_000
"""Cases of the largest domain: destinations times counts of kinds, accepted or not."""

MOST_LISTED = 1_000_000
"""Contexts that are listed without being asked twice."""

SHOWN = 8  # problems of `ask` in one message
Place = tuple[int, str]
Ask = Callable[[str, Mapping[str, int]], str | Requirement | Iterable[Requirement] | None]


@dataclass(frozen=True, slots=True)
class Case:
    """The contexts of a domain with one destination and one count of every kind.

    Attributes:
        destination: the last token.
        lengths: how many sources each block has.
        counts: kind to its number among the sources, zeros included.
        requirements: what is asked of each of these contexts; all of them hold.
        n_contexts: how many they are.
        context: one of them: the kinds in order, of each its first token.
    """

    destination: str
    lengths: tuple[int, ...]
    counts: Mapping[str, int]
    requirements: Requirements
    n_contexts: int
    context: Context


@dataclass(frozen=True, init=False, eq=False, repr=False, slots=True)
class Domain:
    """All contexts whose counts of kinds are accepted, and what is asked of them. Immutable.

    Args:
        name: what reports and messages call it.
        kinds: kind to its tokens (a string is one token); or tokens alone, each a kind of its own.
        length: the number of sources, or several such numbers.
        destinations: the tokens that may come last; a string is one token.
        ask: from a destination and the counts of all kinds to what is asked there: a label, a requirement, several that
            hold together, or `None`: no such context is in the domain. Called once for each case.
        limits: kind to its least and largest count, for kinds that do not take every number of places.
        blocks: several runs of positions, in order, in place of `kinds`, `length` and `limits`. Kinds of different
            blocks have different names; one block at most has several lengths.
        outputs: outputs beside those that the requirements mention.

    Raises:
        InputError: with everything that is wrong at once.

    >>> two_ones = Domain(
    ...     "two ones", kinds=("0", "1"), length=64, destinations="=",
    ...     ask=lambda destination, counts: "yes" if counts["1"] == 2 else "no",
    ... )
    >>> two_ones.n_contexts == 2**64, two_ones.n_cases
    (True, 65)
    >>> [case.n_contexts for case in two_ones.cases() if case.counts["1"] == 2]  # 64 choose 2
    [2016]
    """

    name: str
    blocks: tuple[Block, ...]
    destinations: tuple[str, ...]
    outputs: tuple[str, ...]
    n_contexts: int
    _asked: Mapping[tuple[str, Counts], Requirements]

    def __init__(
        self,
        name: str,
        *,
        kinds: Mapping[str, str | Iterable[str]] | Iterable[str] | None = None,
        length: int | Iterable[int] | None = None,
        destinations: str | Iterable[str],
        ask: Ask,
        limits: Mapping[str, tuple[int, int]] | None = None,
        blocks: Iterable[Block] | None = None,
        outputs: Iterable[str] = (),
    ) -> None:
        problems: list[str] = []
        if (blocks is None) is (kinds is None or length is None) or (blocks is not None and limits is not None):
            problems.append("expected kinds and length (and limits), or else blocks")
        single = Block(kinds or (), 0 if length is None else length, limits=limits)
        runs = (single,) if blocks is None else tuple(blocks)
        ends, declared = _listed(destinations), _listed(outputs)
        problems += [] if problems else check_blocks(runs)
        problems += _wrong(ends, "destination") + _wrong(declared, "output")
        if not ends:
            problems.append("found no destinations; expected at least one")
        if not callable(ask):
            problems.append(f"found {describe(ask)} as `ask`; expected a function of a destination and counts")
        _refuse(name, problems)
        shapes = list(product(*(block.lengths for block in runs)))
        cases = len(ends) * sum(prod(map(Block.n_counts, runs, lengths)) for lengths in shapes)
        if cases > MOST_CASES:
            hint = "put tokens that are treated alike into one kind, or set limits"
            problems.append(f"its counts of kinds make {cases} cases; expected at most {MOST_CASES}: {hint}")
            _refuse(name, problems)
        found: dict[tuple[str, Counts], Requirements] = {}
        shared: dict[Requirements, Requirements] = {}
        for end, lengths in product(ends, shapes):
            for parts in product(*map(Block.counts, runs, lengths)):
                counts = tuple(n for part in parts for n in part)
                try:
                    asked = _answer(ask, end, _named(runs, counts))
                except InputError as error:
                    problems.append(str(error))
                    continue
                if asked:
                    found[end, counts] = shared.setdefault(asked, asked)
        if not found and not problems:
            problems.append("`ask` accepts no counts, so no context is in it")
        _refuse(name, problems)
        for attribute, value in (
            ("name", name),
            ("blocks", runs),
            ("destinations", ends),
            ("outputs", tuple(sorted(mentioned(shared).union(declared)))),
            ("n_contexts", sum(_size(runs, counts) for _, counts in found)),
            ("_asked", MappingProxyType(found)),
        ):
            object.__setattr__(self, attribute, value)

    @property
    def n_cases(self) -> int:
        """How many cases there are: the contexts up to exchanges."""
        return len(self._asked)

    @property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """The tokens of every kind, block after block."""
        return {kind: tokens for block in self.blocks for kind, tokens in block.kinds.items()}

    @property
    def is_soft(self) -> bool:
        """Whether some requirement is a distribution."""
        distinct_ones = {id(asked): asked for asked in self._asked.values()}.values()
        return any(isinstance(each, Distribution) for asked in distinct_ones for each in asked)

    def cases(self) -> Iterator[Case]:
        """The cases one after the other, in the order of destinations, lengths and counts."""
        kinds = self.kinds
        for (end, counts), asked in self._asked.items():
            lengths = tuple(sum(n) for _, n in _parts(self.blocks, counts))
            named = _named(self.blocks, counts)
            sources = (kinds[kind][0] for kind, n in named.items() for _ in range(n))
            yield Case(end, lengths, named, asked, _size(self.blocks, counts), Context([*sources, end]))

    def pairs_of(self, requirements: Requirements) -> list[Pair]:
        """What requirements ask of pairs of the domain's outputs: (above, below, equal), each pair once."""
        return list(dict.fromkeys(pair for each in requirements for pair in each.pairs(self.outputs)))

    def requirements_of(self, context: Sequence[str]) -> Requirements:
        """What is asked of a context; nothing if it is none of the domain's.

        >>> domain = Domain("two", kinds="AB", length=2, destinations="Q", ask=lambda _, counts: "T")
        >>> domain.requirements_of("ABQ"), domain.requirements_of("ACQ")
        ((Top(outputs=('T',)),), ())
        """
        *sources, end = context
        for lengths in product(*(block.lengths for block in self.blocks)):
            if sum(lengths) == len(sources):
                counts: list[int] = []
                rest = list(sources)
                for block, length in zip(self.blocks, lengths, strict=True):
                    here, rest = rest[:length], rest[length:]
                    counts += [sum(token in tokens for token in here) for tokens in block.kinds.values()]
                if sum(counts) == len(sources):
                    return self._asked.get((end, tuple(counts)), ())
        return ()

    def stream(self) -> Iterator[tuple[Context, Requirements]]:
        """Every context with what is asked of it, case after case; they may be more than anyone can wait for."""
        for (end, counts), asked in self._asked.items():
            for parts in product(*(block.arrangements(n) for block, n in _parts(self.blocks, counts))):
                yield Context([*(token for part in parts for token in part), end]), asked

    def task(self, limit: int = MOST_LISTED) -> Task:
        """The same as a listed task.

        Raises:
            InputError: it has more contexts than `limit`.

        >>> domain = Domain("any", kinds="AB", length=2, destinations="Q", ask=lambda destination, counts: "T")
        >>> [str(context) for context in domain.task().contexts]
        ['B B Q', 'A B Q', 'B A Q', 'A A Q']
        """
        if self.n_contexts > limit:
            found = shown_number(self.n_contexts)
            raise InputError(f"domain {self.name}: found {found} contexts; expected at most {limit} to list")
        contexts, requirements = zip(*self.stream(), strict=True)
        return Task(contexts, requirements, outputs=self.outputs, name=self.name)

    def occurring(self) -> tuple[list[Place], list[Place], list[tuple[Place, Place]]]:
        """Destinations, sources (with the destinations), and the pairs of the two that meet in a context, sorted.

        A place is a position, counted from 0, and a token. All arrangements being there, a kind that occurs in a block
        occurs at each of its positions.
        """
        present: dict[tuple[str, tuple[int, ...]], list[bool]] = {}
        for end, counts in self._asked:
            lengths = tuple(sum(n) for _, n in _parts(self.blocks, counts))
            known = present.setdefault((end, lengths), [False] * len(counts))
            known[:] = [old or n > 0 for old, n in zip(known, counts, strict=True)]
        pairs: set[tuple[Place, Place]] = set()
        for (end, lengths), kinds in present.items():
            last, start = (sum(lengths), end), 0
            pairs.add((last, last))
            for (block, here), length in zip(_parts(self.blocks, tuple(kinds)), lengths, strict=True):
                tokens = [x for kind, there in zip(block.kinds.values(), here, strict=True) if there for x in kind]
                pairs.update((last, place) for place in product(range(start, start + length), tokens))
                start += length
        return sorted({q for q, _ in pairs}), sorted({s for _, s in pairs}), sorted(pairs)

    def __repr__(self) -> str:
        return f"Domain(name={self.name!r}, contexts={shown_number(self.n_contexts)}, cases={self.n_cases})"


def _answer(ask: Ask, end: str, counts: Mapping[str, int]) -> Requirements:
    """What `ask` says, checked; empty where there is no such context."""
    shown = ", ".join(f"{kind} {n}" for kind, n in counts.items() if n)
    where = f"at {quoted(end)} after {shown or 'nothing'}"
    try:
        said = ask(end, counts)
        if said is None:
            return ()
        asked = (Top(said),) if isinstance(said, str) else (said,) if isinstance(said, Requirement) else tuple(said)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except Exception as error:
        raise InputError(f"{where}: `ask` raises {type(error).__name__}: {error}") from None
    for each in asked:
        if not isinstance(each, Requirement):
            raise InputError(f"{where}: found {describe(each)} as a requirement; expected Top, Tie or Distribution")
    if not asked:
        raise InputError(f"{where}: found no requirements; expected at least one, or None")
    for first, second in combinations(asked, 2):
        found = disagreement(first, second)
        if found is not None:
            raise InputError(f"{where}: asks for {found[0]} and for {found[1]}")
    return without_repetition(asked)


def _named(blocks: tuple[Block, ...], counts: Counts) -> Mapping[str, int]:
    return MappingProxyType(dict(zip((kind for block in blocks for kind in block.kinds), counts, strict=True)))


def _parts(blocks: tuple[Block, ...], counts: Counts) -> Iterator[tuple[Block, Counts]]:
    start = 0
    for block in blocks:
        yield block, counts[start : start + len(block.kinds)]
        start += len(block.kinds)


def _size(blocks: tuple[Block, ...], counts: Counts) -> int:
    return prod(block.n_arrangements(n) for block, n in _parts(blocks, counts))


def _listed(tokens: str | Iterable[str]) -> tuple[str, ...]:
    return (tokens,) if isinstance(tokens, str) else tuple(tokens)


def _wrong(tokens: tuple[str, ...], what: str) -> list[str]:
    found = []
    for token in tokens:
        try:
            check_token(token)
        except InputError as error:
            found.append(f"{what}: {error}")
    if not found and len(set(tokens)) < len(tokens):
        twice = next(token for token in tokens if tokens.count(token) > 1)
        found.append(f"found the {what} {quoted(twice)} twice; expected each once")
    return found


def _refuse(name: object, problems: list[str]) -> None:
    if not isinstance(name, str):
        problems = [f"found {describe(name)} as the name; expected a string", *problems]
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        numbered = [f"({i}) {problem}" for i, problem in enumerate(problems[:SHOWN], 1)]
        text = problems[0] if len(problems) == 1 else f"{len(problems)} problems: {'; '.join(numbered)}{more}"
        raise InputError(f"domain {name if isinstance(name, str) else describe(name)}: {text}")


def shown_number(number: int) -> str:
    """A count for people, however large.

    >>> shown_number(336), shown_number(12**64), shown_number(10**21)
    ('336', '1.16·10^69', '1.00·10^21')
    """
    if number < 10**15:
        return str(number)
    power = number.bit_length() * 30103 // 100000 - 1  # at most one too small, as log 2 = 0.30103 − 4.3e-9
    power += number >= 10 ** (power + 1)
    leading = number // 10 ** (power - 2)
    return f"{leading // 100}.{leading % 100:02}·10^{power}"
