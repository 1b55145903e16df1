"""A census on disk: taken up after a kill, the same however it is run, and errors in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from expressivity.archive import verify_archive
from expressivity.census import read_table, run_census
from expressivity.census.store import ARCHIVE, PLAN
from expressivity.cli import main
from expressivity.errors import InputError


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_killed_and_taken_up(tmp_path: Path) -> None:
    """After kill -9 in the middle nothing is lost, no part is made twice, and the files are those of one run."""
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    code = (
        "from pathlib import Path; from expressivity.census import run_census; "
        f"run_census(4, folder=Path({str(folder)!r}), size=8)"
    )
    running = subprocess.Popen([sys.executable, "-c", code])
    try:
        while len(list(folder.glob("parts/[0-9]*.parquet"))) < 4:
            assert running.poll() is None
            time.sleep(0.02)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("parts/[0-9]*.parquet")}
    assert 4 <= len(kept) < 28
    assert not (folder / "table.parquet").exists()
    told: list[int] = []
    found = run_census(4, folder=folder, size=8, progress=lambda done, total: told.append(done))
    assert told[0] == 8 * len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert found.closed == 222
    run_census(4, folder=whole, size=8)
    assert files(folder) == files(whole)


def test_processes_make_the_same_table(tmp_path: Path) -> None:
    one = run_census(4, size=56)
    two = run_census(4, size=56, jobs=2, folder=tmp_path / "two")
    assert one.table.keys() == two.table.keys()
    assert all(one.table[name] == two.table[name] for name in one.table)
    plan, table = read_table(tmp_path / "two")
    assert (plan.inputs, table.num_rows) == (4, 222)


def test_the_archive_is_proved_and_a_broken_one_is_not(tmp_path: Path) -> None:
    found = run_census(3, folder=tmp_path, certificates=5)
    statements = list(verify_archive(str(tmp_path / ARCHIVE)))
    assert len(statements) == found.certificates == statements[0][1]
    assert not any(isinstance(statement, Exception) for _, _, statement in statements)
    runner = CliRunner()
    result = runner.invoke(main, ["verify", str(tmp_path / ARCHIVE)])
    assert (result.exit_code, result.output) == (
        0,
        f"proved: {tmp_path / ARCHIVE}: {found.certificates} certificates\n",
    )
    data = bytearray((tmp_path / ARCHIVE).read_bytes())
    data[200] ^= 1
    (tmp_path / "broken.zip").write_bytes(data)
    result = runner.invoke(main, ["verify", "--json", str(tmp_path / "broken.zip")])
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)["refuted"]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed is 0, asked for 1"),
        ({"embedding": "additive"}, 'embedding is "joint", asked for "additive", rows is 4, asked for 5'),
        ({"size": 3}, "size is 2048, asked for 3"),
    ],
)
def test_another_census_is_in_the_folder(tmp_path: Path, change: dict[str, object], message: str) -> None:
    run_census(2, folder=tmp_path)
    before = files(tmp_path)
    with pytest.raises(InputError, match="another census is in this folder") as error:
        run_census(2, folder=tmp_path, **change)  # type: ignore[arg-type]
    assert message in str(error.value)
    assert files(tmp_path) == before


def test_more_restarts_go_on_where_bounds_do_not_meet(tmp_path: Path) -> None:
    """With no restart at all heads of equal slopes are all there is; a further search finds the others."""
    none = run_census(4, folder=tmp_path, restarts=0)
    assert none.closed < 222
    kept = none.table["numerators"]
    more = run_census(4, folder=tmp_path, restarts=60)
    assert more.closed == 222
    for before, after, upper, lower in zip(
        kept, more.table["numerators"], none.table["heads_upper"], none.table["heads_lower"], strict=True
    ):
        assert upper != lower or before == after
    with pytest.raises(InputError, match="restarts is 60, asked for 5"):
        run_census(4, folder=tmp_path, restarts=5)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=f"has files but no {PLAN}"):
        run_census(2, folder=tmp_path)
    assert files(tmp_path) == {"notes.txt": b"mine"}


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    run_census(2, folder=tmp_path)
    (tmp_path / "parts" / "00000000.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"00000000\.parquet: cannot be read .* delete it and run the census again"):
        run_census(2, folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0"], "found 0 inputs; expected 1 to 6"),
        (["7"], "found 7 inputs; expected 1 to 6"),
        (["6"], "every class is listed up to 5 (joint): ask for a sample"),
        (["5", "--embedding", "additive"], "every class is listed up to 4 (additive): ask for a sample"),
        (["3", "--sample", "0"], "sample is 0; expected at least 1"),
        (["3", "--seed", "-1"], "seed is -1; expected at least 0"),
        (["3", "--jobs", "-1"], "jobs is -1; expected at least 1"),
        (["3", "--certificates", "some"], "certificates is 'some'; expected a number of functions, or all"),
        (["3", "--out", "/dev/null/x"], "Not a directory"),
        (
            ["3", "--backend", "slurm://x"],
            "backend is 'slurm://x'; expected local, dask://HOST:PORT or ray://HOST:PORT",
        ),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["census", *arguments])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_printed() -> None:
    result = CliRunner().invoke(main, ["census", "3", "--jobs", "1"])
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines() if line]
    assert lines[1:6] == [
        ["order", "classes", "functions", "heads"],
        ["2", "1", "2", "0"],
        ["3", "5", "102", "1"],
        ["4", "7", "150", "2"],
        ["5", "1", "2", "3"],
    ]
    result = CliRunner().invoke(main, ["census", "2", "--jobs", "1", "--orders-only", "--json"])
    found = json.loads(result.stdout)
    assert [(c["order"], c["functions"]) for c in found["counts"]] == [(2, 2), (3, 12), (4, 2)]
    assert found["closed"] is None
    assert {c["heads_upper"] for c in found["counts"]} == {None}


def test_a_sample_is_drawn_by_its_seed() -> None:
    one, two, three = (run_census(5, sample=3, seed=seed, heads=False).table["function"] for seed in (1, 1, 2))
    assert one == two != three
