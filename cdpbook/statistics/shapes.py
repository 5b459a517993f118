"""Has a measured cloud (D, P, C) the shape of the function C(D,P): non-increasing and convex?

Two tests without a fit count contradictions: *pairs*, where one point is no worse than another on
two axes and better on the third, and *triples*, where drawing lots between two points is. One test
with a fit asks whether noise explains the distance of the cloud from the nearest convex surface,
and from the nearest concave one. Noise is what neither the weights nor the seed explain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import clarabel
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

from cdpbook.statistics.estimates import LEVEL, noise
from cdpbook.statistics.trends import in_every_seed
from cdplib.errors import InputError

Array = NDArray[np.float64]
Shape = Callable[[Array, Array], sparse.csc_matrix]
_TOLERANCE = 1e-5  # of the quadratic programs, in error rate


@dataclass(frozen=True)
class Cloud:
    """The points that every seed has: D, P and C of each seed, (seeds, n), and their noise.

    ``noise``: standard deviation of a point's mean over seeds, for D, P and C, pooled over the
    points with ``freedom`` degrees. A seed that moves all its points alike is no noise: it changes
    no comparison. With one seed noise is the standard error on the test images, of ``freedom`` inf;
    it leaves out what another training would change.
    """

    d: Array
    p: Array
    c: Array
    noise: tuple[float, float, float]
    freedom: float

    @property
    def means(self) -> tuple[Array, Array, Array]:
        """D, P and C of the points, means over seeds, each (n,)."""
        d, p, c = (values.mean(axis=0) for values in (self.d, self.p, self.c))
        return d, p, c


def cloud(frame: pd.DataFrame, perception: str = "p_judge") -> Cloud:
    """The cloud of a results table; points that a seed lacks are left out.

    Raises :class:`InputError` for a missing column, or fewer than three points.
    """
    columns = ("mse", perception, "error_rate")
    _, values = in_every_seed(frame, columns, least=3)
    seeds, n = values.shape[:2]
    if seeds > 1:
        freedom = float((seeds - 1) * (n - 1))
        spread = noise(values) / np.sqrt(seeds)
    else:
        freedom = np.inf
        errors = [f"{name}_se" for name in columns]
        spread = np.array([np.sqrt((frame[e] ** 2).mean()) if e in frame else 0.0 for e in errors])
    d, p, c = np.moveaxis(values, 2, 0)
    return Cloud(d, p, c, (float(spread[0]), float(spread[1]), float(spread[2])), freedom)


# -- contradictions that are counted ---------------------------------------------------------------


@dataclass(frozen=True)
class Comparisons:
    """Mixtures, with weight w of point ``i`` and 1 - w of ``k``, that have no more D and P than
    ``j`` for w from ``low`` to ``high``; index arrays and weights, each (m,)."""

    i: NDArray[np.int64]
    k: NDArray[np.int64]
    j: NDArray[np.int64]
    low: Array
    high: Array

    def gain(self, c: Array) -> tuple[Array, Array]:
        """What the best such mixture saves of j's C, (m,), and its w; ``c`` is (n,) or (..., n)."""
        ends = [
            c[..., self.j] - w * c[..., self.i] - (1 - w) * c[..., self.k]
            for w in (self.low, self.high)
        ]
        return np.maximum(*ends), np.where(ends[0] > ends[1], self.low, self.high)


#: Which comparisons are counted: :func:`pairs` or :func:`triples`.
Kind = Callable[[Array, Array], Comparisons]


def pairs(d: Array, p: Array) -> Comparisons:
    """Each pair of which one point has no more D and no more P: it should have no less C."""
    d, p = _checked(d, p)
    no_worse = (d[:, None] <= d) & (p[:, None] <= p)
    i, j = np.nonzero(no_worse & ((d[:, None] < d) | (p[:, None] < p)))
    one = np.ones(len(i))
    return Comparisons(i, i, j, one, one)


