"""What a sweep leaves in ``book/results``: its rows, sample images, and weights with digests.

Publishing goes on while a sweep runs, and a published row counts as trained when the sweep is
started again, on whatever machine: a full sweep can take several sittings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cdplib.errors import DataError, InputError
from cdplib.experiments import device, generation, results
from cdplib.experiments.settings import Point
from cdplib.storage import paths, store
from cdplib.sweeps import configuration, jobs

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
        for precision in device.PRECISIONS:
            row = tables[point.experiment].get(configuration.key(point, precision=precision))
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


def publish(
    rows: Iterable[Mapping[str, Any]], points: Mapping[str, Point], kept: store.Store, variant: str
) -> None:
    """Write a sweep's finished ``rows`` to the book, with images and weights from the store.

    ``points`` are all of the sweep's, by hash. Ablations (a ``variant`` that is not empty) publish
    rows only. Tables are merged: whoever writes these, from whatever cache, writes alone.
    """
    with store.lock(paths.PUBLISHED / ".publishing.lock"):
        finished = [row for row in rows if not row.get("failed")]
        if finished:
            results.publish(str(finished[0]["experiment"]), finished)
            if not variant:
                _publish_files(points, kept)


def _publish_files(points: Mapping[str, Point], kept: store.Store) -> None:
    """Sample images and weights of what the book shows; not those of a reader's other data."""
    first = next(iter(points.values()))
    dataset = first.settings.dataset
    if dataset != first.row.dataset:
        return
    images = {
        key: found
        for key, point in points.items()
        if point.seed == min(first.settings.seeds)
        and (found := kept.samples(key)) is not None
        and len(found)
    }
    if images:
        results.publish_samples(first.experiment, {**jobs.test_samples(first), **images})
    shown = corners(points.values())
    files = {
        store.shipped_name("point", key): kept.weights_file(key)
        for key, point in points.items()
        if point in shown
    }
    needed = {pair for point in points.values() for pair in jobs.needed(jobs.Job("points", point))}
    store.ship(files | {store.shipped_name(*pair): store.weights_path(*pair) for pair in needed})


def check() -> None:
    """Raise :class:`InputError` where the code that trains is not what the book's rows are of."""
    changed = generation.changed()
    if changed:
        raise InputError(
            f"--publish: the code that trains has changed ({', '.join(changed)}) and is not on "
            "record: see cdplib/experiments/generation.py"
        )


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
