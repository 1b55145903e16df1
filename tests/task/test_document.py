"""The JSON form that certificates hold: canonical, complete, and strict about what it takes in."""

import json
from copy import deepcopy

import pytest
from hypothesis import given

from expressivity.errors import InputError
from expressivity.strategies import tasks
from expressivity.task import Distribution, Task, Tie, Top, xor

RATIONAL = 'expected a string in lowest terms, as "3" or "1/2"'
REQUIREMENT = 'expected an object with one of "top", "tie" and "distribution"'


def test_the_form_is_canonical():
    task = Task(
        [["Q"], ["A", "é", "Q"], ["B", "Q"]],
        [[Top("T"), Top(["T", "F"])], Tie(["T", "F"]), Distribution({"T": "0.90", "F": ".1", "G": 0})],
        outputs=["E"],
        weights=["2.50", 1, "1/3"],
    )
    assert task.to_json() == {
        "outputs": ["E", "F", "G", "T"],
        "contexts": [
            {"tokens": ["Q"], "requirements": [{"top": ["T"]}, {"top": ["F", "T"]}], "weight": "5/2"},
            {"tokens": ["A", "é", "Q"], "requirements": [{"tie": ["F", "T"]}], "weight": "1"},
            {
                "tokens": ["B", "Q"],
                "requirements": [{"distribution": {"F": "1/10", "G": "0", "T": "9/10"}}],
                "weight": "1/3",
            },
        ],
    }


@given(tasks(tokens=["A", "", "\u2028"], outputs=["F", "\n", "🜁"], soft=True))
def test_what_is_written_reads_back_as_an_equal_task(task):
    document = task.to_json()
    read = Task.from_json(json.loads(json.dumps(document)))
    assert read == task
    assert read.to_json() == document


def broken(**fields):
    """A change to the second context of XOR."""
    return lambda document: document["contexts"][1].update(fields)


def of_top_level(**fields):
    return lambda document: document.update(fields)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda document: document.clear(),
            'task: found no "outputs"; expected an object with the fields "outputs", "contexts"',
        ),
        (
            of_top_level(name="xor"),
            'task: found the unknown field "name"; expected an object with the fields "outputs", "contexts"',
        ),
        (of_top_level(outputs=["T", "F"]), 'task: found "outputs" out of order; expected them sorted by code point'),
        (of_top_level(outputs=["F", "F"]), "task: found the output F twice; expected each output once"),
        (of_top_level(outputs="FT"), 'task: found "FT" as "outputs"; expected a list of one or more strings'),
        (of_top_level(outputs=["T"]), 'task: found no "F" in "outputs"; expected every output mentioned'),
        (of_top_level(contexts=[]), "task: found no contexts; expected at least one, such as A C Q -> T"),
        (of_top_level(contexts={}), 'task: found an empty object as "contexts"; expected a list'),
        (
            of_top_level(contexts=[3]),
            'task, context 0: found 3; expected an object with the fields "tokens", "requirements", "weight"',
        ),
        (broken(weight=1), f"task, context 1: found 1 as a number; {RATIONAL}"),
        (broken(weight=0.5), f"task, context 1: found 0.5 as a number; {RATIONAL}"),
        (broken(weight=10**5000), f"task, context 1: found a value of type int as a number; {RATIONAL}"),
        (broken(weight="2/4"), f'task, context 1: found "2/4" as a number; {RATIONAL}'),
        (broken(weight="1/0"), 'task, context 1: found "1/0", a division by zero; expected a number'),
        (broken(weight="0.5"), f'task, context 1: found "0.5" as a number; {RATIONAL}'),
        (broken(weight="+1"), f'task, context 1: found "+1" as a number; {RATIONAL}'),
        (broken(weight="٣"), f'task, context 1: found "٣" as a number; {RATIONAL}'),
        (broken(weight="0"), "task, context 1: found the weight 0; expected a positive number"),
        (broken(weight="-1"), "task, context 1: found the weight -1; expected a positive number"),
        (
            broken(weight="1" * 4001),
            f'task, context 1: found "{"1" * 60}…", too long in full; '
            "expected at most 4000 digits above and below the line",
        ),
        (broken(tokens=[]), 'task, context 1: found an empty list as "tokens"; expected a list of one or more strings'),
        (broken(tokens=["A", None]), 'task, context 1: found null in "tokens"; expected a list of one or more strings'),
        (
            broken(tokens=["A", "C", "Q"]),
            "task, context 1: contradicts context 0 on A C Q: context 0 asks for T above F, context 1 for F above T",
        ),
        (broken(tokens=["B", "C", "Q"]), "task: found the context B C Q 2 times; expected each context once"),
        (
            broken(requirements=[]),
            'task, context 1: found an empty list as "requirements"; expected a list of one or more',
        ),
        (broken(requirements=["T"]), f'task, context 1: found "T" as a requirement; {REQUIREMENT}'),
        (
            broken(requirements=[{"above": ["T"]}]),
            f"task, context 1: found an object with the fields above as a requirement; {REQUIREMENT}",
        ),
        (
            broken(requirements=[{"top": ["T"], "tie": ["T", "F"]}]),
            f"task, context 1: found an object with the fields top, tie as a requirement; {REQUIREMENT}",
        ),
        (
            broken(requirements=[{"top": []}]),
            'task, context 1: found an empty list as "top"; expected a list of one or more strings',
        ),
        (
            broken(requirements=[{"tie": ["T"]}]),
            "task, context 1: found a tie of one output, T; expected two or more, as in T = F",
        ),
        (
            broken(requirements=[{"distribution": {"T": "1/2"}}]),
            "task, context 1: found probabilities that sum to 1/2; expected exactly 1 (--normalise divides by the sum)",
        ),
        (broken(requirements=[{"distribution": {"T": 1}}]), f"task, context 1: found 1 as a number; {RATIONAL}"),
        (
            broken(requirements=[{"top": ["T"]}, {"top": ["F"]}]),
            "task, context 1: contradicts itself on A D Q: asks for T above F and for F above T",
        ),
        (
            broken(note=""),
            'task, context 1: found the unknown field "note"; '
            'expected an object with the fields "tokens", "requirements", "weight"',
        ),
    ],
)
def test_a_document_that_is_not_as_it_should_be_is_refused(change, complaint):
    document = deepcopy(xor().to_json())
    change(document)
    with pytest.raises(InputError) as caught:
        Task.from_json(document)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("document", [None, [], "xor", 3])
def test_what_is_no_object_is_refused(document):
    with pytest.raises(InputError, match='expected an object with the fields "outputs", "contexts"'):
        Task.from_json(document)
