"""Where shards run: processes of this machine, or a cluster that is there already. All of it joblib's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from expressivity.errors import InputError

FORMS = "local, dask://HOST:PORT or ray://HOST:PORT"


@contextmanager
def backend(name: str, jobs: int) -> Iterator[dict[str, Any]]:
    """Arguments for ``joblib.Parallel``, within which the backend is connected.

    Args:
        name: ``local``; ``dask://HOST:PORT``, the address of a scheduler (``dask://`` starts one with processes here);
            ``ray://HOST:PORT``, or ``ray://`` for a Ray of this machine.
        jobs: processes, where they are started here.

    Raises:
        InputError: no such backend, its extra is not installed, or nobody answers at the address.
    """
    match = re.fullmatch(r"(dask|ray)://(\S*)", name)
    if name == "local":
        yield {"n_jobs": jobs, "return_as": "generator_unordered"}
    elif match is None:
        raise InputError(f"backend is {name!r}; expected {FORMS}")
    elif match[1] == "dask":
        with _dask(match[2], jobs) as arguments:
            yield arguments
    else:
        with _ray(match[2], jobs) as arguments:
            yield arguments


@contextmanager
def _dask(address: str, jobs: int) -> Iterator[dict[str, Any]]:
    try:
        from dask.distributed import Client
    except ImportError:
        raise InputError("a dask:// backend needs Dask: pip install 'expressivity[dask]'") from None
    import joblib

    try:
        made: dict[str, Any] = {"n_workers": jobs, "threads_per_worker": 1}
        client = Client(f"tcp://{address}", timeout=10) if address else Client(**made)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(f"dask://{address}: no scheduler answers ({str(error).splitlines()[0]})") from None
    with client, joblib.parallel_config(backend="dask"):
        yield {"return_as": "generator_unordered"}


@contextmanager
def _ray(address: str, jobs: int) -> Iterator[dict[str, Any]]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise InputError("a ray:// backend needs Ray: pip install 'expressivity[ray]'") from None
    import joblib

    try:
        ray.init(f"ray://{address}" if address else None, num_cpus=None if address else jobs, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"ray://{address}: no cluster answers ({str(error).splitlines()[0]})") from None
    known: Any = register_ray  # typed in some versions of Ray only
    known()
    try:
        with joblib.parallel_config(backend="ray"):
            yield {"n_jobs": -1}
    finally:
        ray.shutdown()
