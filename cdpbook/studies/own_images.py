"""A user's own images and what reads them: the first part of the page of ``cdp explore``."""

from __future__ import annotations

import pandas as pd
from scipy import stats
from torch import Tensor

from cdpbook import text
from cdpbook.runs import Run
from cdpbook.statistics.estimates import LEVEL, Interval
from cdplib.experiments import classifiers, data, datasets, measures, own, settings, table
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
    kinds = datasets.get(run.settings.dataset).classes
    numbered = ", ".join(f"{i} is {text.plain(kind)}" for i, kind in enumerate(kinds))
    summary = text.plain(own.summary(run.settings.dataset))
    return f"{summary}. Figures number the classes: {numbered}.\n\n{done}"


def readers(run: Run) -> pd.DataFrame:
    """Each classifier's error rate on clean and on degraded test images, with 95 % intervals over
    images (Wilson's, which no error at all does not make a point); last the guess of the most
    frequent class."""
    name, row = run.settings.dataset, settings.points(run.experiment, run.preset, run.settings)[0]
    clean, labels = data.load(name).test.tensors(slice(0, run.settings.test_images))
    degraded = degraded_split(row, "test")[: len(clean)]
    found = []
    for reader in classifiers.shown(name):
        model = classifiers.get(reader, name)
        wrong = (measures.wrong(measures.outputs(model, x), labels) for x in (clean, degraded))
        found.append((classifiers.display(reader), *map(_error, wrong)))
    guess = _error((labels != labels.mode().values).float())
    found.append(("always the most frequent class", guess, guess))
    return pd.DataFrame(found, columns=["read by", "clean", "degraded"])


def _error(wrong: Tensor) -> Interval:
    """The mean of ``wrong`` (n,), which is 0 or 1, and its interval."""
    found = stats.binomtest(int(wrong.sum()), len(wrong))
    return Interval(float(wrong.mean()), *found.proportion_ci(1 - LEVEL, "wilson"))
