"""Sweeps: an experiment's points as independent jobs, here or on a Dask cluster; resumable.

Only this process writes the store. A point is claimed when it is handed out and kept as soon as
it comes back, so a sweep may be killed at any moment and two sweeps may share one store.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cdplib import machine, parameters
from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers, datasets, device, results, settings, stacked
from cdplib.experiments.settings import Point, Settings
from cdplib.storage import store
from cdplib.sweeps import configuration, jobs, pools, publication

_POLL = 2.0
#: The columns of a finished point that a sweep shows.
SHOWN = (
    *("alpha", "beta", "gamma", "seed", "mse", "error_rate", "ce", "p_critic", "p_judge"),
    *("sliced_w2", "frechet", "seconds"),
)


def run(
    experiment: str,
    given: Mapping[str, Any] | Settings | None = None,
    *,
    preset: str = "quick",
    workers: int | None = None,
    scheduler: str | None = None,
    where: str = "auto",
    folder: Path | None = None,
    retrain: bool = False,
    progress: bool | None = None,
    publish: bool = False,
    stack: int = 1,
) -> pd.DataFrame:
    """Train and measure what is missing of a sweep; all its points as :func:`results.frame`.

    ``given`` are settings over the preset's (:class:`.settings.Settings`), checked first, or all
    of them as they were resolved.
    ``workers`` local processes (default: the cores), or the Dask cluster at ``scheduler``;
    ``where`` is ``auto``, ``cpu`` or ``cuda[:N]``; ``folder`` is the store's; ``retrain`` trains
    everything anew, whatever is shipped, cached or in the store; ``progress`` writes a line a
    point to standard error (default: if it is a terminal). ``publish`` writes finished points to
    the book as they come, and takes those that are published already for trained (unless
    ``retrain``). ``stack`` points of one seed are trained as one (:mod:`.stacked`), for
    GPUs. Failed points are left out of the table and named on standard error.

    Raises :class:`InputError` for wrong input, before any work, and :class:`DataError` if workers
    are lost.
    """
    sweep = _prepared(experiment, preset, given or {}, workers, where, folder, retrain, publish)
    sweep.stacked(stack)
    sweep.progress = sys.stderr.isatty() if progress is None else progress
    return _trained(sweep, workers, scheduler)


def _prepared(
    experiment: str,
    preset: str,
    given: Mapping[str, Any] | Settings,
    workers: int | None,
    where: str,
    folder: Path | None,
    retrain: bool,
    publish: bool,
) -> Sweep:
    """The sweep that is asked for, all input checked: nothing is trained yet."""
    if workers is not None and workers < 1:
        raise InputError(f"workers={workers}: expected at least 1")
    target = str(device.choose(where))
    own = given if isinstance(given, Settings) else settings.resolve(experiment, preset, given)
    points = settings.points(experiment, preset, own)
    sweep = Sweep(points, store.Store(folder), target, shipped=not retrain)
    sweep.variant = settings.variant(experiment, preset, own)
    if publish:
        if datasets.get(own.dataset).own:
            raise InputError(f"--publish: {own.dataset} is a user's own data set, no row of a book")
        publication.check()
        sweep.publishes = True
        sweep.published = {} if retrain else publication.rows(sweep.keys)
    return sweep


def _trained(sweep: Sweep, workers: int | None, scheduler: str | None) -> pd.DataFrame:
    """The table of a sweep when all its points are finished; failed ones are said."""
    processes = workers or machine.cores()
    try:
        sweep.train(pools.dask(scheduler) if scheduler else pools.local(processes))
    finally:
        if not scheduler and processes > 1:
            pools.end_workers()
    for line in sweep.failures():
        print(line, file=sys.stderr)
    return results.frame(sweep.rows(sweep.variant))


class Sweep:
    """The points of one sweep with their store; ``progress`` says whether to report."""

    def __init__(
        self, points: Sequence[Point], kept: store.Store, where: str, *, shipped: bool = True
    ) -> None:
        self.store, self.where, self.shipped = kept, where, shipped
        self.keys = {configuration.key(point, where): point for point in points}
        self.progress = False
        #: So many points of one seed are trained as one.
        self.stack = 1
        self.variant = ""
        self.publishes = False
        self.published: Mapping[str, dict[str, Any]] = {}
        self._written = 0.0
        # Of what is trained anew: the points that this run has finished.
        self._anew: set[str] | None = None if shipped else set()

    def stacked(self, points: int) -> None:
        """Train ``points`` of one seed as one; :class:`InputError` where they cannot be."""
        if points < 1:
            raise InputError(f"stack={points}: expected at least 1")
        if points > 1:
            stacked.check([next(iter(self.keys.values()))])
        self.stack = points

    def row(self, key: str) -> dict[str, Any] | None:
        """The point's row, from the store or as it is published; None if it is to be trained.

        Raises :class:`DataError` where the store's is damaged.
        """
        kept = self.store.row(key)
        if not kept:
            return self.published.get(key)
        if wrong := _damage(kept):
            path = self.store.folder(key)
            raise DataError(f"{path / 'row.json'}: damaged ({wrong}): remove its folder")
        return kept

    def missing(self) -> list[str]:
        """Hashes of the points that are to be trained."""
        if self._anew is not None:
            return [key for key in self.keys if key not in self._anew]
        return [key for key in self.keys if self.row(key) is None]

    def rows(self, variant: str = "") -> list[dict[str, Any]]:
        """The rows of all finished points, under this sweep's preset."""
        found = []
        for key, point in self.keys.items():
            row = self.row(key)
            if row is not None:
                found.append({**row, "preset": point.preset, "variant": variant})
        return found

    def failures(self) -> list[str]:
        """A line for each finished point that failed: which, and why."""
        found = ((point, self.row(key)) for key, point in self.keys.items())
        return [
            f"{point.label()}: failed, {row['failed']}"
            for point, row in found
            if row and row.get("failed")
        ]

    def preparations(self) -> list[list[jobs.Job]]:
        """What missing points need first: stages of jobs, each stage after the one before."""
        points = [self.keys[key] for key in self.missing()]
        if not points:
            return []
        first: dict[str, jobs.Job] = {}
        then: dict[str, jobs.Job] = {}
        for point in points:
            dataset = point.settings.dataset
            for name in classifiers.names(dataset):
                first[classifiers.key(name, dataset)] = jobs.Job("classifier", point, name)
            if point.settings.start == "star":
                start = store.digest(configuration.of_critic(point))
                then.setdefault(start, jobs.Job("start", point))
        stages = [
            [job for key, job in first.items() if not self._kept("classifier", key)],
            [
                job
                for job in then.values()
                if not all(self._kept(*needed) for needed in jobs.needed(job))
            ],
        ]
        return [stage for stage in stages if stage]

    def _kept(self, kind: str, key: str) -> bool:
        if self._anew is not None:
            return False
        return store.load_weights(kind, key, shipped=self.shipped) is not None

    def train(self, pool: pools.Pool) -> None:
        """Prepare, train and keep every missing point."""
        self.store.tidy()
        site = jobs.Site(self.where, self.shipped)
        for stage in self.preparations():
            for job, packed in pool(stage, replace(site, anew=self._anew is not None)):
                store.unpack(packed)
                self._say(f"{job.label()}: done")
        missing = self.missing()
        began, total = time.perf_counter(), len(missing)
        done = 0
        while missing:
            claims: dict[str, Any] = {}
            try:
                for job, outcomes in pool(self._jobs(missing, claims), site):
                    for point, outcome in zip(job.points, outcomes, strict=True):
                        self._keep(point, outcome, claims)
                        done += 1
                        self._report(outcome.row, point, done, total, began)
                    self._publish()
            finally:
                for claim in claims.values():
                    claim.release()
            # What another sweep is training now comes from the store when that is ready.
            missing = self.missing()
            if missing:
                time.sleep(_POLL)
        self._publish(final=True)

    def _publish(self, final: bool = False) -> None:
        """Write what is finished to the book, if that is asked for and was not done just now."""
        if self.publishes and (final or time.monotonic() - self._written > publication.EVERY):
            publication.publish(self.rows(self.variant), self.keys, self.store, self.variant)
            self._written = time.monotonic()

    def _keep(self, point: Point, outcome: store.Outcome, claims: dict[str, Any]) -> None:
        """Put a finished point into the store and let go of its claim."""
        key = configuration.key(point, self.where)
        configured = configuration.of_point(point, self.where)
        self.store.put(key, configured, outcome, replace=self._anew is not None)
        if self._anew is not None:
            self._anew.add(key)
        claims.pop(key).release()

    def _jobs(self, keys: Iterable[str], claims: dict[str, Any]) -> Iterator[jobs.Job]:
        """Jobs of up to ``stack`` points of one seed, each point claimed when it is drawn."""
        for _seed, points in itertools.groupby(self._claimed(keys, claims), lambda p: p.seed):
            while taken := tuple(itertools.islice(points, self.stack)):
                yield jobs.Job("points", taken[0], others=taken[1:])

    def _claimed(self, keys: Iterable[str], claims: dict[str, Any]) -> Iterator[Point]:
        for key in keys:
            claim = self.store.claim(key)
            if claim is None:
                continue
            if self._anew is None and self.store.row(key) is not None:
                claim.release()
                continue
            claims[key] = claim
            yield self.keys[key]

    def _report(
        self, row: Mapping[str, Any], point: Point, done: int, total: int, began: float
    ) -> None:
        if row.get("failed"):
            self._say(f"{done}/{total} {point.label()}: failed")
            return
        left = (time.perf_counter() - began) / done * (total - done)
        self._say(
            f"{done}/{total} {point.label()}: mse={row['mse']:.4f} "
            f"error={100 * row['error_rate']:.2f}% P={row['p_judge']:.3f} "
            f"({row['seconds']:.0f} s; about {duration(left)} left)"
        )

    def _say(self, text: str) -> None:
        if self.progress:
            print(text, file=sys.stderr, flush=True)


