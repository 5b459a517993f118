"""Where jobs run: in processes of this machine, or on a Dask cluster.

A pool takes jobs one by one, as it has room for them, and gives each back with its result.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cdplib import __version__, lifetime
from cdplib.errors import DataError
from cdplib.experiments import generation
from cdplib.storage import files, store
from cdplib.sweeps import jobs

#: How long a scheduler may take to answer.
ANSWERS_WITHIN = "20s"

Pool = Callable[[Iterable[jobs.Job], jobs.Site], Iterator[tuple[jobs.Job, Any]]]


def local(workers: int) -> Pool:
    """A pool of ``workers`` processes of this machine."""

    def pool(todo: Iterable[jobs.Job], site: jobs.Site) -> Iterator[tuple[jobs.Job, Any]]:
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        here = replace(site, parent=os.getpid() if workers > 1 else 0)
        try:
            with files.scratch("cdp-pool") as folder:
                # Jobs are long: none is drawn (and so claimed) before a process is free for it.
                parallel = Parallel(
                    n_jobs=workers,
                    batch_size=1,
                    pre_dispatch="n_jobs",
                    return_as="generator_unordered",
                    max_nbytes=None,
                    temp_folder=str(folder),
                    # Between two jobs, too, a worker ends with the sweep.
                    initializer=lifetime.end_with,
                    initargs=(os.getpid(),),
                )
                yield from parallel(delayed(_pair)(job, here) for job in todo)
        except TerminatedWorkerError as error:
            raise DataError(
                f"a worker process died ({str(error).split('.')[0]}); "
                "what was finished is kept, start the sweep again"
            ) from None

    return pool


def end_workers() -> None:
    """End joblib's processes now: a notebook's kernel would leave idle ones behind, and where a
    sweep was stopped nobody waits for what they are at."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _pair(job: jobs.Job, site: jobs.Site, packed: dict[str, bytes] | None = None) -> Any:
    return job, jobs.run(job, site, packed)


def _code() -> tuple[str, str]:
    """The version of cdplib here, and the digest of what trains."""
    return __version__, generation.digest(*generation.ROOTS["point"])


def _check_workers(answers: Mapping[str, Any]) -> None:
    """Raise :class:`DataError` where a worker has no cdplib, or one that trains otherwise."""
    for worker, answer in answers.items():
        if answer != _code():
            other = "it has another cdplib, whose training differs"
            said = " ".join(str(answer).split())[:200] if isinstance(answer, Exception) else other
            raise DataError(f"the Dask worker at {worker} cannot be used: {said}")


def _of_cluster(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What ``call`` gives; :class:`DataError`, one line, for whatever goes wrong in a job, a
    worker or the cluster."""
    try:
        return call(*arguments, **options)
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise DataError(
            f"the Dask cluster lost workers or its scheduler, or a job failed "
            f"({type(error).__name__}: {said}); what was finished is kept, start the sweep again"
        ) from None


def dask(address: str) -> Pool:
    """The Dask cluster whose scheduler is at ``address``; its workers need not share a disk."""

    def pool(todo: Iterable[jobs.Job], site: jobs.Site) -> Iterator[tuple[jobs.Job, Any]]:
        import distributed

        # What it logs of a lost connection is a traceback; what there is to say is said below.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        try:
            client = distributed.Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(f"no Dask scheduler answers at {address}: {error}") from None
        with client:
            _check_workers(_of_cluster(client.run, _code, on_error="return"))
            sent: dict[tuple[tuple[str, str], ...], Any] = {}
            waiting = distributed.as_completed(loop=client.loop)
            for job in todo:
                keys = tuple(jobs.needed(job))
                if keys not in sent:  # once to every worker, not once a point
                    packed = store.pack(list(keys), shipped=site.shipped)
                    (sent[keys],) = _of_cluster(
                        client.scatter, [packed], broadcast=True, hash=False
                    )
                waiting.add(_of_cluster(client.submit, _pair, job, site, sent[keys], pure=False))
            for future in waiting:
                found = _of_cluster(future.result)
                future.release()  # else the cluster would train it again if its worker died
                yield found

    return pool
