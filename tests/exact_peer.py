"""What an independent exact solver says about a task, with features derived here from the definitions alone.

Decisions are z3's, over the rationals. Log-odds are decided by Gaussian elimination in fractions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product
from math import prod

import z3

from expressivity import Distribution, Task, Tie, Top

Pair = tuple[int, str, str, bool]
"""In a context, the logit of one output is above that of another, or equal to it."""


def features(context: tuple[str, ...], order: int | None, positions: str) -> dict[object, int]:
    """Every monomial of degree ≤ order − 2 in the indicators (or counts) of sources, times the destination.

    For every order at once (``None``): one indicator for each class of contexts with the same variables, because
    polynomials of any degree tell all others apart.
    """
    *sources, end = context
    if positions == "absolute":
        variables = dict.fromkeys(enumerate(sources), 1)
        key: tuple[object, ...] = (len(sources), end)
    else:
        variables = {token: n if positions == "count" else 1 for token, n in Counter(sources).items()}
        key = (end,)
    if order is None:
        return {(*key, frozenset(variables.items())): 1}
    names = sorted(variables)
    return {
        (*key, tuple(sorted(bag))): prod(variables[name] for name in bag)
        for degree in range(order - 1)
        for bag in combinations_with_replacement(names, degree)
    }


# ------------------------------------------------------------------ linear algebra


class Echelon:
    """Rational vectors, told apart as they come into independent ones and combinations of those before."""

    def __init__(self) -> None:
        self.rows: dict[int, list[Fraction]] = {}  # by the place of the first entry, which is 1

    def add(self, vector: Iterable[int | Fraction]) -> int | None:
        """The first place at which the vector still differs from all combinations; ``None`` if it is one."""
        left = [Fraction(value) for value in vector]
        for place in range(len(left)):
            factor = left[place]
            if not factor:
                continue
            if place not in self.rows:
                self.rows[place] = [value / factor for value in left]
                return place
            left = [
                value - factor * known if known else value for value, known in zip(left, self.rows[place], strict=True)
            ]
        return None


def independent_columns(table: Sequence[Sequence[int]]) -> list[int]:
    """Numbers of columns that are a basis of the column space."""
    seen = Echelon()
    distinct: dict[tuple[int, ...], int] = {}
    for number, column in enumerate(zip(*table, strict=True)):
        distinct.setdefault(column, number)
    return [number for column, number in distinct.items() if seen.add(column) is not None]


def table_of(task: Task, order: int | None, positions: str) -> list[list[int]]:
    """``[contexts, columns]``: features that span all others, so that they give the same logits."""
    found = [features(context, order, positions) for context in task.contexts]
    names = list(dict.fromkeys(name for own in found for name in own))
    whole = [[own.get(name, 0) for name in names] for own in found]
    chosen = independent_columns(whole)
    return [[row[number] for number in chosen] for row in whole]


# ------------------------------------------------------------------ decisions


class Weights:
    """Unknown weights on the columns of a table, one for each output, in a solver of linear arithmetic."""

    def __init__(self, table: Sequence[Sequence[int]], outputs: Sequence[str]) -> None:
        self.solver = z3.Solver()
        self.table = table
        self.outputs = outputs
        self.unknown = {
            (column, y): z3.Real(f"w{column} {y}") for column in range(len(table[0])) for y in outputs[1:]
        }  # the first output's are 0: a shift of all logits changes nothing
        self.logit = cache(self._logit)

    def _logit(self, context: int, y: str) -> z3.ArithRef:
        terms = [v * self.unknown[j, y] for j, v in enumerate(self.table[context]) if v and y != self.outputs[0]]
        return z3.Sum(terms) if terms else z3.RealVal(0)

    def relation(self, pair: Pair) -> z3.BoolRef:
        context, y, z, equal = pair
        above, below = self.logit(context, y), self.logit(context, z)
        return above == below if equal else above > below

    def possible(self) -> bool:
        """Whether what the solver was told can be met."""
        status = self.solver.check()
        if status not in (z3.sat, z3.unsat):
            raise RuntimeError(f"z3 says {status}")
        return bool(status == z3.sat)


def z3_meets(table: Sequence[Sequence[int]], outputs: Sequence[str], pairs: Iterable[Pair]) -> bool:
    """Whether rational weights meet every comparison, strict ones strictly, ties exactly."""
    weights = Weights(table, outputs)
    weights.solver.add([weights.relation(pair) for pair in pairs])
    return weights.possible()


def z3_decides(task: Task, order: int | None, positions: str) -> bool:
    """Whether some ensemble meets all labels, allowed sets and ties of a task."""
    pairs: list[Pair] = []
    for i, requirements in enumerate(task.requirements):
        for requirement in requirements:
            if not isinstance(requirement, Top | Tie):
                raise TypeError(f"{requirement} asks for more than comparisons")
            inside, outside = requirement.outputs, [z for z in task.outputs if z not in requirement.outputs]
            pairs += [(i, y, z, False) for y, z in product(inside, outside)]
            if isinstance(requirement, Tie):
                pairs += [(i, y, inside[0], True) for y in inside[1:]]
    return z3_meets(table_of(task, order, positions), task.outputs, pairs)


# ------------------------------------------------------------------ log-odds


def chances_of(task: Task) -> list[dict[str, Fraction]]:
    """The positive probabilities asked for in each context: of a label 1, of a tie equal ones."""

    def chances(asked: Top | Tie | Distribution) -> dict[str, Fraction]:
        if isinstance(asked, Distribution):
            return {y: p for y, p in asked.probabilities if p}
        if isinstance(asked, Top) and len(asked.outputs) > 1:
            raise TypeError(f"{asked} is no distribution")
        return {y: Fraction(1, len(asked.outputs)) for y in asked.outputs}

    found = [[chances(each) for each in asked] for asked in task.requirements]
    if any(each != own[0] for own in found for each in own):
        raise ValueError("requirements on one context differ")
    return [own[0] for own in found]


def prime_exponents(number: int) -> Counter[int]:
    """By trial division."""
    found: Counter[int] = Counter()
    prime = 2
    while number > 1:
        if prime * prime > number:
            prime = number
        while number % prime == 0:
            number //= prime
            found[prime] += 1
        prime += 1
    return found


def log_odds_match(task: Task, order: int | None, positions: str) -> bool:
    """Whether an ensemble has the task's probabilities exactly, or in the limit where some are 0.

    *Claim.* Let S(x) be the outputs with p(y|x) > 0. The infimum over the ensembles w of Σ π(x) KL(p(·|x) ‖ w(·|x)) is
    0 if and only if both

    1. some w has w·φ(x)(e_y − e_z) = ln p(y|x)/p(z|x) for all y, z ∈ S(x) and all x, and
    2. some d has d·φ(x)(e_y − e_z) = 0 for y, z ∈ S(x), and > 0 for y ∈ S(x), z ∉ S(x), for all x.

    *If:* the softmax of w + t d tends to p as t → ∞, so the divergence tends to 0. *Only if:* let w_k be ensembles
    whose divergence tends to 0. The weights π are positive, so w_k(·|x) → p(·|x) for each x (Pinsker). Hence the
    differences of logits within S(x) tend to ln p(y|x)/p(z|x). The vectors of such differences form a linear subspace
    of a space of finite dimension, which is closed, so the limit is one of them: this is 1. Those from S(x) to outside
    tend to +∞. If no d were as in 2, Motzkin's theorem would give multipliers μ ≥ 0, not all 0, of the strict
    comparisons and ν of the equal ones with Σ μ Δ + Σ ν Δ = 0; but Σ μ w_k·Δ tends to +∞ and Σ ν w_k·Δ stays bounded.

    *Deciding 1.* Write ln p(y|x)/p(z|x) = Σ_q e_q ln q over primes q. These logarithms are linearly independent over
    the rationals (unique factorisation). The system has a real solution unless some combination of its left sides is 0
    and that of its right sides is not (Fredholm). The combination can be rational, as the left sides are. Then that of
    the right sides is Σ_q (…) ln q with rational coefficients, which is 0 only if each of them is. So the system has a
    solution if and only if it has one for each prime's exponents in the place of the right side. *Deciding 2:* z3.
    """
    table, outputs = table_of(task, order, positions), task.outputs
    chances = chances_of(task)
    left, right = [], []
    pairs: list[Pair] = []
    for i, own in enumerate(chances):
        head, *others = own
        for y in others:
            pairs.append((i, y, head, True))
            left.append([v * ((z == y) - (z == head)) for z in outputs for v in table[i]])
            ratio, exponents = own[y] / own[head], prime_exponents((own[y] / own[head]).numerator)
            exponents.subtract(prime_exponents(ratio.denominator))
            right.append(exponents)
        pairs += [(i, head, z, False) for z in outputs if z not in own]
    primes = sorted({q for exponents in right for q in exponents})
    system = Echelon()
    for row, exponents in zip(left, right, strict=True):
        place = system.add([*row, *(exponents[q] for q in primes)])
        if place is not None and place >= len(row):
            return False
    return all(equal for *_, equal in pairs) or z3_meets(table, outputs, pairs)
