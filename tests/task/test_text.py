"""The text form: every construct, and every complaint word for word."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.errors import InputError
from expressivity.strategies import tasks
from expressivity.task import Distribution, Task, Tie, Top

TARGET = "one output, T | F (both above all others), T = F (a tie) or T:0.9 F:0.1 (probabilities)"
LINE = "CONTEXT -> TARGET, such as A C Q -> T"
NUMBER = "expected a number such as 3, 0.9 or 9/10"
TOO_LONG = "too long in full; expected at most 4000 digits above and below the line"

# Tokens that a careless writer would get wrong.
TOKENS = ["A", "", " ", "a b", "->", "-", ">", "#", '"', "\\", ":", "|", "=", "@", "{", "outputs", "outputs:"]
TOKENS += ["\n", "\r", "\t", "\x00", "\x85", "\u2028", "\ufeff", "\u00a0", "é", "語", "🜁", "null", "1/2", "0"]


def read(text: str) -> Task:
    return Task.from_text(text, name="bad.task")


@pytest.mark.parametrize(
    ("target", "requirement"),
    [
        ("T", Top("T")),
        ("T | F", Top(["T", "F"])),
        ("F|T", Top(["T", "F"])),
        ("T = F", Tie(["T", "F"])),
        ("T=F=G", Tie(["F", "G", "T"])),
        ("T:0.9 F:0.1", Distribution({"T": Fraction(9, 10), "F": Fraction(1, 10)})),
        ("T:9/10 F:1/10", Distribution({"T": Fraction(9, 10), "F": Fraction(1, 10)})),
        ("T : 1e-1 F:.9", Distribution({"T": Fraction(1, 10), "F": Fraction(9, 10)})),
        ("T:1 F:0", Distribution({"T": 1, "F": 0})),
        ('"T" | "F"', Top(["T", "F"])),
        (r'"\u0054"', Top("T")),
        ('"a b":1/3 "=":2/3', Distribution({"a b": "1/3", "=": "2/3"})),
    ],
)
def test_a_target_is_a_requirement(target, requirement):
    assert Task.from_text(f"A Q -> {target}").requirements == ((requirement,),)


def test_binary_rounding_never_touches_a_decimal():
    # Binary floating point would make 0.1 + 0.2 + 0.7 differ from 1.
    task = Task.from_text("A Q -> T:0.1 F:0.2 G:0.7 @ 0.30000000000000001")
    assert dict(task.requirements[0][0].probabilities)["T"] == Fraction(1, 10)
    assert task.weights == (Fraction(30000000000000001, 10**17),)


@pytest.mark.parametrize(
    ("line", "weight"),
    [("A Q -> T @ 3", 3), ("A Q -> T@1/2", Fraction(1, 2)), ("A Q -> T | F @ 2.50", Fraction(5, 2)), ("A Q -> T", 1)],
)
def test_a_line_may_end_in_a_weight(line, weight):
    assert Task.from_text(line).weights == (weight,)


def test_contexts_have_any_length_and_the_destination_may_stand_alone():
    task = Task.from_text("Q -> T\nA Q -> T\nA A B Q->F\n")
    assert task.contexts == (("Q",), ("A", "Q"), ("A", "A", "B", "Q"))


def test_comments_blank_lines_byte_order_mark_and_carriage_returns_say_nothing():
    plain = Task.from_text("A C Q -> T\nA D Q -> F")
    dressed = "\ufeff# a task\r\n\r\n  A\tC  Q->T   # a label\r\n   # more\r\nA D Q -> F#\r\n"
    assert Task.from_text(dressed) == plain


def test_quoted_tokens_hold_anything_and_equal_their_plain_form():
    task = Task.from_text('"A" "a b" "->" "#" "\\"" "\\u000a" -> "T"  # "unclosed')
    assert task.contexts == (("A", "a b", "->", "#", '"', "\n"),)
    assert task == Task.from_text(task.to_text())


def test_declared_outputs_join_those_that_are_mentioned():
    task = Task.from_text('# first\n\noutputs: T "a b"  # and one more\nA Q -> F')
    assert task.outputs == ("F", "T", "a b")


def test_lines_with_one_context_hold_together_and_their_weights_add():
    task = Task.from_text("A Q -> T | F\nB Q -> F\nA Q -> T @ 1/2\nA Q -> T | F\n")
    assert task.contexts == (("A", "Q"), ("B", "Q"))
    assert task.requirements == ((Top(["T", "F"]), Top("T")), (Top("F"),))
    assert task.weights == (Fraction(5, 2), 1)


def test_equal_distributions_add_their_weights_and_a_point_distribution_is_a_label():
    task = Task.from_text(
        "A Q -> T:0.5 F:0.5 @ 2\nA Q -> T:1/2 F:1/2\nB Q -> T:1\nB Q -> T\nC Q -> T = F\nC Q -> T:.5 F:.5"
    )
    assert [len(asked) for asked in task.requirements] == [1, 1, 1]
    assert task.weights == (3, 2, 2)


def test_normalise_divides_by_the_sum():
    task = Task.from_text("A Q -> T:9 F:1\nA Q -> T:0.9 F:0.1", normalise=True)
    assert task.requirements == ((Distribution({"T": "0.9", "F": "0.1"}),),)


def test_equal_tokens_and_targets_are_one_object():
    task = Task.from_text("abc def Q -> T:0.5 F:0.5\ndef abc Q -> T:1/2 F:1/2\n")
    assert task.contexts[0][0] is task.contexts[1][1]
    assert task.requirements[0] is task.requirements[1]


COMPLAINTS = {
    "": "bad.task: found no contexts; expected at least one, such as A C Q -> T",
    "# nothing\noutputs: T F\n": "bad.task: found no contexts; expected at least one, such as A C Q -> T",
    "A C Q T": f'bad.task, line 1: found "A C Q T", no ->; expected {LINE}',
    '"A" Q': f"bad.task, line 1: found '\"A\" Q', no ->; expected {LINE}",
    "\n# no\n-> T": f'bad.task, line 3: found "-> T", no context before ->; expected {LINE}',
    '-> "T"': f"bad.task, line 1: found '-> \"T\"', no context before ->; expected {LINE}",
    "A C Q ->": f"bad.task, line 1: found nothing after ->; expected {TARGET}",
    "A Q -> @ 3": f"bad.task, line 1: found nothing after ->; expected {TARGET}",
    "A Q -> T F": f'bad.task, line 1: found "T F" after ->; expected {TARGET}',
    "A Q -> T |": f'bad.task, line 1: found "T |" after ->; expected {TARGET}',
    "A Q -> T | F = G": f'bad.task, line 1: found "T | F = G" after ->; expected {TARGET}',
    "A Q -> T:0.9 F": f'bad.task, line 1: found "T:0.9 F" after ->; expected {TARGET}',
    "A Q -> B -> C": f'bad.task, line 1: found "B -> C" after ->; expected {TARGET}',
    "A:b Q -> T": 'bad.task, line 1: found "A:b Q" before ->; expected tokens, '
    "in double quotes if they hold one of : | = @",
    'A "b" = -> T': "bad.task, line 1: found 'A \"b\" =' before ->; expected tokens, "
    "in double quotes if they hold one of : | = @",
    'A "Q -> T': "bad.task, line 1: found '\"Q -> T'; expected a JSON string with a closing quote",
    r'A "\x" -> T': r'bad.task, line 1: found the token "\x"; expected a JSON string, with \ escaped',
    'A "b\tc" -> T': r'bad.task, line 1: found the token "b\tc"; expected a JSON string, with \ escaped',
    r'A "\ud800" -> T': r'bad.task, line 1: found the token "\ud800"; expected whole Unicode characters',
    "A\n\ud800 -> T": "bad.task, line 2: found half a surrogate pair; expected whole characters",
    'A"B" Q -> T': "bad.task, line 1: found '\"B\"' right after a token; expected a blank between tokens",
    'A Q -> "T"F': 'bad.task, line 1: found "F" right after a token; expected a blank between tokens',
    "A Q -> T | T": "bad.task, line 1: found the output T twice; expected each output once",
    "A Q -> T = T": "bad.task, line 1: found the output T twice; expected each output once",
    "A Q -> T:0.5 T:0.5": "bad.task, line 1: found the output T twice; expected each output once",
    "A Q -> T:0.9 F:0.2": "bad.task, line 1: found probabilities that sum to 11/10; "
    "expected exactly 1 (--normalise divides by the sum)",
    "A Q -> T:-0.5 F:1.5": "bad.task, line 1: found the probability -1/2 for T; expected 0 or more",
    "A Q -> T:x F:1": f'bad.task, line 1: found "x"; {NUMBER}',
    "A Q -> T:0.9, F:0.1": f'bad.task, line 1: found "0.9,"; {NUMBER}',
    "A Q -> T @ nan": f'bad.task, line 1: found "nan"; {NUMBER}',
    "A Q -> T @ 1_000": f'bad.task, line 1: found "1_000"; {NUMBER}',
    "A Q -> T:1/0": 'bad.task, line 1: found "1/0", a division by zero; expected a number',
    "A Q -> T @ 0": "bad.task, line 1: found the weight 0; expected a positive number",
    "A Q -> T @ -1/2": "bad.task, line 1: found the weight -1/2; expected a positive number",
    "A Q -> T @": 'bad.task, line 1: found "@"; expected one weight at the end of the line, such as @ 3',
    "A Q -> T @ 1 2": 'bad.task, line 1: found "@ 1 2"; expected one weight at the end of the line, such as @ 3',
    "A Q -> T @ 1e999999999": f'bad.task, line 1: found "1e999999999", {TOO_LONG}',
    "A Q -> T:1e-999999999 F:1": f'bad.task, line 1: found "1e-999999999", {TOO_LONG}',
    "A Q -> T @ 9e3999": None,
    "A Q -> T @ 10e3999": f'bad.task, line 1: found "10e3999", {TOO_LONG}',
    "A Q -> T @ " + "9" * 4001: f'bad.task, line 1: found "{"9" * 60}…", {TOO_LONG}',
    "A Q -> T @ 1/" + "9" * 4001: f'bad.task, line 1: found "1/{"9" * 58}…", {TOO_LONG}',
    "A Q -> T @ 9e3999\nA Q -> T @ 9e3999": f"bad.task, line 2: found a sum of weights, {TOO_LONG}",
    "outputs:": 'bad.task, line 1: found "outputs:"; expected the outputs, as in outputs: T F',
    "outputs: T | F": 'bad.task, line 1: found "outputs: T | F"; expected the outputs, as in outputs: T F',
    "outputs: T T": "bad.task, line 1: found the output T twice; expected each output once",
    "A Q -> T\noutputs: T": 'bad.task, line 2: found "outputs: T"; expected the outputs before the first context',
    "A C Q -> T\n\nB Q -> F\nA C Q -> F": "bad.task, line 4: contradicts line 1 on A C Q: "
    "line 1 asks for T above F, line 4 for F above T",
    "A Q -> T\nA Q -> T | F\nA Q -> T = F": "bad.task, line 3: contradicts line 1 on A Q: "
    "line 1 asks for T above F, line 3 for T equal to F",
    "A Q -> T | F | G\nA Q -> T = F\nA Q -> T = G": "bad.task, line 3: contradicts line 2 on A Q: "
    "line 2 asks for F above G, line 3 for G above F",
    "A Q -> T:0.9 F:0.1\nA Q -> T:0.8 F:0.2": "bad.task, line 2: contradicts line 1 on A Q: "
    "line 1 asks for probability 1/10 for F, line 2 for probability 1/5 for F",
    "A Q -> T\nA Q -> T:0.9 F:0.1": "bad.task, line 2: contradicts line 1 on A Q: "
    "line 1 asks for probability 0 for F, line 2 for probability 1/10 for F",
    'A Q -> "a b" | F\nA Q -> "a b":0.9 F:0.1': "bad.task, line 2: contradicts line 1 on A Q: "
    'line 1 asks for F | "a b", line 2 for F:1/10 "a b":9/10',
}


@pytest.mark.parametrize(("text", "complaint"), COMPLAINTS.items())
def test_a_complaint_names_the_line_what_was_found_and_what_was_expected(text, complaint):
    if complaint is None:
        assert read(text).contexts
        return
    with pytest.raises(InputError) as caught:
        read(text)
    assert str(caught.value) == complaint
    assert str(caught.value).isprintable()


def test_normalise_still_wants_a_positive_sum():
    with pytest.raises(InputError) as caught:
        Task.from_text("A Q -> T:0 F:0", name="bad.task", normalise=True)
    assert str(caught.value) == "bad.task, line 1: found probabilities that sum to 0; expected more than 0"


@given(st.data(), st.lists(st.sampled_from(TOKENS), min_size=3, max_size=6, unique=True))
def test_what_is_written_reads_back_as_an_equal_task(data, words):
    task = data.draw(tasks(words, words, words, soft=True))
    assert Task.from_text(task.to_text()) == task


PIECES = ["A", "T", "F", "->", "|", "=", ":", "1", "0.5", "1/2", "@", "#", '"A b"', '"', " ", "\n", "outputs:"]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.lists(st.sampled_from(PIECES)).map(" ".join) | st.text())
def test_any_text_is_a_task_or_a_complaint_of_one_line(text):
    try:
        task = Task.from_text(text)
    except InputError as error:
        message = str(error)
        assert message.isprintable()
        return
    assert Task.from_text(task.to_text()) == task
