"""The lower convex hull of a cloud (D, P, C), its supporting planes, and the prices they imply.

A plane below the cloud, C >= height - lam D - mu P, carries two prices: lam and mu are what a unit
of distortion and of perceptual difference is worth in C. Weights of Eq. 16 ask for such prices
(alpha / gamma and beta / gamma); here those that the measured points have are found.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from cdpbook.statistics import trends
from cdplib.errors import InputError, unknown

Array = NDArray[np.float64]
_TIE = 1e-9  # in units of the cloud's extent: what differs by less is the same


@dataclass(frozen=True, eq=False)
class Hull:
    """The lower, non-increasing convex hull of a cloud (D, P, C), by its supporting planes.

    C >= height - lam D - mu P holds for every row (lam, mu, height) of ``planes`` and every point
    of the cloud, and the hull is the largest of them. ``edges``: rows (slope, height); budgets are
    within reach of a mixture where D >= ``least`` and P >= height - slope D for every row.
    ``spans``: the cloud's extent in D, P and C.
    """

    planes: Array
    edges: Array
    least: float
    spans: tuple[float, float, float]

    @classmethod
    def of(cls, d: ArrayLike, p: ArrayLike, c: ArrayLike) -> Hull:
        """The hull of points with coordinates (n,) each; :class:`InputError` if not finite."""
        columns = [np.asarray(v, dtype=float) for v in (d, p, c)]
        cloud = np.column_stack(columns) if len({v.shape for v in columns}) == 1 else np.empty(0)
        if cloud.ndim != 2 or cloud.size == 0 or not np.isfinite(cloud).all():
            shapes = ", ".join(str(v.shape) for v in columns)
            raise InputError(f"d, p, c of shapes {shapes}: expected equal lists of finite numbers")
        low, spans = cloud.min(axis=0), np.ptp(cloud, axis=0)
        spans = np.where(spans > 0, spans, 1.0)
        unit = (cloud - low) / spans
        unit = unit[_undominated(unit)]
        planes = _vertices(unit[:, :2], unit[:, 2])
        lam, mu = planes[:, 0] * spans[2] / spans[0], planes[:, 1] * spans[2] / spans[1]
        height = low[2] + planes[:, 2] * spans[2] + lam * low[0] + mu * low[1]
        edges = _vertices(unit[:, :1], unit[:, 1])
        slope = edges[:, 0] * spans[1] / spans[0]
        rise = low[1] + edges[:, 1] * spans[1] + slope * low[0]
        return cls(
            np.column_stack([lam, mu, height]),
            np.column_stack([slope, rise]),
            float(low[0]),
            (float(spans[0]), float(spans[1]), float(spans[2])),
        )

    def value(self, D: ArrayLike, P: ArrayLike) -> Array:
        """The least C of any mixture of points with mean D and P within the budgets; inf if none.

        ``D`` and ``P`` broadcast.
        """
        D, P = np.broadcast_arrays(np.asarray(D, dtype=float), np.asarray(P, dtype=float))
        heights = self.planes[:, 2] - D[..., None] * self.planes[:, 0] - P[..., None] * self._mu
        reach = (self._edge_room(D, P).min(axis=-1) >= -_TIE) & (self._least_room(D) >= -_TIE)
        return np.where(reach, heights.max(axis=-1), np.inf)

    def prices(self, D: float, P: float) -> tuple[float, float, float, float]:
        """The ranges of prices at budgets within reach: least and greatest lam, then those of mu.

        The least price is what a little more of that budget would save, the greatest what a little
        less would cost: inf where less is out of reach. nan if the budgets are out of reach.
        """
        top = float(self.value(D, P))
        if not np.isfinite(top):
            return (np.nan,) * 4
        heights = self.planes[:, 2] - self.planes[:, 0] * D - self._mu * P
        tight = self.planes[heights >= top - 1e-7 * self.spans[2]]
        on_edge = self._edge_room(np.asarray(D), np.asarray(P)) <= 1e-7
        sloped = bool((on_edge & (self.edges[:, 0] > 0)).any())
        at_least = bool(self._least_room(np.asarray(D)) <= 1e-7)
        lam_high = np.inf if at_least or sloped else float(tight[:, 0].max())
        mu_high = np.inf if on_edge.any() else float(tight[:, 1].max())
        return float(tight[:, 0].min()), lam_high, float(tight[:, 1].min()), mu_high

    @property
    def _mu(self) -> Array:
        return self.planes[:, 1]

    def _edge_room(self, D: Array, P: Array) -> Array:
        below = self.edges[:, 1] - D[..., None] * self.edges[:, 0]
        return np.asarray((P[..., None] - below) / self.spans[1])

    def _least_room(self, D: Array) -> Array:
        return np.asarray((D - self.least) / self.spans[0])


def _undominated(cloud: Array) -> NDArray[np.bool_]:
    """Points that no other is at least as good as in all columns (of equal ones the first)."""
    no_worse = (cloud[:, None] <= cloud).all(axis=2)
    equal = no_worse & no_worse.T
    earlier = np.triu(np.ones_like(equal), 1)
    return np.asarray(~((no_worse & ~equal) | (equal & earlier)).any(axis=0))


def _vertices(x: Array, c: Array) -> Array:
    """The vertices (s, t) of {s >= 0, t - <s, x_j> <= c_j for all j}: rows (k, 1 + columns).

    They are the planes that touch the cloud (x_j, c_j) from below in as many points as fix them.
    Found by trying all sets of constraints that could fix one; for tens of points, that is fast.
    """
    n, m = x.shape
    rows = np.vstack([np.column_stack([-x, np.ones(n)]), np.eye(m, m + 1)])
    right = np.concatenate([c, np.zeros(m)])
    found = []
    sets = itertools.combinations(range(n + m), m + 1)
    while len(block := np.array(list(itertools.islice(sets, 20_000)))):
        matrix = rows[block]
        regular = np.abs(np.linalg.det(matrix)) > 1e-12
        corner = np.linalg.solve(matrix[regular], right[block[regular]][..., None])[..., 0]
        within = corner @ rows.T
        ok = (within[:, :n] <= c + _TIE).all(axis=1) & (within[:, n:] >= -_TIE).all(axis=1)
        found.append(corner[ok])
    corners = np.concatenate(found)
    corners[:, :m] = np.where(corners[:, :m] > _TIE, corners[:, :m], 0.0)
    _, first = np.unique(corners.round(9), axis=0, return_index=True)
    return np.asarray(corners[np.sort(first)])


def convex_excess(frame: pd.DataFrame, perception: str = "p_judge") -> pd.DataFrame:
    """Each point's height over the lower, non-increasing convex hull of the cloud (D, P, C).

    A restorer that picks one of the trained ones at random reaches every point of that hull, so
    the excess is error rate that mixing would save. All zero means that the points themselves
    lie on a non-increasing convex surface, as Theorem 1 says of the optimum. Returns the points
    of :func:`.trends.over_seeds` with the columns ``hull`` and ``excess`` (error rates in [0, 1]).
    """
    points = trends.over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    # A point is its own mixture: more than its C is rounding.
    points["hull"] = np.minimum(Hull.of(d, p, c).value(d, p), c)
    points["excess"] = points["error_rate"] - points["hull"]
    return points


def prices(frame: pd.DataFrame, perception: str = "p_critic", error: str = "ce") -> pd.DataFrame:
    """Prices that the weights ask and that the hull of the cloud implies, one row per triple.

    ``lam_asked = alpha / gamma`` and ``mu_asked = beta / gamma`` (rows with gamma > 0);
    ``lam_low, lam_high, mu_low, mu_high``: see :meth:`Hull.prices`, at the point's own D and P;
    ``lam, mu``: the middle direction of each range, as an angle in axes scaled to the cloud;
    ``excess``: the point's height over the hull in units of ``error``. Raises :class:`InputError`
    if no triple has gamma > 0 or a column is missing.
    """
    columns = ["mse", perception, error]
    points = trends.over_seeds(frame)
    for name in columns:
        if name not in points or points[name].isna().any():
            raise InputError(f"column {name!r} is not in the results table")
    hull = Hull.of(*(points[name] for name in columns))
    points["excess"] = points[error] - hull.value(points["mse"], points[perception])
    points = points[points["gamma"] > 0].reset_index(drop=True)
    if points.empty:
        raise InputError("no triple of weights has gamma > 0: a price needs one")
    ranges = np.array([hull.prices(d, p) for d, p in points[["mse", perception]].to_numpy()])
    points[["lam_low", "lam_high", "mu_low", "mu_high"]] = ranges
    for name, weight, span in (("lam", "alpha", hull.spans[0]), ("mu", "beta", hull.spans[1])):
        angles = np.arctan(points[[f"{name}_low", f"{name}_high"]] * span / hull.spans[2])
        points[name] = np.tan(angles.mean(axis=1)) * hull.spans[2] / span
        points[f"{name}_asked"] = points[weight] / points["gamma"]
    return points


@dataclass(frozen=True)
class Agreement:
    """Asked against implied prices: rank correlation, its permutation p, and the shares of points
    whose asked price is within the implied range, or above it.
    """

    correlation: float
    p_value: float
    within: float
    above: float


def agreement(table: pd.DataFrame, price: str, permutations: int = 999, seed: int = 0) -> Agreement:
    """How the prices asked agree with those implied; ``price`` is ``lam`` or ``mu``.

    Spearman's correlation of the price asked with the middle of the range implied (nan where
    either is constant); p is one-sided. ``table``: of :func:`prices`.
    """
    if price not in ("lam", "mu"):
        raise unknown("price", price, ("lam", "mu"))
    asked = table[f"{price}_asked"].to_numpy(float)
    implied = stats.rankdata(table[price].to_numpy(float).round(12))
    slack = 1e-6 * np.abs(asked)
    above = asked > table[f"{price}_high"] + slack
    within = (asked >= table[f"{price}_low"] - slack) & ~above
    shares = (float(within.mean()), float(above.mean()))
    ranks = stats.rankdata(asked)
    if np.ptp(ranks) == 0 or np.ptp(implied) == 0:
        return Agreement(float("nan"), float("nan"), *shares)
    rho = float(np.corrcoef(ranks, implied)[0, 1])
    rng = np.random.default_rng(seed)
    random = [np.corrcoef(rng.permutation(ranks), implied)[0, 1] for _ in range(permutations)]
    p_value = (1 + np.sum(np.array(random) >= rho - 1e-12)) / (1 + permutations)
    return Agreement(rho, float(p_value), *shares)
