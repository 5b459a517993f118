"""C(D,P) of the toy, of exact solutions and of trained restorers, on common axes.

Their units differ (nats, Wasserstein distances, a judge's gap), their shapes can be compared: every
axis runs from the least that anyone reaches to the most that anyone needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cdpbook.statistics import trends
from cdpbook.statistics.hulls import Hull
from cdpbook.statistics.trends import WEIGHTS
from cdplib.errors import InputError
from cdplib.theory import exact
from cdplib.theory.toy import GaussianToy

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Landscape:
    """C(D,P) on budgets from the least of anyone to the largest that anyone needs.

    ``Ds``, ``Ps``: (side,), evenly spaced; the last D is what a restoration of least P or least C
    takes at least, the last P likewise. ``C``: (side, side), inf where out of reach.
    """

    name: str
    Ds: Array
    Ps: Array
    C: Array

    def scaled(self) -> Array:
        """C as a share of its own range (0 its least, 1 its greatest), nan out of reach."""
        shown = np.where(np.isfinite(self.C), self.C, np.nan)
        low, high = np.nanmin(shown), np.nanmax(shown)
        return np.asarray((shown - low) / ((high - low) or 1.0))


def toy_landscape(toy: GaussianToy, kind: str = "kl", side: int = 41, name: str = "") -> Landscape:
    """The paper's toy, restorations X^ = aY only, in closed form."""
    best, natural = toy.best_gain, toy.least_divergence_gain(kind)
    if not np.isfinite(best):
        raise InputError("the toy's best gain is infinite: expected a threshold with a finite one")
    close = toy.least_mse_gain
    Ds = np.linspace(float(toy.mse(close)), float(toy.mse(np.array([natural, best])).max()), side)
    ends = toy.divergence(np.array([natural, close, best]), kind)
    Ps = np.linspace(float(ends[0]), float(ends.max()), side)
    return Landscape(name or f"toy, only aY ({kind})", Ds, Ps, toy.cdp(Ds[:, None], Ps, kind))


def exact_landscape(
    problem: exact.Problem, divergence: str, side: int = 41, name: str = ""
) -> tuple[Landscape, exact.Surface]:
    """All restorations of a finite problem, and the surface with its certificates."""
    closest = float(exact.least_distortion(problem, divergence, np.inf)) + 1e-6  # not just rounding
    natural = float(exact.least_distortion(problem, divergence, 0.0))
    needed = float(exact.least_divergence(problem, divergence, closest))
    floor = exact.solve(problem, divergence, np.inf, np.inf).value

    def enough(D: float, P: float) -> bool:
        return bool(exact.solve(problem, divergence, D, P).value <= floor + 1e-6)

    most = float(problem.delta.max(axis=1) @ problem.py)
    D_high = max(natural, _least(lambda D: enough(D, np.inf), closest, most))
    P_high = max(needed, _least(lambda P: enough(np.inf, P), 0.0, needed))
    Ds, Ps = np.linspace(closest, D_high, side), np.linspace(0.0, P_high + 1e-9, side)
    surface = exact.surface(problem, divergence, Ds, Ps)
    return Landscape(name or f"all restorations ({divergence})", Ds, Ps, surface.value), surface


def _least(enough: Callable[[float], bool], low: float, high: float) -> float:
    """The least number in [low, high] that is enough, to a thousandth of the interval."""
    if enough(low):
        return low
    tolerance = 1e-3 * (high - low)
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def trained_landscape(
    frame: pd.DataFrame, perception: str = "p_judge", side: int = 41, name: str = "trained"
) -> Landscape:
    """What mixtures of the trained restorers reach: an upper bound on their problem's C(D,P)."""
    points = trends.over_seeds(frame)
    d, p, c = (points[column].to_numpy(float) for column in ("mse", perception, "error_rate"))
    best = [int(np.argmin(v)) for v in (d, p, c)]
    Ds, Ps = (np.linspace(v.min(), v[best].max(), side) for v in (d, p))
    return Landscape(name, Ds, Ps, Hull.of(d, p, c).value(Ds[:, None], Ps))


def traits(landscapes: Sequence[Landscape], near: float = 0.05) -> pd.DataFrame:
    """What landscapes look like, one row each: their ``least`` and ``most`` C, and free of units:

    ``infeasible``: share of the square out of reach. ``flat``: of the rest, with C within ``near``
    of its range above its least. ``both``: of what is neither, where more of *either* budget lowers
    C; nan where C is constant.
    """
    rows = []
    for landscape in landscapes:
        c = landscape.scaled()
        inside, finite = np.isfinite(c), landscape.C[np.isfinite(landscape.C)]
        falls = [-np.diff(c, axis=axis, append=np.nan) * (len(c) - 1) for axis in (0, 1)]
        known = inside & (c > near) & np.isfinite(falls[0]) & np.isfinite(falls[1])
        both = (falls[0] > 0.01) & (falls[1] > 0.01)
        rows.append(
            {
                **{"surface": landscape.name, "least": finite.min(), "most": finite.max()},
                **{"infeasible": (~inside).mean(), "flat": (c[inside] <= near).mean()},
                "both": both[known].mean() if known.any() else np.nan,
            }
        )
    return pd.DataFrame(rows)


def toy_cloud(
    landscape: Landscape,
    noise: Mapping[str, float] | None = None,
    seeds: int = 1,
) -> pd.DataFrame:
    """A results table for which the theory is exact: points of ``landscape``, each the minimiser of
    alpha D + beta P + gamma C. ``error_rate`` and ``ce`` are C, ``p_judge`` and ``p_critic`` P.

    Gammas 0 to 3 are in units of (range of D) / (range of C), betas 0 to 2 in those of D over P, so
    that 1 gives all terms the same say. ``noise``: standard deviations of an error of each column
    and seed, as shares of the cloud's range in that column; without it the seeds are equal.
    """
    i, j = np.nonzero(np.isfinite(landscape.C))
    reach = np.column_stack([landscape.Ds[i], landscape.Ps[j], landscape.C[i, j]])
    ranges = np.ptp(reach, axis=0)
    ranges = np.where(ranges > 0, ranges, 1.0)
    grid = [[1.0, beta, gamma] for beta in (0.0, 0.5, 2.0) for gamma in (0.0, 0.3, 1.0, 3.0)]
    weights = np.array(grid) * (ranges[0] / ranges)
    cloud = reach[(weights @ reach.T).argmin(axis=1)]
    rng, tables = np.random.default_rng(0), []
    for seed in range(seeds):
        table = pd.DataFrame(weights, columns=list(WEIGHTS)).assign(seed=seed)
        for name, k in (("mse", 0), ("p_judge", 1), ("p_critic", 1), ("error_rate", 2), ("ce", 2)):
            size = (noise or {}).get(name, 0.0) * np.ptp(cloud[:, k])
            table[name] = cloud[:, k] + size * rng.standard_normal(len(cloud))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
