"""Named tasks against their definitions, and the complaints about names that mean nothing."""

from itertools import combinations, product

import pytest

from expressivity.errors import InputError
from expressivity.task import FAMILIES, Task, Tie, Top, bits, differ, labels, ov_coherent, ov_incoherent, parity, xor

SIGNALS = {"1", "2", "3", "4"}
FAMILY_NAMES = "the families are xor, parity, bits, labels, differ, ov-incoherent, ov-coherent"


def label(task, index):
    ((requirement,),) = [task.requirements[index]]
    (output,) = requirement.outputs
    return output


def test_every_family_builds_its_example():
    for family in FAMILIES.values():
        task = Task.load(family.example)
        assert task.name == family.example
        assert family.example.partition(":")[0] == family.name
        assert family.syntax.partition(":")[0] == family.name
        assert family.description.endswith(".")


def test_xor_is_the_four_strings():
    assert xor() == Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])


@pytest.mark.parametrize("k", range(1, 7))
def test_parity_counts_ones(k):
    task = parity(k)
    assert task.contexts == tuple((*x, "=") for x in product("01", repeat=k))
    for index, context in enumerate(task.contexts):
        assert label(task, index) == str(context.count("1") % 2)


@pytest.mark.parametrize(("k", "d"), [(1, 1), (2, 1), (3, 2), (3, 3), (4, 2)])
def test_differ_counts_places(k, d):
    task = differ(k, d)
    assert task.contexts == tuple((*x, "=") for x in product("01", repeat=2 * k))
    assert task.name == f"differ:{k}:{d}"
    for index, context in enumerate(task.contexts):
        places = [i for i in range(k) if context[i] != context[k + i]]
        assert label(task, index) == str(int(len(places) >= d))


def test_a_truth_table_has_its_first_source_most_significant():
    # x and not y, at 00, 01, 10, 11.
    task = bits("0010")
    assert {context: label(task, i) for i, context in enumerate(task.contexts)} == {
        ("0", "0", "="): "0",
        ("0", "1", "="): "0",
        ("1", "0", "="): "1",
        ("1", "1", "="): "0",
    }
    assert task.name == "bits:0010"


def test_labels_have_their_first_source_most_significant():
    # The sum of two sources modulo 3.
    task = labels(3, 3, "012120201")
    assert [label(task, i) for i in range(9)] == [str((int(a) + int(b)) % 3) for a, b, _ in task.contexts]
    assert task.name == "labels:3:3:012120201"
    assert labels(2, 4, "01").outputs == ("0", "1", "2", "3")
    assert labels(2, 2, "0110") == bits("0110")


def test_a_constant_still_has_two_outputs():
    assert bits("1").contexts == (("=",),)
    assert bits("1111").outputs == ("0", "1")
    assert len(bits("1111").comparisons()) == 4


def test_a_truth_table_may_be_longer_than_a_file_name():
    task = Task.load("bits:" + "0110" * 256)
    assert len(task.contexts) == 1024
    assert len(task.name) < 80


def test_incoherent_trigrams_are_the_published_three():
    # Tokens as published: 0 the source, 1 to 3 destinations, 4 to 6 completions, 7 where the source is absent.
    task = ov_incoherent(3)
    tie = Tie(["4", "5", "6"])
    assert dict(zip(task.contexts, task.requirements, strict=True)) == {
        ("0", "1"): (Top("4"),),
        ("0", "2"): (Top("5"),),
        ("0", "3"): (Top("6"),),
        ("7", "1"): (tie,),
        ("7", "2"): (tie,),
        ("7", "3"): (tie,),
    }
    assert task.outputs == ("4", "5", "6")


