"""Ways to break a certificate, each with the step of the argument that must then fail.

A break names a valid certificate of :mod:`tests.verify.by_hand` and what is changed in it: values at dotted paths, or
the bytes of the file. The hash is made anew after every change but those of the hash itself, so that nothing is refused
for a wrong hash where the argument is what is wrong.

``python -m tests.verify.breaks`` writes a selection to ``tests/verify/broken``, with a manifest of the steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.verify.by_hand import (
    A0,
    C1,
    CERTIFICATES,
    D1,
    EVERY,
    HALF,
    MISSING_ONE,
    XOR,
    combination,
    sealed,
    weight,
)

BROKEN = Path(__file__).parent / "broken"
GONE = object()  # in place of a value: the key or item is taken out
Edit = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Break:
    """A certificate, what is changed in it, and the step at which it is then refused."""

    name: str
    of: str
    step: str
    changes: tuple[tuple[str, Any], ...] = ()
    bytewise: Edit | None = None
    rehash: bool = True

    @property
    def data(self) -> bytes:
        document = deepcopy(CERTIFICATES[self.of])
        for path, value in self.changes:
            place(document, path, deepcopy(value) if value is not GONE else GONE)
        if self.rehash:
            document = sealed(document)
        data = json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
        return self.bytewise(data) if self.bytewise else data


def place(document: Any, path: str, value: Any) -> None:
    *above, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
    for key in above:
        document = document[key]
    if value is GONE:
        del document[last]
    elif isinstance(document, list) and last == len(document):
        document.append(value)
    else:
        document[last] = value


def swapped(old: bytes, new: bytes) -> Edit:
    """The first ``old`` is changed to ``new``, without a new hash: the file is not even read so far."""

    def edit(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return edit


def order(text: bytes) -> Edit:
    return swapped(b'"order": 3', b'"order": ' + text)


def breaks(of: str, table: dict[str, tuple[Any, ...]]) -> list[Break]:
    """``name: (step, path, value, path, value, …)``"""
    group = of.partition("/")[0]
    return [
        Break(f"{group}-{name}", of, step, tuple(zip(rest[::2], rest[1::2], strict=True)))
        for name, (step, *rest) in table.items()
    ]


T, F = {"top": ["T"]}, {"top": ["F"]}
LAYER = {"class": "attention", "heads": 2, "embedding": "joint", "d_head": None}
ASKED = "task.contexts.0.requirements.0"
EXTRA = {"tokens": ["A", "E", "Q"], "requirements": [T], "weight": "1"}

FILES = [  # the file as such, whatever it claims
    Break("file-hash-changed", "weights/xor", "hash", (("hash", "sha256:" + "0" * 64),), rehash=False),
    Break("file-hash-of-other-content", "weights/xor", "hash", (("task.contexts.0.weight", "2"),), rehash=False),
    Break("file-hash-of-other-kind", "obstruction/xor", "hash", (("model.order", 2),), rehash=False),
    Break("file-hash-number", "weights/xor", "hash", (("hash", 1),), rehash=False),
    Break("file-hash-in-capitals", "weights/xor", "hash", bytewise=swapped(b"sha256", b"SHA256")),
    Break("file-hash-missing", "weights/xor", "reading", (("hash", GONE),), rehash=False),
    Break("file-truncated", "obstruction/xor", "reading", bytewise=lambda data: data[: len(data) // 2]),
    Break("file-truncated-by-one", "obstruction/xor", "reading", bytewise=lambda data: data[:-1]),
    Break("file-empty", "obstruction/xor", "reading", bytewise=lambda data: b""),
    Break("file-twice", "obstruction/xor", "reading", bytewise=lambda data: data + data),
    Break("file-latin-1", "obstruction/xor", "reading", bytewise=swapped(b'"A"', b'"\xc4"')),
    Break("file-byte-order-mark", "obstruction/xor", "reading", bytewise=lambda data: b"\xef\xbb\xbf" + data),
    Break("file-utf-16", "obstruction/xor", "reading", bytewise=lambda data: data.decode().encode("utf-16")),
    Break("file-control-character", "obstruction/xor", "reading", bytewise=swapped(b'"A"', b'"A\n"')),
    Break("file-lone-surrogate", "obstruction/xor", "reading", bytewise=swapped(b'"A"', rb'"\ud800"')),
    Break("file-key-twice", "obstruction/xor", "reading", bytewise=swapped(b'"proof"', b'"proof": 1, "proof"')),
    Break("file-key-twice-inside", "obstruction/xor", "reading", bytewise=order(b'3, "order": 4')),
    Break("file-nan", "obstruction/xor", "reading", bytewise=order(b"NaN")),
    Break("file-infinity", "obstruction/xor", "reading", bytewise=order(b"-Infinity")),
    Break("file-float", "obstruction/xor", "reading", bytewise=order(b"3.0")),
    Break("file-exponent", "obstruction/xor", "reading", bytewise=order(b"3e0")),
    Break("file-huge-integer", "obstruction/xor", "reading", bytewise=order(b"1" + b"0" * 99)),
    Break("file-negative-integer", "obstruction/xor", "reading", bytewise=order(b"-3")),
    Break("file-deep", "obstruction/xor", "reading", (("proof", [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]),)),
    Break("file-list", "obstruction/xor", "reading", bytewise=lambda data: b"[" + data + b"]"),
    Break("file-other-format", "obstruction/xor", "reading", (("format", "expressivity Certificate"),)),
    Break("file-format-missing", "obstruction/xor", "reading", (("format", GONE),)),
    Break("file-unknown-key", "obstruction/xor", "reading", (("comment", "hello"),)),
    Break("file-task-missing", "obstruction/xor", "reading", (("task", GONE),)),
    Break("file-version-2", "obstruction/xor", "version", (("version", 2),)),
    Break("file-version-0", "obstruction/xor", "version", (("version", 0),)),
    Break("file-version-true", "obstruction/xor", "version", (("version", True),)),
    Break("file-version-text", "obstruction/xor", "version", (("version", "1"),)),
    Break("file-version-missing", "obstruction/xor", "version", (("version", GONE),)),
    Break("file-kind-unknown", "obstruction/xor", "kind", (("kind", "proof_by_authority"),)),
    Break("file-kind-null", "obstruction/xor", "kind", (("kind", None),)),
    Break("file-kind-list", "obstruction/xor", "kind", (("kind", ["obstruction"]),)),
]

TASKS = breaks(
    "weights/xor",
    {
        "context-twice": ("task", "task.contexts.4", XOR["contexts"][0]),
        "context-twice-with-other-label": ("task", "task.contexts.4", {**XOR["contexts"][0], "requirements": [F]}),
        "contexts-none": ("task", "task.contexts", []),
        "contexts-object": ("shape", "task.contexts", {}),
        "outputs-twice": ("task", "task.outputs", ["F", "T", "T"]),
        "outputs-none": ("shape", "task.outputs", []),
        "outputs-string": ("shape", "task.outputs", "FT"),
        "outputs-numbers": ("shape", "task.outputs", [1, 2]),
        "task-null": ("shape", "task", None),
        "task-with-name": ("shape", "task.name", "xor"),
        "tokens-none": ("task", "task.contexts.0.tokens", []),
        "tokens-string": ("shape", "task.contexts.0.tokens", "ACQ"),
        "token-number": ("shape", "task.contexts.0.tokens.0", 7),
        "requirements-none": ("task", "task.contexts.0.requirements", []),
        "requirement-of-two": ("shape", ASKED, {"top": ["T"], "tie": ["F", "T"]}),
        "requirement-unknown": ("shape", ASKED, {"bottom": ["F"]}),
        "requirement-string": ("shape", ASKED, "T"),
        "top-none": ("task", ASKED, {"top": []}),
        "top-twice": ("task", ASKED, {"top": ["T", "T"]}),
        "top-string": ("shape", ASKED, {"top": "T"}),
        "top-not-listed": ("shape", ASKED, {"top": ["G"]}),
        "tie-of-one": ("task", ASKED, {"tie": ["T"]}),
        "distribution": ("task", ASKED, {"distribution": {"T": "1"}}),
        "distribution-to-three-halves": ("task", ASKED, {"distribution": {"T": "3/2"}}),
        "distribution-negative": (
            "task",
            ASKED,
            {"distribution": {"T": "3/2", "F": "-1/2"}},
        ),
        "distribution-list": ("shape", ASKED, {"distribution": ["T", "1"]}),
        "distribution-not-alone": (
            "task",
            "task.contexts.0.requirements",
            [T, {"distribution": {"T": "1"}}],
        ),
        "weight-zero": ("task", "task.contexts.0.weight", "0"),
        "weight-negative": ("task", "task.contexts.0.weight", "-1"),
        "weight-number": ("rational", "task.contexts.0.weight", 1),
        "weight-unreduced": ("rational", "task.contexts.0.weight", "2/4"),
        "weight-over-one": ("rational", "task.contexts.0.weight", "3/1"),
        "weight-minus-zero": ("rational", "task.contexts.0.weight", "-0"),
        "weight-plus": ("rational", "task.contexts.0.weight", "+1"),
        "weight-leading-zero": ("rational", "task.contexts.0.weight", "01"),
        "weight-blank": ("rational", "task.contexts.0.weight", " 1"),
        "weight-newline": ("rational", "task.contexts.0.weight", "1\n"),
        "weight-decimal": ("rational", "task.contexts.0.weight", "0.5"),
        "weight-exponent": ("rational", "task.contexts.0.weight", "1e3"),
        "weight-over-zero": ("rational", "task.contexts.0.weight", "1/0"),
        "weight-other-digits": ("rational", "task.contexts.0.weight", "٣"),
        "weight-missing": ("shape", "task.contexts.0.weight", GONE),
    },
)

MODELS = [
    *breaks(
        "obstruction/xor",
        {
            "order-1": ("shape", "model.order", 1),
            "order-text": ("shape", "model.order", "3"),
            "order-true": ("shape", "model.order", True),
            "positions-unknown": ("model", "model.positions", "relative"),
            "positions-list": ("model", "model.positions", ["absolute"]),
            "positions-missing": ("shape", "model.positions", GONE),
            "class-unknown": ("model", "model.class", "mlp"),
            "class-missing": ("shape", "model.class", GONE),
            "model-null": ("shape", "model", None),
            "model-with-d-head": ("shape", "model.d_head", 1),
        },
    ),
    *breaks(
        "obstruction/one-head",
        {
            "embedding-unknown": ("model", "model.embedding", "rotary"),
            "embedding-list": ("model", "model.embedding", ["joint"]),
            "heads-text": ("shape", "model.heads", "1"),
            "heads-false": ("shape", "model.heads", False),
            "d-head-0": ("shape", "model.d_head", 0),
            "d-head-missing": ("shape", "model.d_head", GONE),
            "layers": ("shape", "model.layers", 1),
        },
    ),
]

OBSTRUCTIONS = [
    *breaks(
        "obstruction/xor",
        {
            "multiplier": ("cancellation", "proof.multipliers.0.multiplier", "2"),
            "multiplier-missing": ("cancellation", "proof.multipliers.3", GONE),
            "multiplier-sign": ("sign", "proof.multipliers.0.multiplier", "-1"),
            "multiplier-zero": ("comparison", "proof.multipliers.0.multiplier", "0"),
            "multiplier-number": ("rational", "proof.multipliers.0.multiplier", 1),
            "multiplier-float-text": ("rational", "proof.multipliers.0.multiplier", "1.0"),
            "multipliers-none": ("sign", "proof.multipliers", []),
            "multipliers-object": ("shape", "proof.multipliers", {"0": "1"}),
            "multiplier-of-other-key": ("shape", "proof.multipliers.0.lambda", "1"),
            "pair-reversed": ("comparison", "proof.multipliers.0.pair", ["F", "T"]),
            "pair-of-one": ("comparison", "proof.multipliers.0.pair", ["T", "T"]),
            "pair-of-three": ("shape", "proof.multipliers.0.pair", ["T", "F", "F"]),
            "pair-not-listed": ("shape", "proof.multipliers.0.pair", ["T", "G"]),
            "pair-numbers": ("shape", "proof.multipliers.0.pair", [1, 0]),
            "label": ("comparison", ASKED, F),
            "label-of-all": ("comparison", "task.outputs", ["F", "G", "T"], ASKED, {"top": ["G"]}),
            "token": ("cancellation", "task.contexts.0.tokens.0", "E"),
            "destination": ("cancellation", "task.contexts.0.tokens.2", "R"),
            "source-more": ("cancellation", "task.contexts.0.tokens", ["A", "C", "C", "Q"]),
            "contexts-exchanged": ("comparison", "proof.multipliers.0.context", 1, "proof.multipliers.1.context", 0),
            "context-twice": ("comparison", "proof.multipliers.3.context", 0),
            "context-none-such": ("comparison", "proof.multipliers.0.context", 4),
            "context-text": ("shape", "proof.multipliers.0.context", "0"),
            "context-dropped": ("comparison", "task.contexts.3", GONE),
            "order-raised": ("cancellation", "model.order", 4),
            "order-every": ("cancellation", "model.order", None),
            "order-lowered": ("irreducibility", "model.order", 2),
            "irreducible-null": ("shape", "proof.irreducible", None),
            "irreducible-one": ("shape", "proof.irreducible", 1),
            "irreducible-missing": ("shape", "proof.irreducible", GONE),
            "proof-empty": ("shape", "proof", {}),
            "proof-of-other-kind": ("shape", "proof", CERTIFICATES["weights/xor"]["proof"]),
        },
    ),
    *breaks("obstruction/not-irreducible", {"irreducible-claimed": ("irreducibility", "proof.irreducible", True)}),
    *breaks(
        "obstruction/count-lengths",
        {
            "count-for-presence": ("cancellation", "model.positions", "anywhere"),
            "count-for-places": ("cancellation", "model.positions", "absolute"),
            "count-order-raised": ("cancellation", "model.order", 4),
            "count-multipliers-equal": ("cancellation", "proof.multipliers.0.multiplier", "1"),
        },
    ),
    *breaks(
        "obstruction/anywhere-every-order",
        {
            "presence-for-count": ("cancellation", "model.positions", "count"),
            "presence-for-places": ("cancellation", "model.positions", "absolute"),
        },
    ),
    *breaks(
        "obstruction/tie",
        {
            "equal-only": ("sign", "proof.multipliers.1", GONE),
            "equal-zero": ("comparison", "proof.multipliers.0.multiplier", "0"),
            "equal-no-more": ("comparison", ASKED, {"top": ["F", "T"]}),
            "equal-sign": ("cancellation", "proof.multipliers.0.multiplier", "1"),
        },
    ),
    *breaks(
        "obstruction/one-head",
        {
            "head-more": ("cancellation", "model.heads", 2),
            "heads-any": ("cancellation", "model.heads", None),
        },
    ),
    *breaks(
        "obstruction/any-heads-tokens",
        {
            "embedding-joint": ("cancellation", "model.embedding", "joint"),
            "embedding-additive": ("cancellation", "model.embedding", "additive"),
        },
    ),
]

WEIGHTS = [
    *breaks(
        "weights/xor",
        {
            "value": ("margin", "proof.weights.1.logits.T", "1"),
            "value-sign": ("margin", "proof.weights.0.logits.T", "1"),
            "value-just-too-small": ("margin", "proof.weights.1.logits.T", "1000000000/1000000001"),
            "value-unreduced": ("rational", "proof.weights.1.logits.T", "4/2"),
            "value-null": ("rational", "proof.weights.1.logits.T", None),
            "feature-missing": ("margin", "proof.weights.2", GONE),
            "feature-token": ("margin", "proof.weights.1.sources.0", [0, "B"]),
            "feature-position": ("margin", "proof.weights.1.sources.1", [2, "C"]),
            "feature-length": ("margin", "proof.weights.1.length", 3),
            "feature-destination": ("margin", "proof.weights.1.destination", "R"),
            "feature-twice": ("features", "proof.weights.3", weight({"T": "2"}, sources=[A0, C1], length=2)),
            "feature-unordered": ("features", "proof.weights.1.sources", [[1, "C"], [0, "A"]]),
            "feature-same-position": ("features", "proof.weights.1.sources", [[0, "A"], [0, "A"]]),
            "feature-beyond-order": ("features", "proof.weights.1.sources", [[0, "A"], [1, "C"], [2, "D"]]),
            "feature-as-for-anywhere": ("shape", "proof.weights.1.sources", ["A", "C"]),
            "feature-position-text": ("shape", "proof.weights.1.sources.0", ["0", "A"]),
            "feature-position-true": ("shape", "proof.weights.1.sources.0", [True, "A"]),
            "length-missing": ("shape", "proof.weights.1.length", GONE),
            "length-null": ("shape", "proof.weights.1.length", None),
            "destination-null": ("shape", "proof.weights.1.destination", None),
            "logits-list": ("shape", "proof.weights.1.logits", ["2"]),
            "logits-not-listed": ("shape", "proof.weights.1.logits", {"G": "2"}),
            "weights-null": ("shape", "proof.weights", None),
            "order-lowered": ("features", "model.order", 3),
            "order-every": ("model", "model.order", None),
            "positions": ("shape", "model.positions", "count"),
            "for-attention": ("model", "model", LAYER),
            "label": ("margin", ASKED, F),
            "tie-asked": ("tie", ASKED, {"tie": ["F", "T"]}),
            "context-more": ("margin", "task.contexts.4", EXTRA),
            "token": ("margin", "task.contexts.0.tokens.1", "D", "task.contexts.1.tokens.1", "C"),
            "output-more": ("margin", "task.outputs", ["F", "G", "T"]),
            "kind": ("shape", "kind", "obstruction"),
        },
    ),
    *breaks(
        "weights/anywhere",
        {"presence-for-count": ("margin", "model.positions", "count", "proof.weights.0.logits.T", "-3")},
    ),
    *breaks(
        "weights/count",
        {
            "count-for-presence": ("features", "model.positions", "anywhere"),
            "count-unordered": ("features", "proof.weights.2.sources", ["B", "A"]),
            "count-with-length": ("shape", "proof.weights.0.length", 1),
        },
    ),
    *breaks(
        "weights/tie",
        {
            "tie-just-missed": ("tie", "proof.weights.0.logits.F", "1500000001/1000000000"),
            "tie-with-all": ("tie", ASKED, {"tie": ["F", "G", "T"]}),
        },
    ),
]

HEADS = [
    *breaks(
        "heads/post",
        {
            "head-dropped": ("model", "proof.heads.1", GONE),
            "head-dropped-and-claimed": ("margin", "proof.heads.1", GONE, "model.heads", 1),
            "heads-claimed": ("model", "model.heads", 3),
            "heads-any": ("model", "model.heads", None),
            "heads-null": ("shape", "proof.heads", None),
            "head-null": ("shape", "proof.heads.0", None),
            "head-with-both": ("shape", "proof.heads.0.odds", []),
            "score-sign": ("margin", "proof.heads.0.scores.0.2", "10000", "proof.heads.0.scores.1.2", "-10000"),
            "score-float": ("rational", "proof.heads.0.scores.0.2", "-1e4"),
            "score-twice": ("tables", "proof.heads.0.scores.3", [[2, "Q"], [0, "A"], "1"]),
            "value-label": ("margin", "proof.heads.0.values.0.1", "F"),
            "value-zero": ("margin", "proof.heads.0.values.0.2", "0"),
            "value-not-listed": ("shape", "proof.heads.0.values.0.1", "G"),
            "value-twice": ("tables", "proof.heads.0.values.2", [[1, "C"], "T", "1"]),
            "value-of-two": ("shape", "proof.heads.0.values.0", [[1, "C"], "T"]),
            "values-missing": ("shape", "proof.heads.0.values", GONE),
            "row-token": ("margin", "proof.heads.0.values.0.0", [0, "C"]),
            "row-without-position": ("tables", "proof.heads.0.values.0.0", [None, "C"]),
            "row-without-token": ("tables", "proof.heads.0.values.0.0", [1, None]),
            "row-null": ("tables", "proof.heads.0.values.0.0", [None, None]),
            "row-of-one": ("shape", "proof.heads.0.values.0.0", ["C"]),
            "row-of-three": ("shape", "proof.heads.0.values.0.0", [1, "C", "C"]),
            "row-string": ("shape", "proof.heads.0.values.0.0", "C"),
            "row-position-false": ("shape", "proof.heads.0.scores.0.1", [False, "A"]),
            "row-position-empty": ("shape", "proof.heads.0.scores.0.1", ["", "A"]),
            "row-position-list": ("shape", "proof.heads.0.scores.0.1", [[], "A"]),
            "row-token-zero": ("shape", "proof.heads.0.scores.0.1", [0, 0]),
            "row-token-list": ("shape", "proof.heads.0.scores.0.1", [0, []]),
            "base-0": ("tables", "proof.heads.0.base", "0"),
            "base-negative": ("tables", "proof.heads.0.base", "-2"),
            "base-pi": ("rational", "proof.heads.0.base", "pi"),
            "base-number": ("rational", "proof.heads.0.base", 2),
            "base-missing": ("shape", "proof.heads.0.base", GONE),
            "base-1": ("margin", "proof.heads.0.base", "1", "proof.heads.1.base", "1"),
            "direct": ("margin", "proof.direct", [[[2, "Q"], "T", "1"]]),
            "direct-just-too-much": ("margin", "proof.direct", [[[2, "Q"], "T", "1000000001/1000000000"]]),
            "direct-null": ("shape", "proof.direct", None),
            "embedding": ("tables", "model.embedding", "tokens"),
            "d-head-too-small": ("width", "model.d_head", 1),
            "label": ("margin", ASKED, F),
            "tie-asked": ("tie", ASKED, {"tie": ["F", "T"]}),
            "token": ("margin", "task.contexts.0.tokens.1", "E"),
            "context-more": ("margin", "task.contexts.4", EXTRA),
            "for-grams": ("model", "model", CERTIFICATES["weights/xor"]["model"]),
            "kind": ("model", "kind", "separating_weights"),
        },
    ),
    *breaks(
        "heads/base-2",
        {
            "score-half": ("tables", "proof.heads.0.scores.0.2", "-1/2"),
            "scores-out-of-reach": ("size", "proof.heads.0.scores.0.2", "1" + "0" * 30),
        },
    ),
    *breaks(
        "heads/odds",
        {
            "odds-negative": ("tables", "proof.heads.0.odds.0.2", "-1/8"),
            "odds-zero": ("tables", "proof.heads.0.odds.0.2", "0"),
            "odds-all-1": ("margin", "proof.heads.0.odds", [], "proof.heads.1.odds", []),
            "odds-with-width": ("tables", "model.d_head", 5),
            "odds-with-base": ("shape", "proof.heads.0.base", "2"),
            "odds-twice": ("tables", "proof.heads.0.odds.3", [[2, "Q"], [0, "A"], "1/8"]),
            "odds-to-output": ("shape", "proof.heads.0.odds.0.1", "T"),
        },
    ),
    *breaks(
        "heads/width-1",
        {
            "value-rank": ("width", "proof.heads.1.values.0.2", "-2"),
            "score-rank": ("width", "proof.heads.0.scores.3", [[1, "Q"], [0, "A"], "1"]),
        },
    ),
    *breaks(
        "heads/additive",
        {
            "row-of-both": ("tables", "proof.heads.0.values.0.0", [1, "C"]),
            "direct-of-position-alone": ("margin", "proof.direct.1", GONE),
        },
    ),
    *breaks("heads/tie", {"tie-odds": ("tie", "proof.heads.0.values.1", [[None, "A"], "T", "1/1000000000"])}),
]

BLOCK = "proof.symmetries.0.blocks.0"
SYMMETRIES = [
    *breaks(
        "symmetry/majority",
        {
            "entry-missing": ("symmetry", "proof.symmetries.0", GONE),
            "entries-null": ("shape", "proof.symmetries", None),
            "entries-missing": ("shape", "proof.symmetries", GONE),
            "entry-null": ("shape", "proof.symmetries.0", None),
            "entry-twice": ("symmetry", "proof.symmetries.1", {"destination": "Q", "length": 3, "blocks": []}),
            "entry-of-other-destination": ("symmetry", "proof.symmetries.0.destination", "R"),
            "entry-of-other-length": ("symmetry", "proof.symmetries.0.length", 4),
            "destination-number": ("shape", "proof.symmetries.0.destination", 3),
            "length-text": ("shape", "proof.symmetries.0.length", "3"),
            "length-huge": ("symmetry", "proof.symmetries.0.length", 999_999_999),
            "length-true": ("shape", "proof.symmetries.0.length", True),
            "blocks-missing": ("shape", "proof.symmetries.0.blocks", GONE),
            "blocks-none": ("symmetry", "proof.symmetries.0.blocks", []),
            "block-null": ("shape", BLOCK, None),
            "block-without-kinds": ("shape", f"{BLOCK}.kinds", GONE),
            "block-with-more": ("shape", f"{BLOCK}.limits", []),
            "position-missing": ("symmetry", f"{BLOCK}.positions.2", GONE),
            "position-twice": ("symmetry", f"{BLOCK}.positions.3", 0),
            "position-in-place-of-another": ("symmetry", f"{BLOCK}.positions.2", 0),
            "position-of-the-destination": ("symmetry", f"{BLOCK}.positions.3", 3),
            "position-text": ("shape", f"{BLOCK}.positions.0", "0"),
            "position-false": ("shape", f"{BLOCK}.positions.0", False),
            "positions-number": ("shape", f"{BLOCK}.positions", 3),
            "position-in-two-blocks": (
                "symmetry",
                "proof.symmetries.0.blocks.1",
                {"positions": [2], "kinds": [["A"], ["B"]]},
            ),
            "kind-missing": ("symmetry", f"{BLOCK}.kinds.1", GONE),
            "kind-of-all": ("symmetry", f"{BLOCK}.kinds", [["A", "a", "B", "b"]]),
            "kind-text": ("shape", f"{BLOCK}.kinds.0", "Aa"),
            "kinds-null": ("shape", f"{BLOCK}.kinds", None),
            "token-number": ("shape", f"{BLOCK}.kinds.0.1", 1),
            "token-twice": ("symmetry", f"{BLOCK}.kinds.0.2", "A"),
            "token-in-two-kinds": ("symmetry", f"{BLOCK}.kinds.1.2", "A"),
            "token-that-differs": ("symmetry", f"{BLOCK}.kinds.0.2", "C"),
            "token-of-other-kind": ("symmetry", f"{BLOCK}.kinds", [["A", "b"], ["B", "a"]]),
            "value-of-one": ("symmetry", "proof.heads.0.values.2.2", "2", "proof.heads.0.values.3.2", "-2"),
            "values-missing": ("symmetry", "proof.heads.0.values.7", GONE, "proof.heads.0.values.6", GONE),
            "score-of-one": ("width", "proof.heads.0.scores", [[[None, q], [None, q], "1"] for q in "AQ"]),
            "score-seen-from-there": ("symmetry", "proof.heads.0.scores", [[[None, "Q"], [None, "a"], "1"]]),
            "context-twice": ("symmetry", "task.contexts.3", {**EXTRA, "tokens": ["B", "A", "A", "Q"]}),
            "context-of-the-same-class": ("symmetry", "task.contexts.3", {**EXTRA, "tokens": ["a", "b", "A", "Q"]}),
            "source-of-no-kind": ("symmetry", "task.contexts.3.tokens", ["B", "b", "C", "Q"]),
            "label": ("margin", ASKED, F),
            "tie": ("tie", ASKED, {"tie": ["F", "T"]}),
            "distribution": ("task", ASKED, {"distribution": {"T": "1"}}),
            "head-dropped": ("model", "proof.heads.0", GONE),
            "heads-null": ("shape", "proof.heads", None),
            "heads-any": ("model", "model.heads", None),
            "for-grams": ("model", "model", {"class": "skip_grams", "order": 3, "positions": "absolute"}),
            "as-head-tables": ("shape", "kind", "head_tables"),
            "proof-of-other-kind": ("shape", "proof", EVERY),
            "proof-null": ("shape", "proof", None),
        },
    ),
    *breaks(
        "symmetry/positions",
        {
            "one-position-for-another": ("symmetry", f"{BLOCK}.positions", [0, 1], f"{BLOCK[:-1]}1.positions", [2]),
            "all-positions-alike": (
                "symmetry",
                "proof.symmetries.0.blocks",
                [{"positions": [0, 1, 2], "kinds": [["A"], ["B"]]}],
            ),
            "odds-of-a-position": ("symmetry", "proof.heads.0.odds", [[[3, "Q"], [0, "A"], "9/8"]]),
            "value-of-a-position": ("symmetry", "proof.heads.0.values.0.2", "5/4"),
        },
    ),
    *breaks(
        "symmetry/tie",
        {
            "score-of-a-position": ("symmetry", "proof.heads.0.scores.2.2", "3/2"),
            "score-of-positions": ("symmetry", "proof.heads.0.scores.2", GONE),
            "value-of-position-0": ("symmetry", "proof.heads.0.values.1", [[0, None], "G", "1/9"]),
            "value-of-one-of-two": ("symmetry", "proof.heads.0.values.1", [[None, "C"], "T", "1"]),
            "tie-broken": ("tie", "proof.heads.0.values.1", [[None, "Q"], "F", "1/1000"]),
        },
    ),
    *breaks("symmetry/none", {"none-without-entry": ("symmetry", "proof.symmetries.0", GONE)}),
]

ENTROPY = [
    *breaks(
        "entropy/xor",
        {
            "lower-tightened": ("lower bound", "proof.lower", "693147181559/1000000000000"),
            "lower-above-ln-2": ("lower bound", "proof.lower", "8664339757/12500000000"),
            "upper-tightened": ("upper bound", "proof.upper", "693147179559/1000000000000"),
            "lower-number": ("rational", "proof.lower", 0),
            "upper-unreduced": ("rational", "proof.upper", "2/2"),
            "both-null": ("model", "proof.lower", None, "proof.upper", None),
            "upper-missing": ("shape", "proof.upper", GONE),
            "conditional-of-three": ("shape", "proof.conditional.3", GONE),
            "conditional-null": ("shape", "proof.conditional", None),
            "conditional-item-null": ("shape", "proof.conditional.0", None),
            "conditional-empty": ("moments", "proof.conditional.0", {}),
            "conditional-not-listed": ("shape", "proof.conditional.0", {"G": "1"}),
            "conditional-to-three-halves": ("moments", "proof.conditional.0", {"T": "1", "F": "1/2"}),
            "conditional-negative": ("moments", "proof.conditional.0", {"T": "3/2", "F": "-1/2"}),
            "conditional-moments": ("moments", "proof.conditional.0", {"T": "1/3", "F": "2/3"}),
            "conditional-moments-by-little": (
                "moments",
                "proof.conditional.0",
                {"T": "500000001/1000000000", "F": "499999999/1000000000"},
            ),
            "order-raised": ("moments", "model.order", 4),
            "order-every": ("model", "model.order", None),
            "weight": ("moments", "task.contexts.0.weight", "2"),
            "label": ("moments", ASKED, F),
            "token": ("moments", "task.contexts.0.tokens.1", "D", "task.contexts.1.tokens.1", "E"),
            "top-set": ("task", ASKED, {"top": ["F", "T"]}),
            "two-requirements": ("task", "task.contexts.0.requirements", [T, {"top": ["F", "T"]}]),
            "weights-null": ("shape", "proof.weights", None),
            "weights-bad": ("upper bound", "proof.weights", [weight({"T": "1"}, length=2)]),
            "for-attention": ("model", "model", LAYER),
        },
    ),
    *breaks(
        "entropy/xor-upper",
        {
            "weights-dropped": ("upper bound", "proof.weights.2", GONE),
            "weights-beyond-order": ("features", "model.order", 3),
            "bound-tightened": ("upper bound", "proof.upper", "1/1000000000"),
        },
    ),
    *breaks(
        "entropy/soft",
        {
            "chances": ("moments", ASKED, {"distribution": HALF}),
            "chances-to-three-halves": ("task", ASKED, {"distribution": {"T": "1", "F": "1/2"}}),
            "chances-not-alone": ("task", "task.contexts.0.requirements.1", T),
            "context-weight": ("moments", "task.contexts.1.weight", "3"),
            "pooled-lower-tightened": ("lower bound", "proof.lower", "679193267/1000000000"),
            "pooled-upper-tightened": ("upper bound", "proof.upper", "6791932659/10000000000"),
        },
    ),
]

LOGITS = [
    *breaks(
        "logits/matched",
        {
            "base-changed": ("bases", "proof.bases.1", "5"),
            "base-squared": ("bases", "proof.bases.1", "9"),
            "base-1": ("bases", "proof.bases.1", "1"),
            "base-negative": ("bases", "proof.bases.1", "-3"),
            "base-fraction": ("bases", "proof.bases.1", "1/3"),
            "base-number": ("rational", "proof.bases.1", 3),
            "base-twice": ("bases", "proof.bases.1", "2"),
            "bases-not-coprime": ("bases", "proof.bases.1", "6"),
            "bases-more-than-weights": ("shape", "proof.bases.2", "5"),
            "bases-exchanged": ("log-odds", "proof.bases", ["3", "2"]),
            "coefficient": ("log-odds", "proof.weights.1.0.logits.T", "1000000001/1000000000"),
            "coefficient-sign": ("log-odds", "proof.weights.1.1.logits.F", "-1"),
            "coefficient-missing": ("log-odds", "proof.weights.1.1", GONE),
            "chances": ("log-odds", ASKED, {"distribution": {"T": "1/2", "F": "1/2"}}),
            "chances-to-three-halves": ("task", ASKED, {"distribution": {"T": "3/4", "F": "3/4"}}),
            "chance-of-0": ("limit", ASKED, {"distribution": {"T": "1", "F": "0"}}),
            "direction-for-one": ("limit", "proof.direction", [weight({"T": "1"}, length=1)]),
            "direction-null": ("shape", "proof.direction", None),
            "top-set": ("task", ASKED, {"top": ["F", "T"]}),
            "output-more": ("limit", "task.outputs", ["F", "G", "T"]),
            "order-lowered": ("features", "model.order", 2),
            "order-every": ("model", "model.order", None),
            "for-attention": ("model", "model", LAYER),
        },
    ),
    *breaks(
        "logits/in-the-limit",
        {
            "direction-just-not": ("limit", "proof.direction.1.logits.T", "1"),
            "direction-missing": ("limit", "proof.direction.2", GONE),
        },
    ),
    *breaks(
        "logits/unequal",
        {
            "multiplier": ("cancellation", "proof.multipliers.0.multiplier", "2"),
            "multiplier-missing": ("cancellation", "proof.multipliers.1", GONE),
            "multipliers-none": ("log-odds", "proof.multipliers", []),
            "multiplier-number": ("rational", "proof.multipliers.0.multiplier", 1),
            "multipliers-all-0": (
                "log-odds",
                "proof.multipliers.0.multiplier",
                "0",
                "proof.multipliers.1.multiplier",
                "0",
            ),
            "odds-that-agree": ("log-odds", ASKED, {"distribution": {"T": "1/4", "F": "3/4"}}),
            "odds-of-other-bases": ("bases", ASKED, {"distribution": {"T": "2/3", "F": "1/3"}}),
            "pair-of-one": ("comparison", "proof.multipliers.0.pair", ["T", "T"]),
            "pair-not-listed": ("shape", "proof.multipliers.0.pair", ["T", "G"]),
            "context-none-such": ("comparison", "proof.multipliers.0.context", 2),
            "context-token": ("cancellation", "task.contexts.0.tokens.1", "R"),
            "order-raised": ("cancellation", "model.order", 3),
            "two-requirements": ("task", "task.contexts.0.requirements", [T, {"tie": ["F", "T"]}]),
            "with-irreducible": ("shape", "proof.irreducible", True),
        },
    ),
    *breaks(
        "logits/xor",
        {
            "growth-downwards": ("sign", "proof.multipliers.0.multiplier", "-1"),
            "growth-of-nothing": ("sign", "proof.multipliers.0.multiplier", "0"),
            "growth-of-the-impossible": ("comparison", "proof.multipliers.0.pair", ["F", "T"]),
        },
    ),
]

W = "proof.separators.0"
C = "proof.combinations.0"
M = "proof.multipliers.0"
FIRST_TWO = EVERY["multipliers"][:2]  # leave C, D, AC, AD

CONTEXTS = [
    *breaks(
        "contexts/xor",
        {
            "least-more": ("least", "proof.least", 5),
            "least-more-than-contexts": (
                "least",
                "proof.separators",
                [CERTIFICATES["weights/xor"]["proof"]["weights"]],
                "proof.least",
                5,
                "model.order",
                4,
            ),
            "least-1": ("shape", "proof.least", 1),
            "least-0": ("shape", "proof.least", 0),
            "least-true": ("shape", "proof.least", True),
            "least-text": ("shape", "proof.least", "4"),
            "least-missing": ("shape", "proof.least", GONE),
            "separators-none": ("least", "proof.separators", []),
            "separators-null": ("shape", "proof.separators", None),
            "separators-of-one": ("least", "proof.separators", MISSING_ONE[:1], "proof.least", 2),
            "separator-missing": ("least", "proof.separators.3", GONE),
            "separator-twice": ("least", "proof.separators.3", MISSING_ONE[0]),
            "separator-null": ("shape", W, None),
            "separator-that-misses-two": ("least", f"{W}.1.logits.T", "1"),
            "separator-that-misses-by-a-tie": ("least", f"{W}.0.logits.T", "-4"),
            "separator-empty": ("least", W, []),
            "separator-reversed": ("least", f"{W}.0.logits.T", "3"),
            "value-unreduced": ("rational", f"{W}.0.logits.T", "-6/2"),
            "feature-beyond-order": ("features", f"{W}.1.sources", [A0, C1]),
            "feature-twice": ("features", f"{W}.3", weight({"T": "1"}, sources=[D1], length=2)),
            "feature-of-other-length": ("least", f"{W}.0.length", 1),
            "length-missing": ("shape", f"{W}.0.length", GONE),
            "logits-not-listed": ("shape", f"{W}.0.logits", {"G": "1"}),
            "tie-asked": ("least", ASKED, {"tie": ["F", "T"]}),
            "token": ("least", "task.contexts.3.tokens.1", "E"),
            "destination": ("least", "task.contexts.0.tokens.2", "R"),
            "context-more": ("least", "task.contexts.4", EXTRA),
            "output-more": ("least", "task.outputs", ["F", "G", "T"]),
            "distribution": ("task", ASKED, {"distribution": {"T": "1"}}),
            "positions": ("shape", "model.positions", "count"),
            "order-lowered": ("features", "model.order", 2),
            "order-every": ("model", "model.order", None),
            "for-attention": ("model", "model", LAYER),
            "proof-of-obstruction": ("shape", "proof", EVERY),
        },
    ),
    *breaks("contexts/bigram", {"bigram-more": ("least", "proof.least", 3)}),
    *breaks(
        "contexts/groups",
        {
            "group-missed": ("least", f"{W}.3.logits.T", "-1"),
            "group-missed-in-part": ("least", f"{W}.3.sources", [A0]),
            "group-of-destinations": ("least", "model.positions", "anywhere", "proof.separators", [[]]),
        },
    ),
    *breaks("contexts/tie", {"tie-missed": ("least", "proof.separators.0", [weight({"F": "1/1000000000"})])}),
]

FEATURES = [
    *breaks(
        "features/xor",
        {
            "least-more": ("least", "proof.least", 3),
            "least-huge": ("least", "proof.least", 999_999_999),
            "least-0": ("shape", "proof.least", 0),
            "least-false": ("shape", "proof.least", False),
            "least-null": ("shape", "proof.least", None),
            "combinations-none": ("least", "proof.combinations", []),
            "combinations-object": ("shape", "proof.combinations", {}),
            "combination-missing": ("least", "proof.combinations.0", GONE),
            "combination-twice": ("least", "proof.combinations.0", combination((0, "TF", "1"), (2, "FT", "1"))),
            "combination-empty": ("sign", C, []),
            "combination-object": ("shape", C, EVERY),
            "combination-of-other-features": ("least", C, FIRST_TWO, "proof.combinations.2", FIRST_TWO),
            "combination-that-refutes": ("cancellation", "model.order", 3),
            "constant-left": ("cancellation", f"{C}.3", GONE),
            "constant-left-by-little": ("cancellation", f"{C}.0.multiplier", "1000000001/1000000000"),
            "multiplier-sign": ("sign", f"{C}.0.multiplier", "-1"),
            "multiplier-zero": ("comparison", f"{C}.0.multiplier", "0"),
            "multiplier-number": ("rational", f"{C}.0.multiplier", 1),
            "multiplier-of-other-key": ("shape", f"{C}.0.lambda", "1"),
            "pair-reversed": ("comparison", f"{C}.0.pair", ["F", "T"]),
            "pair-of-one": ("comparison", f"{C}.0.pair", ["T", "T"]),
            "pair-not-listed": ("shape", f"{C}.0.pair", ["T", "G"]),
            "context-twice": ("comparison", f"{C}.3.context", 0),
            "context-none-such": ("comparison", f"{C}.0.context", 4),
            "context-text": ("shape", f"{C}.0.context", "0"),
            "label": ("comparison", ASKED, F),
            "source-less": ("cancellation", "task.contexts.3.tokens", ["B", "Q"]),
            "destination": ("cancellation", "task.contexts.0.tokens.2", "R"),
            "distribution": ("task", ASKED, {"distribution": {"T": "1"}}),
            "order-lowered": ("cancellation", "model.order", 2),
            "order-every": ("model", "model.order", None),
            "for-attention": ("model", "model", LAYER),
            "proof-of-other-kind": ("shape", "proof", CERTIFICATES["contexts/xor"]["proof"]),
            "with-irreducible": ("shape", "proof.irreducible", True),
        },
    ),
    *breaks(
        "features/count",
        {
            "count-for-presence": ("least", "model.positions", "anywhere"),
            "count-order-lowered": ("cancellation", "model.order", 3),
            "count-multiplier": ("least", f"{C}.0.multiplier", "2", f"{C}.1.multiplier", "3"),
        },
    ),
    *breaks("features/groups", {"destination-shared": ("comparison", "task.contexts", XOR["contexts"][:2])}),
    *breaks(
        "features/tie",
        {"equal-only": ("sign", f"{C}.1", GONE), "equal-sign": ("cancellation", f"{C}.0.multiplier", "1")},
    ),
]

MARGINS = [
    *breaks(
        "margin/xor",
        {
            "bound-tightened": ("margin", "proof.margin", "1999999999/1000000000"),
            "bound-zero": ("margin", "proof.margin", "0"),
            "bound-negative": ("margin", "proof.margin", "-2"),
            "bound-number": ("rational", "proof.margin", 2),
            "bound-null": ("rational", "proof.margin", None),
            "bound-unreduced": ("rational", "proof.margin", "4/2"),
            "bound-braces": ("rational", "proof.margin", "{name}"),
            "bound-missing": ("shape", "proof.margin", GONE),
            "multiplier": ("margin", f"{M}.multiplier", "2"),
            "multiplier-missing": ("margin", "proof.multipliers.3", GONE),
            "multiplier-sign": ("sign", f"{M}.multiplier", "-1"),
            "multiplier-zero": ("comparison", f"{M}.multiplier", "0"),
            "multiplier-number": ("rational", f"{M}.multiplier", 1),
            "multipliers-none": ("sign", "proof.multipliers", []),
            "multipliers-null": ("shape", "proof.multipliers", None),
            "pair-reversed": ("comparison", f"{M}.pair", ["F", "T"]),
            "pair-of-three": ("shape", f"{M}.pair", ["T", "F", "F"]),
            "pair-not-listed": ("shape", f"{M}.pair", ["T", "G"]),
            "context-twice": ("comparison", "proof.multipliers.3.context", 0),
            "context-none-such": ("comparison", f"{M}.context", 4),
            "context-null": ("shape", f"{M}.context", None),
            "label": ("comparison", ASKED, F),
            "token": ("margin", "task.contexts.0.tokens.0", "E"),
            "destination": ("margin", "task.contexts.0.tokens.2", "R"),
            "source-more": ("margin", "task.contexts.0.tokens", ["A", "C", "C", "Q"]),
            "distribution": ("task", ASKED, {"distribution": {"T": "1"}}),
            "order-1": ("shape", "model.order", 1),
            "order-every": ("model", "model.order", None),
            "for-attention": ("model", "model", LAYER),
            "proof-of-other-kind": ("shape", "proof", EVERY),
        },
    ),
    *breaks("margin/count", {"count-order-raised": ("margin", "model.order", 5)}),
    *breaks(
        "margin/tie",
        {
            "equal-only": ("sign", "proof.multipliers.1", GONE),
            "equal-counted": ("margin", "proof.margin", "2"),
            "equal-sign": ("margin", f"{M}.multiplier", "1"),
        },
    ),
    *breaks("margin/three-outputs", {"outputs-apart": ("margin", "proof.margin", "1")}),
]

S = "proof.statements.0"
FIRST = f"{S}.multipliers.0"
BLOCKS = [
    *breaks(
        "block/selector",
        {
            "statement-missing": ("chambers", "proof.statements.7", GONE),
            "statements-none": ("chambers", "proof.statements", []),
            "statements-null": ("shape", "proof.statements", None),
            "statement-null": ("shape", S, None),
            "statement-with-vertex": ("shape", f"{S}.vertex", None),
            "left": ("cancellation", f"{S}.left.0", "2"),
            "left-sign": ("cancellation", f"{S}.left.0", "-1"),
            "left-fraction": ("block", f"{S}.left.0", "1/2"),
            "left-huge": ("block", f"{S}.left.0", "1000001"),
            "left-number": ("rational", f"{S}.left.0", 1),
            "left-of-three": ("shape", f"{S}.left.3", GONE),
            "point": ("cancellation", f"{S}.point.0", "1"),
            "point-null": ("shape", f"{S}.point", None),
            "side-missing": ("shape", f"{S}.multipliers.3", GONE),
            "side-more": ("shape", f"{S}.multipliers.4", []),
            "sides-exchanged": (
                "cancellation",
                f"{S}.multipliers.0",
                CERTIFICATES["block/selector"]["proof"]["statements"][0]["multipliers"][1],
            ),
            "side-empty": ("sign", FIRST, []),
            "multiplier": ("cancellation", f"{FIRST}.0.multiplier", "1/3"),
            "multiplier-by-little": ("cancellation", f"{FIRST}.0.multiplier", "500000001/1000000000"),
            "multiplier-sign": ("sign", f"{FIRST}.0.multiplier", "-1/2"),
            "multiplier-zero": ("comparison", f"{FIRST}.0.multiplier", "0"),
            "multiplier-missing": ("cancellation", f"{FIRST}.0", GONE),
            "multiplier-unreduced": ("rational", f"{FIRST}.0.multiplier", "2/4"),
            "context-none-such": ("comparison", f"{FIRST}.0.context", 128),
            "context-other": ("comparison", f"{FIRST}.0.context", 127),
            "pair-reversed": ("comparison", f"{FIRST}.0.pair", ["T", "F"]),
            "pair-of-the-block": ("cancellation", "proof.pair", ["F", "T"]),
            "pair-of-one": ("comparison", "proof.pair", ["T", "T"]),
            "pair-not-listed": ("shape", "proof.pair", ["T", "G"]),
            "pair-of-three": ("shape", "proof.pair", ["T", "F", "F"]),
            "pair-of-others": ("comparison", "task.outputs", ["F", "G", "T"], "proof.pair", ["T", "G"]),
            "label": ("comparison", ASKED, F),
            "tie": ("sign", ASKED, {"tie": ["F", "T"]}, FIRST, [{"context": 0, "pair": ["T", "F"], "multiplier": "1"}]),
            "rows-exchanged": ("cancellation", "proof.rows", [1, 0, 2, 3]),
            "row-twice": ("block", "proof.rows.1", 0),
            "row-among-columns": ("block", "proof.rows.0", 4),
            "row-of-the-destination": ("block", "proof.rows.0", 8),
            "row-constant": ("block", "proof.rows.0", None),
            "row-text": ("shape", "proof.rows.0", "0"),
            "row-false": ("shape", "proof.rows.0", False),
            "rows-three": ("shape", "proof.rows.3", GONE),
            "rows-and-columns-three": ("block", "proof.rows.3", GONE, "proof.columns.3", GONE),
            "rows-null": ("shape", "proof.rows", None),
            "columns-null": ("shape", "proof.columns", None),
            "matrix": ("cancellation", "proof.matrix.1.1", "1"),
            "matrix-transposed-in-part": ("cancellation", "proof.matrix.0.1", "-1", "proof.matrix.1.0", "2"),
            "matrix-fraction": ("block", "proof.matrix.0.0", "3/2"),
            "matrix-row-missing": ("shape", "proof.matrix.0", GONE),
            "matrix-null": ("shape", "proof.matrix", None),
            "token-pair-reversed": ("cancellation", "proof.tokens.0", ["B", "A"]),
            "token-twice": ("block", "proof.tokens.0", ["A", "A"]),
            "token-one": ("block", "proof.tokens.0", ["A"]),
            "token-none": ("block", "proof.tokens.0", []),
            "tokens-three": ("block", "proof.tokens.0", ["A", "B", "C"]),
            "token-other": ("block", "proof.tokens.0", ["A", "C"]),
            "token-number": ("shape", "proof.tokens.0.0", 1),
            "tokens-of-seven": ("block", "proof.tokens.7", GONE),
            "tokens-null": ("shape", "proof.tokens", None),
            "context-token": ("block", "task.contexts.0.tokens.0", "C"),
            "context-destination": ("block", "task.contexts.0.tokens.8", "R"),
            "context-longer": ("block", "task.contexts.128", {**EXTRA, "tokens": [*"AAAAAAAAAQ"]}),
            "context-shorter": ("block", "task.contexts.128", EXTRA),
            "labels-exchanged": (
                "comparison",
                "task.contexts.0.requirements.0",
                F,
                "task.contexts.1.requirements.0",
                T,
            ),
            "head-more": ("model", "model.heads", 3),
            "heads-any": ("model", "model.heads", None),
            "for-grams": ("model", "model", {"class": "skip_grams", "order": 4, "positions": "absolute"}),
            "distribution": ("task", ASKED, {"distribution": {"T": "1"}}),
            "as-obstruction": ("shape", "kind", "obstruction"),
            "proof-of-other-kind": ("shape", "proof", EVERY),
            "proof-null": ("shape", "proof", None),
        },
    ),
    *breaks(
        "block/nine-bits",
        {
            "constant-missing": ("block", "proof.rows.0", 9),
            "constant-for-another": ("cancellation", "proof.rows", [0, None, 1, 2, 3]),
            "constant-twice": ("block", "proof.columns.0", None),
            "one-chamber-short": ("chambers", "proof.statements.300", GONE),
            "side-for-size-4": ("shape", "proof.statements.0.multipliers.1", []),
            "four-of-five": ("shape", "proof.rows.0", GONE, "proof.columns.0", GONE),
        },
    ),
]

BREAKS = [
    *FILES,
    *TASKS,
    *MODELS,
    *OBSTRUCTIONS,
    *WEIGHTS,
    *HEADS,
    *SYMMETRIES,
    *ENTROPY,
    *LOGITS,
    *CONTEXTS,
    *FEATURES,
    *MARGINS,
    *BLOCKS,
]


def committed() -> list[Break]:
    """All that is wrong with files, and of each kind but blocks, which are too large, the first break at each step."""
    small = [broken for broken in BREAKS if broken not in BLOCKS]
    first = {(broken.name.partition("-")[0], broken.step): broken for broken in reversed(small)}
    return [broken for broken in BREAKS if broken in FILES or broken in first.values()]


def main() -> None:
    """Write the files and the manifest."""
    BROKEN.mkdir(exist_ok=True)
    for old in BROKEN.glob("*.json"):
        old.unlink()
    for broken in committed():
        (BROKEN / f"{broken.name}.json").write_bytes(broken.data)
    manifest = {f"{broken.name}.json": {"of": broken.of, "step": broken.step} for broken in committed()}
    (BROKEN / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
