"""What a certificate claims: its model class, and its task as comparisons of logits. Floor 0.

The comparisons are derived here from the stated requirements, independently of :mod:`expressivity.task`, so that a
verdict never rests on the program that reads task files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from expressivity.certificate import rational
from expressivity.errors import Refuted

MAX_STEPS = 1_000_000_000  # of about 0.1 µs
MAX_BITS = 1 << 34  # of all numbers held at once
NIL = Fraction(0)
Tokens = tuple[str, ...]
Argued = tuple[str, Fraction | None, str]  # the answer, the proved margin, the sentence that is proved


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a context; those that ask the same share one of these.

    Attributes:
        groups: outputs that are above every other output, and whether they are equal to each other.
        chances: p(y | x); empty if the requirements define none.
        soft: whether they are a distribution.
        weight: π(x), not normalised.
    """

    groups: tuple[tuple[frozenset[str], bool], ...]
    chances: Mapping[str, Fraction]
    soft: bool
    weight: Fraction

    def relation(self, y: str, z: str) -> str:
        """``above`` or ``equal`` if that is asked of the logits of two outputs, else empty."""
        if any(y in listed and z not in listed for listed, _ in self.groups):
            return "above"
        return "equal" if y != z and any(tied and {y, z} <= listed for listed, tied in self.groups) else ""


class Claim:
    """The parts of a certificate that its proof is held against, and the account of what checking it may cost.

    Attributes:
        model: as in the file, its form checked.
        name: the same in words.
        order, positions: of the skip-n-grams that the class consists of, or to which theorem T1 carries it.
        outputs: an ordered set.
        contexts: tokens and what is asked, in the order of the file.
    """

    def __init__(self, model: Mapping[str, Any], task: object) -> None:
        self.model, self.steps = model, MAX_STEPS
        self.name, self.order, self.positions = model_class(model)
        names, items = fields_of(task, "task", "outputs", "contexts")
        self.outputs = dict.fromkeys(text_of(name, "an output") for name in items_of(names, "outputs"))
        self.contexts: list[tuple[Tokens, Asked]] = []
        known: dict[str, Asked] = {}
        for item in items_of(items, "contexts"):
            words, *asked = fields_of(item, "a context", "tokens", "requirements", "weight")
            tokens = tuple(text_of(word, "a token") for word in items_of(words, "tokens"))
            key = repr(asked)  # of JSON values, so that what looks the same is the same
            if key not in known:
                known[key] = self._asked(*asked)
            self.contexts.append((tokens, known[key]))
        distinct = {tokens for tokens, _ in self.contexts}
        if not distinct or () in distinct or len(distinct) < len(items) or len(self.outputs) < len(names):
            raise Refuted("task", "there must be contexts, all distinct and with a token, and distinct outputs")

    def _asked(self, requirements: object, weight: object) -> Asked:
        groups: list[tuple[frozenset[str], bool]] = []
        chances: dict[str, Fraction] = {}
        many, soft, total = len(items_of(requirements, "requirements")), False, rational(weight, "a weight")
        for requirement in items_of(requirements, "requirements"):
            single = isinstance(requirement, dict) and len(requirement) == 1
            form, value = next(iter(requirement.items())) if single else ("", None)
            if form == "distribution":
                chances, soft = self.distribution(value, "task"), True
            elif form in ("top", "tie"):
                names = [self.output(y) for y in items_of(value, form)]
                listed, tied = frozenset(names), form == "tie"
                if len(listed) < max(len(names), 2 if tied else 1):
                    raise Refuted("task", f"{form} must list distinct outputs, at least {2 if tied else 1}")
                groups.append((listed, tied))
                chances = dict.fromkeys(listed, Fraction(1, len(listed))) if tied or len(listed) == 1 else {}
            else:
                raise Refuted("shape", "a requirement must be an object with one key: top, tie or distribution")
        if not many or (soft and many > 1) or total <= 0:
            raise Refuted("task", "a context needs a positive weight and a requirement, a distribution standing alone")
        return Asked(tuple(groups), chances if many == 1 else {}, soft, total)

    def output(self, name: object) -> str:
        """An output of the task."""
        if text_of(name, "an output") not in self.outputs:
            raise Refuted("shape", f"{name!r} is not an output of the task")
        return str(name)

    def by_output(self, value: object, where: str) -> dict[str, Fraction]:
        """Rationals of outputs."""
        if not isinstance(value, dict):
            raise Refuted("shape", f"{where} must be in an object that maps outputs to rationals")
        return {self.output(y): rational(number, where) for y, number in value.items()}

    def distribution(self, value: object, step: str) -> dict[str, Fraction]:
        """Rational probabilities of outputs; those that are not listed have none."""
        chances = self.by_output(value, "a probability")
        if sum(chances.values()) != 1 or min(chances.values()) < 0:
            raise Refuted(step, "the probabilities of a distribution must be at least 0 and sum to 1")
        return chances

    def spend(self, steps: int, bits: int = 0) -> None:
        """Refuse what would take too long: so many steps are ahead, 20 for each operation on fractions.

        The time of such an operation grows with the square of the bits of its operands.
        """
        self.steps -= steps * (1 + (bits >> 11) ** 2)
        if self.steps < 0:
            raise Refuted("size", f"over {MAX_STEPS} steps would be needed")


