"""Published examples of separation: verdicts, coefficients and deviances as they were printed.

- endometrial: Heinze and Schemper (2002), "A solution to the problem of separation in logistic regression". R's glm and
  detectseparation: NV infinite, the others finite; residual deviance 55.393, null deviance 104.903.
- silvapulle1981: Silvapulle (1981), "On the existence of maximum likelihood estimators for the binomial response
  models". detectseparation's tests: (−Inf, Inf) for the log odds of being a case.
- lizards: Schoener (1970), in McCullagh and Nelder (1989), table 4.6. detectseparation's tests: six finite estimates;
  residual deviance 14.205 on 17 degrees of freedom.
- The two small data sets are those of UCLA's page on separation in logistic regression.
"""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from expressivity.separation import separation
from tests.separation.published import published


def read(name: str) -> dict[str, list[str]]:
    with open(published(name), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: [row[key] for row in rows] for key in rows[0]}


def deviance(probabilities: np.ndarray, successes: np.ndarray, failures: np.ndarray) -> float:
    """Twice the loss of log likelihood against the saturated model."""
    total = successes + failures
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(successes > 0, successes * np.log(successes / total / probabilities), 0.0)
        down = np.where(failures > 0, failures * np.log(failures / total / (1 - probabilities)), 0.0)
    return float(2 * (up + down).sum())


def fitted(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> LogisticRegression:
    return LogisticRegression(C=np.inf, tol=1e-10, max_iter=100_000).fit(X, y, weights)


def test_endometrial_is_quasi_complete_and_only_nv_infinite() -> None:
    data = read("endometrial.csv")
    found = separation(list(zip(data["NV"], data["PI"], data["EH"], strict=True)), data["HG"], names=["NV", "PI", "EH"])
    assert found.kind == "quasi-complete"
    assert found.estimates == {"(Intercept)": "finite", "NV": "+inf", "PI": "finite", "EH": "finite"}
    found.verify()
    # The 13 rows with NV = 1 all have HG = 1.
    assert [data["NV"][row] for row in found.certain_rows] == ["1"] * 13


def test_endometrial_deviances_are_those_of_the_rows_left() -> None:
    data = {key: np.array(values, dtype=float) for key, values in read("endometrial.csv").items()}
    X, y = np.column_stack([data["NV"], data["PI"], data["EH"]]), data["HG"]
    found = separation(X, y, names=["NV", "PI", "EH"])
    left = np.setdiff1d(np.arange(len(y)), found.certain_rows)
    # Towards the supremum of the likelihood the certain rows cost nothing; NV is constant on the others.
    assert np.unique(X[left, 0]).tolist() == [0.0]
    fit = fitted(X[left, 1:], y[left])
    residual = deviance(fit.predict_proba(X[left, 1:])[:, 1], y[left], 1 - y[left])
    assert residual == pytest.approx(55.393, abs=5e-4)
    # R prints the finite coefficients as 4.30452, −0.04218 and −2.90261.
    assert [fit.intercept_[0], *fit.coef_[0]] == pytest.approx([4.30452, -0.04218, -2.90261], abs=2e-4)
    null = deviance(np.full(len(y), y.mean()), y, 1 - y)
    assert null == pytest.approx(104.903, abs=5e-4)


def test_an_aliased_copy_of_nv_is_reported_as_r_does() -> None:
    data = read("endometrial.csv")
    X = [[-int(nv), -2 * int(nv), pi, eh] for nv, pi, eh in zip(data["NV"], data["PI"], data["EH"], strict=True)]
    found = separation(X, data["HG"], names=["minus NV", "minus twice", "PI", "EH"])
    # detectseparation's tests: HG ~ NV + I(2 * NV) + PI + EH gives (0, Inf, NA, 0, 0).
    assert list(found.estimates.values()) == ["finite", "-inf", "aliased", "finite", "finite"]
    assert found.coefficients[2].alias == {"minus NV": 2}
    found.verify()


def test_silvapulle_is_quasi_complete_and_both_are_infinite() -> None:
    data = read("silvapulle1981.csv")
    found = separation([[value] for value in data["ghqs"]], data["y"], names=["ghqs"], reference="none_case")
    assert found.kind == "quasi-complete"
    assert found.estimates == {"(Intercept)": "-inf", "ghqs": "+inf"}
    found.verify()
    mirrored = separation([[value] for value in data["ghqs"]], data["y"], names=["ghqs"])
    assert mirrored.reference == "case"
    assert mirrored.estimates == {"(Intercept)": "+inf", "ghqs": "-inf"}


def test_lizards_overlap_and_have_the_published_deviance() -> None:
    data = read("lizards.csv")
    names = ["height", "diameter", "light", "time"]
    counts = [(int(a), int(b)) for a, b in zip(data["grahami"], data["opalinus"], strict=True)]
    found = separation(list(zip(*(data[name] for name in names), strict=True)), counts, names=names)
    assert found.kind == "overlap"
    assert list(found.estimates.values()) == ["finite"] * 6
    found.verify()
    X = np.array([[found.design.rows.row(i).get(j, 0) for j in range(1, 6)] for i in range(23)], dtype=float)
    successes, failures = np.array(counts, dtype=float).T
    fit = fitted(np.vstack([X, X]), np.repeat([1, 0], 23), np.concatenate([successes, failures]))
    assert deviance(fit.predict_proba(X)[:, 1], successes, failures) == pytest.approx(14.205, abs=5e-4)


def test_complete_separation_of_the_ucla_page() -> None:
    x1, x2 = [1, 2, 3, 3, 5, 6, 10, 11], [3, 2, -1, -1, 2, 4, 1, 0]
    found = separation(list(zip(x1, x2, strict=True)), [0, 0, 0, 0, 1, 1, 1, 1], names=["x1", "x2"])
    assert found.kind == "complete"
    # b0, b1, b2 separate: (11, 0) above (3, −1) and (10, 1) above (1, 3), so 25 b1 = 2 (8 b1 + b2) + (9 b1 − 2 b2) > 0;
    # and 4 b0 + 10 b1 = 3 (b0 + 3 b1 − b2) + (b0 + b1 + 3 b2) < 0 by the rows (3, −1) and (1, 3).
    assert found.estimates["x1"] == "+inf"
    assert found.estimates["(Intercept)"] == "-inf"
    assert found.estimates["x2"] == "undetermined"
    found.verify()


def test_quasi_complete_separation_of_the_ucla_page() -> None:
    x1, x2 = [1, 2, 3, 3, 3, 4, 5, 6, 10, 11], [3, 0, -1, 4, 1, 0, 2, 7, 3, 4]
    found = separation(list(zip(x1, x2, strict=True)), [0] * 4 + [1] * 6, names=["x1", "x2"])
    assert found.kind == "quasi-complete"
    # At x1 = 3 there are x2 = −1, 4 without and x2 = 1 with the event: these overlap, and fix x2 and the sum at x1 = 3.
    assert found.estimates == {"(Intercept)": "-inf", "x1": "+inf", "x2": "finite"}
    assert found.certain_rows == (0, 1, 5, 6, 7, 8, 9)
    found.verify()
    left = fitted(np.array([[-1.0], [4.0], [1.0]]), np.array([0, 0, 1]))
    # SAS, R and Stata print −0.1206 for x2, whatever they make of the others.
    assert left.coef_[0, 0] == pytest.approx(-0.1206, abs=5e-4)
    assert math.isfinite(left.intercept_[0])
