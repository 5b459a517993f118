"""What an experiment's page shows: published rows or rows trained here, with images and floors.

The five experiment chapters are five calls of :func:`results`; where their numbers come from is
decided here and said on the page.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from cdpbook import claims
from cdpbook.claims import NAMES
from cdpbook.statistics.trends import over_seeds
from cdplib import parameters
from cdplib.errors import DataError, unknown
from cdplib.experiments import classifiers, data, generation, perception, settings
from cdplib.experiments import results as published
from cdplib.experiments.settings import Settings
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import store
from cdplib.sweeps import jobs, sweep

#: Published tables in the order in which a page prefers them.
PREFERRED = (("full", "paper"), ("full", "fast-large"), ("full", "fast"), ("quick", "fast"))
#: Seeds that give an interval worth its name.
ENOUGH_SEEDS = 3
#: What `read` trains where nothing is published: one experiment's coarse grid, the others only
#: to show that they run, or the whole book would take an hour. A reader's own settings: quick.
FALLBACK = {"exp2": "quick"}


def asked(experiment: str, preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a reader changed: those in ``values`` that differ from the preset's.

    ``values`` is a chapter's namespace. An empty list, 0, ``default`` and a name that is no
    setting all mean "as in the preset".
    """
    known = settings.declared()
    base = parameters.preset(preset, ["all", experiment], known)
    found = {}
    for name in known:
        value = values.get(name)
        if value in (None, [], 0, "", "default", False) or value == base.get(name):
            continue
        found[name] = value
    return found


@dataclass
class Run:
    """The rows that a chapter shows, where they come from, and their images."""

    experiment: str
    settings: Settings
    preset: str
    table: pd.DataFrame
    published: bool
    given: Mapping[str, Any] = field(default_factory=dict)
    fallback: bool = False  # `read` without published rows
    trained_against: str = ""  # where it is not the classifier that gives C (:func:`seen_by`)

    @property
    def classifier(self) -> str:
        """The name of the classifier whose error rate is C, as the text writes it."""
        return NAMES[self.settings.classifier]

    def points(self) -> pd.DataFrame:
        """One row per pair of weights, means over seeds: see :func:`.trends.over_seeds`."""
        return over_seeds(self.table)

    def origin(self) -> str:
        """A paragraph of Markdown: which rows these are, how many, what they took."""
        points, table = self.points(), self.table
        minutes = table["seconds"].sum() / 60
        seeds = table["seed"].nunique()
        count = f"{len(points)} pairs of weights, {seeds} {'seed' if seeds == 1 else 'seeds'} each"
        took = (
            f"{int(table['steps'].max())} steps a point, {minutes:.0f} minutes of one core without "
            "the pre-training"
            if minutes >= 1
            else f"{int(table['steps'].max())} steps a point, less than a minute of one core"
        )
        machine = ", ".join(sorted(set(table["hardware"].astype(str))))
        given = dict(self.given)
        if self.published and (drawn := sorted({int(s) for s in table["seed"]})) != [0]:
            given["seeds"] = drawn
        extra = "".join(f" -p {name}={_plain(value)}" for name, value in given.items())
        command = f"`cdp sweep {self.experiment} --preset {self.preset}{extra}`"
        which = (
            f"**Published rows** of preset `{self.preset}`"
            if self.published
            else f"**Trained on this machine** (or kept from before) in preset `{self.preset}`"
        )
        text = (
            f"{which}: {count}; restorer `{self.settings.restorer}`, trained against "
            f"{NAMES[self.trained_against or self.settings.classifier]} on "
            f"`{self.settings.dataset}`, C measured by {self.classifier} on "
            f"{self.settings.test_images:,} test images. {took}, on {machine}. "
            f"The command: {command}."
        )
        if self.published:
            text += (
                " The weights, seeds and steps of the parameters cell take effect only in presets "
                "that train."
            )
            if other := generation.changed():
                text += (
                    " **These rows come from other code than this copy's**, which has changed "
                    f"({', '.join(other)}): a preset that trains shows what it gives."
                )
        elif self.fallback:
            text += (
                f" Nothing is published for this experiment yet; `cdp sweep {self.experiment} "
                f"--preset quick` trains its coarse grid."
            )
        why = claims.untestable(table)
        if why:
            text += f" **This shows that everything runs, not a trade-off: {why}.**"
        return text

    def points_table(self, perception: str = "p_judge") -> str:
        """The points as a Markdown table: weights, D, C, cross entropy, P, other classifiers."""
        points = self.points()
        others = self.shown_others()
        head = [
            "β",
            "γ",
            "D (MSE)",
            f"C of {self.classifier} (%)",
            "cross entropy",
            f"P (`{perception}`)",
        ]
        head += [f"C of {NAMES[name]} (%)" for name in others]
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for _, row in points.iterrows():
            cells = [
                f"{row['beta']:g}",
                f"{row['gamma']:g}",
                f"{row['mse']:.5f} ± {row['mse_bar']:.5f}",
                f"{100 * row['error_rate']:.2f} ± {100 * row['error_rate_bar']:.2f}",
                f"{row['ce']:.3f}",
                f"{row[perception]:.3f} ± {row[f'{perception}_bar']:.3f}",
            ]
            cells += [f"{100 * row[f'error_rate_{name}']:.2f}" for name in others]
            lines.append("| " + " | ".join(c.replace(" ± ", "\u00a0±\u00a0") for c in cells) + " |")
        return "\n".join(lines)

    def shown_others(self, most: int = 2) -> tuple[str, ...]:
        """The classifiers to show beside the predefined one: independent ones first."""
        order = classifiers.shown(self.settings.dataset)
        against = {self.settings.classifier}
        if self.settings.against == "ensemble":
            against |= set(classifiers.ensemble(self.settings.dataset))
        measured = claims.others(self.table)
        return tuple(name for name in order if name in measured and name not in against)[:most]

    def floor(self, measure: str) -> float | None:
        """What ``measure`` gives for real test images against others; None for the run's critic."""
        return floor(self.settings.dataset, measure, self.settings.test_images)

    def images(self, count: int = 12, rows: int = 3, columns: int = 3) -> dict[str, Any]:
        """The arguments of :func:`cdpbook.figures.samples.weights_grid` for some of the points.

        At most ``rows`` betas and ``columns`` gammas, evenly spread over the grid and with both
        ends; ``count`` of the kept test images, first those that the classifier does not read
        alike in all of the points, then the others in their order; the least seed.
        """
        table = self.table[self.table["seed"] == self.table["seed"].min()]
        betas, gammas = (_spread(table[n], k) for n, k in (("beta", rows), ("gamma", columns)))
        kept = self._samples()
        restored, predicted = {}, {}
        model = classifiers.get(self.settings.classifier, self.settings.dataset)
        for row in table.itertuples():
            images = kept.get(row.config_hash)
            if row.beta not in betas or row.gamma not in gammas or images is None:
                continue
            tensor = data.to_tensor(images)
            restored[row.beta, row.gamma] = tensor.numpy()
            with torch.no_grad():
                predicted[row.beta, row.gamma] = model(tensor).argmax(1).numpy()
        read = np.array(list(predicted.values()))
        alike = (read == read[:1]).all(axis=0) if len(read) else np.ones(len(kept["labels"]), bool)
        chosen = np.argsort(alike, kind="stable")[:count]
        return {
            "original": data.to_tensor(kept["clean"][chosen]).numpy(),
            "degraded": data.to_tensor(kept["degraded"][chosen]).numpy(),
            "restored": {key: images[chosen] for key, images in restored.items()},
            "predicted": {key: classes[chosen] for key, classes in predicted.items()},
            "labels": kept["labels"][chosen],
        }

    def _samples(self) -> dict[str, np.ndarray]:
        if self.published:
            return published.samples(self.experiment)
        points = settings.points(self.experiment, self.preset, self.settings)
        own = {key: store.Store().samples(key) for key in self.table["config_hash"]}
        found = {key: images for key, images in own.items() if images is not None}
        return {**jobs.test_samples(points[0]), **found}


