"""Batch statistics at test time against running ones, measured once and published.

``book/results/batches.csv`` has a row a kind of statistics, for the shipped restorers of Exp-2's
quick rows. A row counts while those rows, the images and the code are as they were; anything else
is measured where it is asked for. ``python -m cdpbook.batches`` measures and writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import torch

from cdpbook import checked, runs
from cdpbook.statistics.estimates import Interval, over_images
from cdplib.experiments import classifiers, data, generation, measures, networks
from cdplib.experiments.material import degraded_split
from cdplib.storage import files, paths, store
from cdplib.sweeps import publication

FILE = "batches.csv"
#: What is published: the batches and the test images that pages ask for.
SIZES, IMAGES = (1, 50, 10_000), 10_000
_MEANS = ("mse", "error_rate")
_CHANGES = ("mse_change", "error_rate_change")


def statistics_at_test(run: runs.Run, sizes: Iterable[int], images: int) -> pd.DataFrame:
    """D and C of shipped restorers under running and batch statistics, on the first test images.

    One row a kind, ``statistics`` (``running``, or ``batch of N`` for every N of ``sizes``): means
    over the restorers, ``mse, error_rate``, and ``mse_change, error_rate_change`` from ``running``,
    intervals over the images, each compared with itself. Empty if no restorer is shipped.
    """
    kinds = _kinds(sizes)
    known = _published(_rests_on(run, images))
    if set(kinds) <= set(known.index):
        return known.loc[list(kinds)].reset_index()
    return _measured(run, kinds, images)


def _kinds(sizes: Iterable[int]) -> dict[str, tuple[str, int]]:
    return {"running": ("running", 50), **{f"batch of {n:,}": ("batch", n) for n in sizes}}


def _rests_on(run: runs.Run, images: int) -> str:
    """A digest of the shipped restorers, the images, and the code that restores and measures."""
    shipped = [row for row in run.table.to_dict("records") if publication.is_shipped(row)]
    code = generation.digest("networks.restore", "measures.outputs", "measures.squared_error")
    keys = sorted(str(row["config_hash"]) for row in shipped)
    return store.digest({"restorers": keys, "images": images, "code": code})[:16]


def _published(rests_on: str) -> pd.DataFrame:
    file = paths.PUBLISHED / FILE
    if not file.is_file():
        return pd.DataFrame()
    table = pd.read_csv(file, dtype={"rests_on": str}, float_precision="round_trip")
    table = table[table["rests_on"] == rests_on].set_index("statistics")
    for name in _CHANGES:
        ends = table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(float)
        table[name] = pd.Series([Interval(*map(float, row)) for row in ends], table.index, object)
    return table[[*_MEANS, *_CHANGES]]


def _measured(run: runs.Run, kinds: Mapping[str, tuple[str, int]], images: int) -> pd.DataFrame:
    found: dict[str, list[np.ndarray]] = {title: [] for title in kinds}
    for row in run.table.to_dict("records"):
        kept = checked.restorer(row)
        if kept is None:
            continue
        point, restorer = kept
        clean, labels = data.load(point.settings.dataset).test.tensors(slice(0, images))
        degraded = degraded_split(point, "test")[:images]
        model = classifiers.get(point.settings.classifier, point.settings.dataset)
        for title, (kind, size) in kinds.items():
            restored = networks.restore(restorer, degraded, statistics=kind, batch=size)
            wrong = measures.wrong(measures.outputs(model, restored), labels)
            errors = measures.squared_error(restored, clean)
            found[title].append(torch.stack([errors, wrong]).double().numpy())
    if not found["running"]:
        return pd.DataFrame()
    # (2, images) a kind: what the restorers give for an image is averaged before anything else.
    each = {title: np.mean(values, axis=0) for title, values in found.items()}
    lines = []
    for title, now in each.items():
        line: dict[str, object] = {"statistics": title}
        for name, mine, running in zip(_MEANS, now, each["running"], strict=True):
            line |= {name: mine.mean(), f"{name}_change": over_images(mine - running)}
        lines.append(line)
    return pd.DataFrame(lines)


def write() -> None:
    """Measure :data:`SIZES` on :data:`IMAGES` test images and publish them; one core, minutes."""
    torch.set_num_threads(1)
    run = runs.published_run("exp2", [("quick", "fast")])
    assert run is not None
    table = _measured(run, _kinds(SIZES), IMAGES)
    for name in _CHANGES:
        ends = list(table[name])
        for k, end in enumerate(("", "_lower", "_upper")):
            table[f"{name}{end}"] = [interval[k] for interval in ends]
    table.insert(0, "rests_on", _rests_on(run, IMAGES))
    files.write_table(paths.PUBLISHED / FILE, table)


if __name__ == "__main__":
    write()
