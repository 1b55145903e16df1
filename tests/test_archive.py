"""Archives of certificates: proved one by one, whole or not written, and hostile ones refused in one line."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from click.testing import CliRunner

from expressivity import SkipGrams, decide
from expressivity.archive import verify_archive, write_archive
from expressivity.certificate import canonical
from expressivity.cli import main
from expressivity.errors import InputError, Refuted
from expressivity.task.families import xor
from expressivity.verify import Statement


def documents() -> list[tuple[str, dict[str, object]]]:
    verdicts = [decide(xor(), SkipGrams(order)) for order in (3, 4)]
    return [(f"{k}.json", dict(v.certificate.document)) for k, v in enumerate(verdicts) if v.certificate is not None]


def test_written_and_proved(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    assert write_archive(path, documents()) == 2
    found = list(verify_archive(path))
    assert [(name, many) for name, many, _ in found] == [("0.json", 2), ("1.json", 2)]
    assert [s.answer for _, _, s in found if isinstance(s, Statement)] == ["inexpressible", "expressible"]
    first = path.read_bytes()
    write_archive(path, documents())
    assert path.read_bytes() == first


def test_what_is_not_proved_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    path.write_bytes(b"before")
    (name, document), other = documents()
    with pytest.raises(Refuted):
        write_archive(path, [other, (name, {**document, "proof": {"multipliers": [], "irreducible": False}})])
    assert [p.name for p in tmp_path.iterdir()] == ["two.zip"]
    assert path.read_bytes() == b"before"
    with pytest.raises(InputError, match="cannot be written"):
        write_archive(tmp_path / "none" / "two.zip", documents())


def test_one_bad_member_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    (_, good), _ = documents()
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("a.json", canonical(good))
        archive.writestr("b.json", canonical({**good, "hash": "sha256:0"}))
        archive.writestr("c.json", b"0" * 10_000_000)  # packed it is small
        archive.writestr("folder/", b"")
        archive.writestr("d.json", canonical(good))
    found = {name: statement for name, _, statement in verify_archive(path)}
    assert [type(statement) for statement in found.values()] == [Statement, Refuted, Refuted, Statement]
    result = CliRunner().invoke(main, ["verify", str(path)])
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["refuted"] * 3
    assert result.stderr.splitlines()[-1] == f"refuted: {path}: 2 of 4 certificates"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive"])
def test_no_archive(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    result = CliRunner().invoke(main, ["verify", str(path)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"refuted: {path}: at the step “reading”: this is no zip archive")


def test_an_empty_archive_and_none_at_all(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(Refuted, match="the archive is empty"):
        list(verify_archive(tmp_path / "empty.zip"))
    result = CliRunner().invoke(main, ["verify", str(tmp_path / "none.zip")])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