def seen_by(run: Run, name: str) -> Run:
    """``run`` with another classifier's error rate as C: its restorers transferred to it.

    The cross entropy of that classifier was not measured: ``ce`` is NaN. Raises
    :class:`InputError` if its error rate was not measured either.
    """
    column = f"error_rate_{name}"
    if column not in run.table:
        raise unknown("measured classifier", name, claims.others(run.table))
    former = f"error_rate_{run.settings.classifier}"
    swap = {
        "error_rate": former, "error_rate_se": f"{former}_se",
        column: "error_rate", f"{column}_se": "error_rate_se",
    }  # fmt: skip
    table = run.table.rename(columns=swap).assign(ce=np.nan)
    return replace(
        run,
        table=table,
        settings=run.settings._replace(classifier=name),
        trained_against=run.settings.classifier,
    )


def results(
    experiment: str, preset: str, given: Mapping[str, Any] | None = None, betas: int = 0
) -> Run:
    """The rows that a chapter shows under ``preset``, the reader's own settings over it.

    ``read`` shows the published rows if nothing was changed and any are there, and trains
    otherwise (``quick`` if something was changed, else :data:`FALLBACK`); every other preset
    trains what its store does not have yet.
    ``betas``: where points must be trained, take so many of the grid's betas (0: all).

    Raises :class:`InputError` for wrong settings, :class:`DataError` if no point could be trained.
    """
    given = dict(given or {})
    fallback = preset == "read" and not given
    if preset == "read":
        shown = None if given else published_run(experiment)
        if shown is not None:
            return shown
        preset = "quick" if given else FALLBACK.get(experiment, "smoke")
    own = settings.resolve(experiment, preset, given)
    if betas:
        given["betas"] = _spread(own.betas, betas)
        own = settings.resolve(experiment, preset, given)
    table = sweep.run(experiment, own, preset=preset, progress=True)
    if table.empty:
        raise DataError(f"{experiment}: every point failed; cdp sweep {experiment} says why")
    return Run(experiment, own, preset, with_errors(table, own.test_images), False, given, fallback)


