"""The census beyond bits: its rows and certificates, known numbers of heads, and the files it keeps."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.optimize import linprog

from expressivity.archive import verify_archive
from expressivity.attention import HeadTables
from expressivity.census import read_table, run_census
from expressivity.census.classes import classes as of_bits
from expressivity.census.labelings import Shape, classes, labels_of, task_of
from expressivity.census.labelled_shard import documents, labelled_shard
from expressivity.census.shard import shard
from expressivity.census.store import ARCHIVE
from expressivity.cli import main
from expressivity.verify import verify


@pytest.mark.parametrize(("embedding", "group"), [("joint", "npn"), ("additive", "global")])
@pytest.mark.parametrize("n", [2, 3])
def test_bits_agree(n: int, embedding: str, group: str) -> None:
    """The general way has the orders and heads of the quick way, class by class in numbers of functions."""
    every = of_bits(n, group)  # type: ignore[arg-type]
    quick = shard(every.words, n, embedding)  # type: ignore[arg-type]
    listed = classes(Shape(n, 2, 2), embedding)
    general = labelled_shard(listed.labels, Shape(n, 2, 2), embedding)
    names = ("order", "heads_lower", "heads_upper")
    counts = [
        Counter(zip(sizes.tolist(), *(columns[name] for name in names), strict=True))
        for columns, sizes in ((quick, every.sizes), (general, listed.sizes))
    ]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("embedding", ["joint", "additive"])
def test_every_certificate_is_proved_and_of_the_function(embedding: str) -> None:
    shape = Shape(2, 3, 2)
    columns = labelled_shard(classes(shape, embedding).labels, shape, embedding)
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(columns, values, strict=True))
        task = task_of(labels_of([row["function"]])[0], shape)
        order, found = row["order"], dict(documents(row))
        refuted = {f"order-{order - 1}", "heads-below"} if order > 2 else set()
        assert found.keys() == {f"order-{order}", "heads-above"} | refuted
        for name, document in found.items():
            statement = verify(document)
            assert statement.answer == ("inexpressible" if name in refuted else "expressible")
            stated = {tuple(c["tokens"]): c for c in document["task"]["contexts"]}
            own = {tuple(c["tokens"]): c for c in task.to_json()["contexts"]}
            assert stated == own if name not in refuted else stated.items() <= own.items()
        assert row["heads_lower"] == order - 2
        assert row["heads_lower"] == row["heads_upper"]
        tables = HeadTables.from_proof(found["heads-above"]["proof"], embedding)  # type: ignore[arg-type]
        assert len(tables.heads) == row["heads_upper"]


def test_one_head_of_token_vectors_is_weaker_than_skip_trigrams() -> None:
    """T2: 27 contexts of weights (0,1,2), (2,0,1), (1,2,0) and threshold 2.5 have order 3, and no additive head."""
    weights = ((0, 1, 2), (2, 0, 1), (1, 2, 0))
    sums = [sum(row[token] for row, token in zip(weights, x, strict=True)) for x in product(range(3), repeat=3)]
    row = np.array([[total > 2.5 for total in sums]], dtype=np.uint8)
    additive = labelled_shard(row, Shape(3, 3, 2), "additive", restarts=16)
    joint = labelled_shard(row, Shape(3, 3, 2), "joint", restarts=16)
    assert additive["order"] == joint["order"] == [3]
    assert (additive["heads_lower"], additive["heads_upper"]) == ([1], [2])
    assert (joint["heads_lower"], joint["heads_upper"]) == ([1], [1])


def test_one_head_and_skip_trigrams_for_three_tokens_and_two_sources() -> None:
    """T2 in both embeddings: every class of order 3 has one head."""
    for embedding in ("joint", "additive"):
        found = run_census(2, tokens=3, embedding=embedding)
        assert found.count("heads_lower", "heads_upper", weighted=True) == {(0, 0): 2, (1, 1): 228, (2, 2): 282}


def test_two_heads_for_three_outputs_where_skip_trigrams_do() -> None:
    """The open class of the docs: u − ρw never has a determinant 0, at any corner of what decides the function."""
    text = "001121200"
    comparisons = []
    for (i, j), label in zip(product(range(3), repeat=2), map(int, text), strict=True):
        for other in {0, 1, 2} - {label}:
            row = np.zeros((2, 3, 3))
            row[0, i, label] = row[1, j, label] = 1
            row[0, i, other] = row[1, j, other] = -1
            comparisons.append(row.ravel())
    random = np.random.default_rng(0)
    for _ in range(60):
        aim = random.normal(size=18)
        found = linprog(aim, A_ub=-np.array(comparisons), b_ub=-np.ones(18) / 100, bounds=[(-1, 1)] * 18)
        assert found.status == 0
        u, w = (side[:, 1:] - side[:, :1] for side in found.x.reshape(2, 3, 3))
        p, q = u[:2] - u[2], w[:2] - w[2]
        at = [np.linalg.det(p - rho * q) for rho in (-1, 0, 1)]  # c₀ + c₁ρ + c₂ρ²
        assert min(at[1], (at[2] - at[0]) / 2, (at[2] + at[0]) / 2 - at[1]) > 1e-6
    columns = labelled_shard(labels_of([text]), Shape(2, 3, 3), "additive", restarts=16)
    assert (columns["order"], columns["heads_lower"], columns["heads_upper"]) == ([3], [1], [2])


def test_orders_only_and_no_search() -> None:
    labels = classes(Shape(2, 2, 3)).labels
    without = labelled_shard(labels, Shape(2, 2, 3), heads=False)
    assert without["order"] == labelled_shard(labels, Shape(2, 2, 3), restarts=0)["order"]
    assert set(without["heads_upper"]) == {0, None}
    assert without["restarts"] == [0] * len(labels)


def test_kept_taken_up_and_proved(tmp_path: Path) -> None:
    """A part that is missing is made again, the same; and the archive is proved."""
    folder = tmp_path / "census"
    found = run_census(2, tokens=3, folder=folder, size=4, certificates=None)
    assert found.certificates == len([s for s in verify_archive(str(folder / ARCHIVE)) if not isinstance(s, Exception)])
    plan, table = read_table(folder)
    assert (plan.tokens, plan.outputs, table.num_rows) == (3, 2, 13)
    part = folder / "parts" / "00000004.parquet"
    before = part.read_bytes()
    part.unlink()
    told: list[int] = []
    again = run_census(2, tokens=3, folder=folder, size=4, progress=lambda done, total: told.append(done))
    assert told == [9, 13]
    assert part.read_bytes() == before
    assert again.table == found.table
    alone = run_census(2, tokens=3, size=4, jobs=2)
    assert alone.table == {name: found.table[name] for name in alone.table}


def test_more_restarts_go_on_where_bounds_do_not_meet(tmp_path: Path) -> None:
    none = run_census(2, tokens=3, embedding="additive", folder=tmp_path, restarts=0)
    assert none.closed < 37
    assert run_census(2, tokens=3, embedding="additive", folder=tmp_path, restarts=100).closed == 37


def test_what_is_printed(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["census", "2", "--tokens", "3", "--jobs", "1"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "census of 2 positions · 3 tokens · 2 outputs · embedding joint · 13 classes of functions"
    assert lines[-1].strip() == "the bounds on heads meet for 13 of 13 (100.0000%)"
    asked = ["census", "1", "--tokens", "3", "--outputs", "3", "--restarts", "0", "--embedding", "additive", "--json"]
    found = json.loads(CliRunner().invoke(main, asked).stdout)
    assert (found["tokens"], found["outputs"], found["rows"]) == (3, 3, 3)
    asked = ["census", "2", "--tokens", "3", "--embedding", "additive", "--restarts", "0", "--jobs", "1"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 3
    assert "open: labels:3:2:" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2", "--tokens", "1"], "tokens is 1; expected 2 to 10"),
        (["2", "--outputs", "1"], "outputs is 1; expected 2 to 10"),
        (["2", "--tokens", "11", "--sample", "1"], "tokens is 11; expected 2 to 10"),
        (["0", "--tokens", "3"], "found 0 inputs; expected at least 1"),
        (["-1", "--tokens", "3"], "found -1 inputs; expected at least 1"),
        (["5", "--tokens", "3", "--sample", "2"], "found 5 inputs of 3 tokens; expected at most 128 contexts"),
        (["3", "--tokens", "3"], "make 55,809 classes (joint); up to 20,000 are listed: ask for a sample"),
        (["4", "--tokens", "3"], "ask for a sample"),
        (["2", "--tokens", "3", "--sample", "0"], "sample is 0; expected at least 1"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--", arguments[0]] if arguments[0].startswith("-") else [arguments[0]]
    result = CliRunner().invoke(main, ["census", *arguments[1:], *options])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
