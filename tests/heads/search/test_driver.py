"""The search against what is known: classes of Boolean functions, symmetric functions, and what is impossible."""

from __future__ import annotations

import json
from itertools import pairwise, permutations, product
from pathlib import Path

import numpy as np
import pytest

from expressivity import EXPRESSIBLE, InputError, SkipGrams, Task, decide
from expressivity.heads.search import SearchReport, search_heads, search_tasks
from expressivity.task import bits, parity, xor

EMBEDDINGS = ("joint", "additive", "tokens")


def classes(n: int, flips: list[tuple[int, ...]]) -> list[str]:
    """A truth table of each class under permutations of the inputs, these flips of inputs, and of the output."""
    inputs = np.array(list(product((0, 1), repeat=n)))
    place = 1 << np.arange(n)[::-1]
    moves = [(inputs[:, list(p)] ^ np.array(flip)) @ place for p in permutations(range(n)) for flip in flips]
    size = 2**n
    tables = (np.arange(2**size, dtype=np.int64)[:, None] >> np.arange(size)[::-1]) & 1
    weight = 1 << np.arange(size, dtype=np.int64)[::-1]
    least = np.full(2**size, 2**size, dtype=np.int64)
    for move in moves:
        number = tables[:, move] @ weight
        least = np.minimum(least, np.minimum(number, 2**size - 1 - number))
    return [format(int(table), f"0{size}b") for table in np.unique(least)]


def by_degree(tables: list[str]) -> dict[int, list[Task]]:
    found: dict[int, list[Task]] = {}
    for table in tables:
        task = bits(table)
        degree = next(n for n in range(2, 7) if decide(task, SkipGrams(n)).answer is EXPRESSIBLE) - 2
        found.setdefault(degree, []).append(task)
    return found


def closed(reports: list[SearchReport]) -> int:
    """How many were found, each proved again."""
    for report in reports:
        if report.verdict is not None:
            assert report.verdict.certificate is not None
            assert report.verdict.certificate.verify().answer == "expressible"
    return sum(report.found for report in reports)


def test_every_function_of_four_bits_needs_as_many_heads_as_its_degree() -> None:
    """All 222 NPN classes (OEIS A000370), ``joint``: found by the formalisation too (VerifiedMechanisms)."""
    found = by_degree(classes(4, list(product((0, 1), repeat=4))))
    assert sum(map(len, found.values())) == 222
    assert {d: closed(search_tasks(each, d, restarts=100)) for d, each in found.items()} == {
        d: len(each) for d, each in found.items()
    }


