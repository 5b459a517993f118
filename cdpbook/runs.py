"""What an experiment's page shows: published rows or rows trained here, with images and floors.

The five experiment chapters are five calls of :func:`results`; where their numbers come from is
decided here and said on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from cdpbook import claims, references, text
from cdpbook.asked import asked as asked
from cdpbook.asked import refuse
from cdpbook.claims import NAMES
from cdpbook.statistics.trends import over_seeds
from cdplib.errors import DataError, InputError, unknown
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
#: to show that they run, or the whole book would take an hour.
FALLBACK = {"exp2": "quick"}


@dataclass
class Run:
    """The rows that a chapter shows, where they come from, and their images."""

    experiment: str
    settings: Settings
    preset: str
    table: pd.DataFrame
    published: bool
    given: Mapping[str, Any] = field(default_factory=dict)
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
        table, own = self.table, self.settings
        minutes = table["seconds"].sum() / 60
        took = f"{minutes:.0f} minutes" if minutes >= 1 else "less than a minute"
        given = dict(self.given)
        if self.published and (drawn := sorted({int(s) for s in table["seed"]})) != [0]:
            given["seeds"] = drawn
        extra = "".join(f" -p {name}={value}".replace(", ", ",") for name, value in given.items())
        kept = "Published rows" if self.published else "Trained on this machine, now or before"
        said = (
            f"**{kept}**, preset `{self.preset}`: {len(self.points())} pairs of weights, "
            f"{text.count(table['seed'].nunique(), 'seed')} each; restorer `{own.restorer}`, "
            f"trained against {NAMES[self.trained_against or own.classifier]} on `{own.dataset}`, "
            f"read by {self.classifier} on {own.test_images:,} test images. "
            f"{int(table['steps'].max())} steps a point, {took} of one core without the "
            f"pre-training, on {', '.join(sorted(set(table['hardware'].map(text.plain))))}: "
            f"`cdp sweep {self.experiment} --preset {self.preset}{extra}`."
        )
        if self.published:
            said += " For other weights, seeds or steps take a preset that trains, such as `quick`."
            if changed := generation.changed():
                said += (
                    " **These rows come from other code than this copy's**, which has changed "
                    f"({text.listed(changed)}): a preset that trains shows what it gives."
                )
        if why := claims.untestable(table):
            said += f" **This shows that everything runs, not a trade-off: {why}.**"
        return said

    def points_table(self, perception: str = "p_judge") -> str:
        """The points as a Markdown table: weights, D, C, cross entropy, P, other classifiers."""

        def measured(row: Any, column: str) -> str:
            levels = (text.quantity(column).number(row[c]) for c in (column, f"{column}_bar"))
            return "\u00a0±\u00a0".join(levels)

        names = {f"error_rate_{name}": NAMES[name] for name in self.shown_others()}
        head = ["β", "γ", "D (MSE)", f"C of {self.classifier} (%)", "cross entropy"]
        head += [f"P (`{perception}`)", *(f"C of {name} (%)" for name in names.values())]
        rows = [
            (f"{row['beta']:g}", f"{row['gamma']:g}", measured(row, "mse"),
             measured(row, "error_rate"), text.quantity("ce").number(row["ce"]),
             measured(row, perception), *(text.quantity(c).number(row[c]) for c in names))
            for _, row in self.points().iterrows()
        ]  # fmt: skip
        return text.table(rows, head)

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
        betas, gammas = (spread(table[n], k) for n, k in (("beta", rows), ("gamma", columns)))
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
    own = run.settings.classifier
    former = f"error_rate_{own}"
    swap = {
        "error_rate": former, "error_rate_se": f"{former}_se",
        column: "error_rate", f"{column}_se": "error_rate_se",
    }  # fmt: skip
    table = run.table.rename(columns=swap).assign(ce=np.nan)
    other = run.settings._replace(classifier=name)
    return replace(run, table=table, settings=other, trained_against=own)


def results(
    experiment: str, preset: str, given: Mapping[str, Any] | None = None, betas: int = 0
) -> Run:
    """The rows that a chapter shows under ``preset``, the reader's own settings over it.

    ``read`` shows the published rows, and trains (:data:`FALLBACK`) only where there are none;
    every other preset trains what its store does not have yet.
    ``betas``: where points must be trained, take so many of the grid's betas (0: all).

    Raises :class:`InputError` for wrong settings, and for changed ones under ``read``;
    :class:`DataError` if no point could be trained.
    """
    given = dict(given or {})
    refuse(experiment, preset, given)
    if preset == "read":
        if (shown := published_run(experiment)) is not None:
            return shown
        preset = FALLBACK.get(experiment, "smoke")
    own = settings.resolve(experiment, preset, given)
    if betas:
        given["betas"] = spread(own.betas, betas)
        own = own._replace(betas=given["betas"])
    table = sweep.run(experiment, own, preset=preset, progress=True)
    if table.empty:
        raise DataError(f"{experiment}: every point failed; cdp sweep {experiment} says why")
    return Run(experiment, own, preset, with_errors(table, own.test_images), False, given)


def of(table: pd.DataFrame) -> Run:
    """Published rows as :func:`cdplib.experiments.results.load` gives them, as a page shows them.

    Of a sweep that is still being published the seeds that are complete count: those with as many
    points as any, but for one in ten (a point that failed in one seed is missing there for good).
    Raises :class:`InputError` where the rows are not of one experiment, preset, restorer and data
    set.
    """
    one = {}
    for name in ("experiment", "preset", "restorer", "dataset"):
        values = [str(value) for value in table[name].unique()]
        if len(values) != 1:
            raise InputError(f"{name} of the rows is {text.listed(values) or 'none'}: expected one")
        one[name] = values[0]
    experiment, preset = one.pop("experiment"), one.pop("preset")
    own = settings.resolve(experiment, preset, {**one, "width": 0})
    counts = table.groupby("seed").size()
    whole = table["seed"].isin(counts.index[counts >= 0.9 * counts.max()])
    rows = with_errors(table[whole].reset_index(drop=True), own.test_images)
    return Run(experiment, own, preset, rows, True)


def published_run(experiment: str, preferred: Iterable[tuple[str, str]] = PREFERRED) -> Run | None:
    """:func:`matched_runs` of one experiment: its preferred published run, or None."""
    return matched_runs((experiment,), preferred).get(experiment)


def published_runs(preferred: Iterable[tuple[str, str]] = PREFERRED) -> dict[str, Run]:
    """:func:`published_run` of every experiment that has one, by name."""
    preferred = tuple(preferred)
    found = {name: published_run(name, preferred) for name in EXPERIMENTS}
    return {name: run for name, run in found.items() if run is not None}


def matched_runs(
    names: Iterable[str], preferred: Iterable[tuple[str, str]] = PREFERRED
) -> dict[str, Run]:
    """The runs of ``names`` under the first of the ``preferred`` (preset, restorer) that all have.

    A table counts when it has a sheet of at least 2 x 2 weights; one of fewer than
    :data:`ENOUGH_SEEDS` seeds gives way to a later one that has more. Empty if there is none.
    """
    try:
        tables = {name: published.load(name) for name in names}
    except DataError:
        return {}
    best: tuple[int, dict[str, Run]] = (0, {})
    for preset, restorer in preferred if tables else ():
        rows = [t[(t["preset"] == preset) & (t["restorer"] == restorer)] for t in tables.values()]
        if any(min(t["beta"].nunique(), t["gamma"].nunique()) < 2 for t in rows):
            continue
        runs = dict(zip(tables, map(of, rows), strict=True))
        seeds = min(ENOUGH_SEEDS, *(run.table["seed"].nunique() for run in runs.values()))
        if seeds > best[0]:
            best = seeds, runs
    return best[1]


def with_errors(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """``table`` with the binomial standard error, over ``n`` images, of other error rates."""
    table = table.copy()
    for name in claims.others(table):
        rate = table[f"error_rate_{name}"]
        table[f"error_rate_{name}_se"] = np.sqrt(rate * (1 - rate) / n)
    return table


def spread(values: Iterable[float], most: int) -> list[float]:
    """At most ``most`` of the sorted different values, evenly spread, both ends among them."""
    different = sorted(set(values))
    chosen = np.linspace(0, len(different) - 1, min(most, len(different))).round().astype(int)
    return [different[k] for k in chosen]


def floor(dataset: str, measure: str, n: int = 10_000) -> float | None:
    """The value of :func:`floor_estimate`; None for ``p_critic``."""
    found = floor_estimate(dataset, measure, n)
    return None if found is None else found.value


def floor_estimate(dataset: str, measure: str, n: int = 10_000) -> perception.Estimate | None:
    """``measure`` between random halves of the first ``n`` real test images; None: ``p_critic``.

    Its standard error is over the images, and nan for the measures that have none of their own.
    """
    if measure == "p_critic":
        return None  # every run has its own critic
    return references.value(dataset, references.CLEAN, measure, n)
