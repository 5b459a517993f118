"""Where jobs run: in processes of this machine, or on a Dask cluster.

A pool takes jobs one by one, as it has room for them, and gives each back with its result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cdplib.errors import DataError
from cdplib.storage import store
from cdplib.sweeps import jobs

Pool = Callable[[Iterable[jobs.Job], jobs.Site], Iterator[tuple[jobs.Job, Any]]]


def local(workers: int) -> Pool:
    """A pool of ``workers`` processes of this machine."""

    def pool(todo: Iterable[jobs.Job], site: jobs.Site) -> Iterator[tuple[jobs.Job, Any]]:
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        here = jobs.Site(site.device, site.shipped, parent=os.getpid() if workers > 1 else 0)
        # Jobs are long: none is drawn (and so claimed) before a process is free for it.
        parallel = Parallel(
            n_jobs=workers,
            batch_size=1,
            pre_dispatch="n_jobs",
            return_as="generator_unordered",
            max_nbytes=None,
        )
        try:
            yield from parallel(delayed(_pair)(job, here) for job in todo)
        except TerminatedWorkerError as error:
            raise DataError(
                f"a worker process died ({str(error).split('.')[0]}); "
                "what was finished is kept, start the sweep again"
            ) from None

    return pool


def end_workers() -> None:
    """End joblib's idle processes now: a notebook's kernel would leave them behind."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True)


def _pair(job: jobs.Job, site: jobs.Site, packed: dict[str, bytes] | None = None) -> Any:
    return job, jobs.run(job, site, packed)


def dask(address: str) -> Pool:
    """The Dask cluster whose scheduler is at ``address``; its workers need not share a disk."""

    def pool(todo: Iterable[jobs.Job], site: jobs.Site) -> Iterator[tuple[jobs.Job, Any]]:
        import distributed
        from distributed.comm import CommClosedError

        try:
            client = distributed.Client(address, timeout="20s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(f"no Dask scheduler answers at {address}: {error}") from None
        with client:
            sent: dict[tuple[tuple[str, str], ...], Any] = {}
            waiting = distributed.as_completed(loop=client.loop, with_results=True)
            for job in todo:
                keys = tuple(jobs.needed(job))
                if keys not in sent:  # once to every worker, not once a point
                    packed = store.pack(list(keys), shipped=site.shipped)
                    (sent[keys],) = client.scatter([packed], broadcast=True, hash=False)
                waiting.add(client.submit(_pair, job, site, sent[keys], pure=False))
            try:
                for future, result in waiting:
                    future.release()  # else the cluster would train it again if its worker died
                    yield result
            except (distributed.KilledWorker, CommClosedError) as error:
                raise DataError(
                    f"the Dask cluster lost workers or its scheduler ({error}); "
                    "what was finished is kept, start the sweep again"
                ) from None

    return pool
