"""Shards on a cluster: real schedulers and workers on this machine, one of them killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from expressivity.census import run_census
from expressivity.errors import InputError


def test_a_worker_dies_and_nothing_is_lost(tmp_path: Path) -> None:
    """The table of a cluster of which a worker was killed is the table of one process, byte for byte."""
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    folder, alone = tmp_path / "cluster", tmp_path / "alone"
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", memory_limit=0
    ) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        killed: list[int] = []

        def kill_one() -> None:
            while len(list(folder.glob("parts/[0-9]*.parquet"))) < 3:
                time.sleep(0.02)
            victim = next(iter(cluster.workers.values())).pid
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        found = run_census(4, folder=folder, size=12, where=f"dask://{address}")
        killer.join(timeout=10)
    assert len(killed) == 1
    assert found.closed == 222
    run_census(4, folder=alone, size=12)
    for path in sorted(alone.rglob("*.parquet")):
        assert (folder / path.relative_to(alone)).read_bytes() == path.read_bytes()


def test_nobody_answers() -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    with pytest.raises(InputError, match=r"dask://127.0.0.1:9: no scheduler answers"):
        run_census(3, where="dask://127.0.0.1:9")


def test_ray_makes_the_same_table(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    found = run_census(3, size=4, jobs=2, where="ray://", folder=tmp_path)
    assert found.table == run_census(3, size=4).table | {"functions": found.table["functions"]}
