"""`separation`: whatever holds the numbers, the same exact verdict."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from expressivity.errors import InputError, Refuted
from expressivity.separation import Comparison, Separation, separation
from expressivity.separation.check import BothSigns, Direction, Proof

DOSES = [[1, 5], [2, 1], [3, 4], [4, 1], [5, 9], [6, 2]]
DIED = [0, 0, 1, 0, 1, 1]  # overlap in the first column alone, complete with both


def verdict(found: Separation) -> tuple[str, list[str]]:
    found.verify()
    return found.kind, [c.estimate for c in found.coefficients]


# ---------------------------------------------------------------------- kinds, by hand


@pytest.mark.parametrize(
    ("x", "y", "kind", "estimates"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], "complete", ["-inf", "+inf"]),
        ([1, 2, 3, 4], [1, 1, 0, 0], "complete", ["+inf", "-inf"]),
        ([-2, -1, 1, 2], [0, 0, 1, 1], "complete", ["undetermined", "+inf"]),  # thresholds on either side of 0
        ([-1, 0, 0, 1], [0, 0, 1, 1], "quasi-complete", ["finite", "+inf"]),  # the tie at 0 fixes the intercept
        ([1, 2, 2, 3], [0, 0, 1, 1], "quasi-complete", ["-inf", "+inf"]),
        ([1, 2, 3, 4], [0, 1, 0, 1], "overlap", ["finite", "finite"]),
        ([5, 5, 5, 5], [0, 1, 0, 1], "overlap", ["finite", "aliased"]),
        ([0, 0, 0, 1], [0, 1, 0, 1], "quasi-complete", ["finite", "+inf"]),
    ],
)
def test_one_predictor(x: list[int], y: list[int], kind: str, estimates: list[str]) -> None:
    assert verdict(separation([[value] for value in x], y)) == (kind, estimates)


def test_three_classes_of_which_one_stands_apart() -> None:
    # a and b overlap on 1 … 4; c is everywhere above. Against a: b finite, c infinite.
    found = separation([[1], [2], [3], [4], [8], [9]], list("ababcc"))
    assert found.kind == "quasi-complete"
    assert found.estimates == {
        "b: (Intercept)": "finite",
        "b: x1": "finite",
        "c: (Intercept)": "-inf",
        "c: x1": "+inf",
    }
    assert found.certain_rows == (4, 5)
    # a is fitted with certainty against c but not against b.
    assert Comparison(0, 0, 2) in found.separated
    assert Comparison(0, 0, 1) in found.multipliers
    found.verify()


def test_of_two_classes_the_other_reference_turns_all_signs() -> None:
    found, turned = separation(DOSES, DIED), separation(DOSES, DIED, reference=1)
    turn = {"+inf": "-inf", "-inf": "+inf"}
    assert [turn.get(c.estimate, c.estimate) for c in found.coefficients] == [c.estimate for c in turned.coefficients]
    assert (found.reference, turned.reference) == ("0", "1")


def test_an_undetermined_coefficient_has_witnesses_of_both_signs() -> None:
    found = separation([[-2], [-1], [1], [2]], [0, 0, 1, 1])
    assert found.proof is not None
    claim = found.proof.coefficients[0]
    assert isinstance(claim, BothSigns)
    for vector in (claim.up, claim.down):
        assert all(sign * (vector[0] + vector[1] * x) >= 0 for x, sign in ((-2, -1), (-1, -1), (1, 1), (2, 1)))
    assert claim.up[0] > 0 > claim.down[0]


# ---------------------------------------------------------------------- what may hold the numbers


def tables() -> dict[str, Any]:
    values = [[Fraction(a, 10), b] for a, b in DOSES]
    floats = [[float(a), float(b)] for a, b in values]
    mixed = np.array([[Decimal(a) / 10, str(b)] for a, b in DOSES], dtype=object)
    return {
        "fractions": values,
        "floats": np.array(floats),
        "single": np.array(floats, dtype=np.float32),
        "decimals and texts": mixed,
        "texts": [[str(float(a)), f"{b}/1"] for a, b in values],
        "text array": np.array(floats).astype(str),
        "sparse": sp.csr_matrix(np.array(floats)),
        "sparse array": sp.coo_array(np.array(floats)),
        "tuples": tuple(map(tuple, floats)),
    }


@pytest.mark.parametrize("name", tables())
def test_every_table_reads_the_same(name: str) -> None:
    found = separation(tables()[name], DIED)
    assert verdict(found) == verdict(separation(np.array(DOSES), DIED))
    assert found.design.units[1] == Fraction(1, 10)
    assert [row.get(1) for row in map(found.design.rows.row, range(6))] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda y: np.array(y, dtype=object), lambda y: [*map(str, y)]])
def test_every_response_reads_the_same(kind: Callable[[list[int]], Any]) -> None:
    found = separation(DOSES, kind(DIED))
    assert found.response == separation(DOSES, DIED).response
    assert separation(DOSES, np.array(DIED, dtype=bool)).response.classes == ("False", "True")
    assert separation(DOSES, np.array(DIED, dtype=float)).response.classes == ("0", "1")


def test_a_data_frame_with_factors() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "age": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
            "sex": ["m", "f", "m", "f", "m", "f"],
            "grade": pandas.Categorical(["low", "high", "mid", "low", "high", "mid"], ["low", "mid", "high", "top"]),
            "ward": [1, 2, 1, 2, 1, 2],
            "treated": [True, False, False, True, True, False],
            "dose": pandas.array([1, 2, 3, 4, 5, 6], dtype="Int64"),
            "coded": ["10", "20", "10", "20", "30", "10"],
        }
    )
    y = pandas.Series(pandas.Categorical(["yes", "no", "no", "yes", "yes", "no"], ["yes", "no"]))
    found = separation(frame, y, factors=["ward"])
    assert found.design.names == (
        *("(Intercept)", "age", "sex[m]", "grade[mid]", "grade[high]", "ward[2]", "treated", "dose", "coded"),
    )
    assert found.reference == "yes"
    column = {name: [found.design.rows.row(i).get(j, 0) for i in range(6)] for j, name in enumerate(found.design.names)}
    assert column["sex[m]"] == [1, 0, 1, 0, 1, 0]
    assert column["grade[high]"] == [0, 1, 0, 0, 1, 0]
    assert column["ward[2]"] == [0, 1, 0, 1, 0, 1]
    assert column["treated"] == [1, 0, 0, 1, 1, 0]
    assert column["coded"] == [1, 2, 1, 2, 3, 1]
    found.verify()


def test_without_an_intercept_the_first_factor_keeps_all_levels() -> None:
    table = [["a", "u"], ["b", "v"], ["a", "v"], ["b", "u"]]
    assert separation(table, [0, 1, 1, 0], intercept=False).design.names == ("x1[a]", "x1[b]", "x2[v]")
    assert separation(table, [0, 1, 1, 0]).design.names == ("(Intercept)", "x1[b]", "x2[v]")


def test_binary_floats_on_request() -> None:
    table = [[0.1, 0.2, 0.3], [1.0, 2.0, 3.0], [0.5, 0.25, 0.75]]
    y = [0, 1, 0]
    # 0.1 + 0.2 = 0.3 as written; the binary fractions behind them do not add up.
    assert separation(table, y, intercept=False).estimates["x3"] == "aliased"
    found = separation(table, y, intercept=False, exact_floats=True)
    assert "aliased" not in found.estimates.values()
    found.verify()


def test_grouped_counts_are_the_rows_written_out() -> None:
    table, counts = [["a"], ["b"], ["c"]], [[3, 0], [2, 5], [0, 0]]
    grouped = separation(table, counts)
    single = separation([["a"], ["b"], ["b"]], [1, 0, 1])
    assert grouped.design.names == ("(Intercept)", "x1[b]", "x1[c]")
    # No observation at c: the column of its level is 0 where something was observed.
    assert [c.estimate for c in grouped.coefficients] == [*(c.estimate for c in single.coefficients), "aliased"]
    assert grouped.reference == "y2"  # the last column: failures
    grouped.verify()


def test_rows_of_weight_zero_do_not_count() -> None:
    table, y = [[1], [2], [3], [4]], [0, 1, 0, 1]
    assert separation(table, y).kind == "overlap"
    assert separation(table, y, weights=[1, 0, 2, 0.5]).kind == "complete"
    assert separation(table, y, weights=[1, 0, 2, 0.5]).certain_rows == (0, 2, 3)


# ---------------------------------------------------------------------- what must not matter

SMALL = st.integers(-3, 3)
DATA = st.integers(1, 3).flatmap(
    lambda p: st.lists(
        st.tuples(st.lists(SMALL, min_size=p, max_size=p), st.integers(0, 2)), min_size=3, max_size=9
    ).filter(lambda rows: len({y for _, y in rows}) > 1)
)


@given(DATA, st.randoms(use_true_random=False))
def test_scale_order_and_repetition_do_not_matter(data: list[tuple[list[int], int]], rng: random.Random) -> None:
    X, y = [row for row, _ in data], [seen for _, seen in data]
    found = separation(X, y)
    scales = [Fraction(10) ** rng.choice([-9, 0, 9]) for _ in X[0]]
    scaled = [[scale * entry for scale, entry in zip(scales, row, strict=True)] for row in X]
    assert verdict(separation(scaled, y)) == verdict(found)
    floats = [[float(entry) for entry in row] for row in scaled]
    assert verdict(separation(np.array(floats), y)) == verdict(found)
    order = [*rng.sample(range(len(X)), len(X)), *rng.choices(range(len(X)), k=3)]
    assert verdict(separation([X[i] for i in order], [y[i] for i in order])) == verdict(found)
    assert verdict(separation(sp.csr_array(np.array(X)), y)) == verdict(found)


@given(DATA)
def test_the_direction_is_in_the_units_of_the_data(data: list[tuple[list[int], int]]) -> None:
    X = [[Fraction(entry, 7) for entry in row] for row, _ in data]
    y = [seen for _, seen in data]
    found = separation(X, y)
    classes, width = found.response.classes, 1 + len(X[0])
    direction = [[Fraction(0)] * width] + [
        [c.direction for c in found.coefficients[k * width : (k + 1) * width]] for k in range(len(classes) - 1)
    ]
    for row, observed, other in found.comparisons:
        phi = [Fraction(1), *X[row]]
        gap = sum((a - b) * x for a, b, x in zip(direction[observed], direction[other], phi, strict=True))
        assert (gap > 0) == (Comparison(row, observed, other) in found.separated)
        assert gap >= 0


def test_a_coefficient_that_is_infinite_of_a_lower_order() -> None:
    rows = np.array([[1, 0], [-5, 1], [-5, 1]])
    # The direction of the largest sum of log odds in a box is unique, and 0 in the first coefficient.
    best = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(3), bounds=(-1, 1))
    assert best.x == pytest.approx([0, 1])
    nearly = linprog([-1, 0], A_ub=[*-rows, -rows.sum(axis=0)], b_ub=[0, 0, 0, best.fun], bounds=(-1, 1))
    assert nearly.x == pytest.approx([0, 1])
    # But the first row is fitted with probability 1 only if the first coefficient is infinite.
    found = separation([[1, 0], [-5, 1], [5, -1]], [1, 1, 0], intercept=False)
    assert verdict(found) == ("complete", ["+inf", "+inf"])


def test_a_hair_decides() -> None:
    hair = Fraction(1, 10**30)
    above, below = [[0], [1 + hair], [1], [2]], [[0], [1 - hair], [1], [2]]
    assert separation(below, [0, 0, 1, 1]).kind == "complete"
    assert separation([[0], [1], [1], [2]], [0, 0, 1, 1]).kind == "quasi-complete"
    assert separation(above, [0, 0, 1, 1]).kind == "overlap"


def test_weights_beyond_any_float() -> None:
    # Every coefficient is positive and exceeds the sum of those before it: the last is at least 2**78 times the first.
    n = 80
    rows = [[int(i == j) for j in range(n)] for i in range(n)]
    rows += [[-int(j < i) + int(j == i) for j in range(n)] for i in range(1, n)]
    opposite = [[-entry for entry in row] for row in rows]
    found = separation(rows + opposite, [1] * len(rows) + [0] * len(rows), intercept=False)
    assert found.kind == "complete"
    assert set(found.estimates.values()) == {"+inf"}
    assert found.coefficients[-1].direction >= 2 ** (n - 2) * found.coefficients[0].direction
    found.verify()


# ---------------------------------------------------------------------- corrupted proofs


def corruptions(proof: Proof) -> dict[str, Proof]:
    """Every way to spoil a proof by a little."""
    change = dataclasses.replace
    found: dict[str, Proof] = {"kind": change(proof, kind="overlap" if proof.kind == "complete" else "complete")}
    for j, value in enumerate(proof.weights):
        for other in {-value, value + 1, 0} - {value}:
            weights = tuple(other if k == j else v for k, v in enumerate(proof.weights))
            found[f"w[{j}] = {other}"] = change(proof, weights=weights)
    for c, value in proof.multipliers.items():
        found[f"λ{tuple(c)} + 1"] = change(proof, multipliers={**proof.multipliers, c: value + 1})
        found[f"λ{tuple(c)} negative"] = change(proof, multipliers={**proof.multipliers, c: -value})
        rest = {k: v for k, v in proof.multipliers.items() if k != c}
        found[f"no λ{tuple(c)}"] = change(proof, multipliers=rest)
    found["a foreign λ"] = change(proof, multipliers={**proof.multipliers, Comparison(99, 0, 1): 1})
    if proof.spanning:
        found["less spanning"] = change(proof, spanning=proof.spanning[1:])
    if len(proof.spanning) > 1:
        found["repeated spanning"] = change(proof, spanning=(proof.spanning[0], *proof.spanning[:-1]))
    if proof.basis:
        found["less basis"] = change(proof, basis=proof.basis[1:])
        bent = (tuple(v + 1 for v in proof.basis[0]), *proof.basis[1:])
        if proof.spanning:
            found["bent basis"] = change(proof, basis=bent)
    if len(proof.basis) > 1:
        found["repeated basis"] = change(proof, basis=proof.basis[:1] * len(proof.basis))
    found["fewer coefficients"] = change(proof, coefficients=proof.coefficients[1:])
    found["fewer columns"] = change(proof, kept=proof.kept[1:])
    found["a foreign witness"] = change(proof, witness=(99, *proof.witness[1:]))
    found["a smaller witness"] = change(proof, witness=proof.witness[1:])
    for j, claim in enumerate(proof.coefficients):
        others: list[Direction | BothSigns | None] = []
        if isinstance(claim, Direction):
            others = [None, change(claim, sign=-claim.sign), change(claim, factor=-claim.factor)]
            others += [change(claim, factor=claim.factor + 1), change(claim, multipliers={})]
            others.append(BothSigns(proof.weights, tuple(-v for v in proof.weights)))
        elif isinstance(claim, BothSigns):
            others = [None, BothSigns(claim.down, claim.up), BothSigns(claim.up, tuple(-v for v in claim.up))]
            others += [Direction(1, 1, {}), Direction(-1, 1, {})]
        else:
            others = [Direction(1, 1, {}), BothSigns(proof.weights, proof.weights)]
        for k, other in enumerate(others):
            claims = tuple(other if i == j else v for i, v in enumerate(proof.coefficients))
            found[f"coefficient {j}, {k}"] = change(proof, coefficients=claims)
    for j, combination in proof.aliases.items():
        bad = {k: value + 1 for k, value in combination.items()}
        found[f"alias {j}"] = change(proof, aliases={**proof.aliases, j: bad})
    return found


def is_refused(found: Separation) -> bool:
    try:
        found.verify()
    except Refuted:
        return True
    return False


EXAMPLES = {
    "complete": (DOSES, DIED),
    "quasi-complete": ([[1, 0], [2, 0], [3, 0], [4, 1], [5, 1], [6, -1]], [0, 1, 0, 1, 1, 1]),
    "quasi-complete in two": ([[1, 0, 1], [2, 0, 1], [1, 0, 1], [4, 1, 0], [5, 3, 4], [2, -1, 2]], [0, 1, 1, 1, 1, 0]),
    "overlap": ([[1, 2], [2, 4], [3, 1], [4, 4], [1, 5], [2, 2]], [0, 1, 0, 1, 1, 0]),
    "aliased": ([[1, 2, 3], [2, 4, 6], [3, 1, 4], [4, 4, 8]], [0, 1, 1, 0]),
    "three classes": ([[1], [2], [3], [4], [8], [9]], list("ababcc")),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_corrupted_proof_is_refused(name: str) -> None:
    X, y = EXAMPLES[name]
    found = separation(X, y)
    assert found.proof is not None
    found.verify()
    spoilt = corruptions(found.proof)
    assert len(spoilt) > 15
    for what, proof in spoilt.items():
        assert is_refused(dataclasses.replace(found, proof=proof)), what


def test_a_report_that_says_other_than_its_proof_is_refused() -> None:
    found = separation(DOSES, DIED)
    other = tuple(dataclasses.replace(c, estimate="finite") for c in found.coefficients)
    with pytest.raises(Refuted, match="not what was proved"):
        dataclasses.replace(found, coefficients=other).verify()


def test_other_data_refuse_the_proof() -> None:
    found = separation(DOSES, DIED)
    other = separation(DOSES, [1, *DIED[1:]])
    with pytest.raises(Refuted):
        dataclasses.replace(other, proof=found.proof).verify()


# ---------------------------------------------------------------------- limits and refusals


def test_at_the_time_limit_it_says_so() -> None:
    rng = np.random.default_rng(0)
    found = separation(rng.integers(-9, 9, (400, 20)), rng.integers(0, 2, 400), time_limit=0)
    assert found.kind == "undecided"
    assert not found.is_settled
    assert "time limit of 0 s" in found.reason
    assert set(found.estimates.values()) == {"undecided"}
    with pytest.raises(Refuted, match="nothing was decided"):
        found.verify()


CELL = "X, row 1, column 'x1'"


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        ([[1], [None]], [0, 1], {}, f"{CELL}: found a missing value (None); expected a number"),
        ([[1], [float("nan")]], [0, 1], {}, f"{CELL}: found a missing value (nan); expected a number"),
        (np.array([[1.0], [np.inf]]), [0, 1], {}, f"{CELL}: found inf, which is not finite; expected a number"),
        ([["1"], ["two"], ["3"]], [0, 1, 1], {}, f'{CELL}: found "two"; expected a number, as in the rest'),
        ([["a"], [""], ["b"]], [0, 1, 1], {}, f'{CELL}: found a missing value (""); expected a number or a level'),
        ([[1], [[2]]], [0, 1], {}, f"{CELL}: found [2] of type list, which is not a number; expected a number"),
        ([[1, 2], [3]], [0, 1], {}, "X, row 1: 1 values, expected 2 as in row 0"),
        ([1, 2], [0, 1], {}, "X: [1, 2] of type list; expected a table"),
        (np.array([1, 2]), [0, 1], {}, "X: one-dimensional, of length 2; expected rows and columns"),
        (np.zeros((2, 2, 2)), [0, 1], {}, "X: an array of 3 dimensions, expected 2: rows and columns"),
        ([[1], [2]], [0], {}, "y: 1 rows, but X has 2"),
        ([[1], [2]], [0, 0], {}, 'y: found only "0"; expected two or more classes'),
        ([[1], [2]], [0, None], {}, "y, row 1: found a missing value"),
        ([[1], [2]], [0.25, 1], {}, "y, row 0: found 0.25; expected a class (for a proportion give the counts"),
        ([[1], [2]], [[1, -1], [1, 1]], {}, "y, row 0, column 'y2': found -1; expected a number, at least 0"),
        ([[1], [2]], [[1], [2], [1, 2]], {}, "y: rows of different lengths"),
        ([[1], [2]], [[0, 0], [0, 0]], {}, "y: found none; expected two or more classes"),
        ([[1], [2]], [0, 1], {"weights": [1]}, "weights: shape (1,), expected one number for each of 2 rows"),
        ([[1], [2]], [0, 1], {"weights": [1, "x"]}, 'weights, row 1: found "x", which is not a number'),
        ([[1], [2]], [0, 1], {"names": ["a", "b"]}, "names: 2 names for the 1 columns of X"),
        ([[1, 2], [2, 3]], [0, 1], {"names": ["a", "a"]}, "X: two columns are called 'a'; expected different names"),
        ([[1], [2]], [0, 1], {"factors": ["z"]}, "factors: there is no column 'z'; the columns are x1"),
        ([[1], [2]], [0, 1], {"reference": 7}, "reference: found 7; expected a class of y: 0, 1"),
        ([[], []], [0, 1], {"intercept": False}, "X: no columns and no intercept; expected at least one of them"),
        (sp.csr_array([[1.0], [2.0]]), [0, 1], {"factors": ["x1"]}, "factors: column 'x1' is sparse; expected a dense"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_place_the_value_and_what_was_expected(
    X: Any, y: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        separation(X, y, **options)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_degenerate_designs() -> None:
    assert verdict(separation(np.zeros((3, 0)), [0, 1, 1])) == ("overlap", ["finite"])
    assert verdict(separation([[0], [0]], [0, 1], intercept=False)) == ("overlap", ["aliased"])
    assert verdict(separation([[1], [1]], [0, 1])) == ("overlap", ["finite", "aliased"])
    assert verdict(separation([[1, 0], [0, 1]], ["a", "b"], intercept=False)) == ("complete", ["-inf", "+inf"])