def hold(many: int, bits: int) -> None:
    """Refuse what would take too much memory: so many entries, each a number of so many bits and what surrounds it."""
    if many * (bits + 4096) > MAX_BITS:
        raise Refuted("size", f"{many} numbers of {bits} bits would be needed")


def scaled(values: Iterable[Fraction]) -> tuple[list[int], int]:
    """Integers and the least common denominator over which they are the values."""
    listed = list(values)
    common = lcm(*{value.denominator for value in listed})
    hold(len(listed), common.bit_length())
    return [value.numerator * (common // value.denominator) for value in listed], common


def model_class(model: object) -> tuple[str, int | None, str]:
    """A class of models in words, and the order and positions of its skip-n-grams (T1: H heads, order H + 2)."""
    if isinstance(model, dict) and model.get("class") == "attention":
        _, heads, embedding, width = fields_of(model, "model", "class", "heads", "embedding", "d_head")
        if embedding not in ("joint", "additive", "tokens"):
            raise Refuted("model", f"embedding is {embedding!r}; expected joint, additive or tokens")
        order = None if heads is None else whole(heads, "heads") + 2
        many = "any number of heads" if heads is None else f"{heads} head{'' if heads == 1 else 's'}"
        of_width = "" if width is None else f", d_head {whole(width, 'd_head', 1)}"
        name = f"layer of attention with {many} (embedding {embedding}{of_width})"
        return name, order, "count" if embedding == "tokens" else "absolute"
    kind, order, positions = fields_of(model, "model", "class", "order", "positions")
    if kind != "skip_grams" or positions not in ("absolute", "anywhere", "count"):
        raise Refuted("model", f"class {kind!r} with positions {positions!r} is no class of models of this format")
    if order is None:
        return f"skip-n-gram ensemble of any order (positions {positions})", None, positions
    gram = {2: "bigram", 3: "skip-trigram"}.get(whole(order, "order", 2), f"skip-{order}-gram")
    return f"{gram} ensemble (positions {positions})", order, positions


def fields_of(value: object, where: str, *keys: str) -> list[Any]:
    """The values of an object that has exactly these keys."""
    if not isinstance(value, dict) or value.keys() != set(keys):
        raise Refuted("shape", f"{where} must be an object with the keys {', '.join(keys)} and no others")
    return [value[key] for key in keys]


def items_of(value: object, where: str, length: int | None = None) -> list[Any]:
    """The items of a list."""
    if not isinstance(value, list) or length not in (None, len(value)):
        raise Refuted("shape", f"{where} must be a list{'' if length is None else f' of {length} items'}")
    return value


def text_of(value: object, where: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise Refuted("shape", f"{where} must be a string")
    return value


def whole(value: object, where: str, least: int = 0) -> int:
    """An integer, which a file holds for counts and positions alone."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Refuted("shape", f"{where} is {value!r}; expected an integer of at least {least}")
    return value
