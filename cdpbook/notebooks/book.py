"""``cdp book``: execute the chapters that have changed, side by side, and render the site."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from cdpbook.notebooks import execute, progress, site, slides, sources
from cdplib import lifetime, machine
from cdplib.errors import DataError
from cdplib.storage import paths


def build(
    preset: str = "read",
    only: Sequence[str] = (),
    force: bool = False,
    student: bool = False,
    workers: int | None = None,
) -> Path:
    """Execute what has changed and render the whole site; return the front page.

    ``only`` names the chapters that may be executed (the others are shown as they were last
    executed, or without outputs); ``force`` executes even what has not changed; ``student``
    leaves out the solutions; ``workers`` chapters run at a time (default: the cores).
    Raises :class:`cdplib.errors.InputError` before any kernel starts, or :class:`DataError` when
    chapters fail (the others' work is kept) or the site has a warning.
    """
    started = time.monotonic()
    home = paths.BUILD / (f"{preset}-student" if student else preset)
    executed = home / "executed"
    chapters = [sources.find(name) for name in sources.toc()]
    wanted = {sources.find(name).name for name in only} or {c.name for c in chapters}
    jobs = [
        execute.prepare(chapter, preset, student=student)
        for chapter in chapters
        if chapter.has_code() and chapter.name in wanted
    ]
    if student:
        print("student edition: the solutions of the exercises are left out", flush=True)
    waiting = [job for job in jobs if force or not execute.is_fresh(job, executed)]
    for job in jobs:
        if job not in waiting:
            print(f"{job.chapter.name}: unchanged, not executed again", flush=True)
    _execute_all(waiting, executed, workers or machine.cores())
    print("rendering the site (jupyter-book; warnings are errors)", flush=True)
    site.assemble(home / "source", chapters, executed, student)
    pages = site.render(home / "source", home)
    slides.write(pages)
    front = pages / f"{chapters[0].name}.html"
    print(
        f"the book is done in {time.monotonic() - started:.0f} s: {front}\n"
        f"open it in a browser: {front.resolve().as_uri()}\n"
        f"or serve it: python3 -m http.server --directory {str(pages)!r} 8000",
        flush=True,
    )
    return front


def _execute_all(jobs: Sequence[execute.Job], folder: Path, workers: int) -> None:
    """Run every job, ``workers`` at a time, even when some fail; then raise for those."""
    if not jobs:
        return
    names = ", ".join(job.chapter.name for job in jobs)
    print(f"executing {len(jobs)} chapters, {workers} at a time: {names}", flush=True)
    failures: list[str] = []
    last = {job.chapter.name: execute.last_time(job, folder) for job in jobs}
    known = {name: seconds for name, seconds in last.items() if seconds is not None}
    chapters = progress.Chapters([*last], known, workers)
    context = multiprocessing.get_context("spawn")
    told = context.SimpleQueue()
    with concurrent.futures.ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=_begin,
        initargs=(os.getpid(), told, len(jobs) > workers),
    ) as pool:
        started = {pool.submit(_execute, job, folder): job for job in jobs}
        try:
            _follow(started, failures, chapters, told)
        except BaseException:  # an interrupt, too: nothing more is started or waited for
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
    if failures:
        count = f"{len(failures)} of {len(jobs)} chapters failed"
        raise DataError(f"{count}; the others are kept:\n  " + "\n  ".join(failures))


#: Where a worker tells how far its chapter is: (name, cells done, of all, what one has written).
_told: Any = None


def _begin(parent: int, told: Any, several: bool) -> None:
    """Make this process a worker of ``parent``, for ``several`` chapters or one."""
    global _told
    _told = told
    lifetime.end_with(parent)
    if several:
        execute.share_imports()


def _execute(job: execute.Job, folder: Path) -> float:
    """Execute a chapter in a worker."""

    def tell(done: int, cells: int, text: str) -> None:
        # The end of a long text: what is short goes through a pipe whole or, in a kill, not at all.
        _told.put((job.chapter.name, done, cells, text[-300:]))

    return execute.execute(job, folder, tell)


def _follow(
    started: Mapping[Future[float], execute.Job],
    failures: list[str],
    chapters: progress.Chapters,
    told: Any,
) -> None:
    """Say what is done, what runs and how long it will take, until all of ``started`` ended."""
    terminal = sys.stdout.isatty()
    said, pending = time.monotonic(), set(started)
    while pending:
        done, pending = concurrent.futures.wait(
            pending, timeout=1, return_when=concurrent.futures.FIRST_COMPLETED
        )
        while not told.empty():
            name, cell, cells, text = told.get()
            chapters.tell(name, cell, cells)
            for line in progress.lines(name, text):
                _line(line)
        for future in done:
            chapters.end(started[future].chapter.name)
            error = future.exception()
            if error is None:
                _line(f"{started[future].chapter.name}: executed in {future.result():.0f} s")
            elif isinstance(error, DataError):
                failures.append(str(error))
                _line(str(error))
            else:
                raise error
        now = time.monotonic()
        if pending and now - said >= (1 if terminal else 60):
            said = now
            text = str(chapters)
            print(f"\r\033[K{text[:110]}" if terminal else text, end="" if terminal else "\n")
            sys.stdout.flush()


def _line(text: str) -> None:
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, flush=True)
