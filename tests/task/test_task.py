"""Tasks made in Python: contexts, comparisons, fibres, equality, and every complaint word for word."""

import copy
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given

from expressivity.errors import InputError
from expressivity.strategies import tasks
from expressivity.task import Comparison, Context, Distribution, Task, Tie, Top, parity
from expressivity.verify.claim import Claim

XOR = ["ACQT", "ADQF", "BCQF", "BDQT"]


def test_a_context_is_its_tokens():
    context = Context(["A", "b c", "Q"])
    assert context == ("A", "b c", "Q")
    assert (context.sources, context.destination, context.length) == (("A", "b c"), "Q", 2)
    assert str(context) == 'A "b c" Q'
    assert (Context("Q").sources, Context("Q").length) == ((), 0)


def test_strings_spell_contexts_and_labels():
    task = Task.from_strings(XOR, name="xor")
    assert task.contexts == (("A", "C", "Q"), ("A", "D", "Q"), ("B", "C", "Q"), ("B", "D", "Q"))
    assert task.requirements == ((Top("T"),), (Top("F"),), (Top("F"),), (Top("T"),))
    assert (task.weights, task.outputs, task.name) == ((1, 1, 1, 1), ("F", "T"), "xor")


def test_requirements_may_be_labels_requirements_or_several():
    task = Task([["A"], ["B"], ["C"]], ["T", Tie(["T", "F"]), [Top("T"), Top(["T", "F"])]])
    assert task.requirements == ((Top("T"),), (Tie(["F", "T"]),), (Top("T"), Top(["F", "T"])))


def test_repeated_contexts_are_merged():
    task = Task([["A"], ["B"], ["A"]], ["T", "F", Top(["T", "F"])], weights=["0.1", 1, Fraction(1, 5)])
    assert task.contexts == (("A",), ("B",))
    assert task.requirements == ((Top("T"), Top(["F", "T"])), (Top("F"),))
    assert task.weights == (Fraction(3, 10), 1)


def test_one_output_leaves_nothing_to_compare():
    assert Task([["A"]], ["T"]).comparisons() == []


def test_comparisons_of_a_label_are_one_for_each_other_output():
    assert Task([["A"]], ["T"], outputs=["F", "G"]).comparisons() == [
        Comparison(0, "T", "F", False),
        Comparison(0, "T", "G", False),
    ]


def test_comparisons_of_a_tie_chain_its_outputs():
    assert Task([["B"], ["A"]], ["T", Tie(["T", "F", "G"])], outputs=["E"]).comparisons()[3:] == [
        Comparison(1, "F", "G", True),
        Comparison(1, "G", "T", True),
        Comparison(1, "F", "E", False),
    ]


def test_comparisons_of_several_requirements_come_once():
    # T above F and G; T and F above G.
    task = Task([["A"]], [[Top("T"), Top(["T", "F"])]], outputs=["G"])
    assert task.pairs(0) == [("T", "F", False), ("T", "G", False), ("F", "G", False)]
    assert len(task.comparisons()) == 3


def test_a_distribution_makes_a_task_soft_and_asks_for_no_comparison():
    task = Task([["A"], ["B"]], ["T", Distribution({"T": "0.9", "F": "0.1"})])
    assert task.is_soft
    assert [comparison.context for comparison in task.comparisons()] == [0]
    assert not Task.from_strings(XOR).is_soft


@given(tasks())
def test_comparisons_ask_what_the_trusted_base_derives_from_the_same_task(task):
    """Another program, which shares no code with this one, reads the requirements off the JSON form."""
    claim = Claim({"class": "skip_grams", "order": 2, "positions": "absolute"}, task.to_json())
    outputs = tuple(claim.outputs)
    assert outputs == task.outputs
    assert [tokens for tokens, _ in claim.contexts] == list(task.contexts)
    # Three outputs: the values 0 to 2 make every weak order.
    for values in product(range(3), repeat=len(outputs)):
        logits = dict(zip(outputs, values, strict=True))
        for index, (_, asked) in enumerate(claim.contexts):
            ours = all(logits[y] == logits[z] if equal else logits[y] > logits[z] for y, z, equal in task.pairs(index))
            theirs = all(
                {"above": logits[y] > logits[z], "equal": logits[y] == logits[z], "": True}[asked.relation(y, z)]
                for y, z in product(outputs, repeat=2)
            )
            assert ours == theirs


@given(tasks())
def test_comparisons_are_the_pairs_of_every_context_in_order(task):
    assert task.comparisons() == [
        Comparison(index, *pair) for index in range(len(task.contexts)) for pair in task.pairs(index)
    ]