def published_run(experiment: str, preferred: Iterable[tuple[str, str]] = PREFERRED) -> Run | None:
    """The first of the ``preferred`` (preset, restorer) that is published, or None.

    A table counts when it has a sheet of at least 2 x 2 weights; one of fewer than
    :data:`ENOUGH_SEEDS` seeds gives way to a later one that has more. Of a sweep that is still
    being published the seeds that are complete are shown.
    """
    try:
        table = published.load(experiment)
    except DataError:
        return None
    best: tuple[int, Run | None] = (0, None)
    for preset, restorer in preferred:
        rows = table[(table["preset"] == preset) & (table["restorer"] == restorer)]
        if rows["beta"].nunique() < 2 or rows["gamma"].nunique() < 2:
            continue
        own = settings.resolve(experiment, preset, {"restorer": restorer, "width": 0})
        rows = with_errors(_whole_seeds(rows), own.test_images)
        seeds = min(rows["seed"].nunique(), ENOUGH_SEEDS)
        if seeds > best[0]:
            best = seeds, Run(experiment, own, preset, rows, True, {})
    return best[1]


def published_runs(preferred: Iterable[tuple[str, str]] = PREFERRED) -> dict[str, Run]:
    """:func:`published_run` of every experiment that has one, by name."""
    preferred = tuple(preferred)
    found = {name: published_run(name, preferred) for name in EXPERIMENTS}
    return {name: run for name, run in found.items() if run is not None}


def matched_runs(
    names: Iterable[str], preferred: Iterable[tuple[str, str]] = PREFERRED
) -> dict[str, Run]:
    """The runs of ``names`` under the first of the ``preferred`` that every one of them has.

    While a sweep's rows come in experiment by experiment, :func:`published_runs` may mix presets;
    these do not. As in :func:`published_run` fewer than :data:`ENOUGH_SEEDS` seeds in any of them
    give way to a later one with more in all. Empty if they have none in common.
    """
    names, best = tuple(names), (0, dict[str, Run]())
    for pair in preferred:
        found = {name: published_run(name, [pair]) for name in names}
        runs = {name: run for name, run in found.items() if run is not None}
        if not names or len(runs) < len(names):
            continue
        seeds = min(ENOUGH_SEEDS, *(run.table["seed"].nunique() for run in runs.values()))
        if seeds > best[0]:
            best = seeds, runs
    return best[1]


def _whole_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the seeds that have as many points as any, but for one in ten.

    A point that failed in one seed is missing there for good.
    """
    counts = rows.groupby("seed").size()
    whole = counts.index[counts >= 0.9 * counts.max()]
    return rows[rows["seed"].isin(whole)].reset_index(drop=True)


def with_errors(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """``table`` with the binomial standard error, over ``n`` images, of other error rates."""
    table = table.copy()
    for name in claims.others(table):
        rate = table[f"error_rate_{name}"]
        table[f"error_rate_{name}_se"] = np.sqrt(rate * (1 - rate) / n)
    return table


def _plain(value: Any) -> str:
    """A value as it is written after ``-p NAME=``."""
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _spread(values: Iterable[float], most: int) -> list[float]:
    """At most ``most`` of the sorted different values, evenly spread, both ends among them."""
    different = sorted(set(values))
    chosen = np.linspace(0, len(different) - 1, min(most, len(different))).round().astype(int)
    return [different[k] for k in chosen]


def floor(dataset: str, measure: str, n: int = 10_000) -> float | None:
    """The value of :func:`floor_estimate`; None for ``p_critic``."""
    found = floor_estimate(dataset, measure, n)
    return None if found is None else found.value


@functools.cache
def floor_estimate(dataset: str, measure: str, n: int = 10_000) -> perception.Estimate | None:
    """``measure`` between random halves of the first ``n`` real test images; None: ``p_critic``.

    Its standard error is over the images, and nan for the measures that have none of their own.
    """
    if measure == "p_critic":
        return None  # every run has its own critic
    clean, _ = data.load(dataset).test.tensors(slice(0, n))
    one, other = perception.halves(len(clean))
    if measure == "p_judge":
        return perception.judge(clean[one], clean[other])
    if measure == "sliced_w2":
        return perception.Estimate(perception.sliced_w2(clean, clean), math.nan)
    if measure == "frechet":
        from cdplib.experiments import measures

        model = classifiers.get(classifiers.extractor(dataset), dataset)
        halves = (measures.outputs(model.features, clean[half]) for half in (one, other))
        return perception.Estimate(perception.frechet(*halves), math.nan)
    raise unknown("measure of perception", measure, ("p_judge", "p_critic", "sliced_w2", "frechet"))
