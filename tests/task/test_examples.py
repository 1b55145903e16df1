"""The examples are what their comments and their README say."""

import json
import math
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from expressivity.task import Distribution, Task, Tie, Top, xor

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(path for path in EXAMPLES.iterdir() if path.suffix != ".md")


def example(name: str) -> Task:
    return Task.from_file(EXAMPLES / name)


def decided(task: Task, order: int, positions: str) -> bool:
    """Whether a skip-n-gram ensemble decides a task: the definition as a float LP, good enough for so few contexts."""

    def features(context):
        x, q = context.sources, context.destination
        for size in range(min(order - 1, len(x) + 1)):
            if positions == "absolute":
                yield from (
                    ((len(x), q, *((i, x[i]) for i in chosen)), 1) for chosen in combinations(range(len(x)), size)
                )
            elif positions == "anywhere":
                yield from (((q, *chosen), 1) for chosen in combinations(sorted(set(x)), size))
            else:
                powers = combinations_with_replacement(sorted(set(x)), size)
                yield from (((q, *chosen), math.prod(x.count(token) for token in chosen)) for chosen in powers)

    columns: dict = {}
    rows: dict = {True: [], False: []}
    for each in task.comparisons():
        row = {}
        for feature, value in features(task.contexts[each.context]):
            for output, sign in ((each.above, 1), (each.below, -1)):
                row[columns.setdefault((feature, output), len(columns))] = sign * value
        rows[each.equal].append(row)
    matrices = {}
    for equal, sparse in rows.items():
        matrices[equal] = np.zeros((len(sparse), len(columns)))
        for i, row in enumerate(sparse):
            matrices[equal][i, list(row)] = list(row.values())
    found = linprog(
        np.zeros(len(columns)),
        A_ub=-matrices[False],
        b_ub=-np.ones(len(matrices[False])),
        A_eq=matrices[True],
        b_eq=np.zeros(len(matrices[True])),
        bounds=(None, None),
    )
    return found.status == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_example_reads_and_reads_back(path):
    task = Task.from_file(path)
    assert task.name == path.stem
    assert Task.from_text(task.to_text()) == task


def test_the_readme_lists_every_example():
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"]({path.name})" in listed for path in FILES)


@pytest.mark.parametrize(
    ("name", "least"),
    [("xor.task", 4), ("tie.task", 3), ("agreement.task", 3), ("majority.task", 3), ("colon.task", 3)],
)
def test_the_readme_gives_the_least_order(name, least):
    task = example(name)
    assert [order for order in (2, 3, 4) if decided(task, order, "absolute")] == list(range(least, 5))
    assert f"({name}) |" in (row := readme_row(name))
    assert row.split("|")[-2].split(",")[0].strip() == str(least)


def readme_row(name: str) -> str:
    (row,) = [line for line in (EXAMPLES / "README.md").read_text(encoding="utf-8").splitlines() if f"({name})" in line]
    return row


def test_majority_is_a_matter_of_counts_and_places_and_not_of_presence():
    task = example("majority.task")
    assert decided(task, 3, "count")
    # Seven orders: more sources than the longest context has.
    assert not any(decided(task, order, "anywhere") for order in range(2, 9))


def test_without_its_ties_bigrams_decide_the_tie_example():
    task = example("tie.task")
    labelled = [i for i, asked in enumerate(task.requirements) if isinstance(asked[0], Top)]
    assert len(labelled) == 3
    assert decided(task.restrict(labelled), 2, "absolute")
    assert all(isinstance(asked[0], Tie) for i, asked in enumerate(task.requirements) if i not in labelled)


def test_xor_is_the_family_member():
    assert example("xor.task") == xor()


def test_noisy_xor_is_xor_with_errors():
    task = example("noisy_xor.task")
    assert task.contexts == xor().contexts
    assert set(task.weights) == {2}
    for (noisy,), (clean,) in zip(task.requirements, xor().requirements, strict=True):
        assert dict(noisy.probabilities)[clean.outputs[0]] == Fraction(9, 10)
    # The entropy that the comment states.
    assert f"{-0.9 * math.log(0.9) - 0.1 * math.log(0.1):.3f}" == "0.325"


def test_the_second_line_of_agreement_asks_for_more():
    task = example("agreement.task")
    assert task.requirements[0] == (Top(["sits", "sleeps"]), Top("sits"))
    assert task.weights[0] == 2
    assert "barks" in task.outputs


def test_json_lines_are_what_any_reader_takes():
    lines = [json.loads(line) for line in (EXAMPLES / "keep.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [set(line) - {"context", "target", "weight"} for line in lines] == [{"outputs"}, *[set()] * (len(lines) - 1)]
    task = example("keep.jsonl")
    assert task.requirements[2] == (Distribution({"mind": "1/3", "touch": "2/3"}),)
    assert task.weights == (3, 2, 2, 1, Fraction(1, 2))