@pytest.mark.parametrize(
    "step", [pytest.param(12, id="every twelfth"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_the_same_with_added_embeddings_under_their_own_symmetries(step: int) -> None:
    """1072 classes: permutations of positions, one flip of all tokens, a flip of the output."""
    tables = classes(4, [(0,) * 4, (1,) * 4])
    assert len(tables) == 1072
    found = by_degree(tables[::step])
    for degree, each in found.items():
        assert closed(search_tasks(each, degree, embedding="additive", restarts=400)) == len(each)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("values", ["0110", "01011", "000100", "011011"])
def test_symmetric_functions_take_a_head_for_each_sign_change_and_no_fewer(values: str, embedding: str) -> None:
    """T4, by search alone."""
    n = len(values) - 1
    task = bits("".join(values[sum(x)] for x in product((0, 1), repeat=n)))
    changes = sum(a != b for a, b in pairwise(values))
    assert closed([search_heads(task, changes, embedding=embedding)]) == 1  # type: ignore[arg-type]
    assert not search_heads(task, changes - 1, embedding=embedding, restarts=20).found  # type: ignore[arg-type]


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_the_impossible_is_never_found(embedding: str) -> None:
    report = search_heads(xor(), 1, embedding=embedding, restarts=90)  # type: ignore[arg-type]
    assert not report.found
    assert report.verdict is report.tables is None
    assert report.starts == 90
    assert set(report.by_stage()) == {"random", "programs", "gradient"}
    assert "which proves nothing" in report.reason
    assert report.best is not None
    assert report.best <= 0


def test_no_head_at_all_is_decided() -> None:
    assert search_heads(Task.from_strings(["AQT", "BQT"]), 0).found
    report = search_heads(Task.from_strings(["AQT", "BQF"]), 0)
    assert not report.found
    assert report.starts == 1


@pytest.mark.parametrize("stage", ["programs", "gradient"])
def test_each_proposer_alone_finds_two_heads(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expressivity.heads.search.driver.schedule", lambda: iter([(stage, 32)]))
    for task in (xor(), bits("0001011001111110")):
        report = search_heads(task, 2, restarts=32)
        assert report.found
        assert [each.stage for each in report.rounds] == [stage]


def test_the_same_seed_finds_the_same_and_another_seed_something_else() -> None:
    first, again, other = (search_heads(parity(3), 3, seed=seed) for seed in (5, 5, 6))
    assert first.tables == again.tables
    assert first.tables != other.tables
    assert first.verdict is not None
    assert first.verdict.reason.endswith("seed 5")


def test_the_time_limit_ends_it() -> None:
    report = search_heads(parity(6), 5, restarts=10**6, time_limit=0.5)
    assert report.stopped
    assert report.seconds < 10
    assert "the time limit was reached" in report.reason


def test_tasks_of_one_shape_only() -> None:
    with pytest.raises(InputError, match="different contexts or outputs"):
        search_tasks([xor(), parity(2)], 2)
    assert search_tasks([], 2) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"heads": -1}, "heads is -1"),
        ({"heads": None}, "heads is None"),
        ({"heads": 1, "restarts": 0}, "restarts is 0"),
        ({"heads": 1, "restarts": 2.5}, "restarts is 2.5"),
        ({"heads": 1, "seed": -1}, "seed is -1"),
        ({"heads": 1, "time_limit": 0}, "time limit is 0"),
        ({"heads": 1, "device": "nowhere"}, "device 'nowhere'"),
        ({"heads": 1, "embedding": "rotary"}, "embedding is 'rotary'"),
        ({"heads": 1, "d_head": 0}, "d_head is 0"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        search_heads(xor(), **arguments)  # type: ignore[arg-type]


def test_distributions_are_refused() -> None:
    with pytest.raises(InputError, match="asks for distributions"):
        search_heads(Task.from_text("A Q -> T:1/2 F:1/2"), 1)


# ---------------------------------------------------------------------------------------------- checkpoints


def test_a_search_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    begun = search_heads(parity(3), 2, restarts=20, checkpoint=file)
    longer = search_heads(parity(3), 2, restarts=60, checkpoint=file)
    assert longer.rounds[: len(begun.rounds)] == begun.rounds
    assert longer.starts == 60
    found = search_heads(xor(), 2, checkpoint=file)
    again = search_heads(xor(), 2, checkpoint=file)
    assert (again.tables, again.rounds) == (found.tables, found.rounds)
    assert len(json.loads(file.read_text())["searches"]) == 2


def test_a_round_cut_short_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    cut = search_heads(parity(6), 5, restarts=10**6, time_limit=0.3, checkpoint=file)
    assert cut.stopped
    (search,) = json.loads(file.read_text())["searches"].values()
    assert len(search["rounds"]) == len(cut.rounds) - 1


def broken(file: Path) -> dict[str, bytes]:
    good = json.loads(file.read_text())
    (key,) = good["searches"]
    return {
        "empty": b"",
        "half": file.read_bytes()[:-40],
        "not UTF-8": b"\xff\xfe\x00",
        "deep": b"[" * 100_000,
        "another format": b'{"format": "something", "version": 1, "searches": {}}',
        "another version": json.dumps(good | {"version": 2}).encode(),
        "searches": json.dumps(good | {"searches": []}).encode(),
        "rounds": json.dumps(good | {"searches": {key: {"rounds": 3, "found": {}}}}).encode(),
        "a round": json.dumps(good | {"searches": {key: {"rounds": [{"stage": "random"}], "found": {}}}}).encode(),
        "found": json.dumps(good | {"searches": {key: good["searches"][key] | {"found": [1]}}}).encode(),
        "tables": json.dumps(good | {"searches": {key: good["searches"][key] | {"found": {"0": {}}}}}).encode(),
        "no such task": json.dumps(good).replace('"found": {"0"', '"found": {"7"').encode(),
        "false tables": json.dumps(good).replace('"values": [[[0, "A"]', '"values": [[[0, "B"]').encode(),
    }


KINDS = ["empty", "half", "not UTF-8", "deep", "another format", "another version", "searches", "rounds", "a round",
         "found", "tables", "no such task", "false tables"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_checkpoint_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "search.json"
    assert search_heads(xor(), 2, checkpoint=file).found
    data = broken(file)[kind]
    file.write_bytes(data)
    with pytest.raises(InputError) as raised:
        search_heads(xor(), 2, checkpoint=file)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(file))
    assert file.read_bytes() == data


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_search(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        search_heads(parity(6), 5, checkpoint=tmp_path / "none" / "search.json")
