"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from expressivity import InputError
from expressivity.writing import write, write_bytes


def test_a_document_is_written_in_canonical_json(tmp_path: Path) -> None:
    write({"b": ["é", 1], "a": None}, tmp_path / "file.json")
    assert (tmp_path / "file.json").read_bytes() == '{"a":null,"b":["é",1]}\n'.encode()


def test_an_older_file_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    for data in (b"old and longer", b"new"):
        write_bytes(data, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failure_leaves_the_older_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(b"old", tmp_path / "file")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="file: cannot be written: No space left on device"):
        write_bytes(b"new", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_does_not_exist_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        write_bytes(b"", tmp_path / "none" / "file")
    assert not (tmp_path / "none").exists()
