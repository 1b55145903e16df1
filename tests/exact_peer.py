"""What an independent exact solver says about a task, with features derived here from the definitions alone."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement, product
from math import prod

import z3

from expressivity import Task, Tie, Top


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


def z3_decides(task: Task, order: int | None, positions: str) -> bool:
    """Whether rational weights exist that meet every comparison strictly, ties exactly."""
    solver = z3.Solver()
    weights: dict[object, z3.ArithRef] = {}

    def logit(context: tuple[str, ...], output: str) -> z3.ArithRef:
        total = z3.RealVal(0)
        for feature, value in features(context, order, positions).items():
            name = (feature, output)
            weights.setdefault(name, z3.Real(f"w{len(weights)}"))
            total = total + value * weights[name]
        return total

    for context, requirements in zip(task.contexts, task.requirements, strict=True):
        logits = {output: logit(context, output) for output in task.outputs}
        for requirement in requirements:
            if not isinstance(requirement, Top | Tie):
                raise TypeError(f"{requirement} asks for more than comparisons")
            others = [z for z in task.outputs if z not in requirement.outputs]
            solver.add([logits[y] > logits[z] for y, z in product(requirement.outputs, others)])
            if isinstance(requirement, Tie):
                solver.add([logits[y] == logits[requirement.outputs[0]] for y in requirement.outputs[1:]])
    status = solver.check()
    if status not in (z3.sat, z3.unsat):
        raise RuntimeError(f"z3 says {status}")
    return bool(status == z3.sat)
