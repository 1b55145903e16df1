"""The text of heads in several layers, checked: which layer reads which subspace, and who writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from expressivity.attention.layered import EMBEDDED, OUTPUT
from expressivity.dsl.reading import Reader
from expressivity.dsl.relations import copy
from expressivity.dsl.texts import HeadRead, HeadText, Side

if TYPE_CHECKING:
    from expressivity.task import Domain, Task

RESERVED = {space for spaces in EMBEDDED.values() for space in spaces}


class LayeredReader(Reader):
    """Checks heads of several layers; every position of a context is a destination to them."""

    def __init__(self, task: Task | Domain, heads: Sequence[HeadText]) -> None:
        super().__init__(task)
        self.heads = heads
        self.layers = [self.layer(text) for text in heads]
        self.symbols = self.alphabets()

    @property
    def everywhere(self) -> Side:
        """The destinations of a head: every place."""
        return Side("destination", self.sources)

    def layer(self, text: HeadText) -> int:
        """The layer of a head, counted from 0."""
        if isinstance(text.layer, int) and not isinstance(text.layer, bool) and text.layer >= 0:
            return text.layer
        self.problems.append(f"head {text.name!r}: the layer is {text.layer!r}; expected 0, 1, 2, …")
        return 0

    def where(self, index: int) -> str:
        """A head and its layer, as messages name them."""
        return f"head {self.heads[index].name!r} in layer {self.layers[index]}"

    def alphabets(self) -> dict[str, frozenset[str]]:
        """The symbols of every subspace: what heads write there."""
        found: dict[str, frozenset[str]] = {}
        for index in sorted(range(len(self.heads)), key=self.layers.__getitem__):
            text = self.heads[index]
            if isinstance(text.writes_to, str):
                table = {text.writes: 1} if text.writes == copy else text.writes
                symbols: set[str] = set()
                for key, value in table.items() if isinstance(table, Mapping) else ():
                    if key != copy:
                        targets = value if isinstance(value, Mapping) else [value]
                        symbols.update(target for target in targets if isinstance(target, str))
                    elif text.reads_values in (None, "token"):
                        symbols.update(token for _, token in self.sources)
                    else:
                        symbols |= found.get(text.reads_values, frozenset())
                found[text.writes_to] = found.get(text.writes_to, frozenset()) | symbols
        return found

    def read(self) -> list[HeadRead]:
        """Read all heads."""
        for layer in range(max(self.layers, default=0)):
            if layer not in self.layers:
                above = min(other for other in self.layers if other > layer)
                self.problems.append(f"no head is in layer {layer}, but {self.where(self.layers.index(above))}")
        found = [self.layered_head(index) for index in range(len(self.heads))]
        for index, head in enumerate(found):
            self.check_collisions(index, head, found[:index])
        return found

    def layered_head(self, index: int) -> HeadRead:
        """Read one head."""
        text, where = self.heads[index], self.where(index)
        self.check_name(text, self.heads[:index], where)
        queries = self.side(index, "reads_queries", self.everywhere)
        keys = self.side(index, "reads_keys", self.source)
        values = self.side(index, "reads_values", self.source)
        attention, base = self.attends(text, where, queries, keys)
        into = self.target(text, where)
        writes = self.writes(text.writes, f"{where}, writes", values, into)
        spaces = queries.space, keys.space, values.space
        name, layer = str(text.name), self.layers[index]
        return HeadRead(name, attention, text.odds is not None, base, writes, layer, *spaces, into)

    def side(self, index: int, field: str, side: Side) -> Side:
        """Where the keys of one side are looked up: among tokens, or in a subspace that lower layers write."""
        space: Any = getattr(self.heads[index], field)
        if space is None or space == "token":
            return side
        where = f"{self.where(index)}, {field}"
        if not isinstance(space, str) or space not in self.symbols:
            close = get_close_matches(str(space), self.symbols, n=1, cutoff=0.5)
            known = ", ".join(self.symbols) or "none"
            hint = f"did you mean {close[0]!r}?" if close else f"the subspaces are: {known}"
            self.problems.append(f"{where}: no head writes into {space!r}; {hint}")
            return Side(side.role, side.places, str(space))
        for other, text in enumerate(self.heads):
            if text.writes_to == space and self.layers[other] >= self.layers[index]:
                self.problems.append(
                    f"{where}: {space!r} is written by {self.where(other)}; expected the reader in layer "
                    f"{self.layers[other] + 1} or above"
                )
        return Side(side.role, side.places, space, self.symbols[space])

    def target(self, text: HeadText, where: str) -> str | None:
        """The subspace that a head writes, or ``None`` for outputs."""
        space = text.writes_to
        if space is None:
            if text.adds:
                self.problems.append(f"{where}: adds is for a subspace, with writes_to; outputs add up as they are")
            return None
        if space in RESERVED:
            self.problems.append(f"{where}, writes_to: {space!r} is written by the embedding; choose another name")
        elif not isinstance(space, str) or not space or ":" in space or space.startswith(OUTPUT):
            self.problems.append(f"{where}, writes_to: found {space!r}; expected a name without ':', such as 'prev'")
        return str(space)

    def check_collisions(self, index: int, head: HeadRead, before: Sequence[HeadRead]) -> None:
        """Two heads write one symbol only where the second says that it adds."""
        if head.into is None or self.heads[index].adds:
            return
        mine = {symbol for logits in head.writes.values() for symbol in logits}
        for earlier, other in enumerate(before):
            both = sorted(mine & {symbol for logits in other.writes.values() for symbol in logits})
            if other.into == head.into and both:
                more = f" and {len(both) - 1} more" if len(both) > 1 else ""
                self.problems.append(
                    f"{self.where(index)} writes {both[0]!r}{more} into {head.into!r}, as {self.where(earlier)} does; "
                    "choose another subspace, or say adds=True if the two are to be summed"
                )
