"""A user's own images and what reads them: the first part of the page of ``cdp explore``."""

from __future__ import annotations

import pandas as pd

from cdpbook import text
from cdpbook.runs import Run
from cdpbook.statistics import estimates
from cdplib.experiments import classifiers, data, measures, own, settings, table
from cdplib.experiments.material import degraded_split

#: How the page writes the errors of :func:`readers`.
FORMS: dict[str, text.Form] = dict.fromkeys(("clean", "degraded"), lambda e: text.percent(e, 1))


def described(run: Run) -> str:
    """The images and what is done to them, as Markdown."""
    row = table.get(run.experiment)
    done = f"Each image is reduced by {row.factor} and enlarged again, as in {row.label}."
    if row.task == "denoising":
        sigma = f"{run.settings.noise_sigma:g}"
        done = f"Gaussian noise N(0, σ²), σ = {sigma}, is added to pixels in [0, 1], not clipped."
    return f"{text.plain(own.summary(run.settings.dataset))}.\n\n{done}"


def readers(run: Run) -> pd.DataFrame:
    """Each classifier's error rate on clean and on degraded test images, with 95 % intervals over
    images; last the guess of the most frequent class."""
    name, row = run.settings.dataset, settings.points(run.experiment, run.preset, run.settings)[0]
    clean, labels = data.load(name).test.tensors(slice(0, run.settings.test_images))
    degraded = degraded_split(row, "test")[: len(clean)]
    found = []
    for reader in classifiers.shown(name):
        model = classifiers.get(reader, name)
        wrong = (measures.wrong(measures.outputs(model, x), labels) for x in (clean, degraded))
        errors = [estimates.over_images(values.numpy()) for values in wrong]
        found.append((classifiers.display(reader), *errors))
    guess = estimates.over_images((labels != labels.mode().values).float().numpy())
    found.append(("always the most frequent class", guess, guess))
    return pd.DataFrame(found, columns=["read by", "clean", "degraded"])
