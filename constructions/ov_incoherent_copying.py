"""Skip-trigrams that share their source: a copying head and a negatively copying one (Circuits Updates, July 2023).

The task: ``0 … i → k + i`` for i = 1 … k. Sources are ``0`` and any other tokens that are no destinations, T of
them; if ``0`` is absent all completions tie, as nothing may tell them apart.

*Construction.* Head 0 attends to the destination, with odds 2^10 against 1, and adds its completion. Head 1
does the same with the opposite sign, but ``0`` draws it away with odds 2^20, and ``0`` writes nothing.

*Proof.* Let m be the number of ``0`` among the sources. The odds of head 0 sum to Y = 2^10 + T, those of head 1
to Z = 2^10 + T − m + m·2^20. The destination i writes w_i with one head and −w_i with the other, both with odds
2^10, and nothing else writes. So the logits are 2^10 (1/Y − 1/Z)·w_i: exactly 0, all of them, if m = 0, and a
positive multiple of w_i if m > 0.

*Literal form:* w_i = 1 on completion i, 0 on the others. *Width 2:* w_i = 2ij − j² on completion j, which is i²
− (i − j)², so that i is best, by (i − j)² ≥ 1. As (i, 1) · (2j, −j²) these values have rank 2 for every k;
those of the literal form have rank k, or k − 1 after a shift of all logits. Scores are the same for all
destinations: rank 1. In both forms the least margin is 2^10 (1/Y − 1/Z). ∎

*One head at a single length.* What head 1 takes back where ``0`` is absent is a constant for each T, so at one
length the direct path can do it. With one source of odds 1/2 if it is ``0``, else 1, the destination gets the
share 2/3 or 1/2 of the attention; writing 6w_i against −3w_i on the direct path leaves w_i or 0.

*Not in width 1 with one head,* for k ≥ 3: then the logits are b(q, j) + t·o_j for one number t of each context.
A tie at t₀ leaves them at (t − t₀)·o_j up to a shift, which is largest where o_j is largest or least: at two
completions.
"""

from collections.abc import Callable
from typing import Any

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.task import Domain, Task, Tie, Top, ov_incoherent

LENGTHS = (1, 8, 64)
Writes = Callable[[int, int], int]


def ov_incoherent_literal(k: int) -> Construction:
    """K skip-trigrams of one source by a head that copies and one that takes it back (Circuits Updates, July 2023)."""
    return _pair(f"ov_incoherent_literal:{k}", k, lambda i, j: int(i == j))


def ov_incoherent_width_two(k: int) -> Construction:
    """K skip-trigrams of one source in two heads of width 2, for every K (cf. Circuits Updates, July 2023)."""
    return _pair(f"ov_incoherent_width_two:{k}", k, lambda i, j: 2 * i * j - j * j)


def ov_incoherent_one_length(k: int) -> Construction:
    """K skip-trigrams of one source in one head of width 2, at a single length (cf. Circuits Updates, July 2023)."""
    written = _writes(_checked(k), lambda i, j: 2 * i * j - j * j)
    return (
        Construction(f"ov_incoherent_one_length:{k}", task=ov_incoherent(k))
        .direct(_times(-3, written))
        .head("copies", scores={"0": -1}, base=2, writes=_times(6, written))
    )


def recognise(task: Task) -> Construction | None:
    """The construction in one head for a task of the family, or for a part of one."""
    k = len(task.outputs)
    named = 2 <= k <= 1000 and set(task.outputs) == {str(k + i) for i in range(1, k + 1)}
    return ov_incoherent_one_length(k) if named and all(len(context) == 2 for context in task.contexts) else None


def _pair(name: str, k: int, written: Writes) -> Construction:
    ends = [str(i) for i in range(1, _checked(k) + 1)]
    completions = [str(k + i) for i in range(1, k + 1)]
    domain = Domain(
        f"ov-incoherent:{k}",
        kinds={"source": "0", "other": str(2 * k + 1)},
        length=LENGTHS,
        destinations=ends,
        ask=lambda end, counts: Top(str(k + int(end))) if counts["source"] else Tie(completions),
    )
    writes, here = _writes(k, written), dict.fromkeys(ends, 10)
    return (
        Construction(name, task=domain)
        .head("copies", scores=here, base=2, writes=writes)
        .head("copies negatively", scores={**here, "0": 20}, base=2, writes=_times(-1, writes))
    )


def _writes(k: int, written: Writes) -> dict[str, dict[str, int]]:
    return {str(i): {str(k + j): written(i, j) for j in range(1, k + 1)} for i in range(1, k + 1)}


def _times(factor: int, writes: dict[str, dict[str, int]]) -> dict[str, Any]:
    return {end: {output: factor * value for output, value in found.items()} for end, found in writes.items()}


def _checked(k: int) -> int:
    if not 2 <= k <= 1000:
        raise InputError(f"found K = {k}; expected 2 to 1000")
    return k
