"""Restorers trained against an ensemble of classifiers, beside those against one, and against none.

The published rows of the ablation ``against=ensemble`` are paired with the main table's.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cdpbook import runs
from cdpbook.runs import Run
from cdpbook.statistics import trends
from cdpbook.statistics.trends import Effect
from cdpbook.studies import transfer
from cdpbook.studies.transfer import MEAN, OWN, SCHEDULE, column
from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers, results

VARIANT = "against=ensemble"


@dataclass(frozen=True)
class Line:
    """One measured column under three trainings: changes from no cross entropy (the least gamma)
    to that of ``one`` classifier and of the ``ensemble``, and from the one to the ensemble."""

    column: str
    role: str  # predefined, member, independent, or the letter D or P
    one: Effect
    ensemble: Effect
    change: Effect


@dataclass(frozen=True)
class Ensemble:
    """Restorers trained against several classifiers, beside those against one, at one gamma."""

    experiment: str
    preset: str
    members: tuple[str, ...]
    gamma: float
    betas: tuple[float, ...]
    seeds: int
    lines: tuple[Line, ...]

    def line(self, name: str) -> Line:
        """The line of column ``name``."""
        return next(line for line in self.lines if line.column == name)


def _paired(before: pd.DataFrame, after: pd.DataFrame, name: str) -> Effect:
    """The change of ``name`` between rows of equal beta and seed, with its interval.

    It is :func:`.trends.effect` with the way of training in the place of gamma.
    """
    return trends.effect(
        pd.concat([before.assign(gamma=0.0), after.assign(gamma=1.0)]), "gamma", name
    )


def _shown(run: Run, members: tuple[str, ...], apart: list[str]) -> list[tuple[str, str]]:
    """The columns of error rates with their roles: predefined, members, independent, their mean."""
    others = [n for n in members if n != run.settings.classifier and column(n) in run.table]
    shown = [(OWN, "predefined"), *((column(n), "member") for n in others)]
    shown += [(column(n), "independent") for n in apart]
    return [*shown, (MEAN, "independent")] if apart else shown


def compare(run: Run, rows: pd.DataFrame, perception: str = "p_judge") -> Ensemble | None:
    """``rows`` (trained against an ensemble) beside ``run``'s of equal beta, gamma and seed.

    Only pairs with equal :data:`.transfer.SCHEDULE` count; of several gammas the greatest. None
    where no pair is left, or no lesser gamma to compare both with. Raises :class:`InputError`
    where beta and seed of those do not agree.
    """
    schedule = [name for name in SCHEDULE if name in rows and name in run.table]
    rows = rows.merge(run.table[[*trends.WEIGHTS, "seed", *schedule]])
    if rows.empty:
        return None
    gamma = float(rows["gamma"].max())
    rows = rows[rows["gamma"] == gamma]
    base = run.table.merge(rows[["beta", "seed"]])
    if base["gamma"].min() == gamma:
        return None
    members = (run.settings.classifier, *classifiers.ensemble(run.settings.dataset))
    members = tuple(dict.fromkeys(members))
    apart = [name for name in transfer.independent(run) if name not in members]
    if apart:
        base, rows = transfer.with_mean(base, apart), transfer.with_mean(rows, apart)
    plain, one = base[base["gamma"] == base["gamma"].min()], base[base["gamma"] == gamma]
    lines = tuple(
        Line(name, role, _paired(plain, one, name), _paired(plain, rows, name),
             _paired(one, rows, name))
        for name, role in [*_shown(run, members, apart), ("mse", "D"), (perception, "P")]
    )  # fmt: skip
    betas, seeds = tuple(transfer.values(rows, "beta")), rows["seed"].nunique()
    return Ensemble(run.experiment, run.preset, members, gamma, betas, seeds, lines)


def published(source: str = "preferred", perception: str = "p_judge") -> dict[str, Ensemble]:
    """Every published comparison of an ensemble with one classifier, by experiment."""
    found: dict[str, Ensemble] = {}
    for experiment in runs.EXPERIMENTS:
        for preset, restorer in transfer.SOURCES[source]:
            run = runs.published_run(experiment, ((preset, restorer),))
            if run is None:
                continue
            chosen = {"restorer": restorer, "dataset": run.settings.dataset}
            try:
                rows = results.load(experiment, preset=preset, variant=VARIANT, **chosen)
                rows = runs.with_errors(rows, run.settings.test_images)
                compared = compare(run, rows, perception)
            except (DataError, InputError):  # nothing there, or not yet what it is compared with
                continue
            if compared is not None:
                found[experiment] = compared
                break
    return found
