"""How the schedules of the presets were chosen: each line is one training, judged on validation.

``python -m bench.tuning`` appends to ``book/results/tuning.csv`` what is not there yet;
the appendix on computing shows the table. Nothing here looks at test images.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
import torch
import torch.nn.functional as F

from cdplib.experiments import (
    classifiers,
    data,
    device,
    fitting,
    networks,
    perception,
    restoration,
    settings,
)
from cdplib.experiments.material import Material, degraded_split
from cdplib.experiments.settings import Point
from cdplib.storage import files, paths
from cdplib.sweeps import jobs

CPU = torch.device("cpu")
TABLE = paths.PUBLISHED / "tuning.csv"
KEY = ["experiment", "restorer", "stage", "steps", "batch", "lr", "beta", "gamma"]

#: Pre-training on the MSE alone: (experiment, restorer, steps, batch, peak of the one cycle).
PRETRAIN = [
    *(("exp2", "fast", steps, 50, 0.004) for steps in (3000, 6000, 12000)),
    *(("exp2", "fast", steps, 32, 0.004) for steps in (6000, 9600)),
    *(("exp2", "paper", 1500, 32, lr) for lr in (0.001, 0.002, 0.004)),
    ("exp2", "paper", 3000, 16, 0.002),
    *(("exp4", "fast", 2000, 32, lr) for lr in (0.001, 0.002, 0.004)),
    *(("exp4", "paper", 1000, 32, lr) for lr in (0.001, 0.002, 0.004)),
    *(("exp5", "fast", 1000, 32, lr) for lr in (0.001, 0.002, 0.004)),
    *(("exp5", "paper", 1000, 32, lr) for lr in (0.001, 0.002, 0.004)),
]
#: Points of the preset full, at other lengths: (experiment, restorer, steps, beta, gamma).
POINTS = [("exp2", "paper", steps, 0.03, 0.03) for steps in (200, 400, 600, 1200)]


def validation(point: Point, model: networks.Restorer, judge: bool = False) -> dict[str, float]:
    """MSE and error rate of the predefined classifier on the whole validation split; P if asked."""
    s = point.settings
    clean, labels = data.load(s.dataset).validation.tensors()
    degraded = degraded_split(point, "validation")
    restored = networks.restore(model, degraded)
    classifier = classifiers.get(s.classifier, s.dataset)
    wrong = 1 - fitting.accuracy(classifier, restored, labels)
    found = {"mse": float(F.mse_loss(restored, clean)), "error_rate": wrong}
    if judge:
        found["p_judge"] = perception.judge(restored, clean, paired=True).value
    return found


def add(row: dict[str, Any]) -> None:
    """Append one line to the table, atomically."""
    known = [pd.read_csv(TABLE)] if TABLE.is_file() else []
    table = pd.concat([*known, pd.DataFrame([row])]).sort_values(KEY)
    text = io.StringIO()
    table.to_csv(text, index=False, float_format="%.6g", lineterminator="\n")
    files.write_text(TABLE, text.getvalue())
    print(row, flush=True)


def done(row: dict[str, Any]) -> bool:
    """Whether the table has this line."""
    if not TABLE.is_file():
        return False
    table = pd.read_csv(TABLE)[KEY]
    return bool((table == pd.Series({name: row[name] for name in KEY})).all(axis=1).any())


def pretraining(only: str) -> None:
    """Every line of :data:`PRETRAIN` (of the experiment and restorer ``only``) not yet there."""
    for experiment, restorer, steps, batch, lr in PRETRAIN:
        row = dict(zip(KEY, (experiment, restorer, "pretrain", steps, batch, lr, 0.0, 0.0),
                       strict=True))  # fmt: skip
        if done(row) or not f"{experiment}-{restorer}".startswith(only):
            continue
        given = {"restorer": restorer, "width": 0, "pretrain_steps": steps, "batch": batch,
                 "pretrain_lr": lr}  # fmt: skip
        found = settings.resolve(experiment, "quick", given)
        point = Point(experiment, "quick", found, 1.0, 0.0, 0.0, 0)
        material = Material.load(point, CPU)
        began = time.process_time()
        model, _ = restoration.pretrain(point, material, CPU)
        seconds = time.process_time() - began
        add({**row, **validation(point, model), "cpu_seconds": round(seconds, 1),
             "hardware": device.hardware("cpu")})  # fmt: skip


def points(only: str) -> None:
    """Every line of :data:`POINTS` (of the experiment and restorer ``only``) not yet there."""
    for experiment, restorer, steps, beta, gamma in POINTS:
        given = {"restorer": restorer, "steps": steps}
        found = settings.resolve(experiment, "full", given)
        row = dict(zip(KEY, (experiment, restorer, "point", steps, found.batch, found.lr, beta,
                             gamma), strict=True))  # fmt: skip
        if done(row) or not f"{experiment}-{restorer}".startswith(only):
            continue
        point = Point(experiment, "full", found, 1.0, beta, gamma, 0)
        jobs.run(jobs.Job("start", point), jobs.Site())
        began = time.process_time()
        trained = jobs.train(point, CPU, jobs.Site())
        seconds = time.process_time() - began
        add({**row, **validation(point, trained.restorer, judge=True),
             "cpu_seconds": round(seconds, 1), "hardware": device.hardware("cpu")})  # fmt: skip


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", nargs="?", choices=["pretrain", "point"], help="all if left out")
    parser.add_argument("--only", default="", help="for example exp2-fast")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.stage != "point":
        pretraining(given.only)
    if given.stage != "pretrain":
        points(given.only)


if __name__ == "__main__":
    main()
