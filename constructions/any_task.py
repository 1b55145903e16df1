"""Any finite task in enough heads of width 1 (Shlegeris 2022 states it; the construction is by partial fractions).

*Construction.* Take the contexts of one destination and one length T, N of them, and whole numbers s_i ≥ 0 for
each token at position i, so that their sums s(x) are different for all contexts; S is the sum of the largest
ones. Head h of N − 1 has the denominator D_h = s + c or S − s + c in turn, with c = 1/2, 1/2, 1, 1, 2, 2, …: it
gives odds 1 to the destination and 1 + (T + 1)s_i/c to a source (with max s_i − s_i for s_i in the second
case), (T + 1)D_h/c in all. The destination alone writes, (T + 1)r_h/c, so that the head adds r_h/D_h to a
logit; the direct path adds b.

*Proof.* Let f be the logits wanted of an output and P the polynomial of degree at most N − 1 with P(s(x)) =
f(x)·ΠD(s(x)) for all N contexts. No two D have a root in common, so P/ΠD = b + Σ r_h/D_h, and this equals f on
every context: the logits are exact, ties included. Scores and values are one row: width 1. Other destinations
have odds of their own and write themselves, so that they share the heads, which are then at most as wide as
there are destinations; none of them may be a source where another is the destination, at the same position. ∎

The logits wanted are the number of required sets that contain an output: 1 for a label, 0 for all else. It is
what a universal construction costs, in heads and in the size of numbers; most tasks need far fewer heads
(``T3`` makes one for each long gram of an ensemble: ``expressivity build`` takes a saved certificate).
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import prod

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Context, Distribution, Task

MOST = 64
Place = tuple[int, str]


@dataclass(frozen=True)
class Factor:
    """D(s) = s + c, or top − s + c."""

    c: Fraction
    top: int | None

    def __call__(self, s: Fraction | int) -> Fraction:
        """Its value."""
        return (s if self.top is None else self.top - s) + self.c

    @property
    def slope(self) -> int:
        """Of D."""
        return 1 if self.top is None else -1

    @property
    def pole(self) -> Fraction:
        """Where D is 0."""
        return -self.c if self.top is None else self.top + self.c


def any_task(task: str) -> Construction:
    """Any finite task, a file or a family, in N − 1 heads for N contexts of a destination (Shlegeris 2022)."""
    return exact_heads(Task.load(task), f"any_task:{task}")


def exact_heads(given: Task, name: str) -> Construction:
    """The construction for a task at hand."""
    fibres = list(given.fibres().values())
    _check(given, fibres)
    direct: dict[Place, dict[str, Fraction]] = {}
    odds: list[dict[Place, dict[Place, Fraction]]] = [{} for _ in range(max(map(len, fibres)) - 1)]
    writes: list[dict[Place, dict[str, Fraction]]] = [{} for _ in odds]
    for members in fibres:
        contexts = [given.contexts[i] for i in members]
        end, parts = (contexts[0].length, contexts[0].destination), _numbers(contexts)
        at = [sum(parts[place] for place in enumerate(x.sources)) for x in contexts]
        largest = [max(s for (i, _), s in parts.items() if i == position) for position in range(end[0])]
        factors = [Factor(Fraction(2 ** (h // 2), 2), sum(largest) if h % 2 else None) for h in range(len(at) - 1)]
        direct[end] = {}
        for y in given.outputs:
            wanted = [sum(y in asked.outputs for asked in given.requirements[i]) for i in members]
            direct[end][y], residues = _fractions(at, wanted, factors)
            for h, residue in enumerate(residues):
                writes[h].setdefault(end, {})[y] = residue * (end[0] + 1) / factors[h].c
        for h, factor in enumerate(factors):
            numbers = {p: largest[p[0]] - s if factor.top is not None else s for p, s in parts.items()}
            odds[h][end] = {p: 1 + (end[0] + 1) * s / factor.c for p, s in numbers.items()}
    made = Construction(name, task=given, embedding="joint").direct(direct)
    for h, (attended, written) in enumerate(zip(odds, writes, strict=True)):
        made = made.head(f"pole {h}", odds=attended, writes=written)
    return made


def _numbers(contexts: list[Context]) -> dict[tuple[int, str], int]:
    """Whole numbers for places whose sums tell all contexts apart: digits to the least base that does."""
    tokens = [sorted({x.sources[i] for x in contexts}) for i in range(contexts[0].length)]
    for base in count(1):
        parts = {(i, x): n * base**i for i, found in enumerate(tokens) for n, x in enumerate(found)}
        sums = {sum(parts[place] for place in enumerate(x.sources)) for x in contexts}
        if len(sums) == len(contexts):
            return parts


def _fractions(at: list[int], wanted: list[int], factors: list[Factor]) -> tuple[Fraction, list[Fraction]]:
    """The constant and the residues of the P/ΠD that has the wanted values."""
    scaled = [
        f * prod((D(s) for D in factors), start=Fraction(1)) / prod(s - t for t in at if t != s)
        for s, f in zip(at, wanted, strict=True)
    ]

    def numerator(s: Fraction) -> Fraction:  # Lagrange's form; a pole is no point of interpolation
        return prod(s - t for t in at) * sum((a / (s - t) for a, t in zip(scaled, at, strict=True)), Fraction(0))

    residues = [numerator(D.pole) / prod(E(D.pole) for E in factors if E is not D) for D in factors]
    return sum(scaled, Fraction(0)) / prod(D.slope for D in factors), residues


def _check(task: Task, fibres: list[list[int]]) -> None:
    most = max(map(len, fibres))
    if most > MOST:
        raise InputError(f"found {most} contexts of one length and destination; expected at most {MOST}")
    if any(isinstance(asked, Distribution) for found in task.requirements for asked in found):
        raise InputError("the task asks for probabilities; expected labels, allowed outputs or ties")
    sources = {place for context in task.contexts for place in enumerate(context.sources)}
    for length, end in task.fibres():
        if (length, end) in sources:
            raise InputError(f"{end!r} at position {length} is a destination and a source; expected one of the two")
