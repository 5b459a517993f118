"""What no training changes: real and unrestored test images as they are measured, published once.

``book/results/references.csv`` has a line a data set, kind of images and measure. A line counts
while the data, the classifier and the code that it rests on are as they were; anything else is
measured anew. ``python -m cdpbook.references`` measures all of it and writes the file.
"""

from __future__ import annotations

import functools
import math

import pandas as pd
from torch import Tensor

from cdplib.errors import unknown
from cdplib.experiments import classifiers, data, datasets, degradations, generation, measures
from cdplib.experiments import perception as of_sets
from cdplib.experiments.perception import Estimate
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import files, paths, store

IMAGES = 10_000
CLEAN = "clean"
PERCEPTION = ("p_judge", "sliced_w2", "frechet")
_LINE = ["dataset", "images", "measure", "n", "rests_on"]


def degradations_of(dataset: str) -> list[str]:
    """The degradations that Table 1 applies to ``dataset`` (Fashion-MNIST: as MNIST)."""
    like = datasets.get(dataset).family
    return list(dict.fromkeys(r.degradation for r in EXPERIMENTS.values() if r.dataset == like))


@functools.cache
def value(dataset: str, images: str, measure: str, n: int = IMAGES) -> Estimate:
    """``measure`` of the first ``n`` test images, ``clean`` or degraded, that nobody restored.

    ``measure`` is ``mse``, ``error_rate_CLASSIFIER`` (in [0, 1]), or one of :data:`PERCEPTION`; of
    clean images the latter are floors, between random halves. The standard error is over the
    images, nan where the measure has none. Raises :class:`InputError` for an unknown name.
    """
    asked = (dataset, images, measure, n, _rests_on(dataset, measure))
    return _published().get(asked) or _measured(dataset, images, measure, n)


def _rests_on(dataset: str, measure: str) -> str:
    """A digest of the data and the classifier that a measure needs."""
    name = measure.removeprefix("error_rate_") if measure.startswith("error_rate_") else ""
    name = classifiers.extractor(dataset) if measure == "frechet" else name
    used = classifiers.key(name, dataset) if name else ""
    data_digest = datasets.get(dataset).digest
    return store.digest({"data": data_digest, "classifier": used, "v": measures.VERSION})[:16]


def _published() -> dict[tuple[str, str, str, int, str], Estimate]:
    file = paths.PUBLISHED / "references.csv"
    if generation.changed() or not file.is_file():
        return {}
    table = pd.read_csv(file, float_precision="round_trip")
    return {
        tuple(row[name] for name in _LINE): Estimate(row["value"], row["se"])
        for row in table.to_dict("records")
    }


def _measured(dataset: str, images: str, measure: str, n: int) -> Estimate:
    whole = data.load(dataset)
    clean, labels = whole.test.tensors(slice(0, n))
    shown = clean if images == CLEAN else degradations.degrade(images, whole, "test")[:n]
    if measure == "mse":
        return _mean(measures.squared_error(shown, clean))
    if measure.startswith("error_rate_"):
        model = classifiers.get(measure.removeprefix("error_rate_"), dataset)
        return _mean(measures.wrong(measures.outputs(model, shown), labels))
    shown = shown.clamp(0, 1)
    one, other = of_sets.halves(len(clean))
    if measure == "p_judge":
        pair = (clean[one], clean[other]) if images == CLEAN else (shown, clean)
        return of_sets.judge(*pair)
    if measure == "sliced_w2":
        return Estimate(of_sets.sliced_w2(shown, clean), math.nan)
    if measure == "frechet":
        features = classifiers.get(classifiers.extractor(dataset), dataset).features
        found = (measures.outputs(features, x) for x in (shown[one], clean[other]))
        return Estimate(of_sets.frechet(*found), math.nan)
    raise unknown("measure", measure, ("mse", "error_rate_CLASSIFIER", *PERCEPTION))


def _mean(values: Tensor) -> Estimate:
    return Estimate(measures.mean(values), measures.standard_error(values))


def write() -> None:
    """Measure everything of the paper's data sets and publish it."""
    lines = []
    for dataset in (name for name, row in datasets.DATASETS.items() if row.paper):
        errors = [f"error_rate_{name}" for name in classifiers.names(dataset)]
        for images in (CLEAN, *degradations_of(dataset)):
            for measure in ("mse", *errors, *PERCEPTION):
                found = _measured(dataset, images, measure, IMAGES)
                key = (dataset, images, measure, IMAGES, _rests_on(dataset, measure))
                lines.append((*key, found.value, found.se))
                print(dataset, images, measure, found.value, flush=True)
    table = pd.DataFrame(lines, columns=[*_LINE, "value", "se"])
    files.write_table(paths.PUBLISHED / "references.csv", table)


if __name__ == "__main__":
    write()
