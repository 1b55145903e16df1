"""The JSON Lines form: every construct, and every complaint word for word."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.errors import InputError
from expressivity.strategies import tasks
from expressivity.task import Distribution, Task, Tie, Top

FIELDS = '"context" and "target", and perhaps "weight"'
TARGET = '"T", ["T", "F"] (both above all others), {"tie": ["T", "F"]} or {"T": 0.9, "F": 0.1}'
STRINGS = "expected a list of one or more strings"


@pytest.mark.parametrize(
    ("target", "requirement"),
    [
        ('"T"', Top("T")),
        ('["T"]', Top("T")),
        ('["T", "F"]', Top(["T", "F"])),
        ('{"tie": ["T", "F"]}', Tie(["T", "F"])),
        ('{"T": 0.9, "F": 0.1}', Distribution({"T": "9/10", "F": "1/10"})),
        ('{"T": "9/10", "F": 1e-1}', Distribution({"T": "9/10", "F": "1/10"})),
        ('{"T": 1, "F": 0}', Distribution({"T": 1, "F": 0})),
        # An output may be called "tie": a list makes the tie.
        ('{"tie": 0.9, "F": 0.1}', Distribution({"tie": "9/10", "F": "1/10"})),
    ],
)
def test_a_target_is_a_requirement(target, requirement):
    assert Task.from_text(f'{{"context": ["A", "Q"], "target": {target}}}').requirements == ((requirement,),)


@pytest.mark.parametrize(("weight", "value"), [("3", 3), ("0.1", Fraction(1, 10)), ('"1/3"', Fraction(1, 3))])
def test_weights_are_exact(weight, value):
    assert Task.from_text(f'{{"context": ["Q"], "weight": {weight}, "target": "T"}}').weights == (value,)


def test_both_forms_describe_the_same_task():
    text = Task.from_text('outputs: T G\nA "a b" Q -> T\nQ -> T = F @ 2\nA "a b" Q -> T | F\nB Q -> T:1/3 F:2/3')
    lines = Task.from_text(
        """\ufeff
# comments and blank lines say nothing

