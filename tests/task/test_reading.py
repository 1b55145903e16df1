"""Files: names, encodings, what cannot be read, and that a large one is read in little time and memory."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from expressivity.errors import InputError
from expressivity.task import Task, xor

XOR = "A C Q -> T\nA D Q -> F\nB C Q -> F\nB D Q -> T\n"


def complaint(path) -> str:
    with pytest.raises(InputError) as caught:
        Task.from_file(path)
    return str(caught.value)


def test_a_file_gives_a_task_its_name(tmp_path):
    path = tmp_path / "my.xor.task"
    path.write_text(XOR)
    assert Task.from_file(path) == Task.from_file(str(path)) == Task.load(path) == xor()
    assert Task.from_file(path).name == "my.xor"


@pytest.mark.parametrize("data", ["\ufeff" + XOR, XOR.replace("\n", "\r\n"), "\ufeff# x\r\n" + XOR, XOR.rstrip()])
def test_byte_order_marks_and_line_ends_do_not_matter(data, tmp_path):
    path = tmp_path / "xor.task"
    path.write_bytes(data.encode())
    assert Task.from_file(path) == xor()


def test_the_name_or_the_first_character_makes_json_lines(tmp_path):
    line = '{"context": ["A"], "target": "T"}'
    for name, text in (
        ("a.jsonl", line),
        ("a.task", line),
        ("b.task", f"\ufeff\n  {line}"),
        ("c.task", f"# x\n{line}"),
    ):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert Task.from_file(path) == Task([["A"]], ["T"])
    path = tmp_path / "text.jsonl"
    path.write_text("A -> T")
    assert complaint(path) == (
        f'{path}, line 1: found "A -> T", no JSON (Expecting value at 0); expected one object per line'
    )


def test_normalise_reaches_the_file(tmp_path):
    path = tmp_path / "soft.task"
    path.write_text("A -> T:9 F:1")
    assert str(Task.load(path, normalise=True).requirements[0][0]) == "F:1/10 T:9/10"
    assert complaint(path) == (
        f"{path}, line 1: found probabilities that sum to 10; expected exactly 1 (--normalise divides by the sum)"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ": found no contexts; expected at least one, such as A C Q -> T"),
        (b"\n  \n# nothing", ": found no contexts; expected at least one, such as A C Q -> T"),
        # Byte 3 of line 2 is byte 9 of the file, both counted from 1.
        (
            b"Q -> T\nA \xff Q -> T",
            ", line 2: found the byte 0xff at byte 3 of the line, 10 of the file; expected UTF-8 text",
        ),
        (
            b"\xef\xbb\xbfQ -> \xe9\n",
            ", line 1: found the byte 0xe9 at byte 9 of the line, 9 of the file; expected UTF-8 text",
        ),
        (
            "Q -> T".encode("utf-16"),
            ", line 1: found the byte 0xff (UTF-16?) at byte 1 of the line, 1 of the file; expected UTF-8 text",
        ),
        (
            b"Q -> T\nQ -> F\n",
            ", line 2: contradicts line 1 on Q: line 1 asks for T above F, line 2 for F above T",
        ),
        (b"A" * (2**24 + 1), ", line 1: found more than 16777216 bytes; expected a shorter line"),
    ],
)
def test_a_bad_file_is_named_with_its_line(data, message, tmp_path):
    path = tmp_path / "bad.task"
    path.write_bytes(data)
    assert complaint(path) == f"{path}{message}"


def test_what_is_no_file_is_refused(tmp_path, monkeypatch):
    assert complaint(tmp_path / "none.task") == f"{tmp_path / 'none.task'}: no such file; expected a task file"
    assert complaint(tmp_path) == f"{tmp_path}: is a directory; expected a task file"
    assert complaint(tmp_path / "x" / "y") == f"{tmp_path / 'x' / 'y'}: no such file; expected a task file"
    long = "x" * 5000
    assert complaint(long) == f"{long}: cannot be read, File name too long; expected a task file"

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, to whom no file is forbidden.
    monkeypatch.setattr(Path, "open", forbidden)
    assert complaint("secret.task") == "secret.task: cannot be read, Permission denied; expected a task file"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file_ends():
    assert complaint("/dev/zero") == "/dev/zero, line 1: found more than 16777216 bytes; expected a shorter line"


def test_a_huge_number_is_refused_at_once(tmp_path):
    path = tmp_path / "huge.task"
    path.write_text("A -> T @ 1e999999999")
    start = time.perf_counter()
    assert "too long in full" in complaint(path)
    assert time.perf_counter() - start < 1


@pytest.mark.slow
def test_a_million_contexts_of_sixteen_sources_are_read_in_half_a_gigabyte(tmp_path):
    """In a process of its own, whose memory nothing else has filled: about 5 s and 320 MB when this was written."""
    program = f"""
import random, resource, time
from expressivity.task import Task
choose = random.Random(0)
tokens = [f"t{{i}}" for i in range(100)]
path = {str(tmp_path / "large.task")!r}
with open(path, "w") as file:
    for _ in range(1_000_000):
        file.write(" ".join(choose.choices(tokens, k=16)) + " Q -> " + choose.choice("TF") + "\\n")
start = time.perf_counter()
task = Task.from_file(path)
assert len(task.contexts) == 1_000_000
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, found.stdout.split())
    assert seconds < 60
    assert megabytes < 512
