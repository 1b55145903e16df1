"""A construction: a task and the heads that are claimed to do it, as a paper's table states them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from expressivity.attention import (
    ExactWeights,
    HeadTables,
    LayeredTables,
    LayeredWeights,
    exact_weights,
    layered_weights,
)
from expressivity.dsl.layered_making import make_layered
from expressivity.dsl.making import make_tables
from expressivity.dsl.proof import Proof
from expressivity.dsl.relations import Same, copy
from expressivity.dsl.texts import HeadText, Key, Number
from expressivity.errors import InputError
from expressivity.pictures import html_block, html_table
from expressivity.task import Domain, Task

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes

    from expressivity.attention import AttentionOnlyTransformer, Embedding

Weights = Mapping[Any, Any]
"""Sources (tokens, positions, both, ``offset``, ``match``) to numbers; or destinations to such tables."""


class ConstructionError(InputError):
    """A construction contradicts itself or its task.

    Attributes:
        reasons: everything that is wrong, one sentence each.
    """

    def __init__(self, name: str, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        if len(self.reasons) == 1:
            text = self.reasons[0]
        else:
            numbered = "; ".join(f"({i}) {reason}" for i, reason in enumerate(self.reasons, start=1))
            text = f"{len(self.reasons)} problems: {numbered}"
        super().__init__(f"construction {name!r}: {text}")


@dataclass(frozen=True)
class Construction:
    """Heads and a direct path for a task. Immutable: :meth:`head` and :meth:`direct` return a larger one.

    A place is named by its token ``"A"``, its position ``0`` (from 0; the destination's is the number of
    sources) or both, ``(0, "A")``. Every key that fits a place counts: scores and writes add up, odds
    multiply, as ``W_E + W_pos`` makes them do. Numbers are read exactly: whole numbers, fractions, decimals
    and fractions as text (``"0.1"``, ``"1/3"``); a float stands for the shortest decimal that Python prints
    for it, so 0.1 is 1/10.

    Tables that say the same of every token or position have short names: among scores and odds ``previous``,
    ``offset(-2)`` (sources by their distance from the destination) and ``match`` (the source that is the
    destination's token), among writes ``copy``.

    Several layers: a head has a ``layer`` and may write into a named subspace of the residual stream, from where heads
    of higher layers read. *Every* position is then a destination of every head. An induction head, by K-composition:

    >>> from expressivity.dsl import copy, match, previous
    >>> from expressivity.task import Task
    >>> induction = (
    ...     Construction("induction", task=Task.from_strings(["ABAB", "CABCA"]))
    ...     .head("previous token", scores={previous: 20}, writes_to="prev")
    ...     .head("induction", layer=1, reads_keys="prev", scores={match: 20, 0: -20}, writes=copy)
    ... )
    >>> induction.n_layers, induction.layered_weights().basis[-5:]
    (2, ('prev:A', 'prev:B', 'prev:C', '→A', '→B'))

    Nothing is checked until the tables are asked for; then *everything* that is wrong is reported at once.

    Args:
        name: what reports call it.
        task: the task that it is to do, listed or as a domain; tokens, positions and outputs are those of the task.
        embedding: ``joint``, ``additive`` or ``tokens``. By default the narrowest in which the keys can be
            read: ``tokens`` when none names a position, ``additive`` when some do, ``joint`` when some name
            both.
        description: one line.

    >>> from expressivity.task import xor
    >>> two_head_xor = (
    ...     Construction("two_head_xor", task=xor())
    ...     .head("first is A", at="Q", scores={"A": -9, "B": 9, "Q": -9}, writes={"C": "T", "D": "F"})
    ...     .head("first is B", at="Q", scores={"A": 9, "B": -9, "Q": -9}, writes={"C": "F", "D": "T"})
    ... )
    >>> two_head_xor.tables().embedding, two_head_xor.weights().d_head
    ('tokens', 1)
    """

    name: str
    task: Task | Domain = field(kw_only=True)
    embedding: Embedding | None = field(default=None, kw_only=True)
    description: str = field(default="", kw_only=True)
    heads: tuple[HeadText, ...] = field(default=(), kw_only=True, repr=False)
    paths: tuple[Weights, ...] = field(default=(), kw_only=True, repr=False)
    argument: Callable[[], Proof] | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.task, Task | Domain):
            raise InputError(f"construction {self.name!r}: the task is {self.task!r}; expected a Task or a Domain")

    def head(
        self,
        name: str,
        *,
        at: Key | Iterable[Key] | None = None,
        scores: Weights | None = None,
        odds: Weights | None = None,
        base: Number = "e",
        writes: Weights | Same | None = None,
        layer: int = 0,
        reads_queries: str | None = None,
        reads_keys: str | None = None,
        reads_values: str | None = None,
        writes_to: str | None = None,
        adds: bool = False,
    ) -> Construction:
        """Add a head.

        Args:
            name: for people; heads of one construction have different names.
            at: the destinations that the scores or odds hold for, several in a list; all of them if left out.
                From any other destination the head attends uniformly.
            scores: source to number, 0 for sources that are not named: attention is ``base ** score``.
                Without ``at`` also destination to such a table.
            odds: source to positive number, 1 for sources that are not named: exact attention, in place of
                scores.
            base: of the scores; ``"e"``, or a positive number, for which scores are whole.
            writes: source to output (which adds 1 to that output's logit) or to ``{output: number}``; ``copy``,
                alone or as a key with a number, for every token to the output of its name.
            layer: counted from 0.
            reads_queries: a subspace; text keys of destinations are its symbols then (Q-composition). A symbol that
                a position carries to the degree x counts x times.
            reads_keys: the same for text keys of sources in scores or odds (K-composition).
            reads_values: the same for what sources write (V-composition).
            writes_to: a subspace that the head writes instead of outputs, ``writes`` leading from sources to its
                symbols: any texts. Without ``writes`` it copies.
            adds: whether it may write symbols that another head writes too.
        """
        given: Any = writes if writes is not None else {} if writes_to is None else copy
        text = HeadText(
            name, at, scores, odds, base, given, layer, reads_queries, reads_keys, reads_values, writes_to, adds
        )
        return replace(self, heads=(*self.heads, text))

    def direct(self, writes: Weights) -> Construction:
        """Add to the direct path: destination to output (which adds 1 to its logit) or to ``{output:
        number}``.
        """
        return replace(self, paths=(*self.paths, writes))

    def proved_by(self, argument: Callable[[], Proof]) -> Construction:
        """Carry a proof about more contexts than a task can list: a function that computes it."""
        return replace(self, argument=argument)

    def proof(self) -> Proof | None:
        """That proof, computed now; ``None`` if the construction carries none."""
        return None if self.argument is None else self.argument()

    @property
    def is_layered(self) -> bool:
        """Whether some head says something about layers or subspaces, so that the tables are :meth:`layered`."""
        return any(text.is_layered for text in self.heads)

    @property
    def n_layers(self) -> int:
        """How many layers it has."""
        return 1 + max((text.layer for text in self.heads if isinstance(text.layer, int)), default=0)

    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong with it, one sentence each; nothing if the tables can be made."""
        return self._read_layered[1] if self.is_layered else self._read[1]

    def tables(self) -> HeadTables:
        """The exact tables of one layer.

        Raises:
            ConstructionError: with all the reasons; or its heads are in several layers or use subspaces.
        """
        if self.is_layered and not self.problems():
            found = f"it has {self.n_layers} layers" if self.n_layers > 1 else "it uses subspaces"
            raise ConstructionError(str(self.name), [f"{found}; expected one layer without subspaces (see layered())"])
        tables, problems = self._read if not self.is_layered else (None, self.problems())
        if problems or tables is None:
            raise ConstructionError(str(self.name), problems)
        return tables

    def layered(self) -> LayeredTables:
        """The exact tables of any number of layers, over the named directions of the residual stream.

        Raises:
            ConstructionError: with all the reasons.
        """
        tables, problems = self._read_layered
        if problems or tables is None:
            raise ConstructionError(str(self.name), problems)
        return tables

    def weights(self, d_head: int | None = None) -> ExactWeights:
        """The exact weights of one layer, of the least width or the given one.

        Raises:
            InputError: the tables cannot be made, or need a larger ``d_head``.
        """
        return exact_weights(self.tables(), self.task, d_head)

    def layered_weights(self, d_head: int | None = None) -> LayeredWeights:
        """The exact weights of any number of layers, of the least width or the given one.

        Raises:
            InputError: the tables cannot be made, or need a larger ``d_head``.
        """
        return layered_weights(self.layered(), self.task, d_head)

    def to_model(self, d_head: int | None = None, dtype: torch.dtype | None = None) -> AttentionOnlyTransformer:
        """Real weights, float32 if nothing else is asked.

        Raises:
            InputError: as :meth:`weights`, or a number is too large for the type.
        """
        return (self.layered_weights if self.is_layered else self.weights)(d_head).to_model(dtype)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """A figure of its tables, in ``ax`` or a new figure: :func:`~expressivity.attention.plot_tables`.

        Raises:
            InputError: the tables cannot be made, or matplotlib is missing.
        """
        return (self.layered() if self.is_layered else self.tables()).plot(ax=ax)

    def _repr_html_(self) -> str:
        problems = self.problems()
        if problems:
            parts = [html_table(("problem",), ([problem] for problem in problems))]
        else:
            parts = [(self.layered() if self.is_layered else self.tables())._repr_html_()]
        return html_block(
            f"construction {self.name}", f"task {self.task.name} · {self.description}".rstrip(" ·"), parts
        )

    @cached_property
    def _read(self) -> tuple[HeadTables | None, tuple[str, ...]]:
        return make_tables(self.task, self.embedding, self.heads, self.paths)

    @cached_property
    def _read_layered(self) -> tuple[LayeredTables | None, tuple[str, ...]]:
        return make_layered(self.task, self.embedding, self.heads, self.paths)