{"outputs": ["T", "G"]}
{"context": ["A", "a b", "Q"], "target": "T"}\r
{"context": ["Q"], "target": {"tie": ["T", "F"]}, "weight": 2}
{"target": ["T", "F"], "context": ["A", "a b", "Q"]}
{"context": ["B", "Q"], "target": {"T": "1/3", "F": "2/3"}}
"""
    )
    assert lines == text


def test_equal_tokens_and_targets_are_one_object():
    task = Task.from_text('{"context": ["abc", "Q"], "target": "T"}\n{"context": ["Q", "abc"], "target": ["T"]}')
    assert task.contexts[0][0] is task.contexts[1][1]
    assert task.requirements[0] is task.requirements[1]


def test_normalise_divides_by_the_sum():
    task = Task.from_text('{"context": ["A"], "target": {"T": 9, "F": 1}}', normalise=True)
    assert task.requirements == ((Distribution({"T": "0.9", "F": "0.1"}),),)


COMPLAINTS = {
    '{"target": "T"}': f'found no "context"; expected the fields {FIELDS}',
    '{"context": ["A"]}': f'found no "target"; expected the fields {FIELDS}',
    '{"context": ["A"], "target": "T", "label": 1}': f'found the unknown field "label"; expected {FIELDS}',
    '{"context": ["A"], "context": ["B"], "target": "T"}': 'found the field "context" twice; expected each field once',
    '{"context": ["A"], "target": {"T": 0.5, "T": 0.5}}': 'found the field "T" twice; expected each field once',
    '{"context": "A Q", "target": "T"}': f'found "A Q" as "context"; {STRINGS}',
    '{"context": [], "target": "T"}': f'found an empty list as "context"; {STRINGS}',
    '{"context": ["A", 3], "target": "T"}': f'found 3 in "context"; {STRINGS}',
    '{"context": ["A", ["B"]], "target": "T"}': f'found a list of 1 in "context"; {STRINGS}',
    r'{"context": ["\ud800"], "target": "T"}': r'found the token "\ud800"; expected whole Unicode characters',
    r'{"context": ["A"], "target": "\ud800"}': r'found the token "\ud800"; expected whole Unicode characters',
    '{"context": ["A"], "target": []}': f'found an empty list as "target"; {STRINGS}',
    '{"context": ["A"], "target": [null]}': f'found null in "target"; {STRINGS}',
    '{"context": ["A"], "target": ["T", "T"]}': "found the output T twice; expected each output once",
    '{"context": ["A"], "target": {}}': "found no outputs; expected at least one",
    '{"context": ["A"], "target": 3}': f'found 3 as "target"; expected {TARGET}',
    '{"context": ["A"], "target": {"T": true}}': f'found an object with the fields T as "target"; expected {TARGET}',
    '{"context": ["A"], "target": {"tie": ["T", "F"], "F": 1}}': "found an object with the fields tie, F as "
    f'"target"; expected {TARGET}',
    '{"context": ["A"], "target": {"tie": ["T"]}}': "found a tie of one output, T; expected two or more, as in T = F",
    '{"context": ["A"], "target": {"T": 0.9}}': "found probabilities that sum to 9/10; "
    "expected exactly 1 (--normalise divides by the sum)",
    '{"context": ["A"], "target": {"T": -1, "F": 2}}': "found the probability -1 for T; expected 0 or more",
    '{"context": ["A"], "target": {"T": NaN}}': "found NaN; expected a number such as 3, 0.9 or 9/10",
    '{"context": ["A"], "target": {"T": "nan"}}': 'found "nan"; expected a number such as 3, 0.9 or 9/10',
    '{"context": ["A"], "target": "T", "weight": -Infinity}': "found -Infinity; "
    "expected a number such as 3, 0.9 or 9/10",
    '{"context": ["A"], "target": "T", "weight": 0.0}': "found the weight 0; expected a positive number",
    '{"context": ["A"], "target": "T", "weight": true}': 'found true; expected an exact number such as 3 or "0.9"',
    '{"context": ["A"], "target": "T", "weight": null}': 'found null; expected an exact number such as 3 or "0.9"',
    '{"context": ["A"], "target": "T", "weight": 1e999999999}': 'found "1e999999999", too long in full; '
    "expected at most 4000 digits above and below the line",
    '{"context": ["A"], "target": "T", "weight": ' + "9" * 5000 + "}": f'found "{"9" * 60}…", too long in full; '
    "expected at most 4000 digits above and below the line",
    '{"context": ["A"]': "found '{\"context\": [\"A\"]', no JSON (Expecting ',' delimiter at 17); "
    "expected one object per line",
    '{"context": ["A"], "target": "T"} 5': 'found \'{"context": ["A"], "target": "T"} 5\', no JSON '
    "(Extra data at 34); expected one object per line",
    '{"outputs": []}': f'found an empty list as "outputs"; {STRINGS}',
    '{"outputs": ["T", "T"]}': "found the output T twice; expected each output once",
    '{"x": ' + "[" * 100_000: "found '"
    + ('{"x": ' + "[" * 100)[:60]
    + "…', nested too deep; expected one object per line",
}


@pytest.mark.parametrize(("line", "complaint"), COMPLAINTS.items(), ids=range(len(COMPLAINTS)))
def test_a_complaint_names_the_line_what_was_found_and_what_was_expected(line, complaint):
    with pytest.raises(InputError) as caught:
        Task.from_text(line, name="bad.jsonl")
    assert str(caught.value) == f"bad.jsonl, line 1: {complaint}"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[1, 2]", f'found "[1, 2]"; expected an object with the fields {FIELDS}'),
        ("A Q -> T", 'found "A Q -> T", no JSON (Expecting value at 0); expected one object per line'),
        ('{"outputs": ["T"]}', 'found \'{"outputs": ["T"]}\'; expected the outputs before the first context'),
        (
            '{"context": ["A"], "target": "F"}',
            "contradicts line 1 on A: line 1 asks for T above F, line 3 for F above T",
        ),
    ],
)
def test_a_complaint_about_a_later_line(line, complaint):
    with pytest.raises(InputError) as caught:
        Task.from_text(f'{{"context": ["A"], "target": "T"}}\n\n{line}', name="bad.jsonl")
    assert str(caught.value) == f"bad.jsonl, line 3: {complaint}"


def written(task: Task) -> str:
    """A task in JSON Lines, by way of the standard library alone."""
    lines = [{"outputs": list(task.outputs)}]
    for context, asked, weight in zip(task.contexts, task.requirements, task.weights, strict=True):
        for each in asked:
            target = list(each.outputs)
            if isinstance(each, Tie):
                target = {"tie": target}
            if isinstance(each, Distribution):
                target = {y: str(p) for y, p in each.probabilities}
            lines.append({"context": context, "target": target, "weight": str(weight / len(asked))})
    return "\n".join(map(json.dumps, lines))


@given(tasks(tokens=["A", "é\u2028", ""], outputs=["tie", "\n", "🜁"], soft=True))
def test_any_task_reads_back(task):
    assert Task.from_text(written(task)) == task


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["tie", "T"]), inner),
    max_leaves=6,
)


@given(st.fixed_dictionaries({"context": JSON | st.just(["A"]), "target": JSON}, optional={"weight": JSON, "x": JSON}))
def test_any_object_is_a_task_or_a_complaint_of_one_line(fields):
    try:
        task = Task.from_text(json.dumps(fields))
    except InputError as error:
        message = str(error)
        assert message.isprintable()
        return
    assert Task.from_text(task.to_text()) == task
