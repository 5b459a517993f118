"""What a results table says about the paper's claims: effects, dominated pairs, convex excess.

Every function takes the results table (one row per alpha, beta, gamma and seed) and answers with
a number, its uncertainty and the level that chance would give; a verdict is read off from those.
"""

from __future__ import annotations

from collections.abc import Callable
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
    between rows of the grid: both make it wider than it need be.
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
    by_seed = change.groupby(ends["seed"]).mean()
    mean, seeds = float(by_seed.mean()), len(by_seed)
    if seeds > 1:
        half = stats.t.ppf(0.975, seeds - 1) * float(by_seed.std(ddof=1)) / np.sqrt(seeds)
    elif len(wanted) == 2:
        per_row = np.hypot(ends[f"{error}_low"], ends[f"{error}_high"])
        half = stats.norm.ppf(0.975) * float(per_row.mean())
    else:
        half = np.inf  # one seed and no standard error: nothing can be said
    return Effect(weight, column, low, high, mean, mean - half, mean + half, seeds)


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


@dataclass(frozen=True)
class Fraction:
    """How often a claim is violated, with the level of chance and a permutation p-value."""

    violated: int
    beyond_bars: int
    compared: int
    chance: float
    p_value: float

    @property
    def value(self) -> float:
        """The fraction of violated comparisons (nan where nothing could be compared)."""
        return self.violated / self.compared if self.compared else float("nan")


def comparable_pairs(d: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices (i, j): i has no more distortion and no more perceptual difference than j."""
    no_worse = (d[:, None] <= d[None, :]) & (p[:, None] <= p[None, :])
    strictly = (d[:, None] < d[None, :]) | (p[:, None] < p[None, :])
    first, second = np.nonzero(no_worse & strictly)
    return first, second


def dominated_pairs(
    frame: pd.DataFrame, perception: str = "p_judge", permutations: int = 999, seed: int = 0
) -> Fraction:
    """Is better classification always paid for in D or P? Count the pairs where it is not.

    A pair of points is compared when one has both the lower D and the lower P (ties allowed in
    one of them). The pair violates the claim when that one has the lower error rate as well: the
    other point is dominated. ``beyond_bars`` counts those whose error rates differ by more than
    1.96 times their bars. Chance: the same error rates given to the points at random.
    """
    points = over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    bar = points["error_rate_bar"].to_numpy(float)
    i, j = comparable_pairs(d, p)
    if not len(i):
        return Fraction(0, 0, 0, float("nan"), float("nan"))
    violated = int(np.sum(c[i] < c[j]))
    beyond = int(np.sum(c[j] - c[i] > 1.96 * np.hypot(bar[i], bar[j])))
    rng = np.random.default_rng(seed)
    random = np.empty(permutations)
    for k in range(permutations):
        shuffled = rng.permutation(c)
        random[k] = np.sum(shuffled[i] < shuffled[j])
    p_value = (1 + np.sum(random <= violated)) / (1 + permutations)
    return Fraction(violated, beyond, len(i), float(random.mean() / len(i)), float(p_value))


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


def mean_excess(
    frame: pd.DataFrame, perception: str = "p_judge", permutations: int = 99, seed: int = 0
) -> tuple[float, float, float]:
    """The mean convex excess, its mean under random error rates, and the permutation p-value."""
    points = over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    observed = float(np.mean(c - _hull(d, p, c)))
    rng = np.random.default_rng(seed)
    random = np.empty(permutations)
    for k in range(permutations):
        shuffled = rng.permutation(c)
        random[k] = np.mean(shuffled - _hull(d, p, shuffled))
    p_value = (1 + np.sum(random <= observed + 1e-12)) / (1 + permutations)
    return observed, float(random.mean()), float(p_value)


def isotonic_residual(
    frame: pd.DataFrame, weight: str, column: str, increasing: bool
) -> tuple[float, float]:
    """How far ``column`` is from monotone in ``weight``: residual and the points' own noise.

    Both are root mean squares in the column's units: of the residuals of an isotonic fit in each
    row of the grid (weighted equally), and of the error bars. A residual below the noise means
    that nothing contradicts a monotone trend.
    """
    points = over_seeds(frame)
    others = [name for name in WEIGHTS if name != weight]
    residuals: list[np.ndarray] = []
    for _, row in points.groupby(others):
        values = row.sort_values(weight)[column].to_numpy(float)
        fit = optimize.isotonic_regression(values, increasing=increasing)
        residuals.append(values - fit.x)
    residual = np.concatenate(residuals)
    noise = points[f"{column}_bar"].to_numpy(float)
    return float(np.sqrt(np.mean(residual**2))), float(np.sqrt(np.mean(noise**2)))


def bootstrap(
    frame: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    samples: int = 400,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % percentile interval of ``statistic`` over resampled tables.

    With two seeds or more the seeds are drawn with replacement (all points of a seed together,
    because they share a pre-trained restorer). With one seed each measured column is moved by a
    normal draw of its standard error on the test images instead, where the table has it: wider
    than need be, as all points are measured on the same images.
    """
    rng = np.random.default_rng(seed)
    seeds = np.sort(frame["seed"].unique())
    columns = [name for name in frame.columns if f"{name}_se" in frame]
    values = []
    for _ in range(samples):
        drawn = rng.choice(seeds, size=len(seeds))
        parts = [frame[frame["seed"] == s].assign(seed=k) for k, s in enumerate(drawn)]
        table = pd.concat(parts, ignore_index=True)
        for name in columns if len(seeds) == 1 else ():
            table[name] = table[name] + table[f"{name}_se"] * rng.standard_normal(len(table))
        values.append(statistic(table))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
