"""`expressivity separation`: from a file to what is printed, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from expressivity.errors import InputError
from expressivity.report.separation_text import separation_command
from tests.separation.published import published

TREES = """\
dose,site,height,dead
0.5,north,10,no
1.0,north,12,no
1.5,south,11,no
1.5,south,14,yes
2.0,north,10,yes
2.5,south,13,yes
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trees.csv"
    path.write_text(TREES, encoding="utf-8")
    return path


def run(path: Path, **options: Any) -> str:
    text, status = separation_command(str(path), **options)
    assert status == 0
    return text


def estimates(path: Path, **options: Any) -> dict[str, str]:
    found = json.loads(run(path, as_json=True, **options))
    return {c["name"]: c["estimate"] for c in found["coefficients"]}


def test_the_text(file: Path) -> None:
    text = run(file, response_column="dead", predictors=["dose"])
    assert text.splitlines() == [
        f"dead in {file} · 6 rows · 2 coefficients · log odds of yes against no",
        "",
        "  quasi-complete separation: the maximum-likelihood estimate does not exist",
        "",
        "  coefficient  estimate   direction",
        "  (Intercept)  −infinity  -3",
        "  dose         +infinity  2",
        "",
        "  along the direction the likelihood only rises;",
        "  at its supremum what was observed has probability 1 in 4 of 6 rows (lines 2, 3, 6, 7)",
        "  proved in exact arithmetic, and checked again ✓",
    ]


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "separation.md").read_text("utf-8")
    (data,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    command, _, output = shown.partition("\n")
    assert command == "$ expressivity separation trees.csv --response dead"
    (tmp_path / "trees.csv").write_text(data, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(Path("trees.csv"), response_column="dead") + "\n" == output


def test_the_text_explains_what_is_undetermined_and_what_is_aliased(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,twice,z,y\n-2,-4,1,0\n-1,-2,0,0\n1,2,1,1\n2,4,0,1\n")
    lines = run(path, response_column="y").splitlines()
    assert "  twice        aliased: 2·x" in lines
    assert any(line.startswith("  (Intercept)  undetermined") for line in lines)
    assert "  undetermined: the likelihood can tend to its supremum with that coefficient going to +infinity," in lines
    assert "  at its supremum what was observed has probability 1 in all 4 rows" in lines


def test_the_json_carries_the_certificate(file: Path) -> None:
    found = json.loads(run(file, response_column="dead", predictors=["dose"], as_json=True))
    assert found["kind"] == "quasi-complete"
    assert (found["reference"], found["classes"], found["rows"]) == ("no", ["no", "yes"], 6)
    assert found["coefficients"][1] == {"name": "dose", "class": "yes", "estimate": "+inf"}
    assert found["certain_lines"] == [2, 3, 6, 7]
    assert found["verified"] is True
    # −3 + 2 dose: 0 exactly where λ > 0, of the right sign elsewhere; and Σ λ Δ = (1 − 1)(1, 1.5) = 0.
    assert found["certificate"] == {
        "direction": {"(Intercept)": "-3", "dose": "2"},
        "multipliers": [
            {"line": 4, "observed": "no", "other": "yes", "multiplier": "1"},
            {"line": 5, "observed": "yes", "other": "no", "multiplier": "1"},
        ],
    }


def test_options(file: Path) -> None:
    assert set(estimates(file, response_column="dead")) == {"(Intercept)", "dose", "site[south]", "height"}
    without = estimates(file, response_column="dead", intercept=False)
    assert list(without) == ["dose", "site[north]", "site[south]", "height"]
    assert "dose[0.5]" not in estimates(file, response_column="dead", factors=["dose"])
    assert list(estimates(file, response_column="dead", predictors=["dose"], factors=["dose"])) == [
        *("(Intercept)", "dose[1]", "dose[1.5]", "dose[2]", "dose[2.5]"),
    ]
    turned = estimates(file, response_column="dead", predictors=["dose"], reference="yes")
    assert turned == {"(Intercept)": "+inf", "dose": "-inf"}


def test_the_form_of_the_file_does_not_matter(file: Path, tmp_path: Path) -> None:
    expected = estimates(file, response_column="dead")
    other = tmp_path / "other.csv"
    other.write_bytes(b"\xef\xbb\xbf" + TREES.replace("north", '"north"').replace("\n", "\r\n").encode())
    assert estimates(other, response_column="dead") == expected
    other.write_text(TREES.replace(",", ";").replace("\n", "\n\n"))
    assert estimates(other, response_column="dead", delimiter=";") == expected


def test_published_data_read_from_their_files() -> None:
    found = estimates(Path(published("endometrial.csv")), response_column="HG")
    assert found == {"(Intercept)": "finite", "NV": "+inf", "PI": "finite", "EH": "finite"}
    lizards = estimates(Path(published("lizards.csv")), count_columns=["grahami", "opalinus"])
    assert lizards == dict.fromkeys(
        ["(Intercept)", "height[>=5ft]", "diameter[>2in]", "light[sunny]", "time[late]", "time[midday]"], "finite"
    )


def test_at_the_time_limit_the_status_is_3(file: Path) -> None:
    text, status = separation_command(str(file), response_column="dead", time_limit=0.0)
    assert status == 3
    assert "undecided" in text
    assert "the time limit of 0.0 s was reached; raise it to go on" in text
    found = json.loads(separation_command(str(file), response_column="dead", time_limit=0.0, as_json=True)[0])
    assert (found["verified"], found["certificate"]) == (False, None)


DEAD = {"response_column": "dead"}
A = {"response_column": "a"}


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            TREES,
            {"response_column": "died"},
            '{}: no column "died" for the response; its columns are dose, site, height,',
        ),
        (TREES, {}, "expected either a response column or columns of counts, and not both"),
        (TREES, {"count_columns": ["dose"]}, "one column of counts, 'dose'; expected one for each of two or more"),
        (TREES, {**DEAD, "factors": ["dead"]}, "{}: column 'dead' is the response; expected a predictor"),
        (TREES, {**DEAD, "factors": ["x"]}, '{}: no column "x" for the factors; its columns are dose, site, height'),
        (TREES, {**DEAD, "predictors": ["x"]}, '{}: no column "x" for the predictors; its columns are dose, site'),
        (TREES, {**DEAD, "reference": "ja"}, 'reference: found "ja"; expected a class of {}, column dead: no, yes'),
        (TREES, {**DEAD, "delimiter": ""}, 'delimiter: ""; expected one character'),
        (TREES.replace("1.0,", "one,"), DEAD, '{}, line 3, column dose: found "one"; expected a number, as in'),
        (TREES.replace("1.0,", ","), DEAD, '{}, line 3, column dose: found a missing value (""); expected a number'),
        (TREES.replace("1.0,", "NA,"), DEAD, '{}, line 3, column dose: found a missing value ("NA"); expected'),
        (TREES.replace(",no\n1.0", ",\n1.0"), DEAD, '{}, line 2, column dead: found a missing value (""); expected a'),
        (TREES.replace("1.0,north,", "1.0,"), DEAD, "{}, line 3: 3 values; expected 4, one for each column"),
        (TREES.replace("yes", "no"), DEAD, '{}, column dead: found only "no"; expected two or more classes'),
        (TREES, {"response_column": "dose"}, '{}, line 2, column dose: found "0.5"; expected a class (for a prop'),
        (TREES, {"count_columns": ["site", "dose"]}, '{}, line 2, column site: found "north", which is not a number'),
        (
            "a,b\n1,-1\n",
            {"count_columns": ["a", "b"]},
            '{}, line 2, column b: found "-1"; expected a number, at least 0',
        ),
        ("a,b\n1,0\n", {"count_columns": ["a", "b"]}, '{}, columns a, b: found only "a"; expected two or more classes'),
        (TREES.replace(",", ";"), DEAD, '{}, line 1: a single column "dose;site;height;dead"; is the delimiter'),
        ("a,a\n1,2\n", A, '{}, line 1: two columns are called "a"; expected different names'),
        ("a,\n1,2\n", A, "{}, line 1: column 2 has no name"),
        ("", A, "{}: empty; expected a first line with the names of the columns"),
        ("a,b\n", A, "{}: no rows after the names of the columns; expected one for each observation"),
        ('a,b\n1,"2\n', A, "{}, line 2: unexpected end of data; expected comma-separated values"),
        ("a,b\n1,1e99999\n2,3\n", A, '{}, line 2, column b: found "1e99999"; expected a number, as in the rest'),
        ("a\n1\n2\n", {**A, "intercept": False}, "X: no columns and no intercept; expected at least one"),
    ],
)
def test_a_refusal_is_one_line_with_the_place(
    tmp_path: Path, content: str, options: dict[str, Any], message: str
) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        separation_command(str(path), **options)
    assert str(refusal.value).startswith(message.format(path))
    assert "\n" not in str(refusal.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot be read: No such file or directory"):
        separation_command(str(tmp_path / "nowhere.csv"), response_column="a")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"):
        separation_command(str(tmp_path), response_column="a")
    latin = tmp_path / "latin.csv"
    latin.write_bytes("größe,y\n1,0\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.csv: byte 2 is not UTF-8"):
        separation_command(str(latin), response_column="y")
