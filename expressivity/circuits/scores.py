"""Does a head copy, does it match? Eigenvalues of its tables (Elhage et al. 2021).

The score Σλ/Σ|λ| of a square table lies in [−1, 1]: 1 if all eigenvalues are positive, as where every token raises
itself, −1 if all are negative. Σλ is real, being the trace. The table of a head, tokens by tokens, has at most d_head
eigenvalues other than 0; they are those of a d_head × d_head matrix, which is all that is decomposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from expressivity.circuits.model import Circuits, Path, path_name
from expressivity.circuits.tables import Factored

_TINY = 1e-7  # of the product of the norms of both factors: eigenvalues below are rounding


@dataclass(frozen=True)
class EigenScore:
    """Σλ/Σ|λ| of a table.

    Attributes:
        what: ``OV`` or ``QK``.
        path: the head, or heads in turn: the last one is whose table it is.
        value: in [−1, 1]; ``None`` where there is none.
        reason: why there is none.
        eigenvalues: how many are not 0.
        positive: how many of these have a positive real part.
    """

    what: str
    path: Path
    value: float | None
    reason: str = ""
    eigenvalues: int = 0
    positive: int = 0

    @property
    def name(self) -> str:
        """The table in words: ``OV of 0.0``."""
        return f"{self.what} of {path_name(self.path)}"


def copying_score(circuits: Circuits, head: Any) -> EigenScore:
    """Of the OV table of a head, or of heads in turn: does it raise what it attends to?

    The table is restricted to the tokens that are outputs too. In the ``joint`` embedding its rows are means over
    positions.

    >>> from expressivity.heads.gallery import load_construction
    >>> copying_score(Circuits.of(load_construction("induction:5")), "1.0").value
    1.0
    """
    path = circuits.path(head)
    table = _of_tokens(circuits, circuits.ov(path)).square()
    if not table.shape[0]:
        return EigenScore("OV", path, None, "no token is an output")
    return _score("OV", path, table)


def matching_score(circuits: Circuits, head: Any, *, key: Any = ()) -> EigenScore:
    """Of the QK table of a head: does it look for the destination's own token?

    Args:
        circuits: of a model.
        head: its name.
        key: earlier heads that it reads sources through; an induction head looks through the previous-token head.

    >>> from expressivity.heads.gallery import load_construction
    >>> circuits = Circuits.of(load_construction("induction:5"))
    >>> matching_score(circuits, "1.0").reason, matching_score(circuits, "1.0", key="0.0").value
    ('all eigenvalues are 0', 1.0)
    """
    name, through = circuits.head(head), circuits.path(key)
    table = _of_tokens(circuits, circuits.qk(name, key=through), both=True)
    return _score("QK", (*through, name), table)


def _score(what: str, path: Path, table: Factored) -> EigenScore:
    values = table.eigenvalues()
    scale = float(table.left.norm() * table.right.norm())
    kept = values[values.abs() > _TINY * scale]
    total = float(kept.abs().sum())
    if not total:
        return EigenScore(what, path, None, "all eigenvalues are 0")
    value = max(-1.0, min(1.0, float(kept.real.sum()) / total))
    rounded = round(value, 12)
    return EigenScore(what, path, rounded, "", len(kept), int((kept.real > 0).sum()))


def _of_tokens(circuits: Circuits, table: Factored, *, both: bool = False) -> Factored:
    """In the ``joint`` embedding the means over positions; the table itself in others."""
    model = circuits.model
    if model.embedding != "joint":
        return table
    v = len(model.tokens)
    left = table.left.reshape(model.n_ctx, v, -1).mean(0)
    right = table.right.reshape(-1, model.n_ctx, v).mean(1) if both else table.right
    return Factored(left, right, model.tokens, model.tokens if both else table.columns)
