"""Evidence per image: for a row and a classifier, one bit an image says whether it was misread.

A file of them (``book/results/NAME_bits.npz``, 1.25 kB for 10,000 images) lets two rows be
compared on the same images, paired, long after their networks are gone. ``python -m
cdpbook.evidence exp2 converged`` writes those of a sweep whose restorers are kept here: of every
classifier on the published draw of the noise, of the experiment's own on :data:`FRESH` others (of
the first :data:`FRESH_SEEDS` seeds).
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from cdpbook.statistics.estimates import Interval, over_images
from cdplib.errors import DataError
from cdplib.experiments import (
    classifiers,
    degradations,
    device,
    measures,
    networks,
    restoration,
    results,
)
from cdplib.experiments import data as datasets
from cdplib.experiments.material import degraded_split
from cdplib.experiments.settings import Point
from cdplib.storage import files, paths, store
from cdplib.sweeps import compare

#: Draws of the test noise besides the published one, seeds 1 to this.
FRESH, FRESH_SEEDS = 5, 3
#: What names a row within a file.
NAMES = ("beta", "gamma", "seed")


def file(name: str) -> Path:
    """The file of the table ``NAME.csv``."""
    return paths.PUBLISHED / f"{name}_bits.npz"


def label(row: Mapping[str, Any], classifier: str) -> str:
    """The name of one row's bits: ``beta=0.01 gamma=0 seed=0 cnn1``."""
    return " ".join([*(f"{name}={row[name]:g}" for name in NAMES), classifier])


def of(
    row: Mapping[str, Any], nets: Mapping[str, Any], restored: torch.Tensor, labels: torch.Tensor
) -> dict[str, np.ndarray]:
    """The bits of ``row``'s restored images, uint8 (ceil(n / 8),), by :func:`label`."""
    found = {}
    for name, net in nets.items():
        wrong = measures.wrong(measures.outputs(net, restored), labels)
        found[label(row, name)] = np.packbits(wrong.cpu().numpy().astype(bool))
    return found


def add(name: str, bits: Mapping[str, np.ndarray]) -> None:
    """Put ``bits`` into the file of ``name``, in place of those of the same label."""
    known = _read(name)
    content = io.BytesIO()
    np.savez_compressed(content, **dict(sorted({**known, **bits}.items())))  # type: ignore[arg-type]
    files.write_bytes(file(name), content.getvalue())


def _read(name: str) -> dict[str, np.ndarray]:
    """The bits in the file of ``name``, by label; none where there is no file."""
    path = file(name)
    return dict(_content(path, path.stat().st_mtime_ns)) if path.is_file() else {}


@functools.lru_cache(maxsize=4)  # hundreds of entries, of which pages ask for one at a time
def _content(path: Path, changed: int) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as content:
        return {label: content[label] for label in content.files}


def wrong(name: str, row: Mapping[str, Any], classifier: str, n: int = 10_000) -> np.ndarray:
    """Whether each of ``n`` images was misread, bool (n,); :class:`DataError` if not published."""
    wanted = label(row, classifier)
    bits = _read(name).get(wanted)
    if bits is None or len(bits) != -(-n // 8):
        raise DataError(f"{file(name).name}: no bits of {n} images for {wanted!r}")
    return np.unpackbits(bits, count=n).astype(bool)


def difference(
    name: str, one: Mapping[str, Any], other: Mapping[str, Any], classifier: str
) -> Interval:
    """The error rate of ``other`` less that of ``one``, paired; its interval is over images."""
    first, second = (wrong(name, row, classifier).astype(float) for row in (one, other))
    return over_images(second - first)


def of_point(point: Point, key: str) -> dict[str, np.ndarray]:
    """The bits of a trained point from its restorer, which the store keeps under ``key``."""
    on, s = device.choose("auto"), point.settings
    model = restoration.new_restorer(point)
    model.load_state_dict(safetensors.torch.load_file(store.Store().weights_file(key)))
    device.to_device(model, on)
    whole = datasets.load(s.dataset)
    labels = whole.test.tensors(None, on)[1]
    nets = {n: classifiers.get(n, s.dataset, where=str(on)) for n in classifiers.names(s.dataset)}
    restored = networks.restore(model, degraded_split(point, "test").to(on))
    found = of(point.coordinates, nets, restored, labels)
    fresh = point.row.task == "denoising" and point.seed < FRESH_SEEDS
    for draw in range(1, FRESH + 1) if fresh else ():
        noisy = degradations.degrade("noise", whole, "test", draw).to(on)
        own = {f"{s.classifier} draw={draw}": nets[s.classifier]}
        found |= of(point.coordinates, own, networks.restore(model, noisy), labels)
    return found


def write(experiment: str, preset: str) -> None:
    """Publish the bits of every published point of a sweep whose restorer is kept here, each as
    soon as it has them; one thread."""
    name = f"{experiment}_{preset}"
    known = _read(name)
    table = results.load(experiment, preset=preset)
    ends = table["gamma"].isin([table["gamma"].min(), table["gamma"].max()])
    table = table.assign(between=~ends).sort_values(["between", "seed"])  # what pages show first
    for row in table.drop(columns="between").to_dict("records"):
        key = str(row["config_hash"])
        if label(row, str(row["classifier"])) in known:
            continue
        if not store.Store().weights_file(key).is_file():
            print(f"{key[:12]}: its restorer is not kept here", flush=True)
            continue
        with device.one_thread(), device.in_full():
            add(name, of_point(compare.point_of(row), key))
        print(label(row, ""), flush=True)


if __name__ == "__main__":
    write(*sys.argv[1:])
