"""Every verdict on the nasty collection is right and proved, by arithmetic of this file's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from benchmarks.nasty import FAMILIES, Instance
from expressivity.separability import Cancellation, IntegerRows, Separator, separate

LIMIT = 300.0  # seconds for one instance: a test that hangs says less than one that fails
PRIME = 31415926535897932384626433832795028841  # far from the powers of two and ten that the rows are made of
SLOW = {
    "greater-than-62",
    "greater-than-62-contradicted",
    "greater-than-90",
    "greater-than-90-contradicted",
    "nearly-duplicated-1e12-40-denied",
    "nearly-duplicated-1e15-40-denied",
    "nearly-duplicated-2^60-40",
    "nearly-duplicated-2^60-40-denied",
    "odd-max-bit-130-contradicted",
}


def separates(rows: Sequence[Sequence[int]], equal: Sequence[bool], weights: Sequence[int]) -> bool:
    """At least 1 on every strict row, 0 on every equal one."""
    values = [sum(a * w for a, w in zip(row, weights, strict=True)) for row in rows]
    return all(value == 0 if tie else value >= 1 for value, tie in zip(values, equal, strict=True))


def cancels(rows: Sequence[Sequence[int]], equal: Sequence[bool], multipliers: Mapping[int, int]) -> bool:
    """The rows add up to zero, with nonnegative multipliers on strict rows, one of them positive."""
    strict = [factor for i, factor in multipliers.items() if not equal[i]]
    columns = range(len(rows[0]))
    totals = [sum(factor * rows[i][j] for i, factor in multipliers.items()) for j in columns]
    return bool(strict) and min(strict) >= 0 and max(strict) > 0 and not any(totals)


def independent(rows: list[list[int]], prime: int = PRIME) -> bool:
    """Whether rows are independent modulo a prime, and hence over the integers (the converse fails by bad luck)."""
    table = [[entry % prime for entry in row] for row in rows]
    for k in range(len(table)):
        pivot = next((j for j, entry in enumerate(table[k]) if entry), None)
        if pivot is None:
            return False
        inverse = pow(table[k][pivot], -1, prime)
        for i in range(k + 1, len(table)):
            factor = table[i][pivot] * inverse % prime
            if factor:
                table[i] = [(a - factor * b) % prime for a, b in zip(table[i], table[k], strict=True)]
    return True


def right_and_proved(instance: Instance) -> None:
    equal = list(instance.equal)
    outcome = separate(IntegerRows.from_dense(instance.rows, instance.shape[1]), equal, time_limit=LIMIT)
    if instance.separable:
        assert isinstance(outcome, Separator), (instance.name, outcome)
        assert separates(instance.rows, equal, outcome.weights), instance.name
    else:
        assert isinstance(outcome, Cancellation), (instance.name, outcome)
        assert cancels(instance.rows, equal, outcome.multipliers), instance.name
        used = sorted(outcome.multipliers)
        assert independent([list(instance.rows[i]) for i in used[1:]]), f"{instance.name}: not irreducible"


def of_family(family: str, *, slow: bool) -> Iterator[Instance]:
    return (instance for instance in FAMILIES[family]() if (instance.name in SLOW) is slow)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_verdict_is_right_and_proved(family: str) -> None:
    for instance in of_family(family, slow=False):
        right_and_proved(instance)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["odd_max_bit", "greater_than", "nearly_duplicated"])
def test_every_slow_verdict_is_right_and_proved(family: str) -> None:
    for instance in of_family(family, slow=True):
        right_and_proved(instance)


def test_the_collection_is_what_it_says() -> None:
    """Proofs of the truth hold (checked here once more), names differ, and there are enough of both kinds."""
    found = [instance for make in FAMILIES.values() for instance in make()]
    for instance in found:
        if instance.separable:
            assert separates(instance.rows, instance.equal, instance.proof), instance.name
        else:
            assert cancels(instance.rows, instance.equal, dict(enumerate(instance.proof))), instance.name
        assert instance.why
    names = [instance.name for instance in found]
    assert len(set(names)) == len(names) >= 200
    assert set(names) >= SLOW
    assert min(sum(i.separable for i in found), sum(not i.separable for i in found)) >= 100


def test_the_collection_is_always_the_same() -> None:
    for family in ("one_part", "border", "layers"):
        assert list(FAMILIES[family]()) == list(FAMILIES[family]())


@pytest.mark.parametrize("truth", [True, False])
def test_an_instance_without_a_proof_cannot_be_made(truth: bool) -> None:
    with pytest.raises(ValueError, match="the proof handed over does not hold"):
        Instance("wrong", ((1, 0), (-1, 1)), (False, False), truth, "no reason", (1, 1))
