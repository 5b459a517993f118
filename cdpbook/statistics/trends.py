"""What a results table says: means over seeds, effects of the weights, the hull of the cloud.

Every function takes the results table (one row per alpha, beta, gamma and seed) and answers with
numbers and their uncertainty; a verdict is read off from those.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, sparse, stats

from cdplib.errors import InputError

WEIGHTS = ("alpha", "beta", "gamma")


def over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per (alpha, beta, gamma): the mean of every numeric column over the seeds.

    ``<column>_bar`` is the half-length of the column's error bar: one standard deviation over the
    seeds where there are two or more, else the standard error on the test images that the table
    carries in ``<column>_se`` (0 if it has none). ``seeds`` counts the rows. Rows without a
    measured error rate (failed points) are left out; the result is sorted by the weights.
    """
    frame = frame[frame["error_rate"].notna()]
    if frame.empty:
        raise InputError("the results table holds no measured point")
    groups = frame.groupby(list(WEIGHTS), sort=True)
    columns = [
        name
        for name in frame.select_dtypes("number").columns
        if name not in {*WEIGHTS, "seed"} and not name.endswith("_se")
    ]
    result = groups[columns].mean()
    for name in columns:
        bar = groups[name].std(ddof=1)
        if f"{name}_se" in frame:
            bar = bar.fillna(groups[f"{name}_se"].mean())
        result[f"{name}_bar"] = bar.fillna(0.0)
    result["seeds"] = groups.size()
    return result.reset_index()


@dataclass(frozen=True)
class Effect:
    """The change of a column when a weight goes from its least to its greatest value."""

    weight: str
    column: str
    low: float
    high: float
    change: float
    lower: float
    upper: float
    seeds: int

    @property
    def direction(self) -> str:
        """``lowers`` or ``raises`` if the 95 % interval leaves out zero, else ``unclear``."""
        if self.upper < 0:
            return "lowers"
        return "raises" if self.lower > 0 else "unclear"


def effect(
    frame: pd.DataFrame, weight: str, column: str, held: dict[str, float] | None = None
) -> Effect:
    """The change of ``column`` from the least to the greatest ``weight``, others held.

    Averaged over the values of the other weight (or at ``held`` alone, e.g. ``{"beta": 0}``);
    each difference is taken within one seed. With two seeds or more the 95 % interval is
    Student's over the seeds' mean differences. With one seed it rests on the test images'
    standard errors, taken as independent between the two restorers and as fully dependent
    between rows of the grid; what another training would change is not in it.
    """
    if weight not in ("beta", "gamma"):
        raise InputError(f"weight {weight!r}: expected beta or gamma")
    if column not in frame:
        raise InputError(f"column {column!r} is not in the results table")
    frame = frame[frame[column].notna()]
    for name, value in (held or {}).items():
        frame = frame[np.isclose(frame[name], value)]
    low, high = (float(frame[weight].min()), float(frame[weight].max())) if len(frame) else (0, 0)
    keys = [name for name in (*WEIGHTS, "seed") if name != weight]
    error = f"{column}_se"
    wanted = [column, error] if error in frame else [column]
    ends = frame[frame[weight] == low].merge(
        frame[frame[weight] == high], on=keys, suffixes=("_low", "_high")
    )
    if low == high or ends.empty:
        raise InputError(f"the effect of {weight} needs two values of it, the others equal")
    change = ends[f"{column}_high"] - ends[f"{column}_low"]
    each = change.groupby(ends["seed"]).mean()
    mean, lower, upper = student(each)
    if len(each) == 1 and len(wanted) == 2:
        per_row = np.hypot(ends[f"{error}_low"], ends[f"{error}_high"])
        half = stats.norm.ppf(0.975) * float(per_row.mean())
        lower, upper = mean - half, mean + half
    return Effect(weight, column, low, high, mean, lower, upper, len(each))


def successive(
    frame: pd.DataFrame, weight: str, column: str, held: dict[str, float] | None = None
) -> list[Effect]:
    """:func:`effect` from each value of ``weight`` to the next larger one, where both compare."""
    found = []
    for pair in itertools.pairwise(sorted(frame[weight].unique())):
        with contextlib.suppress(InputError):  # in an unfinished table
            found.append(effect(frame[frame[weight].isin(pair)], weight, column, held))
    return found


def student(values: Iterable[float]) -> tuple[float, float, float]:
    """The mean of one value a seed and its 95 % interval, which is infinite for one seed."""
    each = np.array(list(values), dtype=float)
    half = np.inf
    if len(each) > 1:
        half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
    mean = float(each.mean())
    return mean, mean - half, mean + half


def by_seed(frame: pd.DataFrame, weight: str, name: str) -> pd.Series:
    """The change of column ``name`` within each seed that has both ends of ``weight``."""
    ends = frame[frame[weight].isin([frame[weight].min(), frame[weight].max()])]
    found = {}
    for seed, rows in ends.groupby("seed"):
        if rows[weight].nunique() < 2:
            continue
        try:
            found[seed] = effect(rows, weight, name).change
        except InputError:  # the two ends have no other weight in common
            continue
    return pd.Series(found, dtype=float)


def convex_excess(frame: pd.DataFrame, perception: str = "p_judge") -> pd.DataFrame:
    """Each point's height over the lower, non-increasing convex hull of the cloud (D, P, C).

    A restorer that picks one of the trained ones at random reaches every point of that hull, so
    the excess is error rate that mixing would save. All zero means that the points themselves
    lie on a non-increasing convex surface, as Theorem 1 says of the optimum. Returns the points
    of :func:`over_seeds` with the columns ``hull`` and ``excess`` (error rates in [0, 1]).
    """
    points = over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    points["hull"] = _hull(d, p, c)
    points["excess"] = points["error_rate"] - points["hull"]
    return points


def _hull(d: np.ndarray, p: np.ndarray, c: np.ndarray) -> np.ndarray:
    """min <w, c> over probability vectors w with <w, d> <= d_j and <w, p> <= p_j, for each j."""
    n = len(c)
    upper = np.vstack([(v - v.min()) / (np.ptp(v) or 1.0) for v in (d, p)])
    answer = optimize.linprog(  # one program for all j: its blocks do not touch one another
        np.tile(c, n),
        A_ub=sparse.block_diag([upper] * n),
        b_ub=upper.T.ravel(),
        A_eq=sparse.block_diag([np.ones((1, n))] * n),
        b_eq=np.ones(n),
        method="highs",
    )
    heights = answer.x.reshape(n, n) @ c
    return np.minimum(heights, c)  # w = e_j is feasible: more is the solver's tolerance
