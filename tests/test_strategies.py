"""The published strategies make what they promise, and what they can be asked for does occur."""

import pytest
from hypothesis import Phase, find, given, settings

from expressivity.strategies import contexts, distributions, requirements, tasks
from expressivity.task import Distribution, Tie, Top

THOROUGH = settings(max_examples=2000, phases=[Phase.generate], derandomize=True, deadline=None)


@given(tasks("AB", "QR", "FGT", max_contexts=4, max_length=2))
def test_tasks_keep_within_their_bounds(task):
    assert 1 <= len(task.contexts) <= 4
    assert all(
        len(context) <= 3 and context[-1] in "QR" and set(context[:-1]) <= set("AB") for context in task.contexts
    )
    assert set(task.outputs) <= set("FGT")
    assert not task.is_soft


@given(tasks(several=False, ties=False, weighted=False))
def test_labels_alone(task):
    assert all(len(asked) == 1 and isinstance(asked[0], Top) for asked in task.requirements)
    assert all(len(asked[0].outputs) == 1 for asked in task.requirements)
    assert set(task.weights) == {1}


@given(contexts("A", "Q", min_length=2, max_length=2))
def test_contexts_of_one_length(context):
    assert context == ("A", "A", "Q")


@given(requirements("T", soft=True))
def test_one_output_leaves_only_its_label(asked):
    assert asked == (Top("T"),)


@given(distributions("FGT"))
def test_distributions_are_over_all_outputs(distribution):
    assert distribution.outputs == ("F", "G", "T")


@pytest.mark.parametrize(
    "wanted",
    [
        lambda task: any(isinstance(each, Tie) for asked in task.requirements for each in asked),
        lambda task: any(isinstance(each, Distribution) for asked in task.requirements for each in asked),
        lambda task: any(len(asked) == 2 for asked in task.requirements),
        lambda task: any(len(asked[0].outputs) == 2 and isinstance(asked[0], Top) for asked in task.requirements),
        lambda task: any(len(context) == 1 for context in task.contexts),
        lambda task: len({len(context) for context in task.contexts}) > 2,
        lambda task: len({context[-1] for context in task.contexts}) > 1,
        lambda task: len(set(task.weights)) > 1,
        lambda task: len(task.outputs) > len({y for asked in task.requirements for r in asked for y in r.outputs}),
    ],
)
def test_every_kind_occurs(wanted):
    assert wanted(find(tasks(soft=True), wanted, settings=THOROUGH))
