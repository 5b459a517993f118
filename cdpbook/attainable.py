"""Restorers without training as points beside the published ones, measured once and published.

``book/results/attainable.csv`` has a row a degradation of the digits, restorer and draw of the
noise, in the columns of the published rows. ``published`` is the draw that every published row
has, and has all measures; ``fresh`` are :data:`FRESH` other draws together, one value an image
being its mean over them: the noise of two images is independent, so the standard error over
images has images *and* draws in it. ``python -m cdpbook.attainable``
measures what is missing and writes; with a name, ``noise``, one degradation.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from cdpbook.evidence import FRESH
from cdplib.experiments import classifiers, data, datasets, degradations, generation, measures
from cdplib.experiments import posterior as of_prior
from cdplib.experiments.posterior import Prior
from cdplib.experiments.table import Experiment
from cdplib.storage import files, paths, store

DATASET = "mnist"
FILE = "attainable.csv"
IMAGES = 10_000
#: The column of a class that is read from Y itself, no image being restored.
ERROR_OF_Y = "error_rate_label"
#: The restorer that the fresh draws measure (each takes as long as the published draw).
FRESH_RESTORER = "mean"
BLENDS = (1 / 3, 2 / 3)
KINDS = ("noise", "sr6")
_KEY = ["kind", "restorer", "draw"]
TITLES = {
    "mean": "posterior mean",
    "class_mean": "mean given the likeliest class",
    "sample": "posterior sample",
    "class_sample": "sample given the likeliest class",
    "most_probable": "most probable digit",
    "blend_33": "⅓ sample, ⅔ mean",
    "blend_67": "⅔ sample, ⅓ mean",
    "label": "likeliest class, read from Y",
}


def rests_on(kind: str) -> str:
    """A digest of what the rows of ``kind`` need: data, classifiers, restorers, measures."""
    names = classifiers.names(DATASET)
    used = {name: classifiers.key(name, DATASET) for name in names}
    code = generation.digest(
        "posterior.mnist_prior", "posterior.restore", "posterior.blend", "measures.evaluate"
    )
    known = {"data": datasets.get(DATASET).digest, "classifiers": used, "code": code}
    return store.digest({**known, "kind": kind, "v": measures.VERSION})[:16]


def table(row: Experiment) -> pd.DataFrame:
    """The published rows for an experiment with digits, its classifier's error as ``error_rate``.

    Empty where nothing is published for its degradation, or where it was by other code.
    """
    file = paths.PUBLISHED / FILE
    if row.dataset != DATASET or not file.is_file():
        return pd.DataFrame(columns=["restorer", "draw"])
    found = pd.read_csv(file)
    found = found[
        (found["kind"] == row.degradation) & (found["rests_on"] == rests_on(row.degradation))
    ]
    own = f"error_rate_{row.classifier}"
    return found.assign(error_rate=found[own], error_rate_se=found[f"{own}_se"])


def _restorers(found: of_prior.Restored) -> dict[str, Tensor]:
    blends = {f"blend_{100 * share:.0f}": of_prior.blend(found, share) for share in BLENDS}
    return {name: (found.images | blends)[name] for name in TITLES if name != "label"}


def degraded(kind: str, whole: data.Dataset, split: str, draw: int = 0) -> Tensor:
    """What is observed of a split: noisy images, or reduced ones before they are enlarged."""
    return degradations.degrade(kind, whole, split, draw, low_resolution=kind != "noise")


def _summary(values: dict[str, Tensor]) -> dict[str, float]:
    means = {name: measures.mean(v) for name, v in values.items()}
    return means | {f"{name}_se": measures.standard_error(v) for name, v in values.items()}


def _errors(restored: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return {
        f"error_rate_{name}": measures.wrong(
            measures.outputs(classifiers.get(name, DATASET), restored), labels
        )
        for name in classifiers.names(DATASET)
    }


def _measured(
    kind: str, prior: Prior, whole: data.Dataset, known: set[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    """Every row of ``kind`` that is not ``known``, as (restorer, draw): the published draw by all
    measures, then the fresh ones together."""
    clean, labels = whole.test.tensors()
    start = time.perf_counter()
    found = of_prior.restore(prior, degraded(kind, whole, "test"))
    about = {"draw": "published", "draws": 1, "seconds": time.perf_counter() - start}
    if ("label", "published") not in known:
        shown, wanted = degraded(kind, whole, "validation"), whole.validation.tensors()[1]
        chosen = measures.mean((of_prior.restore(prior, shown).label != wanted).float())
        row = _summary({ERROR_OF_Y: (found.label != labels).float()})
        yield about | {"restorer": "label", "validation_error": chosen} | row
    features = classifiers.get(classifiers.extractor(DATASET), DATASET).features
    own = classifiers.get(classifiers.predefined(DATASET)[0], DATASET)
    for name, restored in _restorers(found).items():
        if (name, "published") in known:
            continue
        row = measures.evaluate(restored, clean, labels, own, feature_net=features)
        row = {c: v for c, v in row.items() if c != "ce" and not c.startswith("error_rate")}
        yield about | {"restorer": name} | row | _summary(_errors(restored, labels))
    if kind == "noise" and (FRESH_RESTORER, "fresh") not in known:
        yield from _fresh(prior, whole)


def _fresh(prior: Prior, whole: data.Dataset) -> Iterator[dict[str, Any]]:
    """:data:`FRESH_RESTORER` and the likeliest class on other draws of the noise."""
    clean, labels = whole.test.tensors()
    start, total = time.perf_counter(), dict[str, Tensor]()
    for draw in range(1, FRESH + 1):
        found = of_prior.restore(prior, degraded("noise", whole, "test", draw), draw)
        restored = found.images[FRESH_RESTORER]
        values = {
            ERROR_OF_Y: (found.label != labels).float(),
            "mse": measures.squared_error(restored, clean),
            **_errors(restored, labels),
        }
        total = {name: total.get(name, 0) + value / FRESH for name, value in values.items()}
    about = {"draw": "fresh", "draws": FRESH, "seconds": time.perf_counter() - start}
    yield about | {"restorer": "label"} | _summary({ERROR_OF_Y: total.pop(ERROR_OF_Y)})
    yield about | {"restorer": FRESH_RESTORER} | _summary(total)


def write(kinds: Sequence[str] = KINDS) -> None:
    """Measure what is missing of ``kinds`` and publish each row as it is there; one core."""
    torch.set_num_threads(1)
    whole = data.load(DATASET)
    for kind in kinds:
        prior, start = of_prior.mnist_prior(kind, whole), time.perf_counter()
        about = {"kind": kind, "rests_on": rests_on(kind), "n": IMAGES, "width": prior.width}
        for row in _measured(kind, prior, whole, _known(kind)):
            _publish(about | row)
            print(kind, row["restorer"], row["draw"], row.get("mse"), flush=True)
        print(f"{kind}: {(time.perf_counter() - start) / 60:.1f} minutes", flush=True)


def _known(kind: str) -> set[tuple[str, str]]:
    file = paths.PUBLISHED / FILE
    if not file.is_file():
        return set()
    old = pd.read_csv(file)
    old = old[(old["kind"] == kind) & (old["rests_on"] == rests_on(kind))]
    return set(old[["restorer", "draw"]].itertuples(index=False, name=None))


def _publish(row: dict[str, Any]) -> None:
    """Add ``row`` to the published ones, in place of one of the same name."""
    file, table = paths.PUBLISHED / FILE, pd.DataFrame([row])
    if file.is_file():
        old = pd.read_csv(file)
        table = pd.concat([old, table], ignore_index=True).drop_duplicates(_KEY, keep="last")
    first = [*_KEY, "draws", "n", "width", "rests_on", "seconds"]
    table = table[[*first, *(column for column in table if column not in first)]]
    files.write_table(file, table)


if __name__ == "__main__":
    write(sys.argv[1:] or KINDS)