@given(tasks())
def test_fibres_part_the_contexts(task):
    fibres = task.fibres()
    assert sorted(index for indices in fibres.values() for index in indices) == list(range(len(task.contexts)))
    for (length, destination), indices in fibres.items():
        assert {(task.contexts[i].length, task.contexts[i].destination) for i in indices} == {(length, destination)}


def test_a_task_is_its_content_and_not_its_name():
    task = Task.from_strings(XOR, name="xor")
    assert task == Task.from_strings(XOR)
    assert hash(task) == hash(task.renamed("other"))
    assert task.renamed("other").name == "other"
    assert task != Task.from_strings(XOR[::-1])
    assert task != Task(task.contexts, task.requirements, outputs=["G"])
    assert task != Task(task.contexts, task.requirements, weights=[1, 1, 1, 2])
    assert copy.deepcopy(task) == task  # by the protocol with which joblib sends it elsewhere
    with pytest.raises(AttributeError):
        task.outputs = ()


def test_restricting_keeps_order_and_outputs():
    task = Task.from_strings([*XOR, "CCQG"])
    part = task.restrict([3, 0])
    assert part.contexts == (task.contexts[3], task.contexts[0])
    assert part.requirements == ((Top("T"),), (Top("T"),))
    assert part.outputs == ("F", "G", "T")


def test_the_representation_is_short_for_large_tasks():
    assert repr(parity(10)) == "Task(name='parity:10', contexts=1024, outputs=('0', '1'))"


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Task([], []), "task: found no contexts; expected at least one, such as A C Q -> T"),
        (lambda: Task([["A"]], ["T", "F"]), "task: found 2 requirements; expected 1, one for each context"),
        (lambda: Task([["A"]], ["T"], weights=[]), "task: found 0 weights; expected 1, one for each context"),
        (
            lambda: Task(["ACQ"], ["T"]),
            'task, context 0: found the string "ACQ" as a context; expected a sequence of tokens',
        ),
        (lambda: Task([[]], ["T"]), "task, context 0: found a context of no tokens; expected a destination at least"),
        (lambda: Task([["A"], ["B", 3]], "TF"), "task, context 1: found 3 as a token; expected a string"),
        (
            lambda: Task([["A", "\udc80"]], ["T"]),
            r'task, context 0: found the token "\udc80"; expected whole Unicode characters',
        ),
        (lambda: Task([["A"]], [[]]), "task, context 0: found no requirements; expected at least one"),
        (
            lambda: Task([["A"]], [["T"]]),
            'task, context 0: found "T" as a requirement; expected Top, Tie or Distribution',
        ),
        (
            lambda: Task([["A"]], ["T"], weights=[0.5]),
            'task, context 0: found the float 0.5; expected an exact number such as 3 or "0.9"',
        ),
        (
            lambda: Task([["A"]], ["T"], weights=[True]),
            'task, context 0: found true; expected an exact number such as 3 or "0.9"',
        ),
        (
            lambda: Task([["A"]], ["T"], weights=[10**4000]),
            "task, context 0: found a number, too long in full; expected at most 4000 digits above and below the line",
        ),
        (
            lambda: Task([["A"]], ["T"], weights=["-1"]),
            "task, context 0: found the weight -1; expected a positive number",
        ),
        (
            lambda: Task([["A"]], ["T"], outputs="yes"),
            'found the string "yes" as outputs; expected a sequence of tokens',
        ),
        (
            lambda: Task([["A"], ["B"], ["A"]], "TTF", name="mine"),
            "mine, context 2: contradicts context 0 on A: context 0 asks for T above F, context 2 for F above T",
        ),
        (
            lambda: Task([["A"]], [[Top("T"), Tie(["T", "F"])]]),
            "task, context 0: contradicts itself on A: asks for T above F and for T equal to F",
        ),
        (
            lambda: Task.from_strings(["ACQT", "T"]),
            'task, string 1: found "T"; expected a context and then its label, such as ACQT',
        ),
        (
            lambda: Task.from_strings(XOR).restrict([]),
            "task: found 0 indices, 0 of them distinct; expected one or more, each once",
        ),
        (
            lambda: Task.from_strings(XOR).restrict([1, 1]),
            "task: found 2 indices, 1 of them distinct; expected one or more, each once",
        ),
        (lambda: Task.from_strings(XOR).restrict([-1]), "task: found the index -1; expected 0 to 3"),
    ],
)
def test_a_complaint_names_the_context_what_was_found_and_what_was_expected(build, complaint):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value) == complaint
