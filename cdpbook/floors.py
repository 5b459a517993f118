"""How seldom a classifier of Y itself errs: trained once, measured and published.

``book/results/floors.csv`` has a row a reader (:mod:`cdplib.experiments.reading`) and seed, written
as soon as it is trained: ``python -m cdpbook.floors`` trains what is missing, or what other code
trained, in the order of seeds; with names such as ``mnist/noise/cnn1`` only those.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch

from cdplib.experiments import classifiers, data, datasets, device, generation, measures, reading
from cdplib.experiments.reading import READERS, Reader
from cdplib.storage import files, paths, store

FILE = "floors.csv"
SEEDS = (0, 1, 2)
_KEY = ["dataset", "degradation", "classifier", "seed"]


def rests_on(reader: Reader) -> str:
    """A digest of what a reader's rows need: the data, the recipe and the code that trains it."""
    row = classifiers.get_row(reader.classifier, reader.dataset)
    code = generation.digest(
        "reading.fit", "reading.observed", "measures.wrong", f"classifiers.{row.network.__name__}"
    )
    known = {**asdict(reader), "data": datasets.get(reader.dataset).digest, "code": code}
    return store.digest(known)[:16]


def published() -> pd.DataFrame:
    """Every row that the present code trained; without a file there is none."""
    file = paths.PUBLISHED / FILE
    if not file.is_file():
        return pd.DataFrame(columns=[*_KEY, "rests_on"])
    table = pd.read_csv(file)
    now = {(r.dataset, r.degradation, r.classifier): rests_on(r) for r in READERS}
    keys = table[_KEY[:3]].itertuples(index=False, name=None)
    return table[[now.get(key) == line for key, line in zip(keys, table["rests_on"], strict=True)]]


def trained(reader: Reader, seed: int, where: str = "cpu") -> dict[str, Any]:
    """One row: ``reader`` trained with ``seed``, its error on the test images and at selection."""
    whole = _observed(reader)
    model, facts = reading.fit(reader, whole, seed, where)
    shown, labels = whole.test.tensors()
    wrong = measures.wrong(measures.outputs(model.to("cpu"), shown), labels)
    return {
        **{name: getattr(reader, name) for name in _KEY[:3]},
        "seed": seed,
        "error_rate": measures.mean(wrong),
        "error_rate_se": measures.standard_error(wrong),
        "validation_error": 1 - float(facts["validation_accuracy"]),
        "epoch": int(facts["epoch"]),
        "epochs": reader.recipe.epochs,
        "seconds": int(facts["seconds"]),
        "precision": device.precision(torch.device(where).type),
        "hardware": device.hardware(torch.device(where).type),
        "rests_on": rests_on(reader),
    }


@functools.lru_cache(maxsize=1)
def _observed(reader: Reader) -> data.Dataset:
    return reading.observed(reader, data.load(reader.dataset))


def write(names: Iterable[str] = (), seeds: Iterable[int] = SEEDS) -> None:
    """Train and publish what is missing, one thread; the readers called ``names``, or all."""
    torch.set_num_threads(1)
    wanted = list(names)
    for seed in seeds:
        for reader in READERS:
            name = "/".join((reader.dataset, reader.degradation, reader.classifier))
            known = published()
            there = known[known["rests_on"] == rests_on(reader)]["seed"]
            if (wanted and name not in wanted) or seed in set(there):
                continue
            row = trained(reader, seed)
            print(name, row, flush=True)
            _publish(pd.concat([published(), pd.DataFrame([row])], ignore_index=True))


def _publish(table: pd.DataFrame) -> None:
    table = table[[*_KEY, *(name for name in table if name not in _KEY)]].sort_values(_KEY)
    files.write_table(paths.PUBLISHED / FILE, table)


if __name__ == "__main__":
    write(sys.argv[1:])
