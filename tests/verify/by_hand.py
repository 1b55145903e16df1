"""Certificates written by hand, each with the reason why it proves what it says. Nothing of the library's makes them.

``CERTIFICATES`` maps a name to a whole document; :func:`sealed` hashes one by the words of the specification.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

Json = dict[str, Any]
Signs = tuple[int, ...]


def sealed(document: Mapping[str, Any]) -> Json:
    """The document with the hash of its content."""
    body = {key: value for key, value in document.items() if key != "hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**body, "hash": "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}


def certificate(kind: str, model: Json, task: Json, proof: Json) -> Json:
    return sealed(
        {"format": "expressivity certificate", "version": 1, "kind": kind, "model": model, "task": task, "proof": proof}
    )


def grams(order: int | None, positions: str = "absolute") -> Json:
    return {"class": "skip_grams", "order": order, "positions": positions}


def heads(number: int | None, embedding: str = "joint", d_head: int | None = None) -> Json:
    return {"class": "attention", "heads": number, "embedding": embedding, "d_head": d_head}


def task(contexts: Mapping[str, Any], outputs: str = "FT", weights: Sequence[str] = ()) -> Json:
    """Contexts as ``{"ACQ": "T"}``; a string of allowed outputs, or requirements as in the file."""
    return {
        "outputs": list(outputs),
        "contexts": [
            {
                "tokens": list(tokens),
                "requirements": _requirements(asked),
                "weight": weight,
            }
            for (tokens, asked), weight in zip(contexts.items(), weights or ["1"] * len(contexts), strict=True)
        ],
    }


def _requirements(asked: Any) -> list[Json]:
    if isinstance(asked, dict):
        return [asked]
    return asked if isinstance(asked, list) else [{"top": list(asked)}]


def tie(outputs: str) -> Json:
    return {"tie": list(outputs)}


def chances(**given: str) -> Json:
    return {"distribution": given}


def cancels(*entries: tuple[int, str, str], irreducible: bool = True) -> Json:
    """Multipliers as (context, "TF", "1")."""
    listed = [{"context": n, "pair": list(pair), "multiplier": multiplier} for n, pair, multiplier in entries]
    return {"multipliers": listed, "irreducible": irreducible}


def combination(*entries: tuple[int, str, str]) -> list[Json]:
    """Multipliers alone, as (context, "TF", "1")."""
    return list(cancels(*entries)["multipliers"])


def weight(logits: Json, destination: str = "Q", sources: Sequence[Any] = (), length: int | None = None) -> Json:
    entry = {"destination": destination, "sources": list(sources), "logits": logits}
    return entry if length is None else {**entry, "length": length}


XOR = task({"ACQ": "T", "ADQ": "F", "BCQ": "F", "BDQ": "T"})
EVERY = cancels((0, "TF", "1"), (1, "FT", "1"), (2, "FT", "1"), (3, "TF", "1"))  # A, B, C, D once for T, once for F

# Heads as in the post: the first looks for A's absence, the second for B's; C and D are written where they are seen.
Q2, A0, B0, C1, D1 = [2, "Q"], [0, "A"], [0, "B"], [1, "C"], [1, "D"]
SEES_A = [[Q2, A0, "-10000"], [Q2, B0, "10000"], [Q2, Q2, "-10000"]]  # with A at 0 it attends to C or D, else to B
SEES_B = [[Q2, A0, "10000"], [Q2, B0, "-10000"], [Q2, Q2, "-10000"]]
T_ON_C = [[C1, "T", "1"], [D1, "F", "1"]]
F_ON_C = [[C1, "F", "1"], [D1, "T", "1"]]
POST = [
    {"scores": SEES_A, "base": "e", "values": T_ON_C},
    {"scores": SEES_B, "base": "e", "values": F_ON_C},
]


def with_base(base: str, large: str) -> list[Json]:
    """The same heads with scores of ± ``large``."""
    text = json.dumps(POST).replace('"10000"', f'"{large}"').replace('"-10000"', f'"-{large}"')
    return json.loads(text.replace('"e"', f'"{base}"'))  # type: ignore[no-any-return]


def odds(base: int, large: int, head: Json) -> Json:
    """A head with free odds base**score; unlisted odds are 1 as unlisted scores are 0."""
    entries = [[q, s, str(Fraction(base) ** (large * int(Fraction(v)) // 10000))] for q, s, v in head["scores"]]
    return {"odds": entries, "values": head["values"]}


def without_positions(head: Json) -> Json:
    """Rows [null, token] in place of [position, token]."""
    text = json.dumps(head)
    for position, token in [(0, "A"), (0, "B"), (1, "C"), (1, "D"), (2, "Q")]:
        text = text.replace(f'[{position}, "{token}"]', f'[null, "{token}"]')
    return json.loads(text)  # type: ignore[no-any-return]


def tables(*given: Json, direct: Sequence[Any] = ()) -> Json:
    return {"direct": list(direct), "heads": list(given)}


def alike(destination: str, length: int, *blocks: tuple[Sequence[int], Sequence[str]]) -> Json:
    """Blocks as (positions, kinds); the letters of a kind are its tokens."""
    listed = [{"positions": list(positions), "kinds": [list(kind) for kind in kinds]} for positions, kinds in blocks]
    return {"destination": destination, "length": length, "blocks": listed}


def symmetric(*symmetries: Json, **given: Any) -> Json:
    """Tables as in :func:`tables`, and what they do not tell apart."""
    return {"direct": given.get("direct", []), "heads": given.get("heads", []), "symmetries": list(symmetries)}


# v = +1 on C, −1 on D for T against F: one column, so of rank 1, as are the scores of a single destination row.
NARROW = [
    {"scores": SEES_A, "base": "e", "values": [[C1, "T", "1"], [C1, "F", "-1"], [D1, "T", "-1"], [D1, "F", "1"]]},
    {"scores": SEES_B, "base": "e", "values": [[C1, "T", "-1"], [C1, "F", "1"], [D1, "T", "1"], [D1, "F", "-1"]]},
]

# ln 2 = 0.693147180559945…
LN2 = {"lower": "693147180559/1000000000000", "upper": "693147180560/1000000000000"}
HALF = {"T": "1/2", "F": "1/2"}

# Two contexts that bigrams cannot tell apart: T with 3/4 in one, with 1/4 in the other, which weighs twice as much.
# Pooled, T has (3/4 + 2·1/4)/3 = 5/12; its entropy is 0.6791932659915256 (computed by hand from ln 5, ln 7, ln 12).
SOFT = task({"AQ": chances(T="3/4", F="1/4"), "BQ": chances(T="1/4", F="3/4")}, weights=["1", "2"])
POOLED = {"T": "5/12", "F": "7/12"}

# For each of the four strings, skip-trigrams that miss it alone. T is −3, −1, −1, 1; 1, 3, −1, 1; 1, −1, 3, 1; and
# 1, −1, −1, −3, where 1, −1, −1, 1 or the like is asked for.
MISSING_ONE = [
    [weight({"T": f"{c}3"}, length=2), *(weight({"T": f"{d}2"}, sources=[s], length=2) for s in sources)]
    for c, d, sources in (("-", "", (B0, D1)), ("", "-", (B0, C1)), ("", "-", (A0, D1)), ("-", "", (A0, C1)))
]

EIGHT_NINTHS = chances(T="8/9", F="1/9")

# ---------------------------------------------------------------- blocks
# A signed selector: y is ± one of the columns v_j of a matrix and says which bit of x is the answer, and whether to
# negate it: T is asked for with (x, v_j) where x_j = 1, and with (x, −v_j) where x_j = −1. Let p have these signs, s be
# any signs, and write l for the linear part of p, K for its block x × y. Then s_j times
#   p(s, v_j) − p(s, −v_j)  = 2 s·K v_j + 2 l_y·v_j     p(−s, −v_j) − p(−s, v_j) = 2 s·K v_j − 2 l_y·v_j
#   p(s, v_j) − p(−s, v_j)  = 2 s·K v_j + 2 l_x·s       p(−s, −v_j) − p(s, −v_j) = 2 s·K v_j − 2 l_x·s
# are positive. So y = s serves all chambers with these signs: p_i is a sum of n vectors s_j e_j, and for g = V p_i the
# sum of half of each is y·K g ± l_y·g, as the largest |y| is 1, and y·K g ± n l_x·y, where ± |g| is asked for: the
# mean of both, with the weights (1 ± |g|/n)/2, as |g| is at most n.
SLICES = [[1 - 2 * (i == j) for i in range(5)] for j in range(5)]
HADAMARD = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]


def selector(columns: Sequence[Sequence[int]], x_free: int) -> tuple[Json, dict[tuple[Signs, Signs], int]]:
    """All bits x, the first ones 1 until ``x_free`` are left, with ± each column; and the number of each context."""
    size = len(columns)
    xs = [x for x in product((1, -1), repeat=size) if all(bit == 1 for bit in x[: size - x_free])]
    places = [(x, tuple(n * v for v in column)) for x in xs for column in columns for n in (1, -1)]
    asked = [n * x[j] for x in xs for j in range(size) for n in (1, -1)]
    letters = {1: "A", -1: "B"}
    contexts = {
        "".join(letters[bit] for bit in (*x[size - x_free :], *y)) + "Q": "T" if sign > 0 else "F"
        for (x, y), sign in zip(places, asked, strict=True)
    }
    return task(contexts), {place: number for number, place in enumerate(places)}


def selects(columns: Sequence[Sequence[int]], x_free: int) -> Json:
    """The proof for the selector of four bits with all four free, of five with the first of them constant."""
    stated, number = selector(columns, x_free)
    labels = [context["requirements"][0]["top"][0] for context in stated["contexts"]]
    size, statements = len(columns), []

    def entries(found: Mapping[tuple[Signs, Signs], Fraction]) -> list[Json]:
        rows = sorted((number[place], str(value)) for place, value in found.items() if value)
        return combination(*((n, labels[n] + "TF".replace(labels[n], ""), value) for n, value in rows))

    for s in product((1, -1), repeat=size):
        if s[0] < 0:
            continue
        minus = tuple(-bit for bit in s)
        for chosen in product((0, 1), repeat=size):
            n, point = sum(chosen), [a * b for a, b in zip(s, chosen, strict=True)]
            vs = [tuple(s[j] * v for v in columns[j]) for j in range(size) if chosen[j]]
            if not n:
                continue
            pairs = [(v, tuple(-value for value in v)) for v in vs]
            g = [sum(column) for column in zip(*vs, strict=True)]
            share = Fraction(max(map(abs, g)), n)
            over, under = (1 + share) / 4, (1 - share) / 4
            half = Fraction(1, 2)
            plus_x = {**dict.fromkeys([(s, v) for v, _ in pairs] + [(minus, v) for v, _ in pairs], over)}
            plus_x |= dict.fromkeys([(minus, w) for _, w in pairs] + [(s, w) for _, w in pairs], under)
            minus_x = {place: {over: under, under: over}[value] for place, value in plus_x.items()}
            plus_y = dict.fromkeys([(s, v) for v, _ in pairs] + [(s, w) for _, w in pairs], half)
            minus_y = dict.fromkeys([(minus, w) for _, w in pairs] + [(minus, v) for v, _ in pairs], half)
            sides = [minus_x, plus_x, minus_y, plus_y] if size == x_free else [plus_y]
            statements.append(
                {
                    "left": [str(bit) for bit in s],
                    "point": [str(bit) for bit in point],
                    "multipliers": [entries(side) for side in sides],
                }
            )
    return {
        "pair": ["T", "F"],
        "tokens": [["A", "B"]] * (x_free + size),
        "rows": [*([None] * (size - x_free)), *range(x_free)],
        "columns": [*range(x_free, x_free + size)],
        "matrix": [[str(column[i]) for column in columns] for i in range(size)],
        "statements": statements,
    }


CERTIFICATES: dict[str, Json] = {
    # ---------------------------------------------------------------- obstructions
    "obstruction/xor": certificate("obstruction", grams(3), XOR, EVERY),
    "obstruction/xor-bigram": certificate(
        "obstruction", grams(2), task({"ACQ": "T", "ADQ": "F"}), cancels((0, "TF", "1"), (1, "FT", "1"))
    ),
    "obstruction/xor-anywhere": certificate("obstruction", grams(3, "anywhere"), XOR, EVERY),
    "obstruction/xor-count": certificate("obstruction", grams(3, "count"), XOR, EVERY),
    # A tie in one context, T above F in another: the bigram sees no difference. An equality may count negatively.
    "obstruction/tie": certificate(
        "obstruction",
        grams(2),
        task({"AQ": tie("FT"), "BQ": "T"}, "FGT"),
        cancels((0, "TF", "-1"), (1, "TF", "1")),
    ),
    # T above F, F above G, G above T: they go round in a circle.
    "obstruction/three-outputs": certificate(
        "obstruction",
        grams(2),
        task({"AQ": "T", "BQ": "F", "CQ": "G"}, "FGT"),
        cancels((0, "TF", "1"), (1, "FG", "1"), (2, "GT", "1")),
    ),
    # An affine function of the number of A's with signs +, −, + at 0, 1 and 3: 2 f(0) − 3 f(1) + f(3) = 0.
    "obstruction/count-lengths": certificate(
        "obstruction",
        grams(3, "count"),
        task({"Q": "T", "AQ": "F", "AAAQ": "T"}),
        cancels((0, "TF", "2"), (1, "FT", "3"), (2, "TF", "1")),
    ),
    # Both hold an A and a B, which is all that presence tells, at any order.
    "obstruction/anywhere-every-order": certificate(
        "obstruction",
        grams(None, "anywhere"),
        task({"AABQ": "T", "ABBQ": "F"}),
        cancels((0, "TF", "1"), (1, "FT", "1")),
    ),
    "obstruction/count-every-order": certificate(
        "obstruction", grams(None, "count"), task({"ABQ": "T", "BAQ": "F"}), cancels((0, "TF", "1"), (1, "FT", "1"))
    ),
    # F above T and equal to it, in one context: no class of models does that.
    "obstruction/contradiction": certificate(
        "obstruction",
        grams(None),
        task({"AQ": [{"top": ["F"]}, tie("FT")]}),
        cancels((0, "FT", "1"), (0, "TF", "1")),
    ),
    "obstruction/one-head": certificate("obstruction", heads(1), XOR, EVERY),
    "obstruction/one-head-additive": certificate("obstruction", heads(1, "additive", 2), XOR, EVERY),
    "obstruction/one-head-tokens": certificate("obstruction", heads(1, "tokens"), XOR, EVERY),
    "obstruction/any-heads-tokens": certificate(
        "obstruction",
        heads(None, "tokens"),
        task({"ABQ": "T", "BAQ": "F"}),
        cancels((0, "TF", "1/2"), (1, "FT", "1/2")),
    ),
    # A destination R of its own is decided apart from Q, and here not needed: it may be stated all the same.
    "obstruction/not-irreducible": certificate(
        "obstruction",
        grams(2),
        task({"AQ": "T", "BQ": "F", "CQ": "T", "DQ": "F", "AR": "T"}),
        cancels((0, "TF", "1"), (1, "FT", "1"), (2, "TF", "3"), (3, "FT", "3"), irreducible=False),
    ),
    # ---------------------------------------------------------------- separating weights
    # T: −1 + 2[A C] + 2[B D] is 1, −1, −1, 1.
    "weights/xor": certificate(
        "separating_weights",
        grams(4),
        XOR,
        {
            "weights": [
                weight({"T": "-1"}, length=2),
                weight({"T": "2"}, sources=[A0, C1], length=2),
                weight({"T": "2"}, sources=[B0, D1], length=2),
            ]
        },
    ),
    # Each length and destination has weights of its own.
    "weights/lengths-and-destinations": certificate(
        "separating_weights",
        grams(3),
        task({"Q": "T", "AQ": "F", "AR": "T", "BQ": "T", "AAQ": "T"}),
        {
            "weights": [
                weight({"T": "1/3"}, length=0),
                weight({"F": "1"}, sources=[[0, "A"]], length=1),
                weight({"F": "-1"}, sources=[[0, "B"]], length=1),
                weight({"T": "5"}, "R", length=1),
                weight({"F": "-2", "T": "1"}, length=2),
            ]
        },
    ),
    # Some A among the sources: T is −1, or 1 with an A, however many.
    "weights/anywhere": certificate(
        "separating_weights",
        grams(3, "anywhere"),
        task({"ABQ": "T", "BBQ": "F", "BQ": "F", "Q": "F", "AAAQ": "T"}),
        {"weights": [weight({"T": "-1"}), weight({"T": "2"}, sources=["A"])]},
    ),
    # −1 + 4c − 2c² is −1, 1, −1, −7 for c = 0, 1, 2, 3.
    "weights/count": certificate(
        "separating_weights",
        grams(4, "count"),
        task({"BQ": "F", "ABQ": "T", "AAQ": "F", "AAAQ": "F"}),
        {
            "weights": [
                weight({"T": "-1"}),
                weight({"T": "4"}, sources=["A"]),
                weight({"T": "-2"}, sources=["A", "A"]),
            ]
        },
    ),
    # With A, F and T are 3/2 and G is −1; with B, T is 3/2 + 1/6, F 3/2.
    "weights/tie": certificate(
        "separating_weights",
        grams(3),
        task({"AQ": tie("FT"), "BQ": "T"}, "FGT", ["1/2", "7"]),
        {
            "weights": [
                weight({"F": "3/2", "G": "-1", "T": "3/2"}, length=1),
                weight({"T": "1/6"}, sources=[[0, "B"]], length=1),
            ]
        },
    ),
    # F and G above T with A, G alone with B.
    "weights/top-set": certificate(
        "separating_weights",
        grams(3),
        task({"AQ": "FG", "BQ": "G"}, "FGT"),
        {"weights": [weight({"F": "1", "G": "2"}, length=1)]},
    ),
    # ---------------------------------------------------------------- head tables
    "heads/post": certificate("head_tables", heads(2), XOR, tables(*POST)),
    "heads/base-2": certificate("head_tables", heads(2), XOR, tables(*with_base("2", "3"))),
    "heads/base-3-halves": certificate("head_tables", heads(2), XOR, tables(*with_base("3/2", "5"))),
    "heads/odds": certificate("head_tables", heads(2), XOR, tables(*(odds(2, 3, head) for head in POST))),
    "heads/width-1": certificate("head_tables", heads(2, d_head=1), XOR, tables(*NARROW)),
    "heads/tokens": certificate("head_tables", heads(2, "tokens"), XOR, tables(*map(without_positions, POST))),
    # Scores of the position 2 are added to those of Q: 4 for the destination in all, 0 for C and D.
    "heads/additive": certificate(
        "head_tables",
        heads(2, "additive"),
        XOR,
        tables(
            *(
                {**head, "scores": [*head["scores"], [[2, None], [1, None], "1/2"], [[None, "Q"], [1, None], "-1/2"]]}
                for head in map(without_positions, POST)
            ),
            direct=[[[2, None], "T", "1"], [[None, "Q"], "F", "1"]],
        ),
    ),
    # Odds multiply: 1/64 for A, 64 for B, as 1/8 and 8 come from the token and from the position of Q.
    "heads/additive-odds": certificate(
        "head_tables",
        heads(2, "additive"),
        XOR,
        tables(
            *(
                {
                    "odds": [
                        [query, [None, token], odd]
                        for query in ([None, "Q"], [2, None])
                        for token, odd in (("A", low), ("B", high), ("Q", "1/8"))
                    ],
                    "values": without_positions(head)["values"],
                }
                for head, (low, high) in zip(POST, [("1/8", "8"), ("8", "1/8")], strict=True)
            )
        ),
    ),
    # No head: the destination alone decides, by 1/7.
    "heads/none": certificate(
        "head_tables",
        heads(0),
        task({"AQ": "T", "BQ": "T", "AR": "F"}),
        tables(direct=[[[1, "Q"], "T", "1/7"], [[1, "R"], "F", "1/7"]]),
    ),
    # The head writes nothing on F and T when it sees A, and 1 on T when it sees B: odds 1 each, so half of it.
    "heads/tie": certificate(
        "head_tables",
        heads(1, "tokens"),
        task({"AQ": tie("FT"), "BQ": "T", "BBQ": "T"}, "FGT"),
        tables({"scores": [], "base": "e", "values": [[[None, "B"], "T", "1"]]}, direct=[[[None, "Q"], "G", "-1"]]),
    ),
    # ---------------------------------------------------------------- head tables by symmetry
    # A and a write T, B and b write F, with a quarter of the attention each: the majority of three, by a quarter.
    # 2³ contexts of A and a alone, 3·2³ with one of B and b, …: 4³ in all.
    "symmetry/majority": certificate(
        "head_tables_by_symmetry",
        heads(1, "tokens", d_head=1),
        task({"AAAQ": "T", "AABQ": "T", "ABBQ": "F", "BBBQ": "F"}),
        symmetric(
            alike("Q", 3, ([0, 1, 2], ["Aa", "Bb"])),
            heads=[
                {
                    "scores": [],
                    "base": "e",
                    "values": [
                        [[None, token], y, v]
                        for kind, sign in (("Aa", 1), ("Bb", -1))
                        for token in kind
                        for y, v in (("T", str(sign)), ("F", str(-sign)))
                    ],
                }
            ],
        ),
    ),
    # At positions 0 and 2, A writes T and B writes F; at position 1, C writes half of F, D half of T. With n times A
    # and 2 − n times B, T is ahead by (2n − 2 ± 1/2)/4. Four arrangements of A and B for each of C and D.
    "symmetry/positions": certificate(
        "head_tables_by_symmetry",
        heads(1),
        task({"ACAQ": "T", "ACBQ": "F", "BCBQ": "F", "ADAQ": "T", "BDAQ": "T", "BDBQ": "F"}),
        symmetric(
            alike("Q", 3, ([2, 0], "AB"), ([1], "CD")),
            heads=[
                {
                    "odds": [],
                    "values": [
                        *([[i, token], y, "1"] for i in (0, 2) for token, y in (("A", "T"), ("B", "F"))),
                        [[1, "C"], "F", "1/2"],
                        [[1, "D"], "T", "1/2"],
                    ],
                }
            ],
        ),
    ),
    # e³ for A, e for B and C, 1 for Q, as the positions 0 and 1 count 1 each. Without A nothing is written: F and T
    # tie, 1 above G. With one A of two, T has 3e³/(e³ + e + 1) > 2. 4 + 2·2 + 1 contexts.
    "symmetry/tie": certificate(
        "head_tables_by_symmetry",
        heads(1, "additive"),
        task({"BBQ": tie("FT"), "CAQ": "T", "AAQ": "T"}, "FGT"),
        symmetric(
            alike("Q", 2, ([0, 1], ["A", "BC"])),
            direct=[[[None, "Q"], "G", "-1"]],
            heads=[
                {
                    "scores": [
                        [[None, "Q"], [None, "A"], "2"],
                        [[None, "Q"], [0, None], "1"],
                        [[None, "Q"], [1, None], "1"],
                    ],
                    "base": "e",
                    "values": [[[None, "A"], "T", "3"]],
                }
            ],
        ),
    ),
    # No source, or one of two that nothing reads; another destination. 1 + 2 + 1 contexts.
    "symmetry/none": certificate(
        "head_tables_by_symmetry",
        heads(0, "tokens"),
        task({"Q": "T", "AQ": "T", "BR": "F"}),
        symmetric(
            alike("Q", 0),
            alike("Q", 1, ([0], ["AB"])),
            alike("R", 1, ([0], ["A", "B", ""])),
            direct=[[[None, "Q"], "T", "1/7"], [[None, "R"], "F", "1/7"]],
        ),
    ),
    # ---------------------------------------------------------------- cross-entropy
    "entropy/xor": certificate("cross_entropy_bound", grams(3), XOR, {**LN2, "conditional": [HALF] * 4, "weights": []}),
    "entropy/xor-lower": certificate(
        "cross_entropy_bound",
        grams(3, "count"),
        XOR,
        {"lower": LN2["lower"], "conditional": [HALF] * 4, "upper": None, "weights": None},
    ),
    # e⁻²⁰ < 2.1·10⁻⁹ is what is lost with a margin of 20.
    "entropy/xor-upper": certificate(
        "cross_entropy_bound",
        grams(4),
        XOR,
        {
            "lower": None,
            "conditional": None,
            "upper": "21/10000000000",
            "weights": [
                weight({"T": "-20"}, length=2),
                weight({"T": "40"}, sources=[A0, C1], length=2),
                weight({"T": "40"}, sources=[B0, D1], length=2),
            ],
        },
    ),
    # log(5/7) = −0.33647223…; the loss is quadratic in the error of −336/1000.
    "entropy/soft": certificate(
        "cross_entropy_bound",
        grams(2),
        SOFT,
        {
            "lower": "6791932659/10000000000",
            "conditional": [POOLED, POOLED],
            "upper": "679194/1000000",
            "weights": [weight({"T": "-42/125"}, length=1)],
        },
    ),
    # A label (a point), a tie (uniform), and zero probabilities: T has (1 + 1/2)/2 = 3/4; the entropy is 0.5623351446.
    "entropy/label-and-tie": certificate(
        "cross_entropy_bound",
        grams(2, "anywhere"),
        task({"AQ": "T", "BBQ": tie("FT")}, "FGT"),
        {
            "lower": "5623351446/10000000000",
            "conditional": [{"T": "3/4", "F": "1/4"}, {"T": "3/4", "F": "1/4", "G": "0"}],
            "upper": None,
            "weights": None,
        },
    ),
    # ---------------------------------------------------------------- probabilities
    # ln((3/4)/(1/4)) = ln 3 with A, −ln 3 with B, 0 with C; with D ln((8/9)/(1/9)) = 3 ln 2.
    "logits/matched": certificate(
        "logit_weights",
        grams(3),
        task({"AQ": chances(T="3/4", F="1/4"), "BQ": chances(T="1/4", F="3/4"), "CQ": tie("FT"), "DQ": EIGHT_NINTHS}),
        {
            "bases": ["2", "3"],
            "weights": [
                [weight({"T": "3"}, sources=[[0, "D"]], length=1)],
                [weight({"T": "1"}, sources=[[0, "A"]], length=1), weight({"F": "1"}, sources=[[0, "B"]], length=1)],
            ],
            "direction": [],
        },
    ),
    # Labels: no ratio of positive probabilities, and a direction in which the right answer wins.
    "logits/in-the-limit": certificate(
        "logit_weights",
        grams(4),
        XOR,
        {
            "bases": [],
            "weights": [],
            "direction": [
                weight({"T": "-1"}, length=2),
                weight({"T": "2"}, sources=[A0, C1], length=2),
                weight({"T": "2"}, sources=[B0, D1], length=2),
            ],
        },
    ),
    # Bases need not be prime: 6/7 : 1/7 is 6. G, with probability 0, is left behind.
    "logits/partly-in-the-limit": certificate(
        "logit_weights",
        grams(3, "anywhere"),
        task({"AQ": chances(T="6/7", F="1/7"), "AAQ": chances(T="6/7", F="1/7"), "Q": tie("FT")}, "FGT"),
        {
            "bases": ["6"],
            "weights": [[weight({"T": "1"}, sources=["A"])]],
            "direction": [weight({"F": "1/2", "T": "1/2"})],
        },
    ),
    # A bigram has the same log-odds in both contexts, where ln 3 and −ln 3 are asked for.
    "logits/unequal": certificate(
        "logit_obstruction",
        grams(2),
        task({"AQ": chances(T="3/4", F="1/4"), "BQ": chances(T="1/4", F="3/4")}),
        {"bases": ["3"], "multipliers": cancels((0, "TF", "1"), (1, "TF", "-1"))["multipliers"]},
    ),
    # Labels that cancel: the log-odds of each would have to grow without bound, and their sum is 0.
    "logits/xor": certificate("logit_obstruction", grams(3), XOR, {"bases": [], "multipliers": EVERY["multipliers"]}),
    # The same tokens, other odds: no order tells them apart.
    "logits/every-order": certificate(
        "logit_obstruction",
        grams(None, "count"),
        task({"ABQ": chances(T="2/3", F="1/3"), "BAQ": tie("FT")}),
        {"bases": ["2"], "multipliers": cancels((0, "TF", "1/2"), (1, "FT", "1/2"))["multipliers"]},
    ),
    # ---------------------------------------------------------------- fewest contexts
    # Every string is missed by one ensemble alone, so that none but all four strings meet what is missed.
    "contexts/xor": certificate("fewest_contexts", grams(3), XOR, {"least": 4, "separators": MISSING_ONE}),
    # Constants alone: "always T" misses B, "always F" misses A and C. One of B, one of A and C: two contexts.
    "contexts/bigram": certificate(
        "fewest_contexts",
        grams(2),
        task({"AQ": "T", "BQ": "F", "CQ": "T"}),
        {"least": 2, "separators": [[weight({"T": "1"}, length=1)], [weight({"F": "1"}, length=1)]]},
    ),
    # The number c of A's, with signs +, −, + at 0, 1 and 3: c − 2 misses 0, the constant 1 misses 1, 1/2 − c misses 3.
    "contexts/count": certificate(
        "fewest_contexts",
        grams(3, "count"),
        task({"Q": "T", "AQ": "F", "AAAQ": "T"}),
        {
            "least": 3,
            "separators": [
                [weight({"T": "-2"}), weight({"T": "1"}, sources=["A"])],
                [weight({"T": "1"})],
                [weight({"F": "-1/2"}), weight({"F": "1"}, sources=["A"])],
            ],
        },
    ),
    # R, and Q after one token, have weights of their own. The first ensemble alone is right there, which is enough.
    "contexts/groups": certificate(
        "fewest_contexts",
        grams(3),
        {**XOR, "contexts": [*XOR["contexts"], *task({"AR": "T", "BR": "T", "AQ": "F"})["contexts"]]},
        {
            "least": 4,
            "separators": [
                [*MISSING_ONE[0], weight({"T": "1"}, "R", length=1), weight({"F": "1"}, length=1)],
                *MISSING_ONE[1:],
            ],
        },
    ),
    # Without weights F and T are equal, as asked with A; with B, T is to be above.
    "contexts/tie": certificate(
        "fewest_contexts",
        grams(2, "anywhere"),
        task({"AQ": tie("FT"), "BQ": "T"}),
        {"least": 2, "separators": [[], [weight({"T": "1/9"})]]},
    ),
    # ---------------------------------------------------------------- fewest features
    # All four leave AC, AD, BC, BD; the first and third A, B, AC, BC; the second and fourth A, B, AD, BD. A feature of
    # the first set has C or D in it, and so is not in the third or not in the second.
    "features/xor": certificate(
        "fewest_features",
        grams(4),
        XOR,
        {
            "least": 2,
            "combinations": [
                EVERY["multipliers"],
                combination((0, "TF", "1"), (2, "FT", "1")),
                combination((1, "FT", "1"), (3, "TF", "1")),
            ],
        },
    ),
    # The number c of A's, with signs −, +, − at 0, 1 and 2. −f(0) + 2 f(1) − f(2) is 0 for 1 and c, −2 for c²;
    # −3 f(0) + 4 f(1) − f(2) is 0 for 1 and c², 2 for c. So both c and c² are needed.
    "features/count": certificate(
        "fewest_features",
        grams(4, "count"),
        task({"Q": "F", "AQ": "T", "AAQ": "F"}),
        {
            "least": 2,
            "combinations": [
                combination((0, "FT", "1"), (1, "TF", "2"), (2, "FT", "1")),
                combination((0, "FT", "3"), (1, "TF", "4"), (2, "FT", "1")),
            ],
        },
    ),
    # Two destinations have no feature in common: one of A and B for each.
    "features/groups": certificate(
        "fewest_features",
        grams(3),
        task({"AQ": "T", "BQ": "F", "AR": "F", "BR": "T"}),
        {
            "least": 2,
            "combinations": [
                combination((0, "TF", "1/2"), (1, "FT", "1/2")),
                combination((2, "FT", "1"), (3, "TF", "1")),
            ],
        },
    ),
    # The tie with A, taken negatively, leaves A and B of T above F with B.
    "features/tie": certificate(
        "fewest_features",
        grams(3, "anywhere"),
        task({"AQ": tie("FT"), "BQ": "T"}, "FGT"),
        {"least": 1, "combinations": [combination((0, "TF", "-1"), (1, "TF", "1"))]},
    ),
    # ---------------------------------------------------------------- largest margin
    # Four times the margin is at most what AC, AD, BC, BD weigh for one output less what they weigh for the other: 8.
    "margin/xor": certificate("largest_margin", grams(4), XOR, {"margin": "2", "multipliers": EVERY["multipliers"]}),
    # As above, −3 f(0) + 4 f(1) − f(2) is 2 w_c, with w_c up to 2 for T against F: the margin is at most 4/8.
    "margin/count": certificate(
        "largest_margin",
        grams(4, "count"),
        task({"Q": "F", "AQ": "T", "AAQ": "F"}),
        {"margin": "1/2", "multipliers": combination((0, "FT", "3"), (1, "TF", "4"), (2, "FT", "1"))},
    ),
    # T against F with B, less the same with A, where it is 0: what B weighs less what A weighs, so 4 at most.
    "margin/tie": certificate(
        "largest_margin",
        grams(3),
        task({"AQ": tie("FT"), "BQ": "T"}, "FT"),
        {"margin": "4", "multipliers": combination((0, "TF", "-1"), (1, "TF", "1"))},
    ),
    # T against F and T against G are 2 each at most.
    "margin/three-outputs": certificate(
        "largest_margin",
        grams(2, "anywhere"),
        task({"AQ": "T"}, "FGT"),
        {"margin": "2", "multipliers": combination((0, "TF", "1/3"), (0, "TG", "1/3"))},
    ),
    # ---------------------------------------------------------------- blocks
    "block/selector": certificate("block_obstruction", heads(2), selector(HADAMARD, 4)[0], selects(HADAMARD, 4)),
    # The first of five bits is the constant; y is ± (1, 1, 1, 1, 1) − 2 e_j, as in the nine-bit function of
    # VerifiedMechanisms/rs-takehome, proof 185, of which these are 160 contexts. Here s_0 = 1 is no loss.
    "block/nine-bits": certificate(
        "block_obstruction", heads(2, "additive"), selector(SLICES, 4)[0], selects(SLICES, 4)
    ),
}
for _name, _document in CERTIFICATES.items():  # fractions of the constants above in lowest terms
    for _side in ("lower", "upper"):
        if _document["kind"] == "cross_entropy_bound" and _document["proof"][_side] is not None:
            _document["proof"][_side] = str(Fraction(_document["proof"][_side]))
    CERTIFICATES[_name] = sealed(_document)
