"""What is fewest or largest: worked out by hand, and found anew by enumeration and z3 for small random tasks.

A least number of elements that meet all sets is proved by both sides: sets of contexts that weights miss, or of
features that combinations leave, are made here from every maximal choice that z3 finds possible or impossible. By
duality these prove the true number, so that it must be accepted, and one more refused.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
import z3

from expressivity.errors import Refuted
from expressivity.verify import verify
from expressivity.verify.claim import Claim
from expressivity.verify.least import _takes
from tests.verify.by_hand import (
    CERTIFICATES,
    EVERY,
    MISSING_ONE,
    XOR,
    Json,
    certificate,
    combination,
    grams,
    sealed,
    task,
    tie,
    weight,
)
from tests.verify.oracle import Feature, comparisons, phi

N_TASKS = {"contexts": 60, "features": 15, "margin": 25}  # of each position convention


def refused(document: Json) -> str:
    """The step at which it is."""
    with pytest.raises(Refuted) as refusal:
        verify(document)
    return refusal.value.step


def claims(kind: str, order: int, stated: Json, proof: Json, positions: str = "absolute") -> Json:
    return certificate(kind, grams(order, positions), stated, proof)


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize(
    ("separators", "least"),
    [
        # {0}, {1}, {2}, {3} are missed: only all four contexts meet them. Each of the four is needed for that.
        (MISSING_ONE, 4),
        (MISSING_ONE[:3], 3),
        (MISSING_ONE[1:], 3),
        # Nothing but the constant 1 for T misses {1, 2}; for F, {0, 3}: one of each.
        ([[weight({"T": "1"}, length=2)], [weight({"F": "1"}, length=2)]], 2),
        # With {0}, {3} besides these there are still two: 0 and 3 do not meet {1, 2}.
        ([[weight({"T": "1"}, length=2)], MISSING_ONE[0], MISSING_ONE[3]], 3),
        # No weights miss everything, which changes nothing.
        ([[], *MISSING_ONE], 4),
    ],
)
def test_how_many_contexts_the_separators_of_xor_prove(separators: list[Any], least: int) -> None:
    verify(claims("fewest_contexts", 3, XOR, {"least": least, "separators": separators}))
    assert refused(claims("fewest_contexts", 3, XOR, {"least": least + 1, "separators": separators})) == "least"


def test_every_group_of_contexts_is_asked_apart() -> None:
    """After Q as after R: "always T" misses one context, "always F" the other. Two of one group are not decided.

    If all four were one group, the sets missed would be {AQ, AR} and {BQ, BR}, and two contexts meet them as well. With
    "T after Q, F after R" and the reverse besides, {AQ, BR} and {BQ, AR}, there would still be two: {AQ, BQ}; and
    in neither group is there more to be had.
    """
    stated = task({"AQ": "F", "BQ": "T", "AR": "F", "BR": "T"})
    always = [[weight({y: "1"}, q, length=1) for q, y in zip("QR", ys, strict=True)] for ys in product("TF", repeat=2)]
    verify(claims("fewest_contexts", 2, stated, {"least": 2, "separators": always}))
    assert refused(claims("fewest_contexts", 2, stated, {"least": 3, "separators": always})) == "least"
    # Two ensembles do, though the group of R is always met by the wrong one of them: groups are combined freely.
    verify(claims("fewest_contexts", 2, stated, {"least": 2, "separators": [always[1], always[2]]}))
    # One that never decides anything after R leaves one context there that meets all.
    for_q = [[weight({y: "1"}, length=1)] for y in "TF"]
    assert refused(claims("fewest_contexts", 2, stated, {"least": 2, "separators": for_q})) == "least"


def test_the_length_parts_groups_in_absolute_positions_alone() -> None:
    """T with one source or none, F with two: constants of their own in ``absolute``, one and the same for presence.

    There "always T" misses AAQ, "always F" AQ and Q: two contexts meet both. If each length were a group, some weights
    would be right in each, and nothing would be proved of contexts of different lengths.
    """
    stated = task({"AQ": "T", "AAQ": "F", "Q": "T"})
    own = [[weight({"T": "1"}, length=0), weight({"T": "1"}, length=1), weight({"F": "1"}, length=2)]]
    verify(claims("fewest_contexts", 2, stated, {"least": 3, "separators": own}))
    shared = {"separators": [[weight({"T": "1"})], [weight({"F": "1"})]]}
    verify(claims("fewest_contexts", 2, stated, {"least": 2, **shared}, "anywhere"))
    assert refused(claims("fewest_contexts", 2, stated, {"least": 3, **shared}, "anywhere")) == "least"


def test_any_number_of_contexts_up_to_all_is_decided_where_all_are() -> None:
    weights = [CERTIFICATES["weights/xor"]["proof"]["weights"]]
    for least in (2, 3, 4):
        verify(claims("fewest_contexts", 4, XOR, {"least": least, "separators": weights}))
    assert refused(claims("fewest_contexts", 4, XOR, {"least": 5, "separators": weights})) == "least"


@pytest.mark.parametrize(
    ("given", "least"),
    [
        # 0 1: C, D, AC, AD. 2 3: C, D, BC, BD. C is in both.
        ([(0, 1), (2, 3)], 1),
        # 0 2: A, B, AC, BC. Of C, D, AC, AD and C, D, BC, BD and A, B, AC, BC: no one is in all three.
        ([(0, 1), (2, 3), (0, 2)], 2),
        # All of 0 1, 2 3, 0 2, 1 3 and the four pairs: AC and BD meet them, as they decide the task.
        ([(0, 1), (2, 3), (0, 2), (1, 3), (0, 1, 2, 3)], 2),
    ],
)
def test_how_many_features_the_combinations_of_xor_prove(given: list[tuple[int, ...]], least: int) -> None:
    listed = [[EVERY["multipliers"][i] for i in chosen] for chosen in given]
    verify(claims("fewest_features", 4, XOR, {"least": least, "combinations": listed}))
    assert refused(claims("fewest_features", 4, XOR, {"least": least + 1, "combinations": listed})) == "least"


def test_features_of_groups_add_up() -> None:
    """A or B after Q, A or B after R, A or B after S: a feature of each."""
    stated = task({x + q: "T" if x == "A" else "F" for q in "QRS" for x in "AB"})
    listed = [combination((2 * i, "TF", "1"), (2 * i + 1, "FT", "1")) for i in range(3)]
    verify(claims("fewest_features", 3, stated, {"least": 3, "combinations": listed}))
    assert refused(claims("fewest_features", 3, stated, {"least": 4, "combinations": listed})) == "least"


@pytest.mark.parametrize("kind", ["fewest_features", "largest_margin"])
def test_what_refutes_altogether_proves_no_number_of_features_but_the_margin_0(kind: str) -> None:
    """At order 3 the four comparisons cancel: there are no weights whose features could be counted."""
    multipliers = EVERY["multipliers"]
    if kind == "fewest_features":
        assert refused(claims(kind, 3, XOR, {"least": 1, "combinations": [multipliers]})) == "cancellation"
    else:
        verify(claims(kind, 3, XOR, {"margin": "0", "multipliers": multipliers}))
        assert refused(claims(kind, 3, XOR, {"margin": "-1", "multipliers": multipliers})) == "margin"


@pytest.mark.parametrize(
    ("entries", "margin"),
    [
        # AC, AD, BC, BD with T − F up to 2 on each: 8 for four comparisons. Reached: 1 for T on AC, BD and so on.
        ([(0, "TF", "1"), (1, "FT", "1"), (2, "FT", "1"), (3, "TF", "1")], "2"),
        ([(0, "TF", "1/7"), (1, "FT", "1/7"), (2, "FT", "1/7"), (3, "TF", "1/7")], "2"),
        # One comparison: the constant, A, C and AC, 2 each.
        ([(0, "TF", "3")], "8"),
        # C, D, AC and AD, 2 each, for two comparisons.
        ([(0, "TF", "1"), (1, "FT", "1")], "4"),
        # 2 ACQ − ADQ − BCQ: constant 0, A 1, B −1, C 1, D −1, AC 2, AD −1, BC −1: twice 8 for 4 comparisons.
        ([(0, "TF", "2"), (1, "FT", "1"), (2, "FT", "1")], "4"),
    ],
)
def test_which_margins_the_multipliers_of_xor_exclude(entries: list[tuple[int, str, str]], margin: str) -> None:
    proof = {"margin": margin, "multipliers": combination(*entries)}
    verify(claims("largest_margin", 4, XOR, proof))
    less = {**proof, "margin": str(Fraction(margin) - Fraction(1, 10**9))}
    assert refused(claims("largest_margin", 4, XOR, less)) == "margin"


def test_weights_of_the_largest_margin_reach_it() -> None:
    """The other side of the margin 2: 1 for T and −1 for F on AC and BD, the reverse on AD and BC."""
    worth = {"AC": "1", "AD": "-1", "BC": "-1", "BD": "1"}
    pairs = [weight({"T": t, "F": str(-int(t))}, sources=[[0, x], [1, y]], length=2) for (x, y), t in worth.items()]
    assert verify(claims("separating_weights", 4, XOR, {"weights": pairs})).margin == 2


# ---------------------------------------------------------------- sets that meet others


def fewest(sets: Sequence[set[int]], elements: int) -> int | None:
    """By trying all choices."""
    return next(
        (n for n in range(elements + 1) for c in combinations(range(elements), n) if all(s & {*c} for s in sets)), None
    )


def as_elements(sets: Sequence[set[int]], elements: int) -> list[int]:
    return [sum(1 << j for j, members in enumerate(sets) if i in members) for i in range(elements)]


def claim() -> Claim:
    return Claim(grams(3), XOR)


def test_the_least_number_that_meets_all_sets_is_that_of_all_choices() -> None:
    rng = random.Random("sets")
    seen = set()
    for _ in range(1500):
        elements = rng.randint(1, 9)
        most = rng.randint(1, elements)
        sets = [set(rng.sample(range(elements), rng.randint(1, most))) for _ in range(rng.randint(0, 12))]
        least = fewest(sets, elements)
        assert least is not None
        masks = as_elements(sets, elements)
        taken = [_takes(claim(), masks, len(sets), n) for n in range(elements + 2)]
        assert taken == [n <= least for n in range(elements + 2)], sets
        seen.add(least)
    assert seen >= {0, 1, 2, 3, 4, 5}


def test_a_set_without_elements_is_never_met() -> None:
    assert _takes(claim(), [0b01, 0b01], 2, 99)
    assert _takes(claim(), [], 1, 99)
    assert not _takes(claim(), [], 0, 1)


@pytest.mark.parametrize(
    ("sets", "elements", "least"),
    [
        # The lines of the Fano plane: each two meet in a point; a line meets all, two points miss one.
        ([{i, (i + 1) % 7, (i + 3) % 7} for i in range(7)], 7, 3),
        # Edges of the Petersen graph: 10 vertices less the largest independent set of 4.
        ([{i, (i + 1) % 5} for i in range(5)] + [{i, i + 5} for i in range(5)]
         + [{5 + i, 5 + (i + 2) % 5} for i in range(5)], 10, 6),
        # The edges of a path of 30, of a cycle of 31: every other vertex.
        ([{i, i + 1} for i in range(30)], 31, 15),
        ([{i, (i + 1) % 31} for i in range(31)], 31, 16),
        # 300 sets apart.
        ([{2 * i, 2 * i + 1} for i in range(300)], 600, 300),
        # Steiner triple system STS(15) of the points of PG(3, 2): what meets all lines has a plane's 7 points or more.
        ([{a - 1, b - 1, (a ^ b) - 1} for a, b in combinations(range(1, 16), 2) if a < b < a ^ b], 15, 7),
    ],
)  # fmt: skip
def test_numbers_of_known_sets(sets: list[set[int]], elements: int, least: int) -> None:
    masks = as_elements(sets, elements)
    assert _takes(claim(), masks, len(sets), least)
    assert not _takes(claim(), masks, len(sets), least + 1)


def test_a_long_cycle_is_no_trouble() -> None:
    """300 of the 601 vertices meet 600 of the edges at most."""
    sets = [{i, (i + 1) % 601} for i in range(601)]
    assert _takes(claim(), as_elements(sets, 601), 601, 301)


def test_a_search_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expressivity.verify.claim.MAX_STEPS", 10**6)
    rng = random.Random(0)
    sets = [set(rng.sample(range(60), 10)) for _ in range(400)]
    with pytest.raises(Refuted, match="size"):
        _takes(claim(), as_elements(sets, 60), len(sets), 20)


# ---------------------------------------------------------------- random tasks


def random_tasks(positions: str, what: str) -> Iterator[tuple[Json, int]]:
    """Tasks of three to six contexts with labels and ties, and an order."""
    rng = random.Random(f"{what} {positions}")
    for _ in range(N_TASKS[what]):
        outputs = "FT" if rng.random() < 0.7 else "FGT"
        lengths, ends = rng.choice([[2], [3], [1, 2], [2, 3]]), rng.choice(["Q", "Q", "QR"])
        every = ["".join(sources) + end for n in lengths for sources in product("AB", repeat=n) for end in ends]
        contexts = rng.sample(every, min(len(every), rng.randint(3, 6)))
        asked = {c: tie("FT") if rng.random() < 0.15 else rng.choice(outputs) for c in contexts}
        yield task(asked, outputs), rng.choice([2, 3, 3, 4])


class Exact:
    """What z3 says of a task: about weights, and about combinations of its comparisons."""

    def __init__(self, stated: Json, order: int, positions: str) -> None:
        self.stated, self.order, self.positions = stated, order, positions
        self.tokens = [context["tokens"] for context in stated["contexts"]]
        self.asked = [(self.tokens.index(x), y, z, equal) for x, y, z, equal in comparisons(stated)]
        self.phi = [phi(tokens, order, positions) for tokens in self.tokens]
        self.features = sorted({feature for own in self.phi for feature in own}, key=repr)
        self.free = [feature for feature in self.features if feature[-1]]

    def weights(self, chosen: Sequence[int]) -> list[Json] | None:
        """Weights that decide the chosen contexts, as in a certificate."""
        w = {(f, y): z3.Real(f"{i} {y}") for i, f in enumerate(self.features) for y in self.stated["outputs"]}
        solver = z3.Solver()
        for i, y, z, equal in self.asked:
            if i in chosen:
                gap = z3.Sum([v * (w[f, y] - w[f, z]) for f, v in self.phi[i].items()])
                solver.add(gap == 0 if equal else gap >= 1)
        if solver.check() != z3.sat:
            return None
        model = solver.model()
        found: list[Json] = []
        for f in self.features:
            logits = {y: model.eval(w[f, y], True).as_fraction() for y in self.stated["outputs"]}
            found.append(self.entry(f, {y: str(value) for y, value in logits.items() if value}))
        return [entry for entry in found if entry["logits"]]

    def entry(self, feature: Feature, logits: Json) -> Json:
        if self.positions == "absolute":
            end, length, chosen = feature
            return weight(logits, end, [list(source) for source in sorted(chosen)], length)
        end, chosen = feature
        if self.positions == "anywhere":
            return weight(logits, end, sorted(token for _, token in chosen))
        return weight(logits, end, [token for token, power in sorted(chosen) for _ in range(power)])

    def combination(self, allowed: Sequence[Feature]) -> tuple[list[Json], Fraction] | None:
        """Multipliers with strict ones of sum 1 that cancel outside ``allowed``, and the least Σ |coefficient|."""
        solver = z3.Optimize()
        m = [z3.Real(f"m{i}") for i in range(len(self.asked))]
        strict = [x for x, (*_, equal) in zip(m, self.asked, strict=True) if not equal]
        solver.add(*[x >= 0 for x in strict], z3.Sum(strict) == 1)
        sizes = []
        for f, u in product(self.features, self.stated["outputs"]):
            total = z3.Sum([
                x * self.phi[i].get(f, 0) * ((y == u) - (z == u)) for x, (i, y, z, _) in zip(m, self.asked, strict=True)
            ])  # fmt: skip
            if f not in allowed:
                solver.add(total == 0)
            sizes.append(z3.Real(f"size {len(sizes)}"))
            solver.add(sizes[-1] >= total, sizes[-1] >= -total)
        least = solver.minimize(z3.Sum(sizes))
        if solver.check() != z3.sat:
            return None
        values = [solver.model().eval(x, True).as_fraction() for x in m]
        entries = [
            {"context": i, "pair": [y, z], "multiplier": str(value)}
            for value, (i, y, z, _) in zip(values, self.asked, strict=True)
            if value
        ]
        return entries, Fraction(str(solver.lower(least)))


def document(exact: Exact, kind: str, proof: Json) -> Json:
    return certificate(kind, grams(exact.order, exact.positions), exact.stated, proof)


def fewest_contexts(exact: Exact) -> tuple[int, list[list[Json]]]:
    """The least number of contexts that are not decided together, or one more than there are; and all ensembles that
    decide as many contexts as possible."""
    everything = range(len(exact.tokens))
    found: list[tuple[set[int], list[Json]]] = []
    least = len(exact.tokens) + 1
    for many in range(len(exact.tokens), 0, -1):
        for chosen in combinations(everything, many):
            weights = None
            if not any({*chosen} <= known for known, _ in found):
                weights = exact.weights(chosen)
                if weights is None:
                    least = many
            if weights is not None:
                found.append(({*chosen}, weights))
    return least, [weights for _, weights in found]


@pytest.mark.parametrize("positions", ["absolute", "anywhere", "count"])
def test_the_fewest_contexts_of_random_tasks_are_proved_and_no_more(positions: str) -> None:
    rng = random.Random(positions)
    seen = set()
    for stated, order in random_tasks(positions, "contexts"):
        exact = Exact(stated, order, positions)
        least, separators = fewest_contexts(exact)
        top = min(least, len(exact.tokens))
        for number in range(2, top + 1):
            verify(document(exact, "fewest_contexts", {"least": number, "separators": separators}))
        for wrong in range(least + 1, len(exact.tokens) + 1):
            proof = {"least": wrong, "separators": separators}
            assert refused(document(exact, "fewest_contexts", proof)) == "least"
        for _ in range(30):
            proof = {"least": rng.randint(2, len(exact.tokens)), "separators": deepcopy(separators)}
            shaken(rng, proof["separators"])
            if accepted(document(exact, "fewest_contexts", proof)):
                assert proof["least"] <= least
        seen.add(least)
    assert len(seen) > 2


def fewest_features(exact: Exact) -> tuple[int | None, list[list[Json]]]:
    """The least number of features, constants not counted, that decide the task; and combinations without the features
    of every choice that does not."""
    refuting = exact.combination([])
    if refuting is not None:
        return None, [refuting[0]]
    combined: list[list[Json]] = []
    for many in range(len(exact.free) + 1):
        for chosen in combinations(exact.free, many):
            found = exact.combination([f for f in exact.free if f not in chosen])
            if found is None:
                return many, combined
            combined.append(found[0])
    return None, combined


@pytest.mark.parametrize("positions", ["absolute", "anywhere", "count"])
def test_the_fewest_features_of_random_tasks_are_proved_and_no_more(positions: str) -> None:
    rng = random.Random(positions)
    seen = set()
    for stated, order in random_tasks(positions, "features"):
        exact = Exact(stated, order, positions)
        least, combined = fewest_features(exact)
        seen.add(least)
        if least is None:
            proof = {"least": 1, "combinations": combined}
            assert refused(document(exact, "fewest_features", proof)) == "cancellation"
            continue
        for number in range(1, least + 1):
            verify(document(exact, "fewest_features", {"least": number, "combinations": combined}))
        proof = {"least": least + 1, "combinations": combined}
        assert refused(document(exact, "fewest_features", proof)) == "least"
        for _ in range(30):
            proof = {"least": least + rng.randint(0, 2) or 1, "combinations": deepcopy(combined)}
            shaken(rng, proof["combinations"])
            if accepted(document(exact, "fewest_features", proof)):
                assert proof["least"] <= least
    assert len(seen) > 2


@pytest.mark.parametrize("positions", ["absolute", "anywhere", "count"])
def test_the_largest_margin_of_random_tasks_is_proved_and_no_less(positions: str) -> None:
    rng = random.Random(positions)
    seen = set()
    for stated, order in random_tasks(positions, "margin"):
        exact = Exact(stated, order, positions)
        found = exact.combination(exact.features)
        if found is None:  # nothing but ties
            continue
        multipliers, margin = found
        assert margin == widest(exact)
        verify(document(exact, "largest_margin", {"margin": str(margin), "multipliers": multipliers}))
        for _ in range(30):
            claimed = margin - rng.choice([Fraction(1, 10**9), Fraction(0), margin, Fraction(1, 3)])
            proof = {"margin": str(claimed), "multipliers": deepcopy(multipliers)}
            shaken(rng, [proof["multipliers"]])
            if accepted(document(exact, "largest_margin", proof)):
                assert claimed >= margin
        seen.add(margin)
    assert len(seen) > 2


def widest(exact: Exact) -> Fraction:
    """The largest margin of weights between −1 and 1, or 0, from the side of the weights."""
    solver, margin = z3.Optimize(), z3.Real("margin")
    w = {(f, y): z3.Real(f"{i} {y}") for i, f in enumerate(exact.features) for y in exact.stated["outputs"]}
    solver.add(*[bound for x in w.values() for bound in (x <= 1, x >= -1)])
    for i, y, z, equal in exact.asked:
        gap = z3.Sum([v * (w[f, y] - w[f, z]) for f, v in exact.phi[i].items()])
        solver.add(gap == 0 if equal else gap >= margin)
    found = solver.maximize(margin)
    assert solver.check() == z3.sat
    return Fraction(str(solver.upper(found)))


def accepted(made: Json) -> bool:
    try:
        verify(made)
    except Refuted:
        return False
    return True


def shaken(rng: random.Random, lists: list[list[Json]]) -> None:
    """One or two changes of weights or multipliers: taken out, doubled, made others, or moved."""
    for _ in range(rng.randint(1, 2)):
        if not lists:
            return
        k = rng.randrange(len(lists))
        listed = lists[k]
        match rng.choice(["drop", "drop", "twice", "number", "number", "number", "entry", "move"]):
            case "drop":
                del lists[k]
            case "twice":
                lists.append(deepcopy(listed))
            case "entry" if listed:
                del listed[rng.randrange(len(listed))]
            case "number" if listed:
                entry = rng.choice(listed)
                place = entry if "multiplier" in entry else entry["logits"]
                key = "multiplier" if "multiplier" in entry else rng.choice([*place])
                place[key] = str(Fraction(place[key]) * rng.choice([-1, 0, 2, Fraction(1, 2), 1 + Fraction(1, 10**9)]))
            case "move" if listed and "context" in listed[0]:
                rng.choice(listed)["context"] = rng.randrange(4)
            case "move" if listed:
                rng.choice(listed)["destination"] = rng.choice("QR")


def test_the_helpers_of_this_page_are_not_vacuous() -> None:
    """The four strings by the same way: any 3 contexts at order 3, two features and the margin 2 at order 4."""
    assert fewest_contexts(Exact(XOR, 3, "absolute"))[0] == 4
    four = Exact(XOR, 4, "absolute")
    assert fewest_features(four)[0] == 2
    assert widest(four) == 2
    assert sealed(CERTIFICATES["features/xor"]) == CERTIFICATES["features/xor"]