@pytest.mark.parametrize(("length", "count"), [(2, 16), (3, 3 * 16 * 7), (4, 6 * 16 * 49)])
def test_coherent_contexts_hold_two_signals(length, count):
    task = ov_coherent(length)
    assert len(task.contexts) == count
    assert task.outputs == ("11", "12", "13", "14", "22", "23", "24", "33", "34", "44")
    for index, context in enumerate(task.contexts):
        signals = sorted(token for token in context.sources if token in SIGNALS)
        assert context.destination == "0"
        assert label(task, index) == "".join(signals)
        assert all(5 <= int(token) <= 11 for token in context.sources if token not in signals)
    places = {tuple(i for i, token in enumerate(context) if token in SIGNALS) for context in task.contexts}
    assert places == set(combinations(range(length), 2))


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("parity", "parity: found nothing as K; expected a whole number (parity:K, for example parity:4)"),
        ("parity:x", 'parity:x: found "x" as K; expected a whole number (parity:K, for example parity:4)'),
        ("parity:-1", 'parity:-1: found "-1" as K; expected a whole number (parity:K, for example parity:4)'),
        ("parity:0", "parity:0: found K = 0; expected 1 to 20 (parity:K, for example parity:4)"),
        ("parity:21", "parity:21: found K = 21; expected 1 to 20 (parity:K, for example parity:4)"),
        ("xor:3", 'xor:3: found "3" after the colon; expected nothing (xor)'),
        (
            "bits:011",
            "bits:011: found 3 values; expected 2^n of them, n from 0 to 20 (bits:TABLE, for example bits:0110)",
        ),
        ("bits:", "bits:: found 0 values; expected 2^n of them, n from 0 to 20 (bits:TABLE, for example bits:0110)"),
        (
            "bits:01x0",
            'bits:01x0: found "x" at index 2; expected only 0 and 1 (bits:TABLE, for example bits:0110)',
        ),
        (
            "labels:3:2:0120",
            'labels:3:2:0120: found "2" at index 2; expected labels 0 to 1 '
            "(labels:K:M:TABLE, for example labels:3:2:010110001)",
        ),
        (
            "labels:3:2:0110",
            "labels:3:2:0110: found 4 labels; expected 3^n of them, at most 2^20 "
            "(labels:K:M:TABLE, for example labels:3:2:010110001)",
        ),
        (
            "labels:1:2:0",
            "labels:1:2:0: found K = 1; expected 2 to 10 (labels:K:M:TABLE, for example labels:3:2:010110001)",
        ),
        (
            "labels:3",
            "labels:3: found nothing as M; expected a whole number "
            "(labels:K:M:TABLE, for example labels:3:2:010110001)",
        ),
        ("differ:4", "differ:4: found nothing as D; expected a whole number (differ:K:D, for example differ:4:2)"),
        ("differ:4:5", "differ:4:5: found D = 5; expected 1 to 4 (differ:K:D, for example differ:4:2)"),
        ("differ:11:1", "differ:11:1: found K = 11; expected 1 to 10 (differ:K:D, for example differ:4:2)"),
        (
            "ov-coherent:7",
            "ov-coherent:7: found L = 7; expected 2 to 6 (ov-coherent:L, for example ov-coherent:4)",
        ),
        (
            "ov-incoherent:1",
            "ov-incoherent:1: found K = 1; expected 2 to 1000 (ov-incoherent:K, for example ov-incoherent:3)",
        ),
        ("pairty:4", '"pairty:4" is neither a file nor a family of tasks; did you mean parity:4?'),
        (
            "nothing",
            f'"nothing" is neither a file nor a family of tasks; {FAMILY_NAMES}',
        ),
        (
            "",
            f'"" is neither a file nor a family of tasks; {FAMILY_NAMES}',
        ),
        (
            "a\0b",
            rf'"a\u0000b" is neither a file nor a family of tasks; {FAMILY_NAMES}',
        ),
    ],
)
def test_a_name_that_means_nothing_is_refused(spec, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        Task.load(spec)
    assert str(caught.value) == complaint


def test_a_truth_table_too_long_is_cut_in_the_complaint():
    with pytest.raises(InputError) as caught:
        Task.load("bits:" + "01" * 2**20)
    assert str(caught.value) == (
        f"bits:{'01' * 27}0…: found 2097152 values; expected 2^n of them, n from 0 to 20 "
        "(bits:TABLE, for example bits:0110)"
    )


def test_a_misspelt_file_is_guessed(tmp_path):
    (tmp_path / "first.task").write_text("Q -> T")
    with pytest.raises(InputError) as caught:
        Task.load(tmp_path / "frist.task")
    assert str(caught.value).endswith(f"did you mean {tmp_path / 'first.task'}?")


def test_an_existing_file_wins_over_a_family(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor").write_text("A Q -> T")
    assert Task.load("xor").contexts == (("A", "Q"),)
