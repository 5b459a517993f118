"""What a sweep leaves in ``book/results``: its rows, sample images, and weights with digests.

Publishing goes on while a sweep runs, and a published row counts as trained when the sweep is
started again, on whatever machine: a full sweep can take several sittings.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cdplib.errors import DataError
from cdplib.experiments import classifiers, results
from cdplib.experiments.settings import Point
from cdplib.storage import paths, store
from cdplib.sweeps import jobs

if TYPE_CHECKING:
    from cdplib.sweeps.sweep import Sweep

#: Seconds between two writings of one sweep's table.
EVERY = 60.0


def rows(points: Mapping[str, Point]) -> dict[str, dict[str, Any]]:
    """The published row of each of ``points`` (by hash) that has one.

    A row that was trained in the other precision counts too: its hash differs by that alone.
    """
    found: dict[str, dict[str, Any]] = {}
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for key, point in points.items():
        if point.experiment not in tables:
            tables[point.experiment] = _by_hash(point.experiment)
        for precision in ("bf16", "fp32"):
            row = tables[point.experiment].get(jobs.key(point, precision=precision))
            if row is not None:
                found[key] = row
    return found


def _by_hash(experiment: str) -> dict[str, dict[str, Any]]:
    try:
        table = results.load(experiment, variant=None, dataset=None)
    except DataError:
        return {}
    # An empty place in the table is a column that the row did not have.
    return {
        row["config_hash"]: {k: v for k, v in row.items() if v == v}
        for row in table.to_dict("records")
    }


class Publisher:
    """Writes a sweep's finished points to the book: called after every point and at the end.

    Ablations (a ``variant`` that is not empty) publish rows only.
    """

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.last = 0.0

    def __call__(self, sweep: Sweep, final: bool = False) -> None:
        """Publish all finished points, unless that was done a moment ago."""
        if not final and time.monotonic() - self.last < EVERY:
            return
        # Tables are merged: whoever writes these, from whatever cache, writes alone.
        with store.lock(paths.PUBLISHED / ".publishing.lock"):
            self._write(sweep)
        self.last = time.monotonic()

    def _write(self, sweep: Sweep) -> None:
        found = [row for row in sweep.rows(self.variant) if not row.get("failed")]
        if not found:
            return
        points = list(sweep.keys.values())
        experiment, s = points[0].experiment, points[0].settings
        results.publish(experiment, found)
        if self.variant:
            return
        images, files = {}, {}
        for key, point in sweep.keys.items():
            kept = sweep.store.samples(key) if point.seed == min(s.seeds) else None
            if kept is not None and len(kept):
                images[key] = kept
        for point in corners(points):
            key = jobs.key(point, sweep.where)
            files[store.shipped_name("point", key)] = sweep.store.weights_file(key)
        needed = {pair for point in points for pair in jobs.needed(jobs.Job("point", point))}
        needed |= {("classifier", classifiers.key(n, s.dataset))
                   for n in classifiers.names(s.dataset)}  # fmt: skip
        files |= {store.shipped_name(*pair): store.weights_path(*pair) for pair in needed}
        if s.dataset == points[0].row.dataset:  # what the book shows; not a reader's other data
            if images:
                results.publish_samples(experiment, {**jobs.test_samples(points[0]), **images})
            store.ship(files)


def corners(points: Iterable[Point]) -> list[Point]:
    """The points of the least seed with the least or greatest of both beta and gamma."""
    points = list(points)
    ends = [{min(v), max(v)} for v in ([p.beta for p in points], [p.gamma for p in points])]
    least = min(p.seed for p in points)
    return [p for p in points if p.seed == least and p.beta in ends[0] and p.gamma in ends[1]]


def is_shipped(row: Mapping[str, Any]) -> bool:
    """Whether the restorer of a published row comes with the book."""
    return store.is_shipped("point", str(row["config_hash"]))


def weights(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The shipped restorer of a published row, or None where it is not among the shipped ones."""
    kept = store.load_weights("point", str(row["config_hash"]), shipped=True)
    return None if kept is None else kept[0]
