"""All certificates of a ladder or none, whatever comes in between."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from expressivity import Task, climb
from expressivity.errors import InputError
from expressivity.report.saving import save_certificates
from expressivity.verify import verify_file

LADDER = climb(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]))


def fail_at(number: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the so manyth sync of a file to disk, an error."""
    calls = 0
    real = os.fsync

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise error
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)


def test_all_are_saved_and_nothing_else(tmp_path: Path) -> None:
    paths = save_certificates(LADDER, tmp_path / "new" / "folder")
    files = sorted((tmp_path / "new" / "folder").iterdir())
    assert sorted(paths.values()) == [str(file) for file in files]
    assert {"order-2.json", "order-3.json", "order-4.json"} <= {file.name for file in files}
    for file in files:
        assert verify_file(str(file))


@pytest.mark.parametrize("number", [1, 3])
def test_ctrl_c_while_writing_leaves_nothing(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at(number, KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        save_certificates(LADDER, tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_writing_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "order-2.json").write_text("an older one")
    fail_at(2, KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        save_certificates(LADDER, tmp_path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["an older one"]


def test_a_full_disk_leaves_nothing_and_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(2, OSError(28, "No space left on device"), monkeypatch)
    with pytest.raises(InputError) as error:
        save_certificates(LADDER, tmp_path / "new")
    expected = f"{tmp_path / 'new'}: nothing was saved: {tmp_path / 'new'}/order-3.json: cannot be written: No space"
    assert str(error.value).startswith(expected)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_files_take_their_places_is_heard_when_all_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace
    moved: list[Any] = []

    def replace(source: Any, target: Any) -> None:
        real(source, target)
        if Path(target).parent == tmp_path:
            moved.append(target)
            if len(moved) == 1:
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(os, "replace", replace)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            save_certificates(LADDER, tmp_path)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    names = {file.name for file in tmp_path.iterdir()}
    assert len(names) == len(moved) > 3
