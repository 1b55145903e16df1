"""Symmetric functions of bits in one head for each sign change, by partial fractions; parity of k in k heads.

The task: k sources ``0`` or ``1``, the destination ``=``; whether the answer is 1 depends on the number s
of ones alone. Let the answer change m times as s goes from 0 to k.

*Construction.* Take the polynomial N of degree m that has a root halfway across each change, and sign +
where the answer is 1. Take m factors D_h(s) that are positive on 0 … k: s + c and k − s + c in turn, with c
= 1/2, 1/2, 1, 1, 2, 2, …. No two have a root in common, so N/ΠD has an expansion in partial fractions,

    N(s) / Π D_h(s) = b + Σ r_h / D_h(s).

Head h gives odds 1 to the destination and to one of the bits, 1 + (k + 1)/c to the other: its odds sum to
(k + 1)·D_h(s)/c. It writes r_h·(k + 1)/c from the destination to output 1, and nothing from the sources, so
it adds r_h/D_h(s) to the logit; the direct path adds b.

*Proof.* Then logit_1 − logit_0 = N(s)/ΠD(s), which has the sign of N(s), which is that of the answer.
Scores and values depend on tokens alone, at a single destination, and only the destination writes: every
head has width 1. Fewer heads cannot do it: T1 makes H heads a polynomial in s of degree H with the same
signs, which has H roots at most. ∎

Poles on both sides, at distances that double, keep the terms r_h/D_h small beside their sum: for parity of
6 they exceed the least margin by a factor of 11,000, against 62,000,000 for the denominators s + 1, …, s +
6, so that float32 still gets every context right. All numbers are scaled to a least margin of 1.
"""

from fractions import Fraction
from itertools import pairwise
from math import prod

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Task, Top, bits
from expressivity.task import parity as parity_task

Signs = dict[int, int]


def parity(k: int) -> Construction:
    """Parity of k bits in k heads of width 1; no skip-(k+1)-gram ensemble does it."""
    return _construction(f"parity:{k}", parity_task(k), k, {s: 1 if s % 2 else -1 for s in range(k + 1)})


def symmetric(values: str) -> Construction:
    """Any function of the number of ones, by its values for 0, 1, 2, … ones; a head for each change."""
    if len(values) < 2 or set(values) - {"0", "1"}:
        raise InputError(f"found {values!r}; expected the values for 0, 1, 2, … ones, for example 0110")
    k = len(values) - 1
    table = "".join(values[index.bit_count()] for index in range(2**k))
    signs = {s: 1 if value == "1" else -1 for s, value in enumerate(values)}
    return _construction(f"symmetric:{values}", bits(table), k, signs)


def recognise(task: Task) -> Construction | None:
    """The construction for a task of this kind, on all bit strings of one length or on some of them."""
    signs: Signs = {}
    lengths = {context.length for context in task.contexts}
    if task.outputs != ("0", "1") or len(lengths) != 1 or {c.destination for c in task.contexts} != {"="}:
        return None
    for context, requirements in zip(task.contexts, task.requirements, strict=True):
        if set(context.sources) - {"0", "1"} or len(requirements) != 1:
            return None
        asked = requirements[0]
        if not isinstance(asked, Top) or len(asked.outputs) != 1:
            return None
        sign = 1 if asked.outputs == ("1",) else -1
        if signs.setdefault(context.sources.count("1"), sign) != sign:
            return None
    (k,) = lengths
    values = "".join("1" if signs[s] > 0 else "0" for s in range(k + 1) if s in signs)
    name = f"symmetric:{values}" if len(values) == k + 1 else f"symmetric function of {k} bits"
    if values == ("01" * k)[: k + 1]:
        name = f"parity:{k}"
    return _construction(name, task, k, dict(sorted(signs.items())))


def _construction(name: str, task: Task, k: int, signs: Signs) -> Construction:
    """Partial fractions of ``N/ΠD``; ``signs`` has the sign for each number of ones that occurs, in
    ascending order.
    """
    roots = [Fraction(s + t, 2) for (s, a), (t, b) in pairwise(signs.items()) if a != b]
    c = [Fraction(2 ** (h // 2), 2) for h in range(len(roots))]
    rising = [h % 2 == 0 for h in range(len(roots))]  # whether D_h(s) is s + c, or k − s + c

    def factor(h: int, s: Fraction) -> Fraction:
        return s + c[h] if rising[h] else k - s + c[h]

    def numerator(s: Fraction) -> Fraction:
        return leading * prod((s - root for root in roots), start=Fraction(1))

    def quotient(s: Fraction) -> Fraction:
        return numerator(s) / prod((factor(h, s) for h in range(len(roots))), start=Fraction(1))

    leading = Fraction(list(signs.values())[-1])
    leading /= min(abs(quotient(Fraction(s))) for s in signs)
    constant = leading * (-1) ** rising.count(False)
    construction = Construction(name, task=task).direct({"=": {"1": constant}})
    for h in range(len(roots)):
        pole = -c[h] if rising[h] else k + c[h]
        others = prod((factor(g, pole) for g in range(len(roots)) if g != h), start=Fraction(1))
        strength = (k + 1) / c[h]
        bit = "1" if rising[h] else "0"
        construction = construction.head(
            f"pole at {pole}",
            at="=",
            odds={bit: 1 + strength},
            writes={"=": {"1": numerator(pole) / others * strength}},
        )
    return construction