def triples(d: Array, p: Array) -> Comparisons:
    """Each point with two others of which some mixture, and neither alone, has no more D and P."""
    d, p = _checked(d, p)
    n = len(d)
    i, k = (indices[:, None] for indices in np.triu_indices(n, 1))
    low, high = np.zeros((len(i), n)), np.ones((len(i), n))
    possible = np.ones((len(i), n), bool)
    for v in (d, p):
        slope, room = v[i] - v[k], v - v[k]
        with np.errstate(divide="ignore", invalid="ignore"):
            edge = room / slope
        high = np.where(slope > 0, np.minimum(high, edge), high)
        low = np.where(slope < 0, np.maximum(low, edge), low)
        possible &= (slope != 0) | (room >= 0)
    # At weight 0 or 1 one of the two alone would do: that is a pair, and counted as one.
    first, j = np.nonzero(possible & (low <= high) & (low > 0) & (high < 1))
    return Comparisons(i[first, 0], k[first, 0], j, low[first, j], high[first, j])


@dataclass(frozen=True)
class Count:
    """Contradictions among ``compared``: of the means, and by seed.

    ``clear``: those that noise does not explain, at 5 % for all comparisons together, and whose
    order in D and P holds in every seed. ``chance``: their mean share when error rates are dealt
    out at random; ``p_value``: of a share as small as found, ``perfect``: of none at all.
    """

    contradict: int
    clear: int
    compared: int
    by_seed: tuple[int, ...]
    chance: float
    p_value: float
    perfect: float

    @property
    def short(self) -> str:
        """The counts in words."""
        return f"{self.contradict} of {self.compared}, {self.clear} clearly"


