"""Shipped restorers on the first test images, image by image: published once, checked on pages.

``book/results/checked.npz`` has, for each shipped restorer, the squared error of each image and the
class that its row's classifier reads. ``python -m cdpbook.checked`` runs them all and writes it.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, measures, networks, restoration, results
from cdplib.experiments.material import degraded_split
from cdplib.experiments.settings import Point
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import files, paths, store
from cdplib.sweeps import compare, publication

#: Test images, the first ones, that a restorer is run on.
IMAGES = 500


class PerImage(NamedTuple):
    """Of the first :data:`IMAGES` test images: squared errors, float32 (n,), and classes (n,)."""

    squared_error: np.ndarray
    classes: np.ndarray


def restorer(row: Mapping[str, Any]) -> tuple[Point, networks.Restorer] | None:
    """A published row's point and its shipped restorer, on the CPU; None: not shipped.

    Raises :class:`DataError` if the weights are damaged or the row's settings have changed since.
    """
    state = publication.weights(row)
    if state is None:
        return None
    point = compare.point_of(row)
    model = restoration.new_restorer(point)
    store.fill(model, state, point.label())
    return point, model


def run(row: Mapping[str, Any]) -> PerImage | None:
    """What a row's shipped restorer gives now, image by image; None: not shipped."""
    kept = restorer(row)
    if kept is None:
        return None
    point, model = kept
    s = point.settings
    clean, _ = data.load(s.dataset).test.tensors(slice(0, IMAGES))
    degraded = degraded_split(point, "test")[:IMAGES]
    restored = networks.restore(model, degraded, statistics=s.statistics)
    outputs = measures.outputs(classifiers.get(s.classifier, s.dataset), restored)
    error = measures.squared_error(restored, clean).numpy().astype(np.float32)
    return PerImage(error, outputs.argmax(1).numpy().astype(np.uint8))


def published(row: Mapping[str, Any]) -> PerImage | None:
    """What was published for a row's restorer, image by image; None: nothing."""
    found, key = _published(), str(row["config_hash"])[:16]
    names = f"{key}_squared_error", f"{key}_classes"
    return PerImage(*(found[name] for name in names)) if names[0] in found else None


@functools.cache
def _published() -> dict[str, np.ndarray]:
    file = paths.PUBLISHED / "checked.npz"
    if not file.is_file():
        return {}
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: damaged ({str(error).splitlines()[0]})") from None


def rows() -> list[dict[str, Any]]:
    """Every published row whose restorer comes with the book."""
    tables = [results.read(results.path(name)) for name in EXPERIMENTS]
    return [r for t in tables for r in t.to_dict("records") if publication.is_shipped(r)]


def write(shipped: Iterable[Mapping[str, Any]]) -> None:
    """Run the restorers of ``shipped`` rows on the first test images and publish what they give."""
    found: dict[str, np.ndarray] = {}
    for row in shipped:
        values, key = run(row), str(row["config_hash"])[:16]
        if values is not None:
            found[f"{key}_squared_error"], found[f"{key}_classes"] = values
            print(row["experiment"], row["preset"], row["restorer"], key, flush=True)
    with io.BytesIO() as stream:
        np.savez_compressed(stream, allow_pickle=False, **dict(sorted(found.items())))
        files.write_bytes(paths.PUBLISHED / "checked.npz", stream.getvalue())


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(rows())
