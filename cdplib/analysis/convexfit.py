"""Least-squares fits of C over (D, P): non-increasing, or non-increasing and convex.

Theorem 1 says that the optimum is both. How far measured points are from any such surface is a
residual; both fits are quadratic programs, solved by Clarabel.
"""

from __future__ import annotations

import itertools

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cdplib.errors import InputError

Array = NDArray[np.float64]


def monotone(d: Array, p: Array) -> sparse.csc_matrix:
    """The constraints of a non-increasing function of (D, P), for :func:`fit`.

    f_j <= f_i wherever point j has no less D and no less P than i (isotonic regression for the
    product order, Barlow et al. 1972). ``d`` and ``p`` are (n,); one row a pair, n columns.
    """
    d, p = _checked(d, p)
    first, second = np.nonzero((d[:, None] <= d) & (p[:, None] <= p) & ~np.eye(len(d), dtype=bool))
    rows = np.arange(len(first))
    ones = np.ones(len(rows))
    entries = (np.concatenate([ones, -ones]), (np.tile(rows, 2), np.concatenate([second, first])))
    return sparse.csc_matrix(entries, (len(rows), len(d)))


def convex(d: Array, p: Array) -> sparse.csc_matrix:
    """The constraints of a convex non-increasing function of (D, P), for :func:`fit`.

    Each point has a value f_i and slopes (a_i, b_i) <= 0 with
    f_i + a_i (D_j - D_i) + b_i (P_j - P_i) <= f_j for all j (convex regression; Seijo, Sen 2011).
    n (n - 1) + 2 n rows; columns are values, slopes in D, slopes in P.
    """
    d, p = _checked(d, p)
    n = len(d)
    d, p = ((v - v.min()) / (np.ptp(v) or 1.0) for v in (d, p))
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    rows = np.arange(len(i))
    ones = np.ones(len(i))
    values = np.concatenate([ones, d[j] - d[i], p[j] - p[i], -ones])
    where = (np.tile(rows, 4), np.concatenate([i, n + i, 2 * n + i, j]))
    tangents = sparse.csc_matrix((values, where), (len(rows), 3 * n))
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


def convex_triples(d: Array, p: Array, c: Array) -> tuple[int, int]:
    """Triples of points that contradict a convex non-increasing C, and all that could: (k, n).

    A triple (i, k; j) can be compared if some mixture of i and k, both with positive weight, has
    no more D and no more P than j. It contradicts if j has a greater C than one of those mixtures:
    drawing lots between i and k then beats j on all three axes.
    """
    d, p, c = _checked(d, p, c)
    violated = compared = 0
    for i, k in itertools.combinations(range(len(c)), 2):
        low, high = np.zeros(len(c)), np.ones(len(c))  # weights of i for which the mixture is below
        possible = np.ones(len(c), bool)
        for v in (d, p):
            slope, room = v[i] - v[k], v - v[k]
            if slope > 0:
                high = np.minimum(high, room / slope)
            elif slope < 0:
                low = np.maximum(low, room / slope)
            else:
                possible &= room >= 0
        possible &= (low <= high) & (high > 0) & (low < 1)
        possible[[i, k]] = False
        least = np.minimum(c[k] + low * (c[i] - c[k]), c[k] + high * (c[i] - c[k]))
        compared += int(possible.sum())
        violated += int((possible & (c > least + 1e-12)).sum())
    return violated, compared


def _checked(*given: Array) -> tuple[Array, ...]:
    arrays = tuple(np.asarray(v, dtype=float) for v in given)
    if len({a.shape for a in arrays}) != 1 or arrays[0].ndim != 1 or not len(arrays[0]):
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise InputError(f"D, P or C of shapes {shapes}: expected the same (n,), n >= 1")
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("D, P or C is not finite: expected measured points only")
    return arrays