def count(points: Cloud, kind: Kind, draws: int = 1999) -> Count:
    """Contradictions of ``kind`` in the cloud; without ``draws`` chance and p-values are nan."""
    d, p, c = points.means
    found = kind(d, p)
    compared = len(found.j)
    if not compared:
        return Count(0, 0, 0, (), np.nan, np.nan, np.nan)
    tie = 1e-12
    gain, w = found.gain(c)
    # Student's quantile, shared among all the comparisons (Bonferroni).
    quantile = stats.t.ppf(1 - LEVEL / (2 * compared), points.freedom)
    scale = np.sqrt(1 + np.where(found.i == found.k, 1, w**2 + (1 - w) ** 2))
    ordered = np.ones(compared, bool)
    for values in (points.d, points.p):
        mixed = w * values[:, found.i] + (1 - w) * values[:, found.k]
        ordered &= (mixed <= values[:, found.j] + tie).all(axis=0)
    clear = (gain > quantile * points.noise[2] * scale + tie) & ordered
    rng = np.random.default_rng(0)
    dealt = np.array([rng.permutation(c) for _ in range(draws)]).reshape(draws, len(c))
    parts = np.array_split(dealt, 1 + draws * compared // 20_000)  # that fit into a cache
    random = np.concatenate([(found.gain(part)[0] > tie).sum(axis=1) for part in parts])
    contradict = int((gain > tie).sum())
    p_value, perfect = (
        (1 + (random <= k).sum()) / (1 + draws) if draws else np.nan for k in (contradict, 0)
    )
    by_seed = tuple(
        int((kind(*seed[:2]).gain(seed[2])[0] > tie).sum())
        for seed in zip(points.d, points.p, points.c, strict=True)
    )
    chance = float(random.mean() / compared) if draws else np.nan
    return Count(
        contradict, int(clear.sum()), compared, by_seed, chance, float(p_value), float(perfect)
    )


# -- fits ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """The distance of the cloud from a shape: root mean square in C, and what noise would give.

    ``noise``: mean distance of clouds that have the shape, with the cloud's own noise in D, P and
    C; ``p_value``: the share of those that are as far.
    """

    residual: float
    noise: float
    p_value: float


def distance(points: Cloud, shape: Shape, draws: int = 99) -> Fit:
    """How far the means are from the nearest surface of ``shape``, judged by a simulation."""
    d, p, c = points.means
    fitted = fit(c, shape(d, p))
    observed = float(np.sqrt(np.mean((c - fitted) ** 2)))
    rng = np.random.default_rng(0)
    random = []
    for _ in range(draws):
        moved = [
            v + noise * rng.standard_normal(len(v))
            for v, noise in zip((d, p, fitted), points.noise, strict=True)
        ]
        random.append(residual(moved[2], shape(moved[0], moved[1])))
    as_far = np.sum(np.array(random) >= observed - _TOLERANCE)
    return Fit(observed, float(np.mean(random)), float((1 + as_far) / (1 + draws)))


def convex(d: Array, p: Array) -> sparse.csc_matrix:
    """The constraints of a convex non-increasing function of (D, P), for :func:`fit`.

    Each point has a value f_i and slopes (a_i, b_i) <= 0 with
    f_i + a_i (D_j - D_i) + b_i (P_j - P_i) <= f_j for all j (convex regression; Seijo, Sen 2011).
    ``d`` and ``p`` are (n,); n (n - 1) + 2 n rows; columns are values, slopes in D, slopes in P.
    """
    return _tangents(d, p, 1.0)


def concave(d: Array, p: Array) -> sparse.csc_matrix:
    """As :func:`convex`, of a concave non-increasing function: the shape that must be excluded."""
    return _tangents(d, p, -1.0)


def convex_alone(d: Array, p: Array) -> sparse.csc_matrix:
    """As :func:`convex`, of a function that may rise as well."""
    return _tangents(d, p, 1.0, falling=False)


def concave_alone(d: Array, p: Array) -> sparse.csc_matrix:
    """As :func:`concave`, of a function that may rise as well."""
    return _tangents(d, p, -1.0, falling=False)


def falling(d: Array, p: Array) -> sparse.csc_matrix:
    """The constraints of a non-increasing function: f_i >= f_j where j has no less D and P."""
    d, p = _checked(d, p)
    n = len(d)
    i, j = np.nonzero((d[:, None] <= d) & (p[:, None] <= p) & ~np.eye(n, dtype=bool))
    rows, one = np.arange(len(i)), np.ones(len(i))
    values, where = np.concatenate([one, -one]), (np.tile(rows, 2), np.concatenate([j, i]))
    return sparse.csc_matrix((values, where), (len(rows), n))


def rising(d: Array, p: Array) -> sparse.csc_matrix:
    """As :func:`falling`, of a non-decreasing function: the shape that must be excluded."""
    return (-falling(d, p)).tocsc()


def _tangents(d: Array, p: Array, sign: float, falling: bool = True) -> sparse.csc_matrix:
    d, p = _checked(d, p)
    n = len(d)
    d, p = ((v - v.min()) / (np.ptp(v) or 1.0) for v in (d, p))
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    rows = np.arange(len(i))
    ones = np.ones(len(i))
    values = sign * np.concatenate([ones, d[j] - d[i], p[j] - p[i], -ones])
    where = (np.tile(rows, 4), np.concatenate([i, n + i, 2 * n + i, j]))
    tangents = sparse.csc_matrix((values, where), (len(rows), 3 * n))
    if not falling:
        return tangents
    slopes = sparse.hstack([sparse.csc_matrix((2 * n, n)), sparse.identity(2 * n)])
    return sparse.vstack([tangents, slopes], format="csc")


def fit(c: Array, constraints: sparse.csc_matrix) -> Array:
    """The values f nearest to ``c`` (n,) in least squares under ``constraints`` <= 0, (n,)."""
    (c,) = _checked(c)
    n, extra = len(c), constraints.shape[1] - len(c)
    if not constraints.shape[0]:
        return c.copy()
    scale = float(np.ptp(c)) or 1.0
    target = (c - c.mean()) / scale
    # Slopes have no unique value where the fit is not tight: a little weight chooses the least.
    square = sparse.diags([1.0] * n + [1e-8] * extra, format="csc")
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    got = clarabel.DefaultSolver(
        square,
        np.concatenate([-target, np.zeros(extra)]),
        constraints,
        np.zeros(constraints.shape[0]),
        [clarabel.NonnegativeConeT(constraints.shape[0])],
        settings,
    ).solve()
    return np.array(got.x)[:n] * scale + c.mean()


def residual(c: Array, constraints: sparse.csc_matrix) -> float:
    """Root mean square of ``c`` less its :func:`fit`, in the units of ``c``."""
    return float(np.sqrt(np.mean((c - fit(c, constraints)) ** 2)))


def _checked(*given: Array) -> tuple[Array, ...]:
    arrays = tuple(np.asarray(v, dtype=float) for v in given)
    if len({a.shape for a in arrays}) != 1 or arrays[0].ndim != 1 or not len(arrays[0]):
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise InputError(f"D, P or C of shapes {shapes}: expected the same (n,), n >= 1")
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("D, P or C is not finite: expected measured points only")
    return arrays
