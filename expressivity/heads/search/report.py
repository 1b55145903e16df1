"""What a search for heads tried and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from expressivity.attention import Attention, HeadTables
from expressivity.verdict import HeadTablesCertificate, Verdict


@dataclass(frozen=True)
class Round:
    """Some starts of one kind.

    Attributes:
        stage: ``random``: odds drawn at random, one exact step each. ``programs``: linear programs in turn.
            ``gradient``: descent. ``narrow``: descent on narrow factors.
        starts: how many were made.
        best: the least margin of the best start in proportion to the mean size, in floats; below 0 where a comparison
            fails; ``None`` where starts were only tried exactly; of ``narrow`` less the share of comparisons that fail.
        seconds: how long it took.
    """

    stage: str
    starts: int
    best: float | None
    seconds: float


@dataclass(frozen=True)
class SearchReport:
    """A search for heads: what was looked for, what was tried, and the verdict if tables were found.

    Attributes:
        model: the class whose members were looked for.
        seed: of everything random.
        verdict: yes, verified by the trusted base; ``None`` if nothing was found, which proves nothing.
        rounds: what was tried, in order.
        stopped: whether the time limit ended it.
    """

    model: Attention
    seed: int
    verdict: Verdict | None
    rounds: tuple[Round, ...]
    stopped: bool

    @property
    def found(self) -> bool:
        """Whether tables were found."""
        return self.verdict is not None

    @property
    def tables(self) -> HeadTables | None:
        """The tables, exact."""
        certificate = None if self.verdict is None else self.verdict.certificate
        return certificate.tables if isinstance(certificate, HeadTablesCertificate) else None

    @property
    def starts(self) -> int:
        """How many starts were made in all."""
        return sum(each.starts for each in self.rounds)

    @property
    def seconds(self) -> float:
        """How long that took."""
        return sum(each.seconds for each in self.rounds)

    @property
    def best(self) -> float | None:
        """The best margin of any start in floats."""
        return max((each.best for each in self.rounds if each.best is not None), default=None)

    def by_stage(self) -> dict[str, Round]:
        """The rounds of each stage taken together."""
        found: dict[str, Round] = {}
        for each in self.rounds:
            before = found.get(each.stage, Round(each.stage, 0, None, 0.0))
            best = max((b for b in (before.best, each.best) if b is not None), default=None)
            found[each.stage] = Round(each.stage, before.starts + each.starts, best, before.seconds + each.seconds)
        return found

    @property
    def reason(self) -> str:
        """What was tried, in words.

        >>> rounds = (Round("random", 16, None, 0.5), Round("programs", 32, -0.25, 1.0))
        >>> SearchReport(Attention(heads=1), 0, None, rounds, False).reason
        'nothing found at 1 head: random 16 starts, programs 32 starts (best margin -0.25); which proves nothing'
        """
        heads = f"{self.model.heads} head{'s' * (self.model.heads != 1)}"
        if self.model.d_head is not None:
            heads += f" of width {self.model.d_head}"
        parts = []
        for each in self.by_stage().values():
            best = "" if each.best is None or self.found else f" (best margin {each.best:.2g})"
            if best and each.stage == "narrow":
                best = f" (wrong on {-(each.best or 0.0):.0%} of the comparisons at best)"
            parts.append(f"{each.stage} {each.starts} start{'s' * (each.starts != 1)}{best}")
        tried = ", ".join(parts) or "no start was made"
        if self.found:
            return f"found at {heads}: {tried}"
        limit = "; the time limit was reached" if self.stopped else ""
        return f"nothing found at {heads}: {tried}{limit}; which proves nothing"
