"""Is a flow from the posterior mean on, below or above the sheet that Eq. 16 traces?

The rule, fixed before the first flow was trained.  A sheet reaches what mixtures of its points
reach: restorers drawn by lot have the mean of their D, and a P that is no larger than the mean of
theirs, as W1 is convex.  So the sheet's P at a D is the lower convex hull of its points (D, P by
the judge).  A flow of some number of steps is *below* the sheet where the P that it has beyond the
sheet's at its own D has a 95 % interval below zero, *above* it where that is above zero, else *on*
it; it *has no equal* where every point of the sheet has a larger D.  The interval is over seeds
(a hull a seed, with the flow of that seed) and images (the judge's standard errors), added as
independent.  The verdict that counts is that of the most steps, against the network near the
bound, which knows as much as the flow's start; other numbers of steps and other sheets are shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cdpbook import flow, near, runs
from cdpbook.statistics.estimates import LEVEL, Interval, student
from cdpbook.statistics.hulls import Hull
from cdpbook.studies import attainable

_Z = float(stats.norm.ppf(1 - LEVEL / 2))
NEAR = "near the bound"
#: The published sheets of Exp-2, by what the page calls them: preset and restorer.
SHEETS = {
    "trained longer": ("converged", "fast-large"),
    "the stronger network": ("full", "fast-large"),
    "the paper's network": ("full", "paper"),
}
VERDICTS = {-1: "below", 0: "on", 1: "above"}


@dataclass(frozen=True)
class Against:
    """A flow of so many ``steps`` against one ``sheet``, at equal D, P, or both.

    ``p``: its P less the sheet's at its D, ``d``: its D less the sheet's at its P; both None where
    the sheet has no such D or P.  ``error``: its C less the least C of the sheet's mixtures at its
    D and the larger of its P and theirs.
    """

    steps: int
    sheet: str
    p: Interval | None
    d: Interval | None
    error: Interval | None

    @property
    def verdict(self) -> str:
        """The rule's word."""
        return VERDICTS[self.p.sign] if self.p else "has no equal"


def sheets() -> dict[str, pd.DataFrame]:
    """The rows of every sheet, the one that counts first."""
    found = {NEAR: near.published()}
    for name, preferred in SHEETS.items():
        found[name] = runs.matched_runs((flow.EXPERIMENT,), (preferred,))[flow.EXPERIMENT].table
    return found


def least_p(hull: Hull, d: float) -> float:
    """The least P of mixtures with mean D at most ``d``; inf where no point has so small a D."""
    slope, height = hull.edges.T
    return float((height - slope * d).max()) if d >= hull.least else math.inf


def least_d(hull: Hull, p: float) -> float:
    """The least D of mixtures with P at most ``p``; inf where no point has so small a P."""
    slope, height = hull.edges.T
    flat = slope <= 0
    if (height[flat] > p).any():
        return math.inf
    return float(max(hull.least, ((height - p)[~flat] / slope[~flat]).max(initial=-math.inf)))


def against(table: pd.DataFrame, sheet: str, rows: pd.DataFrame) -> list[Against]:
    """The flow's rows (draw 0) against those of a sheet, one of each number of steps.

    A hull a seed: of the seeds that every pair of weights has, and the flow.
    """
    table, found = table[table["draw"] == 0], list[Against]()
    groups = rows.groupby(["beta", "gamma"])["seed"].agg(set)
    seeds = sorted(set(table["seed"]) & set.intersection(*groups))
    hulls = {}
    for seed in seeds:
        own = rows[rows["seed"] == seed]
        hulls[seed] = Hull.of(own["mse"], own["p_judge"], own["error_rate"])
    image_p = math.sqrt(float((rows["p_judge_se"] ** 2).mean()))
    for steps, part in table.groupby("steps"):
        p, d, error = list[float](), list[float](), list[float]()
        for row in part[part["seed"].isin(seeds)].itertuples():
            hull = hulls[row.seed]
            level = least_p(hull, row.mse)
            p.append(row.p_judge - level)
            d.append(row.mse - least_d(hull, row.p_judge))
            # a hair more than the least P, which is on the hull's own edge
            budget = max(row.p_judge, level) + 1e-6
            reached = math.isfinite(level)
            error.append(
                row.error_rate - float(hull.value(row.mse, budget)) if reached else math.inf
            )
        se = math.hypot(image_p, math.sqrt(float((part["p_judge_se"] ** 2).mean())))
        image_c = math.sqrt(2 * float((part["error_rate_se"] ** 2).mean()))
        found.append(Against(int(steps), sheet, _over(p, se), _over(d, 0.0), _over(error, image_c)))
    return found


def _over(values: list[float], se: float) -> Interval | None:
    """The mean over seeds, its interval widened by a standard error over images; None if inf."""
    if not values or not np.isfinite(values).all():
        return None
    value, low, high = student(values)
    half = math.hypot((high - low) / 2, _Z * se)
    return Interval(value, value - half, value + half)


def compared(table: pd.DataFrame | None = None) -> list[Against]:
    """Every number of steps against every sheet, that which counts first."""
    table = flow.published() if table is None else table
    return [one for name, rows in sheets().items() for one in against(table, name, rows)]


def curve(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """The flow, a row a number of steps: means over seeds of all measures (draw 0), ``seeds``,
    and ``error``, C with its interval over seeds and images."""
    table = flow.published() if table is None else table
    table = table[table["draw"] == 0]
    groups = table.groupby("steps")
    found = groups.mean(numeric_only=True).drop(columns=["seed", "draw"])
    found["error"] = [attainable.over_seeds_and_images(part) for _, part in groups]
    return found.assign(seeds=groups.size()).reset_index()
