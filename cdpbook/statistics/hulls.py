"""The lower convex hull of a cloud (D, P, C), by its supporting planes.

A plane below the cloud, C >= height - lam D - mu P, carries two prices: lam and mu are what a unit
of distortion and of perceptual difference is worth in C.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cdpbook.statistics import trends
from cdplib.errors import InputError

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
        D, P = (
            v[..., None] for v in np.broadcast_arrays(np.asarray(D, float), np.asarray(P, float))
        )
        (lam, mu, height), (slope, rise) = self.planes.T, self.edges.T
        above_edges = (P - rise + slope * D).min(axis=-1) >= -_TIE * self.spans[1]
        reach = above_edges & (D[..., 0] - self.least >= -_TIE * self.spans[0])
        return np.where(reach, (height - D * lam - P * mu).max(axis=-1), np.inf)


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
    the excess is error rate that mixing would save. Returns the points of
    :func:`.trends.over_seeds` with the columns ``hull`` and ``excess`` (error rates in [0, 1]).
    """
    points = trends.over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    # A point is its own mixture: more than its C is rounding.
    points["hull"] = np.minimum(Hull.of(d, p, c).value(d, p), c)
    points["excess"] = points["error_rate"] - points["hull"]
    return points