def _damage(row: Mapping[str, Any]) -> str:
    """What is wrong with a row that was kept; empty where it failed, or has what is shown of it."""
    for name, value in row.items():
        if not isinstance(value, str | int | float | None):
            return f"{name} is {value!r:.40}"
    for name in SHOWN if not row.get("failed") else ():
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{name} is {value!r:.40}, a number was expected"
    return ""


def duration(seconds: float) -> str:
    """``90 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def estimate(points: Sequence[Point], kept: store.Store, where: str) -> float:
    """Seconds that one of ``points`` takes on one worker: from kept rows, else by timing steps."""
    times = [
        row["seconds"]
        for key in (configuration.key(p, where) for p in points)
        if (row := kept.row(key)) and not row.get("failed")
    ]
    return statistics.median(times) if times else jobs.time_point(points[0], where)


def command(
    experiment: str,
    *,
    preset: str,
    assignments: Sequence[str] = (),
    ablation: str | None = None,
    dataset: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "auto",
    store: Path | None = None,
    dry_run: bool = False,
    retrain: bool = False,
    publish: bool = False,
    stack: int = 1,
) -> int:
    """``cdp sweep``: run, say what came out, and with ``publish`` write it to the book.

    1 where points failed, in this run or an earlier one; they are named on standard error.
    """
    given = {} if ablation is None else settings.ablation(experiment, ablation)
    given |= parameters.assignments(assignments)
    if dataset is not None:
        given["dataset"] = dataset
    sweep = _prepared(experiment, preset, given, workers, device, store, retrain, publish)
    sweep.stacked(stack)
    if dry_run:
        print(f"{experiment} --preset {preset}: ", end="")
        return _dry_run(sweep, workers)
    sweep.progress = True
    table = _trained(sweep, workers, scheduler)
    print(table[[*SHOWN]].to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    if publish:
        print(f"published in {results.path(experiment)}")
    return int(bool(sweep.failures()))


def _dry_run(sweep: Sweep, workers: int | None) -> int:
    """Say what would be trained, and about how long it would take."""
    missing = [sweep.keys[key] for key in sweep.missing()]
    print(f"{len(sweep.keys)} points, {len(missing)} to train")
    for stage in sweep.preparations():
        for job in stage:
            print(f"  first: {job.label()}")
    for point in missing:
        print(f"  {point.label()}")
    if missing:
        processes = workers or machine.cores()
        each = estimate(list(sweep.keys.values()), sweep.store, sweep.where)
        total = each * -(-len(missing) // processes)
        total += jobs.time_start(missing[0], sweep.where) * len(
            [job for stage in sweep.preparations() for job in stage if job.kind == "start"]
        )
        print(f"about {duration(total)} on {processes} workers ({duration(each)} a point)")
    return 0
